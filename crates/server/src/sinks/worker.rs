//! Brings sinks what is due in the outbox: one task per sink and server. A sink that does not work is asked with one
//! change at a time, at growing intervals, so that its changes wait and nothing else does.

use std::sync::Arc;
use std::time::Duration;

use dskpp_crypto::{Random as _, SystemRandom};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::{Change, DELIVERED, Delivered, FAILED, Failure, GIVEN_UP, Sink, Sinks};
use crate::config::SinksSection;
use crate::metrics::Counters;
use crate::model::clock::now;
use crate::store::{Attempt, LEASE_S, Leased, Store};

/// How often a sink's outbox is looked into when nothing happens here: others may have filled it, or time has.
const POLL: Duration = Duration::from_secs(2);
/// How long a look waits behind a commit, for others that come together with it.
const GATHER: Duration = Duration::from_millis(50);
/// Seconds of a lease that are left for the answer's way into the store.
const TO_SETTLE_S: i64 = 20;
/// Longest pause of a sink that does not work, in seconds.
const MAX_PAUSE_S: u64 = 60;
/// Longest pause before a change is tried again, in seconds.
const MAX_RETRY_S: u64 = 3600;

/// Starts the workers; each ends, after what it has begun, when `stop` says so.
pub(crate) fn start(sinks: &Sinks, store: &Store, stop: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for sink in sinks.all() {
        let worker = Worker {
            sink: Arc::clone(sink),
            store: store.clone(),
            section: sinks.section.clone(),
            failed: 0,
            deliveries: sinks.deliveries.clone(),
        };
        workers.spawn(worker.work(stop.clone()));
    }
    workers
}

struct Worker {
    sink: Arc<Sink>,
    store: Store,
    section: SinksSection,
    /// How often in a row the sink did not work.
    failed: u32,
    deliveries: Counters,
}

/// What a worker does next.
enum Next {
    /// Looks again at once.
    Look,
    /// Waits until something is committed, or for a while.
    Wait,
    /// Waits for that long.
    Pause(Duration),
}

impl Worker {
    async fn work(mut self, mut stop: watch::Receiver<bool>) {
        let committed = self.store.committed();
        while !*stop.borrow() {
            let mut commit = std::pin::pin!(committed.notified());
            commit.as_mut().enable(); // a commit during the look counts
            let next = self.look().await;
            let wait = async {
                match next {
                    Next::Look => {}
                    Next::Wait => {
                        _ = timeout(POLL, commit).await;
                        sleep(GATHER).await;
                    }
                    Next::Pause(pause) => sleep(pause).await,
                }
            };
            tokio::select! {
                () = wait => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Brings what is due.
    async fn look(&mut self) -> Next {
        let name = &self.sink.name;
        let limit = if self.failed == 0 { self.sink.batch() } else { 1 };
        let leased = match self.store.lease(name, limit).await {
            Ok(leased) if leased.is_empty() => return Next::Wait,
            Ok(leased) => leased,
            Err(why) => {
                tracing::warn!(sink = %name, "cannot look into the outbox: {why}");
                return Next::Pause(jittered(self.section.retry_s));
            }
        };
        let (attempts, is_down) = self.send(leased).await;
        match (&is_down, self.failed) {
            (Some(why), 0) => tracing::warn!(sink = %name, "does not work, so its keys wait: {why}"),
            (None, 1..) => tracing::info!(sink = %name, "works again"),
            _ => {}
        }
        self.failed = if is_down.is_some() { self.failed.saturating_add(1) } else { 0 };
        if let Err(why) = self.store.settle(attempts).await {
            // When the lease ends, another attempt is made.
            tracing::warn!(sink = %name, "cannot write down what was delivered: {why}");
            return Next::Pause(jittered(self.section.retry_s));
        }
        match self.failed {
            0 => Next::Look,
            failed => Next::Pause(jittered(doubled(self.section.retry_s, failed, MAX_PAUSE_S))),
        }
    }

    /// Brings changes; gives what became of each, and why the sink does not work, if it does not.
    async fn send(&self, leased: Vec<Leased>) -> (Vec<(Leased, Attempt)>, Option<String>) {
        let (mut changes, mut sent, mut attempts) = (Vec::new(), Vec::new(), Vec::new());
        for mut leased in leased {
            match std::mem::replace(&mut leased.key, Err("it was sent".to_owned())) {
                Ok((key, secret)) => {
                    let (id, number) = (leased.record.id.clone(), leased.record.seq);
                    changes.push(Change { id, number, key, secret });
                    sent.push(leased);
                }
                Err(error) => attempts.push((leased, Attempt::Dead { error })),
            }
        }
        let mut is_down = None;
        for (leased, delivered) in sent.into_iter().zip(deliver(&self.sink, changes).await) {
            if let Err(Failure::Down(why)) = &delivered {
                is_down.get_or_insert_with(|| why.clone());
            }
            let attempt = self.attempt(&leased, delivered);
            let result = match &attempt {
                Attempt::Delivered => DELIVERED,
                Attempt::Again { .. } => FAILED,
                Attempt::Dead { .. } => GIVEN_UP,
            };
            self.deliveries.count_named(&self.sink.name, result);
            if let Attempt::Dead { error } = &attempt {
                let key = &leased.record.key_id;
                tracing::error!(sink = %self.sink.name, %key, "a delivery is given up: {error}");
            }
            attempts.push((leased, attempt));
        }
        (attempts, is_down)
    }

    fn attempt(&self, leased: &Leased, delivered: Delivered) -> Attempt {
        let (at, record) = (now(), &leased.record);
        let is_late = at.saturating_sub(record.queued_at).unsigned_abs() >= self.section.give_up_after_s;
        let again = |error, pause_s| match is_late {
            true => Attempt::Dead { error },
            false => Attempt::Again { error, at: at.saturating_add_unsigned(jittered(pause_s).as_secs()) },
        };
        match delivered {
            Ok(()) => Attempt::Delivered,
            Err(Failure::Never(error)) => Attempt::Dead { error },
            Err(Failure::Refused(error)) => again(error, doubled(self.section.retry_s, record.attempts, MAX_RETRY_S)),
            // The sink's pause is enough.
            Err(Failure::Down(error)) => again(error, self.section.retry_s),
        }
    }
}

/// Brings changes within the lease, on a task of its own, so that a bug in one kind of sink ends no worker.
async fn deliver(sink: &Arc<Sink>, changes: Vec<Change>) -> Vec<Delivered> {
    let (sink, count) = (Arc::clone(sink), changes.len());
    let time = Duration::from_secs((LEASE_S - TO_SETTLE_S).unsigned_abs());
    let task = tokio::spawn(async move { timeout(time, sink.deliver(&changes)).await });
    let failure = match task.await {
        Ok(Ok(delivered)) => return delivered,
        Ok(Err(_)) => Failure::Down("it took too long".to_owned()),
        Err(_) => Failure::Down("a bug in the server ended the attempt".to_owned()),
    };
    vec![Err(failure); count]
}

/// `first_s`, doubled with each failure after the first, and at most `most_s`.
fn doubled(first_s: u64, failures: u32, most_s: u64) -> u64 {
    first_s.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(most_s)
}

/// Between 3/4 and 5/4 of it, so that those who failed together do not meet again.
fn jittered(seconds: u64) -> Duration {
    let random = SystemRandom.bytes(1)[0];
    Duration::from_millis(seconds * 1000 * 3 / 4 + seconds * 500 * u64::from(random) / 255)
}
