//! A renewal that the owner of a key asks for by its client. A MAC under K_MAC and a one-time password, which is used up,
//! prove that the client has the key; nobody can send the request again.

use std::sync::Arc;

use dskpp_api::RenewalRequest;
use serde_json::json;

use super::activation::{MAC_LEN, proved};
use super::columns::Columns;
use super::db::{Connection, values};
use super::enrolments::{Author, Created, NewEnrolment, OWNERS, create};
use super::guesses::Guesses;
use super::keys::{accept, k_token_of};
use super::{Store, StoreError, audit};
use crate::model::clock::now;
use crate::model::{Activation, KeyRecord, KeyState, KeyType, Params};
use crate::policy::otp;
use crate::store::seal::Kek;

/// What the MAC says before the password.
const LABEL: &[u8] = b"Renewal request";

impl Store {
    /// A new enrolment that renews the key, open for so many seconds. It takes the place of an earlier one that the owner
    /// has asked for; one that an administrator has made stays. `None` is every refusal.
    ///
    /// A wrong MAC changes nothing, and takes the same time whether there is such a key or not. A wrong password under a
    /// right MAC counts as one in a validation does; the password that was accepted last is refused, and counts not.
    pub(crate) async fn renew_by_owner(
        &self,
        request: RenewalRequest,
        mac: [u8; MAC_LEN],
        expires_in_s: u64,
    ) -> Result<Option<Created>, StoreError> {
        let (kek, policy, request) = (Arc::clone(&self.kek), self.policy, Arc::new(request));
        let shown = Arc::clone(&request);
        // Strangers cause no write.
        if self.engine.read(move |db| renewable(db, &kek, &shown, &mac)).await?.is_none() {
            return Ok(None);
        }
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let Some((key, new)) = renewable(db, &kek, &request, &mac)? else { return Ok(None) };
            let (at, guesses) = (now(), Guesses::of_key(db, &key.id)?);
            let Some(k_token) = k_token_of(db, &kek, &key.id)?.filter(|_| guesses.wait_s(at).is_none()) else {
                return Ok(None);
            };
            let otp = request.otp.expose();
            match otp::check(&key, &k_token, otp, None, at, policy.windows) {
                Some(moved) => {
                    guesses.right(db)?;
                    if !accept(db, &key, moved)? {
                        return Ok(None); // another request has used it up
                    }
                    revoke_earlier(db, &key, at)?;
                    create(db, &kek, &NewEnrolment { expires_in_s, ..new }, Author::Owner, at).map(Some)
                }
                None if otp::was_right(&key, &k_token, otp) => Ok(None),
                None => guesses.wrong(db, at).map(|()| None),
            }
        };
        self.engine.write(write).await
    }
}

/// The key of a request, and the enrolment that renews it; `None` if its client has not made the MAC, and for a key that
/// has no passwords or nobody may renew now.
fn renewable(
    db: &Connection,
    kek: &Kek,
    request: &RenewalRequest,
    mac: &[u8; MAC_LEN],
) -> Result<Option<(KeyRecord, NewEnrolment)>, StoreError> {
    let Some(key) = proved(db, kek, &request.key_id, (LABEL, &request.otp), mac)? else { return Ok(None) };
    // What waits for its first password is shown to `POST /activate`.
    let waits = db.exists("SELECT 1 FROM pending_key WHERE id = ?", values![key.id])?;
    let makes_passwords = matches!(key.key_type, KeyType::Hotp | KeyType::Totp);
    let Some(user) = key.user.clone().filter(|_| makes_passwords && key.state == KeyState::Active && !waits) else {
        return Ok(None);
    };
    let new = renewal_of(&key, user);
    Ok(Some((key, new)))
}

/// As an administrator would make it for the same user, type, parameters and device.
fn renewal_of(key: &KeyRecord, user: String) -> NewEnrolment {
    let Params { digits, period_s, hash, terms, .. } = key.params.clone();
    let counter = (key.key_type == KeyType::Hotp).then_some(0);
    NewEnrolment {
        user,
        key_type: key.key_type,
        params: Params { digits, period_s, hash, counter, terms, ..Params::default() },
        variant: None,
        methods: Vec::new(),
        device: key.device.clone(),
        renews: Some(key.id.clone()),
        delivers: None,
        key_location: None,
        algorithm_location: None,
        expires_in_s: 0,
        activate: Activation::AtOnce,
        sinks: Vec::new(), // those that have the key get its new secret anyway
    }
}

/// At most one renewal that the owner has asked for is open.
fn revoke_earlier(db: &Connection, key: &KeyRecord, at: i64) -> Result<(), StoreError> {
    let sql = "UPDATE enrolment SET state = 'revoked' WHERE user_id = (SELECT id FROM \"user\" WHERE name = ?1) \
         AND id > ?2 AND id < ?3 AND renews = ?4 AND state = 'open' RETURNING id";
    let after = format!("{OWNERS}~"); // no id has a tilde
    let ids =
        db.rows(sql, values![key.user, OWNERS, after, key.id], |row| Columns::of("enrolment", row).get::<String>(0))?;
    for id in ids {
        audit::append(db, at, "enrolment.revoked", &json!({ "enrolment": id?, "by_user": key.user }))?;
    }
    Ok(())
}
