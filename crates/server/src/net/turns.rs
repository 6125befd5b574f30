//! Turns for short work that anybody can cause, such as TLS handshakes and first requests of runs: a few pieces run at
//! once, and addresses take turns for the rest.
//!
//! The work runs on the threads that serve connections: handing it to other threads would cost more. Waiting for a turn
//! blocks no thread, so a flood from one address delays only that address.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::config;
use crate::metrics::{Collectors, Histogram, IntCounter, IntGauge, collectors, gauge, limit, observe, stage};
use crate::net::fair_queue::{FairQueue, Placement, TURN, Ticket};
use crate::net::precedence::Precedence;
use crate::net::rate_limit::{RetryAfter, Subject};

/// Concurrent pieces per thread: one computes while another waits for the store.
const EACH_THREAD: usize = 2;
/// `Retry-After` of a refusal.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Gives out turns; clones share them.
#[derive(Clone)]
pub(crate) struct Turns(Arc<TurnsShared>);

struct TurnsShared {
    state: Mutex<TurnState>,
    metrics: TurnMetrics,
}

/// What is counted of turns.
struct TurnMetrics {
    waiting: IntGauge,
    wait: Histogram,
    /// Those who got no place in the queue, or lost it.
    no_place: IntCounter,
}

struct TurnState {
    /// Free turns; none while anybody waits.
    free: usize,
    waiting: FairQueue<oneshot::Sender<Turn>>,
}

/// The right to work; dropping it passes it on.
#[must_use]
pub(crate) struct Turn(Turns);

impl Turns {
    pub(crate) fn new(config: &config::Config) -> Self {
        // A connection waits for one turn at a time: with twice as many places no address can fill its half of them.
        let places = config.limits.max_connections.saturating_mul(2);
        Self::with(config.server.workers.max(1).saturating_mul(EACH_THREAD), places)
    }

    pub(crate) fn with(free: usize, places: usize) -> Self {
        let metrics = TurnMetrics {
            waiting: gauge("dskpp_turn_queue_length", "Handshakes and requests that wait for their turn.", &[]),
            wait: stage("turn_wait"),
            no_place: limit("turn_queue"),
        };
        let state = Mutex::new(TurnState { free, waiting: FairQueue::new(places) });
        Turns(Arc::new(TurnsShared { state, metrics }))
    }

    /// Waits for a turn; refused only if the queue is full.
    pub(crate) async fn of(&self, subject: Subject) -> Result<Turn, RetryAfter> {
        let (metrics, start) = (&self.0.metrics, Instant::now());
        let turn = self.wait(subject).await;
        match &turn {
            Some(_) => observe(&metrics.wait, start),
            None => metrics.no_place.inc(),
        }
        turn.ok_or(RetryAfter(RETRY_DELAY))
    }

    async fn wait(&self, subject: Subject) -> Option<Turn> {
        let mut receiver = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Some(Turn(self.clone()));
            }
            let (sender, receiver) = oneshot::channel();
            match state.waiting.put(subject, Precedence::Good, TURN, sender) {
                Placement::Waits(ticket, _gave_way) => Waiter { turns: self, subject, ticket, receiver },
                Placement::Refused(_) => return None,
            }
        };
        (&mut receiver.receiver).await.ok() // else evicted by another
    }

    /// What is counted of turns.
    pub(crate) fn metrics(&self) -> Collectors {
        let TurnMetrics { waiting, wait, no_place } = &self.0.metrics;
        collectors![waiting, wait, no_place]
    }

    /// Sets the metrics that are only looked at.
    pub(crate) fn measure(&self) {
        let waiting = self.lock().waiting.len();
        self.0.metrics.waiting.set(waiting as i64);
    }

    /// Whether anybody waits.
    #[cfg(test)]
    pub(crate) fn are_waited_for(&self) -> bool {
        self.lock().waiting.len() > 0
    }

    fn lock(&self) -> MutexGuard<'_, TurnState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        loop {
            let mut state = self.0.lock();
            let Some(next) = state.waiting.take() else {
                state.free += 1;
                return;
            };
            drop(state);
            if !next.is_closed() {
                _ = next.send(Turn(self.0.clone())); // if its receiver is gone, the turn's drop passes it on
                return;
            }
        }
    }
}

/// A waiting request, until it has its turn or is dropped.
struct Waiter<'a> {
    turns: &'a Turns,
    subject: Subject,
    ticket: Ticket,
    receiver: oneshot::Receiver<Turn>,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let left = self.turns.lock().waiting.cancel(self.subject, self.ticket);
        drop(left);
    }
}

#[cfg(test)]
mod tests;
