//! Test files of other projects, if `../shared/vectors/pskc` exists: each is read to what an
//! independent reader finds, except encrypted values.

use std::path::PathBuf;

use pskc::xml::XmlError;
use pskc::{DateTime, DeviceInfo, Error, Key, KeyContainer, KeyPackage, PinUsageMode, Policy, Value, ValueFormat};
use serde_json::{Value as Json, json};

#[test]
fn files_of_vendors_and_drafts_read_like_an_independent_reader() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/pskc");
    let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "the vectors are missing");
        eprintln!("not checked: needs ../shared/vectors/pskc");
        return;
    };
    let expected: Json = serde_json::from_str(&expected).unwrap();
    let files = expected["files"].as_object().unwrap();
    for (name, expected) in files {
        let document = std::fs::read(folder.join(name)).unwrap();
        let read = KeyContainer::from_xml_lenient(&document);
        if expected["expect_error"]["stage"] == "load" {
            assert!(read.is_err(), "{name} must be refused");
            continue;
        }
        let (container, told) = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        match KeyContainer::from_xml(&document) {
            Ok(strict) => {
                let strict = KeyContainer { version: container.version.clone(), ..strict };
                let same = without_layout(&strict) == without_layout(&container);
                assert!(same && told.is_empty(), "{name} is valid: {told:?}");
            }
            Err(Error::Xml(XmlError::Unexpected { .. })) => {} // may be an unreported order
            Err(error) => assert!(!told.is_empty(), "{name}: nothing is told of {error}"),
        }
        assert_eq!(container.signed, expected.get("signature").is_some(), "{name}");
        assert_eq!(container.id.as_deref(), expected["container"]["id"].as_str(), "{name}: id");
        header(name, &container, &expected["encryption"]);
        let keys = expected["keys"].as_array().unwrap();
        assert_eq!(container.key_packages.len(), keys.len(), "{name}");
        for (package, expected) in container.key_packages.iter().zip(keys) {
            compare(name, package, expected);
        }
        let written = KeyContainer { signed: false, ..container };
        let mut policies = written.key_packages.iter().filter_map(|package| package.key.as_ref()?.policy.as_ref());
        match policies.all(|policy| policy.is_valid()) {
            true => assert_eq!(KeyContainer::from_xml(&written.to_xml()).as_ref(), Ok(&written), "{name}: written"),
            false => assert!(KeyContainer::from_xml(&written.to_xml()).is_err(), "{name}: written"),
        }
    }
    assert!(files.len() > 50, "only {} files", files.len());
}

/// The XML without white space between elements, which strict reading keeps in extensions.
fn without_layout(container: &KeyContainer) -> Vec<String> {
    let text = String::from_utf8(container.to_xml()).unwrap();
    let mut tags: Vec<String> = Vec::new();
    for tag in text.split('<').map(str::trim_end) {
        match tags.last_mut() {
            // `<a></a>` is `<a/>`
            Some(start) if tag.starts_with('/') && start.ends_with('>') && !start.starts_with('/') => {
                let name = |tag: &str| tag.trim_matches(['/', '>']).split([' ', '>']).next().map(str::to_owned);
                if name(start) == name(tag) && !start.ends_with("/>") {
                    start.insert(start.len() - 1, '/');
                    continue;
                }
                tags.push(tag.to_owned());
            }
            _ => tags.push(tag.to_owned()),
        }
    }
    tags
}

fn header(name: &str, container: &KeyContainer, expected: &Json) {
    let mac = container.mac_method.as_ref().map(|method| method.algorithm.as_str());
    // The independent reader names the MAC that the RFC implies, even if the file declares none.
    if mac.is_some() {
        assert_eq!(mac, expected["mac_algorithm"].as_str(), "{name}: MAC");
    }
    let named = container.encryption_key.as_ref().and_then(|key| key.key_name.as_deref());
    if named.is_some() {
        assert_eq!(named, expected["key_name"].as_str(), "{name}: key name");
    }
}

