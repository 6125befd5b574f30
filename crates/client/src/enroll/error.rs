//! Why no key was stored.

use std::path::PathBuf;

use dskpp::algorithm::ProtectionMethod;
use dskpp::client::Failed;
use pskc::Shown;

use super::change::ServerChange;
use crate::store::TokenStoreError;
use crate::token::{MOST_OLD, NOT_A_NAME};
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
    #[error(
        "the server's last answer was lost ({0}): the server may have registered the key, but it is not stored here"
    )]
    AnswerLost(#[source] TransportError),
    /// The run failed.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// The server did not prove that it knows the key to renew.
    #[error("the server did not prove that it knows the key '{key_id}', which is unchanged")]
    NotProved {
        /// The key's id.
        key_id: String,
        /// The client ID of an unfinished run with the same server.
        unfinished: Option<String>,
    },
    /// The trust anchors for K_SERVER are unusable.
    #[error("cannot use the file {path} with CA certificates for the server's key: {reason}")]
    KServerCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The server's key is unusable.
    #[error("cannot use the server's public key: {0}")]
    KServer(String),
    /// The certificate of K_SERVER is not valid.
    #[error("the certificate of the server's key is not acceptable: {0}")]
    KServerCertificate(String),
    /// Nothing vouches for the server, and no person accepted it.
    #[error("{0}: this change is not verified, so nothing was stored and the old key is unchanged")]
    ServerChanged(ServerChange),
    /// [`MOST_OLD`] replaced keys are kept already.
    #[error(
        "the store already keeps {MOST_OLD} replaced keys of '{key_id}', the maximum, so nothing was sent",
        key_id = Shown(.0)
    )]
    TooManyOld(String),
    /// A K_SHARED that this device does not have.
    #[error("the device key '{0}' is neither given nor in the store")]
    DeviceKeyName(String),
    /// Four-pass without PSKC as key package format.
    #[error("four-pass supports only PSKC key packages")]
    PackageOfFourPass,
    /// The store has more than one key of this device.
    #[error("the store has several keys of this device")]
    SeveralDeviceKeys,
    /// A key protection method was requested without what it needs.
    #[error("the input for the key protection method '{}' is missing", .0.uri())]
    MethodNotAtHand(ProtectionMethod),
    /// Two-pass was requested, but no key protection method is available.
    #[error("two-pass needs a key protection method, and none is available")]
    NothingAtHand,
    /// A device key that is too short.
    #[error("the device key has {0} octets; the minimum is 16")]
    DeviceKeyLength(usize),
    /// The key to renew is not in the store.
    #[error("the store has no key '{0}' to renew")]
    NothingToRenew(String),
    /// The key to renew is too short for every PRF (profile P6).
    #[error("the key '{0}' is too short for a server to prove that it knows it")]
    TooShortToRenew(String),
    /// The key to renew came from a file, so a server proves itself with it only after the code (profile P6).
    #[error("the key '{0}' came from a file, so an authentication code renews it in two-pass only")]
    NotByFourPass(String),
    /// A trigger for a different device.
    #[error("the trigger is for the device {named}, but this is {own}, so nothing was sent")]
    AnotherDevice {
        /// Manufacturer and serial number in the trigger; `?` for what it omits.
        named: String,
        /// The same of this device.
        own: String,
    },
    /// A trigger that demands hardware (`TokenPlatformInfo`).
    #[error("the trigger demands that {0} in hardware, but this client is software, so nothing was sent")]
    Hardware(&'static str),
    /// A trigger for a server that was not requested.
    #[error("the trigger is for the server {0}, not the requested one, so nothing was sent")]
    AnotherServer(String),
    /// Request and trigger name different keys.
    #[error("the trigger renews the key '{0}', not the requested one")]
    RenewsAnother(String),
    /// A key with this id exists, and this run did not renew it.
    #[error("the store already has a key '{0}', and this run was not its renewal: the old key is unchanged")]
    KeyExists(String),
    /// A text of the key cannot be shown or typed.
    #[error("the server sent an invalid name: the key's {0} {NOT_A_NAME}, so nothing was stored")]
    NotAName(&'static str),
    /// The requested label cannot be shown or typed.
    #[error("the label {NOT_A_NAME}, so nothing was sent")]
    Label,
    /// The key's policy has unknown parts (RFC 6030 §5).
    #[error("the key '{0}' has a policy that this client does not understand, so it must not be used")]
    Policy(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] TokenStoreError),
    /// The server registered the key, but it could not be stored here.
    #[error("the key '{key_id}' could not be stored ({source}), but the server has registered it")]
    NotStored {
        /// The key's id.
        key_id: String,
        /// Why.
        source: TokenStoreError,
    },
    /// The program is shutting down.
    #[error("the run was interrupted; nothing was stored")]
    Interrupted,
}

