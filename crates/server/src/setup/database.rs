//! What `dskpp database` does, beside a running server or without one.

use std::path::PathBuf;

use crate::Config;
use crate::Error;
use crate::model::clock::timestamp;
use crate::setup::data_folder::Starting;
use crate::setup::store_halves::{self, Begin, Opened};
use crate::store;

/// A database that this version can use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migrated {
    /// The data folder that it stands in.
    pub folder: PathBuf,
    /// The store's identity.
    pub store: String,
    /// The schema's version.
    pub schema: usize,
    /// Whether the store was begun now.
    pub begun: bool,
}

/// Brings the database of a configuration to the present schema. With `init` an empty one is begun; where it has been
/// already, by whichever node, nothing happens. Blocks.
///
/// # Errors
/// [`Error::NotBegun`] without `init`, [`Error::NotWhole`], and what the store refuses.
pub fn migrate(config: &Config, init: bool) -> Result<Migrated, Error> {
    config.check()?;
    let folder = &config.server.data_dir;
    if !init && !folder.exists() {
        return Err(Error::NotBegun { folder: folder.clone() });
    }
    let _starting = Starting::enter(folder)?;
    let begin = if init { Begin::Always } else { Begin::Never };
    let Opened { store, begun } = store_halves::open(config, begin, timestamp())?;
    Ok(Migrated { folder: folder.clone(), store: store.id().to_owned(), schema: store::SCHEMA, begun })
}
