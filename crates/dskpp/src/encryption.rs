//! K, and R_C encrypted under it (RFC 6063 §4.2.3, profile P1, P19, P20).

use std::sync::Arc;

use dskpp_crypto::{
    Error, Random, RsaEncryption, RsaPrivateKey, RsaPublicKey, Secret, aes_cbc_decrypt, aes_cbc_encrypt, aes_unwrap,
    aes_wrap,
};

use crate::algorithm::EncryptionAlgorithm;
use crate::prf::Prf;

/// The client's view of K.
#[derive(Clone, Debug)]
pub enum K {
    /// K_SERVER, the server's public key.
    Server(RsaPublicKey),
    /// K_SHARED, which client and server know before the run.
    Shared(Secret),
}

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

impl K {
    /// The octets for derivations: the modulus, or the shared key itself (profile P1).
    pub fn octets(&self) -> &[u8] {
        match self {
            K::Server(key) => key.modulus(),
            K::Shared(key) => key.expose(),
        }
    }

    /// `E(K, R_C)`.
    pub(crate) fn encrypt(
        &self,
        algorithm: &EncryptionAlgorithm,
        r_c: &Secret,
        r_s: &[u8],
        rng: &mut dyn Random,
    ) -> Result<Vec<u8>, Error> {
        use EncryptionAlgorithm::*;
        match (self, algorithm) {
            (K::Server(key), Rsa15) => key.encrypt(RsaEncryption::Pkcs1v15, r_c.expose(), rng),
            (K::Server(key), RsaOaepMgf1p | RsaOaep11) => key.encrypt(RsaEncryption::OaepSha1, r_c.expose(), rng),
            (K::Shared(key), PrfAes128 | PrfSha256) => xor(algorithm, key, r_c.expose(), r_s),
            (K::Shared(key), Aes128Cbc | Aes192Cbc | Aes256Cbc) => {
                fits(algorithm, key)?;
                let mut iv = [0; 16];
                rng.fill(&mut iv);
                Ok([&iv[..], &aes_cbc_encrypt(key.expose(), &iv, r_c.expose())?].concat())
            }
            (K::Shared(key), KwAes128 | KwAes192 | KwAes256) => {
                fits(algorithm, key)?;
                aes_wrap(key.expose(), r_c.expose())
            }
            _ => Err(Error::Parameters("the algorithm does not match this kind of K")),
        }
    }
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

/// `DSKPP-PRF(K_SHARED, "Encryption" || R_S, len) ^ octets`, for encryption and decryption.
fn xor(algorithm: &EncryptionAlgorithm, k_shared: &Secret, octets: &[u8], r_s: &[u8]) -> Result<Vec<u8>, Error> {
    let prf = match algorithm {
        EncryptionAlgorithm::PrfAes128 => Prf::Aes128,
        _ => Prf::Sha256,
    };
    let ds = prf
        .derive(k_shared.expose(), &[b"Encryption", r_s], octets.len())
        .map_err(|_| Error::KeyLength(k_shared.len()))?;
    Ok(ds.expose().iter().zip(octets).map(|(a, b)| a ^ b).collect())
}

/// Whether K_SHARED has the key length of the AES variant.
fn fits(algorithm: &EncryptionAlgorithm, key: &Secret) -> Result<(), Error> {
    use EncryptionAlgorithm::*;
    let expected = match algorithm {
        Aes128Cbc | KwAes128 => 16,
        Aes192Cbc | KwAes192 => 24,
        Aes256Cbc | KwAes256 => 32,
        _ => return Err(Error::Parameters("not an AES algorithm")),
    };
    if key.len() == expected { Ok(()) } else { Err(Error::KeyLength(key.len())) }
}
