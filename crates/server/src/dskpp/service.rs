//! Answers a request with the protocol core, the store and the pool.
//!
//! - `client_hello` answers pass 1 of four-pass with a parse and at most one read, and keeps no state.
//! - `two_pass` answers the only request of two-pass, with the same care as `client_nonce`.
//! - `client_nonce` answers pass 3. An earlier answer comes from the store or, if it was a refusal without a proved
//!   code, from memory. Cheap checks come next, then one computation on the pool and, if the code is proved, one
//!   transaction. Once begun, both run to the end even if the peer disconnects: disconnecting avoids no count of wrong
//!   codes and leaves no half-done run. A run whose peer disconnects while it waits for its turn is dropped: it has
//!   tried no code, and the peer may send it again.
//!
//! Before any work, its cost is charged to the limits of address and ClientID, and then to the address's share of the
//! pool (profile P3).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use dskpp::message::{ReadError, Request};
use dskpp::negotiate::NegotiationPolicy;
use dskpp::server::{AuthPolicy, Rounds, RunRefusal};
use dskpp_crypto::RsaPublicKey;

use crate::dskpp::refusal_counts::RefusalCounts;
use crate::dskpp::refusals::Refusals;
use crate::metrics::{Collectors, observe};
use crate::model::Variant;
use crate::model::clock::unix_now_ms;
use crate::net::crypto_pool::{CryptoPool, NotDone, Prepared};
use crate::net::rate_limit::{Rates, RetryAfter, Subject, weight};
use crate::net::turns::{Turn, Turns};
use crate::policy::backoff::{Backoff, PendingTry};
use crate::policy::device_trust::DeviceTrust;
use crate::setup::bootstrap::DataFolder;
use crate::setup::k_servers::KServers;
use crate::store::{SessionKeys, Store, StoreError};
use crate::{Config, Error, model};

mod client_hello;
mod client_keys;
mod client_nonce;
mod measures;
mod run;
mod trigger;
mod two_pass;

use measures::{Answered, Measures, Message, Seen};
use run::ServerRun;
pub(crate) use trigger::NoTrigger;

/// The cost of an RSA private-key operation, in PBKDF2 iterations.
const PRIVATE_KEY_COST: u64 = 5_000;
/// Cheaper work runs in place: handing it to the pool would cost more.
const POOL_COST: u64 = 1_000;

/// Maximum characters of the log for one unreadable message.
const MAX_LOGGED: usize = 500;

/// The answer to a request.
pub(crate) enum ServiceAnswer {
    /// A DSKPP message.
    Message(Vec<u8>),
    /// The body is not a DSKPP request (HTTP 400).
    NotDskpp,
    /// Try again later (HTTP 429).
    TooMany(RetryAfter),
    /// The store is unavailable (HTTP 503).
    Unavailable,
    /// A bug in the server (HTTP 500).
    Defect,
}

/// Why a run stops.
enum Stop {
    NotDskpp(ReadError),
    Refused(run::RefusedRun),
    TooMany(RetryAfter),
    Unavailable(StoreError),
    Defect,
}

impl From<ReadError> for Stop {
    fn from(why: ReadError) -> Self {
        match RunRefusal::of_unreadable(&why) {
            None => Stop::NotDskpp(why),
            Some(refusal) => {
                tracing::debug!("{}", brief(&why));
                refusal.into()
            }
        }
    }
}

impl From<RunRefusal> for Stop {
    fn from(refusal: RunRefusal) -> Self {
        Stop::Refused(refusal.into())
    }
}

impl From<StoreError> for Stop {
    fn from(why: StoreError) -> Self {
        Stop::Unavailable(why)
    }
}

impl From<Error> for Stop {
    fn from(why: Error) -> Self {
        match why {
            Error::Store(why) => why.into(),
            why => StoreError::Unavailable(why.to_string()).into(),
        }
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
            NotDone::Later(wait) => Stop::TooMany(wait),
            NotDone::Panicked => Stop::Defect,
        }
    }
}

