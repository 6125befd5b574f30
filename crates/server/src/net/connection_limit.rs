//! Who may hold a connection, and for how long: many half-open ones leave room for others, and a few places are kept
//! for `/healthz` and the admin API.
//!
//! A connection *waits for its client* from its first moment until a whole request is there, while the client takes
//! nothing of an answer, and between two requests. When there is no room, the one that has waited longest is closed for
//! a new one; those between two requests come last. While the server works on a request its connection is safe.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config;
use crate::net::rate_limit::Subject;

/// Places that are kept for `/healthz` and the admin API: this part of all, and at most so many.
const KEPT_PART: usize = 8;
const MOST_KEPT: usize = 64;
/// Files that are no connections: store, log, listener, runtime.
const RESERVED_FILES: usize = 64;
/// Instead of a moment.
pub(crate) const NEVER: u64 = u64::MAX;
/// Added to the moment since when a connection is between two requests: all other moments come first.
const IDLE: u64 = 1 << 63;

/// All places.
pub(crate) struct ConnectionLimit {
    most: usize,
    /// How many of them are for `/healthz` and the admin API alone.
    kept: usize,
    most_per_address: usize,
    /// Moments are milliseconds since then.
    start: Instant,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    next: u64,
    all: HashMap<u64, Entry>,
    each: HashMap<Subject, usize>,
    /// How many of all are kept ones.
    kept: usize,
}

struct Entry {
    visit: Arc<Visit>,
    /// Whose places it counts among; nobody's for a proxy's connection.
    subject: Option<Subject>,
    is_kept: bool,
}

/// How long one connection may stay.
pub(crate) struct Visit {
    start: Instant,
    /// Since when it waits for its client; [`NEVER`] while the server works for it.
    waits_since: AtomicU64,
    /// When it is closed.
    deadline: AtomicU64,
    closed: Notify,
}

impl Visit {
    /// The moment so much from now.
    pub(crate) fn moment_after(&self, time: Duration) -> u64 {
        moment(self.start).saturating_add(time.as_millis() as u64)
    }

    /// Waits for its client from now on, until the moment `ends` at most.
    pub(crate) fn waits(&self, ends: u64) {
        self.waits_since.store(moment(self.start), Relaxed);
        self.ends_at(ends);
    }

    /// Is between two requests from now on, until the moment `ends` at most.
    pub(crate) fn is_idle(&self, ends: u64) {
        self.waits_since.store(moment(self.start) + IDLE, Relaxed);
        self.ends_at(ends);
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.waits_since.load(Relaxed) != NEVER
    }

    /// The server has all that it needs from the client.
    pub(crate) fn works(&self, ends: u64) {
        self.waits_since.store(NEVER, Relaxed);
        self.ends_at(ends);
    }

    pub(crate) fn ends_at(&self, ends: u64) {
        self.deadline.store(ends, Relaxed);
    }

    /// Ends when the connection has to be closed.
    pub(crate) async fn closed(&self) {
        self.closed.notified().await;
    }
}

fn moment(start: Instant) -> u64 {
    start.elapsed().as_millis() as u64
}

/// One connection's place, given back when this goes.
pub(crate) struct Place {
    gate: Arc<ConnectionLimit>,
    id: u64,
    pub(crate) visit: Arc<Visit>,
    /// Only `/healthz` and the admin API are served here.
    pub(crate) is_kept: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.lock().remove(self.id);
    }
}

impl Place {
    /// The connection is this client's, whom its proxy has named; `false` if he has too many.
    pub(crate) fn belongs_to(&self, subject: Subject) -> bool {
        let mut places = self.gate.lock();
        let has_room = self.gate.has_room_for(&mut places, subject);
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
        self.kept -= usize::from(entry.is_kept);
        if let Some(subject) = entry.subject
            && let Some(each) = self.each.get_mut(&subject)
        {
            *each -= 1;
            if *each == 0 {
                self.each.remove(&subject);
            }
        }
    }

    /// Closes the connection that has waited longest for its client, of those that `may_go`; `false` if none waits.
    fn close_oldest(&mut self, may_go: impl Fn(&Entry) -> bool) -> bool {
        let candidates = self.all.iter().filter(|(_, entry)| may_go(entry));
        let waiting = candidates.map(|(id, entry)| (entry.visit.waits_since.load(Relaxed), *id));
        match waiting.min() {
            Some((since, id)) if since != NEVER => {
                self.close(id);
                true
            }
            _ => false,
        }
    }

    /// Its place is free at once.
    fn close(&mut self, id: u64) {
        if let Some(entry) = self.all.get(&id) {
            entry.visit.closed.notify_one();
            self.remove(id);
        }
    }
}

impl ConnectionLimit {
    pub(crate) fn new(limits: &config::Limits) -> Arc<Self> {
        let most = limits.max_connections.min(file_limit().saturating_sub(RESERVED_FILES).max(16));
        if most < limits.max_connections {
            tracing::info!("at most {most} connections: the system allows no more open files (ulimit -n)");
        }
        let most_per_address = limits.max_connections_per_address.min(most - most / 8);
        let kept = (most / KEPT_PART).min(MOST_KEPT);
        Arc::new(Self { most, kept, most_per_address, start: Instant::now(), places: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a new connection, which then waits for its client at most `most`. A proxy's connection is nobody's
    /// yet. Nothing if there is no room and all connections are being worked for.
    pub(crate) fn enter(self: &Arc<Self>, subject: Option<Subject>, most: Duration) -> Option<Place> {
        let mut places = self.lock();
        if let Some(subject) = subject
            && !self.has_room_for(&mut places, subject)
        {
            return None;
        }
        let ordinary = places.all.len() - places.kept;
        let is_kept = ordinary >= self.most - self.kept && !places.close_oldest(|entry| !entry.is_kept);
        if is_kept && places.kept >= self.kept && !places.close_oldest(|entry| entry.is_kept) {
            return None;
        }
        if let Some(subject) = subject {
            *places.each.entry(subject).or_default() += 1;
        }
        let visit = Arc::new(Visit {
            start: self.start,
            waits_since: AtomicU64::new(NEVER),
            deadline: AtomicU64::new(NEVER),
            closed: Notify::new(),
        });
        visit.waits(visit.moment_after(most));
        let id = places.next;
        places.next += 1;
        places.kept += usize::from(is_kept);
        places.all.insert(id, Entry { visit: Arc::clone(&visit), subject, is_kept });
        Some(Place { gate: Arc::clone(self), id, visit, is_kept })
    }

    fn has_room_for(&self, places: &mut Places, subject: Subject) -> bool {
        let taken = places.each.get(&subject).is_some_and(|each| *each >= self.most_per_address);
        !taken || places.close_oldest(|entry| entry.subject == Some(subject))
    }

    /// Closes the connection that has waited longest; for a system that is out of files.
    pub(crate) fn make_room(&self) {
        self.lock().close_oldest(|_| true);
    }

    /// Closes every connection whose time is over; called several times a second.
    pub(crate) fn sweep(&self) {
        let (mut places, now) = (self.lock(), moment(self.start));
        let over = places.all.iter().filter(|(_, entry)| entry.visit.deadline.load(Relaxed) <= now);
        let over: Vec<u64> = over.map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| places.close(id));
    }
}

/// How many files this process may have open; Linux tells, elsewhere no limit is assumed.
fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
