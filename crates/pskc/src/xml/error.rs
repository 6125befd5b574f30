//! Errors in a document, with their places.

use std::borrow::Cow;
use std::fmt;

/// A place in a document.
///
/// Shown as `/KeyContainer/KeyPackage, line 3, octet 120`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Position {
    /// Local names from the root down, such as `/KeyContainer/KeyPackage`; `/` outside the root.
    pub path: String,
    /// Octets of the document before it.
    pub offset: u64,
    /// Its line, from 1.
    pub line: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, octet {}", self.path, self.line, self.offset)
    }
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind and name of what is unexpected or missing, the violated rule, the limit, or the expected form.
    pub what: Cow<'static, str>,
    /// Its place, or that of the element that lacks it.
    pub place: Box<Position>,
}

impl Fault {
    /// For an error.
    pub fn at(place: Box<Position>, what: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Fault { what: what.into(), place })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.place)
    }
}

/// Why a document cannot be read. Messages contain names and places, never values.
///
/// It is as large as two pointers: every step of a reader may return it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// A `<!DOCTYPE`.
    #[error("document type declarations are not accepted: remove it ({0})")]
    Dtd(Box<Position>),
    /// A `<?target …?>` that is not the XML declaration at the very start.
    #[error("processing instructions are not accepted: remove it ({0})")]
    ProcessingInstruction(Box<Position>),
    /// A faulty XML declaration, one that is misplaced or names another encoding, or a misplaced byte order
    /// mark. The text says what to do.
    #[error("{0}")]
    Declaration(Box<Fault>),
    /// Octets that are not UTF-8.
    #[error("the document is not in UTF-8: convert it ({0})")]
    Encoding(Box<Position>),
    /// Elements nested deeper than [`XmlLimits::max_depth`](super::XmlLimits).
    #[error("elements are nested deeper than {0}")]
    Depth(Box<Fault>),
    /// A tag, comment or text longer than [`XmlLimits::max_text`](super::XmlLimits), a tag with more
    /// attributes than any schema here has, or a child of the root longer than
    /// [`XmlLimits::max_child`](super::XmlLimits).
    #[error("a tag, comment, value or package is larger than accepted ({0})")]
    TooLarge(Box<Position>),
    /// Not well-formed, or not namespace-well-formed.
    #[error("not well-formed XML: {0}")]
    Syntax(Box<Fault>),
    /// An unexpected element, attribute or text.
    #[error("unexpected {0}")]
    Unexpected(Box<Fault>),
    /// A missing mandatory element or attribute.
    #[error("missing {0}")]
    Missing(Box<Fault>),
    /// A value in the wrong form.
    #[error("{0}")]
    Value(Box<Fault>),
    /// The source failed.
    #[error("the document could not be read to its end: {0} ({1})")]
    Io(std::io::ErrorKind, Box<Position>),
}

impl XmlError {
    /// The place of the error in the document.
    pub fn place(&self) -> &Position {
        match self {
            Self::Dtd(place)
            | Self::ProcessingInstruction(place)
            | Self::Encoding(place)
            | Self::TooLarge(place)
            | Self::Io(_, place) => place,
            Self::Declaration(fault)
            | Self::Depth(fault)
            | Self::Syntax(fault)
            | Self::Unexpected(fault)
            | Self::Missing(fault)
            | Self::Value(fault) => &fault.place,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn errors_are_small() {
        assert!(size_of::<super::XmlError>() <= 2 * size_of::<usize>());
        assert!(size_of::<crate::Error>() <= 2 * size_of::<usize>());
    }
}
