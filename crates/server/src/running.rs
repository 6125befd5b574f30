//! From a configuration to a server that answers, and back.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsAcceptor;
use tokio::task::{JoinHandle, JoinSet};

use crate::backoff::Backoff;
use crate::bootstrap::{self, Data};
use crate::data_folder::Starting;
use crate::dskpp_http::{self, Binding};
use crate::gate::Gate;
use crate::limits::Rates;
use crate::neighbours::Neighbours;
use crate::pool::Pool;
use crate::provision::Provision;
use crate::store::Store;
use crate::tally::Tally;
use crate::tls::{Source, Tls};
use crate::{Config, ConfigError, Error, Fault, api, ops, trigger};

/// The most octets that a request's headers may have.
const MAX_HEADER_LEN: usize = 32 * 1024;
/// Stacks of the threads that serve connections: enough for an unoptimised build.
const STACK_LEN: usize = 1024 * 1024;
/// How often what is over is forgotten.
const SWEEP: Duration = Duration::from_secs(10);

/// What only code can set, no configuration.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// A PBKDF2 iteration floor other than 100,000, for load tests. Refused unless the server
    /// listens on a loopback address.
    pub iteration_floor_for_bench: Option<u32>,
    /// Make a new private CA; the old one is set aside. Clients then need the new `ca.pem`.
    pub new_ca: bool,
}

/// A server that accepts connections. It ends with its runtime, or by [`Running::shutdown`].
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    url_s: Vec<String>,
    admin_token_file: PathBuf,
    ca_file: Option<PathBuf>,
    grace: Duration,
    handle: Handle<SocketAddr>,
    serving: JoinHandle<std::io::Result<()>>,
    /// Ends when this is dropped.
    background: JoinSet<()>,
    /// What is still to be written when all requests have their answers.
    tally: Arc<Tally>,
    store: Store,
}

impl Running {
    /// The address that it listens on, with the port that it took.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// URL_S: every URL under which clients may know the server.
    pub fn url_s(&self) -> &[String] {
        &self.url_s
    }

    /// Where the first admin token was written at the first start.
    pub fn admin_token_file(&self) -> &Path {
        &self.admin_token_file
    }

    /// The private CA that issued the server's certificate; `None` with a configured certificate
    /// or without TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Takes no more connections, lets running requests end within the configured grace, then
    /// stops.
    pub fn shutdown(&self) {
        self.handle.graceful_shutdown(Some(self.grace));
    }

    /// Waits until the server has stopped.
    ///
    /// # Errors
    /// What made it stop without being asked.
    pub async fn wait(mut self) -> Result<(), Error> {
        let ended = (&mut self.serving).await.unwrap_or_else(|why| Err(std::io::Error::other(why)));
        self.background.shutdown().await;
        self.tally.write(&self.store).await;
        ended.map_err(|source| Error::System { what: "the server stopped", source })
    }
}

/// Starts a server on the current Tokio runtime (with I/O and time enabled); it accepts
/// connections when this returns.
///
/// # Errors
/// A configuration that cannot be used, files, the store, or the address.
pub async fn serve(config: Config, options: ServerOptions) -> Result<Running, Error> {
    check(&config, &options)?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).map_err(|source| Error::Listen { address: listen, source })?;
    let address = listener.local_addr().map_err(|source| Error::Listen { address: listen, source })?;
    let url_s = config.public_urls(address.port());
    let starting = Starting::enter(&config.server.data_dir).await?;
    let data = bootstrap::open(&config).await?;
    let tls = match config.server.http {
        true => None,
        false => Some(Tls::load(tls_source(&config, &options, &data.store, address, &url_s).await?)?),
    };
    drop(starting);

    let admin_token_file = data.admin_token_file.clone();
    let mut background = JoinSet::new();
    background.spawn(watch_neighbours(Neighbours::join(&config.server.data_dir, address)?));
    let (store, tally) = (data.store.clone(), Arc::new(Tally::default()));
    let router = assemble(&config, &options, data, &url_s, &tally, &mut background)?;
    let handle = Handle::new();
    let gate = Gate::new(&config.limits);
    let unusable = |source| Error::System { what: "the listening socket cannot be used", source };
    let server = tuned(axum_server::from_tcp(listener).map_err(unusable)?, &config).handle(handle.clone());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = match &tls {
        None => tokio::spawn(server.acceptor(gate).serve(service)),
        Some(tls) => {
            let handshake = Duration::from_secs(config.limits.handshake_timeout_s);
            let acceptor = RustlsAcceptor::new(tls.in_use()).handshake_timeout(handshake).acceptor(gate);
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
    };
    let ca_file = tls.as_ref().and_then(Tls::ca_file);
    if let Some(tls) = tls {
        background.spawn(tls.watch(Duration::from_secs(config.tls.reload_s)));
    }
    handle.listening().await;
    let scheme = if config.server.http { "http" } else { "https" };
    tracing::info!("listening on {scheme}://{address}");
    let grace = Duration::from_secs(config.server.shutdown_grace_s);
    Ok(Running { address, url_s, admin_token_file, ca_file, grace, handle, serving, background, tally, store })
}

