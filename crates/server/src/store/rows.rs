//! From rows to the model: nowhere else is a column read. What cannot be read is an error that names table, row and
//! column, never a default.

use dskpp::server::DeviceRef;
use dskpp_crypto::{AeadKey, Secret};
use jiff::civil::Date;

use super::columns::{Columns, Row};
use super::commit::Spent;
use super::export::Outgoing;
use super::idempotent::{KeptAnswer, KeptCall, Stage};
use super::import::Progress;
use super::k_servers::StoredKServer;
use super::keys::OldKey;
use super::tries::{Hour, LOCK_S};
use super::{StoreError, outbox};
use crate::model::{
    Activation, ApiToken, Cause, DeliveryOperation, DeliveryRecord, DeliveryState, DeviceEntry, DeviceRecord,
    EnrolmentRecord, EnrolmentState, ImportEntry, KeyRecord, KeyState, KeyType, Location, Params, StoredAnswer,
    TokenEntry, TriggerAd, UserEntry, Variant, WrongTryCount,
};
use crate::store::seal::Kek;

/// The store's identity.
pub(super) fn identity(row: &Row<'_>) -> Result<String, StoreError> {
    Columns::of("store", row).parse(0, |text| super::is_identity(text).then(|| text.to_owned()))
}

pub(super) fn token(row: &Row<'_>) -> Result<ApiToken, StoreError> {
    let row = Columns::of("api_token", row);
    Ok(ApiToken { id: row.get(0)?, roles: row.parse(1, |roles| serde_json::from_str(roles).ok())? })
}

/// `name, id, created_at`
pub(super) fn user_entry(row: &Row<'_>) -> Result<UserEntry, StoreError> {
    let row = Columns::of("user", row);
    Ok(UserEntry { name: row.get(0)?, id: row.get(1)?, created_at: row.time(2)? })
}

/// `id, name, roles, created_at`
pub(super) fn token_entry(row: &Row<'_>) -> Result<TokenEntry, StoreError> {
    let row = Columns::of("api_token", row);
    let roles = row.parse(2, |roles| serde_json::from_str(roles).ok())?;
    Ok(TokenEntry { id: row.get(0)?, name: row.get(1)?, roles, created_at: row.time(3)? })
}

/// `id, done, accepted, duplicate, refused, created_at`
pub(super) fn import_entry(row: &Row<'_>) -> Result<ImportEntry, StoreError> {
    let row = Columns::of("import", row);
    Ok(ImportEntry {
        id: row.get(0)?,
        done: row.number(1)?,
        accepted: row.number(2)?,
        duplicate: row.number(3)?,
        refused: row.number(4)?,
        created_at: row.time(5)?,
    })
}

/// What [`enrolment`] reads.
pub(super) const ENROLMENT: &str = "e.id, u.name AS user, e.client_id, e.sealed_password, e.key_type, e.params, \
     e.variant, e.methods, d.manufacturer, d.serial, e.renews, e.state, e.activate, e.failed_attempts, e.key_id, \
     e.sealed_trigger, e.created_at, e.expires_at, e.delivers, e.key_location, e.algorithm_location, e.device_id, \
     e.answer, e.sinks";

/// Where [`ENROLMENT`] has the time at which it expires.
pub(super) const ENROLMENT_EXPIRES: usize = 17;

