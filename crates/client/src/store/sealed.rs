//! The file: one line of JSON, a line feed, then the sealed body.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use dskpp_crypto::{AeadKey, Argon2Params, Random as _, Secret, SystemRandom, argon2id};
use serde::{Deserialize, Serialize};

use super::TokenStoreError;
use super::platform::{keep_private, private_options, sync_folder};

const FORMAT: &str = "dskpp token store 1";
/// Far more than tokens need; a hostile file must not fill the memory.
const MAX_FILE_LEN: u64 = 256 * 1024 * 1024;
const MAX_HEADER_LEN: usize = 4096;
/// The ending of the file with the unfinished runs.
pub(super) const RUNS: &str = ".run";
/// A message of at most 64 KiB in base64, and keys.
const MAX_BESIDE_LEN: u64 = 2 * 1024 * 1024;
/// The cost of opening a new store: 64 MiB and some tenths of a second.
const COST: Argon2Params = Argon2Params { memory_kib: 64 * 1024, iterations: 3, lanes: 1 };
/// The maximum cost that a file may demand.
const MAX_COST: Argon2Params = Argon2Params { memory_kib: 1024 * 1024, iterations: 100, lanes: 16 };
const SALT_LEN: usize = 16;

/// How to derive the key. The seal authenticates it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreHeader {
    format: String,
    unlock: Unlocking,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Unlocking {
    Passphrase { salt: String, memory_kib: u32, iterations: u32, lanes: u32 },
    KeyFile,
}

/// What opens a store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Unlock {
    /// A passphrase.
    Passphrase(Secret),
    /// A file with 64 hexadecimal digits; created together with a store. On Unix only its owner can read it (mode 0600); on
    /// Windows its access rights are those of its folder.
    KeyFile(PathBuf),
}

/// The key of the body.
pub(super) struct BodyKey(AeadKey);

impl BodyKey {
    /// A new key, and the header that says how to derive it again.
    pub(super) fn new(unlock: &Unlock) -> Result<(StoreHeader, BodyKey), TokenStoreError> {
        let unlocking = match unlock {
            Unlock::Passphrase(passphrase) if passphrase.is_empty() => return Err(TokenStoreError::EmptyPassphrase),
            Unlock::Passphrase(_) => Unlocking::Passphrase {
                salt: BASE64.encode(&SystemRandom.bytes(SALT_LEN)),
                memory_kib: COST.memory_kib,
                iterations: COST.iterations,
                lanes: COST.lanes,
            },
            Unlock::KeyFile(path) => {
                make_key_file(path)?;
                Unlocking::KeyFile
            }
        };
        let header = StoreHeader { format: FORMAT.to_owned(), unlock: unlocking };
        let key = BodyKey::derive(&header, unlock)?;
        Ok((header, key))
    }

    pub(super) fn derive(header: &StoreHeader, unlock: &Unlock) -> Result<BodyKey, TokenStoreError> {
        let key = match (&header.unlock, unlock) {
            (Unlocking::Passphrase { salt, memory_kib, iterations, lanes }, Unlock::Passphrase(passphrase)) => {
                let salt = BASE64.decode(salt.as_bytes()).map_err(|_| TokenStoreError::Locked)?;
                let cost = Argon2Params { memory_kib: *memory_kib, iterations: *iterations, lanes: *lanes };
                argon2id(passphrase.expose(), &salt, &cost, 32).map_err(|_| TokenStoreError::Locked)?
            }
            (Unlocking::KeyFile, Unlock::KeyFile(path)) => {
                let text = read_private(path).map_err(failed("read", path))?;
                let text = text.expose();
                let digits = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii();
                let key = HEXLOWER_PERMISSIVE.decode(digits).map(Secret::from);
                key.map_err(|_| TokenStoreError::KeyFile(path.clone()))?
            }
            (Unlocking::Passphrase { .. }, Unlock::KeyFile(_)) => {
                return Err(TokenStoreError::OtherUnlock("a passphrase"));
            }
            (Unlocking::KeyFile, Unlock::Passphrase(_)) => return Err(TokenStoreError::OtherUnlock("a key file")),
        };
        match (AeadKey::from_secret(&key), unlock) {
            (Ok(key), _) => Ok(BodyKey(key)),
            (Err(_), Unlock::KeyFile(path)) => Err(TokenStoreError::KeyFile(path.clone())),
            (Err(_), Unlock::Passphrase(_)) => Err(TokenStoreError::Locked),
        }
    }
}

