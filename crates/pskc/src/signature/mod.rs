//! Enveloped signatures of a key container (RFC 6030 §7): verified and made.
//!
//! What is read is what was verified: [`verify`] gives the very octets that the signature's digest was made over,
//! and only these are for reading, never the document that they came from. Documents are held to a narrow profile
//! of XML Signature, in which a signature cannot cover anything but the whole container:
//!
//! - one `Signature` in the whole document, a child of `<KeyContainer>` (`ds:Signature`, or `pskc:Signature` as in
//!   figure 9 of the RFC), with one `Reference`. It names the whole document: its `URI` is empty, is missing, or is
//!   `#` and the container's own `Id`, a value that no other element may have as any kind of Id.
//! - the transform `enveloped-signature`, then at most one canonicalisation: Canonical XML 1.0 or 1.1, or
//!   Exclusive XML Canonicalization with its `InclusiveNamespaces`. No XPath, XSLT or base64, no `Object` and no
//!   `Manifest`.
//! - RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512, ECDSA with P-256 and SHA-256 or P-384 and SHA-384. SHA-1
//!   is for old files and has to be asked for.
//!
//! The key is the caller's, or that of a certificate in the signature which leads to the caller's anchors. What
//! `KeyInfo` says otherwise is no reason to trust a key. No revocation list is asked.
//!
//! Exclusive canonicalisation keeps only the namespace declarations that names use. A prefix that stands in a
//! *value* alone (`xsi:type`) is declared in [`Verified::content`] only if the signer listed it; [`sign`] does so.
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

/// Why a document was not verified, or not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The document is not acceptable as XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The document to be signed is no valid container.
    #[error("not a valid key container: {0}")]
    Container(Error),
    /// The document is no `<KeyContainer>` of PSKC.
    #[error("not a PSKC KeyContainer")]
    NotContainer,
    /// There is no signature in the document.
    #[error("there is no signature")]
    NotSigned,
    /// The document to be signed has a signature already.
    #[error("there is a signature already")]
    AlreadySigned,
    /// The signature has something that the profile of this module does not allow, lacks something, or stands in
    /// the wrong place.
    #[error("not an acceptable signature: {0}")]
    NotAllowed(&'static str),
    /// An algorithm that is not known, or not for this use: its URI.
    #[error("the algorithm {0:?} is not supported here")]
    Algorithm(String),
    /// SHA-1 is used and was not allowed.
    #[error("the signature uses SHA-1, which is not allowed")]
    Sha1,
    /// No key was given, and the signature has no certificate.
    #[error("there is no key to verify with: none was given, and the signature has no certificate")]
    NoKey,
    /// A key or certificate is unusable, or is not that of the signature.
    #[error("the key or a certificate is unusable, or does not belong to the signature")]
    Key,
    /// The signer's certificate was issued for something else than signatures of documents.
    #[error("the signer's certificate is not for signatures of key files: {0}")]
    KeyUse(&'static str),
    /// The signer's certificate does not lead to an anchor, or is not valid at the time.
    #[error("the signer's certificate is not trusted: {0}")]
    Certificate(Box<dskpp_crypto::Distrust>),
    /// The signature was made with another key, or its `SignedInfo` was changed.
    #[error("the signature does not verify")]
    Signature,
    /// The container is not the one that was signed.
    #[error("the container was changed after it was signed")]
    Digest,
    /// The key cannot sign.
    #[error("signing failed: {0}")]
    Signing(dskpp_crypto::Error),
    /// The document is longer than 64 MiB, or has too many parts.
    #[error("the document is too large for a signature")]
    TooLarge,
    /// The document could not be taken apart.
    #[error("the document cannot be read")]
    Unreadable,
}

/// Signatures anywhere in the document; those of other namespaces have nothing to do with XML Signature.
fn signatures(tree: &SignedTree<'_>) -> impl Iterator<Item = usize> {
    let found = tree.starts().filter(|(_, start)| {
        start.name.local() == "Signature" && matches!(Ns::from(tree.ns(&start.name)), Ns::Known(ns::DS | ns::PSKC))
    });
    found.map(|(at, _)| at)
}
