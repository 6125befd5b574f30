//! Message authentication codes: HMAC and AES-CMAC.

use aws_lc_rs::{cmac, hmac};

use crate::{Error, Hash, ct_eq};

/// An HMAC value, as long as the hash's output. Not secret.
#[derive(Clone, Copy, Debug)]
pub struct Tag(hmac::Tag);

impl AsRef<[u8]> for Tag {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// A key for HMAC (RFC 2104) of any length.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// Prepares the key: hashes the padded key blocks once.
    pub fn new(hash: Hash, key: &[u8]) -> Self {
        let algorithm = match hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha224 => hmac::HMAC_SHA224,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        HmacKey(hmac::Key::new(algorithm, key))
    }

    /// The HMAC of the concatenated parts.
    pub fn sign(&self, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        Tag(context.sign())
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

/// A key for AES-CMAC (RFC 4493; NIST SP 800-38B): 16, 24 or 32 octets.
pub struct CmacKey(cmac::Key);

impl CmacKey {
    /// [`Error::KeyLength`] for any other length.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        let algorithm = match key.len() {
            16 => cmac::AES_128,
            24 => cmac::AES_192,
            32 => cmac::AES_256,
            other => return Err(Error::KeyLength(other)),
        };
        cmac::Key::new(algorithm, key).map(CmacKey).map_err(|_| Error::KeyLength(key.len()))
    }

    /// The CMAC of the concatenated parts: 16 octets.
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 16] {
        let mut context = cmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part).expect("CMAC takes input of any length");
        }
        let tag = context.sign().expect("CMAC has a result for any input");
        let mut out = [0; 16];
        out.copy_from_slice(tag.as_ref());
        out
    }
}

impl std::fmt::Debug for CmacKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CmacKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
    }

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

    #[test]
    fn rfc4493_section_4() {
        let key = CmacKey::new(&hex("2b7e151628aed2a6abf7158809cf4f3c")).expect("16 octets");
        let message = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
             30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        for (len, expected) in [
            (0, "bb1d6929e95937287fa37d129b756746"),
            (16, "070a16b46b4d4144f79bdd9dd04a287c"),
            (40, "dfa66747de9ae63030ca32611497c827"),
            (64, "51f0bebf7e3b9d92fc49741779363cfe"),
        ] {
            assert_eq!(HEXLOWER.encode(&key.sign(&[&message[..len / 2], &message[len / 2..len]])), expected);
        }
    }

    #[test]
    fn cmac_keys_of_other_lengths_are_refused() {
        for len in [0, 15, 17, 33] {
            assert_eq!(CmacKey::new(&vec![0; len]).err(), Some(Error::KeyLength(len)));
        }
    }
}
