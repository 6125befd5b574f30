//! The CMS key wrap for password recipients (RFC 3211 §2.3).

use crate::{CbcKey, Error, Random, Secret};

const BLOCK: usize = 16;

/// id-alg-PWRI-KEK with AES-CBC around a key of 3 to 251 octets. [`Error::InputLength`], [`Error::KeyLength`].
pub fn pwri_wrap(kek: &[u8], iv: &[u8; 16], key: &Secret, rng: &mut dyn Random) -> Result<Vec<u8>, Error> {
    let (len, [x, y, z]) = match (u8::try_from(key.len()), key.expose()) {
        (Ok(len @ ..=251), [x, y, z, ..]) => (len, [x, y, z]),
        _ => return Err(Error::InputLength(key.len())),
    };
    let whole = (4 + key.len()).next_multiple_of(BLOCK).max(2 * BLOCK);
    let mut plain = Vec::with_capacity(whole); // no copies by reallocation
    plain.extend_from_slice(&[len, !x, !y, !z]);
    plain.extend_from_slice(key.expose());
    plain.extend(rng.bytes(whole - plain.len()));
    let plain = Secret::new(plain);
    let cipher = CbcKey::new(kek)?;
    let mut inner = cipher.encrypt(iv, plain.expose())?;
    inner.truncate(whole); // without the padding block
    let outer_iv = *inner.last_chunk().ok_or(Error::InputLength(key.len()))?;
    let mut wrapped = cipher.encrypt(&outer_iv, &inner)?;
    wrapped.truncate(whole);
    Ok(wrapped)
}

/// Reverses id-alg-PWRI-KEK with AES-CBC: two layers of unpadded CBC around a length, three check octets, the
/// key, and padding. [`Error::InputLength`], [`Error::KeyLength`]; [`Error::Decryption`] for a wrong key, which only 24
/// bits detect, so the content must be authenticated too.
pub fn pwri_unwrap(kek: &[u8], iv: &[u8; 16], wrapped: &[u8]) -> Result<Secret, Error> {
    if wrapped.len() < 2 * BLOCK || wrapped.len() > 16 * BLOCK || !wrapped.len().is_multiple_of(BLOCK) {
        return Err(Error::InputLength(wrapped.len()));
    }
    let key = CbcKey::new(kek)?;
    // The outer layer's IV is the last block of the inner one, which the last two blocks determine.
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

/// CBC without padding: appends a matching padding block, which decryption removes.
fn decrypt_unpadded(key: &CbcKey, iv: &[u8; 16], octets: &[u8]) -> Result<Secret, Error> {
    let last = octets.last_chunk().ok_or(Error::Decryption)?;
    key.decrypt(iv, &[octets, &key.encrypt(last, &[])?].concat())
}
