//! Reads the JSON objects that [`describe`](crate::pskc::describe) writes.

use std::fmt::Formatter;

use dskpp_crypto::{Hash, Secret};
use pskc::{
    AlgorithmParameters, ChallengeFormat, CryptoModuleInfo, DeviceInfo, Key, KeyData, KeyPackage, KeyUsage, PinPolicy,
    PinUsageMode, Policy, ResponseFormat, Value, ValueFormat,
};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::map::Entry;
use serde_json::{Map, Value as Json};
use zeroize::Zeroizing;

use super::FormatError;
use super::secret::Encoding;
use crate::pskc::notes::Notes;

/// A list of objects, or an object with that list as `keys`.
pub(super) fn read(text: &str, notes: &mut Notes) -> Result<Vec<KeyPackage>, FormatError> {
    let Unique(document) =
        serde_json::from_str(text).map_err(|why| FormatError::from(format!("invalid JSON: {why}")))?;
    let keys = match document {
        Json::Array(keys) => keys,
        Json::Object(mut members) => match members.remove("keys") {
            Some(Json::Array(keys)) => {
                around(members, notes)?;
                keys
            }
            _ => return Err(FormatError::from("there is no list \"keys\"")),
        },
        _ => return Err(FormatError::from("neither a list nor an object")),
    };
    let mut read = |(i, key)| {
        let place = |i| format!("key {}", i + 1);
        let Json::Object(members) = key else {
            return Err(FormatError::from(format!("{} is not an object", place(i))));
        };
        package(members.into()).map_err(|why| FormatError::from(format!("{}: {why}", place(i))))
    };
    keys.into_iter().enumerate().map(&mut read).collect()
}

/// The members beside the keys: only those that `inspect` writes are known.
fn around(members: Map<String, Json>, notes: &mut Notes) -> Result<(), FormatError> {
    for (name, value) in members {
        let is_said = match &*name {
            "container" => value.get("id").is_some_and(|id| !id.is_null()),
            "signed" => value == Json::Bool(true),
            "encryption" | "warnings" | "format" => false,
            _ => return Err(FormatError::from(format!("unknown member {name}: it would be lost"))),
        };
        if is_said {
            notes.add(format!("{name} of the file is left out"), || "beside the keys".to_owned());
        }
    }
    Ok(())
}

/// A document without duplicate member names: parsers differ in which one counts.
struct Unique(Json);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Unique)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Map::new();
        while let Some((name, Unique(value))) = members.next_entry::<String, _>()? {
            match object.entry(name) {
                Entry::Vacant(place) => _ = place.insert(value),
                Entry::Occupied(first) => {
                    return Err(A::Error::custom(format_args!("the member {:?} occurs twice", first.key())));
                }
            }
        }
        Ok(object.into())
    }
}

/// Members that are taken out one by one; those that remain are unknown. A list: few objects have ten.
#[derive(Default)]
pub(super) struct UnreadMembers(Vec<(String, Json)>);

impl From<Map<String, Json>> for UnreadMembers {
    fn from(members: Map<String, Json>) -> Self {
        UnreadMembers(members.into_iter().collect())
    }
}

impl UnreadMembers {
    pub(super) fn push(&mut self, name: &str, value: impl Into<Json>) {
        self.0.push((name.to_owned(), value.into()));
    }

    fn get(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    fn remove(&mut self, name: &str) -> Option<Json> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(Json::Number(number)) if number.is_f64() => {
                Err(format!("{name} is a number with a fraction, or too large to be exact: write it as text"))
            }
            Some(Json::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(format!("{name} is not a string")),
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| format!("{name} is not {what}"))
    }

    fn named<T>(&mut self, name: &str, of_name: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        of_name(text.trim()).map(Some).ok_or_else(|| format!("{name}: unknown value {text}"))
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::Bool(flag)) => Ok(Some(flag)),
            Some(Json::String(text)) => self.flag_text(name, &text),
            Some(_) => Err(format!("{name} is neither true nor false")),
        }
    }

    fn flag_text(&self, name: &str, text: &str) -> Result<Option<bool>, String> {
        text.trim().parse().map(Some).map_err(|_| format!("{name} is neither true nor false"))
    }

    fn end(mut self, ignored: &[&str]) -> Result<(), String> {
        ignored.iter().for_each(|name| drop(self.remove(name)));
        match self.0.into_iter().map(|(name, _)| name).min() {
            None => Ok(()),
            Some(name) => Err(format!("unknown member {name}: it would be lost")),
        }
    }
}

