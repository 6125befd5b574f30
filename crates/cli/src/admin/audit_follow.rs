//! The entries of the audit trail, as they are made.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::time::Duration;

use dskpp_api::{AuditEntry, AuditOrder, AuditQuery, ListedAuditEntry, UnreadableAuditEntry};
use pskc::DateTime;

use super::audit::{PAGE, columns, pages};
use super::audit_format::Format;
use crate::api::Api;
use crate::output::Failure;
use crate::shown;

/// Entries of several servers come to the database in any order within this time, in seconds.
const OVERLAP_S: i64 = 60;

/// What was seen, by the clock of the servers.
#[derive(Default)]
struct Seen {
    /// The time of each entry of the last minute.
    entries: BTreeMap<(String, i64), i64>,
    /// The time of the last entry.
    last: Option<i64>,
}

/// Looks for entries again and again; prints those that were made since it began, as rows for people or in a format.
pub(super) async fn follow(api: &Api, format: Option<Format>, interval: Duration) -> Result<(), Failure> {
    let mut seen = Seen::default();
    let newest = AuditQuery { order: Some(AuditOrder::Newest), limit: Some(1), ..AuditQuery::default() };
    let page: dskpp_api::ListPage<ListedAuditEntry> = api.get_by(dskpp_api::paths::AUDIT, &newest).await?;
    page.items.iter().for_each(|entry| _ = seen.take(entry));
    let mut is_first = true;
    loop {
        let new = seen.look(api).await?;
        for entry in new.iter().filter(|_| !is_first) {
            if !print(entry, format)? {
                return Ok(());
            }
        }
        is_first = false;
        tokio::time::sleep(interval).await;
    }
}

impl Seen {
    /// Whether an entry was not seen before.
    fn take(&mut self, entry: &ListedAuditEntry) -> bool {
        let (place, at) = match entry {
            ListedAuditEntry::Readable(AuditEntry { chain, seq, at, .. }) => {
                ((chain.clone(), *seq), at.parse::<DateTime>().ok().map(DateTime::unix_s))
            }
            ListedAuditEntry::Unreadable(UnreadableAuditEntry { chain, seq, .. }) => ((chain.clone(), *seq), None),
        };
        self.last = self.last.max(at);
        let at = at.or(self.last).unwrap_or(i64::MIN);
        self.entries.insert(place, at).is_none()
    }

    async fn look(&mut self, api: &Api) -> Result<Vec<ListedAuditEntry>, Failure> {
        let begin = self.last.map(|last| last.saturating_sub(OVERLAP_S));
        let since = begin.and_then(DateTime::from_unix_s).map(|since| since.to_string());
        let query = |after| AuditQuery {
            since: since.clone(),
            order: Some(AuditOrder::Oldest),
            after,
            limit: Some(PAGE),
            ..AuditQuery::default()
        };
        let mut new = Vec::new();
        pages(api, query, |items| {
            new.extend(items.into_iter().filter(|entry| self.take(entry)));
            Ok(())
        })
        .await?;
        self.entries.retain(|_, at| Some(*at) >= begin);
        Ok(new)
    }
}

/// Whether somebody still reads.
fn print(entry: &ListedAuditEntry, format: Option<Format>) -> Result<bool, Failure> {
    let text = match format {
        Some(format) => format.line(entry)?,
        None => shown::line(columns(entry).join("  ")),
    };
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(why) => Err(Failure::new(format!("cannot write to standard output: {why}"))),
    }
}
