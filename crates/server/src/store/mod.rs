//! The store, on SQLite or PostgreSQL (`db.rs`): one writer that commits many jobs at once, several readers.
//!
//! - A write is answered only after the COMMIT that contains it is durable.
//! - Jobs that wait are committed together. One that fails undoes only itself: the others are done again without it.
//! - Any number of servers may share a database: what must happen once is decided by a statement, which changes a row
//!   only if that is still as it was read.
//! - Every method returns a future; the database is never waited for on a thread of the async runtime.

mod access;
mod activation;
mod answers;
mod audit;
mod audit_list;
mod backup;
mod check;
mod checkpoint;
mod columns;
mod commit;
mod copy;
mod counts;
mod current_kek;
mod db;
mod devices;
mod disk;
mod engine;
mod enrolments;
mod expiring;
mod export;
mod guesses;
mod idempotent;
mod import;
mod k_servers;
mod key_changes;
mod key_lists;
pub(crate) mod key_package;
mod keys;
mod lists;
mod live;
mod lost;
mod measures;
mod migrate;
mod notices;
mod outbox;
mod owner_renewal;
mod pending;
mod precondition;
mod queue;
mod rotate;
mod rows;
mod runs;
#[cfg(test)]
pub(crate) mod scratch;
pub(crate) mod seal;
mod session_keys;
mod stand_in;
mod tables;
#[cfg(test)]
mod tests;
mod tries;

use std::sync::Arc;
use std::thread;

use dskpp_crypto::Secret;

pub(crate) use crate::error::{StoreError, Unreadable};
use crate::metrics::Collectors;
use crate::model::clock::now;
use crate::policy::otp::Windows;
use crate::store::seal::Kek;
use crate::threads::VitalThreads;
pub(crate) use access::new_token;
pub(crate) use audit_list::{AuditFilter, AuditPlace, AuditRecord};
pub use backup::BackupContent;
pub(crate) use backup::{back_up, check_backup, gather, opens_backup};
pub(crate) use check::check;
pub use check::{Checked, Finding};
pub(crate) use columns::Page;
use columns::{secret, value};
pub(crate) use commit::{Commit, CommitRun, NewKey, ProvedRefusal};
pub(crate) use copy::copy;
pub use copy::{CopyProgress, CopyStep, TableContent};
pub(crate) use counts::StateCounts;
use current_kek::{CURRENT, Checks, FORMER, key_of};
pub(crate) use db::Database;
pub(crate) use db::address::{Password, PostgresAddress};
use db::{Connection, values};
pub(crate) use devices::{DeviceChange, DeviceFilter, NewDevice, NotPut};
pub(crate) use disk::{Content, look};
use engine::Engine;
pub(crate) use engine::Pending;
use enrolments::By;
pub(crate) use enrolments::{Created, NewEnrolment};
pub(crate) use export::Outgoing;
pub(crate) use idempotent::{Claim, Claimed};
pub(crate) use import::{Batch, BatchDone, Progress};
pub(crate) use key_changes::{KeyChange, KeysToRevoke};
pub(crate) use key_lists::KeyFilter;
pub(crate) use keys::{OldKey, Verdict};
pub(crate) use lists::EnrolmentFilter;
pub(crate) use migrate::SCHEMA;
pub(crate) use notices::{NOTICE_LEASE_S, NoticeAttempt, TakenNotice};
pub(crate) use outbox::{Attempt, DeliveryFilter, LEASE_S, Leased};
pub(crate) use rotate::RotationWaits;
pub use rotate::{Rotated, RotationStep};
pub(crate) use runs::{HelloContext, HelloQuery};
pub(crate) use session_keys::SessionKeys;
pub(crate) use tries::{LOCK_S, Locked, MAX_ADDRESSES, Tries};

/// What the store decides by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StorePolicy {
    /// Wrong tries after which nothing is accepted from their address for a while ([`LOCK_S`]).
    pub lock_after: u32,
    /// How far from the expected one a password is looked for.
    pub windows: Windows,
    /// Whether migrations that a database lacks are done when it is opened. A new one gets them in any case.
    pub may_migrate: bool,
}

/// A handle on the store; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    engine: Engine,
    kek: Arc<Kek>,
    policy: StorePolicy,
    id: Arc<str>,
}

/// A counter as the database holds it.
fn stored(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::State("a counter has come to its end"))
}

impl Store {
    /// As [`Store::open_known`], where nothing is known of it.
    pub(crate) fn open(database: impl Into<Database>, kek: Arc<Kek>, policy: StorePolicy) -> Result<Self, StoreError> {
        Self::open_known(database, kek, policy, None)
    }

    /// The threads of the store.
    pub(crate) fn vital(&self) -> VitalThreads {
        self.engine.vital()
    }

    /// Kills the writer, or a reader, as no job should be able to.
    #[cfg(test)]
    pub(crate) async fn kill(&self, the_writer: bool) {
        let died = match the_writer {
            true => {
                self.engine.write(|_| -> Result<(), StoreError> { std::panic::panic_any(crate::threads::Bomb) }).await
            }
            false => {
                self.engine.read(|_| -> Result<(), StoreError> { std::panic::panic_any(crate::threads::Bomb) }).await
            }
        };
        assert!(matches!(died, Err(StoreError::Unavailable(_))));
    }

    /// Moves all that waits or is only in the WAL into the database file, which alone is then whole.
    pub(crate) async fn checkpoint(&self) -> Result<(), StoreError> {
        self.engine.checkpoint().await
    }

