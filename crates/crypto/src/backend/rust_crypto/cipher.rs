use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{
    BlockCipherDecrypt, BlockCipherEncrypt, BlockModeDecrypt as _, BlockModeEncrypt as _, InnerIvInit as _,
    KeyInit as _,
};
use cbc::{Decryptor, Encryptor};

use crate::Error;

/// AES-CBC.
pub(crate) enum CbcKey {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl CbcKey {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        let unfit = |_| Error::KeyLength(key.len());
        match key.len() {
            16 => Aes128::new_from_slice(key).map(CbcKey::Aes128).map_err(unfit),
            24 => Aes192::new_from_slice(key).map(CbcKey::Aes192).map_err(unfit),
            32 => Aes256::new_from_slice(key).map(CbcKey::Aes256).map_err(unfit),
            other => Err(Error::KeyLength(other)),
        }
    }

    /// With PKCS #7 padding.
    pub(crate) fn encrypt(&self, iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            CbcKey::Aes128(key) => encrypt(key, iv, plaintext),
            CbcKey::Aes192(key) => encrypt(key, iv, plaintext),
            CbcKey::Aes256(key) => encrypt(key, iv, plaintext),
        }
    }

    /// Whole blocks in place; a padding stays.
    pub(crate) fn decrypt(&self, iv: &[u8; 16], blocks: &mut [u8]) -> Result<(), Error> {
        match self {
            CbcKey::Aes128(key) => decrypt(key, iv, blocks),
            CbcKey::Aes192(key) => decrypt(key, iv, blocks),
            CbcKey::Aes256(key) => decrypt(key, iv, blocks),
        }
    }
}

fn encrypt<C: BlockCipherEncrypt + Clone>(key: &C, iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, Error>
where
    Encryptor<C>: cbc::cipher::InnerIvInit<Inner = C> + cbc::cipher::BlockModeEncrypt,
{
    let cipher = Encryptor::inner_iv_slice_init(key.clone(), iv).map_err(|_| Error::InputLength(iv.len()))?;
    Ok(cipher.encrypt_padded_vec::<Pkcs7>(plaintext))
}

fn decrypt<C: BlockCipherDecrypt + Clone>(key: &C, iv: &[u8; 16], blocks: &mut [u8]) -> Result<(), Error>
where
    Decryptor<C>: cbc::cipher::InnerIvInit<Inner = C> + cbc::cipher::BlockModeDecrypt,
{
    let cipher = Decryptor::inner_iv_slice_init(key.clone(), iv).map_err(|_| Error::InputLength(iv.len()))?;
    cipher.decrypt_padded::<NoPadding>(blocks).map(drop).map_err(|_| Error::Decryption)
}
