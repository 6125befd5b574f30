//! Windows: the same functions as for Unix, with what they cannot promise here.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::path::Path;

use tokio::signal::windows::{self, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

use super::{Signal, failed};
use crate::Error;

/// Options to write a file. Its access rights are those that its folder passes on, whatever the mode: see
/// [`secure_data_folder`].
pub(crate) fn write_options(_mode: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// Makes folders with the access rights that the folder above passes on.
pub(crate) fn private_folder() -> DirBuilder {
    DirBuilder::new()
}

/// Does not wait: Windows lets no program flush a folder. NTFS keeps a journal, so that a crash leaves the old names or
/// the new ones; but the last renaming may be undone.
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Waits until nobody else has the folder locked, and locks it until the file is dropped. Windows locks files only, so a
/// file in the folder stands for it.
pub(crate) fn lock_folder(folder: &Path) -> io::Result<File> {
    let file = write_options(0o600).create(true).truncate(false).open(folder.join(".starting"))?;
    file.lock()?;
    Ok(file)
}

/// What a file that another process keeps locked is about. Windows lets nobody read it; its name begins with the number
/// of the process.
pub(crate) fn read_locked(path: &Path) -> io::Result<String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(format!("process {}", name.split('-').next().unwrap_or_default()))
}

/// What tells a file from another one that took its path: when it was made. That is weaker than an inode; but SQLite opens
/// its files so that Windows lets nobody delete or replace them.
pub(crate) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.creation_time(), 0)
}

/// Windows has no limit of open files and connections for a process.
pub(crate) fn file_limit() -> usize {
    usize::MAX
}

/// Makes the data folder where there is none. Who else can read or write it is not known: access control lists are not
/// read. The log says so at each start.
pub(crate) fn secure_data_folder(folder: &Path) -> Result<(), Error> {
    private_folder().recursive(true).create(folder).map_err(failed("created", folder))?;
    tracing::warn!(
        "on Windows this server does not check who can read or change the data folder {}: make sure that only its own \
         account has access (`icacls`)",
        folder.display()
    );
    Ok(())
}

/// Makes a database file, if there is none, with the access rights of its folder.
pub(crate) fn secure_database(path: &Path) -> io::Result<()> {
    write_options(0o600).create(true).truncate(false).open(path).map(drop)
}

/// Says that nobody checks who can read a key file outside the data folder.
pub(crate) fn warn_of_exposed_key(path: &Path) {
    tracing::warn!(
        "on Windows this server does not check who can read the key in {}: make sure that only its own account has \
         access (`icacls`)",
        path.display()
    );
}

/// What ends a server here. Windows has nothing like SIGHUP: a changed configuration takes effect at the next start.
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
            _ = self.closed.recv() => Signal::Stop("its window was closed"),
            _ = self.shutdown.recv() => Signal::Stop("the system shuts down"),
        }
    }
}
