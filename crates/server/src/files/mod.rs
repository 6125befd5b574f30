//! Small files: errors with the path, atomic writes.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::Error;
use crate::platform::{private_folder, sync_folder, write_options};

pub(crate) use crate::platform::failed;

/// Creates a folder that only its owner can access, if there is none.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), Error> {
    private_folder().recursive(true).create(path).map_err(failed("created", path))
}

/// Identifies a version of a file: its modification time and length; `None` if there is no file.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

pub(crate) fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// A text without a leading byte order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// The text of a file, without a byte order mark.
pub(crate) fn read_text(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map(|text| without_mark(text.as_str()).to_owned()).map_err(failed("read", path))
}

/// Every certificate of a PEM file; at least one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = read_text(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let why = match certificates {
        Ok(certificates) if !certificates.is_empty() => return Ok(certificates),
        Ok(_) => "it has no CERTIFICATE block".to_owned(),
        Err(why) => why.to_string(),
    };
    Err(Error::Content { path: path.to_owned(), what: "a PEM certificate chain", why })
}

/// Replaces a file atomically; it has `mode` from its creation on.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let replace = || {
        // The leftover of a killed process may have other permissions.
        match fs::remove_file(&new) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let mut file = write_options(mode).create_new(true).open(&new)?;
        file.write_all(content)?;
        file.sync_all()?;
        rename_durably(&new, path)
    };
    replace().map_err(failed("written", path))
}

/// Renames a file or folder durably.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    rename_durably(from, to).map_err(failed("renamed", from))
}

fn rename_durably(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(from, to)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_are_never_readable_by_others_and_replaced_atomically() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        make_private_folder(&inner).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        let path = inner.join("secret");
        fs::write(inner.join("secret.new"), "left over").unwrap();
        for content in ["one", "two"] {
            write(&path, content.as_bytes(), 0o600).unwrap();
            assert_eq!(read_text(&path).unwrap(), content);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&inner).unwrap().count(), 1);
        fs::write(&path, "\u{FEFF}marked").unwrap();
        assert_eq!(read_text(&path).unwrap(), "marked", "a byte order mark is no content");
        let missing = read_text(&folder.path().join("missing")).unwrap_err();
        assert!(missing.to_string().contains("missing cannot be read"), "{missing}");
    }
}
