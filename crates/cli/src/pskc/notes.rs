//! What is to be said of many keys: each thing once, with the number of keys that it concerns.

use std::collections::HashMap;

use crate::shown::count;

/// Different things that are told; those beyond are only counted.
const MOST: usize = 100;

/// What a reader leaves out or guesses.
#[derive(Default)]
pub(crate) struct Notes {
    /// What is said of the file.
    file: Vec<String>,
    /// What, in how many keys, and where first; in the order of their coming.
    told: Vec<(String, u64, String)>,
    places: HashMap<String, usize>,
    more: u64,
}

impl Notes {
    /// Adds something that is so with the whole file.
    pub(crate) fn of_file(&mut self, what: String) {
        self.file.push(what);
    }

    /// Adds something that is so with the key at `place`.
    pub(crate) fn add(&mut self, what: String, place: impl FnOnce() -> String) {
        match self.places.get(&what) {
            Some(at) => self.told[*at].1 += 1,
            None if self.told.len() < MOST => {
                self.places.insert(what.clone(), self.told.len());
                self.told.push((what, 1, place()));
            }
            None => self.more += 1,
        }
    }

    /// Sentences.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        let tell = |(what, keys, place): &(String, u64, String)| match keys {
            1 => format!("{place}: {what}"),
            keys => format!("{what} ({}, {place} first)", count(*keys, "key")),
        };
        let more = (self.more > 0).then(|| format!("{} of the same kinds are not listed", count(self.more, "thing")));
        self.file.iter().cloned().chain(self.told.iter().map(tell)).chain(more)
    }
}
