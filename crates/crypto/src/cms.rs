//! The key wrap of CMS for keys under a password (RFC 3211 §2.3).

use crate::{CbcKey, Error, Secret};

/// Undoes id-alg-PWRI-KEK with AES-CBC: two layers of CBC without padding around a length, three octets that check the
/// key, the key, and anything. [`Error::InputLength`], [`Error::KeyLength`]; [`Error::Decryption`] for another key: 24
/// bits tell, so what the key opens must be judged as well.
pub fn pwri_unwrap(kek: &[u8], iv: &[u8; 16], wrapped: &[u8]) -> Result<Secret, Error> {
    const BLOCK: usize = 16;
    if wrapped.len() < 2 * BLOCK || wrapped.len() > 16 * BLOCK || !wrapped.len().is_multiple_of(BLOCK) {
        return Err(Error::InputLength(wrapped.len()));
    }
    let key = CbcKey::new(kek)?;
    // The outer layer's IV is the inner one's last block, which the last two blocks give.
    let (front, last) = wrapped.split_at(wrapped.len() - BLOCK);
    let before = front.last_chunk().ok_or(Error::Decryption)?;
    let outer_iv = decrypt_unpadded(&key, before, last)?;
    let outer_iv = outer_iv.expose().first_chunk().ok_or(Error::Decryption)?;
    let inner = decrypt_unpadded(&key, outer_iv, wrapped)?;
    let plain = decrypt_unpadded(&key, iv, inner.expose())?;
    let [len, a, b, c, rest @ ..] = plain.expose() else { return Err(Error::Decryption) };
    let content = rest.get(..usize::from(*len)).ok_or(Error::Decryption)?;
    match content {
        [x, y, z, ..] if (x ^ a) & (y ^ b) & (z ^ c) == 0xFF => Ok(Secret::from_slice(content)),
        _ => Err(Error::Decryption),
    }
}

/// CBC without padding: a block of padding that fits is put behind, and comes off again.
fn decrypt_unpadded(key: &CbcKey, iv: &[u8; 16], octets: &[u8]) -> Result<Secret, Error> {
    let last = octets.last_chunk().ok_or(Error::Decryption)?;
    key.decrypt(iv, &[octets, &key.encrypt(last, &[])?].concat())
}
