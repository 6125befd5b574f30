//! Texts of a package that cannot be displayed or typed.

use crate::KeyPackage;
use crate::shown::{MAX_LONG_NAME_LEN, MAX_NAME_LEN, is_visible};

/// A text of a package that cannot be displayed or typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unshown {
    /// The element or attribute.
    pub name: &'static str,
    /// The consequence, in words.
    pub effect: &'static str,
    /// Whether a token store refuses the key.
    pub is_refused: bool,
}

/// The texts in a package that cannot be displayed or typed, and how token stores and servers react.
pub fn unshown(package: &KeyPackage) -> impl Iterator<Item = Unshown> {
    const DEVICE: &str = "a token store refuses the key, a server omits its device";
    const REFUSED: &str = "a token store refuses the key";
    const KEPT: &str = "programs show it with escapes, or not at all";
    const USER: &str = "a token store refuses the key, as does a server that reads the user from it";
    const LONG_USER: &str =
        "a server that reads the user from it may refuse the key: user names have at most 256 characters";
    let device = package.device_info.as_ref();
    let key = package.key.as_ref();
    let of_key = key.and_then(|key| key.user_id.as_deref()).filter(|user| !user.is_empty());
    let of_device = device.and_then(|device| device.user_id.as_deref());
    let user = |text: Option<&str>| match text {
        Some(text) if is_visible(text, MAX_LONG_NAME_LEN) => (MAX_NAME_LEN, LONG_USER, false),
        _ => (MAX_NAME_LEN, USER, true),
    };
    let texts = [
        ("Manufacturer", device.and_then(|device| device.manufacturer.as_deref()), (MAX_NAME_LEN, DEVICE, true)),
        ("SerialNo", device.and_then(|device| device.serial_no.as_deref()), (MAX_NAME_LEN, DEVICE, true)),
        ("Model", device.and_then(|device| device.model.as_deref()), (MAX_NAME_LEN, KEPT, false)),
        ("IssueNo", device.and_then(|device| device.issue_no.as_deref()), (MAX_NAME_LEN, KEPT, false)),
        (
            "UserId (of the device)",
            of_device,
            if of_key.is_some() { (MAX_NAME_LEN, KEPT, false) } else { user(of_device) },
        ),
        ("Algorithm", key.and_then(|key| key.algorithm.as_deref()), (MAX_LONG_NAME_LEN, REFUSED, true)),
        ("Issuer", key.and_then(|key| key.issuer.as_deref()), (MAX_NAME_LEN, REFUSED, true)),
        ("FriendlyName", key.and_then(|key| key.friendly_name.as_deref()), (MAX_NAME_LEN, REFUSED, true)),
        ("UserId", of_key, user(of_key)),
    ];
    let is_unshown = |text: &str, most| !text.is_empty() && !is_visible(text, most);
    texts.into_iter().filter_map(move |(name, text, (most, effect, is_refused))| {
        is_unshown(text?, most).then_some(Unshown { name, effect, is_refused })
    })
}
