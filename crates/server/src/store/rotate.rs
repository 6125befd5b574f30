//! The change to another key-encryption key, while servers run.
//!
//! 1. Servers are asked whether they have the new key: one that lacks it objects (`current_kek`).
//! 2. One transaction makes the new key the one that seals. Servers notice within seconds: see [`RotationWaits`].
//! 3. Every sealed value is looked at, some rows at a time, and sealed anew where it is not under the new key. A row that
//!    changes meanwhile is left to the next pass. Passes end when one that began after all servers had noticed has found
//!    nothing.
//! 4. The former key is no longer needed.
//!
//! Each step is one transaction or finds out by itself what is done: a rotation that is killed is simply begun again.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::columns::{Columns, Row};
use super::current_kek::{CURRENT, Checks, FORMER, NEXT, key_of, put, take_away};
use super::db::{Bind, Connection, Value, values};
use super::{Store, StoreError, audit};
use crate::model::clock::now;
use crate::store::seal::{ASKS_AFTER, Kek};

/// A table with sealed columns, each sealed to the row's identifier.
pub(super) struct SealedTable {
    pub(super) name: &'static str,
    /// The column with the identifier, a text.
    pub(super) id: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// Everything that is sealed. A test compares the list with the schema.
pub(super) const SEALED: &[SealedTable] = &[
    SealedTable { name: "setting", id: "name", columns: &["sealed_value"] },
    SealedTable { name: "session_key", id: "day", columns: &["sealed_key"] },
    SealedTable { name: "k_server", id: "id", columns: &["sealed_key"] },
    SealedTable { name: "device", id: "id", columns: &["sealed_shared_key"] },
    SealedTable { name: "enrolment", id: "id", columns: &["sealed_password", "sealed_trigger"] },
    SealedTable { name: "pending_key", id: "id", columns: &["sealed_k_token", "sealed_k_mac"] },
    SealedTable { name: "idempotent", id: "id", columns: &["sealed_answer"] },
    SealedTable { name: "answer", id: "session_id", columns: &["sealed_response"] },
    SealedTable { name: "key", id: "id", columns: &["sealed_k_token", "sealed_k_mac", "sealed_package"] },
];

/// Rows that are read, and at most changed, at a time.
const PAGE: usize = 250;
/// How often a step is tried that the database does not do, and how long it is waited for in between.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// How long servers have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RotationWaits {
    /// To object: each looks before a COMMIT, and commits something every ten seconds.
    pub(crate) objections: Duration,
    /// To seal with the new key: until they look again, and what is under way is committed or given up.
    pub(crate) notice: Duration,
}

impl RotationWaits {
    /// For the servers of a store.
    pub(crate) fn of(store: &Store) -> Self {
        // A database server gives up a transaction that does nothing for 30 s.
        let open = if store.is_shared() { Duration::from_secs(35) } else { Duration::from_secs(5) };
        RotationWaits { objections: Duration::from_secs(15), notice: ASKS_AFTER + open }
    }
}

/// How far a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RotationStep {
    /// Running servers can object, if they lack the new key, for so long.
    Asking(Duration),
    /// So many rows of so many have been looked at.
    Sealing {
        /// Rows that have been looked at.
        done: u64,
        /// Rows that there were at the beginning of the pass.
        of: u64,
    },
    /// Running servers may seal with the former key, for so long.
    Waiting(Duration),
}

/// A finished rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotated {
    /// Rows whose secrets were sealed anew.
    pub resealed: u64,
    /// Rows in the last pass, which found nothing under another key.
    pub checked: u64,
    /// Values that no key opens, as `table.column of row`: they were unreadable before.
    pub unreadable: Vec<String>,
}

/// A row with its sealed values.
type Sealed = (String, Vec<Option<Vec<u8>>>);

