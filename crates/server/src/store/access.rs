//! Users, the devices of runs, and the tokens of the admin API.

use data_encoding::BASE64URL_NOPAD;
use dskpp::server::DeviceRef;
use dskpp_crypto::{Random as _, Secret, Sha256, SystemRandom};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::json;

use super::records::Role;
use super::row::Columns;
use super::stand_in::{asked_for, row_or_first};
use super::{Store, StoreError, new_id, now};
use crate::audit;
use crate::seal::Kek;

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct UserRecord {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRecord {
    /// Manufacturer and serial number.
    pub identity: DeviceRef,
    /// What `<ds:KeyName>` says.
    pub key_name: String,
    /// K_SHARED.
    pub shared_key: Option<Secret>,
    /// Its certificate, DER.
    pub certificate: Option<Vec<u8>>,
}

/// A token of the admin API, without its value.
#[derive(Clone, Debug)]
pub(crate) struct ApiToken {
    /// Its identifier.
    pub id: String,
    /// What it may do.
    pub roles: Vec<Role>,
}

/// The user's identifier, making the user if there is none.
pub(super) fn user_id(db: &Connection, name: &str, at: i64) -> Result<String, StoreError> {
    let mut query = db.prepare_cached("SELECT id FROM user WHERE name = ?")?;
    if let Some(id) = query.query_row([name], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    create_user(db, name, at)
}

fn create_user(db: &Connection, name: &str, at: i64) -> Result<String, StoreError> {
    let id = new_id();
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
    const COLUMNS: &str = "id, manufacturer, serial, key_name, sealed_shared_key, certificate";
    let at = row_or_first("device", condition);
    let sql = format!("SELECT {COLUMNS}, {condition} AS asked_for FROM device WHERE rowid = {at}");
    let mut query = db.prepare_cached(&sql)?;
    let read = |row: &Row<'_>| {
        let row = Columns::of("device", row);
        let (id, sealed): (String, Option<Vec<u8>>) = (row.get(0)?, row.get(4)?);
        let shared_key = match sealed {
            Some(sealed) => Some(kek.open("device", "sealed_shared_key", &id, &sealed)?),
            None => {
                kek.open_nothing();
                None
            }
        };
        Ok(DeviceRecord {
            identity: DeviceRef { manufacturer: row.get(1)?, serial: row.get(2)? },
            key_name: row.get(3)?,
            shared_key,
            certificate: row.get(5)?,
        })
    };
    let mut found = query.query_and_then(values, |row| asked_for(row, read(row)))?;
    found.next().transpose().map(Option::flatten)
}

impl Store {
    /// Makes a user.
    pub(crate) async fn create_user(&self, name: String) -> Result<UserRecord, StoreError> {
        let write = move |db: &Connection| Ok(UserRecord { id: create_user(db, &name, now())?, name: name.clone() });
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
            let mut query = db.prepare_cached("SELECT id, roles FROM api_token WHERE hash = ?")?;
            let mut rows = query.query_and_then([&hash[..]], |row| {
                let row = Columns::of("api_token", row);
                let roles = row.parse(1, |roles| serde_json::from_str(roles).ok())?;
                Ok(ApiToken { id: row.get(0)?, roles })
            })?;
            rows.next().transpose()
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
