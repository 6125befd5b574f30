//! Why a run ends, for the log; and the message with only its status.

use crate::message::{ReadError, ServerFinished, ServerHello};
use crate::status::Status;
use crate::version::Version;

/// The reason of a refusal: only for the log. The peer receives the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The message is unreadable.
    #[error("the message cannot be read")]
    Unreadable,
    /// One of the client's lists has no allowed entry.
    #[error("no {0} in common")]
    NothingInCommon(&'static str),
    /// A DeviceID without a trigger or the device's own key (profile P21).
    #[error("the device was neither named by a trigger nor did it use its own key")]
    Device,
    /// A KeyID that the enrolment does not name, or whose K_MAC' is unusable (profile P7, P21).
    #[error("the enrolment does not allow this run to renew that key")]
    Key,
    /// The AD of a ClientHello belongs to no valid trigger.
    #[error("the trigger is unknown, spent or expired")]
    Trigger,
    /// ClientNonce without the ServerInfo that it must repeat, or with one that this server did not seal for it.
    #[error("the session's sealed state is missing or was tampered with")]
    Seal,
    /// The session is older than allowed.
    #[error("the session has expired")]
    SessionExpired,
    /// A different ClientNonce was answered in this session (profile P28).
    #[error("the session has been answered already")]
    SessionSpent,
    /// AD is missing.
    #[error("authentication data is missing")]
    NoAuthenticationData,
    /// A PRF that was not negotiated (profile P12a).
    #[error("the authentication data names a MAC algorithm that was not negotiated")]
    MacAlgorithm,
    /// R_C in the clear (profile P12).
    #[error("R_C was sent in the clear")]
    NonceSent,
    /// The iteration count is out of bounds (profile P3).
    #[error("the iteration count is out of bounds")]
    Iterations,
    /// Wrong code, wrong URL_S, wrong encryption of R_C, or an unknown client ID.
    #[error("the authentication code could not be verified")]
    AuthenticationData,
    /// The code was right, but has expired.
    #[error("the provisioning period has expired")]
    Expired,
    /// R_C has a length that the PRF does not support (profile P5).
    #[error("R_C has an unusable length")]
    NonceLength,
    /// The code was right, but the enrolment is for another key type, variant or device.
    #[error("the enrolment does not allow this run")]
    Policy,
}

/// A refused run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRefusal {
    /// The status that the peer receives.
    pub status: Status,
    /// The reason, for the log only.
    pub reason: RefusalReason,
    /// The session, if known.
    pub session_id: Option<String>,
    /// Whether the message is a KeyProvServerHello (profile P22).
    pub as_hello: bool,
}

impl RunRefusal {
    /// A refusal of a ClientHello, depending on whether it offered four-pass (profile P22).
    pub fn of_hello(status: Status, reason: RefusalReason, offered_four_pass: bool) -> Self {
        RunRefusal { status, reason, session_id: None, as_hello: offered_four_pass }
    }

    /// A refusal of a ClientNonce.
    pub fn of_nonce(status: Status, reason: RefusalReason, session_id: Option<String>) -> Self {
        RunRefusal { status, reason, session_id, as_hello: false }
    }

    /// The refusal of an unreadable message; `None` if it is not to be answered with DSKPP (profile P27).
    pub fn of_unreadable(error: &ReadError) -> Option<Self> {
        match error {
            ReadError::NotDskpp(_) => None,
            ReadError::Refused { status, session_id, offered_four_pass, .. } => Some(RunRefusal {
                status: *status,
                reason: RefusalReason::Unreadable,
                session_id: session_id.clone(),
                as_hello: *offered_four_pass,
            }),
        }
    }

    /// The message: only Version, Status and a known SessionID (profile P22).
    pub fn response(&self) -> Vec<u8> {
        let (version, session_id, status) = (Version::V1_0, self.session_id.clone(), self.status);
        match self.as_hello {
            true => ServerHello { version, session_id, status, body: None }.write(),
            false => ServerFinished { version, session_id, status, body: None }.write(),
        }
    }
}
