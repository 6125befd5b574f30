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
mod token;
mod unfinished;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::{Path, PathBuf};

use dskpp_crypto::Secret;

use file::{Header, Key, Locked};

pub use error::StoreError;
pub use policy::NotAllowed;
pub use token::Token;
pub(crate) use unfinished::Unfinished;

/// What is said of a text that no token may have.
pub(crate) const NOT_A_NAME: &str = "is empty, longer than 256 characters (a user's name: 1024), or has characters that \
                                     deceive (controls, line ends, turned or invisible text, blanks at its ends)";

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
    /// Ids of keys that were there already, in the store or earlier among the new ones: those were left as they are.
    pub duplicates: Vec<String>,
    /// Ids under which another key was there already, which was left as it is, and what differs: `secret`, `hash`, …
    pub different: Vec<(String, &'static str)>,
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

    /// Adds many tokens with one write of the file. Those whose id is taken are left out and reported, by the same key
    /// or by another one. On an error, none was added.
    pub fn insert_many(&mut self, new: Vec<Token>) -> Result<Imported, StoreError> {
        let new = new.into_iter().map(Token::checked).collect::<Result<Vec<_>, _>>()?;
        self.change(|tokens| {
            let mut done = Imported::default();
            for token in new {
                match tokens.entry(token.id.clone()) {
                    Entry::Occupied(there) => match there.get().difference(&token) {
                        None => done.duplicates.push(token.id),
                        Some(what) => done.different.push((token.id, what)),
                    },
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
