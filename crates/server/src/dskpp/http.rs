//! The HTTP/1.1 binding (RFC 6063 §7.2, profile P25, P27): recognises DSKPP requests and sends their answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use dskpp::message::MAX_MESSAGE_LEN;
use futures_util::TryStreamExt as _;

use crate::dskpp::service::{Service, ServiceAnswer};
use crate::net::rate_limit::{Rates, RetryAfter};

/// The media type of every DSKPP message (RFC 6063 §7.2.1).
pub(crate) const MEDIA_TYPE: &str = "application/dskpp+xml";

/// Cache headers of every response (RFC 6063 §7.2.2).
const NO_CACHING: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-must-revalidate, private")),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
];

/// The state of the binding.
pub(crate) struct HttpBinding {
    pub(crate) service: Arc<Service>,
    pub(crate) rates: Arc<Rates>,
    /// Deadline for the whole body.
    pub(crate) body_timeout: Duration,
}

/// `POST /dskpp`; every other method is 405.
pub(crate) fn router(binding: HttpBinding) -> Router {
    Router::new().route("/dskpp", post(receive).fallback(wrong_method)).with_state(Arc::new(binding))
}

async fn wrong_method() -> Response {
    let allow = [(header::ALLOW, HeaderValue::from_static("POST"))];
    (NO_CACHING, allow, refusal(StatusCode::METHOD_NOT_ALLOWED, "DSKPP requests use POST\n")).into_response()
}

async fn receive(
    State(binding): State<Arc<HttpBinding>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let response = match answer(&binding, peer, request).await {
        Ok(message) => {
            let media_type = [(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
            (media_type, Body::from(message)).into_response()
        }
        Err(refused) => refused,
    };
    (NO_CACHING, response).into_response()
}

#[expect(clippy::result_large_err, reason = "the error is the response, made once a request")]
async fn answer(binding: &HttpBinding, peer: SocketAddr, request: Request) -> Result<Vec<u8>, Response> {
    if !is_dskpp(request.headers()) {
        return Err(refusal(StatusCode::BAD_REQUEST, "the Content-Type must be application/dskpp+xml\n"));
    }
    binding.rates.admit(peer.into()).map_err(too_many)?;
    let body = tokio::time::timeout(binding.body_timeout, read(request.into_body()))
        .await
        .unwrap_or_else(|_| Err(refusal(StatusCode::REQUEST_TIMEOUT, "the body took too long\n")))?;
    response(binding.service.answer(body, peer).await)
}

#[expect(clippy::result_large_err, reason = "the error is the response, made once a request")]
fn response(answer: ServiceAnswer) -> Result<Vec<u8>, Response> {
    match answer {
        ServiceAnswer::Message(message) => Ok(message),
        ServiceAnswer::NotDskpp => Err(refusal(StatusCode::BAD_REQUEST, "the body is not a DSKPP request\n")),
        ServiceAnswer::TooMany(wait) => Err(too_many(wait)),
        ServiceAnswer::Unavailable => Err(refusal(StatusCode::SERVICE_UNAVAILABLE, "the store is unavailable\n")),
        ServiceAnswer::Defect => {
            Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, "the request could not be processed\n"))
        }
    }
}

/// An HTTP refusal: its body is only for people (RFC 6063 §7.2.4).
fn refusal(status: StatusCode, text: &'static str) -> Response {
    (status, text).into_response()
}

fn too_many(wait: RetryAfter) -> Response {
    let after = [(header::RETRY_AFTER, HeaderValue::from(wait.seconds()))];
    (after, refusal(StatusCode::TOO_MANY_REQUESTS, "try again after the delay in Retry-After\n")).into_response()
}

/// Whether there is exactly one Content-Type, that of DSKPP; a `charset` must be UTF-8 (profile P25).
fn is_dskpp(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(media_type), None) = (types.next(), types.next()) else { return false };
    let Ok(media_type) = media_type.to_str() else { return false };
    let mut parts = media_type.split(';').map(str::trim);
    parts.next().is_some_and(|media_type| media_type.eq_ignore_ascii_case(MEDIA_TYPE))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim_end().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Octets of an oversized body to read and discard: a peer that is still sending would otherwise see a broken
/// connection instead of the answer.
const MAX_DISCARDED: usize = 1024 * 1024;

