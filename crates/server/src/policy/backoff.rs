//! Back-off after wrong codes, per ClientID and address, whether or not the client exists; a second table does the same
//! for wrong one-time passwords, per user or key, ahead of the store's, which all servers share.
//!
//! It limits the PBKDF2 work that guessing costs the server. It is kept in memory and expires; the store's lock after
//! some wrong codes is separate and survives a restart. A total per ClientID slows guesses from many addresses, but
//! never delays an address that has sent no wrong code itself: nobody can lock out an owner from elsewhere. A table
//! that has lost an entry costs a few derivations and unlocks nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::net::rate_limit::{RetryAfter, Subject};

/// Wrong codes without a delay: people mistype.
const FREE: u32 = 3;
/// The longest delay.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Wrong codes from all addresses without a delay.
const FREE_IN_TOTAL: u32 = 30;
/// The longest delay caused by the total alone.
const LONGEST_IN_TOTAL: Duration = Duration::from_secs(60);
/// `Retry-After` while other attempts are undecided.
const SOON: RetryAfter = RetryAfter(Duration::from_secs(1));
/// The longest wait for their outcome.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// Lifetime of an entry after the last attempt.
pub(crate) const MEMORY: Duration = Duration::from_secs(30 * 60);
/// Maximum number of entries, about 4 MiB.
const CAPACITY: usize = 1 << 16;

/// Attempts per ClientID and address, and per ClientID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff(Arc<BackoffTable>);

#[derive(Debug, Default)]
struct BackoffTable {
    hasher: RandomState,
    /// Keyed by a keyed hash of name and address: of fixed size, and collisions cannot be constructed.
    attempts: Mutex<HashMap<u64, Attempts>>,
    /// Signals the end of an attempt.
    decided: Notify,
}

/// Why there is no attempt now.
enum TryRefused {
    /// The back-off after wrong attempts.
    Blocked(RetryAfter),
    /// Other attempts are running whose outcome decides.
    Undecided,
}

#[derive(Debug)]
struct Attempts {
    wrong: u32,
    running: u32,
    blocked_until: Instant,
    touched: Instant,
}

/// One attempt at a code, from before the work until its outcome is known.
pub(crate) struct PendingTry {
    table: Arc<BackoffTable>,
    key: u64,
    weight: u32,
    /// The entry that counts all attempts at that name.
    total: Option<u64>,
}

impl Backoff {
    /// Requests an attempt at `name`, from an address where that matters; it counts `weight` times (see
    /// [`crate::net::rate_limit::weight`]). Runs only as many attempts at once as could all be wrong without a delay.
    pub(crate) fn begin(
        &self,
        name: &str,
        address: Option<Subject>,
        weight: NonZeroU32,
        now: Instant,
    ) -> Result<PendingTry, RetryAfter> {
        self.try_begin(name, address, weight, now).map_err(|why| match why {
            TryRefused::Blocked(wait) => wait,
            TryRefused::Undecided => SOON,
        })
    }

    /// Like [`Backoff::begin`], but while other attempts are undecided, it waits for them. So concurrent correct passwords
    /// are never refused.
    pub(crate) async fn begin_in_turn(&self, name: &str, address: Option<Subject>) -> Result<PendingTry, RetryAfter> {
        let until = tokio::time::Instant::now() + MAX_WAIT;
        loop {
            let mut decided = pin!(self.0.decided.notified());
            decided.as_mut().enable(); // before the check, so that no notification is missed
            match self.try_begin(name, address, NonZeroU32::MIN, Instant::now()) {
                Ok(attempt) => return Ok(attempt),
                Err(TryRefused::Blocked(wait)) => return Err(wait),
                Err(TryRefused::Undecided) => tokio::time::timeout_at(until, decided).await.map_err(|_| SOON)?,
            }
        }
    }

    fn try_begin(
        &self,
        name: &str,
        address: Option<Subject>,
        weight: NonZeroU32,
        now: Instant,
    ) -> Result<PendingTry, TryRefused> {
        let (table, weight) = (&self.0, weight.get());
        let key = table.hasher.hash_one((name, address));
        let total = address.map(|_| table.hasher.hash_one((name, None::<Subject>)));
        let mut attempts = table.lock();
        let in_total = total.and_then(|total| attempts.get(&total)).map_or(0, |total| total.wrong);
        let free = if in_total < FREE_IN_TOTAL { FREE } else { 0 };
        let entry = entry(&mut attempts, key, now);
        if now < entry.blocked_until {
            return Err(TryRefused::Blocked(RetryAfter(entry.blocked_until - now)));
        }
        if entry.running > 0 && entry.wrong.saturating_add(entry.running + weight) > free + 1 {
            return Err(TryRefused::Undecided);
        }
        entry.running += weight;
        entry.touched = now;
        Ok(PendingTry { table: Arc::clone(table), key, weight, total })
    }

