//! What any call may return.

use serde::{Deserialize, Serialize};

use crate::{Named, ProblemType};

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ListPage<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// The `after` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why a call failed (RFC 9457). The server sends every member; proxies may omit any. Behind a balancer that gives
/// requests an id (`X-Request-ID`), the server adds it as the member `request_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// The type, for programs.
    #[serde(rename = "type")]
    pub kind: Option<Named<ProblemType>>,
    /// The HTTP status text.
    pub title: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The reason, for people.
    pub detail: Option<String>,
}

/// The media type of a [`Problem`].
pub const MEDIA_TYPE_PROBLEM: &str = "application/problem+json";