impl EnrollError {
    /// What to do about it, in words for the user.
    pub fn next(&self) -> String {
        let next = match self {
            Self::Transport(why) => return why.next(),
            Self::Failed(why) => why.next(),
            Self::Store(why) => why.next(),
            Self::NotProved { unfinished, .. } => return not_proved(unfinished.as_deref()),
            Self::ServerChanged(change) => {
                return format!(
                    "ask the server's operator; if the change is right, accept it with --accept-server and this value: {}",
                    Shown(change.new_name())
                );
            }
            Self::NoUrl => "give the server's URL as well",
            Self::AnswerLost(_) => {
                "run the same command again soon; if the server says that the authentication code is used, ask for a new one"
            }
            Self::KServerCa { .. } => "name a PEM file with certificates with --k-server-ca",
            Self::KServer(_) => "tell the server's operator",
            Self::KServerCertificate(_) => "check the CA file for it, or ask the server's operator",
            Self::TooManyOld(_) => {
                "once the server has accepted a code of that key, remove them: `dskpp token accepted`, with the same store"
            }
            Self::DeviceKeyName(_) => "give the key of that name",
            Self::PackageOfFourPass => "offer PSKC, or choose two-pass",
            Self::SeveralDeviceKeys => "name the one that the server knows with --device-key-name",
            Self::MethodNotAtHand(_) | Self::NothingAtHand => {
                "give a device key of 16, 24 or 32 octets for wrap, a private key for transport, or an authentication code \
                 instead of a trigger for passphrase-wrap"
            }
            Self::DeviceKeyLength(_) => "check the file of the device key",
            Self::NothingToRenew(_) => "check its id, or enroll a new key",
            Self::TooShortToRenew(_) => "enroll a new key instead",
            Self::NotByFourPass(_) => "choose two-pass, or use a trigger",
            Self::AnotherDevice { .. } => "use it on that device, or ask for a trigger for this device",
            Self::Hardware(_) => "use a client for that hardware, or ask for a trigger without this condition",
            Self::AnotherServer(_) => "if that server is right, omit the URL",
            Self::RenewsAnother(_) => "omit --renew, or ask for a trigger for that key",
            Self::KeyExists(_) => "delete it, or ask for its renewal, and enroll again with a new authentication code",
            Self::NotAName(_) | Self::Policy(_) => "tell the server's operator",
            Self::Label => "choose another label",
            Self::NotStored { .. } => {
                "fix the cause and run the same command again soon, or ask for a new authentication code"
            }
            Self::Interrupted => "run the same command again",
        };
        next.to_owned()
    }

    /// Whether the run is over, so that its secrets must be wiped (RFC 6063 §§3.3, 4.2.5). After a lost or unreadable
    /// answer, or a local fault, the run can still be finished.
    pub(super) fn ends_the_run(&self) -> bool {
        use EnrollError::{AnswerLost, Failed, Interrupted, NotStored, Store, Transport};
        match self {
            Transport(_) | AnswerLost(_) | NotStored { .. } | Store(_) | Interrupted => false,
            Failed(why) => !matches!(why, dskpp::client::Failed::Unreadable(_)),
            _ => true,
        }
    }
}

fn not_proved(unfinished: Option<&str>) -> String {
    match unfinished {
        Some(client_id) => format!(
            "an earlier run, with a code or trigger for the client ID {client_id}, is unfinished, and the server may have \
             its key; run that command again, then this one"
        ),
        None => "ask its operator whether the key was renewed elsewhere; if so, enroll a new key".to_owned(),
    }
}
