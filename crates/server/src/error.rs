//! Why a server does not start, or stops.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigError;

/// Why the server did not start, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; choose another with server.listen (or --listen), \
         or stop what uses it"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file or folder cannot be read or written.
    #[error("{} cannot be {done}: {source}; check the path and its permissions", path.display())]
    File {
        /// What was tried: "read", "written".
        done: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Others have access to a file or folder in a way that makes it unsafe to use.
    #[error("{} is not safe to use: {what}; {remedy}", path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// What others can do.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file was read but holds something else than it should.
    #[error("{} is not usable as {what}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The store cannot be opened or used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key in the store cannot be used.
    #[error("the store's {what} cannot be used: {source}; restore the store from a backup")]
    StoredKey {
        /// Which.
        what: &'static str,
        /// Why.
        source: dskpp_crypto::Error,
    },
    /// A part of the server died, by a defect of this program.
    #[error(
        "{0} died by a defect of this program: the server cannot go on; start it again, and report what its log says"
    )]
    Died(String),
    /// A second signal came while the server was about to end.
    #[error("stopped at once: what was being answered was broken off")]
    Interrupted,
    /// Something else that the system refused.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A half of the store is missing or damaged, or the halves do not belong together.
    #[error(
        "the store in {} is not whole: {why}; restore what is missing from a backup, or begin anew with \
         `dskpp serve --init`, which sets the old files aside: its keys and enrolments are lost then",
        folder.display()
    )]
    NotWhole {
        /// The data folder.
        folder: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no store, and nobody said that one should begin.
    #[error(
        "there is no store in {} yet: begin one with `dskpp database migrate --init`; if there was one, check the \
         path, or restore the database from a backup",
        folder.display()
    )]
    NotBegun {
        /// The data folder.
        folder: PathBuf,
    },
    /// There is a store where one should be begun anew.
    #[error("the store in {} is whole, and --init leaves it as it is: start without --init", folder.display())]
    IsWhole {
        /// The data folder.
        folder: PathBuf,
    },
    /// The private CA is not whole, or cannot issue a certificate.
    #[error("the private CA in {} {why}", folder.display())]
    PrivateCa {
        /// The folder of its files.
        folder: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
}

/// Why the store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be used now: disk full, locked, read-only. Nothing was changed.
    #[error("the database cannot be used: {0}; check disk space, permissions and other processes that use it")]
    Unavailable(String),
    /// What is read from the database cannot have been written. Nothing is written any more.
    #[error("the database is damaged: {0}; stop the server and restore a backup")]
    Damaged(String),
    /// A file of the open database is not there any more: what is written would be lost. Nothing was changed.
    #[error("{file} was {what} while the server had it open: put it back, or start the server anew")]
    Gone {
        /// The file's name.
        file: String,
        /// "deleted" or "replaced".
        what: &'static str,
    },
    /// The database is whole, but another one than it should be.
    #[error("the database is {id}, which is another one")]
    Other {
        /// Its identity.
        id: String,
    },
    /// A secret does not open.
    #[error(transparent)]
    Sealed(#[from] CannotOpen),
    /// A value in one row cannot be read.
    #[error(transparent)]
    Row(#[from] Unreadable),
    /// The database was made by a newer version.
    #[error("the database has schema {found}, this version knows {known}: start the newer version")]
    TooNew {
        /// What the database says.
        found: usize,
        /// What this version has.
        known: usize,
    },
    /// Something of that name is there already.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The state of a thing does not allow it.
    #[error("{0}")]
    State(&'static str),
    /// A batch of an import begins before where the import stands.
    #[error("this import is done up to package {done}: go on with first={done}")]
    ImportDone {
        /// The index of the first package that has not been dealt with.
        done: u64,
    },
}

/// A value that cannot be read. Its row is of no use until it is restored; others are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of the row '{row}' cannot be read: restore it from a backup, or revoke what it stands for")]
pub struct Unreadable {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// What the row's first column says.
    pub row: String,
}

/// A sealed value that cannot be opened: another key, or it was changed or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret in {table}.{column} of the row '{row}' cannot be opened: the key-encryption key is not the one it was sealed with, or the store was changed"
)]
pub struct CannotOpen {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's identifier.
    pub row: String,
}