impl Store {
    /// Seals everything under `new`, one of the store's keys.
    ///
    /// # Errors
    /// [`StoreError::State`] where a server objects, or another rotation is unfinished.
    pub(crate) async fn rotate_kek(
        &self,
        new: &Kek,
        waits: RotationWaits,
        mut on_step: impl FnMut(RotationStep),
    ) -> Result<Rotated, StoreError> {
        let index = self.kek().position(new).ok_or(StoreError::NotFound("key-encryption key"))?;
        let checks = self.engine.read(Checks::read).await?;
        let is_current = key_of(&self.kek, CURRENT, checks.current.as_ref())? == Some(index);
        let mut ready = Instant::now();
        match (is_current, checks.former.is_some()) {
            (false, true) => {
                return Err(StoreError::State(
                    "a change to another key-encryption key is unfinished: run `dskpp seal rotate` with that one first",
                ));
            }
            (false, false) => {
                let announced = self.announce(new).await?;
                on_step(RotationStep::Asking(waits.objections));
                tokio::time::sleep(waits.objections).await;
                self.seal_with(index, announced).await?;
                ready = Instant::now() + waits.notice;
            }
            (true, true) => ready += waits.notice, // this goes on after an interruption, perhaps a short one
            (true, false) => {}                    // only a look whether anything is left
        }
        let mut rotated = Rotated::default();
        loop {
            let begun = Instant::now();
            let found = self.pass(&mut rotated, &mut on_step).await?;
            if found == 0 && begun >= ready {
                break;
            }
            rotated.resealed += found;
            if found == 0 {
                let left = ready.saturating_duration_since(Instant::now());
                on_step(RotationStep::Waiting(left));
                tokio::time::sleep(left).await;
            }
        }
        self.finish(rotated.resealed).await?;
        Ok(rotated)
    }

    /// Asks the servers; gives the value that does, which is like no other one.
    async fn announce(&self, new: &Kek) -> Result<Vec<u8>, StoreError> {
        let sealed = new.seal("setting", "sealed_value", NEXT, &dskpp_crypto::Secret::from_slice(b"dskpp"));
        let announced = sealed.clone();
        let write = move |db: &Connection| {
            take_away(db, NEXT)?;
            let sql = "INSERT INTO setting (name, sealed_value) VALUES (?, ?)";
            db.execute(sql, values![NEXT, sealed]).map(drop)
        };
        self.engine.write(write).await?;
        Ok(announced)
    }

    /// Makes a key the one that seals, unless somebody objected to what was announced.
    async fn seal_with(&self, index: usize, announced: Vec<u8>) -> Result<(), StoreError> {
        let kek = self.kek();
        let write = move |db: &Connection| {
            let checks = Checks::read(db)?;
            if key_of(&kek, CURRENT, checks.current.as_ref())? == Some(index) {
                return Ok(()); // it was done, and the answer got lost
            }
            if checks.next.is_some_and(|next| next != announced) {
                return Err(StoreError::State(
                    "another `dskpp seal rotate` has begun meanwhile, and this one has changed nothing",
                ));
            }
            let sql = "DELETE FROM setting WHERE name = ? AND sealed_value = ?";
            if db.execute(sql, values![NEXT, announced])? == 0 {
                return Err(StoreError::State(
                    "a running server lacks the new key-encryption key: name its file in seal.further_kek_files of \
                     every server, restart them, and run this again",
                ));
            }
            put(db, &kek, FORMER)?;
            kek.seal_with(index);
            put(db, &kek, CURRENT)?;
            audit::append(db, now(), "seal.rotation_begun", &json!({}))
        };
        self.engine.begin_repeatable(write).done().await
    }

    /// Looks at everything once; gives the number of rows that were not under the key that seals.
    async fn pass(&self, rotated: &mut Rotated, on_step: &mut impl FnMut(RotationStep)) -> Result<u64, StoreError> {
        rotated.unreadable.clear();
        let (of, mut done, mut found) = (self.count_sealed().await?, 0, 0);
        for table in SEALED {
            let mut after = String::new();
            loop {
                on_step(RotationStep::Sealing { done, of });
                let page = self.again(|| self.sealed_rows(table, after.clone())).await?;
                done += page.len() as u64;
                let is_last = page.len() < PAGE;
                after = page.last().map(|(id, _)| id.clone()).unwrap_or_default();
                let stale = self.stale(table, page, &mut rotated.unreadable);
                if !stale.is_empty() {
                    let (count, begun) = (stale.len() as u64, Instant::now());
                    let stale = Arc::new(stale);
                    self.again(|| self.replace(table, Arc::clone(&stale))).await?;
                    found += count;
                    // As long for the others, who run meanwhile.
                    tokio::time::sleep(begun.elapsed().min(Duration::from_millis(50))).await;
                }
                if is_last {
                    break;
                }
            }
        }
        rotated.checked = done;
        on_step(RotationStep::Sealing { done, of });
        Ok(found)
    }

