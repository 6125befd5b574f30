//! Other servers on the same data folder. The store supports several processes, but each server has its own limits and
//! memory, and usually nobody intended to start two. So each logs the others.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use dskpp_crypto::{Random as _, SystemRandom};

use crate::platform::{read_locked, write_options};
use crate::{Error, files};

/// The subfolder of the data folder in which each running server keeps a locked file.
const FOLDER: &str = "servers";

/// This server's registration, removed when dropped.
#[derive(Debug)]
pub(crate) struct Neighbours {
    folder: PathBuf,
    name: OsString,
    _locked: File,
    /// Servers already reported.
    known: HashSet<OsString>,
}

impl Neighbours {
    /// Registers the server that listens on `address`.
    pub(crate) fn join(data_dir: &Path, address: SocketAddr) -> Result<Self, Error> {
        let folder = data_dir.join(FOLDER);
        files::make_private_folder(&folder)?;
        let name = format!("{}-{}", std::process::id(), data_encoding::HEXLOWER.encode(&SystemRandom.bytes(8)));
        let path = folder.join(&name);
        // Locked before it gets its name: an unlocked file belongs to a server that has ended.
        let unnamed = folder.join(format!(".{name}"));
        let locked = || -> io::Result<File> {
            let mut file = write_options(0o600).create_new(true).open(&unnamed)?;
            file.lock()?;
            write!(file, "process {} on {address}", std::process::id())?;
            fs::rename(&unnamed, &path)?;
            Ok(file)
        };
        let locked = locked().map_err(files::failed("created", &path))?;
        Ok(Neighbours { folder, name: name.into(), _locked: locked, known: HashSet::new() })
    }

    /// Logs each other server once.
    pub(crate) fn warn_of_new(&mut self) {
        let others = match self.others() {
            Ok(others) => others,
            Err(why) => return tracing::debug!("cannot check for other servers on this data folder: {why}"),
        };
        for (name, what) in others {
            if self.known.insert(name) {
                tracing::warn!(
                    "another server runs on this data folder: {what}. Data stays consistent, but limits apply to each \
                     server separately; stop one of them unless you want both"
                );
            }
        }
    }

    /// Names and descriptions of the others.
    fn others(&self) -> io::Result<Vec<(OsString, String)>> {
        let mut others = registered(&self.folder)?;
        others.retain(|(name, _)| *name != self.name);
        Ok(others)
    }
}

/// Descriptions of the servers that run on a data folder.
pub(crate) fn running(data_dir: &Path) -> Result<Vec<String>, Error> {
    let folder = data_dir.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let running = registered(&folder).map_err(files::failed("read", &folder))?;
    Ok(running.into_iter().map(|(_, what)| what).collect())
}

/// Names and descriptions of the servers that run. Removes the files of servers that have ended.
fn registered(folder: &Path) -> io::Result<Vec<(OsString, String)>> {
    let mut running = Vec::new();
    for entry in fs::read_dir(folder)? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue }; // removed meanwhile
        match file.try_lock() {
            Ok(()) => fs::remove_file(&path)?,
            Err(TryLockError::WouldBlock) => running.push((name, read_locked(&path)?)),
            Err(TryLockError::Error(why)) => return Err(why),
        }
    }
    Ok(running)
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        _ = fs::remove_file(self.folder.join(&self.name)); // otherwise the next server removes it
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_sees_the_running_others_and_removes_the_files_of_ended_ones() {
        let folder = tempfile::tempdir().unwrap();
        let join = |port| Neighbours::join(folder.path(), SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
        let seen = |server: &Neighbours| {
            let mut seen: Vec<_> = server.others().unwrap().into_iter().map(|(_, what)| what).collect();
            seen.sort_unstable();
            seen
        };
        let first = join(1);
        assert!(seen(&first).is_empty());
        let (second, third) = (join(2), join(3));
        let on = |port: u16| format!("process {} on 127.0.0.1:{port}", std::process::id());
        assert_eq!(seen(&first), [on(2), on(3)]);
        assert_eq!(seen(&second), [on(1), on(3)]);
        drop(third);
        assert_eq!(seen(&first), [on(2)]);
        // A killed server leaves its file unlocked.
        let killed = folder.path().join("servers/4242-00");
        fs::write(&killed, "process 4242 on 127.0.0.1:4").unwrap();
        assert_eq!(seen(&second), [on(1)]);
        assert!(!killed.exists());
    }
}
