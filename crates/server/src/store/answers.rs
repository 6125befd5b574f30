//! The answers of runs, which are given again to the same request (profile P28).

use dskpp_crypto::Secret;

use super::columns::{if_asked_for, value};
use super::db::{Connection, values};
use super::{Store, StoreError, rows};
use crate::model::StoredAnswer;
use crate::model::clock::now;
use crate::store::seal::Kek;

impl Store {
    /// Forgets answers whose sessions are over, some at a time: nobody waits for a whole day's.
    pub(crate) async fn forget_old_answers(&self) -> Result<usize, StoreError> {
        const PIECE: usize = 1000;
        let forget = |db: &Connection| {
            let old = "SELECT session_id FROM answer WHERE expires_at < ? LIMIT ?";
            let sql = format!("DELETE FROM answer WHERE session_id IN ({old})");
            db.execute(&sql, values![now(), PIECE as i64])
        };
        let mut all = 0;
        loop {
            let forgotten = self.engine.write_bulk(forget).await?;
            all += forgotten;
            if forgotten < PIECE {
                return Ok(all);
            }
        }
    }
}

/// The answer that a session got.
pub(super) fn answer_of(db: &Connection, kek: &Kek, session_id: &str) -> Result<Option<StoredAnswer>, StoreError> {
    let sql = "SELECT session_id, request_hash, sealed_response FROM answer WHERE session_id = ?";
    db.first(sql, values![session_id], |row| rows::answer(row, kek))
}

/// The answer to the last run of an enrolment, if that is the request that it answered.
pub(super) fn last_answer(
    db: &Connection,
    kek: &Kek,
    enrolment: &str,
    request_hash: &[u8; 32],
) -> Result<Option<StoredAnswer>, StoreError> {
    let session_id: Option<Option<String>> =
        value(db, "enrolment", "SELECT id, answer FROM enrolment WHERE id = ?", values![enrolment])?;
    let answer = session_id.flatten().map(|session_id| answer_of(db, kek, &session_id)).transpose()?;
    Ok(answer.flatten().filter(|answer| answer.request_hash == *request_hash))
}

/// The answer on that session, if that is the request that it answered. Another one is read where there is none, as in
/// `stand_in`: whether an enrolment has been used must not show before its code is proved.
pub(super) fn answer_to(
    db: &Connection,
    kek: &Kek,
    session_id: Option<&str>,
    request_hash: &[u8; 32],
) -> Result<Option<StoredAnswer>, StoreError> {
    let sql = "SELECT session_id, request_hash, sealed_response, session_id IS NOT DISTINCT FROM ?1 AS asked_for FROM answer \
               WHERE session_id = \
               coalesce((SELECT session_id FROM answer WHERE session_id = ?1), (SELECT min(session_id) FROM answer))";
    let found = db.first(sql, values![session_id], if_asked_for(|row| rows::answer(row, kek)))?;
    Ok(found.flatten().filter(|answer| answer.request_hash == *request_hash))
}

/// Keeps the answer, unless the session has one.
pub(super) fn keep_answer(
    db: &Connection,
    kek: &Kek,
    session_id: &str,
    request_hash: &[u8; 32],
    response: &[u8],
    expires_at: i64,
) -> Result<Option<StoredAnswer>, StoreError> {
    let sql = "INSERT INTO answer (session_id, request_hash, sealed_response, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let sealed = kek.seal("answer", "sealed_response", session_id, &Secret::from_slice(response));
    match db.execute(sql, values![session_id, request_hash, sealed, expires_at])? {
        0 => answer_of(db, kek, session_id),
        _ => Ok(None),
    }
}
