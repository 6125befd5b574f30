//! The admin API, `/api/v1`: JSON in and out, problem+json for errors (RFC 9457), bearer tokens with roles.

pub(crate) mod activation;
mod callers;
mod checkpoint;
mod devices;
mod enrolments;
mod export;
pub(crate) mod health;
mod import;
mod k_servers;
mod keys;
mod lists;
mod problem;
pub(crate) mod renewal;
mod sinks;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
pub(crate) mod validate_check;
mod validations;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, delete, get, post};
use dskpp_api::paths;

use crate::checkpoints::Checkpoints;
use crate::policy::backoff::Backoff;
use crate::policy::device_trust::DeviceTrust;
use crate::setup::k_servers::KServers;
use crate::sinks::Sinks;
use crate::store::Store;
pub(crate) use callers::Callers;
pub(crate) use import::Batches;
pub(crate) use validations::Validations;

/// Maximum size of a request body, in octets.
const MAX_BODY_LEN: usize = 64 * 1024;

/// The API's state.
#[derive(Clone)]
pub(crate) struct ApiState {
    /// The store.
    pub store: Store,
    /// The callers.
    pub callers: Callers,
    /// The first public URL: new keys are provisioned there, and triggers fetched beside it.
    pub url_s: Arc<str>,
    /// Default lifetime of an enrolment, in seconds.
    pub enrolment_lifetime_s: u64,
    /// The trust anchors for devices.
    pub device_trust: Arc<DeviceTrust>,
    /// Back-off after wrong one-time passwords.
    pub backoff: Backoff,
    /// The K_SERVERs.
    pub k_servers: Arc<KServers>,
    /// The sinks.
    pub sinks: Arc<Sinks>,
    /// Import batches in memory.
    pub batches: Batches,
    /// Checkpoints of the audit trail, where there is a key for them.
    pub checkpoints: Option<Arc<Checkpoints>>,
    /// What is counted of validations.
    pub validations: Validations,
}

/// Every route of the API.
pub(crate) fn router(state: ApiState) -> Router {
    let routes = Router::new()
        .route(paths::USERS, get(lists::users).post(users::create_user))
        .route(paths::DEVICES, get(devices::list).post(devices::create))
        .route(paths::DEVICES_IMPORT, post(devices::import).layer(DefaultBodyLimit::max(devices::MAX_BATCH_LEN)))
        .route(paths::DEVICE, get(devices::show).patch(devices::change).delete(devices::remove))
        .route(paths::ENROLMENTS, get(lists::enrolments).post(enrolments::create))
        .route(paths::ENROLMENT, get(enrolments::show).delete(enrolments::revoke))
        .route(paths::KEYS, get(keys::list))
        .route(paths::KEYS_IMPORT, post(import::batch).layer(DefaultBodyLimit::max(import::MAX_BATCH_LEN)))
        .route(paths::KEYS_EXPORT, post(export::export))
        .route(paths::IMPORTS, get(lists::imports))
        .route(paths::IMPORT, get(import::progress))
        .route(paths::KEY, get(keys::show).delete(keys::revoke))
        .route(paths::KEY_RESYNC, post(keys::resynchronise))
        .route(paths::KEY_SECRET, get(keys::secret))
        .route(paths::KEY_USER, post(keys::assign))
        .route(paths::VALIDATE, post(keys::validate))
        .route(paths::K_SERVERS, get(k_servers::list).post(k_servers::add))
        .route(paths::K_SERVER, delete(k_servers::retire))
        .route(paths::TOKENS, get(lists::tokens).post(tokens::create))
        .route(paths::TOKEN, delete(tokens::remove))
        .route(paths::AUDIT, get(lists::audit))
        .route(paths::AUDIT_CHECKPOINT, get(checkpoint::make))
        .route(paths::SINKS, get(sinks::list))
        .route(paths::SINK_TEST, post(sinks::test))
        .route(paths::DELIVERIES, get(sinks::deliveries))
        .route(paths::DELIVERY_RETRY, post(sinks::retry))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .with_state(state);
    // A nested fallback does not match the bare slash.
    Router::new().nest(paths::ROOT, routes).route(&format!("{}/", paths::ROOT), any(problem::no_route))
}
