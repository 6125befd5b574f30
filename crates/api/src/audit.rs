//! The audit trail.

use serde::{Deserialize, Serialize};

use crate::AuditOrder;

/// Which entries of the audit trail to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only this event, such as `key.exported`; not in the order `chain`.
    pub event: Option<String>,
    /// Only entries at or after this time (RFC 3339); not in the order `chain`.
    pub since: Option<String>,
    /// Only entries before this time (RFC 3339); not in the order `chain`.
    pub until: Option<String>,
    /// `oldest` by default.
    pub order: Option<AuditOrder>,
    /// Only entries after this one: `next` of the previous page in the same order.
    pub after: Option<String>,
    /// Page size, 1 to 1000; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 1000)))]
    pub limit: Option<usize>,
}

/// An entry of the audit trail. Each connection of a server to its database that writes appends to a chain of its own.
///
/// `hash` is SHA-256(`hash` of the entry before it in its chain || `at` in seconds since 1970, 8 octets || length of
/// `event` in octets, 8 octets || `event` || `subject`); nothing stands before a chain's first entry. Numbers are big
/// endian.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuditEntry {
    /// The chain.
    pub chain: String,
    /// The entry's number in it, without gaps from 1.
    pub seq: i64,
    /// The time, in whole seconds (RFC 3339, UTC).
    pub at: String,
    /// What happened.
    pub event: String,
    /// To what, and by whom: a JSON document as the text that the digest covers.
    pub subject: String,
    /// The digest, in hexadecimal.
    pub hash: String,
}

/// An audit entry in a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected an audit entry")]
pub enum ListedAuditEntry {
    /// Its row in the database is damaged.
    Unreadable(UnreadableAuditEntry),
    /// A readable entry.
    Readable(AuditEntry),
}

/// An audit entry whose row in the database is damaged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UnreadableAuditEntry {
    /// The chain.
    pub chain: String,
    /// The entry's number in it.
    pub seq: i64,
    /// The first unreadable column.
    pub unreadable: String,
}
