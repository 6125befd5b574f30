//! Keys on their way to other systems, the sinks: a transactional outbox.
//!
//! - There is one row per key and sink, written in the transaction that puts the key in use, renews or revokes it. Each
//!   change counts its number up, so a sink gets the changes of a key in order, and of several that wait only the last.
//! - Any server takes what is due, by a lease that it writes into the row: nobody else sends it before the lease ends. It
//!   is sent at least once: where the server dies before it has settled it, another one sends it again.
//! - The secret stays in the key's row and is read when it is sent, which is audited in the transaction of the lease.

use std::sync::Arc;

use dskpp_crypto::Secret;
use serde_json::json;
use tokio::sync::Notify;

use super::columns::{Columns, Page, Row};
use super::db::{Connection, Reply, values};
use super::keys::{k_token_of, key_by_id};
use super::{Store, StoreError, audit, rows};
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::model::{DeliveryOperation, DeliveryRecord, DeliveryState, KeyRecord};
use crate::store::seal::Kek;

/// Seconds that a server has to send what it has taken and to say so.
pub(crate) const LEASE_S: i64 = 120;
/// Longest text that is kept of an error, in characters.
const MAX_ERROR_LEN: usize = 300;

/// What [`rows::delivery`] reads.
pub(super) const OUTBOX: &str = "id, key_id, sink, operation, seq, state, attempts, queued_at, next_at, error";

/// What a server has taken to deliver.
#[derive(Debug)]
pub(crate) struct Leased {
    /// The row, as it was then.
    pub record: DeliveryRecord,
    /// The key, with its secret if the sink is to take it; why not, if the row is damaged.
    pub key: Result<(KeyRecord, Option<Secret>), String>,
    lease: String,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The sink has confirmed it.
    Delivered,
    /// It failed; the next one is due at that time.
    Again { error: String, at: i64 },
    /// It failed for good.
    Dead { error: String },
}

/// Which deliveries are listed: of this sink, in this state, behind this identifier.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeliveryFilter {
    pub(crate) sink: Option<String>,
    pub(crate) state: Option<DeliveryState>,
    pub(crate) after: Option<String>,
}

/// Names of sinks as a column has them: a JSON array.
pub(super) fn names(json: &str) -> Option<Vec<String>> {
    serde_json::from_str(json).ok()
}

/// Writes that sinks are to take a key that they do not have, without waiting.
pub(super) fn send_new<'a>(
    db: &'a Connection,
    key_id: &str,
    sinks: &[String],
    at: i64,
) -> Result<Vec<Reply<'a, usize>>, StoreError> {
    let sql = "INSERT INTO outbox (id, key_id, sink, operation, seq, state, attempts, queued_at, next_at) \
         VALUES (?1, ?2, ?3, 'put', 1, 'pending', 0, ?4, ?4) ON CONFLICT (key_id, sink) DO NOTHING";
    sinks.iter().map(|sink| db.send(sql, values![new_id(), key_id, sink, at])).collect()
}

/// Writes that every sink that has a key is to take it anew, or to forget it. A sink that was to forget it stays so.
pub(super) fn requeue(db: &Connection, key_id: &str, operation: DeliveryOperation, at: i64) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET operation = ?2, seq = seq + 1, state = 'pending', attempts = 0, error = NULL, \
         queued_at = ?3, next_at = CASE WHEN lease IS NULL THEN ?3 ELSE next_at END \
         WHERE key_id = ?1 AND operation = 'put'";
    db.execute(sql, values![key_id, operation.as_str(), at]).map(drop)
}

/// Writes that every sink that was to forget a key is to take it again.
pub(super) fn take_again(db: &Connection, key_id: &str, at: i64) -> Result<(), StoreError> {
    let sql = "UPDATE outbox SET operation = 'put', seq = seq + 1, state = 'pending', attempts = 0, error = NULL, \
         queued_at = ?2, next_at = CASE WHEN lease IS NULL THEN ?2 ELSE next_at END \
         WHERE key_id = ?1 AND operation = 'delete'";
    db.execute(sql, values![key_id, at]).map(drop)
}

