//! Opening the token store: where it is, and what unlocks it.

use std::path::PathBuf;

use clap::Args;
use dskpp_client::token_store::{StoreError, TokenStore, Unlock};
use dskpp_crypto::Secret;

use crate::output::Failure;

/// The passphrase, for programs that cannot type.
const PASSPHRASE: &str = "DSKPP_STORE_PASSPHRASE";

#[derive(Args)]
pub(crate) struct StoreOptions {
    /// The token store [default: tokens.db in the user's data folder]
    #[arg(long, global = true, env = "DSKPP_STORE", value_name = "FILE")]
    store: Option<PathBuf>,

    /// Unlock the store with a key file instead of a passphrase; it is made if it is missing
    #[arg(long, global = true, env = "DSKPP_STORE_KEY_FILE", value_name = "FILE")]
    store_key_file: Option<PathBuf>,
}

impl StoreOptions {
    /// Opens the store, which must be there.
    pub(crate) fn open(&self) -> Result<TokenStore, Failure> {
        let path = self.path()?;
        if !path.exists() {
            return Err(Failure::new(format!("there is no token store at {}", path.display()))
                .next("get a first key with `dskpp enroll`, or name the store with --store"));
        }
        TokenStore::open(&path, &self.unlock(false)?).map_err(explain)
    }

    /// Opens the store, or makes it.
    pub(crate) fn open_or_create(&self) -> Result<TokenStore, Failure> {
        let path = self.path()?;
        let unlock = self.unlock(!path.exists())?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|why| Failure::new(format!("{} cannot be made: {why}", folder.display())))?;
        }
        TokenStore::open_or_create(&path, &unlock).map_err(explain)
    }

    fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.store {
            return Ok(path.clone());
        }
        let folder = std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
        let folder = folder.ok_or_else(|| {
            Failure::usage("neither HOME nor XDG_DATA_HOME is set").next("name the store with --store")
        })?;
        Ok(folder.join("dskpp/tokens.db"))
    }

    fn unlock(&self, new: bool) -> Result<Unlock, Failure> {
        if let Some(path) = &self.store_key_file {
            return Ok(Unlock::KeyFile(path.clone()));
        }
        if let Ok(passphrase) = std::env::var(PASSPHRASE) {
            return Ok(Unlock::Passphrase(Secret::from(passphrase.into_bytes())));
        }
        let first =
            prompt(if new { "Choose a passphrase for the token store: " } else { "Passphrase of the token store: " })?;
        if new && prompt("Once more: ")? != first {
            return Err(Failure::new("the two passphrases differ").next("run the command again"));
        }
        Ok(Unlock::Passphrase(first))
    }
}

/// Asks for a secret without showing it.
pub(crate) fn prompt(text: &str) -> Result<Secret, Failure> {
    let typed = rpassword::prompt_password(text).map_err(|why| {
        Failure::new(format!("nothing can be asked for here ({why})"))
            .next(format!("run it in a terminal; or give the code with --code and the passphrase in {PASSPHRASE}"))
    })?;
    Ok(Secret::from(typed.into_bytes()))
}

fn explain(error: StoreError) -> Failure {
    Failure::new(error)
}
