//! An authenticator with DSKPP (RFC 6063) for other languages: one C interface, native and in WebAssembly.
//!
//! `c` has the functions of the header `include/dskpp.h`, and `border` what passes through them: octets and handles. Both
//! are the only places with `unsafe`. The rest is safe Rust over [`dskpp_token`]: [`Store`] has tokens and notes of
//! unfinished runs, [`Run`] is an enrolment. Values are JSON texts and octets.
//!
//! The crate does no I/O, reads no clock and draws no randomness: compiled for `wasm32-unknown-unknown`, the module
//! imports nothing.

mod border;
mod c;
mod code;
mod error;
mod handover;
mod info;
mod run;
mod store;

pub use border::{DskppEnrolment, DskppOctets, DskppTokens};
pub use c::*;
pub use error::Fault;
pub use run::Run;
pub use store::Store;
