//! Users, the devices of runs, and the tokens of the admin API.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use dskpp::server::DeviceRef;
use dskpp_crypto::{Random as _, Secret, Sha256, SystemRandom};
use serde_json::json;

use super::columns::{if_asked_for, value};
use super::db::{Connection, Reply, Value, values};
use super::stand_in::row_or_first;
use super::{Store, StoreError, audit, rows};
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::model::{ApiToken, DeviceRecord, Role, UserEntry, UserRecord};
use crate::policy::permissions::FIRST_ROLES;
use crate::store::seal::Kek;

/// The user's identifier.
pub(super) fn user_by_name(db: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    value(db, "user", "SELECT name, id FROM \"user\" WHERE name = ?", values![name])
}

/// The same, making the user if there is none.
pub(super) fn user_id(db: &Connection, name: &str, at: i64) -> Result<String, StoreError> {
    if let Some(id) = user_by_name(db, name)? {
        return Ok(id);
    }
    match create_user(db, new_id(), name, at) {
        // Another server was faster.
        Err(StoreError::Exists(_)) => user_by_name(db, name)?.ok_or(StoreError::NotFound("user")),
        created => created,
    }
}

/// Makes a user; gives the identifier. Whoever needs one comes here: each has one entry in the audit trail.
pub(super) fn create_user(db: &Connection, id: String, name: &str, at: i64) -> Result<String, StoreError> {
    let sql = "INSERT INTO \"user\" (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING";
    if db.execute(sql, values![id, name, at])? == 0 {
        return Err(StoreError::Exists("a user of that name"));
    }
    audit::append(db, at, "user.created", &json!({ "user": name }))?;
    Ok(id)
}

/// A user by its identifier.
pub(super) fn user_by_id(db: &Connection, id: &str) -> Result<Option<UserEntry>, StoreError> {
    db.first("SELECT name, id, created_at FROM \"user\" WHERE id = ?", values![id], rows::user_entry)
}

pub(super) fn device_by_identity<'a>(
    db: &'a Connection,
    kek: &'a Kek,
    of: &DeviceRef,
) -> Reply<'a, Option<DeviceRecord>> {
    find_device(db, kek, "manufacturer = ?1 AND serial = ?2", values![of.manufacturer, of.serial])
}

pub(super) fn device_by_key_name<'a>(db: &'a Connection, kek: &'a Kek, name: &str) -> Reply<'a, Option<DeviceRecord>> {
    find_device(db, kek, "key_name = ?1", values![name])
}

fn find_device<'a>(
    db: &'a Connection,
    kek: &'a Kek,
    condition: &str,
    values: &[Value<'_>],
) -> Reply<'a, Option<DeviceRecord>> {
    let at = row_or_first("device", condition);
    let sql = format!("SELECT {}, {condition} AS asked_for FROM device WHERE id = {at}", rows::DEVICE);
    db.send_query(&sql, values, if_asked_for(|row| rows::device(row, kek))).map(Option::flatten)
}

impl Store {
    /// Makes a user.
    pub(crate) async fn create_user(&self, name: String) -> Result<UserRecord, StoreError> {
        let write =
            move |db: &Connection| Ok(UserRecord { id: create_user(db, new_id(), &name, now())?, name: name.clone() });
        self.engine.write(write).await
    }

    /// A user by its identifier.
    pub(crate) async fn user(&self, id: &str) -> Result<Option<UserEntry>, StoreError> {
        let id = id.to_owned();
        self.engine.read(move |db| user_by_id(db, &id)).await
    }

