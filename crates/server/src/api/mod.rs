//! The admin API, `/api/v1`: JSON in and out, problem+json for errors (RFC 9457), bearer tokens with roles.

pub(crate) mod activation;
mod bulk;
mod caller;
mod callers;
mod checkpoint;
mod devices;
mod enrolments;
mod etag;
mod expiring;
mod export;
pub(crate) mod health;
mod idempotency;
mod import;
mod k_servers;
mod keys;
mod lists;
mod lost;
mod openapi;
mod problem;
pub(crate) mod renewal;
mod routes;
mod sinks;
#[cfg(test)]
mod tests;
mod tokens;
mod users;
pub(crate) mod validate_check;
mod validations;

use std::sync::Arc;

use crate::certificates::Certificates;
use crate::checkpoints::Checkpoints;
use crate::net::rate_limit::TokenRates;
use crate::notices::Notices;
use crate::policy::backoff::Backoff;
use crate::policy::device_trust::DeviceTrust;
use crate::policy::templates::Templates;
use crate::setup::k_servers::KServers;
use crate::sinks::Sinks;
use crate::store::Store;
pub(crate) use callers::Callers;
pub(crate) use import::Batches;
pub(crate) use routes::router;
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
    /// Templates for enrolments.
    pub templates: Templates,
    /// The trust anchors for devices.
    pub device_trust: Arc<DeviceTrust>,
    /// Back-off after wrong one-time passwords.
    pub backoff: Backoff,
    /// The K_SERVERs.
    pub k_servers: Arc<KServers>,
    /// The sinks.
    pub sinks: Arc<Sinks>,
    /// The certificates of this server.
    pub certificates: Certificates,
    /// Who is told of what is done.
    pub notices: Arc<Notices>,
    /// Import batches in memory.
    pub batches: Batches,
    /// Checkpoints of the audit trail, where there is a key for them.
    pub checkpoints: Option<Arc<Checkpoints>>,
    /// What is counted of validations.
    pub validations: Validations,
    /// Rates of calls by token.
    pub token_rates: TokenRates,
}
