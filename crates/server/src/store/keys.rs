//! Keys: listed, exported, taken out of use, and checked against one-time passwords.

use std::sync::Arc;

use dskpp_api::ValidationRequest;
use dskpp_crypto::Secret;
use serde_json::json;

use super::access::user_id;
use super::columns::{Page, if_asked_for, readable, secret};
use super::db::{Connection, Reply, values};
use super::enrolments::{By, Subject, find};
use super::guesses::Guesses;
use super::rows::{self, KEY};
use super::stand_in::row_or_first;
use super::tries::{self, FIRST_PASSWORD, Tries};
use super::{Store, StoreError, StorePolicy, audit, outbox, pending, stored};
use crate::model::clock::now;
use crate::model::{Cause, DeliveryOperation, EnrolmentState, KeyRecord, KeyState, KeyType};
use crate::policy::otp::{self, Moved};
use crate::store::seal::Kek;

pub(super) const FROM: &str =
    "FROM key k LEFT JOIN \"user\" u ON u.id = k.user_id LEFT JOIN device d ON d.id = k.device_id";

/// Keys of the user of the name `?2`.
pub(super) const BY_USER: &str = "k.user_id = (SELECT id FROM \"user\" WHERE name = ?2)";

/// What there is to say of a password that somebody has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is right, for the key of this id.
    Right(String),
    /// It was the last right one of such a key, and is good no more.
    Again,
    /// It is wrong.
    Wrong,
    /// It was not looked at: after some wrong ones, the next may be shown in so many seconds.
    TooSoon(u64),
}

/// A key that a run may renew.
#[derive(Debug)]
pub(crate) struct OldKey {
    /// All but its secrets.
    pub record: KeyRecord,
    /// K_MAC', or K_TOKEN where no run made a K_MAC (profile P6).
    pub k_mac_old: Secret,
    /// Whether a run made it: only then it may be used before the user has proved his code.
    pub is_of_run: bool,
}

pub(super) fn key_by_id(db: &Connection, id: &str) -> Result<Option<KeyRecord>, StoreError> {
    db.first(&format!("SELECT {KEY} {FROM} WHERE k.id = ?"), values![id], rows::key)
}

/// The key of an identifier as a renewal needs it. K_MAC' is that of a renewal whose key waits for its first password,
/// where there is one (RFC 6063 §10.5).
pub(super) fn old_key<'a>(db: &'a Connection, kek: &'a Kek, id: &str) -> Reply<'a, Option<OldKey>> {
    let at = row_or_first("key", "id = ?1");
    let sql = format!(
        "SELECT {KEY}, p.sealed_k_mac, k.sealed_k_mac, k.sealed_k_token, k.id = ?1 AS asked_for \
         {FROM} LEFT JOIN pending_key p ON p.id = k.id WHERE k.id = {at}"
    );
    db.send_query(&sql, values![id], if_asked_for(|row| rows::old_key(row, kek))).map(Option::flatten)
}

pub(super) fn url_of(db: &Connection, id: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT k.id, p.url_s, k.url_s FROM key k LEFT JOIN pending_key p ON p.id = k.id WHERE k.id = ?";
    db.first(sql, values![id], rows::url_of_key).map(Option::flatten)
}

pub(super) fn k_token_of(db: &Connection, kek: &Kek, id: &str) -> Result<Option<Secret>, StoreError> {
    secret(db, kek, ("key", "sealed_k_token"), "SELECT id, sealed_k_token FROM key WHERE id = ?", values![id])
}

impl Store {
    /// A key by its identifier.
    pub(crate) async fn key(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        let id = id.to_owned();
        self.engine.read(move |db| key_by_id(db, &id)).await
    }

    /// The URL_S by which the key's token knows the server: that of its last run, whether the key of that is in use or
    /// waits for its first password.
    pub(crate) async fn url_of_key(&self, id: &str) -> Result<Option<String>, StoreError> {
        let id = id.to_owned();
        self.engine.read(move |db| url_of(db, &id)).await
    }

