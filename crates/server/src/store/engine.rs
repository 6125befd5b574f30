//! The threads behind the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::StoreError;
use super::disk::Disk;
use crate::platform::secure_database;
use crate::store::queue::{Receiver, Sender, bounded};
use crate::threads::VitalThreads;

/// Jobs that may wait for the writer; more are refused as unavailable.
const QUEUE: usize = 4096;
/// Jobs in one transaction, each of a few rows; a piece of bulk goes along.
const GROUP: usize = 256;
/// How long a lock of another process is waited for.
pub(super) const BUSY: Duration = Duration::from_secs(5);
const READERS: usize = 2;
/// Readings in one transaction.
const READ_GROUP: usize = 16;
const STACK_LEN: usize = 512 * 1024;

type Reading = Box<dyn FnOnce(&Connection) + Send>;

/// One writer, some readers.
#[derive(Clone)]
pub(super) struct Engine {
    writer: Sender<Box<dyn Job>>,
    readers: Sender<Reading>,
    vital: VitalThreads,
    path: PathBuf,
    disk: Arc<Disk>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

/// A write on its way.
pub(crate) struct Pending<T>(Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>);

impl<T> Pending<T> {
    /// Waits until it is durable.
    pub(crate) async fn done(self) -> Result<T, StoreError> {
        let stopped = |_| Err(StoreError::Unavailable("the writer has stopped".into()));
        self.0?.await.unwrap_or_else(stopped)
    }
}

/// A write that waits for its turn.
trait Job: Send {
    /// Does the work, to be undone on an error, and perhaps done again.
    fn run(&mut self, db: &Connection) -> Result<(), StoreError>;
    /// Answers, after the commit or after it failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, F> {
    work: F,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: Fn(&Connection) -> Result<T, StoreError> + Send> Job for Write<T, F> {
    fn run(&mut self, db: &Connection) -> Result<(), StoreError> {
        // A defect in one job must not end the writer: it is undone, the others go on.
        let done = catch_unwind(AssertUnwindSafe(|| (self.work)(db)));
        let result = done.unwrap_or_else(|_| Err(StoreError::Unavailable("a write panicked".into())));
        self.result.insert(result).as_ref().map(drop).map_err(Clone::clone)
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let stopped = || Err(StoreError::Unavailable("the store has stopped".into()));
        let result = match (self.result, committed) {
            (Some(Ok(_)) | None, Err(why)) => Err(why),
            (result, _) => result.unwrap_or_else(stopped),
        };
        _ = self.answer.send(result); // nobody waits any more: the work is done all the same
    }
}

/// A connection with the settings that durability and several processes need.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    // Where even that is refused, SQLite has the better reason.
    _ = secure_database(path);
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    write_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "cache_size", -2048)?; // KiB
    // What undoes a statement or a savepoint: else it goes through a file, however short, once it has been long.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Else SQLite plans a join anew for every value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
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

impl Engine {
    pub(super) fn start(path: &Path, writer: Connection) -> Result<Self, StoreError> {
        let vital = VitalThreads::default();
        let (readings, waiting) = bounded(QUEUE);
        for number in 0..READERS {
            let (connection, reading) = (reader(path)?, waiting.clone());
            spawn(&vital, format!("store-reader-{number}"), move || read_all(&connection, &reading))?;
        }
        let disk = Arc::new(Disk::new(path)?); // now that SQLite has made its files
        let (jobs, waiting) = bounded(QUEUE);
        let of_writer = Arc::clone(&disk);
        spawn(&vital, "store-writer".into(), move || write_all(&writer, &of_writer, &waiting))?;
        Ok(Engine { writer: jobs, readers: readings, vital, path: path.to_owned(), disk })
    }

    /// The threads of the store.
    pub(super) fn vital(&self) -> VitalThreads {
        self.vital.clone()
    }

    /// Moves all that waits or is only in the WAL into the database file, which alone is then whole.
    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await?;
        let path = self.path.clone();
        let checkpoint = move || {
            let in_the_way = connect(&path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            match in_the_way {
                false => Ok(()),
                true => Err(StoreError::Unavailable("another process reads or writes it".into())),
            }
        };
        let ended = |why: tokio::task::JoinError| StoreError::Unavailable(why.to_string());
        tokio::task::spawn_blocking(checkpoint).await.map_err(ended)?
    }

