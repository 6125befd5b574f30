//! `GET /enroll/{token}`: the trigger of an enrolment (RFC 6063 §4.2.1, profile P14) for a DSKPP
//! client, a page for a person.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::dskpp_http::{MEDIA_TYPE, too_many};
use crate::limits::Rates;
use crate::provision::{NoTrigger, Provision};

/// The longest token that is looked up.
const MAX_TOKEN_LEN: usize = 128;

/// The page may load nothing, run nothing and tell nobody where it was.
const PAGE_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
    (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

struct Triggers {
    provision: Arc<Provision>,
    rates: Arc<Rates>,
}

pub(crate) fn router(provision: Arc<Provision>, rates: Arc<Rates>) -> Router {
    Router::new().route("/enroll/{token}", get(trigger)).with_state(Arc::new(Triggers { provision, rates }))
}

async fn trigger(
    State(triggers): State<Arc<Triggers>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(wait) = triggers.rates.admit(peer.into()) {
        return too_many(wait);
    }
    let response = if token.len() > MAX_TOKEN_LEN || !token.bytes().all(|octet| octet.is_ascii_alphanumeric()) {
        (StatusCode::NOT_FOUND, "there is no such enrolment\n").into_response()
    } else if accepts_trigger(&headers) {
        match triggers.provision.trigger(&token).await {
            Ok(document) => ([(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))], document).into_response(),
            Err(why) => no_trigger(why),
        }
    } else {
        match triggers.provision.has_trigger(&token).await {
            Ok(()) => (PAGE_HEADERS, page(triggers.provision.trigger_origin(), &token)).into_response(),
            Err(why) => no_trigger(why),
        }
    };
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], response).into_response()
}

fn no_trigger(why: NoTrigger) -> Response {
    match why {
        NoTrigger::Unknown => (StatusCode::NOT_FOUND, "there is no such enrolment\n").into_response(),
        NoTrigger::Over => (StatusCode::GONE, "this enrolment is used or over; ask for a new one\n").into_response(),
        NoTrigger::TooMany(wait) => too_many(wait),
        NoTrigger::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "the server cannot do this now; try again later\n").into_response()
        }
    }
}

/// Whether `Accept` names the DSKPP type (profile P27); a wildcard is a browser's.
fn accepts_trigger(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(MEDIA_TYPE));
        let is_zero = |quality: &str| quality.parse::<f32>().is_ok_and(|quality| quality <= 0.0);
        named && !parts.any(|parameter| parameter.strip_prefix("q=").is_some_and(is_zero))
    })
}

/// `origin` is of the configured URLs and `token` of letters and digits: nothing needs escaping
/// but what a URL may have.
fn page(origin: &str, token: &str) -> String {
    let origin = origin.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&#39;");
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content='width=device-width'><title>Your new key</title>\
         <h1>Your new key</h1>\
         <p>Open this address in a DSKPP client, or run these two commands. They work once.\
         <pre>curl -fH 'Accept: {MEDIA_TYPE}' -o trigger.xml '{origin}/enroll/{token}'\n\
         dskpp enroll --trigger trigger.xml</pre></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p27_only_a_named_dskpp_type_gets_the_trigger() {
        for (accept, wants) in [
            ("application/dskpp+xml", true),
            ("text/html, Application/DSKPP+xml;q=0.5", true),
            ("application/dskpp+xml;q=0", false),
            ("*/*", false),
            ("application/*", false),
            ("text/html", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepts_trigger(&headers), wants, "{accept}");
        }
        assert!(!accepts_trigger(&HeaderMap::new()));
    }

    #[test]
    fn the_page_cannot_be_broken_out_of() {
        let page = page("https://h'><script>alert(1)</script>", "AB12");
        assert!(!page.contains("<script"), "{page}");
    }
}
