//! The two parts of a store: the database, and the key-encryption key that seals its secrets.
//!
//! A first start creates, in this order: `kek.begun` (the new key), the database with its identity and a check value of
//! the key, `kek.store` (the identity), and `kek`, by renaming `kek.begun`. The next start completes an interrupted
//! one. If one part exists without the other, the server refuses to start and creates nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::config::{ConfigFault, Migrate};
use crate::policy::otp::Windows;
use crate::setup::data_folder::set_aside;
use crate::setup::database_url;
use crate::store::seal::Kek;
use crate::store::{Checked, Content, Database, Store, StoreError, StorePolicy, look};
use crate::{Config, ConfigError, Error, files, store};

#[cfg(test)]
mod tests;

const DATABASE: &str = "dskpp.db";
const LOG: &str = "dskpp.db-wal";
const KEK: &str = "kek";
const KEK_BEGUN: &str = "kek.begun";
const KEK_STORE: &str = "kek.store";
const ADMIN_TOKEN: &str = "admin-token";

/// What may be created if there is no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    /// Nothing.
    Never,
    /// A first start: a store with a generated key.
    WithNewKey,
    /// A new store, also for a key that the deployment supplies.
    Always,
    /// The same; an incomplete store is set aside, a complete one refused.
    StartOver,
}

/// An open store.
pub(crate) struct OpenedStore {
    pub(crate) store: Store,
    /// Whether this call created it.
    pub(crate) created: bool,
}

/// Opens or creates the store of a configuration. Blocks.
///
/// # Errors
/// [`Error::IncompleteStore`], [`Error::NoStore`], [`Error::CompleteStore`], [`Error::Content`] for a symbolic link; errors of
/// files and store.
pub(crate) fn open(config: &Config, create: Create, now: Timestamp) -> Result<OpenedStore, Error> {
    let database = database_url::of(config).map_err(|fault| ConfigError(vec![fault]))?;
    let halves = match database {
        Database::Sqlite(path) => Halves::of(config, path)?,
        Database::Postgres(_) => return shared(config, &database, create),
    };
    match halves.find() {
        Ok(Some(_)) if create == Create::StartOver => Err(Error::CompleteStore { folder: halves.folder }),
        Ok(Some(store)) => Ok(OpenedStore { store, created: false }),
        Ok(None) if create == Create::Never || (create == Create::WithNewKey && halves.supplied.is_some()) => {
            Err(Error::NoStore { at: halves.folder.display().to_string() })
        }
        Ok(None) => Ok(OpenedStore { store: halves.create()?, created: true }),
        // Files elsewhere are not moved aside.
        Err(Error::IncompleteStore { why, .. })
            if create == Create::StartOver && halves.database == halves.path(DATABASE) =>
        {
            let names = [DATABASE, LOG, "dskpp.db-shm", "dskpp.db-journal", KEK_BEGUN, KEK_STORE, ADMIN_TOKEN];
            let key = Some(KEK).filter(|_| halves.has_generated_key());
            let names: Vec<_> = names.into_iter().chain(key).collect();
            let aside = set_aside(&halves.folder, &names, now)?;
            tracing::warn!("creating a new store; the remains of the old one ({why}) are in {}", aside.display());
            Ok(OpenedStore { store: halves.create()?, created: true })
        }
        Err(why) => Err(why),
    }
}

/// Checks the database of a configuration without opening it as a store. Blocks.
///
/// # Errors
/// [`Error::NoStore`], [`Error::IncompleteStore`], errors of files and store.
pub(crate) fn check(config: &Config) -> Result<(Database, Checked), Error> {
    let database = database_url::of(config).map_err(|fault| ConfigError(vec![fault]))?;
    let none = || Error::NoStore { at: database.to_string() };
    match &database {
        Database::Sqlite(path) if !path.exists() => Err(none()),
        Database::Sqlite(path) => {
            let halves = Halves::of(config, path.clone())?;
            let checked = store::check(&database, &*halves.key()?).map_err(|why| halves.open_error(why))?;
            Ok((database, checked))
        }
        Database::Postgres(_) => {
            let kek = shared_key(config)?;
            if database.is_empty()? {
                return Err(none());
            }
            let checked = store::check(&database, &kek)?;
            Ok((database, checked))
        }
    }
}

/// The key-encryption key of a database that several servers share.
fn shared_key(config: &Config) -> Result<Kek, Error> {
    let remedy = "every server that shares a database needs the same key-encryption key: make one with \
                  `openssl rand -hex 32`, keep a copy apart from the database, and name its file";
    let missing = || ConfigError(vec![ConfigFault::new("seal.kek_file", "''", remedy)]);
    Ok(Kek::handed_out(&config.seal.kek_file, &config.seal.further_kek_files)?
        .map(|(kek, _)| kek)
        .ok_or_else(missing)?)
}

/// The store in a database that several servers share: each has the same key-encryption key, by its deployment.
fn shared(config: &Config, database: &Database, create: Create) -> Result<OpenedStore, Error> {
    let kek = shared_key(config)?;
    let is_empty = database.is_empty()?;
    if is_empty && matches!(create, Create::Never | Create::WithNewKey) {
        return Err(Error::NoStore { at: format!("{database}") });
    }
    let store = Store::open(database.clone(), Arc::new(kek), policy(config))?;
    Ok(OpenedStore { store, created: is_empty })
}

