//! Secrets at rest: sealed under a key-encryption key, each to its own place in the store.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER_PERMISSIVE;
use dskpp_crypto::{AeadKey, Hash, HmacKey, Random as _, Secret, SystemRandom};

use crate::error::CannotOpen;
use crate::platform::warn_of_exposed_key;
use crate::{Error, files};

/// The key-encryption keys that a server has: 32 octets each, which never enter the store. One of them seals, which the
/// store knows (see `current_kek`); all of them open.
///
/// A key seals for years, three values or more for each run, with random nonces: more than AES-GCM's 2³². So it seals
/// with AES-256-GCM-SIV (RFC 8452), under a key that is derived from it.
#[derive(Debug)]
pub(crate) struct Kek {
    keys: Vec<SealingKey>,
    /// The index of the key that seals.
    current: AtomicUsize,
    /// When the store was last asked which one that is.
    confirmed: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct SealingKey {
    siv: AeadKey,
    /// Opens what earlier versions sealed.
    gcm: AeadKey,
    /// A sealed value that means nothing.
    nothing: Vec<u8>,
}

/// How long a server seals without asking the store whether its key is still the current one.
pub(super) const ASKS_AFTER: Duration = Duration::from_secs(5);

/// To what [`Kek::open_nothing`] is sealed.
const NOTHING: &[u8] = b"nothing";
/// Where the environment gives the key: 64 hexadecimal digits.
const VARIABLE: &str = "DSKPP_KEK";
/// The systemd credential's name.
const CREDENTIAL: &str = "dskpp-kek";

impl Kek {
    /// A key of 32 octets.
    pub(crate) fn new(key: &Secret) -> Result<Self, dskpp_crypto::Error> {
        let siv = AeadKey::siv_from_secret(&derive(key, b"dskpp store"))?;
        let nothing = siv.seal(&mut SystemRandom, NOTHING, &[0; 16]);
        let key = SealingKey { siv, gcm: AeadKey::from_secret(key)?, nothing };
        Ok(Kek { keys: vec![key], current: AtomicUsize::new(0), confirmed: Mutex::default() })
    }

    /// The key that a deployment hands out, and the file that it is in: the environment's `DSKPP_KEK`, the configured
    /// file (none where the path is empty), or the systemd credential `dskpp-kek`. Each is 64 hexadecimal digits.
    /// The keys in the files `further` come with it.
    pub(crate) fn handed_out(kek_file: &Path, further: &[PathBuf]) -> Result<Option<(Self, Option<PathBuf>)>, Error> {
        if let Some(text) = std::env::var_os(VARIABLE) {
            let kek = Self::from_hex(&text.to_string_lossy(), Path::new(VARIABLE))?;
            return Ok(Some((kek.with_further(further)?, None)));
        }
        let in_file = |path: PathBuf| Ok(Some((Self::read(&path)?.with_further(further)?, Some(path))));
        if !kek_file.as_os_str().is_empty() {
            warn_of_exposed_key(kek_file);
            return in_file(kek_file.to_owned());
        }
        match std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| Path::new(&folder).join(CREDENTIAL)) {
            Some(path) if path.try_exists().map_err(files::failed("read", &path))? => in_file(path),
            _ => Ok(None),
        }
    }

    /// This key, and those in files.
    pub(crate) fn with_further(mut self, files: &[PathBuf]) -> Result<Self, Error> {
        for path in files {
            warn_of_exposed_key(path);
            self = self.and(Self::read(path)?);
        }
        Ok(self)
    }

    /// These keys and those.
    pub(super) fn and(mut self, mut others: Kek) -> Self {
        self.keys.append(&mut others.keys);
        self
    }

