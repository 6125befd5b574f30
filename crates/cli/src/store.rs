//! Opens the token store: its path, and how to unlock it.

use std::path::PathBuf;

use clap::Args;
use dskpp_client::{FileStore, Unlock};
use dskpp_crypto::Secret;

use crate::output::Failure;
use crate::shown::{argument, note};

/// The passphrase, for unattended use.
const PASSPHRASE: &str = "DSKPP_STORE_PASSPHRASE";

#[derive(Args)]
pub(crate) struct StoreOptions {
    /// Token store [default: tokens.db in the user's data folder]
    #[arg(long, global = true, env = "DSKPP_STORE", value_name = "FILE", help_heading = "Token store")]
    store: Option<PathBuf>,

    /// Unlock the store with a key file instead of a passphrase; created if missing
    #[arg(long, global = true, env = "DSKPP_STORE_KEY_FILE", value_name = "FILE", help_heading = "Token store")]
    store_key_file: Option<PathBuf>,
}

impl StoreOptions {
    /// Opens an existing store.
    pub(crate) fn open(&self) -> Result<FileStore, Failure> {
        let path = self.path()?;
        if !path.exists() {
            return Err(Failure::new(format!("there is no token store at {}", path.display()))
                .next("enroll a first key with `dskpp enroll`, or name the store with --store"));
        }
        Ok(FileStore::open(&path, &self.unlock(false)?)?)
    }

    /// Opens the store, or creates it.
    pub(crate) fn open_or_create(&self) -> Result<FileStore, Failure> {
        let path = self.path()?;
        let unlock = self.unlock(!path.exists())?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|why| {
                Failure::new(format!("cannot create {}: {why}", folder.display()))
                    .next("name a store in another folder with --store")
            })?;
        }
        Ok(FileStore::open_or_create(&path, &unlock)?)
    }

    /// A shell command for a key in the same store.
    pub(crate) fn command(&self, verb: &str, key_id: &str) -> String {
        let given = [
            ("--store", "DSKPP_STORE", &self.store),
            ("--store-key-file", "DSKPP_STORE_KEY_FILE", &self.store_key_file),
        ];
        let mut command = format!("dskpp token {verb}");
        for (option, variable, path) in given {
            // The command will have the same environment.
            if let Some(path) =
                path.as_ref().filter(|path| std::env::var_os(variable).as_deref() != Some(path.as_os_str()))
            {
                command += &format!(" {option} {}", argument(path.to_string_lossy()));
            }
        }
        format!("{command} {}", argument(key_id))
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
            let passphrase = Secret::from(passphrase.into_bytes());
            if passphrase.is_empty() {
                return Err(Failure::new(format!("{PASSPHRASE} is empty"))
                    .next("set it to the passphrase, or unset it for a prompt"));
            }
            if new {
                warn_if_weak(&passphrase);
            }
            return Ok(Unlock::Passphrase(passphrase));
        }
        let first =
            prompt(if new { "Choose a passphrase for the token store: " } else { "Passphrase for the token store: " })?;
        if new && prompt("Repeat the passphrase: ")? != first {
            return Err(Failure::new("the two passphrases differ").next("run the command again"));
        }
        if new {
            warn_if_weak(&first);
        }
        Ok(Unlock::Passphrase(first))
    }
}

/// Offline, an attacker can try passphrases without limit.
fn warn_if_weak(passphrase: &Secret) {
    let text = String::from_utf8_lossy(passphrase.expose());
    let estimate = zxcvbn::zxcvbn(&text, &[]);
    if estimate.score() < zxcvbn::Score::Three {
        note(format!(
            "warning: weak passphrase: about {} guesses find it. Several unrelated words, or --store-key-file, \
             protect the store better",
            round(estimate.guesses())
        ));
    }
}

/// An approximate number in words.
fn round(number: u64) -> String {
    let unit = 10u64.pow(number.checked_ilog10().unwrap_or(0));
    let rounded = (number / unit).saturating_mul(unit);
    match rounded {
        0..1_000 => rounded.to_string(),
        1_000..1_000_000 => format!("{} thousand", rounded / 1_000),
        _ => format!("{} million", rounded / 1_000_000),
    }
}

/// Prompts for a secret without echo.
pub(crate) fn prompt(text: &str) -> Result<Secret, Failure> {
    let typed = rpassword::prompt_password(text).map_err(|why| {
        Failure::new(format!("cannot prompt: no terminal ({why})"))
            .next(format!("run it in a terminal, or pass the code with --code and the passphrase in {PASSPHRASE}"))
    })?;
    Ok(Secret::from(typed.into_bytes()))
}