/// The state shared by all runs.
pub(crate) struct Service {
    store: Store,
    turns: Turns,
    pool: CryptoPool,
    rates: Arc<Rates>,
    backoff: Backoff,
    refused: Refusals,
    refusal_counts: Arc<RefusalCounts>,
    session_keys: SessionKeys,
    session_lifetime_s: u64,
    k_servers: Arc<KServers>,
    policy: NegotiationPolicy,
    auth: AuthPolicy,
    url_s: Vec<String>,
    server_id: String,
    issuer: Option<String>,
    device_trust: Arc<DeviceTrust>,
    /// Stands in for unknown public keys.
    stand_in: RsaPublicKey,
    measures: Measures,
}

impl Service {
    pub(crate) fn new(
        config: &Config,
        iteration_floor: Option<u32>,
        data: DataFolder,
        url_s: &[String],
        (turns, pool): (Turns, CryptoPool),
        rates: Arc<Rates>,
        refusal_counts: Arc<RefusalCounts>,
    ) -> Self {
        let policy = &config.policy;
        let first_url = url_s.first().cloned().unwrap_or_default();
        let server_id = Some(&config.server.server_id).filter(|id| !id.is_empty()).cloned();
        let mut negotiation = NegotiationPolicy::default();
        negotiation.key_types = policy.key_types.iter().filter_map(|name| model::algorithm(*name)).collect();
        negotiation.encryption_algorithms = policy.encryption_algorithms.iter().map(|name| name.algorithm()).collect();
        negotiation.mac_algorithms = policy.mac_algorithms.iter().map(|name| name.algorithm()).collect();
        let mut auth = AuthPolicy::default();
        auth.iteration_floor = iteration_floor.unwrap_or(auth.iteration_floor);
        auth.iteration_ceiling = policy.iteration_ceiling;
        auth.pbkdf2_prf = config.pbkdf2_prf();
        Self {
            store: data.store,
            turns,
            pool,
            rates,
            backoff: Backoff::default(),
            refused: Refusals::new(Duration::from_secs(policy.session_lifetime_s)),
            refusal_counts,
            session_keys: data.session_keys,
            session_lifetime_s: policy.session_lifetime_s,
            k_servers: Arc::new(data.k_servers),
            policy: negotiation,
            auth,
            server_id: server_id.unwrap_or(first_url),
            issuer: Some(config.server.issuer.clone()).filter(|issuer| !issuer.is_empty()),
            url_s: url_s.to_vec(),
            device_trust: data.device_trust,
            stand_in: client_keys::stand_in(),
            measures: Measures::new(),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(self: &Arc<Self>, body: Bytes, peer: SocketAddr) -> ServiceAnswer {
        let started = Instant::now();
        let mut seen = Seen::of(peer);
        let answer = self.answered(body, &mut seen).await;
        self.measures.answered(seen, &answer, started);
        match answer {
            Ok(answered) => ServiceAnswer::Message(answered.message()),
            Err(Stop::Refused(refused)) => {
                let took_ms = started.elapsed().as_millis() as u64;
                refused.log(peer, took_ms);
                ServiceAnswer::Message(refused.refusal.response())
            }
            Err(Stop::NotDskpp(why)) => {
                tracing::debug!(%peer, "not DSKPP: {}", brief(&why));
                ServiceAnswer::NotDskpp
            }
            Err(Stop::TooMany(wait)) => {
                tracing::debug!(%peer, "asked to retry after {} s", wait.seconds());
                ServiceAnswer::TooMany(wait)
            }
            Err(Stop::Unavailable(why)) => {
                tracing::error!(%peer, "the store is unavailable: {why}");
                ServiceAnswer::Unavailable
            }
            Err(Stop::Defect) => {
                tracing::error!(%peer, "a run failed because of a bug");
                ServiceAnswer::Defect
            }
        }
    }

    async fn answered(self: &Arc<Self>, body: Bytes, seen: &mut Seen) -> Result<Answered, Stop> {
        let turn = self.turns.of(seen.peer.into()).await?;
        let start = Instant::now();
        let request = Request::read(&body);
        observe(&self.measures.parse, start);
        match request? {
            Request::ClientHello(hello) => {
                seen.message = Some(Message::ClientHello);
                self.client_hello(hello, body, turn, seen).await
            }
            Request::ClientNonce(nonce) => {
                (seen.message, seen.variant) = (Some(Message::ClientNonce), Some(Variant::FourPass));
                self.client_nonce(nonce, &body, seen.peer, turn).await
            }
        }
    }

    /// What is counted of runs and of their computations.
    pub(crate) fn metrics(&self) -> Collectors {
        self.measures.collectors().into_iter().chain(self.pool.metrics()).collect()
    }

    /// Sets the metrics that are only looked at.
    pub(crate) fn measure(&self) {
        self.pool.measure();
    }

    /// Discards expired entries; called every few seconds.
    pub(crate) fn sweep(&self, now: Instant) {
        self.pool.sweep();
        self.backoff.sweep(now);
        self.refused.sweep(now);
    }

    /// Takes up the keys that other servers have made, and makes those that are due; called every few seconds.
    pub(crate) async fn renew_keys(&self) -> Result<(), Error> {
        self.store.renew_session_keys(&self.session_keys, unix_now_ms()).await?;
        self.k_servers.renew().await
    }

    /// The K_SERVERs, for their administration.
    pub(crate) fn k_servers(&self) -> Arc<KServers> {
        Arc::clone(&self.k_servers)
    }

    /// Charges a run to the limits of its address and its ClientID.
    fn charge(&self, run: &ServerRun, iterations: u32) -> Result<Option<PendingTry>, RetryAfter> {
        let weight = weight(iterations);
        self.rates.charge(run.peer.into(), weight)?;
        let begin = |client_id| self.backoff.begin(client_id, Some(run.peer.into()), weight, Instant::now());
        run.client_id.as_deref().map(begin).transpose().inspect_err(|_| self.measures.backoff.inc())
    }

    /// Runs a computation that costs as much as `cost` iterations: in the request's current turn, or on the pool, there
    /// with others of equal `rounds` if there are any.
    async fn compute<T: Send + 'static>(
        &self,
        turn: Turn,
        subject: Subject,
        cost: u64,
        rounds: Option<Rounds>,
        work: impl FnOnce() -> Prepared<T> + Send + 'static,
    ) -> Result<T, NotDone> {
        if cost < POOL_COST {
            return Ok(work().finish());
        }
        drop(turn);
        self.pool.run(subject, cost, rounds, work).await
    }

    /// Records a proved code for its ClientID and its address.
    fn right(&self, run: &ServerRun, attempt: Option<PendingTry>) {
        attempt.into_iter().for_each(PendingTry::right);
        self.pool.right(run.peer.into());
    }

    /// Records a wrong code against both.
    fn wrong(&self, run: &ServerRun, attempt: Option<PendingTry>) {
        attempt.into_iter().for_each(|attempt| attempt.wrong(Instant::now()));
        self.pool.wrong(run.peer.into());
    }
}

/// An error, which may quote names of a stranger's message, truncated for the log.
fn brief(why: &ReadError) -> String {
    pskc::shortened(&why.to_string(), MAX_LOGGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_line_of_an_unreadable_message_is_bounded() {
        let (long, dskpp) = ("n".repeat(30_000), "urn:ietf:params:xml:ns:keyprov:dskpp");
        for body in [
            format!("<{long}/>"),
            format!("<KeyProvClientHello xmlns='{dskpp}' Version='1.0'><{long}/></KeyProvClientHello>"),
            format!("<KeyProvClientHello xmlns='{dskpp}' Version='1.0' {long}='1'/>"),
            format!("<KeyProvClientHello xmlns='{dskpp}' Version='{long}'/>"),
            format!("<KeyProvClientNonce xmlns='{dskpp}' Version='1.0' SessionID='{long}'/>"),
        ] {
            let Err(why) = Request::read(body.as_bytes()) else { panic!("it is readable") };
            let said = brief(&why);
            assert!(said.chars().count() <= MAX_LOGGED && said.len() > 20, "{said}");
        }
    }
}
