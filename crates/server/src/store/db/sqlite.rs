//! SQLite.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, ToSql};

use super::{Cell, Value};
use crate::platform::secure_database;
use crate::store::StoreError;

/// How long a lock of another process is waited for.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// How long the connection of a process that ends is waited for.
const ENDING: Duration = Duration::from_secs(1);

/// A connection with the settings that durability and several processes need.
pub(in crate::store) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Where even that is refused, SQLite has the better reason.
    _ = secure_database(path);
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    set_up(&connection)?;
    Ok(connection)
}

/// The settings that durability and several processes need.
pub(super) fn set_up(connection: &Connection) -> Result<(), StoreError> {
    write_ahead(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -2048)?; // KiB
    // What undoes a statement or a savepoint: else it goes through a file, however short, once it has been long.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Else SQLite plans a join anew for every value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

/// A connection beside which there is no other one, to a file that exists. Changes nothing.
pub(in crate::store) fn connect_alone(path: &Path) -> Result<Connection, StoreError> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(ENDING)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    match connection.execute_batch("BEGIN EXCLUSIVE; COMMIT") {
        Err(why) if why.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            Err(StoreError::InUse("it is open elsewhere".into()))
        }
        locked => Ok(locked.map(|()| connection)?),
    }
}

/// While another process changes the mode of a new database SQLite does not wait by itself.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let until = Instant::now() + BUSY;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(why) if why.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < until => {
                thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
}

/// Moves all that is only in the write-ahead log into the database file, which alone is then whole.
pub(super) fn checkpoint(path: &Path) -> Result<(), StoreError> {
    match connect(path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))? {
        false => Ok(()),
        true => Err(StoreError::Unavailable("another process reads or writes it".into())),
    }
}

pub(super) fn cell<'a>(row: &'a Row<'_>, i: usize) -> Option<Cell<'a>> {
    Some(match row.get_ref(i).ok()? {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => Cell::Text(std::str::from_utf8(text).ok()?),
        ValueRef::Blob(octets) => Cell::Blob(octets),
        ValueRef::Real(_) => return None,
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match *self {
            Value::Int(number) => number.map(ValueRef::Integer),
            Value::Text(text) => text.map(|text| ValueRef::Text(text.as_bytes())),
            Value::Blob(octets) => octets.map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text = error.to_string(); // SQLite's messages name tables and reasons, never values
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(text),
            _ => StoreError::Unavailable(text),
        }
    }
}
