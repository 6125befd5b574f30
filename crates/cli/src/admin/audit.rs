//! `dskpp admin audit`: the server's audit trail.

use std::io::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};
use dskpp_api::{
    AuditCheckpoint, AuditEntry, AuditOrder, AuditQuery, ListPage, ListedAuditEntry, SignedCheckpoint,
    UnreadableAuditEntry, paths,
};
use serde_json::json;

use super::audit_chain::{Chains, Fault};
use super::audit_checkpoint::CheckpointArgs;
use super::audit_follow;
use super::audit_format::Format;
use super::list::Pages;
use crate::api::Api;
use crate::output::{Failure, Output};
use crate::shown::{count, shown};

/// Entries in one answer of the server, where many are read.
pub(super) const PAGE: usize = 1000;

#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// List entries, the newest first
    List {
        #[command(flatten)]
        filter: Filter,
        /// List the oldest first
        #[arg(long, help_heading = "Filter")]
        oldest_first: bool,
        #[command(flatten)]
        pages: Pages,
    },
    /// Recompute the digests of all entries, and name the first one of each chain that does not follow
    #[command(
        after_help = "Entries cut off at a chain's end, and a chain that was computed anew, leave no trace in the \
                            trail itself: compare it with signed checkpoints (`audit.checkpoint_key` in the server's \
                            configuration) that were kept elsewhere."
    )]
    Verify {
        #[command(flatten)]
        checkpoints: CheckpointArgs,
    },
    /// Print a signed checkpoint of now, to be kept elsewhere: how far each chain goes
    Checkpoint,
    /// Print entries as they are made, until interrupted; with --json one document per line
    Follow {
        /// One line per entry in this form, instead of a row for people
        #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
        format: Option<Format>,
        /// Seconds between looks
        #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
        interval: u64,
    },
    /// Write entries to standard output, one per line: all, chain by chain, or by time with a filter
    Export {
        #[command(flatten)]
        filter: Filter,
        /// The form of a line
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
        format: Format,
    },
}

/// Which entries.
#[derive(Args)]
pub(super) struct Filter {
    /// Only this event, such as key.exported
    #[arg(long, help_heading = "Filter")]
    event: Option<String>,
    /// Only entries at or after this time, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "Filter")]
    since: Option<String>,
    /// Only entries before this time
    #[arg(long, value_name = "TIME", help_heading = "Filter")]
    until: Option<String>,
}

impl Filter {
    fn query(&self, order: AuditOrder, after: Option<String>, limit: Option<usize>) -> AuditQuery {
        let Filter { event, since, until } = self;
        let [event, since, until] = [event, since, until].map(Clone::clone);
        AuditQuery { event, since, until, order: Some(order), after, limit }
    }

    fn is_empty(&self) -> bool {
        self.event.is_none() && self.since.is_none() && self.until.is_none()
    }
}

impl AuditCommand {
    pub(super) async fn run(self, api: &Api, output: &Output) -> Result<(), Failure> {
        match self {
            AuditCommand::List { filter, oldest_first, pages } => {
                let order = if oldest_first { AuditOrder::Oldest } else { AuditOrder::Newest };
                let query = |after| filter.query(order, after, None);
                let headings = ["AT", "EVENT", "CHAIN", "SEQ", "SUBJECT"];
                pages.print((api, output), (paths::AUDIT, query), (&headings, columns)).await
            }
            AuditCommand::Verify { checkpoints } => verify(api, output, &checkpoints).await,
            AuditCommand::Checkpoint => checkpoint(api, output).await,
            AuditCommand::Follow { format, interval } => {
                let format = format.or(output.json.then_some(Format::Json));
                audit_follow::follow(api, format, Duration::from_secs(interval)).await
            }
            AuditCommand::Export { filter, format } => export(api, &filter, format).await,
        }
    }
}

