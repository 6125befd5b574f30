//! The threads behind the store: one that writes, some that read, each with a connection of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::db::{Connection, Database};
use super::disk::Disk;
use super::idempotent::for_request;
use super::live::Live;
use super::measures::Measures;
use super::{StoreError, current_kek};
use crate::metrics::observe;
use crate::store::queue::{Receiver, Sender, bounded};
use crate::store::seal::Kek;
use crate::threads::VitalThreads;

/// Jobs that may wait for the writer; more are refused as unavailable.
const QUEUE: usize = 4096;
/// Jobs in one transaction, each of a few rows; a piece of bulk goes along.
const GROUP: usize = 256;
const READERS: usize = 2;
/// Readings in one transaction.
const READ_GROUP: usize = 16;
/// How often a transaction is tried that another one was in the way of, or whose connection broke.
const TRIES: u32 = 5;
const STACK_LEN: usize = 512 * 1024;

/// Reads; `false` if it is to be done again on another connection.
type Reading = Box<dyn FnMut(&Connection, Last) -> bool + Send>;

/// Whether it is the last try.
type Last = bool;

/// One writer, some readers.
#[derive(Clone)]
pub(super) struct Engine {
    writer: Sender<Box<dyn Job>>,
    readers: Sender<Reading>,
    vital: VitalThreads,
    database: Database,
    /// The files of a database that has some here.
    disk: Option<Arc<Disk>>,
    measures: Arc<Measures>,
    /// Told of each commit.
    committed: Arc<Notify>,
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
    /// Whether it may be done again where it is not known whether it was.
    fn is_repeatable(&self) -> bool;
    /// Since when it waits.
    fn since(&self) -> Instant;
    /// Answers, after the commit or after it failed.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, F> {
    work: F,
    is_repeatable: bool,
    since: Instant,
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

    fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }

    fn since(&self) -> Instant {
        self.since
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

impl Engine {
    /// Starts the threads; `writer` is a connection to the database.
    pub(super) fn start(database: &Database, writer: Connection, kek: Arc<Kek>) -> Result<Self, StoreError> {
        let (vital, measures) = (VitalThreads::default(), Arc::new(Measures::new()));
        let (readings, waiting) = bounded(QUEUE);
        for number in 0..READERS {
            let (reader, of_reader) = (database.reader()?, Arc::clone(&measures));
            let connection = Live::new(database.clone(), Database::reader, reader, Arc::clone(&measures));
            let reading = waiting.clone();
            spawn(&vital, format!("store-reader-{number}"), move || read_all(connection, &reading, &of_reader))?;
        }
        let disk = database.disk()?.map(Arc::new); // now that SQLite has made its files
        let (jobs, waiting) = bounded(QUEUE);
        let connection = Live::new(database.clone(), Database::connect, writer, Arc::clone(&measures));
        let committed = Arc::new(Notify::new());
        let (told, measures_of_writer) = (Arc::clone(&committed), Arc::clone(&measures));
        let mut of_writer = Writer { connection, disk: disk.clone(), kek, measures: measures_of_writer, told };
        spawn(&vital, "store-writer".into(), move || of_writer.write_all(&waiting))?;
        measures.reader.all.set(READERS as i64);
        measures.writer.all.set(1);
        Ok(Engine { writer: jobs, readers: readings, vital, database: database.clone(), disk, measures, committed })
    }

    /// The threads of the store.
    pub(super) fn vital(&self) -> VitalThreads {
        self.vital.clone()
    }

    /// Is told, as all who wait at that moment are, when this process has committed something.
    pub(super) fn committed(&self) -> Arc<Notify> {
        Arc::clone(&self.committed)
    }

    /// What it counts.
    pub(super) fn measures(&self) -> &Measures {
        &self.measures
    }

    /// Sets the metrics that are only looked at.
    pub(super) fn measure(&self) {
        let ((writes, bulk), (reads, _)) = (self.writer.len(), self.readers.len());
        let measures = &self.measures;
        for (gauge, length) in
            [(&measures.writes_waiting, writes), (&measures.bulk_waiting, bulk), (&measures.reads_waiting, reads)]
        {
            gauge.set(length as i64);
        }
    }

    /// Moves all that waits or is only in a write-ahead log here into the database file, which alone is then whole.
    pub(super) async fn checkpoint(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await?;
        let database = self.database.clone();
        let ended = |why: tokio::task::JoinError| StoreError::Unavailable(why.to_string());
        tokio::task::spawn_blocking(move || database.checkpoint()).await.map_err(ended)?
    }

    /// The database's files, if it has some here.
    pub(super) fn disk(&self) -> Option<Arc<Disk>> {
        self.disk.clone()
    }

    /// Runs `work` in a transaction and answers once it is durable. It may be undone and run again on the way.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.put(work, false).done().await
    }

    /// As [`Engine::write`], without waiting: the work is done even if nobody waits for it.
    pub(super) fn begin_write<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.put(work, false)
    }

    /// As [`Engine::begin_write`], for work that finds out whether it was done before: it is done again where the
    /// outcome of COMMIT is unknown.
    pub(super) fn begin_repeatable<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        self.put(work, true)
    }

    fn put<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
        is_repeatable: bool,
    ) -> Pending<T> {
        let (answer, wait) = oneshot::channel();
        let (since, work) = (Instant::now(), for_request(work));
        let is_in = self.writer.put(Box::new(Write { work, is_repeatable, since, result: None, answer }));
        Pending(if is_in { Ok(wait) } else { Err(full()) })
    }

    /// As [`Engine::write`], for a piece of bulk, at most some thousand rows: other writes wait for one such piece only.
    pub(super) async fn write_bulk<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let (is_repeatable, since, work) = (false, Instant::now(), for_request(work));
        let is_in = self.writer.put_bulk(Box::new(Write { work, is_repeatable, since, result: None, answer }));
        Pending(if is_in { Ok(wait) } else { Err(full()) }).done().await
    }

    /// Whether a piece of bulk waits.
    #[cfg(test)]
    pub(super) fn has_bulk(&self) -> bool {
        self.writer.has_bulk()
    }

    /// Runs `work` on a reading connection, on another one where that breaks.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, wait) = oneshot::channel();
        let (disk, mut answer) = (self.disk(), Some(answer));
        let (since, measures) = (Instant::now(), Arc::clone(&self.measures));
        let reading: Reading = Box::new(move |db, is_last| {
            let read = work(db);
            if read.is_err() && db.is_broken() && !is_last {
                return false;
            }
            if let (Err(why), Some(disk)) = (&read, &disk) {
                disk.note(why);
            }
            observe(&measures.reads, since);
            _ = answer.take().map(|answer| answer.send(read));
            true
        });
        if !self.readers.put(reading) {
            return Err(full());
        }
        wait.await.unwrap_or_else(|_| Err(StoreError::Unavailable("no connection to it".into())))
    }
}

fn full() -> StoreError {
    StoreError::Unavailable("too many requests wait for it".into())
}

fn spawn(vital: &VitalThreads, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    vital.spawn(name, STACK_LEN, work).map_err(|why| StoreError::Unavailable(why.to_string()))
}

/// Readings that wait together share one transaction where that saves work.
fn read_all(mut connection: Live, waiting: &Receiver<Reading>, measures: &Measures) {
    loop {
        let mut readings = waiting.take(READ_GROUP);
        if readings.is_empty() {
            return;
        }
        let _busy = measures.reader.work();
        for attempt in 1..=TRIES {
            let Ok(db) = connection.get() else { break }; // their callers see that they are dropped
            let shared = readings.len() > 1 && db.begin_reading();
            // One that panics drops its answer, which its caller sees.
            readings.retain_mut(|reading| {
                catch_unwind(AssertUnwindSafe(|| reading(db, attempt == TRIES))).is_ok_and(|done| !done)
            });
            if shared {
                _ = db.commit();
            }
            if readings.is_empty() {
                break;
            }
        }
    }
}

