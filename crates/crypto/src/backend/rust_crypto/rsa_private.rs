//! RSA with private keys, of the crate `rsa`.

use std::convert::Infallible;

use rsa::hazmat::rsa_decrypt_and_check;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::HmacKey;
use super::rsa::{octets, representative};
use crate::{Error, Hash, RsaEncryption, Secret};

/// A private key.
pub(crate) struct RsaPrivate {
    key: PrivateKey,
    public: (Vec<u8>, Vec<u8>),
    /// Derives the blinding factors.
    blinding: HmacKey,
}

impl RsaPrivate {
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let key = PrivateKey::from_pkcs8_der(der)
            .map_err(|_| Error::RsaKey("no PKCS #8 RSA private key of 2048 to 4096 bits"))?;
        let public = (key.n_bytes().into(), key.e_bytes().into());
        let seed = HmacKey::new(Hash::Sha256, der).sign(&[b"dskpp blinding"]);
        Ok(RsaPrivate { key, public, blinding: HmacKey::new(Hash::Sha256, seed.as_ref()) })
    }

    /// Modulus and exponent.
    pub(crate) fn public(&self) -> (&[u8], &[u8]) {
        (&self.public.0, &self.public.1)
    }

    /// `c^d mod n`; `c` is as long as the modulus and less than it. As with AWS-LC, 0, 1 and n - 1 are refused (NIST
    /// SP 800-56B §7.1.2): they would be their own result.
    pub(crate) fn apply(&self, c: &[u8]) -> Result<Secret, Error> {
        let number = representative(&self.key, c)?;
        let one = BoxedUint::one_with_precision(number.bits_precision());
        if number <= one || number.wrapping_add(&one) >= *self.key.n().as_ref() {
            return Err(Error::InputLength(c.len()));
        }
        let m = rsa_decrypt_and_check(&self.key, Some(&mut self.blinding(c)), &number).map(Zeroizing::new);
        let m = m.map_err(|_| Error::InputLength(c.len()))?;
        Ok(Secret::new(octets(&m, c.len())))
    }

    /// Decrypts OAEP; `c` is as long as the modulus.
    pub(crate) fn decrypt_oaep(&self, padding: RsaEncryption, c: &[u8]) -> Result<Secret, Error> {
        let rng = &mut self.blinding(c);
        let message = match padding {
            RsaEncryption::OaepSha1 => self.key.oaep_decrypt_with_rng::<Sha1, _>(rng, c),
            RsaEncryption::OaepSha256 => self.key.oaep_decrypt_with_rng::<Sha256, _>(rng, c),
            RsaEncryption::Pkcs1v15 => return Err(Error::Parameters("PKCS #1 v1.5 is not OAEP")),
        };
        message.map(Secret::new).map_err(|_| Error::Decryption)
    }

    /// Randomness that only the owner of the key can predict: the same for the same ciphertext, so that repeating one
    /// measures nothing new.
    fn blinding(&self, c: &[u8]) -> Blinding {
        Blinding { key: HmacKey::new(Hash::Sha256, self.blinding.sign(&[c]).as_ref()), counter: 0 }
    }
}

/// HMAC-SHA-256 of a counter.
struct Blinding {
    key: HmacKey,
    counter: u64,
}

impl TryRng for Blinding {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut octets = [0; 4];
        self.try_fill_bytes(&mut octets)?;
        Ok(u32::from_le_bytes(octets))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut octets = [0; 8];
        self.try_fill_bytes(&mut octets)?;
        Ok(u64::from_le_bytes(octets))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for part in out.chunks_mut(32) {
            let block = self.key.sign(&[&self.counter.to_be_bytes()]);
            part.copy_from_slice(&block.as_ref()[..part.len()]);
            self.counter += 1;
        }
        Ok(())
    }
}

impl TryCryptoRng for Blinding {}
