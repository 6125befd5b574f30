//! The parts of a `Signature` element that the profile allows.

use dskpp_crypto::{Hash, SignatureAlgorithm};

use super::SignatureError::{self, NotAllowed};
use super::algorithm;
use super::c14n::{CanonicalForm, NamespaceRule};
use super::tree::SignedTree;
use crate::xml::{self, ns};

/// The longest signature value in octets: RSA with 16384 bits.
const MAX_VALUE: usize = 2048;
/// The most prefixes in one `PrefixList`.
const MAX_PREFIXES: usize = 64;

/// A parsed `Signature` element.
pub(super) struct SignatureParts {
    /// Index of `SignedInfo`.
    pub(super) signed_info: usize,
    pub(super) canonicalization: CanonicalForm,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) reference: Reference,
    pub(super) value: Vec<u8>,
    /// Index of `KeyInfo`.
    pub(super) key_info: Option<usize>,
}

/// A `Reference` to the whole document.
pub(super) struct Reference {
    /// The container's Id, if the reference names it.
    pub(super) id: Option<String>,
    pub(super) canonicalization: CanonicalForm,
    pub(super) hash: Hash,
    pub(super) digest: Vec<u8>,
}

impl SignatureParts {
    /// Parses the element at `signature`.
    ///
    /// Errors: [`NotAllowed`], [`SignatureError::Algorithm`], [`SignatureError::Sha1`].
    pub(super) fn read(tree: &SignedTree<'_>, signature: usize, allow_sha1: bool) -> Result<Self, SignatureError> {
        let children = elements(tree, signature, &["Id"])?;
        let (signed_info, value, key_info) = match children[..] {
            [info, value] => (info, value, None),
            [info, value, key_info] => (info, value, Some(key_info)),
            _ => return Err(NotAllowed("parts of a Signature other than SignedInfo, SignatureValue and KeyInfo")),
        };
        named(tree, signed_info, "SignedInfo")?;
        named(tree, value, "SignatureValue")?;
        if let Some(key_info) = key_info {
            named(tree, key_info, "KeyInfo")?;
        }
        let [method, algorithm, reference] = elements(tree, signed_info, &["Id"])?[..] else {
            return Err(NotAllowed("a SignedInfo without exactly one Reference"));
        };
        named(tree, method, "CanonicalizationMethod")?;
        named(tree, algorithm, "SignatureMethod")?;
        named(tree, reference, "Reference")?;
        Ok(Self {
            signed_info,
            canonicalization: canonicalization(tree, method)?,
            algorithm: algorithm::signature(bare_algorithm(tree, algorithm)?, allow_sha1)?,
            reference: Reference::read(tree, reference, allow_sha1)?,
            value: octets(tree, value, &["Id"], MAX_VALUE)?,
            key_info,
        })
    }
}

impl Reference {
    fn read(tree: &SignedTree<'_>, at: usize, allow_sha1: bool) -> Result<Self, SignatureError> {
        let children = elements(tree, at, &["Id", "URI"])?;
        let id = match attribute(tree, at, "URI").unwrap_or_default() {
            "" => None,
            uri => match uri.strip_prefix('#') {
                Some(id) if xml::is_name(id) => Some(id.to_owned()),
                _ => return Err(NotAllowed("a Reference to something other than the container")),
            },
        };
        let [transforms, method, value] = children[..] else {
            return Err(NotAllowed("a Reference without Transforms, DigestMethod and DigestValue"));
        };
        named(tree, transforms, "Transforms")?;
        named(tree, method, "DigestMethod")?;
        named(tree, value, "DigestValue")?;
        let hash = algorithm::digest(bare_algorithm(tree, method)?, allow_sha1)?;
        let digest = octets(tree, value, &[], hash.output_len())?;
        Ok(Self { id, canonicalization: read_transforms(tree, transforms)?, hash, digest })
    }
}

/// `enveloped-signature`, then at most one canonicalisation.
fn read_transforms(tree: &SignedTree<'_>, at: usize) -> Result<CanonicalForm, SignatureError> {
    let (enveloped, method) = match elements(tree, at, &[])?[..] {
        [enveloped] => (enveloped, None),
        [enveloped, method] => (enveloped, Some(method)),
        _ => return Err(NotAllowed("transforms other than enveloped-signature and one canonicalisation")),
    };
    named(tree, enveloped, "Transform")?;
    if bare_algorithm(tree, enveloped)? != algorithm::ENVELOPED {
        return Err(NotAllowed("a Reference whose first transform is not enveloped-signature"));
    }
    let Some(method) = method else { return Ok(CanonicalForm::DEFAULT) };
    named(tree, method, "Transform")?;
    // A same-document reference never includes comments (XML Signature §4.3.3.3), so there are none
    // to keep here.
    Ok(CanonicalForm { comments: false, ..canonicalization(tree, method)? })
}

