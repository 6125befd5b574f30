//! Legacy ciphers: for reading old files, and in PKCS #12 for old readers.

use aes_kw::{AesKw, AesKwp, InnerInit as _};
use camellia::{Camellia128, Camellia192, Camellia256};
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyInit as _, KeyIvInit as _};
use cbc::{Decryptor, Encryptor};
use des::TdesEde3;

use crate::cipher::strip_padding;
use crate::{Error, Hash, Secret, ct_eq};

/// Decrypts Triple-DES in CBC mode; keys of 24 octets, or of 16 for two-key Triple-DES. The padding is that of XML
/// Encryption, which includes PKCS #5.
///
/// # Errors
/// [`Error::KeyLength`], [`Error::InputLength`]; a wrong padding is [`Error::Decryption`]: check a MAC first.
pub fn des3_cbc_decrypt(key: &[u8], iv: &[u8; 8], ciphertext: &[u8]) -> Result<Secret, Error> {
    whole_blocks(ciphertext, 8)?;
    let key = des3_key(key)?;
    strip_padding(des3_cbc(&key, iv, ciphertext)?, 8)
}

/// Encrypts with Triple-DES in CBC mode and PKCS #5 padding; keys of 24 octets. Only for PKCS #12, see
/// [`pkcs12_des3_key`](crate::pkcs12_des3_key).
///
/// # Errors
/// [`Error::KeyLength`]
pub fn des3_cbc_encrypt(key: &[u8], iv: &[u8; 8], octets: &[u8]) -> Result<Vec<u8>, Error> {
    let cipher = Encryptor::<TdesEde3>::new_from_slices(key, iv).map_err(|_| Error::KeyLength(key.len()))?;
    Ok(cipher.encrypt_padded_vec::<Pkcs7>(octets))
}

/// Reverses the Triple-DES key wrap of RFC 3217 §3.2; keys as in [`des3_cbc_decrypt`].
///
/// # Errors
/// [`Error::KeyLength`], [`Error::InputLength`], and [`Error::Decryption`] if the check value is wrong.
pub fn des3_unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Secret, Error> {
    const IV: [u8; 8] = [0x4a, 0xdd, 0xa2, 0x2c, 0x79, 0xe8, 0x21, 0x05];
    whole_blocks(wrapped, 8)?;
    if wrapped.len() < 24 {
        return Err(Error::InputLength(wrapped.len()));
    }
    let kek = des3_key(kek)?;
    let mut reversed = des3_cbc(&kek, &IV, wrapped)?;
    reversed.expose_mut().reverse();
    let (iv, rest) = reversed.expose().split_first_chunk().ok_or(Error::InputLength(wrapped.len()))?;
    let checked = des3_cbc(&kek, iv, rest)?;
    let (key, check) = checked.split_at(checked.len().saturating_sub(8)).ok_or(Error::Decryption)?;
    let expected = Hash::Sha1.digest(&[key.expose()]);
    match expected.get(..8).is_some_and(|expected| ct_eq(expected, check.expose())) {
        true => Ok(key),
        false => Err(Error::Decryption),
    }
}

/// Decrypts Camellia in CBC mode; keys of 16, 24 or 32 octets, padding as in [`des3_cbc_decrypt`].
///
/// # Errors
/// As [`des3_cbc_decrypt`].
pub fn camellia_cbc_decrypt(key: &[u8], iv: &[u8; 16], ciphertext: &[u8]) -> Result<Secret, Error> {
    whole_blocks(ciphertext, 16)?;
    let mut buffer = Secret::new(ciphertext.to_vec());
    let unfit = |_| Error::KeyLength(key.len());
    let octets = buffer.expose_mut();
    let done = match key.len() {
        16 => Decryptor::<Camellia128>::new_from_slices(key, iv).map_err(unfit)?.decrypt_padded::<NoPadding>(octets),
        24 => Decryptor::<Camellia192>::new_from_slices(key, iv).map_err(unfit)?.decrypt_padded::<NoPadding>(octets),
        32 => Decryptor::<Camellia256>::new_from_slices(key, iv).map_err(unfit)?.decrypt_padded::<NoPadding>(octets),
        other => return Err(Error::KeyLength(other)),
    };
    done.map_err(|_| Error::Decryption)?;
    strip_padding(buffer, 16)
}

