//! The server's side of a run, one type per state.
//!
//! [`negotiate`](crate::negotiate::negotiate) evaluates a ClientHello; [`SealedHello::write`] writes the ServerHello and
//! seals the server's state into it. Later, possibly on another node, [`Session::open`] extracts it from
//! a ClientNonce; [`Session::check`] refuses obvious errors; [`Session::authenticate`] does the expensive
//! work; [`Authenticated::finish`] derives the keys and writes the last message.
//!
//! # The order of checks, and what a refusal reveals
//! | step | refusals | what the sender learns |
//! |---|---|---|
//! | [`negotiate`](crate::negotiate::negotiate) | `No…` | what the server's policy allows |
//! | [`Session::open`] | `Abort` | that the session is not one of this server's: nothing about codes or keys |
//! | the caller, before anything else | the stored answer, or `Abort` | what it was told before (profile P28) |
//! | [`Session::check`] | `Abort`, `AuthenticationDataMissing`, `MalformedRequest`, `AuthenticationDataInvalid` | that the session is over, and facts of its own message (profile P3, P12, P12a): neither enrolment nor key has been looked at |
//! | [`Session::authenticate`] | `AuthenticationDataInvalid` | that code, URL_S or encryption is wrong, or the client ID unknown or spent, but not which (profile P16, P20) |
//! | … | `InitializationFailed` | that R_C has a wrong length: only to a client that proved the code over this R_C, or after a trigger if the encryption has no malleable padding (profile P5) |
//! | the caller, [`Authenticated`] in hand | `ProvisioningPeriodExpired`, `AccessDenied` | what its right code is good for |
//!
//! Equal answers need equal work: one private-key operation, one PBKDF2 and one PRF per URL run for every
//! session that passes [`Session::check`], provided that the caller passes a random password for an unknown,
//! spent, locked or revoked client ID. After a trigger, nothing in the message proves R_C; an invalid padding then
//! leads to a confirmation that the client rejects, as RSA v1.5 and AES-CBC must not reveal it (profile P20).

mod sealed;
mod sealed_hello;
mod session;
mod two_pass;

pub use crate::auth_data::{AuthPolicy, ProofInput, Rounds};
pub use crate::client_key::ClientKey;
pub use crate::refusal::{RefusalReason, RunRefusal};
pub use crate::server_k::ServerK;
pub use sealed::{DeviceRef, SessionState};
pub use sealed_hello::SealedHello;
pub use session::{Authenticated, DecryptedSession, Finished, Session};
pub use two_pass::{OutgoingKey, TwoPassFacts, TwoPassRun};
