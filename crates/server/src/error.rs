//! Errors of the server and the store.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigError;

/// Why the server did not start, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Invalid configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The server cannot listen on its address.
    #[error(
        "cannot listen on {address}: {source}; choose another with server.listen (or --listen), \
         or stop the program that uses it"
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
        /// The failed operation: "read", "written".
        done: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Other users can access a file or folder.
    #[error("{} is unsafe: {what}; {remedy}", path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// The unsafe access.
        what: String,
        /// The remedy.
        remedy: &'static str,
    },
    /// A file has the wrong content.
    #[error("{} is not usable as {what}: {why}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The expected content.
        what: &'static str,
        /// The fault and its remedy.
        why: String,
    },
    /// The store cannot be opened or used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key in the store is invalid.
    #[error("the store's {what} is invalid: {source}; restore the store from a backup")]
    StoredKey {
        /// The key.
        what: &'static str,
        /// The reason.
        source: dskpp_crypto::Error,
    },
    /// A part of the server died because of a bug.
    #[error("{0} died because of a bug; restart the server, and report the bug with its log")]
    Died(String),
    /// A second signal arrived during shutdown.
    #[error("stopped immediately: unfinished answers were cut off")]
    Interrupted,
    /// Another system error.
    #[error("{what}: {source}")]
    System {
        /// The failed operation.
        what: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A part of the store is missing or damaged, or database and key do not belong together.
    #[error(
        "the store in {} is incomplete: {why}; restore the missing part from a backup, or start over with \
         `dskpp serve --init`, which sets the old files aside: this loses the store's keys and enrolments",
        folder.display()
    )]
    IncompleteStore {
        /// The data folder.
        folder: PathBuf,
        /// The fault.
        why: String,
    },
    /// There is no store, and nothing allows the server to create one.
    #[error(
        "there is no store in {at}: create one with `dskpp database migrate --init`; if there was one, check the path \
         or URL, or restore the database from a backup"
    )]
    NoStore {
        /// The data folder, or the database's URL.
        at: String,
    },
    /// `--init` with a complete store.
    #[error(
        "the store in {} is complete, and --init never replaces a complete store: start without --init",
        folder.display()
    )]
    CompleteStore {
        /// The data folder.
        folder: PathBuf,
    },
    /// A database was not copied, backed up or restored.
    #[error("{0}")]
    Refused(String),
    /// The private CA is incomplete, or cannot issue a certificate.
    #[error("the private CA in {} {why}", folder.display())]
    PrivateCa {
        /// The folder of its files.
        folder: PathBuf,
        /// The fault and its remedy.
        why: String,
    },
}

/// Errors of the store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database is unavailable: disk full, locked, read-only. Nothing was changed.
    #[error("the database is unavailable: {0}; check disk space, permissions and other processes that use it")]
    Unavailable(String),
    /// The clocks of this machine and of the database server differ by more than 30 s.
    #[error("this machine's clock is {seconds} s ahead of the database server's (negative: behind): synchronize both")]
    Clock {
        /// By how many seconds this machine's clock is ahead.
        seconds: i64,
    },
    /// The connection broke during COMMIT: the change may have been made.
    #[error("whether the change was made is unknown: {0}; look, and try again if it was not")]
    Unknown(String),
    /// Something else is there than a condition asked for. Nothing was changed.
    #[error("it has changed since: read it again")]
    Changed,
    /// Another transaction interfered. Nothing was changed.
    #[error("another transaction interfered: {0}; try again")]
    Conflict(String),
    /// The database is corrupt. The store writes nothing more.
    #[error("the database is damaged: {0}; stop the server and restore a backup")]
    Damaged(String),
    /// A file of the open database is gone: writes would be lost. Nothing was changed.
    #[error("{file} was {what} while the server had it open: put it back, or restart the server")]
    Gone {
        /// The file's name.
        file: String,
        /// "deleted" or "replaced".
        what: &'static str,
    },
    /// Others use the database that one command must have for itself.
    #[error("a server or another program uses the database ({0}): stop it first")]
    InUse(String),
    /// A copy into the database was interrupted.
    #[error(
        "the database is an unfinished copy: run the same `dskpp database copy` again, which completes it, or empty the \
         database"
    )]
    UnfinishedCopy,
    /// An intact database, but not the expected one.
    #[error("unexpected database {id}")]
    Other {
        /// Its identity.
        id: String,
    },
    /// A secret cannot be unsealed.
    #[error(transparent)]
    Sealed(#[from] CannotOpen),
    /// The key-encryption key is being changed, and the former one is not at hand.
    #[error(
        "some secrets may still be sealed under the former key-encryption key, which is missing: name its file in \
         seal.further_kek_files until `dskpp seal rotate` has finished"
    )]
    FormerKek,
    /// A value in one row is unreadable.
    #[error(transparent)]
    Row(#[from] Unreadable),
    /// A newer version changed the database so that this one cannot use it any more.
    #[error(
        "the database has schema {found}, for software of schema {oldest} and newer, and this version has {known}: \
         use the newer version"
    )]
    TooNew {
        /// The database's schema.
        found: usize,
        /// That of the oldest software that may use it.
        oldest: usize,
        /// This version's schema.
        known: usize,
    },
    /// Migrations are missing, and `database.migrate` forbids to do them at a start.
    #[error(
        "the database has schema {found}, this version needs {known}, and database.migrate is \"by-command\": run \
         `dskpp database migrate`"
    )]
    TooOld {
        /// The database's schema.
        found: usize,
        /// This version's schema.
        known: usize,
    },
    /// A migration failed. It changed nothing; those before it are done.
    #[error(
        "the migration to schema {version} failed and was undone: {why}; `dskpp database check` compares the database \
         with its schema"
    )]
    Migration {
        /// The version to which it leads.
        version: usize,
        /// The reason.
        why: Box<StoreError>,
    },
    /// An object with that name exists.
    #[error("{0} exists already")]
    Exists(&'static str),
    /// No such object.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The object's state does not allow the operation.
    #[error("{0}")]
    State(&'static str),
    /// A batch of an import begins before the import's current position.
    #[error("this import is complete up to package {done}: continue with first={done}")]
    ImportDone {
        /// The index of the first unprocessed package.
        done: u64,
    },
}

impl StoreError {
    /// The reason without a remedy, where that has one of its own.
    pub(crate) fn reason(&self) -> String {
        match self {
            StoreError::Unavailable(why) | StoreError::Conflict(why) | StoreError::Damaged(why) => why.clone(),
            other => other.to_string(),
        }
    }
}

/// An unreadable value. Its row is unusable until restored; other rows are not affected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of row '{row}' is unreadable: restore it from a backup, or revoke the object")]
pub struct Unreadable {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// The value of the row's first column.
    pub row: String,
}

/// A sealed value that cannot be unsealed: wrong key, or changed or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot unseal {table}.{column} of row '{row}': wrong key-encryption key (was it \
         changed by `dskpp seal rotate`?), or the store was changed"
)]
pub struct CannotOpen {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's identifier.
    pub row: String,
}
