//! `Idempotency-Key`: a creating call that is sent again with the same key is answered again, and creates nothing more
//! (draft-ietf-httpapi-idempotency-key-header-07).

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, FromRequestParts as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use dskpp_api::HEADER_IDEMPOTENCY_KEY;
use dskpp_crypto::{Secret, Sha256};

use super::ApiState;
use super::caller::Caller;
use super::problem::ApiProblem;
use crate::model::origin::Origin;
use crate::net::request_id::RequestId;
use crate::store::{Claim, Claimed, StoreError};

const NAME: HeaderName = HeaderName::from_static(HEADER_IDEMPOTENCY_KEY);
/// Maximum length of a key, in characters.
const MAX_KEY_LEN: usize = 255;

/// Answers a call that has a key: carries it out once, also where the caller does not wait for the answer.
pub(super) async fn once(State(api): State<ApiState>, request: Request, next: Next) -> Result<Response, ApiProblem> {
    let Some(key) = key_of(request.headers())? else { return Ok(next.run(request).await) };
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &()).await?;
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &()).await?;
    let content_type = parts.headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let request_hash = Sha256::digest(&[parts.uri.to_string().as_bytes(), b"\0", content_type, b"\0", &body]);
    let claim = match api.store.claim(caller.id(), &key, request_hash).await? {
        Claimed::Begun(claim) => claim,
        Claimed::Answered(kept) => return again(kept.status, &kept.body),
        Claimed::InFlight => return Err(ApiProblem::in_flight()),
        Claimed::Lost => return Err(ApiProblem::answer_lost()),
        Claimed::Differs => return Err(ApiProblem::key_reused()),
    };
    let work = carry_out(api, claim, Request::from_parts(parts, Body::from(body)), next);
    let origin = Origin::current();
    let work = async move {
        match origin {
            Some(origin) => Origin::clone(&origin).during(work).await,
            None => work.await,
        }
    };
    let carried_out = match RequestId::current() {
        Some(id) => tokio::spawn(id.during(work)),
        None => tokio::spawn(work),
    };
    carried_out.await.unwrap_or_else(|_| Err(StoreError::Unavailable("a call panicked".into()).into()))
}

async fn carry_out(api: ApiState, claim: Claim, request: Request, next: Next) -> Result<Response, ApiProblem> {
    let answer = claim.clone().during(next.run(request)).await;
    if !answer.status().is_success() {
        if let Err(why) = api.store.give_back(claim).await {
            tracing::warn!("an Idempotency-Key stays claimed for a minute: {why}");
        }
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|why| StoreError::Unavailable(why.to_string()))?;
    if let Err(why) = api.store.keep_call(claim, parts.status.as_u16(), Secret::from_slice(&body)).await {
        tracing::warn!("the answer to a call with an Idempotency-Key is not kept: {why}");
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// The answer that was given before.
fn again(status: u16, body: &Secret) -> Result<Response, ApiProblem> {
    let status = StatusCode::from_u16(status).map_err(|why| StoreError::Unavailable(why.to_string()))?;
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, "application/json")];
    Ok((status, headers, body.expose().to_vec()).into_response())
}

/// The key of a call, if it has one: a string as in RFC 8941 §3.3.3, or the same without quotes where it needs none.
fn key_of(headers: &HeaderMap) -> Result<Option<String>, ApiProblem> {
    let mut keys = headers.get_all(NAME).iter();
    let Some(key) = keys.next() else { return Ok(None) };
    let key = key.to_str().ok().and_then(|text| unquoted(text.trim()));
    match key.filter(|key| keys.next().is_none() && (1..=MAX_KEY_LEN).contains(&key.len())) {
        Some(key) => Ok(Some(key)),
        None => Err(ApiProblem::header(format!(
            "Idempotency-Key must be one string of 1 to {MAX_KEY_LEN} visible characters in quotes (RFC 8941)"
        ))),
    }
}

fn unquoted(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.:/+=".contains(&octet);
        return text.bytes().all(is_plain).then(|| text.to_owned());
    };
    let (mut key, mut chars) = (String::new(), inner.strip_suffix('"')?.chars());
    while let Some(next) = chars.next() {
        key.push(match next {
            '\\' => chars.next().filter(|escaped| ['"', '\\'].contains(escaped))?,
            ' '..='~' if next != '"' => next,
            _ => return None,
        });
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8941_s3_3_3_a_key_is_a_string_with_or_without_quotes() {
        let of = |values: &[&str]| {
            let header = |value: &&str| (NAME, value.parse().unwrap());
            key_of(&values.iter().map(header).collect()).ok()
        };
        assert_eq!(of(&[]), Some(None));
        for (value, key) in [("\"a b\"", "a b"), ("a-1_b", "a-1_b"), (r#""a\"b\\""#, r#"a"b\"#), (" \"x\" ", "x")] {
            assert_eq!(of(&[value]), Some(Some(key.to_owned())), "{value}");
        }
        let long = format!("\"{}\"", "x".repeat(MAX_KEY_LEN + 1));
        for value in ["", "\"\"", "\"", "\"a", "a b", "a\"b", "\"a\"b\"", r#""a\b""#, "\"a\";p=1", "\"é\"", &long] {
            assert_eq!(of(&[value]), None, "{value}");
        }
        assert_eq!(of(&["a", "a"]), None, "one key");
    }
}
