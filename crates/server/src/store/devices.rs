//! The register of devices.

use std::sync::Arc;

use dskpp::server::DeviceRef;
use dskpp_crypto::Secret;
use serde_json::json;

use super::access::device_by_identity;
use super::columns::{Page, readable};
use super::db::{Bind as _, Connection, Value, values};
use super::{Store, StoreError, audit, rows};
use crate::model::DeviceEntry;
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::store::seal::Kek;

/// A device that is to be registered.
#[derive(Clone, Debug)]
pub(crate) struct NewDevice {
    /// `Manufacturer`
    pub manufacturer: String,
    /// `SerialNo`
    pub serial: String,
    /// What `<ds:KeyName>` says.
    pub key_name: String,
    /// K_SHARED.
    pub shared_key: Option<Secret>,
    /// Its certificate, DER.
    pub certificate: Option<Vec<u8>>,
}

/// Which devices are listed.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceFilter {
    /// Of this manufacturer.
    pub manufacturer: Option<String>,
    /// Of this serial number.
    pub serial: Option<String>,
    /// Behind this identifier.
    pub after: Option<String>,
}

/// What changes of a device; what is `None` stays, what is `Some(None)` is taken away.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeviceChange {
    /// What `<ds:KeyName>` says.
    pub key_name: Option<String>,
    /// K_SHARED.
    pub shared_key: Option<Option<Secret>>,
    /// Its certificate, DER.
    pub certificate: Option<Option<Vec<u8>>>,
}

/// Why a device of a batch was not registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotPut {
    /// It is there already, exactly so.
    Duplicate,
    /// It is there already, with another key name, shared key or certificate.
    Differs,
    /// Another device has its key name.
    KeyName,
}

const TAKEN: StoreError = StoreError::Exists("a device with that serial number or key name");

pub(super) fn entry(db: &Connection, id: &str) -> Result<Option<DeviceEntry>, StoreError> {
    let sql = format!("SELECT {} FROM device WHERE id = ?", rows::DEVICE_ENTRY);
    db.first(&sql, values![id], rows::device_entry)
}

/// Gives the identifier, or none where its names are taken.
fn put(db: &Connection, kek: &Kek, new: &NewDevice, at: i64) -> Result<Option<String>, StoreError> {
    let id = new_id();
    let sealed = new.shared_key.as_ref().map(|key| kek.seal("device", "sealed_shared_key", &id, key));
    let sql = "INSERT INTO device (id, manufacturer, serial, key_name, sealed_shared_key, certificate, created_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
    let NewDevice { manufacturer, serial, key_name, certificate, .. } = new;
    let done = db.execute(sql, values![id, manufacturer, serial, key_name, sealed, certificate, at])?;
    Ok((done > 0).then_some(id))
}

/// Which names are taken by what.
fn why_not(db: &Connection, kek: &Kek, new: &NewDevice) -> Result<NotPut, StoreError> {
    let identity = DeviceRef { manufacturer: new.manufacturer.clone(), serial: new.serial.clone() };
    let found = match readable(device_by_identity(db, kek, &identity).map(Some).wait())? {
        Some(Some(found)) => found,
        Some(None) => return Ok(NotPut::KeyName),
        None => return Ok(NotPut::Differs), // it is there, and cannot be read
    };
    let same =
        found.key_name == new.key_name && found.certificate == new.certificate && found.shared_key == new.shared_key;
    Ok(if same { NotPut::Duplicate } else { NotPut::Differs })
}

