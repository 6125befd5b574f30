//! Windows: the same functions as for Unix, with what they cannot promise here.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Options to write a file. Its access rights are those that its folder passes on.
pub(in crate::store) fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// Changes nothing: a file has the access rights that its folder passes on. The documentation of [`Unlock`] and of
/// [`FileStore`] says so.
///
/// [`Unlock`]: crate::Unlock
/// [`FileStore`]: crate::FileStore
pub(in crate::store) fn keep_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Does not wait: Windows lets no program flush a folder. NTFS keeps a journal, so that a crash leaves the old file or the
/// new one; but the last change may be undone.
pub(in crate::store) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