/// An enrolment as it is at that time.
pub(super) fn enrolment(row: &Row<'_>, kek: &Kek, at: i64) -> Result<EnrolmentRecord, StoreError> {
    let row = Columns::of("enrolment", row);
    let password = row.sealed(kek, "sealed_password", 3)?;
    if row.leads_nowhere(21, 8) {
        return Err(row.unreadable(21)); // bound to a device that is not there
    }
    let trigger = row.sealed_or_nothing(kek, "sealed_trigger", 15)?;
    let trigger = trigger.map(|opened| read_trigger(opened.expose()).ok_or_else(|| row.unreadable(15)));
    let expires_at = row.time(ENROLMENT_EXPIRES)?;
    let state = match row.parse(11, EnrolmentState::from_name)? {
        EnrolmentState::Open if expires_at <= at => EnrolmentState::Expired,
        state => state,
    };
    Ok(EnrolmentRecord {
        id: row.get(0)?,
        user: row.get(1)?,
        client_id: row.get(2)?,
        password,
        key_type: row.parse(4, provisioned_type)?,
        params: row.parse(5, Params::read)?,
        variant: row.parse_if_any(6, Variant::from_name)?,
        methods: row.parse(7, |list| serde_json::from_str(list).ok())?,
        device: row.device(8)?,
        renews: row.get(10)?,
        delivers: row.get(18)?,
        key_location: row.parse_if_any(19, Location::from_name)?,
        algorithm_location: row.parse_if_any(20, Location::from_name)?,
        state,
        activate: row.parse(12, Activation::from_name)?,
        failed_attempts: row.number(13)?,
        key_id: row.get(14)?,
        trigger: trigger.transpose()?,
        created_at: row.time(16)?,
        expires_at,
        answer: row.get(22)?,
        sinks: row.parse_if_any(23, outbox::names)?.unwrap_or_default(),
    })
}

/// A type of which runs make keys.
fn provisioned_type(name: &str) -> Option<KeyType> {
    KeyType::from_name(name).filter(|key_type| *key_type != KeyType::Other)
}

/// The AD of a trigger, sealed to its enrolment.
pub(super) fn seal_trigger(ad: &TriggerAd, kek: &Kek, enrolment: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for part in [&ad.nonce, &ad.mac] {
        octets.extend_from_slice(&(part.len() as u32).to_be_bytes());
        octets.extend_from_slice(part);
    }
    octets.extend_from_slice(ad.url_s.as_bytes());
    kek.seal("enrolment", "sealed_trigger", enrolment, &Secret::new(octets))
}

/// What [`seal_trigger`] sealed; `None` for other octets.
fn read_trigger(mut octets: &[u8]) -> Option<TriggerAd> {
    let mut part = || {
        let (len, rest) = octets.split_first_chunk()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)?;
        octets = rest;
        Some(part.to_vec())
    };
    let (nonce, mac) = (part()?, part()?);
    Some(TriggerAd { nonce, mac, url_s: String::from_utf8(octets.to_vec()).ok()? })
}

/// What a commit needs of its enrolment: `id, user_id, key_type, params, device_id, renews, activate, sinks`.
pub(super) fn spent(row: &Row<'_>) -> Result<Spent, StoreError> {
    let row = Columns::of("enrolment", row);
    Ok(Spent {
        user_id: row.get(1)?,
        key_type: row.parse(2, provisioned_type)?,
        params: row.parse(3, Params::read)?,
        device_id: row.get(4)?,
        renews: row.get(5)?,
        activate: row.parse(6, Activation::from_name)?,
        sinks: row.parse_if_any(7, outbox::names)?.unwrap_or_default(),
    })
}

/// What [`key`] reads.
pub(super) const KEY: &str = "k.id, u.name AS user, k.enrolment_id, k.key_type, k.params, \
     coalesce(d.manufacturer, k.manufacturer) AS manufacturer, coalesce(d.serial, k.serial) AS serial, k.state, \
     k.counter, k.last_step, k.drift, k.created_at, k.start_at, k.expires_at, k.uses_left, k.user_id, \
     k.device_id, d.id, k.url_s, k.label";
/// How many columns these are: what a query selects beyond them begins here.
pub(super) const KEY_COLUMNS: usize = 20;

