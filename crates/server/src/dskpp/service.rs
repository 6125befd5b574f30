//! A request in, an answer out: the protocol core, the store and the pool put together.
//!
//! - `client_hello` answers pass 1 of four-pass with a parse and at most one read, and keeps nothing.
//! - `two_pass` answers the only request of two-pass, with the same care as `client_nonce`.
//! - `client_nonce` answers pass 3: what was answered before comes from the store, or, where that was a refusal that proved
//!   nothing, from memory; what can be refused cheaply is; then one computation on the pool, and one transaction where
//!   the code is proved. Once begun, both happen even if the peer hangs up: nobody escapes the count of wrong codes
//!   that way, and no run stays half done. A run whose peer goes while it waits for its turn is dropped: it has tried no
//!   code, and may be sent again.
//!
//! Work is charged to who asks for it (profile P3): before any of it to the limits of address and ClientID, then to the
//! address's share of the pool.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use dskpp::message::{ReadError, Request};
use dskpp::negotiate::NegotiationPolicy;
use dskpp::server::{AuthPolicy, RunRefusal, ServerK};
use dskpp_crypto::RsaPublicKey;

use crate::Config;
use crate::dskpp::refusal_counts::RefusalCounts;
use crate::dskpp::refusals::Refusals;
use crate::model;
use crate::net::crypto_pool::{CryptoPool, NotDone};
use crate::net::rate_limit::{Rates, RetryAfter, Subject, weight};
use crate::net::turns::{Turn, Turns};
use crate::policy::backoff::{Attempt, Backoff};
use crate::policy::device_trust::DeviceTrust;
use crate::setup::bootstrap::Data;
use crate::store::seal::SessionKeys;
use crate::store::{Store, StoreError};

mod client_hello;
mod client_keys;
mod client_nonce;
mod run;
mod trigger;
mod two_pass;

use run::Run;
pub(crate) use trigger::NoTrigger;

/// An operation with an RSA private key takes as long as so many iterations of PBKDF2.
const PRIVATE_KEY_COST: u64 = 5_000;
/// Work of a lower cost is done where it is asked for: to hand it on would cost more.
const POOL_COST: u64 = 1_000;

/// Characters of the log that one unreadable message may fill.
const MOST_LOGGED: usize = 500;

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
    Refused(run::Refused),
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

/// Everything that a run needs, shared by all of them.
pub(crate) struct Service {
    store: Store,
    turns: Turns,
    pool: CryptoPool,
    rates: Arc<Rates>,
    backoff: Backoff,
    refused: Refusals,
    tally: Arc<RefusalCounts>,
    session_keys: SessionKeys,
    session_lifetime_s: u64,
    k_server: ServerK,
    k_server_id: String,
    certificates: Vec<Vec<u8>>,
    policy: NegotiationPolicy,
    auth: AuthPolicy,
    url_s: Vec<String>,
    server_id: String,
    issuer: Option<String>,
    device_trust: Arc<DeviceTrust>,
    /// For public keys that are named and not there.
    stand_in: RsaPublicKey,
}

