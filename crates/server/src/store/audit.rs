//! The audit trail: append-only, each entry's hash covers the one before it in its chain. No entry holds a secret.
//!
//! Whoever writes appends to a chain of its own, so that no writer waits for another one: see [`Connection::chain`].

use dskpp_crypto::Sha256;

use super::columns::Columns;
use super::db::{Connection, Reply, Row, values};
use super::{Store, StoreError};
use crate::model::clock::now;
use crate::model::origin::Origin;

impl Store {
    /// Records what the server does of itself.
    pub(crate) async fn record(&self, event: &'static str, subject: serde_json::Value) -> Result<(), StoreError> {
        self.engine.write(move |db| append(db, now(), event, &subject)).await
    }
}

/// Appends an entry; `subject` is a JSON object, to which the origin of the request is added. Only a writer calls this, inside the transaction of what it records.
pub(super) fn append(db: &Connection, at: i64, event: &str, subject: &serde_json::Value) -> Result<(), StoreError> {
    send(db, at, event, subject)?.wait()
}

/// As [`append`], without waiting for the entry. No other one is appended meanwhile.
pub(super) fn send<'a>(
    db: &'a Connection,
    at: i64,
    event: &str,
    subject: &serde_json::Value,
) -> Result<Reply<'a, ()>, StoreError> {
    let mut subject = subject.clone();
    if let (Some(origin), Some(subject)) = (Origin::current(), subject.as_object_mut()) {
        origin.sign(subject);
    }
    let (chain, subject) = (db.chain(), subject.to_string());
    let last = |row: &Row<'_>| {
        let row = Columns::of("audit", row);
        Ok((row.get::<i64>(1)?, row.get::<Vec<u8>>(2)?))
    };
    let sql = "SELECT chain, seq, hash FROM audit WHERE chain = ? ORDER BY seq DESC LIMIT 1";
    let (seq, last) = match db.end_of_chain() {
        Some(end) => end,
        None => db.first(sql, values![chain], last)?.unwrap_or_default(),
    };
    let (seq, hash) = (seq + 1, link(&last, at, event, &subject));
    let sql = "INSERT INTO audit (chain, seq, at, event, subject, hash) VALUES (?, ?, ?, ?, ?, ?)";
    let appended = db.send(sql, values![chain, seq, at, event, subject, hash])?;
    db.set_end_of_chain((seq, hash.to_vec()));
    Ok(appended.map(drop))
}

/// `SHA-256(previous || at || len(event) || event || subject)`.
pub(super) fn link(previous: &[u8], at: i64, event: &str, subject: &str) -> [u8; 32] {
    let len = (event.len() as u64).to_be_bytes();
    Sha256::digest(&[previous, &at.to_be_bytes(), &len, event.as_bytes(), subject.as_bytes()])
}

/// Where somebody who follows the chains stands.
#[derive(Default)]
pub(super) struct Link {
    pub(super) chain: String,
    pub(super) seq: i64,
    hash: Vec<u8>,
}

impl Link {
    /// Goes on to `chain, seq, at, event, subject, hash`, the next entry in this order; gives its chain and sequence
    /// number if it does not follow from those before it.
    pub(super) fn follow(&mut self, row: &Row<'_>) -> Result<Option<(String, i64)>, StoreError> {
        let row = Columns::of("audit", row);
        let (chain, seq): (String, i64) = (row.get(0)?, row.get(1)?);
        let before = if self.chain == chain { std::mem::take(&mut self.hash) } else { Vec::new() };
        (self.chain, self.seq) = (chain.clone(), seq);
        self.hash = row.get(5)?;
        let expected = link(&before, row.get(2)?, &row.get::<String>(3)?, &row.get::<String>(4)?);
        Ok((expected[..] != self.hash).then_some((chain, seq)))
    }
}
