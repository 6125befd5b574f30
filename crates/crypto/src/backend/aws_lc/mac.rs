use aws_lc_rs::{cmac, hmac};

use crate::{Error, Hash, Tag};

#[derive(Clone)]
pub(crate) struct HmacKey(hmac::Key);

impl HmacKey {
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Self {
        let algorithm = match hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha224 => hmac::HMAC_SHA224,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        HmacKey(hmac::Key::new(algorithm, key))
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Tag {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        Tag::new(context.sign().as_ref())
    }
}

pub(crate) struct CmacKey(cmac::Key);

impl CmacKey {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        let algorithm = match key.len() {
            16 => cmac::AES_128,
            24 => cmac::AES_192,
            32 => cmac::AES_256,
            other => return Err(Error::KeyLength(other)),
        };
        cmac::Key::new(algorithm, key).map(CmacKey).map_err(|_| Error::KeyLength(key.len()))
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 16] {
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
