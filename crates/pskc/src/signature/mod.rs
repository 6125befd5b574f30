//! Enveloped signatures of key containers (RFC 6030 §7): verification and signing.
//!
//! Read only what was verified: [`verify`] returns the very octets that the signature's digest covers.
//! Never read the original document. Documents must follow a narrow profile
//! of XML Signature, in which a signature can cover only the whole container:
//!
//! - exactly one `Signature` in the document, a child of `<KeyContainer>` (`ds:Signature`, or `pskc:Signature` as in
//!   figure 9 of the RFC), with one `Reference` to the whole document: its `URI` is empty, missing, or
//!   `#` and the container's own `Id`, a value that no other element may have as any kind of Id.
//! - the transform `enveloped-signature`, then at most one canonicalisation: Canonical XML 1.0 or 1.1, or
//!   Exclusive XML Canonicalization with its `InclusiveNamespaces`. No XPath, XSLT or base64, no `Object` and no
//!   `Manifest`.
//! - RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512, ECDSA with P-256 and SHA-256 or P-384 and SHA-384. SHA-1
//!   requires explicit permission, for old files.
//!
//! The key is the caller's, or that of a certificate in the signature that chains to the caller's trust anchors. The
//! rest of `KeyInfo` establishes no trust. Revocation is not checked.
//!
//! Exclusive canonicalisation keeps only the namespace declarations that names use. A prefix that occurs only in a
//! *value* (`xsi:type`) is declared in [`Verified::content`] only if the signer listed it; [`sign`] does so.
//!
//! ```
#![doc = include_str!("../../examples/sign_and_verify.rs")]
//! ```

mod algorithm;
mod c14n;
mod key;
mod profile;
mod sign;
mod tree;
mod verify;

use crate::Error;
use crate::xml::{Ns, XmlError, ns};
use tree::SignedTree;

pub use key::check_signer;
pub use sign::{Canonicalization, sign};
pub use verify::{Signer, Verified, VerifyOptions, verify};

/// Why a document cannot be verified or signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Not acceptable as XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The document to sign is not a valid container.
    #[error("not a valid key container: {0}")]
    Container(Error),
    /// Not a PSKC `<KeyContainer>`.
    #[error("not a PSKC KeyContainer")]
    NotContainer,
    /// The document has no signature.
    #[error("there is no signature")]
    NotSigned,
    /// The document to sign is signed already.
    #[error("the document is signed already")]
    AlreadySigned,
    /// The signature violates the profile of this module, is incomplete or
    /// misplaced.
    #[error("not an acceptable signature: {0}")]
    NotAllowed(&'static str),
    /// An unknown or unsuitable algorithm, by its URI.
    #[error("the algorithm {0:?} is not supported here")]
    Algorithm(String),
    /// SHA-1 is used but not allowed.
    #[error("the signature uses SHA-1, which is not allowed")]
    Sha1,
    /// No key was given, and the signature has no certificate.
    #[error("there is no key to verify with: none was given, and the signature has no certificate")]
    NoKey,
    /// A key or certificate is unusable, or does not belong to the signature.
    #[error("the key or a certificate is unusable, or does not belong to the signature")]
    Key,
    /// The signer's certificate was issued for another purpose.
    #[error("the signer's certificate is not suitable for signing key files: {0}")]
    KeyUse(&'static str),
    /// The signer's certificate does not chain to a trust anchor, or is not valid at the time.
    #[error("the signer's certificate is not trusted: {0}")]
    Certificate(Box<dskpp_crypto::Distrust>),
    /// The signature was made with a different key, or its `SignedInfo` was changed.
    #[error("the signature does not verify")]
    Signature,
    /// The container was changed after signing.
    #[error("the container was changed after it was signed")]
    Digest,
    /// The key cannot sign.
    #[error("signing failed: {0}")]
    Signing(dskpp_crypto::Error),
    /// The document is longer than 64 MiB, or has too many parts.
    #[error("the document is too large for a signature")]
    TooLarge,
    /// The document could not be parsed.
    #[error("the document cannot be read")]
    Unreadable,
}

/// All signatures in the document; elements of other namespaces are irrelevant.
fn signatures(tree: &SignedTree<'_>) -> impl Iterator<Item = usize> {
    let found = tree.starts().filter(|(_, start)| {
        start.name.local() == "Signature" && matches!(Ns::from(tree.ns(&start.name)), Ns::Known(ns::DS | ns::PSKC))
    });
    found.map(|(at, _)| at)
}
