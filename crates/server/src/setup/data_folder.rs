//! The data folder: startup lock, and setting files aside.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::platform::{lock_folder, private_folder, secure_data_folder};
use crate::{Error, files};

/// The startup lock of a data folder, held until dropped.
pub(crate) struct Starting {
    _folder: File,
}

impl Starting {
    /// Creates the folder if there is none, checks its permissions, and waits until no other process starts in it.
    /// Blocks.
    pub(crate) fn enter(folder: &Path) -> Result<Self, Error> {
        secure_data_folder(folder)?;
        let _folder = lock_folder(folder).map_err(files::failed("locked", folder))?;
        Ok(Starting { _folder })
    }
}

/// Moves the existing files of `names` into a new folder beside them, and returns that. Deletes nothing.
pub(crate) fn set_aside(folder: &Path, names: &[&str], now: Timestamp) -> Result<PathBuf, Error> {
    let name = now.strftime("set-aside-%Y%m%dT%H%M%SZ").to_string();
    let candidates = (1..).map(|n| folder.join(if n == 1 { name.clone() } else { format!("{name}-{n}") }));
    let mut made = candidates.map(|aside| match private_folder().create(&aside) {
        Err(why) if why.kind() == ErrorKind::AlreadyExists => None,
        made => Some(made.map(|()| aside.clone()).map_err(files::failed("created", &aside))),
    });
    let aside = made.find_map(|made| made).expect("an endless list of names")?;
    for name in names {
        if folder.join(name).symlink_metadata().is_ok() {
            files::rename(&folder.join(name), &aside.join(name))?;
        }
    }
    Ok(aside)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn setting_aside_never_overwrites() {
        let folder = tempfile::tempdir().unwrap();
        let now = "2026-11-28T09:15:00Z".parse().unwrap();
        let mut all = Vec::new();
        for content in ["first", "second", "third"] {
            fs::write(folder.path().join("kek"), content).unwrap();
            let aside = set_aside(folder.path(), &["kek", "missing"], now).unwrap();
            assert!(!folder.path().join("kek").exists());
            all.push(aside);
        }
        assert_eq!(all[0].file_name().unwrap(), "set-aside-20261128T091500Z");
        for (aside, content) in all.iter().zip(["first", "second", "third"]) {
            assert_eq!(fs::read_to_string(aside.join("kek")).unwrap(), content);
            assert_eq!(fs::read_dir(aside).unwrap().count(), 1);
        }
    }

    #[test]
    fn concurrent_starts_in_one_folder_are_serialised() {
        let folder = tempfile::tempdir().unwrap();
        let first = Starting::enter(folder.path()).unwrap();
        let other = File::open(folder.path()).unwrap();
        assert!(other.try_lock().is_err());
        drop(first);
        Starting::enter(folder.path()).unwrap();
    }
}
