//! What a format cannot express of a package.

use pskc::{AlgorithmParameters, DeviceInfo, Key, KeyData, KeyKind, KeyPackage, PinPolicy, Policy};

use crate::pskc::summary::Summary;
use crate::shown::note;

/// Reports file-level properties, which only PSKC can express.
pub(in crate::pskc) fn tell_of_file(summary: &Summary) {
    if !summary.trailer.extensions.is_empty() {
        note("the format has no place for the extensions of the container: they are left out");
    }
    if summary.header.id.is_some() {
        note("the format has no place for the Id of the container: it is left out");
    }
    if summary.header.language.is_some() {
        note("the format has no place for the language of the container: it is left out");
    }
}

/// For a format with all values of RFC 6030 but no extensions. `texts` and `policies`: whether it loses empty ones.
/// `policies`.
pub(in crate::pskc) fn of_all(package: &KeyPackage, texts: bool, policies: bool) -> Vec<&'static str> {
    let has_empty = texts && has_empty_text(package) || policies && has_empty_policy(package) || has_empty(package);
    let parts = [("extensions", is_extended(package)), (EMPTY, has_empty)];
    parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

/// For a format in which a PIN is part of its key's line.
pub(in crate::pskc) fn of_pin(package: &KeyPackage) -> Vec<&'static str> {
    let bare = package.key.as_ref().map(|key| Key {
        id: key.id.clone(),
        algorithm: key.algorithm.clone(),
        data: Some(KeyData { secret: key.data.as_ref().and_then(|data| data.secret.clone()), ..KeyData::default() }),
        ..Key::default()
    });
    let is_bare = *package == KeyPackage { key: bare, ..KeyPackage::default() };
    if is_bare { Vec::new() } else { vec!["attributes of PIN keys"] }
}

const EMPTY: &str = "empty elements";

fn has_empty_text(package: &KeyPackage) -> bool {
    let (key, device) = (package.key.as_ref(), package.device_info.as_ref());
    let of_key = key.map(|key| {
        let suite = key.algorithm_parameters.as_ref().and_then(|part| part.suite.as_ref());
        let pin = key.policy.as_ref().and_then(|policy| policy.pin_policy.as_ref()?.pin_key_id.as_ref());
        let texts = [&key.algorithm, &key.issuer, &key.key_profile_id, &key.key_reference, &key.friendly_name];
        let more = [&key.friendly_name_language, &key.user_id];
        texts.into_iter().chain(more).map(Option::as_ref).chain([suite, pin])
    });
    let of_device = device.map(|device| {
        let DeviceInfo { manufacturer, serial_no, model, issue_no, device_binding, user_id, .. } = device;
        [manufacturer, serial_no, model, issue_no, device_binding, user_id].map(Option::as_ref)
    });
    let module = package.crypto_module_info.as_ref().map(|module| &module.id);
    let texts = of_key.into_iter().flatten().chain(of_device.into_iter().flatten()).chain([module]);
    texts.flatten().any(String::is_empty)
}

fn has_empty_policy(package: &KeyPackage) -> bool {
    let policy = package.key.as_ref().and_then(|key| key.policy.as_ref());
    policy.is_some_and(|policy| *policy == Policy::default())
}

fn has_empty(package: &KeyPackage) -> bool {
    let key = package.key.as_ref();
    package.device_info.as_ref().is_some_and(|device| *device == DeviceInfo::default())
        || key.and_then(|key| key.data.as_ref()).is_some_and(|data| *data == KeyData::default())
        || key
            .and_then(|key| key.algorithm_parameters.as_ref())
            .is_some_and(|part| *part == AlgorithmParameters::default())
        || key.and_then(|key| key.policy.as_ref()?.pin_policy.as_ref()).is_some_and(|pin| *pin == PinPolicy::default())
}

