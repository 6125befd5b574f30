//! Limits open connections and their lifetime: half-open ones leave room for others, and a few places are reserved for
//! `/healthz` and the admin API.
//!
//! A connection *waits for its client* from its beginning until a complete request has arrived, while the client reads
//! nothing of an answer, and between two requests. At the limit, a new connection replaces the one that has waited
//! longest; those between two requests come last. A connection with a request in progress is safe.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config;
use crate::metrics::{Collectors, IntCounter, IntGauge, collectors, gauge, limit};
use crate::net::rate_limit::Subject;
use crate::platform::file_limit;

/// Places reserved for `/healthz` and the admin API: this fraction of all, and at most this many.
const RESERVED_PART: usize = 8;
const MAX_RESERVED: usize = 64;
/// Open files other than connections: store, log, listener, runtime.
const OTHER_FILES: usize = 64;
/// No time.
pub(crate) const NEVER: u64 = u64::MAX;
/// Added to the waiting time stamp of an idle connection, so that all others come first.
const IDLE: u64 = 1 << 63;

/// The connection limit.
pub(crate) struct ConnectionLimit {
    most: usize,
    /// Number of reserved places.
    reserved: usize,
    most_per_address: usize,
    /// Origin of all time stamps, which are in milliseconds.
    start: Instant,
    places: Mutex<Places>,
    metrics: ConnectionMetrics,
}

/// What is counted of connections.
struct ConnectionMetrics {
    open: IntGauge,
    most: IntGauge,
    /// Connections refused, or closed for another one, by each limit.
    refused: IntCounter,
    refused_of_address: IntCounter,
}

#[derive(Default)]
struct Places {
    next: u64,
    all: HashMap<u64, OpenConnection>,
    each: HashMap<Subject, usize>,
    /// Reserved places in use.
    reserved: usize,
}

struct OpenConnection {
    timer: Arc<Timer>,
    /// The address it counts for; none for a proxy's connection.
    subject: Option<Subject>,
    is_reserved: bool,
}

/// The lifetime of one connection.
pub(crate) struct Timer {
    start: Instant,
    /// Since when it waits for its client; [`NEVER`] while a request is in progress.
    waits_since: AtomicU64,
    /// When it must be closed.
    deadline: AtomicU64,
    closed: Notify,
}

impl Timer {
    /// The time stamp that far from now.
    pub(crate) fn after(&self, time: Duration) -> u64 {
        moment(self.start).saturating_add(time.as_millis() as u64)
    }

    /// Waits for its client from now on, until `ends`.
    pub(crate) fn set_waiting(&self, ends: u64) {
        self.waits_since.store(moment(self.start), Relaxed);
        self.set_deadline(ends);
    }

    /// Is between two requests from now on, until `ends`.
    pub(crate) fn set_idle(&self, ends: u64) {
        self.waits_since.store(moment(self.start) + IDLE, Relaxed);
        self.set_deadline(ends);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waits_since.load(Relaxed) != NEVER
    }

    /// A complete request has arrived.
    pub(crate) fn set_active(&self, ends: u64) {
        self.waits_since.store(NEVER, Relaxed);
        self.set_deadline(ends);
    }

    pub(crate) fn set_deadline(&self, ends: u64) {
        self.deadline.store(ends, Relaxed);
    }

    /// Completes when the connection must be closed.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }
}

fn moment(start: Instant) -> u64 {
    start.elapsed().as_millis() as u64
}

/// A connection's place, freed when dropped.
pub(crate) struct ConnectionPlace {
    limit: Arc<ConnectionLimit>,
    id: u64,
    pub(crate) timer: Arc<Timer>,
    /// Whether the place is reserved for `/healthz` and the admin API.
    pub(crate) is_reserved: bool,
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        self.limit.lock().remove(self.id);
    }
}

impl ConnectionPlace {
    /// Counts the connection for this client, as named by its proxy; `false` if the client has too many.
    pub(crate) fn belongs_to(&self, subject: Subject) -> bool {
        let mut places = self.limit.lock();
        let has_room = self.limit.has_room_for(&mut places, subject);
        let Places { all, each, .. } = &mut *places;
        match all.get_mut(&self.id) {
            Some(entry) if has_room => {
                entry.subject = Some(subject);
                *each.entry(subject).or_default() += 1;
                true
            }
            _ => false,
        }
    }
}

impl Places {
    fn remove(&mut self, id: u64) {
        let Some(entry) = self.all.remove(&id) else { return };
        self.reserved -= usize::from(entry.is_reserved);
        if let Some(subject) = entry.subject
            && let Some(each) = self.each.get_mut(&subject)
        {
            *each -= 1;
            if *each == 0 {
                self.each.remove(&subject);
            }
        }
    }