impl Service {
    pub(crate) fn new(
        config: &Config,
        iteration_floor: Option<u32>,
        data: Data,
        url_s: &[String],
        (turns, pool): (Turns, CryptoPool),
        rates: Arc<Rates>,
        tally: Arc<RefusalCounts>,
    ) -> Self {
        let policy = &config.policy;
        let first_url = url_s.first().cloned().unwrap_or_default();
        let server_id = Some(&config.server.server_id).filter(|id| !id.is_empty()).cloned();
        Self {
            store: data.store,
            turns,
            pool,
            rates,
            backoff: Backoff::default(),
            refused: Refusals::new(Duration::from_secs(policy.session_lifetime_s)),
            tally,
            session_keys: data.session_keys,
            session_lifetime_s: policy.session_lifetime_s,
            k_server: ServerK::Server(data.k_server.key),
            k_server_id: data.k_server.id,
            certificates: data.k_server.certificate.unwrap_or_default(),
            policy: NegotiationPolicy {
                key_types: policy.key_types.iter().filter_map(|name| model::algorithm(*name)).collect(),
                encryption_algorithms: policy.encryption_algorithms.iter().map(|name| name.algorithm()).collect(),
                mac_algorithms: policy.mac_algorithms.iter().map(|name| name.algorithm()).collect(),
                ..NegotiationPolicy::default()
            },
            auth: AuthPolicy {
                iteration_floor: iteration_floor.unwrap_or(AuthPolicy::default().iteration_floor),
                iteration_ceiling: policy.iteration_ceiling,
                pbkdf2_prf: config.pbkdf2_prf(),
            },
            server_id: server_id.unwrap_or(first_url),
            issuer: Some(config.server.issuer.clone()).filter(|issuer| !issuer.is_empty()),
            url_s: url_s.to_vec(),
            device_trust: data.device_trust,
            stand_in: client_keys::stand_in(),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(self: &Arc<Self>, body: Bytes, peer: SocketAddr) -> Answer {
        let started = Instant::now();
        match self.answered(body, peer).await {
            Ok(message) => Answer::Message(message),
            Err(Stop::Refused(refused)) => {
                let took_ms = started.elapsed().as_millis() as u64;
                refused.log(peer, took_ms);
                Answer::Message(refused.refusal.response())
            }
            Err(Stop::NotDskpp(why)) => {
                tracing::debug!(%peer, "not DSKPP: {}", brief(&why));
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

    async fn answered(self: &Arc<Self>, body: Bytes, peer: SocketAddr) -> Result<Vec<u8>, Stop> {
        let turn = self.turns.of(peer.into()).await?;
        match Request::read(&body)? {
            Request::ClientHello(hello) => self.client_hello(hello, body, peer, turn).await,
            Request::ClientNonce(nonce) => self.client_nonce(nonce, &body, peer, turn).await,
        }
    }

    /// Forgets what is over; called every few seconds.
    pub(crate) fn sweep(&self, now: Instant) {
        self.pool.sweep();
        self.backoff.sweep(now);
        self.refused.sweep(now);
    }

    /// Charges a run to the limits of its address and its ClientID.
    fn charge(&self, run: &Run, iterations: u32) -> Result<Option<Attempt>, RetryAfter> {
        let weight = weight(iterations);
        self.rates.charge(run.peer.into(), weight)?;
        let begin = |client_id| self.backoff.begin(client_id, Some(run.peer.into()), weight, Instant::now());
        run.client_id.as_deref().map(begin).transpose()
    }

    /// Does what costs as much as `cost` iterations: in the turn that who asks for it has, or in one of the pool.
    async fn compute<T: Send + 'static>(
        &self,
        turn: Turn,
        subject: Subject,
        cost: u64,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        if cost < POOL_COST {
            return Ok(work());
        }
        drop(turn);
        self.pool.run(subject, cost, work).await
    }

    /// Counts a proved code for its ClientID and its address.
    fn right(&self, run: &Run, attempt: Option<Attempt>) {
        attempt.into_iter().for_each(Attempt::right);
        self.pool.right(run.peer.into());
    }

    /// Counts a wrong code against both.
    fn wrong(&self, run: &Run, attempt: Option<Attempt>) {
        attempt.into_iter().for_each(|attempt| attempt.wrong(Instant::now()));
        self.pool.wrong(run.peer.into());
    }
}

/// An error that may repeat names of a stranger's message, in a line that he cannot make long.
fn brief(why: &ReadError) -> String {
    pskc::shortened(&why.to_string(), MOST_LOGGED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_of_a_message_that_cannot_be_read_is_bounded() {
        let (long, dskpp) = ("n".repeat(30_000), "urn:ietf:params:xml:ns:keyprov:dskpp");
        for body in [
            format!("<{long}/>"),
            format!("<KeyProvClientHello xmlns='{dskpp}' Version='1.0'><{long}/></KeyProvClientHello>"),
            format!("<KeyProvClientHello xmlns='{dskpp}' Version='1.0' {long}='1'/>"),
            format!("<KeyProvClientHello xmlns='{dskpp}' Version='{long}'/>"),
            format!("<KeyProvClientNonce xmlns='{dskpp}' Version='1.0' SessionID='{long}'/>"),
        ] {
            let Err(why) = Request::read(body.as_bytes()) else { panic!("it can be read") };
            let said = brief(&why);
            assert!(said.chars().count() <= MOST_LOGGED && said.len() > 20, "{said}");
        }
    }
}
