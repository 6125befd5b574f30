//! Why a request failed.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use rustls::CertificateError;

/// Why a request failed. [`next`](Self::next) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Not a URL with a host.
    #[error("'{url}' is not a server's URL: {reason}")]
    BadUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Plain HTTP to another host.
    #[error("'{0}' is not protected by TLS")]
    NotHttps(String),
    /// The CA file is unusable.
    #[error("cannot use the CA file {path}: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The CA file has no CA certificate.
    #[error("{0} contains no CA certificate (CA:TRUE)")]
    NotAuthority(PathBuf),
    /// TLS is unavailable.
    #[error("cannot set up TLS: {0}")]
    Setup(String),
    /// The server's certificate is not acceptable.
    #[error("the TLS certificate of {host} is not acceptable: {fault}")]
    Certificate {
        /// The server.
        host: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// The port does not speak plain HTTP, but probably TLS.
    #[error("{0} does not speak plain HTTP: it probably expects TLS")]
    ExpectsTls(String),
    /// The port does not speak TLS.
    #[error("{0} does not speak TLS")]
    NoTls(String),
    /// No connection; the request was not sent.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// The server.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The connection ended, or time ran out, after the request may have reached the server.
    #[error("the answer of {host} was lost: {reason}")]
    Lost {
        /// The server.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// A redirection that this client does not follow (profile P30).
    #[error("the server redirects to '{to}', which this client does not follow: {reason}")]
    Redirected {
        /// The target.
        to: String,
        /// Why it is not followed.
        reason: &'static str,
    },
    /// More than 64 KiB.
    #[error("the answer of {0} is longer than 64 KiB")]
    TooLong(String),
    /// HTTP 429, or 503 with `Retry-After`, beyond this client's patience.
    #[error("the server is busy (HTTP {status})")]
    Busy {
        /// The status code.
        status: u16,
        /// `Retry-After`, counted from the answer.
        retry_after: Option<Duration>,
    },
    /// Any other status except 200.
    #[error("the server answered HTTP {status}")]
    Status {
        /// The status code.
        status: u16,
    },
    /// An answer with a different media type.
    #[error("the server answered with '{0}' instead of a DSKPP message")]
    MediaType(String),
}

/// What is wrong with a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// No trust anchor leads to it.
    #[error("it was not issued by a trusted CA")]
    UnknownIssuer,
    /// Its issuer has the name of a trust anchor, but a different key.
    #[error("its issuer has the name of a trusted CA, but a different key")]
    OtherIssuer,
    /// It is a CA certificate.
    #[error("it is a CA certificate, which no server may use as its own")]
    IsCa,
    /// It is for different host names.
    #[error("it is not for this host name")]
    OtherName,
    /// It has expired, by this machine's clock.
    #[error("it has expired")]
    Expired,
    /// It is not valid yet, by this machine's clock.
    #[error("it is not valid yet")]
    NotValidYet,
    /// Something else.
    #[error("{0}")]
    Other(String),
}

impl CertificateFault {
    pub(super) fn of(error: &CertificateError) -> Self {
        use CertificateError::{
            BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
            NotValidYetContext, UnknownIssuer,
        };
        match error {
            UnknownIssuer => Self::UnknownIssuer,
            BadSignature => Self::OtherIssuer,
            NotValidForName | NotValidForNameContext { .. } => Self::OtherName,
            Expired | ExpiredContext { .. } => Self::Expired,
            NotValidYet | NotValidYetContext { .. } => Self::NotValidYet,
            other => match other.to_string() {
                text if text.contains("CaUsedAsEndEntity") => Self::IsCa,
                text => Self::Other(text),
            },
        }
    }

    fn next(&self) -> &'static str {
        match self {
            Self::UnknownIssuer => {
                "name the CA certificate of the server with --ca FILE: a dskpp server with a private CA has it as \
                 tls/ca.pem in its data folder. If you did, that file belongs to a different server"
            }
            Self::OtherIssuer => {
                "the --ca file belongs to a different server, or to an earlier CA of this one: get the current one from the \
                 operator"
            }
            Self::IsCa => {
                "the operator must configure a certificate that this CA issued for the server, not the CA's own \
                 certificate"
            }
            Self::OtherName => "use the host name of the certificate, or ask the operator",
            Self::Expired => {
                "check the clock of this machine; if it is right, ask the operator to renew the certificate"
            }
            Self::NotValidYet => "check the clock of this machine; if it is right, tell the operator",
            Self::Other(_) => "do not continue, and tell the operator of the server",
        }
    }
}

impl TransportError {
    /// Why a request to `url` failed.
    pub fn of(url: &Url, error: &reqwest::Error) -> Self {
        super::failed(url, error)
    }

    /// Whether the server may have processed the request: the same octets may be sent again (profile P28).
    pub fn is_lost(&self) -> bool {
        matches!(self, TransportError::Lost { .. })
    }

    /// What to do about it, in words for the user.
    pub fn next(&self) -> String {
        match self {
            Self::BadUrl { .. } => "give it as https://host/path".into(),
            Self::NotHttps(_) => "use the server's https:// URL".into(),
            Self::CaFile { .. } => "give a PEM file with certificates with --ca".into(),
            Self::NotAuthority(_) => {
                "give the certificate of the server's CA with --ca: a dskpp server with a private CA keeps it as \
                 tls/ca.pem in its data folder"
                    .into()
            }
            Self::Setup(_) => "install the system's CA certificates, or give the server's CA with --ca".into(),
            Self::Certificate { fault, .. } => fault.next().into(),
            Self::ExpectsTls(host) => format!("use https://{host} instead of http://{host}"),
            Self::NoTls(_) => {
                "check the port; a server on this machine that runs with --http has an http:// URL".into()
            }
            Self::Unreachable { .. } => "check the server, its URL, and the network".into(),
            Self::Lost { .. } => "run the same command again".into(),
            Self::Redirected { .. } => "ask the server's operator for the right URL".into(),
            Self::TooLong(_) => "check the URL: no DSKPP server answers there".into(),
            Self::Busy { retry_after, .. } => {
                let when = match retry_after.map(|wait| wait.as_secs()) {
                    Some(0..=1) => "in a second".to_owned(),
                    Some(seconds) => format!("in {seconds} seconds"),
                    None => "in a minute".to_owned(),
                };
                format!("nothing was used up: run the same command again {when}")
            }
            Self::Status { status } => advice(*status).into(),
            Self::MediaType(_) => "check the path of the URL".into(),
        }
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        400 | 415 | 422 => "check the URL: that server cannot read this client's message",
        401 | 403 => "ask the server's operator: this client has no access",
        404 | 405 | 410 => "check the path of the URL: no DSKPP service is there",
        408 | 502 | 503 | 504 => "run the same command again later: the server is not available",
        413 => "check the URL: the message is too long for that server",
        500..=599 => "run the same command again later, or tell the server's operator",
        _ => "check the URL: this is not a DSKPP answer",
    }
}
