//! The server's K, and R_C decrypted with it (RFC 6063 §4.2.3, profile P1, P19, P20).

use std::sync::Arc;

use dskpp_crypto::{Error, Random, RsaEncryption, RsaPrivateKey, Secret, aes_cbc_decrypt, aes_unwrap};

use crate::algorithm::EncryptionAlgorithm;
use crate::encryption::{fits, xor};

/// The server's view of K.
#[derive(Clone, Debug)]
pub enum ServerK {
    /// The private key of K_SERVER.
    Server(Arc<RsaPrivateKey>),
    /// K_SHARED, and the name by which the client knows it.
    Shared {
        /// Its name in `<ds:KeyName>`.
        name: String,
        /// The key.
        key: Secret,
    },
}

impl ServerK {
    /// The octets for derivations (profile P1).
    pub fn octets(&self) -> &[u8] {
        match self {
            ServerK::Server(key) => key.public().modulus(),
            ServerK::Shared { key, .. } => key.expose(),
        }
    }

    /// Whether it can decrypt ciphertexts of `algorithm`.
    pub fn serves(&self, algorithm: &EncryptionAlgorithm) -> bool {
        use EncryptionAlgorithm::*;
        match self {
            ServerK::Server(_) => algorithm.is_public_key(),
            ServerK::Shared { key, .. } => match algorithm {
                PrfAes128 => key.len() == 16,
                PrfSha256 => key.len() >= 16,
                _ => fits(algorithm, key).is_ok(),
            },
        }
    }

    /// R_C, or, if decryption fails, a random value of `substitute_len` octets: the run then fails
    /// like one with a wrong authentication code, and the difference stays hidden (profile P20).
    pub(crate) fn decrypt(
        &self,
        algorithm: &EncryptionAlgorithm,
        encrypted: &[u8],
        r_s: &[u8],
        substitute_len: usize,
        rng: &mut dyn Random,
    ) -> Secret {
        let substitute = rng.secret(substitute_len);
        self.try_decrypt(algorithm, encrypted, r_s, substitute_len).unwrap_or(substitute)
    }

    fn try_decrypt(
        &self,
        algorithm: &EncryptionAlgorithm,
        encrypted: &[u8],
        r_s: &[u8],
        substitute_len: usize,
    ) -> Result<Secret, Error> {
        use EncryptionAlgorithm::*;
        match (self, algorithm) {
            (ServerK::Server(key), Rsa15) => key.decrypt_pkcs1v15(encrypted, substitute_len),
            (ServerK::Server(key), RsaOaepMgf1p | RsaOaep11) => key.decrypt_oaep(RsaEncryption::OaepSha1, encrypted),
            (ServerK::Shared { key, .. }, PrfAes128 | PrfSha256) => {
                xor(algorithm, key, encrypted, r_s).map(Secret::new)
            }
            (ServerK::Shared { key, .. }, Aes128Cbc | Aes192Cbc | Aes256Cbc) => {
                fits(algorithm, key)?;
                let (iv, ciphertext) = encrypted.split_first_chunk().ok_or(Error::InputLength(encrypted.len()))?;
                aes_cbc_decrypt(key.expose(), iv, ciphertext)
            }
            (ServerK::Shared { key, .. }, KwAes128 | KwAes192 | KwAes256) => {
                fits(algorithm, key)?;
                aes_unwrap(key.expose(), encrypted)
            }
            _ => Err(Error::Parameters("the algorithm does not match this kind of K")),
        }
    }
}
