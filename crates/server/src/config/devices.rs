//! `[devices]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[devices]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DevicesSection {
    /// PEM file with the trust anchors for devices' certificates. Empty: certificates of registered devices are used
    /// without validation.
    pub anchors: PathBuf,
    /// Certificate revocation lists of these CAs, and of the CAs below them; each file holds one DER list or any number
    /// of PEM lists. Empty: no revocation checks. An expired list rejects every certificate of its issuer until a newer
    /// one replaces it.
    pub revocation_lists: Vec<PathBuf>,
    /// With `revocation_lists`: accept certificates whose issuer has no list.
    pub accept_unlisted_issuers: bool,
    /// Seconds between checks of these files; the server reloads changed files without a restart.
    pub reload_s: u64,
}

impl Default for DevicesSection {
    fn default() -> Self {
        Self { anchors: PathBuf::new(), revocation_lists: Vec::new(), accept_unlisted_issuers: false, reload_s: 10 }
    }
}
