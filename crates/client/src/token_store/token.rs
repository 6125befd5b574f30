//! What is kept of one key.

use std::fmt;

use dskpp_crypto::Secret;
use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::trust::KServer;

/// A key with everything that belongs to it. `Debug` hides what is secret.
///
/// Fields that came later are left out of the file where they are empty: older programs then still read it, and
/// refuse it where they would pass over a limit that they do not know.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The key's `Id`.
    pub id: String,
    /// A name for people.
    pub label: Option<String>,
    /// The type by its short name: `hotp`, `totp`, `ocra`, `aes128`, …
    pub key_type: String,
    /// The type's URI.
    pub algorithm_uri: String,
    /// K_TOKEN.
    #[serde(with = "super::file::secret")]
    pub secret: Secret,
    /// K_MAC, which a renewal needs (profile P6).
    #[serde(with = "super::file::optional_secret")]
    pub k_mac: Option<Secret>,
    /// The URI of the PRF that K_MAC belongs to.
    pub mac_algorithm: Option<String>,
    /// URL_S of the server that the key came from.
    pub server_url: Option<String>,
    /// Its `ServerID`.
    pub server_id: Option<String>,
    /// The modulus of its K_SERVER, big-endian (profile P29).
    #[serde(with = "super::file::optional_octets")]
    pub k_server: Option<Vec<u8>>,
    /// The public exponent of that, big-endian; `None`: 65537.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::file::optional_octets")]
    pub k_server_exponent: Option<Vec<u8>>,
    /// The certificate, in DER, of the authority that certified it (profile P29).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "super::file::optional_octets")]
    pub k_server_issuer: Option<Vec<u8>>,
    /// The manufacturer of the device that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// That device's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Who issued the key.
    pub issuer: Option<String>,
    /// Whose it is.
    pub user: Option<String>,
    /// Digits of a one-time password.
    pub digits: Option<u8>,
    /// Seconds of a time step.
    pub period_s: Option<u32>,
    /// Steps by which the clock of the device that had the key before was off (`TimeDrift`, RFC 6030 §4.2); codes made
    /// here go by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<i32>,
    /// The hash: `SHA1`, `SHA256`, `SHA512`.
    pub hash: Option<String>,
    /// The next counter.
    pub counter: Option<u64>,
    /// The suite of OCRA.
    pub suite: Option<String>,
    /// From when the key may be used, RFC 3339.
    pub start: Option<String>,
    /// Until when, RFC 3339.
    pub expiry: Option<String>,
    /// How often it may still be used (`NumberOfTransactions`, RFC 6030 §5); `None`: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
    /// What it may be used for (`KeyUsage`, spelled as in RFC 6030 §5); empty: everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usages: Vec<String>,
    /// The id that it had until a renewal gave that to another key. The server may want the old one until it has seen
    /// the new one in use (RFC 6063 §10.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_of: Option<String>,
    /// When it was stored, RFC 3339.
    pub created_at: String,
}

impl Token {
    /// Which of its texts could not be shown or typed, so that no store takes it. Whoever made the key chose them: a
    /// server, or who wrote a file.
    pub(crate) fn not_a_name(&self) -> Option<&'static str> {
        let names = [
            ("label", &self.label),
            ("issuer", &self.issuer),
            ("manufacturer", &self.manufacturer),
            ("serial number", &self.serial),
        ];
        let long = [("user", &self.user), ("server", &self.server_id), ("suite", &self.suite)];
        let [id, algorithm] = [Some(self.id.clone()), Some(self.algorithm_uri.clone())];
        let names = names.into_iter().chain([("id", &id)]).map(|(what, text)| (what, text, pskc::MAX_NAME_LEN));
        let long = long
            .into_iter()
            .chain([("algorithm", &algorithm)])
            .map(|(what, text)| (what, text, pskc::MAX_LONG_NAME_LEN));
        let wrong = |text: &Option<String>, most| text.as_ref().is_some_and(|text| !pskc::is_visible(text, most));
        names.chain(long).find(|(_, text, most)| wrong(text, *most)).map(|(what, ..)| what)
    }

    /// What makes `other` another key than this one. What changes in use does not: the counter, the uses that are left,
    /// the clock's drift; nor do names.
    pub(super) fn difference(&self, other: &Token) -> Option<&'static str> {
        let hash = |token: &Token| token.hash.clone().unwrap_or_else(|| "SHA1".to_owned());
        let policy = |token: &Token| (token.start.clone(), token.expiry.clone(), token.usages.clone());
        let parts = [
            ("secret", self.secret == other.secret),
            ("algorithm", self.algorithm_uri == other.algorithm_uri),
            ("hash", hash(self) == hash(other)),
            ("number of digits", self.digits == other.digits),
            ("time step", self.period_s == other.period_s),
            ("suite", self.suite == other.suite),
            ("policy", policy(self) == policy(other)),
        ];
        parts.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
    }

    pub(super) fn checked(self) -> Result<Self, StoreError> {
        self.not_a_name().map_or(Ok(self), |what| Err(StoreError::NotAName(what)))
    }

    /// The fingerprint of its K_SERVER: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in DER, 64 lower-case
    /// hexadecimal digits.
    pub fn k_server_fingerprint(&self) -> Option<String> {
        KServer::of(self).map(|k_server| k_server.fingerprint())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).field("key_type", &self.key_type).finish_non_exhaustive()
    }
}
