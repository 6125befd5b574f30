//! The bounded pool of threads for PBKDF2 and RSA, so that the threads that serve connections never block and no flood
//! of runs piles up. See [`crate::net::fair_queue`] for the order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::metrics::{Collectors, Histogram, IntCounter, IntGauge, collectors, gauge, limit, observe, stage};
use crate::net::fair_queue::{FairQueue, Placement, Ticket};
use crate::net::precedence::AddressHistory;
use crate::net::rate_limit::{RetryAfter, Subject};
use crate::threads::VitalThreads;
use crate::{Error, config};

/// Enough for a debug build.
const STACK_LEN: usize = 1024 * 1024;
/// `Retry-After` of a refusal.
const RETRY_DELAY: Duration = Duration::from_secs(2);

type PoolJob = Box<dyn FnOnce() + Send>;

/// A pool of threads that end when the last clone is dropped and no job waits.
#[derive(Clone)]
pub(crate) struct CryptoPool(Arc<PoolOwner>);

struct PoolOwner(Arc<PoolShared>);

struct PoolShared {
    state: Mutex<PoolState>,
    ready: Condvar,
    /// How long a job may wait.
    patience: Duration,
    metrics: PoolMetrics,
}

/// What the pool counts.
struct PoolMetrics {
    threads: IntGauge,
    busy: IntGauge,
    waiting: IntGauge,
    /// The most jobs that may wait.
    places: IntGauge,
    wait: Histogram,
    work: Histogram,
    /// Jobs without a place, or evicted.
    no_place: IntCounter,
    /// Jobs without a turn in time.
    no_turn: IntCounter,
}

impl PoolMetrics {
    fn new(threads: usize, places: usize) -> Self {
        let number = |name, help, number: usize| {
            let gauge = gauge(name, help, &[]);
            gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
            gauge
        };
        PoolMetrics {
            threads: number("dskpp_kdf_threads", "Threads for PBKDF2 and RSA.", threads),
            busy: number("dskpp_kdf_threads_busy", "Threads for PBKDF2 and RSA that compute now.", 0),
            waiting: number("dskpp_kdf_queue_length", "Runs that wait for such a thread.", 0),
            places: number("dskpp_kdf_queue_places", "Runs that may wait for such a thread at once.", places),
            wait: stage("kdf_wait"),
            work: stage("kdf"),
            no_place: limit("kdf_queue"),
            no_turn: limit("kdf_wait"),
        }
    }
}

struct PoolState {
    jobs: FairQueue<(Instant, PoolJob)>,
    history: AddressHistory,
    /// Idle threads.
    idle: usize,
    closed: bool,
}

/// Why a job has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// No place in the queue or no turn in time: the job did not run.
    Later(RetryAfter),
    /// The job panicked.
    Panicked,
}

impl CryptoPool {
    /// Starts the threads.
    pub(crate) fn new(limits: &config::LimitsSection, vital: &VitalThreads) -> Result<Self, Error> {
        let processors = || thread::available_parallelism().map_or(1, usize::from);
        let threads = if limits.crypto_threads == 0 { processors() } else { limits.crypto_threads };
        let places = limits.crypto_queue.saturating_mul(threads);
        let (jobs, metrics) = (FairQueue::new(places), PoolMetrics::new(threads, places));
        let state = PoolState { jobs, history: AddressHistory::default(), idle: 0, closed: false };
        let patience = Duration::from_secs(limits.crypto_wait_s);
        let shared = Arc::new(PoolShared { state: Mutex::new(state), ready: Condvar::new(), patience, metrics });
        let pool = Self(Arc::new(PoolOwner(Arc::clone(&shared))));
        for number in 0..threads {
            let shared = Arc::clone(&shared);
            vital
                .spawn(format!("crypto-{number}"), STACK_LEN, move || shared.work())
                .map_err(|source| Error::System { what: "cannot start a thread", source })?;
        }
        Ok(pool)
    }

