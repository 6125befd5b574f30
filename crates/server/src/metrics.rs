//! What parts of the server count and measure. Each part makes its own counters and hands them out as [`Collectors`];
//! `running` puts them together and shows them.
//!
//! Counting costs a few atomic operations. Label values are texts of this program, by their type, or names in the
//! configuration: nothing that a stranger sends makes a new series.

use std::time::Instant;

use prometheus::core::Collector;
use prometheus::{HistogramOpts, IntCounterVec, Opts};

pub(crate) use prometheus::{Counter, Histogram, IntCounter, IntGauge, IntGaugeVec};

/// What a part of the server has to show.
pub(crate) type Collectors = Vec<Box<dyn Collector>>;

/// A label's name and its value.
type Label = (&'static str, &'static str);

/// Names, labels and helps of this program are valid, and values are as many as names.
const VALID: &str = "a valid metric";

/// Bounds for durations, in seconds: from a parse to the longest wait.
const SECONDS: [f64; 16] =
    [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// A counter.
pub(crate) fn counter(name: &str, help: &str, labels: &[Label]) -> IntCounter {
    IntCounter::with_opts(opts(name, help, labels)).expect(VALID)
}

/// A sum of times, in seconds.
pub(crate) fn seconds(name: &str, help: &str) -> Counter {
    Counter::with_opts(opts(name, help, &[])).expect(VALID)
}

/// A value that goes up and down.
pub(crate) fn gauge(name: &str, help: &str, labels: &[Label]) -> IntGauge {
    IntGauge::with_opts(opts(name, help, labels)).expect(VALID)
}

/// Values that go up and down, one for each value of a label. `values` are texts of this program.
pub(crate) fn gauges(name: &str, help: &str, label: &'static str) -> IntGaugeVec {
    IntGaugeVec::new(opts(name, help, &[]), &[label]).expect(VALID)
}

/// A distribution of durations; see [`observe`].
pub(crate) fn durations(name: &str, help: &str, labels: &[Label]) -> Histogram {
    histogram(name, help, labels, &SECONDS)
}

/// A distribution.
pub(crate) fn histogram(name: &str, help: &str, labels: &[Label], buckets: &[f64]) -> Histogram {
    let mut opts = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    for (label, value) in labels {
        opts = opts.const_label(*label, *value);
    }
    Histogram::with_opts(opts).expect(VALID)
}

fn opts(name: &str, help: &str, labels: &[Label]) -> Opts {
    labels.iter().fold(Opts::new(name, help), |opts, (label, value)| opts.const_label(*label, *value))
}

/// Counts the time since `start`.
pub(crate) fn observe(durations: &Histogram, start: Instant) {
    durations.observe(start.elapsed().as_secs_f64());
}

/// The durations of one stage of answering.
pub(crate) fn stage(stage: &'static str) -> Histogram {
    let help = "Duration of one stage of answering a DSKPP request.";
    durations("dskpp_stage_duration_seconds", help, &[("stage", stage)])
}

/// Refusals by one limit.
pub(crate) fn limit(limit: &'static str) -> IntCounter {
    counter("dskpp_limit_refusals_total", "Requests and connections that a limit refused.", &[("limit", limit)])
}

/// Counters of one name, for events that are rare beside the work that they count.
#[derive(Clone, Debug)]
pub(crate) struct Counters(IntCounterVec);

impl Counters {
    /// Counters with these labels; `known` begin at 0, so that their first increase is seen.
    pub(crate) fn new<const N: usize>(
        name: &str,
        help: &str,
        labels: [&'static str; N],
        known: impl IntoIterator<Item = [&'static str; N]>,
    ) -> Self {
        let counters = IntCounterVec::new(opts(name, help, &[]), &labels).expect(VALID);
        known.into_iter().for_each(|values| drop(counters.with_label_values(&values)));
        Counters(counters)
    }

    /// Counts one event.
    pub(crate) fn count<const N: usize>(&self, values: [&'static str; N]) {
        self.0.with_label_values(&values).inc();
    }

    /// Counts one event of something that the configuration names.
    pub(crate) fn count_named(&self, name: &str, value: &'static str) {
        self.0.with_label_values(&[name, value]).inc();
    }

    /// Begins at 0 what the configuration names.
    pub(crate) fn begin_named(&self, name: &str, value: &'static str) {
        drop(self.0.with_label_values(&[name, value]));
    }

    /// Counters to show.
    pub(crate) fn collector(&self) -> Box<dyn Collector> {
        Box::new(self.0.clone())
    }
}

/// Boxes what is to be shown.
macro_rules! collectors {
    ($($metric:expr),* $(,)?) => { vec![$(Box::new($metric.clone()) as Box<dyn ::prometheus::core::Collector>),*] };
}
pub(crate) use collectors;
