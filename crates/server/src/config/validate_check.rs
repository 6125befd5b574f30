//! `[validate_check]`

use serde::{Deserialize, Serialize};

use super::Network;

/// `[validate_check]`; one-time passwords as clients of privacyIDEA show them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidateCheckSection {
    /// Networks whose clients may call `/validate/check` and `/validate/radiuscheck`, which need no token. Empty: there
    /// is neither.
    pub networks: Vec<Network>,
}
