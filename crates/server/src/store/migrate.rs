//! The schema, and how a database of an earlier version comes to it.

use std::sync::Arc;

use dskpp_crypto::Secret;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, TransactionBehavior};

use super::{StoreError, check_kek, is_identity, rows};
use crate::model::TriggerAd;
use crate::store::seal::Kek;

/// One step after the other; `user_version` counts those that are done.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_first.sql"),
    include_str!("../../migrations/sqlite/0002_imported.sql"),
    include_str!("../../migrations/sqlite/0003_two_pass.sql"),
    include_str!("../../migrations/sqlite/0004_devices.sql"),
    include_str!("../../migrations/sqlite/0005_platform.sql"),
    include_str!("../../migrations/sqlite/0006_import_report.sql"),
    include_str!("../../migrations/sqlite/0007_sealed.sql"),
    include_str!("../../migrations/sqlite/0008_tries.sql"),
    include_str!("../../migrations/sqlite/0009_url_s.sql"),
    include_str!("../../migrations/sqlite/0010_store.sql"),
];

/// The schema's version.
pub(crate) const SCHEMA: usize = MIGRATIONS.len();

/// Checks the key, and does the steps that are missing, all or none. A database without identity gets `known`.
///
/// # Errors
/// [`StoreError::TooNew`], [`StoreError::Sealed`] where the key-encryption key is another one.
pub(super) fn migrate(db: &mut Connection, kek: &Arc<Kek>, known: Option<&str>) -> Result<(), StoreError> {
    if version_of(db)? == MIGRATIONS.len() {
        return check_kek(db, kek); // as on every start but the first: without a lock
    }
    // A table that others refer to can be made anew only without foreign keys, and they cannot be switched off inside
    // the transaction.
    db.pragma_update(None, "foreign_keys", false)?;
    let migrated = migrate_in_transaction(db, kek, known);
    db.pragma_update(None, "foreign_keys", true)?;
    migrated
}

fn migrate_in_transaction(db: &mut Connection, kek: &Arc<Kek>, known: Option<&str>) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = version_of(&transaction)?; // another start may have been faster
    if done > MIGRATIONS.len() {
        return Err(StoreError::TooNew { found: done, known: MIGRATIONS.len() });
    }
    if done > 0 {
        check_kek(&transaction, kek)?; // steps seal under it
    }
    let has_identity = transaction.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'store'")?.exists([])?;
    provide_seals(&transaction, kek)?;
    for (version, step) in (1i64..).zip(MIGRATIONS).skip(done) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    check_kek(&transaction, kek)?;
    if let Some(known) = known.filter(|known| !has_identity && is_identity(known)) {
        transaction.execute("UPDATE store SET id = ?", [known])?;
    }
    if transaction.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(StoreError::Damaged("rows refer to others that are missing".into()));
    }
    Ok(transaction.commit()?)
}

pub(super) fn version_of(db: &Connection) -> Result<usize, StoreError> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    usize::try_from(version).map_err(|_| StoreError::Damaged("its version cannot be read".into()))
}

/// Functions with which a step seals what stood in the clear.
fn provide_seals(db: &Connection, kek: &Arc<Kek>) -> Result<(), StoreError> {
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

/// Writes the database anew where a migration asked for it: nothing of what it sealed stays behind in the clear, not in
/// free pages and not in the write-ahead log.
pub(super) fn rewrite(db: &Connection) -> Result<(), StoreError> {
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
fn truncate_log(db: &Connection) -> rusqlite::Result<bool> {
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map(|busy: i64| busy == 0)
}
