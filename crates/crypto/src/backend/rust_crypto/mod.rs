//! The primitives of RustCrypto: Rust alone, without operating system, randomness and clock.

#[cfg(feature = "encryption")]
mod aead;
#[cfg(feature = "encryption")]
mod cipher;
mod mac;
#[cfg(feature = "encryption")]
mod rsa;
#[cfg(feature = "pure")]
mod rsa_private;

#[cfg(all(feature = "encryption", not(feature = "pure")))]
#[path = "no_rsa_private.rs"]
mod rsa_private;

use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::Hash;

pub(crate) use mac::HmacKey;
#[cfg(feature = "encryption")]
pub(crate) use {
    aead::AeadKey,
    cipher::CbcKey,
    mac::{CmacKey, pbkdf2},
    rsa::{RsaPublic, rsa_of_spki, spki_of_rsa},
    rsa_private::RsaPrivate,
};

/// The hash of the concatenated parts.
pub(crate) fn digest(hash: Hash, parts: &[&[u8]]) -> Vec<u8> {
    fn of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
        let mut hash = D::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().to_vec()
    }
    match hash {
        Hash::Sha1 => of::<Sha1>(parts),
        Hash::Sha224 => of::<Sha224>(parts),
        Hash::Sha256 => of::<Sha256>(parts),
        Hash::Sha384 => of::<Sha384>(parts),
        Hash::Sha512 => of::<Sha512>(parts),
    }
}
