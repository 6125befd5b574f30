use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, DecryptingKey, DecryptionContext, EncryptionContext, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;

use crate::Error;

/// AES-CBC.
pub(crate) struct CbcKey {
    encrypting: PaddedBlockEncryptingKey,
    decrypting: DecryptingKey,
}

impl CbcKey {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        let unfit = |_| Error::KeyLength(key.len());
        Ok(CbcKey {
            encrypting: PaddedBlockEncryptingKey::cbc_pkcs7(unbound(key)?).map_err(unfit)?,
            decrypting: DecryptingKey::cbc(unbound(key)?).map_err(unfit)?,
        })
    }

    /// With PKCS #7 padding.
    pub(crate) fn encrypt(&self, iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        let mut buffer = Vec::with_capacity(plaintext.len() + 16); // so that the padding does not move the plaintext
        buffer.extend_from_slice(plaintext);
        self.encrypting
            .less_safe_encrypt(&mut buffer, EncryptionContext::Iv128(FixedLength::from(iv)))
            .map_err(|_| Error::InputLength(plaintext.len()))?;
        Ok(buffer)
    }

    /// Whole blocks in place; a padding stays.
    pub(crate) fn decrypt(&self, iv: &[u8; 16], blocks: &mut [u8]) -> Result<(), Error> {
        let decrypted = self.decrypting.decrypt(blocks, DecryptionContext::Iv128(FixedLength::from(iv)));
        decrypted.map(drop).map_err(|_| Error::Decryption)
    }
}

fn unbound(key: &[u8]) -> Result<UnboundCipherKey, Error> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        32 => &AES_256,
        other => return Err(Error::KeyLength(other)),
    };
    UnboundCipherKey::new(algorithm, key).map_err(|_| Error::KeyLength(key.len()))
}
