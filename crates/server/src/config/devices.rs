//! `[devices]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[devices]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Devices {
    /// PEM file with the certificates of the authorities that certify devices' keys. Empty: nobody is trusted to,
    /// and the certificates of registered devices are taken as their registrars gave them.
    pub anchors: PathBuf,
    /// Revocation lists of these authorities, and of those between them and the devices; each file has one list in
    /// DER or any number in PEM. Empty: revocation is not checked. A list past its next update revokes all that its
    /// issuer certified, until a newer one takes its place.
    pub revocation_lists: Vec<PathBuf>,
    /// With `revocation_lists`: whether certificates are taken whose issuer has no list among them.
    pub accept_unlisted_issuers: bool,
    /// Seconds between two looks at these files; changed ones are taken over without a restart.
    pub reload_s: u64,
}

impl Default for Devices {
    fn default() -> Self {
        Self { anchors: PathBuf::new(), revocation_lists: Vec::new(), accept_unlisted_issuers: false, reload_s: 10 }
    }
}