/// The same expression for Camellia-128, -192 and -256, by key length.
macro_rules! with_camellia {
    ($kek:expr, |$cipher:ident| $body:expr) => {{
        let kek: &[u8] = $kek;
        let unfit = |_| Error::KeyLength(kek.len());
        match kek.len() {
            16 => Camellia128::new_from_slice(kek).map_err(unfit).and_then(|$cipher| $body),
            24 => Camellia192::new_from_slice(kek).map_err(unfit).and_then(|$cipher| $body),
            32 => Camellia256::new_from_slice(kek).map_err(unfit).and_then(|$cipher| $body),
            other => Err(Error::KeyLength(other)),
        }
    }};
}

/// Reverses the Camellia key wrap of RFC 3657, which is RFC 3394 with another cipher.
///
/// # Errors
/// [`Error::KeyLength`], [`Error::InputLength`], and [`Error::Decryption`] if the check value is wrong.
pub fn camellia_unwrap(kek: &[u8], wrapped: &[u8]) -> Result<Secret, Error> {
    let mut out = Secret::new(vec![0; unwrapped_len(wrapped, 24)?]);
    with_camellia!(kek, |cipher| {
        let unwrapped = AesKw::inner_init(cipher).unwrap_key(wrapped, out.expose_mut()).map(|_| ());
        unwrapped.map_err(|_| Error::Decryption)
    })?;
    Ok(out)
}

/// Like [`camellia_unwrap`], with the padding of RFC 5649.
///
/// # Errors
/// As [`camellia_unwrap`].
pub fn camellia_unwrap_pad(kek: &[u8], wrapped: &[u8]) -> Result<Secret, Error> {
    let mut out = Secret::new(vec![0; unwrapped_len(wrapped, 16)?]);
    let len = with_camellia!(kek, |cipher| {
        let unwrapped = AesKwp::inner_init(cipher).unwrap_key(wrapped, out.expose_mut()).map(<[u8]>::len);
        unwrapped.map_err(|_| Error::Decryption)
    })?;
    out.prefix(len).ok_or(Error::Decryption)
}

fn unwrapped_len(wrapped: &[u8], least: usize) -> Result<usize, Error> {
    match wrapped.len() {
        len if len >= least && len.is_multiple_of(8) => Ok(len - 8),
        len => Err(Error::InputLength(len)),
    }
}

fn des3_key(key: &[u8]) -> Result<Secret, Error> {
    match key.len() {
        16 => Ok(Secret::new([key, &key[..8]].concat())), // K1, K2, K1
        24 => Ok(Secret::from_slice(key)),
        other => Err(Error::KeyLength(other)),
    }
}

fn des3_cbc(key: &Secret, iv: &[u8; 8], ciphertext: &[u8]) -> Result<Secret, Error> {
    let mut buffer = Secret::new(ciphertext.to_vec());
    let cipher = Decryptor::<TdesEde3>::new_from_slices(key.expose(), iv).map_err(|_| Error::KeyLength(key.len()))?;
    cipher.decrypt_padded::<NoPadding>(buffer.expose_mut()).map_err(|_| Error::Decryption)?;
    Ok(buffer)
}