fn check(config: &Config, options: &ServerOptions) -> Result<(), Error> {
    config.check()?;
    let fault = |key: &str, value: String, remedy: &str| {
        let fault = Fault { key: key.into(), value, remedy: remedy.into() };
        Err(ConfigError(vec![fault]).into())
    };
    match options.iteration_floor_for_bench {
        Some(floor) if !config.server.listen.ip().is_loopback() => {
            fault("the iteration floor", floor.to_string(), "is for load tests on a loopback address only")
        }
        _ if options.new_ca && (config.server.http || !config.tls.certificate.as_os_str().is_empty()) => {
            fault("--new-ca", "true".into(), "this configuration uses no private CA; start without it")
        }
        _ => Ok(()),
    }
}

async fn tls_source(
    config: &Config,
    options: &ServerOptions,
    store: &Store,
    address: SocketAddr,
    url_s: &[String],
) -> Result<Source, Error> {
    if config.tls.certificate.as_os_str().is_empty() {
        let ca = bootstrap::private_ca(config, store, address, url_s, options.new_ca).await?;
        return Ok(Source::PrivateCa(ca));
    }
    Ok(Source::Files { certificate: config.tls.certificate.clone(), key: config.tls.key.clone() })
}

/// Every route, with what stands behind it.
fn assemble(
    config: &Config,
    options: &ServerOptions,
    data: Data,
    url_s: &[String],
    tally: &Arc<Tally>,
    background: &mut JoinSet<()>,
) -> Result<Router, Error> {
    let limits = &config.limits;
    let pool = Pool::new(limits)?;
    let rates = Arc::new(Rates::new(limits));
    let passwords = Backoff::default();
    let store = data.store.clone();
    let device_trust = Arc::clone(&data.device_trust);
    background.spawn(Arc::clone(&device_trust).watch());
    let provision = Arc::new(Provision::new(config, options, data, url_s, pool, Arc::clone(&rates), Arc::clone(tally)));
    background.spawn(Arc::clone(tally).write_groups(store.clone()));
    background.spawn(sweep(Arc::clone(&rates), Arc::clone(&provision), passwords.clone(), store.clone()));
    let api = api::ApiState {
        store: store.clone(),
        origin: provision.trigger_origin().into(),
        enrolment_lifetime_s: config.policy.enrolment_lifetime_s,
        device_trust,
        backoff: passwords,
        batches: api::Batches::default(),
    };
    let body_timeout = Duration::from_secs(limits.body_timeout_s);
    let admin = api::router(api)
        .layer(middleware::from_fn(move |request, next| within(body_timeout + ADMIN_TIME, request, next)));
    Ok(dskpp_http::router(Binding { provision: Arc::clone(&provision), rates: Arc::clone(&rates), body_timeout })
        .merge(trigger::router(provision, rates))
        .merge(ops::router(store))
        .merge(admin))
}

/// What the admin API may take beyond the body's time.
const ADMIN_TIME: Duration = Duration::from_secs(20);

async fn within(time: Duration, request: Request, next: Next) -> Response {
    let response = tokio::time::timeout(time, next.run(request)).await;
    response.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}

async fn sweep(rates: Arc<Rates>, provision: Arc<Provision>, passwords: Backoff, store: Store) {
    loop {
        tokio::time::sleep(SWEEP).await;
        rates.sweep();
        provision.sweep(Instant::now());
        passwords.sweep(Instant::now());
        if let Err(why) = store.forget_old_answers().await {
            tracing::warn!("old answers stay: {why}");
        }
        if let Err(why) = store.settle_tries().await {
            tracing::warn!("refused runs are not in the audit trail yet: {why}");
        }
    }
}

/// Looks for other servers on the same data folder, away from the threads of connections.
async fn watch_neighbours(mut neighbours: Neighbours) {
    loop {
        let look = move || {
            neighbours.look();
            neighbours
        };
        let Ok(looked) = tokio::task::spawn_blocking(look).await else { return };
        neighbours = looked;
        tokio::time::sleep(SWEEP).await;
    }
}

/// HTTP/1.1 only, with the limits that hold before a request is known.
fn tuned<A>(server: axum_server::Server<SocketAddr, A>, config: &Config) -> axum_server::Server<SocketAddr, A> {
    let mut server = server
        .http1_only()
        .accept_error_handler(|peer, why| tracing::debug!(peer = peer.map(tracing::field::display), "refused: {why}"));
    let header_timeout = Duration::from_secs(config.limits.header_timeout_s);
    server.http_builder().http1().header_read_timeout(header_timeout).max_buf_size(MAX_HEADER_LEN);
    server
}

/// Runs a server until SIGTERM or SIGINT, on a runtime of its own that is sized for little memory;
/// `ready` is called once it accepts connections. Blocks.
///
/// # Errors
/// As [`serve`] and [`Running::wait`].
pub fn run(config: Config, options: ServerOptions, ready: impl FnOnce(&Running)) -> Result<(), Error> {
    check(&config, &options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.server.workers)
        .max_blocking_threads(4)
        .thread_stack_size(STACK_LEN)
        .enable_all()
        .build()
        .map_err(|source| Error::System { what: "cannot start threads", source })?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let running = serve(config, options).await?;
        ready(&running);
        let handle = running.handle.clone();
        let grace = running.grace;
        let mut ended = std::pin::pin!(running.wait());
        tokio::select! {
            ended = &mut ended => return ended,
            name = signals.next() => tracing::info!("stopping: {name}"),
        }
        handle.graceful_shutdown(Some(grace));
        ended.await
    })
}

/// The signals that end a server.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Error> {
        use tokio::signal::unix::{SignalKind, signal};
        let refused = |source| Error::System { what: "cannot wait for signals", source };
        let terminate = signal(SignalKind::terminate()).map_err(refused)?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt()).map_err(refused)? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
