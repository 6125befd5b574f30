//! What a renewal has made of a key whose owner has still to show a first password of the new one (RFC 6063 §10.5).
//! Until then the old one stays as it is.

use dskpp_crypto::Secret;
use serde_json::json;

use super::columns::{secret, value};
use super::commit::NewKey;
use super::db::{Connection, Reply, values};
use super::keys::key_by_id;
use super::{StoreError, audit, stored};
use crate::model::{EnrolmentRecord, KeyRecord, KeyState};
use crate::store::seal::Kek;

const TABLE: &str = "pending_key";

/// Keeps what an enrolment has made of a key. What an earlier one made, and nobody has used, goes.
pub(super) fn put<'a>(
    db: &'a Connection,
    kek: &Kek,
    enrolment: &str,
    key: &NewKey,
    k_token: &Secret,
    at: i64,
) -> Result<Reply<'a, usize>, StoreError> {
    let sql = "INSERT INTO pending_key (id, enrolment_id, mac_algorithm, sealed_k_token, sealed_k_mac, created_at, \
         url_s) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET \
         enrolment_id = excluded.enrolment_id, mac_algorithm = excluded.mac_algorithm, \
         sealed_k_token = excluded.sealed_k_token, sealed_k_mac = excluded.sealed_k_mac, \
         created_at = excluded.created_at, url_s = excluded.url_s";
    let k_token = kek.seal(TABLE, "sealed_k_token", &key.id, k_token);
    let k_mac = kek.seal(TABLE, "sealed_k_mac", &key.id, &key.k_mac);
    db.send(sql, values![key.id, enrolment, key.mac_algorithm, k_token, k_mac, at, key.url_s])
}

/// Forgets it: another renewal has been completed, or the key is out of use.
pub(super) fn forget(db: &Connection, key_id: &str) -> Result<(), StoreError> {
    db.execute("DELETE FROM pending_key WHERE id = ?", values![key_id])?;
    Ok(())
}

/// What an enrolment has made, and nobody has used, goes: a renewed key stays as it was, a new one is out of use.
pub(super) fn give_up(db: &Connection, enrolment: &str, at: i64) -> Result<(), StoreError> {
    let made =
        value::<Option<String>>(db, "enrolment", "SELECT id, key_id FROM enrolment WHERE id = ?", values![enrolment])?;
    let Some(key_id) = made.flatten() else { return Ok(()) };
    db.execute("DELETE FROM pending_key WHERE id = ? AND enrolment_id = ?", values![key_id, enrolment])?;
    let revoke = "UPDATE key SET state = 'revoked' WHERE id = ? AND enrolment_id = ? AND state = 'provisioned'";
    if db.execute(revoke, values![key_id, enrolment])? > 0 {
        audit::append(db, at, "key.revoked", &json!({ "key": key_id }))?;
    }
    Ok(())
}

/// K_MAC of what waits: the client has it already, and only it.
pub(super) fn k_mac(db: &Connection, kek: &Kek, key_id: &str) -> Result<Option<Secret>, StoreError> {
    secret(db, kek, (TABLE, "sealed_k_mac"), "SELECT id, sealed_k_mac FROM pending_key WHERE id = ?", values![key_id])
}

/// The key that `enrolment` renewed, as it will be, and its K_TOKEN.
pub(super) fn waiting(
    db: &Connection,
    kek: &Kek,
    enrolment: &EnrolmentRecord,
) -> Result<Option<(KeyRecord, Secret)>, StoreError> {
    let Some(key_id) = &enrolment.key_id else { return Ok(None) };
    let sql = "SELECT id, sealed_k_token FROM pending_key WHERE id = ? AND enrolment_id = ?";
    let k_token = secret(db, kek, (TABLE, "sealed_k_token"), sql, values![key_id, enrolment.id])?;
    let (Some(k_token), Some(old)) = (k_token, key_by_id(db, key_id)?) else { return Ok(None) };
    if !matches!(old.state, KeyState::Active | KeyState::Provisioned) {
        return Ok(None);
    }
    let params = enrolment.params.clone();
    let new = KeyRecord {
        counter: params.counter.unwrap_or(0),
        params,
        state: KeyState::Provisioned,
        enrolment_id: Some(enrolment.id.clone()),
        last_step: None,
        drift: 0,
        start_at: None,
        expires_at: None,
        uses_left: None,
        ..old
    };
    Ok(Some((new, k_token)))
}

/// Puts what waited, if it came of the new key's enrolment, in the old key's place.
pub(super) fn take_over(
    db: &Connection,
    kek: &Kek,
    new: &KeyRecord,
    k_token: &Secret,
    at: i64,
) -> Result<(), StoreError> {
    let sql = "SELECT 1 FROM pending_key WHERE id = ? AND enrolment_id = ?";
    let waits = db.exists(sql, values![new.id, new.enrolment_id])?;
    let Some(k_mac) = k_mac(db, kek, &new.id)?.filter(|_| waits) else { return Ok(()) };
    let sql = "UPDATE key SET enrolment_id = ?2, params = ?3, sealed_k_token = ?4, sealed_k_mac = ?5, counter = ?6, \
         (mac_algorithm, url_s) = (SELECT mac_algorithm, url_s FROM pending_key WHERE id = ?1), \
         last_step = NULL, drift = 0, \
         sealed_package = NULL, manufacturer = NULL, serial = NULL, start_at = NULL, expires_at = ?7, \
         uses_left = NULL WHERE id = ?1";
    db.execute(
        sql,
        values![
            new.id,
            new.enrolment_id,
            json!(new.params).to_string(),
            kek.seal("key", "sealed_k_token", &new.id, k_token),
            kek.seal("key", "sealed_k_mac", &new.id, &k_mac),
            stored(new.counter)?,
            new.params.expires_at(at)
        ],
    )?;
    forget(db, &new.id)?;
    audit::append(db, at, "key.renewed", &json!({ "key": new.id, "enrolment": new.enrolment_id }))
}