    /// Does a step again where the database is away for a while.
    async fn again<T, F: Future<Output = Result<T, StoreError>>>(&self, step: impl Fn() -> F) -> Result<T, StoreError> {
        let mut tries = 1;
        loop {
            match step().await {
                Err(StoreError::Unavailable(_) | StoreError::Unknown(_) | StoreError::Conflict(_)) if tries < TRIES => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn count_sealed(&self) -> Result<u64, StoreError> {
        let count = |db: &Connection| {
            let mut all = 0;
            for SealedTable { name, .. } in SEALED {
                let count = |row: &Row<'_>| Columns::of("", row).get::<i64>(0);
                let count = db.first(&format!("SELECT count(*) FROM {name}"), &[], count)?;
                all += count.unwrap_or(0).unsigned_abs();
            }
            Ok(all)
        };
        self.engine.read(count).await
    }

    async fn sealed_rows(&self, table: &'static SealedTable, after: String) -> Result<Vec<Sealed>, StoreError> {
        let SealedTable { name, id, columns } = table;
        let sql = format!("SELECT {id}, {} FROM {name} WHERE {id} > ? ORDER BY {id} LIMIT ?", columns.join(", "));
        let read = move |db: &Connection| {
            let read = |row: &Row<'_>| {
                let row = Columns::of(name, row);
                let sealed = (1..=columns.len()).map(|i| row.get(i)).collect::<Result<_, _>>()?;
                Ok((row.get(0)?, sealed))
            };
            db.rows(&sql, values![after, PAGE as i64], read)?.into_iter().collect()
        };
        self.engine.read(read).await
    }

    /// Those rows that are not under the key that seals.
    fn stale(&self, table: &SealedTable, page: Vec<Sealed>, unreadable: &mut Vec<String>) -> Vec<Sealed> {
        page.into_iter()
            .filter(|(id, sealed)| table.reseal(&self.kek, id, sealed, |what| unreadable.push(what)).is_some())
            .collect()
    }

    /// Seals rows anew that are as they were read; others are left to the next pass.
    async fn replace(&self, table: &'static SealedTable, stale: Arc<Vec<Sealed>>) -> Result<(), StoreError> {
        let (kek, sql) = (self.kek(), table.update());
        let write = move |db: &Connection| {
            let mut replies = Vec::new();
            for (id, old) in stale.iter() {
                let Some(new) = table.reseal(&kek, id, old, |_| ()) else { continue };
                let values: Vec<Value<'_>> =
                    std::iter::once(id.bind()).chain(new.iter().chain(old).map(Bind::bind)).collect();
                replies.push(db.send(&sql, &values)?);
            }
            replies.into_iter().try_for_each(|reply| reply.wait().map(drop))
        };
        self.engine.write_bulk(write).await
    }

    async fn finish(&self, resealed: u64) -> Result<(), StoreError> {
        let write = move |db: &Connection| {
            if !take_away(db, FORMER)? && resealed == 0 {
                return Ok(());
            }
            if let Connection::Sqlite(_) = db {
                // Free pages may hold what is under the former key: the next start writes the database anew.
                db.batch("INSERT INTO rewrite (schema) VALUES (0) ON CONFLICT DO NOTHING")?;
            }
            audit::append(db, now(), "seal.rotated", &json!({ "rows": resealed }))
        };
        self.engine.begin_repeatable(write).done().await
    }
}

impl SealedTable {
    /// The row's values under the key that seals; `None` where they are already. Calls `unreadable` for each value that
    /// no key opens, which stays as it is.
    fn reseal(
        &self,
        kek: &Kek,
        id: &str,
        sealed: &[Option<Vec<u8>>],
        mut unreadable: impl FnMut(String),
    ) -> Option<Vec<Option<Vec<u8>>>> {
        if self.name == "setting" && id == FORMER {
            return None; // it goes at the end
        }
        let mut changed = false;
        let values = self.columns.iter().zip(sealed).map(|(column, old)| {
            let old = old.as_ref()?;
            match kek.reseal(self.name, column, id, old) {
                Ok(Some(new)) => {
                    changed = true;
                    Some(new)
                }
                Ok(None) => Some(old.clone()),
                Err(_) => {
                    unreadable(format!("{}.{column} of row '{id}'", self.name));
                    Some(old.clone())
                }
            }
        });
        let values = values.collect();
        changed.then_some(values)
    }

    /// Sets the values `?2` and on, if they are those behind them.
    fn update(&self) -> String {
        let SealedTable { name, id, columns } = self;
        let (mut set, mut same) = (String::new(), String::new());
        for (i, column) in columns.iter().enumerate() {
            let (new, old) = (i + 2, i + 2 + columns.len());
            _ = write!(set, "{}{column} = ?{new}", if i > 0 { ", " } else { "" });
            _ = write!(same, " AND {column} IS NOT DISTINCT FROM ?{old}");
        }
        format!("UPDATE {name} SET {set} WHERE {id} = ?1{same}")
    }
}
