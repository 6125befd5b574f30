//! Names that are too long to import.

use pskc::{KeyPackage, MAX_LONG_NAME_LEN, MAX_NAME_LEN};

/// The first text of the package that is too long, with its length in characters.
pub(super) fn too_long(package: &KeyPackage) -> Option<String> {
    let (device, key) = (package.device_info.as_ref(), package.key.as_ref());
    let texts = [
        ("id", key.map(|key| &key.id), MAX_NAME_LEN),
        ("serial number", device.and_then(|device| device.serial_no.as_ref()), MAX_NAME_LEN),
        ("manufacturer", device.and_then(|device| device.manufacturer.as_ref()), MAX_NAME_LEN),
        ("model", device.and_then(|device| device.model.as_ref()), MAX_NAME_LEN),
        ("issuer", key.and_then(|key| key.issuer.as_ref()), MAX_NAME_LEN),
        ("friendly name", key.and_then(|key| key.friendly_name.as_ref()), MAX_NAME_LEN),
        ("user id", key.and_then(|key| key.user_id.as_ref()), MAX_LONG_NAME_LEN),
        ("device's user id", device.and_then(|device| device.user_id.as_ref()), MAX_LONG_NAME_LEN),
    ];
    texts.into_iter().find_map(|(name, text, most)| {
        let len = text.filter(|text| text.len() > most)?.chars().count();
        (len > most).then(|| format!("its {name} has {len} characters; the limit is {most}"))
    })
}