/// A `CanonicalizationMethod` or `Transform` with its listed prefixes.
fn canonicalization(tree: &SignedTree<'_>, at: usize) -> Result<CanonicalForm, SignatureError> {
    let children = elements(tree, at, &["Algorithm"])?;
    let mut method = algorithm::canonicalization(attribute(tree, at, "Algorithm").unwrap_or_default())?;
    match (&mut method.kind, &children[..]) {
        (_, []) => {}
        (NamespaceRule::Exclusive(prefixes), [list]) if tree.is(*list, algorithm::EXCLUSIVE, "InclusiveNamespaces") => {
            if !elements(tree, *list, &["PrefixList"])?.is_empty() {
                return Err(NotAllowed("content of InclusiveNamespaces"));
            }
            let list = xml::collapse(attribute(tree, *list, "PrefixList").unwrap_or_default());
            let listed = list.split(' ').filter(|prefix| !prefix.is_empty());
            prefixes.extend(listed.map(|prefix| if prefix == "#default" { "" } else { prefix }.to_owned()));
            if prefixes.len() > MAX_PREFIXES {
                return Err(NotAllowed("too many prefixes in InclusiveNamespaces"));
            }
        }
        _ => return Err(NotAllowed("parameters of a canonicalisation")),
    }
    Ok(method)
}

/// The URI of an element that has only an `Algorithm`.
fn bare_algorithm<'t>(tree: &'t SignedTree<'_>, at: usize) -> Result<&'t str, SignatureError> {
    if !elements(tree, at, &["Algorithm"])?.is_empty() {
        return Err(NotAllowed("parameters of an algorithm"));
    }
    attribute(tree, at, "Algorithm").ok_or(NotAllowed("a method without Algorithm"))
}

/// The child elements of an element with only the allowed attributes and no text between its children.
pub(super) fn elements(tree: &SignedTree<'_>, at: usize, allowed: &[&str]) -> Result<Vec<usize>, SignatureError> {
    only_attributes(tree, at, allowed)?;
    if !tree.only_elements(at) {
        return Err(NotAllowed("text between the elements of a Signature"));
    }
    Ok(tree.children(at).collect())
}

/// The base64 value of an element, 1 to `max` octets.
pub(super) fn octets(
    tree: &SignedTree<'_>,
    at: usize,
    allowed: &[&str],
    max: usize,
) -> Result<Vec<u8>, SignatureError> {
    only_attributes(tree, at, allowed)?;
    let text = tree.text(at).ok_or(NotAllowed("an element inside a value"))?;
    let octets = xml::decode_base64(&text).map_err(|_| NotAllowed("a value that is not base64"))?;
    match octets.len() {
        0 => Err(NotAllowed("an empty value")),
        len if len > max => Err(NotAllowed("a value that is too long")),
        _ => Ok(octets),
    }
}

/// The value of the attribute `local` without namespace.
pub(super) fn attribute<'t>(tree: &'t SignedTree<'_>, at: usize, local: &str) -> Option<&'t str> {
    let attributes = tree.attributes(tree.start(at)?);
    let found = attributes.iter().find(|attribute| attribute.name.qualified() == local);
    found.map(|attribute| &*attribute.value)
}

fn only_attributes(tree: &SignedTree<'_>, at: usize, allowed: &[&str]) -> Result<(), SignatureError> {
    let attributes = tree.start(at).map(|start| tree.attributes(start)).unwrap_or_default();
    match attributes.iter().all(|attribute| allowed.contains(&attribute.name.qualified())) {
        true => Ok(()),
        false => Err(NotAllowed("an attribute that has no meaning here")),
    }
}

fn named(tree: &SignedTree<'_>, at: usize, local: &str) -> Result<(), SignatureError> {
    match tree.is(at, ns::DS, local) {
        true => Ok(()),
        false => Err(NotAllowed("unexpected or misordered elements")),
    }
}
