//! Warnings about a file that was read leniently.

use std::fmt;

use crate::xml::{Attribute, ElementTree, Ns, Position, Unread, ns};

/// Something in a file that RFC 6030 does not allow, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning {
    /// What it is, and how it was taken.
    pub irregularity: Irregularity,
    /// Where it stands.
    pub place: Position,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.irregularity, self.place)
    }
}

/// What can be wrong with a file that is read leniently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Irregularity {
    /// Another version than 1.0, or none.
    #[error("the version {0:?} is taken as 1.0")]
    Version(String),
    /// An element in another namespace than the one it belongs to.
    #[error("the namespace {0:?} is taken as that of PSKC")]
    Namespace(String),
    /// An element or attribute with the name that it has in a draft, or in another case.
    #[error("{found} is taken as {taken_as}")]
    Name {
        /// Its name.
        found: String,
        /// The name that RFC 6030 has.
        taken_as: &'static str,
    },
    /// An element of an extension that has the name of one of PSKC's.
    #[error("the element <{0}> is not taken as PSKC's: it is in another namespace, and kept as an extension")]
    Extension(String),
    /// An element that is not known here, or stands there again.
    #[error("the element <{0}> has no meaning here and is left out")]
    UnknownElement(String),
    /// An attribute that is not known here.
    #[error("the attribute {0} has no meaning here and is left out")]
    UnknownAttribute(String),
    /// A text between elements.
    #[error("the text in <{0}> is left out")]
    Text(String),
    /// An element that RFC 6030 has further in front.
    #[error("the element <{0}> stands behind others that belong behind it")]
    Order(String),
    /// Something that stands in front of the document's first tag or in its declaration.
    #[error("{0}")]
    Declaration(String),
    /// A hash that stands in an attribute.
    #[error("the attribute {attribute} of <Suite> is taken as the hash {hash:?}")]
    SuiteAttribute {
        /// Its name.
        attribute: String,
        /// The suite that it is taken for.
        hash: String,
    },
    /// The name of an algorithm under another namespace than its own.
    #[error("the algorithm {found:?} is taken as {taken_as}")]
    Algorithm {
        /// Its name.
        found: String,
        /// The name that it has in its standard.
        taken_as: String,
    },
    /// Base64 without padding, or with the alphabet for URLs.
    #[error("the value is taken as base64 although its padding is missing or its alphabet is that of URLs")]
    Base64,
    /// A value that is not there and has to be.
    #[error("{0} is taken, as nothing is said")]
    Assumed(&'static str),
    /// A name of the container that is none.
    #[error("the Id {0:?} is no name (xs:ID) and is left out")]
    ContainerId(String),
    /// A key without `Id`.
    #[error("the key has no Id; {0:?} is taken")]
    NoId(String),
    /// A secret in hexadecimal.
    #[error("the secret is taken as hexadecimal, as it makes no sense in base64")]
    Hexadecimal,
    /// A number that is not written in digits.
    #[error("the number is written in base64: {0} is taken")]
    EncodedNumber(i64),
    /// A date in another form.
    #[error("{found:?} is taken as {taken_as}")]
    Date {
        /// What stands there.
        found: String,
        /// The time in words.
        taken_as: String,
    },
    /// `true`, `false` or a name from a list in another case.
    #[error("{0:?} is not written as RFC 6030 has it")]
    Spelling(String),
    /// A `MACMethod` without its algorithm.
    #[error("MACMethod has no Algorithm and is ignored")]
    NoMacAlgorithm,
    /// A format without `Encoding`.
    #[error("there is no Encoding: DECIMAL is taken")]
    NoEncoding,
    /// A MAC beside a value that is not encrypted.
    #[error("a MAC beside a value in the clear is left out")]
    MacOfPlain,
    /// How values are encrypted stands at the container and not at each value.
    #[error("the encryption is described once for all values, as in drafts")]
    CommonEncryption,
    /// An element that must have a content and has none.
    #[error("the element <{0}> is empty and is ignored")]
    Empty(String),
    /// An element that may stand once.
    #[error("the element <{0}> stands there again, and the first one is taken")]
    Repeated(String),
    /// Something in a policy that is not known, so that the key must not be used (RFC 6030 §5).
    #[error("the policy says {0}, which is not understood: the key is not to be used")]
    NotUnderstood(String),
    /// An encrypted value whose algorithm is said nowhere.
    #[error("the value's encryption algorithm is missing: it must be known to decrypt it")]
    NoAlgorithm,
    /// Several keys in one package.
    #[error("several keys stand in one package")]
    SeveralKeys,
    /// Further warnings, which are not listed.
    #[error("there is more, which is not told")]
    More,
}

impl Irregularity {
    /// With no more of the file's own words than a reader needs: they can be megabytes.
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

/// What was found, up to a limit.
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

    /// Tells of an element that has another name or namespace than PSKC gives it.
    pub(super) fn name(&mut self, tree: &ElementTree, taken_as: &'static str) {
        if tree.local != taken_as {
            self.add(Irregularity::Name { found: format!("<{}>", tree.local), taken_as }, &tree.place);
        }
    }

    /// Tells of an attribute that has another name than PSKC gives it.
    pub(super) fn attribute(&mut self, found: &str, taken_as: &'static str, place: &Position) {
        if found != taken_as {
            self.add(Irregularity::Name { found: format!("the attribute {found}"), taken_as }, place);
        }
    }

    /// Tells once of a namespace that is not PSKC's.
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

    /// Puts `value` into a field that is free; what stands there already stays.
    pub(super) fn first<T>(&mut self, field: &mut Option<T>, value: Option<T>, tree: &ElementTree) {
        match (field.is_some(), value) {
            (true, Some(_)) => self.add(Irregularity::Repeated(tree.local.clone()), &tree.place),
            (_, None) => {}
            (false, value) => *field = value,
        }
    }

    /// Tells what of the tree nobody has read.
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
