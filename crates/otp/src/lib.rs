//! One-time passwords: HOTP (RFC 4226), TOTP (RFC 6238) and OCRA (RFC 6287), made and checked.
//!
//! - It keeps no state: counters, drift and the last accepted step are arguments and results, and whoever calls must
//!   store them, or a password is good twice.
//! - It reads no clock: times are arguments, in seconds since 1970-01-01 UTC.
//! - Comparisons take constant time.
//!
//! ```
#![doc = include_str!("../examples/verify_totp.rs")]
//! ```

mod code;
mod hotp;
mod ocra;
mod totp;

pub use code::{Code, Digits};
pub use dskpp_crypto::Hash;
pub use hotp::Hotp;
pub use ocra::{OcraInput, OcraSuite, Question};
pub use totp::{Accepted, Totp};

/// What cannot be made into a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Passwords have 6 to 10 digits.
    #[error("a one-time password has 6 to 10 digits, not {0}")]
    Digits(u8),
    /// A time step needs a length.
    #[error("a time step of 0 seconds")]
    Period,
    /// The hash is not one of SHA-1, SHA-256, SHA-512.
    #[error("one-time passwords are made with SHA-1, SHA-256 or SHA-512")]
    Hash,
    /// Not an OCRA suite (RFC 6287 §6).
    #[error("not an OCRA suite: {0}")]
    Suite(&'static str),
    /// The suite asks for something that was not given, or given in another form.
    #[error("the OCRA suite needs {0}")]
    OcraInput(&'static str),
}
