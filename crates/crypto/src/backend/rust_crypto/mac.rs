use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
#[cfg(feature = "encryption")]
use {
    crate::{Error, Pbkdf2Prf},
    aes::{Aes128, Aes192, Aes256},
    cmac::Cmac,
    std::num::NonZeroU32,
};

use crate::{Hash, Tag};

#[derive(Clone)]
pub(crate) enum HmacKey {
    Sha1(Hmac<Sha1>),
    Sha224(Hmac<Sha224>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl HmacKey {
    pub(crate) fn new(hash: Hash, key: &[u8]) -> Self {
        fn prepared<M: KeyInit>(key: &[u8]) -> M {
            M::new_from_slice(key).expect("HMAC takes keys of any length")
        }
        match hash {
            Hash::Sha1 => HmacKey::Sha1(prepared(key)),
            Hash::Sha224 => HmacKey::Sha224(prepared(key)),
            Hash::Sha256 => HmacKey::Sha256(prepared(key)),
            Hash::Sha384 => HmacKey::Sha384(prepared(key)),
            Hash::Sha512 => HmacKey::Sha512(prepared(key)),
        }
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Tag {
        match self {
            HmacKey::Sha1(key) => Tag::new(&mac(key, parts)),
            HmacKey::Sha224(key) => Tag::new(&mac(key, parts)),
            HmacKey::Sha256(key) => Tag::new(&mac(key, parts)),
            HmacKey::Sha384(key) => Tag::new(&mac(key, parts)),
            HmacKey::Sha512(key) => Tag::new(&mac(key, parts)),
        }
    }
}

#[cfg(feature = "encryption")]
pub(crate) enum CmacKey {
    Aes128(Cmac<Aes128>),
    Aes192(Cmac<Aes192>),
    Aes256(Cmac<Aes256>),
}

#[cfg(feature = "encryption")]
impl CmacKey {
    pub(crate) fn new(key: &[u8]) -> Result<Self, Error> {
        let unfit = |_| Error::KeyLength(key.len());
        match key.len() {
            16 => KeyInit::new_from_slice(key).map(CmacKey::Aes128).map_err(unfit),
            24 => KeyInit::new_from_slice(key).map(CmacKey::Aes192).map_err(unfit),
            32 => KeyInit::new_from_slice(key).map(CmacKey::Aes256).map_err(unfit),
            other => Err(Error::KeyLength(other)),
        }
    }

    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 16] {
        match self {
            CmacKey::Aes128(key) => mac(key, parts).into(),
            CmacKey::Aes192(key) => mac(key, parts).into(),
            CmacKey::Aes256(key) => mac(key, parts).into(),
        }
    }
}

fn mac<M: Mac + Clone>(key: &M, parts: &[&[u8]]) -> hmac::digest::Output<M> {
    let mut mac = key.clone();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes()
}

/// PBKDF2 fills `out`.
#[cfg(feature = "encryption")]
pub(crate) fn pbkdf2(prf: Pbkdf2Prf, password: &[u8], salt: &[u8], iterations: NonZeroU32, out: &mut [u8]) {
    use pbkdf2::pbkdf2_hmac;
    match prf {
        Pbkdf2Prf::HmacSha1 => pbkdf2_hmac::<Sha1>(password, salt, iterations.get(), out),
        Pbkdf2Prf::HmacSha256 => pbkdf2_hmac::<Sha256>(password, salt, iterations.get(), out),
        Pbkdf2Prf::HmacSha384 => pbkdf2_hmac::<Sha384>(password, salt, iterations.get(), out),
        Pbkdf2Prf::HmacSha512 => pbkdf2_hmac::<Sha512>(password, salt, iterations.get(), out),
    }
}
