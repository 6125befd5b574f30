//! Connections, from socket to router: connection limit, PROXY protocol, TLS, HTTP/1.1.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use futures_util::FutureExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use crate::model::origin::Origin;
use crate::net::connection_limit::{ConnectionLimit, ConnectionPlace};
use crate::net::listeners::Listeners;
use crate::net::progress::{Answered, ConnectionProgress, Received, Timeouts, Watched};
use crate::net::proxy::{BadHeader, Proxies};
use crate::net::public_url::Prefixes;
use crate::net::request_id::RequestId;
use crate::net::responses::{Responses, surface};
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
/// How long a new connection may take to bring its first request when the server stops: it may be on its way.
const FIRST_REQUEST: Duration = Duration::from_secs(2);

/// Completes when this becomes true, also if its owner is gone.
async fn told(order: &mut watch::Receiver<bool>) {
    _ = order.wait_for(|order| *order).await;
}

/// The same, and the time for a first request is over.
async fn told_long_ago(order: &mut watch::Receiver<bool>) {
    told(order).await;
    tokio::time::sleep(FIRST_REQUEST).await;
}

/// How connections end when the server stops.
#[derive(Clone)]
pub(crate) struct Ending {
    /// The order to stop: from then on connections close after their next answer.
    pub(crate) stop: watch::Receiver<bool>,
    /// How long the server still accepts connections after it.
    pub(crate) drain: Duration,
    /// How long the remaining requests have after that.
    pub(crate) grace: Duration,
}

/// The state shared by all connections.
pub(crate) struct Connections {
    pub(crate) limit: Arc<ConnectionLimit>,
    pub(crate) turns: Turns,
    pub(crate) proxies: Proxies,
    /// `None` serves without TLS.
    pub(crate) tls: Option<InUse>,
    pub(crate) router: Router,
    pub(crate) prefixes: Prefixes,
    pub(crate) timeouts: Timeouts,
    pub(crate) responses: Responses,
}

