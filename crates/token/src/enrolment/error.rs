//! Why no key was stored.

use dskpp::algorithm::ProtectionMethod;
use dskpp::client::Failed;
use pskc::Shown;

use super::change::ServerChange;
use crate::token::{MOST_OLD, NOT_A_NAME};

/// Why no key was stored. [`next`](Self::next) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolmentError {
    /// Neither the request nor the trigger names the server.
    #[error("the trigger names no server")]
    NoUrl,
    /// The trigger's URL is no URL, or misleads a reader.
    #[error("'{url}' is not a server's URL: {reason}", url = Shown(.url))]
    BadUrl {
        /// The text.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No answer came; with the host's reason.
    #[error("{0}")]
    NoAnswer(String),
    /// The last answer was lost twice; with the host's reason.
    #[error(
        "the server's last answer was lost ({0}): the server may have registered the key, but it is not stored here"
    )]
    AnswerLost(String),
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
    /// The server's key is unusable.
    #[error("cannot use the server's public key: {0}")]
    KServer(String),
    /// The certificate of K_SERVER is not valid.
    #[error("the certificate of the server's key is not acceptable: {0}")]
    KServerCertificate(String),
    /// Nothing vouches for the server, and no person accepted it.
    #[error("{0}: this change is not verified, so nothing was stored and the old key is unchanged")]
    ServerChanged(Box<ServerChange>),
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
    /// The notes of the run could not be stored, so it did not go on; with the host's reason.
    #[error("the notes of the run could not be stored: {0}")]
    NotNoted(String),
    /// The server registered the key, but it could not be stored here; with the host's reason.
    #[error("the key '{key_id}' could not be stored ({why}), but the server has registered it")]
    NotStored {
        /// The key's id.
        key_id: String,
        /// Why.
        why: String,
    },
    /// The clock is before 1970 or after 9999.
    #[error("the clock of this machine is wrong")]
    Clock,
    /// The host's input does not answer the last step: the enrolment still waits for that answer, unless it is over.
    #[error("the enrolment got an input out of turn")]
    OutOfTurn,
}

impl EnrolmentError {
    /// What to do about it, in words for the user.
    pub fn next(&self) -> String {
        let next = match self {
            Self::Failed(why) => why.next(),
            Self::NotProved { unfinished: Some(client_id), .. } => {
                return format!(
                    "an earlier run, with a code or trigger for the client ID {client_id}, is unfinished, and the server may \
                     have its key; finish that one, then repeat this one"
                );
            }
            Self::NotProved { unfinished: None, .. } => {
                "ask its operator whether the key was renewed elsewhere; if so, enroll a new key"
            }
            Self::ServerChanged(change) => {
                let name = Shown(change.new_name());
                return format!("ask the server's operator; if the change is right, accept this value: {name}");
            }
            Self::BadUrl { .. } => "ask for a trigger with the server's URL, such as https://host/path",
            Self::NoUrl => "give the server's URL as well",
            Self::NoAnswer(_) => "check the server, its URL, and the network",
            Self::AnswerLost(_) => {
                "enroll again soon with the same code; if the server says that the authentication code is used, ask for a new \
                 one"
            }
            Self::KServer(_) => "tell the server's operator",
            Self::KServerCertificate(_) => "check the CA certificates for it, or ask the server's operator",
            Self::TooManyOld(_) => "once the server has accepted a code of that key, remove them",
            Self::DeviceKeyName(_) => "give the key of that name",
            Self::PackageOfFourPass => "offer PSKC, or choose two-pass",
            Self::SeveralDeviceKeys => "name the one that the server knows",
            Self::MethodNotAtHand(_) | Self::NothingAtHand => {
                "give a device key of 16, 24 or 32 octets for wrap, a private key for transport, or an authentication code \
                 instead of a trigger for passphrase-wrap"
            }
            Self::DeviceKeyLength(_) => "check the device key",
            Self::NothingToRenew(_) => "check its id, or enroll a new key",
            Self::TooShortToRenew(_) => "enroll a new key instead",
            Self::NotByFourPass(_) => "choose two-pass, or use a trigger",
            Self::AnotherDevice { .. } => "use it on that device, or ask for a trigger for this device",
            Self::Hardware(_) => "use a client for that hardware, or ask for a trigger without this condition",
            Self::AnotherServer(_) => "if that server is right, omit the URL",
            Self::RenewsAnother(_) => "do not name the key to renew, or ask for a trigger for that key",
            Self::KeyExists(_) => "delete it, or ask for its renewal, and enroll again with a new authentication code",
            Self::NotAName(_) | Self::Policy(_) => "tell the server's operator",
            Self::Label => "choose another label",
            Self::NotNoted(_) => "check the token store, and enroll again with the same code",
            Self::NotStored { .. } => {
                "fix the cause and enroll again soon with the same code, or ask for a new authentication code"
            }
            Self::Clock => "set the clock",
            Self::OutOfTurn => "tell the maker of this program",
        };
        next.to_owned()
    }

    /// Whether the run is over, so that its secrets must be wiped (RFC 6063 §§3.3, 4.2.5). After a lost or unreadable
    /// answer, or a local fault, the run can still be finished.
    pub(super) fn ends_the_run(&self) -> bool {
        match self {
            Self::NoAnswer(_) | Self::AnswerLost(_) | Self::NotNoted(_) | Self::NotStored { .. } => false,
            Self::Failed(why) => !matches!(why, Failed::Unreadable(_)),
            _ => true,
        }
    }
}
