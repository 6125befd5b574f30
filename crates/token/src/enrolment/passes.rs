//! One run: the passes of RFC 6063 §4, which are ClientHello, ServerHello, ClientNonce and ServerFinished in four-pass,
//! ClientHello and ServerFinished in two-pass. A lost answer is requested again.

use dskpp::algorithm::KeyType;
use dskpp::client::{
    AwaitingAnswer, AwaitingKey, AwaitingServerHello, ChooseK, ChosenVariant, ClientProtection, Either, Failed,
    FourPass, K, Provisioned, RunConfig, TwoPass,
};
use dskpp_crypto::{Random as _, Secret, SeededRandom, Sha256};
use pskc::KeyInfo;

use super::change::ServerChange;
use super::error::EnrolmentError;
use super::host::Host;
use super::request::{EnrollRequest, Variant};
use super::server;
use super::stored::{RunsChange, StoreChange};
use super::trust::Trust;
use crate::runs::UnfinishedRun;
use crate::token::k_server::RememberedKServer;

/// Octets of a run's seed.
const SEED_LEN: usize = 32;

/// The key type that the server chose and the result, or why the run ended before the server chose.
pub(super) type Ran = Result<(KeyType, Result<Provisioned, EnrolmentError>), EnrolmentError>;

/// What the runs of an enrolment have in common.
pub(super) struct Runner<'a> {
    pub(super) host: &'a Host,
    pub(super) request: &'a EnrollRequest,
    pub(super) trust: &'a Trust,
    pub(super) offer: RunConfig,
    pub(super) variant: Option<Variant>,
    pub(super) protections: Vec<ClientProtection>,
    /// The seeds of new runs.
    pub(super) seeds: Box<SeededRandom>,
    /// The notes of the current run.
    pub(super) run: UnfinishedRun,
    /// The K_SERVER of the last four-pass run.
    pub(super) k_server: Option<RememberedKServer>,
}

/// The state after ClientHello, by the offered variants.
pub(super) enum HelloSent {
    FourPass(Box<AwaitingServerHello>),
    TwoPass(Box<AwaitingKey>),
    Either(Box<AwaitingAnswer>),
}

