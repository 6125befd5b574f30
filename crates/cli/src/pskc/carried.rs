//! The texts that PSKC can carry: valid XML characters, no white space at either end (readers trim it).

use pskc::KeyPackage;
use pskc::xml::{is_language, is_text, trim};

/// # Errors
/// Which text a reader would not get back unchanged.
pub(crate) fn carries(package: &KeyPackage) -> Result<(), String> {
    let (key, device) = (package.key.as_ref(), package.device_info.as_ref());
    let suite = key.and_then(|key| key.algorithm_parameters.as_ref()?.suite.as_ref());
    let pin = key.and_then(|key| key.policy.as_ref()?.pin_policy.as_ref()?.pin_key_id.as_ref());
    let attributes =
        [("Id", key.map(|key| &key.id)), ("algorithm", key.and_then(|key| key.algorithm.as_ref())), ("PIN's key", pin)];
    let texts = [
        ("issuer", key.and_then(|key| key.issuer.as_ref())),
        ("friendly name", key.and_then(|key| key.friendly_name.as_ref())),
        ("user id", key.and_then(|key| key.user_id.as_ref())),
        ("key profile", key.and_then(|key| key.key_profile_id.as_ref())),
        ("key reference", key.and_then(|key| key.key_reference.as_ref())),
        ("suite", suite),
        ("manufacturer", device.and_then(|device| device.manufacturer.as_ref())),
        ("serial number", device.and_then(|device| device.serial_no.as_ref())),
        ("model", device.and_then(|device| device.model.as_ref())),
        ("issue number", device.and_then(|device| device.issue_no.as_ref())),
        ("device binding", device.and_then(|device| device.device_binding.as_ref())),
        ("user of the device", device.and_then(|device| device.user_id.as_ref())),
        ("cryptographic module", package.crypto_module_info.as_ref().map(|module| &module.id)),
    ];
    let bad = |text: &String| !is_text(text);
    let wrong = attributes.into_iter().find(|(_, text)| text.is_some_and(bad));
    let wrong = wrong.or_else(|| texts.into_iter().find(|(_, text)| text.is_some_and(|it| bad(it) || trim(it) != it)));
    let language = key.and_then(|key| key.friendly_name_language.as_deref());
    match wrong {
        None if language.is_some_and(|language| !is_language(language)) => {
            Err("the format cannot carry the language of its friendly name: not a language tag (RFC 5646)".to_owned())
        }
        None => Ok(()),
        Some((what, text)) => {
            let why = match text.is_some_and(bad) {
                true => "XML has no such character",
                false => "readers trim white space at its ends",
            };
            Err(format!("the format cannot carry its {what} unchanged: {why}"))
        }
    }
}
