//! Precedence for expensive work: addresses whose last run had a wrong code wait behind all others; just ahead of them
//! wait addresses that retried sooner than asked. A correct code clears both, and gives the address precedence for a
//! place in the queue.
//!
//! Memory is bounded: a flood of new addresses evicts old entries, which then have the default precedence.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::net::rate_limit::Subject;

/// The precedence of an address; lower values go first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precedence {
    /// Its last run had a correct code. It takes turns with `Good` addresses and precedes them only if there is no room
    /// for both: one good code buys no more than that.
    Proved,
    /// Nothing is known of it.
    #[default]
    Good,
    /// It retried sooner than asked.
    Hasty,
    /// Its last run had a wrong code.
    Wrong,
}

/// Lifetime of an entry.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// Maximum number of addresses in each of three maps, about 2 MiB together.
const CAPACITY: usize = 1 << 15;

/// What is known of addresses.
#[derive(Debug, Default)]
pub(crate) struct AddressHistory {
    /// Time of the last correct code. Only correct codes add entries: wrong ones evict none.
    proved: HashMap<Subject, Instant>,
    /// Entries that count against addresses, with their time.
    against: HashMap<Subject, (Precedence, Instant)>,
    /// Times before which addresses should not retry.
    asked: HashMap<Subject, Instant>,
}

impl AddressHistory {
    /// The precedence of an address that requests work.
    pub(crate) fn of(&mut self, subject: Subject, now: Instant) -> Precedence {
        if let Some((precedence, _)) = self.against.get(&subject).filter(|(_, since)| counts(*since, now)) {
            return *precedence;
        }
        if self.proved.get(&subject).is_some_and(|since| counts(*since, now)) {
            return Precedence::Proved;
        }
        if self.asked.get(&subject).is_some_and(|until| now < *until) {
            remember(&mut self.against, subject, (Precedence::Hasty, now));
            return Precedence::Hasty;
        }
        Precedence::Good
    }

    /// Records a wrong code.
    pub(crate) fn wrong(&mut self, subject: Subject, now: Instant) -> Precedence {
        self.proved.remove(&subject);
        remember(&mut self.against, subject, (Precedence::Wrong, now));
        Precedence::Wrong
    }

    /// Records a proved code.
    pub(crate) fn right(&mut self, subject: Subject, now: Instant) -> Precedence {
        self.against.remove(&subject);
        remember(&mut self.proved, subject, now);
        Precedence::Proved
    }

    /// Records a refusal that asks the address not to retry before `until`.
    pub(crate) fn refused(&mut self, subject: Subject, until: Instant) {
        if self.asked.len() >= CAPACITY {
            self.asked.clear(); // entries are short-lived anyway
        }
        self.asked.insert(subject, until);
    }

    /// Discards expired entries; called every few seconds.
    pub(crate) fn sweep(&mut self, now: Instant) {
        self.proved.retain(|_, since| counts(*since, now));
        self.against.retain(|_, (_, since)| counts(*since, now));
        self.asked.retain(|_, until| now < *until);
        self.proved.shrink_to(64);
        self.against.shrink_to(64);
        self.asked.shrink_to(64);
    }
}

fn counts(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) < MEMORY
}

/// Adds to a map of at most [`CAPACITY`] entries.
fn remember<T>(map: &mut HashMap<Subject, T>, subject: Subject, what: T) {
    if map.len() >= CAPACITY && !map.contains_key(&subject) {
        let victim = map.keys().next().copied(); // arbitrary: the order of a hash map
        victim.map(|victim| map.remove(&victim));
    }
    map.insert(subject, what);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(number: u32) -> Subject {
        Subject::from(std::net::SocketAddr::from((number.to_be_bytes(), 1)))
    }

    #[test]
    fn a_wrong_run_counts_for_ten_minutes_and_a_correct_code_clears_it() {
        let (mut history, now) = (AddressHistory::default(), Instant::now());
        let (one, other) = (subject(1), subject(2));
        assert_eq!(history.wrong(one, now), Precedence::Wrong);
        let later = now + MEMORY - Duration::from_secs(1);
        assert_eq!((history.of(one, later), history.of(other, later)), (Precedence::Wrong, Precedence::Good));
        assert_eq!(history.of(one, now + MEMORY), Precedence::Good);
        assert_eq!(history.right(one, now), Precedence::Proved);
        assert_eq!((history.of(one, later), history.of(one, now + MEMORY)), (Precedence::Proved, Precedence::Good));
        assert_eq!(history.wrong(one, now), Precedence::Wrong, "a correct code does not excuse wrong ones");
    }

    #[test]
    fn an_early_retry_ranks_between_good_and_wrong() {
        let (mut history, now) = (AddressHistory::default(), Instant::now());
        let (hasty, patient, wrong) = (subject(1), subject(2), subject(3));
        let until = now + Duration::from_secs(2);
        history.wrong(wrong, now);
        [hasty, patient, wrong].into_iter().for_each(|subject| history.refused(subject, until));
        assert_eq!(history.of(hasty, now), Precedence::Hasty);
        assert_eq!(history.of(wrong, now), Precedence::Wrong);
        assert_eq!(history.of(patient, until), Precedence::Good);
        assert_eq!(history.of(hasty, until), Precedence::Hasty, "waiting afterwards does not help");
        assert_eq!(history.wrong(hasty, until), Precedence::Wrong);
        history.right(hasty, now);
        assert_eq!(history.of(hasty, now), Precedence::Proved, "many people may share a known address");
    }

    #[test]
    fn memory_is_bounded_with_ever_new_addresses() {
        let (mut history, now) = (AddressHistory::default(), Instant::now());
        let sizes = |s: &AddressHistory| [s.proved.len(), s.against.len(), s.asked.len()];
        for number in 0..3 * CAPACITY as u32 {
            history.right(subject(number), now);
            history.wrong(subject(number), now);
            history.refused(subject(number), now + MEMORY);
            history.right(subject(u32::MAX - number), now);
            assert!(sizes(&history).iter().all(|len| *len <= CAPACITY));
        }
        history.sweep(now + MEMORY);
        assert_eq!(sizes(&history), [0; 3]);
        let capacities = [history.proved.capacity(), history.against.capacity(), history.asked.capacity()];
        assert!(capacities.iter().all(|capacity| *capacity < 1000));
    }

    #[test]
    fn wrong_codes_from_new_addresses_evict_no_correct_one() {
        let (mut history, now) = (AddressHistory::default(), Instant::now());
        let proved = subject(u32::MAX);
        history.right(proved, now);
        for number in 0..2 * CAPACITY as u32 {
            history.wrong(subject(number), now);
            history.refused(subject(number), now + MEMORY);
        }
        assert_eq!(history.of(proved, now), Precedence::Proved);
    }
}
