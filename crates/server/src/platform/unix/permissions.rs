//! Permissions of the data folder.
//!
//! If other users can write there, they may have replaced a key or the database, so the server does not start. If they
//! can only read, the server removes their access and logs that.

use std::fs::{self, Metadata, Permissions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use super::{private_folder, write_options};
use crate::Error;
use crate::platform::failed;

const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
const OTHERS_ENTER: u32 = 0o011;
const ROOT: u32 = 0;

/// Creates the data folder if there is none, and restricts it and its files to the owner.
///
/// # Errors
/// [`Error::Exposed`] if other users can write to it or own it.
pub(crate) fn secure_data_folder(folder: &Path) -> Result<(), Error> {
    private_folder().recursive(true).create(folder).map_err(failed("created", folder))?;
    let found = fs::metadata(folder).map_err(failed("read", folder))?;
    let me = rustix::process::geteuid().as_raw();
    if found.uid() != me {
        return Err(exposed(
            folder,
            format!("it belongs to another user (uid {}, this server runs as {me})", found.uid()),
            "chown it, or set server.data_dir to a folder inside it, which the server then creates",
        ));
    }
    if found.mode() & OTHERS_WRITE != 0 {
        return Err(exposed(
            folder,
            format!("other users can write to it (mode {:04o})", found.mode() & 0o7777),
            "check that nothing in it was changed, then run `chmod go-rwx` on it",
        ));
    }
    let reachable = found.mode() & OTHERS_ENTER != 0;
    for folder in [folder.to_owned(), folder.join("tls")] {
        for file in list(&folder)? {
            secure_file(&folder.join(file), me, reachable)?;
        }
    }
    if found.mode() & OTHERS != 0 {
        tighten(folder, &found).map_err(failed("restricted to its owner", folder))?;
        tracing::warn!(
            "other users could read the data folder {} (mode {:04o}) and the keys in it: restricted it to its owner",
            folder.display(),
            found.mode() & 0o7777
        );
    }
    Ok(())
}

/// The file names in a folder; none if there is no folder.
fn list(folder: &Path) -> Result<Vec<std::ffi::OsString>, Error> {
    let names = match fs::read_dir(folder) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect()),
    };
    names.map_err(failed("read", folder))
}

/// Links lead to files that someone keeps elsewhere, and root is responsible for its own files.
fn secure_file(path: &Path, me: u32, reachable: bool) -> Result<(), Error> {
    let found = match fs::symlink_metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()), // SQLite's files come and go
        found => found.map_err(failed("read", path))?,
    };
    if !found.is_file() || found.uid() == ROOT && me != ROOT {
        return Ok(());
    }
    if found.uid() != me {
        let what = format!("it belongs to another user (uid {}, this server runs as {me})", found.uid());
        return Err(exposed(path, what, "check that it is the right one, then chown it"));
    }
    if reachable && found.mode() & OTHERS_WRITE != 0 {
        let what = format!("other users could write to it (mode {:04o})", found.mode() & 0o7777);
        return Err(exposed(path, what, "check that it was not changed, then run `chmod go-rwx` on it"));
    }
    let is_certificate = path.extension().is_some_and(|ending| ending == "pem")
        && !path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("key"));
    if found.mode() & OTHERS != 0 && !is_certificate {
        tighten(path, &found).map_err(failed("restricted to its owner", path))?;
        let (path, mode) = (path.display(), found.mode() & 0o7777);
        match reachable {
            true => tracing::warn!("other users could read {path} (mode {mode:04o}): restricted it to its owner"),
            false => tracing::info!("{path} had mode {mode:04o}: restricted it to its owner"),
        }
    }
    Ok(())
}

fn tighten(path: &Path, found: &Metadata) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(found.mode() & 0o7777 & !OTHERS))
}

fn exposed(path: &Path, what: String, remedy: &'static str) -> Error {
    Error::Exposed { path: path.to_owned(), what, remedy }
}

/// Creates a database file that only its owner can read, or restricts it. SQLite gives its other files the same mode.
/// A file that is no database, such as a mistyped one, stays as it is.
pub(crate) fn secure_database(path: &Path) -> io::Result<()> {
    match write_options(0o600).create_new(true).open(path) {
        Err(why) if why.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map(drop),
    }
    let found = fs::metadata(path)?;
    match found.mode() & OTHERS != 0 && is_database(path, &found)? {
        true => tighten(path, &found),
        false => Ok(()),
    }
}

