//! Keys in files: imports and exports.

use serde::{Deserialize, Serialize};

use crate::{Assign, Rejection, SecretString};

/// The media type of PSKC documents (RFC 6030 §8).
pub const MEDIA_TYPE_PSKC: &str = "application/pskc+xml";

/// Which part of an import a PSKC document is: at most 20,000 packages with plain secrets, in 16 MiB.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// The import: 64 hexadecimal digits, a SHA-256 of the whole file and the options.
    pub import: String,
    /// The place of the document's first package in the import, from 0.
    pub first: u64,
    /// The user who gets all keys; created if there is none.
    pub user: Option<String>,
    /// How each key finds its user, if not by `user`; by default the keys belong to nobody.
    pub assign: Option<Assign>,
}

/// What became of a part of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportReport {
    /// How many keys were imported.
    pub accepted: u64,
    /// Those that were there already.
    pub duplicate: Vec<RejectedKey>,
    /// Those that cannot be imported.
    pub refused: Vec<RejectedKey>,
    /// Packages of the whole import that are done.
    pub done: u64,
}

/// A key that was not imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedKey {
    /// The place of its package in the import, from 0.
    pub index: u64,
    /// Its identifier; empty if it has none.
    pub key_id: String,
    /// Whether it was there already or cannot be imported.
    pub kind: Rejection,
    /// Why, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far an import has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportProgress {
    /// The import, in lower case.
    pub id: String,
    /// Packages that are done.
    pub done: u64,
    /// How many keys were imported.
    pub accepted: u64,
    /// How many were there already.
    pub duplicate: u64,
    /// How many cannot be imported.
    pub refused: u64,
    /// The first ones of those that were not imported.
    pub rejected: Vec<RejectedKey>,
}

/// Which keys to export, and for whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// Only those of this user.
    pub user: Option<String>,
    /// How the secrets are protected.
    pub protection: ExportProtection,
    /// Whether to leave out keys that cannot be read, which a comment behind the last element then names: `<!-- `,
    /// [`ExportEnd`] in JSON with each second of two hyphens escaped, ` -->`. By default the export breaks off.
    #[serde(default)]
    pub leave_out_unreadable: bool,
}

/// How the secrets of an export are protected: `key_hex` with `key_name`, `passphrase`, `certificate_pem`, or `plain`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// With a passphrase: whether programs that know only the old defaults must be able to read the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_old_readers: Option<bool>,
    /// The receiver's X.509 certificate with an RSA key, in PEM (RFC 7468), for RSA-OAEP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_pem: Option<String>,
    /// `true`: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<bool>,
}

/// The comment at the end of an export that left keys out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportEnd {
    /// The keys.
    pub left_out: LeftOut,
}

/// Keys that an export left out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LeftOut {
    /// How many.
    pub count: u64,
    /// The first ones.
    pub keys: Vec<LeftOutKey>,
}

/// A key that an export left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeftOutKey {
    /// Its identifier.
    pub key_id: String,
    /// Why, for people.
    pub reason: String,
}