pub(super) fn columns(entry: &ListedAuditEntry) -> Vec<String> {
    match entry {
        ListedAuditEntry::Readable(AuditEntry { chain, seq, at, event, subject, .. }) => {
            vec![at.clone(), event.clone(), named(chain), seq.to_string(), subject.clone()]
        }
        ListedAuditEntry::Unreadable(UnreadableAuditEntry { chain, seq, unreadable }) => {
            vec!["-".into(), format!("unreadable: {unreadable}"), named(chain), seq.to_string(), "-".into()]
        }
    }
}

/// A chain in a table: that of a SQLite database has no name.
fn named(chain: &str) -> String {
    if chain.is_empty() { "-".to_owned() } else { chain.to_owned() }
}

/// Hands every page to `take`. A list that does not go on ends it.
pub(super) async fn pages(
    api: &Api,
    query: impl Fn(Option<String>) -> AuditQuery,
    mut take: impl FnMut(Vec<ListedAuditEntry>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let page: ListPage<ListedAuditEntry> = api.get_by(paths::AUDIT, &query(after.clone())).await?;
        if page.next.is_some() && (page.items.is_empty() || page.next == after) {
            return Err(Failure::new("the server's list does not go on")
                .next("check that --server is a dskpp server of this version"));
        }
        take(page.items)?;
        match page.next {
            None => return Ok(()),
            next => after = next,
        }
    }
}

async fn verify(api: &Api, output: &Output, checkpoints: &CheckpointArgs) -> Result<(), Failure> {
    let mut expected = checkpoints.read()?;
    let query =
        |after| AuditQuery { order: Some(AuditOrder::Chain), after, limit: Some(PAGE), ..AuditQuery::default() };
    let (mut chains, mut contradictions, checkpoints) = (Chains::default(), Vec::new(), expected.checkpoints);
    let take = |items: Vec<ListedAuditEntry>| {
        contradictions.extend(items.iter().filter_map(|entry| expected.take(entry)));
        items.iter().try_for_each(|entry| chains.take(entry))
    };
    pages(api, query, take).await?;
    let (ends, mut faults) = chains.finish();
    faults.extend(contradictions.into_iter().chain(expected.missing()));
    let entries: u64 = ends.iter().map(|end| end.entries).sum();
    let read = format!("{} in {}", entry_count(entries), count(ends.len() as u64, "chain"));
    let document = json!({ "entries": entries, "chains": ends, "checkpoints": checkpoints, "faults": faults });
    if faults.is_empty() {
        let agree = match checkpoints {
            0 => String::new(),
            number => format!(", and they agree with {}", count(number as u64, "checkpoint")),
        };
        return output.print(&document, || format!("{read}: each follows from the one before it{agree}"));
    }
    let line = |Fault { chain, seq, reason }: &Fault| format!("chain {}, entry {seq}: {reason}", shown(named(chain)));
    Err(Failure::new(format!("{read}: {}", count(faults.len() as u64, "fault")))
        .details(faults.iter().map(line))
        .next("compare the database with a backup from before these entries")
        .with(document))
}

fn entry_count(number: u64) -> String {
    if number == 1 { "1 entry".to_owned() } else { format!("{number} entries") }
}

async fn checkpoint(api: &Api, output: &Output) -> Result<(), Failure> {
    let made: AuditCheckpoint = api.get(paths::AUDIT_CHECKPOINT).await?;
    let why = |why| Failure::new(format!("the server's answer is no checkpoint: {why}"));
    let signed = SignedCheckpoint::read(&made.text).map_err(why)?;
    output.print(&made, || signed.to_string().trim_end().to_owned())
}

async fn export(api: &Api, filter: &Filter, format: Format) -> Result<(), Failure> {
    let order = if filter.is_empty() { AuditOrder::Chain } else { AuditOrder::Oldest };
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let wrote = |why: std::io::Error| Failure::new(format!("cannot write to standard output: {why}"));
    let write = |items: Vec<ListedAuditEntry>| {
        for entry in items {
            writeln!(out, "{}", format.line(&entry)?).map_err(wrote)?;
        }
        out.flush().map_err(wrote)
    };
    pages(api, |after| filter.query(order, after, Some(PAGE)), write).await
}
