//! AES-CMAC.

use crate::{Error, backend};

/// A key for AES-CMAC (RFC 4493; NIST SP 800-38B): 16, 24 or 32 octets.
pub struct CmacKey(backend::CmacKey);

impl CmacKey {
    /// [`Error::KeyLength`] for any other length.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        backend::CmacKey::new(key).map(CmacKey)
    }

    /// The CMAC of the concatenated parts: 16 octets.
    pub fn sign(&self, parts: &[&[u8]]) -> [u8; 16] {
        self.0.sign(parts)
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