/// The package that an object describes.
pub(super) fn package(mut members: UnreadMembers) -> Result<KeyPackage, String> {
    let device = DeviceInfo {
        manufacturer: members.text("manufacturer")?,
        serial_no: members.text("serial")?,
        model: members.text("model")?,
        issue_no: members.text("issue_no")?,
        device_binding: members.text("device_binding")?,
        start_date: members.parsed("start_date", DATE)?,
        expiry_date: members.parsed("expiry_date", DATE)?,
        user_id: members.text("device_userid")?,
        extensions: Vec::new(),
    };
    let module = members.text("crypto_module")?;
    let data = data(&mut members)?;
    let mut key = Key {
        id: members.text("id")?.unwrap_or_default(),
        algorithm: members.text("algorithm")?.map(algorithm).transpose()?,
        issuer: members.text("issuer")?,
        algorithm_parameters: parameters(&mut members)?,
        key_profile_id: members.text("key_profile")?,
        key_reference: members.text("key_reference")?,
        friendly_name: members.text("friendly_name")?,
        friendly_name_language: members.text("friendly_name_language")?,
        data: (data != KeyData::default()).then_some(data),
        user_id: members.text("key_userid")?,
        policy: match members.remove("policy") {
            None | Some(Json::Null) => None,
            Some(Json::Object(part)) => Some(policy(part.into())?),
            Some(_) => return Err("policy is not an object".to_owned()),
        },
        extensions: Vec::new(),
    };
    if key.id.is_empty() {
        key.id = device.serial_no.clone().ok_or("neither id nor serial is given")?;
    }
    members.end(&[])?;
    if key.friendly_name_language.is_some() && key.friendly_name.is_none() {
        return Err("friendly_name_language is given without friendly_name".to_owned());
    }
    if key.key_reference.is_none() && key.data.as_ref().is_none_or(|data| data.secret.is_none()) {
        return Err("there is no secret".to_owned());
    }
    Ok(KeyPackage {
        device_info: (device != DeviceInfo::default()).then_some(device),
        crypto_module_info: module.map(|id| CryptoModuleInfo { id, extensions: Vec::new() }),
        key: Some(key),
        extensions: Vec::new(),
    })
}

const DATE: &str = "a date and time such as 2026-01-31T12:00:00Z";

/// A URI, or its short name in tables.
pub(in crate::pskc) fn algorithm(name: String) -> Result<String, String> {
    if matches!(&*name, super::HOTP | super::TOTP) {
        return Ok(name);
    }
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    Ok(match &*plain {
        "hotp" | "oathhotp" | "event" | "eventbased" => super::HOTP.to_owned(),
        "totp" | "oathtotp" | "time" | "timebased" => super::TOTP.to_owned(),
        "pin" => super::PIN.to_owned(),
        "ocra" => "urn:ietf:params:xml:ns:keyprov:pskc:OCRA-1".to_owned(),
        _ if name.contains(':') => name,
        _ if Hash::from_name(&name).is_some() => {
            return Err(format!("the algorithm {name} is a hash: write hotp or totp, and the hash as \"hash\""));
        }
        _ => return Err(format!("unknown algorithm {name:?}: use hotp, totp, ocra, pin or a URI")),
    })
}

/// The members for the secret, by encoding.
const SECRETS: [(&str, Encoding); 3] =
    [("secret_hex", Encoding::Hex), ("secret_base32", Encoding::Base32), ("secret_base64", Encoding::Base64)];

fn data(members: &mut UnreadMembers) -> Result<KeyData, String> {
    if members.remove("secret_error").is_some() {
        return Err("the secret is missing: it was encrypted".to_owned());
    }
    if members.remove("encrypted_values").is_some() {
        return Err("values are missing: they were encrypted".to_owned());
    }
    let octets = members.parsed::<usize>("secret_octets", NUMBER)?;
    if octets.is_some() && !SECRETS.iter().any(|(name, _)| members.get(name).is_some()) {
        return Err("the secret is missing: `inspect --json` writes it with --show-secrets".to_owned());
    }
    let mut secret = None;
    for (name, encoding) in SECRETS {
        if members.get(name).is_some_and(Json::is_number) {
            return Err(format!("{name} is a number, which may have lost zeros: write it as text, in quotation marks"));
        }
        let Some(text) = members.text(name)?.map(Zeroizing::new) else { continue };
        if secret.replace(Value::Plain(encoding.decode(&text)?)).is_some() {
            return Err("the secret occurs twice".to_owned());
        }
    }
    let len = secret.as_ref().and_then(|secret| secret.plain()).map_or(0, Secret::len);
    if let Some(octets) = octets.filter(|octets| *octets != len) {
        return Err(format!("secret_octets is {octets}, but the secret has {len} octets"));
    }
    Ok(KeyData {
        secret,
        counter: members.parsed("counter", NUMBER)?.map(Value::Plain),
        time: members.parsed("time_offset", NUMBER)?.map(Value::Plain),
        time_interval: members.parsed("time_interval", NUMBER)?.map(Value::Plain),
        time_drift: members.parsed("time_drift", NUMBER)?.map(Value::Plain),
        other: Vec::new(),
    })
}

