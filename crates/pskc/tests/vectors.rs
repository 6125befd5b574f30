//! Files that other projects test with, where `../shared/vectors/pskc` is there: what is valid by
//! the schema is read to the values that an independent reader finds; nothing is read to others.

use std::path::PathBuf;

use pskc::{DeviceInfo, Key, KeyContainer, KeyPackage, Value};
use serde_json::Value as Json;

/// The files that the folder's README names as valid by the schema.
const VALID: [&str; 9] = [
    "freeipa/",
    "oath-toolkit/",
    "python-pskc/yubico/",
    "python-pskc/feitian/",
    "python-pskc/multiotp/",
    "python-pskc/rfc6030/figure10",
    "python-pskc/rfc6030/figure9",
    "python-pskc/rfc6030/figure2",
    "python-pskc/rfc6030/figure3",
];

fn is_valid(name: &str) -> bool {
    VALID.iter().any(|prefix| name.starts_with(prefix))
        || ["4", "5", "6", "7"].iter().any(|n| name == format!("python-pskc/rfc6030/figure{n}.pskcxml"))
}

#[test]
fn files_of_other_projects_are_read_to_the_same_values() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/pskc");
    let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "the vectors are missing");
        eprintln!("not checked: needs ../shared/vectors/pskc");
        return;
    };
    let expected: Json = serde_json::from_str(&expected).unwrap();
    let mut read = 0;
    for (name, expected) in expected["files"].as_object().unwrap() {
        let document = std::fs::read(folder.join(name)).unwrap();
        let container = match KeyContainer::from_xml(&document) {
            Ok(container) => container,
            Err(error) => {
                assert!(!is_valid(name), "{name}: {error}");
                continue;
            }
        };
        read += 1;
        let stage = expected["expect_error"]["stage"].as_str();
        assert_ne!(stage, Some("load"), "{name} must be refused");
        assert_eq!(container.signed, expected.get("signature").is_some(), "{name}");
        let keys = expected["keys"].as_array().unwrap();
        assert_eq!(container.key_packages.len(), keys.len(), "{name}");
        for (package, expected) in container.key_packages.iter().zip(keys) {
            compare(name, package, expected);
        }
        let written = KeyContainer { signed: false, ..container };
        assert_eq!(KeyContainer::from_xml(&written.to_xml()).unwrap(), written, "{name}");
    }
    assert!(read >= 20, "only {read} files were read");
}

fn compare(name: &str, package: &KeyPackage, expected: &Json) {
    let (no_device, no_key) = (DeviceInfo::default(), Key::default());
    let device = package.device_info.as_ref().unwrap_or(&no_device);
    let key = package.key.as_ref().unwrap_or(&no_key);
    let parameters = key.algorithm_parameters.clone().unwrap_or_default();
    let data = key.data.clone().unwrap_or_default();
    let text = |value: &Option<String>| value.clone().map(Json::from);
    let number = |value: &Option<Value<i32>>| value.as_ref().and_then(Value::plain).map(|number| Json::from(*number));
    let id = Some(key.id.clone()).filter(|id| !id.is_empty());
    let found = [
        ("id", id.map(Json::from)),
        ("algorithm", text(&key.algorithm)),
        ("issuer", text(&key.issuer)),
        ("key_profile", text(&key.key_profile_id)),
        ("key_reference", text(&key.key_reference)),
        ("friendly_name", text(&key.friendly_name)),
        ("key_userid", text(&key.user_id)),
        ("manufacturer", text(&device.manufacturer)),
        ("serial", text(&device.serial_no)),
        ("model", text(&device.model)),
        ("issue_no", text(&device.issue_no)),
        ("device_binding", text(&device.device_binding)),
        ("device_userid", text(&device.user_id)),
        ("crypto_module", package.crypto_module_info.as_ref().map(|m| m.id.clone().into())),
        ("algorithm_suite", text(&parameters.suite)),
        ("challenge_encoding", parameters.challenge_format.map(|f| f.encoding.as_str().into())),
        ("challenge_min_length", parameters.challenge_format.map(|f| f.min.into())),
        ("challenge_max_length", parameters.challenge_format.map(|f| f.max.into())),
        ("response_encoding", parameters.response_format.map(|f| f.encoding.as_str().into())),
        ("response_length", parameters.response_format.map(|f| f.length.into())),
    ];
    for (field, found) in found {
        assert_eq!(found.as_ref(), expected.get(field), "{name}: {field}");
    }
    // These may be encrypted here, and are decrypted in the expected values.
    let counter = data.counter.as_ref().and_then(Value::plain);
    let secret = data.secret.as_ref().and_then(Value::plain);
    let hexadecimal =
        |secret: &dskpp_crypto::Secret| secret.expose().iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let plain = [
        ("counter", counter.map(|counter| Json::from(*counter))),
        ("time_offset", number(&data.time)),
        ("time_interval", number(&data.time_interval)),
        ("time_drift", number(&data.time_drift)),
        ("secret_hex", secret.map(|secret| hexadecimal(secret).into())),
    ];
    for (field, found) in plain {
        if found.is_some() {
            assert_eq!(found.as_ref(), expected.get(field), "{name}: {field}");
        }
    }
    for (field, found) in [("start_date", device.start_date), ("expiry_date", device.expiry_date)] {
        let expected = expected.get(field).and_then(Json::as_str);
        let utc = |text: &str| {
            let zone = if text.ends_with('Z') || text.contains('+') { "" } else { "Z" };
            format!("{text}{zone}").parse().expect("a time")
        };
        assert_eq!(found, expected.map(utc), "{name}: {field}");
    }
}
