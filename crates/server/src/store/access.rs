//! Users, the devices of runs, and the tokens of the admin API.

use data_encoding::BASE64URL_NOPAD;
use dskpp::server::DeviceRef;
use dskpp_crypto::{Random as _, Sha256, SystemRandom};
use rusqlite::{Connection, params};
use serde_json::json;

use super::columns::{first, if_asked_for, value};
use super::stand_in::row_or_first;
use super::{Store, StoreError, audit, rows};
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::model::{ApiToken, DeviceRecord, Role, UserRecord};
use crate::store::seal::Kek;

/// The user's identifier.
pub(super) fn user_by_name(db: &Connection, name: &str) -> Result<Option<String>, StoreError> {
    value(db, "user", "SELECT name, id FROM user WHERE name = ?", [name])
}

/// The same, making the user if there is none.
pub(super) fn user_id(db: &Connection, name: &str, at: i64) -> Result<String, StoreError> {
    match user_by_name(db, name)? {
        Some(id) => Ok(id),
        None => create_user(db, new_id(), name, at),
    }
}

/// Makes a user; gives the identifier. Whoever needs one comes here: each has one entry in the audit trail.
pub(super) fn create_user(db: &Connection, id: String, name: &str, at: i64) -> Result<String, StoreError> {
    let mut insert = db.prepare_cached("INSERT INTO user VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING")?;
    if insert.execute(params![id, name, at])? == 0 {
        return Err(StoreError::Exists("a user of that name"));
    }
    audit::append(db, at, "user.created", &json!({ "user": name }))?;
    Ok(id)
}

pub(super) fn device_by_identity(
    db: &Connection,
    kek: &Kek,
    of: &DeviceRef,
) -> Result<Option<DeviceRecord>, StoreError> {
    find_device(db, kek, "manufacturer = ?1 AND serial = ?2", params![of.manufacturer, of.serial])
}

pub(super) fn device_by_key_name(db: &Connection, kek: &Kek, name: &str) -> Result<Option<DeviceRecord>, StoreError> {
    find_device(db, kek, "key_name = ?1", params![name])
}

fn find_device(
    db: &Connection,
    kek: &Kek,
    condition: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<Option<DeviceRecord>, StoreError> {
    let at = row_or_first("device", condition);
    let sql = format!("SELECT {}, {condition} AS asked_for FROM device WHERE rowid = {at}", rows::DEVICE);
    first(db, &sql, values, if_asked_for(|row| rows::device(row, kek))).map(Option::flatten)
}

impl Store {
    /// Makes a user.
    pub(crate) async fn create_user(&self, name: String) -> Result<UserRecord, StoreError> {
        let write =
            move |db: &Connection| Ok(UserRecord { id: create_user(db, new_id(), &name, now())?, name: name.clone() });
        self.engine.write(write).await
    }

    /// Whether there is any token.
    pub(crate) async fn has_tokens(&self) -> Result<bool, StoreError> {
        let read = |db: &Connection| Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM api_token)", [], |row| row.get(0))?);
        self.engine.read(read).await
    }

    /// Makes the first token, with every role, of a value from [`new_token`].
    pub(crate) async fn create_first_token(&self, value: String) -> Result<(), StoreError> {
        self.engine.write(move |db| create_token(db, "first", &Role::ALL, &value).map(drop)).await
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
            first(db, "SELECT id, roles FROM api_token WHERE hash = ?", [&hash[..]], rows::token)
        };
        self.engine.read(read).await
    }

    /// Takes a token back.
    pub(crate) async fn delete_token(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            if db.execute("DELETE FROM api_token WHERE id = ?", [&id])? == 0 {
                return Err(StoreError::NotFound("token"));
            }
            audit::append(db, now(), "token.deleted", &json!({ "token": id }))
        };
        self.engine.write(write).await
    }
}

/// The value of a new token.
pub(crate) fn new_token() -> String {
    BASE64URL_NOPAD.encode(SystemRandom.secret(32).expose())
}

/// Gives the token's id.
fn create_token(db: &Connection, name: &str, roles: &[Role], value: &str) -> Result<String, StoreError> {
    let (id, at) = (new_id(), now());
    let hash = Sha256::digest(&[value.as_bytes()]);
    let mut insert = db.prepare_cached("INSERT INTO api_token VALUES (?, ?, ?, ?, ?)")?;
    insert.execute(params![id, name, &hash[..], json!(roles).to_string(), at])?;
    audit::append(db, at, "token.created", &json!({ "token": id, "name": name, "roles": roles }))?;
    Ok(id)
}
