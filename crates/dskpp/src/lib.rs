//! DSKPP, the Dynamic Symmetric Key Provisioning Protocol (RFC 6063), without I/O.
//!
//! - It is deterministic: time and randomness are arguments, so every run can be replayed from a seed, octet for octet.
//! - It opens no socket and no file; it processes the bodies of HTTP messages.
//! - A session is a chain of types, one per state, each consumed by the next step. A wrong order of messages
//!   does not compile, and the secrets of a state are wiped when it is dropped.
//! - Names are the RFC's. Where the RFC leaves a choice, the interoperability profile decides (`profile P7`).
//!
//! A client begins with [`client::FourPass`], a server with [`message::Request::read`] and `server`.
//!
//! Features: a client needs a back end for cryptography and nothing else: `aws-lc`, or `pure` for Rust alone and for
//! WebAssembly, see [`dskpp_crypto`]. `server` is the server's side, `containers` adds key packages other than PSKC. The
//! default is `aws-lc`, `containers` and `server`.
#![cfg_attr(all(feature = "aws-lc", feature = "server"), doc = "\n# Both sides of a run\n")]
#![cfg_attr(
    all(feature = "aws-lc", feature = "server"),
    doc = concat!("```\n", include_str!("../examples/four_pass.rs"), "```")
)]

pub mod algorithm;
pub mod auth_code;
pub mod auth_data;
pub mod client;
#[cfg(feature = "server")]
mod client_key;
mod encryption;
pub mod key_package;
pub mod key_schedule;
pub mod message;
#[cfg(feature = "server")]
pub mod negotiate;
pub mod prf;
mod protection;
#[cfg(feature = "server")]
mod refusal;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "server")]
mod server_k;
pub mod status;
pub mod token_length;
pub mod version;

// What the signatures need.
pub use {dskpp_crypto, pskc};

#[cfg(test)]
#[path = "../tests/protocol/schema.rs"]
mod schema;
#[cfg(test)]
mod vectors;
