//! Authenticated encryption of what the project stores or hands out: AES-256-GCM.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::{Error, Random, Secret};

/// A key for AES-256-GCM (NIST SP 800-38D). Sealed data is `nonce (12) || ciphertext || tag (16)`.
///
/// Nonces are random, so one key may seal about 2³² values.
pub struct AeadKey(LessSafeKey);

impl AeadKey {
    /// Octets that sealing adds.
    pub const OVERHEAD: usize = NONCE_LEN + 16;

    /// A key of 32 octets.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 octets");
        AeadKey(LessSafeKey::new(key))
    }

    /// [`Error::KeyLength`] unless there are 32 octets.
    pub fn from_secret(key: &Secret) -> Result<Self, Error> {
        let octets = key.expose().try_into().map_err(|_| Error::KeyLength(key.len()))?;
        Ok(AeadKey::new(octets))
    }

    /// Encrypts and authenticates `plaintext`, authenticates `aad`.
    pub fn seal(&self, rng: &mut dyn Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(plaintext.len() + Self::OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut sealed[NONCE_LEN..])
            .expect("GCM seals anything under 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`AeadKey::seal`] made with the same `aad`; anything else is [`Error::Decryption`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Secret, Error> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::Decryption)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Decryption)?;
        let mut buffer = sealed.to_vec();
        let len = self.0.open_in_place(nonce, Aad::from(aad), &mut buffer).map_err(|_| Error::Decryption)?.len();
        buffer.truncate(len);
        Ok(Secret::new(buffer))
    }
}

impl std::fmt::Debug for AeadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AeadKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::SeededRandom;

    struct Zero;
    impl Random for Zero {
        fn fill(&mut self, out: &mut [u8]) {
            out.fill(0);
        }
    }

    #[test]
    fn gcm_specification_test_case_14() {
        let sealed = AeadKey::new(&[0; 32]).seal(&mut Zero, b"", &[0; 16]);
        assert_eq!(HEXLOWER.encode(&sealed[12..]), "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    }

    #[test]
    fn any_change_is_refused() {
        let mut rng = SeededRandom::new(b"aead");
        let key = AeadKey::from_secret(&rng.secret(32)).expect("32 octets");
        let sealed = key.seal(&mut rng, b"row 1", b"plaintext");
        assert_eq!(sealed.len(), 9 + AeadKey::OVERHEAD);
        assert_eq!(key.open(b"row 1", &sealed), Ok(Secret::from_slice(b"plaintext")));
        assert_eq!(key.open(b"row 2", &sealed), Err(Error::Decryption));
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(key.open(b"row 1", &changed), Err(Error::Decryption), "octet {i}");
            assert_eq!(key.open(b"row 1", &sealed[..i]), Err(Error::Decryption), "cut at {i}");
        }
        assert_eq!(AeadKey::from_secret(&rng.secret(16)).err(), Some(Error::KeyLength(16)));
    }
}
