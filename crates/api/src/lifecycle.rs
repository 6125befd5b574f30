//! Keys and certificates that end soon, and lost tokens.

use serde::{Deserialize, Serialize};

use crate::{CreatedEnrolment, KeySummary, KeyType, Named};

/// A user whose token is lost: every key and every open enrolment of the user is revoked, and a new enrolment is made. It
/// is for a key like the newest one in use, unless the configuration has a default template or the request says more.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LostRequest {
    /// The user's name.
    pub user: String,
    /// The template of the new enrolment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The group of the user, whose template it is then; not together with `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The type of the new key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<Named<KeyType>>,
    /// Seconds until the new code expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
}

/// What was done for a lost token. Only this answer contains the new code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserLost {
    /// The user's name.
    pub user: String,
    /// The `key_id`s of the keys that were in use.
    pub revoked_keys: Vec<String>,
    /// The identifiers of enrolments whose codes could have been used.
    pub revoked_enrolments: Vec<String>,
    /// The new enrolment.
    pub enrolment: CreatedEnrolment,
}

/// What ends within a time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExpiringQuery {
    /// Seconds from now, at most ten years; 30 days by default.
    pub within_s: Option<u64>,
    /// Only keys after this one: `next` of the previous page.
    pub after: Option<String>,
}

/// Certificates of the server that answers, and keys in use that end within the time. A page has what was found among some
/// ten thousand keys, which may be nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Expiring {
    /// Only on the first page.
    pub certificates: Vec<ExpiringCertificate>,
    /// By identifier.
    pub keys: Vec<KeySummary>,
    /// `after` of the next page; the last one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A certificate that ends soon, or has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExpiringCertificate {
    /// `tls`, `ca` or `k-server`.
    pub certificate: String,
    /// When it expires (RFC 3339, UTC).
    pub expires_at: Option<String>,
}