impl Connections {
    /// Serves connections until the server stops and all have ended.
    pub(crate) async fn serve(self: Arc<Self>, listeners: Listeners, ending: Ending) {
        let mut connections = JoinSet::new();
        let mut sweep = tokio::time::interval(SWEEP);
        let (close, closing) = watch::channel(false);
        let mut stop = ending.stop.clone();
        let mut drained = std::pin::pin!(async {
            told(&mut stop).await;
            tokio::time::sleep(ending.drain).await;
        });
        let begin = |connections: &mut JoinSet<()>, (stream, peer)| {
            if let Some(place) = self.admit(peer) {
                let (stop, close) = (ending.stop.clone(), closing.clone());
                connections.spawn(Arc::clone(&self).connection(stream, peer, place, Orders { stop, close }));
            }
        };
        loop {
            tokio::select! {
                biased;
                () = &mut drained => break,
                _ = sweep.tick() => self.limit.sweep(),
                Some(ended) = connections.join_next() => log_panic(ended),
                accepted = listeners.accept() => match accepted {
                    Ok(accepted) => begin(&mut connections, accepted),
                    Err(why) => self.accept_failed(&why).await,
                },
            }
        }
        // Serve who is waiting, and refuse new connections rather than let them wait.
        listeners.close().into_iter().for_each(|accepted| begin(&mut connections, accepted));
        close.send_replace(true);
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
        _ = tokio::time::timeout(ending.grace, rest).await; // cuts off the rest
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
        mut orders: Orders,
    ) {
        let timer = Arc::clone(&place.timer);
        let ended = tokio::select! {
            biased;
            () = timer.closed() => {
                tracing::debug!(%peer, "closed: timed out, or replaced by a new connection");
                return;
            }
            ended = self.serve_one(stream, peer, place, &mut orders) => ended,
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
        Orders { stop, close }: &mut Orders,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let client = self.proxies.announced(&mut stream, peer).await?;
        if client != peer && !place.belongs_to(client.into()) {
            return Err(io::Error::other("too many connections from this address"));
        }
        let progress = ConnectionProgress::new(Arc::clone(&place.timer), self.timeouts);
        let stream = Watched { stream, progress: Arc::clone(&progress) };
        let served =
            Served { shared: self, client, is_reserved: place.is_reserved, progress, stop, has_asked: false.into() };
        match &self.tls {
            None => served.http(stream, close).await,
            Some(tls) => {
                let stream = tokio::select! {
                    () = told_long_ago(close) => return Ok(()),
                    stream = self.handshake(tls, stream, client) => stream?,
                };
                served.http(stream, close).await
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

/// What a connection is told.
struct Orders {
    /// To close after the next answer.
    stop: watch::Receiver<bool>,
    /// To close now, or after the running request.
    close: watch::Receiver<bool>,
}

/// An established connection.
struct Served<'a> {
    shared: &'a Connections,
    /// The peer, as far as it is known before a request.
    client: SocketAddr,
    is_reserved: bool,
    progress: Arc<ConnectionProgress>,
    stop: &'a watch::Receiver<bool>,
    /// Whether there was a request.
    has_asked: AtomicBool,
}

impl Served<'_> {
    async fn http(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        close: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        self.progress.established();
        // The connection limit enforces this deadline, like all others.
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_HEADER_LEN);
        let service = service_fn(|request| self.answer(request));
        let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.must_close(close) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        ended.map_err(io::Error::other)
    }

    async fn must_close(&self, close: &mut watch::Receiver<bool>) {
        told(close).await;
        if !self.has_asked.load(Relaxed) {
            told_long_ago(close).await;
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Answered>, Infallible> {
        self.has_asked.store(true, Relaxed);
        let start = Instant::now();
        let pipelined = self.progress.headers_complete();
        if pipelined > 0 {
            tokio::task::yield_now().await; // let clients that wait for their answers go first
        }
        let mut request = request.map(|body| Received::new(body, Arc::clone(&self.progress)));
        self.shared.prefixes.strip(request.uri_mut());
        let surface = surface(request.uri().path());
        let response = match self.shared.proxies.request_id(self.client, request.headers()) {
            Ok(Some(id)) => id.during(self.routed(request)).await,
            Ok(None) => self.routed(request).await,
            Err(why) => self.refused(&why),
        };
        self.shared.responses.count(surface, response.status(), start);
        let mut response = response.map(|body| Answered::new(body, Arc::clone(&self.progress)));
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().entry(header::RETRY_AFTER).or_insert(RETRY_AFTER_S);
        }
        if self.is_reserved || pipelined >= MAX_PIPELINED || *self.stop.borrow() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response)
    }

    /// The router's answer, for the client that the proxies name.
    async fn routed(&self, mut request: Request<Received<Incoming>>) -> Response<Body> {
        let may_use_reserved_places = may_use_reserved_places(request.uri().path());
        let named = match self.shared.proxies.named(self.client, request.headers()) {
            _ if self.is_reserved && !may_use_reserved_places => {
                return (StatusCode::SERVICE_UNAVAILABLE, "too many connections\n").into_response();
            }
            Err(why) => return self.refused(&why),
            Ok(named) => named,
        };
        if named.is_none() && !may_use_reserved_places {
            self.shared.proxies.warn_of_missing_header(self.client);
        }
        request.extensions_mut().insert(ConnectInfo(named.unwrap_or(self.client)));
        let request_id = RequestId::current().map(|id| id.to_string());
        let origin = Origin { address: named.unwrap_or(self.client).ip(), request: request_id, by: None };
        let answer = origin.during(self.shared.router.clone().oneshot(request));
        let answered = AssertUnwindSafe(answer).catch_unwind().await;
        match answered {
            Ok(Ok(response)) => response,
            Err(_panic) => {
                tracing::error!(client = %self.client, "an answer failed because of a bug");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    fn refused(&self, why: &BadHeader) -> Response<Body> {
        tracing::warn!(peer = %self.client, "invalid header from the proxy: {why}");
        (StatusCode::BAD_REQUEST, "invalid header from the proxy\n").into_response()
    }
}

/// Requests that may use reserved places: to monitor and administer the server.
fn may_use_reserved_places(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz") || path.starts_with("/api/")
}

#[cfg(test)]
mod tests;
