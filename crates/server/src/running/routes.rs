//! The routes of a server, each with its state.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tokio::task::JoinSet;

use super::monitoring::Monitoring;
use super::{ServerOptions, upkeep};
use crate::api::activation::{self, ActivationState};
use crate::api::renewal::{self, RenewalState};
use crate::api::validate_check::{self, CheckState};
use crate::certificates::Certificates;
use crate::checkpoints::Checkpoints;
use crate::dskpp::http::{self, HttpBinding};
use crate::dskpp::refusal_counts::RefusalCounts;
use crate::dskpp::service::Service;
use crate::dskpp::trigger_page;
use crate::metrics::IntGauge;
use crate::net::crypto_pool::CryptoPool;
use crate::net::private_ca::PrivateCa;
use crate::net::rate_limit::{Rates, TokenRates};
use crate::net::turns::Turns;
use crate::notices::{self, Notices};
use crate::pages::portal::Portal;
use crate::pages::token_app;
use crate::policy::backoff::Backoff;
use crate::policy::templates::Templates;
use crate::setup::bootstrap::DataFolder;
use crate::sinks::Sinks;
use crate::threads::VitalThreads;
use crate::{Config, Error, api};

/// What the routes share with the rest of the server.
pub(super) struct Shared<'a> {
    pub(super) turns: Turns,
    pub(super) refusal_counts: &'a Arc<RefusalCounts>,
    pub(super) background: &'a mut JoinSet<String>,
    pub(super) monitoring: &'a mut Monitoring,
    pub(super) sinks: Arc<Sinks>,
    pub(super) notices: Arc<Notices>,
    /// When the TLS certificate expires, and the private CA.
    pub(super) certificates: (Option<IntGauge>, Option<PrivateCa>),
}

/// Every route but those of health, with its state.
pub(super) fn assemble(
    config: &Config,
    options: &ServerOptions,
    data: DataFolder,
    url_s: &[String],
    shared: Shared<'_>,
) -> Result<Router, Error> {
    let (limits, Shared { turns, refusal_counts, background, monitoring, sinks, notices, certificates }) =
        (&config.limits, shared);
    let vital = VitalThreads::default();
    let pool = CryptoPool::new(limits, &vital)?;
    background.spawn(vital.died());
    let rates = Arc::new(Rates::new(limits));
    let passwords = Backoff::default();
    let store = data.store.clone();
    let device_trust = Arc::clone(&data.device_trust);
    spawn_essential(background, Arc::clone(&device_trust).watch());
    let (of_service, counts, floor) =
        (Arc::clone(&rates), Arc::clone(refusal_counts), options.iteration_floor_for_bench);
    let (callers, of_activation) = (api::Callers::new(Arc::clone(&rates), turns.clone()), turns.clone());
    let service = Arc::new(Service::new(config, floor, data, url_s, (turns, pool), of_service, counts));
    spawn_essential(background, Arc::clone(refusal_counts).write_groups(store.clone()));
    spawn_essential(
        background,
        upkeep::sweep(Arc::clone(&rates), Arc::clone(&service), passwords.clone(), store.clone()),
    );
    let checkpoints = Checkpoints::load(config, &store)?.map(Arc::new);
    monitoring.add(Checkpoints::metrics(checkpoints.as_deref()));
    if let Some(checkpoints) = &checkpoints {
        spawn_essential(background, Arc::clone(checkpoints).keep());
    }
    let (tls, ca) = certificates;
    let certificates = Certificates::new(tls, ca, service.k_servers(), service.first_url());
    let (of_announcer, measured) = (certificates.clone(), certificates.clone());
    spawn_essential(
        background,
        notices::announce(Arc::clone(&notices), of_announcer, config.cleanup.clone(), store.clone()),
    );
    monitoring.before_each(move || measured.measure());
    let validations = api::Validations::default();
    let token_rates = TokenRates::new(limits);
    let of_deliveries = [sinks.metrics(), notices.metrics(), certificates.metrics()];
    let parts = [service.metrics(), rates.metrics(), token_rates.metrics(), validations.metrics()];
    for collectors in parts.into_iter().chain(of_deliveries) {
        monitoring.add(collectors);
    }
    let measured = Arc::clone(&service);
    monitoring.before_each(move || measured.measure());
    let of_check = CheckState {
        store: store.clone(),
        backoff: passwords.clone(),
        validations: validations.clone(),
        networks: config.validate_check.networks.clone(),
    };
    let api = api::ApiState {
        store: store.clone(),
        callers,
        url_s: service.first_url().into(),
        enrolment_lifetime_s: config.policy.enrolment_lifetime_s,
        templates: Templates::of(config),
        device_trust,
        backoff: passwords,
        batches: api::Batches::default(),
        sinks,
        k_servers: service.k_servers(),
        checkpoints,
        validations,
        token_rates,
        certificates,
        notices,
    };
    let (body_timeout, portal) = (Duration::from_secs(limits.body_timeout_s), Portal::load(config, url_s)?);
    let of_activation = ActivationState { store, rates: Arc::clone(&rates), turns: of_activation };
    let of_renewal = RenewalState {
        clients: of_activation.clone(),
        url_s: service.first_url().into(),
        lifetime_s: config.policy.enrolment_lifetime_s,
        is_allowed: config.portal.owners_renew,
    };
    let timed = api::router(api)
        .merge(activation::router(of_activation))
        .merge(renewal::router(of_renewal))
        .merge(validate_check::router(of_check))
        .layer(middleware::from_fn(move |request, next| within(body_timeout + ADMIN_TIME, request, next)));
    Ok(http::router(HttpBinding { service: Arc::clone(&service), rates: Arc::clone(&rates), body_timeout })
        .merge(token_app::router(&portal))
        .merge(trigger_page::router(service, rates, portal))
        .merge(timed))
}

/// A task that ends only because of a bug.
pub(super) fn spawn_essential(
    background: &mut JoinSet<String>,
    task: impl Future<Output = Infallible> + Send + 'static,
) {
    background.spawn(async { match task.await {} });
}

/// Time for an admin API request beyond its body's.
const ADMIN_TIME: Duration = Duration::from_secs(20);

async fn within(time: Duration, request: Request, next: Next) -> Response {
    let response = tokio::time::timeout(time, next.run(request)).await;
    response.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
