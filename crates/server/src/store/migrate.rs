//! The schema, and how a database of an earlier version comes to it.
//!
//! Two numbers stand in the database: its version, which is the last migration that was done (table `migration`), and
//! the oldest software that may use it (`user_version` in SQLite, the table `schema` in PostgreSQL: where software of
//! schema 11 and before looks for the version). A migration that expands the schema leaves the second one as it is, so
//! that nodes of the previous release work beside new ones; one that contracts it raises it to itself.

use std::sync::Arc;
use std::time::Duration;

use dskpp_crypto::{Random as _, Secret, SystemRandom};
use rusqlite::functions::{Context, FunctionFlags};

use super::current_kek::check as check_kek;
use super::db::sqlite::BUSY;
use super::db::{Cell, Connection, Row, values};
use super::{StoreError, is_identity, rows};
use crate::model::TriggerAd;
use crate::model::clock::now;
use crate::store::seal::Kek;

/// The schema of this software: its last migration.
pub(crate) const SCHEMA: usize = SQLITE[SQLITE.len() - 1].0;

/// What a migration means for software of the version before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It only adds what older software does not need to know: that works on. New columns are empty or have a default,
    /// and constraints accept what older software writes.
    Expands,
    /// It takes away or changes what older software uses: that is stopped before, and refuses to start afterwards.
    Contracts,
}
use Change::{Contracts, Expands};

/// What leads to a version from the one before it in the list, or from nothing.
pub(super) type Migration = (usize, Change, &'static str);

pub(super) const SQLITE: &[Migration] = &[
    (1, Contracts, include_str!("../../migrations/sqlite/0001_first.sql")),
    (2, Contracts, include_str!("../../migrations/sqlite/0002_imported.sql")),
    (3, Contracts, include_str!("../../migrations/sqlite/0003_two_pass.sql")),
    (4, Contracts, include_str!("../../migrations/sqlite/0004_devices.sql")),
    (5, Contracts, include_str!("../../migrations/sqlite/0005_platform.sql")),
    (6, Contracts, include_str!("../../migrations/sqlite/0006_import_report.sql")),
    (7, Contracts, include_str!("../../migrations/sqlite/0007_sealed.sql")),
    (8, Contracts, include_str!("../../migrations/sqlite/0008_tries.sql")),
    (9, Contracts, include_str!("../../migrations/sqlite/0009_url_s.sql")),
    (10, Contracts, include_str!("../../migrations/sqlite/0010_store.sql")),
    (11, Contracts, include_str!("../../migrations/sqlite/0011_chains.sql")),
    (12, Expands, include_str!("../../migrations/sqlite/0012_session_keys.sql")),
    (13, Expands, include_str!("../../migrations/sqlite/0013_k_server.sql")),
    (14, Expands, include_str!("../../migrations/sqlite/0014_audit.sql")),
    (15, Expands, include_str!("../../migrations/sqlite/0015_device_lists.sql")),
    (16, Expands, include_str!("../../migrations/sqlite/0016_wrong_passwords.sql")),
    (17, Expands, include_str!("../../migrations/sqlite/0017_lists.sql")),
    (18, Expands, include_str!("../../migrations/sqlite/0018_lighter.sql")),
    (19, Expands, include_str!("../../migrations/sqlite/0019_outbox.sql")),
    (20, Expands, include_str!("../../migrations/sqlite/0020_answers.sql")),
    (21, Expands, include_str!("../../migrations/sqlite/0021_idempotent.sql")),
];

pub(super) const POSTGRES: &[Migration] = &[
    (11, Contracts, include_str!("../../migrations/postgres/0011_first.sql")),
    (12, Expands, include_str!("../../migrations/postgres/0012_session_keys.sql")),
    (13, Expands, include_str!("../../migrations/postgres/0013_k_server.sql")),
    (14, Expands, include_str!("../../migrations/postgres/0014_audit.sql")),
    (15, Expands, include_str!("../../migrations/postgres/0015_device_lists.sql")),
    (16, Expands, include_str!("../../migrations/postgres/0016_wrong_passwords.sql")),
    (17, Expands, include_str!("../../migrations/postgres/0017_lists.sql")),
    (18, Expands, include_str!("../../migrations/postgres/0018_lighter.sql")),
    (19, Expands, include_str!("../../migrations/postgres/0019_outbox.sql")),
    (20, Expands, include_str!("../../migrations/postgres/0020_answers.sql")),
    (21, Expands, include_str!("../../migrations/postgres/0021_idempotent.sql")),
];

/// How far a database's migrations are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// The last one that was done; 0: none.
    pub(super) done: usize,
    /// The oldest software that may use the database, by its schema.
    pub(super) oldest: usize,
}

