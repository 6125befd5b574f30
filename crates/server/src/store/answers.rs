//! The answers of runs, which are given again to the same request (profile P28).

use dskpp_crypto::Secret;

use super::columns::{if_asked_for, value};
use super::commit::ProvedRefusal;
use super::db::{Connection, Reply, values};
use super::enrolments::Subject;
use super::{Store, StoreError, rows};
use crate::model::StoredAnswer;
use crate::model::clock::now;
use crate::store::seal::Kek;

impl Store {
    /// Forgets answers whose sessions are over, some at a time: nobody waits for a whole day's.
    pub(crate) async fn forget_old_answers(&self) -> Result<usize, StoreError> {
        const PIECE: usize = 1000;
        let forget = |db: &Connection| {
            // As far as the index of times goes for a piece: a planner may look for identifiers in the whole table.
            let sql = "DELETE FROM answer WHERE expires_at < ?1 AND expires_at <= coalesce((SELECT expires_at \
                 FROM answer WHERE expires_at < ?1 ORDER BY expires_at LIMIT 1 OFFSET ?2), ?1)";
            db.execute(sql, values![now(), PIECE as i64 - 1])
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
pub(super) fn answer_of<'a>(db: &'a Connection, kek: &'a Kek, session_id: &str) -> Reply<'a, Option<StoredAnswer>> {
    let sql = "SELECT session_id, request_hash, sealed_response FROM answer WHERE session_id = ?";
    db.send_query(sql, values![session_id], |row| rows::answer(row, kek))
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
    let answer = session_id.flatten().map(|session_id| answer_of(db, kek, &session_id).wait()).transpose()?;
    Ok(answer.flatten().filter(|answer| answer.request_hash == *request_hash))
}

/// The answer to the last run of an enrolment, if that is the request that it answered. Another one is read
/// where there is none, as in `stand_in`: whether an enrolment has been used must not show before its code is proved.
pub(super) fn answer_to<'a>(
    db: &'a Connection,
    kek: &'a Kek,
    enrolment: Subject<'_>,
    request_hash: &'a [u8; 32],
) -> Reply<'a, Option<StoredAnswer>> {
    let session = enrolment.sql("answer");
    let sql = format!(
        "SELECT session_id, request_hash, sealed_response, session_id = {session} AS asked_for FROM answer \
         WHERE session_id = coalesce((SELECT session_id FROM answer WHERE session_id = {session}), \
         (SELECT min(session_id) FROM answer))"
    );
    let session_id = enrolment.known(|enrolment| enrolment.answer.as_deref());
    let found = db.send_query(&sql, values![session_id, enrolment.value], if_asked_for(|row| rows::answer(row, kek)));
    found.map(|found| found.flatten().filter(|answer| answer.request_hash == *request_hash))
}

/// Keeps the answer, unless the session has one, which is given then.
pub(super) fn keep_answer(
    db: &Connection,
    kek: &Kek,
    answer: &ProvedRefusal,
) -> Result<Option<StoredAnswer>, StoreError> {
    let ProvedRefusal { session_id, request_hash, response, answer_expires_at } = answer;
    match send_answer(db, kek, session_id, request_hash, response, *answer_expires_at)?.wait()? {
        0 => answer_of(db, kek, session_id).wait(),
        _ => Ok(None),
    }
}

/// Puts an answer in; 0 rows change where the session has one.
pub(super) fn send_answer<'a>(
    db: &'a Connection,
    kek: &Kek,
    session_id: &str,
    request_hash: &[u8; 32],
    response: &[u8],
    expires_at: i64,
) -> Result<Reply<'a, usize>, StoreError> {
    let sql = "INSERT INTO answer (session_id, request_hash, sealed_response, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let sealed = kek.seal("answer", "sealed_response", session_id, &Secret::from_slice(response));
    db.send(sql, values![session_id, request_hash, sealed, expires_at])
}
