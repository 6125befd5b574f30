//! XML as protocols need it: one strict pull reader and one plain writer.
//!
//! [`Reader`] takes a document apart element by element, and refuses what no message or key file
//! needs: document types, processing instructions, other encodings than UTF-8, deep nesting and
//! oversized values (profile P25). It also refuses all that XML 1.0 and Namespaces in XML forbid,
//! and an empty element means the same in both its spellings.
//! [`Writer`] writes elements without any white space of its own, so that what it wrote can be
//! hashed as it is.

mod error;
mod foreign;
mod lexical;
mod reader;
mod scope;
mod tree;
mod window;
mod writer;

use std::sync::Arc;

pub use compact_str::CompactString;

pub use error::{Position, XmlError};
pub(crate) use foreign::write_attributes;
pub use foreign::{Foreign, Node};
pub use lexical::{Base64Error, collapse, decode_base64, is_language, is_text, trim};
pub(crate) use lexical::{has_octet, is_name, without_white_space};
pub(crate) use reader::Standing;
pub use reader::{Reader, XmlLimits};
pub(crate) use scope::{Scope, ScopeError};
pub(crate) use tree::{ElementTree, Unread};
pub use writer::Writer;

/// Namespace names that the project's messages and files use.
pub mod ns {
    /// DSKPP, RFC 6063 §8.
    pub const DSKPP: &str = "urn:ietf:params:xml:ns:keyprov:dskpp";
    /// PSKC, RFC 6030 §11.
    pub const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
    /// XML Signature.
    pub const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    /// XML Encryption.
    pub const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
    /// XML Encryption 1.1, with its `DerivedKey`.
    pub const XENC11: &str = "http://www.w3.org/2009/xmlenc11#";
    /// PKCS #5 v2.0, with its `PBKDF2-params`.
    pub const PKCS5: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#";
    /// `xsi:type` and its like.
    pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
    /// What the prefix `xml` always stands for.
    pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

    pub(crate) const ALL: [&str; 8] = [DSKPP, PSKC, DS, XENC, XENC11, PKCS5, XSI, XML];
}

/// A namespace.
///
/// ```
/// use pskc::xml::{Ns, ns};
/// assert_eq!(Ns::from(ns::PSKC), Ns::Known(ns::PSKC));
/// assert_eq!(Ns::from(""), Ns::None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Ns {
    /// No namespace.
    #[default]
    None,
    /// One of those in [`ns`], always; shared, so that reading known elements copies no name.
    Known(&'static str),
    /// Any other; shared by all that is in it.
    Other(Arc<str>),
}

impl Ns {
    /// Whether it is that of the name `name`, empty for none.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        // The names of `ns` are compared with themselves almost always.
        std::ptr::eq(self.as_str(), name) || self.as_str() == name
    }

    /// The namespace name, empty for none.
    #[inline]
    pub fn as_str(&self) -> &str {
        match self {
            Ns::None => "",
            Ns::Known(name) => name,
            Ns::Other(name) => name,
        }
    }
}

impl From<&str> for Ns {
    fn from(name: &str) -> Self {
        match ns::ALL.iter().find(|known| **known == name) {
            Some(known) => Ns::Known(known),
            None if name.is_empty() => Ns::None,
            None => Ns::Other(name.into()),
        }
    }
}

/// A start tag: the name it resolves to, and its attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The namespace that the tag's prefix, or the default declaration, stands for.
    pub ns: Ns,
    /// The name without its prefix.
    pub local: CompactString,
    pub(crate) attributes: Vec<Attribute>,
}

/// One attribute of a start tag; namespace declarations are not among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The namespace of its prefix; an attribute without prefix is in none.
    pub ns: Ns,
    /// The name without its prefix.
    pub local: CompactString,
    /// The value, references expanded and white space made blanks.
    pub value: String,
}

impl Attribute {
    /// Whether it says something about the document's schema, as any element may.
    pub(crate) fn is_about_schema(&self) -> bool {
        self.ns.is(ns::XSI) && matches!(&*self.local, "type" | "schemaLocation" | "noNamespaceSchemaLocation")
    }

    /// Its name for people: with the one prefix that always stands for the same.
    pub(crate) fn shown(&self) -> String {
        let prefix = if self.ns.is(ns::XML) { "xml:" } else { "" };
        format!("{prefix}{}", self.local)
    }

    /// Whether it is `xml:lang`.
    pub(crate) fn is_language(&self) -> bool {
        self.local == "lang" && self.ns.is(ns::XML)
    }
}

impl Element {
    /// Whether this is the element `local` of the namespace `ns` (see [`ns`]).
    pub fn is(&self, ns: &str, local: &str) -> bool {
        self.local == local && self.ns.is(ns)
    }

    /// The value of the attribute `local` that is in no namespace.
    pub fn attr(&self, local: &str) -> Option<&str> {
        self.attr_ns("", local)
    }

    /// The value of the attribute `local` of the namespace `ns`.
    pub fn attr_ns(&self, ns: &str, local: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.local == local && a.ns.is(ns));
        found.map(|a| a.value.as_str())
    }

    /// All attributes, in the order of the document.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }
}
