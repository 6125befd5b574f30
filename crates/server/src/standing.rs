//! Who waits behind others for expensive work: addresses whose last run was wrong, and before those the ones that came
//! back sooner than they were asked to. A right code clears both.
//!
//! It is kept in bounded memory. Whoever fills that with ever-new addresses gets old ones forgotten; these wait with
//! everybody else then.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::limits::Subject;

/// Where an address stands; the lesser goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Nothing is known against it.
    #[default]
    Good,
    /// It was asked to come back later, and came back sooner.
    Hasty,
    /// It has asked for work with a wrong code.
    Wrong,
}

/// How long something counts against an address.
const MEMORY: Duration = Duration::from_secs(10 * 60);
/// Addresses remembered at most, about 2 MiB; and as many again that were asked to come back later.
const CAPACITY: usize = 1 << 15;

/// What is known of addresses.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    known: HashMap<Subject, (Standing, Instant)>,
    /// Until when somebody was asked to stay away.
    asked: HashMap<Subject, Instant>,
}

impl Standings {
    /// The standing of somebody who asks for work.
    pub(crate) fn of(&mut self, subject: Subject, now: Instant) -> Standing {
        let standing = self.known(subject, now);
        if standing == Standing::Good && self.asked.get(&subject).is_some_and(|until| now < *until) {
            return self.mark(subject, Standing::Hasty, now);
        }
        standing
    }

    /// Work was asked for with a wrong code.
    pub(crate) fn wrong(&mut self, subject: Subject, now: Instant) -> Standing {
        self.mark(subject, Standing::Wrong, now)
    }

    /// A code was proved.
    pub(crate) fn right(&mut self, subject: Subject) -> Standing {
        self.known.remove(&subject);
        self.asked.remove(&subject);
        Standing::Good
    }

    /// Work was refused, with the wish that nobody asks again before `until`.
    pub(crate) fn refused(&mut self, subject: Subject, until: Instant) {
        if self.asked.len() >= CAPACITY {
            self.asked.clear(); // a short memory anyhow
        }
        self.asked.insert(subject, until);
    }

    /// Forgets what is over; called every few seconds.
    pub(crate) fn sweep(&mut self, now: Instant) {
        self.known.retain(|_, (_, since)| now.saturating_duration_since(*since) < MEMORY);
        self.asked.retain(|_, until| now < *until);
        self.known.shrink_to(64);
        self.asked.shrink_to(64);
    }

    fn known(&self, subject: Subject, now: Instant) -> Standing {
        let known = self.known.get(&subject);
        let known = known.filter(|(_, since)| now.saturating_duration_since(*since) < MEMORY);
        known.map_or(Standing::Good, |(standing, _)| *standing)
    }

    fn mark(&mut self, subject: Subject, standing: Standing, now: Instant) -> Standing {
        if self.known.len() >= CAPACITY && !self.known.contains_key(&subject) {
            let victim = self.known.keys().next().copied(); // any: the order of a hash map
            victim.map(|victim| self.known.remove(&victim));
        }
        self.known.insert(subject, (standing, now));
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(number: u32) -> Subject {
        Subject::from(std::net::SocketAddr::from((number.to_be_bytes(), 1)))
    }

    #[test]
    fn a_wrong_run_counts_for_ten_minutes_and_a_right_code_clears_it() {
        let (mut standings, now) = (Standings::default(), Instant::now());
        let (one, other) = (subject(1), subject(2));
        assert_eq!(standings.wrong(one, now), Standing::Wrong);
        let later = now + MEMORY - Duration::from_secs(1);
        assert_eq!((standings.of(one, later), standings.of(other, later)), (Standing::Wrong, Standing::Good));
        assert_eq!(standings.of(one, now + MEMORY), Standing::Good);
        assert_eq!(standings.right(one), Standing::Good);
        assert_eq!(standings.of(one, later), Standing::Good);
    }

    #[test]
    fn who_comes_back_too_soon_stands_between_good_and_wrong() {
        let (mut standings, now) = (Standings::default(), Instant::now());
        let (hasty, patient, wrong) = (subject(1), subject(2), subject(3));
        let until = now + Duration::from_secs(2);
        standings.wrong(wrong, now);
        [hasty, patient, wrong].into_iter().for_each(|subject| standings.refused(subject, until));
        assert_eq!(standings.of(hasty, now), Standing::Hasty);
        assert_eq!(standings.of(wrong, now), Standing::Wrong);
        assert_eq!(standings.of(patient, until), Standing::Good);
        assert_eq!(standings.of(hasty, until), Standing::Hasty, "it does not get better by waiting after that");
        assert_eq!(standings.wrong(hasty, until), Standing::Wrong);
        standings.right(hasty);
        assert_eq!(standings.of(hasty, now), Standing::Good);
    }

    #[test]
    fn ever_new_addresses_fill_no_memory() {
        let (mut standings, now) = (Standings::default(), Instant::now());
        for number in 0..3 * CAPACITY as u32 {
            standings.wrong(subject(number), now);
            standings.refused(subject(number), now + MEMORY);
            assert!(standings.known.len() <= CAPACITY && standings.asked.len() <= CAPACITY);
        }
        standings.sweep(now + MEMORY);
        assert!(standings.known.is_empty() && standings.asked.is_empty());
        assert!(standings.known.capacity() < 1000 && standings.asked.capacity() < 1000);
    }
}
