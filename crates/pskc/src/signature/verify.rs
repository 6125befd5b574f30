//! Verification.

use dskpp_crypto::{SignatureAlgorithm, SignerUse, VerifyingKey};
use jiff::Timestamp;

use super::SignatureError::{self, NotAllowed};
use super::c14n::canonicalize;
use super::key::SignatureKeyInfo;
use super::profile::{SignatureParts, attribute};
use super::signatures;
use super::tree::SignedTree;
use crate::xml::ns;

/// Whose signatures to accept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Trust anchors (X.509, DER) for signers' certificates.
    pub anchors: Vec<Vec<u8>>,
    /// The signer's key. If set, the signature's certificates are ignored.
    pub key: Option<VerifyingKey>,
    /// Whether to accept SHA-1, which can be forged.
    pub allow_sha1: bool,
    /// The time at which certificates must be valid.
    pub at: Timestamp,
    /// The required purpose of signers' certificates.
    pub signer_use: SignerUse,
}

impl VerifyOptions {
    /// Accepts only signatures by this key.
    pub fn with_key(key: VerifyingKey) -> Self {
        // With a key, certificates are ignored, and so is the time.
        Self {
            anchors: Vec::new(),
            key: Some(key),
            allow_sha1: false,
            at: Timestamp::UNIX_EPOCH,
            signer_use: SignerUse::default(),
        }
    }

    /// Accepts signers whose certificate, in the signature, chains to one of `anchors` (DER), is
    /// for document signing, and is valid at the time `at`.
    pub fn with_anchors(anchors: Vec<Vec<u8>>, at: Timestamp) -> Self {
        Self { anchors, key: None, allow_sha1: false, at, signer_use: SignerUse::default() }
    }

    /// Also accepts SHA-1, for old files.
    #[must_use]
    pub fn allow_sha1(self) -> Self {
        Self { allow_sha1: true, ..self }
    }

    /// Accepts signers' certificates that were issued for another purpose, such as a TLS server.
    #[must_use]
    pub fn any_key_usage(self) -> Self {
        Self { signer_use: SignerUse::Any, ..self }
    }
}

/// What a valid signature covers, and its signer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The signed octets: the container in canonical form, without the signature. UTF-8. Read
    /// these with [`KeyContainer::from_xml`](crate::KeyContainer::from_xml), not the document.
    pub content: Vec<u8>,
    /// The signer.
    pub signer: Signer,
    /// The signature algorithm.
    pub algorithm: SignatureAlgorithm,
}

/// The signer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signer {
    /// The owner of the given key.
    Key,
    /// The owner of a certificate that chains to a trust anchor.
    Certificate {
        /// The certificate's subject as text, for people.
        subject: String,
        /// The certificate, DER.
        certificate: Vec<u8>,
    },
}

/// Verifies the signature of a document (RFC 6030 §7).
///
/// Errors: [`SignatureError`]. Do not read the document then.
///
/// ```no_run
/// use pskc::KeyContainer;
/// use pskc::signature::{VerifyOptions, verify};
/// # fn f(document: &[u8], anchor: Vec<u8>, now: jiff::Timestamp) -> Result<(), Box<dyn std::error::Error>> {
/// let verified = verify(document, &VerifyOptions::with_anchors(vec![anchor], now))?;
/// let container = KeyContainer::from_xml(&verified.content)?;
/// # Ok(()) }
/// ```
pub fn verify(document: &[u8], options: &VerifyOptions) -> Result<Verified, SignatureError> {
    const ROOT: usize = 0;
    let tree = SignedTree::parse(document)?;
    if !tree.is(ROOT, ns::PSKC, "KeyContainer") {
        return Err(SignatureError::NotContainer);
    }
    let mut found = signatures(&tree);
    let signature = found.next().ok_or(SignatureError::NotSigned)?;
    if found.next().is_some() {
        return Err(NotAllowed("more than one Signature"));
    }
    if tree.start(signature).and_then(|start| start.parent) != Some(ROOT) {
        return Err(NotAllowed("a Signature that is not a child of KeyContainer"));
    }
    let parts = SignatureParts::read(&tree, signature, options.allow_sha1)?;
    let reference = &parts.reference;
    if let Some(id) = &reference.id {
        names_root(&tree, id)?;
    }
    let key_info = parts.key_info.map(|at| SignatureKeyInfo::read(&tree, at)).transpose()?.unwrap_or_default();
    let signed_info = canonicalize(&tree, parts.signed_info, None, &parts.canonicalization)?;
    let signer = key_info.verify(options, parts.algorithm, &signed_info, &parts.value)?;
    let content = canonicalize(&tree, ROOT, Some(signature), &reference.canonicalization)?;
    if reference.hash.digest(&[&content]) != reference.digest {
        return Err(SignatureError::Digest);
    }
    Ok(Verified { content, signer, algorithm: parts.algorithm })
}

/// Checks that `id` is the Id of the root and of no other element, whichever attributes count as Ids.
fn names_root(tree: &SignedTree<'_>, id: &str) -> Result<(), SignatureError> {
    if attribute(tree, 0, "Id") != Some(id) {
        return Err(NotAllowed("a Reference to something other than the container"));
    }
    let has_it = |(at, start): (usize, _)| {
        at != 0 && tree.attributes(start).iter().any(|a| a.name.local().eq_ignore_ascii_case("id") && &*a.value == id)
    };
    match tree.starts().any(has_it) {
        true => Err(NotAllowed("the container's Id given twice")),
        false => Ok(()),
    }
}