impl Runner<'_> {
    /// A new run.
    pub(super) async fn run_once(&mut self) -> Ran {
        self.run.seed = self.seeds.secret(SEED_LEN);
        self.run.key_types = self.offer.key_types.iter().map(|key_type| key_type.uri().to_owned()).collect();
        self.run.server_hello = None;
        let (request, state) = self.client_hello()?;
        self.run.hello_hash = Sha256::digest(&[&request]);
        if !self.protections.is_empty() {
            self.keep_notes().await?; // ClientHello is the last request of two-pass
        }
        self.all_passes(request, state).await
    }

    /// ClientHello, from the seed of the run.
    pub(super) fn client_hello(&self) -> Result<(Vec<u8>, HelloSent), Failed> {
        let mut rng = SeededRandom::new(self.run.seed.expose());
        client_hello(self.offer.clone(), self.variant, self.protections.clone(), &mut rng)
    }

    /// Has the notes of the run stored, before its last request is sent.
    async fn keep_notes(&self) -> Result<(), EnrolmentError> {
        let stored = self.host.store(StoreChange::Runs(RunsChange::keep(&self.run))).await;
        stored.map(|_| ()).map_err(EnrolmentError::NotNoted)
    }

    /// All passes. A failed run leaves nothing behind.
    pub(super) async fn all_passes(&mut self, request: Vec<u8>, state: HelloSent) -> Ran {
        let ran = self.first_and_second_pass(request, state).await;
        if let Err(error) | Ok((_, Err(error))) = &ran
            && error.ends_the_run()
        {
            let forgotten = StoreChange::Runs(RunsChange::forget(&self.run));
            self.run.seed = Secret::new(Vec::new());
            if let Err(why) = self.host.store(forgotten).await {
                tracing::warn!(%why, "the notes of a failed run stay in the store");
            }
        }
        ran
    }

    /// Sends ClientHello and receives ServerFinished, or ServerHello, after which the other two passes follow.
    async fn first_and_second_pass(&mut self, request: Vec<u8>, state: HelloSent) -> Ran {
        let answer = match (&self.run.server_hello, self.protections.is_empty()) {
            (Some(answer), _) => answer.clone(),
            (None, true) => {
                let answer = self.host.post(&self.offer.url_s, &request).await;
                answer.map_err(|error| EnrolmentError::NoAnswer(error.why))?
            }
            (None, false) => self.post_last_request(&request).await?, // it is the last one of two-pass
        };
        let chosen = match state {
            HelloSent::FourPass(state) => ChosenVariant::FourPass(Box::new(state.receive(&answer)?)),
            HelloSent::TwoPass(state) => ChosenVariant::TwoPass(Box::new(state.receive(&answer)?)),
            HelloSent::Either(state) => state.receive(&answer)?,
        };
        match chosen {
            ChosenVariant::TwoPass(provisioned) => Ok((provisioned.key_type.clone(), Ok(*provisioned))),
            ChosenVariant::FourPass(state) => {
                if self.run.server_hello.is_none() {
                    self.run.server_hello = Some(answer);
                    self.keep_notes().await?;
                }
                let chosen = state.key_type().clone();
                Ok((chosen, self.third_and_fourth_pass(*state).await))
            }
        }
    }

    /// Sends ClientNonce and receives ServerFinished.
    async fn third_and_fourth_pass(&mut self, state: ChooseK) -> Result<Provisioned, EnrolmentError> {
        let k = self.choose_k(state.encryption_key()).await?;
        let seed = Secret::new([self.run.seed.expose(), b"ClientNonce"].concat());
        let (request, state) = state.proceed(k, &mut SeededRandom::new(seed.expose()))?;
        Ok(state.receive(&self.post_last_request(&request).await?)?)
    }

    /// K, if it is trusted or a person accepts it. An accepted key is not asked about again.
    async fn choose_k(&mut self, info: &KeyInfo) -> Result<K, EnrolmentError> {
        let judged = self.trust.judge(info, self.host.now())?;
        if let (Some(shown), false) = (&judged.k_server, judged.is_trusted)
            && self.k_server.as_ref().is_none_or(|accepted| accepted.key != shown.key)
        {
            let old = self.trust.remembered.iter().map(RememberedKServer::fingerprint).collect();
            let change = ServerChange::KServer { url: self.offer.url_s.clone(), old, new: shown.fingerprint() };
            server::accept(self.host, self.request, change).await?;
        }
        self.k_server = judged.k_server;
        Ok(judged.k)
    }

    /// Sends the last request of a run, and again, octet for octet, if its answer is lost: the server repeats the answer
    /// (profile P28).
    async fn post_last_request(&self, request: &[u8]) -> Result<Vec<u8>, EnrolmentError> {
        let url_s = &self.offer.url_s;
        match self.host.post(url_s, request).await {
            Ok(answer) => Ok(answer),
            Err(error) if error.is_lost => {
                tracing::debug!(why = %error.why, "sending the last request again");
                self.host.post(url_s, request).await.map_err(|error| EnrolmentError::AnswerLost(error.why))
            }
            Err(error) => Err(EnrolmentError::NoAnswer(error.why)),
        }
    }
}

fn client_hello(
    offer: RunConfig,
    variant: Option<Variant>,
    protections: Vec<ClientProtection>,
    rng: &mut SeededRandom,
) -> Result<(Vec<u8>, HelloSent), Failed> {
    if protections.is_empty() {
        let (request, state) = FourPass::start(offer, rng);
        return Ok((request, HelloSent::FourPass(Box::new(state))));
    }
    match variant {
        Some(Variant::TwoPass) => {
            let (request, state) = TwoPass::start(offer, protections, rng)?;
            Ok((request, HelloSent::TwoPass(Box::new(state))))
        }
        _ => {
            let (request, state) = Either::start(offer, protections, rng)?;
            Ok((request, HelloSent::Either(Box::new(state))))
        }
    }
}
