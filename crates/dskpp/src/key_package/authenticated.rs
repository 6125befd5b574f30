//! `AuthEnvelopedData` of CMS (RFC 5083) with AES-256-GCM (RFC 5084): changes are detected.

use der::Sequence;
use der::asn1::{Any, OctetString, SetOfVec};
use dskpp_crypto::{AeadKey, Random, Secret};
use pskc::DecryptionKey;

use super::asn1::{Algorithm, CmsAttribute, ContentInfo, Oid, UNREADABLE, UNWRITABLE, algorithm, from_der, to_der};
use super::cms::{EncryptedContentInfo, content_of, open_for};
use super::reading::ReadRules;
use super::{PackageError, pbes2, signed};

pub(super) const AUTH_ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.9.16.1.23");
const AES256_GCM: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.46");
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct AuthEnvelopedData {
    version: u8,
    recipients: SetOfVec<Any>,
    info: EncryptedContentInfo,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    attributes: Option<SetOfVec<CmsAttribute>>,
    tag: OctetString,
}

/// `GCMParameters`
#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct Gcm {
    nonce: OctetString,
    tag_len: u8,
}

/// Encrypts the content under a 32-octet key, which `recipient` encrypts for the receiver.
pub(super) fn seal(
    content_type: Oid,
    content: &Secret,
    key: &Secret,
    recipient: &[u8],
    rng: &mut dyn Random,
) -> Result<Vec<u8>, PackageError> {
    let mut recipients = SetOfVec::new();
    recipients.insert(from_der::<Any>(recipient)?).map_err(|_| UNWRITABLE)?;
    // RFC 5083 §2.1: the authenticated attributes must name a content type other than data.
    let mut attributes = SetOfVec::new();
    attributes.insert(CmsAttribute::new(signed::CONTENT_TYPE, &content_type)?).map_err(|_| UNWRITABLE)?;
    let aead = AeadKey::from_secret(key).map_err(|_| PackageError::Protection)?;
    let sealed = aead.seal(rng, &to_der(&attributes)?, content.expose());
    let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(UNWRITABLE)?;
    let (octets, tag) = rest.split_at_checked(content.len()).ok_or(UNWRITABLE)?;
    let gcm = Gcm { nonce: pbes2::octet_string(nonce)?, tag_len: TAG_LEN as u8 };
    let info = EncryptedContentInfo {
        content_type,
        algorithm: algorithm(AES256_GCM, Some(&gcm))?,
        content: Some(pbes2::octet_string(octets)?),
    };
    let (attributes, tag) = (Some(attributes), pbes2::octet_string(tag)?);
    ContentInfo::write(AUTH_ENVELOPED_DATA, &AuthEnvelopedData { version: 0, recipients, info, attributes, tag })
}

/// Applies `read` to the content, if `unlock` belongs to one of its recipients.
pub(super) fn open<T>(
    info: &ContentInfo,
    expected: Oid,
    unlock: &DecryptionKey,
    reading: &ReadRules,
    read: impl Fn(&Secret) -> Result<T, PackageError>,
) -> Result<T, PackageError> {
    let data: AuthEnvelopedData = from_der(&to_der(&info.content)?)?;
    let attributes = data.attributes.ok_or(UNREADABLE)?;
    let named = attributes.iter().find(|attribute| attribute.kind == signed::CONTENT_TYPE);
    let named = named.and_then(|attribute| attribute.values.get(0)).and_then(|value| value.decode_as::<Oid>().ok());
    if named != Some(expected) {
        return Err(UNREADABLE);
    }
    let aad = to_der(&attributes)?;
    let (algorithm, content) = content_of(data.info, expected, reading)?;
    let nonce = nonce_of(&algorithm)?;
    if data.tag.as_bytes().len() != TAG_LEN {
        return Err(UNREADABLE);
    }
    let sealed = [nonce.as_bytes(), content.as_bytes(), data.tag.as_bytes()].concat();
    open_for(&data.recipients, unlock, 32, reading, |key| {
        let aead = AeadKey::from_secret(key).map_err(|_| PackageError::WrongKeyOrDamaged)?;
        read(&aead.open(&aad, &sealed).map_err(|_| PackageError::WrongKeyOrDamaged)?)
    })
}

fn nonce_of(algorithm: &Algorithm) -> Result<OctetString, PackageError> {
    const WRONG: PackageError = PackageError::Unreadable("its content is not encrypted with AES-256-GCM");
    let parameters = algorithm.parameters.as_ref().filter(|_| algorithm.oid == AES256_GCM).ok_or(WRONG)?;
    let gcm: Gcm = from_der(&to_der(parameters)?).map_err(|_| WRONG)?;
    let fits = usize::from(gcm.tag_len) == TAG_LEN && gcm.nonce.as_bytes().len() == NONCE_LEN;
    if fits { Ok(gcm.nonce) } else { Err(WRONG) }
}
