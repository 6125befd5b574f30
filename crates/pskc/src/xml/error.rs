//! Errors in a document, with their places.

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

/// Why a document cannot be read. Messages contain names and places, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// A `<!DOCTYPE`.
    #[error("document type declarations are not accepted: remove it ({place})")]
    Dtd {
        /// Its place.
        place: Box<Position>,
    },
    /// A `<?target …?>` that is not the XML declaration at the very start.
    #[error("processing instructions are not accepted: remove it ({place})")]
    ProcessingInstruction {
        /// Its place.
        place: Box<Position>,
    },
    /// A faulty XML declaration, one that is misplaced or names another encoding, or a misplaced byte order
    /// mark.
    #[error("{what} ({place})")]
    Declaration {
        /// What is wrong, and what to do.
        what: String,
        /// Its place.
        place: Box<Position>,
    },
    /// Octets that are not UTF-8.
    #[error("the document is not in UTF-8: convert it ({place})")]
    Encoding {
        /// The place of the first invalid octets.
        place: Box<Position>,
    },
    /// Elements nested deeper than [`XmlLimits::max_depth`](super::XmlLimits).
    #[error("elements are nested deeper than {limit} ({place})")]
    Depth {
        /// The place of the first element that is too deep.
        place: Box<Position>,
        /// The limit.
        limit: usize,
    },
    /// A tag, comment or text longer than [`XmlLimits::max_text`](super::XmlLimits), a tag with more
    /// attributes than any schema here has, or a child of the root longer than
    /// [`XmlLimits::max_child`](super::XmlLimits).
    #[error("a tag, comment, value or package is larger than accepted ({place})")]
    TooLarge {
        /// Where it begins.
        place: Box<Position>,
    },
    /// Not well-formed, or not namespace-well-formed.
    #[error("not well-formed XML: {what} ({place})")]
    Syntax {
        /// The violated rule.
        what: &'static str,
        /// Its place.
        place: Box<Position>,
    },
    /// An unexpected element, attribute or text.
    #[error("unexpected {what} ({place})")]
    Unexpected {
        /// Its kind and name.
        what: String,
        /// Its place.
        place: Box<Position>,
    },
    /// A missing mandatory element or attribute.
    #[error("missing {what} ({place})")]
    Missing {
        /// Its kind and name.
        what: String,
        /// The element that lacks it.
        place: Box<Position>,
    },
    /// A value in the wrong form.
    #[error("{what} ({place})")]
    Value {
        /// What is wrong, or the expected form.
        what: String,
        /// Its place.
        place: Box<Position>,
    },
    /// The source failed.
    #[error("the document could not be read to its end: {kind} ({place})")]
    Io {
        /// The failure of the source.
        kind: std::io::ErrorKind,
        /// The place that was reached.
        place: Box<Position>,
    },
}

impl XmlError {
    /// The place of the error in the document.
    pub fn place(&self) -> &Position {
        match self {
            Self::Dtd { place }
            | Self::ProcessingInstruction { place }
            | Self::Declaration { place, .. }
            | Self::Encoding { place }
            | Self::Depth { place, .. }
            | Self::TooLarge { place }
            | Self::Syntax { place, .. }
            | Self::Unexpected { place, .. }
            | Self::Missing { place, .. }
            | Self::Value { place, .. }
            | Self::Io { place, .. } => place,
        }
    }
}
