//! Keys in other packages than PSKC containers: RFC 6031 in CMS, PKCS #12 and PKCS #5 XML (RFC 6063 §5).
//!
//! Each [`PackageCodec`] carries what a PSKC `KeyPackage` says, as far as its format can, with the protections that it can
//! express. No format authenticates its sender: the MACs of a run do, or a signature around the package.
//! [`mod@file`] reads and writes files of any number of keys, as other programs have them.

mod asn1;
mod attributes;
mod authenticated;
mod bags;
mod ber;
mod cms;
pub mod file;
mod pbes2;
mod pfx;
mod pkcs12;
mod pkcs5_xml;
mod reading;
mod signed;
mod skpc;
mod spec;

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use dskpp_crypto::{Random, RsaEncryption, RsaPublicKey, Secret};
use pskc::{DecryptionKey, KeyPackage};

use crate::algorithm::PackageFormat;
pub use pkcs5_xml::Pkcs5Xml;
pub use pkcs12::Pkcs12;
pub use signed::{sign, verify};
pub use skpc::Skpc;
pub(crate) use spec::received_key_len;
pub use spec::{PackageSpec, hash_of_suite};

/// Octets of the longest package that is read.
pub const MAX_LEN: usize = 1024 * 1024;

/// What protects the key in a package.
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
    /// A key of 16, 24 or 32 octets that both sides know by its name.
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
    /// Which kind it is.
    pub fn kind(&self) -> ProtectionKind {
        match self {
            PackageProtection::None => ProtectionKind::None,
            PackageProtection::Password { .. } => ProtectionKind::Password,
            PackageProtection::Shared { .. } => ProtectionKind::Shared,
            PackageProtection::Public { .. } => ProtectionKind::Public,
        }
    }
}

/// Why a package could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// It is not of this format, or has something that is not known here.
    #[error("the key package cannot be read: {0}")]
    Unreadable(&'static str),
    /// It is encrypted in a way of old programs that is not read here.
    #[error("it is encrypted with {0}, an obsolete algorithm that is not supported")]
    Cipher(&'static str),
    /// PKCS #12 without a MAC.
    #[error("it has no MAC, so tampering would go unnoticed")]
    NoMac,
    /// The key is wrong or the package was changed. Saying which would help an attacker.
    #[error("the key package cannot be decrypted: wrong key or password, or it is damaged")]
    WrongKeyOrDamaged,
    /// The format cannot express this protection, or what was given does not open this kind of package.
    #[error("the key package format does not support this protection")]
    Protection,
    /// The key has no secret in the clear, or something that the format cannot carry.
    #[error("the key package cannot carry the key: {0}")]
    Unfit(&'static str),
    /// A signature that is missing or wrong.
    #[error("the signature of the key package does not verify")]
    Signature,
}

/// The iterations of PBKDF2 that a client takes from a server (profile P15): fewer protect too little, more would
/// let a server keep the client busy.
pub(crate) const ITERATIONS: RangeInclusive<u32> = 1_000..=10_000_000;

/// A format of key packages.
pub trait PackageCodec {
    /// Its identifier in negotiation.
    fn format(&self) -> PackageFormat;

    /// Whether it can express a protection.
    fn supports(&self, kind: ProtectionKind) -> bool;

    /// Writes a key with its secret in the clear into a protected package.
    ///
    /// # Errors
    /// [`PackageError::Protection`], [`PackageError::Unfit`]
    fn seal(
        &self,
        package: &KeyPackage,
        protection: &PackageProtection,
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, PackageError>;

    /// Opens a package; `None` for one without protection.
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
    /// The fewest rounds that protect its password, whether in its encryption or in its MAC; `None` without a password.
    pub iterations: Option<NonZeroU32>,
}

/// The codec of a format, as DSKPP uses it: a changed package does not open. `None` for PSKC, which [`pskc`] handles, and for unknown formats.
pub fn codec(format: &PackageFormat) -> Option<&'static dyn PackageCodec> {
    match format {
        PackageFormat::Skpc => Some(&Skpc { authenticated: true }),
        PackageFormat::Pkcs12 => Some(&Pkcs12),
        PackageFormat::Pkcs5Xml => Some(&Pkcs5Xml),
        _ => None,
    }
}

/// The one secret of a package.
fn secret_of(package: &KeyPackage) -> Result<&Secret, PackageError> {
    let data = package.key.as_ref().and_then(|key| key.data.as_ref());
    let secret = data.and_then(|data| data.secret.as_ref()).and_then(pskc::Value::plain);
    secret.filter(|secret| !secret.is_empty()).ok_or(PackageError::Unfit("it has no secret in the clear"))
}
