//! HMAC.

use crate::{Hash, Tag, backend, ct_eq};

/// A key for HMAC (RFC 2104) of any length.
#[derive(Clone)]
pub struct HmacKey(backend::HmacKey);

impl HmacKey {
    /// Prepares the key: hashes the padded key blocks once.
    pub fn new(hash: Hash, key: &[u8]) -> Self {
        HmacKey(backend::HmacKey::new(hash, key))
    }

    /// The HMAC of the concatenated parts.
    pub fn sign(&self, parts: &[&[u8]]) -> Tag {
        self.0.sign(parts)
    }

    /// Whether `tag` is the full HMAC of the parts, in constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        ct_eq(self.sign(parts).as_ref(), tag)
    }
}

impl std::fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HmacKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn rfc4231_and_rfc2202_case_2() {
        for (hash, expected) in [
            (Hash::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (Hash::Sha224, "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
            (Hash::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
            (
                Hash::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Hash::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let key = HmacKey::new(hash, b"Jefe");
            let tag = key.sign(&[b"what do ya want ", b"for nothing?"]);
            assert_eq!(HEXLOWER.encode(tag.as_ref()), expected);
            assert!(key.verify(&[b"what do ya want for nothing?"], tag.as_ref()));
            assert!(!key.verify(&[b"what do ya want for nothing!"], tag.as_ref()));
            assert!(!key.verify(&[b"what do ya want for nothing?"], &tag.as_ref()[..10]), "truncated");
        }
    }
}
