//! The HTTP client for all requests, with one set of rules.

use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Url, redirect};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::BuilderVerifierExt;

use super::TransportError;

/// An HTTP client.
///
/// - It speaks TLS to other machines, so that no token or code is sent in the clear, and also plain HTTP to this one.
/// - It uses the proxy of the environment for other machines, never for this one.
/// - It follows no redirection, so that no request, and no token in it, goes where the caller did not send it.
#[derive(Clone, Debug)]
pub struct HttpClient {
    local: Client,
    remote: Client,
    insecure: bool,
}

impl HttpClient {
    /// The timeout of a connection attempt.
    pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
    /// The timeout of a request.
    pub const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

    /// Trusts the certificates in the PEM file `ca`, or those of the system. It does not connect.
    pub fn new(ca: Option<&Path>) -> Result<Self, TransportError> {
        Self::with_connect_timeout(ca, Self::CONNECT_TIMEOUT)
    }

    /// Like [`new`](Self::new), with a different connection timeout.
    pub(super) fn with_connect_timeout(ca: Option<&Path>, timeout: Duration) -> Result<Self, TransportError> {
        let tls = tls_config(ca)?;
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                .connect_timeout(timeout)
                .timeout(Self::TOTAL_TIMEOUT)
        };
        let setup = |error: reqwest::Error| TransportError::Setup(super::innermost(&error));
        let (local, remote) = (builder().no_proxy().build(), builder().build());
        Ok(Self { local: local.map_err(setup)?, remote: remote.map_err(setup)?, insecure: false })
    }

    /// Allows plain HTTP to other machines; only for tests.
    pub(super) fn insecure(self, insecure: bool) -> Self {
        Self { insecure, ..self }
    }

    /// A request to `url`, with [`TOTAL_TIMEOUT`](Self::TOTAL_TIMEOUT) unless the caller changes it.
    ///
    /// # Errors
    /// [`TransportError::NotHttps`], [`TransportError::BadUrl`].
    pub fn request(&self, method: Method, url: &str) -> Result<RequestBuilder, TransportError> {
        Ok(self.request_to(method, &self.url(url)?))
    }

    /// `url`, if this client may send requests there.
    pub(super) fn url(&self, url: &str) -> Result<Url, TransportError> {
        match check_url(url) {
            Err(TransportError::NotHttps(_)) if self.insecure => {
                Url::parse(url).map_err(|_| TransportError::NotHttps(url.to_owned()))
            }
            checked => checked,
        }
    }

    pub(super) fn request_to(&self, method: Method, url: &Url) -> RequestBuilder {
        let client = if is_loopback(url) { &self.local } else { &self.remote };
        client.request(method, url.clone())
    }
}

/// `url`, if it is https, or http to this machine.
///
/// # Errors
/// [`TransportError::NotHttps`], [`TransportError::BadUrl`].
pub fn check_url(url: &str) -> Result<Url, TransportError> {
    let bad = |reason: String| TransportError::BadUrl { url: url.to_owned(), reason };
    let parsed = Url::parse(url).map_err(|error| bad(error.to_string()))?;
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if is_loopback(&parsed) => Ok(parsed),
        "http" => Err(TransportError::NotHttps(url.to_owned())),
        _ => Err(bad("its scheme is not https".to_owned())),
    }
}

/// Whether the URL's host is this machine, by name or address.
fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// The TLS configuration of this client: versions 1.2 and 1.3, trusting the system's roots or the certificates of a PEM
/// file.
pub fn tls_config(ca: Option<&Path>) -> Result<ClientConfig, TransportError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let setup = |error: rustls::Error| TransportError::Setup(error.to_string());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(setup)?;
    let builder = match ca {
        None => builder.with_platform_verifier().map_err(setup)?,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            let certificates = read_certificates(path).map_err(|reason| ca_file(path, reason))?;
            if !certificates.iter().any(|certificate| dskpp_crypto::can_be_anchor(certificate)) {
                return Err(TransportError::NotAuthority(path.to_owned()));
            }
            for certificate in certificates {
                roots.add(certificate.into()).map_err(|error| ca_file(path, error.to_string()))?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(builder.with_no_client_auth())
}

fn ca_file(path: &Path, reason: String) -> TransportError {
    TransportError::CaFile { path: path.to_owned(), reason }
}

/// The certificates of a PEM file in order, DER, at least one, or the certificate of a DER file. It ignores other PEM
/// sections and a byte order mark.
///
/// # Errors
/// In words for people, without the name of the file: it cannot be read, is not PEM, or has no certificate.
pub fn read_certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    const MOST: u64 = 16 * 1024 * 1024; // a whole collection of CA certificates is far shorter
    let mut octets = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut octets));
    read.map_err(|why| format!("it cannot be read: {why}"))?;
    if matches!(octets[..], [0x30, 0x80..=0x84, ..]) {
        return Ok(vec![octets]);
    }
    let pem = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&octets);
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err("it contains no certificate".to_owned()),
        Ok(certificates) => Ok(certificates.into_iter().map(|certificate| certificate.to_vec()).collect()),
        Err(error) => Err(error.to_string()),
    }
}
