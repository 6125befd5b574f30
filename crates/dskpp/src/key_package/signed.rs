//! `SignedData` of CMS (RFC 5652 §5) around a package.

use der::asn1::{Any, OctetString, SetOfVec, Uint};
use der::{Sequence, Tagged as _};
use dskpp_crypto::{Hash, SignatureAlgorithm, SigningKey, VerifyingKey, ct_eq};

use super::asn1::{Algorithm, CmsAttribute, ContentInfo, Oid, UNWRITABLE, algorithm, from_der, to_der};
use super::reading::ReadRules;
use super::{PackageError, cms, pbes2};

pub(super) const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
pub(super) const CONTENT_TYPE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.4");
const SHA256: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA512: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.3");
const SHA384: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.2.2");
const RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: Oid = Oid::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: Oid = Oid::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: Oid = Oid::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA256: Oid = Oid::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: Oid = Oid::new_unwrap("1.2.840.10045.4.3.3");

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct SignedData {
    version: u8,
    digests: SetOfVec<Algorithm>,
    content: SignedContent,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    certificates: Option<SetOfVec<Any>>,
    signers: SetOfVec<Any>,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct SignedContent {
    content_type: Oid,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    octets: OctetString,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct SignerInfo {
    version: u8,
    signer: Any,
    digest: Algorithm,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    attributes: SetOfVec<CmsAttribute>,
    signature_algorithm: Algorithm,
    signature: OctetString,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
struct EcdsaSignature {
    r: Uint,
    s: Uint,
}

/// Signs a package.
///
/// # Errors
/// [`PackageError::Unreadable`] if it is not a CMS package, [`PackageError::Unfit`]
pub fn sign(package: &[u8], key: &SigningKey) -> Result<Vec<u8>, PackageError> {
    let info: ContentInfo = from_der(package)?;
    let octets = to_der(&info.content)?;
    let (hash, digest, signature_algorithm) = match key.default_algorithm() {
        SignatureAlgorithm::EcdsaP256Sha256 => (Hash::Sha256, SHA256, ECDSA_SHA256),
        SignatureAlgorithm::EcdsaP384Sha384 => (Hash::Sha384, SHA384, ECDSA_SHA384),
        _ => (Hash::Sha256, SHA256, RSA_SHA256),
    };
    let mut attributes = SetOfVec::new();
    let digest_of = pbes2::octet_string(&hash.digest(&[&octets]))?;
    for attribute in
        [CmsAttribute::new(CONTENT_TYPE, &info.content_type)?, CmsAttribute::new(MESSAGE_DIGEST, &digest_of)?]
    {
        attributes.insert(attribute).map_err(|_| UNWRITABLE)?;
    }
    let signature = key.sign(key.default_algorithm(), &to_der(&attributes)?);
    let signature = signature.map_err(|_| PackageError::Unfit("the key cannot sign"))?;
    let digest = algorithm(digest, None::<&Any>)?;
    let null = Any::null();
    let signer = SignerInfo {
        version: 3,
        signer: cms::key_identifier(key.public().to_spki_der())?,
        digest: digest.clone(),
        attributes,
        signature_algorithm: algorithm(signature_algorithm, (signature_algorithm == RSA_SHA256).then_some(&null))?,
        signature: pbes2::octet_string(&to_wire(key.default_algorithm(), signature)?)?,
    };
    let (mut digests, mut signers) = (SetOfVec::new(), SetOfVec::new());
    digests.insert(digest).map_err(|_| UNWRITABLE)?;
    signers.insert(from_der::<Any>(&to_der(&signer)?)?).map_err(|_| UNWRITABLE)?;
    let content = SignedContent { content_type: info.content_type, octets: pbes2::octet_string(&octets)? };
    let data = SignedData { version: 3, digests, content, certificates: None, signers };
    ContentInfo::write(SIGNED_DATA, &data)
}

/// The package inside, if its only signature was made with `key`. Embedded certificates are ignored.
///
/// # Errors
/// [`PackageError::Unreadable`], [`PackageError::Signature`]
pub fn verify(octets: &[u8], key: &VerifyingKey) -> Result<Vec<u8>, PackageError> {
    const WRONG: PackageError = PackageError::Signature;
    let info: ContentInfo = from_der(ReadRules::of_package().der(octets)?.expose())?;
    if info.content_type != SIGNED_DATA {
        return Err(WRONG);
    }
    let data: SignedData = from_der(&to_der(&info.content)?)?;
    let [signer] = data.signers.as_slice() else { return Err(WRONG) };
    let signer: SignerInfo = from_der(&to_der(signer)?)?;
    let (algorithm, hash) = algorithm_of(&signer, key).ok_or(WRONG)?;
    let value = |kind| {
        let mut found = signer.attributes.iter().filter(|attribute| attribute.kind == kind);
        let values = found.next().map(|attribute| &attribute.values).filter(|values| values.len() == 1);
        values.and_then(|values| values.get(0)).filter(|_| found.next().is_none())
    };
    let digest: OctetString = value(MESSAGE_DIGEST).and_then(|value| value.decode_as().ok()).ok_or(WRONG)?;
    let content_type: Oid = value(CONTENT_TYPE).and_then(|value| value.decode_as().ok()).ok_or(WRONG)?;
    let signature = from_wire(algorithm, signer.signature.as_bytes()).ok_or(WRONG)?;
    key.verify(algorithm, &to_der(&signer.attributes)?, &signature).map_err(|_| WRONG)?;
    let expected = hash.digest(&[data.content.octets.as_bytes()]);
    if content_type != data.content.content_type || !ct_eq(&expected, digest.as_bytes()) {
        return Err(WRONG);
    }
    let content = from_der(data.content.octets.as_bytes())?;
    to_der(&ContentInfo { content_type, content })
}

/// The content of `SignedData`. Nothing is verified.
pub(super) fn content(info: &ContentInfo) -> Result<ContentInfo, PackageError> {
    let data: SignedData = from_der(&to_der(&info.content)?)?;
    let content = from_der(data.content.octets.as_bytes())?;
    Ok(ContentInfo { content_type: data.content.content_type, content })
}

/// The signature algorithm, if it matches the key, and its digest.
fn algorithm_of(signer: &SignerInfo, key: &VerifyingKey) -> Option<(SignatureAlgorithm, Hash)> {
    let found = match (signer.signature_algorithm.oid, signer.digest.oid) {
        (RSA | RSA_SHA256, SHA256) => (SignatureAlgorithm::RsaSha256, Hash::Sha256),
        (RSA | RSA_SHA384, SHA384) => (SignatureAlgorithm::RsaSha384, Hash::Sha384),
        (RSA | RSA_SHA512, SHA512) => (SignatureAlgorithm::RsaSha512, Hash::Sha512),
        (ECDSA_SHA256, SHA256) => (SignatureAlgorithm::EcdsaP256Sha256, Hash::Sha256),
        (ECDSA_SHA384, SHA384) => (SignatureAlgorithm::EcdsaP384Sha384, Hash::Sha384),
        _ => return None,
    };
    let identifier = cms::key_identifier(key.to_spki_der()).ok()?;
    // Issuer and serial number do not identify a key; the signature does.
    let named = signer.signer.tag().is_context_specific();
    (!named || signer.signer == identifier).then_some(found)
}

/// ECDSA's r and s as a SEQUENCE, as in CMS.
fn to_wire(algorithm: SignatureAlgorithm, signature: Vec<u8>) -> Result<Vec<u8>, PackageError> {
    if !matches!(algorithm, SignatureAlgorithm::EcdsaP256Sha256 | SignatureAlgorithm::EcdsaP384Sha384) {
        return Ok(signature);
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    let number = |octets| Uint::new(octets).map_err(|_| UNWRITABLE);
    to_der(&EcdsaSignature { r: number(r)?, s: number(s)? })
}

fn from_wire(algorithm: SignatureAlgorithm, signature: &[u8]) -> Option<Vec<u8>> {
    let len = match algorithm {
        SignatureAlgorithm::EcdsaP256Sha256 => 32,
        SignatureAlgorithm::EcdsaP384Sha384 => 48,
        _ => return Some(signature.to_vec()),
    };
    let EcdsaSignature { r, s } = from_der(signature).ok()?;
    let mut fixed = Vec::with_capacity(2 * len);
    for number in [r, s] {
        let octets = number.as_bytes();
        fixed.resize(fixed.len() + len.checked_sub(octets.len())?, 0);
        fixed.extend_from_slice(octets);
    }
    Some(fixed)
}