    /// Discards expired entries; called every few seconds.
    pub(crate) fn sweep(&self, now: Instant) {
        let mut attempts = self.0.lock();
        attempts.retain(|_, entry| entry.running > 0 || now.saturating_duration_since(entry.touched) < MEMORY);
        attempts.shrink_to(64);
    }
}

impl BackoffTable {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Attempts>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The entry of that key, created if there is none. A full table evicts others; see the module's documentation.
fn entry(attempts: &mut HashMap<u64, Attempts>, key: u64, now: Instant) -> &mut Attempts {
    if !attempts.contains_key(&key) && attempts.len() >= CAPACITY {
        let victim = attempts.iter().find(|(_, entry)| entry.running == 0).map(|(key, _)| *key);
        victim.map(|key| attempts.remove(&key));
    }
    attempts.entry(key).or_insert(Attempts { wrong: 0, running: 0, blocked_until: now, touched: now })
}

/// The delay after that many wrong codes from one address, of that many in total.
fn wait(own: u32, in_total: u32) -> Option<Duration> {
    let seconds = |step: u32| Duration::from_secs(1 << step.min(20));
    let own = own.checked_sub(FREE + 1).map(|step| seconds(step).min(LONGEST));
    let total = in_total.checked_sub(FREE_IN_TOTAL + 1).map(|over| seconds(over / 10).min(LONGEST_IN_TOTAL));
    own.max(total)
}

/// The delay after that many consecutive wrong codes or passwords.
pub(crate) fn delay(wrong: u32) -> Option<Duration> {
    wait(wrong, 0)
}

impl PendingTry {
    /// Records a wrong code.
    pub(crate) fn wrong(self, now: Instant) {
        let mut attempts = self.table.lock();
        let in_total = self.total.map_or(0, |total| {
            let total = entry(&mut attempts, total, now);
            total.wrong = total.wrong.saturating_add(self.weight);
            total.touched = now;
            total.wrong
        });
        if let Some(entry) = attempts.get_mut(&self.key) {
            entry.wrong = entry.wrong.saturating_add(self.weight);
            if let Some(wait) = wait(entry.wrong, in_total) {
                entry.blocked_until = now + wait;
            }
        }
    }

    /// Records a correct code. The total stays: resetting it would reveal that the name exists (profile P16).
    pub(crate) fn right(self) {
        let mut attempts = self.table.lock();
        if let Some(entry) = attempts.get_mut(&self.key) {
            entry.wrong = 0;
        }
    }
}

impl Drop for PendingTry {
    fn drop(&mut self) {
        let mut attempts = self.table.lock();
        if let Some(entry) = attempts.get_mut(&self.key) {
            entry.running = entry.running.saturating_sub(self.weight);
            if entry.running == 0 && entry.wrong == 0 {
                attempts.remove(&self.key);
            }
        }
        drop(attempts);
        self.table.decided.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddr};

    const ONCE: NonZeroU32 = NonZeroU32::MIN;

    #[test]
    fn from_the_fourth_wrong_code_on_each_delay_doubles() {
        let (backoff, mut now) = (Backoff::default(), Instant::now());
        for _ in 0..FREE {
            backoff.begin("A", None, ONCE, now).unwrap_or_else(|_| panic!("free")).wrong(now);
        }
        for wait_s in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
            backoff.begin("A", None, ONCE, now).unwrap_or_else(|_| panic!("{wait_s}")).wrong(now);
            let early = now + Duration::from_secs(wait_s) - Duration::from_millis(1);
            assert_eq!(backoff.begin("A", None, ONCE, now).err().unwrap().seconds(), wait_s);
            assert!(backoff.begin("A", None, ONCE, early).is_err());
            assert!(backoff.begin("B", None, ONCE, early).is_ok(), "another ClientID is not affected");
            now += Duration::from_secs(wait_s);
        }
    }

