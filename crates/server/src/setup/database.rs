//! `dskpp database`, with or without a running server.

use std::path::PathBuf;

use crate::config::Migrate;
use crate::model::clock::timestamp;
use crate::setup::data_folder::Starting;
use crate::setup::database_url;
use crate::setup::store_halves::{self, Create, OpenedStore};
use crate::store::Database;
use crate::{Config, Error, store};

pub use super::backup::{BackedUp, Restored, back_up, restore};
pub use super::copy::{Copied, copy};
pub use crate::store::{BackupContent, Checked, CopyProgress, CopyStep, Finding, TableContent};

/// A database with this version's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// Its data folder.
    pub folder: PathBuf,
    /// The store's identity.
    pub store: String,
    /// The schema version.
    pub schema: usize,
    /// Whether this call created the store.
    pub begun: bool,
}

/// Migrates the configuration's database to this version's schema. With `init`, creates it if it does not exist;
/// idempotent, and several nodes may run it at once. Blocks.
///
/// # Errors
/// [`Error::NoStore`] without `init`, [`Error::IncompleteStore`], and errors of the store.
pub fn migrate(config: &Config, init: bool) -> Result<Migrated, Error> {
    config.check()?;
    let mut config = config.clone();
    config.database.migrate = Migrate::AtStart; // this is the command
    let folder = &config.server.data_dir;
    let has_file = matches!(database_url::of(&config), Ok(Database::Sqlite(_)));
    if !init && has_file && !folder.exists() {
        return Err(Error::NoStore { at: folder.display().to_string() });
    }
    let _starting = Starting::enter(folder)?;
    let create = if init { Create::Always } else { Create::Never };
    let OpenedStore { store, created } = store_halves::open(&config, create, timestamp())?;
    Ok(Migrated { folder: folder.clone(), store: store.id().to_owned(), schema: store::SCHEMA, begun: created })
}

/// Checks the configuration's database: its schema, every row and secret, references between rows, the audit trail. Only
/// reads, also beside servers. Gives the database's name and what was found. Blocks.
///
/// # Errors
/// [`Error::NoStore`], [`Error::IncompleteStore`], and errors of the store that keep it from being read.
pub fn check(config: &Config) -> Result<(String, Checked), Error> {
    config.check()?;
    store_halves::check(config).map(|(database, checked)| (database.to_string(), checked))
}