    /// The key in a file: 64 hexadecimal digits.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let text = Secret::from(fs::read(path).map_err(files::failed("read", path))?);
        Self::from_hex(&String::from_utf8_lossy(text.expose()), path)
    }

    /// A new key as a file holds it.
    pub(crate) fn new_hex() -> Secret {
        let mut text = data_encoding::HEXLOWER.encode(SystemRandom.secret(32).expose());
        text.push('\n');
        Secret::from(text.into_bytes())
    }

    fn from_hex(text: &str, path: &Path) -> Result<Self, Error> {
        let text = files::without_mark(text).trim();
        let octets = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map(Secret::new);
        octets.ok().and_then(|octets| Self::new(&octets).ok()).ok_or_else(|| Error::Content {
            path: path.to_owned(),
            what: "a key-encryption key",
            why: match text.chars().position(|c| !c.is_ascii_hexdigit()) {
                Some(at) => format!("it must be 64 hexadecimal digits, and its character {} is none", at + 1),
                None => format!("it must be 64 hexadecimal digits, and it has {}", text.len()),
            },
        })
    }

    /// Seals a secret to its table, column and row.
    pub(crate) fn seal(&self, table: &'static str, column: &'static str, row: &str, secret: &Secret) -> Vec<u8> {
        self.current().siv.seal(&mut SystemRandom, &place(table, column, row), secret.expose())
    }

    /// The work of [`open`](Self::open) where a column is empty, whose time would tell (profile P16).
    pub(crate) fn open_nothing(&self) {
        #[cfg(test)]
        tests::OPENED.with(|opened| opened.set(opened.get() + 1));
        let key = self.current();
        _ = std::hint::black_box(key.siv.open(NOTHING, &key.nothing));
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
        #[cfg(test)]
        tests::OPENED.with(|opened| opened.set(opened.get() + 1));
        let place = place(table, column, row);
        let mut keys = std::iter::once(self.current()).chain(&self.keys);
        keys.find_map(|key| key.open(&place, sealed)).ok_or_else(|| CannotOpen { table, column, row: row.to_owned() })
    }

    /// The same secret under the key that seals now; `None` where it is sealed under that already.
    pub(crate) fn reseal(
        &self,
        table: &'static str,
        column: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, CannotOpen> {
        match self.current().siv.open(&place(table, column, row), sealed) {
            Ok(_) => Ok(None),
            Err(_) => self.open(table, column, row, sealed).map(|secret| Some(self.seal(table, column, row, &secret))),
        }
    }

    /// Which key opens it.
    pub(super) fn key_of(&self, table: &str, column: &str, row: &str, sealed: &[u8]) -> Option<usize> {
        let place = place(table, column, row);
        self.keys.iter().position(|key| key.open(&place, sealed).is_some())
    }

    /// Which key is the same as that one.
    pub(super) fn position(&self, other: &Kek) -> Option<usize> {
        self.keys.iter().position(|key| key.siv.open(NOTHING, &other.current().nothing).is_ok())
    }

    /// Whether there is but one key.
    pub(super) fn is_alone(&self) -> bool {
        self.keys.len() == 1
    }

    /// The index of the key that seals.
    pub(super) fn sealing(&self) -> usize {
        self.current.load(Ordering::Acquire)
    }

    /// Seals with the key of that index from now on; gives whether it did before.
    pub(super) fn seal_with(&self, index: usize) -> bool {
        self.current.swap(index, Ordering::AcqRel) == index
    }

    /// Whether it is time to ask the store which key seals.
    pub(super) fn is_to_ask(&self) -> bool {
        let confirmed = *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner);
        confirmed.is_none_or(|at| at.elapsed() > ASKS_AFTER)
    }

    /// The store said so at that time.
    pub(super) fn confirmed(&self, at: Instant) {
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    fn current(&self) -> &SealingKey {
        &self.keys[self.sealing()]
    }
}

impl SealingKey {
    fn open(&self, place: &[u8], sealed: &[u8]) -> Option<Secret> {
        self.siv.open(place, sealed).or_else(|_| self.gcm.open(place, sealed)).ok()
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
        self.kek.current().siv.seal(&mut SystemRandom, &self.place, octets)
    }
}

/// A key of 32 octets for one purpose.
pub(super) fn derive(from: &Secret, purpose: &[u8]) -> Secret {
    Secret::from_slice(HmacKey::new(Hash::Sha256, from.expose()).sign(&[purpose]).as_ref())
}

fn place(table: &str, column: &str, row: &str) -> Vec<u8> {
    format!("{table}\0{column}\0{row}").into_bytes()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    thread_local! {
        /// How many values this thread has opened.
        pub(crate) static OPENED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    }

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
        let marked = Kek::from_hex(&format!("\u{FEFF}{}\r\n", "01".repeat(32)), Path::new("kek")).unwrap();
        assert_eq!(marked.open("key", "k_token", "1", &sealed), Ok(secret), "a byte order mark is no digit");
    }

    #[test]
    fn what_earlier_versions_sealed_opens() {
        let secret = Secret::new(vec![1; 32]);
        let former = AeadKey::from_secret(&secret).unwrap();
        let sealed = former.seal(&mut SystemRandom, &place("key", "k_token", "1"), b"seed");
        let kek = Kek::new(&secret).unwrap();
        assert_eq!(kek.open("key", "k_token", "1", &sealed), Ok(Secret::from_slice(b"seed")));
        assert!(kek.open("key", "k_token", "2", &sealed).is_err());
        let sealed = kek.seal("key", "k_token", "1", &Secret::from_slice(b"seed"));
        assert!(former.open(&place("key", "k_token", "1"), &sealed).is_err(), "no GCM under the long-lived key");
    }

    #[test]
    fn a_new_key_can_be_read_and_a_faulty_one_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made");
        std::fs::write(&path, Kek::new_hex().expose()).unwrap();
        let sealed = Kek::read(&path).unwrap().seal("t", "c", "r", &Secret::from_slice(b"x"));
        assert!(Kek::read(&path).unwrap().open("t", "c", "r", &sealed).is_ok());
        let path = folder.path().join("other");
        std::fs::write(&path, "not hexadecimal").unwrap();
        let error = Kek::handed_out(&path, &[]).unwrap_err().to_string();
        assert!(
            error.contains("other") && error.contains("64 hexadecimal digits, and its character 1 is none"),
            "{error}"
        );
    }
}
