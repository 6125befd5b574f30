//! The bounded pool of threads for PBKDF2 and RSA, so that the threads that serve connections never block and no flood
//! of runs piles up. See [`crate::net::fair_queue`] for the order.
//!
//! A thread derives for several runs at once (`pbkdf2_many`): it takes the next run and, as long as they have the same PRF
//! and count, those that the queue would serve after it, as many as the processor has lanes. It never waits for more: a run
//! that comes to an idle thread begins at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use dskpp::server::{ProofInput, Rounds};
use dskpp_crypto::{Secret, pbkdf2_lanes};
use tokio::sync::oneshot;

use crate::metrics::{
    Collectors, Counter, Histogram, IntCounter, IntGauge, collectors, counter, gauge, limit, observe, seconds, stage,
};
use crate::net::fair_queue::{FairQueue, Placement, Ticket};
use crate::net::precedence::AddressHistory;
use crate::net::rate_limit::{RetryAfter, Subject};
use crate::threads::VitalThreads;
use crate::{Error, config, platform};

/// Enough for a debug build.
const STACK_LEN: usize = 1024 * 1024;
/// `Retry-After` of a refusal.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// What a run's job has come to.
pub(crate) enum Prepared<T> {
    /// Its result.
    Done(T),
    /// It needs this derivation, and ends with its result.
    Derive(ProofInput, Box<dyn FnOnce(&Secret) -> T + Send>),
}

impl<T> Prepared<T> {
    /// The result, on the calling thread.
    pub(crate) fn finish(self) -> T {
        match self {
            Prepared::Done(done) => done,
            Prepared::Derive(input, finish) => {
                let derived = ProofInput::derive(&[input]).pop();
                finish(&derived.expect("a result for each input"))
            }
        }
    }
}

/// The part of a job before its derivation. It passes its result on by itself, unless that needs a derivation.
type PoolJob = Box<dyn FnOnce() -> Option<(ProofInput, Rest)> + Send>;
/// The part after it.
type Rest = Box<dyn FnOnce(&Secret) + Send>;

struct WaitingJob {
    since: Instant,
    /// Of its derivation, if other jobs may be derived with it.
    rounds: Option<Rounds>,
    job: PoolJob,
}

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
    derivations: IntCounter,
    /// Processor time of the derivations.
    derivation_cpu: Counter,
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
            derivations: counter("dskpp_kdf_derivations_total", "PBKDF2 derivations of the pool.", &[]),
            derivation_cpu: seconds("dskpp_kdf_cpu_seconds_total", "Processor time of these derivations."),
            no_place: limit("kdf_queue"),
            no_turn: limit("kdf_wait"),
        }
    }
}

struct PoolState {
    jobs: FairQueue<WaitingJob>,
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
                .spawn(format!("crypto-{number}"), STACK_LEN, move || {
                    platform::lower_priority(); // below the threads that answer what is quick
                    shared.work();
                })
                .map_err(|source| Error::System { what: "cannot start a thread", source })?;
        }
        Ok(pool)
    }

    /// Runs `job`, which costs as much as `cost` iterations of PBKDF2, on one of the threads when it is `subject`'s
    /// turn. `rounds`: those of the derivation that it will need, if others may be computed with it; what follows the
    /// derivation must be quick then. Dropping the future cancels a waiting job, but not a running one.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        subject: Subject,
        cost: u64,
        rounds: Option<Rounds>,
        job: impl FnOnce() -> Prepared<T> + Send + 'static,
    ) -> Result<T, NotDone> {
        let (sender, mut receiver) = oneshot::channel();
        let shared = &*self.0.0;
        let place = shared.enter(subject, cost, rounds, in_parts(job, sender))?;
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
        let PoolMetrics { threads, busy, waiting, places, wait, work, .. } = &self.0.0.metrics;
        let PoolMetrics { derivations, derivation_cpu, no_place, no_turn, .. } = &self.0.0.metrics;
        collectors![threads, busy, waiting, places, wait, work, derivations, derivation_cpu, no_place, no_turn]
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

    fn enter(
        &self,
        subject: Subject,
        cost: u64,
        rounds: Option<Rounds>,
        job: PoolJob,
    ) -> Result<QueuedPlace<'_>, NotDone> {
        let now = Instant::now();
        let mut state = self.lock();
        let precedence = state.history.of(subject, now);
        match state.jobs.put(subject, precedence, cost, WaitingJob { since: now, rounds, job }) {
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
            let batch = state.next_batch();
            if !batch.is_empty() {
                drop(state);
                self.compute(batch);
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

    /// Runs jobs, with all their derivations at once.
    fn compute(&self, batch: Vec<WaitingJob>) {
        let (metrics, start, number) = (&self.metrics, Instant::now(), batch.len());
        for job in &batch {
            metrics.wait.observe(start.saturating_duration_since(job.since).as_secs_f64());
        }
        metrics.busy.inc();
        let (inputs, rests): (Vec<_>, Vec<_>) = batch.into_iter().filter_map(|waiting| (waiting.job)()).unzip();
        let before = platform::thread_cpu_time();
        let derived = ProofInput::derive(&inputs);
        metrics.derivations.inc_by(derived.len() as u64);
        metrics.derivation_cpu.inc_by(platform::thread_cpu_time().saturating_sub(before).as_secs_f64());
        rests.into_iter().zip(&derived).for_each(|(rest, derived)| rest(derived));
        metrics.busy.dec();
        (0..number).for_each(|_| observe(&metrics.work, start));
    }
}

impl PoolState {
    /// The jobs that a thread does at once: those that come next and have equal rounds. Empty only if none waits.
    fn next_batch(&mut self) -> Vec<WaitingJob> {
        let mut batch: Vec<_> = self.jobs.take().into_iter().collect();
        if let Some(rounds) = batch.first().and_then(|first| first.rounds) {
            let more = std::iter::from_fn(|| self.jobs.take_if(|job| job.rounds == Some(rounds)));
            batch.extend(more.take(pbkdf2_lanes(rounds.prf).saturating_sub(1)));
        }
        batch
    }
}

/// A job that passes its result to `sender`. Panics end neither the thread nor other jobs.
fn in_parts<T: Send + 'static>(
    job: impl FnOnce() -> Prepared<T> + Send + 'static,
    sender: oneshot::Sender<Result<T, NotDone>>,
) -> PoolJob {
    // If the caller is gone, the work is complete anyway.
    Box::new(move || match caught(job) {
        Ok(Prepared::Derive(input, rest)) => {
            Some((input, Box::new(move |derived: &Secret| _ = sender.send(caught(|| rest(derived))))))
        }
        Ok(Prepared::Done(done)) => {
            _ = sender.send(Ok(done));
            None
        }
        Err(panicked) => {
            _ = sender.send(Err(panicked));
            None
        }
    })
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, NotDone> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        tracing::error!("a computation panicked; please report this bug");
        NotDone::Panicked
    })
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
