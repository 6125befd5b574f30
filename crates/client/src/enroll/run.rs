//! The messages of a run, and what becomes of lost ones.

use dskpp::algorithm::KeyType;
use dskpp::client::{
    Answered, AwaitingAnswer, AwaitingKey, AwaitingServerHello, ChooseK, ClientProtection, Either, Failed, FourPass, K,
    Offer, Provisioned, TwoPass,
};
use dskpp::status::Status;
use dskpp_crypto::{Random as _, Secret, SeededRandom, Sha256, SystemRandom};
use pskc::KeyInfo;

use super::{EnrollError, EnrollRequest, ServerChange, Variant, server};
use crate::token_store::{TokenStore, Unfinished};
use crate::transport::Transport;
use crate::trust::{KServer, Trust};

/// Octets of a run's seed.
const SEED_LEN: usize = 32;

/// What a run is done with.
pub(super) struct Runner<'a> {
    pub(super) transport: &'a Transport,
    pub(super) request: &'a EnrollRequest,
    pub(super) trust: &'a Trust,
    /// Where it is noted how far the run came.
    pub(super) store: &'a mut TokenStore,
    pub(super) offer: Offer,
    pub(super) variant: Option<Variant>,
    pub(super) protections: Vec<ClientProtection>,
    /// The run that goes on, as it is noted.
    pub(super) unfinished: Unfinished,
    /// The K_SERVER that four-pass went on with last.
    pub(super) k_server: Option<KServer>,
}