fn policy(config: &Config) -> StorePolicy {
    let windows =
        Windows { hotp_look_ahead: config.validate.hotp_look_ahead, totp_window: config.validate.totp_window };
    let may_migrate = config.database.migrate == Migrate::AtStart;
    StorePolicy { lock_after: config.policy.lock_after, windows, may_migrate }
}

struct Halves {
    folder: PathBuf,
    /// The database.
    database: PathBuf,
    policy: StorePolicy,
    /// A key that the deployment supplies, and its file, if any.
    supplied: Option<(Arc<Kek>, Option<PathBuf>)>,
    further_kek_files: Vec<PathBuf>,
}

impl Halves {
    fn of(config: &Config, database: PathBuf) -> Result<Self, Error> {
        let supplied = Kek::handed_out(&config.seal.kek_file, &config.seal.further_kek_files)?
            .map(|(kek, file)| (Arc::new(kek), file));
        Ok(Halves {
            folder: config.server.data_dir.clone(),
            database,
            policy: policy(config),
            supplied,
            further_kek_files: config.seal.further_kek_files.clone(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Whether there is a key file that a server generated, as opposed to one that the deployment put there.
    fn has_generated_key(&self) -> bool {
        let same =
            |file: &Path| matches!((file.canonicalize(), self.path(KEK).canonicalize()), (Ok(a), Ok(b)) if a == b);
        self.has(KEK) && !matches!(&self.supplied, Some((_, Some(file))) if same(file))
    }

    fn incomplete(&self, why: impl Into<String>) -> Error {
        Error::IncompleteStore { folder: self.folder.clone(), why: why.into() }
    }

    /// The store if both parts exist; `None` if neither does.
    fn find(&self) -> Result<Option<Store>, Error> {
        let database = self.database.clone();
        if database.is_symlink() {
            let why = "it is a symbolic link, and SQLite keeps its log beside the link's target: move the file here, or \
                       set server.data_dir to its folder";
            return Err(Error::Content { path: database, what: "the database", why: why.into() });
        }
        if look(&database).map_err(|why| self.open_error(why))? == Content::Store {
            return self.open().map(Some);
        }
        let left = [KEK_STORE, ADMIN_TOKEN, "tls/ca.pem", "tls/ca-key.pem"].into_iter().find(|name| self.has(name));
        match left.or(Some(KEK).filter(|_| self.has_generated_key())) {
            None => Ok(None),
            Some(left) => {
                let store =
                    files::read_text(&self.path(KEK_STORE)).map_or(String::new(), |id| format!(" ({})", id.trim()));
                let database = self.database.display();
                Err(self.incomplete(format!("{left} exists, but the database {database}{store} is missing or empty")))
            }
        }
    }

    /// Creates a store, or completes an interrupted first start.
    fn create(&self) -> Result<Store, Error> {
        if self.supplied.is_none() && !self.has(KEK_BEGUN) {
            let key = Kek::new_hex();
            files::write(&self.path(KEK_BEGUN), key.expose(), 0o600)?;
        }
        self.open()
    }

    /// The file of a key that a server generated.
    fn made(&self) -> Option<&'static str> {
        [KEK, KEK_BEGUN].into_iter().find(|name| self.has(name))
    }

    fn key(&self) -> Result<Arc<Kek>, Error> {
        match (&self.supplied, self.made()) {
            (Some((kek, _)), _) => Ok(Arc::clone(kek)),
            (None, Some(name)) => self.read_key(name).map(Arc::new),
            (None, None) => {
                let database = self.database.display();
                Err(self.incomplete(format!("the database {database} exists, but its key-encryption key is missing")))
            }
        }
    }

    /// Opens or creates the database, and checks that the key is its own.
    fn open(&self) -> Result<Store, Error> {
        let (made, kek) = (self.made(), self.key()?);
        let known = self.has(KEK_STORE).then(|| files::read_text(&self.path(KEK_STORE))).transpose()?;
        let known = known.as_deref().map(str::trim);
        let store = Store::open_known(&self.database, kek, self.policy, known);
        let store = store.map_err(|why| self.open_error(why))?;
        if known.is_none() && self.supplied.is_none() {
            files::write(&self.path(KEK_STORE), format!("{}\n", store.id()).as_bytes(), 0o600)?;
        }
        if self.supplied.is_none() && made == Some(KEK_BEGUN) {
            files::rename(&self.path(KEK_BEGUN), &self.path(KEK))?;
        }
        Ok(store)
    }

    fn read_key(&self, name: &str) -> Result<Kek, Error> {
        match Kek::read(&self.path(name)) {
            Err(why @ Error::Content { .. }) => Err(self.incomplete(why.to_string())),
            read => read?.with_further(&self.further_kek_files),
        }
    }

    fn open_error(&self, why: StoreError) -> Error {
        match why {
            StoreError::Damaged(why) => {
                self.incomplete(format!("the database {} is damaged: {why}", self.database.display()))
            }
            StoreError::Other { id } => {
                let known = files::read_text(&self.path(KEK_STORE)).unwrap_or_default();
                let why = format!("the key-encryption key belongs to database {}", known.trim());
                self.incomplete(format!("{why}, but {} is {id}", self.database.display()))
            }
            StoreError::Sealed(_) => {
                let key = match self.supplied {
                    Some(_) => "supplied: supply the database's own key",
                    None => "beside it",
                };
                self.incomplete(format!(
                    "the database {} was sealed with a different key-encryption key from the one {key} (was it \
                     changed by `dskpp seal rotate`?)",
                    self.database.display()
                ))
            }
            why => why.into(),
        }
    }
}
