//! Tokens in one encrypted file.
//!
//! - The file is a header in the clear and a body sealed with AES-256-GCM, which authenticates the header too. The key
//!   comes from a passphrase by Argon2id, or from a key file.
//! - Every change locks a file beside it, reads the store again, and replaces it whole: two processes never lose each
//!   other's changes, and a crash leaves either the old store or the new one.

mod error;
mod file;
pub(crate) mod package;
mod policy;
mod unfinished;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::{Path, PathBuf};

use dskpp_crypto::Secret;
use serde::{Deserialize, Serialize};

use file::{Header, Key, Locked};

use crate::trust::KServer;
pub use error::StoreError;
pub use policy::NotAllowed;
pub(crate) use unfinished::Unfinished;

/// What is said of a text that no token may have.
pub(crate) const NOT_A_NAME: &str = "is empty, too long, or has characters that deceive (controls, line ends, turned or \
                                     invisible text, blanks at its ends)";

/// The longest name of a user (a distinguished name), address of a server and name of an algorithm, in characters.
const MAX_LONG_NAME: usize = 1024;

/// What opens a store.
#[derive(Clone, Debug)]
pub enum Unlock {
    /// A passphrase.
    Passphrase(Secret),
    /// A file with 64 hexadecimal digits; made, with mode 0600, when a store is made.
    KeyFile(PathBuf),
}

/// What became of many tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many are in the store now that were not before.
    pub added: usize,
    /// Ids that were there already, in the store or earlier among the new ones: those were left as they are.
    pub duplicates: Vec<String>,
}

/// A key with everything that belongs to it. `Debug` hides what is secret.
///
/// Fields that came later are left out of the file where they are empty: older programs then still read it, and
/// refuse it where they would pass over a limit that they do not know.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The key's `Id`.
    pub id: String,
    /// A name for people.
    pub label: Option<String>,
    /// The type by its short name: `hotp`, `totp`, `ocra`, `aes128`, …
    pub key_type: String,
    /// The type's URI.
    pub algorithm_uri: String,
    /// K_TOKEN.
    #[serde(with = "file::secret")]
    pub secret: Secret,
    /// K_MAC, which a renewal needs (profile P6).
    #[serde(with = "file::optional_secret")]
    pub k_mac: Option<Secret>,
    /// The URI of the PRF that K_MAC belongs to.
    pub mac_algorithm: Option<String>,
    /// URL_S of the server that the key came from.
    pub server_url: Option<String>,
    /// Its `ServerID`.
    pub server_id: Option<String>,
    /// The modulus of its K_SERVER, big-endian (profile P29).
    #[serde(with = "file::optional_octets")]
    pub k_server: Option<Vec<u8>>,
    /// The public exponent of that, big-endian; `None`: 65537.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "file::optional_octets")]
    pub k_server_exponent: Option<Vec<u8>>,
    /// The certificate, in DER, of the authority that certified it (profile P29).
    #[serde(default, skip_serializing_if = "Option::is_none", with = "file::optional_octets")]
    pub k_server_issuer: Option<Vec<u8>>,
    /// The manufacturer of the device that the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// That device's serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Who issued the key.
    pub issuer: Option<String>,
    /// Whose it is.
    pub user: Option<String>,
    /// Digits of a one-time password.
    pub digits: Option<u8>,
    /// Seconds of a time step.
    pub period_s: Option<u32>,
    /// Steps by which the clock of the device that had the key before was off (`TimeDrift`, RFC 6030 §4.2); codes made
    /// here go by this machine's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<i32>,
    /// The hash: `SHA1`, `SHA256`, `SHA512`.
    pub hash: Option<String>,
    /// The next counter.
    pub counter: Option<u64>,
    /// The suite of OCRA.
    pub suite: Option<String>,
    /// From when the key may be used, RFC 3339.
    pub start: Option<String>,
    /// Until when, RFC 3339.
    pub expiry: Option<String>,
    /// How often it may still be used (`NumberOfTransactions`, RFC 6030 §5); `None`: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u64>,
    /// What it may be used for (`KeyUsage`, spelled as in RFC 6030 §5); empty: everything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usages: Vec<String>,
    /// The id that it had until a renewal gave that to another key. The server may want the old one until it has seen
    /// the new one in use (RFC 6063 §10.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_of: Option<String>,
    /// When it was stored, RFC 3339.
    pub created_at: String,
}

