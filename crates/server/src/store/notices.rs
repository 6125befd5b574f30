//! Notices that wait to be sent, each once by one of any number of servers.
//!
//! They are sealed rows of `setting`, whose names have an order: `notice/due/CHANNEL/TIME/ID` is to be sent from that time
//! on, and `notice/said/TIME/ID` keeps the same notice from being made again until then. Whoever deletes a row has taken it.

use std::sync::Arc;

use dskpp_crypto::Secret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::columns::Columns;
use super::db::{Connection, Row, values};
use super::{Store, StoreError, audit};
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::model::notice::{Channel, Notice};
use crate::store::seal::Kek;

/// Seconds that a server has to send what it has taken; then another one takes it.
pub(crate) const NOTICE_LEASE_S: i64 = 180;
/// Rows that are forgotten at a time.
const PIECE: i64 = 500;

/// A notice that a server has taken.
#[derive(Debug)]
pub(crate) struct TakenNotice {
    /// What is to be sent.
    pub(crate) notice: Notice,
    /// Attempts, with this one.
    pub(crate) attempts: u32,
    channel: Channel,
    name: String,
}

/// What became of an attempt to send a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoticeAttempt {
    /// It was taken.
    Sent,
    /// The next attempt is due at that time.
    Again(i64),
    /// No further attempt is made.
    GivenUp(String),
}

/// A row's content.
#[derive(Serialize, Deserialize)]
struct Waiting {
    notice: Notice,
    attempts: u32,
}

fn due(channel: Channel, at: i64, id: &str) -> String {
    format!("notice/due/{}/{:012}/{id}", channel.as_str(), at.max(0))
}

/// Has a notice sent by these channels, unless the same one was made before; it is remembered until that time. `false`
/// where it was. Without channels nothing happens.
pub(super) fn announce(
    db: &Connection,
    kek: &Kek,
    notice: &Notice,
    channels: &[Channel],
    until: i64,
) -> Result<bool, StoreError> {
    let said = format!("notice/said/{:012}/{}", until.max(0), notice.id);
    if channels.is_empty() || !put(db, kek, &said, &Secret::from_slice(b"said"))? {
        return Ok(false);
    }
    for channel in channels {
        let waiting = Waiting { notice: notice.clone(), attempts: 0 };
        put_waiting(db, kek, &due(*channel, notice.at, &new_id()), &waiting)?;
    }
    Ok(true)
}

fn put(db: &Connection, kek: &Kek, name: &str, value: &Secret) -> Result<bool, StoreError> {
    let sealed = kek.seal("setting", "sealed_value", name, value);
    let sql = "INSERT INTO setting (name, sealed_value) VALUES (?, ?) ON CONFLICT DO NOTHING";
    Ok(db.execute(sql, values![name, sealed])? > 0)
}

fn put_waiting(db: &Connection, kek: &Kek, name: &str, waiting: &Waiting) -> Result<(), StoreError> {
    let text = serde_json::to_vec(waiting).map_err(|_| StoreError::State("a notice is no JSON"))?;
    put(db, kek, name, &Secret::from(text)).map(drop)
}

fn remove(db: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(db.execute("DELETE FROM setting WHERE name = ?", values![name])? > 0)
}

impl Store {
    /// As [`announce`], for a notice on which nothing else depends.
    pub(crate) async fn make_notice(
        &self,
        notice: Notice,
        channels: Vec<Channel>,
        until: i64,
    ) -> Result<bool, StoreError> {
        let kek = Arc::clone(&self.kek);
        let said = format!("notice/said/{:012}/{}", until.max(0), notice.id);
        // Most were made before: no write for them.
        let read = move |db: &Connection| db.exists("SELECT 1 FROM setting WHERE name = ?", values![said]);
        if channels.is_empty() || self.engine.read(read).await? {
            return Ok(false);
        }
        self.engine.write(move |db| announce(db, &kek, &notice, &channels, until)).await
    }

    /// Takes a notice that is due at a channel, if there is one.
    pub(crate) async fn take_notice(&self, channel: Channel) -> Result<Option<TakenNotice>, StoreError> {
        let kek = Arc::clone(&self.kek);
        let next = move |db: &Connection| {
            let (from, to) = (due(channel, 0, ""), due(channel, now().saturating_add(1), ""));
            let sql = "SELECT name, sealed_value FROM setting WHERE name > ? AND name < ? ORDER BY name LIMIT 20";
            let read = |row: &Row<'_>| {
                let row = Columns::of("setting", row);
                let name: String = row.get(0)?;
                let text = row.sealed(&kek, "sealed_value", 1)?;
                let waiting = serde_json::from_slice::<Waiting>(text.expose()).map_err(|_| row.unreadable(1))?;
                Ok((name, waiting))
            };
            // What cannot be read does not matter to the others; `dskpp database check` reports it.
            let rows = db.rows(sql, values![from, to], read)?;
            Ok(rows.into_iter().find_map(Result::ok))
        };
        let Some((name, waiting)) = self.engine.read(next).await? else { return Ok(None) };
        let kek = Arc::clone(&self.kek);
        let take = move |db: &Connection| {
            if !remove(db, &name)? {
                return Ok(None); // another server was faster
            }
            let taken = Waiting { notice: waiting.notice.clone(), attempts: waiting.attempts.saturating_add(1) };
            let name = due(channel, now().saturating_add(NOTICE_LEASE_S), &new_id());
            put_waiting(db, &kek, &name, &taken)?;
            let Waiting { notice, attempts } = taken;
            Ok(Some(TakenNotice { notice, attempts, channel, name }))
        };
        self.engine.write(take).await
    }

    /// Writes down what became of an attempt. What another server has taken since, after the lease's end, stays as it is.
    pub(crate) async fn settle_notice(&self, taken: TakenNotice, attempt: NoticeAttempt) -> Result<(), StoreError> {
        let kek = Arc::clone(&self.kek);
        let settle = move |db: &Connection| {
            let TakenNotice { notice, attempts, channel, name } = &taken;
            if !remove(db, name)? {
                return Ok(());
            }
            let subject = json!({ "notice": notice.id, "event": notice.event, "channel": channel.as_str() });
            match &attempt {
                NoticeAttempt::Sent => audit::append(db, now(), "notice.sent", &subject),
                NoticeAttempt::GivenUp(_) => audit::append(db, now(), "notice.given-up", &subject),
                NoticeAttempt::Again(at) => {
                    let again = Waiting { notice: notice.clone(), attempts: *attempts };
                    put_waiting(db, &kek, &due(*channel, *at, &new_id()), &again)
                }
            }
        };
        self.engine.write(settle).await
    }

    /// Forgets which notices were made that nobody makes any more.
    pub(crate) async fn forget_old_notices(&self) -> Result<usize, StoreError> {
        let forget = |db: &Connection| {
            let sql = "DELETE FROM setting WHERE name IN \
                 (SELECT name FROM setting WHERE name > ? AND name < ? ORDER BY name LIMIT ?)";
            db.execute(sql, values!["notice/said/", format!("notice/said/{:012}", now().max(0)), PIECE])
        };
        self.engine.write_bulk(forget).await
    }
}
