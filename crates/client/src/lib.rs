//! A DSKPP client (RFC 6063): it gets keys from servers and keeps them.
//!
//! - A key is stored only after the server's key confirmation was verified, and an older key of the same name is
//!   replaced only where the server proved that it knows it.
//! - Messages go to servers over TLS alone; plain HTTP is for this machine, or for tests that ask for it.
//! - Stores of tokens are encrypted files; no secret is ever printed or logged.
//!
//! The protocol itself is the crate `dskpp`; this crate adds the network, the clock, the randomness of the system and
//! the files. It does not talk to people: a program on top asks for codes and shows errors, whose texts say what
//! happened and what to do.

pub mod enroll;
mod import;
pub mod token_store;
pub mod transport;
mod trust;

pub use enroll::{EnrollError, EnrollRequest, Enrolled, enroll};
pub use import::{ImportError, token_from_package};
pub use token_store::{Imported, NotAllowed, Token, TokenStore};
pub use transport::{Transport, TransportError, TransportOptions};
