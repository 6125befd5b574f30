//! Which key-encryption key seals: the store says so, by values that only that key opens. So all servers on a database
//! change to another one together, while they run (see `rotate`).

use std::sync::Arc;
use std::time::Instant;

use dskpp_crypto::Secret;

use super::columns::{Columns, Row};
use super::db::{Connection, values};
use super::{Store, StoreError};
use crate::error::CannotOpen;
use crate::store::seal::Kek;

/// Sealed under the key that seals.
pub(super) const CURRENT: &str = "kek_check";
/// Sealed under the key that sealed before: some values may still be.
pub(super) const FORMER: &str = "kek_check_former";
/// Sealed under the key that shall seal next. A server that cannot open it takes it away: that is its objection.
pub(super) const NEXT: &str = "kek_check_next";

/// The values in the store.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) current: Option<Vec<u8>>,
    pub(super) former: Option<Vec<u8>>,
    pub(super) next: Option<Vec<u8>>,
}

impl Checks {
    pub(super) fn read(db: &Connection) -> Result<Self, StoreError> {
        let read = |row: &Row<'_>| {
            let row = Columns::of("setting", row);
            Ok((row.get::<String>(0)?, row.get::<Vec<u8>>(1)?))
        };
        let sql = "SELECT name, sealed_value FROM setting WHERE name IN (?, ?, ?)";
        let mut checks = Checks::default();
        for row in db.rows(sql, values![CURRENT, FORMER, NEXT], read)? {
            let (name, sealed) = row?;
            match &*name {
                CURRENT => checks.current = Some(sealed),
                FORMER => checks.former = Some(sealed),
                _ => checks.next = Some(sealed),
            }
        }
        Ok(checks)
    }
}

/// Which key opens a value; `None` where there is no value.
pub(super) fn key_of(kek: &Kek, name: &'static str, sealed: Option<&Vec<u8>>) -> Result<Option<usize>, CannotOpen> {
    let Some(sealed) = sealed else { return Ok(None) };
    let index = kek.key_of("setting", "sealed_value", name, sealed);
    index.map(Some).ok_or(CannotOpen { table: "setting", column: "sealed_value", row: name.to_owned() })
}

/// Puts a value, in place of the one that is there.
pub(super) fn put(db: &Connection, kek: &Kek, name: &str) -> Result<(), StoreError> {
    let sealed = kek.seal("setting", "sealed_value", name, &Secret::from_slice(b"dskpp"));
    let sql = "INSERT INTO setting (name, sealed_value) VALUES (?, ?) \
               ON CONFLICT (name) DO UPDATE SET sealed_value = excluded.sealed_value";
    db.execute(sql, values![name, sealed]).map(drop)
}

/// Takes a value away; gives whether it was there.
pub(super) fn take_away(db: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(db.execute("DELETE FROM setting WHERE name = ?", values![name])? > 0)
}

/// At the start: whether the server has every key that it needs, and which one seals. In a new store its first key does.
///
/// # Errors
/// [`StoreError::Sealed`], [`StoreError::FormerKek`] for a key that it lacks.
pub(super) fn check(db: &Connection, kek: &Kek) -> Result<(), StoreError> {
    let checks = Checks::read(db)?;
    if key_of(kek, FORMER, checks.former.as_ref()).is_err() {
        return Err(StoreError::FormerKek);
    }
    match key_of(kek, CURRENT, checks.current.as_ref())? {
        Some(index) => {
            kek.seal_with(index);
            Ok(())
        }
        None if db.exists("SELECT 1 FROM setting", values![])? => {
            Err(StoreError::Damaged("it does not say which key its secrets are sealed under".into()))
        }
        None => {
            let sealed = kek.seal("setting", "sealed_value", CURRENT, &Secret::from_slice(b"dskpp"));
            let sql = "INSERT INTO setting (name, sealed_value) VALUES (?, ?) ON CONFLICT DO NOTHING";
            db.execute(sql, values![CURRENT, sealed]).map(drop)
        }
    }
}

/// Before COMMIT, every few seconds: nothing is committed that is sealed under a key that does not seal any more.
///
/// # Errors
/// [`StoreError::Conflict`] where another key seals since the last time: what was sealed has to be sealed anew.
pub(super) fn confirm(db: &Connection, kek: &Kek) -> Result<(), StoreError> {
    if !kek.is_to_ask() {
        return Ok(());
    }
    let asked = Instant::now();
    let checks = Checks::read(db)?;
    let current = key_of(kek, CURRENT, checks.current.as_ref())?;
    if key_of(kek, NEXT, checks.next.as_ref()).is_err() {
        tracing::error!(
            "the key-encryption key cannot be changed to one that this server lacks: name its file in \
             seal.further_kek_files, restart, and run `dskpp seal rotate` again"
        );
        take_away(db, NEXT)?;
    }
    kek.confirmed(asked);
    match current {
        Some(index) if !kek.seal_with(index) => {
            tracing::info!("secrets are sealed under another key-encryption key from now on");
            Err(StoreError::Conflict("the key-encryption key was changed".into()))
        }
        _ => Ok(()),
    }
}

impl Store {
    /// The keys that the store's secrets are sealed under.
    pub(super) fn kek(&self) -> Arc<Kek> {
        Arc::clone(&self.kek)
    }
}
