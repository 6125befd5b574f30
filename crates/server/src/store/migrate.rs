//! The schema, and how a database of an earlier version comes to it.

use std::sync::Arc;

use dskpp_crypto::{Random as _, Secret, SystemRandom};
use rusqlite::functions::{Context, FunctionFlags};

use super::columns::Columns;
use super::db::{Connection, Row, values};
use super::{StoreError, check_kek, is_identity, rows};
use crate::model::TriggerAd;
use crate::store::seal::Kek;

/// The schema's version.
pub(crate) const SCHEMA: usize = 12;

/// What leads to a version from the one before it in the list, or from nothing.
type Step = (usize, &'static str);

/// One step after the other; `user_version` says how far they are done.
pub(super) const SQLITE: &[Step] = &[
    (1, include_str!("../../migrations/sqlite/0001_first.sql")),
    (2, include_str!("../../migrations/sqlite/0002_imported.sql")),
    (3, include_str!("../../migrations/sqlite/0003_two_pass.sql")),
    (4, include_str!("../../migrations/sqlite/0004_devices.sql")),
    (5, include_str!("../../migrations/sqlite/0005_platform.sql")),
    (6, include_str!("../../migrations/sqlite/0006_import_report.sql")),
    (7, include_str!("../../migrations/sqlite/0007_sealed.sql")),
    (8, include_str!("../../migrations/sqlite/0008_tries.sql")),
    (9, include_str!("../../migrations/sqlite/0009_url_s.sql")),
    (10, include_str!("../../migrations/sqlite/0010_store.sql")),
    (11, include_str!("../../migrations/sqlite/0011_chains.sql")),
    (12, include_str!("../../migrations/sqlite/0012_session_keys.sql")),
];

/// The same for PostgreSQL; the table `schema` says how far they are done.
const POSTGRES: &[Step] = &[
    (11, include_str!("../../migrations/postgres/0011_first.sql")),
    (12, include_str!("../../migrations/postgres/0012_session_keys.sql")),
];

/// Checks the key, and does the steps that are missing, all or none. A database without identity gets `known`, or a new
/// one.
///
/// # Errors
/// [`StoreError::TooNew`], [`StoreError::Sealed`] where the key-encryption key is another one.
pub(super) fn migrate(db: &Connection, kek: &Arc<Kek>, known: Option<&str>) -> Result<(), StoreError> {
    let steps = match db {
        Connection::Sqlite(_) => SQLITE,
        Connection::Postgres(_) => {
            count_versions(db)?;
            POSTGRES
        }
    };
    if version_of(db)? == SCHEMA {
        return check_kek(db, kek); // as on every start but the first: without a lock
    }
    if let Connection::Sqlite(sqlite) = db {
        // A table that others refer to can be made anew only without foreign keys, and they cannot be switched off
        // inside the transaction.
        sqlite.pragma_update(None, "foreign_keys", false)?;
        provide_seals(sqlite, kek)?;
    }
    let migrated = db.begin().and_then(|()| step_by_step(db, steps, kek, known)).and_then(|()| db.commit());
    if migrated.is_err() {
        _ = db.roll_back(); // the reason is in `migrated`
    }
    if let Connection::Sqlite(sqlite) = db {
        sqlite.pragma_update(None, "foreign_keys", true)?;
    }
    migrated
}

/// Makes the table that says how far the steps are done. Where several starts make it at once, all but one are refused,
/// whatever `IF NOT EXISTS` says.
fn count_versions(db: &Connection) -> Result<(), StoreError> {
    const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema (is_only BOOLEAN PRIMARY KEY CHECK (is_only), \
                         version BIGINT NOT NULL); \
                         INSERT INTO schema VALUES (TRUE, 0) ON CONFLICT DO NOTHING";
    match db.batch(TABLE) {
        Err(StoreError::Conflict(_)) => db.batch(TABLE),
        made => made,
    }
}

fn step_by_step(db: &Connection, steps: &[Step], kek: &Arc<Kek>, known: Option<&str>) -> Result<(), StoreError> {
    if let Connection::Postgres(_) = db {
        db.exists("SELECT version FROM schema FOR UPDATE", &[])?; // one start at a time
    }
    let done = version_of(db)?; // another start may have been faster
    if done > SCHEMA {
        return Err(StoreError::TooNew { found: done, known: SCHEMA });
    }
    if done > 0 {
        check_kek(db, kek)?; // steps seal under it
    }
    for (version, step) in steps.iter().filter(|(version, _)| *version > done) {
        db.batch(step)?;
        db.batch(&match db {
            Connection::Sqlite(_) => format!("PRAGMA user_version = {version}"),
            Connection::Postgres(_) => format!("UPDATE schema SET version = {version}"),
        })?;
    }
    check_kek(db, kek)?;
    if let (true, Connection::Sqlite(sqlite)) = (done < SCHEMA, db)
        && sqlite.prepare("PRAGMA foreign_key_check")?.exists([])?
    {
        return Err(StoreError::Damaged("rows refer to others that are missing".into()));
    }
    identify(db, if done < IDENTITY { known } else { None })
}

/// The version in which stores got an identity.
const IDENTITY: usize = 10;

/// Gives a store the identity that it is known by; one that has none gets a new one.
fn identify(db: &Connection, known: Option<&str>) -> Result<(), StoreError> {
    if let Some(known) = known.filter(|known| is_identity(known)) {
        db.execute("UPDATE store SET id = ?", values![known])?;
    }
    let id = data_encoding::HEXLOWER.encode(&SystemRandom.bytes(8));
    db.execute("INSERT INTO store VALUES (1, ?, 0) ON CONFLICT DO NOTHING", values![known.unwrap_or(&id)]).map(drop)
}

pub(super) fn version_of(db: &Connection) -> Result<usize, StoreError> {
    let sql = match db {
        Connection::Sqlite(_) => "PRAGMA user_version",
        Connection::Postgres(_) => "SELECT version FROM schema",
    };
    let version = db.first(sql, &[], |row: &Row<'_>| Columns::of("schema", row).get::<i64>(0))?;
    let version = version.and_then(|version| usize::try_from(version).ok());
    version.ok_or_else(|| StoreError::Damaged("its version cannot be read".into()))
}

/// Functions with which a step seals what stood in the clear.
fn provide_seals(db: &rusqlite::Connection, kek: &Arc<Kek>) -> Result<(), StoreError> {
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
    tracing::info!("writing the database anew, so that nothing that is sealed now stays in it in the clear");
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