/// The thread that writes.
struct Writer {
    connection: Live,
    disk: Option<Arc<Disk>>,
    kek: Arc<Kek>,
    measures: Arc<Measures>,
    told: Arc<Notify>,
}

impl Writer {
    fn write_all(&mut self, waiting: &Receiver<Box<dyn Job>>) {
        loop {
            let mut group = waiting.take(GROUP);
            if group.is_empty() {
                return;
            }
            let (measures, disk) = (Arc::clone(&self.measures), self.disk.clone());
            let (busy, start, writes) = (measures.writer.work(), Instant::now(), group.len());
            let committed = disk.as_deref().map_or(Ok(()), Disk::check).and_then(|()| self.commit(&mut group));
            drop(busy);
            match &committed {
                Ok(()) => measures.committed(writes, start.elapsed()),
                Err(why) => {
                    measures.failures.inc();
                    _ = disk.inspect(|disk| disk.note(why));
                    tracing::error!("a transaction failed: {why}");
                }
            }
            for job in group {
                observe(&measures.writes, job.since());
                job.answer(committed.clone());
            }
            self.told.notify_waiters();
        }
    }

    /// Commits a group; again where another transaction was in the way or the connection broke.
    fn commit(&mut self, group: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        for attempt in 1.. {
            let (db, is_last) = (self.connection.get()?, attempt == TRIES);
            let committed = commit_once(db, &self.kek, group, is_last);
            if committed.is_err() {
                _ = db.roll_back(); // where even that fails the next transaction does not begin
            }
            match &committed {
                Err(StoreError::Unknown(why)) => answer_unrepeatable(group, why),
                Err(StoreError::Conflict(_)) => {}
                Err(_) if db.is_broken() => {} // before COMMIT: nothing was done
                _ => return committed,
            }
            if is_last || group.is_empty() {
                return committed;
            }
            self.measures.retries.inc();
            thread::sleep(Duration::from_millis(u64::from(attempt) * 20) + jitter());
        }
        Ok(())
    }
}

/// Up to 20 ms, so that those who were in each other's way do not meet again.
fn jitter() -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    Duration::from_micros(RandomState::new().hash_one(0) % 20_000)
}

/// Takes out of a group what may have been done and must not be done again.
fn answer_unrepeatable(group: &mut Vec<Box<dyn Job>>, why: &str) {
    let (again, unknown): (Vec<_>, Vec<_>) = std::mem::take(group).into_iter().partition(|job| job.is_repeatable());
    *group = again;
    for job in unknown {
        job.answer(Err(StoreError::Unknown(why.to_owned())));
    }
}

/// Mostly all jobs of a group do well. Where one does not, all is undone and done again, so that it alone can be undone.
fn commit_once(db: &Connection, kek: &Kek, group: &mut [Box<dyn Job>], is_last: Last) -> Result<(), StoreError> {
    db.begin()?;
    if let Err(why) = group.iter_mut().try_for_each(|job| job.run(db)) {
        if matches!(why, StoreError::Damaged(_)) || db.is_broken() || (is_conflict(&why) && !is_last) {
            return Err(why);
        }
        db.roll_back()?;
        db.begin()?;
        group.iter_mut().try_for_each(|job| run_apart(db, job.as_mut(), is_last))?;
    }
    current_kek::confirm(db, kek)?;
    db.commit()
}

fn is_conflict(why: &StoreError) -> bool {
    matches!(why, StoreError::Conflict(_))
}

fn run_apart(db: &Connection, job: &mut dyn Job, is_last: Last) -> Result<(), StoreError> {
    db.mark()?;
    if let Err(why) = job.run(db) {
        if !db.is_in_transaction() || db.is_broken() || (is_conflict(&why) && !is_last) {
            return Err(why);
        }
        db.undo()?;
    }
    db.unmark()
}
