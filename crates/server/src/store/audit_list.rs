//! The audit trail as lists: by time, or chain by chain.

use super::columns::{Columns, Page, Row};
use super::db::{Connection, values};
use super::{Store, StoreError};

/// An entry of the audit trail. Its subject is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuditRecord {
    pub chain: String,
    pub seq: i64,
    /// In seconds since 1970.
    pub at: i64,
    pub event: String,
    pub subject: String,
    pub hash: Vec<u8>,
}

/// An entry's place in the order by time: `at`, `chain`, `seq`.
pub(crate) type AuditPlace = (i64, String, i64);

/// Which entries are listed, and in which order.
#[derive(Clone, Debug)]
pub(crate) enum AuditFilter {
    /// By time: those of this event or of all, at or after `since`, before `until`, behind `after` in the order.
    ByTime { event: Option<String>, since: i64, until: i64, after: Option<AuditPlace>, newest_first: bool },
    /// Chain by chain, behind this chain and number.
    ByChain { after: Option<(String, i64)> },
}

fn read(row: &Row<'_>) -> Result<AuditRecord, StoreError> {
    let row = Columns::of("audit", row);
    Ok(AuditRecord {
        chain: row.get(0)?,
        seq: row.get(1)?,
        at: row.time(2)?,
        event: row.get(3)?,
        subject: row.get(4)?,
        hash: row.get(5)?,
    })
}

impl Store {
    /// Up to `limit` entries. One that cannot be read is named `SEQ.CHAIN`.
    pub(crate) async fn audit(&self, filter: AuditFilter, limit: usize) -> Result<Page<AuditRecord>, StoreError> {
        let list = move |db: &Connection| {
            let by_time = matches!(filter, AuditFilter::ByTime { .. });
            let read = |row: &Row<'_>| {
                let columns = Columns::of("audit", row);
                let (chain, seq, at): (String, i64, i64) = (columns.get(0)?, columns.get(1)?, columns.get(2)?);
                let place = if by_time { format!("t{at}.{seq}.{chain}") } else { format!("c{seq}.{chain}") };
                let record = read(row).map_err(|why| match why {
                    StoreError::Row(mut why) => {
                        why.row = format!("{seq}.{chain}");
                        StoreError::Row(why)
                    }
                    why => why,
                });
                Ok((place, record))
            };
            let limit_and_one = limit as i64 + 1;
            let rows = match &filter {
                AuditFilter::ByChain { after } => {
                    let sql = "SELECT chain, seq, at, event, subject, hash FROM audit WHERE (chain, seq) > (?1, ?2) \
                         ORDER BY chain, seq LIMIT ?3";
                    let (chain, seq) = after.as_ref().map_or(("", i64::MIN), |(chain, seq)| (chain.as_str(), *seq));
                    db.rows(sql, values![chain, seq, limit_and_one], read)?
                }
                AuditFilter::ByTime { event, since, until, after, newest_first } => {
                    let (since, until) = ((*since, String::new(), i64::MIN), (*until, String::new(), i64::MIN));
                    let (place, end) = match newest_first {
                        true => (after.as_ref().map_or(&until, |after| after.min(&until)), since.0),
                        false => (after.as_ref().map_or(&since, |after| after.max(&since)), until.0),
                    };
                    let sql = by_time_sql(event.as_deref(), *newest_first);
                    db.rows(&sql, values![event, place.0, place.1, place.2, end, limit_and_one], read)?
                }
            };
            Page::along(rows.into_iter().collect::<Result<_, StoreError>>()?, limit)
        };
        self.engine.read(list).await
    }
}

/// The events of every run. The index by event leaves them out, so that no run pays for it: they are so many that the
/// next one is never far away in the order by time.
const FREQUENT: [&str; 2] = ["enrolment.created", "key.provisioned"];

fn by_time_sql(event: Option<&str>, newest_first: bool) -> String {
    let of_event = match event {
        None => "?1 IS NULL",
        Some(event) if FREQUENT.contains(&event) => "event = ?1",
        Some(_) => "event = ?1 AND event <> 'enrolment.created' AND event <> 'key.provisioned'",
    };
    let (behind, end, way) = if newest_first { ("<", ">=", "DESC") } else { (">", "<", "ASC") };
    format!(
        "SELECT chain, seq, at, event, subject, hash FROM audit WHERE {of_event} AND (at, chain, seq) {behind} \
         (?2, ?3, ?4) AND at {end} ?5 ORDER BY at {way}, chain {way}, seq {way} LIMIT ?6"
    )
}
