//! A file with a line per key, as other programs read and write it too: under the lock that liboath takes, a new file is
//! written beside it (`FILE.new`) and renamed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::lines::Format;
use super::{Change, Delivered, Failure};
use crate::model::KeyRecord;
use crate::platform::{sync_folder, try_lock_record, write_options};

/// How long the lock is waited for.
const PATIENCE: Duration = Duration::from_secs(15);
/// How old a lock is at least that nobody holds: whoever has just made one may not hold it yet.
const STALE: Duration = Duration::from_secs(5);

/// The file of a sink.
#[derive(Clone, Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    format: Format,
}

impl LineFile {
    pub(super) fn new(path: &Path, format: Format) -> Self {
        LineFile { path: path.to_owned(), format }
    }

    /// Writes the file once for all changes; those that it cannot have are refused by themselves.
    pub(super) async fn deliver(&self, changes: &[Change]) -> Vec<Delivered> {
        let lines = changes.iter().map(|change| match &change.secret {
            Some(secret) => self.format.line(&change.key, secret).map(|line| Some(Zeroizing::new(line))),
            None => Ok(None),
        });
        let lines: Vec<_> = lines.collect();
        let writable =
            changes.iter().zip(&lines).filter_map(|(change, line)| Some((change.key.clone(), line.clone().ok()?)));
        let (file, writable) = (self.clone(), writable.collect::<Vec<_>>());
        let written = tokio::task::spawn_blocking(move || file.write(&writable)).await;
        let failed = |why: io::Error| Failure::Down(format!("{}: {why}", self.path.display()));
        let written = written.unwrap_or_else(|why| Err(io::Error::other(why))).map_err(failed);
        lines.into_iter().map(|line| line.and_then(|_| written.clone())).collect()
    }

    fn write(&self, changes: &[(KeyRecord, Option<Zeroizing<String>>)]) -> io::Result<()> {
        let beside = |ending: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            PathBuf::from(path)
        };
        let _lock = Lock::take(beside(".lock"))?;
        let (mut content, permissions) = match std::fs::read_to_string(&self.path) {
            Ok(content) => (Zeroizing::new(content), Some(std::fs::metadata(&self.path)?.permissions())),
            Err(why) if why.kind() == io::ErrorKind::NotFound => (Zeroizing::default(), None),
            Err(why) => return Err(why),
        };
        let before = content.clone();
        for (key, line) in changes {
            content = Zeroizing::new(self.format.change(&content, key, line.as_ref().map(|line| line.as_str())));
        }
        if content == before && permissions.is_some() {
            return Ok(());
        }
        let new = beside(".new");
        match std::fs::remove_file(&new) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let mut file = write_options(0o600).create_new(true).open(&new)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        sync_folder(self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
    }

    pub(super) fn sample(&self, key: &KeyRecord) -> String {
        self.format.line_with(key, "…").unwrap_or_else(|why| why.to_string())
    }

    /// Whether the file can be read, if it is there, and its folder written to.
    pub(super) fn reach(&self) -> Delivered {
        self.write(&[]).map_err(|why| Failure::Down(format!("{}: {why}", self.path.display())))
    }
}

/// `FILE.lock`. As with liboath, who makes it has the lock (2.6.7 looks no further), holds it by `fcntl` (as
/// earlier ones do) and removes it.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    fn take(path: PathBuf) -> io::Result<Self> {
        let begun = Instant::now();
        loop {
            match write_options(0o600).create_new(true).open(&path) {
                Ok(file) if try_lock_record(&file)? => return Ok(Lock { path, _file: file }),
                Ok(_) => {}
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => remove_if_stale(&path)?,
                Err(why) => return Err(why),
            }
            if begun.elapsed() > PATIENCE {
                let why = format!("another program holds {}", path.display());
                return Err(io::Error::new(io::ErrorKind::WouldBlock, why));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        _ = std::fs::remove_file(&self.path); // before the file is closed, so that nobody else's is removed
    }
}

/// Removes what a program left that was killed: with it there, liboath refuses everybody.
fn remove_if_stale(path: &Path) -> io::Result<()> {
    let file = match File::options().write(true).open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file?,
    };
    let is_old = file.metadata()?.modified()?.elapsed().is_ok_and(|age| age > STALE);
    if is_old && try_lock_record(&file)? {
        tracing::warn!("{} was left behind by a program that ended, and is removed", path.display());
        std::fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_lock_that_was_left_behind_is_removed_and_one_in_use_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.oath.lock");
        let lock = File::create(&path).unwrap();
        lock.set_modified(SystemTime::now() - 2 * STALE).unwrap();
        drop(Lock::take(path.clone()).unwrap());
        assert!(!path.exists(), "liboath takes an existing one as held");
        File::create(&path).unwrap();
        let removed = path.clone();
        let other = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            std::fs::remove_file(removed).unwrap();
        });
        let begun = Instant::now();
        drop(Lock::take(path.clone()).unwrap());
        other.join().unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(290), "a young one may be held in a moment");
    }
}
