//! Why there is no answer.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use rustls::CertificateError;

/// Why there is no answer to a request. [`next`](Self::next) says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Not a URL with a host.
    #[error("'{url}' is not a server's URL: {reason}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Plain HTTP to another host.
    #[error("'{0}' is not protected by TLS")]
    NotHttps(String),
    /// The CA file cannot be used.
    #[error("the CA file {path} cannot be used: {reason}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The CA file has certificates, and none that could certify a server.
    #[error("{0} has no certificate of an authority (CA:TRUE)")]
    NotAuthority(PathBuf),
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
    /// The server's certificate is not acceptable.
    #[error("the TLS certificate of {host} was not accepted: {fault}")]
    Certificate {
        /// The server.
        host: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// Plain HTTP was spoken to a port that speaks something else, which is TLS most of the time.
    #[error("{0} does not speak plain HTTP: it probably expects TLS")]
    ExpectsTls(String),
    /// TLS was spoken to a port that does not speak it.
    #[error("{0} does not speak TLS")]
    NoTls(String),
    /// There is no connection; the request was not sent.
    #[error("{host} cannot be reached: {reason}")]
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
    /// A redirection that is not followed (profile P30).
    #[error("the server redirects to '{to}', which is not followed: {reason}")]
    Redirected {
        /// The target.
        to: String,
        /// Why it is not followed.
        reason: &'static str,
    },
    /// More than 64 KiB.
    #[error("the answer of {0} is longer than 64 KiB")]
    TooLong(String),
    /// HTTP 429, or 503 with `Retry-After`, for longer than this client waits.
    #[error("the server is busy (HTTP {status})")]
    Busy {
        /// The status code.
        status: u16,
        /// `Retry-After`, from the answer on.
        retry_after: Option<Duration>,
    },
    /// Any other status than 200.
    #[error("the server answered HTTP {status}")]
    Status {
        /// The status code.
        status: u16,
    },
    /// An answer of another media type.
    #[error("the server answered with '{0}' instead of a DSKPP message")]
    MediaType(String),
}

/// What is wrong with a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFault {
    /// No trust anchor leads to it.
    #[error("no trusted authority has issued it")]
    UnknownIssuer,
    /// Its issuer has the name of a trust anchor, and another key.
    #[error("its issuer has the name of a trusted authority, but another key")]
    OtherIssuer,
    /// It is the certificate of an authority.
    #[error("it is the certificate of an authority, which no server may use as its own")]
    IsCa,
    /// It is for other names.
    #[error("it is not for this host name")]
    OtherName,
    /// It has expired, by this machine's clock.
    #[error("it has expired")]
    Expired,
    /// It is not valid yet, by this machine's clock.
    #[error("it is not valid yet")]
    NotValidYet,
    /// Something else, in words.
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
                 tls/ca.pem in its data folder. If you did, it is of another server"
            }
            Self::OtherIssuer => {
                "the file that --ca names is of another server, or of an earlier CA of this one: get the present one from \
                 the operator"
            }
            Self::IsCa => {
                "the operator must configure a certificate that this authority has issued for the server, not the \
                 authority's own"
            }
            Self::OtherName => "use the host name that the certificate is for, or ask the operator",
            Self::Expired => {
                "check the clock of this machine; if it is right, ask the operator to renew the certificate"
            }
            Self::NotValidYet => "check the clock of this machine; if it is right, tell the operator",
            Self::Other(_) => "tell the operator of the server; do not go on",
        }
    }
}

impl TransportError {
    /// Why a request to `url` failed.
    pub fn of(url: &Url, error: &reqwest::Error) -> Self {
        super::failed(url, error)
    }

    /// Whether the server may have done its work although no answer came: the same octets may be sent once more
    /// (profile P28).
    pub fn is_lost(&self) -> bool {
        matches!(self, TransportError::Lost { .. })
    }

    /// What to do about it, in words for the person at this program.
    pub fn next(&self) -> String {
        match self {
            Self::BadUrl { .. } => "give it as https://host/path".into(),
            Self::NotHttps(_) => "use the server's https:// URL".into(),
            Self::CaFile { .. } => "name a PEM file with certificates with --ca".into(),
            Self::NotAuthority(_) => {
                "name with --ca the certificate of the authority that issued the server's: a dskpp server \
                 with a private CA has it as tls/ca.pem in its data folder"
                    .into()
            }
            Self::Setup(_) => "install the system's CA certificates, or name the server's CA with --ca".into(),
            Self::Certificate { fault, .. } => fault.next().into(),
            Self::ExpectsTls(host) => format!("use https://{host} instead of http://{host}"),
            Self::NoTls(_) => {
                "check the port; a server on this machine that runs with --http has an http:// URL".into()
            }
            Self::Unreachable { .. } => "check that the server runs, its URL, and the network".into(),
            Self::Lost { .. } => "run the same command again".into(),
            Self::Redirected { .. } => "ask the server's operator for the right URL".into(),
            Self::TooLong(_) => "check the URL: this is not a DSKPP server's".into(),
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
        400 | 415 | 422 => "check that the URL is a DSKPP server's: it cannot read this client's message",
        401 | 403 => "ask its operator: it does not let this client in",
        404 | 405 | 410 => "check the path of the URL: no DSKPP service is there",
        408 | 502 | 503 | 504 => "run the same command again later: it is not available now",
        413 => "check that the URL is a DSKPP server's: the message is too long for it",
        500..=599 => "run the same command again later, or tell its operator: it failed",
        _ => "check the URL: this is not an answer that DSKPP knows",
    }
}