    /// Up to `limit` keys after `after`, of one user or of all.
    pub(crate) async fn keys(
        &self,
        user: Option<String>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<KeyRecord>, StoreError> {
        let read = move |db: &Connection| {
            let sql = listing(user.is_some());
            let after = after.as_deref().unwrap_or_default();
            let rows = db.rows(&sql, values![after, user, limit as i64 + 1], rows::key)?;
            Page::of(rows, limit, |key| &key.id)
        };
        self.engine.read(read).await
    }

    /// K_TOKEN, for whoever may export it; audited in the same transaction.
    pub(crate) async fn export_key(&self, id: &str, by: String) -> Result<Secret, StoreError> {
        let (kek, id) = (Arc::clone(&self.kek), id.to_owned());
        let write = move |db: &Connection| {
            let secret = k_token_of(db, &kek, &id)?.ok_or(StoreError::NotFound("key"))?;
            audit::append(db, now(), "key.exported", &json!({ "key": id, "by": by }))?;
            Ok(secret)
        };
        self.engine.write(write).await
    }

    /// Gives a key in stock to a user, who is made if there is none, and to sinks.
    pub(crate) async fn assign_key(
        &self,
        id: &str,
        user: String,
        sinks: Vec<String>,
        by: String,
    ) -> Result<KeyRecord, StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            match key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))? {
                KeyRecord { user: Some(_), .. } => return Err(StoreError::State("the key has a user already")),
                KeyRecord { state: KeyState::Imported, .. } => {}
                _ => return Err(StoreError::State("the key is out of use")),
            }
            let at = now();
            let user_id = user_id(db, &user, at)?;
            let assign =
                "UPDATE key SET user_id = ?, state = 'active' WHERE id = ? AND user_id IS NULL AND state = 'imported'";
            if db.execute(assign, values![user_id, id])? == 0 {
                return Err(StoreError::Conflict("the key was assigned or revoked meanwhile".into()));
            }
            outbox::wait_all(outbox::send_new(db, &id, &sinks, at)?)?;
            audit::append(db, at, "key.assigned", &json!({ "key": id, "user": user, "by": by }))?;
            key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))
        };
        self.engine.write(write).await
    }

    /// Takes a key out of use for good.
    pub(crate) async fn revoke_key(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| match revoke(db, &id, None, now())? {
            true => Ok(()),
            false => Err(StoreError::NotFound("key")),
        };
        self.engine.write(write).await
    }

    /// Catches up with a key's token by consecutive passwords, if they are found. Audited in the same transaction.
    pub(crate) async fn resynchronise(&self, id: &str, otps: Vec<String>, by: String) -> Result<Verdict, StoreError> {
        let (kek, id) = (Arc::clone(&self.kek), id.to_owned());
        let write = move |db: &Connection| {
            let key = key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))?;
            if key.state != KeyState::Active {
                return Err(StoreError::State("the key is not in use"));
            }
            if !matches!(key.key_type, KeyType::Hotp | KeyType::Totp) {
                return Err(StoreError::State("only HOTP and TOTP keys can be resynchronised"));
            }
            let (at, guesses) = (now(), Guesses::of_key(db, &id)?);
            if let Some(wait_s) = guesses.wait_s(at) {
                return Ok(Verdict::TooSoon(wait_s));
            }
            let k_token = k_token_of(db, &kek, &id)?.ok_or(StoreError::NotFound("key"))?;
            let otps: Vec<_> = otps.iter().map(String::as_str).collect();
            let found = otp::resynchronise(&key, &k_token, &otps, at);
            if !found.map_or(Ok(false), |moved| accept(db, &key, moved))? {
                guesses.wrong(db, at)?;
                return Ok(Verdict::Wrong);
            }
            guesses.right(db)?;
            audit::append(db, at, "key.resynchronised", &json!({ "key": id, "by": by }))?;
            Ok(Verdict::Right(id.clone()))
        };
        self.engine.write(write).await
    }

    /// Whether `otp` is right for the key of `key_id`, or for one of `user`'s; its counter or step moves in the same
    /// transaction, so that no password is good twice. A key that waits for its first password becomes active with it,
    /// if the client ID of its enrolment is shown as well (RFC 6063 §10.5); after some wrong ones it has to wait.
    pub(crate) async fn verdict(&self, attempt: ValidationRequest) -> Result<Verdict, StoreError> {
        let (kek, policy) = (Arc::clone(&self.kek), self.policy);
        let write = move |db: &Connection| {
            let ValidationRequest { user, key_id, otp, challenge, client_id, .. } = &attempt;
            let (otp, at) = (otp.expose(), now());
            let guesses = Guesses::of(db, &attempt)?;
            if let Some(wait_s) = guesses.wait_s(at) {
                return Ok(Verdict::TooSoon(wait_s));
            }
            let right = |key: &KeyRecord, k_token: &Secret| {
                otp::check(key, k_token, otp, challenge.as_deref(), at, policy.windows)
            };
            let waiting = match client_id {
                Some(client_id) => waiting(db, &kek, By::ClientId, client_id, &policy, at)?,
                None => None,
            };
            let waiting = waiting.filter(|(key, _)| {
                let is_users = user.as_ref().is_none_or(|user| key.user.as_ref() == Some(user));
                is_users && key_id.as_ref().is_none_or(|id| key.id == *id)
            });
            if let Some((key, k_token)) = &waiting
                && let Some(moved) = right(key, k_token)
            {
                guesses.right(db)?;
                let first = activate(db, &kek, key, k_token, at)? && accept(db, key, moved)?;
                return Ok(if first { Verdict::Right(key.id.clone()) } else { Verdict::Again });
            }
            let mut is_again = false;
            for key in candidates(db, user.as_deref(), key_id.as_deref())? {
                let k_token = k_token_of(db, &kek, &key.id);
                let k_token = if key_id.is_some() { k_token? } else { readable(k_token)? };
                let Some(k_token) = k_token else { continue };
                if let Some(moved) = right(&key, &k_token) {
                    guesses.right(db)?;
                    return Ok(if accept(db, &key, moved)? { Verdict::Right(key.id) } else { Verdict::Again });
                }
                is_again |= otp::was_right(&key, &k_token, otp);
            }
            if let Some((KeyRecord { enrolment_id: Some(enrolment), .. }, _)) = &waiting {
                tries::count(db, enrolment, &wrong_password(), &policy, at)?;
            }
            if is_again {
                return Ok(Verdict::Again); // a double submission of a correct password, not a guess
            }
            guesses.wrong(db, at)?;
            Ok(Verdict::Wrong)
        };
        self.engine.write(write).await
    }
}

