//! Linux and other Unix systems.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Options to write a file that only its owner can read, if it is made.
pub(in crate::store) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

/// Takes away the permissions of other users if possible: a key file may be on a read-only disk.
pub(in crate::store) fn keep_private(file: &File) -> io::Result<()> {
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        _ = file.set_permissions(Permissions::from_mode(mode & 0o700));
    }
    Ok(())
}

/// Waits until what was made and renamed in a folder will be there after a crash.
pub(in crate::store) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
