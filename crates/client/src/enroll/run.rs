//! The messages of a run, and what becomes of lost ones.

use dskpp::algorithm::KeyType;
use dskpp::client::{
    Answered, AwaitingAnswer, AwaitingKey, AwaitingServerHello, ChooseK, ClientProtection, Either, Failed, FourPass, K,
    Offer, Provisioned, TwoPass,
};
use dskpp::status::Status;
use dskpp_crypto::SystemRandom;

use super::{EnrollError, Variant};
use crate::transport::Transport;
use crate::trust::Trust;

/// Runs until one is not refused for its type of key. What the server chose before it refused is left out of the next
/// offer: it learns only from ClientNonce which enrolment, and so which type, is meant.
pub(super) async fn negotiate(
    transport: &Transport,
    trust: &Trust,
    mut offer: Offer,
    variant: Option<Variant>,
    protections: Vec<ClientProtection>,
) -> Result<Provisioned, EnrollError> {
    let mut refused = false;
    loop {
        let (chosen, done) = match run(transport, trust, offer.clone(), variant, protections.clone()).await {
            // A server that has nothing else to offer: what it said first is the reason.
            Err(EnrollError::Failed(Failed::Refused(Status::NoSupportedKeyTypes) | Failed::Misbehaved(_)))
                if refused =>
            {
                return Err(Failed::Refused(Status::AccessDenied).into());
            }
            ran => ran?,
        };
        match done {
            Err(EnrollError::Failed(Failed::Refused(Status::AccessDenied))) if offer.key_types.len() > 1 => {
                tracing::debug!(%chosen, "type of key refused");
                offer.key_types.retain(|key_type| *key_type != chosen);
                refused = true;
            }
            done => return done,
        }
    }
}

/// A ClientHello on its way.
enum Begun {
    FourPass(Box<AwaitingServerHello>),
    TwoPass(Box<AwaitingKey>),
    Either(Box<AwaitingAnswer>),
}

/// One run: the type of key that the server chose, and what came of it.
async fn run(
    transport: &Transport,
    trust: &Trust,
    offer: Offer,
    variant: Option<Variant>,
    protections: Vec<ClientProtection>,
) -> Result<(KeyType, Result<Provisioned, EnrollError>), EnrollError> {
    let url_s = offer.url_s.clone();
    let two_pass = !protections.is_empty();
    let (request, begun) = blocking(move || begin(offer, variant, protections)).await??;
    let answer = match two_pass {
        true => post_twice(transport, &url_s, &request).await?, // it may have been the last request
        false => transport.post(&url_s, &request).await?,
    };
    let answered = blocking(move || {
        Ok::<_, Failed>(match begun {
            Begun::FourPass(state) => Answered::FourPass(Box::new(state.receive(&answer)?)),
            Begun::TwoPass(state) => Answered::Key(Box::new(state.receive(&answer)?)),
            Begun::Either(state) => state.receive(&answer)?,
        })
    });
    match answered.await?? {
        Answered::Key(provisioned) => Ok((provisioned.key_type.clone(), Ok(*provisioned))),
        Answered::FourPass(state) => {
            let chosen = state.key_type().clone();
            Ok((chosen, finish(transport, trust, &url_s, *state).await))
        }
    }
}

fn begin(
    offer: Offer,
    variant: Option<Variant>,
    protections: Vec<ClientProtection>,
) -> Result<(Vec<u8>, Begun), Failed> {
    let rng = &mut SystemRandom;
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
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, EnrollError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| EnrollError::Interrupted)
}

/// Sends the last request of a run once more, octet for octet, where its answer is lost: the server gives it again
/// (profile P28).
async fn post_twice(transport: &Transport, url_s: &str, request: &[u8]) -> Result<Vec<u8>, EnrollError> {
    match transport.post(url_s, request).await {
        Err(error) if error.is_lost() => {
            tracing::debug!(%error, "sending the last request again");
            transport.post(url_s, request).await.map_err(EnrollError::AnswerLost)
        }
        other => Ok(other?),
    }
}

async fn finish(transport: &Transport, trust: &Trust, url_s: &str, state: ChooseK) -> Result<Provisioned, EnrollError> {
    let k: K = trust.choose(state.encryption_key())?;
    let (request, state) = blocking(move || state.proceed(k, &mut SystemRandom)).await??;
    Ok(state.receive(&post_twice(transport, url_s, &request).await?)?)
}