impl Token {
    /// Which of its texts could not be shown or typed, so that no store takes it. Whoever made the key chose them: a
    /// server, or who wrote a file.
    pub(crate) fn not_a_name(&self) -> Option<&'static str> {
        let names = [
            ("label", &self.label),
            ("issuer", &self.issuer),
            ("manufacturer", &self.manufacturer),
            ("serial number", &self.serial),
        ];
        let long = [("user", &self.user), ("server", &self.server_id), ("suite", &self.suite)];
        let [id, algorithm] = [Some(self.id.clone()), Some(self.algorithm_uri.clone())];
        let names = names.into_iter().chain([("id", &id)]).map(|(what, text)| (what, text, pskc::MAX_NAME_LEN));
        let long = long.into_iter().chain([("algorithm", &algorithm)]).map(|(what, text)| (what, text, MAX_LONG_NAME));
        let wrong = |text: &Option<String>, most| text.as_ref().is_some_and(|text| !pskc::is_visible(text, most));
        names.chain(long).find(|(_, text, most)| wrong(text, *most)).map(|(what, ..)| what)
    }

    fn checked(self) -> Result<Self, StoreError> {
        self.not_a_name().map_or(Ok(self), |what| Err(StoreError::NotAName(what)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("id", &self.id).field("key_type", &self.key_type).finish_non_exhaustive()
    }
}

impl Token {
    /// The fingerprint of its K_SERVER: `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in DER, 64 lower-case
    /// hexadecimal digits.
    pub fn k_server_fingerprint(&self) -> Option<String> {
        KServer::of(self).map(|k_server| k_server.fingerprint())
    }
}

/// Keys that renewals have replaced under one id are kept up to this number, and a further renewal is refused: none goes
/// before a code of its successor was accepted (profile P29). A server may want one again where nobody has used the next.
pub const MOST_OLD: usize = 8;

/// All tokens, by id.
type Tokens = BTreeMap<String, Token>;

/// An open store.
pub struct TokenStore {
    path: PathBuf,
    header: Header,
    key: Key,
}

impl fmt::Debug for TokenStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl TokenStore {
    /// Opens a store, which must be there; takes the time of the key derivation.
    ///
    /// The seal of the whole file is checked. The tokens in it are read by the calls that need them, so a store that a
    /// later version wrote opens, and they tell so.
    pub fn open(path: &Path, unlock: &Unlock) -> Result<Self, StoreError> {
        let (header, sealed) = file::read(path)?;
        let key = Key::derive(&header, unlock)?;
        file::unseal(&header, &key, &sealed)?;
        Ok(TokenStore { path: path.to_owned(), header, key })
    }

    /// Opens a store, or makes an empty one where there is none.
    pub fn open_or_create(path: &Path, unlock: &Unlock) -> Result<Self, StoreError> {
        if path.exists() {
            return Self::open(path, unlock);
        }
        let _lock = Locked::take(path)?;
        if path.exists() {
            return Self::open(path, unlock); // somebody else made it meanwhile
        }
        let (header, key) = Key::new(unlock)?;
        file::write(path, &header, &key, &Tokens::new())?;
        Ok(TokenStore { path: path.to_owned(), header, key })
    }

    /// Makes sure that changes can be stored, before something is done that cannot be undone.
    pub fn ensure_writable(&mut self) -> Result<(), StoreError> {
        self.change(|_| Ok(()))
    }

    /// Every token, in the order of ids.
    pub fn list(&self) -> Result<Vec<Token>, StoreError> {
        Ok(self.read()?.into_values().collect())
    }

    /// A token by its id, the beginning of its id, or its label, if only one goes by it. Replaced ones go by their whole
    /// id only.
    pub fn find(&self, name: &str) -> Result<Token, StoreError> {
        let mut tokens = self.read()?;
        if let Some(token) = tokens.remove(name) {
            return Ok(token);
        }
        let goes_by = |token: &Token| {
            token.old_of.is_none() && (token.label.as_deref() == Some(name) || token.id.starts_with(name))
        };
        let mut found = tokens.into_values().filter(|token| !name.is_empty() && goes_by(token));
        match (found.next(), found.next()) {
            (Some(token), None) => Ok(token),
            (Some(_), Some(_)) => Err(StoreError::Ambiguous(name.to_owned())),
            (None, _) => Err(StoreError::NotFound(name.to_owned())),
        }
    }

    /// Adds a token; one of the same id is an error.
    pub fn insert(&mut self, token: Token) -> Result<(), StoreError> {
        let token = token.checked()?;
        self.change(|tokens| {
            if tokens.contains_key(&token.id) {
                return Err(StoreError::Exists(token.id));
            }
            tokens.insert(token.id.clone(), token);
            Ok(())
        })
    }

    /// Adds many tokens with one write of the file; those whose id is there already are told and left out. On an error,
    /// none was added.
    pub fn insert_many(&mut self, new: Vec<Token>) -> Result<Imported, StoreError> {
        let new = new.into_iter().map(Token::checked).collect::<Result<Vec<_>, _>>()?;
        self.change(|tokens| {
            let mut done = Imported::default();
            for token in new {
                match tokens.entry(token.id.clone()) {
                    Entry::Occupied(_) => done.duplicates.push(token.id),
                    Entry::Vacant(place) => {
                        place.insert(token);
                        done.added += 1;
                    }
                }
            }
            Ok(done)
        })
    }

    /// Counts one use of a token and gives it as it was stored; [`StoreError::UsedUp`] where none is left, whatever
    /// other processes do at the same time. To be called before the result of the use is given out.
    pub fn count_use(&mut self, id: &str) -> Result<Token, StoreError> {
        self.change(|tokens| {
            let token = tokens.get_mut(id).ok_or_else(|| StoreError::NotFound(id.to_owned()))?;
            if let Some(left) = token.uses_left {
                let left = left.checked_sub(1).ok_or_else(|| StoreError::UsedUp(NotAllowed::UsedUp(id.to_owned())));
                token.uses_left = Some(left?);
            }
            Ok(token.clone())
        })
    }

    /// Puts a token in the place of the one of its id, which stays under the id that is given: `ID-old`, or `ID-old2`
    /// and so on where that is taken.
    ///
    /// # Errors
    /// [`StoreError::TooManyOld`] where [`MOST_OLD`] are kept already.
    pub fn renew(&mut self, token: Token) -> Result<String, StoreError> {
        let token = token.checked()?;
        self.change(|tokens| {
            let mut old = tokens.remove(&token.id).ok_or_else(|| StoreError::NotFound(token.id.clone()))?;
            if tokens.values().filter(|it| it.old_of.as_ref() == Some(&token.id)).count() >= MOST_OLD {
                return Err(StoreError::TooManyOld(token.id.clone()));
            }
            let mut id = format!("{}-old", token.id);
            let mut number = 1;
            while tokens.contains_key(&id) {
                number += 1;
                id = format!("{}-old{number}", token.id);
            }
            (old.id, old.old_of) = (id.clone(), Some(token.id.clone()));
            tokens.insert(id.clone(), old);
            tokens.insert(token.id.clone(), token);
            Ok(id)
        })
    }

    /// Removes the keys that this one has replaced, and gives their ids: to be called once a server has accepted a code
    /// of this one, for no server then wants the others (profile P29).
    pub fn forget_replaced(&mut self, id: &str) -> Result<Vec<String>, StoreError> {
        self.change(|tokens| {
            if !tokens.contains_key(id) {
                return Err(StoreError::NotFound(id.to_owned()));
            }
            let replaced = tokens.values().filter(|token| token.old_of.as_deref() == Some(id));
            let gone: Vec<_> = replaced.map(|token| token.id.clone()).collect();
            gone.iter().for_each(|id| drop(tokens.remove(id)));
            Ok(gone)
        })
    }

    /// Removes a token.
    pub fn delete(&mut self, id: &str) -> Result<(), StoreError> {
        self.change(|tokens| tokens.remove(id).map(drop).ok_or_else(|| StoreError::NotFound(id.to_owned())))
    }

    /// Gives a token another name, or none.
    pub fn rename(&mut self, id: &str, label: Option<String>) -> Result<(), StoreError> {
        if label.as_deref().is_some_and(|label| !pskc::is_name(label)) {
            return Err(StoreError::NotAName("label"));
        }
        self.update(id, |token| token.label = label).map(drop)
    }

    /// Changes a token, and gives it as it was stored.
    pub fn update(&mut self, id: &str, change: impl FnOnce(&mut Token)) -> Result<Token, StoreError> {
        self.change(|tokens| {
            let token = tokens.get_mut(id).ok_or_else(|| StoreError::NotFound(id.to_owned()))?;
            change(token);
            Ok(token.clone())
        })
    }

    fn read(&self) -> Result<Tokens, StoreError> {
        let (header, sealed) = file::read(&self.path)?;
        match header == self.header {
            true => file::open(&self.path, &header, &self.key, &sealed),
            false => Err(StoreError::Locked), // another store has taken its place
        }
    }

    fn change<T>(&mut self, work: impl FnOnce(&mut Tokens) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _lock = Locked::take(&self.path)?;
        let mut tokens = self.read()?;
        let done = work(&mut tokens)?;
        file::write(&self.path, &self.header, &self.key, &tokens)?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
