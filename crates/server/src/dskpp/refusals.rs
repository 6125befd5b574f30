//! Refused runs without a proved code. Strangers can cause any number of them, so they are kept only in memory, never
//! in the store. Until the entry expires, the same request gets the same refusal, and a different one on its session
//! Abort (profile P28); afterwards the server judges it anew.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dskpp::status::Status;
use dskpp_crypto::ct_eq;

/// Maximum number of entries, about 4 MiB; one more evicts the oldest.
const CAPACITY: usize = 50_000;

/// The earlier outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// This request was refused with this status.
    Same(Status),
    /// A different request was refused on this session.
    Another,
}

/// The refusals of one node.
#[derive(Debug)]
pub(crate) struct Refusals {
    lifetime: Duration,
    hasher: RandomState,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// Keyed by a keyed hash of the run's name: of fixed size, and collisions cannot be constructed.
    entries: HashMap<u64, RememberedRefusal>,
    oldest_first: VecDeque<u64>,
}

/// Only the status is kept: the rest of the refusal follows from the request.
#[derive(Debug)]
struct RememberedRefusal {
    request_hash: [u8; 32],
    status: Status,
    until: Instant,
}

impl Refusals {
    /// `lifetime` is that of a session.
    pub(crate) fn new(lifetime: Duration) -> Self {
        Refusals { lifetime, hasher: RandomState::new(), memory: Mutex::default() }
    }

    /// The earlier outcome of the run with this name.
    pub(crate) fn find(&self, run: &[u8], request_hash: &[u8; 32], now: Instant) -> Option<Before> {
        self.lock().find(self.hasher.hash_one(run), request_hash, now)
    }

    /// Records a refusal, unless there is an earlier one; then returns that.
    pub(crate) fn keep(&self, run: &[u8], request_hash: [u8; 32], status: Status, now: Instant) -> Option<Before> {
        let key = self.hasher.hash_one(run);
        let mut memory = self.lock();
        memory.forget_old(now);
        let before = memory.find(key, &request_hash, now);
        if before.is_none() {
            if memory.entries.len() >= CAPACITY {
                memory.forget_first();
            }
            memory.entries.insert(key, RememberedRefusal { request_hash, status, until: now + self.lifetime });
            memory.oldest_first.push_back(key);
        }
        before
    }

    /// Discards expired entries; called every few seconds.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut memory = self.lock();
        memory.forget_old(now);
        memory.entries.shrink_to(64);
        memory.oldest_first.shrink_to(64);
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn find(&self, key: u64, request_hash: &[u8; 32], now: Instant) -> Option<Before> {
        let entry = self.entries.get(&key).filter(|entry| now < entry.until)?;
        Some(match ct_eq(&entry.request_hash, request_hash) {
            true => Before::Same(entry.status),
            false => Before::Another,
        })
    }

    /// All entries have the same lifetime, so the oldest expires first.
    fn forget_old(&mut self, now: Instant) {
        while let Some(key) = self.oldest_first.front() {
            match self.entries.get(key) {
                Some(entry) if now < entry.until => break,
                _ => self.forget_first(),
            }
        }
    }

    fn forget_first(&mut self) {
        if let Some(key) = self.oldest_first.pop_front() {
            self.entries.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_secs(600);
    const INVALID: Status = Status::AuthenticationDataInvalid;

    fn is_consistent(refused: &Refusals) -> bool {
        let memory = refused.lock();
        memory.entries.len() == memory.oldest_first.len()
    }

    #[test]
    fn p28_until_expiry_an_identical_request_gets_the_same_refusal_and_a_different_one_abort() {
        let (refused, now) = (Refusals::new(LIFETIME), Instant::now());
        let (one, other) = ([1; 32], [2; 32]);
        assert_eq!(refused.find(b"session", &one, now), None);
        assert_eq!(refused.keep(b"session", one, INVALID, now), None);
        let last = now + LIFETIME - Duration::from_millis(1);
        for time in [now, last] {
            assert_eq!(refused.find(b"session", &one, time), Some(Before::Same(INVALID)));
            assert_eq!(refused.find(b"session", &other, time), Some(Before::Another));
            assert_eq!(refused.find(b"another session", &one, time), None);
        }
        assert_eq!(refused.keep(b"session", other, Status::Abort, last), Some(Before::Another), "the first one stands");
        assert_eq!(refused.find(b"session", &one, now + LIFETIME), None);
        assert_eq!(refused.keep(b"session", other, Status::Abort, now + LIFETIME), None, "judged anew");
        assert!(is_consistent(&refused));
    }

    #[test]
    fn p28_the_memory_is_bounded_and_drops_the_oldest() {
        let (refused, mut now) = (Refusals::new(LIFETIME), Instant::now());
        for n in 0..CAPACITY + 10 {
            assert_eq!(refused.keep(&n.to_be_bytes(), [0; 32], INVALID, now), None);
            now += Duration::from_micros(1);
        }
        assert_eq!(refused.lock().entries.len(), CAPACITY);
        assert_eq!(refused.find(&9usize.to_be_bytes(), &[0; 32], now), None);
        assert_eq!(refused.find(&10usize.to_be_bytes(), &[0; 32], now), Some(Before::Same(INVALID)));
        assert!(is_consistent(&refused));
        refused.sweep(now + LIFETIME);
        let memory = refused.lock();
        assert_eq!((memory.entries.len(), memory.oldest_first.len()), (0, 0));
        assert!(memory.entries.capacity() < 1000, "and gives its memory back");
    }
}
