//! Secrets at rest: sealed under the key-encryption key, each to its own place in the store.

use std::path::Path;

use data_encoding::HEXLOWER_PERMISSIVE;
use dskpp_crypto::{AeadKey, Random as _, Secret, SystemRandom};

use crate::{Error, files};

/// The key-encryption key: AES-256-GCM under 32 octets that never enter the store.
#[derive(Debug)]
pub(crate) struct Kek(AeadKey);

/// A sealed value that cannot be opened: another key, or it was changed or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret in {table}.{column} of the row '{row}' cannot be opened: the key-encryption key is not the one it was sealed with, or the store was changed"
)]
pub struct CannotOpen {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The row's identifier.
    pub row: String,
}

/// Where the environment gives the key: 64 hexadecimal digits.
const VARIABLE: &str = "DSKPP_KEK";
/// The systemd credential's name.
const CREDENTIAL: &str = "dskpp-kek";

impl Kek {
    /// A key of 32 octets.
    pub(crate) fn new(key: &Secret) -> Result<Self, dskpp_crypto::Error> {
        AeadKey::from_secret(key).map(Kek)
    }

    /// The first that there is: the environment's `DSKPP_KEK`, the configured file, the systemd credential
    /// `dskpp-kek`, the file `kek` in the data folder, which a first start makes. Files hold 64 hexadecimal digits.
    pub(crate) fn load(data_dir: &Path, kek_file: Option<&Path>) -> Result<Self, Error> {
        if let Ok(text) = std::env::var(VARIABLE) {
            return Self::from_hex(&text, Path::new(VARIABLE));
        }
        if let Some(path) = kek_file {
            return Self::from_hex(&files::read_text(path)?, path);
        }
        if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
            let path = Path::new(&folder).join(CREDENTIAL);
            if path.exists() {
                return Self::from_hex(&files::read_text(&path)?, &path);
            }
        }
        let path = data_dir.join("kek");
        if !path.exists() {
            let text = data_encoding::HEXLOWER.encode(SystemRandom.secret(32).expose());
            files::write(&path, Secret::from(format!("{text}\n").into_bytes()).expose(), 0o600)?;
        }
        Self::from_hex(&files::read_text(&path)?, &path)
    }

    fn from_hex(text: &str, path: &Path) -> Result<Self, Error> {
        let octets = HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).map(Secret::new);
        octets.ok().and_then(|octets| Self::new(&octets).ok()).ok_or_else(|| Error::Content {
            path: path.to_owned(),
            what: "a key-encryption key",
            why: "it must be 64 hexadecimal digits; `openssl rand -hex 32` makes a new one".into(),
        })
    }

    /// Seals a secret to its table, column and row.
    pub(crate) fn seal(&self, table: &'static str, column: &'static str, row: &str, secret: &Secret) -> Vec<u8> {
        self.0.seal(&mut SystemRandom, &place(table, column, row), secret.expose())
    }

    /// For many rows of one column.
    pub(crate) fn column(&self, table: &'static str, column: &'static str) -> ColumnSealer<'_> {
        let place = place(table, column, "");
        ColumnSealer { kek: self, row_at: place.len(), place }
    }

    /// Opens what was sealed to that place, and nothing else.
    pub(crate) fn open(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Secret, CannotOpen> {
        self.0.open(&place(table, column, row), sealed).map_err(|_| CannotOpen { table, column, row: row.to_owned() })
    }
}

/// Seals values of one column, as [`Kek::seal`] does, without naming the place anew for each row.
pub(crate) struct ColumnSealer<'a> {
    kek: &'a Kek,
    place: Vec<u8>,
    /// Where the row begins in `place`.
    row_at: usize,
}

impl ColumnSealer<'_> {
    /// Seals `octets` to that row.
    pub(crate) fn seal(&mut self, row: &str, octets: &[u8]) -> Vec<u8> {
        self.place.truncate(self.row_at);
        self.place.extend_from_slice(row.as_bytes());
        self.kek.0.seal(&mut SystemRandom, &self.place, octets)
    }
}

fn place(table: &str, column: &str, row: &str) -> Vec<u8> {
    format!("{table}\0{column}\0{row}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_in_its_place_and_under_its_key() {
        let kek = Kek::new(&Secret::new(vec![1; 32])).unwrap();
        let secret = Secret::from_slice(b"seed");
        let sealed = kek.seal("key", "k_token", "1", &secret);
        assert_eq!(kek.open("key", "k_token", "1", &sealed), Ok(secret.clone()));
        let mut column = kek.column("key", "k_token");
        for row in ["22", "1", ""] {
            assert_eq!(kek.open("key", "k_token", row, &column.seal(row, b"seed")), Ok(secret.clone()), "row {row}");
        }
        assert!(kek.open("key", "k_token", "2", &sealed).is_err(), "moved to another row");
        assert!(kek.open("key", "k_mac", "1", &sealed).is_err(), "moved to another column");
        let other = Kek::new(&Secret::new(vec![2; 32])).unwrap();
        assert!(other.open("key", "k_token", "1", &sealed).is_err());
        assert!(Kek::new(&Secret::new(vec![2; 31])).is_err());
    }

    #[test]
    fn a_first_start_makes_the_key_and_a_faulty_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let first = Kek::load(folder.path(), None).unwrap();
        let sealed = first.seal("t", "c", "r", &Secret::from_slice(b"x"));
        assert!(Kek::load(folder.path(), None).unwrap().open("t", "c", "r", &sealed).is_ok());
        let path = folder.path().join("other");
        std::fs::write(&path, "not hexadecimal").unwrap();
        let error = Kek::load(folder.path(), Some(&path)).unwrap_err().to_string();
        assert!(error.contains("other") && error.contains("64 hexadecimal digits"), "{error}");
    }
}
