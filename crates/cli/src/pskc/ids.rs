//! Which identifiers a file has had.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// The identifiers of a file, as hashes that are keyed so that a file cannot make two of them equal.
#[derive(Default)]
pub(super) struct SeenIds {
    hasher: RandomState,
    /// The first one of each that differs in more than capital letters: what it is in small letters, and as it is.
    first: HashMap<u64, u64>,
    /// Those that differ from it in capital letters.
    others: HashSet<u64>,
}

/// Whether an identifier was there before.
pub(super) enum IdMatch {
    No,
    Twice,
    /// With other capital letters.
    Alike,
}

impl SeenIds {
    pub(super) fn add(&mut self, id: &str) -> IdMatch {
        let (folded, exact) = self.hashes(id);
        match self.first.entry(folded) {
            Entry::Vacant(place) => {
                place.insert(exact);
                IdMatch::No
            }
            Entry::Occupied(first) if *first.get() != exact && self.others.insert(exact) => IdMatch::Alike,
            Entry::Occupied(_) => IdMatch::Twice,
        }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        let (folded, exact) = self.hashes(id);
        self.first.get(&folded) == Some(&exact) || self.others.contains(&exact)
    }

    /// In small letters, and as it is.
    fn hashes(&self, id: &str) -> (u64, u64) {
        let exact = self.hasher.hash_one(id);
        let is_small = id.bytes().all(|octet| octet.is_ascii() && !octet.is_ascii_uppercase());
        (if is_small { exact } else { self.hasher.hash_one(id.to_lowercase()) }, exact)
    }
}
