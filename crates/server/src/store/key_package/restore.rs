//! A key package that goes out: what came in, or was provisioned, as it stands now.

use dskpp::key_package::PackageSpec;
use dskpp_crypto::Secret;
use pskc::{DeviceInfo, Key, KeyPackage, Value};

use super::intake::{named_user, uses};
use super::owner::user_id_of;
use super::read_element;
use crate::model::{self, KeyRecord, KeyType};

/// The package of a key with its secret, its present counter, time, drift and uses, and its present user. `element`
/// is what [`Elements::write`](super::Elements::write) wrote of an imported key; `None` where that cannot be read.
pub(crate) fn restore(record: &KeyRecord, element: Option<&[u8]>, secret: Secret) -> Option<KeyPackage> {
    let mut package = match element {
        Some(element) => read_element(element)?,
        None => provisioned(record)?,
    };
    let named = named_user(&package);
    let key = package.key.as_mut()?;
    put_present_values(key, record);
    key.data.get_or_insert_default().secret = Some(Value::Plain(secret));
    // Who has the key now counts, not whom the file named.
    if let Some(user) = record.user.as_ref().filter(|user| named.as_ref() != Some(user)) {
        key.user_id = Some(user_id_of(user));
    }
    Some(package)
}

/// The package that DSKPP made for a key.
fn provisioned(record: &KeyRecord) -> Option<KeyPackage> {
    let params = &record.params;
    let spec = PackageSpec {
        server_id: String::new(), // not a part of the package
        key_id: record.id.clone(),
        hash: (record.key_type == KeyType::Totp).then(|| params.hash()),
        key_type: model::algorithm(record.key_type)?,
        issuer: None,
        user_id: None,
        device: record.device.as_ref().map(|device| DeviceInfo {
            manufacturer: Some(device.manufacturer.clone()),
            serial_no: Some(device.serial.clone()),
            ..DeviceInfo::default()
        }),
        digits: params.digits,
        suite: params.suite.clone(),
        counter: params.counter,
        period_s: params.period_s,
    };
    spec.container().key_packages.pop()
}

/// Values that did not move stay as they were: said or not said.
fn put_present_values(key: &mut Key, record: &KeyRecord) {
    let data = key.data.get_or_insert_default();
    match record.key_type {
        KeyType::Hotp | KeyType::Ocra if data.counter.is_some() || record.counter != 0 => {
            data.counter = i64::try_from(record.counter).ok().map(Value::Plain);
        }
        KeyType::Totp => {
            if let Some(step) = record.last_step.and_then(|step| i32::try_from(step).ok()) {
                data.time = Some(Value::Plain(step));
            }
            if data.time_drift.is_some() || record.drift != 0 {
                data.time_drift = i32::try_from(record.drift).ok().map(Value::Plain);
            }
        }
        _ => {}
    }
    if let (Some(policy), Some(left)) = (&mut key.policy, record.uses_left)
        && policy.number_of_transactions.map(uses) != i64::try_from(left).ok()
    {
        policy.number_of_transactions = Some(left);
    }
}
