use aws_lc_rs::aead::{AES_256_GCM, AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::Error;

/// AES-256-GCM or AES-256-GCM-SIV.
pub(crate) struct AeadKey(LessSafeKey);

impl AeadKey {
    pub(crate) fn gcm(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("AES-256 takes 32 octets");
        AeadKey(LessSafeKey::new(key))
    }

    pub(crate) fn gcm_siv(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("AES-256 takes 32 octets");
        AeadKey(LessSafeKey::new(key))
    }

    /// Encrypts in place; the tag.
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], octets: &mut [u8]) -> [u8; 16] {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), octets);
        let tag = tag.expect("both modes seal anything under 64 GiB");
        tag.as_ref().try_into().expect("tags have 16 octets")
    }

    /// Decrypts `ciphertext || tag` in place; the tag stays.
    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &mut [u8]) -> Result<(), Error> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(aad), sealed).map(drop).map_err(|_| Error::Decryption)
    }
}
