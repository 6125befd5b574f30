//! The file: one line of JSON, a line feed, then the sealed body.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use dskpp_crypto::{AeadKey, Argon2Params, Random as _, Secret, SystemRandom, argon2id};
use serde::{Deserialize, Serialize};

use super::{StoreError, Tokens, Unlock};

const FORMAT: &str = "dskpp token store 1";
/// Far above what any number of tokens needs, so that a hostile file cannot fill the memory.
const MAX_FILE_LEN: u64 = 256 * 1024 * 1024;
const MAX_HEADER_LEN: usize = 4096;
/// A message of at most 64 KiB in base64, and keys.
const MAX_BESIDE_LEN: u64 = 2 * 1024 * 1024;
/// What a new store costs to open: 64 MiB and some tenths of a second.
const COST: Argon2Params = Argon2Params { memory_kib: 64 * 1024, iterations: 3, lanes: 1 };
/// What a file may ask for.
const MAX_COST: Argon2Params = Argon2Params { memory_kib: 1024 * 1024, iterations: 100, lanes: 16 };
const SALT_LEN: usize = 16;

/// How the key is found; authenticated by the seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    format: String,
    unlock: Unlocking,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Unlocking {
    Passphrase { salt: String, memory_kib: u32, iterations: u32, lanes: u32 },
    KeyFile,
}

/// The key of the body.
pub(super) struct Key(AeadKey);

impl Key {
    /// A new key, with the header that tells how to find it again.
    pub(super) fn new(unlock: &Unlock) -> Result<(Header, Key), StoreError> {
        let unlocking = match unlock {
            Unlock::Passphrase(passphrase) if passphrase.is_empty() => return Err(StoreError::EmptyPassphrase),
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
        let header = Header { format: FORMAT.to_owned(), unlock: unlocking };
        let key = Key::derive(&header, unlock)?;
        Ok((header, key))
    }

    pub(super) fn derive(header: &Header, unlock: &Unlock) -> Result<Key, StoreError> {
        let key = match (&header.unlock, unlock) {
            (Unlocking::Passphrase { salt, memory_kib, iterations, lanes }, Unlock::Passphrase(passphrase)) => {
                let salt = BASE64.decode(salt.as_bytes()).map_err(|_| StoreError::Locked)?;
                let cost = Argon2Params { memory_kib: *memory_kib, iterations: *iterations, lanes: *lanes };
                argon2id(passphrase.expose(), &salt, &cost, 32).map_err(|_| StoreError::Locked)?
            }
            (Unlocking::KeyFile, Unlock::KeyFile(path)) => {
                let text = read_private(path).map_err(failed("read", path))?;
                let text = text.expose();
                let digits = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii();
                let key = HEXLOWER_PERMISSIVE.decode(digits).map(Secret::from);
                key.map_err(|_| StoreError::KeyFile(path.clone()))?
            }
            (Unlocking::Passphrase { .. }, Unlock::KeyFile(_)) => return Err(StoreError::OtherUnlock("a passphrase")),
            (Unlocking::KeyFile, Unlock::Passphrase(_)) => return Err(StoreError::OtherUnlock("a key file")),
        };
        match (AeadKey::from_secret(&key), unlock) {
            (Ok(key), _) => Ok(Key(key)),
            (Err(_), Unlock::KeyFile(path)) => Err(StoreError::KeyFile(path.clone())),
            (Err(_), Unlock::Passphrase(_)) => Err(StoreError::Locked),
        }
    }
}

/// Header and sealed body.
pub(super) fn read(path: &Path) -> Result<(Header, Vec<u8>), StoreError> {
    let damaged = |reason| StoreError::Damaged { path: path.to_owned(), reason };
    let mut octets = Vec::new();
    let file = open_private(path).map_err(failed("read", path))?;
    file.take(MAX_FILE_LEN + 1).read_to_end(&mut octets).map_err(failed("read", path))?;
    if octets.len() as u64 > MAX_FILE_LEN {
        return Err(damaged("it is too large"));
    }
    let end = octets.iter().take(MAX_HEADER_LEN).position(|octet| *octet == b'\n').ok_or(damaged("no header"))?;
    let header: Header = serde_json::from_slice(&octets[..end]).map_err(|_| damaged("a faulty header"))?;
    if header.format != FORMAT {
        return Err(damaged("another format"));
    }
    if let Unlocking::Passphrase { salt, memory_kib, iterations, lanes } = &header.unlock {
        let sane = (8..=MAX_COST.memory_kib).contains(memory_kib)
            && (1..=MAX_COST.iterations).contains(iterations)
            && (1..=MAX_COST.lanes).contains(lanes)
            && salt.len() <= 64;
        if !sane {
            return Err(damaged("it asks for an unreasonable key derivation"));
        }
    }
    octets.drain(..=end);
    Ok((header, octets))
}

/// The body in the clear; fails where anything was changed or the key is another one.
pub(super) fn unseal(header: &Header, key: &Key, sealed: &[u8]) -> Result<Secret, StoreError> {
    key.0.open(&line(header), sealed).map_err(|_| StoreError::Locked)
}

pub(super) fn open(path: &Path, header: &Header, key: &Key, sealed: &[u8]) -> Result<Tokens, StoreError> {
    let body = unseal(header, key, sealed)?;
    serde_json::from_slice(body.expose())
        .map_err(|_| StoreError::Damaged { path: path.to_owned(), reason: "its content is of another version" })
}

pub(super) fn write(path: &Path, header: &Header, key: &Key, tokens: &Tokens) -> Result<(), StoreError> {
    let body = json(tokens);
    let line = line(header);
    let sealed = key.0.seal(&mut SystemRandom, &line, body.expose());
    replace(path, &[&line[..], &sealed].concat())
}

/// JSON of what has secrets in it, wiped when it goes.
pub(super) fn json(of: &impl Serialize) -> Secret {
    const WHY: &str = "tokens and runs are plain JSON, and memory takes them";
    let mut len = Length(0);
    serde_json::to_writer(&mut len, of).expect(WHY);
    let mut body = Vec::with_capacity(len.0); // exactly, so that growing leaves no copies of secrets behind
    serde_json::to_writer(&mut body, of).expect(WHY);
    Secret::new(body)
}

/// What the seal of the file beside the store covers: neither of both can stand in the place of the other.
fn line_beside(header: &Header) -> Vec<u8> {
    [&line(header)[..], b"unfinished run"].concat()
}

/// The content of the file beside the store; `None` where there is no file.
pub(super) fn read_beside(store: &Path, header: &Header, key: &Key) -> Result<Option<Secret>, StoreError> {
    let (path, mut octets) = (beside(store, ".run"), Vec::new());
    let file = match open_private(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(failed("read", &path))?,
    };
    file.take(MAX_BESIDE_LEN).read_to_end(&mut octets).map_err(failed("read", &path))?;
    let opened = key.0.open(&line_beside(header), &octets);
    opened.map(Some).map_err(|_| StoreError::Damaged { path, reason: "it does not open with the store's key" })
}

pub(super) fn write_beside(store: &Path, header: &Header, key: &Key, body: &Secret) -> Result<(), StoreError> {
    replace(&beside(store, ".run"), &key.0.seal(&mut SystemRandom, &line_beside(header), body.expose()))
}

pub(super) fn remove_beside(store: &Path) -> Result<(), StoreError> {
    let path = beside(store, ".run");
    fs::remove_file(&path).map_err(failed("removed", &path))
}

/// Opens a file to read it. What others may do with it is taken from them, as far as this user can: a key file may lie
/// on a disk that cannot be written.
fn open_private(path: &Path) -> std::io::Result<File> {
    let file = File::open(path)?;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        _ = file.set_permissions(Permissions::from_mode(mode & 0o700));
    }
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

/// Counts what is written, and keeps nothing.
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0 += octets.len();
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The header as it stands in the file, which is what the seal covers.
fn line(header: &Header) -> Vec<u8> {
    let mut line = serde_json::to_vec(header).expect("a header is plain JSON");
    line.push(b'\n');
    line
}

/// Makes a key file unless there is one, which is never replaced: other stores may need it.
fn make_key_file(path: &Path) -> Result<(), StoreError> {
    let text = format!("{}\n", HEXLOWER.encode(SystemRandom.secret(32).expose()));
    let text = Secret::from(text.into_bytes());
    let write = || -> std::io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".dskpp-").tempfile_in(folder_of(path))?; // mode 0600
        new.write_all(text.expose())?;
        new.as_file().sync_all()?;
        match new.persist_noclobber(path) {
            Err(why) if why.error.kind() != std::io::ErrorKind::AlreadyExists => Err(why.error),
            _ => File::open(folder_of(path))?.sync_all(),
        }
    };
    write().map_err(failed("written", path))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Replaces a file whole or not at all; only its owner can read it.
