//! What any call may return.

use serde::{Deserialize, Serialize};

use crate::{Named, ProblemType};

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "PageOf{T}"))]
pub struct ListPage<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// The `after` of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Which page of a list without filters.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// Only entries after this one: `next` of the previous page.
    pub after: Option<String>,
    /// Page size, 1 to 100; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub limit: Option<usize>,
}

/// An entry of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected an entry of the list")]
#[cfg_attr(feature = "schema", schemars(rename = "Listed{T}"))]
pub enum Listed<T> {
    /// Its row in the database is damaged.
    Unreadable(UnreadableRow),
    /// A readable entry.
    Readable(T),
}

/// An entry whose row in the database is damaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnreadableRow {
    /// Its identifier; a user's name.
    pub id: String,
    /// The first unreadable column.
    pub unreadable: String,
}

/// Why a call failed (RFC 9457). The server sends every member; proxies may omit any. Behind a balancer that gives
/// requests an id (`X-Request-ID`), the server adds it as the member `request_id`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Problem {
    /// The type, for programs.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "schema", schemars(with = "Named<ProblemType>"))]
    pub kind: Option<Named<ProblemType>>,
    /// The HTTP status text.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub title: Option<String>,
    /// The HTTP status.
    #[cfg_attr(feature = "schema", schemars(with = "u16"))]
    pub status: Option<u16>,
    /// The reason, for people.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub detail: Option<String>,
}

/// The header of a creating call that makes it safe to send again: a text that the caller draws for each call. Within a
/// day the same call with the same text gets the first answer again (draft-ietf-httpapi-idempotency-key-header).
pub const HEADER_IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The media type of a [`Problem`].
pub const MEDIA_TYPE_PROBLEM: &str = "application/problem+json";
