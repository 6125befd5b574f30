//! One-time passwords: generates and checks HOTP (RFC 4226), TOTP (RFC 6238) and OCRA (RFC 6287).
//!
//! - It keeps no state: counters, drift and the last accepted step are arguments and results, which the caller must
//!   store; otherwise a password can be used twice.
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
pub use dskpp_crypto::{Hash, Secret};
pub use hotp::Hotp;
pub use ocra::{OcraInput, OcraSuite, Question};
pub use totp::{Accepted, Totp};

/// Why a password cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Passwords have 6 to 10 digits.
    #[error("a one-time password has 6 to 10 digits, not {0}")]
    Digits(u8),
    /// A time step needs a length.
    #[error("the time step is 0 seconds")]
    Period,
    /// The hash is not one of SHA-1, SHA-256, SHA-512.
    #[error("one-time passwords support SHA-1, SHA-256 and SHA-512 only")]
    Hash,
    /// Not an OCRA suite (RFC 6287 §6).
    #[error("not an OCRA suite: {0}")]
    Suite(&'static str),
    /// An input of the suite is missing or has the wrong form.
    #[error("the OCRA suite needs {0}")]
    OcraInput(&'static str),
}
