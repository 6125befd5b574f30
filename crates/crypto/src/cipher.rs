//! AES in the modes of RFC 6063 and RFC 6030: CBC, and key wrap with and without padding.

use aes_kw::{KeyInit, KwAes128, KwAes192, KwAes256, KwpAes128, KwpAes192, KwpAes256};

use crate::{Error, Secret, backend};

/// A key for AES-CBC, expanded once for many values.
pub struct CbcKey(backend::CbcKey);

impl CbcKey {
    /// A key of 16, 24 or 32 octets; [`Error::KeyLength`] for others.
    pub fn new(key: &[u8]) -> Result<Self, Error> {
        backend::CbcKey::new(key).map(CbcKey)
    }

    /// Like [`aes_cbc_encrypt`].
    pub fn encrypt(&self, iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.encrypt(iv, plaintext)
    }

    /// Like [`aes_cbc_decrypt`].
    pub fn decrypt(&self, iv: &[u8; 16], ciphertext: &[u8]) -> Result<Secret, Error> {
        if ciphertext.is_empty() || !ciphertext.len().is_multiple_of(16) {
            return Err(Error::InputLength(ciphertext.len()));
        }
        let mut buffer = Secret::new(ciphertext.to_vec());
        self.0.decrypt(iv, buffer.expose_mut())?;
        strip_padding(buffer, 16)
    }
}

impl std::fmt::Debug for CbcKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CbcKey(secret)")
    }
}

/// AES-CBC with PKCS #7 padding; the key has 16, 24 or 32 octets. The IV is not part of the result.
pub fn aes_cbc_encrypt(key: &[u8], iv: &[u8; 16], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    CbcKey::new(key)?.encrypt(iv, plaintext)
}

