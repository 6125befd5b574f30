//! The whole enrolment, from the checks before anything is sent to the stored key.

use std::num::NonZeroU32;

use dskpp::algorithm::PackageFormat;
use dskpp::auth_data::MIN_ITERATIONS;
use dskpp::client::{Credential, Failed, Provisioned};
use dskpp_crypto::{Secret, SeededRandom};
use pskc::DateTime;

use super::error::EnrolmentError;
use super::host::Host;
use super::passes::Runner;
use super::request::{EnrollRequest, Enrolled, Variant};
use super::stored::{Outcome, RunsChange, StoreChange, TokenChange};
use super::{offer, received, server};
use crate::runs::{Runs, UnfinishedRun};
use crate::token::Token;
use crate::tokens::Tokens;

/// The enrolment. It waits for [`Input::Begin`](super::Input::Begin), and then for the host only.
pub(super) async fn enrol(
    host: Host,
    mut request: EnrollRequest,
    tokens: Tokens,
    runs: Runs,
    seed: Secret,
) -> Result<Enrolled, EnrolmentError> {
    host.begin().await;
    request.check()?;
    DateTime::from_clock(host.now()).ok_or(EnrolmentError::Clock)?;
    let url_s = offer::url_s(&request)?;
    let renewed = offer::renewed(&request, &tokens)?;
    if request.device_key.is_none() {
        request.device_key = offer::device_key(&request, &tokens)?;
    }
    request.variant = variant(&request, renewed.as_ref().map(|(old, _)| old))?;
    let trust = server::trust(&host, &request, renewed.as_ref().map(|(old, _)| old), &tokens, &url_s).await?;
    let offer = offer::offer(&request, &url_s, renewed.as_ref())?;
    let renewed = renewed.map(|(token, _)| token);
    let client_id = offer::client_id(&request.credential).to_owned();
    let (same, others): (Vec<_>, Vec<_>) = runs.into_vec().into_iter().partition(|run| run.is_of(&url_s, &client_id));
    let own_key = offer::own_key(&host, &mut request, same.first()).await?;
    let mut runner = Runner {
        host: &host,
        request: &request,
        trust: &trust,
        offer,
        variant: request.variant,
        protections: offer::protections(&request)?,
        seeds: Box::new(SeededRandom::new(seed.expose())),
        run: UnfinishedRun::new(&url_s, client_id.clone(), own_key),
        k_server: None,
    };
    let provisioned = runner.resume_or_run(same).await.map_err(|error| match (error, &renewed) {
        (EnrolmentError::Failed(Failed::NotAuthenticated), Some(old)) => not_proved(&old.id, &url_s, &others),
        (error, _) => error,
    })?;
    // Remember only what a confirmed run sent: four-pass may have failed before two-pass.
    let k_server = runner.k_server.take().filter(|_| provisioned.method.is_none());
    let token = received::token(&provisioned, &request, url_s.clone(), renewed.as_ref(), k_server.as_ref(), host.now());
    let enrolled = match token {
        Ok(token) => save(&host, token, renewed.is_some(), provisioned).await,
        Err(why) => Err(why),
    };
    // Only a key that could not be stored is requested again.
    if enrolled.as_ref().err().is_none_or(EnrolmentError::ends_the_run)
        && let Err(why) = host.store(StoreChange::Runs(RunsChange::finish(&url_s, &client_id))).await
    {
        tracing::warn!(%why, "the notes of the finished run stay in the store"); // of no more use
    }
    enrolled
}

/// The only variant to offer, if there is a reason for one.
fn variant(request: &EnrollRequest, renewed: Option<&Token>) -> Result<Option<Variant>, EnrolmentError> {
    let is_four_pass = request.variant == Some(Variant::FourPass);
    if !request.package_formats.contains(&PackageFormat::Pskc) {
        return if is_four_pass { Err(EnrolmentError::PackageOfFourPass) } else { Ok(Some(Variant::TwoPass)) };
    }
    let has_code = matches!(request.credential, Credential::Code(_));
    if let Some(old) = renewed.filter(|old| has_code && old.k_mac.is_none()) {
        // In four-pass, no server proves itself with a K_TOKEN (profile P6).
        return if is_four_pass {
            Err(EnrolmentError::NotByFourPass(old.id.clone()))
        } else {
            Ok(Some(Variant::TwoPass))
        };
    }
    // In four-pass, the server finds the key by the device.
    let is_unnamed = request.device_key.is_some() && !offer::names_a_device(request);
    Ok(request.variant.or(is_unnamed.then_some(Variant::TwoPass)))
}

/// The server knows a different key than this client, perhaps because an earlier renewal is unfinished here.
fn not_proved(key_id: &str, url_s: &str, unfinished: &[UnfinishedRun]) -> EnrolmentError {
    let run = unfinished.iter().find(|run| run.url_s == url_s);
    EnrolmentError::NotProved { key_id: key_id.to_owned(), unfinished: run.map(|run| run.client_id.clone()) }
}

/// Has the token stored.
async fn save(host: &Host, token: Token, renewal: bool, provisioned: Provisioned) -> Result<Enrolled, EnrolmentError> {
    let key_id = token.id.clone();
    let (label, issuer) = (token.label.clone(), token.issuer.clone());
    let stored = host.store(StoreChange::Token(TokenChange { token: Box::new(token), renewal })).await;
    let applied = stored.map_err(|why| EnrolmentError::NotStored { key_id: key_id.clone(), why })?;
    let (replaced, old_key_id) = match applied.0 {
        Outcome::Done => (false, None),
        Outcome::WasThere => (renewal, None),
        Outcome::Renewed(old_key_id) => (true, Some(old_key_id)),
        Outcome::KeyExists => return Err(EnrolmentError::KeyExists(key_id)),
    };
    let Provisioned { key_type, server_id, method, iterations, .. } = provisioned;
    let few_iterations = iterations.map(NonZeroU32::get).filter(|count| *count < MIN_ITERATIONS);
    Ok(Enrolled { key_id, key_type, label, issuer, server_id, replaced, old_key_id, method, few_iterations })
}