fn whole_blocks(octets: &[u8], block: usize) -> Result<(), Error> {
    let whole = !octets.is_empty() && octets.len().is_multiple_of(block);
    if whole { Ok(()) } else { Err(Error::InputLength(octets.len())) }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
    }

    fn octets(from: u8, len: u8) -> Vec<u8> {
        (from..from + len).collect()
    }

    const PLAIN: &[u8] = b"the secret of the old file";

    /// Ciphertexts made with `openssl enc`, keys 00 01 02 …, IVs 64 65 66 ….
    #[test]
    fn cbc_ciphertexts_of_openssl_are_decrypted() {
        let des =
            |key: &[u8], ciphertext: &[u8]| des3_cbc_decrypt(key, &octets(100, 8).try_into().unwrap(), ciphertext);
        let camellia =
            |key: &[u8], ciphertext: &[u8]| camellia_cbc_decrypt(key, &octets(100, 16).try_into().unwrap(), ciphertext);
        type Decrypt<'a> = &'a dyn Fn(&[u8], &[u8]) -> Result<Secret, Error>;
        let cases: [(Decrypt<'_>, u8, &str); 5] = [
            (&des, 24, "ef21b786ee42863da2e536669d933cf71fccb33032e4b6e69c13aa43ecdb2fa8"),
            (&des, 16, "35f695147d884776fe628f7d0955defae5d6e4f776fc75dddc6e4ccde7e6524c"),
            (&camellia, 16, "dd232a93ded093d83bd286070ba8f46a92f686b86435334cb4607aa3bc20a94a"),
            (&camellia, 24, "34c106f5e835af0eff9b0f93bc8ab75826db9c08d62dc5d67725fc8175c3c90a"),
            (&camellia, 32, "05b3a711ee12cb59a8955cb6354692fbb263c367609f888202105f4ef69f558a"),
        ];
        for (decrypt, len, ciphertext) in cases {
            let (key, ciphertext) = (octets(0, len), hex(ciphertext));
            assert_eq!(decrypt(&key, &ciphertext).map(|plain| plain.expose().to_vec()), Ok(PLAIN.to_vec()), "{len}");
            assert_eq!(decrypt(&key[1..], &ciphertext), Err(Error::KeyLength(usize::from(len) - 1)));
            assert_eq!(decrypt(&key, &ciphertext[..31]), Err(Error::InputLength(31)));
            assert_eq!(decrypt(&key, &[]), Err(Error::InputLength(0)));
            assert_ne!(decrypt(&octets(1, len), &ciphertext).ok(), Some(Secret::from_slice(PLAIN)));
        }
    }

    /// Wrapped by python-pskc; keys 32 33 34 … (hexadecimal), key-encryption keys 00 01 02 ….
    #[test]
    fn wraps_of_python_pskc_are_unwrapped_and_damaged_ones_refused() {
        let two_key = [octets(0, 16), octets(0, 8)].concat();
        type Unwrap = fn(&[u8], &[u8]) -> Result<Secret, Error>;
        let cases: [(Unwrap, Vec<u8>, u8, &str); 6] = [
            (
                des3_unwrap,
                octets(0, 24),
                24,
                "955274534d88c2bbed00fc7ed3eefac6cd5ea6f9eb091642c07b50be25a0a901434a2619ede8c1e5",
            ),
            (des3_unwrap, two_key, 16, "2616f9afde74cc7fc8ec8fc890c1a699877f660949e6002ae5fb2024e216ff68"),
            (des3_unwrap, octets(0, 16), 16, "2616f9afde74cc7fc8ec8fc890c1a699877f660949e6002ae5fb2024e216ff68"),
            (camellia_unwrap, octets(0, 16), 24, "28c79116f78d762771998308623586fc82d2f78d03ed9de7c08ada5db5df08dd"),
            (camellia_unwrap, octets(0, 24), 24, "2b6e8f893ffa8890d7de930ad91c45a72131d51384cde02699dd81e90d176b91"),
            (camellia_unwrap, octets(0, 32), 24, "3c34565442bb3bf99f4484d59e06eca5a2c887a450a9a4e247cfb6ded78b819e"),
        ];
        for (unwrap, kek, len, wrapped) in cases {
            let wrapped = hex(wrapped);
            assert_eq!(unwrap(&kek, &wrapped), Ok(Secret::new(octets(50, len))));
            for i in 0..wrapped.len() {
                let mut changed = wrapped.clone();
                changed[i] ^= 0x10;
                assert_eq!(unwrap(&kek, &changed), Err(Error::Decryption), "octet {i}");
            }
            assert_eq!(unwrap(&kek, &wrapped[..16]), Err(Error::InputLength(16)));
            assert_eq!(unwrap(&kek[..15], &wrapped), Err(Error::KeyLength(15)));
        }
    }

    #[test]
    fn rfc3217_s3_4_example() {
        let kek = hex("255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f");
        let wrapped = hex("690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4");
        let key = hex("2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98");
        assert_eq!(des3_unwrap(&kek, &wrapped), Ok(Secret::new(key)));
        for len in [0, 8, 16, 39, 41] {
            let cut = [&wrapped[..], &[0]].concat();
            assert_eq!(des3_unwrap(&kek, &cut[..len]), Err(Error::InputLength(len)));
        }
        assert_eq!(des3_unwrap(&kek, &wrapped[..32]), Err(Error::Decryption), "a block is missing");
    }

    /// Computed block by block with OpenSSL's Camellia; the first one is also a test vector of Bouncy Castle.
    #[test]
    fn rfc3657_wraps_with_and_without_padding() {
        let key = hex("00112233445566778899aabbccddeeff");
        for (len, wrapped, padded_7, padded_20) in [
            (
                16,
                "635d6ac46eedebd3a7f4a06421a4cbd1746b24795ba2f708",
                "d467ce4781dfbdc103f8aa1a3edf7058",
                "0f4de777098e3e7a38dc0ca653c6dd2d6a7c12d869c6c141caba48ae70364c88",
            ),
            (
                24,
                "fe8f5c4e2164cdfe36233c9f898f93df6e6f1d892d187742",
                "702c6a1dc39a36c754e3e19f77998b93",
                "d91f7639ef213f3061b09372c0debce7f4522600ab00baa8c8e2ed7e5537c8cb",
            ),
            (
                32,
                "b43e6793ee3b35b7698253b26bad0ca2d5e7793c6f5ddd48",
                "8e4bfb365d2fe3e3232a4467e54898e9",
                "110537c3d3be79e7373e91fb0e80c50cb7fa3fa9928073cc0969b5175eac7cb2",
            ),
        ] {
            let kek = octets(0, len);
            assert_eq!(camellia_unwrap(&kek, &hex(wrapped)), Ok(Secret::from_slice(&key)));
            assert_eq!(camellia_unwrap_pad(&kek, &hex(wrapped)), Err(Error::Decryption), "the other kind");
            for (wrapped, plain) in [(padded_7, octets(50, 7)), (padded_20, octets(50, 20))] {
                let wrapped = hex(wrapped);
                assert_eq!(camellia_unwrap_pad(&kek, &wrapped), Ok(Secret::new(plain)));
                for i in 0..wrapped.len() {
                    let mut changed = wrapped.clone();
                    changed[i] ^= 0x10;
                    assert_eq!(camellia_unwrap_pad(&kek, &changed), Err(Error::Decryption), "octet {i}");
                }
                assert_eq!(camellia_unwrap_pad(&kek[1..], &wrapped), Err(Error::KeyLength(kek.len() - 1)));
                for cut in [0, 8, 15] {
                    assert_eq!(camellia_unwrap_pad(&kek, &wrapped[..cut]), Err(Error::InputLength(cut)));
                }
            }
        }
    }

    #[test]
    fn xmlenc_s5_2_only_the_last_octet_of_a_padding_is_checked() {
        let padded = |last: u8| strip_padding(Secret::new([&[9; 23][..], &[last]].concat()), 8);
        for last in 1..=8 {
            assert_eq!(padded(last).map(|plain| plain.len()), Ok(24 - usize::from(last)));
        }
        for last in [0, 9, 16, 255] {
            assert_eq!(padded(last), Err(Error::Decryption));
        }
        assert_eq!(strip_padding(Secret::new(vec![]), 8), Err(Error::Decryption));
    }
}