/// What each sink has of a key, or is to have.
pub(super) fn of_key(db: &Connection, key_id: &str) -> Result<Vec<DeliveryRecord>, StoreError> {
    let sql = format!("SELECT {OUTBOX} FROM outbox WHERE key_id = ? ORDER BY sink");
    db.rows(&sql, values![key_id], rows::delivery)?.into_iter().collect()
}

/// A key is in use, or has a new secret: the sinks of its enrolment get it, and those that have it already.
pub(super) fn put(db: &Connection, key: &KeyRecord, at: i64) -> Result<(), StoreError> {
    requeue(db, &key.id, DeliveryOperation::Put, at)?;
    let sql = "SELECT id, sinks FROM enrolment WHERE id = ?";
    let sinks = |row: &Row<'_>| Columns::of("enrolment", row).parse_if_any(1, names);
    let sinks = db.first(sql, values![key.enrolment_id], sinks)?.flatten().unwrap_or_default();
    wait_all(send_new(db, &key.id, &sinks, at)?)
}

/// Waits for what was sent.
pub(super) fn wait_all(replies: Vec<Reply<'_, usize>>) -> Result<(), StoreError> {
    replies.into_iter().try_for_each(|reply| reply.wait().map(drop))
}

impl Store {
    /// What is told of each commit here, after which something may be due.
    pub(crate) fn committed(&self) -> Arc<Notify> {
        self.engine.committed()
    }

    /// Takes up to `limit` deliveries that are due at a sink.
    pub(crate) async fn lease(&self, sink: &str, limit: usize) -> Result<Vec<Leased>, StoreError> {
        let name = sink.to_owned();
        let due = move |db: &Connection| {
            let sql = "SELECT id FROM outbox WHERE sink = ? AND state = 'pending' AND next_at <= ? \
                 ORDER BY next_at LIMIT ?";
            let id = |row: &Row<'_>| Columns::of("outbox", row).get::<String>(0);
            db.rows(sql, values![name, now(), limit as i64], id)?.into_iter().collect::<Result<Vec<_>, _>>()
        };
        let due = self.engine.read(due).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let kek = Arc::clone(&self.kek);
        let take = move |db: &Connection| {
            let taken = due.iter().map(|id| take(db, &kek, id, now()));
            taken.filter_map(Result::transpose).collect()
        };
        self.engine.write(take).await
    }

    /// Writes down what became of attempts, and gives back their leases. What another server has taken since, after the
    /// lease's end, stays as it is.
    pub(crate) async fn settle(&self, attempts: Vec<(Leased, Attempt)>) -> Result<(), StoreError> {
        let write = move |db: &Connection| {
            let at = now();
            attempts.iter().try_for_each(|(leased, attempt)| settle(db, leased, attempt, at))
        };
        self.engine.write(write).await
    }

    /// What each sink has of a key, or is to have.
    pub(crate) async fn deliveries_of(&self, key_id: &str) -> Result<Vec<DeliveryRecord>, StoreError> {
        let key_id = key_id.to_owned();
        self.engine.read(move |db| of_key(db, &key_id)).await
    }

    /// Up to `limit` deliveries.
    pub(crate) async fn deliveries(
        &self,
        filter: DeliveryFilter,
        limit: usize,
    ) -> Result<Page<DeliveryRecord>, StoreError> {
        let read = move |db: &Connection| {
            let DeliveryFilter { sink, state, after } = &filter;
            let (sql, after) = (listing(sink.is_some(), state.is_some()), after.as_deref().unwrap_or_default());
            let state = state.map(DeliveryState::as_str);
            let rows = db.rows(&sql, values![after, sink, state, limit as i64 + 1], rows::delivery)?;
            Page::of(rows, limit, |delivery| &delivery.id)
        };
        self.engine.read(read).await
    }

