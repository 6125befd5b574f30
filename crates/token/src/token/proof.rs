//! What a token proves to its server outside of runs.

/// What the client of a key asks its server for, with a MAC ([`Token::proof`](super::Token::proof)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// `POST /activate`: the key gets its first password (RFC 6063 §10.5).
    Activation,
    /// `POST /renew`: a renewal of the key.
    Renewal,
}

impl Proof {
    /// What the MAC says before the password.
    pub(super) fn label(self) -> &'static [u8] {
        match self {
            Proof::Activation => b"OTP activation",
            Proof::Renewal => b"Renewal request",
        }
    }
}
