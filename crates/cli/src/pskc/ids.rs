//! The identifiers seen in a file.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};

/// Identifiers as keyed hashes, so that a file cannot cause collisions.
#[derive(Default)]
pub(super) struct SeenIds {
    hasher: RandomState,
    /// Per lower-case hash, the hash of the first spelling.
    first: HashMap<u64, u64>,
    /// Further spellings that differ only in case.
    others: HashSet<u64>,
}

/// Whether an identifier was seen before.
pub(super) enum IdMatch {
    No,
    Twice,
    /// In a different case.
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

    /// Of the lower-case and the exact identifier.
    fn hashes(&self, id: &str) -> (u64, u64) {
        let exact = self.hasher.hash_one(id);
        let is_small = id.bytes().all(|octet| octet.is_ascii() && !octet.is_ascii_uppercase());
        (if is_small { exact } else { self.hasher.hash_one(id.to_lowercase()) }, exact)
    }
}