impl Version {
    /// # Errors
    /// [`StoreError::TooNew`] for a database that this software may not use any more.
    pub(super) fn check(self) -> Result<(), StoreError> {
        match self.oldest > SCHEMA {
            true => Err(StoreError::TooNew { found: self.done, oldest: self.oldest, known: SCHEMA }),
            false => Ok(()),
        }
    }
}

/// Checks the key, and does the migrations that are missing, each in a transaction of its own, one start at a time. A
/// database without identity gets `known`, or a new one. Where `may_migrate` is false only an empty database changes.
///
/// # Errors
/// [`StoreError::TooNew`], [`StoreError::TooOld`] where migrations are missing that may not be done,
/// [`StoreError::Sealed`] where the key-encryption key is another one, [`StoreError::Damaged`] for a database of another
/// program.
pub(super) fn migrate(
    db: &Connection,
    kek: &Arc<Kek>,
    known: Option<&str>,
    may_migrate: bool,
) -> Result<(), StoreError> {
    let version = version_of(db)?;
    version.check()?;
    if version.done > SCHEMA {
        let Version { done, oldest } = version;
        tracing::info!(
            "the database has schema {done}; this software, of schema {SCHEMA}, may use it (from {oldest} on)"
        );
    }
    if version.done >= SCHEMA {
        return check_kek(db, kek); // as on every start but the first: without a lock
    }
    if version.done > 0 && !may_migrate {
        return Err(StoreError::TooOld { found: version.done, known: SCHEMA });
    }
    let migrations = match db {
        Connection::Sqlite(_) => SQLITE,
        Connection::Postgres(_) => POSTGRES,
    };
    migrate_by(db, migrations, kek, known)?;
    version_of(db)?.check() // a newer server may have been faster
}

/// Does those of the migrations that are missing.
pub(super) fn migrate_by(
    db: &Connection,
    migrations: &[Migration],
    kek: &Arc<Kek>,
    known: Option<&str>,
) -> Result<(), StoreError> {
    be_patient(db, true)?;
    match db {
        // A table that others refer to can be made anew only without foreign keys, and they cannot be switched off
        // inside a transaction.
        Connection::Sqlite(sqlite) => {
            sqlite.pragma_update(None, "foreign_keys", false)?;
            provide_seals(sqlite, kek)?;
        }
        Connection::Postgres(_) => provide_lock(db)?,
    }
    let migrated = loop {
        match db.begin().and_then(|()| migrate_once(db, migrations, kek, known)) {
            Ok(None) => break db.roll_back(),
            Ok(Some((version, change))) => match db.commit() {
                Ok(()) => tracing::info!(?change, "the database was migrated to schema {version}"),
                Err(why) => break Err(why),
            },
            Err(why) => {
                _ = db.roll_back(); // the reason is in `why`
                break Err(why);
            }
        }
    };
    if let Connection::Sqlite(sqlite) = db {
        sqlite.pragma_update(None, "foreign_keys", true)?;
    }
    be_patient(db, false)?;
    migrated
}

