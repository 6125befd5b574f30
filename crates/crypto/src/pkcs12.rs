//! The key of PKCS #12's own MAC (RFC 7292 appendix B).

use std::num::NonZeroU32;

use pkcs12::kdf::{Pkcs12KeyType, derive_key};

use crate::{Error, Hash, Secret};

/// The MAC key of a PFX, as long as the hash: SHA-256, SHA-384 or SHA-512. The derivation is old and PBKDF2 is better;
/// it is here because others know no other MAC.
///
/// # Errors
/// [`Error::Parameters`] for a password that is not UTF-8, another hash, or more than 2^31 - 1 rounds.
pub fn pkcs12_mac_key(hash: Hash, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Result<Secret, Error> {
    let text = std::str::from_utf8(password).map_err(|_| Error::Parameters("the password is not UTF-8"))?;
    // UTF-16, big-endian, with a zero behind it.
    let mut octets = Vec::with_capacity(2 * password.len() + 2);
    octets.extend(text.encode_utf16().chain([0]).flat_map(u16::to_be_bytes));
    let wide = Secret::new(octets);
    let rounds = i32::try_from(iterations.get()).map_err(|_| Error::Parameters("too many rounds"))?;
    let len = hash.output_len();
    let key = match hash {
        Hash::Sha256 => derive_key::<sha2::Sha256>(wide.expose(), salt, Pkcs12KeyType::Mac, rounds, len),
        Hash::Sha384 => derive_key::<sha2::Sha384>(wide.expose(), salt, Pkcs12KeyType::Mac, rounds, len),
        Hash::Sha512 => derive_key::<sha2::Sha512>(wide.expose(), salt, Pkcs12KeyType::Mac, rounds, len),
        _ => return Err(Error::Parameters("a hash that is not for this MAC")),
    };
    Ok(Secret::new(key))
}
