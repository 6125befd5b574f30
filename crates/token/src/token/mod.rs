//! A token: one key and all that belongs to it, as a value. Nothing here does I/O or reads a clock.

mod error;
mod import;
pub(crate) mod k_server;
mod key_type;
mod otp;
pub(crate) mod parameters;
pub(crate) mod policy;
mod proof;
mod stored;

use std::fmt;

use dskpp::algorithm::{KeyType, MacAlgorithm};
use dskpp::prf::Prf;
use dskpp_crypto::Secret;
use pskc::DateTime;

use k_server::RememberedKServer;
use parameters::{Terms, TokenParameters};

pub use error::{MOST_OLD, TokenError};
pub use import::ImportError;
pub use key_type::{key_type_from_name, key_type_name};
pub use otp::{Otp, OtpInput};
pub use policy::NotAllowed;
pub use proof::Proof;

/// What errors say about an invalid text.
pub(crate) const NOT_A_NAME: &str = "is empty, longer than 256 characters (a user's name: 1024), or contains deceptive \
                                     characters (controls, line breaks, reversed or invisible text, spaces at the ends)";

/// A key and all that belongs to it. `Debug` hides secrets.
///
/// Its methods change nothing: they return the changed token. [`Token::from_package`] reads one from a key file,
/// [`Enrolment`](crate::Enrolment) gets one from a server.
///
/// Newer fields are omitted from the JSON when empty: older programs still read such a token, and refuse a token with a
/// limit that they do not know.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// The key's `Id`.
    pub id: String,
    /// The display name.
    pub label: Option<String>,
    /// The type by its short name: `hotp`, `totp`, `ocra`, `aes128`, …
    pub key_type: String,
    /// The type's URI.
    pub algorithm_uri: String,
    /// K_TOKEN.
    pub secret: Secret,
    /// K_MAC, which a renewal needs (profile P6).
    pub k_mac: Option<Secret>,
    /// The URI of the PRF that K_MAC belongs to.
    pub mac_algorithm: Option<String>,
    /// URL_S of the server that the key came from.
    pub server_url: Option<String>,
    /// Its `ServerID`.
    pub server_id: Option<String>,
    /// The modulus of its K_SERVER, big-endian (profile P29).
    pub k_server: Option<Vec<u8>>,
    /// The public exponent of K_SERVER, big-endian; `None`: 65537.
    pub k_server_exponent: Option<Vec<u8>>,
    /// The certificate, in DER, of the authority that certified K_SERVER (profile P29).
    pub k_server_issuer: Option<Vec<u8>>,
    /// The manufacturer of the device that the key is for.
    pub manufacturer: Option<String>,
    /// That device's serial number.
    pub serial: Option<String>,
    /// Who issued the key.
    pub issuer: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// Digits of a one-time password.
    pub digits: Option<u8>,
    /// Seconds of a time step.
    pub period_s: Option<u32>,
    /// The clock drift, in steps, of the device that had the key before (`TimeDrift`, RFC 6030 §4.2). Codes made here
    /// ignore it: they use this machine's clock.
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
    /// Remaining uses (`NumberOfTransactions`, RFC 6030 §5); `None`: unlimited.
    pub uses_left: Option<u64>,
    /// The allowed uses (`KeyUsage`, spelled as in RFC 6030 §5); empty: all.
    pub usages: Vec<String>,
    /// For a replaced key: the id of its successor. The server may want the replaced key until it has seen the new
    /// one in use (RFC 6063 §10.5).
    pub old_of: Option<String>,
    /// When it was stored, RFC 3339.
    pub created_at: String,
}

impl Token {
    /// A token with these values and no others.
    pub(crate) fn new(
        id: String,
        key_type: &KeyType,
        secret: Secret,
        parameters: TokenParameters,
        terms: Terms,
        created_at: DateTime,
    ) -> Self {
        Token {
            id,
            label: None,
            key_type: key_type_name(key_type).to_owned(),
            algorithm_uri: key_type.uri().to_owned(),
            secret,
            k_mac: None,
            mac_algorithm: None,
            server_url: None,
            server_id: None,
            k_server: None,
            k_server_exponent: None,
            k_server_issuer: None,
            manufacturer: None,
            serial: None,
            issuer: None,
            user: None,
            digits: parameters.digits,
            period_s: parameters.period_s,
            drift: parameters.drift,
            hash: parameters.hash,
            counter: parameters.counter,
            suite: parameters.suite,
            start: terms.start,
            expiry: terms.expiry,
            uses_left: terms.uses_left,
            usages: terms.usages,
            old_of: None,
            created_at: created_at.to_string(),
        }
    }

    /// The name of the first text that cannot be shown or typed; no store accepts such a token. The texts come from a
    /// server or a key file, so they may be hostile.
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

    /// The first difference that makes `other` a different key. Names do not count, nor what changes in use: counter,
    /// remaining uses, drift.
    pub(crate) fn difference(&self, other: &Token) -> Option<&'static str> {
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

    /// The MAC by which the client of the key proves to its server that it has it, 16 octets:
    /// `DSKPP-PRF(K_MAC, label || otp, 16)` with the PRF of the run. `None` for a key that came from no server.
    pub fn proof(&self, proof: Proof, otp: &str) -> Option<Secret> {
        let prf = Prf::of(&MacAlgorithm::from_uri(self.mac_algorithm.as_deref()?))?;
        prf.derive(self.k_mac.as_ref()?.expose(), &[proof.label(), otp.as_bytes()], 16).ok()
    }

    pub(crate) fn checked(self) -> Result<Self, TokenError> {
        self.not_a_name().map_or(Ok(self), |what| Err(TokenError::NotAName(what)))
    }

    /// The fingerprint of K_SERVER: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in DER, 64 lower-case
    /// hexadecimal digits.
    pub fn k_server_fingerprint(&self) -> Option<String> {
        RememberedKServer::of(self).map(|k_server| k_server.fingerprint())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).field("key_type", &self.key_type).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
