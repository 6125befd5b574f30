//! XML for protocols: a strict pull reader and a plain writer.
//!
//! [`Reader`] parses a document element by element, and refuses what no message or key file
//! needs: document types, processing instructions, encodings other than UTF-8, deep nesting and
//! oversized values (profile P25). It also refuses everything that XML 1.0 and Namespaces in XML forbid,
//! and treats both spellings of an empty element alike.
//! [`Writer`] adds no white space, so that its output can be
//! hashed as is.

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

pub use error::{Fault, Position, XmlError};
pub(crate) use foreign::write_attributes;
pub use foreign::{Foreign, Node};
pub use lexical::{Base64Error, collapse, decode_base64, is_language, is_text, trim};
pub(crate) use lexical::{has_octet, is_name, without_white_space};
pub(crate) use reader::Standing;
pub use reader::{Reader, XmlLimits};
pub(crate) use scope::{Scope, ScopeError};
pub(crate) use tree::{ElementTree, Unread};
pub use writer::Writer;

/// Namespace names in the project's messages and files.
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
    /// `xsi:type` and the like.
    pub const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
    /// The fixed namespace of the prefix `xml`.
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
    /// One of those in [`ns`]; shared, so that reading known elements copies no name.
    Known(&'static str),
    /// Any other; shared by its elements.
    Other(Arc<str>),
}

impl Ns {
    /// Whether its name is `name`; empty for none.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        // Usually the very same constant.
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

/// A start tag: its resolved name and attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// The namespace of the tag's prefix, or the default namespace.
    pub ns: Ns,
    /// The name without its prefix.
    pub local: CompactString,
    pub(crate) attributes: Vec<Attribute>,
}

/// An attribute of a start tag, not a namespace declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The namespace of its prefix; without a prefix, none.
    pub ns: Ns,
    /// The name without its prefix.
    pub local: CompactString,
    /// The value, with references expanded and white space replaced by spaces.
    pub value: String,
}

impl Attribute {
    /// Whether it is about the document's schema, as any element may have it.
    pub(crate) fn is_about_schema(&self) -> bool {
        self.ns.is(ns::XSI) && matches!(&*self.local, "type" | "schemaLocation" | "noNamespaceSchemaLocation")
    }

    /// Its name for messages, with the only prefix that is fixed.
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

    /// The value of the attribute `local` without namespace.
    pub fn attr(&self, local: &str) -> Option<&str> {
        self.attr_ns("", local)
    }

    /// The value of the attribute `local` in the namespace `ns`.
    pub fn attr_ns(&self, ns: &str, local: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|a| a.local == local && a.ns.is(ns));
        found.map(|a| a.value.as_str())
    }

    /// All attributes in document order.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }
}
