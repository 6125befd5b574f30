//! `dskpp database copy`: from URLs to databases, and the key-encryption key that the destination would be opened with.

use std::path::{Path, PathBuf};

use crate::config::ConfigFault;
use crate::setup::database_url;
use crate::store::seal::Kek;
use crate::store::{self, CopyProgress, Database, SCHEMA, TableContent};
use crate::{Config, ConfigError, Error, files};

/// A finished copy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// The source, without a password.
    pub from: String,
    /// The destination, without a password.
    pub to: String,
    /// The identity of both stores.
    pub store: String,
    /// The schema of both.
    pub schema: usize,
    /// Rows that this call copied; earlier ones may have copied the others.
    pub copied: u64,
    /// What both databases hold.
    pub tables: Vec<TableContent>,
    /// Where the key-encryption key was found that opens both; `None` if none was found.
    pub kek: Option<String>,
    /// The data folder of a SQLite destination.
    pub folder: Option<PathBuf>,
}

/// Copies a store from one database into another; see `dskpp database copy --help`. Blocks, and must not run inside an
/// async runtime.
///
/// # Errors
/// [`Error::Refused`], [`Error::Config`], and errors of files.
pub fn copy(
    config: &Config,
    from: &str,
    to: &str,
    progress: &mut dyn FnMut(CopyProgress<'_>),
) -> Result<Copied, Error> {
    let (from, to) = (database(config, "--from", from)?, database(config, "--to", to)?);
    let folder = match &to {
        Database::Sqlite(path) => Some(path.parent().map_or_else(PathBuf::new, Path::to_owned)),
        Database::Postgres(_) => None,
    };
    let (kek, known) = key(config, folder.as_deref())?;
    let done = store::copy(&from, &to, kek.as_ref().map(|(kek, _)| kek), known.as_deref(), progress)?;
    Ok(Copied {
        from: from.to_string(),
        to: to.to_string(),
        store: done.store,
        schema: SCHEMA,
        copied: done.copied,
        tables: done.tables,
        kek: kek.map(|(_, place)| place),
        folder,
    })
}

/// The database of a URL, with the configuration's password file.
fn database(config: &Config, option: &str, url: &str) -> Result<Database, Error> {
    let mut config = config.clone();
    url.clone_into(&mut config.database.url);
    let read = match url {
        "" => Err(ConfigFault::new(option, "''", "is empty: write sqlite:PATH or postgres://USER@HOST/NAME")),
        _ => database_url::of(&config).map_err(|fault| ConfigFault { key: option.into(), ..fault }),
    };
    Ok(read.map_err(|fault| ConfigError(vec![fault]))?)
}

/// The key with which a server would open the destination, with its place, and the identity of the store that the key in
/// its folder belongs to, as far as they are there.
#[expect(clippy::type_complexity, reason = "used once, above")]
fn key(config: &Config, folder: Option<&Path>) -> Result<(Option<(Kek, String)>, Option<String>), Error> {
    if let Some((kek, file)) = Kek::handed_out(&config.seal.kek_file, &config.seal.further_kek_files)? {
        let place = file.map_or_else(|| "DSKPP_KEK".to_owned(), |file| file.display().to_string());
        return Ok((Some((kek, place)), None));
    }
    let in_folder = |name| folder.map(|folder| folder.join(name)).filter(|path| path.exists());
    let kek = in_folder("kek").map(|path| {
        Ok::<_, Error>((Kek::read(&path)?.with_further(&config.seal.further_kek_files)?, path.display().to_string()))
    });
    let known = in_folder("kek.store").map(|path| files::read_text(&path));
    Ok((kek.transpose()?, known.transpose()?.map(|known| known.trim().to_owned())))
}
