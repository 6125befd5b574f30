//! What the store may believe about its files: that they are there, the same ones, whole, and can be written.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{fs, thread};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::StoreError;
use crate::platform::{identity, write_options};

/// How long the check at a start may take. Within it a database of some 100,000 keys is checked as a whole, and the
/// beginning of a larger one.
const CHECK_AT_START: Duration = Duration::from_secs(1);
/// How long one table is looked through while the server runs.
const CHECK_OF_TABLE: Duration = Duration::from_millis(25);
/// Octets for which the disk must have room.
const ROOM: usize = 64 * 1024;
/// What SQLite keeps beside a database while it is open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Whether a copy into the database is unfinished.
const UNFINISHED_COPIES: &str = "SELECT count(*) FROM sqlite_schema WHERE name = 'unfinished_copy'";

/// What stands at a database's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// No file, or one without anything in it.
    Nothing,
    /// A store.
    Store,
}

/// Looks at a database before it is opened, and changes nothing. Blocks.
///
/// # Errors
/// [`StoreError::Damaged`], also for a database of another program.
pub(crate) fn look(path: &Path) -> Result<Content, StoreError> {
    let len = match fs::metadata(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => 0,
        metadata => metadata.map_err(|why| unavailable(path, &why))?.len(),
    };
    if len == 0 {
        // SQLite would delete a write-ahead log without its database.
        let log = fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
        return match log {
            0 => Ok(Content::Nothing),
            _ => Err(StoreError::Damaged("it is empty or missing, but its write-ahead log is there".into())),
        };
    }
    let db = open(path)?;
    let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    match (number("PRAGMA user_version")?, number("SELECT count(*) FROM sqlite_schema")?) {
        (0, 0) => Ok(Content::Nothing),
        _ if number(UNFINISHED_COPIES)? > 0 => Err(StoreError::UnfinishedCopy),
        (0, _) => Err(StoreError::Damaged("it has tables of another program".into())),
        _ => {
            if !quick_check(&db, None, CHECK_AT_START)? {
                tracing::info!("the database is large: only its beginning was checked");
            }
            Ok(Content::Store)
        }
    }
}

/// A connection that sees what is on the disk, not what others have in memory.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(super::db::sqlite::BUSY)?;
    Ok(db)
}

/// Checks the structure of the database, or of one table; false where there was no time for all.
fn quick_check(db: &Connection, table: Option<&str>, budget: Duration) -> Result<bool, StoreError> {
    let (done, wait) = channel::<()>();
    let handle = db.get_interrupt_handle();
    let found = thread::scope(|scope| {
        scope.spawn(move || {
            if wait.recv_timeout(budget) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let mut first = String::new();
        let keep = |row: &rusqlite::Row<'_>| {
            if first.is_empty() {
                first = row.get(0)?;
            }
            Ok(())
        };
        let checked = match table {
            None => db.pragma_query(None, "quick_check", keep),
            Some(table) => db.pragma(None, "quick_check", table, keep),
        };
        drop(done);
        checked.map(|()| first)
    });
    match found {
        Ok(found) if found == "ok" => Ok(true),
        Ok(found) => Err(StoreError::Damaged(found)),
        Err(why) if why.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => Ok(false),
        Err(why) => Err(why.into()),
    }
}

/// The files of an open database.
#[derive(Debug)]
pub(super) struct Disk {
    path: PathBuf,
    /// Each with what identifies it.
    files: Vec<(PathBuf, (u64, u64))>,
    /// How long the database was.
    len: AtomicU64,
    /// The table that is looked through next.
    table: AtomicUsize,
    /// What was found; it stays until the server starts again.
    damage: OnceLock<String>,
}

impl Disk {
    /// The files of a database that SQLite has open.
    pub(super) fn new(path: &Path) -> Result<Self, StoreError> {
        let paths = [path.to_owned()].into_iter().chain(BESIDE.map(|end| beside(path, end)));
        let identified = |path: PathBuf| {
            let metadata = fs::metadata(&path).map_err(|why| unavailable(&path, &why))?;
            Ok((path, identity(&metadata)))
        };
        let files = paths.map(identified).collect::<Result<_, StoreError>>()?;
        let (len, table, damage) = Default::default();
        Ok(Disk { path: path.to_owned(), files, len, table, damage })
    }

    /// Remembers damage that somebody met.
    pub(super) fn note(&self, error: &StoreError) {
        if let StoreError::Damaged(why) = error
            && self.damage.set(why.clone()).is_ok()
        {
            tracing::error!("{error}");
        }
    }

    /// Whether what is written now will be found after a restart. Takes a few microseconds.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if let Some(damage) = self.damage.get() {
            return Err(StoreError::Damaged(damage.clone()));
        }
        for (path, id) in &self.files {
            match fs::metadata(path) {
                Ok(now) if identity(&now) == *id => {
                    // Where SQLite opens an empty database it deletes the write-ahead log.
                    if now.len() == 0 && *path == self.path {
                        return Err(StoreError::Damaged("it is empty".into()));
                    }
                }
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(unavailable(path, &why)),
                gone => {
                    let what = if gone.is_ok() { "replaced" } else { "deleted" };
                    return Err(StoreError::Gone { file: name(path), what });
                }
            }
        }
        Ok(())
    }

    /// Looks at what [`Disk::check`] has no time for: whether the folder takes files, and whether the database on the
    /// disk is whole, a table each time. Blocks.
    pub(super) fn look(&self) -> Result<(), StoreError> {
        let looked = self.check().and_then(|()| self.make_room()).and_then(|()| self.look_into());
        if let Err(why) = &looked {
            self.note(why);
        }
        looked
    }

    fn make_room(&self) -> Result<(), StoreError> {
        let path = self.path.with_file_name(".probe");
        let write = || {
            let mut file = write_options(0o600).create(true).truncate(true).open(&path)?;
            file.write_all(&[0; ROOM])
        };
        let written = write();
        match fs::remove_file(&path) {
            Err(why) if written.is_ok() && why.kind() != io::ErrorKind::NotFound => Err(why),
            _ => written,
        }
        .map_err(|why| StoreError::Unavailable(format!("no file can be written beside it: {why}")))
    }

    fn look_into(&self) -> Result<(), StoreError> {
        let db = open(&self.path)?;
        let number = |sql| db.query_row(sql, [], |row| row.get::<_, i64>(0));
        let whole = (number("PRAGMA page_count")? * number("PRAGMA page_size")?).unsigned_abs();
        let len = fs::metadata(&self.path).map_err(|why| unavailable(&self.path, &why))?.len();
        if len < self.len.swap(len, Ordering::Relaxed) && len < whole {
            quick_check(&db, None, CHECK_AT_START)?; // it was cut, or written anew by another process
        }
        let mut tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
        let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let next = self.table.fetch_add(1, Ordering::Relaxed).checked_rem(tables.len());
        let table = next.and_then(|next| tables.get(next));
        let table = table.ok_or_else(|| StoreError::Damaged("it has no tables any more".into()))?;
        quick_check(&db, Some(table), CHECK_OF_TABLE).map(drop)
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn unavailable(path: &Path, why: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("{}: {why}", name(path)))
}
