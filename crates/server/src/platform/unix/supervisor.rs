//! systemd, or a supervisor with the same interface: it passes listening sockets (`sd_listen_fds(3)`) and is told the
//! server's state (`sd_notify(3)`).

use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;
use rustix::time::{ClockId, clock_gettime};

use super::super::State;
use crate::Error;

/// More sockets than anybody needs: a larger number is a mistake.
const MAX_SOCKETS: usize = 64;

/// The sockets that were passed to this process; none without a supervisor that does so.
///
/// # Errors
/// A descriptor that is no listening TCP socket.
pub(crate) fn passed_sockets() -> Result<Vec<TcpListener>, Error> {
    let is_for_us = std::env::var("LISTEN_PID").is_ok_and(|pid| pid == std::process::id().to_string());
    let count = match std::env::var("LISTEN_FDS") {
        Ok(count) if is_for_us => count,
        _ => return Ok(Vec::new()),
    };
    let unusable =
        |why: String| Error::System { what: "the passed sockets cannot be used", source: io::Error::other(why) };
    if !count.parse().is_ok_and(|count: usize| count <= MAX_SOCKETS) {
        return Err(unusable(format!("LISTEN_FDS={count:?} is not a number from 0 to {MAX_SOCKETS}")));
    }
    let mut passed = ListenFd::from_env();
    let mut sockets = Vec::new();
    for at in 0..passed.len() {
        let socket = passed.take_tcp_listener(at).map_err(|why| unusable(why.to_string()))?;
        let socket = socket.filter(|socket| socket_acceptconn(socket).unwrap_or(false));
        let none = || {
            let number = at + 3;
            unusable(format!("fd {number} does not listen: use ListenStream=ADDRESS:PORT, and not Accept=yes"))
        };
        sockets.push(socket.ok_or_else(none)?);
    }
    Ok(sockets)
}

/// Tells the supervisor the server's state, if there is one that wants to know.
pub(crate) fn tell_supervisor(state: State) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) else { return };
    let message = match state {
        State::Ready => "READY=1\n".to_owned(),
        State::Reloading => {
            let now = clock_gettime(ClockId::Monotonic);
            format!("RELOADING=1\nMONOTONIC_USEC={}\n", now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
        }
        State::Stopping => "STOPPING=1\n".to_owned(),
    };
    let told = address(&socket).and_then(|address| UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address));
    if let Err(why) = told {
        tracing::warn!("cannot tell the supervisor at NOTIFY_SOCKET={}: {why}", socket.display());
    }
}

/// A path, or a name in Linux's abstract namespace, written with a leading `@`.
fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name),
        _ => SocketAddr::from_pathname(socket),
    }
}
