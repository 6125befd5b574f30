//! JSON, and the reading of objects that [`describe`](crate::pskc::describe) writes.

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use dskpp_crypto::Secret;
use pskc::{
    AlgorithmParameters, ChallengeFormat, CryptoModuleInfo, DeviceInfo, Key, KeyData, KeyPackage, KeyUsage, PinPolicy,
    PinUsageMode, Policy, ResponseFormat, Value, ValueFormat,
};
use serde_json::{Map, Value as Json};

/// A list of objects, or an object with that list as `keys`.
pub(super) fn read(text: &str, default: Option<&str>) -> Result<Vec<KeyPackage>, String> {
    let document: Json = serde_json::from_str(text).map_err(|why| format!("not JSON: {why}"))?;
    let keys = match document {
        Json::Array(keys) => keys,
        Json::Object(mut members) => match members.remove("keys") {
            Some(Json::Array(keys)) => keys,
            _ => return Err("there is no list \"keys\"".to_owned()),
        },
        _ => return Err("neither a list nor an object".to_owned()),
    };
    let package = |(i, key)| match key {
        Json::Object(members) => super::json::package(members, default).map_err(|why| format!("key {}: {why}", i + 1)),
        _ => Err(format!("key {} is no object", i + 1)),
    };
    keys.into_iter().enumerate().map(package).collect()
}

/// Members that are taken out one by one; what is left in the end is unknown.
struct Members(Map<String, Json>);

impl Members {
    fn text(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.0.remove(name) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(Json::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(format!("{name} is no text")),
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &str, what: &str) -> Result<Option<T>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| format!("{name} is not {what}"))
    }

    fn named<T>(&mut self, name: &str, of_name: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        of_name(text.trim()).map(Some).ok_or_else(|| format!("{name}: {text} is not known"))
    }

    fn flag(&mut self, name: &str) -> Result<Option<bool>, String> {
        match self.0.remove(name) {
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
        ignored.iter().for_each(|name| drop(self.0.remove(*name)));
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(format!("{name} is not known: it would be lost")),
        }
    }
}

/// The package that an object stands for.
pub(super) fn package(members: Map<String, Json>, default: Option<&str>) -> Result<KeyPackage, String> {
    let mut members = Members(members);
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
        algorithm: members.text("algorithm")?.map(algorithm).or_else(|| default.map(str::to_owned)),
        issuer: members.text("issuer")?,
        algorithm_parameters: parameters(&mut members)?,
        key_profile_id: members.text("key_profile")?,
        key_reference: members.text("key_reference")?,
        friendly_name: members.text("friendly_name")?,
        data: (data != KeyData::default()).then_some(data),
        user_id: members.text("key_userid")?,
        policy: match members.0.remove("policy") {
            None | Some(Json::Null) => None,
            Some(Json::Object(part)) => Some(policy(Members(part))?),
            Some(_) => return Err("policy is no object".to_owned()),
        },
        extensions: Vec::new(),
    };
    if key.id.is_empty() {
        key.id = device.serial_no.clone().ok_or("neither id nor serial is given")?;
    }
    members.end(&[])?;
    Ok(KeyPackage {
        device_info: (device != DeviceInfo::default()).then_some(device),
        crypto_module_info: module.map(|id| CryptoModuleInfo { id, extensions: Vec::new() }),
        key: Some(key),
        extensions: Vec::new(),
    })
}

const DATE: &str = "a date and time such as 2026-01-31T12:00:00Z";

/// A URI, or one of the short names.
fn algorithm(name: String) -> String {
    match name.to_ascii_lowercase().as_str() {
        "hotp" => super::HOTP.to_owned(),
        "totp" => super::TOTP.to_owned(),
        "pin" => super::PIN.to_owned(),
        "ocra" => "urn:ietf:params:xml:ns:keyprov:pskc:OCRA-1".to_owned(),
        _ => name,
    }
}

fn data(members: &mut Members) -> Result<KeyData, String> {
    if members.0.remove("secret_error").is_some() {
        return Err("the secret is missing, as it was encrypted".to_owned());
    }
    if members.0.remove("encrypted_values").is_some() {
        return Err("values are missing, as they were encrypted".to_owned());
    }
    if members.0.remove("secret_octets").is_some() && !members.0.contains_key("secret_hex") {
        return Err("the secret is missing: `inspect --json` writes it with --show-secrets".to_owned());
    }
    let secret = members.text("secret_hex")?.map(|text| {
        let octets = HEX.decode(text.trim().as_bytes()).map_err(|_| "secret_hex is not hexadecimal".to_owned())?;
        Ok::<_, String>(Value::Plain(Secret::new(octets)))
    });
    Ok(KeyData {
        secret: secret.transpose()?,
        counter: members.parsed("counter", NUMBER)?.map(Value::Plain),
        time: members.parsed("time_offset", NUMBER)?.map(Value::Plain),
        time_interval: members.parsed("time_interval", NUMBER)?.map(Value::Plain),
        time_drift: members.parsed("time_drift", NUMBER)?.map(Value::Plain),
        other: Vec::new(),
    })
}

const NUMBER: &str = "a whole number";

fn parameters(members: &mut Members) -> Result<Option<AlgorithmParameters>, String> {
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
    let suite = members.text("algorithm_suite")?;
    let parameters = AlgorithmParameters { suite, challenge_format, response_format, extensions: Vec::new() };
    Ok((parameters != AlgorithmParameters::default()).then_some(parameters))
}

fn policy(mut members: Members) -> Result<Policy, String> {
    if members.flag("unknown_policy_elements")? == Some(true) {
        return Err("the policy says what is not understood, so the key must not be used".to_owned());
    }
    let usage = match members.0.remove("key_usage") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(usage)) => usage,
        Some(Json::String(usage)) => usage.split_whitespace().map(Json::from).collect(),
        Some(_) => return Err("key_usage is no list".to_owned()),
    };
    let usage = usage.iter().map(|name| {
        let known = name.as_str().and_then(KeyUsage::from_name);
        known.ok_or_else(|| format!("key_usage: {name} is not known"))
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
    // The PIN itself is a key of its own.
    members.end(if policy.pin_policy.as_ref().is_some_and(|pin| pin.pin_key_id.is_some()) { &["pin"] } else { &[] })?;
    Ok(policy)
}
