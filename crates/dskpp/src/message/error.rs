//! Why a message cannot be read, and what to answer.

use pskc::xml::{Position, XmlError};

use crate::status::Status;
use crate::version::Version;

/// The five root elements of RFC 6063 §8.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RootKind {
    /// `KeyProvTrigger`
    Trigger,
    /// `KeyProvClientHello`
    ClientHello,
    /// `KeyProvServerHello`
    ServerHello,
    /// `KeyProvClientNonce`
    ClientNonce,
    /// `KeyProvServerFinished`
    ServerFinished,
}

impl RootKind {
    const ALL: [RootKind; 5] = [
        RootKind::Trigger,
        RootKind::ClientHello,
        RootKind::ServerHello,
        RootKind::ClientNonce,
        RootKind::ServerFinished,
    ];

    /// The element's local name.
    pub fn name(self) -> &'static str {
        self.element().trim_start_matches("dskpp:")
    }

    /// The element with the prefix used for writing.
    pub(super) fn element(self) -> &'static str {
        match self {
            RootKind::Trigger => "dskpp:KeyProvTrigger",
            RootKind::ClientHello => "dskpp:KeyProvClientHello",
            RootKind::ServerHello => "dskpp:KeyProvServerHello",
            RootKind::ClientNonce => "dskpp:KeyProvClientNonce",
            RootKind::ServerFinished => "dskpp:KeyProvServerFinished",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A body that is not a message, or an unreadable message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Not a DSKPP message of the expected kind, or hostile before that is known: HTTP
    /// 400 (profile P27).
    #[error("not a DSKPP message of the expected kind: {0}")]
    NotDskpp(MessageError),
    /// An unreadable DSKPP message; a server answers with `status` and `session_id`
    /// (profile P22).
    #[error("{} cannot be read ({status}): {reason}", root.name())]
    Refused {
        /// `MalformedRequest`, `UnsupportedVersion` or `UnknownCriticalExtension`.
        status: Status,
        /// The kind of message.
        root: RootKind,
        /// The message's `SessionID`, if it can be repeated.
        session_id: Option<String>,
        /// Whether the answer is a `KeyProvServerHello`: true for a ClientHello unless it lists
        /// variants without four-pass, false for all others.
        offered_four_pass: bool,
        /// For the log only, never for the peer.
        reason: MessageError,
    },
}

impl ReadError {
    /// The status to answer with; `None` if no DSKPP message is to be sent.
    pub fn status(&self) -> Option<Status> {
        match self {
            ReadError::NotDskpp(_) => None,
            ReadError::Refused { status, .. } => Some(*status),
        }
    }
}

/// What is wrong, and where. Never contains values of the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The body is longer than [`MAX_MESSAGE_LEN`](super::MAX_MESSAGE_LEN).
    #[error("the body has {octets} octets, more than 65536")]
    TooLong {
        /// Its length.
        octets: usize,
    },
    /// Not well-formed, refused by profile P25, invalid by the schema, or with a key package, device or key information
    /// that is invalid PSKC.
    #[error(transparent)]
    Document(#[from] pskc::Error),
    /// The major version is not 1.
    #[error("version {0} is not supported, 1.0 is")]
    UnsupportedVersion(Version),
    /// An unknown critical extension.
    #[error("an extension is critical and unknown ({place})")]
    UnknownCriticalExtension {
        /// The extension.
        place: Box<Position>,
    },
}

impl From<XmlError> for MessageError {
    fn from(why: XmlError) -> Self {
        MessageError::Document(why.into())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn errors_are_small() {
        assert!(size_of::<super::MessageError>() <= 2 * size_of::<usize>());
    }
}