    /// Closes the connection in `may_go` that has waited longest for its client; `false` if none waits.
    fn close_oldest(&mut self, may_go: impl Fn(&OpenConnection) -> bool) -> bool {
        let candidates = self.all.iter().filter(|(_, entry)| may_go(entry));
        let waiting = candidates.map(|(id, entry)| (entry.timer.waits_since.load(Relaxed), *id));
        match waiting.min() {
            Some((since, id)) if since != NEVER => {
                self.close(id);
                true
            }
            _ => false,
        }
    }

    /// Frees its place immediately.
    fn close(&mut self, id: u64) {
        if let Some(entry) = self.all.get(&id) {
            entry.timer.closed.notify_one();
            self.remove(id);
        }
    }
}

impl ConnectionLimit {
    pub(crate) fn new(limits: &config::LimitsSection) -> Arc<Self> {
        let most = limits.max_connections.min(file_limit().saturating_sub(OTHER_FILES).max(16));
        if most < limits.max_connections {
            tracing::info!("at most {most} connections: the system allows no more open files (ulimit -n)");
        }
        let most_per_address = limits.max_connections_per_address.min(most - most / 8);
        let reserved = (most / RESERVED_PART).min(MAX_RESERVED);
        let metrics = ConnectionMetrics {
            open: gauge("dskpp_connections", "Open connections.", &[]),
            most: gauge("dskpp_connections_limit", "Connections that may be open at once.", &[]),
            refused: limit("connections"),
            refused_of_address: limit("address_connections"),
        };
        metrics.most.set(most as i64);
        Arc::new(Self { most, reserved, most_per_address, start: Instant::now(), places: Mutex::default(), metrics })
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection, which then waits for its client for `most`. A proxy's connection counts for no
    /// address yet. `None` if the limit is reached and every connection has a request in progress.
    pub(crate) fn enter(self: &Arc<Self>, subject: Option<Subject>, most: Duration) -> Option<ConnectionPlace> {
        let mut places = self.lock();
        if let Some(subject) = subject
            && !self.has_room_for(&mut places, subject)
        {
            return None;
        }
        let ordinary = places.all.len() - places.reserved;
        let is_full = ordinary >= self.most - self.reserved;
        if is_full {
            self.metrics.refused.inc(); // this one, or another one that gives way
        }
        let is_reserved = is_full && !places.close_oldest(|entry| !entry.is_reserved);
        if is_reserved && places.reserved >= self.reserved && !places.close_oldest(|entry| entry.is_reserved) {
            return None;
        }
        if let Some(subject) = subject {
            *places.each.entry(subject).or_default() += 1;
        }
        let timer = Arc::new(Timer {
            start: self.start,
            waits_since: AtomicU64::new(NEVER),
            deadline: AtomicU64::new(NEVER),
            closed: Notify::new(),
        });
        timer.set_waiting(timer.after(most));
        let id = places.next;
        places.next += 1;
        places.reserved += usize::from(is_reserved);
        places.all.insert(id, OpenConnection { timer: Arc::clone(&timer), subject, is_reserved });
        Some(ConnectionPlace { limit: Arc::clone(self), id, timer, is_reserved })
    }

    fn has_room_for(&self, places: &mut Places, subject: Subject) -> bool {
        let taken = places.each.get(&subject).is_some_and(|each| *each >= self.most_per_address);
        if taken {
            self.metrics.refused_of_address.inc(); // this one, or another one that gives way
        }
        !taken || places.close_oldest(|entry| entry.subject == Some(subject))
    }

    /// Closes the connection that has waited longest, when the system is out of files.
    pub(crate) fn make_room(&self) {
        self.lock().close_oldest(|_| true);
    }

    /// What is counted of connections.
    pub(crate) fn metrics(&self) -> Collectors {
        let ConnectionMetrics { open, most, refused, refused_of_address } = &self.metrics;
        collectors![open, most, refused, refused_of_address]
    }

    /// Sets the metrics that are only looked at.
    pub(crate) fn measure(&self) {
        let open = self.lock().all.len();
        self.metrics.open.set(open as i64);
    }

    /// Closes expired connections; called several times a second.
    pub(crate) fn sweep(&self) {
        let (mut places, now) = (self.lock(), moment(self.start));
        let over = places.all.iter().filter(|(_, entry)| entry.timer.deadline.load(Relaxed) <= now);
        let over: Vec<u64> = over.map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| places.close(id));
    }
}

#[cfg(test)]
mod tests;