    /// Runs `job`, which costs as much as `cost` iterations of PBKDF2, on one of the threads when it is `subject`'s
    /// turn. Dropping the future cancels a waiting job, but not a running one.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        subject: Subject,
        cost: u64,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let (sender, mut receiver) = oneshot::channel();
        let job = move || {
            let done = catch_unwind(AssertUnwindSafe(job)).map_err(|_| {
                tracing::error!("a computation panicked; please report this bug");
                NotDone::Panicked
            });
            _ = sender.send(done); // the caller is gone; the work is complete anyway
        };
        let shared = &*self.0.0;
        let place = shared.enter(subject, cost, Box::new(job))?;
        let done = match tokio::time::timeout(shared.patience, &mut receiver).await {
            Ok(done) => done,
            Err(_) if place.leave() => {
                shared.metrics.no_turn.inc();
                return Err(shared.refuse(subject));
            }
            Err(_) => receiver.await, // it is running
        };
        done.unwrap_or_else(|_| Err(NotDone::Later(RetryAfter(RETRY_DELAY)))) // evicted by another job
    }

    /// Records a wrong code: the address then waits behind others.
    pub(crate) fn wrong(&self, subject: Subject) {
        let mut state = self.0.0.lock();
        let precedence = state.history.wrong(subject, Instant::now());
        state.jobs.set_precedence(subject, precedence);
    }

    /// Records a correct code, which clears earlier wrong ones.
    pub(crate) fn right(&self, subject: Subject) {
        let mut state = self.0.0.lock();
        let precedence = state.history.right(subject, Instant::now());
        state.jobs.set_precedence(subject, precedence);
    }

    /// What the pool counts, as it is now.
    pub(crate) fn metrics(&self) -> Collectors {
        let PoolMetrics { threads, busy, waiting, places, wait, work, no_place, no_turn } = &self.0.0.metrics;
        collectors![threads, busy, waiting, places, wait, work, no_place, no_turn]
    }

    /// Sets the metrics that are only looked at.
    pub(crate) fn measure(&self) {
        let waiting = self.0.0.lock().jobs.len();
        self.0.0.metrics.waiting.set(waiting as i64);
    }

    /// Discards expired entries; called every few seconds.
    pub(crate) fn sweep(&self) {
        self.0.0.lock().history.sweep(Instant::now());
    }
}

impl Drop for PoolOwner {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.ready.notify_all();
    }
}

impl PoolShared {
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, subject: Subject, cost: u64, job: PoolJob) -> Result<QueuedPlace<'_>, NotDone> {
        let now = Instant::now();
        let mut state = self.lock();
        let precedence = state.history.of(subject, now);
        match state.jobs.put(subject, precedence, cost, (now, job)) {
            Placement::Waits(ticket, gave_way) => {
                if let Some((other, _)) = &gave_way {
                    self.metrics.no_place.inc();
                    state.history.refused(*other, now + RETRY_DELAY);
                }
                let wake = state.idle > 0;
                drop(state); // before the evicted job, whose drop may do anything
                if wake {
                    self.ready.notify_one();
                }
                Ok(QueuedPlace { shared: self, subject, ticket })
            }
            Placement::Refused(_job) => {
                drop(state);
                self.metrics.no_place.inc();
                Err(self.refuse(subject))
            }
        }
    }

    fn refuse(&self, subject: Subject) -> NotDone {
        self.lock().history.refused(subject, Instant::now() + RETRY_DELAY);
        NotDone::Later(RetryAfter(RETRY_DELAY))
    }

    /// The loop of each thread.
    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some((since, job)) = state.jobs.take() {
                drop(state);
                let (metrics, start) = (&self.metrics, Instant::now());
                metrics.wait.observe(start.saturating_duration_since(since).as_secs_f64());
                metrics.busy.inc();
                job();
                metrics.busy.dec();
                observe(&metrics.work, start);
                state = self.lock();
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

/// The place of a waiting job; dropping it cancels the job.
struct QueuedPlace<'a> {
    shared: &'a PoolShared,
    subject: Subject,
    ticket: Ticket,
}

impl QueuedPlace<'_> {
    /// Cancels the job; `false` if it no longer waits.
    fn leave(&self) -> bool {
        let left = self.shared.lock().jobs.cancel(self.subject, self.ticket);
        left.is_some()
    }
}

impl Drop for QueuedPlace<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests;