pub(super) fn key(row: &Row<'_>) -> Result<KeyRecord, StoreError> {
    let row = Columns::of("key", row);
    for (named, found) in [(15, 1), (16, 17)] {
        if row.leads_nowhere(named, found) {
            return Err(row.unreadable(named)); // of a user, or in a device, that is not there
        }
    }
    Ok(KeyRecord {
        id: row.get(0)?,
        user: row.get(1)?,
        enrolment_id: row.get(2)?,
        key_type: row.parse(3, KeyType::from_name)?,
        params: row.parse(4, Params::read)?,
        device: row.device(5)?,
        state: row.parse(7, KeyState::from_name)?,
        counter: row.number(8)?,
        last_step: row.number_if_any(9)?,
        drift: row.number::<i32>(10)?.into(),
        created_at: row.time(11)?,
        start_at: row.time_if_any(12)?,
        expires_at: row.time_if_any(13)?,
        uses_left: row.number_if_any(14)?,
        url_s: row.get(18)?,
        label: row.get(19)?,
    })
}

/// A key, and behind it `p.sealed_k_mac, k.sealed_k_mac, k.sealed_k_token`.
pub(super) fn old_key(row: &Row<'_>, kek: &Kek) -> Result<OldKey, StoreError> {
    let (record, row) = (key(row)?, Columns::of("key", row));
    let pending = row.of_table("pending_key").sealed_if_any(kek, "sealed_k_mac", KEY_COLUMNS)?;
    let own = match pending {
        Some(_) => None,
        None => row.sealed_if_any(kek, "sealed_k_mac", KEY_COLUMNS + 1)?,
    };
    Ok(match pending.or(own) {
        Some(k_mac_old) => OldKey { record, k_mac_old, is_of_run: true },
        None => OldKey { record, k_mac_old: row.sealed(kek, "sealed_k_token", KEY_COLUMNS + 2)?, is_of_run: false },
    })
}

/// A key, and behind it `k.sealed_k_token, k.sealed_package`.
pub(super) fn outgoing(row: &Row<'_>) -> Result<Outgoing, StoreError> {
    let (record, row) = (key(row)?, Columns::of("key", row));
    Ok(Outgoing { record, sealed_k_token: row.get(KEY_COLUMNS)?, sealed_package: row.get(KEY_COLUMNS + 1)? })
}

/// `k.id, p.url_s, k.url_s`
pub(super) fn url_of_key(row: &Row<'_>) -> Result<Option<String>, StoreError> {
    let row = Columns::of("key", row);
    let of_waiting: Option<String> = row.get(1)?;
    Ok(of_waiting.or(row.get(2)?))
}

/// What [`device`] reads.
pub(super) const DEVICE: &str = "id, manufacturer, serial, key_name, sealed_shared_key, certificate";

pub(super) fn device(row: &Row<'_>, kek: &Kek) -> Result<DeviceRecord, StoreError> {
    let row = Columns::of("device", row);
    Ok(DeviceRecord {
        shared_key: row.sealed_or_nothing(kek, "sealed_shared_key", 4)?,
        identity: DeviceRef { manufacturer: row.get(1)?, serial: row.get(2)? },
        key_name: row.get(3)?,
        certificate: row.get(5)?,
    })
}

/// What [`device_entry`] reads.
pub(super) const DEVICE_ENTRY: &str =
    "id, manufacturer, serial, key_name, sealed_shared_key IS NOT NULL, certificate, created_at";

pub(super) fn device_entry(row: &Row<'_>) -> Result<DeviceEntry, StoreError> {
    let row = Columns::of("device", row);
    Ok(DeviceEntry {
        id: row.get(0)?,
        manufacturer: row.get(1)?,
        serial: row.get(2)?,
        key_name: row.get(3)?,
        has_shared_key: row.get(4)?,
        certificate: row.get(5)?,
        created_at: row.time(6)?,
    })
}

/// `session_id, request_hash, sealed_response`
/// How many wrong passwords there were, and when the last one.
pub(super) fn guesses(row: &Row<'_>) -> Result<(u32, i64), StoreError> {
    let row = Columns::of("wrong_password", row);
    Ok((row.number(1)?, row.time(2)?))
}

pub(super) fn answer(row: &Row<'_>, kek: &Kek) -> Result<StoredAnswer, StoreError> {
    let row = Columns::of("answer", row);
    let response = row.sealed(kek, "sealed_response", 2)?;
    Ok(StoredAnswer { request_hash: row.get(1)?, response: response.expose().to_vec() })
}

