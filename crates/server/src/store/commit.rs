//! What a run of the protocol writes: all of it, or nothing.

use std::sync::Arc;

use dskpp_crypto::Secret;
use serde_json::json;

use super::answers::{answer_of, keep_answer, last_answer, send_answer};
use super::db::{Connection, Reply, values};
use super::engine::Pending;
use super::{Store, StoreError, audit, outbox, pending, rows, stored};
use crate::model::clock::now;
use crate::model::{Activation, DeliveryOperation, KeyState, KeyType, Params, StoredAnswer};
use crate::store::seal::Kek;

/// A key that a run has made.
#[derive(Debug)]
pub(crate) struct NewKey {
    /// The key's `Id`.
    pub id: String,
    /// K_TOKEN; `None` where a key in stock was delivered, which stays as it is.
    pub k_token: Option<Secret>,
    /// K_MAC.
    pub k_mac: Secret,
    /// The PRF's URI.
    pub mac_algorithm: String,
    /// URL_S of the run.
    pub url_s: Option<String>,
}

/// A successful run, to be committed before its answer is sent.
#[derive(Debug)]
pub(crate) struct CommitRun {
    /// `SessionID`
    pub session_id: String,
    /// SHA-256 of the ClientNonce.
    pub request_hash: [u8; 32],
    /// The answer.
    pub response: Vec<u8>,
    /// Until when the answer is kept, seconds since 1970.
    pub answer_expires_at: i64,
    /// The enrolment that it spends.
    pub enrolment_id: String,
    /// The key.
    pub key: NewKey,
}

/// A refusal of a run whose code was proved.
#[derive(Debug)]
pub(crate) struct ProvedRefusal {
    /// `SessionID`
    pub session_id: String,
    /// SHA-256 of the ClientNonce.
    pub request_hash: [u8; 32],
    /// The answer.
    pub response: Vec<u8>,
    /// Until when the answer is kept, seconds since 1970.
    pub answer_expires_at: i64,
}

/// What became of a commit.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Commit {
    /// It is durable.
    Committed,
    /// Another request has been answered on this session.
    AlreadyAnswered(StoredAnswer),
    /// The enrolment is no longer open, or the key that it renews no longer in use; nothing was changed.
    EnrolmentSpent,
}

impl Store {
    /// Commits key, spent enrolment, answer and audit record together, or nothing.
    pub(crate) fn commit_run(&self, run: CommitRun) -> Pending<Commit> {
        let kek = Arc::clone(&self.kek);
        self.engine.begin_repeatable(move |db| commit_run(db, &kek, &run, now()))
    }

    /// Keeps the answer of a refused run. One whose code was not proved must not come here: it leaves nothing in the
    /// database.
    pub(crate) fn commit_refusal(&self, run: ProvedRefusal) -> Pending<Commit> {
        let kek = Arc::clone(&self.kek);
        self.engine.begin_repeatable(move |db| {
            let before = keep_answer(db, &kek, &run)?;
            Ok(before.map_or(Commit::Committed, Commit::AlreadyAnswered))
        })
    }
}

/// What a commit needs of its enrolment.
pub(super) struct Spent {
    pub(super) user_id: String,
    pub(super) key_type: KeyType,
    pub(super) params: Params,
    pub(super) device_id: Option<String>,
    pub(super) renews: Option<String>,
    pub(super) activate: Activation,
    pub(super) sinks: Vec<String>,
}

impl Spent {
    /// The state of the key that comes of it.
    fn state(&self) -> KeyState {
        match self.activate {
            Activation::OnOtp => KeyState::Provisioned,
            Activation::AtOnce => KeyState::Active,
        }
    }
}

/// Spends the enrolment; all that follows from it is sent together.
pub(super) fn commit_run(db: &Connection, kek: &Kek, run: &CommitRun, at: i64) -> Result<Commit, StoreError> {
    let CommitRun { session_id, request_hash, response, answer_expires_at, enrolment_id, key } = run;
    let Some(spent) = spend(db, enrolment_id, &key.id, session_id, at)? else {
        let answer = match answer_of(db, kek, session_id).wait()? {
            // The same request may have been answered meanwhile, sent again by an impatient client.
            None => last_answer(db, kek, enrolment_id, request_hash)?,
            answer => answer,
        };
        return Ok(answer.map_or(Commit::EnrolmentSpent, Commit::AlreadyAnswered));
    };
    let answered = send_answer(db, kek, session_id, request_hash, response, *answer_expires_at)?;
    let (stored, otherwise) = match (&key.k_token, &spent) {
        (None, _) => {
            let gone = "the key was delivered or revoked meanwhile".into();
            (deliver(db, kek, enrolment_id, key, &spent)?, StoreError::Conflict(gone))
        }
        (Some(k_token), Spent { renews: Some(_), activate: Activation::OnOtp, .. }) => {
            (pending::put(db, kek, enrolment_id, key, k_token, at)?, StoreError::Exists("the key"))
        }
        (Some(k_token), _) => {
            (put_key(db, kek, enrolment_id, key, k_token, &spent, at)?, StoreError::Exists("the key"))
        }
    };
    let subject = json!({ "key": key.id, "enrolment": enrolment_id, "session": session_id });
    let recorded = audit::send(db, at, "key.provisioned", &subject)?;
    let queued = queue(db, &spent, key, at)?;
    if answered.wait()? == 0 {
        return Err(StoreError::Conflict("another server has answered on this session".into()));
    }
    if stored.wait()? == 0 {
        return Err(otherwise);
    }
    recorded.wait()?;
    outbox::wait_all(queued)?;
    Ok(Commit::Committed)
}

