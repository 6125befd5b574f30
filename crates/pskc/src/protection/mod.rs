//! Encrypted values opened and made (RFC 6030 §6).
//!
//! [`Opener`] checks MACs and decrypts, [`Protector`] encrypts. Both are made once for a container, which derives and
//! decrypts what all its keys share, and are cheap for each key then.

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

/// What opens a container.
#[derive(Clone, Debug)]
pub enum DecryptionKey {
    /// The key itself, of the length that the file's algorithm asks for.
    Key(Secret),
    /// The password that the key is derived from (§6.2), as octets.
    Password(Secret),
    /// The private half of the public key that the file was encrypted for (§6.3).
    PrivateKey(Arc<RsaPrivateKey>),
}

/// Why a value was not opened, or not protected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtectionError {
    /// The MAC or the decryption is wrong. Which of the reasons it is cannot be told safely.
    #[error("{0} does not open: the key or password is another one, or the file was changed")]
    WrongKeyOrDamaged(&'static str),
    /// A value whose algorithm protects it against changes only together with a MAC, and there is none (§6.1.1).
    #[error("an encrypted value has no MAC although its algorithm needs one: it may have been changed")]
    MissingMac,
    /// A value without MAC in a file that says how MACs are made (§6.1.1).
    #[error("{0} has no MAC although the file has a MACMethod: the MAC may have been taken away")]
    MacTakenAway(&'static str),
    /// A MAC of which nothing says how it was made.
    #[error(
        "an encrypted value has a MAC, and the file has no MACMethod in front of its packages that says how it is made"
    )]
    NoMacMethod,
    /// The file names a MAC key that was not given.
    #[error("the file uses a MAC key that both sides know ({0:?}): give it")]
    MacKeyNeeded(String),
    /// MACs of an algorithm that is not known: its URI.
    #[error("the MACs of the file (MACMethod) have {}", of_mac(.0))]
    MacAlgorithm(String),
    /// An algorithm that is not known, or that does not go with what was given: its URI.
    #[error("the algorithm {0:?} is not supported for this{hint}", hint = meant_instead(.0))]
    Algorithm(String),
    /// The key does not have the length of the algorithm.
    #[error("a key of length {0} (in octets) does not fit the algorithm of the file")]
    KeyLength(usize),
    /// The file is encrypted with a key that is not derived from a password, and a password was given.
    #[error("the file is not encrypted with a password: give its key")]
    NeedsKey,
    /// The file is encrypted for a public key, and something else was given.
    #[error("the file is encrypted for a public key: give the private key")]
    NeedsPrivateKey,
    /// The file is encrypted with a password or a key, and a private key was given.
    #[error("the file is not encrypted for a public key: give its key or password")]
    NeedsNoPrivateKey,
    /// The file is encrypted for another public key.
    #[error("the file is encrypted for another public key than that of the given private key")]
    OtherRecipient,
    /// How the key is derived is not said well enough, or not safely.
    #[error("the derivation of the key is not usable: {0}")]
    Derivation(&'static str),
    /// A value that decrypts to something else than its element can hold.
    #[error("{0} decrypts to something that it cannot be")]
    Content(&'static str),
    /// A value that cannot be encrypted in this way.
    #[error("{0}")]
    Unfit(&'static str),
}

/// Whether an algorithm of values or MACs is known under another name than this.
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
