//! `GET /enroll/{token}`: the trigger of an enrolment (RFC 6063 §4.2.1, §7.2.6, profile P14, P27) for a DSKPP client, a
//! page for a person, the same facts as JSON for a program that asks its user. None of them uses up the trigger.

mod accept;
mod facts;
mod page;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};

use crate::dskpp::http::MEDIA_TYPE;
use crate::dskpp::service::{NoTrigger, Service};
use crate::net::public_url;
use crate::net::rate_limit::{Rates, RetryAfter};
use crate::pages::language::Language;
use crate::pages::portal::Portal;
use accept::names;
use facts::Facts;

/// The longest accepted token.
const MAX_TOKEN_LEN: usize = 128;

/// What a program asks for that shows its user what the enrolment is.
const JSON: &str = "application/json";

/// Headers of every answer: no caching.
const NO_CACHING: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::VARY, HeaderValue::from_static("accept, accept-language")),
];

/// Headers of a trigger: no sniffing of its type.
const TRIGGER: [(HeaderName, HeaderValue); 3] = [
    (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// For a person who downloads the file.
const AS_FILE: [(HeaderName, HeaderValue); 1] =
    [(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"enrol.dskpp\""))];

/// The URL of an enrolment's trigger: beside the server's URL, under the same prefix.
pub(crate) fn address(url_s: &str, token: &str) -> String {
    format!("{}/enroll/{token}", public_url::base(url_s))
}

struct Triggers {
    service: Arc<Service>,
    rates: Arc<Rates>,
    portal: Portal,
}

pub(crate) fn router(service: Arc<Service>, rates: Arc<Rates>, portal: Portal) -> Router {
    let triggers = Arc::new(Triggers { service, rates, portal });
    Router::new().route("/enroll/{token}", get(trigger)).with_state(triggers).fallback(fallback)
}

/// Any other path. A request for a trigger where none can be gets an initialization message without data, and 406 (RFC
/// 6063 §7.2.6).
async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let asks = matches!(method, Method::GET | Method::HEAD) && names(&headers, MEDIA_TYPE);
    match asks && !uri.path().starts_with("/enroll/") {
        true => (StatusCode::NOT_ACCEPTABLE, NO_CACHING, TRIGGER).into_response(),
        false => (StatusCode::NOT_FOUND, NO_CACHING).into_response(),
    }
}

async fn trigger(
    State(triggers): State<Arc<Triggers>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (is_client, is_program) = (names(&headers, MEDIA_TYPE), names(&headers, JSON));
    let language = Language::of(query.as_deref(), &headers);
    let as_file = query.as_deref().is_some_and(is_download);
    let answer = async {
        triggers.rates.admit(peer.into()).map_err(NoTrigger::TooMany)?;
        if token.len() > MAX_TOKEN_LEN || !token.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
            return Err(NoTrigger::Unknown);
        }
        if as_file {
            return Ok((TRIGGER, AS_FILE, triggers.service.trigger(&token, peer.into()).await?).into_response());
        }
        if is_client {
            return Ok((TRIGGER, triggers.service.trigger(&token, peer.into()).await?).into_response());
        }
        let enrolment = triggers.service.enrolment_of_link(&token, peer.into()).await?;
        let facts = Facts::of(&enrolment, language).ok_or(NoTrigger::Defect)?;
        if is_program {
            return Ok(Json(facts.as_json(&triggers.portal)).into_response());
        }
        let url = address(triggers.service.first_url(), &token);
        Ok(page::ready(&url, &facts, &triggers.portal, language))
    };
    let response =
        answer.await.unwrap_or_else(|why| no_trigger(why, is_client || is_program, &triggers.portal, language));
    (NO_CACHING, response).into_response()
}

/// Whether the query requests the trigger as a file, with `download`: links cannot set `Accept`.
fn is_download(query: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some("download"))
}

/// The refusal: a line of text for a client, a page for a person.
fn no_trigger(why: NoTrigger, is_client: bool, portal: &Portal, language: Language) -> Response {
    let (status, text, title, next) = match &why {
        NoTrigger::Unknown => (StatusCode::NOT_FOUND, "no such enrolment\n", "link_unknown", "link_unknown_next"),
        NoTrigger::Over => (
            StatusCode::GONE,
            "this enrolment was used, has expired or was revoked; ask for a new one\n",
            "link_over",
            "link_over_next",
        ),
        NoTrigger::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too many requests\n", "link_busy", "link_busy_next"),
        NoTrigger::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is unavailable; try again later\n",
            "link_unavailable",
            "link_unavailable_next",
        ),
        NoTrigger::Defect => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "the request could not be processed\n",
            "link_defect",
            "link_defect_next",
        ),
    };
    let response = match is_client {
        true => (status, text).into_response(),
        false => page::refusal(status, title, next, portal, language),
    };
    match why {
        NoTrigger::TooMany(wait) => ([retry_after(wait)], response).into_response(),
        _ => response,
    }
}

fn retry_after(wait: RetryAfter) -> (HeaderName, HeaderValue) {
    (header::RETRY_AFTER, HeaderValue::from(wait.seconds()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn p27_a_refusal_is_a_page_for_browsers_and_text_for_clients() {
        type NoTriggerCase = (fn() -> NoTrigger, u16, Option<&'static str>);
        let cases: [NoTriggerCase; 5] = [
            (|| NoTrigger::Unknown, 404, None),
            (|| NoTrigger::Over, 410, None),
            (|| NoTrigger::TooMany(RetryAfter(Duration::from_secs(7))), 429, Some("7")),
            (|| NoTrigger::Unavailable, 503, None),
            (|| NoTrigger::Defect, 500, None),
        ];
        for (why, status, retry) in cases {
            for (is_client, kind) in [(false, "text/html; charset=utf-8"), (true, "text/plain; charset=utf-8")] {
                let portal = Portal {
                    issuer: "x".into(),
                    help: String::new(),
                    logo: None,
                    url_s: Vec::new(),
                    owners_renew: false,
                };
                let response = no_trigger(why(), is_client, &portal, Language::English);
                assert_eq!(response.status().as_u16(), status);
                assert_eq!(response.headers()[header::CONTENT_TYPE], kind, "{status}");
                let after = response.headers().get(header::RETRY_AFTER).map(|after| after.to_str().unwrap());
                assert_eq!(after, retry, "{status}");
            }
        }
    }

    #[test]
    fn only_the_parameter_download_requests_the_file() {
        for (query, asks) in [
            ("download", true),
            ("download=1", true),
            ("a=b&download", true),
            ("downloads", false),
            ("a=download", false),
            ("", false),
        ] {
            assert_eq!(is_download(query), asks, "{query}");
        }
    }
}
