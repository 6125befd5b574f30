//! Counts refused runs per enrolment in memory and writes them in groups, after the answers.
//!
//! Only existing enrolments are counted: invented client IDs create no rows. A crash loses the counts of the last
//! second.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::Cause;
use crate::net::rate_limit::Subject;
use crate::store::{LOCK_S, Locked, MAX_ADDRESSES, Store, StoreError, Tries};

/// How long refusals wait to be written together.
const WAIT: Duration = Duration::from_secs(1);
/// Maximum number of waiting enrolments, about 2 MiB; further refusals are only logged.
const CAPACITY: usize = 4096;

/// Unwritten refusals, by enrolment.
#[derive(Debug, Default)]
pub(crate) struct RefusalCounts {
    waiting: Mutex<HashMap<String, Tries>>,
    some: Notify,
}

impl RefusalCounts {
    /// Counts a refused run; a wrong code also counts against its address.
    pub(crate) fn count(&self, enrolment: &str, cause: Cause, peer: Subject) {
        let mut waiting = self.lock();
        if !waiting.contains_key(enrolment) && waiting.len() >= CAPACITY {
            tracing::debug!("too many enrolments with refused runs: not counting this one");
            return;
        }
        let empty = || Tries { refused: 0, cause, wrong: Vec::new() };
        let tries = waiting.entry(enrolment.to_owned()).or_insert_with(empty);
        tries.refused = tries.refused.saturating_add(1);
        tries.cause = cause;
        if cause == Cause::WrongCode {
            count_wrong(&mut tries.wrong, peer.to_string(), 1);
        }
        drop(waiting);
        self.some.notify_one();
    }

    /// Writes the counts every second, for as long as the server runs.
    pub(crate) async fn write_groups(self: Arc<Self>, store: Store) -> Infallible {
        loop {
            self.some.notified().await;
            tokio::time::sleep(WAIT).await;
            self.write(&store).await;
        }
    }

    /// Writes the counts.
    pub(crate) async fn write(&self, store: &Store) {
        let tries = mem::take(&mut *self.lock());
        if tries.is_empty() {
            return;
        }
        match store.count_tries(tries.clone()).done().await {
            Ok(locked) => locked.iter().for_each(log),
            // They may have been counted: counting them twice would lock out an owner.
            Err(why @ StoreError::Unknown(_)) => tracing::warn!("cannot count refused runs: {why}"),
            Err(why) => {
                tracing::warn!("cannot count refused runs now: {why}");
                self.put_back(tries);
            }
        }
    }

    /// Keeps counts that could not be written for the next time.
    fn put_back(&self, unwritten: HashMap<String, Tries>) {
        let mut waiting = self.lock();
        for (enrolment, before) in unwritten {
            let has_room = waiting.len() < CAPACITY;
            match waiting.entry(enrolment) {
                Entry::Occupied(mut tries) => {
                    let tries = tries.get_mut();
                    tries.refused = tries.refused.saturating_add(before.refused);
                    for (address, number) in before.wrong {
                        count_wrong(&mut tries.wrong, address, number);
                    }
                }
                Entry::Vacant(free) if has_room => drop(free.insert(before)),
                Entry::Vacant(_) => {}
            }
        }
        drop(waiting);
        self.some.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Tries>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_wrong(wrong: &mut Vec<(String, u32)>, address: String, number: u32) {
    let before = wrong.iter().position(|(known, _)| *known == address).map(|place| wrong.remove(place).1);
    if wrong.len() >= MAX_ADDRESSES {
        wrong.remove(0);
    }
    wrong.push((address, before.unwrap_or(0).saturating_add(number)));
}

fn log(Locked { enrolment, user, address }: &Locked) {
    tracing::warn!(
        enrolment,
        user,
        address,
        "too many wrong codes: rejecting all codes from this address for {LOCK_S} s"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: usize) -> Subject {
        Subject::from(std::net::SocketAddr::from(([192, 0, 2, n as u8], 1)))
    }

    #[test]
    fn wrong_codes_are_counted_per_address_for_the_latest_sixteen() {
        let refusal_counts = RefusalCounts::default();
        for n in (0..20).chain([7, 7]) {
            refusal_counts.count("e1", Cause::WrongCode, address(n));
        }
        refusal_counts.count("e1", Cause::Used, address(99));
        let waiting = refusal_counts.lock();
        let Tries { refused, cause, wrong } = &waiting["e1"];
        assert_eq!((*refused, *cause, wrong.len()), (23, Cause::Used, MAX_ADDRESSES));
        assert_eq!(wrong.first(), Some(&("192.0.2.4".to_owned(), 1)), "the oldest are dropped");
        assert_eq!(wrong.last(), Some(&("192.0.2.7".to_owned(), 3)));
        assert!(wrong.iter().all(|(address, _)| address != "192.0.2.99"), "a used code is no guess");
    }

    #[test]
    fn counts_that_could_not_be_written_wait_for_the_next_time() {
        let refusal_counts = RefusalCounts::default();
        refusal_counts.count("e1", Cause::WrongCode, address(1));
        let unwritten = mem::take(&mut *refusal_counts.lock());
        refusal_counts.count("e1", Cause::WrongCode, address(1));
        refusal_counts.count("e2", Cause::WrongCode, address(2));
        refusal_counts.put_back(unwritten);
        let waiting = refusal_counts.lock();
        let Tries { refused, wrong, .. } = &waiting["e1"];
        assert_eq!((*refused, &wrong[..]), (2, &[("192.0.2.1".to_owned(), 2)][..]));
        assert_eq!(waiting["e2"].refused, 1);
    }

    #[test]
    fn waiting_refusals_are_bounded() {
        let refusal_counts = RefusalCounts::default();
        for n in 0..CAPACITY + 10 {
            refusal_counts.count(&n.to_string(), Cause::WrongCode, address(1));
            refusal_counts.count("0", Cause::WrongCode, address(1));
        }
        let waiting = refusal_counts.lock();
        assert_eq!(waiting.len(), CAPACITY);
        assert_eq!(waiting["0"].refused as usize, CAPACITY + 11, "existing entries keep counting");
    }
}
