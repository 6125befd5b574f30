//! Import and export of key files.

use serde::{Deserialize, Serialize};

use crate::{Assign, Rejection, SecretString};

/// The media type of PSKC documents (RFC 6030 §8).
pub const MEDIA_TYPE_PSKC: &str = "application/pskc+xml";

/// The part of an import that a PSKC document holds: at most 20,000 packages with plain secrets, in 16 MiB.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// The import's identifier: 64 hexadecimal digits, the SHA-256 of the whole file and the options.
    pub import: String,
    /// The index of the document's first package in the import, from 0.
    #[cfg_attr(feature = "schema", schemars(range(max = 9_223_372_036_854_755_807_u64)))]
    pub first: u64,
    /// The user to assign all keys to; created if necessary.
    pub user: Option<String>,
    /// How to assign each key to a user, instead of `user`; by default keys stay unassigned.
    pub assign: Option<Assign>,
}

/// The result of one part of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportReport {
    /// The number of imported keys.
    pub accepted: u64,
    /// Keys that existed already.
    pub duplicate: Vec<RejectedKey>,
    /// Refused keys.
    pub refused: Vec<RejectedKey>,
    /// Packages of the whole import processed so far.
    pub done: u64,
}

/// A key that was not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RejectedKey {
    /// The index of its package in the import, from 0.
    pub index: u64,
    /// Its identifier; empty if it has none.
    pub key_id: String,
    /// Whether it existed already or was refused.
    pub kind: Rejection,
    /// The reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The progress of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportProgress {
    /// The import's identifier, in lower case.
    pub id: String,
    /// Packages processed so far.
    pub done: u64,
    /// The number of imported keys.
    pub accepted: u64,
    /// The number of keys that existed already.
    pub duplicate: u64,
    /// The number of refused keys.
    pub refused: u64,
    /// The first keys that were not imported.
    pub rejected: Vec<RejectedKey>,
}

/// An import in a list: [`ImportProgress`] without the rejected keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportSummary {
    /// The import's identifier, in lower case.
    pub id: String,
    /// Packages processed so far.
    pub done: u64,
    /// The number of imported keys.
    pub accepted: u64,
    /// The number of keys that existed already.
    pub duplicate: u64,
    /// The number of refused keys.
    pub refused: u64,
    /// When its first part arrived (RFC 3339, UTC).
    pub created_at: Option<String>,
}

/// Which keys to export, and how to protect them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExportRequest {
    /// Only keys of this user.
    pub user: Option<String>,
    /// How the secrets are protected.
    pub protection: ExportProtection,
    /// Whether to omit unreadable keys. A comment after the last element then lists them: `<!-- `, [`ExportEnd`] in
    /// JSON with every second of two consecutive hyphens escaped, ` -->`. By default the export stops at an unreadable
    /// key.
    #[serde(default)]
    pub leave_out_unreadable: bool,
}

/// How the secrets of an export are protected: `key_hex` with `key_name`, `passphrase`, `certificate_pem`, or `plain`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ExportProtection {
    /// A key of 16, 24 or 32 octets in hexadecimal, for AES-CBC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_hex: Option<SecretString>,
    /// The name by which the receiver knows that key: 1 to 256 printable characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    /// At least 8 characters, for PBKDF2 and AES-CBC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<SecretString>,
    /// With a passphrase: use algorithms that old programs can read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_old_readers: Option<bool>,
    /// The receiver's X.509 certificate with an RSA key, in PEM (RFC 7468), for RSA-OAEP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<String>,
    /// `true`: unprotected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<bool>,
}

/// The comment at the end of an export that omitted keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExportEnd {
    /// The omitted keys.
    pub left_out: LeftOut,
}

/// Omitted keys of an export.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOut {
    /// Their number.
    pub count: u64,
    /// The first ones.
    pub keys: Vec<LeftOutKey>,
}

/// A key that an export omitted.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftOutKey {
    /// Its identifier.
    pub key_id: String,
    /// The reason, for people.
    pub reason: String,
}
