//! Linux and other Unix systems.

mod permissions;
mod supervisor;
mod threads;

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::process::{Resource, getrlimit};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio_postgres::config::Host;

use super::{DatabaseHost, Signal};
use crate::Error;

pub(crate) use permissions::{secure_data_folder, secure_database, warn_of_exposed_key};
pub(crate) use supervisor::{passed_sockets, tell_supervisor};
pub(crate) use threads::{lower_priority, thread_cpu_time};

/// Options to write a file; it has `mode` from its creation on.
pub(crate) fn write_options(mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(mode);
    options
}

/// Creates folders that only their owner can access.
pub(crate) fn private_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// Takes the record lock of a whole file (`fcntl`), as other programs do, until it is closed; `false` if another program
/// has it. It keeps nobody out within this process.
pub(crate) fn try_lock_record(file: &File) -> io::Result<bool> {
    match rustix::fs::fcntl_lock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => Ok(false),
        Err(why) => Err(why.into()),
    }
}

/// Makes created and renamed entries of a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Waits for the folder's lock and holds it until the file is dropped.
pub(crate) fn lock_folder(folder: &Path) -> io::Result<File> {
    let file = File::open(folder)?;
    file.lock()?;
    Ok(file)
}

/// The description of a server, from its locked file.
pub(crate) fn read_locked(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// Distinguishes a file from a replacement at the same path, by device and inode.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// How `tokio-postgres` reaches a server.
pub(crate) fn database_host(host: &Host) -> DatabaseHost<'_> {
    match host {
        Host::Tcp(name) => DatabaseHost::Name(name),
        Host::Unix(folder) => DatabaseHost::Socket(folder),
    }
}

/// This process's limit of open files, including connections.
pub(crate) fn file_limit() -> usize {
    let soft = getrlimit(Resource::Nofile).current;
    soft.map_or(usize::MAX, |soft| usize::try_from(soft).unwrap_or(usize::MAX))
}

/// The signals that the server handles.
pub(crate) struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    hangup: unix::Signal,
    /// SIGXFSZ: exceeding a file size limit fails the write, as a full disk does, instead of killing the server.
    _file_too_long: unix::Signal,
}

/// The number of SIGXFSZ.
const SIGXFSZ: i32 = 25;

impl Signals {
    pub(crate) fn new() -> Result<Self, Error> {
        let wait = |kind| signal(kind).map_err(|source| Error::System { what: "cannot wait for signals", source });
        Ok(Self {
            terminate: wait(SignalKind::terminate())?,
            interrupt: wait(SignalKind::interrupt())?,
            hangup: wait(SignalKind::hangup())?,
            _file_too_long: wait(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}
