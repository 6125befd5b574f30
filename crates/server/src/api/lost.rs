//! A lost token, in one call.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{KeyState, KeyType, LostRequest, NewEnrolmentRequest, UserLost};
use serde_json::json;

use super::ApiState;
use super::caller::Caller;
use super::enrolments::{checked, described};
use super::problem::{ApiProblem, Body, json_answer};
use super::users::name;
use crate::model::id::new_id;
use crate::model::notice::Event;
use crate::model::{KeyRecord, Params};
use crate::notices::notice;
use crate::store::NewEnrolment;

/// Keys that are read at a time.
const PAGE: usize = 100;

pub(super) async fn lose(
    State(api): State<ApiState>,
    caller: Caller,
    Body(lost): Body<LostRequest>,
) -> Result<Response, ApiProblem> {
    let user = name("user", &lost.user)?;
    let says_which = lost.template.is_some() || lost.group.is_some() || lost.key_type.is_some();
    let new = match says_which || api.templates.has_default() {
        true => checked(&api, request(&user, lost))?,
        false => like_the_last(&api, &user, lost).await?,
    };
    let told = notice(format!("user.lost/{}", new_id()), Event::UserLost, Some(user.clone()), json!({}));
    let channels = api.notices.channels(&told);
    let done = api.store.user_lost(new, (told, channels), caller.id().to_owned()).await?;
    let answer = UserLost {
        user,
        revoked_keys: done.keys,
        revoked_enrolments: done.enrolments,
        enrolment: described(&api, done.created, None)?,
    };
    Ok(json_answer(StatusCode::CREATED, &answer))
}

/// The enrolment as the call says it.
fn request(user: &str, lost: LostRequest) -> NewEnrolmentRequest {
    let LostRequest { template, group, key_type, expires_in_s, .. } = lost;
    NewEnrolmentRequest { template, group, key_type, expires_in_s, ..NewEnrolmentRequest::new(user, KeyType::Totp) }
}

/// An enrolment for a key like the user's newest one in use, at the same sinks.
async fn like_the_last(api: &ApiState, user: &str, lost: LostRequest) -> Result<NewEnrolment, ApiProblem> {
    let last = newest_key(api, user).await?.ok_or_else(|| {
        ApiProblem::value("the user has no key in use to be replaced: say by template or key_type what the new one is")
    })?;
    let known: Vec<String> = api.sinks.summaries().into_iter().map(|sink| sink.name).collect();
    let has_it = api.store.deliveries_of(&last.id).await?.into_iter().map(|delivery| delivery.sink);
    let sinks: Vec<String> = has_it.filter(|sink| known.contains(sink)).collect();
    let Params { digits, period_s, hash, suite, terms, .. } = last.params;
    let new = NewEnrolmentRequest {
        key_type: Some(last.key_type.into()),
        digits,
        period_s,
        hash: hash.map(Into::into),
        suite,
        key_lifetime_s: terms.lifetime_s,
        sinks: Some(sinks).filter(|sinks| !sinks.is_empty()),
        ..request(user, lost)
    };
    let mut new = checked(api, new)?;
    new.params.terms = terms;
    Ok(new)
}

async fn newest_key(api: &ApiState, user: &str) -> Result<Option<KeyRecord>, ApiProblem> {
    let (mut newest, mut after) = (None::<KeyRecord>, None);
    loop {
        let page = api.store.keys(Some(user.to_owned()), after, PAGE).await?;
        for key in page.items.into_iter().flatten() {
            let in_use =
                matches!(key.state, KeyState::Active | KeyState::Provisioned) && key.key_type != KeyType::Other;
            if in_use && newest.as_ref().is_none_or(|newest| newest.created_at <= key.created_at) {
                newest = Some(key);
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(newest),
        }
    }
}
