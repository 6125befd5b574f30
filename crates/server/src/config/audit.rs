//! `[audit]`

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[audit]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSection {
    /// PEM file (PKCS #8) with the private key that signs checkpoints of the audit trail: P-256, P-384 or RSA. Empty:
    /// no checkpoints are made.
    pub checkpoint_key: PathBuf,
    /// Folder for checkpoints. Empty: `data_dir/checkpoints`.
    pub checkpoint_dir: PathBuf,
    /// Seconds between checkpoints, where the trail has grown.
    pub checkpoint_interval_s: u64,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self { checkpoint_key: PathBuf::new(), checkpoint_dir: PathBuf::new(), checkpoint_interval_s: 3600 }
    }
}
