//! The id that a balancer gives a request, to find it in the logs of both.

use std::fmt;

use axum::http::{HeaderMap, HeaderName};
use tracing::Instrument as _;

/// The header of the id.
const NAME: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id, in octets.
const MAX_LEN: usize = 128;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// An id of 1 to 128 letters, digits and `-_.:/+=`: it can stand in a log line and in JSON as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(String);

impl RequestId {
    /// The only id among the headers: `None` without one, an error if it is unusable or there are several.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, ()> {
        let mut ids = headers.get_all(NAME).iter();
        let Some(id) = ids.next() else { return Ok(None) };
        let is_usable = |id: &&str| (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(is_part);
        match id.to_str().ok().filter(is_usable) {
            Some(id) if ids.next().is_none() => Ok(Some(RequestId(id.to_owned()))),
            _ => Err(()),
        }
    }

    /// The id of the request that the current task answers.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Answers a request: its log lines carry the id.
    pub(crate) async fn during<T>(self, answer: impl Future<Output = T>) -> T {
        let span = tracing::error_span!("request", id = %self); // whatever the level of the log
        CURRENT.scope(self, answer.instrument(span)).await
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_part(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-_.:/+=".contains(&octet)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn an_id_is_short_and_cannot_write_log_lines() {
        let of = |ids: &[&[u8]]| {
            let header = |id: &&[u8]| (NAME, HeaderValue::from_bytes(id).unwrap());
            RequestId::of(&ids.iter().map(header).collect()).map(|id| id.map(|id| id.to_string()))
        };
        assert_eq!(of(&[]), Ok(None));
        for good in ["1", "550e8400-e29b-41d4-a716-446655440000", "Root=1-67891233:a/b+c_d.e", &"a".repeat(128)] {
            assert_eq!(of(&[good.as_bytes()]), Ok(Some(good.to_owned())));
        }
        for bad in
            [&b""[..], b"a b", b"a\tb", b"a\"b", b"a}: INFO key provisioned", b"a\xc3\xa9", b"\x1b[31m", &[b'a'; 129]]
        {
            // Most control characters, and line ends, are not even header values.
            match HeaderValue::from_bytes(bad) {
                Ok(_) => assert_eq!(of(&[bad]), Err(()), "{bad:?}"),
                Err(_) => assert!(bad.contains(&0x1b)),
            }
        }
        assert_eq!(of(&[b"a", b"b"]), Err(()), "one id");
    }
}
