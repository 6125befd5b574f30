//! The protection of K_PROV in two-pass, the client's side (RFC 6063 §5.1).

use std::num::NonZeroU32;
use std::sync::Arc;

use dskpp_crypto::{Pbkdf2Prf, RsaPrivateKey, Secret, pbkdf2};
use pskc::{DecryptionKey, KeyInfo};

use crate::algorithm::{EncryptionAlgorithm, ProtectionMethod};
use crate::auth_data::{LEN, MIN_ITERATIONS};
use crate::message::{KeyProtection, Payload};

/// An entry of a client's key protection method list, with its key.
#[derive(Clone, Debug)]
pub enum ClientProtection {
    /// Key transport: K_PROV is encrypted for the client's public key.
    Transport {
        /// The private key.
        key: Arc<RsaPrivateKey>,
        /// How the server identifies it: a certificate, the key itself, or a name that the server knows.
        info: KeyInfo,
    },
    /// Key wrap: K_PROV is wrapped under a shared key of 16, 24 or 32 octets.
    Wrap {
        /// The name by which the server knows it.
        name: String,
        /// The key.
        key: Secret,
    },
    /// Passphrase-based key wrap: K_PROV is wrapped under a key derived from the authentication code's password.
    Passphrase,
}

impl ClientProtection {
    /// Its method.
    pub fn method(&self) -> ProtectionMethod {
        match self {
            ClientProtection::Transport { .. } => ProtectionMethod::Transport,
            ClientProtection::Wrap { .. } => ProtectionMethod::Wrap,
            ClientProtection::Passphrase => ProtectionMethod::PassphraseWrap,
        }
    }

    /// The algorithms that match it, in order of preference.
    pub(crate) fn algorithms(&self) -> Vec<EncryptionAlgorithm> {
        use EncryptionAlgorithm::*;
        match self {
            ClientProtection::Transport { .. } => vec![RsaOaepMgf1p, Rsa15],
            ClientProtection::Wrap { key, .. } => match key.len() {
                16 => vec![KwAes128, Aes128Cbc],
                24 => vec![KwAes192, Aes192Cbc],
                _ => vec![KwAes256, Aes256Cbc],
            },
            ClientProtection::Passphrase => vec![KwAes128, Aes128Cbc, KwAes256, Aes256Cbc, KwAes192, Aes192Cbc],
        }
    }

    /// The entry; a passphrase is identified by its client ID (§5.2.2).
    pub(crate) fn entry(&self, client_id: &str) -> KeyProtection {
        let info = match self {
            ClientProtection::Transport { info, .. } => info.clone(),
            ClientProtection::Wrap { name, .. } => KeyInfo::from_key_name(name),
            ClientProtection::Passphrase => KeyInfo::from_key_name(client_id),
        };
        KeyProtection { method: self.method(), payload: Some(Payload::KeyInfo(info)) }
    }

    /// K of the authentication data (§3.4.1.2, profile P1, P15): the modulus of the public key, the shared key, or 16
    /// octets derived from the password. Blocks for a derivation.
    pub fn k(&self, prf: Pbkdf2Prf, password: &Secret, r_c: &[u8]) -> Secret {
        match self {
            ClientProtection::Transport { key, .. } => Secret::from_slice(key.public().modulus()),
            ClientProtection::Wrap { key, .. } => key.clone(),
            ClientProtection::Passphrase => passphrase_k(prf, password, r_c),
        }
    }

    /// The key that opens the package; a passphrase is the password of the code, `None` if not given.
    pub fn unlock(&self, password: Option<&Secret>) -> Option<DecryptionKey> {
        match self {
            ClientProtection::Transport { key, .. } => Some(DecryptionKey::PrivateKey(Arc::clone(key))),
            ClientProtection::Wrap { key, .. } => Some(DecryptionKey::Key(key.clone())),
            ClientProtection::Passphrase => password.cloned().map(DecryptionKey::Password),
        }
    }
}

/// `K = PBKDF2(password, R_C, 100000, 16)` (profile P15).
pub(crate) fn passphrase_k(prf: Pbkdf2Prf, password: &Secret, r_c: &[u8]) -> Secret {
    let iterations = NonZeroU32::new(MIN_ITERATIONS).expect("not 0");
    pbkdf2(prf, password.expose(), r_c, iterations, LEN)
}