fn is_extended(package: &KeyPackage) -> bool {
    let key = package.key.as_ref();
    let extended = [
        Some(&package.extensions),
        package.device_info.as_ref().map(|device| &device.extensions),
        package.crypto_module_info.as_ref().map(|module| &module.extensions),
        key.map(|key| &key.extensions),
        key.and_then(|key| key.algorithm_parameters.as_ref()).map(|parameters| &parameters.extensions),
    ];
    extended.into_iter().flatten().any(|extensions| !extensions.is_empty())
        || key.and_then(|key| key.data.as_ref()).is_some_and(|data| !data.other.is_empty())
}

/// For an authenticator format, which has a `name`, and possibly an issuer, per key.
pub(super) fn of_apps(package: &KeyPackage, name: &str, has_issuer: bool) -> Vec<&'static str> {
    let device = package.device_info.as_ref();
    let key = package.key.as_ref();
    let data = key.and_then(|key| key.data.as_ref());
    let pin = key.and_then(|key| key.policy.as_ref()?.pin_policy.as_ref());
    let is_other = |text: Option<&String>| text.is_some_and(|text| text != name);
    // An Id that a reader would derive from the line is not lost.
    let issuer = key.and_then(|key| key.issuer.as_deref());
    let has_id = |id: &str| id == name || (has_issuer && issuer.is_some_and(|issuer| id == format!("{issuer}:{name}")));
    let parts = [
        ("extensions", is_extended(package)),
        (EMPTY, has_empty_text(package) || has_empty_policy(package) || has_empty(package)),
        ("Ids", key.is_some_and(|key| !has_id(&key.id))),
        ("user ids", is_other(key.and_then(|key| key.user_id.as_ref()))),
        ("friendly names", is_other(key.and_then(|key| key.friendly_name.as_ref()))),
        ("languages of names", key.is_some_and(|key| key.friendly_name_language.is_some())),
        ("issuers", !has_issuer && issuer.is_some()),
        ("serial numbers", is_other(device.and_then(|device| device.serial_no.as_ref()))),
        ("manufacturers", device.is_some_and(|device| device.manufacturer.is_some())),
        ("models", device.is_some_and(|device| device.model.is_some())),
        ("issue numbers", device.is_some_and(|device| device.issue_no.is_some())),
        ("device bindings", device.is_some_and(|device| device.device_binding.is_some())),
        ("device dates", device.is_some_and(|device| device.start_date.or(device.expiry_date).is_some())),
        ("device users", device.is_some_and(|device| device.user_id.is_some())),
        ("cryptographic modules", package.crypto_module_info.is_some()),
        ("key profiles", key.is_some_and(|key| key.key_profile_id.is_some())),
        ("key references", key.is_some_and(|key| key.key_reference.is_some())),
        ("usages", key.and_then(|key| key.policy.as_ref()).is_some_and(|policy| !policy.key_usage.is_empty())),
        (
            "challenge formats",
            key.and_then(|key| key.algorithm_parameters.as_ref()).is_some_and(|part| part.challenge_format.is_some()),
        ),
        ("PIN encodings", pin.is_some_and(|pin| pin.pin_encoding.is_some())),
        ("PIN Ids", pin.and_then(|pin| pin.pin_key_id.as_ref()).is_some_and(|id| *id != format!("{name}-pin"))),
        ("values that the algorithm does not use", key.zip(data).is_some_and(|(key, data)| has_idle(key, data))),
        ("clock drifts", data.and_then(|data| data.time_drift.as_ref()?.plain()).is_some_and(|drift| *drift != 0)),
    ];
    parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

/// Whether a HOTP key has time values, or a TOTP key a counter.
fn has_idle(key: &Key, data: &KeyData) -> bool {
    match key.algorithm.as_deref().map(KeyKind::of_uri) {
        Some(KeyKind::Totp) => data.counter.is_some(),
        _ => data.time.is_some() || data.time_interval.is_some() || data.time_drift.is_some(),
    }
}
