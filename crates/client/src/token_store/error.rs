//! Why a store did not do what was asked.

use std::path::PathBuf;

use super::{MOST_OLD, NOT_A_NAME, NotAllowed};

/// Why a store did not do what was asked. Nothing was changed. [`next`](Self::next) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file cannot be read or written.
    #[error("{} cannot be {done}: {source}", path.display())]
    File {
        /// What was tried.
        done: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is no token store, or its beginning is damaged.
    #[error("{} is not a token store, or it is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The store does not open.
    #[error("wrong passphrase or key file, or the token store is damaged")]
    Locked,
    /// The store was made with the other kind of key.
    #[error("the token store is locked with {0}")]
    OtherUnlock(&'static str),
    /// The key file holds something else.
    #[error("{} does not hold a key of 64 hexadecimal digits", .0.display())]
    KeyFile(PathBuf),
    /// An empty passphrase.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A text of a key could not be shown or typed.
    #[error("the key's {0} {NOT_A_NAME}")]
    NotAName(&'static str),
    /// A key of that id is there.
    #[error("the store already has a key '{0}'")]
    Exists(String),
    /// A key was used as often as its policy allows.
    #[error(transparent)]
    UsedUp(NotAllowed),
    /// No key goes by that name.
    #[error("there is no key '{0}' in the store")]
    NotFound(String),
    /// [`MOST_OLD`] replaced keys are there already.
    #[error("the store has {MOST_OLD} keys that '{0}' has replaced, which is the most")]
    TooManyOld(String),
    /// Several do.
    #[error("several keys go by '{0}'")]
    Ambiguous(String),
}

impl StoreError {
    /// What to do about it, in words for the person whose store it is.
    pub fn next(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the path and its permissions, and the space on the disk",
            Self::Damaged { .. } => "check that the path is the store's, or restore it from a backup",
            Self::Locked => "try again with the passphrase or key file that the store was made with",
            Self::OtherUnlock(_) => "use that",
            Self::KeyFile(_) => "name the key file that the store was made with, or a path where none is yet",
            Self::EmptyPassphrase => "choose a passphrase with more characters",
            Self::NotAName(_) => "give it another",
            Self::Exists(_) => "delete that key first, or keep it",
            Self::UsedUp(_) => "ask the issuer of the key for another",
            Self::NotFound(_) => "list the keys of the same store for their ids",
            Self::TooManyOld(_) => {
                "forget them once the server has accepted a code of it: `dskpp token accepted`, with the same store"
            }
            Self::Ambiguous(_) => "give more of the id",
        }
    }
}
