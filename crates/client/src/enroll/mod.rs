//! Enrolment on a workstation: a key from a server into a store. `dskpp-token` decides, this host carries out.

use std::path::Path;
use std::time::SystemTime;

use dskpp_crypto::{PathError, Random as _, RsaPrivateKey, SystemRandom, TrustAnchors};
use dskpp_token::{
    Applied, EnrollRequest, Enrolled, Enrolment, EnrolmentError, Input, Runs, ServerChange, Step, StoreChange,
};

use crate::store::{TokenStore, TokenStoreError};
use crate::transport::{Transport, TransportError, read_certificates};

mod error;

pub use error::EnrollError;

/// Gets a key from a server, and stores it after its confirmation was verified. An error leaves the tokens unchanged.
/// [`Enrolment`] has the rules. A server that differs from the known one is accepted only in advance
/// ([`EnrollRequest::accepted`]); [`enroll_asking`] asks.
///
/// The same call with the same code finishes an unfinished run.
pub async fn enroll<S: TokenStore>(
    transport: &Transport,
    store: &mut S,
    request: EnrollRequest,
) -> Result<Enrolled, EnrollError> {
    enroll_asking(transport, store, request, |_| false).await
}

/// As [`enroll`]; `ask` asks a person whether to continue with an unverified server. It may block.
pub async fn enroll_asking<S: TokenStore>(
    transport: &Transport,
    store: &mut S,
    request: EnrollRequest,
    ask: fn(&ServerChange) -> bool,
) -> Result<Enrolled, EnrollError> {
    request.check()?;
    store.change(|_| Ok(()))?; // a code works once: do not spend it on a key that cannot be saved
    let tokens = store.load()?;
    let runs = store.load_runs().unwrap_or_else(|why| {
        tracing::warn!("cannot continue unfinished runs: {why}"); // matters to a renewal whose answer was lost
        Runs::default()
    });
    let mut seed = [0; 32];
    SystemRandom.fill(&mut seed);
    let mut enrolment = Enrolment::new(request, &tokens, runs, &seed);
    let mut host = Host { transport, store, ask, unsent: None, unstored: None };
    let mut input = Input::Begin;
    loop {
        let now = SystemTime::now();
        let stepped;
        (enrolment, stepped) = blocking(move || {
            let stepped = enrolment.step(input, now);
            (enrolment, stepped)
        })
        .await?;
        input = match stepped {
            Ok(Step::Done(enrolled)) => return Ok(*enrolled),
            Ok(step) => host.carry_out(step).await?,
            Err(why) => return Err(host.reason(why)),
        };
    }
}

/// The trust anchors for certificates of K_SERVER (profile P29) in a PEM or DER file, for
/// [`EnrollRequest::k_server_anchors`].
///
/// # Errors
/// [`EnrollError::KServerCa`]
pub fn k_server_anchors(path: &Path) -> Result<Vec<Vec<u8>>, EnrollError> {
    let unusable = |reason| EnrollError::KServerCa { path: path.to_owned(), reason };
    let anchors = read_certificates(path).map_err(unusable)?;
    for anchor in &anchors {
        match TrustAnchors::default().trust(anchor) {
            Ok(()) | Err(PathError::NoAuthority) => {} // an end-entity certificate vouches for itself only
            Err(why) => return Err(unusable(why.to_string())),
        }
    }
    Ok(anchors)
}

/// Carries out the steps of an enrolment.
struct Host<'a, S> {
    transport: &'a Transport,
    store: &'a mut S,
    ask: fn(&ServerChange) -> bool,
    /// Why the last request had no answer.
    unsent: Option<TransportError>,
    /// Why the last change was not stored.
    unstored: Option<TokenStoreError>,
}

impl<S: TokenStore> Host<'_, S> {
    async fn carry_out(&mut self, step: Step) -> Result<Input, EnrollError> {
        Ok(match step {
            Step::Send { url, body } => match self.transport.post(&url, &body).await {
                Ok(answer) => Input::Answer(answer),
                Err(why) => {
                    let text = why.to_string();
                    let input = if why.is_lost() { Input::Lost(text) } else { Input::NoAnswer(text) };
                    self.unsent = Some(why);
                    input
                }
            },
            Step::Ask(change) => {
                let ask = self.ask;
                Input::Consent(blocking(move || ask(&change)).await?)
            }
            Step::RsaKey { bits } => {
                let made = blocking(move || RsaPrivateKey::generate(bits)).await?;
                let made = made.map_err(|_| EnrollError::Interrupted)?;
                Input::RsaKey(made.to_pkcs8_der().clone())
            }
            Step::Store(change) => match self.store(&change) {
                Ok(applied) => Input::Stored(applied),
                Err(why) => {
                    let text = why.to_string();
                    self.unstored = Some(why);
                    Input::NotStored(text)
                }
            },
            Step::Done(_) => Input::Begin, // nothing follows: the enrolment refuses it
        })
    }

    fn store(&mut self, change: &StoreChange) -> Result<Applied, TokenStoreError> {
        match change {
            StoreChange::Token(change) => self.store.change(|tokens| change.apply(tokens)),
            StoreChange::Runs(change) => {
                let mut applied = None;
                self.store.change_runs(|runs| applied = Some(change.apply(runs)))?;
                applied.ok_or_else(|| TokenStoreError::Other("the store changed no notes".into()))
            }
        }
    }

    /// The error with the reason that this host knows.
    fn reason(&mut self, error: EnrolmentError) -> EnrollError {
        match (error, self.unsent.take(), self.unstored.take()) {
            (EnrolmentError::NoAnswer(_), Some(why), _) => EnrollError::Transport(why),
            (EnrolmentError::AnswerLost(_), Some(why), _) => EnrollError::AnswerLost(why),
            (EnrolmentError::NotNoted(_), _, Some(why)) => EnrollError::Store(why),
            (EnrolmentError::NotStored { key_id, .. }, _, Some(source)) => EnrollError::NotStored { key_id, source },
            (error, _, _) => EnrollError::Enrolment(error),
        }
    }
}

/// Runs `work`, such as PBKDF2, on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EnrollError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| EnrollError::Interrupted)
}

#[cfg(test)]
mod tests;
