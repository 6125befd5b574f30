//! The admin API, `/api/v1`: JSON in and out, problem+json for errors (RFC 9457), bearer tokens with roles.

mod callers;
mod devices;
mod enrolments;
mod export;
mod import;
mod keys;
mod problem;
mod register;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{any, delete, get, post};

use crate::backoff::Backoff;
use crate::device_trust::DeviceTrust;
use crate::store::Store;
pub(crate) use callers::Callers;
pub(crate) use import::Batches;

/// The longest request body, in octets.
const MAX_BODY_LEN: usize = 64 * 1024;

/// What the API needs.
#[derive(Clone)]
pub(crate) struct ApiState {
    /// The store.
    pub store: Store,
    /// Who calls.
    pub callers: Callers,
    /// The first public URL: where keys are provisioned, and, with its scheme, host and port, where triggers are fetched.
    pub url_s: Arc<str>,
    /// Seconds that an enrolment stays open unless its creator says otherwise.
    pub enrolment_lifetime_s: u64,
    /// Who certifies devices.
    pub device_trust: Arc<DeviceTrust>,
    /// Wrong one-time passwords.
    pub backoff: Backoff,
    /// Batches of imports that are in memory.
    pub batches: Batches,
}

/// Every route of the API.
pub(crate) fn router(state: ApiState) -> Router {
    let routes = Router::new()
        .route("/users", post(register::create_user))
        .route("/devices", get(devices::list).post(devices::create))
        .route("/devices/import", post(devices::import).layer(DefaultBodyLimit::max(devices::MAX_BATCH_LEN)))
        .route("/devices/{id}", get(devices::show).patch(devices::change).delete(devices::remove))
        .route("/enrolments", post(enrolments::create))
        .route("/enrolments/{id}", get(enrolments::show).delete(enrolments::revoke))
        .route("/keys", get(keys::list))
        .route("/keys/import", post(import::batch).layer(DefaultBodyLimit::max(import::MAX_BATCH_LEN)))
        .route("/keys/export", post(export::export))
        .route("/imports/{id}", get(import::progress))
        .route("/keys/{id}", get(keys::show).delete(keys::revoke))
        .route("/keys/{id}/resync", post(keys::resynchronise))
        .route("/keys/{id}/secret", get(keys::secret))
        .route("/keys/{id}/user", post(keys::assign))
        .route("/validate", post(keys::validate))
        .route("/tokens", post(tokens::create))
        .route("/tokens/{id}", delete(tokens::remove))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .with_state(state);
    // A nested fallback does not see the bare slash.
    Router::new().nest("/api/v1", routes).route("/api/v1/", any(problem::no_route))
}
