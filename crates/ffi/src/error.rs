//! Errors as the caller gets them: a stable code, and texts for people.

use dskpp_token::json::JsonWriter;
use dskpp_token::{EnrolmentError, Failed, TokenError};

use crate::border::{DSKPP_BUG, DSKPP_ERROR, DSKPP_MISUSE};

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable, for programs.
    pub code: &'static str,
    /// What happened, for people.
    pub message: String,
    /// What to do about it, for people.
    pub next: Option<String>,
    /// The status of RFC 6063 §3.3 with which the server refused.
    pub status: Option<String>,
}

impl Fault {
    pub(crate) fn new(code: &'static str, message: impl Into<String>, next: &str) -> Self {
        let next = Some(next.to_owned()).filter(|next| !next.is_empty());
        Fault { code, message: message.into(), next, status: None }
    }

    /// The call is wrong: an error of the program, not of its user.
    pub(crate) fn misuse(message: impl Into<String>) -> Self {
        Fault::new("misuse", message, "")
    }

    pub(crate) fn bug() -> Self {
        Fault::new("bug", "a bug of the library", "report it")
    }

    pub(crate) fn number(&self) -> i32 {
        match self.code {
            "misuse" => DSKPP_MISUSE,
            "bug" => DSKPP_BUG,
            _ => DSKPP_ERROR,
        }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        JsonWriter::object(|to| {
            to.text("code", Some(self.code));
            to.text("message", Some(&self.message));
            to.text("next", self.next.as_deref());
            to.text("status", self.status.as_deref());
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
        Fault { status, ..Fault::new(code, error.to_string(), &error.next()) }
    }
}
