//! What an enrolment asks of its host, and what the host answers.

use std::fmt;

use dskpp_crypto::Secret;

use super::change::ServerChange;
use super::request::Enrolled;
use super::stored::{Applied, StoreChange};

/// What the host does next. Each step names the inputs that answer it. `Debug` shows no messages and no secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// Post `body`, of the media type `application/dskpp+xml`, to `url` and wait for the body of the answer, at most 64 KiB:
    /// [`Input::Answer`], [`Input::Lost`] or [`Input::NoAnswer`].
    ///
    /// The host decides what is sent at all: to TLS servers only, with the redirections of profile P30 only. It waits for a
    /// busy server (`Retry-After`) and posts again. It repeats no other request.
    Send {
        /// URL_S.
        url: String,
        /// The message.
        body: Vec<u8>,
    },
    /// Ask a person whether to continue with this server: [`Input::Consent`].
    Ask(ServerChange),
    /// Make an RSA key: [`Input::RsaKey`] or [`Input::NoRsaKey`]. It is the only randomness from elsewhere than the seed.
    /// This step is only taken if the request names key transport and has no private key.
    RsaKey {
        /// Bits of the modulus.
        bits: usize,
    },
    /// Change what is stored, durably and as a whole: [`Input::Stored`] or [`Input::NotStored`]. After a crash, the change
    /// was made or not, nothing between.
    Store(StoreChange),
    /// The key is stored. No input follows.
    Done(Box<Enrolled>),
}

/// What became of the last [`Step`]. `Debug` shows no messages and no secrets.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    /// The first input.
    Begin,
    /// The body of the answer.
    Answer(Vec<u8>),
    /// No answer came, but the request may have reached the server; with the reason.
    Lost(String),
    /// The request was not sent, or what came is no DSKPP message, such as an error of HTTP; with the reason.
    NoAnswer(String),
    /// Whether the person accepts the server.
    Consent(bool),
    /// The new private key: PKCS #8, DER.
    RsaKey(Secret),
    /// This host makes no RSA keys.
    NoRsaKey,
    /// The change is stored; with what [`StoreChange::apply`] returned.
    Stored(Applied),
    /// Nothing changed; with the reason.
    NotStored(String),
}

/// Which inputs come next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Begin,
    Send,
    Ask,
    RsaKey,
    Store,
    Over,
}

impl Turn {
    pub(super) fn after(step: &Step) -> Self {
        match step {
            Step::Send { .. } => Turn::Send,
            Step::Ask(_) => Turn::Ask,
            Step::RsaKey { .. } => Turn::RsaKey,
            Step::Store(_) => Turn::Store,
            Step::Done(_) => Turn::Over,
        }
    }

    pub(super) fn takes(self, input: &Input) -> bool {
        match self {
            Turn::Begin => matches!(input, Input::Begin),
            Turn::Send => matches!(input, Input::Answer(_) | Input::Lost(_) | Input::NoAnswer(_)),
            Turn::Ask => matches!(input, Input::Consent(_)),
            Turn::RsaKey => matches!(input, Input::RsaKey(_) | Input::NoRsaKey),
            Turn::Store => matches!(input, Input::Stored(_) | Input::NotStored(_)),
            Turn::Over => false,
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send { url, .. } => f.debug_struct("Send").field("url", url).finish_non_exhaustive(),
            Step::Ask(change) => f.debug_tuple("Ask").field(change).finish(),
            Step::RsaKey { bits } => f.debug_struct("RsaKey").field("bits", bits).finish(),
            Step::Store(change) => f.debug_tuple("Store").field(change).finish(),
            Step::Done(enrolled) => f.debug_tuple("Done").field(enrolled).finish(),
        }
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Input::Begin => "Begin",
            Input::Answer(_) => "Answer",
            Input::Lost(_) => "Lost",
            Input::NoAnswer(_) => "NoAnswer",
            Input::Consent(_) => "Consent",
            Input::RsaKey(_) => "RsaKey",
            Input::NoRsaKey => "NoRsaKey",
            Input::Stored(_) => "Stored",
            Input::NotStored(_) => "NotStored",
        })
    }
}
