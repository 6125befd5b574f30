//! Calls with a token that has not been right before: each is charged to its address, as a request of DSKPP is, and looked
//! up in the address's turn. So nobody keeps the database busy with tokens that he has thought up.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ApiToken;
use crate::net::rate_limit::{Rates, RetryAfter, Subject};
use crate::net::turns::Turns;
use crate::store::{Store, StoreError};

/// Tokens that are remembered; with one more, all are forgotten and charged once again.
const CAPACITY: usize = 1 << 16;

/// Who calls; clones share what is known.
#[derive(Clone)]
pub(crate) struct Callers {
    rates: Arc<Rates>,
    turns: Turns,
    hasher: RandomState,
    /// Keyed hashes of tokens that were right when they were last used. Their roles are looked up each time.
    right: Arc<Mutex<HashSet<u64>>>,
}

/// Why a token was not looked up.
pub(super) enum NotNow {
    /// Too many unknown ones came from its address.
    Later(RetryAfter),
    Store(StoreError),
}

impl Callers {
    pub(crate) fn new(rates: Arc<Rates>, turns: Turns) -> Self {
        Callers { rates, turns, hasher: RandomState::new(), right: Arc::default() }
    }

    /// The token of that value, which came from there.
    pub(super) async fn find(&self, store: &Store, value: &str, from: Subject) -> Result<Option<ApiToken>, NotNow> {
        let key = self.hasher.hash_one(value);
        let was_right = self.lock().contains(&key);
        let _turn = match was_right {
            true => None,
            false => {
                self.rates.count(from, NonZeroU32::MIN).map_err(NotNow::Later)?;
                Some(self.turns.of(from).await.map_err(NotNow::Later)?)
            }
        };
        let found = store.token(value).await.map_err(NotNow::Store)?;
        match (was_right, &found) {
            (false, Some(_)) => self.remember(key),
            (true, None) => drop(self.lock().remove(&key)), // it was taken back
            _ => {}
        }
        Ok(found)
    }

    fn remember(&self, key: u64) {
        let mut right = self.lock();
        if right.len() >= CAPACITY {
            right.clear();
        }
        right.insert(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