    /// The database's files.
    pub(super) fn disk(&self) -> Arc<Disk> {
        Arc::clone(&self.disk)
    }

    /// Runs `work` in a transaction and answers once it is durable. It may be undone and run again on the way.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.begin_write(work).done().await
    }

    /// As [`Engine::write`], without waiting: from now on the work is done whether or not anybody waits for it.
    pub(super) fn begin_write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (answer, wait) = oneshot::channel();
        let is_in = self.writer.put(Box::new(Write { work, result: None, answer }));
        Pending(if is_in { Ok(wait) } else { Err(full()) })
    }

    /// As [`Engine::write`], for a piece of bulk, at most some thousand rows: other writes wait for one such piece only.
    pub(super) async fn write_bulk<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let is_in = self.writer.put_bulk(Box::new(Write { work, result: None, answer }));
        Pending(if is_in { Ok(wait) } else { Err(full()) }).done().await
    }

    /// Whether a piece of bulk waits.
    #[cfg(test)]
    pub(super) fn has_bulk(&self) -> bool {
        self.writer.has_bulk()
    }

    /// Runs `work` on a reading connection.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let disk = self.disk();
        let reading: Reading = Box::new(move |db| {
            let read = work(db);
            _ = read.as_ref().inspect_err(|why| disk.note(why));
            _ = answer.send(read);
        });
        if !self.readers.put(reading) {
            return Err(full());
        }
        wait.await.unwrap_or_else(|_| Err(StoreError::Unavailable("the reader has stopped".into())))
    }
}

fn full() -> StoreError {
    StoreError::Unavailable("too many requests wait for it".into())
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn spawn(vital: &VitalThreads, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    vital.spawn(name, STACK_LEN, work).map_err(|why| StoreError::Unavailable(why.to_string()))
}

/// Readings that wait together share one transaction: SQLite then looks only once whether its cache is stale.
fn read_all(db: &Connection, waiting: &Receiver<Reading>) {
    loop {
        let readings = waiting.take(READ_GROUP);
        if readings.is_empty() {
            return;
        }
        // Without the transaction each reading has one of its own, which is right as well.
        let shared = readings.len() > 1 && execute(db, "BEGIN").is_ok();
        for reading in readings {
            // One that panics drops its answer, which its caller sees.
            _ = catch_unwind(AssertUnwindSafe(|| reading(db)));
        }
        if shared {
            _ = execute(db, "COMMIT");
        }
    }
}

fn write_all(db: &Connection, disk: &Disk, waiting: &Receiver<Box<dyn Job>>) {
    loop {
        let mut group = waiting.take(GROUP);
        if group.is_empty() {
            return;
        }
        let committed = disk.check().and_then(|()| commit(db, &mut group));
        if let Err(why) = &committed {
            disk.note(why);
            tracing::error!("a transaction failed: {why}");
            if !db.is_autocommit() {
                _ = db.execute_batch("ROLLBACK");
            }
        }
        for job in group {
            job.answer(committed.clone());
        }
    }
}

/// Mostly all jobs of a group do well. Where one does not, all is undone and done again, so that it alone can be undone.
fn commit(db: &Connection, group: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    execute(db, "BEGIN IMMEDIATE")?;
    if let Err(why) = group.iter_mut().try_for_each(|job| job.run(db)) {
        if matches!(why, StoreError::Damaged(_)) {
            return Err(why);
        }
        // On a full disk SQLite has undone the whole transaction by itself.
        if !db.is_autocommit() {
            execute(db, "ROLLBACK")?;
        }
        execute(db, "BEGIN IMMEDIATE")?;
        group.iter_mut().try_for_each(|job| run_apart(db, job.as_mut()))?;
    }
    execute(db, "COMMIT")
}

fn run_apart(db: &Connection, job: &mut dyn Job) -> Result<(), StoreError> {
    execute(db, "SAVEPOINT job")?;
    if let Err(why) = job.run(db) {
        if db.is_autocommit() {
            return Err(why);
        }
        execute(db, "ROLLBACK TO job")?;
    }
    execute(db, "RELEASE job")
}

fn execute(db: &Connection, sql: &str) -> Result<(), StoreError> {
    Ok(db.prepare_cached(sql)?.execute([]).map(drop)?)
}
