//! DSKPP over HTTP (RFC 6063 §7.2): one POST, one answer.
//!
//! [`HttpClient`], [`check_url`], [`tls_config`] and [`TransportError::of`] show types of `reqwest` and `rustls` on
//! purpose: they are for programs that make other requests by the same rules. Their versions are re-exported here. All
//! else hides them.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, LOCATION, PRAGMA, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};

mod error;
mod http;

pub use error::{CertificateFault, TransportError};
pub use http::{HttpClient, check_url, read_certificates, tls_config};
pub use {reqwest, rustls};

/// The media type of every DSKPP message (RFC 6063 §7.2.1).
pub const MEDIA_TYPE: &str = "application/dskpp+xml";
/// The maximum length of an answer, in octets.
pub const MAX_ANSWER: usize = 64 * 1024;
/// The maximum number of redirections (profile P30).
pub const MAX_REDIRECTS: usize = 5;

/// The maximum total wait for a busy server (`Retry-After`).
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How to reach servers.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransportOptions {
    /// A PEM file with the trust anchors for TLS; `None`: those of the system.
    pub ca: Option<PathBuf>,
    /// Allows plain HTTP to other hosts; only for tests.
    pub insecure: bool,
    /// The timeout of a connection attempt.
    pub connect_timeout: Duration,
    /// The timeout of a request, redirections included.
    pub total_timeout: Duration,
    /// Called before the client waits for a busy server, with the length of the wait, to show the user.
    pub waiting: Option<fn(Duration)>,
    /// Records every answered request and its answer.
    pub recording: Option<Recording>,
}

/// Requests and answers in order, to learn from or to debug.
pub type Recording = Arc<Mutex<Vec<Exchange>>>;

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The body of the request.
    pub request: Vec<u8>,
    /// The body of the response.
    pub answer: Vec<u8>,
}

impl TransportOptions {
    /// Trusts the certificates in the PEM file `ca`, or those of the system.
    pub fn trusting(ca: Option<PathBuf>) -> Self {
        TransportOptions { ca, ..Self::default() }
    }
}

impl Default for TransportOptions {
    fn default() -> Self {
        TransportOptions {
            ca: None,
            insecure: false,
            connect_timeout: HttpClient::CONNECT_TIMEOUT,
            total_timeout: HttpClient::TOTAL_TIMEOUT,
            waiting: None,
            recording: None,
        }
    }
}

/// The minimum wait for a busy server.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// Sends messages to servers: over TLS, without cookies and cache, with the redirections of profile P30 only.
#[derive(Clone, Debug)]
pub struct Transport {
    client: HttpClient,
    total_timeout: Duration,
    waiting: Option<fn(Duration)>,
    recording: Option<Recording>,
}

impl Transport {
    /// Reads the CA certificates. It does not connect.
    pub fn new(options: &TransportOptions) -> Result<Self, TransportError> {
        let client = HttpClient::with_connect_timeout(options.ca.as_deref(), options.connect_timeout)?;
        Ok(Transport {
            client: client.insecure(options.insecure),
            total_timeout: options.total_timeout,
            waiting: options.waiting,
            recording: options.recording.clone(),
        })
    }

