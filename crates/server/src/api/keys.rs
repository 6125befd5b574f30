//! Keys and one-time passwords.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use data_encoding::HEXLOWER;
use dskpp_api::{
    KeyChangeRequest, KeyDetails, KeyOwner, KeyQuery, KeySecret, KeySummary, ListPage, ListedKey, Resync, Resynced,
    UnreadableKey, ValidationRequest, ValidationResult,
};

use super::ApiState;
use super::caller::Caller;
use super::enrolments::{device, parameters, time};
use super::etag::{IfMatch, IfNoneMatch, Tags, tagged};
use super::lists::{PAGE, limit, moment, text};
use super::problem::{ApiProblem, Body, Id, StrictQuery, json_answer};
use super::sinks;
use super::users::name;
use super::validate_check::subject_of;
use super::validations;
use crate::model::{DeliveryRecord, KeyRecord};
use crate::net::rate_limit::RetryAfter;
use crate::policy::backoff::PendingTry;
use crate::store::{self, KeyChange, KeyFilter, StoreError, Unreadable};

/// Maximum length of a password or challenge.
pub(super) const MAX_OTP_LEN: usize = 256;

pub(super) async fn list(
    State(api): State<ApiState>,
    StrictQuery(listing): StrictQuery<KeyQuery>,
) -> Result<Response, ApiProblem> {
    let KeyQuery { user, state, key_type, created_since, created_until, after, limit: given } = listing;
    let filter = KeyFilter {
        user: text("user", user)?,
        state,
        key_type,
        since: created_since.map(|time| moment("created_since", &time)).transpose()?,
        until: created_until.map(|time| moment("created_until", &time)).transpose()?,
        after: text("after", after)?,
    };
    let page = api.store.find_keys(filter, limit(given, PAGE)?).await?;
    let listed = |key| match key {
        Ok(key) => ListedKey::Readable(Box::new(describe(key))),
        Err(Unreadable { row, column, .. }) => ListedKey::Unreadable(UnreadableKey { key_id: row, unreadable: column }),
    };
    let items = page.items.into_iter().map(listed).collect();
    Ok(json_answer(StatusCode::OK, &ListPage { items, next: page.next }))
}

pub(super) async fn show(State(api): State<ApiState>, seen: IfNoneMatch, Id(id): Id) -> Result<Response, ApiProblem> {
    let key = api.store.key(&id).await?.ok_or(ApiProblem::not_found("key"))?;
    Ok(seen.answer(&details(key, api.store.deliveries_of(&id).await?)))
}

