//! `[portal]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[portal]`; what pages for people say about the operator, beside `server.issuer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PortalSection {
    /// PNG or SVG file with the issuer's logo, at most 64 KiB. Empty: none.
    pub logo_file: PathBuf,
    /// Where people get help: a mail address, an https URL, a telephone number, or a sentence. Empty: none.
    pub help: String,
    /// Whether the owner of a HOTP or TOTP key may renew it without its issuer (`POST /renew`). The new key has no expiry,
    /// so the issuer would no longer decide how long a key is good: off by default.
    pub owners_renew: bool,
}
