//! Authentication of API callers. A call with a token that was not valid before counts against the rate limit of its
//! address and waits for the address's turn, so that guessed tokens cannot keep the database busy.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ApiToken;
use crate::net::rate_limit::{Rates, RetryAfter, Subject};
use crate::net::turns::Turns;
use crate::store::{Store, StoreError};

/// Cached tokens; one more clears the cache.
const CAPACITY: usize = 1 << 16;

/// The callers; clones share the cache.
#[derive(Clone)]
pub(crate) struct Callers {
    rates: Arc<Rates>,
    turns: Turns,
    hasher: RandomState,
    /// Keyed hashes of tokens that were valid when last used. Their roles are looked up each time.
    valid: Arc<Mutex<HashSet<u64>>>,
}

/// Why a token was not looked up.
pub(super) enum LookupRefused {
    /// Too many unknown tokens from its address.
    Later(RetryAfter),
    Store(StoreError),
}

impl Callers {
    pub(crate) fn new(rates: Arc<Rates>, turns: Turns) -> Self {
        Callers { rates, turns, hasher: RandomState::new(), valid: Arc::default() }
    }

    /// Looks up a token sent from that address.
    pub(super) async fn find(
        &self,
        store: &Store,
        value: &str,
        from: Subject,
    ) -> Result<Option<ApiToken>, LookupRefused> {
        let key = self.hasher.hash_one(value);
        let was_valid = self.lock().contains(&key);
        let _turn = match was_valid {
            true => None,
            false => {
                self.rates.count(from, NonZeroU32::MIN).map_err(LookupRefused::Later)?;
                Some(self.turns.of(from).await.map_err(LookupRefused::Later)?)
            }
        };
        let found = store.token(value).await.map_err(LookupRefused::Store)?;
        match (was_valid, &found) {
            (false, Some(_)) => self.remember(key),
            (true, None) => drop(self.lock().remove(&key)), // revoked
            _ => {}
        }
        Ok(found)
    }

    fn remember(&self, key: u64) {
        let mut valid = self.lock();
        if valid.len() >= CAPACITY {
            valid.clear();
        }
        valid.insert(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<u64>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
