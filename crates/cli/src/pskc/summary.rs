//! What the first pass over a key file finds.

use std::collections::HashSet;

use jiff::Timestamp;
use pskc::{Header, KeyPackage, Trailer, Usable};

use super::notes::Notes;
use crate::shown::{count, shown};

/// What the first pass found.
pub(crate) struct Summary {
    pub(crate) header: Header,
    pub(crate) packages: u64,
    /// The algorithm of the first encrypted value.
    pub(crate) algorithm: Option<String>,
    /// Whether a secret is in the clear.
    pub(crate) has_open: bool,
    pub(crate) trailer: Trailer,
    /// Deviations from RFC 6030, with their places if known.
    pub(crate) warnings: Vec<(String, Option<pskc::xml::Position>)>,
    /// The time of reading, at which keys should be valid.
    now_unix_s: i64,
    /// Packages that have a key.
    pub(crate) keys: u64,
    /// The PIN keys that policies name.
    pub(crate) pins: HashSet<String>,
    /// Suspicious properties of keys.
    pub(crate) suspicions: Notes,
    /// Why keys cannot be used; an import reports that itself.
    pub(crate) unusable: Notes,
    /// Values that an import assumes.
    pub(crate) assumed: Notes,
}

impl Summary {
    pub(super) fn new(header: Header) -> Self {
        Summary {
            header,
            packages: 0,
            algorithm: None,
            has_open: false,
            trailer: Trailer::default(),
            warnings: Vec::new(),
            now_unix_s: Timestamp::now().as_second(),
            keys: 0,
            pins: HashSet::new(),
            suspicions: Notes::default(),
            unusable: Notes::default(),
            assumed: Notes::default(),
        }
    }

    /// The summary of a file that is not PSKC; `notes` has what was left out or guessed.
    pub(super) fn of(packages: &[KeyPackage], notes: &Notes) -> Self {
        let warnings = notes.texts().map(|text| (text, None)).collect();
        let mut summary = Summary { warnings, ..Summary::new(Header::default()) };
        for package in packages {
            summary.packages += 1;
            summary.look_at(package);
        }
        summary
    }

    /// Checks whether the key of the last package can be used, as imports and converters do.
    pub(super) fn look_at(&mut self, package: &KeyPackage) {
        let Some(key) = &package.key else { return };
        self.keys += 1;
        let pin = key.policy.as_ref().and_then(|policy| policy.pin_policy.as_ref());
        self.pins.extend(pin.and_then(|pin| pin.pin_key_id.clone()));
        let place = || format!("key {} ({})", self.packages, shown(&key.id));
        pskc::validity_problems(package, self.now_unix_s).for_each(|what| self.suspicions.add(what.to_owned(), place));
        match Usable::of(key) {
            Ok(usable) => {
                usable.suspicion().into_iter().for_each(|what| self.suspicions.add(what.to_owned(), place));
                usable.assumed().for_each(|what| self.assumed.add(what.to_owned(), place));
            }
            Err(why) => self.unusable.add(format!("it cannot be used: {why}"), place),
        }
    }

    /// The number of keys, and of packages without one, in words.
    pub(crate) fn counted(&self) -> String {
        match self.packages - self.keys {
            0 => count(self.keys, "key"),
            without => format!("{}, {} without a key", count(self.keys, "key"), count(without, "package")),
        }
    }
}
