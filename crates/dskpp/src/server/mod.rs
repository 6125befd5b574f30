//! The server's side of a run, one type per state.
//!
//! [`negotiate`](crate::negotiate::negotiate) judges a ClientHello; [`SealedHello::write`] makes the ServerHello and seals
//! everything that the server must remember into it. Later, maybe on another node, [`Session::open`] takes that out of
//! a ClientNonce; [`Session::check`] refuses what is wrong on its face; [`Session::authenticate`] does the expensive
//! work; [`Authenticated::finish`] makes the keys and the last message.
//!
//! # The order of checks, and what a refusal reveals
//! | step | refusals | what the sender learns |
//! |---|---|---|
//! | [`negotiate`](crate::negotiate::negotiate) | `No…` | what the server's policy allows |
//! | [`Session::open`] | `Abort` | that the session is not one of this server's: nothing about codes or keys |
//! | the caller, before anything else | the stored answer, or `Abort` | what it was told before (profile P28) |
//! | [`Session::check`] | `Abort`, `AuthenticationDataMissing`, `MalformedRequest`, `AuthenticationDataInvalid` | that the session is over, and facts of its own message (profile P3, P12, P12a): neither enrolment nor key has been looked at |
//! | [`Session::authenticate`] | `AuthenticationDataInvalid` | that code, URL_S or encryption is wrong, or the client ID unknown or spent, but not which (profile P16, P20) |
//! | … | `InitializationFailed` | that R_C has a wrong length: only to who proved the code over this R_C, or after a trigger where the encryption tells no padding (profile P5) |
//! | the caller, [`Authenticated`] in hand | `ProvisioningPeriodExpired`, `AccessDenied` | what its right code is good for |
//!
//! The same answer needs the same work: one private-key operation, one PBKDF2 and one PRF per URL run for every
//! session that passes [`Session::check`], if the caller passes a random password for a client ID that is unknown,
//! spent, locked or revoked. After a trigger nothing in the message proves R_C; a wrong padding then ends in a
//! confirmation that the client finds wrong, as RSA v1.5 and AES-CBC must not tell (profile P20).

mod sealed;
mod sealed_hello;
mod session;
mod two_pass;

pub use crate::auth_data::AuthPolicy;
pub use crate::encryption::ServerK;
pub use crate::protection::ClientKey;
pub use crate::refusal::{RefusalReason, RunRefusal};
pub use sealed::{DeviceRef, SessionState};
pub use sealed_hello::SealedHello;
pub use session::{Authenticated, Finished, Session};
pub use two_pass::{OutgoingKey, TwoPassFacts, TwoPassRun};
