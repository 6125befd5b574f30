//! Errors of reading a container.

use crate::xml::{Position, XmlError};

/// Why a container or part of one cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not well-formed, invalid by the schema, or not acceptable as XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// An unsupported major version.
    #[error("PSKC version {version} is not supported, 1.0 is ({place})")]
    Version {
        /// The version.
        version: String,
        /// The container.
        place: Box<Position>,
    },
    /// Allowed by the schema, but not supported.
    #[error("{what} is not supported ({place})")]
    Unsupported {
        /// What is not supported.
        what: &'static str,
        /// Its place.
        place: Box<Position>,
    },
}

impl Error {
    /// The place of the error in the document.
    pub fn place(&self) -> &Position {
        match self {
            Error::Xml(error) => error.place(),
            Error::Version { place, .. } | Error::Unsupported { place, .. } => place,
        }
    }
}
