//! Assembles a server from its configuration, runs it and stops it.

mod files_check;
mod monitoring;
mod recorded;
mod routes;
mod upkeep;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::OptionFuture;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::api::health;
use crate::dskpp::refusal_counts::RefusalCounts;
use crate::net::connection::{Connections, Ending};
use crate::net::connection_limit::ConnectionLimit;
use crate::net::listeners::Listeners;
use crate::net::private_ca::PrivateCa;
use crate::net::proxy::Proxies;
use crate::net::public_url::Prefixes;
use crate::net::responses::Responses;
use crate::net::tls::{CertificateSource, TlsIdentity};
use crate::net::turns::Turns;
use crate::notices::{self, Notices};
use crate::platform::{Signal, Signals, State, passed_sockets, tell_supervisor};
use crate::setup::bootstrap;
use crate::setup::data_folder::Starting;
use crate::setup::neighbours::Neighbours;
use crate::setup::reload::Reload;
use crate::setup::store_halves::Create;
use crate::sinks::{Sinks, worker};
use crate::store::Store;
use crate::{Config, ConfigError, ConfigFault, Error};
use monitoring::Monitoring;
use routes::{Shared, assemble, spawn_essential};

/// Stack size of the threads that serve connections: enough for a debug build.
const STACK_LEN: usize = 1024 * 1024;
/// How long shutdown waits for blocked threads.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// Options that no configuration can set.
#[derive(Clone, Debug, Default)]
pub struct ServerOptions {
    /// A PBKDF2 iteration floor other than 100,000, for load tests. Refused unless the server listens on a loopback
    /// address.
    pub iteration_floor_for_bench: Option<u32>,
    /// Create a new store; an incomplete one is set aside, a complete one is an error.
    pub init: bool,
    /// Create a new private CA; the old one is set aside. Clients then need the new `ca.pem`.
    pub new_ca: bool,
}

/// A server that accepts connections. It stops on [`Running::shutdown`], when dropped, or with its runtime.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    url_s: Vec<String>,
    admin_token_file: PathBuf,
    has_admin_token: bool,
    ca_file: Option<PathBuf>,
    metrics: Option<SocketAddr>,
    store: Store,
    /// Flushed after the last answer.
    refusal_counts: Arc<RefusalCounts>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    /// Essential tasks; each returns the name of what died. All stop when this is dropped.
    background: JoinSet<String>,
    /// Those who bring keys to sinks, and send notices.
    deliveries: JoinSet<()>,
    grace: Duration,
    reload: Arc<Mutex<Reload>>,
}

impl Running {
    /// The listening address, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// URL_S: every URL at which clients may reach the server.
    pub fn url_s(&self) -> &[String] {
        &self.url_s
    }

    /// Where the first start wrote the first admin token.
    pub fn admin_token_file(&self) -> &Path {
        &self.admin_token_file
    }

    /// Whether that file has a token of the store: another server may have made the first one.
    pub fn has_admin_token(&self) -> bool {
        self.has_admin_token
    }

    /// The private CA that issued the server's certificate; `None` with a configured certificate or without TLS.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// Where `GET /metrics` listens, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics
    }

    /// Is not ready for the configured time to drain, then accepts no more connections, lets running requests finish
    /// within the configured grace, and stops.
    pub fn shutdown(&self) {
        self.stop.send_replace(true);
    }

    /// Applies the reloadable part of a configuration: the certificate, the trust anchors for devices and their
    /// revocation lists, with the current content of the files. Logs other changes and invalid files. Blocks.
    pub fn reload(&self, config: Config) {
        take_over(&self.reload, config);
    }

    /// Waits until the server has stopped. After a requested stop, the database file is complete on its own: its WAL is
    /// empty.
    ///
    /// # Errors
    /// The reason for an unrequested stop.
    pub async fn wait(mut self) -> Result<(), Error> {
        tokio::select! {
            biased;
            Some(died) = self.background.join_next() => {
                return Err(Error::Died(died.unwrap_or_else(|why| format!("a task of the server ({why})"))));
            }
            Some(Err(why)) = self.deliveries.join_next() => {
                return Err(Error::Died(format!("a delivery ({why})")));
            }
            ended = &mut self.serving => ended.map_err(|why| Error::Died(format!("a task of the server ({why})")))?,
        }
        // What is cut off here is delivered again.
        _ = tokio::time::timeout(self.grace, async { while self.deliveries.join_next().await.is_some() {} }).await;
        self.deliveries.shutdown().await;
        self.background.shutdown().await;
        self.refusal_counts.write(&self.store).await;
        recorded::stop(&self.store, self.address).await;
        if let Err(why) = self.store.checkpoint().await {
            tracing::warn!("could not merge the WAL into the database file: {why}");
        }
        Ok(())
    }
}

