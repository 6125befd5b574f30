//! K_SERVERs, the server's key pairs under which clients encrypt R_C.

use serde::{Deserialize, Serialize};

use crate::KServerState;

/// A K_SERVER to add: the server makes it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewKServer {}

/// A K_SERVER.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KServer {
    /// Its identifier.
    pub id: String,
    /// `sha256:` and the SHA-256 of its SubjectPublicKeyInfo in hexadecimal, as clients show it.
    pub fingerprint: String,
    /// Whether new runs take it.
    pub state: KServerState,
    /// When it was added (RFC 3339, UTC); `null` for one from the server's configuration.
    pub created_at: Option<String>,
    /// When it was retired (RFC 3339, UTC).
    pub retired_at: Option<String>,
}
