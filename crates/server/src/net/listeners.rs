//! The sockets that accept connections: one that the server binds, or those that a supervisor passes to it.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use tokio::net::{TcpListener, TcpStream};

/// The most connections of one socket to accept when it closes: more do not wait in the system.
const MAX_WAITING: usize = 1024;

/// Sockets, at least one.
pub(crate) struct Listeners {
    sockets: Vec<TcpListener>,
    /// The socket to look at first: none waits for another one's crowd.
    next: AtomicUsize,
}

impl Listeners {
    /// Takes over sockets that were passed.
    pub(crate) fn passed(sockets: Vec<std::net::TcpListener>) -> io::Result<Self> {
        let take = |socket: std::net::TcpListener| {
            socket.set_nonblocking(true)?;
            TcpListener::from_std(socket)
        };
        Ok(sockets.into_iter().map(take).collect::<io::Result<Vec<_>>>()?.into())
    }

    /// The address of the first socket.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.sockets[0].local_addr()
    }

    /// The addresses of all of them.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok())
    }

    /// The next connection on any of them.
    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| {
            let (count, first) = (self.sockets.len(), self.next.load(Relaxed));
            for at in (first..first + count).map(|at| at % count) {
                if let Poll::Ready(accepted) = self.sockets[at].poll_accept(context) {
                    self.next.store(at + 1, Relaxed);
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Closes the sockets; returns the connections that were waiting.
    pub(crate) fn close(self) -> Vec<(TcpStream, SocketAddr)> {
        let sockets = self.sockets.into_iter().filter_map(|socket| socket.into_std().ok());
        let waiting = sockets.flat_map(|socket| (0..MAX_WAITING).map_while(move |_| socket.accept().ok()));
        let take = |(stream, peer): (std::net::TcpStream, SocketAddr)| {
            stream.set_nonblocking(true).ok()?;
            Some((TcpStream::from_std(stream).ok()?, peer))
        };
        waiting.filter_map(take).collect()
    }
}

impl From<Vec<TcpListener>> for Listeners {
    fn from(sockets: Vec<TcpListener>) -> Self {
        Listeners { sockets, next: AtomicUsize::new(0) }
    }
}
