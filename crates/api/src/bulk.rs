//! Bulk calls.

use serde::{Deserialize, Serialize};

use crate::{CreatedEnrolment, DeviceName, KeyState, KeyType, Problem};

/// The media type of a JSON document per line.
pub const MEDIA_TYPE_NDJSON: &str = "application/x-ndjson";

/// What became of one line of a bulk of enrolments: `created` or `problem`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BulkEnrolment {
    /// The line's number, from 1. Blank lines are counted, and have no result.
    pub line: u64,
    /// The enrolment, with its code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Box<CreatedEnrolment>>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

/// Which keys to revoke: those that fulfil everything that is given; one member at least.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeyRevocation {
    /// Keys of this user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Keys in this device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// Keys of this type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<KeyType>,
    /// Keys in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<KeyState>,
    /// Keys that were made or imported at or after this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_since: Option<String>,
    /// Keys that were made or imported before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_until: Option<String>,
}

/// What a [`KeyRevocation`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RevokedKeys {
    /// The number of keys that are revoked now and were not before.
    pub revoked: u64,
}