fn compare(name: &str, package: &KeyPackage, expected: &Json) {
    let (no_device, no_key) = (DeviceInfo::default(), Key::default());
    let device = package.device_info.as_ref().unwrap_or(&no_device);
    let key = package.key.as_ref().unwrap_or(&no_key);
    let format = key.algorithm_parameters.clone().unwrap_or_default();
    let (challenge, response) = (format.challenge_format, format.response_format);
    let found = json!({
        "algorithm": key.algorithm, "issuer": key.issuer, "key_profile": key.key_profile_id,
        "key_reference": key.key_reference, "friendly_name": key.friendly_name, "key_userid": key.user_id,
        "manufacturer": device.manufacturer, "serial": device.serial_no, "model": device.model,
        "issue_no": device.issue_no, "device_binding": device.device_binding, "device_userid": device.user_id,
        "crypto_module": package.crypto_module_info.as_ref().map(|module| &module.id),
        "algorithm_suite": format.suite,
        "challenge_encoding": challenge.map(|format| format.encoding.as_str()),
        // The independent reader omits zero here.
        "challenge_min_length": challenge.map(|format| format.min).filter(|min| *min > 0),
        "challenge_max_length": challenge.map(|format| format.max),
        "challenge_check": challenge.and_then(|format| format.check_digits),
        "response_encoding": response.map(|format| format.encoding.as_str()),
        "response_length": response.map(|format| format.length),
        "response_check": response.and_then(|format| format.check_digits),
    });
    for (field, found) in found.as_object().unwrap() {
        assert_eq!(found, &expected[field], "{name}: {field}");
    }
    // A key without Id gets the serial number, if any.
    let id = expected["id"].as_str().or(expected["serial"].as_str()).unwrap_or_default();
    assert_eq!(key.id, id, "{name}: id");
    let date = |text: &Json| -> Option<DateTime> {
        let text = text.as_str()?;
        let zone = if text.ends_with('Z') || text.contains('+') { "" } else { "Z" };
        Some(format!("{text}{zone}").parse().expect("a time"))
    };
    let dates = (date(&expected["start_date"]), date(&expected["expiry_date"]));
    assert_eq!((device.start_date, device.expiry_date), dates, "{name}: dates");
    values(name, key, expected);
    let policy = key.policy.clone().unwrap_or_default();
    let rules = &expected["policy"];
    assert_eq!((policy.start_date, policy.expiry_date), (date(&rules["start_date"]), date(&rules["expiry_date"])));
    compare_policy(name, &policy, rules);
}

fn values(name: &str, key: &Key, expected: &Json) {
    let data = key.data.clone().unwrap_or_default();
    let number = |value: &Option<Value<i32>>| value.as_ref().map(|value| value.plain().map(|value| i64::from(*value)));
    let secret = data.secret.as_ref().map(|secret| secret.plain().map(|secret| hex(secret.expose())));
    let found = [
        ("secret_hex", secret.map(|secret| secret.map(Json::from))),
        ("counter", data.counter.map(|counter| counter.plain().map(|counter| Json::from(*counter)))),
        ("time_offset", number(&data.time).map(|time| time.map(Json::from))),
        ("time_interval", number(&data.time_interval).map(|time| time.map(Json::from))),
        ("time_drift", number(&data.time_drift).map(|time| time.map(Json::from))),
    ];
    for (field, found) in found {
        match found {
            Some(Some(plain)) => assert_eq!(Some(&plain), expected.get(field), "{name}: {field}"),
            Some(None) => {} // encrypted here, decrypted there
            None => assert_eq!(expected.get(field), None, "{name}: {field} is lost"),
        }
    }
}

fn compare_policy(name: &str, policy: &Policy, expected: &Json) {
    let uses: Vec<_> = policy.key_usage.iter().map(|usage| usage.as_str()).collect();
    let expected_uses: Vec<_> =
        expected["key_usage"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    assert_eq!(uses, expected_uses, "{name}: key usage");
    let pin = policy.pin_policy.clone().unwrap_or_default();
    let found = json!({
        "number_of_transactions": policy.number_of_transactions, "pin_key_id": pin.pin_key_id,
        "pin_usage": pin.pin_usage_mode.map(PinUsageMode::as_str), "pin_max_failed_attempts": pin.max_failed_attempts,
        "pin_min_length": pin.min_length, "pin_max_length": pin.max_length,
        "pin_encoding": pin.pin_encoding.map(ValueFormat::as_str),
    });
    for (field, found) in found.as_object().unwrap() {
        assert_eq!(found, &expected[field], "{name}: {field}");
    }
    let unknown = expected["unknown_policy_elements"].as_bool().unwrap_or(false);
    assert_eq!(policy.is_understood(), !unknown, "{name}: a policy is understood or not");
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
