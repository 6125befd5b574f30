//! The client's K, and R_C encrypted under it (RFC 6063 §4.2.3, profile P1, P19).

use dskpp_crypto::{Error, Random, RsaEncryption, RsaPublicKey, Secret, aes_cbc_encrypt, aes_wrap};

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

/// `DSKPP-PRF(K_SHARED, "Encryption" || R_S, len) ^ octets`, for encryption and decryption.
pub(crate) fn xor(
    algorithm: &EncryptionAlgorithm,
    k_shared: &Secret,
    octets: &[u8],
    r_s: &[u8],
) -> Result<Vec<u8>, Error> {
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
pub(crate) fn fits(algorithm: &EncryptionAlgorithm, key: &Secret) -> Result<(), Error> {
    use EncryptionAlgorithm::*;
    let expected = match algorithm {
        Aes128Cbc | KwAes128 => 16,
        Aes192Cbc | KwAes192 => 24,
        Aes256Cbc | KwAes256 => 32,
        _ => return Err(Error::Parameters("not an AES algorithm")),
    };
    if key.len() == expected { Ok(()) } else { Err(Error::KeyLength(key.len())) }
}
