//! The figures, as text and JSON.

use serde_json::{Value, json};

use crate::enroll::names::MethodName;

use super::baseline::BareCost;
use super::load::{Measured, RunKind};
use super::pool::PoolCost;
use super::process::ProcessCost;

pub(super) struct LoadReport {
    kind: RunKind,
    concurrency: u32,
    runs: usize,
    seconds: f64,
    runs_per_second: f64,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    hello_p50_ms: f64,
    longest_gap_s: f64,
    status_counts: Value,
    server_cpu_ms_per_run: Option<f64>,
    server_peak_rss_mib: Option<f64>,
    bare: Option<BareCost>,
    /// CPU of one derivation in the server's pool.
    pool_derivation_ms: Option<f64>,
}

/// The measurement justifies no more than three decimals.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The value below which `share` of the sorted samples lies, in milliseconds.
pub(super) fn percentile(sorted_us: &[u32], share: f64) -> f64 {
    let last = sorted_us.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    sorted_us.get(at).map_or(0.0, |us| f64::from(*us) / 1000.0)
}

impl LoadReport {
    pub(super) fn new(
        kind: RunKind,
        concurrency: u32,
        measured: &Measured,
        used: Option<ProcessCost>,
        bare: Option<BareCost>,
        pool: &PoolCost,
    ) -> Self {
        let runs = measured.run_us.len();
        let cpu_ms = used.as_ref().and_then(|used| used.cpu_ms);
        LoadReport {
            kind,
            concurrency,
            runs,
            seconds: measured.elapsed.as_secs_f64(),
            runs_per_second: measured.runs_per_second(),
            p50_ms: percentile(&measured.run_us, 0.50),
            p95_ms: percentile(&measured.run_us, 0.95),
            p99_ms: percentile(&measured.run_us, 0.99),
            hello_p50_ms: percentile(&measured.hello_us, 0.50),
            longest_gap_s: measured.longest_gap().as_secs_f64(),
            status_counts: json!(measured.statuses),
            server_cpu_ms_per_run: cpu_ms.map(|ms| ms / runs.max(1) as f64),
            server_peak_rss_mib: used.and_then(|used| used.peak_rss_mib),
            bare,
            pool_derivation_ms: pool.derivation_ms(),
        }
    }

    fn variant(&self) -> &'static str {
        match self.kind {
            RunKind::FourPass | RunKind::FourPassShared => "four-pass",
            RunKind::TwoPass(_) => "two-pass",
        }
    }

    fn method(&self) -> Option<&'static str> {
        match self.kind {
            RunKind::TwoPass(MethodName::Transport) => Some("transport"),
            RunKind::TwoPass(MethodName::Wrap) => Some("wrap"),
            RunKind::TwoPass(MethodName::PassphraseWrap) => Some("passphrase-wrap"),
            _ => None,
        }
    }

    /// Bare PBKDF2 and RSA, run by run, divided by the server's CPU time. Derivations one by one, and a protocol that costs
    /// nothing, would make it 1.
    fn crypto_ratio(&self) -> Option<f64> {
        Some(self.bare.as_ref()?.crypto_ms / self.server_cpu_ms_per_run.filter(|ms| *ms > 0.0)?)
    }

    /// CPU time of a bare derivation divided by that of one in the server's pool, which derives for several runs at once.
    fn kdf_gain(&self) -> Option<f64> {
        Some(self.bare.as_ref()?.derivation_ms / self.pool_derivation_ms?)
    }

    fn crypto_ms(&self) -> Option<f64> {
        self.bare.as_ref().map(|bare| bare.crypto_ms)
    }

    pub(super) fn document(&self) -> Value {
        json!({
            "variant": self.variant(),
            "method": self.method(),
            "kdf_cost": self.kind.is_slow(),
            "concurrency": self.concurrency,
            "runs": self.runs,
            "seconds": rounded(self.seconds),
            "runs_per_second": rounded(self.runs_per_second),
            "p50_ms": self.p50_ms,
            "p95_ms": self.p95_ms,
            "p99_ms": self.p99_ms,
            "client_hello_p50_ms": self.hello_p50_ms,
            "longest_gap_s": rounded(self.longest_gap_s),
            "status_counts": self.status_counts,
            "server_cpu_ms_per_run": self.server_cpu_ms_per_run.map(rounded),
            "server_peak_rss_mib": self.server_peak_rss_mib.map(rounded),
            "crypto_ms": self.crypto_ms().map(rounded),
            "crypto_ratio": self.crypto_ratio().map(rounded),
            "kdf_gain": self.kdf_gain().map(rounded),
        })
    }

    pub(super) fn text(&self) -> String {
        let or_unknown = |value: Option<f64>, unit: &str| match value {
            Some(value) => format!("{value:.3}{unit}"),
            None => "not measured".to_owned(),
        };
        format!(
            "{:.0} complete {} runs a second ({} runs in {:.1} s, {} at a time)\n\
             run            p50 {:.2} ms, p95 {:.2} ms, p99 {:.2} ms\n\
             ClientHello    p50 {:.2} ms\n\
             statuses       {}\n\
             longest time without a success  {:.3} s\n\
             server CPU     {} a run\n\
             server memory  {} at most\n\
             crypto_ratio   {} (bare PBKDF2 and RSA: {})\n\
             kdf_gain       {} (CPU of a PBKDF2 in the server: {}, bare: {})",
            self.runs_per_second,
            self.variant(),
            self.runs,
            self.seconds,
            self.concurrency,
            self.p50_ms,
            self.p95_ms,
            self.p99_ms,
            self.hello_p50_ms,
            self.status_counts,
            self.longest_gap_s,
            or_unknown(self.server_cpu_ms_per_run, " ms"),
            or_unknown(self.server_peak_rss_mib, " MiB"),
            or_unknown(self.crypto_ratio(), ""),
            or_unknown(self.crypto_ms(), " ms"),
            or_unknown(self.kdf_gain(), ""),
            or_unknown(self.pool_derivation_ms, " ms"),
            or_unknown(self.bare.as_ref().map(|bare| bare.derivation_ms), " ms"),
        )
    }
}
