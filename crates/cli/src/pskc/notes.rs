//! Notes on many keys: each is reported once, with the number of keys.

use std::collections::HashMap;

use crate::shown::count;

/// At most this many different notes are kept; further ones are counted.
const MOST: usize = 100;

/// What a reader left out or guessed.
#[derive(Default)]
pub(crate) struct Notes {
    /// Notes on the file as a whole.
    file: Vec<String>,
    /// Note, number of keys, and first place, in order of occurrence.
    told: Vec<(String, u64, String)>,
    places: HashMap<String, usize>,
    more: u64,
}

impl Notes {
    /// Adds a note on the whole file.
    pub(crate) fn of_file(&mut self, what: String) {
        self.file.push(what);
    }

    /// Adds a note on the key at `place`.
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

    /// The notes as sentences.
    pub(crate) fn texts(&self) -> impl Iterator<Item = String> {
        let tell = |(what, keys, place): &(String, u64, String)| match keys {
            1 => format!("{place}: {what}"),
            keys => format!("{what} ({}, {place} first)", count(*keys, "key")),
        };
        let more = (self.more > 0).then(|| format!("{} not listed", count(self.more, "more finding")));
        self.file.iter().cloned().chain(self.told.iter().map(tell)).chain(more)
    }
}
