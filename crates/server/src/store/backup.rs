//! Backups of a SQLite database: one consistent file, written while servers use the database, and looked through before
//! it is used.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection as Sqlite, OpenFlags};

use super::columns::Columns;
use super::db::Connection;
use super::seal::Kek;
use super::{StoreError, disk, identity_of, migrate, opens, tables};

/// Pages that are copied at once.
const PAGES: i32 = 1024;

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupContent {
    /// The identity of its store; `None` for a version from before identities.
    pub store: Option<String>,
    /// The schema's version.
    pub schema: usize,
    /// Each table with its number of rows.
    pub tables: Vec<(String, u64)>,
}

/// Copies the database at `from` as it is now to `to`, an empty file, and looks through it. `progress` hears how many pages
/// are done, and of how many. Blocks.
pub(crate) fn back_up(from: &Path, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<BackupContent, StoreError> {
    let source = Connection::Sqlite(disk::open(from)?);
    source.begin_snapshot()?;
    let expected = content(&source)?; // from here on the transaction sees this state, whatever is committed meanwhile
    let mut backup = open(to)?;
    backup.pragma_update(None, "synchronous", "OFF")?; // the whole file is synced when it is done
    backup.pragma_update(None, "journal_mode", "OFF")?; // and thrown away where that fails
    if let Connection::Sqlite(source) = &source {
        let backup = Backup::new(source, &mut backup)?;
        loop {
            match backup.step(PAGES)? {
                StepResult::Done => break,
                StepResult::More => {
                    let now = backup.progress();
                    let pages = |count| u64::try_from(count).unwrap_or(0);
                    progress(pages(now.pagecount - now.remaining), pages(now.pagecount));
                }
                _ => return Err(StoreError::InUse("the database, or the file of the backup, is locked".into())),
            }
        }
    }
    source.end_snapshot()?;
    // All is in the one file, also for programs that cannot write beside it.
    backup.pragma_update(None, "journal_mode", "DELETE")?;
    let found = look_through(backup)?;
    match found == expected {
        true => Ok(found),
        false => Err(StoreError::Damaged("the backup has other rows than the database".into())),
    }
}

/// Looks through a backup: its structure, and whether this version can use it. Blocks.
///
/// # Errors
/// [`StoreError::Damaged`], [`StoreError::TooNew`], [`StoreError::UnfinishedCopy`].
pub(crate) fn check_backup(path: &Path) -> Result<BackupContent, StoreError> {
    let found = look_through(open(path)?)?;
    migrate::version_of(&Connection::Sqlite(open(path)?))?.check()?;
    Ok(found)
}

/// Whether a key-encryption key opens a backup. Blocks.
pub(crate) fn opens_backup(path: &Path, kek: &Kek) -> Result<bool, StoreError> {
    opens(&Connection::Sqlite(open(path)?), kek)
}

/// Opens a file that nobody else uses.
fn open(path: &Path) -> Result<Sqlite, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Sqlite::open_with_flags(path, flags)?)
}

/// Checks the whole structure of a file, and that it holds a store; gives what it holds.
fn look_through(db: Sqlite) -> Result<BackupContent, StoreError> {
    let mut faults = Vec::<String>::new();
    db.pragma_query(None, "integrity_check", |row| {
        faults.push(row.get(0)?);
        Ok(())
    })?;
    if faults.iter().any(|fault| fault != "ok") {
        return Err(StoreError::Damaged(faults.swap_remove(0)));
    }
    if db.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(StoreError::Damaged("rows refer to others that are missing".into()));
    }
    content(&Connection::Sqlite(db))
}

fn content(db: &Connection) -> Result<BackupContent, StoreError> {
    let names = tables::names(db)?;
    let has = |name: &str| names.iter().any(|table| table == name);
    if has(tables::UNFINISHED) {
        return Err(StoreError::UnfinishedCopy);
    }
    let schema = migrate::version_of(db)?.done;
    if schema == 0 || !has("setting") {
        return Err(StoreError::Damaged("it holds no store".into()));
    }
    let count = |name: &String| {
        let count = db.first(&format!("SELECT count(*) FROM \"{name}\""), &[], |row| {
            Columns::of("table", row).number::<u64>(0)
        })?;
        Ok((name.clone(), count.unwrap_or(0)))
    };
    let store = if has("store") { Some(identity_of(db)?) } else { None };
    let of_store = names.iter().filter(|name| !name.starts_with("sqlite_"));
    Ok(BackupContent { store, schema, tables: of_store.map(count).collect::<Result<_, StoreError>>()? })
}

/// Moves what is only in the write-ahead log into the file of a database that nobody else uses, so that the file alone is
/// whole. Blocks.
///
/// # Errors
/// [`StoreError::InUse`]; [`StoreError::Damaged`] where that cannot be done any more.
pub(crate) fn gather(path: &Path) -> Result<(), StoreError> {
    let db = super::db::sqlite::connect_alone(path)?;
    Ok(db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}
