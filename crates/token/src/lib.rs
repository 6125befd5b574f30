//! An authenticator (RFC 6063) without I/O: tokens, their one-time passwords, and enrolment as a state machine.
//!
//! - [`Token`] and [`Tokens`] are values. The clock is an argument.
//! - [`Enrolment`] gets a key from a server: octets in, octets out. Its host sends the messages, keeps the tokens and asks
//!   the person. All random octets come from one seed, so an enrolment can be replayed octet for octet.
//! - [`EnrollRequest`] says what to ask for, [`EnrolmentError`] why no key came and what to do.
//!
//! The crate compiles to WebAssembly with `--no-default-features --features pure`, and then imports nothing. `dskpp-client`
//! is its host on a workstation: HTTPS and an encrypted file.

mod enrolment;
pub mod json;
mod runs;
mod token;
mod tokens;

pub use enrolment::{
    Applied, DEFAULT_KEY_TYPES, EnrollRequest, Enrolled, Enrolment, EnrolmentError, Input, RunsChange, ServerChange,
    Step, StoreChange, TokenChange, Variant,
};
pub use runs::Runs;
pub use token::{
    ImportError, MOST_OLD, NotAllowed, Otp, OtpInput, Proof, Token, TokenError, key_type_from_name, key_type_name,
};
pub use tokens::{Imported, Tokens};

// What the signatures above need.
pub use dskpp::algorithm::{KeyType, PackageFormat, ProtectionMethod};
pub use dskpp::auth_code::AuthCode;
pub use dskpp::client::{Credential, Failed};
pub use dskpp::message::Trigger;
pub use dskpp_crypto::{Pbkdf2Prf, RsaPrivateKey, Secret};
pub use dskpp_otp::Code;
pub use pskc::{KeyPackage, KeyUsage};
