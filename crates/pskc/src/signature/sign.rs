//! Signing.

use data_encoding::BASE64;
use dskpp_crypto::{Hash, SignatureAlgorithm, SigningKey, VerifyingKey};

use super::algorithm::{self, EXCLUSIVE, INCLUSIVE};
use super::c14n::{CanonicalForm, NamespaceRule, canonicalize};
use super::tree::SignedTree;
use super::{SignatureError, signatures};
use crate::KeyContainer;
use crate::xml::{Writer, ns};

/// The canonical form to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Canonicalization {
    /// Exclusive XML Canonicalization 1.0, as in figure 9 of RFC 6030: the signature stays valid when the
    /// container is embedded in another document and extracted again.
    #[default]
    Exclusive,
    /// Canonical XML 1.0.
    Inclusive,
}

/// Adds a signature of the whole container where the schema has it: after the last
/// `<KeyPackage>`, before any `<Extensions>`. The rest is unchanged.
///
/// The algorithm is the key's [default](SigningKey::default_algorithm): SHA-256 with RSA and P-256, SHA-384 with
/// P-384. `certificates` (X.509, DER) are embedded: the signer's first, then the intermediate certificates; the trust
/// anchor itself is not needed. Without any, the receiver must know the key.
///
/// Errors: [`SignatureError::Container`] for an invalid container, [`SignatureError::AlreadySigned`],
/// [`SignatureError::Key`] if the first certificate does not match the key, [`SignatureError::Signing`].
pub fn sign(
    document: &[u8],
    key: &SigningKey,
    certificates: &[Vec<u8>],
    canonicalization: Canonicalization,
) -> Result<Vec<u8>, SignatureError> {
    KeyContainer::from_xml(document).map_err(SignatureError::Container)?;
    let tree = SignedTree::parse(document)?;
    if signatures(&tree).next().is_some() {
        return Err(SignatureError::AlreadySigned);
    }
    let packages = tree.children(0).filter(|at| tree.is(*at, ns::PSKC, "KeyPackage"));
    let place = packages.filter_map(|at| tree.start(at)).map(|start| start.end_offset).max();
    let place = place.ok_or(SignatureError::NotAllowed("a container without packages"))?;
    let mut template = Template::new(key, certificates, method(&tree, canonicalization))?;
    let content = canonicalize(&tree, 0, None, &template.method)?;
    template.digest = template.hash.digest(&[&content]);

    let unsigned = insert(document, place, &template.write(&[]))?;
    let message = signed_info(&unsigned, &template.method)?;
    let value = key.sign(template.algorithm, &message).map_err(SignatureError::Signing)?;
    if let Some(certificate) = certificates.first() {
        let key = VerifyingKey::from_certificate_der(certificate).map_err(|_| SignatureError::Key)?;
        key.verify(template.algorithm, &message, &value).map_err(|_| SignatureError::Key)?;
    }
    insert(document, place, &template.write(&value))
}

/// The canonical `SignedInfo` of a document with one signature.
fn signed_info(document: &[u8], method: &CanonicalForm) -> Result<Vec<u8>, SignatureError> {
    let tree = SignedTree::parse(document)?;
    let signature = signatures(&tree).next().ok_or(SignatureError::Unreadable)?;
    let signed_info = tree.children(signature).next().ok_or(SignatureError::Unreadable)?;
    canonicalize(&tree, signed_info, None, method)
}

fn insert(document: &[u8], place: usize, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
    let (before, after) = document.split_at_checked(place).ok_or(SignatureError::Unreadable)?;
    Ok([before, signature, after].concat())
}

/// Exclusive canonicalisation must list prefixes that values use: those of `xsi:type`.
fn method(tree: &SignedTree<'_>, canonicalization: Canonicalization) -> CanonicalForm {
    if canonicalization == Canonicalization::Inclusive {
        return CanonicalForm::DEFAULT;
    }
    let attributes = tree.starts().flat_map(|(_, start)| tree.attributes(start));
    let types = attributes.filter(|a| a.name.local() == "type" && tree.ns(&a.name) == ns::XSI);
    let prefix = |value: &str| value.split_once(':').map_or("", |(prefix, _)| crate::xml::trim(prefix)).to_owned();
    CanonicalForm {
        kind: NamespaceRule::Exclusive(types.map(|attribute| prefix(&attribute.value)).collect()),
        comments: false,
    }
}

/// A signature under construction.
struct Template<'c> {
    method: CanonicalForm,
    algorithm: SignatureAlgorithm,
    signature_uri: &'static str,
    hash: Hash,
    digest_uri: &'static str,
    digest: Vec<u8>,
    certificates: &'c [Vec<u8>],
}

impl<'c> Template<'c> {
    fn new(key: &SigningKey, certificates: &'c [Vec<u8>], method: CanonicalForm) -> Result<Self, SignatureError> {
        let algorithm = key.default_algorithm();
        let (signature_uri, hash, digest_uri) = algorithm::uris(algorithm).ok_or(SignatureError::Sha1)?;
        Ok(Self { method, algorithm, signature_uri, hash, digest_uri, digest: Vec::new(), certificates })
    }

    /// The `<ds:Signature>` with this value.
    fn write(&self, value: &[u8]) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.start("ds:Signature").attr("xmlns:ds", ns::DS).start("ds:SignedInfo");
        self.write_method(&mut writer, "ds:CanonicalizationMethod");
        writer.start("ds:SignatureMethod").attr("Algorithm", self.signature_uri).end();
        writer.start("ds:Reference").attr("URI", "").start("ds:Transforms");
        writer.start("ds:Transform").attr("Algorithm", algorithm::ENVELOPED).end();
        self.write_method(&mut writer, "ds:Transform");
        writer.end();
        writer.start("ds:DigestMethod").attr("Algorithm", self.digest_uri).end();
        writer.element("ds:DigestValue", &BASE64.encode(&self.digest)).end().end();
        writer.element("ds:SignatureValue", &BASE64.encode(value));
        if !self.certificates.is_empty() {
            writer.start("ds:KeyInfo").start("ds:X509Data");
            for certificate in self.certificates {
                writer.element("ds:X509Certificate", &BASE64.encode(certificate));
            }
            writer.end().end();
        }
        writer.end();
        writer.finish()
    }

    fn write_method(&self, writer: &mut Writer, element_name: &str) {
        writer.start(element_name);
        match &self.method.kind {
            NamespaceRule::Exclusive(prefixes) => {
                writer.attr("Algorithm", EXCLUSIVE);
                if !prefixes.is_empty() {
                    let names = prefixes.iter().map(|prefix| if prefix.is_empty() { "#default" } else { prefix });
                    let list: Vec<&str> = names.collect();
                    writer.start("ec:InclusiveNamespaces").attr("xmlns:ec", EXCLUSIVE);
                    writer.attr("PrefixList", &list.join(" ")).end();
                }
            }
            NamespaceRule::Inclusive | NamespaceRule::Inclusive11 => {
                writer.attr("Algorithm", INCLUSIVE);
            }
        }
        writer.end();
    }
}