/// Header and sealed body.
pub(super) fn read(path: &Path) -> Result<(StoreHeader, Vec<u8>), TokenStoreError> {
    let damaged = |reason| TokenStoreError::Damaged { path: path.to_owned(), reason };
    let mut octets = Vec::new();
    let file = open_private(path).map_err(failed("read", path))?;
    file.take(MAX_FILE_LEN + 1).read_to_end(&mut octets).map_err(failed("read", path))?;
    if octets.len() as u64 > MAX_FILE_LEN {
        return Err(damaged("it is too large"));
    }
    let end =
        octets.iter().take(MAX_HEADER_LEN).position(|octet| *octet == b'\n').ok_or(damaged("it has no header"))?;
    let header: StoreHeader = serde_json::from_slice(&octets[..end]).map_err(|_| damaged("its header is invalid"))?;
    if header.format != FORMAT {
        return Err(damaged("it has a different format"));
    }
    if let Unlocking::Passphrase { salt, memory_kib, iterations, lanes } = &header.unlock {
        let sane = (8..=MAX_COST.memory_kib).contains(memory_kib)
            && (1..=MAX_COST.iterations).contains(iterations)
            && (1..=MAX_COST.lanes).contains(lanes)
            && salt.len() <= 64;
        if !sane {
            return Err(damaged("it demands an excessive key derivation"));
        }
    }
    octets.drain(..=end);
    Ok((header, octets))
}

/// The decrypted body. It fails if anything was changed or the key is wrong.
pub(super) fn unseal(header: &StoreHeader, key: &BodyKey, sealed: &[u8]) -> Result<Secret, TokenStoreError> {
    key.0.open(&line(header), sealed).map_err(|_| TokenStoreError::Locked)
}

pub(super) fn write(path: &Path, header: &StoreHeader, key: &BodyKey, body: &Secret) -> Result<(), TokenStoreError> {
    let line = line(header);
    let sealed = key.0.seal(&mut SystemRandom, &line, body.expose());
    replace(path, &[&line[..], &sealed].concat())
}

/// The authenticated data of the file beside the store; neither file can replace the other.
fn line_beside(header: &StoreHeader) -> Vec<u8> {
    [&line(header)[..], b"unfinished run"].concat()
}

/// The decrypted file beside the store; `None` if there is none.
pub(super) fn read_beside(
    store: &Path,
    header: &StoreHeader,
    key: &BodyKey,
) -> Result<Option<Secret>, TokenStoreError> {
    let (path, mut octets) = (beside(store, RUNS), Vec::new());
    let file = match open_private(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed("read", &path))?,
    };
    file.take(MAX_BESIDE_LEN).read_to_end(&mut octets).map_err(failed("read", &path))?;
    let opened = key.0.open(&line_beside(header), &octets);
    opened.map(Some).map_err(|_| TokenStoreError::Damaged { path, reason: "it does not open with the store's key" })
}

pub(super) fn write_beside(
    store: &Path,
    header: &StoreHeader,
    key: &BodyKey,
    body: &Secret,
) -> Result<(), TokenStoreError> {
    replace(&beside(store, RUNS), &key.0.seal(&mut SystemRandom, &line_beside(header), body.expose()))
}

pub(super) fn remove_beside(store: &Path) -> Result<(), TokenStoreError> {
    let path = beside(store, RUNS);
    fs::remove_file(&path).map_err(failed("removed", &path))
}

/// Opens a file to read it, and keeps other users out.
fn open_private(path: &Path) -> std::io::Result<File> {
    let file = File::open(path)?;
    keep_private(&file)?;
    Ok(file)
}

fn read_private(path: &Path) -> std::io::Result<Secret> {
    let mut octets = Vec::new();
    open_private(path)?.read_to_end(&mut octets)?;
    Ok(Secret::new(octets))
}

pub(super) fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The header as it is in the file, which is what the seal covers.
fn line(header: &StoreHeader) -> Vec<u8> {
    let mut line = serde_json::to_vec(header).expect("a header is plain JSON");
    line.push(b'\n');
    line
}

/// Creates a key file unless it exists: other stores may need the existing one.
fn make_key_file(path: &Path) -> Result<(), TokenStoreError> {
    let text = format!("{}\n", HEXLOWER.encode(SystemRandom.secret(32).expose()));
    let text = Secret::from(text.into_bytes());
    let write = || -> std::io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".dskpp-").tempfile_in(folder_of(path))?; // mode 0600
        new.write_all(text.expose())?;
        new.as_file().sync_all()?;
        match new.persist_noclobber(path) {
            Err(why) if why.error.kind() != std::io::ErrorKind::AlreadyExists => Err(why.error),
            _ => sync_folder(folder_of(path)),
        }
    };
    write().map_err(failed("written", path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Replaces a file as a whole or not at all. On Unix only its owner can read it.
fn replace(path: &Path, content: &[u8]) -> Result<(), TokenStoreError> {
    let folder = folder_of(path);
    let write = || -> std::io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".dskpp-").tempfile_in(folder)?; // mode 0600
        new.write_all(content)?;
        new.as_file().sync_all()?;
        new.persist(path).map_err(|why| why.error)?;
        sync_folder(folder)
    };
    write().map_err(failed("written", path))
}

/// An exclusive lock on a store; dropping it, or the end of the process, releases it.
pub(super) struct StoreLock(#[expect(dead_code, reason = "holds the lock")] File);

impl StoreLock {
    pub(super) fn take(path: &Path) -> Result<Self, TokenStoreError> {
        let path = beside(path, ".lock");
        let open = || {
            let file = private_options().create(true).truncate(false).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map(StoreLock).map_err(failed("locked", &path))
    }
}

fn failed<'a>(done: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> TokenStoreError + 'a {
    move |source| TokenStoreError::File { done, path: path.to_owned(), source }
}