    #[test]
    fn concurrent_guesses_get_no_more_tries_than_consecutive_ones() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        let running: Vec<_> = (0..100).filter_map(|_| backoff.begin("A", None, ONCE, now).ok()).collect();
        assert_eq!(running.len(), FREE as usize + 1);
        running.into_iter().for_each(|attempt| attempt.wrong(now));
        assert!(backoff.begin("A", None, ONCE, now).is_err());
    }

    #[test]
    fn p3_a_try_with_twice_the_iterations_counts_twice() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        let twice = crate::net::rate_limit::weight(200_000);
        backoff.begin("A", None, twice, now).unwrap_or_else(|_| panic!("free")).wrong(now);
        backoff.begin("A", None, twice, now).unwrap_or_else(|_| panic!("still free")).wrong(now);
        assert_eq!(backoff.begin("A", None, ONCE, now).err().unwrap().seconds(), 1);
        let running: Vec<_> = (0..100).filter_map(|_| backoff.begin("B", None, twice, now).ok()).collect();
        assert_eq!(running.len(), 2);
    }

    #[test]
    fn a_correct_code_or_half_an_hour_resets_the_backoff() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        for _ in 0..FREE {
            backoff.begin("A", None, ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        }
        backoff.begin("A", None, ONCE, now).unwrap_or_else(|_| panic!()).right();
        assert!(backoff.0.lock().is_empty());
        backoff.begin("A", None, ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        backoff.sweep(now + MEMORY / 2);
        assert_eq!(backoff.0.lock().len(), 1);
        backoff.sweep(now + MEMORY);
        assert!(backoff.0.lock().is_empty());
    }

    #[test]
    fn the_table_is_bounded() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        for n in 0..CAPACITY + 100 {
            backoff.begin(&n.to_string(), None, ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        }
        assert_eq!(backoff.0.lock().len(), CAPACITY);
    }

    fn address(n: u32) -> Option<Subject> {
        Some(SocketAddr::from((Ipv4Addr::from_bits(n), 1)).into())
    }

    #[test]
    fn p16_wrong_codes_from_elsewhere_do_not_delay_other_addresses() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        for n in 0..10_000 {
            backoff.begin("A", address(n), ONCE, now).unwrap_or_else(|_| panic!("{n}")).wrong(now);
            if n % 100 == 0 {
                backoff.begin("A", address(1 << 31 | n), ONCE, now).unwrap_or_else(|_| panic!("the owner, after {n}"));
            }
        }
        assert!(backoff.begin("A", address(1 << 30), ONCE, now).is_ok(), "the owner");
    }

    #[test]
    fn wrong_codes_from_many_addresses_delay_each_by_up_to_a_minute() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        let wait_of = |backoff: &Backoff, n| match backoff.begin("A", address(n), ONCE, now) {
            Ok(_) => 0,
            Err(wait) => wait.seconds(),
        };
        for (tries, wait_s) in [(30, 0), (31, 1), (40, 1), (41, 2), (60, 4), (91, 60), (1000, 60)] {
            let backoff = Backoff::default();
            for n in 0..tries {
                backoff.begin("A", address(n), ONCE, now).unwrap_or_else(|_| panic!("{n}")).wrong(now);
            }
            assert_eq!(wait_of(&backoff, tries - 1), wait_s, "after {tries}");
            assert_eq!(wait_of(&backoff, tries), 0, "a new address, after {tries}");
        }
        for n in 0..FREE_IN_TOTAL {
            backoff.begin("A", address(n), ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
        }
        let running: Vec<_> = (0..9).filter_map(|_| backoff.begin("A", address(99), ONCE, now).ok()).collect();
        assert_eq!(running.len(), 1, "and one at a time");
    }

    /// Otherwise others could see that the name exists and that its owner has just used it.
    #[test]
    fn p16_a_correct_code_changes_nothing_for_other_addresses() {
        let (backoff, now) = (Backoff::default(), Instant::now());
        let waits = ["A", "B"].map(|name| {
            for n in 0..50 {
                backoff.begin(name, address(n), ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
            }
            if name == "A" {
                backoff.begin(name, address(99), ONCE, now).unwrap_or_else(|_| panic!()).right();
            }
            backoff.begin(name, address(98), ONCE, now).unwrap_or_else(|_| panic!()).wrong(now);
            backoff.begin(name, address(98), ONCE, now).err().map(RetryAfter::seconds)
        });
        assert!(waits[0].is_some() && waits[0] == waits[1], "{waits:?}");
    }
}