/// Takes a key out of use for good; `false` where there is none of that identifier.
pub(super) fn revoke(db: &Connection, id: &str, by: Option<&str>, at: i64) -> Result<bool, StoreError> {
    if db.execute("UPDATE key SET state = 'revoked' WHERE id = ?", values![id])? == 0 {
        return Ok(false);
    }
    pending::forget(db, id)?;
    outbox::requeue(db, id, DeliveryOperation::Delete, at)?;
    let mut subject = json!({ "key": id });
    if let Some(by) = by {
        subject["by"] = json!(by);
    }
    audit::append(db, at, "key.revoked", &subject)?;
    Ok(true)
}

/// Keys of one user that are tried with a password at most.
const MOST_TRIED: usize = 100;

// A query of its own for each case, so that each has an index: imports make the table long.

/// Lists the keys after `?1`, of the user of the name `?2` or of all: at most `?3`.
pub(super) fn listing(of_user: bool) -> String {
    let of_user = if of_user { BY_USER } else { "?2 IS NULL" };
    format!("SELECT {KEY} {FROM} WHERE k.id > ?1 AND {of_user} ORDER BY k.id LIMIT ?3")
}

/// Finds the keys in use of the identifier `?1`, of the user of the name `?2`, or of both.
pub(super) fn in_use(of_id: bool, of_user: bool) -> String {
    let of_id = if of_id { "k.id = ?1" } else { "?1 IS NULL" };
    let of_user = if of_user { BY_USER } else { "?2 IS NULL" };
    format!(
        "SELECT {KEY} {FROM} WHERE {of_id} AND {of_user} AND k.state = 'active' \
         ORDER BY k.created_at DESC LIMIT {}",
        MOST_TRIED + 1
    )
}

