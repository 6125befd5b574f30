//! Why a container was not read.

use crate::xml::{Position, XmlError};

/// Why a container, or a part of one, was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not well-formed, not valid by the schema, or not acceptable as XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// A container of a major version that this crate does not know.
    #[error("PSKC version {version} is not supported, 1.0 is ({place})")]
    Version {
        /// The version that it has.
        version: String,
        /// The container.
        place: Position,
    },
    /// Something that the schema allows and this crate does not read.
    #[error("{what} is not supported ({place})")]
    Unsupported {
        /// What it is.
        what: &'static str,
        /// Where it stands.
        place: Position,
    },
}

impl Error {
    /// Where in the document it happened.
    pub fn place(&self) -> &Position {
        match self {
            Error::Xml(error) => error.place(),
            Error::Version { place, .. } | Error::Unsupported { place, .. } => place,
        }
    }
}
