//! The algorithms allowed in signatures, and their URIs.

use std::collections::BTreeSet;

use dskpp_crypto::{Hash, SignatureAlgorithm};

use super::SignatureError;
use super::c14n::{CanonicalForm, NamespaceRule};

pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
/// The namespace of `InclusiveNamespaces`, also the URI of the algorithm that it parametrises.
pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const EXCLUSIVE_COMMENTS: &str = "http://www.w3.org/2001/10/xml-exc-c14n#WithComments";
pub(super) const INCLUSIVE: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
const INCLUSIVE_COMMENTS: &str = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments";
const INCLUSIVE_11: &str = "http://www.w3.org/2006/12/xml-c14n11";
const INCLUSIVE_11_COMMENTS: &str = "http://www.w3.org/2006/12/xml-c14n11#WithComments";

const SIGNATURES: [(SignatureAlgorithm, &str); 6] = [
    (SignatureAlgorithm::RsaSha1, "http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
    (SignatureAlgorithm::RsaSha256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
    (SignatureAlgorithm::RsaSha384, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"),
    (SignatureAlgorithm::RsaSha512, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
    (SignatureAlgorithm::EcdsaP256Sha256, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
    (SignatureAlgorithm::EcdsaP384Sha384, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
];

const DIGESTS: [(Hash, &str); 4] = [
    (Hash::Sha1, "http://www.w3.org/2000/09/xmldsig#sha1"),
    (Hash::Sha256, "http://www.w3.org/2001/04/xmlenc#sha256"),
    (Hash::Sha384, "http://www.w3.org/2001/04/xmldsig-more#sha384"),
    (Hash::Sha512, "http://www.w3.org/2001/04/xmlenc#sha512"),
];

/// The signature algorithm with this URI.
pub(super) fn signature(uri: &str, allow_sha1: bool) -> Result<SignatureAlgorithm, SignatureError> {
    match SIGNATURES.iter().find(|(_, known)| *known == uri) {
        Some((SignatureAlgorithm::RsaSha1, _)) if !allow_sha1 => Err(SignatureError::Sha1),
        Some((algorithm, _)) => Ok(*algorithm),
        None => Err(SignatureError::Algorithm(uri.to_owned())),
    }
}

/// The hash function with this `DigestMethod` URI.
pub(super) fn digest(uri: &str, allow_sha1: bool) -> Result<Hash, SignatureError> {
    match DIGESTS.iter().find(|(_, known)| *known == uri) {
        Some((Hash::Sha1, _)) if !allow_sha1 => Err(SignatureError::Sha1),
        Some((hash, _)) => Ok(*hash),
        None => Err(SignatureError::Algorithm(uri.to_owned())),
    }
}

/// The canonicalisation with this URI; an exclusive one has no prefixes.
pub(super) fn canonicalization(uri: &str) -> Result<CanonicalForm, SignatureError> {
    let (kind, comments) = match uri {
        EXCLUSIVE => (NamespaceRule::Exclusive(BTreeSet::new()), false),
        EXCLUSIVE_COMMENTS => (NamespaceRule::Exclusive(BTreeSet::new()), true),
        INCLUSIVE => (NamespaceRule::Inclusive, false),
        INCLUSIVE_COMMENTS => (NamespaceRule::Inclusive, true),
        INCLUSIVE_11 => (NamespaceRule::Inclusive11, false),
        INCLUSIVE_11_COMMENTS => (NamespaceRule::Inclusive11, true),
        _ => return Err(SignatureError::Algorithm(uri.to_owned())),
    };
    Ok(CanonicalForm { kind, comments })
}

/// The URIs of a signature algorithm and its digest.
pub(super) fn uris(algorithm: SignatureAlgorithm) -> Option<(&'static str, Hash, &'static str)> {
    let hash = match algorithm {
        SignatureAlgorithm::RsaSha256 | SignatureAlgorithm::EcdsaP256Sha256 => Hash::Sha256,
        SignatureAlgorithm::RsaSha384 | SignatureAlgorithm::EcdsaP384Sha384 => Hash::Sha384,
        SignatureAlgorithm::RsaSha512 => Hash::Sha512,
        _ => return None, // SHA-1 is for reading only
    };
    let (_, signature) = SIGNATURES.iter().find(|(known, _)| *known == algorithm)?;
    let (_, digest) = DIGESTS.iter().find(|(known, _)| *known == hash)?;
    Some((signature, hash, digest))
}
