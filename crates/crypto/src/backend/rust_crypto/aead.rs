use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit as _};
use aes_gcm_siv::Aes256GcmSiv;

use crate::Error;

/// AES-256-GCM or AES-256-GCM-SIV.
pub(crate) enum AeadKey {
    Gcm(Box<Aes256Gcm>),
    GcmSiv(Box<Aes256GcmSiv>),
}

impl AeadKey {
    pub(crate) fn gcm(key: &[u8; 32]) -> Self {
        AeadKey::Gcm(Box::new(Aes256Gcm::new(key.into())))
    }

    pub(crate) fn gcm_siv(key: &[u8; 32]) -> Self {
        AeadKey::GcmSiv(Box::new(Aes256GcmSiv::new(key.into())))
    }

    /// Encrypts in place; the tag.
    pub(crate) fn seal(&self, nonce: [u8; 12], aad: &[u8], octets: &mut [u8]) -> [u8; 16] {
        let tag = match self {
            AeadKey::Gcm(key) => key.encrypt_inout_detached(&nonce.into(), aad, octets.into()),
            AeadKey::GcmSiv(key) => key.encrypt_inout_detached(&nonce.into(), aad, octets.into()),
        };
        tag.expect("both modes seal anything under 64 GiB").into()
    }

    /// Decrypts `ciphertext || tag` in place; the tag stays.
    pub(crate) fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &mut [u8]) -> Result<(), Error> {
        let (octets, tag) = sealed.split_last_chunk_mut::<16>().ok_or(Error::Decryption)?;
        let opened = match self {
            AeadKey::Gcm(key) => key.decrypt_inout_detached(&nonce.into(), aad, octets.into(), &(*tag).into()),
            AeadKey::GcmSiv(key) => key.decrypt_inout_detached(&nonce.into(), aad, octets.into(), &(*tag).into()),
        };
        opened.map_err(|_| Error::Decryption)
    }
}
