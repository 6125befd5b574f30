//! Keys and their one-time passwords.

use serde::{Deserialize, Serialize};

use crate::devices::given;
use crate::{DeviceIdentity, HashName, KeyState, KeyType, SecretString};

/// Parameters of a key, as its type requires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeyParameters {
    /// Digits of a one-time password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
    /// TOTP: seconds of a time step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_s: Option<u32>,
    /// TOTP: the hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<HashName>,
    /// HOTP: the initial counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// OCRA: the suite (RFC 6287 §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Keys of type `other`: the URI of the algorithm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// What an imported key may be used for (RFC 6030 §5); empty: everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<String>,
    /// How the PIN of an imported key reaches the server: `Prepend`, `Append` or `Algorithmic` (RFC 6030 §5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// A key, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeySummary {
    /// Its identifier.
    pub key_id: String,
    /// Its state.
    pub state: KeyState,
    /// Its type.
    pub key_type: KeyType,
    /// The user's name; an imported key may have no user yet.
    pub user: Option<String>,
    /// Its parameters.
    pub params: KeyParameters,
    /// Its device.
    pub device: Option<DeviceIdentity>,
    /// The enrolment that provisioned it; imported keys have none.
    pub enrolment: Option<String>,
    /// The URL of the DSKPP server in the run that provisioned it (URL_S).
    pub url_s: Option<String>,
    /// What operators call it.
    #[serde(default)]
    pub label: Option<String>,
    /// When it was created or imported (RFC 3339, UTC).
    pub created_at: Option<String>,
    /// Start of its validity (RFC 3339, UTC).
    pub start_at: Option<String>,
    /// End of its validity (RFC 3339, UTC).
    pub expires_at: Option<String>,
    /// Remaining uses.
    pub uses_left: Option<u64>,
}

/// Which keys to list. With other filters than `user`, a page may have fewer keys than `limit`, or none, and a `next`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    /// Only keys of this user.
    pub user: Option<String>,
    /// Only keys in this state.
    pub state: Option<KeyState>,
    /// Only keys of this type.
    pub key_type: Option<KeyType>,
    /// Only keys that were made or imported at or after this time (RFC 3339).
    pub created_since: Option<String>,
    /// Only keys that were made or imported before this time (RFC 3339).
    pub created_until: Option<String>,
    /// Only keys after this one: `next` of the previous page.
    pub after: Option<String>,
    /// Page size, 1 to 100; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub limit: Option<usize>,
}

/// A key in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected a key")]
pub enum ListedKey {
    /// Its row in the database is damaged.
    Unreadable(UnreadableKey),
    /// A readable key.
    Readable(Box<KeySummary>),
}

/// A key whose row in the database is damaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnreadableKey {
    /// Its identifier.
    pub key_id: String,
    /// The first unreadable column.
    pub unreadable: String,
}

/// The user to assign an imported key to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyOwner {
    /// The user's name: 1 to 256 printable characters. Creates the user if necessary.
    pub user: String,
}

/// Changes to a key. Omitted members stay unchanged; `null` removes the value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyChangeRequest {
    /// What operators call it: 1 to 256 printable characters.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub label: Option<Option<String>>,
    /// Its new owner, by name: 1 to 256 printable characters. Creates the user if necessary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The secret of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KeySecret {
    /// K_TOKEN, in hexadecimal.
    pub secret_hex: SecretString,
}

/// Consecutive one-time passwords of one key, to resynchronise its counter or clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resync {
    /// Two to five passwords of at most 256 octets each, in the order in which the token made them.
    #[cfg_attr(feature = "schema", schemars(length(min = 2, max = 5)))]
    pub otps: Vec<SecretString>,
}

/// The result of a [`Resync`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Resynced {
    /// Whether the passwords matched.
    pub synchronised: bool,
}

/// A one-time password to validate, for one key or any key of a user. Requires `user`, `key_id` or `client_id`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ValidationRequest {
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The password, or the response of an OCRA key; at most 256 octets.
    pub otp: SecretString,
    /// The challenge of an OCRA response; at most 256 octets. The caller must generate a fresh, unpredictable challenge
    /// for each attempt and never accept one from the responder. Unless the suite has a counter, only the challenge
    /// prevents replay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The client ID of the enrolment whose key awaits its first password (RFC 6063 §10.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The IP address from which the person logs in: wrong passwords from there make it wait, beside those of all
    /// addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_address: Option<String>,
}

impl ValidationRequest {
    /// An attempt for that key.
    pub fn of_key(key_id: &str, otp: &str) -> Self {
        ValidationRequest {
            key_id: Some(key_id.to_owned()),
            otp: otp.to_owned().into(),
            ..ValidationRequest::default()
        }
    }
}

/// The result of an [`ValidationRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ValidationResult {
    /// Whether the password is correct and was not used before.
    pub valid: bool,
    /// The key that generated it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// The first one-time password of a key that waits for it, from the key's client (RFC 6063 §10.5).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ActivationRequest {
    /// The key.
    pub key_id: String,
    /// The password; at most 256 octets.
    pub otp: SecretString,
    /// `DSKPP-PRF(K_MAC, "OTP activation" || otp, 16)`, hexadecimal, with the PRF of the run that made K_MAC.
    pub mac: String,
}

/// The owner of a key asks by its client for a renewal: the MAC proves K_MAC, the password K_TOKEN.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewalRequest {
    /// The key.
    pub key_id: String,
    /// A password that the key accepts now; at most 256 octets. The request uses it up.
    pub otp: SecretString,
    /// `DSKPP-PRF(K_MAC, "Renewal request" || otp, 16)`, hexadecimal, with the PRF of the run that made K_MAC.
    pub mac: String,
}

/// The answer to a [`RenewalRequest`]: a new enrolment that renews the key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Renewal {
    /// Where its trigger is; secret.
    pub trigger_url: SecretString,
    /// Until when it is good, RFC 3339.
    pub expires_at: String,
}

/// The answer to an [`ActivationRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivationResult {
    /// Whether the key is active now and the password right for it; looking uses up no password of an active key.
    /// Otherwise the answer does not tell why, or whether there is such a key.
    pub active: bool,
    /// Whether this password has activated it now, and is used up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub used: bool,
}
