//! Why no key was stored on this workstation.

use std::path::PathBuf;

use dskpp_token::EnrolmentError;

use crate::store::TokenStoreError;
use crate::transport::TransportError;

/// Why no key was stored. [`next`](Self::next) says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnrollError {
    /// The enrolment was refused or failed.
    #[error(transparent)]
    Enrolment(#[from] EnrolmentError),
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The last answer was lost twice.
    #[error(
        "the server's last answer was lost ({0}): the server may have registered the key, but it is not stored here"
    )]
    AnswerLost(#[source] TransportError),
    /// The trust anchors for K_SERVER are unusable.
    #[error("cannot use the file {path} with CA certificates for the server's key: {reason}")]
    KServerCa {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
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
    /// What to do about it, in words for the user of the command line.
    pub fn next(&self) -> String {
        let next = match self {
            Self::Enrolment(why) => return of_enrolment(why),
            Self::Transport(why) => return why.next(),
            Self::Store(why) => why.next(),
            Self::AnswerLost(_) => {
                "run the same command again soon; if the server says that the authentication code is used, ask for a new one"
            }
            Self::KServerCa { .. } => "name a PEM file with certificates with --k-server-ca",
            Self::NotStored { .. } => {
                "fix the cause and run the same command again soon, or ask for a new authentication code"
            }
            Self::Interrupted => "run the same command again",
        };
        next.to_owned()
    }
}

/// The enrolment's own words, with the option or command that does it.
fn of_enrolment(why: &EnrolmentError) -> String {
    let next = why.next();
    match why {
        EnrolmentError::ServerChanged(_) => next.replace("accept this", "accept it with --accept-server and this"),
        EnrolmentError::TooManyOld(_) => format!("{next}: `dskpp token accepted`, with the same store"),
        EnrolmentError::SeveralDeviceKeys => format!("{next} with --device-key-name"),
        EnrolmentError::RenewsAnother(_) => "omit --renew, or ask for a trigger for that key".to_owned(),
        EnrolmentError::NotProved { unfinished: Some(_), .. } => {
            next.replace("finish that one, then repeat this one", "run that command again, then this one")
        }
        _ => next,
    }
}
