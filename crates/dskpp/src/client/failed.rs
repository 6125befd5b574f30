//! Why a run failed, who is responsible, and what to do.

use crate::message::ReadError;
use crate::status::Status;

/// Why a run failed. All its secrets are wiped, and nothing was stored. [`next`](Self::next) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The server refused (RFC 6063 §3.3).
    #[error("the server answered {0}")]
    Refused(Status),
    /// The server's answer is unreadable.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(Box<ReadError>),
    /// The server's answer violates the protocol.
    #[error("the server breaks the protocol: {0}")]
    Misbehaved(&'static str),
    /// The server did not prove that it knows the key to replace.
    #[error("the server did not prove that it knows the key to be replaced: the old key stays")]
    NotAuthenticated,
    /// The key confirmation is wrong: the server has a different key, or a message was changed.
    #[error("the server's key confirmation is wrong, so nothing was stored")]
    WrongConfirmation,
    /// The caller's offer is impossible, or its K does not match the negotiated algorithms.
    #[error("{0}")]
    Unusable(&'static str),
}

/// The length of K_TOKEN is unknown.
pub(super) const NO_LENGTH: Failed =
    Failed::Unusable("the key's length is unknown: neither its type nor the suite in its package determines it");

impl Failed {
    /// What to do about it, in words for the user.
    pub fn next(&self) -> &'static str {
        match self {
            Failed::Refused(status) => advice(*status),
            Failed::Unreadable(_) | Failed::Misbehaved(_) => {
                "check that the URL is a DSKPP server's, and tell its operator"
            }
            Failed::NotAuthenticated => "ask the operator whether the key was renewed elsewhere",
            Failed::WrongConfirmation => {
                "the connection may have been tampered with: tell the operator, and ask for a new authentication code"
            }
            Failed::Unusable(_) => "ask the operator what the authentication code is for, and offer that",
        }
    }
}

/// What a user can do about a status.
fn advice(status: Status) -> &'static str {
    use Status::*;
    match status {
        Continue | Success => "tell the operator: the status is invalid here",
        Abort => "run the same command again: the server has ended the run",
        AccessDenied => "ask what the authentication code is for: it does not allow this device or kind of key",
        MalformedRequest | UnknownRequest => "report this: the server does not understand this client",
        UnknownCriticalExtension => "omit the critical extension, or ask the operator",
        UnsupportedVersion => "use a client for the server's version of DSKPP",
        NoSupportedKeyTypes => "offer other types of key, or ask what the authentication code is for",
        NoSupportedEncryptionAlgorithms | NoSupportedMacAlgorithms | NoProtocolVariants | NoSupportedKeyPackages => {
            "offer other algorithms, variants and packages, or ask what the authentication code is for: client and server \
             have none in common"
        }
        AuthenticationDataMissing => "give an authentication code or a trigger: the server requires one",
        // A server must not distinguish these (profile P16), so all of them are listed.
        AuthenticationDataInvalid => {
            "the server rejected the authentication code or trigger, and never says why. If it was mistyped, check it and \
             type it again; if it was used already, check whether its key is here, else ask for a new one; if wrong \
             codes were sent from here before, you may have to wait: try it again in 15 minutes; if it was revoked, or \
             is for a different URL of the server, ask for a new one"
        }
        InitializationFailed => "run the same command again: this run produced no key",
        ProvisioningPeriodExpired => "ask for a new authentication code: this one has expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_the_advice_for_a_refused_code_covers_all_four_causes() {
        let text = Failed::Refused(Status::AuthenticationDataInvalid).next();
        for (cause, remedy) in [
            ("mistyped", "type it again"),
            ("used already", "ask for a new one"),
            ("have to wait", "try it again in 15 minutes"),
            ("revoked", "ask for a new one"),
        ] {
            let (_, rest) = text.split_once(cause).unwrap_or_else(|| panic!("{cause}: {text}"));
            assert!(rest.contains(remedy), "{cause}: {text}");
        }
        assert!(!text.contains("too many"), "{text}");
    }
}
