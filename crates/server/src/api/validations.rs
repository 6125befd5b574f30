//! Counts one-time passwords that were shown.

use crate::metrics::{Collectors, Counters, IntCounter, collectors, limit};
use crate::net::rate_limit::RetryAfter;
use crate::store::Verdict;

/// Where passwords are shown.
pub(super) const API: &str = "api";
/// Where clients of privacyIDEA show them.
pub(super) const CHECK: &str = "validate-check";
/// Several passwords, to find a token's counter or clock.
pub(super) const RESYNC: &str = "resync";

/// What is counted of validations; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Validations {
    counts: Counters,
    backoff: IntCounter,
}

impl Default for Validations {
    fn default() -> Self {
        let results = |surface| ["right", "again", "wrong", "later"].map(|result| [surface, result]);
        let (name, help) =
            ("dskpp_validations_total", "One-time passwords that were shown, by where and with which result.");
        let counts =
            Counters::new(name, help, ["surface", "result"], [API, CHECK, RESYNC].into_iter().flat_map(results));
        Validations { counts, backoff: limit("password_backoff") }
    }
}

impl Validations {
    /// Counts what was found.
    pub(super) fn found(&self, surface: &'static str, verdict: &Verdict) {
        let result = match verdict {
            Verdict::Right(_) => "right",
            Verdict::Again => "again",
            Verdict::Wrong => "wrong",
            Verdict::TooSoon(_) => "later",
        };
        self.counts.count([surface, result]);
        if result == "later" {
            self.backoff.inc();
        }
    }

    /// Counts a password that was not looked at.
    pub(super) fn too_soon(&self, surface: &'static str) {
        self.counts.count([surface, "later"]);
        self.backoff.inc();
    }

    /// Counts a password that was not looked at.
    pub(super) fn refused(&self, surface: &'static str, wait: RetryAfter) -> RetryAfter {
        self.too_soon(surface);
        wait
    }

    pub(crate) fn metrics(&self) -> Collectors {
        collectors![self.backoff].into_iter().chain([self.counts.collector()]).collect()
    }
}
