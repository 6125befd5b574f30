//! Why a store failed.

use std::path::PathBuf;

use dskpp_token::TokenError;

/// Why a store failed. Nothing changed. [`next`](Self::next) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenStoreError {
    /// Reading or writing a file failed.
    #[error("{} cannot be {done}: {source}", path.display())]
    File {
        /// `read`, `written`, …
        done: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason of the operating system.
        source: std::io::Error,
    },
    /// The file is not a token store, or its header is damaged.
    #[error("{} is not a token store, or it is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// The key does not fit.
    #[error("wrong passphrase or key file, or the token store is damaged")]
    Locked,
    /// The store was created with the other kind of key.
    #[error("the token store opens with {0}")]
    OtherUnlock(&'static str),
    /// Not a key file.
    #[error("{} does not hold a key of 64 hexadecimal digits", .0.display())]
    KeyFile(PathBuf),
    /// An empty passphrase.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// The tokens do not allow it.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A store that is not a file failed.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl TokenStoreError {
    /// What to do about it, in words for the person whose store it is.
    pub fn next(&self) -> &'static str {
        match self {
            Self::File { .. } => "check the path and its permissions, and the space on the disk",
            Self::Damaged { .. } => "check that the path is the store's, or restore it from a backup",
            Self::Locked => "try again with the passphrase or key file that the store was created with",
            Self::OtherUnlock(_) => "use that to open it",
            Self::KeyFile(_) => "name the key file that the store was created with, or a path where no file exists",
            Self::EmptyPassphrase => "choose a longer passphrase",
            Self::Token(TokenError::TooManyOld(_)) => {
                "once the server has accepted a code of the key, remove them: `dskpp token accepted`, with the same store"
            }
            Self::Token(why) => why.next(),
            Self::Other(_) => "check the token store",
        }
    }
}
