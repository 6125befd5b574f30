//! Verifying.

use dskpp_crypto::{SignatureAlgorithm, SignerUse, VerifyingKey};
use jiff::Timestamp;

use super::SignatureError::{self, NotAllowed};
use super::c14n::canonicalize;
use super::key::SignatureKeyInfo;
use super::profile::{SignatureParts, attribute};
use super::signatures;
use super::tree::SignedTree;
use crate::xml::ns;

/// Whose signatures are accepted.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// Certificates (X.509, DER) of the authorities that may vouch for a signer's certificate.
    pub anchors: Vec<Vec<u8>>,
    /// The signer's key. If set, it alone counts: the signature's certificates are ignored.
    pub key: Option<VerifyingKey>,
    /// Whether signatures and digests with SHA-1, which can be forged, are accepted.
    pub allow_sha1: bool,
    /// The time at which certificates must be valid.
    pub at: Timestamp,
    /// What signers' certificates must be for.
    pub signer_use: SignerUse,
}

impl VerifyOptions {
    /// Accepts signatures of this key alone.
    pub fn with_key(key: VerifyingKey) -> Self {
        // With a key, no certificate is looked at, and so no time.
        Self {
            anchors: Vec::new(),
            key: Some(key),
            allow_sha1: false,
            at: Timestamp::UNIX_EPOCH,
            signer_use: SignerUse::default(),
        }
    }

    /// Accepts signatures of everybody whose certificate, in the signature, leads to one of `anchors` (DER) and is
    /// for signatures of documents, and valid at the time `at`.
    pub fn with_anchors(anchors: Vec<Vec<u8>>, at: Timestamp) -> Self {
        Self { anchors, key: None, allow_sha1: false, at, signer_use: SignerUse::default() }
    }

    /// Accepts SHA-1 also, which old files use.
    #[must_use]
    pub fn allow_sha1(self) -> Self {
        Self { allow_sha1: true, ..self }
    }

    /// Accepts certificates of signers that were issued for something else, such as a TLS server.
    #[must_use]
    pub fn any_key_usage(self) -> Self {
        Self { signer_use: SignerUse::Any, ..self }
    }
}

/// What a good signature covers, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The octets that were signed: the container in its canonical form, without the signature. UTF-8. Read
    /// these, with [`KeyContainer::from_xml`](crate::KeyContainer::from_xml), and not the document.
    pub content: Vec<u8>,
    /// Who signed.
    pub signer: Signer,
    /// How.
    pub algorithm: SignatureAlgorithm,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signer {
    /// The owner of the key that was given.
    Key,
    /// The owner of a certificate that leads to an anchor.
    Certificate {
        /// The certificate's subject as text, for people.
        subject: String,
        /// The certificate, DER.
        certificate: Vec<u8>,
    },
}

/// Verifies the signature of a document (RFC 6030 §7).
///
/// Errors: [`SignatureError`]. Nothing of the document is to be read then.
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

/// Makes sure that `id` is the root's Id, and nobody else's, whatever an attribute must be to count as an Id.
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
