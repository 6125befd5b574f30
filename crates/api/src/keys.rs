//! Keys, and one-time passwords made with them.

use serde::{Deserialize, Serialize};

use crate::{DeviceIdentity, HashName, KeyState, KeyType, SecretString};

/// Parameters of a key, as far as its type has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// HOTP: the first counter.
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
pub struct Key {
    /// Its identifier.
    pub key_id: String,
    /// Its state.
    pub state: KeyState,
    /// What it is for.
    pub key_type: KeyType,
    /// The user's name; a key that was imported may have none yet.
    pub user: Option<String>,
    /// Its parameters.
    pub params: KeyParameters,
    /// The device that holds it.
    pub device: Option<DeviceIdentity>,
    /// The enrolment that it came of; an imported key came of none.
    pub enrolment: Option<String>,
    /// The address of the DSKPP server in the run that made it (URL_S).
    pub url_s: Option<String>,
    /// When it was created or imported (RFC 3339, UTC).
    pub created_at: Option<String>,
    /// When it may first be used (RFC 3339, UTC).
    pub start_at: Option<String>,
    /// When it may last be used (RFC 3339, UTC).
    pub expires_at: Option<String>,
    /// How often it may still be used.
    pub uses_left: Option<u64>,
}

/// Which keys to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyQuery {
    /// Only those of this user.
    pub user: Option<String>,
    /// Only those after this one: the `next` of the page before.
    pub after: Option<String>,
    /// At most so many, 1 to 100; 100 by default.
    pub limit: Option<usize>,
}

/// A key in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a key")]
pub enum ListedKey {
    /// Its row in the database is damaged.
    Unreadable(UnreadableKey),
    /// It could be read.
    Readable(Box<Key>),
}

/// A key whose row in the database is damaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UnreadableKey {
    /// Its identifier.
    pub key_id: String,
    /// The first column that could not be read.
    pub unreadable: String,
}

/// To whom an imported key is assigned.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyOwner {
    /// The user's name: 1 to 256 printable characters. The user is created if there is none.
    pub user: String,
}

/// The secret of a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeySecret {
    /// K_TOKEN, in hexadecimal.
    pub secret_hex: SecretString,
}

/// Consecutive one-time passwords of one key, by which the server finds its counter or its clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resync {
    /// Two to five, each of at most 256 octets, in the order in which the token made them.
    pub otps: Vec<SecretString>,
}

/// The result of a [`Resync`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resynced {
    /// Whether the passwords were found.
    pub synchronised: bool,
}

/// A one-time password to check, of one key or of any key of a user. One of `user`, `key_id` and `client_id` is needed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The password, or the response of an OCRA key; at most 256 octets.
    pub otp: SecretString,
    /// The challenge that an OCRA key answers; at most 256 octets. The caller makes it, and it must be fresh: new and
    /// unpredictable each time, never taken from whoever answers it. Where the suite has no counter, nothing else
    /// keeps a response from being used twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenge: Option<String>,
    /// The client ID of the enrolment whose key waits for its first password (RFC 6063 §10.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl Attempt {
    /// A password of that key.
    pub fn of_key(key_id: &str, otp: &str) -> Self {
        Attempt { key_id: Some(key_id.to_owned()), otp: otp.to_owned().into(), ..Attempt::default() }
    }
}

/// The result of an [`Attempt`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the password is right, and was not used before.
    pub valid: bool,
    /// The key that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}