/// Decrypts [`aes_cbc_encrypt`], accepting any padding of XML Encryption, which includes PKCS #7. A wrong
/// padding is [`Error::Decryption`]: showing that to a peer is a padding oracle, so check a MAC first, or
/// continue with a random value.
pub fn aes_cbc_decrypt(key: &[u8], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Secret, Error> {
    CbcKey::new(key)?.decrypt(iv, ciphertext)
}

/// Removes the padding of XML Encryption §5.2: the last octet is its length, up to a block; the others
/// are arbitrary.
pub(crate) fn strip_padding(padded: Secret, block: usize) -> Result<Secret, Error> {
    let len = padded.expose().last().copied().map_or(0, usize::from);
    match padded.len().checked_sub(len) {
        Some(kept) if (1..=block).contains(&len) => padded.prefix(kept).ok_or(Error::Decryption),
        _ => Err(Error::Decryption),
    }
}

/// Dispatches on the key length: the same expression for AES-128, -192 and -256.
macro_rules! with_kek {
    ($kek:expr, $one:ty, $two:ty, $three:ty, |$cipher:ident| $body:expr) => {{
        let kek: &[u8] = $kek;
        let unfit = |_| Error::KeyLength(kek.len());
        match kek.len() {
            16 => <$one>::new_from_slice(kek).map_err(unfit).and_then(|$cipher| $body),
            24 => <$two>::new_from_slice(kek).map_err(unfit).and_then(|$cipher| $body),
            32 => <$three>::new_from_slice(kek).map_err(unfit).and_then(|$cipher| $body),
            other => Err(Error::KeyLength(other)),
        }
    }};
}

/// AES key wrap (RFC 3394) of a multiple of 8 octets, at least 16. The result is 8 octets longer.
pub fn aes_wrap(kek: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
    if data.len() < 16 || !data.len().is_multiple_of(8) {
        return Err(Error::InputLength(data.len()));
    }
    let mut out = vec![0; data.len() + 8];
    with_kek!(kek, KwAes128, KwAes192, KwAes256, |cipher| {
        cipher.wrap_key(data, &mut out).map(<[u8]>::len).map_err(|_| Error::InputLength(data.len()))
    })?;
    Ok(out)
}

/// Reverses [`aes_wrap`]; [`Error::Decryption`] if the integrity check fails.
pub fn aes_unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Secret, Error> {
    if wrapped.len() < 24 || !wrapped.len().is_multiple_of(8) {
        return Err(Error::InputLength(wrapped.len()));
    }
    let mut out = vec![0; wrapped.len() - 8];
    let len = with_kek!(kek, KwAes128, KwAes192, KwAes256, |cipher| {
        cipher.unwrap_key(wrapped, &mut out).map(<[u8]>::len).map_err(|_| Error::Decryption)
    });
    finish(out, len)
}

/// AES key wrap with padding (RFC 5649) of 1 octet or more. The result is 8 to 15 octets longer.
pub fn aes_wrap_pad(kek: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
    if data.is_empty() || u32::try_from(data.len()).is_err() {
        return Err(Error::InputLength(data.len()));
    }
    let mut out = vec![0; data.len().div_ceil(8) * 8 + 8];
    with_kek!(kek, KwpAes128, KwpAes192, KwpAes256, |cipher| {
        cipher.wrap_key(data, &mut out).map(<[u8]>::len).map_err(|_| Error::InputLength(data.len()))
    })?;
    Ok(out)
}

/// Reverses [`aes_wrap_pad`]; [`Error::Decryption`] if the integrity check fails.
pub fn aes_unwrap_pad(kek: &[u8], wrapped: &[u8]) -> Result<Secret, Error> {
    if wrapped.len() < 16 || !wrapped.len().is_multiple_of(8) {
        return Err(Error::InputLength(wrapped.len()));
    }
    let mut out = vec![0; wrapped.len() - 8];
    let len = with_kek!(kek, KwpAes128, KwpAes192, KwpAes256, |cipher| {
        cipher.unwrap_key(wrapped, &mut out).map(<[u8]>::len).map_err(|_| Error::Decryption)
    });
    finish(out, len)
}

/// The first `len` octets of the buffer, or the error; the rest of the buffer is wiped.
fn finish(buffer: Vec<u8>, len: Result<usize, Error>) -> Result<Secret, Error> {
    let buffer = Secret::new(buffer);
    buffer.prefix(len?).ok_or(Error::Decryption)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER_PERMISSIVE as HEX;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEX.decode(text.as_bytes()).expect("hexadecimal")
    }

    #[test]
    fn sp800_38a_f2_cbc_first_block() {
        let iv: [u8; 16] = std::array::from_fn(|i| i as u8);
        let plaintext = hex("6bc1bee22e409f96e93d7e117393172a");
        for (key, expected) in [
            ("2b7e151628aed2a6abf7158809cf4f3c", "7649abac8119b246cee98e9b12e9197d"),
            ("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", "4f021db243bc633d7178183a9fa071e8"),
            ("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", "f58c4c04d6e5f1ba779eabfb5f7bfbd6"),
        ] {
            let sealed = aes_cbc_encrypt(&hex(key), &iv, &plaintext).expect("a fitting key");
            assert_eq!(sealed.len(), 32, "a full block of padding follows");
            assert_eq!(sealed[..16], hex(expected));
            assert_eq!(aes_cbc_decrypt(&hex(key), &iv, &sealed).expect("intact").expose(), plaintext);
        }
    }

    #[test]
    fn cbc_refuses_invalid_lengths_and_paddings() {
        let (key, iv) = ([7; 16], [9; 16]);
        for len in 0..40 {
            let sealed = aes_cbc_encrypt(&key, &iv, &vec![1; len]).expect("any length");
            assert_eq!(aes_cbc_decrypt(&key, &iv, &sealed).expect("intact").len(), len);
        }
        for len in [0, 1, 15, 17] {
            assert_eq!(aes_cbc_decrypt(&key, &iv, &vec![0; len]), Err(Error::InputLength(len)));
        }
        assert_eq!(aes_cbc_encrypt(&[0; 15], &iv, b""), Err(Error::KeyLength(15)));
        let mut sealed = aes_cbc_encrypt(&key, &iv, &[1; 31]).expect("any length");
        sealed[15] ^= 0xFF; // turns the padding octet 01 into FE
        assert_eq!(aes_cbc_decrypt(&key, &iv, &sealed), Err(Error::Decryption));
    }

    /// `openssl enc -nopad` of 21 octets of text and 11 of padding: ten arbitrary ones and 0b.
    #[test]
    fn xmlenc_s5_2_only_the_last_octet_of_a_padding_is_checked() {
        let key: [u8; 16] = std::array::from_fn(|i| i as u8);
        let iv: [u8; 16] = std::array::from_fn(|i| i as u8 + 100);
        let sealed = hex("87e9e271c3478326391b7ea67aa1777077fdb6401974793ab303debbc238417b");
        assert_eq!(aes_cbc_decrypt(&key, &iv, &sealed), Ok(Secret::from_slice(b"twenty octets of text")));
        for last in 0..=255_u8 {
            let mut changed = sealed.clone();
            changed[15] ^= 0x0b ^ last; // the padding's last octet becomes `last`
            let kept = aes_cbc_decrypt(&key, &iv, &changed).map(|plain| plain.len());
            let expected = if (1..=16).contains(&last) { Ok(32 - usize::from(last)) } else { Err(Error::Decryption) };
            assert_eq!(kept, expected, "{last}");
        }
    }

    #[test]
    fn rfc3394_section_4() {
        const KEK: &str = "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F";
        const DATA: &str = "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F";
        for (kek, data, expected) in [
            (16, 16, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5"),
            (24, 16, "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D"),
            (32, 16, "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7"),
            (24, 24, "031D33264E15D33268F24EC260743EDCE1C6C7DDEE725A936BA814915C6762D2"),
            (32, 24, "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1"),
            (32, 32, "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21"),
        ] {
            let (kek, data) = (&hex(KEK)[..kek], &hex(DATA)[..data]);
            let wrapped = aes_wrap(kek, data).expect("fits");
            assert_eq!(wrapped, hex(expected));
            assert_eq!(aes_unwrap(kek, &wrapped).expect("intact").expose(), data);
        }
    }

    #[test]
    fn rfc5649_section_6() {
        let kek = hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
        for (data, expected) in [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
            ),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ] {
            let wrapped = aes_wrap_pad(&kek, &hex(data)).expect("fits");
            assert_eq!(wrapped, hex(expected));
            assert_eq!(aes_unwrap_pad(&kek, &wrapped).expect("intact").expose(), hex(data));
        }
    }

    #[test]
    fn damage_to_a_wrapped_key_is_detected_at_every_octet() {
        for kek in [&[1; 16][..], &[1; 24], &[1; 32]] {
            let (plain, padded) = (aes_wrap(kek, &[5; 24]).expect("fits"), aes_wrap_pad(kek, &[5; 20]).expect("fits"));
            for i in 0..plain.len() {
                let mut changed = plain.clone();
                changed[i] ^= 0x80;
                assert_eq!(aes_unwrap(kek, &changed), Err(Error::Decryption));
            }
            for i in 0..padded.len() {
                let mut changed = padded.clone();
                changed[i] ^= 0x80;
                assert_eq!(aes_unwrap_pad(kek, &changed), Err(Error::Decryption));
            }
            assert_eq!(aes_unwrap(kek, &plain[..16]), Err(Error::InputLength(16)));
            assert_eq!(aes_unwrap_pad(kek, &padded[..8]), Err(Error::InputLength(8)));
        }
        assert_eq!(aes_wrap(&[1; 16], &[0; 20]), Err(Error::InputLength(20)), "not a multiple of 8");
        assert_eq!(aes_wrap(&[1; 17], &[0; 16]), Err(Error::KeyLength(17)));
        assert_eq!(aes_wrap_pad(&[1; 16], &[]), Err(Error::InputLength(0)));
    }
}
