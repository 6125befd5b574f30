//! Why a run failed, by who is at fault and what to do.

use crate::message::ReadError;
use crate::status::Status;

/// The end of a run. Every secret of it is gone; nothing was stored. [`next`](Self::next) says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failed {
    /// The server refused, as is its right (RFC 6063 §3.3).
    #[error("the server answered {0}")]
    Refused(Status),
    /// The server's answer cannot be read.
    #[error("the server's answer cannot be read: {0}")]
    Unreadable(ReadError),
    /// The server's answer breaks the protocol.
    #[error("the server breaks the protocol: {0}")]
    Misbehaved(&'static str),
    /// The server did not prove that it holds the key that this run would replace.
    #[error("the server did not prove that it knows the key to be replaced: the old key stays")]
    NotAuthenticated,
    /// The key confirmation is wrong: the server has another key, or somebody changed a message.
    #[error("the server's key confirmation is wrong, so nothing was stored")]
    WrongConfirmation,
    /// The caller's offer cannot be made, or its K does not go with what was negotiated.
    #[error("{0}")]
    Unusable(&'static str),
}

/// K_TOKEN cannot be cut.
pub(super) const NO_LENGTH: Failed =
    Failed::Unusable("the length of the key is not known: its type, or the suite in its package, does not tell it");

impl Failed {
    /// What to do about it, in words for the person who wants the key.
    pub fn next(&self) -> &'static str {
        match self {
            Failed::Refused(status) => advice(*status),
            Failed::Unreadable(_) | Failed::Misbehaved(_) => {
                "check that the URL is a DSKPP server's, and tell its operator"
            }
            Failed::NotAuthenticated => "ask the operator whether the key was renewed elsewhere",
            Failed::WrongConfirmation => {
                "somebody may have tampered with the connection: tell the operator, and ask for a new authentication code"
            }
            Failed::Unusable(_) => "ask the operator what the authentication code is for, and offer that",
        }
    }
}

/// What a person can do about a status.
fn advice(status: Status) -> &'static str {
    use Status::*;
    match status {
        Continue | Success => "tell the operator: that status is out of place",
        Abort => "run the same command again: the server has ended the run",
        AccessDenied => "ask what the authentication code is for: it does not allow this device or kind of key",
        MalformedRequest | UnknownRequest => "report this: the server does not understand this client",
        UnknownCriticalExtension => "leave the critical extension away, or ask the operator",
        UnsupportedVersion => "use a client for the server's version of DSKPP",
        NoSupportedKeyTypes => "offer other types of key, or ask what the authentication code is for",
        NoSupportedEncryptionAlgorithms | NoSupportedMacAlgorithms | NoProtocolVariants | NoSupportedKeyPackages => {
            "offer other algorithms, variants and packages, or ask what the authentication code is for: client and server \
             have none in common"
        }
        AuthenticationDataMissing => "give an authentication code or a trigger: the server requires one",
        // A server must not tell these apart (profile P16), so all of them are named.
        AuthenticationDataInvalid => {
            "the server does not accept the authentication code or trigger, and never says why. If it was mistyped, check it and \
             type it again; if it was used already, look whether its key has come, and else ask for a new one; if wrong \
             ones were sent from here before, it may have to wait: try it again in 15 minutes; if it was taken back, or \
             is for another address of the server, ask for a new one"
        }
        InitializationFailed => "run the same command again: no key came out of this run",
        ProvisioningPeriodExpired => "ask for a new authentication code: this one has expired",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p16_a_refused_code_may_have_four_causes_and_each_comes_with_what_to_do() {
        let text = Failed::Refused(Status::AuthenticationDataInvalid).next();
        for (cause, remedy) in [
            ("mistyped", "type it again"),
            ("used already", "ask for a new one"),
            ("have to wait", "try it again in 15 minutes"),
            ("taken back", "ask for a new one"),
        ] {
            let (_, rest) = text.split_once(cause).unwrap_or_else(|| panic!("{cause}: {text}"));
            assert!(rest.contains(remedy), "{cause}: {text}");
        }
        assert!(!text.contains("too many"), "{text}");
    }
}
