//! The network: listeners, connections and their limits, TLS with the private CA, and fair queues for strangers'
//! requests.

pub(crate) mod connection;
pub(crate) mod connection_limit;
pub(crate) mod crypto_pool;
mod fair_queue;
pub(crate) mod listeners;
mod precedence;
pub(crate) mod private_ca;
mod progress;
pub(crate) mod proxy;
pub(crate) mod public_url;
pub(crate) mod rate_limit;
pub(crate) mod request_id;
pub(crate) mod responses;
pub(crate) mod tls;
pub(crate) mod turns;