impl Store {
    /// Registers a device; gives its identifier.
    pub(crate) async fn create_device(&self, new: NewDevice) -> Result<String, StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let at = now();
            let id = put(db, &kek, &new, at)?.ok_or(TAKEN)?;
            let subject = json!({ "device": id, "manufacturer": new.manufacturer, "serial": new.serial });
            audit::append(db, at, "device.created", &subject)?;
            Ok(id)
        };
        self.engine.write(write).await
    }

    /// A device by its identifier.
    pub(crate) async fn device(&self, id: &str) -> Result<Option<DeviceEntry>, StoreError> {
        let id = id.to_owned();
        self.engine.read(move |db| entry(db, &id)).await
    }

    /// Up to `limit` devices.
    pub(crate) async fn devices(&self, filter: DeviceFilter, limit: usize) -> Result<Page<DeviceEntry>, StoreError> {
        let read = move |db: &Connection| {
            let DeviceFilter { manufacturer, serial, after } = &filter;
            // A query of its own for each case, so that each can have an index.
            let of =
                |name: &str, given: bool, n: u8| if given { format!("{name} = ?{n}") } else { format!("?{n} IS NULL") };
            let manufacturers = of("manufacturer", manufacturer.is_some(), 2);
            let serials = of("serial", serial.is_some(), 3);
            let sql = format!(
                "SELECT {} FROM device WHERE id > ?1 AND {manufacturers} AND {serials} ORDER BY id LIMIT ?4",
                rows::DEVICE_ENTRY
            );
            let after = after.as_deref().unwrap_or_default();
            let rows = db.rows(&sql, values![after, manufacturer, serial, limit as i64 + 1], rows::device_entry)?;
            Page::of(rows, limit, |device| &device.id)
        };
        self.engine.read(read).await
    }

    /// Changes a device's keys; gives it as it is then. `by` is the token that asked for it.
    pub(crate) async fn change_device(
        &self,
        id: &str,
        change: DeviceChange,
        by: String,
    ) -> Result<DeviceEntry, StoreError> {
        let (kek, id) = (Arc::clone(&self.kek), id.to_owned());
        let write = move |db: &Connection| {
            let changed = apply(db, &kek, &id, &change)?;
            let subject = json!({ "device": id, "changed": changed, "by": by });
            audit::append(db, now(), "device.changed", &subject)?;
            entry(db, &id)?.ok_or(StoreError::NotFound("device"))
        };
        self.engine.write(write).await
    }

    /// Takes a device out of the register, unless something refers to it.
    pub(crate) async fn delete_device(&self, id: &str, by: String) -> Result<(), StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            let device = entry(db, &id)?.ok_or(StoreError::NotFound("device"))?;
            let refers = |table: &str| -> Result<bool, StoreError> {
                let sql = format!("SELECT 1 FROM {table} WHERE device_id = ?");
                db.exists(&sql, values![id])
            };
            if refers("enrolment")? || refers("key")? {
                return Err(StoreError::State(
                    "enrolments or keys refer to this device; take its shared key and certificate away instead",
                ));
            }
            db.execute("DELETE FROM device WHERE id = ?", values![id])?;
            let subject =
                json!({ "device": id, "manufacturer": device.manufacturer, "serial": device.serial, "by": by });
            audit::append(db, now(), "device.deleted", &subject)
        };
        self.engine.write(write).await
    }

    /// Registers a batch of devices, or nothing; `refused` of them were left out before. Gives why each of those that
    /// are not registered is not, with its place in `devices`.
    pub(crate) async fn import_devices(
        &self,
        devices: Vec<NewDevice>,
        refused: usize,
        by: String,
    ) -> Result<Vec<(usize, NotPut)>, StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let (at, mut not_put) = (now(), Vec::new());
            for (place, device) in devices.iter().enumerate() {
                if put(db, &kek, device, at)?.is_none() {
                    not_put.push((place, why_not(db, &kek, device)?));
                }
            }
            let taken = not_put.iter().filter(|(_, why)| *why == NotPut::KeyName).count();
            let subject = json!({
                "accepted": devices.len() - not_put.len(),
                "duplicate": not_put.len() - taken,
                "refused": refused + taken,
                "by": by,
            });
            audit::append(db, at, "devices.imported", &subject)?;
            Ok(not_put)
        };
        self.engine.write(write).await
    }
}

/// Gives the names of what was changed.
fn apply(db: &Connection, kek: &Kek, id: &str, change: &DeviceChange) -> Result<Vec<&'static str>, StoreError> {
    let mut changed = Vec::new();
    let mut set = |name: &'static str, column: &str, value: Value<'_>| -> Result<(), StoreError> {
        let sql = format!("UPDATE device SET {column} = ?2 WHERE id = ?1");
        changed.push(name);
        match db.execute(&sql, &[id.bind(), value])? {
            0 => Err(StoreError::NotFound("device")),
            _ => Ok(()),
        }
    };
    if let Some(key_name) = &change.key_name {
        if db.exists("SELECT 1 FROM device WHERE key_name = ?1 AND id <> ?2", values![key_name, id])? {
            return Err(TAKEN);
        }
        set("key_name", "key_name", key_name.bind())?;
    }
    if let Some(key) = &change.shared_key {
        let sealed = key.as_ref().map(|key| kek.seal("device", "sealed_shared_key", id, key));
        set("shared_key", "sealed_shared_key", sealed.bind())?;
    }
    if let Some(certificate) = &change.certificate {
        set("certificate", "certificate", certificate.bind())?;
    }
    Ok(changed)
}
