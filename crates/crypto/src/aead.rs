//! Authenticated encryption of data that the project stores or hands out: AES-256-GCM and AES-256-GCM-SIV.

use crate::{Error, Random, Secret, backend};

const NONCE_LEN: usize = 12;

/// A key for AES-256-GCM (NIST SP 800-38D) or AES-256-GCM-SIV (RFC 8452). Sealed data is
/// `nonce (12) || ciphertext || tag (16)`.
///
/// Nonces are random, so a GCM key may seal at most 2³² values: a repeated nonce reveals the key. With GCM-SIV,
/// it reveals only whether both values were equal, so keys with a life of years use that.
pub struct AeadKey(backend::AeadKey);

impl AeadKey {
    /// The octets that sealing adds.
    pub const OVERHEAD: usize = NONCE_LEN + 16;

    /// A key of 32 octets.
    pub fn new(key: &[u8; 32]) -> Self {
        AeadKey(backend::AeadKey::gcm(key))
    }

    /// [`Error::KeyLength`] unless there are 32 octets.
    pub fn from_secret(key: &Secret) -> Result<Self, Error> {
        key_octets(key).map(AeadKey::new)
    }

    /// The same for AES-256-GCM-SIV.
    pub fn siv_from_secret(key: &Secret) -> Result<Self, Error> {
        key_octets(key).map(|octets| AeadKey(backend::AeadKey::gcm_siv(octets)))
    }

    /// Encrypts and authenticates `plaintext`, authenticates `aad`.
    pub fn seal(&self, rng: &mut dyn Random, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(plaintext.len() + Self::OVERHEAD);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let tag = self.0.seal(nonce, aad, &mut sealed[NONCE_LEN..]);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens what [`AeadKey::seal`] returned for the same `aad`; anything else is [`Error::Decryption`].
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Secret, Error> {
        let (nonce, sealed) = sealed.split_first_chunk().ok_or(Error::Decryption)?;
        let len = sealed.len().checked_sub(16).ok_or(Error::Decryption)?;
        let mut buffer = sealed.to_vec();
        self.0.open(*nonce, aad, &mut buffer)?;
        buffer.truncate(len);
        Ok(Secret::new(buffer))
    }
}

fn key_octets(key: &Secret) -> Result<&[u8; 32], Error> {
    key.expose().try_into().map_err(|_| Error::KeyLength(key.len()))
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

    /// Returns the given octets.
    struct Fixed(Vec<u8>);
    impl Random for Fixed {
        fn fill(&mut self, out: &mut [u8]) {
            out.copy_from_slice(&self.0);
        }
    }

    #[test]
    fn gcm_specification_test_case_16_with_associated_data() {
        let hex = |text: &str| HEXLOWER.decode(text.as_bytes()).expect("hexadecimal");
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let plaintext = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let mut nonce = Fixed(hex("cafebabefacedbaddecaf888"));
        let sealed = AeadKey::from_secret(&Secret::new(key)).expect("32 octets").seal(&mut nonce, &aad, &plaintext);
        assert_eq!(
            HEXLOWER.encode(&sealed[12..]),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
        );
    }

    #[test]
    fn rfc8452_appendix_c2() {
        let key = Secret::new([&[1][..], &[0; 31]].concat());
        let key = AeadKey::siv_from_secret(&key).expect("32 octets");
        for (plaintext, sealed) in [
            ("", "07f5f4169bbf55a8400cd47ea6fd400f"),
            ("0100000000000000", "c2ef328e5c71c83b843122130f7364b761e0b97427e3df28"),
        ] {
            let plaintext = HEXLOWER.decode(plaintext.as_bytes()).expect("hexadecimal");
            let mut nonce = Fixed([&[3][..], &[0; 11]].concat());
            assert_eq!(HEXLOWER.encode(&key.seal(&mut nonce, b"", &plaintext)[12..]), sealed);
        }
    }

    #[test]
    fn any_change_is_refused() {
        let mut rng = SeededRandom::new(b"aead");
        for key in [AeadKey::from_secret(&rng.secret(32)), AeadKey::siv_from_secret(&rng.secret(32))] {
            refuses_any_change(&key.expect("32 octets"), &mut rng);
        }
        assert_eq!(AeadKey::from_secret(&rng.secret(16)).err(), Some(Error::KeyLength(16)));
        assert_eq!(AeadKey::siv_from_secret(&rng.secret(16)).err(), Some(Error::KeyLength(16)));
    }

    fn refuses_any_change(key: &AeadKey, rng: &mut SeededRandom) {
        let sealed = key.seal(rng, b"row 1", b"plaintext");
        assert_eq!(sealed.len(), 9 + AeadKey::OVERHEAD);
        assert_eq!(key.open(b"row 1", &sealed), Ok(Secret::from_slice(b"plaintext")));
        assert_eq!(key.open(b"row 2", &sealed), Err(Error::Decryption));
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert_eq!(key.open(b"row 1", &changed), Err(Error::Decryption), "octet {i}");
            assert_eq!(key.open(b"row 1", &sealed[..i]), Err(Error::Decryption), "cut at {i}");
        }
    }
}
