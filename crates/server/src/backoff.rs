//! Wrong codes slow the next one down, per ClientID, whether or not there is such a client; in a table of their own, wrong
//! one-time passwords do, per user or key.
//!
//! This is what keeps guessing from costing the server PBKDF2; that an enrolment is locked after
//! some wrong codes is the store's matter and survives a restart. A false positive (someone else
//! guesses at a person's ClientID) makes that person wait, never fail; a false negative (the table
//! forgot a ClientID) costs a few derivations and cannot unlock anything.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::limits::RetryAfter;

/// Wrong codes that cost nothing but themselves: people mistype.
const FREE: u32 = 3;
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How long after the last attempt a ClientID is forgotten.
const MEMORY: Duration = Duration::from_secs(30 * 60);
/// ClientIDs remembered at most, about 3 MiB.
const CAPACITY: usize = 1 << 16;

/// Attempts per ClientID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    hasher: RandomState,
    /// By a keyed hash of the ClientID: of fixed size, and no two can be made to meet.
    attempts: Mutex<HashMap<u64, Attempts>>,
}

#[derive(Debug)]
struct Attempts {
    wrong: u32,
    running: u32,
    blocked_until: Instant,
    touched: Instant,
}

/// One try at a code, from before the work until its outcome is known.
pub(crate) struct Attempt {
    table: Arc<Table>,
    key: u64,
    weight: u32,
}

impl Backoff {
    /// Asks for a try, which counts `weight` times (see [`crate::limits::weight`]). At most as many run at once as could
    /// all be wrong before a wait is due.
    pub(crate) fn begin(&self, client_id: &str, weight: NonZeroU32, now: Instant) -> Result<Attempt, RetryAfter> {
        let (table, weight) = (&self.0, weight.get());
        let key = table.hasher.hash_one(client_id);
        let mut attempts = table.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if !attempts.contains_key(&key) && attempts.len() >= CAPACITY {
            // Whoever fills the table gets others forgotten, at random; see the top.
            let victim = attempts.iter().find(|(_, entry)| entry.running == 0).map(|(key, _)| *key);
            victim.map(|key| attempts.remove(&key));
        }
        let entry = attempts.entry(key).or_insert(Attempts { wrong: 0, running: 0, blocked_until: now, touched: now });
        if now < entry.blocked_until {
            return Err(RetryAfter(entry.blocked_until - now));
        }
        if entry.running > 0 && entry.wrong.saturating_add(entry.running + weight) > FREE + 1 {
            return Err(RetryAfter(Duration::from_secs(1)));
        }
        entry.running += weight;
        entry.touched = now;
        Ok(Attempt { table: Arc::clone(table), key, weight })
    }

    /// Forgets ClientIDs that nobody has tried for a while; called every few seconds.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut attempts = self.0.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.retain(|_, entry| entry.running > 0 || now.saturating_duration_since(entry.touched) < MEMORY);
        attempts.shrink_to(64);
    }
}

impl Attempt {
    /// The code was wrong.
    pub(crate) fn wrong(self, now: Instant) {
        self.with_entry(|entry| {
            entry.wrong = entry.wrong.saturating_add(self.weight);
            if let Some(step) = entry.wrong.checked_sub(FREE + 1) {
                let wait = Duration::from_secs(1 << step.min(20)).min(LONGEST);
                entry.blocked_until = now + wait;
            }
        });
    }

    /// The code was right.
    pub(crate) fn right(self) {
        self.with_entry(|entry| entry.wrong = 0);
    }

    fn with_entry(&self, change: impl FnOnce(&mut Attempts)) {
        let mut attempts = self.table.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = attempts.get_mut(&self.key) {
            change(entry);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let mut attempts = self.table.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = attempts.get_mut(&self.key) {
            entry.running = entry.running.saturating_sub(self.weight);
            if entry.running == 0 && entry.wrong == 0 {
                attempts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONCE: NonZeroU32 = NonZeroU32::MIN;

    #[test]
    fn from_the_fourth_wrong_code_on_each_wait_doubles() {
        let (backoff, mut now) = (Backoff::default(), Instant::now());
        for _ in 0..FREE {
            backoff.begin("A", ONCE, now).unwrap_or_else(|_| panic!("free")).wrong(now);
        }
        for wait_s in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            backoff.begin("A", ONCE, now).unwrap_or_else(|_| panic!("{wait_s}")).wrong(now);
            let early = now + Duration::from_secs(wait_s) - Duration::from_millis(1);
            assert_eq!(backoff.begin("A", ONCE, now).err().unwrap().seconds(), wait_s);
            assert!(backoff.begin("A", ONCE, early).is_err());
            assert!(backoff.begin("B", ONCE, early).is_ok(), "another ClientID is not affected");
            now += Duration::from_secs(wait_s);
        }
    }

    #[test]
    fn guesses_sent_at_once_get_no_further_than_guesses_in_a_row() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        let running: Vec<_> = (0..100).filter_map(|_| backoff.begin("A", ONCE, now).ok()).collect();
        assert_eq!(running.len(), FREE as usize + 1);
        running.into_iter().for_each(|attempt| attempt.wrong(now));
        assert!(backoff.begin("A", ONCE, now).is_err());
    }

    #[test]
    fn p3_a_try_with_twice_the_iterations_counts_twice() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        let twice = crate::limits::weight(200_000);
        backoff.begin("A", twice, now).unwrap_or_else(|_| panic!("free")).wrong(now);
        backoff.begin("A", twice, now).unwrap_or_else(|_| panic!("still free")).wrong(now);
        assert_eq!(backoff.begin("A", ONCE, now).err().unwrap().seconds(), 1);
        let running: Vec<_> = (0..100).filter_map(|_| backoff.begin("B", twice, now).ok()).collect();
        assert_eq!(running.len(), 2);
    }

    #[test]
    fn a_right_code_or_half_an_hour_forgives() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        for _ in 0..FREE {
            backoff.begin("A", ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        }
        backoff.begin("A", ONCE, now).unwrap_or_else(|_| panic!()).right();
        assert!(backoff.0.attempts.lock().unwrap().is_empty());
        backoff.begin("A", ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        backoff.sweep(now + MEMORY / 2);
        assert_eq!(backoff.0.attempts.lock().unwrap().len(), 1);
        backoff.sweep(now + MEMORY);
        assert!(backoff.0.attempts.lock().unwrap().is_empty());
    }

    #[test]
    fn the_table_is_bounded() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        for n in 0..CAPACITY + 100 {
            backoff.begin(&n.to_string(), ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        }
        assert_eq!(backoff.0.attempts.lock().unwrap().len(), CAPACITY);
    }
}
