//! The figures, and the bounds that they miss.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::report::{percentile, rounded};
use super::CrowdCase;
use super::beside::Took;
use super::users::UserOutcome;

/// Outcomes of runs, each with the durations of its last answers in microseconds.
pub(super) type Ended = BTreeMap<String, Vec<u32>>;

/// The outcome of a run that the server refused for lack of capacity.
pub(super) const REFUSED: &str = "HTTP 429";

pub(super) struct CrowdReport {
    pub(super) case: CrowdCase,
    pub(super) seconds: u64,
    /// Outcomes of the strangers' runs, or of import batches.
    pub(super) others: Ended,
    pub(super) users: Vec<UserOutcome>,
    pub(super) calm: Took,
    pub(super) during: Took,
    /// After the warm-up, and at the end.
    pub(super) memory_mib: (f64, f64),
}

/// Median and 99th percentile, in milliseconds.
fn of(us: impl IntoIterator<Item = u32>) -> (f64, f64) {
    let mut us: Vec<_> = us.into_iter().collect();
    us.sort_unstable();
    (percentile(&us, 0.5), percentile(&us, 0.99))
}

impl CrowdReport {
    /// The bounds that are missed.
    pub(super) fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        let mut bound = |name: &str, value: f64, most: f64| {
            if value > most {
                missed.push(format!("{name} is {}, not at most {most}", rounded(value)));
            }
        };
        let users_p99_ms = match self.case {
            CrowdCase::Fixed | CrowdCase::Dear => Some(2000.0),
            CrowdCase::Imports => Some(200.0),
            CrowdCase::New => None, // nothing tells them from strangers
        };
        if let Some(most) = users_p99_ms {
            bound(
                "the share of users not served at once",
                1.0 - self.share(|_| true, UserOutcome::is_served_at_once),
                0.0,
            );
            bound("the p99 of users in ms", self.users_ms().1, most);
        }
        if let Some(refused) = self.others.get(REFUSED).filter(|_| self.case == CrowdCase::New) {
            bound("the p99 of refusals in ms", of(refused.iter().copied()).1, 250.0);
        }
        for (name, calm_ms, during_ms) in self.beside() {
            let most = if self.case == CrowdCase::Imports { 200.0 } else { 250.0 };
            bound(&format!("the p99 of {name} in ms"), during_ms, (3.0 * calm_ms).max(most));
        }
        if self.case == CrowdCase::New {
            bound("the growth of memory in MiB", self.memory_mib.1 - self.memory_mib.0, 16.0);
        }
        missed
    }

    pub(super) fn document(&self) -> Value {
        let others = self.others.iter().map(|(ended, us)| {
            let (p50_ms, p99_ms) = of(us.iter().copied());
            (ended.clone(), json!({ "count": us.len(), "p50_ms": p50_ms, "p99_ms": p99_ms }))
        });
        let beside = self.beside().map(|(name, calm_ms, during_ms)| {
            (name.to_owned(), json!({ "p99_ms": during_ms, "p99_ms_before": calm_ms }))
        });
        let shares = |is_served: fn(&UserOutcome) -> bool| {
            json!({
                "known_addresses": rounded(self.share(|user| user.is_known, is_served)),
                "new_addresses": rounded(self.share(|user| !user.is_known, is_served)),
            })
        };
        let (p50_ms, p99_ms) = self.users_ms();
        json!({
            "case": self.case.name(),
            "seconds": self.seconds,
            "others": others.collect::<serde_json::Map<_, _>>(),
            "users": {
                "count": self.users.len(),
                "last_tries": self.last_tries(),
                "served_at_once": shares(UserOutcome::is_served_at_once),
                "served_after_retries": shares(UserOutcome::is_served),
                "p50_ms": p50_ms,
                "p99_ms": p99_ms,
            },
            "beside": beside.collect::<serde_json::Map<_, _>>(),
            "server_memory_mib": { "after_5_s": rounded(self.memory_mib.0), "at_the_end": rounded(self.memory_mib.1) },
            "missed": self.missed(),
        })
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("{}, {} s", self.case.name(), self.seconds)];
        for (ended, us) in &self.others {
            let (p50_ms, p99_ms) = of(us.iter().copied());
            lines.push(format!("  {:>6} × {ended}: p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms", us.len()));
        }
        let (p50_ms, p99_ms) = self.users_ms();
        lines.push(format!("  users          {}: p50 {p50_ms:.1} ms, p99 {p99_ms:.1} ms", json!(self.last_tries())));
        for (name, is_known) in [("known", true), ("new", false)] {
            let share =
                |is_served: fn(&UserOutcome) -> bool| 100.0 * self.share(|user| user.is_known == is_known, is_served);
            let (at_once, at_last) = (share(UserOutcome::is_served_at_once), share(UserOutcome::is_served));
            lines.push(format!(
                "    from {name} addresses: {at_once:.1} % served at once, {at_last:.1} % after retries"
            ));
        }
        for (name, calm_ms, during_ms) in self.beside() {
            lines.push(format!("  {name:<14} p99 {during_ms:.1} ms, {calm_ms:.1} ms before"));
        }
        let (warm, last) = self.memory_mib;
        lines.push(format!("  server memory  {warm:.1} MiB after 5 s, {last:.1} MiB at the end"));
        lines.join("\n")
    }

    /// The share of the users for which `who` holds that were served.
    fn share(&self, who: impl Fn(&UserOutcome) -> bool, is_served: fn(&UserOutcome) -> bool) -> f64 {
        let users: Vec<_> = self.users.iter().filter(|user| who(user)).collect();
        users.iter().filter(|user| is_served(user)).count() as f64 / users.len().max(1) as f64
    }

    /// The number of users by outcome.
    fn last_tries(&self) -> BTreeMap<&str, u32> {
        let mut ended = BTreeMap::new();
        for last in self.users.iter().filter_map(|user| user.tries.last()) {
            *ended.entry(last.as_str()).or_default() += 1;
        }
        ended
    }

    /// The durations of users that were served at once.
    fn users_ms(&self) -> (f64, f64) {
        of(self.users.iter().filter(|user| user.is_served_at_once()).map(|user| user.took_us))
    }

    /// For each kind of other request, the 99th percentiles before and during the load.
    fn beside(&self) -> impl Iterator<Item = (&'static str, f64, f64)> {
        self.during.iter().map(|(name, during)| {
            let calm = self.calm.get(name).map_or(0.0, |calm| of(calm.iter().copied()).1);
            (*name, calm, of(during.iter().copied()).1)
        })
    }
}
