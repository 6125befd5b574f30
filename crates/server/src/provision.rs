//! A request in, an answer out: the protocol core, the store and the pool put together.
//!
//! - `hello` answers pass 1 of four-pass with a parse and at most one read, and keeps nothing.
//! - `two_pass` answers the only request of two-pass, with the same care as `nonce`.
//! - `nonce` answers pass 3: what was answered before comes from the store; what can be refused
//!   cheaply is; then one computation on the pool and one transaction. Both happen even if the peer hangs up: nobody
//!   escapes the count of wrong codes that way, and no run stays half done.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use axum::body::Bytes;
use dskpp::message::{ReadError, Request};
use dskpp::negotiate::Policy;
use dskpp::server::{AuthPolicy, Refusal, ServerK};
use dskpp_crypto::{AeadKey, Random as _, SystemRandom};

use crate::backoff::Backoff;
use crate::bootstrap::Data;
use crate::device_trust::DeviceTrust;
use crate::limits::RetryAfter;
use crate::pool::{NotDone, Pool};
use crate::store::{Store, StoreError};
use crate::{Config, ServerOptions};

mod hello;
mod nonce;
mod run;
mod trigger;
mod two_pass;

pub(crate) use trigger::NoTrigger;

/// How long a client waits when the pool's queue is full.
const QUEUE_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// What travels back.
pub(crate) enum Answer {
    /// A DSKPP message.
    Message(Vec<u8>),
    /// The body is no DSKPP request (HTTP 400).
    NotDskpp,
    /// Later, perhaps (HTTP 429).
    TooMany(RetryAfter),
    /// The store cannot be used now (HTTP 503).
    Unavailable,
    /// A defect of this program (HTTP 500).
    Defect,
}

/// Why there is no success.
enum Stop {
    NotDskpp(ReadError),
    Refused(Refusal),
    TooMany(RetryAfter),
    Unavailable(StoreError),
    Defect,
}

impl From<ReadError> for Stop {
    fn from(why: ReadError) -> Self {
        match Refusal::of_unreadable(&why) {
            None => Stop::NotDskpp(why),
            Some(refusal) => {
                tracing::debug!("{why}");
                Stop::Refused(refusal)
            }
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl From<StoreError> for Stop {
    fn from(why: StoreError) -> Self {
        Stop::Unavailable(why)
    }
}

impl From<RetryAfter> for Stop {
    fn from(wait: RetryAfter) -> Self {
        Stop::TooMany(wait)
    }
}

impl From<NotDone> for Stop {
    fn from(why: NotDone) -> Self {
        match why {
            NotDone::Full => Stop::TooMany(RetryAfter(QUEUE_WAIT)),
            NotDone::Panicked => Stop::Defect,
        }
    }
}

/// Everything that a run needs, shared by all of them.
pub(crate) struct Provision {
    store: Store,
    pool: Pool,
    backoff: Backoff,
    session_key: AeadKey,
    session_lifetime_s: u64,
    k_server: ServerK,
    k_server_id: String,
    certificates: Vec<Vec<u8>>,
    policy: Policy,
    auth: AuthPolicy,
    url_s: Vec<String>,
    server_id: String,
    issuer: Option<String>,
    device_trust: Arc<DeviceTrust>,
}

impl Provision {
    pub(crate) fn new(
        config: &Config,
        options: &ServerOptions,
        data: Data,
        url_s: &[String],
        pool: Pool,
        backoff: Backoff,
    ) -> Self {
        let policy = &config.policy;
        let first_url = url_s.first().cloned().unwrap_or_default();
        let server_id = Some(&config.server.server_id).filter(|id| !id.is_empty()).cloned();
        Self {
            store: data.store,
            pool,
            backoff,
            session_key: data.session_key,
            session_lifetime_s: policy.session_lifetime_s,
            k_server: ServerK::Server(data.k_server.key),
            k_server_id: data.k_server.id,
            certificates: data.k_server.certificate.unwrap_or_default(),
            policy: Policy {
                key_types: policy.key_types.iter().map(|name| name.algorithm()).collect(),
                encryption_algorithms: policy.encryption_algorithms.iter().map(|name| name.algorithm()).collect(),
                mac_algorithms: policy.mac_algorithms.iter().map(|name| name.algorithm()).collect(),
                ..Policy::default()
            },
            auth: AuthPolicy {
                iteration_floor: options.iteration_floor_for_bench.unwrap_or(AuthPolicy::default().iteration_floor),
                iteration_ceiling: policy.iteration_ceiling,
                pbkdf2_prf: config.pbkdf2_prf(),
            },
            server_id: server_id.unwrap_or(first_url),
            issuer: Some(config.server.issuer.clone()).filter(|issuer| !issuer.is_empty()),
            url_s: url_s.to_vec(),
            device_trust: data.device_trust,
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(self: &Arc<Self>, body: Bytes, peer: SocketAddr) -> Answer {
        let started = Instant::now();
        let answered = match Request::read(&body) {
            Ok(Request::ClientHello(hello)) => self.hello(hello, body, peer).await,
            Ok(Request::ClientNonce(nonce)) => self.nonce(nonce, &body, peer).await,
            Err(why) => Err(why.into()),
        };
        match answered {
            Ok(message) => Answer::Message(message),
            Err(Stop::Refused(refusal)) => {
                let session = refusal.session_id.as_deref();
                let took_ms = started.elapsed().as_millis() as u64;
                tracing::info!(session, %peer, status = %refusal.status, took_ms, "run refused: {}", refusal.reason);
                Answer::Message(refusal.response())
            }
            Err(Stop::NotDskpp(why)) => {
                tracing::debug!(%peer, "not DSKPP: {why}");
                Answer::NotDskpp
            }
            Err(Stop::TooMany(wait)) => {
                tracing::debug!(%peer, "asked to come back in {} s", wait.seconds());
                Answer::TooMany(wait)
            }
            Err(Stop::Unavailable(why)) => {
                tracing::error!(%peer, "the store cannot be used: {why}");
                Answer::Unavailable
            }
            Err(Stop::Defect) => {
                tracing::error!(%peer, "a run ended by a defect of this program");
                Answer::Defect
            }
        }
    }
}

/// Seconds since 1970, the clock of sessions.
fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A new identifier: the time in milliseconds, then 80 random bits, hexadecimal. Those of one time stand together in
/// the store's indexes, which is what makes many commits cheap.
fn new_id() -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    format!("{:012X}{}", now & 0xFFFF_FFFF_FFFF, data_encoding::HEXUPPER.encode(&SystemRandom.bytes(10)))
}
