//! Requests to sinks: over TLS, or to this machine; no redirection, no answer that is long or late. What an answer says
//! is never logged, as it may have the secret.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dskpp_crypto::Secret;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url, redirect};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::Failure;
use crate::files;

/// Longest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;

/// A server to which a sink sends requests.
#[derive(Clone, Debug)]
pub(super) struct Server {
    client: Client,
    url: Url,
}

impl Server {
    /// `Err`: the faulty key and why.
    pub(super) fn new(url: &str, ca_file: &Path, timeout_s: u64) -> Result<Self, (&'static str, String)> {
        let url: Url = url.parse().map_err(|_| ("url", "is no URL".to_owned()))?;
        let is_local = match url.host_str().map(|host| host.trim_matches(['[', ']'])) {
            Some("localhost") => true,
            Some(host) => host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback()),
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_local) {
            return Err(("url", "must be an https URL, or http to this machine".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(("url", "must not have a user or password in it".to_owned()));
        }
        let timeout = Duration::from_secs(timeout_s);
        let builder = Client::builder()
            .tls_backend_preconfigured(tls(ca_file).map_err(|why| ("ca_file", why))?)
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .user_agent("dskpp")
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .timeout(timeout);
        let builder = if is_local { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|why| ("url", innermost(&why)))?;
        Ok(Server { client, url })
    }

    /// The URL without what may be secret in it.
    pub(super) fn shown(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.into()
    }

    /// A request to the URL itself.
    pub(super) fn request(&self, method: Method) -> RequestBuilder {
        self.client.request(method, self.url.clone())
    }

    /// A request to a path below the URL, whose segments are `path`.
    pub(super) fn request_below(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        self.client.request(method, url)
    }

    /// Whether something answers, whatever it says.
    pub(super) async fn reach(&self) -> Result<(), Failure> {
        send(self.request(Method::HEAD)).await.map(drop)
    }
}

/// Trusts the system's certificates, or those of a PEM file.
fn tls(ca_file: &Path) -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|why| why.to_string())?;
    let builder = match ca_file.as_os_str().is_empty() {
        true => builder.with_platform_verifier().map_err(|why| why.to_string())?,
        false => {
            let mut roots = RootCertStore::empty();
            for certificate in files::read_certificates(ca_file).map_err(|why| why.to_string())? {
                roots.add(certificate).map_err(|why| why.to_string())?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}

/// Sends a request; gives the answer's status and what is still to be read of it.
pub(super) async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    request.send().await.map_err(|why| Failure::Down(reason(&why)))
}

/// What a status says of a request.
pub(super) fn check(status: StatusCode) -> Result<(), Failure> {
    use StatusCode as S;
    let why = format!("it answered HTTP {}", status.as_u16());
    match status {
        status if status.is_success() => Ok(()),
        status if status.is_redirection() => Err(Failure::Down(format!("{why}: redirections are not followed"))),
        S::UNAUTHORIZED | S::FORBIDDEN | S::NOT_FOUND | S::METHOD_NOT_ALLOWED => Err(Failure::Down(why)),
        S::REQUEST_TIMEOUT | S::TOO_EARLY | S::TOO_MANY_REQUESTS => Err(Failure::Down(why)),
        status if status.is_server_error() => Err(Failure::Down(why)),
        _ => Err(Failure::Refused(why)),
    }
}

/// The body of an answer.
pub(super) async fn body(mut answer: Response) -> Result<Secret, Failure> {
    let mut body = Vec::with_capacity(MAX_ANSWER); // never moves, so that no copy is left behind
    while let Some(chunk) = answer.chunk().await.map_err(|why| Failure::Down(reason(&why)))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(Failure::Refused(format!("its answer is longer than {MAX_ANSWER} octets")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Secret::new(body))
}

/// In words for people, without the URL and without what the server sent.
fn reason(error: &reqwest::Error) -> String {
    let what = match error {
        error if error.is_timeout() => return "it did not answer in time".to_owned(),
        error if error.is_connect() => "cannot be reached",
        _ => "the connection broke",
    };
    format!("{what}: {}", innermost(error))
}

fn innermost(error: &reqwest::Error) -> String {
    let Some(mut inner) = error.source() else { return "no reason given".to_owned() };
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}
