//! Counts open connections, so that many half-open ones from one place leave room for others.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::config;
use crate::limits::Subject;

/// Lets a connection in while its address, and all together, have room; it is closed otherwise,
/// before TLS.
#[derive(Clone)]
pub(crate) struct Gate {
    most: usize,
    most_per_address: usize,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: usize,
    each: HashMap<Subject, usize>,
}

impl Gate {
    pub(crate) fn new(limits: &config::Limits) -> Self {
        let most = limits.max_connections.min(file_limit().saturating_sub(RESERVED_FILES).max(16));
        if most < limits.max_connections {
            tracing::info!("at most {most} connections: the system allows no more open files (ulimit -n)");
        }
        let most_per_address = limits.max_connections_per_address.min(most - most / 8);
        Self { most, most_per_address, open: Arc::default() }
    }

    fn enter(&self, subject: Subject) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.most {
            return None;
        }
        let each = open.each.entry(subject).or_default();
        if *each >= self.most_per_address {
            return None;
        }
        *each += 1;
        open.all += 1;
        Some(Place { open: Arc::clone(&self.open), subject })
    }
}

/// Files that are no connections: store, log, listener, runtime.
const RESERVED_FILES: usize = 64;

/// How many files this process may have open; Linux tells, elsewhere no limit is assumed.
fn file_limit() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.unwrap_or(usize::MAX)
}

/// One connection's place, given back when the connection goes.
struct Place {
    open: Arc<Mutex<Open>>,
    subject: Subject,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(each) = open.each.get_mut(&self.subject) {
            *each = each.saturating_sub(1);
            if *each == 0 {
                open.each.remove(&self.subject);
            }
        }
    }
}

impl<S> Accept<TcpStream, S> for Gate {
    type Stream = Connection;
    type Service = S;
    type Future = Ready<io::Result<(Connection, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let admit = || {
            let place = self.enter(stream.peer_addr()?.into());
            let place = place.ok_or_else(|| io::Error::other("too many connections"))?;
            stream.set_nodelay(true)?;
            Ok(place)
        };
        ready(admit().map(|_place| (Connection { stream, _place }, service)))
    }
}

/// A connection with its place.
pub(crate) struct Connection {
    stream: TcpStream,
    _place: Place,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place_and_places_come_back() {
        let limits = config::Limits { max_connections: 8, max_connections_per_address: 100, ..Default::default() };
        let gate = Gate::new(&limits);
        let subject = |port: u16| Subject::from(std::net::SocketAddr::from(([192, 0, 2, port as u8], port)));
        let mut greedy: Vec<_> = (0..20).filter_map(|_| gate.enter(subject(1))).collect();
        assert_eq!(greedy.len(), 7, "an eighth of the places stays free for others");
        let other = gate.enter(subject(2));
        assert!(other.is_some());
        assert!(gate.enter(subject(3)).is_none(), "full");
        greedy.clear();
        assert!(gate.enter(subject(1)).is_some());
        drop(other);
        assert!(gate.open.lock().unwrap().each.is_empty());
        assert_eq!(gate.open.lock().unwrap().all, 0);
    }
}
