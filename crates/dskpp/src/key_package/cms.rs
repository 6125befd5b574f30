//! `EncryptedData` and `EnvelopedData` of CMS (RFC 5652 §§6, 8).

use std::num::NonZeroU32;

use der::asn1::{Any, OctetString, SetOfVec};
use der::{Encode, Sequence};
use dskpp_crypto::{
    Hash, Random, RsaEncryption, RsaPrivateKey, RsaPublicKey, Secret, aes_unwrap, aes_wrap, pwri_unwrap, pwri_wrap,
};
use pskc::DecryptionKey;
use spki::SubjectPublicKeyInfoOwned;

use super::asn1::{Algorithm, ContentInfo, Oid, UNREADABLE, UNWRITABLE, algorithm, from_der, to_der};
use super::pfx::DATA;
use super::reading::ReadRules;
use super::{PackageError, pbes2};

pub(super) const ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.3");
pub(super) const ENCRYPTED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.6");
const AES_WRAP: [(Oid, usize); 3] = [
    (Oid::new_unwrap("2.16.840.1.101.3.4.1.5"), 16),
    (Oid::new_unwrap("2.16.840.1.101.3.4.1.25"), 24),
    (Oid::new_unwrap("2.16.840.1.101.3.4.1.45"), 32),
];
const PWRI_KEK: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.3.9");
const RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const RSA_OAEP: Oid = Oid::new_unwrap("1.2.840.113549.1.1.7");

/// The most recipients to check.
const MAX_RECIPIENTS: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct EncryptedContentInfo {
    pub(super) content_type: Oid,
    pub(super) algorithm: Algorithm,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub(super) content: Option<OctetString>,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct CmsEncryptedData {
    version: u8,
    info: EncryptedContentInfo,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct EnvelopedData {
    version: u8,
    recipients: SetOfVec<Any>,
    info: EncryptedContentInfo,
}

/// `KeyTransRecipientInfo`; the receiver has only one key, so its identifier is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct KeyTransport {
    version: u8,
    recipient: Any,
    algorithm: Algorithm,
    key: OctetString,
}

/// `KEKRecipientInfo`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct KeyWrap {
    version: u8,
    name: KekIdentifier,
    algorithm: Algorithm,
    key: OctetString,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct KekIdentifier {
    name: OctetString,
}

/// `PasswordRecipientInfo`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct UnderPassword {
    version: u8,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    kdf: Option<Algorithm>,
    algorithm: Algorithm,
    key: OctetString,
}

/// The content and its algorithm. In a file its type may be data: many programs support no other.
pub(super) fn content_of(
    info: EncryptedContentInfo,
    expected: Oid,
    reading: &ReadRules,
) -> Result<(Algorithm, OctetString), PackageError> {
    let is_expected = info.content_type == expected || info.content_type == DATA && reading.is_of_file();
    match info.content {
        Some(content) if is_expected => Ok((info.algorithm, content)),
        _ => Err(UNREADABLE),
    }
}

pub(super) fn encrypted_data(content_type: Oid, algorithm: Algorithm, octets: &[u8]) -> Result<Vec<u8>, PackageError> {
    let content = Some(pbes2::octet_string(octets)?);
    let info = EncryptedContentInfo { content_type, algorithm, content };
    ContentInfo::write(ENCRYPTED_DATA, &CmsEncryptedData { version: 0, info })
}

/// The content of `EncryptedData`, and its algorithm.
pub(super) fn encrypted_content(
    info: &ContentInfo,
    expected: Oid,
    reading: &ReadRules,
) -> Result<(Algorithm, OctetString), PackageError> {
    let data: CmsEncryptedData = from_der(&to_der(&info.content)?)?;
    content_of(data.info, expected, reading)
}

/// Decrypts `EncryptedData` with a password.
pub(super) fn open_encrypted(
    info: &ContentInfo,
    expected: Oid,
    password: &Secret,
    reading: &ReadRules,
) -> Result<Secret, PackageError> {
    let (algorithm, content) = encrypted_content(info, expected, reading)?;
    pbes2::decrypt_with_password(&algorithm, password, content.as_bytes(), reading)
}

/// Decrypts `EncryptedData` with a shared key.
pub(super) fn open_encrypted_with_key(
    info: &ContentInfo,
    expected: Oid,
    key: &Secret,
    reading: &ReadRules,
) -> Result<Secret, PackageError> {
    let (algorithm, content) = encrypted_content(info, expected, reading)?;
    pbes2::key_len(&algorithm).map_err(|_| PackageError::Protection)?;
    pbes2::decrypt(&algorithm, key, content.as_bytes())
}

