//! Connections, from socket to router: connection limit, PROXY protocol, TLS, HTTP/1.1.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::net::connection_limit::{ConnectionLimit, ConnectionPlace};
use crate::net::progress::{Answered, ConnectionProgress, Received, Timeouts, Watched};
use crate::net::proxy::Proxies;
use crate::net::tls::InUse;
use crate::net::turns::Turns;

/// Maximum size of a request's headers, in octets.
const MAX_HEADER_LEN: usize = 32 * 1024;
/// Maximum number of requests in a row that do not wait for the previous answer. Then the server closes the connection:
/// a client that never reads must not keep it busy.
const MAX_PIPELINED: u32 = 16;
/// Interval between checks for expired connections.
const SWEEP: Duration = Duration::from_millis(250);
/// `Retry-After` if nothing better is known, in seconds.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("10");
/// Pause in accepting connections after the system refused one.
const PAUSE: Duration = Duration::from_millis(50);

/// Completes when the server must stop, also if its owner is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    _ = stop.wait_for(|stop| *stop).await;
}

/// The state shared by all connections.
pub(crate) struct Connections {
    pub(crate) limit: Arc<ConnectionLimit>,
    pub(crate) turns: Turns,
    pub(crate) proxies: Proxies,
    /// `None` serves without TLS.
    pub(crate) tls: Option<InUse>,
    pub(crate) router: Router,
    pub(crate) timeouts: Timeouts,
}

impl Connections {
    /// Serves connections until `stop` completes, and then the remaining ones for `grace`.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        mut stop: watch::Receiver<bool>,
        grace: Duration,
    ) {
        let mut connections = JoinSet::new();
        let mut sweep = tokio::time::interval(SWEEP);
        let stopping = stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                _ = sweep.tick() => self.limit.sweep(),
                Some(ended) = connections.join_next() => log_panic(ended),
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        if let Some(place) = self.admit(peer) {
                            connections.spawn(Arc::clone(&self).connection(stream, peer, place, stopping.clone()));
                        }
                    }
                    Err(why) => self.accept_failed(&why).await,
                },
            }
        }
        drop(listener); // refuse new connections, rather than let them wait
        let rest = async {
            loop {
                tokio::select! {
                    ended = connections.join_next() => match ended {
                        Some(ended) => log_panic(ended),
                        None => break,
                    },
                    _ = sweep.tick() => self.limit.sweep(),
                }
            }
        };
        _ = tokio::time::timeout(grace, rest).await; // cuts off the rest
    }

    fn admit(&self, peer: SocketAddr) -> Option<ConnectionPlace> {
        // A proxy's address stands for many clients.
        let subject = (!self.proxies.are(peer.ip())).then(|| peer.into());
        let place = self.limit.enter(subject, self.timeouts.handshake);
        if place.is_none() {
            tracing::debug!(%peer, "refused: too many connections");
        }
        place
    }

    async fn accept_failed(&self, why: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
        if matches!(why.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
            return; // caused by the client
        }
        tracing::warn!("cannot accept connections: {why}");
        self.limit.make_room();
        tokio::time::sleep(PAUSE).await;
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        place: ConnectionPlace,
        mut stop: watch::Receiver<bool>,
    ) {
        let timer = Arc::clone(&place.timer);
        let ended = tokio::select! {
            biased;
            () = timer.closed() => {
                tracing::debug!(%peer, "closed: timed out, or replaced by a new connection");
                return;
            }
            ended = self.serve_one(stream, peer, place, &mut stop) => ended,
        };
        if let Err(why) = ended {
            tracing::debug!(%peer, "closed: {why}");
        }
    }

    async fn serve_one(
        &self,
        mut stream: TcpStream,
        peer: SocketAddr,
        place: ConnectionPlace,
        stop: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let client = self.proxies.announced(&mut stream, peer).await?;
        if client != peer && !place.belongs_to(client.into()) {
            return Err(io::Error::other("too many connections from this address"));
        }
        let progress = ConnectionProgress::new(Arc::clone(&place.timer), self.timeouts);
        let stream = Watched { stream, progress: Arc::clone(&progress) };
        let served = Served { shared: self, client, is_reserved: place.is_reserved, progress };
        match &self.tls {
            None => served.http(stream, stop).await,
            Some(tls) => {
                let stream = tokio::select! {
                    () = stopped(stop) => return Ok(()),
                    stream = self.handshake(tls, stream, client) => stream?,
                };
                served.http(stream, stop).await
            }
        }
    }

    /// The key exchange and the signature run in the client's turn.
    async fn handshake(&self, tls: &InUse, stream: Watched, client: SocketAddr) -> io::Result<TlsStream<Watched>> {
        let started = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let turn = self.turns.of(client.into()).await.map_err(|_| io::Error::other("too many handshakes waiting"))?;
        let accepted = started.into_stream(tls.now());
        drop(turn);
        accepted.await
    }
}

fn log_panic(ended: Result<(), JoinError>) {
    if let Err(why) = ended {
        tracing::error!("a connection failed because of a bug: {why}");
    }
}

/// An established connection.
struct Served<'a> {
    shared: &'a Connections,
    /// The peer, as far as it is known before a request.
    client: SocketAddr,
    is_reserved: bool,
    progress: Arc<ConnectionProgress>,
}

impl Served<'_> {
    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        stop: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        self.progress.established();
        // The connection limit enforces this deadline, like all others.
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEADER_LEN);
        let service = service_fn(|request| self.answer(request));
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = stopped(stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        ended.map_err(io::Error::other)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Answered>, Infallible> {
        let pipelined = self.progress.headers_complete();
        if pipelined > 0 {
            tokio::task::yield_now().await; // let clients that wait for their answers go first
        }
        let mut request = request.map(|body| Received::new(body, Arc::clone(&self.progress)));
        let may_use_reserved_places = may_use_reserved_places(request.uri().path());
        let response = match self.shared.proxies.named(self.client, request.headers()) {
            _ if self.is_reserved && !may_use_reserved_places => {
                (StatusCode::SERVICE_UNAVAILABLE, "too many connections\n").into_response()
            }
            Err(why) => {
                tracing::warn!(peer = %self.client, "invalid header from the proxy: {why}");
                (StatusCode::BAD_REQUEST, "invalid header from the proxy\n").into_response()
            }
            Ok(named) => {
                if named.is_none() && !may_use_reserved_places {
                    self.shared.proxies.warn_of_missing_header(self.client);
                }
                request.extensions_mut().insert(ConnectInfo(named.unwrap_or(self.client)));
                let answered = AssertUnwindSafe(self.shared.router.clone().oneshot(request)).catch_unwind().await;
                match answered {
                    Ok(Ok(response)) => response,
                    Err(_panic) => {
                        tracing::error!(client = %self.client, "an answer failed because of a bug");
                        StatusCode::INTERNAL_SERVER_ERROR.into_response()
                    }
                }
            }
        };
        let mut response = response.map(|body| Answered::new(body, Arc::clone(&self.progress)));
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().entry(header::RETRY_AFTER).or_insert(RETRY_AFTER_S);
        }
        if self.is_reserved || pipelined >= MAX_PIPELINED {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }
}

/// Requests that may use reserved places: to monitor and administer the server.
fn may_use_reserved_places(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz") || path.starts_with("/api/")
}

#[cfg(test)]
mod tests;
