//! Why no key was stored.

use std::path::PathBuf;

use dskpp::algorithm::ProtectionMethod;
use dskpp::client::Failed;
use pskc::Shown;

use super::ServerChange;
use crate::token_store::{MOST_OLD, NOT_A_NAME, StoreError};
use crate::transport::TransportError;

/// Why no key was stored. [`next`](Self::next) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrollError {
    /// Neither the request nor the trigger names the server.
    #[error("the trigger names no server")]
    NoUrl,
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The last answer was lost twice.
    #[error("the server's last answer was lost ({0}): it may have registered the key, but this side has none")]
    AnswerLost(#[source] TransportError),
    /// The run failed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// The server did not prove that it holds the key to be replaced.
    #[error("the server did not prove that it knows the key '{key_id}', which stays as it is")]
    NotProved {
        /// The key's id.
        key_id: String,
        /// The client ID of a run with the same server that did not come to its end.
        begun: Option<String>,
    },
    /// The anchors for K_SERVER cannot be read.
    #[error("the file {path} with CA certificates for the server's key cannot be used: {reason}")]
    KServerCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server's key cannot be used.
    #[error("the server's public key cannot be used: {0}")]
    KServer(String),
    /// The certificate of K_SERVER is not valid.
    #[error("the certificate of the server's key was not accepted: {0}")]
    KServerCertificate(String),
    /// Nothing vouches for the server, and no person did.
    #[error("{0}: nothing vouches for that, so nothing was stored and the old key stays")]
    ServerChanged(ServerChange),
    /// As many replaced keys are kept as can be.
    #[error(
        "the store keeps {MOST_OLD} keys that '{key_id}' has replaced, which is the most, so nothing was sent",
        key_id = Shown(.0)
    )]
    TooManyOld(String),
    /// A shared key that this device does not have.
    #[error("the server wants to use a device key named '{0}', which is neither given nor in the store")]
    DeviceKeyName(String),
    /// Four-pass with another format of key packages than PSKC.
    #[error("in four-pass a key package can only be PSKC")]
    PackageOfFourPass,
    /// The store has more than one key of this device.
    #[error("the store has several keys of this device")]
    SeveralDeviceKeys,
    /// A method of two-pass was asked for without what it needs.
    #[error("there is nothing for the key protection method '{}' of two-pass", .0.uri())]
    MethodNotAtHand(ProtectionMethod),
    /// Two-pass was asked for without anything that a key could travel under.
    #[error("two-pass needs something that the key travels under")]
    NothingAtHand,
    /// A device key that is too short.
    #[error("the device key has the length {0}: 16 octets are the least")]
    DeviceKeyLength(usize),
    /// The key to be renewed is not in the store.
    #[error("there is no key '{0}' to renew in the store")]
    NothingToRenew(String),
    /// No PRF takes the key to be renewed (profile P6).
    #[error("the key '{0}' is too short for a server to prove that it knows it")]
    TooShortToRenew(String),
    /// No run made the key to be renewed, so that a server can prove itself with it only after a code (profile P6).
    #[error("the key '{0}' came in a file, and with an authentication code it is renewed by two-pass alone")]
    NotByFourPass(String),
    /// A trigger for a device that this is not.
    #[error("the trigger is for the device {named}, and this is {own}, so nothing was sent")]
    AnotherDevice {
        /// Manufacturer and serial number in the trigger; `?` for what it leaves open.
        named: String,
        /// The same of this device.
        own: String,
    },
    /// A trigger that asks for hardware (`TokenPlatformInfo`).
    #[error("the trigger asks that {0} in hardware, and this client is software, so nothing was sent")]
    Hardware(&'static str),
    /// A trigger of another server than the one that was asked for.
    #[error("the trigger is for the server {0}, not the one that was asked for, so nothing was sent")]
    AnotherServer(String),
    /// Request and trigger name different keys.
    #[error("the trigger renews the key '{0}', not the one that was asked for")]
    RenewsAnother(String),
    /// A key of this id is there, and the server did not prove that it knows it.
    #[error("the store already has a key '{0}', and this run was not its renewal: the old key stays")]
    KeyExists(String),
    /// A text that came with the key could not be shown or typed.
    #[error("the server gave the key a name that is none: its {0} {NOT_A_NAME}, so nothing was stored")]
    NotAName(&'static str),
    /// A label that was asked for and is no name.
    #[error("the label {NOT_A_NAME}, so nothing was sent")]
    Label,
    /// The key's policy has parts that are not understood (RFC 6030 §5).
    #[error("the key '{0}' comes with a policy that this client does not understand, so it must not be used")]
    Policy(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server has the key, but it cannot be stored here.
    #[error("the key '{key_id}' could not be stored ({source}), but the server has registered it")]
    NotStored {
        /// The key's id.
        key_id: String,
        /// Why.
        source: StoreError,
    },
    /// A computation ended early; the program is being shut down.
    #[error("the run was interrupted; nothing was stored")]
    Interrupted,
}

impl EnrollError {
    /// What to do about it, in words for the person who wants the key.
    pub fn next(&self) -> String {
        let next = match self {
            Self::Transport(why) => return why.next(),
            Self::Failed(why) => why.next(),
            Self::Store(why) => why.next(),
            Self::NotProved { begun, .. } => return not_proved(begun.as_deref()),
            Self::ServerChanged(change) => {
                return format!(
                    "ask the server's operator, and if it is right, give --accept-server this value: {}",
                    Shown(change.new_name())
                );
            }
            Self::NoUrl => "give the server's URL as well",
            Self::AnswerLost(_) => {
                "run the same command again soon, and ask for a new authentication code if this one turns out to be used"
            }
            Self::KServerCa { .. } => "name a PEM file with certificates with --k-server-ca",
            Self::KServer(_) => "tell the server's operator",
            Self::KServerCertificate(_) => "check the CA file that was given for it, or ask the server's operator",
            Self::TooManyOld(_) => {
                "once the server has accepted a code of that key, forget them: `dskpp token accepted`, with the same store"
            }
            Self::DeviceKeyName(_) => "give the key of that name",
            Self::PackageOfFourPass => "offer PSKC, or two-pass",
            Self::SeveralDeviceKeys => "say which one the server knows with --device-key-name",
            Self::MethodNotAtHand(_) | Self::NothingAtHand => {
                "give a device key of 16, 24 or 32 octets for wrap, a private key for transport, or an authentication code \
                 instead of a trigger for passphrase-wrap"
            }
            Self::DeviceKeyLength(_) => "check the file of the device key",
            Self::NothingToRenew(_) => "check its id, or enroll without renewing",
            Self::TooShortToRenew(_) => "enroll a new key instead",
            Self::NotByFourPass(_) => "ask for two-pass, or follow a trigger",
            Self::AnotherDevice { .. } => "use it on that device, or ask for one for this device",
            Self::Hardware(_) => "use a client for that hardware, or ask for a trigger without this condition",
            Self::AnotherServer(_) => "if that server is right, leave the URL away",
            Self::RenewsAnother(_) => "leave --renew away, or ask for a trigger for that key",
            Self::KeyExists(_) => "delete it, or ask for its renewal, and enroll again with a new authentication code",
            Self::NotAName(_) | Self::Policy(_) => "tell the server's operator",
            Self::Label => "choose another label",
            Self::NotStored { .. } => {
                "remove the cause and run the same command again soon, or else ask for a new authentication code"
            }
            Self::Interrupted => "run the same command again",
        };
        next.to_owned()
    }
    /// Whether the run is over, so that its secrets must go (RFC 6063 §§3.3, 4.2.5). An answer that is lost, or no DSKPP
    /// message, says nothing of that, and neither does a fault on this side: the run can still come to its end.
    pub(super) fn ends_the_run(&self) -> bool {
        use EnrollError::{AnswerLost, Failed, Interrupted, NotStored, Store, Transport};
        match self {
            Transport(_) | AnswerLost(_) | NotStored { .. } | Store(_) | Interrupted => false,
            Failed(why) => !matches!(why, dskpp::client::Failed::Unreadable(_)),
            _ => true,
        }
    }
}

fn not_proved(begun: Option<&str>) -> String {
    match begun {
        Some(client_id) => format!(
            "an earlier run, with a code or trigger of the client ID {client_id}, did not come to its end, and the \
             server may have the key of that one; give that command again, and then this one"
        ),
        None => "ask its operator whether the key was renewed elsewhere, and enroll a new key if it was".to_owned(),
    }
}
