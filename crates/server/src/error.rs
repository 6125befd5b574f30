//! Why a server does not start, or stops.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::store::StoreError;

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
