//! Warnings of lenient reading.

use std::fmt;

use crate::xml::{Attribute, ElementTree, Ns, Position, Unread, ns};

/// A deviation from RFC 6030, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// The deviation, and how it was handled.
    pub irregularity: Irregularity,
    /// Its place.
    pub place: Position,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.irregularity, self.place)
    }
}

/// A deviation that lenient reading accepts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Irregularity {
    /// A version other than 1.0, or none.
    #[error("the version {0:?} is read as 1.0")]
    Version(String),
    /// An element in the wrong namespace.
    #[error("the namespace {0:?} is read as that of PSKC")]
    Namespace(String),
    /// An element or attribute named as in a draft, or in another case.
    #[error("{found} is read as {taken_as}")]
    Name {
        /// Its name.
        found: String,
        /// Its name in RFC 6030.
        taken_as: &'static str,
    },
    /// An element of an extension, named like one of PSKC's.
    #[error("the element <{0}> is in a foreign namespace and is kept as an extension")]
    Extension(String),
    /// An unknown or repeated element.
    #[error("the element <{0}> has no meaning here and is ignored")]
    UnknownElement(String),
    /// An unknown attribute.
    #[error("the attribute {0} has no meaning here and is ignored")]
    UnknownAttribute(String),
    /// Text between elements.
    #[error("the text in <{0}> is ignored")]
    Text(String),
    /// An element that is out of RFC 6030's order.
    #[error("the element <{0}> is out of order")]
    Order(String),
    /// Content before the first tag, or a fault in the XML declaration.
    #[error("{0}")]
    Declaration(String),
    /// A hash in an attribute.
    #[error("the attribute {attribute} of <Suite> is read as the hash {hash:?}")]
    SuiteAttribute {
        /// The attribute's name.
        attribute: String,
        /// The suite that it is read as.
        hash: String,
    },
    /// An algorithm in the wrong namespace.
    #[error("the algorithm {found:?} is read as {taken_as}")]
    Algorithm {
        /// Its name.
        found: String,
        /// Its standard name.
        taken_as: String,
    },
    /// Base64 without padding, or URL-safe.
    #[error("the value is read as base64 despite missing padding or the URL-safe alphabet")]
    Base64,
    /// A missing mandatory value.
    #[error("{0} is assumed")]
    Assumed(&'static str),
    /// An `Id` of the container that is not an `xs:ID`.
    #[error("the Id {0:?} is not an xs:ID and is ignored")]
    ContainerId(String),
    /// A key without `Id`.
    #[error("the key has no Id; {0:?} is used")]
    NoId(String),
    /// A secret in hexadecimal.
    #[error("the secret is read as hexadecimal: it is implausible as base64")]
    Hexadecimal,
    /// A number that is not in digits.
    #[error("the number is in base64: read as {0}")]
    EncodedNumber(i64),
    /// A date in another form.
    #[error("{found:?} is read as {taken_as}")]
    Date {
        /// The text.
        found: String,
        /// The date in words.
        taken_as: String,
    },
    /// `true`, `false` or a listed name in another case.
    #[error("{0:?} is not spelled as in RFC 6030")]
    Spelling(String),
    /// A `MACMethod` without its algorithm.
    #[error("MACMethod has no Algorithm and is ignored")]
    NoMacAlgorithm,
    /// A format without `Encoding`.
    #[error("there is no Encoding: DECIMAL is assumed")]
    NoEncoding,
    /// A MAC beside a value that is not encrypted.
    #[error("the MAC of an unencrypted value is ignored")]
    MacOfPlain,
    /// Encryption declared for the container instead of each value.
    #[error("the encryption is described once for all values, as in drafts")]
    CommonEncryption,
    /// An empty element that must have content.
    #[error("the element <{0}> is empty and is ignored")]
    Empty(String),
    /// A repeated element that must be unique.
    #[error("the element <{0}> is repeated: the first one is used")]
    Repeated(String),
    /// Unknown content of a policy, so that the key must not be used (RFC 6030 §5).
    #[error("the policy contains {0}, which is unknown: the key must not be used")]
    NotUnderstood(String),
    /// An encrypted value without any declared algorithm.
    #[error("the value's encryption algorithm is missing: it must be known to decrypt it")]
    NoAlgorithm,
    /// Several keys in one package.
    #[error("one package has several keys")]
    SeveralKeys,
    /// Further warnings that are not listed.
    #[error("further warnings are not listed")]
    More,
}

