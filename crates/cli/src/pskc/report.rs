//! What a conversion did with each key.

use std::collections::{BTreeMap, BTreeSet};

use pskc::{Key, KeyPackage};
use serde_json::{Value as Json, json};

use crate::output::Failure;
use crate::shown::{count, note, shown};

/// What a conversion did with the keys.
#[derive(Default)]
pub(super) struct PskcReport {
    /// Whether to omit keys that the format cannot express.
    skip: bool,
    pub(super) written: u64,
    /// What the format cannot express, and for how many keys.
    left_out: BTreeMap<&'static str, u64>,
    /// Defaults that apply to values that keys do not state.
    assumed: BTreeMap<&'static str, u64>,
    skipped: Vec<Json>,
    pins: PinKeys,
}

/// Keys with PINs, if keys may be omitted.
#[derive(Default)]
struct PinKeys {
    of_written: BTreeSet<String>,
    of_skipped: BTreeSet<String>,
    skipped: BTreeSet<String>,
    /// PIN keys that are written within the lines of other keys, with their numbers.
    within: Vec<(u64, String)>,
}

/// Why a key cannot be written, and what to do.
pub(super) struct Unfit {
    pub(super) why: String,
    pub(super) next: &'static str,
}

impl From<String> for Unfit {
    fn from(why: String) -> Self {
        Unfit { why, next: "omit such keys with --skip, or use another format" }
    }
}

impl Unfit {
    pub(super) fn failure(&self, number: u64, package: &KeyPackage) -> Failure {
        Failure::new(format!("key {number} ({}): {}", shown(id(package)), self.why)).next(self.next)
    }
}

fn id(package: &KeyPackage) -> &str {
    package.key.as_ref().map(|key| key.id.as_str()).unwrap_or_default()
}

fn pin_of(key: &Key) -> Option<&String> {
    key.policy.as_ref()?.pin_policy.as_ref()?.pin_key_id.as_ref()
}

impl PskcReport {
    pub(super) fn new(skip: bool) -> Self {
        PskcReport { skip, ..PskcReport::default() }
    }

    /// Counts a written package.
    pub(super) fn write(&mut self, package: &KeyPackage) {
        self.written += u64::from(package.key.is_some());
        if let Some(pin) = package.key.as_ref().filter(|_| self.skip).and_then(pin_of) {
            self.pins.of_written.insert(pin.clone());
        }
    }

    /// Records a PIN key that is written within its key's line.
    pub(super) fn write_within(&mut self, number: u64, package: &KeyPackage) {
        if self.skip {
            self.pins.within.push((number, id(package).to_owned()));
        }
    }

    /// Records what the format cannot express, and the defaults it supplies.
    pub(super) fn add(&mut self, left_out: Vec<&'static str>, assumed: Vec<&'static str>) {
        for part in left_out {
            *self.left_out.entry(part).or_default() += 1;
        }
        for part in assumed {
            *self.assumed.entry(part).or_default() += 1;
        }
    }

    /// Omits a key that the format cannot express.
    ///
    /// # Errors
    /// Omitting keys was not requested.
    pub(super) fn leave_out(&mut self, number: u64, package: &KeyPackage, unfit: Unfit) -> Result<(), Failure> {
        if !self.skip {
            return Err(unfit.failure(number, package));
        }
        let pin = package.key.as_ref().and_then(pin_of);
        self.pins.of_skipped.extend(pin.cloned());
        self.pins.skipped.insert(id(package).to_owned());
        self.skipped(number, id(package), &unfit.why);
        Ok(())
    }

    fn skipped(&mut self, number: u64, id: &str, why: &str) {
        note(format!("key {number} ({}) is left out: {why}", shown(id)));
        self.skipped.push(json!({ "number": number, "id": id, "reason": why }));
    }

    /// Reports the differences on standard error.
    pub(super) fn tell(&mut self) {
        for (number, id) in std::mem::take(&mut self.pins.within) {
            if !self.pins.of_written.contains(&id) {
                self.skipped(number, &id, "it is the PIN of keys that are left out");
                self.pins.skipped.insert(id);
            }
        }
        let PinKeys { of_written, of_skipped, skipped, .. } = &self.pins;
        for pin in of_skipped.difference(of_written).filter(|pin| !skipped.contains(*pin)) {
            note(format!("key {} holds the PIN of no key that is written", shown(pin)));
        }
        for pin in of_written.intersection(skipped) {
            note(format!("key {} is left out, but holds the PIN of keys that are written", shown(pin)));
        }
        let list = |parts: &BTreeMap<&str, u64>| {
            parts.iter().map(|(part, keys)| format!("{part} ({})", count(*keys, "key"))).collect::<Vec<_>>().join(", ")
        };
        if !self.left_out.is_empty() {
            note(format!("left out, as the format has no place for them: {}", list(&self.left_out)));
        }
        if !self.assumed.is_empty() {
            note(format!("not stated, so the format's defaults apply: {}", list(&self.assumed)));
        }
        if !self.skipped.is_empty() {
            note(format!("{} left out", count(self.skipped.len() as u64, "key")));
        }
    }

    /// The same as JSON.
    pub(super) fn members(&self, warnings: &[String]) -> Json {
        json!({ "warnings": warnings, "left_out": self.left_out, "assumed": self.assumed, "skipped": self.skipped })
    }
}
