//! Why there is no answer.

use std::path::PathBuf;

/// Why there is no answer to a request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Not a URL with a host.
    #[error("'{url}' is not a server's URL ({reason}): give it as https://host/path")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Plain HTTP to another host.
    #[error("'{0}' is not protected by TLS: use the server's https:// URL")]
    NotHttps(String),
    /// The CA file cannot be used.
    #[error("the CA file {path} cannot be used ({reason}): --ca takes a PEM file with certificates")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up at all.
    #[error("TLS cannot be set up ({0}): install the system's CA certificates, or name the server's CA with --ca")]
    Setup(String),
    /// The server's certificate is not acceptable.
    #[error(
        "the TLS certificate of {host} was not accepted: {reason}; if the server has a private CA, name it with \
         --ca FILE, else do not go on"
    )]
    Certificate {
        /// The server.
        host: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no connection; the request was not sent.
    #[error("{host} cannot be reached ({reason}): check the URL and the network")]
    Unreachable {
        /// The server.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The connection ended, or time ran out, after the request may have reached the server.
    #[error("the answer of {host} was lost ({reason}): try again")]
    Lost {
        /// The server.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// A redirection that is not followed (profile P30).
    #[error("the server redirects to '{to}', which is not followed ({reason}): ask its operator for the right URL")]
    Redirected {
        /// The target.
        to: String,
        /// Why it is not followed.
        reason: &'static str,
    },
    /// More than 64 KiB.
    #[error("the answer of {0} is longer than 64 KiB: this is not a DSKPP server's URL")]
    TooLong(String),
    /// HTTP 429.
    #[error(
        "the server asks to wait (HTTP 429): it is busy, or several tries from here were wrong; nothing was used up: try \
         again {}",
        when(.retry_after.as_deref())
    )]
    Busy {
        /// `Retry-After`: seconds or a date.
        retry_after: Option<String>,
    },
    /// Any other status than 200.
    #[error("the server answered HTTP {status}: {advice}", advice = advice(*.status))]
    Status {
        /// The status code.
        status: u16,
    },
    /// An answer of another media type.
    #[error("the server answered with '{0}' instead of a DSKPP message: check the path of the URL")]
    MediaType(String),
}

impl TransportError {
    /// Whether the server may have done its work although no answer came: the same octets may be sent once more
    /// (profile P28).
    pub fn is_lost(&self) -> bool {
        matches!(self, TransportError::Lost { .. })
    }
}

fn when(retry_after: Option<&str>) -> String {
    match retry_after {
        Some("1") => "in a second".to_owned(),
        Some(seconds) if seconds.bytes().all(|octet| octet.is_ascii_digit()) => format!("in {seconds} seconds"),
        Some(date) => format!("after {date}"),
        None => "in a minute".to_owned(),
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        400 | 415 | 422 => "it cannot read this client's message; check that the URL is a DSKPP server's",
        401 | 403 => "it does not let this client in; ask its operator",
        404 | 405 | 410 => "no DSKPP service is there; check the path of the URL",
        408 | 502 | 503 | 504 => "it is not available now; try again later",
        413 => "the message is too long for it; check that the URL is a DSKPP server's",
        500..=599 => "it failed; try again later, or tell its operator",
        _ => "this is not an answer that DSKPP knows; check the URL",
    }
}
