//! Content encryption with AES-CBC, and PBES2 (RFC 8018 §6.2), which derives its key from a password.

use std::num::NonZeroU32;

use der::Sequence;
use der::asn1::{Null, OctetString};
use dskpp_crypto::{Pbkdf2Prf, Random, Secret, aes_cbc_decrypt, aes_cbc_encrypt, des3_cbc_decrypt, pbkdf2};

use super::PackageError;
use super::asn1::{Algorithm, Oid, algorithm, from_der, to_der};
use super::reading::ReadRules;

const PBES2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.13");
const PBKDF2: Oid = Oid::new_unwrap("1.2.840.113549.1.5.12");
const HMAC_SHA1: Oid = Oid::new_unwrap("1.2.840.113549.2.7");
const HMAC_SHA256: Oid = Oid::new_unwrap("1.2.840.113549.2.9");
const HMAC_SHA384: Oid = Oid::new_unwrap("1.2.840.113549.2.10");
const HMAC_SHA512: Oid = Oid::new_unwrap("1.2.840.113549.2.11");
const AES_CBC: [(Oid, usize); 3] = [
    (Oid::new_unwrap("2.16.840.1.101.3.4.1.2"), 16),
    (Oid::new_unwrap("2.16.840.1.101.3.4.1.22"), 24),
    (Oid::new_unwrap("2.16.840.1.101.3.4.1.42"), 32),
];
/// des-EDE3-CBC, in old files.
const DES3_CBC: Oid = Oid::new_unwrap("1.2.840.113549.3.7");
const MAX_SALT: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pbes2Params {
    kdf: Algorithm,
    scheme: Algorithm,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Pbkdf2Params {
    salt: OctetString,
    iterations: u32,
    #[asn1(optional = "true")]
    key_len: Option<u32>,
    /// Defaults to HMAC-SHA-1.
    #[asn1(optional = "true")]
    prf: Option<Algorithm>,
}

/// AES-CBC with a fresh IV; the key has 16, 24 or 32 octets.
pub(super) fn encrypt(
    key: &Secret,
    content: &Secret,
    rng: &mut dyn Random,
) -> Result<(Algorithm, Vec<u8>), PackageError> {
    let (algorithm, iv) = cipher(key.len(), rng)?;
    let octets = aes_cbc_encrypt(key.expose(), &iv, content.expose()).map_err(|_| PackageError::Protection)?;
    Ok((algorithm, octets))
}

/// AES-CBC with this key length in octets, and a fresh IV.
pub(super) fn cipher(key_len: usize, rng: &mut dyn Random) -> Result<(Algorithm, [u8; 16]), PackageError> {
    let (oid, _) = AES_CBC.iter().find(|(_, len)| *len == key_len).ok_or(PackageError::Protection)?;
    let mut iv = [0; 16];
    rng.fill(&mut iv);
    Ok((algorithm(*oid, Some(&octet_string(&iv)?))?, iv))
}

/// Reverses [`encrypt`].
pub(super) fn decrypt(algorithm: &Algorithm, key: &Secret, octets: &[u8]) -> Result<Secret, PackageError> {
    let iv = iv_of(algorithm)?;
    if key_len(algorithm)? != key.len() {
        return Err(PackageError::WrongKeyOrDamaged);
    }
    aes_cbc_decrypt(key.expose(), &iv, octets).map_err(|_| PackageError::WrongKeyOrDamaged)
}

/// The key length of a content algorithm in octets.
pub(super) fn key_len(algorithm: &Algorithm) -> Result<usize, PackageError> {
    let known = AES_CBC.iter().find(|(oid, _)| *oid == algorithm.oid).map(|(_, len)| *len);
    known.ok_or(PackageError::Unreadable("its content is not encrypted with AES-CBC"))
}

/// The initialization vector of a CBC cipher.
pub(super) fn iv_of<const LEN: usize>(algorithm: &Algorithm) -> Result<[u8; LEN], PackageError> {
    const WRONG: PackageError =
        PackageError::Unreadable("its cipher's initialization vector is missing or has the wrong length");
    let parameters = algorithm.parameters.as_ref().ok_or(WRONG)?;
    let iv: OctetString = parameters.decode_as().map_err(|_| WRONG)?;
    iv.as_bytes().try_into().map_err(|_| WRONG)
}

/// PBES2 with PBKDF2 (HMAC-SHA-256) and AES-256-CBC.
pub(super) fn encrypt_with_password(
    password: &Secret,
    iterations: NonZeroU32,
    content: &Secret,
    rng: &mut dyn Random,
) -> Result<(Algorithm, Vec<u8>), PackageError> {
    let (kdf, key) = derive_new(password, iterations, rng)?;
    encrypt_derived(kdf, &key, content, rng)
}

/// PBES2 with the result of [`derive_new`].
pub(super) fn encrypt_derived(
    kdf: Algorithm,
    key: &Secret,
    content: &Secret,
    rng: &mut dyn Random,
) -> Result<(Algorithm, Vec<u8>), PackageError> {
    let (scheme, octets) = encrypt(key, content, rng)?;
    Ok((algorithm(PBES2, Some(&Pbes2Params { kdf, scheme }))?, octets))
}

/// A key of 32 octets by PBKDF2 with HMAC-SHA-256 and a fresh salt.
pub(super) fn derive_new(
    password: &Secret,
    iterations: NonZeroU32,
    rng: &mut dyn Random,
) -> Result<(Algorithm, Secret), PackageError> {
    let salt = rng.bytes(16);
    let key = pbkdf2(Pbkdf2Prf::HmacSha256, password.expose(), &salt, iterations, 32);
    let params = Pbkdf2Params {
        salt: octet_string(&salt)?,
        iterations: iterations.get(),
        key_len: Some(32),
        prf: Some(algorithm(HMAC_SHA256, Some(&Null))?),
    };
    Ok((algorithm(PBKDF2, Some(&params))?, key))
}

/// Reverses [`encrypt_with_password`], for any supported PRF and key length.
pub(super) fn decrypt_with_password(
    algorithm: &Algorithm,
    password: &Secret,
    octets: &[u8],
    reading: &ReadRules,
) -> Result<Secret, PackageError> {
    const WRONG: PackageError = PackageError::Unreadable("its password-based encryption is not PBES2 with PBKDF2");
    if algorithm.oid != PBES2 {
        return Err(WRONG);
    }
    let params: Pbes2Params = decode(algorithm, WRONG)?;
    if params.scheme.oid == DES3_CBC && reading.is_of_file() {
        let key = derive(&params.kdf, password, 24, reading)?;
        return des3_cbc_decrypt(key.expose(), &iv_of(&params.scheme)?, octets)
            .map_err(|_| PackageError::WrongKeyOrDamaged);
    }
    let key = derive(&params.kdf, password, key_len(&params.scheme)?, reading)?;
    decrypt(&params.scheme, &key, octets)
}

/// A key of `len` octets by PBKDF2.
pub(super) fn derive(
    kdf: &Algorithm,
    password: &Secret,
    len: usize,
    reading: &ReadRules,
) -> Result<Secret, PackageError> {
    const WRONG: PackageError =
        PackageError::Unreadable("its key is not derived by PBKDF2, or with an unknown function");
    if kdf.oid != PBKDF2 {
        return Err(WRONG);
    }
    let parameters = [to_der(kdf)?, len.to_be_bytes().to_vec()].concat();
    let kdf: Pbkdf2Params = decode(kdf, WRONG)?;
    let prf = match kdf.prf.map_or(HMAC_SHA1, |prf| prf.oid) {
        HMAC_SHA1 => Pbkdf2Prf::HmacSha1,
        HMAC_SHA256 => Pbkdf2Prf::HmacSha256,
        HMAC_SHA384 => Pbkdf2Prf::HmacSha384,
        HMAC_SHA512 => Pbkdf2Prf::HmacSha512,
        _ => return Err(WRONG),
    };
    let salt = salt_of(&kdf.salt)?;
    if kdf.key_len.is_some_and(|said| said as usize != len) {
        return Err(PackageError::Unreadable("its derived key has the wrong length for its cipher"));
    }
    reading.derived(parameters, kdf.iterations, |iterations| Ok(pbkdf2(prf, password.expose(), salt, iterations, len)))
}

/// A salt of an acceptable length.
pub(super) fn salt_of(salt: &OctetString) -> Result<&[u8], PackageError> {
    let fits = salt.as_bytes().len() <= MAX_SALT;
    if fits { Ok(salt.as_bytes()) } else { Err(PackageError::Unreadable("its salt is too long")) }
}

/// The parameters of an algorithm.
pub(super) fn decode<T: for<'a> der::Decode<'a> + der::Encode>(
    algorithm: &Algorithm,
    wrong: PackageError,
) -> Result<T, PackageError> {
    let parameters = algorithm.parameters.as_ref().ok_or(wrong)?;
    from_der(&to_der(parameters)?).map_err(|_| wrong)
}

pub(super) fn octet_string(octets: &[u8]) -> Result<OctetString, PackageError> {
    OctetString::new(octets).map_err(|_| super::asn1::UNWRITABLE)
}
