//! Enrolment: a key from a server into a store.

use std::num::NonZeroU32;

use dskpp::algorithm::PackageFormat;
use dskpp::auth_data::MIN_ITERATIONS;
use dskpp::client::{Credential, Failed, Provisioned};

use crate::store::{TokenStore, UnfinishedRun};
use crate::token::Token;
use crate::transport::Transport;
use passes::Runner;

mod attempts;
mod blocking;
mod change;
mod error;
mod offer;
mod passes;
mod received;
mod request;
mod server;
mod trigger;
mod trust;

pub use change::ServerChange;
pub use error::EnrollError;
pub use request::{DEFAULT_KEY_TYPES, EnrollRequest, Enrolled, Variant};

/// Gets a key from a server, and stores it after its confirmation was verified. An error leaves the tokens unchanged.
///
/// In four-pass, the server learns only from the last request which key is meant. If it refuses the key type that it chose
/// itself, another run offers the remaining types.
///
/// A trigger for a different device or server, for a key that is not in the store, or for a hardware key, is refused
/// before anything is sent.
///
/// A renewal stays with the server of its key (profile P29): at the stored URL_S, and with K_SHARED, the stored K_SERVER,
/// or a K_SERVER certified under a configured anchor or under the stored issuer. Anything else needs a person's consent,
/// by [`EnrollRequest::accepted`] or [`EnrollRequest::ask`], in addition to the server's proof that it knows the old key.
/// The replaced key stays in the store; a ninth renewal is refused before anything is sent
/// ([`Tokens::forget_replaced`](crate::Tokens::forget_replaced)).
///
/// The store keeps notes of an unfinished run: the program crashed, no answer or an unreadable one came, or the key could
/// not be stored. The same call with the same code finishes it: a server repeats its last answer, ours for ten minutes,
/// for a renewal 30 days (profile P28). Every other error ends the run, and nothing of it remains, in memory or in the
/// store (RFC 6063 §§3.3, 4.2.3, 4.2.5, 5.2.3).
pub async fn enroll<S: TokenStore>(
    transport: &Transport,
    store: &mut S,
    mut request: EnrollRequest,
) -> Result<Enrolled, EnrollError> {
    request.check()?;
    if !request.package_formats.contains(&PackageFormat::Pskc) {
        if request.variant == Some(Variant::FourPass) {
            return Err(EnrollError::PackageOfFourPass);
        }
        request.variant = Some(Variant::TwoPass);
    }
    store.change(|_| Ok(()))?; // a code works once: do not spend it on a key that cannot be saved
    let url_s = offer::url_s(&request)?;
    let tokens = store.load()?;
    let renewed = offer::renewed(&request, &tokens)?;
    if request.device_key.is_none() {
        request.device_key = offer::device_key(&request, &tokens)?;
    }
    if request.variant.is_none() && request.device_key.is_some() && !offer::names_a_device(&request) {
        request.variant = Some(Variant::TwoPass); // in four-pass, the server finds the key by the device
    }
    let has_code = matches!(request.credential, Credential::Code(_));
    if let Some((old, _)) = renewed.as_ref().filter(|(old, _)| has_code && old.k_mac.is_none()) {
        match request.variant {
            Some(Variant::FourPass) => return Err(EnrollError::NotByFourPass(old.id.clone())),
            _ => request.variant = Some(Variant::TwoPass), // in four-pass, no server proves itself with a K_TOKEN (profile P6)
        }
    }
    let trust = server::trust(&request, renewed.as_ref().map(|(old, _)| old), &tokens, &url_s).await?;
    let offer = offer::offer(&request, &url_s, renewed.as_ref())?;
    let renewed = renewed.map(|(token, _)| token);
    let client_id = offer::client_id(&request.credential).to_owned();
    let is_same = |run: &UnfinishedRun| run.url_s == url_s && run.client_id == client_id;
    let runs = store.load_runs().unwrap_or_else(|why| {
        tracing::warn!("cannot continue unfinished runs: {why}"); // matters to a renewal whose answer was lost
        Default::default()
    });
    let (same, others): (Vec<_>, Vec<_>) = runs.into_vec().into_iter().partition(is_same);
    let own_key = offer::own_key(&mut request, same.first()).await?;
    let mut runner = Runner {
        transport,
        request: &request,
        trust: &trust,
        store: &mut *store,
        offer,
        variant: request.variant,
        protections: offer::protections(&request)?,
        run: UnfinishedRun::new(&url_s, client_id.clone(), own_key),
        k_server: None,
    };
    let provisioned = runner.resume_or_run(same).await.map_err(|error| match (error, &renewed) {
        (EnrollError::Failed(Failed::NotAuthenticated), Some(old)) => not_proved(&old.id, &url_s, &others),
        (error, _) => error,
    })?;
    // Remember only what a confirmed run sent: four-pass may have failed before two-pass.
    let k_server = runner.k_server.take().filter(|_| provisioned.method.is_none());
    let token = received::token(&provisioned, &request, url_s.clone(), renewed.as_ref(), k_server.as_ref());
    let enrolled = token.and_then(|token| save(store, token, renewed.is_some(), provisioned));
    // Only a key that could not be stored is requested again.
    if enrolled.as_ref().err().is_none_or(EnrollError::ends_the_run)
        && let Err(why) = store.change_runs(|runs| runs.forget(is_same))
    {
        tracing::warn!(%why, "the notes of the finished run stay in the store"); // of no more use
    }
    enrolled
}

/// The server knows a different key than this client, perhaps because an earlier renewal is unfinished here.
fn not_proved(key_id: &str, url_s: &str, unfinished: &[UnfinishedRun]) -> EnrollError {
    let run = unfinished.iter().find(|run| run.url_s == url_s);
    EnrollError::NotProved { key_id: key_id.to_owned(), unfinished: run.map(|run| run.client_id.clone()) }
}

/// Stores the token. It replaces a token with the same id only if this run renewed that one.
fn save<S: TokenStore>(
    store: &mut S,
    token: Token,
    renewal: bool,
    provisioned: Provisioned,
) -> Result<Enrolled, EnrollError> {
    let key_id = token.id.clone();
    let tokens = store.load()?;
    let old = tokens.get(&key_id);
    let is_there = old.is_some_and(|old| old.secret == token.secret); // the run was finished once before
    let exists = old.is_some();
    if exists && !renewal && !is_there {
        return Err(EnrollError::KeyExists(key_id));
    }
    let (label, issuer) = (token.label.clone(), token.issuer.clone());
    let stored = match exists {
        true if is_there => Ok(None),
        true => store.change(|tokens| tokens.renew(token).map(Some)),
        false => store.change(|tokens| tokens.insert(token).map(|()| None)),
    };
    let old_key_id = stored.map_err(|source| EnrollError::NotStored { key_id: key_id.clone(), source })?;
    let Provisioned { key_type, server_id, method, iterations, .. } = provisioned;
    let few_iterations = iterations.map(NonZeroU32::get).filter(|count| *count < MIN_ITERATIONS);
    let replaced = exists && renewal;
    Ok(Enrolled { key_id, key_type, label, issuer, server_id, replaced, old_key_id, method, few_iterations })
}

#[cfg(test)]
mod tests;
