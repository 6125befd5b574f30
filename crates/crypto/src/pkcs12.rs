//! PKCS #12's own key derivation (RFC 7292 appendices B and C): for its MAC, and for legacy encryption.

use std::num::NonZeroU32;

use pkcs12::kdf::{Pkcs12KeyType, derive_key};

use crate::{Error, Hash, Secret};

/// The MAC key of a PFX, as long as the hash: SHA-1 or SHA-2. PBKDF2 would be better, but other programs support no
/// other MAC.
///
/// # Errors
/// [`Error::Parameters`] for a password that is not UTF-8, an unsupported hash, or more than 2^31 - 1 rounds.
pub fn pkcs12_mac_key(hash: Hash, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Result<Secret, Error> {
    derive(hash, password, salt, Pkcs12KeyType::Mac, iterations, hash.output_len())
}

/// Key and initialization vector of password-based Triple-DES: `pbeWithSHAAnd3-KeyTripleDES-CBC` (RFC 7292
/// appendix C), for old files and old readers.
///
/// # Errors
/// As [`pkcs12_mac_key`].
pub fn pkcs12_des3_key(password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Result<(Secret, [u8; 8]), Error> {
    let key = derive(Hash::Sha1, password, salt, Pkcs12KeyType::EncryptionKey, iterations, 24)?;
    let iv = derive(Hash::Sha1, password, salt, Pkcs12KeyType::Iv, iterations, 8)?;
    let iv = iv.expose().try_into().map_err(|_| Error::KeyLength(iv.len()))?;
    Ok((key, iv))
}

fn derive(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    kind: Pkcs12KeyType,
    iterations: NonZeroU32,
    len: usize,
) -> Result<Secret, Error> {
    let text = std::str::from_utf8(password).map_err(|_| Error::Parameters("the password is not UTF-8"))?;
    // UTF-16, big-endian, zero-terminated.
    let mut octets = Vec::with_capacity(2 * password.len() + 2);
    octets.extend(text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes));
    let wide = Secret::new(octets);
    let rounds = i32::try_from(iterations.get()).map_err(|_| Error::Parameters("too many rounds"))?;
    let key = match hash {
        Hash::Sha1 => derive_key::<sha1::Sha1>(wide.expose(), salt, kind, rounds, len),
        Hash::Sha224 => derive_key::<sha2::Sha224>(wide.expose(), salt, kind, rounds, len),
        Hash::Sha256 => derive_key::<sha2::Sha256>(wide.expose(), salt, kind, rounds, len),
        Hash::Sha384 => derive_key::<sha2::Sha384>(wide.expose(), salt, kind, rounds, len),
        Hash::Sha512 => derive_key::<sha2::Sha512>(wide.expose(), salt, kind, rounds, len),
    };
    Ok(Secret::new(key))
}