fn replace(path: &Path, content: &[u8]) -> Result<(), StoreError> {
    let folder = folder_of(path);
    let write = || -> std::io::Result<()> {
        let mut new = tempfile::Builder::new().prefix(".dskpp-").tempfile_in(folder)?; // mode 0600
        new.write_all(content)?;
        new.as_file().sync_all()?;
        new.persist(path).map_err(|why| why.error)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(failed("written", path))
}

/// The right to change a store; given back when it goes, or the process ends.
pub(super) struct Locked(#[expect(dead_code, reason = "holds the lock")] File);

impl Locked {
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let path = beside(path, ".lock");
        let open = || {
            let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        open().map(Locked).map_err(failed("locked", &path))
    }
}

fn failed<'a>(done: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> StoreError + 'a {
    move |source| StoreError::File { done, path: path.to_owned(), source }
}

/// Secrets as base64, inside the sealed body only.
pub(super) mod secret {
    use super::{BASE64, Secret};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        let text = Secret::from(BASE64.encode(secret.expose()).into_bytes());
        to.serialize_str(&String::from_utf8_lossy(text.expose()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        let text = Secret::from(String::deserialize(from)?.into_bytes());
        BASE64.decode(text.expose()).map(Secret::from).map_err(|_| D::Error::custom("base64"))
    }
}

/// The same where there may be none.
pub(super) mod optional_secret {
    use super::{BASE64, Secret};
    use serde::{Deserialize as _, Deserializer, Serialize, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(secret: &Option<Secret>, to: S) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Text).serialize(to)
    }

    /// Goes the way of the other secrets, whose text is wiped.
    struct Text<'a>(&'a Secret);

    impl Serialize for Text<'_> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            super::secret::serialize(self.0, to)
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
        let text = Option::<String>::deserialize(from)?.map(|text| Secret::from(text.into_bytes()));
        let octets = text.map(|text| BASE64.decode(text.expose())).transpose();
        Ok(octets.map_err(|_| D::Error::custom("base64"))?.map(Secret::from))
    }
}

/// The same for octets that are no secret.
pub(super) mod optional_octets {
    use super::BASE64;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    pub(crate) fn serialize<S: Serializer>(octets: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        octets.as_ref().map(|octets| BASE64.encode(octets)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let octets = Option::<String>::deserialize(from)?.map(|text| BASE64.decode(text.as_bytes())).transpose();
        octets.map_err(|_| D::Error::custom("base64"))
    }
}
