//! Windows: the same functions as for Unix, and their limits.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::net::TcpListener;
use std::os::windows::fs::MetadataExt as _;
use std::path::Path;

use tokio::signal::windows::{self, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
use tokio_postgres::config::Host;

use super::{DatabaseHost, Signal, State, failed};
use crate::Error;

/// Options to write a file. It inherits the access rights of its folder, whatever the mode: see [`secure_data_folder`].
pub(crate) fn write_options(_mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// Creates folders, which inherit their access rights.
pub(crate) fn private_folder() -> DirBuilder {
    DirBuilder::new()
}

/// Locks a file until it is closed; `false` if another program has it.
pub(crate) fn try_lock_record(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(std::fs::TryLockError::WouldBlock) => Ok(false),
        Err(std::fs::TryLockError::Error(why)) => Err(why),
    }
}

/// Does nothing: Windows cannot flush a folder. The journal of NTFS preserves either the old or the new names, but a
/// crash may undo the last rename.
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Waits for the folder's lock and holds it until the file is dropped. Windows locks only files, so this locks a file in
/// the folder.
pub(crate) fn lock_folder(folder: &Path) -> io::Result<File> {
    let file = write_options(0o600).create(true).truncate(false).open(folder.join(".starting"))?;
    file.lock()?;
    Ok(file)
}

/// The description of a server whose file is locked. Windows does not allow reading it; its name begins with the
/// process ID.
pub(crate) fn read_locked(path: &Path) -> io::Result<String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(format!("process {}", name.split('-').next().unwrap_or_default()))
}

/// Distinguishes a file from a replacement at the same path, by creation time. That is weaker than an inode, but Windows
/// allows nobody to delete or replace the files that SQLite has open.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.creation_time(), 0)
}

/// How `tokio-postgres` reaches a server.
pub(crate) fn database_host(host: &Host) -> DatabaseHost<'_> {
    let Host::Tcp(name) = host;
    DatabaseHost::Name(name)
}

/// Windows does not limit the open files and connections of a process.
pub(crate) fn file_limit() -> usize {
    usize::MAX
}

/// Does nothing: threads keep their priority.
pub(crate) fn lower_priority() {}

/// Not looked at.
pub(crate) fn thread_cpu_time() -> std::time::Duration {
    std::time::Duration::ZERO
}

/// Creates the data folder if there is none. Does not check its access control list, and logs that at each start.
pub(crate) fn secure_data_folder(folder: &Path) -> Result<(), Error> {
    private_folder().recursive(true).create(folder).map_err(failed("created", folder))?;
    tracing::warn!(
        "on Windows this server does not check who can read or change the data folder {}: make sure that only its own \
         account has access (`icacls`)",
        folder.display()
    );
    Ok(())
}

/// Creates a database file, if there is none, with the access rights of its folder.
pub(crate) fn secure_database(path: &Path) -> io::Result<()> {
    write_options(0o600).create(true).truncate(false).open(path).map(drop)
}

/// Warns that the permissions of a key file outside the data folder are not checked.
pub(crate) fn warn_of_exposed_key(path: &Path) {
    tracing::warn!(
        "on Windows this server does not check who can read the key in {}: make sure that only its own account has \
         access (`icacls`)",
        path.display()
    );
}

/// No supervisor passes sockets.
pub(crate) fn passed_sockets() -> Result<Vec<TcpListener>, Error> {
    Ok(Vec::new())
}

/// There is no supervisor to tell.
pub(crate) fn tell_supervisor(_state: State) {}

/// The events that stop a server. Windows has no equivalent of SIGHUP: a changed configuration takes effect at the next
/// start.
pub(crate) struct Signals {
    interrupt: windows::CtrlC,
    broken: windows::CtrlBreak,
    closed: windows::CtrlClose,
    shutdown: windows::CtrlShutdown,
}

impl Signals {
    pub(crate) fn new() -> Result<Self, Error> {
        let all = || -> io::Result<Self> {
            Ok(Self { interrupt: ctrl_c()?, broken: ctrl_break()?, closed: ctrl_close()?, shutdown: ctrl_shutdown()? })
        };
        all().map_err(|source| Error::System { what: "cannot wait for signals", source })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Stop("Ctrl+C"),
            _ = self.broken.recv() => Signal::Stop("Ctrl+Break"),
            _ = self.closed.recv() => Signal::Stop("console window closed"),
            _ = self.shutdown.recv() => Signal::Stop("system shutdown"),
        }
    }
}