fn candidates(db: &Connection, user: Option<&str>, key_id: Option<&str>) -> Result<Vec<KeyRecord>, StoreError> {
    if user.is_none() && key_id.is_none() {
        return Ok(Vec::new());
    }
    let sql = in_use(key_id.is_some(), user.is_some());
    let rows = db.rows(&sql, values![key_id, user], rows::key)?.into_iter().map(|row| row.map(Some));
    // Of a user's keys, one that cannot be read does not matter to the others.
    let rows = rows.map(|row| if key_id.is_some() { row } else { readable(row) });
    let found = rows.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    match found.len() > MOST_TRIED {
        true => Err(StoreError::State("the user has more than 100 keys in use: name one of them by key_id")),
        false => Ok(found),
    }
}

/// The key that an enrolment has made and that waits for its first password, and its K_TOKEN.
pub(super) fn waiting(
    db: &Connection,
    kek: &Kek,
    by: By,
    value: &str,
    policy: &StorePolicy,
    at: i64,
) -> Result<Option<(KeyRecord, Secret)>, StoreError> {
    let Some(enrolment) = find(db, kek, by, value, at).wait()? else { return Ok(None) };
    let (EnrolmentState::Provisioned, Some(id)) = (enrolment.state, &enrolment.key_id) else { return Ok(None) };
    let subject = Subject { by: By::Id, value: &enrolment.id, found: Some(Some(&enrolment)) };
    if enrolment.expires_at <= at || tries::is_locked(db, subject, FIRST_PASSWORD, policy, at).wait()? {
        return Ok(None);
    }
    if enrolment.renews.is_some() {
        return pending::waiting(db, kek, &enrolment);
    }
    let key = key_by_id(db, id)?.filter(|key| key.state == KeyState::Provisioned);
    Ok(match (key, k_token_of(db, kek, id)?) {
        (Some(key), Some(k_token)) => Some((key, k_token)),
        _ => None,
    })
}

pub(super) fn wrong_password() -> Tries {
    Tries { refused: 1, cause: Cause::WrongPassword, wrong: vec![(FIRST_PASSWORD.to_owned(), 1)] }
}

/// Puts a key that waited in use; `false` if it does not wait any more, as another server was faster.
pub(super) fn activate(
    db: &Connection,
    kek: &Kek,
    key: &KeyRecord,
    k_token: &Secret,
    at: i64,
) -> Result<bool, StoreError> {
    let waits = "UPDATE enrolment SET state = 'active' WHERE id = ? AND state = 'provisioned'";
    if db.execute(waits, values![key.enrolment_id])? == 0 {
        return Ok(false);
    }
    pending::take_over(db, kek, key, k_token, at)?;
    db.execute("UPDATE key SET state = 'active' WHERE id = ?", values![key.id])?;
    outbox::put(db, key, at)?;
    audit::append(db, at, "key.activated", &json!({ "key": key.id }))?;
    Ok(true)
}

/// Moves a key past a password, if it still stands where that was found right: no password counts twice, whichever
/// servers see it. `false` if another one was faster.
pub(super) fn accept(db: &Connection, key: &KeyRecord, moved: Moved) -> Result<bool, StoreError> {
    const FREE: &str = "uses_left = uses_left - 1 WHERE id = ?1 AND (uses_left IS NULL OR uses_left > 0)";
    let changed = match moved {
        Moved::Counter(next) => {
            let sql = format!("UPDATE key SET counter = ?2, {FREE} AND counter = ?3");
            db.execute(&sql, values![key.id, stored(next)?, stored(key.counter)?])?
        }
        Moved::Step { step, drift } => {
            let sql =
                format!("UPDATE key SET last_step = ?2, drift = ?3, {FREE} AND last_step IS NOT DISTINCT FROM ?4");
            let last = key.last_step.map(stored).transpose()?;
            db.execute(&sql, values![key.id, stored(step)?, drift, last])?
        }
        Moved::Nothing if key.uses_left.is_none() => 1,
        Moved::Nothing => db.execute(&format!("UPDATE key SET {FREE}"), values![key.id])?,
    };
    Ok(changed > 0)
}
