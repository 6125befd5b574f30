//! The primitives of AWS-LC.

mod aead;
mod cipher;
mod mac;
mod raw_rsa;
mod rsa;

use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2 as lib};

use crate::{Hash, Pbkdf2Prf};

pub(crate) use aead::AeadKey;
pub(crate) use cipher::CbcKey;
pub(crate) use mac::{CmacKey, HmacKey};
pub(crate) use rsa::{RsaPrivate, RsaPublic, generate_rsa, rsa_of_spki, spki_of_rsa};

/// The operating system's randomness. AWS-LC itself aborts if there is none: nothing may continue without it.
pub(crate) fn fill_random(out: &mut [u8]) {
    aws_lc_rs::rand::fill(out).expect("the operating system provides randomness");
}

/// The hash of the concatenated parts.
pub(crate) fn digest(hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &digest::SHA224,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    });
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

/// PBKDF2 fills `out`.
pub(crate) fn pbkdf2(prf: Pbkdf2Prf, password: &[u8], salt: &[u8], iterations: NonZeroU32, out: &mut [u8]) {
    let algorithm = match prf {
        Pbkdf2Prf::HmacSha1 => lib::PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacSha256 => lib::PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacSha384 => lib::PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacSha512 => lib::PBKDF2_HMAC_SHA512,
    };
    lib::derive(algorithm, iterations, salt, password, out);
}

#[cfg(test)]
mod paddings;
