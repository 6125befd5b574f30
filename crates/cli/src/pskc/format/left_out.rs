//! What a package says that a format has no place for.

use pskc::KeyPackage;

/// With a format that has all values of RFC 6030, and no extensions.
pub(in crate::pskc) fn of_all(package: &KeyPackage) -> Vec<&'static str> {
    if is_extended(package) { vec!["extensions"] } else { Vec::new() }
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

/// With a format of authenticators, in which a key has this `name`, and an issuer where there is place for one.
pub(super) fn of_apps(package: &KeyPackage, name: &str, has_issuer: bool) -> Vec<&'static str> {
    let device = package.device_info.as_ref();
    let key = package.key.as_ref();
    let data = key.and_then(|key| key.data.as_ref());
    let is_other = |text: Option<&String>| text.is_some_and(|text| text != name);
    // The Id that a reader of the line makes is no loss.
    let issuer = key.and_then(|key| key.issuer.as_deref());
    let has_id = |id: &str| id == name || (has_issuer && issuer.is_some_and(|issuer| id == format!("{issuer}:{name}")));
    let parts = [
        ("extensions", is_extended(package)),
        ("Ids", key.is_some_and(|key| !has_id(&key.id))),
        ("user ids", is_other(key.and_then(|key| key.user_id.as_ref()))),
        ("friendly names", is_other(key.and_then(|key| key.friendly_name.as_ref()))),
        ("issuers", !has_issuer && issuer.is_some()),
        ("serial numbers", is_other(device.and_then(|device| device.serial_no.as_ref()))),
        ("manufacturers", device.is_some_and(|device| device.manufacturer.is_some())),
        ("models", device.is_some_and(|device| device.model.is_some())),
        ("issue numbers", device.is_some_and(|device| device.issue_no.is_some())),
        ("device bindings", device.is_some_and(|device| device.device_binding.is_some())),
        ("dates of devices", device.is_some_and(|device| device.start_date.or(device.expiry_date).is_some())),
        ("users of devices", device.is_some_and(|device| device.user_id.is_some())),
        ("cryptographic modules", package.crypto_module_info.is_some()),
        ("key profiles", key.is_some_and(|key| key.key_profile_id.is_some())),
        ("key references", key.is_some_and(|key| key.key_reference.is_some())),
        ("usages", key.and_then(|key| key.policy.as_ref()).is_some_and(|policy| !policy.key_usage.is_empty())),
        (
            "forms of challenges",
            key.and_then(|key| key.algorithm_parameters.as_ref()).is_some_and(|part| part.challenge_format.is_some()),
        ),
        ("drifts of clocks", data.and_then(|data| data.time_drift.as_ref()?.plain()).is_some_and(|drift| *drift != 0)),
    ];
    parts.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}