impl Irregularity {
    /// Truncates texts from the file: they can be megabytes.
    fn shortened(mut self) -> Self {
        use Irregularity as I;
        const MOST: usize = 160; // octets
        if let I::Version(text)
        | I::Namespace(text)
        | I::Name { found: text, .. }
        | I::Extension(text)
        | I::UnknownElement(text)
        | I::UnknownAttribute(text)
        | I::NoId(text)
        | I::Date { found: text, .. }
        | I::Text(text)
        | I::Order(text)
        | I::Declaration(text)
        | I::SuiteAttribute { attribute: text, .. }
        | I::Algorithm { found: text, .. }
        | I::ContainerId(text)
        | I::Spelling(text)
        | I::Empty(text)
        | I::Repeated(text)
        | I::NotUnderstood(text) = &mut self
            && text.len() > MOST
        {
            let ends = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= MOST);
            text.truncate(ends.last().unwrap_or(0));
            text.push('…');
        }
        self
    }
}

/// The warnings, up to a limit.
#[derive(Default)]
pub(super) struct Warnings(Vec<Warning>);

impl Warnings {
    const MOST: usize = 1000;

    pub(super) fn add(&mut self, irregularity: Irregularity, place: &Position) {
        let irregularity = match self.0.len() {
            len if len < Self::MOST => irregularity,
            Self::MOST => Irregularity::More,
            _ => return,
        };
        self.0.push(Warning { irregularity: irregularity.shortened(), place: place.clone() });
    }

    pub(super) fn all(&self) -> &[Warning] {
        &self.0
    }

    pub(super) fn into_all(self) -> Vec<Warning> {
        self.0
    }

    /// Reports an element with a non-standard name or namespace.
    pub(super) fn name(&mut self, tree: &ElementTree, taken_as: &'static str) {
        if tree.local != taken_as {
            self.add(Irregularity::Name { found: format!("<{}>", tree.local), taken_as }, &tree.place);
        }
    }

    /// Reports an attribute with a non-standard name.
    pub(super) fn attribute(&mut self, found: &str, taken_as: &'static str, place: &Position) {
        if found != taken_as {
            self.add(Irregularity::Name { found: format!("the attribute {found}"), taken_as }, place);
        }
    }

    /// Reports a non-standard namespace, once.
    pub(super) fn namespace(&mut self, found: &Ns, place: &Position) {
        if !found.is(ns::PSKC) {
            self.add(Irregularity::Namespace(found.as_str().to_owned()), place);
        }
    }

    pub(super) fn empty(&mut self, tree: &ElementTree) {
        tree.take_whole();
        self.add(Irregularity::Empty(tree.local.clone()), &tree.place);
    }

    pub(super) fn not_understood(&mut self, what: String, tree: &ElementTree) {
        self.add(Irregularity::NotUnderstood(what), &tree.place);
    }

    /// Sets an empty field to `value`; keeps an existing value.
    pub(super) fn first<T>(&mut self, field: &mut Option<T>, value: Option<T>, tree: &ElementTree) {
        match (field.is_some(), value) {
            (true, Some(_)) => self.add(Irregularity::Repeated(tree.local.clone()), &tree.place),
            (_, None) => {}
            (false, value) => *field = value,
        }
    }

    /// Reports the unread parts of the tree.
    pub(super) fn left_out(&mut self, tree: &ElementTree) {
        tree.left_out(&mut |left| match left {
            Unread::Element(tree) => self.unknown(tree),
            Unread::Attribute(attribute, tree) => {
                self.unknown_attribute(attribute, &tree.place);
            }
            Unread::Text(tree) => self.add(Irregularity::Text(tree.local.clone()), &tree.place),
        });
    }

    pub(super) fn unknown_attribute(&mut self, attribute: &Attribute, place: &Position) {
        self.add(Irregularity::UnknownAttribute(attribute.shown()), place);
    }

    pub(super) fn unknown(&mut self, tree: &ElementTree) {
        tree.take_whole();
        self.add(Irregularity::UnknownElement(tree.local.clone()), &tree.place);
    }
}