impl Runner<'_> {
    /// The key, by one of the runs that were begun before, or by a new one.
    pub(super) async fn provision(&mut self, noted: Vec<Unfinished>) -> Result<Provisioned, EnrollError> {
        let new = self.unfinished.clone();
        for run in noted {
            self.unfinished = run;
            if let Some(provisioned) = self.resume().await? {
                return Ok(provisioned);
            }
        }
        self.unfinished = new;
        self.negotiate().await
    }

    /// Ends the run that is noted, where it is the same. `None`: it is another one, or the server does not go on with
    /// it, so a new one is to be begun.
    async fn resume(&mut self) -> Result<Option<Provisioned>, EnrollError> {
        let noted: Vec<_> = self.unfinished.key_types.iter().map(|uri| KeyType::from_uri(uri)).collect();
        if !noted.iter().all(|key_type| self.offer.key_types.contains(key_type)) {
            return Ok(None);
        }
        let (offered, variant) = (std::mem::replace(&mut self.offer.key_types, noted), self.variant);
        let mut done = Ok(None);
        for variant in [variant, Some(Variant::TwoPass)] {
            self.variant = variant;
            let begun = self.begin().await.ok();
            if let Some((request, begun)) =
                begun.filter(|(hello, _)| Sha256::digest(&[hello]) == self.unfinished.hello_hash)
            {
                done = self.go(request, begun).await.and_then(|(_, done)| done).map(Some);
                break;
            }
        }
        self.variant = variant;
        self.offer.key_types = offered;
        match done {
            Err(EnrollError::Failed(why @ Failed::Refused(_))) => {
                tracing::debug!(%why, "the run that was begun before does not go on");
                Ok(None)
            }
            done => done,
        }
    }

    /// Runs until one is not refused for its type of key or its variant: a server learns only from the proof of a code
    /// which enrolment is meant. What it chose and then refused is left out of the next offer. Of two variants it
    /// takes four-pass (profile P17), so where that is refused again, or there is no other type, two-pass is offered
    /// alone, in which the enrolment's own type is chosen.
    async fn negotiate(&mut self) -> Result<Provisioned, EnrollError> {
        let all = self.offer.key_types.clone();
        let mut both = self.variant.is_none() && !self.protections.is_empty();
        let mut refused = 0;
        loop {
            let (chosen, done) = match self.run().await {
                // No code was asked for, so that no other type can help.
                Err(denied) if both && has_status(&denied, Status::AccessDenied) => return self.send_alone(all).await,
                // A server that has nothing else to offer: what it said first is the reason.
                Err(EnrollError::Failed(Failed::Refused(Status::NoSupportedKeyTypes) | Failed::Misbehaved(_)))
                    if refused > 0 =>
                {
                    return Err(Failed::Refused(Status::AccessDenied).into());
                }
                ran => ran?,
            };
            let denied = match done {
                Err(denied) if has_status(&denied, Status::AccessDenied) => denied,
                done => return done,
            };
            tracing::debug!(%chosen, "refused");
            self.offer.key_types.retain(|key_type| *key_type != chosen);
            refused += 1;
            if both && (refused == 2 || self.offer.key_types.is_empty()) {
                both = false;
                let sent = self.send_alone(all.clone()).await;
                let is_refused = |status: &Status| sent.as_ref().is_err_and(|error| has_status(error, *status));
                // What was said first, to a right code, is the reason.
                let of_offer = [Status::NoProtocolVariants, Status::NoSupportedKeyTypes, Status::AccessDenied];
                if !of_offer.iter().any(is_refused) {
                    return sent;
                }
            }
            if self.offer.key_types.is_empty() {
                return Err(denied);
            }
        }
    }

    /// A new run of two-pass alone.
    async fn send_alone(&mut self, key_types: Vec<KeyType>) -> Result<Provisioned, EnrollError> {
        let key_types = std::mem::replace(&mut self.offer.key_types, key_types);
        let variant = self.variant.replace(Variant::TwoPass);
        let ran = self.run().await;
        (self.offer.key_types, self.variant) = (key_types, variant);
        ran?.1
    }

    /// A run, and one more where no key could come out of the first (RFC 6063 §3.3).
    async fn run(&mut self) -> Result<(KeyType, Result<Provisioned, EnrollError>), EnrollError> {
        match self.run_once().await {
            Err(why) | Ok((_, Err(why))) if has_status(&why, Status::InitializationFailed) => {
                tracing::debug!("no key came out of the run: trying again");
                self.run_once().await
            }
            ran => ran,
        }
    }

    /// A new run: the type of key that the server chose, and what came of it.
    async fn run_once(&mut self) -> Result<(KeyType, Result<Provisioned, EnrollError>), EnrollError> {
        self.unfinished.seed = SystemRandom.secret(SEED_LEN);
        self.unfinished.key_types = self.offer.key_types.iter().map(|key_type| key_type.uri().to_owned()).collect();
        self.unfinished.server_hello = None;
        let (request, begun) = self.begin().await?;
        self.unfinished.hello_hash = Sha256::digest(&[&request]);
        if !self.protections.is_empty() {
            self.store.keep_unfinished(&self.unfinished)?; // this request may be the last one
        }
        self.go(request, begun).await
    }

    /// ClientHello, out of the seed.
    async fn begin(&self) -> Result<(Vec<u8>, Begun), EnrollError> {
        let (offer, variant, protections) = (self.offer.clone(), self.variant, self.protections.clone());
        let mut rng = SeededRandom::new(self.unfinished.seed.expose());
        Ok(blocking(move || begin(offer, variant, protections, &mut rng)).await??)
    }

    /// Everything from ClientHello on. Nothing stays of a run that has failed.
    async fn go(
        &mut self,
        request: Vec<u8>,
        begun: Begun,
    ) -> Result<(KeyType, Result<Provisioned, EnrollError>), EnrollError> {
        let gone = self.exchange(request, begun).await;
        if let Err(error) | Ok((_, Err(error))) = &gone
            && error.ends_the_run()
        {
            let seed = std::mem::replace(&mut self.unfinished.seed, Secret::new(Vec::new()));
            if let Err(why) = self.store.forget_unfinished(|run| run.seed == seed) {
                tracing::warn!(%why, "the notes of a failed run stay beside the store");
            }
        }
        gone
    }

    async fn exchange(
        &mut self,
        request: Vec<u8>,
        begun: Begun,
    ) -> Result<(KeyType, Result<Provisioned, EnrollError>), EnrollError> {
        let url_s = self.offer.url_s.clone();
        let answer = match (&self.unfinished.server_hello, self.protections.is_empty()) {
            (Some(answer), _) => answer.clone(),
            (None, true) => self.transport.post(&url_s, &request).await?,
            (None, false) => self.post_twice(&request).await?, // it may have been the last request
        };
        let received = answer.clone();
        let answered = blocking(move || {
            Ok::<_, Failed>(match begun {
                Begun::FourPass(state) => Answered::FourPass(Box::new(state.receive(&received)?)),
                Begun::TwoPass(state) => Answered::Key(Box::new(state.receive(&received)?)),
                Begun::Either(state) => state.receive(&received)?,
            })
        });
        match answered.await?? {
            Answered::Key(provisioned) => Ok((provisioned.key_type.clone(), Ok(*provisioned))),
            Answered::FourPass(state) => {
                if self.unfinished.server_hello.is_none() {
                    self.unfinished.server_hello = Some(answer);
                    self.store.keep_unfinished(&self.unfinished)?;
                }
                let chosen = state.key_type().clone();
                Ok((chosen, self.finish(*state).await))
            }
        }
    }

    /// The second half of four-pass.
    async fn finish(&mut self, state: ChooseK) -> Result<Provisioned, EnrollError> {
        let k = self.choose(state.encryption_key()).await?;
        let seed = Secret::new([self.unfinished.seed.expose(), b"ClientNonce"].concat());
        let (request, state) = blocking(move || state.proceed(k, &mut SeededRandom::new(seed.expose()))).await??;
        Ok(state.receive(&self.post_twice(&request).await?)?)
    }

    /// K, where it is trusted or a person accepts it; who has accepted a key once is not asked about it again.
    async fn choose(&mut self, info: &KeyInfo) -> Result<K, EnrollError> {
        let judged = self.trust.judge(info)?;
        if let (Some(shown), false) = (&judged.k_server, judged.is_trusted)
            && self.k_server.as_ref().is_none_or(|accepted| accepted.key != shown.key)
        {
            let old = self.trust.remembered.iter().map(KServer::fingerprint).collect();
            let change = ServerChange::KServer { url: self.offer.url_s.clone(), old, new: shown.fingerprint() };
            server::accept(self.request, change).await?;
        }
        self.k_server = judged.k_server;
        Ok(judged.k)
    }

    /// Sends the last request of a run once more, octet for octet, where its answer is lost: the server gives it again
    /// (profile P28).
    async fn post_twice(&self, request: &[u8]) -> Result<Vec<u8>, EnrollError> {
        match self.transport.post(&self.offer.url_s, request).await {
            Err(error) if error.is_lost() => {
                tracing::debug!(%error, "sending the last request again");
                self.transport.post(&self.offer.url_s, request).await.map_err(EnrollError::AnswerLost)
            }
            other => Ok(other?),
        }
    }
}

fn has_status(error: &EnrollError, status: Status) -> bool {
    matches!(error, EnrollError::Failed(Failed::Refused(refused)) if *refused == status)
}

/// A ClientHello on its way.
enum Begun {
    FourPass(Box<AwaitingServerHello>),
    TwoPass(Box<AwaitingKey>),
    Either(Box<AwaitingAnswer>),
}

fn begin(
    offer: Offer,
    variant: Option<Variant>,
    protections: Vec<ClientProtection>,
    rng: &mut SeededRandom,
) -> Result<(Vec<u8>, Begun), Failed> {
    if protections.is_empty() {
        let (request, state) = FourPass::start(offer, rng);
        return Ok((request, Begun::FourPass(Box::new(state))));
    }
    match variant {
        Some(Variant::TwoPass) => {
            let (request, state) = TwoPass::start(offer, protections, rng)?;
            Ok((request, Begun::TwoPass(Box::new(state))))
        }
        _ => {
            let (request, state) = Either::start(offer, protections, rng)?;
            Ok((request, Begun::Either(Box::new(state))))
        }
    }
}

/// PBKDF2 and RSA, away from the threads of the network.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EnrollError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| EnrollError::Interrupted)
}