    /// Has a delivery sent again, now, whatever became of it; audited in the same transaction.
    pub(crate) async fn send_again(&self, id: &str, by: String) -> Result<DeliveryRecord, StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            let at = now();
            let sql = "UPDATE outbox SET seq = seq + 1, state = 'pending', attempts = 0, error = NULL, \
                 queued_at = ?2, next_at = CASE WHEN lease IS NULL THEN ?2 ELSE next_at END WHERE id = ?1";
            db.execute(sql, values![id, at])?;
            let sql = format!("SELECT {OUTBOX} FROM outbox WHERE id = ?");
            let again = db.first(&sql, values![id], rows::delivery)?.ok_or(StoreError::NotFound("delivery"))?;
            let subject = json!({ "delivery": id, "key": again.key_id, "sink": again.sink, "by": by });
            audit::append(db, at, "delivery.repeated", &subject)?;
            Ok(again)
        };
        self.engine.write(write).await
    }
}

/// The statement that lists deliveries. A sink is only compared where there is a state, whose index has their order.
fn listing(of_sink: bool, in_state: bool) -> String {
    let of_sink = match (of_sink, in_state) {
        (true, true) => "sink || '' = ?2",
        (true, false) => "sink = ?2",
        (false, _) => "?2 IS NULL",
    };
    let in_state = if in_state { "state = ?3" } else { "?3 IS NULL" };
    format!("SELECT {OUTBOX} FROM outbox WHERE id > ?1 AND {of_sink} AND {in_state} ORDER BY id LIMIT ?4")
}

/// Takes a delivery, if it is still due: no other server has taken it meanwhile.
fn take(db: &Connection, kek: &Kek, id: &str, at: i64) -> Result<Option<Leased>, StoreError> {
    let lease = new_id();
    let sql = format!(
        "UPDATE outbox SET lease = ?2, next_at = ?3, attempts = attempts + 1 \
         WHERE id = ?1 AND state = 'pending' AND next_at <= ?4 RETURNING {OUTBOX}"
    );
    let until = at + LEASE_S;
    let Some(record) = db.first(&sql, values![id, lease, until, at], rows::delivery)? else { return Ok(None) };
    let key = match key_of(db, kek, &record) {
        Err(why @ (StoreError::Row(_) | StoreError::Sealed(_))) => {
            tracing::error!("{why}");
            Err("the key's row in the database is damaged".to_owned())
        }
        key => Ok(key?),
    };
    if let Ok((key, Some(_))) = &key {
        let subject = json!({ "key": key.id, "sink": record.sink, "delivery": id, "number": record.seq });
        audit::append(db, at, "key.sent", &subject)?;
    }
    Ok(Some(Leased { record, key, lease }))
}

fn key_of(db: &Connection, kek: &Kek, record: &DeliveryRecord) -> Result<(KeyRecord, Option<Secret>), StoreError> {
    let key = key_by_id(db, &record.key_id)?.ok_or(StoreError::NotFound("key"))?;
    let secret = match record.operation {
        DeliveryOperation::Put => Some(k_token_of(db, kek, &key.id)?.ok_or(StoreError::NotFound("key"))?),
        DeliveryOperation::Delete => None,
    };
    Ok((key, secret))
}

/// A change that was made meanwhile is due at once.
fn settle(db: &Connection, leased: &Leased, attempt: &Attempt, at: i64) -> Result<(), StoreError> {
    let Leased { record, lease, .. } = leased;
    let (state, error, next_at) = match attempt {
        Attempt::Delivered => (DeliveryState::Delivered, None, at),
        Attempt::Again { error, at } => (DeliveryState::Pending, Some(error), *at),
        Attempt::Dead { error } => (DeliveryState::Dead, Some(error), at),
    };
    let error = error.map(|error| error.chars().take(MAX_ERROR_LEN).collect::<String>());
    let sql = "UPDATE outbox SET lease = NULL, error = ?5, state = CASE WHEN seq = ?3 THEN ?4 ELSE state END, \
         next_at = CASE WHEN seq = ?3 THEN ?6 ELSE ?7 END WHERE id = ?1 AND lease = ?2";
    let seq = super::stored(record.seq)?;
    db.execute(sql, values![record.id, lease, seq, state.as_str(), error, next_at, at])?;
    if state == DeliveryState::Dead {
        let subject = json!({ "delivery": record.id, "key": record.key_id, "sink": record.sink });
        audit::append(db, at, "delivery.given-up", &subject)?;
    }
    Ok(())
}