/// Starts a server on the current Tokio runtime (with I/O and time enabled); it accepts connections when this returns.
///
/// # Errors
/// Invalid configuration; errors of files, the store or the address.
pub async fn serve(config: Config, options: ServerOptions) -> Result<Running, Error> {
    check(&config, &options)?;
    let listen = config.server.listen;
    let listener = TcpListener::bind(listen).await.map_err(|source| Error::Listen { address: listen, source })?;
    serve_on(vec![listener].into(), config, options).await
}

/// Serves on sockets that a supervisor passed, instead of the configured address: their addresses are checked as that
/// one is.
async fn serve_passed(
    sockets: Vec<std::net::TcpListener>,
    mut config: Config,
    options: ServerOptions,
) -> Result<Running, Error> {
    let refused = |source| Error::System { what: "the passed sockets cannot be used", source };
    let listeners = Listeners::passed(sockets).map_err(refused)?;
    for address in listeners.addresses() {
        tracing::info!("listening on the passed socket {address} instead of server.listen");
        config.server.listen = address;
        check(&config, &options)?;
    }
    serve_on(listeners, config, options).await
}

async fn serve_on(listeners: Listeners, config: Config, options: ServerOptions) -> Result<Running, Error> {
    let (sinks, notices) = (Arc::new(Sinks::load(&config)?), Arc::new(Notices::load(&config)?));
    let listen = config.server.listen;
    let address = listeners.address().map_err(|source| Error::Listen { address: listen, source })?;
    let url_s = config.public_urls(address.port());
    let folder = config.server.data_dir.clone();
    let starting = tokio::task::spawn_blocking(move || Starting::enter(&folder)).await;
    let starting = starting.map_err(|why| Error::System { what: "the start failed", source: why.into() })??;
    let create = if options.init { Create::StartOver } else { Create::WithNewKey };
    let mut data = bootstrap::open(&config, create).await?;
    let ca = match needs_private_ca(&config) {
        true => Some(bootstrap::private_ca(&config, &data.store, address, &url_s, options.new_ca).await?),
        false => None,
    };
    if let Some(ca) = &ca {
        data.k_servers.certify_by(ca.clone())?;
    }
    let tls = match config.server.http {
        true => None,
        false => Some(TlsIdentity::load(tls_source(&config, ca.clone()))?),
    };
    let certificates = (tls.as_ref().map(TlsIdentity::expiry), ca);
    drop(starting);

    let (admin_token_file, has_admin_token) = (data.admin_token_file.clone(), data.has_admin_token);
    let store = data.store.clone();
    let device_trust = Arc::clone(&data.device_trust);
    let mut background = JoinSet::new();
    background.spawn(store.vital().died());
    background.spawn(upkeep::watch_neighbours(Neighbours::join(&config.server.data_dir, address)?));
    let refusal_counts = Arc::new(RefusalCounts::default());
    let (stop, stopping) = watch::channel(false);
    let (turns, limit) = (Turns::new(&config), ConnectionLimit::new(&config.limits));
    let mut monitoring = Monitoring::new(&store);
    let shared = Shared {
        turns: turns.clone(),
        refusal_counts: &refusal_counts,
        background: &mut background,
        monitoring: &mut monitoring,
        sinks: Arc::clone(&sinks),
        notices: Arc::clone(&notices),
        certificates,
    };
    let router = assemble(&config, &options, data, &url_s, shared)?;
    let connections = Arc::new(Connections {
        limit: Arc::clone(&limit),
        turns: turns.clone(),
        proxies: Proxies::new(config.proxy.clone()),
        tls: tls.as_ref().map(TlsIdentity::in_use),
        router: router.merge(health::router(store.clone(), stopping.clone())),
        prefixes: Prefixes::of(&url_s),
        timeouts: (&config.limits).into(),
        responses: Responses::default(),
    });
    let parts = [turns.metrics(), limit.metrics(), connections.responses.metrics()];
    parts.into_iter().chain(tls.as_ref().map(TlsIdentity::metrics)).for_each(|part| monitoring.add(part));
    monitoring.before_each(move || {
        turns.measure();
        limit.measure();
    });
    let ca_file = tls.as_ref().and_then(TlsIdentity::ca_file);
    let (reloads, reloaded) = mpsc::channel(1);
    if let Some(tls) = tls {
        spawn_essential(&mut background, tls.watch(Duration::from_secs(config.tls.reload_s), reloaded));
    }
    let mut deliveries = worker::start(&sinks, &store, &stopping);
    notices::start(&notices, &store, &stopping, &mut deliveries);
    let ending = Ending {
        stop: stopping,
        drain: Duration::from_secs(config.server.drain_s),
        grace: Duration::from_secs(config.server.shutdown_grace_s),
    };
    let (metrics, serving_metrics) = match config.metrics.listen {
        None => (None, None),
        Some(listen) => {
            let failed = |source| Error::Listen { address: listen, source };
            let listeners = Listeners::from(vec![TcpListener::bind(listen).await.map_err(failed)?]);
            let address = listeners.address().map_err(failed)?;
            tracing::info!("metrics on http://{address}/metrics");
            (Some(address), Some(monitoring.serve(listeners, &config, ending.clone())))
        }
    };
    let serving = tokio::spawn(async move {
        tokio::join!(connections.serve(listeners, ending), OptionFuture::from(serving_metrics));
    });
    let grace = Duration::from_secs(config.server.shutdown_grace_s);
    let scheme = if config.server.http { "http" } else { "https" };
    tracing::info!("listening on {scheme}://{address}");
    recorded::start(&store, address, &config).await;
    let reload = Arc::new(Mutex::new(Reload { config, device_trust, tls: reloads }));
    Ok(Running {
        address,
        url_s,
        admin_token_file,
        has_admin_token,
        ca_file,
        metrics,
        store,
        refusal_counts,
        stop,
        serving,
        background,
        deliveries,
        grace,
        reload,
    })
}