/// A recipient who knows `kek` by `name`.
pub(super) fn for_shared_key(name: &str, kek: &Secret, key: &Secret) -> Result<Vec<u8>, PackageError> {
    let (oid, _) = AES_WRAP.iter().find(|(_, len)| *len == kek.len()).ok_or(PackageError::Protection)?;
    let wrapped = aes_wrap(kek.expose(), key.expose()).map_err(|_| PackageError::Protection)?;
    let recipient = KeyWrap {
        version: 4,
        name: KekIdentifier { name: pbes2::octet_string(name.as_bytes())? },
        algorithm: algorithm(*oid, None::<&Any>)?,
        key: pbes2::octet_string(&wrapped)?,
    };
    tagged(0xA2, &recipient)
}

/// A recipient with the private key for `public`.
pub(super) fn for_public_key(
    public: &RsaPublicKey,
    encryption: RsaEncryption,
    key: &Secret,
    rng: &mut dyn Random,
) -> Result<Vec<u8>, PackageError> {
    let algorithm = match encryption {
        RsaEncryption::Pkcs1v15 => algorithm(RSA, Some(&Any::null()))?,
        RsaEncryption::OaepSha1 => algorithm(RSA_OAEP, Some(&empty_sequence()?))?,
        RsaEncryption::OaepSha256 => return Err(PackageError::Protection),
    };
    let encrypted = public.encrypt(encryption, key.expose(), rng).map_err(|_| PackageError::Protection)?;
    to_der(&KeyTransport {
        version: 2,
        recipient: key_identifier(&public.to_spki_der())?,
        algorithm,
        key: pbes2::octet_string(&encrypted)?,
    })
}

/// A recipient who knows a password.
pub(super) fn for_password(
    password: &Secret,
    iterations: NonZeroU32,
    key: &Secret,
    rng: &mut dyn Random,
) -> Result<Vec<u8>, PackageError> {
    let (kdf, kek) = pbes2::derive_new(password, iterations, rng)?;
    let (cipher, iv) = pbes2::cipher(kek.len(), rng)?;
    let wrapped = pwri_wrap(kek.expose(), &iv, key, rng).map_err(|_| PackageError::Protection)?;
    let key = pbes2::octet_string(&wrapped)?;
    tagged(0xA3, &UnderPassword { version: 0, kdf: Some(kdf), algorithm: algorithm(PWRI_KEK, Some(&cipher))?, key })
}

/// A SEQUENCE with another tag.
fn tagged(tag: u8, value: &impl Encode) -> Result<Vec<u8>, PackageError> {
    let mut der = to_der(value)?;
    der[0] = tag; // DER always has a tag
    Ok(der)
}

/// `EnvelopedData`: encrypts the content under a key, which `recipient` encrypts for the receiver.
pub(super) fn enveloped(
    content_type: Oid,
    content: &Secret,
    key: &Secret,
    recipient: &[u8],
    rng: &mut dyn Random,
) -> Result<Vec<u8>, PackageError> {
    let (algorithm, octets) = pbes2::encrypt(key, content, rng)?;
    let mut recipients = SetOfVec::new();
    recipients.insert(from_der::<Any>(recipient)?).map_err(|_| UNWRITABLE)?;
    let info = EncryptedContentInfo { content_type, algorithm, content: Some(pbes2::octet_string(&octets)?) };
    ContentInfo::write(ENVELOPED_DATA, &EnvelopedData { version: 2, recipients, info })
}

/// Applies `read` to the content of `EnvelopedData`, if `unlock` belongs to one of its recipients.
pub(super) fn open_enveloped<T>(
    info: &ContentInfo,
    expected: Oid,
    unlock: &DecryptionKey,
    reading: &ReadRules,
    read: impl Fn(&Secret) -> Result<T, PackageError>,
) -> Result<T, PackageError> {
    let data: EnvelopedData = from_der(&to_der(&info.content)?)?;
    let (algorithm, content) = content_of(data.info, expected, reading)?;
    let len = pbes2::key_len(&algorithm)?;
    open_for(&data.recipients, unlock, len, reading, |key| {
        pbes2::decrypt(&algorithm, key, content.as_bytes()).and_then(|content| read(&content))
    })
}