/// The whole body, at most [`MAX_MESSAGE_LEN`] octets; never buffers more.
async fn read(body: Body) -> Result<Bytes, Response> {
    let unreadable = |_| refusal(StatusCode::BAD_REQUEST, "the body cannot be read\n");
    let mut stream = body.into_data_stream();
    let Some(first) = stream.try_next().await.map_err(unreadable)? else { return Ok(Bytes::new()) };
    let (mut len, mut rest) = (first.len(), Vec::new());
    while let Some(next) = stream.try_next().await.map_err(unreadable)? {
        len += next.len();
        if len > MAX_DISCARDED {
            break;
        }
        if len <= MAX_MESSAGE_LEN {
            rest.extend_from_slice(&next);
        }
    }
    match (len > MAX_MESSAGE_LEN, rest.is_empty()) {
        (true, _) => Err(refusal(StatusCode::PAYLOAD_TOO_LARGE, "a DSKPP message has at most 64 KiB\n")),
        (false, true) => Ok(first), // the usual case, without a copy
        (false, false) => Ok([&first[..], &rest].concat().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s7_2_4_p27_other_answers_than_dskpp_have_their_http_status() {
        let wait = RetryAfter(Duration::from_secs(7));
        for (answer, status) in [
            (ServiceAnswer::NotDskpp, 400),
            (ServiceAnswer::TooMany(wait), 429),
            (ServiceAnswer::Defect, 500),
            (ServiceAnswer::Unavailable, 503),
        ] {
            let refused = response(answer).unwrap_err();
            assert_eq!(refused.status().as_u16(), status);
            let after = refused.headers().get(header::RETRY_AFTER);
            assert_eq!(after.map(|after| after.to_str().unwrap()), (status == 429).then_some("7"), "{status}");
        }
        assert_eq!(response(ServiceAnswer::Message(b"<m/>".to_vec())).unwrap(), b"<m/>");
    }

    #[test]
    fn p27_the_content_type_allows_any_parameters_but_a_foreign_charset() {
        for (types, accepted) in [
            (&["application/dskpp+xml"][..], true),
            (&["Application/DSKPP+XML; charset=UTF-8"], true),
            (&["application/dskpp+xml;charset=\"utf-8\""], true),
            (&["application/dskpp+xml; version=1.0"], true),
            (&["application/dskpp+xml;"], true),
            (&["application/dskpp+xml; charset=iso-8859-1"], false),
            (&["application/dskpp+xml; CHARSET = utf-16"], false),
            (&["application/dskpp"], false),
            (&["application/dskpp+xml, text/xml"], false),
            (&["text/xml"], false),
            (&[""], false),
            (&[], false),
            (&["application/dskpp+xml", "application/dskpp+xml"], false),
            (&["application/dskpp+xml\u{ff}"], false),
        ] {
            let mut headers = HeaderMap::new();
            for media_type in types {
                headers.append(header::CONTENT_TYPE, HeaderValue::from_bytes(media_type.as_bytes()).unwrap());
            }
            assert_eq!(is_dskpp(&headers), accepted, "{types:?}");
        }
    }

    #[tokio::test]
    async fn p25_the_body_limit_applies_with_and_without_a_length() {
        let chunks = |sizes: &[usize]| {
            let chunks: Vec<_> = sizes.iter().map(|size| Ok::<_, std::io::Error>(vec![b'x'; *size])).collect();
            Body::from_stream(futures_util::stream::iter(chunks))
        };
        for (body, len) in [
            (Body::empty(), Some(0)),
            (Body::from(vec![b'x'; MAX_MESSAGE_LEN]), Some(MAX_MESSAGE_LEN)),
            (Body::from(vec![b'x'; MAX_MESSAGE_LEN + 1]), None),
            (chunks(&[1, 2, 3]), Some(6)),
            (chunks(&[MAX_MESSAGE_LEN - 1, 1]), Some(MAX_MESSAGE_LEN)),
            (chunks(&[MAX_MESSAGE_LEN, 1]), None),
            (chunks(&[MAX_MESSAGE_LEN + 1]), None),
            (chunks(&[MAX_DISCARDED; 8]), None),
        ] {
            match read(body).await {
                Ok(octets) => assert_eq!(Some(octets.len()), len),
                Err(refused) => {
                    assert_eq!(len, None);
                    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
                }
            }
        }
    }
}