/// What [`IDEMPOTENT`](super::idempotent::IDEMPOTENT) lists.
pub(super) fn kept_call(row: &Row<'_>, kek: &Kek) -> Result<KeptCall, StoreError> {
    let row = Columns::of("idempotent", row);
    row.time(6)?;
    let answer = match (row.number_if_any::<u16>(4)?, row.sealed_if_any(kek, "sealed_answer", 5)?) {
        (Some(status), Some(body)) => Some(KeptAnswer { status, body }),
        (None, None) => None,
        (None, Some(_)) => return Err(row.unreadable(4)),
        (Some(_), None) => return Err(row.unreadable(5)),
    };
    let stage = row.parse(2, Stage::from_name)?;
    Ok(KeptCall { request_hash: row.get(1)?, stage, lease_until: row.time(3)?, answer })
}

/// `day, sealed_key`
pub(super) fn session_key(row: &Row<'_>, kek: &Kek) -> Result<(Date, AeadKey), StoreError> {
    let row = Columns::of("session_key", row);
    let key = AeadKey::siv_from_secret(&row.sealed(kek, "sealed_key", 1)?);
    Ok((row.parse(0, |day| day.parse().ok())?, key.map_err(|_| row.unreadable(1))?))
}

/// `id, sealed_key, created_at, retired_at`
pub(super) fn k_server(row: &Row<'_>, kek: &Kek) -> Result<StoredKServer, StoreError> {
    let row = Columns::of("k_server", row);
    Ok(StoredKServer {
        id: row.get(0)?,
        key: row.sealed(kek, "sealed_key", 1)?,
        created_at: row.time(2)?,
        retired_at: row.time_if_any(3)?,
    })
}

/// What [`outbox::OUTBOX`] lists.
pub(super) fn delivery(row: &Row<'_>) -> Result<DeliveryRecord, StoreError> {
    let row = Columns::of("outbox", row);
    Ok(DeliveryRecord {
        id: row.get(0)?,
        key_id: row.get(1)?,
        sink: row.get(2)?,
        operation: row.parse(3, DeliveryOperation::from_name)?,
        seq: row.number(4)?,
        state: row.parse(5, DeliveryState::from_name)?,
        attempts: row.number(6)?,
        queued_at: row.time(7)?,
        next_at: row.time(8)?,
        error: row.get(9)?,
    })
}

/// `id, done, accepted, duplicate, refused, rejected`
pub(super) fn progress(row: &Row<'_>) -> Result<Progress, StoreError> {
    let row = Columns::of("import", row);
    Ok(Progress {
        done: row.number(1)?,
        accepted: row.number(2)?,
        duplicate: row.number(3)?,
        refused: row.number(4)?,
        rejected: row.parse(5, |list| serde_json::from_str(list).ok())?,
    })
}

/// `enrolment_id, address, count, at`, and what follows of them at that time.
pub(super) fn wrong_tries(row: &Row<'_>, lock_after: u32, at: i64) -> Result<WrongTryCount, StoreError> {
    let row = Columns::of("wrong_try", row);
    let (count, last_at): (u32, _) = (row.number(2)?, row.time(3)?);
    let locked_until = (count >= lock_after).then_some(last_at + LOCK_S).filter(|until| at < *until);
    Ok(WrongTryCount { address: row.get(1)?, count, last_at, locked_until })
}

/// `enrolment_id, hour, count, cause`
pub(super) fn hour(row: &Row<'_>) -> Result<Hour, StoreError> {
    let row = Columns::of("refusal", row);
    let (hour, count) = (row.number(1)?, row.number(2)?);
    Ok(Hour { enrolment: row.get(0)?, hour, count, last: row.parse(3, Cause::from_name)? })
}

/// `enrolment_id, cause, at`
pub(super) fn last_refusal(row: &Row<'_>) -> Result<(Cause, i64), StoreError> {
    let row = Columns::of("refusal", row);
    Ok((row.parse(1, Cause::from_name)?, row.time(2)?))
}