/// Whether a file is a SQLite database, or is empty and may become one.
fn is_database(path: &Path, found: &Metadata) -> io::Result<bool> {
    const BEGINNING: &[u8] = b"SQLite format 3\0";
    if !found.is_file() {
        return Ok(false);
    }
    let mut beginning = Vec::new();
    fs::File::open(path)?.take(BEGINNING.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning == BEGINNING)
}

/// Warns of a world-readable key file outside the data folder, whose permissions the deployment decides.
pub(crate) fn warn_of_exposed_key(path: &Path) {
    if let Ok(found) = fs::metadata(path)
        && found.mode() & 0o007 != 0
    {
        let (path, mode) = (path.display(), found.mode() & 0o7777);
        tracing::warn!(
            "every user of this machine can read the key in {path} (mode {mode:04o}): run `chmod o-rwx` on it"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// A data folder with that mode and these files.
    fn folder_with(folder_mode: u32, files: &[(&str, u32)]) -> (tempfile::TempDir, std::path::PathBuf) {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("data");
        fs::create_dir_all(folder.join("tls")).unwrap();
        for (name, mode) in files {
            fs::write(folder.join(name), "content").unwrap();
            set_mode(&folder.join(name), *mode);
        }
        set_mode(&folder, folder_mode);
        (outer, folder)
    }

    #[test]
    fn files_that_others_could_read_are_restricted() {
        let files = [("kek", 0o644), ("dskpp.db-wal", 0o640), ("tls/ca-key.pem", 0o604), ("tls/key.pem", 0o400)];
        for folder_mode in [0o755, 0o750, 0o711, 0o700] {
            let (_outer, folder) = folder_with(folder_mode, &files);
            let certificate = folder.join("tls/ca.pem");
            fs::write(&certificate, "public").unwrap();
            set_mode(&certificate, 0o644);
            secure_data_folder(&folder).unwrap();
            assert_eq!(mode(&folder), 0o700, "{folder_mode:o}");
            for (name, before) in files {
                assert_eq!(mode(&folder.join(name)), before & 0o700, "{name} in {folder_mode:o}");
            }
            assert_eq!(mode(&certificate), 0o644, "a certificate is no secret");
        }
    }

    #[test]
    fn a_mistyped_database_that_is_none_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        for (content, after) in
            [("root:x:0:0", 0o644), ("SQLite format 2\0", 0o644), ("", 0o600), ("SQLite format 3\0 and more", 0o600)]
        {
            let path = folder.path().join("file");
            fs::write(&path, content).unwrap();
            set_mode(&path, 0o644);
            secure_database(&path).unwrap();
            assert_eq!(mode(&path), after, "{content}");
        }
        let before = mode(Path::new("/dev/zero"));
        secure_database(Path::new("/dev/zero")).unwrap();
        assert_eq!(mode(Path::new("/dev/zero")), before);
    }

    #[test]
    fn files_that_others_could_write_are_refused_with_the_remedy() {
        for (folder_mode, file_mode, refused) in [
            (0o770, 0o600, Some("data")),
            (0o702, 0o600, Some("data")),
            (0o1777, 0o600, Some("data")),
            (0o755, 0o664, Some("kek")),
            (0o711, 0o602, Some("kek")),
            (0o700, 0o666, None), // the folder kept others out
        ] {
            let (_outer, folder) = folder_with(folder_mode, &[("kek", file_mode)]);
            match (secure_data_folder(&folder), refused) {
                (Ok(()), None) => assert_eq!(mode(&folder.join("kek")), 0o600),
                (Err(why), Some(name)) => {
                    let text = why.to_string();
                    assert!(text.contains(name) && text.contains("`chmod go-rwx`"), "{text}");
                    assert_eq!(mode(&folder), folder_mode, "nothing was changed");
                }
                (done, _) => panic!("{folder_mode:o}, {file_mode:o}: {done:?}"),
            }
        }
    }

    #[test]
    fn a_folder_or_file_of_another_user_is_refused() {
        let me = rustix::process::geteuid();
        if !me.is_root() {
            // Only root can give files away. A folder of another user always exists.
            let why = secure_data_folder(Path::new("/")).unwrap_err().to_string();
            assert!(why.contains("another user"), "{why}");
            return;
        }
        for name in ["", "kek"] {
            let (_outer, folder) = folder_with(0o700, &[("kek", 0o600)]);
            std::os::unix::fs::chown(folder.join(name), Some(12345), None).unwrap();
            let why = secure_data_folder(&folder).unwrap_err().to_string();
            assert!(why.contains("uid 12345") && why.contains("chown it"), "{why}");
        }
    }
}
