//! Errors as the caller gets them: a stable code, and texts for people.

use std::borrow::Cow;

use dskpp_token::json::JsonWriter;
use dskpp_token::{EnrolmentError, Failed, TokenError};

use crate::border::{DSKPP_BUG, DSKPP_ERROR, DSKPP_MISUSE};

/// Why a call failed. It is one pointer, as each step of a call may return it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(Box<Texts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Texts {
    /// Stable, for programs.
    code: &'static str,
    /// What happened, for people.
    message: Text,
    /// What to do about it, for people; empty: nothing.
    next: Text,
    /// The status of RFC 6063 §3.3 with which the server refused.
    status: Option<String>,
}

type Text = Cow<'static, str>;

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<Text>, next: impl Into<Text>) -> Self {
        Fault(Box::new(Texts { code, message: message.into(), next: next.into(), status: None }))
    }

    /// The call is wrong: an error of the program, not of its user.
    pub(crate) fn misuse(message: impl Into<Text>) -> Self {
        Fault::new("misuse", message, "")
    }

    pub(crate) fn bug() -> Self {
        Fault::new("bug", "a bug of the library", "report it")
    }

    pub(crate) fn number(&self) -> i32 {
        match self.0.code {
            "misuse" => DSKPP_MISUSE,
            "bug" => DSKPP_BUG,
            _ => DSKPP_ERROR,
        }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        let Texts { code, message, next, status } = &*self.0;
        JsonWriter::object(|to| {
            to.text("code", Some(code));
            to.text("message", Some(message));
            to.text("next", Some(&**next).filter(|next| !next.is_empty()));
            to.text("status", status.as_deref());
        })
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        let code = match &error {
            TokenError::NotAllowed(_) => "notAllowed",
            TokenError::NotFound(_) => "notFound",
            TokenError::NoChallenge(_) => "noChallenge",
            TokenError::NoPin(_) => "noPin",
            TokenError::NotAName(_) => "notAName",
            TokenError::TooManyOld(_) => "tooManyOld",
            _ => "unusable",
        };
        Fault::new(code, error.to_string(), error.next())
    }
}

impl From<EnrolmentError> for Fault {
    fn from(error: EnrolmentError) -> Self {
        let code = match &error {
            EnrolmentError::NoAnswer(_) => "noAnswer",
            EnrolmentError::AnswerLost(_) => "answerLost",
            EnrolmentError::Failed(Failed::Refused(_)) => "refused",
            EnrolmentError::Failed(Failed::WrongConfirmation) => "wrongConfirmation",
            EnrolmentError::Failed(Failed::Unusable(_)) => "unusable",
            EnrolmentError::Failed(_) | EnrolmentError::NotAName(_) | EnrolmentError::Policy(_) => "badServer",
            EnrolmentError::KServer(_) | EnrolmentError::KServerCertificate(_) => "badServer",
            EnrolmentError::NotProved { .. } => "notProved",
            EnrolmentError::ServerChanged(_) => "serverChanged",
            EnrolmentError::TooManyOld(_) => "tooManyOld",
            EnrolmentError::NothingToRenew(_) => "notFound",
            EnrolmentError::KeyExists(_) => "keyExists",
            EnrolmentError::NotNoted(_) | EnrolmentError::NotStored { .. } => "notStored",
            EnrolmentError::OutOfTurn => "outOfTurn",
            _ => "badRequest",
        };
        let status = match &error {
            EnrolmentError::Failed(Failed::Refused(status)) => Some(status.to_string()),
            _ => None,
        };
        let mut fault = Fault::new(code, error.to_string(), error.next());
        fault.0.status = status;
        fault
    }
}
