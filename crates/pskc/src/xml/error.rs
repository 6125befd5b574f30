//! What can be wrong with a document, and where.

use std::fmt;

/// Where in a document something stood.
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

/// Why a document was not read. Texts carry names and places, never values of the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// A `<!DOCTYPE`.
    #[error("document type declarations are not accepted: remove it ({place})")]
    Dtd {
        /// Where it stands.
        place: Position,
    },
    /// A `<?target …?>` that is not the XML declaration at the very start.
    #[error("processing instructions are not accepted: remove it ({place})")]
    ProcessingInstruction {
        /// Where it stands.
        place: Position,
    },
    /// A faulty XML declaration, one that stands behind something else or names another encoding, or a byte order mark
    /// in a wrong place.
    #[error("{what} ({place})")]
    Declaration {
        /// What is wrong with it, and what to do.
        what: String,
        /// Where it stands.
        place: Position,
    },
    /// Octets that are not UTF-8.
    #[error("the document is not in UTF-8: convert it ({place})")]
    Encoding {
        /// Where the first such octets are.
        place: Position,
    },
    /// Elements nested deeper than [`XmlLimits::max_depth`](super::XmlLimits).
    #[error("elements are nested deeper than {limit} ({place})")]
    Depth {
        /// Where the first element too deep is.
        place: Position,
        /// How deep they may be.
        limit: usize,
    },
    /// A tag, comment or text longer than [`XmlLimits::max_text`](super::XmlLimits), or a tag with more
    /// attributes than any schema here knows, or a child of the root longer than
    /// [`XmlLimits::max_child`](super::XmlLimits).
    #[error("a tag, comment, value or package is larger than accepted ({place})")]
    TooLarge {
        /// Where it begins.
        place: Position,
    },
    /// Not well-formed, or not namespace-well-formed.
    #[error("not well-formed XML: {what} ({place})")]
    Syntax {
        /// The rule that is broken.
        what: &'static str,
        /// Where.
        place: Position,
    },
    /// An element, attribute or text that may not stand here.
    #[error("unexpected {what} ({place})")]
    Unexpected {
        /// Its kind and name.
        what: String,
        /// Where.
        place: Position,
    },
    /// An element or attribute that must be there is not.
    #[error("missing {what} ({place})")]
    Missing {
        /// Its kind and name.
        what: String,
        /// The element that lacks it.
        place: Position,
    },
    /// A value of the wrong form.
    #[error("{what} ({place})")]
    Value {
        /// Which form was expected.
        what: String,
        /// Where.
        place: Position,
    },
    /// The source of the octets failed.
    #[error("the document could not be read to its end: {kind} ({place})")]
    Io {
        /// The failure of the source.
        kind: std::io::ErrorKind,
        /// How far reading came.
        place: Position,
    },
}

impl XmlError {
    /// Where in the document it happened.
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