    /// Opens the database, making or migrating it. Blocks. `known` is the identity that it must have, and that one of a
    /// version without identities gets.
    ///
    /// # Errors
    /// [`StoreError::TooNew`], [`StoreError::TooOld`], [`StoreError::Migration`], [`StoreError::Sealed`] where the
    /// key-encryption key is another one, [`StoreError::Other`].
    pub(crate) fn open_known(
        database: impl Into<Database>,
        kek: Arc<Kek>,
        policy: StorePolicy,
        known: Option<&str>,
    ) -> Result<Self, StoreError> {
        let database = database.into();
        // On a thread of its own: a connection may have a runtime, which cannot begin inside another.
        let open = || Store::open_here(&database, kek, policy, known);
        let opened = thread::scope(|scope| scope.spawn(open).join());
        opened.unwrap_or_else(|_| Err(StoreError::Unavailable("opening it panicked".into())))
    }

    fn open_here(
        database: &Database,
        kek: Arc<Kek>,
        policy: StorePolicy,
        known: Option<&str>,
    ) -> Result<Self, StoreError> {
        let connection = database.connect()?;
        if let Some(theirs) = connection.clock()? {
            check_clock(now(), theirs)?;
        }
        if tables::is_unfinished(&connection)? {
            return Err(StoreError::UnfinishedCopy);
        }
        migrate::migrate(&connection, &kek, known, policy.may_migrate)?;
        let id = identity_of(&connection)?;
        if known.is_some_and(|known| known != id) {
            return Err(StoreError::Other { id });
        }
        migrate::rewrite(&connection)?;
        Ok(Store { engine: Engine::start(database, connection, Arc::clone(&kek))?, kek, policy, id: id.into() })
    }

    /// What the store counts.
    pub(crate) fn metrics(&self) -> Collectors {
        self.engine.measures().collectors()
    }

    /// Sets the metrics that are only looked at.
    pub(crate) fn measure(&self) {
        self.engine.measure();
    }

    /// Whether other servers may share the database, from other machines.
    pub(crate) fn is_shared(&self) -> bool {
        self.engine.disk().is_none()
    }

    /// What tells this store from every other.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the store works: its files are there and whole, the folder takes more, and a write is durable.
    pub(crate) async fn probe(&self) -> Result<(), StoreError> {
        let disk = self.engine.disk();
        let looked = tokio::task::spawn_blocking(move || disk.map_or(Ok(()), |disk| disk.look())).await;
        looked.unwrap_or_else(|why| Err(StoreError::Unavailable(why.to_string())))?;
        let tried = |db: &Connection| {
            migrate::version_of(db)?.check()?; // a newer server may have contracted the schema
            db.execute("UPDATE store SET tried_at = ?1 WHERE tried_at <> ?1", values![now()]).map(drop)
        };
        self.engine.write(tried).await
    }

    /// When the last entry of the audit trail's chain here was written.
    pub(crate) async fn last_audit(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT chain, at FROM audit WHERE chain = ? ORDER BY seq DESC LIMIT 1";
        self.engine.read(move |db| value(db, "audit", sql, values![db.chain()])).await
    }

    /// A secret setting.
    pub(crate) async fn setting(&self, name: &'static str) -> Result<Option<Secret>, StoreError> {
        let kek = Arc::clone(&self.kek);
        self.engine.read(move |db| read_setting(db, &kek, name)).await
    }

    /// Sets a setting unless it is there; gives the one that is there afterwards.
    pub(crate) async fn set_setting_once(&self, name: &'static str, value: Secret) -> Result<Secret, StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let sealed = kek.seal("setting", "sealed_value", name, &value);
            db.execute(
                "INSERT INTO setting (name, sealed_value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                values![name, sealed],
            )?;
            read_setting(db, &kek, name)?.ok_or(StoreError::NotFound("setting"))
        };
        self.engine.write(write).await
    }

    /// Forgets a setting, if it is there.
    pub(crate) async fn forget_setting(&self, name: &'static str) -> Result<(), StoreError> {
        self.engine.write(move |db| db.execute("DELETE FROM setting WHERE name = ?", values![name]).map(drop)).await
    }
}

/// Seconds by which the clocks of servers that share a database may differ.
const MAX_CLOCK_DIFFERENCE_S: u64 = 30;

fn check_clock(ours: i64, theirs: i64) -> Result<(), StoreError> {
    match ours.abs_diff(theirs) <= MAX_CLOCK_DIFFERENCE_S {
        true => Ok(()),
        false => Err(StoreError::Clock { seconds: ours.saturating_sub(theirs) }),
    }
}

/// 16 hexadecimal digits.
fn is_identity(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// The store's identity.
fn identity_of(db: &Connection) -> Result<String, StoreError> {
    let id = db.first("SELECT id FROM store", values![], rows::identity)?;
    id.ok_or_else(|| StoreError::Damaged("it has lost its identity".into()))
}

fn read_setting(db: &Connection, kek: &Kek, name: &str) -> Result<Option<Secret>, StoreError> {
    secret(db, kek, ("setting", "sealed_value"), "SELECT name, sealed_value FROM setting WHERE name = ?", values![name])
}

/// Whether a server with this key-encryption key, and further ones, has all that a database's secrets are sealed under.
fn opens(db: &Connection, kek: &Kek) -> Result<bool, StoreError> {
    let Checks { current, former, .. } = Checks::read(db)?;
    let has_current = matches!(key_of(kek, CURRENT, current.as_ref()), Ok(Some(_)));
    Ok(has_current && key_of(kek, FORMER, former.as_ref()).is_ok())
}
