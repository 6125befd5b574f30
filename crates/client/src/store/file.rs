//! Tokens in one encrypted file.
//!
//! - The file is a plain header and a body sealed with AES-256-GCM, which authenticates the header too. The key comes from
//!   a passphrase by Argon2id, or from a key file.
//! - Every change locks a file beside it, reads the store again, and replaces it as a whole: two processes never lose each
//!   other's changes, and a crash leaves either the old store or the new one.
//! - The notes of unfinished enrolments are sealed with the same key, in a second file beside it.

use std::fmt;
use std::path::{Path, PathBuf};

use dskpp_token::{Runs, TokenError, Tokens};

use super::sealed::{self, BodyKey, StoreHeader, StoreLock};
use super::{TokenStore, TokenStoreError};

pub use super::sealed::Unlock;

/// An open store in a file.
///
/// On Unix only its owner can read the files (mode 0600). On Windows they have the access rights of their folder, and
/// after a crash the last change may be undone.
pub struct FileStore {
    path: PathBuf,
    header: StoreHeader,
    key: BodyKey,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl FileStore {
    /// Opens an existing store; takes the time of the key derivation.
    ///
    /// It verifies the seal of the whole file. A store of a later version opens, and loading its tokens fails.
    pub fn open(path: &Path, unlock: &Unlock) -> Result<Self, TokenStoreError> {
        let (header, sealed) = sealed::read(path)?;
        let key = BodyKey::derive(&header, unlock)?;
        sealed::unseal(&header, &key, &sealed)?;
        Ok(FileStore { path: path.to_owned(), header, key })
    }

    /// Opens a store, or creates an empty one.
    pub fn open_or_create(path: &Path, unlock: &Unlock) -> Result<Self, TokenStoreError> {
        if path.exists() {
            return Self::open(path, unlock);
        }
        let _lock = StoreLock::take(path)?;
        if path.exists() {
            return Self::open(path, unlock); // another process created it meanwhile
        }
        let (header, key) = BodyKey::new(unlock)?;
        sealed::write(path, &header, &key, &Tokens::default().to_json())?;
        Ok(FileStore { path: path.to_owned(), header, key })
    }
}

impl TokenStore for FileStore {
    fn load(&self) -> Result<Tokens, TokenStoreError> {
        let (header, sealed) = sealed::read(&self.path)?;
        if header != self.header {
            return Err(TokenStoreError::Locked); // a different store has taken its place
        }
        let body = sealed::unseal(&header, &self.key, &sealed)?;
        Tokens::from_json(&body).ok_or_else(|| newer(self.path.clone()))
    }

    fn change<T>(&mut self, work: impl FnOnce(&mut Tokens) -> Result<T, TokenError>) -> Result<T, TokenStoreError> {
        let _lock = StoreLock::take(&self.path)?;
        let mut tokens = self.load()?;
        let done = work(&mut tokens)?;
        sealed::write(&self.path, &self.header, &self.key, &tokens.to_json())?;
        Ok(done)
    }

    fn load_runs(&self) -> Result<Runs, TokenStoreError> {
        match sealed::read_beside(&self.path, &self.header, &self.key)? {
            None => Ok(Runs::default()),
            Some(body) => Runs::from_json(&body).ok_or_else(|| newer(sealed::beside(&self.path, sealed::RUNS))),
        }
    }

    fn change_runs(&mut self, work: impl FnOnce(&mut Runs)) -> Result<(), TokenStoreError> {
        let _lock = StoreLock::take(&self.path)?;
        // Notes that cannot be read finish no run; without new ones no run could begin.
        let before = self.load_runs().unwrap_or_else(|why| {
            tracing::warn!("the notes of unfinished runs begin anew: {why}");
            Runs::default()
        });
        let mut runs = before.clone();
        work(&mut runs);
        match runs.is_empty() {
            _ if runs == before => Ok(()),
            true => sealed::remove_beside(&self.path),
            false => sealed::write_beside(&self.path, &self.header, &self.key, &runs.to_json()),
        }
    }
}

fn newer(path: PathBuf) -> TokenStoreError {
    TokenStoreError::Damaged { path, reason: "its content is from a different version" }
}

#[cfg(test)]
mod tests;
