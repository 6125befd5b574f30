//! What every call may answer.

use serde::{Deserialize, Serialize};

use crate::{Named, ProblemType};

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The `after` of the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Why a call failed (RFC 9457). The server gives every member; what stands in between may leave any out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// What a program can act on.
    #[serde(rename = "type")]
    pub kind: Option<Named<ProblemType>>,
    /// The HTTP status in words.
    pub title: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// What is wrong, for people.
    pub detail: Option<String>,
}

/// The media type of a [`Problem`].
pub const MEDIA_TYPE_PROBLEM: &str = "application/problem+json";
