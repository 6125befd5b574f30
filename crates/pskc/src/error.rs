//! Errors of reading a container.

use crate::xml::{Fault, Position, XmlError};

/// Why a container or part of one cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not well-formed, invalid by the schema, or not acceptable as XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// An unsupported major version, and the container.
    #[error("PSKC version {} is not supported, 1.0 is ({})", .0.what, .0.place)]
    Version(Box<Fault>),
    /// Allowed by the schema, but not supported.
    #[error("{} is not supported ({})", .0.what, .0.place)]
    Unsupported(Box<Fault>),
}

impl Error {
    /// The place of the error in the document.
    pub fn place(&self) -> &Position {
        match self {
            Error::Xml(error) => error.place(),
            Error::Version(fault) | Error::Unsupported(fault) => &fault.place,
        }
    }
}