    /// Posts a message and returns the body of the answer, at most 64 KiB.
    ///
    /// It posts again to a busy server after its `Retry-After`, for at most [`PATIENCE`] in total, and otherwise once to
    /// each URL of a redirection. After a [lost](TransportError::is_lost) answer, the same `body` may be posted again.
    pub async fn post(&self, url: &str, body: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut patience = PATIENCE;
        loop {
            let wait = match self.post_once(url, body).await {
                Err(TransportError::Busy { retry_after: Some(wait), .. }) if wait <= patience => wait.max(LEAST_WAIT),
                other => return other,
            };
            patience = patience.saturating_sub(wait);
            if let Some(waiting) = self.waiting {
                waiting(wait);
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn post_once(&self, url: &str, body: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut at = self.client.url(url)?;
        let deadline = tokio::time::Instant::now() + self.total_timeout;
        for _ in 0..=MAX_REDIRECTS {
            let answer = tokio::time::timeout_at(deadline, self.exchange(&at, body)).await;
            match answer.unwrap_or_else(|_| Err(lost(&at, "no answer in time")))? {
                HttpAnswer::Body(answer) => {
                    if let Some(recording) = &self.recording {
                        let mut recording = recording.lock().unwrap_or_else(PoisonError::into_inner);
                        recording.push(Exchange { request: body.to_vec(), answer: answer.clone() });
                    }
                    return Ok(answer);
                }
                HttpAnswer::Elsewhere(to) => {
                    tracing::debug!(from = %at, %to, "redirected");
                    at = to;
                }
            }
        }
        Err(TransportError::Redirected { to: at.into(), reason: "it is the sixth redirection in a row" })
    }

    async fn exchange(&self, url: &Url, body: &[u8]) -> Result<HttpAnswer, TransportError> {
        let request = self.client.request_to(Method::POST, url).headers(headers()).timeout(self.total_timeout);
        let sent = request.body(body.to_vec()).send().await;
        let mut response = sent.map_err(|error| failed(url, &error))?;
        match response.status() {
            StatusCode::OK => {}
            status if status.is_redirection() => return redirection(&response).map(HttpAnswer::Elsewhere),
            status => {
                let retry_after = retry_after(&response);
                let is_busy = status == StatusCode::TOO_MANY_REQUESTS
                    || status == StatusCode::SERVICE_UNAVAILABLE && retry_after.is_some();
                let status = status.as_u16();
                return Err(match is_busy {
                    true => TransportError::Busy { status, retry_after },
                    false => TransportError::Status { status },
                });
            }
        }
        is_dskpp(&response)?;
        if response.content_length().is_some_and(|length| length > MAX_ANSWER as u64) {
            return Err(TransportError::TooLong(host(url)));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(url, &error))? {
            if answer.len() + chunk.len() > MAX_ANSWER {
                return Err(TransportError::TooLong(host(url)));
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(HttpAnswer::Body(answer))
    }
}

enum HttpAnswer {
    Body(Vec<u8>),
    Elsewhere(Url),
}

/// RFC 6063 §7.2.2.
fn headers() -> HeaderMap {
    use reqwest::header::HeaderValue;
    [
        (CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)),
        (ACCEPT, HeaderValue::from_static(MEDIA_TYPE)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ]
    .into_iter()
    .collect()
}

/// The target of a 307 or 308 to https; other redirections may drop the message (profile P30).
fn redirection(response: &Response) -> Result<Url, TransportError> {
    let location = header(response, LOCATION.as_str()).unwrap_or_default();
    let refused = |reason| TransportError::Redirected { to: printable(&location), reason };
    if !matches!(response.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
        return Err(refused("only HTTP 307 and 308 are followed"));
    }
    if location.is_empty() {
        return Err(refused("it has no URL"));
    }
    match response.url().join(&location) {
        Ok(url) if url.scheme() == "https" => Ok(url),
        Ok(_) => Err(refused("its target is not https")),
        Err(_) => Err(refused("its target is not a URL")),
    }
}

fn is_dskpp(response: &Response) -> Result<(), TransportError> {
    let found = header(response, CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = found.split(';').next().unwrap_or_default().trim();
    match media_type.eq_ignore_ascii_case(MEDIA_TYPE) {
        true => Ok(()),
        false => Err(TransportError::MediaType(printable(media_type))),
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110 §10.2.3).
fn retry_after(response: &Response) -> Option<Duration> {
    let text = header(response, RETRY_AFTER.as_str())?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(&text).ok()?.timestamp();
    Some(at.duration_since(jiff::Timestamp::now()).try_into().unwrap_or(Duration::ZERO)) // in the past: no wait
}

fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A foreign text, made safe for a message.
fn printable(text: &str) -> String {
    pskc::Shown(text).to_string()
}

fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or("the server").to_owned(),
    }
}

fn lost(url: &Url, reason: impl Into<String>) -> TransportError {
    TransportError::Lost { host: host(url), reason: reason.into() }
}

fn failed(url: &Url, error: &reqwest::Error) -> TransportError {
    let host = host(url);
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(why)) => {
            return TransportError::Certificate { host, fault: CertificateFault::of(why) };
        }
        Some(rustls::Error::InvalidMessage(_)) => return TransportError::NoTls(host),
        Some(error) if is_handshake(error) => return TransportError::Unreachable { host, reason: error.to_string() },
        _ => {}
    }
    let reason = innermost(error);
    if url.scheme() == "http" && is_no_http(error) {
        return TransportError::ExpectsTls(host);
    }
    match error.is_connect() || error.is_builder() {
        true => TransportError::Unreachable { host, reason },
        false => TransportError::Lost { host, reason },
    }
}

fn is_handshake(error: &rustls::Error) -> bool {
    use rustls::Error::*;
    matches!(error, AlertReceived(_) | PeerIncompatible(_) | NoCertificatesPresented)
}

/// Whether the answer is not HTTP, such as the alert of a server that expects TLS.
fn is_no_http(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        next = error.source();
    }
    false
}

/// The TLS error that caused this one, if any. `io::Error` does not report what it wraps as its source.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut next = error.source();
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// The last cause, which says most.
fn innermost(error: &reqwest::Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

#[cfg(test)]
pub(crate) mod tests;