/// Applies `open` to the content's key, which has `len` octets. A message for another recipient is indistinguishable
/// from a damaged one, so all recipients that may belong to `unlock` are tried.
pub(super) fn open_for<T>(
    recipients: &SetOfVec<Any>,
    unlock: &DecryptionKey,
    len: usize,
    reading: &ReadRules,
    open: impl Fn(&Secret) -> Result<T, PackageError>,
) -> Result<T, PackageError> {
    let mut refusal = PackageError::Protection;
    for recipient in recipients.iter().take(MAX_RECIPIENTS) {
        refusal = match open_recipient(recipient, unlock, len, reading) {
            Ok(None) => continue,
            Ok(Some(key)) => match open(&key) {
                Ok(opened) => return Ok(opened),
                Err(_) => PackageError::WrongKeyOrDamaged,
            },
            Err(why) => why,
        };
        if matches!(unlock, DecryptionKey::Password(_)) {
            break; // only one derivation per package, to bound the work
        }
    }
    Err(refusal)
}

/// The content's key, if `unlock` may belong to this recipient.
fn open_recipient(
    recipient: &Any,
    unlock: &DecryptionKey,
    len: usize,
    reading: &ReadRules,
) -> Result<Option<Secret>, PackageError> {
    let der = to_der(recipient)?;
    let (tag, rest) = der.split_first().ok_or(UNREADABLE)?;
    match (tag, unlock) {
        (0xA2, DecryptionKey::Key(kek)) => {
            let wrap: KeyWrap = from_der(&[&[0x30], rest].concat())?;
            let known = AES_WRAP.iter().find(|(oid, _)| *oid == wrap.algorithm.oid).ok_or(UNREADABLE)?;
            if known.1 != kek.len() {
                return Err(PackageError::WrongKeyOrDamaged);
            }
            let key = aes_unwrap(kek.expose(), wrap.key.as_bytes());
            key.map(Some).map_err(|_| PackageError::WrongKeyOrDamaged)
        }
        (0x30, DecryptionKey::PrivateKey(private)) => {
            let transport: KeyTransport = from_der(&der)?;
            open_transport(&transport, private, len).map(Some)
        }
        (0xA3, DecryptionKey::Password(password)) => {
            let under: UnderPassword = from_der(&[&[0x30], rest].concat())?;
            open_password(&under, password, reading).map(Some)
        }
        _ => Ok(None),
    }
}

fn open_password(under: &UnderPassword, password: &Secret, reading: &ReadRules) -> Result<Secret, PackageError> {
    let (PWRI_KEK, Some(kdf)) = (under.algorithm.oid, &under.kdf) else { return Err(UNREADABLE) };
    let parameters = under.algorithm.parameters.as_ref().ok_or(UNREADABLE)?;
    let cipher: Algorithm = from_der(&to_der(parameters)?)?;
    let kek = pbes2::derive(kdf, password, pbes2::key_len(&cipher)?, reading)?;
    let key = pwri_unwrap(kek.expose(), &pbes2::iv_of(&cipher)?, under.key.as_bytes());
    key.map_err(|_| PackageError::WrongKeyOrDamaged)
}

fn open_transport(transport: &KeyTransport, private: &RsaPrivateKey, len: usize) -> Result<Secret, PackageError> {
    let octets = transport.key.as_bytes();
    let key = match transport.algorithm.oid {
        // An invalid padding yields a random key, and fails like other damage.
        RSA => private.decrypt_pkcs1v15(octets, len),
        RSA_OAEP => {
            let parameters = transport.algorithm.parameters.as_ref();
            if parameters.is_some_and(|parameters| *parameters != empty_sequence().unwrap_or_else(|_| Any::null())) {
                return Err(PackageError::Unreadable("its OAEP parameters are not the default"));
            }
            private.decrypt_oaep(RsaEncryption::OaepSha1, octets)
        }
        _ => return Err(UNREADABLE),
    };
    key.map_err(|_| PackageError::WrongKeyOrDamaged)
}

fn empty_sequence() -> Result<Any, PackageError> {
    from_der(&[0x30, 0])
}

/// `[0] SubjectKeyIdentifier`: SHA-1 of the public key's bits (RFC 5280 §4.2.1.2).
pub(super) fn key_identifier(spki: &[u8]) -> Result<Any, PackageError> {
    let spki: SubjectPublicKeyInfoOwned = from_der(spki)?;
    let hash = Hash::Sha1.digest(&[spki.subject_public_key.raw_bytes()]);
    let mut der = pbes2::octet_string(&hash)?.to_der().map_err(|_| UNWRITABLE)?;
    der[0] = 0x80; // `[0] IMPLICIT` in place of OCTET STRING
    from_der(&der)
}
