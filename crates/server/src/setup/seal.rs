//! `dskpp seal`, while servers run or none does.

use std::path::Path;

use crate::model::clock::timestamp;
use crate::setup::data_folder::Starting;
use crate::setup::store_halves::{self, Create, OpenedStore};
use crate::store::RotationWaits;
use crate::store::seal::Kek;
pub use crate::store::{Rotated, RotationStep};
use crate::{Config, Error};

/// Seals every secret of the configuration's store under the key-encryption key in the file `to`, which every running
/// server must have among its keys. Goes on where an interrupted call ended. Calls `on_step` for each step. Blocks.
///
/// # Errors
/// [`Error::NoStore`]; errors of files and of the store, such as that a server lacks the key.
pub fn rotate(config: &Config, to: &Path, on_step: impl FnMut(RotationStep)) -> Result<Rotated, Error> {
    config.check()?;
    let new = Kek::read(to)?;
    let mut config = config.clone();
    config.seal.further_kek_files.push(to.to_owned());
    let store = {
        let _starting = Starting::enter(&config.server.data_dir)?;
        let OpenedStore { store, .. } = store_halves::open(&config, Create::Never, timestamp())?;
        store
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|source| Error::System { what: "cannot start", source })?;
    Ok(runtime.block_on(store.rotate_kek(&new, RotationWaits::of(&store), on_step))?)
}
