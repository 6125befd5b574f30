//! Why a token, or the tokens of a store, did not do what was asked.

use pskc::Shown;

use super::NOT_A_NAME;
use super::policy::NotAllowed;

/// How many replaced keys of one id are kept; a further renewal is refused. A server may need a replaced key until
/// its successor was used, so none is dropped before a server has accepted a code of the successor (profile P29).
pub const MOST_OLD: usize = 8;

/// Why an operation on a token or on the tokens of a store failed. Nothing changed. [`next`](Self::next) says what to
/// do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The key's policy forbids it.
    #[error(transparent)]
    NotAllowed(Box<NotAllowed>),
    /// A key for something else.
    #[error("a key of type {} makes no one-time passwords", Shown(.0))]
    NoOtp(String),
    /// A counter-based key without a counter.
    #[error("the key '{}' has no counter", Shown(.0))]
    NoCounter(String),
    /// The counter reached its largest value.
    #[error("the key '{}' has used its last counter value", Shown(.0))]
    CounterExhausted(String),
    /// A hash that this program does not know.
    #[error("the key uses the unknown hash {}", Shown(.0))]
    UnknownHash(String),
    /// This OCRA suite responds to a challenge.
    #[error("{} responds to a challenge", Shown(.0))]
    NoChallenge(String),
    /// This OCRA suite needs a PIN.
    #[error("{} needs the PIN", Shown(.0))]
    NoPin(String),
    /// The code cannot be computed from these parameters.
    #[error(transparent)]
    Otp(#[from] dskpp_otp::Error),
    /// A text of the key cannot be shown or typed.
    #[error("the key's {0} {NOT_A_NAME}")]
    NotAName(&'static str),
    /// A key with this id exists.
    #[error("the store already has a key '{0}'")]
    Exists(String),
    /// No key has this name.
    #[error("there is no key '{0}' in the store")]
    NotFound(String),
    /// Several keys have this name.
    #[error("several keys match '{0}'")]
    Ambiguous(String),
    /// [`MOST_OLD`] replaced keys are kept already.
    #[error("the store already keeps {MOST_OLD} replaced keys of '{0}', the maximum")]
    TooManyOld(String),
}

impl From<NotAllowed> for TokenError {
    fn from(why: NotAllowed) -> Self {
        TokenError::NotAllowed(Box::new(why))
    }
}

impl TokenError {
    /// What to do about it, in words for the owner of the token.
    pub fn next(&self) -> &'static str {
        match self {
            Self::NotAllowed(why) => why.next(),
            Self::NoOtp(_) => "choose a key of type hotp, totp or ocra",
            Self::NoCounter(_) => "import the key again",
            Self::CounterExhausted(_) => "renew the key",
            Self::UnknownHash(_) | Self::Otp(_) => "check the input, or import the key again",
            Self::NoChallenge(_) => "give the challenge",
            Self::NoPin(_) => "give the PIN",
            Self::NotAName(_) => "choose a different one",
            Self::Exists(_) => "delete that key first, or keep it",
            Self::NotFound(_) => "list the keys of the same store for their ids",
            Self::Ambiguous(_) => "give more of the id",
            Self::TooManyOld(_) => "once the server has accepted a code of the key, remove them",
        }
    }
}
