//! What the store counts and measures of its database.

use std::time::Duration;

use crate::metrics::{Collectors, Histogram, IntCounter, IntGauge, collectors, counter, durations, gauge, histogram};

/// Bounds for the number of writes in one transaction; the last one is the most.
const GROUP_SIZES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Counters of one engine.
pub(super) struct Measures {
    /// From the order to read until the result.
    pub(super) reads: Histogram,
    /// From the order to write until it is durable, or refused.
    pub(super) writes: Histogram,
    /// Transactions that write, with repetitions.
    transactions: Histogram,
    /// Writes in each of them.
    group_sizes: Histogram,
    pub(super) failures: IntCounter,
    pub(super) retries: IntCounter,
    reconnected: IntCounter,
    not_reconnected: IntCounter,
    pub(super) reader: Connections,
    pub(super) writer: Connections,
    /// Orders that wait.
    pub(super) reads_waiting: IntGauge,
    pub(super) writes_waiting: IntGauge,
    pub(super) bulk_waiting: IntGauge,
}

/// Connections of one kind.
pub(super) struct Connections {
    pub(super) all: IntGauge,
    pub(super) busy: IntGauge,
}

impl Connections {
    fn new(kind: &'static str) -> Self {
        let of = |name, help| gauge(name, help, &[("use", kind)]);
        Connections {
            all: of("dskpp_database_connections", "Connections to the database."),
            busy: of("dskpp_database_connections_busy", "Connections to the database that work now."),
        }
    }
}

impl Measures {
    pub(super) fn new() -> Self {
        let reconnections = |result| {
            let help = "Attempts to connect anew after a connection broke.";
            counter("dskpp_database_reconnections_total", help, &[("result", result)])
        };
        let waiting =
            |line| gauge("dskpp_database_queue_length", "Orders that wait for the database.", &[("queue", line)]);
        Measures {
            reads: durations("dskpp_database_read_duration_seconds", "From an order to read until its result.", &[]),
            writes: durations(
                "dskpp_database_write_duration_seconds",
                "From an order to write until it is durable.",
                &[],
            ),
            transactions: durations(
                "dskpp_database_transaction_duration_seconds",
                "Transactions that write, from their beginning until they are durable.",
                &[],
            ),
            group_sizes: histogram(
                "dskpp_database_transaction_writes",
                "Writes that were committed together in one transaction.",
                &[],
                &GROUP_SIZES,
            ),
            failures: counter("dskpp_database_failures_total", "Transactions that failed for good.", &[]),
            retries: counter(
                "dskpp_database_retries_total",
                "Repetitions of transactions, after a conflict or a broken connection.",
                &[],
            ),
            reconnected: reconnections("success"),
            not_reconnected: reconnections("failure"),
            reader: Connections::new("read"),
            writer: Connections::new("write"),
            reads_waiting: waiting("read"),
            writes_waiting: waiting("write"),
            bulk_waiting: waiting("bulk"),
        }
    }

    /// Counts a transaction of that many writes.
    pub(super) fn committed(&self, writes: usize, took: Duration) {
        self.group_sizes.observe(writes as f64);
        self.transactions.observe(took.as_secs_f64());
    }

    /// Counts an attempt to connect anew.
    pub(super) fn connected_anew(&self, has_succeeded: bool) {
        if has_succeeded { &self.reconnected } else { &self.not_reconnected }.inc();
    }

    pub(super) fn collectors(&self) -> Collectors {
        collectors![
            self.reads,
            self.writes,
            self.transactions,
            self.group_sizes,
            self.failures,
            self.retries,
            self.reconnected,
            self.not_reconnected,
            self.reader.all,
            self.reader.busy,
            self.writer.all,
            self.writer.busy,
            self.reads_waiting,
            self.writes_waiting,
            self.bulk_waiting,
        ]
    }
}

/// A connection that works, until this is dropped.
pub(super) struct Busy<'a>(&'a IntGauge);

impl Connections {
    pub(super) fn work(&self) -> Busy<'_> {
        self.busy.inc();
        Busy(&self.busy)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
