//! Answers that are given again to the same call with the same key (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! A call claims its key first. Every write that it then makes notes so in its own transaction ([`Claim::mark`]): what is
//! done under a key is done once, whatever breaks between the write and the answer, and whichever servers see the call.
//! Where the answer was lost that way, the key says so, and nothing is done again.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use dskpp_crypto::{Secret, Sha256};

use super::db::{Connection, values};
use super::{Store, StoreError, precondition, rows};
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::model::origin::Origin;

/// Seconds for which an answer is given again.
const KEPT_S: i64 = 24 * 3600;
/// Seconds after which a call that has neither written nor answered counts as dead.
const LEASE_S: i64 = 60;

/// What [`rows::kept_call`] reads.
pub(super) const IDEMPOTENT: &str = "id, request_hash, state, lease_until, status, sealed_answer, expires_at";

tokio::task_local! {
    static CURRENT: Claim;
}

/// A key that the call in hand has claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    id: Arc<str>,
    lease: Arc<str>,
}

/// What a claim found.
#[derive(Debug)]
pub(crate) enum Claimed {
    /// The key is new, or nothing was done under it.
    Begun(Claim),
    /// The call was answered before.
    Answered(KeptAnswer),
    /// The call is at work.
    InFlight,
    /// The call was carried out, and its answer was lost.
    Lost,
    /// The key was used for another request.
    Differs,
}

/// An answer that is given again.
#[derive(Debug)]
pub(crate) struct KeptAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Secret,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Begun,
    Committed,
    Answered,
}

impl Stage {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "begun" => Some(Stage::Begun),
            "committed" => Some(Stage::Committed),
            "answered" => Some(Stage::Answered),
            _ => None,
        }
    }
}

/// A row.
#[derive(Debug)]
pub(super) struct KeptCall {
    pub(super) request_hash: [u8; 32],
    pub(super) stage: Stage,
    pub(super) lease_until: i64,
    pub(super) answer: Option<KeptAnswer>,
}

impl Claim {
    /// Answers the call: whatever it writes is noted.
    pub(crate) async fn during<T>(self, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(self, answer).await
    }

    /// The claim of the call that the current task answers.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Notes, in the transaction of a write, that something was done.
    ///
    /// # Errors
    /// [`StoreError::State`] where another call has taken the key over, after the end of the lease.
    pub(super) fn mark(&self, db: &Connection) -> Result<(), StoreError> {
        let sql = "UPDATE idempotent SET state = 'committed' WHERE id = ? AND lease = ? AND state <> 'answered'";
        match db.execute(sql, values![&*self.id, &*self.lease])? {
            0 => Err(StoreError::State("another call with this Idempotency-Key has begun meanwhile")),
            _ => Ok(()),
        }
    }
}

impl Store {
    /// Claims the key of a caller for a request.
    pub(crate) async fn claim(&self, caller: &str, key: &str, request_hash: [u8; 32]) -> Result<Claimed, StoreError> {
        let kek = Arc::clone(&self.kek);
        let id = HEXLOWER.encode(&Sha256::digest(&[caller.as_bytes(), b"\0", key.as_bytes()]));
        let claim = Claim { id: id.into(), lease: new_id().into() };
        let write = move |db: &Connection| {
            let (at, id) = (now(), &*claim.id);
            let (lease_until, expires_at) = (at + LEASE_S, at + KEPT_S);
            let sql = "INSERT INTO idempotent (id, request_hash, state, lease, lease_until, expires_at) \
                 VALUES (?1, ?2, 'begun', ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE SET request_hash = ?2, \
                 state = 'begun', lease = ?3, lease_until = ?4, status = NULL, sealed_answer = NULL, expires_at = ?5 \
                 WHERE idempotent.expires_at <= ?6 OR idempotent.state = 'begun' AND idempotent.lease_until <= ?6";
            let lease = &*claim.lease;
            if db.execute(sql, values![id, request_hash, lease, lease_until, expires_at, at])? > 0 {
                return Ok(Claimed::Begun(claim.clone()));
            }
            let sql = format!("SELECT {IDEMPOTENT} FROM idempotent WHERE id = ?");
            let gone = || StoreError::Conflict("the claim of an Idempotency-Key went meanwhile".into());
            let call = db.first(&sql, values![id], |row| rows::kept_call(row, &kek))?.ok_or_else(gone)?;
            Ok(match call {
                call if call.request_hash != request_hash => Claimed::Differs,
                KeptCall { answer: Some(answer), .. } => Claimed::Answered(answer),
                call if call.lease_until > at || call.stage == Stage::Begun => Claimed::InFlight,
                _ => Claimed::Lost,
            })
        };
        self.engine.write(write).await
    }

    /// Keeps the answer of a call that has done something, to be given again.
    pub(crate) async fn keep_call(&self, claim: Claim, status: u16, body: Secret) -> Result<(), StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let sealed = kek.seal("idempotent", "sealed_answer", &claim.id, &body);
            let sql = "UPDATE idempotent SET state = 'answered', status = ?3, sealed_answer = ?4 \
                 WHERE id = ?1 AND lease = ?2 AND state <> 'answered'";
            db.execute(sql, values![&*claim.id, &*claim.lease, i64::from(status), sealed]).map(drop)
        };
        self.engine.write(write).await
    }

    /// Gives back the key of a call that has done nothing.
    pub(crate) async fn give_back(&self, claim: Claim) -> Result<(), StoreError> {
        let write = move |db: &Connection| {
            let sql = "DELETE FROM idempotent WHERE id = ? AND lease = ? AND state = 'begun'";
            db.execute(sql, values![&*claim.id, &*claim.lease]).map(drop)
        };
        self.engine.write(write).await
    }

    /// Forgets calls whose time is over, some at a time.
    pub(crate) async fn forget_old_calls(&self) -> Result<usize, StoreError> {
        const PIECE: usize = 1000;
        let forget = |db: &Connection| {
            let sql = "DELETE FROM idempotent WHERE expires_at <= ?1 AND expires_at <= coalesce((SELECT expires_at \
                 FROM idempotent WHERE expires_at <= ?1 ORDER BY expires_at LIMIT 1 OFFSET ?2), ?1)";
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

/// Work for the request that the current task answers: its condition is looked at first, the audit trail names its origin,
/// and its idempotency key is marked as used in the same transaction.
pub(super) fn for_request<T>(
    work: impl Fn(&Connection) -> Result<T, StoreError> + Send,
) -> impl Fn(&Connection) -> Result<T, StoreError> + Send {
    let (claim, origin, condition) = (Claim::current(), Origin::current(), precondition::current());
    move |db| {
        condition.as_ref().map_or(Ok(()), |condition| condition(db))?;
        let done = Origin::within(origin.clone(), || work(db))?;
        claim.as_ref().map_or(Ok(()), |claim| claim.mark(db))?;
        Ok(done)
    }
}