const NUMBER: &str = "a whole number";

fn parameters(members: &mut UnreadMembers) -> Result<Option<AlgorithmParameters>, String> {
    let check = members.flag("challenge_check")?;
    let (min, max) = (members.parsed("challenge_min_length", NUMBER)?, members.parsed("challenge_max_length", NUMBER)?);
    let challenge_format = match members.named("challenge_encoding", ValueFormat::from_name)? {
        None if min.is_some() || max.is_some() || check.is_some() => {
            return Err("challenge_encoding is missing".to_owned());
        }
        None => None,
        Some(encoding) => Some(ChallengeFormat {
            encoding,
            min: min.unwrap_or(0),
            max: max.ok_or("challenge_max_length is missing")?,
            check_digits: check,
        }),
    };
    let (length, check) = (members.parsed("response_length", NUMBER)?, members.flag("response_check")?);
    let encoding = members.named("response_encoding", ValueFormat::from_name)?;
    if length.is_none() && (encoding.is_some() || check.is_some()) {
        return Err("response_length is missing".to_owned());
    }
    let response_format = length.map(|length| ResponseFormat {
        encoding: encoding.unwrap_or(ValueFormat::Decimal),
        length,
        check_digits: check,
    });
    let suite = match (members.text("algorithm_suite")?, members.text("hash")?) {
        (suite, None) => suite,
        (None, Some(name)) => {
            Some(Hash::from_name(&name).ok_or_else(|| format!("unknown hash {name:?}"))?.hmac_name().to_owned())
        }
        (Some(_), Some(_)) => return Err("algorithm_suite and hash mean the same: use one".to_owned()),
    };
    let parameters = AlgorithmParameters { suite, challenge_format, response_format, extensions: Vec::new() };
    Ok((parameters != AlgorithmParameters::default()).then_some(parameters))
}

fn policy(mut members: UnreadMembers) -> Result<Policy, String> {
    if members.flag("unknown_policy_elements")? == Some(true) {
        return Err("the policy has unknown elements, so the key must not be used".to_owned());
    }
    let usage = match members.remove("key_usage") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(usage)) => usage,
        Some(Json::String(usage)) => usage.split_whitespace().map(Json::from).collect(),
        Some(_) => return Err("key_usage is not a list".to_owned()),
    };
    let usage = usage.iter().map(|name| {
        let known = name.as_str().and_then(KeyUsage::from_name);
        known.ok_or_else(|| format!("key_usage: unknown value {name}"))
    });
    let pin = PinPolicy {
        pin_key_id: members.text("pin_key_id")?,
        pin_usage_mode: members.named("pin_usage", PinUsageMode::from_name)?,
        max_failed_attempts: members.parsed("pin_max_failed_attempts", NUMBER)?,
        min_length: members.parsed("pin_min_length", NUMBER)?,
        max_length: members.parsed("pin_max_length", NUMBER)?,
        pin_encoding: members.named("pin_encoding", ValueFormat::from_name)?,
        other: Vec::new(),
    };
    let policy = Policy {
        start_date: members.parsed("start_date", DATE)?,
        expiry_date: members.parsed("expiry_date", DATE)?,
        pin_policy: (pin != PinPolicy::default()).then_some(pin),
        key_usage: usage.collect::<Result<_, _>>()?,
        number_of_transactions: members.parsed("number_of_transactions", NUMBER)?,
        other: Vec::new(),
    };
    // The PIN itself is a separate key.
    members.end(if policy.pin_policy.as_ref().is_some_and(|pin| pin.pin_key_id.is_some()) { &["pin"] } else { &[] })?;
    Ok(policy)
}
