//! The protection of K_PROV in two-pass, the server's side (RFC 6063 §5.1).

use std::num::NonZeroU32;

use dskpp_crypto::{Hash, Random, RsaEncryption, RsaPublicKey, Secret};
use pskc::{KeyInfo, PasswordStrength, ProtectionError, Protector, ValueAlgorithm};

use crate::algorithm::{EncryptionAlgorithm, PackageFormat};
use crate::auth_data::{AuthPolicy, MIN_ITERATIONS};
use crate::key_package::{self, ProtectionKind};

/// The server's view of the client's key that an entry of its list names.
#[derive(Clone, Debug)]
pub enum ClientKey {
    /// The client's public key, and how the client identified it.
    Public {
        /// The key.
        key: RsaPublicKey,
        /// The entry's `ds:KeyInfo`.
        info: KeyInfo,
    },
    /// The shared key.
    Shared {
        /// Its name.
        name: String,
        /// The key.
        key: Secret,
    },
    /// The password of the authentication code.
    Passphrase,
}

impl ClientKey {
    /// Whether K_PROV can be encrypted under it with this algorithm; for a public key, one of those of §5.1.1.
    pub(crate) fn serves(&self, algorithm: &EncryptionAlgorithm) -> bool {
        use EncryptionAlgorithm::*;
        match (self, symmetric(algorithm)) {
            (ClientKey::Public { .. }, _) => matches!(algorithm, Rsa15 | RsaOaepMgf1p),
            (ClientKey::Shared { key, .. }, Some(ValueAlgorithm::AesCbc(len) | ValueAlgorithm::AesWrap(len))) => {
                key.len() == len
            }
            (ClientKey::Passphrase, Some(_)) => true,
            _ => false,
        }
    }

    /// Whether K_PROV can be encrypted under any key of this kind with this algorithm, judging by the message alone.
    pub(crate) fn may_serve(&self, algorithm: &EncryptionAlgorithm) -> bool {
        match self {
            ClientKey::Shared { .. } => symmetric(algorithm).is_some(),
            _ => self.serves(algorithm),
        }
    }

    /// Whether it can protect a key package of this format.
    pub(crate) fn fits(&self, format: &PackageFormat) -> bool {
        let kind = match self {
            ClientKey::Public { .. } => ProtectionKind::Public,
            ClientKey::Shared { .. } => ProtectionKind::Shared,
            ClientKey::Passphrase => ProtectionKind::Password,
        };
        *format == PackageFormat::Pskc || key_package::codec(format).is_some_and(|codec| codec.supports(kind))
    }

    /// Whether the RFC requires this iteration count for this K (§3.4.1.2, profile P3).
    pub(crate) fn takes_iterations(&self, count: u32, auth: &AuthPolicy) -> bool {
        match self {
            ClientKey::Public { .. } => (auth.iteration_floor..=auth.iteration_ceiling).contains(&count),
            ClientKey::Shared { .. } | ClientKey::Passphrase => count == 1,
        }
    }

    /// K of the authentication data (profile P1); `None` if it is derived from the password (profile P15).
    pub(crate) fn known_k(&self) -> Option<&[u8]> {
        match self {
            ClientKey::Public { key, .. } => Some(key.modulus()),
            ClientKey::Shared { key, .. } => Some(key.expose()),
            ClientKey::Passphrase => None,
        }
    }

    /// The protection of K_PROV in a package other than PSKC.
    pub(crate) fn package_protection(
        &self,
        algorithm: &EncryptionAlgorithm,
        password: &Secret,
    ) -> key_package::PackageProtection {
        match self {
            ClientKey::Public { key, .. } => {
                key_package::PackageProtection::Public { key: key.clone(), encryption: rsa_encryption(algorithm) }
            }
            ClientKey::Shared { name, key } => {
                key_package::PackageProtection::Shared { name: name.clone(), key: key.clone() }
            }
            ClientKey::Passphrase => {
                let iterations = NonZeroU32::new(MIN_ITERATIONS).expect("not 0");
                key_package::PackageProtection::Password { password: password.clone(), iterations }
            }
        }
    }

    /// The protection of K_PROV in a PSKC container.
    pub(crate) fn protector(
        &self,
        algorithm: &EncryptionAlgorithm,
        client_id: &str,
        password: &Secret,
        rng: &mut dyn Random,
    ) -> Result<Protector, ProtectionError> {
        let refused = || ProtectionError::Algorithm(algorithm.uri().to_owned());
        match self {
            // MAC 1 of the run detects changes.
            ClientKey::Public { key, info } => {
                Protector::rsa_named(key.clone(), info.clone(), rsa_encryption(algorithm), None, rng)
            }
            ClientKey::Shared { name, key } => match symmetric(algorithm).ok_or_else(refused)? {
                ValueAlgorithm::AesCbc(_) => Protector::aes_cbc(key.clone(), name, Hash::Sha1, rng),
                _ => Protector::aes_key_wrap(key.clone(), name, false),
            },
            ClientKey::Passphrase => {
                // The PRF that every client supports: it is not negotiated (profile P2).
                let algorithm = symmetric(algorithm).ok_or_else(refused)?;
                let mut strength = PasswordStrength::OLD;
                strength.iterations = NonZeroU32::new(MIN_ITERATIONS).expect("not 0");
                strength.algorithm = algorithm;
                Protector::passphrase(password, Some(client_id), strength, rng)
            }
        }
    }
}

fn rsa_encryption(algorithm: &EncryptionAlgorithm) -> RsaEncryption {
    match algorithm {
        EncryptionAlgorithm::Rsa15 => RsaEncryption::Pkcs1v15,
        _ => RsaEncryption::OaepSha1,
    }
}

/// The algorithm for PSKC values under a symmetric key.
fn symmetric(algorithm: &EncryptionAlgorithm) -> Option<ValueAlgorithm> {
    use EncryptionAlgorithm::*;
    Some(match algorithm {
        Aes128Cbc => ValueAlgorithm::AesCbc(16),
        Aes192Cbc => ValueAlgorithm::AesCbc(24),
        Aes256Cbc => ValueAlgorithm::AesCbc(32),
        KwAes128 => ValueAlgorithm::AesWrap(16),
        KwAes192 => ValueAlgorithm::AesWrap(24),
        KwAes256 => ValueAlgorithm::AesWrap(32),
        _ => return None,
    })
}