    /// Deletes a user who has no keys, with the enrolments of which none came.
    pub(crate) async fn delete_user(&self, id: &str, by: &str) -> Result<(), StoreError> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.engine.write(move |db| delete_user(db, &id, &by, now())).await
    }

    /// Whether there is any token.
    pub(crate) async fn has_tokens(&self) -> Result<bool, StoreError> {
        self.engine.read(|db| db.exists("SELECT 1 FROM api_token LIMIT 1", &[])).await
    }

    /// Makes the first token, which may do everything, of a value from [`new_token`]; `false` where there are tokens, or another
    /// server makes the first one.
    pub(crate) async fn create_first_token(&self, value: String) -> Result<bool, StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            // A row that is there once: whoever puts it makes the token.
            const CLAIM: &str = "first_token";
            let sealed = kek.seal("setting", "sealed_value", CLAIM, &Secret::from_slice(b"made"));
            let claimed = db.execute(
                "INSERT INTO setting (name, sealed_value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                values![CLAIM, sealed],
            )?;
            if claimed == 0 || db.exists("SELECT 1 FROM api_token LIMIT 1", &[])? {
                return Ok(false);
            }
            create_token(db, "first", &FIRST_ROLES, &value).map(|_| true)
        };
        self.engine.write(write).await
    }

    /// Makes a token; its value is given only now.
    pub(crate) async fn create_token(&self, name: String, roles: Vec<Role>) -> Result<(String, String), StoreError> {
        let value = new_token();
        self.engine.write(move |db| Ok((create_token(db, &name, &roles, &value)?, value.clone()))).await
    }

    /// The token of that value. Only its hash is stored, so the look-up tells nothing about other tokens.
    pub(crate) async fn token(&self, value: &str) -> Result<Option<ApiToken>, StoreError> {
        let hash = Sha256::digest(&[value.as_bytes()]);
        let read = move |db: &Connection| {
            db.first("SELECT id, roles FROM api_token WHERE hash = ?", values![hash], rows::token)
        };
        self.engine.read(read).await
    }

    /// Takes a token back.
    pub(crate) async fn delete_token(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            if db.execute("DELETE FROM api_token WHERE id = ?", values![id])? == 0 {
                return Err(StoreError::NotFound("token"));
            }
            audit::append(db, now(), "token.deleted", &json!({ "token": id }))
        };
        self.engine.write(write).await
    }
}

fn delete_user(db: &Connection, id: &str, by: &str, at: i64) -> Result<(), StoreError> {
    let user = user_by_id(db, id)?.ok_or(StoreError::NotFound("user"))?;
    if db.exists("SELECT 1 FROM key WHERE user_id = ?", values![id])? {
        return Err(StoreError::State("the user has keys, which stay for the record: revoke them instead"));
    }
    let used = "SELECT 1 FROM enrolment WHERE user_id = ? AND key_id IS NOT NULL";
    if db.exists(used, values![id])? {
        return Err(StoreError::State("keys of others came of the user's enrolments, which stay for the record"));
    }
    let open = "SELECT 1 FROM enrolment WHERE user_id = ? AND state = 'open' AND expires_at > ?";
    if db.exists(open, values![id, at])? {
        return Err(StoreError::State("the user has open enrolments: revoke them first"));
    }
    for table in ["refusal", "wrong_try"] {
        let of_user = "enrolment_id IN (SELECT id FROM enrolment WHERE user_id = ?)";
        db.execute(&format!("DELETE FROM {table} WHERE {of_user}"), values![id])?;
    }
    db.execute("DELETE FROM enrolment WHERE user_id = ?", values![id])?;
    db.execute("DELETE FROM \"user\" WHERE id = ?", values![id])?;
    audit::append(db, at, "user.deleted", &json!({ "user": user.name, "by": by }))
}

/// The value of a new token.
pub(crate) fn new_token() -> String {
    BASE64URL_NOPAD.encode(SystemRandom.secret(32).expose())
}

/// Gives the token's id.
fn create_token(db: &Connection, name: &str, roles: &[Role], value: &str) -> Result<String, StoreError> {
    let (id, at) = (new_id(), now());
    let hash = Sha256::digest(&[value.as_bytes()]);
    let sql = "INSERT INTO api_token (id, name, hash, roles, created_at) VALUES (?, ?, ?, ?, ?)";
    db.execute(sql, values![id, name, hash, json!(roles).to_string(), at])?;
    audit::append(db, at, "token.created", &json!({ "token": id, "name": name, "roles": roles }))?;
    Ok(id)
}
