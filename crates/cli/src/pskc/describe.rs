//! A package as a JSON object: member names are those of other tools, absent values are omitted.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use dskpp_crypto::Secret;
use pskc::{DateTime, DerivedKey, Key, KeyData, KeyPackage, Policy, Value};
use serde_json::{Map, Value as Json, json};

use super::input::KeyFile;
use crate::output::Failure;

/// PINs by the identifier of their key.
pub(crate) type Pins = HashMap<String, Secret>;

/// Adds members that have a value.
struct Members(Map<String, Json>);

impl Members {
    fn add(&mut self, name: &str, value: Option<impl Into<Json>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    fn text(&mut self, name: &str, value: Option<&String>) {
        self.add(name, value.map(String::as_str));
    }

    fn date(&mut self, name: &str, value: Option<DateTime>) {
        self.add(name, value.map(|date| date.to_string()));
    }
}

/// Everything in a package. It includes secrets and PINs only if `secrets` has the PINs of the file.
pub(crate) fn package(package: &KeyPackage, secrets: Option<&Pins>) -> Json {
    let mut members = Members(Map::new());
    if let Some(key) = &package.key {
        identity(&mut members, key);
    }
    if let Some(device) = &package.device_info {
        members.text("manufacturer", device.manufacturer.as_ref());
        members.text("serial", device.serial_no.as_ref());
        members.text("model", device.model.as_ref());
        members.text("issue_no", device.issue_no.as_ref());
        members.text("device_binding", device.device_binding.as_ref());
        members.date("start_date", device.start_date);
        members.date("expiry_date", device.expiry_date);
        members.text("device_userid", device.user_id.as_ref());
    }
    members.add("crypto_module", package.crypto_module_info.as_ref().map(|module| module.id.as_str()));
    if let Some(key) = &package.key {
        members.text("key_userid", key.user_id.as_ref());
        members.text("key_profile", key.key_profile_id.as_ref());
        members.text("key_reference", key.key_reference.as_ref());
        if let Some(data) = &key.data {
            values(&mut members, data, secrets.is_some());
        }
        parameters(&mut members, key);
        members.add("policy", key.policy.as_ref().map(|part| policy(part, secrets)));
    }
    Json::Object(members.0)
}

fn identity(members: &mut Members, key: &Key) {
    members.add("id", (!key.id.is_empty()).then_some(key.id.as_str()));
    members.text("algorithm", key.algorithm.as_ref());
    members.text("algorithm_suite", key.algorithm_parameters.as_ref().and_then(|part| part.suite.as_ref()));
    members.text("issuer", key.issuer.as_ref());
    members.text("friendly_name", key.friendly_name.as_ref());
    members.text("friendly_name_language", key.friendly_name_language.as_ref());
}

fn values(members: &mut Members, data: &KeyData, show: bool) {
    members.add("counter", data.counter.as_ref().and_then(Value::plain).copied());
    members.add("time_offset", data.time.as_ref().and_then(Value::plain).copied());
    members.add("time_interval", data.time_interval.as_ref().and_then(Value::plain).copied());
    members.add("time_drift", data.time_drift.as_ref().and_then(Value::plain).copied());
    let closed: Vec<&str> = data.encrypted_values().map(|(name, _)| name).filter(|name| *name != "Secret").collect();
    members.add("encrypted_values", (!closed.is_empty()).then_some(closed));
    match &data.secret {
        Some(Value::Plain(secret)) if show => members.add("secret_hex", Some(HEXLOWER.encode(secret.expose()))),
        Some(Value::Plain(secret)) => members.add("secret_octets", Some(secret.len())),
        Some(Value::Encrypted(_)) => members.add("secret_error", Some("No key available: the secret is encrypted")),
        None => {}
    }
}

fn parameters(members: &mut Members, key: &Key) {
    let Some(parameters) = &key.algorithm_parameters else { return };
    if let Some(format) = &parameters.challenge_format {
        members.add("challenge_encoding", Some(format.encoding.as_str()));
        members.add("challenge_min_length", Some(format.min));
        members.add("challenge_max_length", Some(format.max));
        members.add("challenge_check", format.check_digits);
    }
    if let Some(format) = &parameters.response_format {
        members.add("response_encoding", Some(format.encoding.as_str()));
        members.add("response_length", Some(format.length));
        members.add("response_check", format.check_digits);
    }
}

fn policy(policy: &Policy, secrets: Option<&Pins>) -> Json {
    let mut members = Members(Map::new());
    members.date("start_date", policy.start_date);
    members.date("expiry_date", policy.expiry_date);
    members.add("number_of_transactions", policy.number_of_transactions);
    let usage: Vec<&str> = policy.key_usage.iter().map(|usage| usage.as_str()).collect();
    members.add("key_usage", (!usage.is_empty()).then_some(usage));
    if let Some(pin) = &policy.pin_policy {
        members.text("pin_key_id", pin.pin_key_id.as_ref());
        members.add("pin_usage", pin.pin_usage_mode.map(|mode| mode.as_str()));
        members.add("pin_max_failed_attempts", pin.max_failed_attempts);
        members.add("pin_min_length", pin.min_length);
        members.add("pin_max_length", pin.max_length);
        members.add("pin_encoding", pin.pin_encoding.map(|encoding| encoding.as_str()));
        let pin = pin.pin_key_id.as_ref().and_then(|id| secrets?.get(id));
        members.add("pin", pin.map(|pin| String::from_utf8_lossy(pin.expose()).into_owned()));
    }
    members.add("unknown_policy_elements", (!policy.is_understood()).then_some(true));
    Json::Object(members.0)
}

/// What the file states as a whole.
pub(crate) fn file(summary: &super::summary::Summary) -> Map<String, Json> {
    let header = &summary.header;
    let mut container = Members(Map::new());
    container.text("version", Some(&header.version));
    container.text("id", header.id.as_ref());
    let mut encryption = Members(Map::new());
    let derived = header.encryption_key.as_ref().and_then(|key| DerivedKey::of(key).ok()?);
    let named = header.encryption_key.as_ref().and_then(|key| key.key_name.clone());
    encryption.text("key_name", named.as_ref().or(derived.as_ref().and_then(|key| key.name.as_ref())));
    encryption.text("algorithm", summary.algorithm.as_ref());
    encryption.text("mac_algorithm", header.mac_method.as_ref().map(|method| &method.algorithm));
    let warnings = summary.warnings.iter().map(|(what, place)| match place {
        Some(place) => json!({ "what": what, "path": place.path, "line": place.line }),
        None => json!({ "what": what }),
    });
    let notes = summary.suspicions.texts().chain(summary.unusable.texts()).map(|what| json!({ "what": what }));
    let warnings: Json = warnings.chain(notes).collect();
    let mut document = Map::new();
    document.insert("container".into(), Json::Object(container.0));
    if !encryption.0.is_empty() {
        document.insert("encryption".into(), Json::Object(encryption.0));
    }
    document.insert("signed".into(), json!(summary.trailer.signed));
    document.insert("warnings".into(), warnings);
    if summary.packages > summary.keys {
        document.insert("packages_without_key".into(), json!(summary.packages - summary.keys));
    }
    document
}

/// Whether the key is a PIN.
pub(crate) fn is_pin(key: &Key) -> bool {
    key.algorithm.as_deref().is_some_and(|uri| uri.ends_with(":pin") || uri.ends_with("#pin"))
}

/// The PINs that the policies of a file refer to. The file is read again only if there are any.
pub(crate) fn pins(file: &KeyFile) -> Result<Pins, Failure> {
    let (mut pins, named) = (Pins::new(), &file.summary.pins);
    if named.is_empty() {
        return Ok(pins);
    }
    file.for_each(|package| {
        let Some(key) = package.key.filter(|key| named.contains(&key.id)) else { return Ok(()) };
        if let (true, Some(Value::Plain(pin))) = (is_pin(&key), key.data.and_then(|data| data.secret)) {
            pins.entry(key.id).or_insert(pin);
        }
        Ok(())
    })?;
    Ok(pins)
}