/// Carries out a write on a key, if it is as the tags say.
async fn write<T>(
    api: &ApiState,
    id: &str,
    tags: Option<Tags>,
    write: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, ApiProblem> {
    Ok(match tags {
        None => write.await?,
        Some(tags) => {
            let holds = move |key, deliveries| tags.name(&details(key, deliveries));
            api.store.if_key(id, holds, write).await?
        }
    })
}

pub(super) async fn revoke(
    State(api): State<ApiState>,
    IfMatch(tags): IfMatch,
    Id(id): Id,
) -> Result<StatusCode, ApiProblem> {
    write(&api, &id, tags, api.store.revoke_key(&id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn change(
    State(api): State<ApiState>,
    caller: Caller,
    IfMatch(tags): IfMatch,
    Id(id): Id,
    Body(body): Body<KeyChangeRequest>,
) -> Result<Response, ApiProblem> {
    let label = |label: Option<String>| label.map(|label| name("label", &label)).transpose();
    let change = KeyChange {
        label: body.label.map(label).transpose()?,
        user: body.user.map(|user| name("user", &user)).transpose()?,
    };
    if change.label.is_none() && change.user.is_none() {
        return Err(ApiProblem::value("label or user is required"));
    }
    let key = write(&api, &id, tags, api.store.change_key(&id, change, caller.id())).await?;
    Ok(tagged(&details(key, api.store.deliveries_of(&id).await?)))
}

pub(super) async fn disable(
    State(api): State<ApiState>,
    caller: Caller,
    IfMatch(tags): IfMatch,
    Id(id): Id,
) -> Result<Response, ApiProblem> {
    let key = write(&api, &id, tags, api.store.disable_key(&id, caller.id())).await?;
    Ok(json_answer(StatusCode::OK, &describe(key)))
}

pub(super) async fn enable(
    State(api): State<ApiState>,
    caller: Caller,
    IfMatch(tags): IfMatch,
    Id(id): Id,
) -> Result<Response, ApiProblem> {
    let key = write(&api, &id, tags, api.store.enable_key(&id, caller.id())).await?;
    Ok(json_answer(StatusCode::OK, &describe(key)))
}

pub(super) async fn assign(
    State(api): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    Body(owner): Body<KeyOwner>,
) -> Result<Response, ApiProblem> {
    let (user, sinks) = (name("user", &owner.user)?, api.sinks.default_names().to_vec());
    let key = api.store.assign_key(&id, user, sinks, caller.id().to_owned()).await?;
    Ok(json_answer(StatusCode::OK, &describe(key)))
}

pub(super) async fn secret(State(api): State<ApiState>, caller: Caller, Id(id): Id) -> Result<Response, ApiProblem> {
    let secret = api.store.export_key(&id, caller.id().to_owned()).await?;
    Ok(json_answer(StatusCode::OK, &KeySecret { secret_hex: HEXLOWER.encode(secret.expose()).into() }))
}

pub(super) async fn resynchronise(
    State(api): State<ApiState>,
    caller: Caller,
    Id(id): Id,
    Body(Resync { otps }): Body<Resync>,
) -> Result<Response, ApiProblem> {
    if !(2..=5).contains(&otps.len()) || otps.iter().any(|otp| otp.expose().len() > MAX_OTP_LEN) {
        return Err(ApiProblem::value(format!(
            "otps must be 2 to 5 consecutive one-time passwords of at most {MAX_OTP_LEN} characters"
        )));
    }
    let tried = api.backoff.begin_in_turn(&format!("key {id}"), None).await;
    let tried = tried.map_err(|wait| api.validations.refused(validations::RESYNC, wait))?;
    let otps = otps.iter().map(|otp| otp.expose().to_owned()).collect();
    let verdict = api.store.resynchronise(&id, otps, caller.id().to_owned()).await?;
    api.validations.found(validations::RESYNC, &verdict);
    let found = accepted(verdict, tried)?;
    Ok(json_answer(StatusCode::OK, &Resynced { synchronised: found.is_some() }))
}

pub(super) async fn validate(
    State(api): State<ApiState>,
    Body(attempt): Body<ValidationRequest>,
) -> Result<Response, ApiProblem> {
    let ValidationRequest { user, key_id, otp, challenge, client_id, client_address } = &attempt;
    if user.is_none() && key_id.is_none() && client_id.is_none() {
        return Err(ApiProblem::value("user or key_id is required, or client_id for a key that is not active yet"));
    }
    if otp.expose().len() > MAX_OTP_LEN || challenge.as_ref().is_some_and(|text| text.len() > MAX_OTP_LEN) {
        return Err(ApiProblem::value(format!("otp and challenge may have at most {MAX_OTP_LEN} characters")));
    }
    // RFC 4226 §7.3: consecutive wrong passwords delay the next attempt.
    let address = client_address.as_deref().map(str::parse::<IpAddr>).transpose();
    let address = address.map_err(|_| ApiProblem::value("client_address must be an IP address"))?;
    let address = address.map(|address| SocketAddr::new(address, 0).into());
    let tried = api.backoff.begin_in_turn(&subject_of(&attempt), address).await;
    let tried = tried.map_err(|wait| api.validations.refused(validations::API, wait))?;
    let verdict = api.store.verdict(attempt).await?;
    api.validations.found(validations::API, &verdict);
    let key_id = accepted(verdict, tried)?;
    Ok(json_answer(StatusCode::OK, &ValidationResult { valid: key_id.is_some(), key_id }))
}

/// The key for which a password is right, if it is, and what this server's back-off makes of it.
pub(super) fn accepted(verdict: store::Verdict, tried: PendingTry) -> Result<Option<String>, RetryAfter> {
    match verdict {
        store::Verdict::Right(key_id) => {
            tried.right();
            Ok(Some(key_id))
        }
        store::Verdict::Again => Ok(None), // a double submission of a correct password, not a guess
        store::Verdict::Wrong => {
            tried.wrong(Instant::now());
            Ok(None)
        }
        store::Verdict::TooSoon(wait_s) => Err(RetryAfter(Duration::from_secs(wait_s))),
    }
}

/// A key as it is shown by itself.
fn details(key: KeyRecord, deliveries: Vec<DeliveryRecord>) -> KeyDetails {
    KeyDetails { key: describe(key), deliveries: deliveries.into_iter().map(sinks::describe).collect() }
}

pub(super) fn describe(key: KeyRecord) -> KeySummary {
    KeySummary {
        key_id: key.id,
        state: key.state,
        key_type: key.key_type,
        user: key.user,
        params: parameters(key.params),
        device: key.device.map(device),
        enrolment: key.enrolment_id,
        url_s: key.url_s,
        label: key.label,
        created_at: time(key.created_at),
        start_at: key.start_at.and_then(time),
        expires_at: key.expires_at.and_then(time),
        uses_left: key.uses_left,
    }
}