fn check(config: &Config, options: &ServerOptions) -> Result<(), Error> {
    config.check()?;
    let fault = |key: &str, value: String, remedy: &str| {
        let fault = ConfigFault::new(key, value, remedy);
        Err(ConfigError(vec![fault]).into())
    };
    match options.iteration_floor_for_bench {
        Some(floor) if !config.server.listen.ip().is_loopback() => {
            fault("the iteration floor", floor.to_string(), "only for load tests on a loopback address")
        }
        _ if options.new_ca && !needs_private_ca(config) => {
            fault("--new-ca", "true".into(), "this configuration uses no private CA; omit the option")
        }
        _ => Ok(()),
    }
}

/// Whether the private CA certifies the server, K_SERVER, or both.
fn needs_private_ca(config: &Config) -> bool {
    let (tls, k_server) = (&config.tls.certificate, &config.k_server.certificate);
    (tls.as_os_str().is_empty() && !config.server.http) || k_server.as_os_str().is_empty()
}

fn tls_source(config: &Config, ca: Option<PrivateCa>) -> CertificateSource {
    match ca.filter(|_| config.tls.certificate.as_os_str().is_empty()) {
        Some(ca) => CertificateSource::PrivateCa(ca),
        None => CertificateSource::Files { certificate: config.tls.certificate.clone(), key: config.tls.key.clone() },
    }
}

/// Runs a server until SIGTERM or SIGINT; a second one stops it immediately. It runs on a runtime of its own, sized for
/// little memory. Calls `ready` once the server accepts connections, and `reload` at each SIGHUP for the configuration
/// to apply ([`Running::reload`]). Blocks.
///
/// Serves on the sockets that systemd passes (`LISTEN_FDS`), if any, instead of `server.listen`, and tells it the state
/// of the server (`NOTIFY_SOCKET`).
///
/// # Errors
/// As [`serve`] and [`Running::wait`].
pub fn run(
    config: Config,
    options: ServerOptions,
    ready: impl FnOnce(&Running),
    reload: impl Fn() -> Result<Config, ConfigError>,
) -> Result<(), Error> {
    let sockets = passed_sockets()?;
    if sockets.is_empty() {
        check(&config, &options)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.server.workers)
        .max_blocking_threads(4)
        .thread_stack_size(STACK_LEN)
        .enable_all()
        .build()
        .map_err(|source| Error::System { what: "cannot start threads", source })?;
    let ended = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let running = match sockets.is_empty() {
            true => serve(config, options).await?,
            false => serve_passed(sockets, config, options).await?,
        };
        ready(&running);
        tell_supervisor(State::Ready);
        let (stop, changing) = (running.stop.clone(), Arc::clone(&running.reload));
        let mut ended = std::pin::pin!(running.wait());
        loop {
            let signal = tokio::select! {
                ended = &mut ended => return ended,
                signal = signals.next() => signal,
            };
            match signal {
                Signal::Reload => {
                    tell_supervisor(State::Reloading);
                    match reload() {
                        Ok(config) => take_over(&changing, config),
                        Err(why) => tracing::error!("reload failed: {why}"),
                    }
                    tell_supervisor(State::Ready);
                }
                Signal::Stop(_) if *stop.borrow() => return Err(Error::Interrupted),
                Signal::Stop(name) => {
                    tracing::info!("stopping: {name}");
                    tell_supervisor(State::Stopping);
                    stop.send_replace(true);
                }
            }
        }
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    ended
}

fn take_over(reload: &Mutex<Reload>, config: Config) {
    reload.lock().unwrap_or_else(PoisonError::into_inner).take_over(config);
}

#[cfg(test)]
mod tests;
