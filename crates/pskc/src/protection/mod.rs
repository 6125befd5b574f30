//! Encryption and decryption of values (RFC 6030 §6).
//!
//! [`Opener`] checks MACs and decrypts, [`Protector`] encrypts. Creating either is the expensive step, once per
//! container; each key is then cheap.

mod algorithm;
mod derived_key;
mod opener;
mod protector;

use std::sync::Arc;

use dskpp_crypto::{RsaPrivateKey, Secret};

pub use algorithm::{ValueAlgorithm, mac_hash, mac_uri};
pub(crate) use algorithm::{meant, meant_parameter};
pub use derived_key::DerivedKey;
pub use opener::{Deviation, Opener, OpenerOptions};
pub use protector::{PasswordStrength, Protector};

/// The key that decrypts a container.
#[derive(Clone, Debug)]
pub enum DecryptionKey {
    /// The key itself, with the length that the file's algorithm requires.
    Key(Secret),
    /// The password that the key is derived from (§6.2), as octets.
    Password(Secret),
    /// The private key for the public key that the file was encrypted with (§6.3).
    PrivateKey(Arc<RsaPrivateKey>),
}

/// Why a value cannot be decrypted or encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectionError {
    /// The MAC check or the decryption failed. Which one is not revealed: it would help an attacker.
    #[error("{0} cannot be decrypted: wrong key or password, or the file is damaged")]
    WrongKeyOrDamaged(&'static str),
    /// A value without MAC, whose algorithm needs one to detect changes (§6.1.1).
    #[error("an encrypted value has no MAC, which its algorithm requires: it may have been tampered with")]
    MissingMac,
    /// A value without MAC in a file that declares a MAC method (§6.1.1).
    #[error("{0} has no MAC, although the file has a MACMethod: the MAC may have been removed")]
    MacTakenAway(&'static str),
    /// A MAC without a MACMethod.
    #[error("an encrypted value has a MAC, but the file has no MACMethod before its packages")]
    NoMacMethod,
    /// The file names a MAC key that was not given.
    #[error("the file uses a shared MAC key ({0:?}), which is missing")]
    MacKeyNeeded(String),
    /// An unknown MAC algorithm, by its URI.
    #[error("the MACs of the file (MACMethod) have {}", of_mac(.0))]
    MacAlgorithm(String),
    /// An unknown algorithm, or one that does not match the key, by its URI.
    #[error("the algorithm {0:?} is not supported for this{hint}", hint = meant_instead(.0))]
    Algorithm(String),
    /// The key has the wrong length for the algorithm.
    #[error("a key of length {0} (in octets) does not fit the algorithm of the file")]
    KeyLength(usize),
    /// A password was given, but the file is encrypted with a key that is not derived from one.
    #[error("the file is not encrypted with a password: give its key")]
    NeedsKey,
    /// The file is encrypted for a public key, and no private key was given.
    #[error("the file is encrypted for a public key: give the private key")]
    NeedsPrivateKey,
    /// A private key was given, but the file is encrypted with a password or a key.
    #[error("the file is not encrypted for a public key: give its key or password")]
    NeedsNoPrivateKey,
    /// The file is encrypted for a different public key.
    #[error("the file is encrypted for a different public key")]
    OtherRecipient,
    /// The key derivation is incomplete or unsafe.
    #[error("unusable key derivation: {0}")]
    Derivation(&'static str),
    /// The plaintext is invalid for its element.
    #[error("{0} decrypts to an invalid value")]
    Content(&'static str),
    /// The value cannot be encrypted in this way.
    #[error("{0}")]
    Unfit(&'static str),
}

/// Whether `uri` is a misspelling of a known value or MAC algorithm.
pub fn is_misnamed(uri: &str) -> bool {
    meant(uri).is_some()
}

fn of_mac(uri: &str) -> String {
    match uri {
        "" => "no algorithm".to_owned(),
        uri => format!("the algorithm {uri:?}, which is not supported{}", meant_instead(uri)),
    }
}

fn meant_instead(uri: &str) -> String {
    meant(uri).map(|meant| format!(": it is called {meant}")).unwrap_or_default()
}