/// Makes the table whose row is the lock. Where several starts make it at once, all but one are refused, whatever
/// `IF NOT EXISTS` says.
fn provide_lock(db: &Connection) -> Result<(), StoreError> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema (is_only BOOLEAN PRIMARY KEY CHECK (is_only), \
                         version BIGINT NOT NULL); \
                         INSERT INTO schema (is_only, version) VALUES (TRUE, 0) ON CONFLICT DO NOTHING";
    match db.batch(TABLE) {
        Err(StoreError::Conflict(_)) => db.batch(TABLE),
        made => made,
    }
}

/// Inside a transaction: does the first migration that is missing, and gives its number; `None` where none is.
fn migrate_once(
    db: &Connection,
    migrations: &[Migration],
    kek: &Arc<Kek>,
    known: Option<&str>,
) -> Result<Option<(usize, Change)>, StoreError> {
    if let Connection::Postgres(_) = db {
        db.exists("SELECT version FROM schema FOR UPDATE", &[])?; // one start at a time
    }
    let version = version_of(db)?; // another start may have been faster
    let Some((next, change, sql)) = migrations.iter().find(|(number, ..)| *number > version.done) else {
        return Ok(None);
    };
    if version.done > 0 {
        check_kek(db, kek)?; // migrations seal under it
    }
    let failed = |why: StoreError| StoreError::Migration { version: *next, why: Box::new(why) };
    if let Connection::Postgres(_) = db {
        db.batch("SET LOCAL lock_timeout = '5s'")?; // who waits for a table has all others wait behind it
    }
    db.batch(sql).map_err(failed)?;
    record(db, *next, *change)?;
    check_kek(db, kek)?;
    if let (Contracts, Connection::Sqlite(sqlite)) = (change, db)
        && sqlite.prepare("PRAGMA foreign_key_check")?.exists([])?
    {
        return Err(failed(StoreError::Damaged("rows refer to others that are missing".into())));
    }
    if *next >= IDENTITY {
        identify(db, if version.done < IDENTITY { known } else { None })?;
    }
    Ok(Some((*next, *change)))
}

/// Notes a migration in the transaction in which it is done.
fn record(db: &Connection, done: usize, change: Change) -> Result<(), StoreError> {
    const NOTES: &str = "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, done_at BIGINT NOT NULL)";
    db.batch(NOTES)?;
    let number = i64::try_from(done).unwrap_or(i64::MAX);
    db.execute("INSERT INTO migration (version, done_at) VALUES (?, ?)", values![number, now()])?;
    match (change, db) {
        (Expands, _) => Ok(()),
        (Contracts, Connection::Sqlite(_)) => db.batch(&format!("PRAGMA user_version = {done}")),
        (Contracts, Connection::Postgres(_)) => db.batch(&format!("UPDATE schema SET version = {done}")),
    }
}

/// How far the migrations of a database are done. Changes nothing.
///
/// # Errors
/// [`StoreError::Damaged`], also for a database of another program.
pub(super) fn version_of(db: &Connection) -> Result<Version, StoreError> {
    let has = |table: &str, column: &str| {
        let sql = match db {
            Connection::Sqlite(_) => "SELECT 1 FROM pragma_table_info(?) WHERE name = ?",
            Connection::Postgres(_) => {
                "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = ? \
                 AND column_name = ?"
            }
        };
        db.exists(sql, values![table, column])
    };
    let number = |sql: &str| {
        let read = |row: &Row<'_>| match row.cell(0) {
            Some(Cell::Int(number)) => usize::try_from(number).ok(),
            Some(Cell::Null) => Some(0),
            _ => None,
        };
        let unreadable = || StoreError::Damaged("its schema's version cannot be read".into());
        db.first(sql, &[], |row| Ok(read(row)))?.flatten().ok_or_else(unreadable)
    };
    let oldest = match db {
        Connection::Sqlite(_) => number("PRAGMA user_version")?,
        Connection::Postgres(_) if has("schema", "version")? => number("SELECT version FROM schema")?,
        Connection::Postgres(_) => 0,
    };
    let noted = match has("migration", "done_at")? {
        true => number("SELECT max(version) FROM migration")?,
        false => 0, // no migration was done since there are notes
    };
    let version = Version { done: oldest.max(noted), oldest };
    if version.done > 0 && !has("setting", "name")? {
        return Err(StoreError::Damaged("it has tables of another program".into()));
    }
    Ok(version)
}