/// Has sinks take the key, unless it waits for a first password. A key that was there before may be in some already.
fn queue<'a>(db: &'a Connection, spent: &Spent, key: &NewKey, at: i64) -> Result<Vec<Reply<'a, usize>>, StoreError> {
    if spent.state() != KeyState::Active {
        return Ok(Vec::new());
    }
    if spent.renews.is_some() || key.k_token.is_none() {
        outbox::requeue(db, &key.id, DeliveryOperation::Put, at)?;
    }
    outbox::send_new(db, &key.id, &spent.sinks, at)
}

/// The new key, or the new secrets of a renewed one.
fn put_key<'a>(
    db: &'a Connection,
    kek: &Kek,
    enrolment_id: &str,
    key: &NewKey,
    k_token: &Secret,
    spent: &Spent,
    at: i64,
) -> Result<Reply<'a, usize>, StoreError> {
    let k_token = kek.seal("key", "sealed_k_token", &key.id, k_token);
    let k_mac = kek.seal("key", "sealed_k_mac", &key.id, &key.k_mac);
    let counter = stored(spent.params.counter.unwrap_or(0))?;
    if spent.renews.is_some() {
        pending::forget(db, &key.id)?;
    }
    // A renewal keeps the key's id: the new secret takes the old one's place (RFC 6063 §4.2.3). What a file said of
    // the old one does not hold for it.
    let sql = "INSERT INTO key (id, user_id, enrolment_id, device_id, key_type, params, mac_algorithm, sealed_k_token, \
         sealed_k_mac, state, counter, created_at, url_s, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (id) DO UPDATE SET enrolment_id = excluded.enrolment_id, params = excluded.params, \
         mac_algorithm = excluded.mac_algorithm, sealed_k_token = excluded.sealed_k_token, \
         sealed_k_mac = excluded.sealed_k_mac, state = excluded.state, counter = excluded.counter, \
         last_step = NULL, drift = 0, sealed_package = NULL, manufacturer = NULL, serial = NULL, start_at = NULL, \
         expires_at = excluded.expires_at, uses_left = NULL, url_s = excluded.url_s \
         WHERE key.id = ? AND key.user_id = excluded.user_id AND key.state IN ('active', 'provisioned')";
    db.send(
        sql,
        values![
            key.id,
            spent.user_id,
            enrolment_id,
            spent.device_id,
            spent.key_type.as_str(),
            json!(spent.params).to_string(),
            key.mac_algorithm,
            k_token,
            k_mac,
            spent.state().as_str(),
            counter,
            at,
            key.url_s,
            spent.params.expires_at(at),
            spent.renews
        ],
    )
}

/// A key in stock goes to its user; its secret, its parameters and its counter stay as they are.
fn deliver<'a>(
    db: &'a Connection,
    kek: &Kek,
    enrolment_id: &str,
    key: &NewKey,
    spent: &Spent,
) -> Result<Reply<'a, usize>, StoreError> {
    let k_mac = kek.seal("key", "sealed_k_mac", &key.id, &key.k_mac);
    let sql = "UPDATE key SET user_id = ?2, enrolment_id = ?3, device_id = coalesce(?4, device_id), mac_algorithm = ?5, \
         sealed_k_mac = ?6, state = CASE state WHEN 'imported' THEN ?7 ELSE state END, url_s = ?8 \
         WHERE id = ?1 AND (state = 'imported' OR state = 'active' AND user_id = ?2)";
    let (state, user) = (spent.state().as_str(), &spent.user_id);
    db.send(sql, values![key.id, user, enrolment_id, spent.device_id, key.mac_algorithm, k_mac, state, key.url_s])
}

/// Takes the enrolment's only key out of it; a first password, where it waits for one, has as long again to be shown.
/// `None` if it is no longer open, its key no longer to be renewed, or the session answered already.
fn spend(
    db: &Connection,
    enrolment_id: &str,
    key_id: &str,
    session_id: &str,
    at: i64,
) -> Result<Option<Spent>, StoreError> {
    let sql = "UPDATE enrolment SET key_id = ?2, answer = ?4, failed_attempts = 0, \
         state = CASE activate WHEN 'on-otp' THEN 'provisioned' ELSE 'active' END, \
         expires_at = CASE activate WHEN 'on-otp' THEN ?3 + expires_at - created_at ELSE expires_at END \
         WHERE id = ?1 AND state = 'open' AND expires_at > ?3 AND (renews IS NULL OR EXISTS (SELECT 1 FROM key k \
         WHERE k.id = renews AND k.user_id = enrolment.user_id AND k.state IN ('active', 'provisioned'))) \
         AND (delivers IS NULL OR EXISTS (SELECT 1 FROM key k WHERE k.id = delivers AND k.id = ?2 \
         AND (k.state = 'imported' OR k.state = 'active' AND k.user_id = enrolment.user_id))) \
         AND NOT EXISTS (SELECT 1 FROM answer WHERE session_id = ?4) \
         RETURNING id, user_id, key_type, params, device_id, renews, activate, sinks";
    db.first(sql, values![enrolment_id, key_id, at, session_id], rows::spent)
}
