//! Keys in formats other than PSKC: RFC 6031 in CMS, PKCS #12 and PKCS #5 XML (RFC 6063 §5).
//!
//! Each [`PackageCodec`] carries the properties of a PSKC `KeyPackage`, as far as its format can, with the supported
//! protections. No format authenticates its sender: the MACs of a run do, or a signature around the package.
//! `file` reads and writes files with any number of keys, for exchange with other programs.

#[cfg(feature = "containers")]
mod asn1;
#[cfg(feature = "containers")]
mod attributes;
#[cfg(feature = "containers")]
mod authenticated;
#[cfg(feature = "containers")]
mod bags;
#[cfg(feature = "containers")]
mod ber;
#[cfg(feature = "containers")]
mod cms;
#[cfg(feature = "containers")]
pub mod file;
#[cfg(feature = "containers")]
mod pbes2;
#[cfg(feature = "containers")]
mod pfx;
#[cfg(feature = "containers")]
mod pkcs12;
#[cfg(feature = "containers")]
mod pkcs5_xml;
#[cfg(feature = "containers")]
mod reading;
#[cfg(feature = "containers")]
mod signed;
#[cfg(feature = "containers")]
mod skpc;
mod spec;

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use dskpp_crypto::{Random, RsaEncryption, RsaPublicKey, Secret};
use pskc::{DecryptionKey, KeyPackage};

use crate::algorithm::PackageFormat;
pub(crate) use spec::received_key_len;
pub use spec::{PackageSpec, hash_of_suite};
#[cfg(feature = "containers")]
pub use {
    pkcs5_xml::Pkcs5Xml,
    pkcs12::Pkcs12,
    signed::{sign, verify},
    skpc::Skpc,
};

/// The longest package in octets.
pub const MAX_LEN: usize = 1024 * 1024;

/// The protection of the key in a package.
#[derive(Clone, Debug)]
pub enum PackageProtection {
    /// Nothing: the caller protects the whole.
    None,
    /// A password: PBES2 with PBKDF2 (HMAC-SHA-256) and AES-256-CBC.
    Password {
        /// The password, UTF-8.
        password: Secret,
        /// Rounds of PBKDF2.
        iterations: NonZeroU32,
    },
    /// A shared key of 16, 24 or 32 octets.
    Shared {
        /// The name.
        name: String,
        /// The key.
        key: Secret,
    },
    /// The receiver's public key.
    Public {
        /// The key.
        key: RsaPublicKey,
        /// Its encoding.
        encryption: RsaEncryption,
    },
}

/// The kind of a [`PackageProtection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectionKind {
    /// [`PackageProtection::None`]
    None,
    /// [`PackageProtection::Password`]
    Password,
    /// [`PackageProtection::Shared`]
    Shared,
    /// [`PackageProtection::Public`]
    Public,
}

impl PackageProtection {
    /// Its kind.
    pub fn kind(&self) -> ProtectionKind {
        match self {
            PackageProtection::None => ProtectionKind::None,
            PackageProtection::Password { .. } => ProtectionKind::Password,
            PackageProtection::Shared { .. } => ProtectionKind::Shared,
            PackageProtection::Public { .. } => ProtectionKind::Public,
        }
    }
}

/// Why a package cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Not this format, or with unknown content.
    #[error("the key package cannot be read: {0}")]
    Unreadable(&'static str),
    /// Encrypted with an unsupported legacy cipher.
    #[error("it is encrypted with {0}, an obsolete algorithm that is not supported")]
    Cipher(&'static str),
    /// PKCS #12 without a MAC.
    #[error("it has no MAC, so tampering would go unnoticed")]
    NoMac,
    /// The key is wrong or the package was changed. Which one is not revealed: it would help an attacker.
    #[error("the key package cannot be decrypted: wrong key or password, or it is damaged")]
    WrongKeyOrDamaged,
    /// The format does not support this protection, or the given key is of the wrong kind for this package.
    #[error("the key package format does not support this protection")]
    Protection,
    /// The key has no plain secret, or something that the format cannot carry.
    #[error("the key package cannot carry the key: {0}")]
    Unfit(&'static str),
    /// A missing or invalid signature.
    #[error("the signature of the key package does not verify")]
    Signature,
}

/// The PBKDF2 iterations that a client accepts from a server (profile P15): fewer protect poorly, more would
/// let a server exhaust the client.
pub(crate) const ITERATIONS: RangeInclusive<u32> = 1_000..=10_000_000;

/// A format of key packages.
pub trait PackageCodec {
    /// Its negotiation identifier.
    fn format(&self) -> PackageFormat;

    /// Whether it supports a protection.
    fn supports(&self, kind: ProtectionKind) -> bool;

    /// Writes a key with a plain secret into a protected package.
    ///
    /// # Errors
    /// [`PackageError::Protection`], [`PackageError::Unfit`]
    fn seal(
        &self,
        package: &KeyPackage,
        protection: &PackageProtection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, PackageError>;

    /// Opens a package; `unlock` is `None` for one without protection.
    ///
    /// # Errors
    /// [`PackageError::Unreadable`], [`PackageError::WrongKeyOrDamaged`], [`PackageError::Protection`]
    fn open(&self, octets: &[u8], unlock: Option<&DecryptionKey>) -> Result<OpenedPackage, PackageError>;
}

/// The content of a package.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedPackage {
    /// The key, its secret in the clear.
    pub package: KeyPackage,
    /// The lowest number of rounds that protects its password, in its encryption or MAC; `None` without a password.
    pub iterations: Option<NonZeroU32>,
}

/// The codec of a format, as DSKPP uses it: changes are detected. `None` for PSKC, which [`pskc`] handles, and for
/// unknown formats; without the feature `containers`, for all.
pub fn codec(format: &PackageFormat) -> Option<&'static dyn PackageCodec> {
    match format {
        #[cfg(feature = "containers")]
        PackageFormat::Skpc => Some(&Skpc { authenticated: true }),
        #[cfg(feature = "containers")]
        PackageFormat::Pkcs12 => Some(&Pkcs12),
        #[cfg(feature = "containers")]
        PackageFormat::Pkcs5Xml => Some(&Pkcs5Xml),
        _ => None,
    }
}

/// The only secret of a package.
#[cfg(feature = "containers")]
fn secret_of(package: &KeyPackage) -> Result<&Secret, PackageError> {
    let data = package.key.as_ref().and_then(|key| key.data.as_ref());
    let secret = data.and_then(|data| data.secret.as_ref()).and_then(pskc::Value::plain);
    secret.filter(|secret| !secret.is_empty()).ok_or(PackageError::Unfit("it has no secret in the clear"))
}