/// The version in which stores got an identity.
const IDENTITY: usize = 10;

/// Gives a store the identity that it is known by; one that has none gets a new one.
fn identify(db: &Connection, known: Option<&str>) -> Result<(), StoreError> {
    if let Connection::Postgres(_) = db {
        let id = data_encoding::HEXLOWER.encode(&SystemRandom.bytes(8)); // SQLite's migration 10 makes one by itself
        let sql = "INSERT INTO store (is_only, id, tried_at) VALUES (1, ?, 0) ON CONFLICT DO NOTHING";
        db.execute(sql, values![id])?;
    }
    match known.filter(|known| is_identity(known)) {
        Some(known) => db.execute("UPDATE store SET id = ?", values![known]).map(drop),
        None => Ok(()),
    }
}

/// How long a migration may take, and how long one that another server does is waited for.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);

/// Lets statements and locks take their time, or no longer.
fn be_patient(db: &Connection, is_patient: bool) -> Result<(), StoreError> {
    match db {
        Connection::Sqlite(db) => Ok(db.busy_timeout(if is_patient { PATIENCE } else { BUSY })?),
        Connection::Postgres(db) => db.be_patient(is_patient.then_some(PATIENCE)),
    }
}

/// Functions with which a migration seals what stood in the clear.
pub(super) fn provide_seals(db: &rusqlite::Connection, kek: &Arc<Kek>) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    let of = Arc::clone(kek);
    db.create_scalar_function("seal_trigger", 4, flags, move |row: &mut Context<'_>| {
        let ad = TriggerAd { nonce: row.get(1)?, mac: row.get(2)?, url_s: row.get(3)? };
        Ok(rows::seal_trigger(&ad, &of, &row.get::<String>(0)?))
    })?;
    let of = Arc::clone(kek);
    db.create_scalar_function("seal_response", 2, flags, move |row: &mut Context<'_>| {
        let (session, response) = (row.get::<String>(0)?, Secret::new(row.get(1)?));
        Ok(of.seal("answer", "sealed_response", &session, &response))
    })?;
    Ok(())
}

/// Writes a SQLite database anew where a migration asked for it: nothing of what it sealed stays behind in the clear, not
/// in free pages and not in the write-ahead log.
pub(super) fn rewrite(db: &Connection) -> Result<(), StoreError> {
    let Connection::Sqlite(db) = db else { return Ok(()) };
    if !db.prepare("SELECT 1 FROM rewrite")?.exists([])? {
        return Ok(());
    }
    tracing::info!(
        "writing the database anew, so that nothing stays in it as it was before it was sealed, or sealed anew"
    );
    db.pragma_update(None, "temp_store", "FILE")?; // the copy may be larger than memory, and holds nothing in the clear
    let rewritten = db.execute_batch("VACUUM").and_then(|()| truncate_log(db));
    db.pragma_update(None, "temp_store", "MEMORY")?;
    match rewritten {
        Ok(true) => db.execute("DELETE FROM rewrite", []).map(drop).map_err(StoreError::from),
        Ok(false) => {
            tracing::warn!("another process reads the database: it is written anew at the next start");
            Ok(())
        }
        Err(why) => {
            tracing::warn!("the database cannot be written anew ({why}), which the next start tries again");
            Ok(())
        }
    }
}

/// Whether the write-ahead log is empty afterwards.
fn truncate_log(db: &rusqlite::Connection) -> rusqlite::Result<bool> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map(|busy: i64| busy == 0)
}
