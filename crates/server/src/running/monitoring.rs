//! `GET /metrics`: puts together what every part of the server counts, for Prometheus.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use prometheus::{Registry, TEXT_FORMAT, TextEncoder};

use crate::Config;
use crate::config::{LimitsSection, ProxySection};
use crate::metrics::{Collectors, IntGauge, IntGaugeVec, collectors, gauge, gauges};
use crate::model::clock::now;
use crate::net::connection::{Connections, Ending};
use crate::net::connection_limit::ConnectionLimit;
use crate::net::listeners::Listeners;
use crate::net::proxy::Proxies;
use crate::net::public_url::Prefixes;
use crate::net::responses::Responses;
use crate::net::turns::Turns;
use crate::store::{StateCounts, Store, StoreError};

/// The shortest time between two counts of keys and enrolments.
const INTERVAL: Duration = Duration::from_secs(60);
/// A count may take at most this part of the time, however long it takes.
const PART: u32 = 100;
/// How long a scrape waits for a count that is due. Others show the last one.
const PATIENCE: Duration = Duration::from_millis(250);

/// Connections that may be open at once.
const CONNECTIONS: usize = 32;

/// Sets metrics that are only looked at.
type Measure = Box<dyn Fn() + Send + Sync>;

/// What is shown, and what is done before.
pub(super) struct Monitoring {
    registry: Registry,
    measures: Vec<Measure>,
    population: Arc<Population>,
}

impl Monitoring {
    /// With the store, the process, and what it runs.
    pub(super) fn new(store: &Store) -> Self {
        let population = Arc::new(Population::new(store.clone()));
        let mut monitoring = Monitoring { registry: Registry::new(), measures: Vec::new(), population };
        let version = ("version", env!("CARGO_PKG_VERSION"));
        let database = ("database", if store.is_shared() { "postgresql" } else { "sqlite" });
        let info = gauge("dskpp_build_info", "1, with the version and the database engine.", &[version, database]);
        info.set(1);
        monitoring.add(collectors![info]);
        #[cfg(target_os = "linux")]
        monitoring.add(vec![Box::new(prometheus::process_collector::ProcessCollector::for_self())]);
        monitoring.add(monitoring.population.metrics());
        monitoring.add(store.metrics());
        let store = store.clone();
        monitoring.before_each(move || store.measure());
        monitoring
    }

    /// Shows these too.
    pub(super) fn add(&mut self, collectors: Collectors) {
        for collector in collectors {
            self.registry.register(collector).expect("no metric is made twice");
        }
    }

    /// Runs `measure` before each showing.
    pub(super) fn before_each(&mut self, measure: impl Fn() + Send + Sync + 'static) {
        self.measures.push(Box::new(measure));
    }

    /// Serves `GET /metrics` until the server stops; every other path is 404.
    pub(super) fn serve(
        self,
        listeners: Listeners,
        config: &Config,
        ending: Ending,
    ) -> impl Future<Output = ()> + use<> {
        // Apart from everybody else's: neither has the other to wait.
        let limits = LimitsSection { max_connections: CONNECTIONS, ..config.limits.clone() };
        let connections = Connections {
            limit: ConnectionLimit::new(&limits),
            turns: Turns::new(config),
            proxies: Proxies::new(ProxySection::default()),
            tls: None,
            router: Router::new().route("/metrics", get(show)).with_state(Arc::new(self)),
            prefixes: Prefixes::of(&[]),
            timeouts: (&limits).into(),
            responses: Responses::default(),
        };
        Arc::new(connections).serve(listeners, ending)
    }
}

async fn show(State(monitoring): State<Arc<Monitoring>>) -> Response {
    Population::count_if_due(&monitoring.population).await;
    monitoring.measures.iter().for_each(|measure| measure());
    match TextEncoder::new().encode_to_string(&monitoring.registry.gather()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT_FORMAT), (header::CACHE_CONTROL, "no-store")], text).into_response(),
        Err(why) => {
            tracing::error!("cannot show metrics: {why}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Keys and enrolments by state, as they were when last counted.
struct Population {
    store: Store,
    keys: IntGaugeVec,
    enrolments: IntGaugeVec,
    counted_at: IntGauge,
    /// When the next count is due; none while one is running.
    due: Mutex<Option<Instant>>,
}

impl Population {
    fn new(store: Store) -> Self {
        let help = "When keys and enrolments were last counted, in seconds since 1970; 0: not yet.";
        Population {
            store,
            keys: gauges("dskpp_keys", "Keys by state.", "state"),
            enrolments: gauges("dskpp_enrolments", "Enrolments by state.", "state"),
            counted_at: gauge("dskpp_counted_timestamp_seconds", help, &[]),
            due: Mutex::new(Some(Instant::now())),
        }
    }

    fn metrics(&self) -> Collectors {
        collectors![self.keys, self.enrolments, self.counted_at]
    }

    /// Counts if it is time; a scrape that leaves does not stop the count.
    async fn count_if_due(this: &Arc<Self>) {
        {
            let mut due = this.due.lock().unwrap_or_else(PoisonError::into_inner);
            if due.is_none_or(|due| Instant::now() < due) {
                return;
            }
            *due = None;
        }
        let this = Arc::clone(this);
        let counting = tokio::spawn(async move {
            let start = Instant::now();
            if let Err(why) = this.count().await {
                tracing::warn!("cannot count keys and enrolments: {why}");
            }
            let next = Instant::now() + INTERVAL.max(start.elapsed() * PART);
            *this.due.lock().unwrap_or_else(PoisonError::into_inner) = Some(next);
        });
        _ = tokio::time::timeout(PATIENCE, counting).await;
    }

    async fn count(&self) -> Result<(), StoreError> {
        let (keys, enrolments) = (self.store.count_keys().await?, self.store.count_enrolments().await?);
        let show = |gauges: &IntGaugeVec, counts: StateCounts| {
            for (state, number) in counts {
                gauges.with_label_values(&[state]).set(number);
            }
        };
        show(&self.keys, keys);
        show(&self.enrolments, enrolments);
        self.counted_at.set(now());
        Ok(())
    }
}
