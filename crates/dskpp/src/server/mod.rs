//! The server's side of a run, one type per state.
//!
//! [`negotiate`](crate::negotiate::negotiate) judges a ClientHello; [`Answer::write`] makes the ServerHello and seals
//! everything that the server must remember into it. Later, maybe on another node, [`Session::open`] takes that out of
//! a ClientNonce; [`Session::check`] refuses what is wrong on its face; [`Session::authenticate`] does the expensive
//! work; [`Authenticated::finish`] makes the keys and the last message.
//!
//! # What a refusal reveals
//! - Before any work: only facts that the sender knows (what it sent, that a session is over).
//! - [`Session::authenticate`] gives the same `AuthenticationDataInvalid` for a wrong code, a wrong URL_S, a wrong
//!   encryption and, if the caller passes a random password for them, unknown and spent codes, all after the same
//!   work (profile P16, P20). That an R_C has a wrong length is told only to whoever has proved the code.

mod answer;
mod refusal;
mod sealed;
mod session;

pub use crate::encryption::ServerK;
pub use answer::Answer;
pub use refusal::{Reason, Refusal};
pub use sealed::{DeviceRef, SessionState};
pub use session::{AuthPolicy, Authenticated, Finished, Session};
