//! Short work that anybody can cause, such as TLS handshakes and first requests of runs: few pieces of it are in
//! progress at once, and where more wait, addresses take turns.
//!
//! It runs on the threads that serve connections: to hand it to others would cost more than it takes. Who waits for a
//! turn keeps no thread busy, so whoever asks for little never stands behind all that somebody else has sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::config;
use crate::net::fair_queue::{FairQueue, Put, TURN, Ticket};
use crate::net::precedence::Precedence;
use crate::net::rate_limit::{RetryAfter, Subject};

/// Pieces in progress for each thread: one computes while another waits for the store.
const EACH_THREAD: usize = 2;
/// How long who was refused is asked to stay away.
const STAY_AWAY: Duration = Duration::from_secs(1);

/// Gives turns; clones share them.
#[derive(Clone)]
pub(crate) struct Turns(Arc<Mutex<State>>);

struct State {
    /// Turns that nobody has; none while anybody waits.
    free: usize,
    waiting: FairQueue<oneshot::Sender<Turn>>,
}

/// The right to work. Who is next has it when this goes.
#[must_use]
pub(crate) struct Turn(Turns);

impl Turns {
    pub(crate) fn new(config: &config::Config) -> Self {
        // A connection waits for one turn at a time: with twice as many places no address ever fills its half of them.
        let places = config.limits.max_connections.saturating_mul(2);
        Self::with(config.server.workers.max(1).saturating_mul(EACH_THREAD), places)
    }

    pub(crate) fn with(free: usize, places: usize) -> Self {
        Turns(Arc::new(Mutex::new(State { free, waiting: FairQueue::new(places) })))
    }

    /// Waits for a turn; refused only where there is no room to wait.
    pub(crate) async fn of(&self, subject: Subject) -> Result<Turn, RetryAfter> {
        let mut receiver = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                return Ok(Turn(self.clone()));
            }
            let (sender, receiver) = oneshot::channel();
            match state.waiting.put(subject, Precedence::Good, TURN, sender) {
                Put::Waits(ticket, _gave_way) => Waiting { turns: self, subject, ticket, receiver },
                Put::Refused(_) => return Err(RetryAfter(STAY_AWAY)),
            }
        };
        (&mut receiver.receiver).await.map_err(|_| RetryAfter(STAY_AWAY)) // it gave way to another
    }

    /// Whether anybody waits.
    #[cfg(test)]
    pub(crate) fn are_waited_for(&self) -> bool {
        self.lock().waiting.len() > 0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
                _ = next.send(Turn(self.0.clone())); // who has just left hands it on
                return;
            }
        }
    }
}

/// Somebody who waits, until he has a turn or leaves.
struct Waiting<'a> {
    turns: &'a Turns,
    subject: Subject,
    ticket: Ticket,
    receiver: oneshot::Receiver<Turn>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let left = self.turns.lock().waiting.cancel(self.subject, self.ticket);
        drop(left);
    }
}

#[cfg(test)]
mod tests;
