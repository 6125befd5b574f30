//! The five PDUs of RFC 6063 §8, each a type with a reader and a writer.
//!
//! [`Request::read`] and [`Response::read`] parse a body as received. They are strict: the
//! order of elements, attributes, texts, lengths and numbers must follow the schema, and everything
//! else is refused with the reason and its place. Accepted values are normalised by
//! the profile; whether a server allows them is not checked here.
//!
//! Writers produce UTF-8 with an XML declaration and no white space between elements.
//!
//! ```
//! use dskpp::message::{ClientNonce, MessageExtensions, Request};
//! use dskpp::version::Version;
//! let nonce = ClientNonce {
//!     version: Version::V1_0,
//!     session_id: "4114".into(),
//!     encrypted_nonce: vec![7; 32],
//!     authentication_data: None,
//!     extensions: MessageExtensions::default(),
//! };
//! assert_eq!(Request::read(&nonce.write())?, Request::ClientNonce(nonce));
//! # Ok::<(), dskpp::message::ReadError>(())
//! ```

use crate::status::Status;

mod client_hello;
mod client_nonce;
mod codec;
mod common;
mod error;
mod extensions;
mod server_finished;
mod server_hello;
mod trigger;

pub use client_hello::{ClientHello, KeyProtection, Payload, ProtocolVariants};
pub use client_nonce::ClientNonce;
pub use common::{AuthenticationCodeMac, AuthenticationData, Mac};
pub use error::{MessageError, ReadError, RootKind};
pub use extensions::MessageExtensions;
pub use server_finished::{PackageContent, ServerFinished, ServerFinishedBody, ServerKeyPackage};
pub use server_hello::{ServerHello, ServerHelloBody};
pub use trigger::{Platform, TokenPlatformInfo, Trigger};

/// The longest body in octets (profile P25).
pub const MAX_MESSAGE_LEN: usize = 64 * 1024;
/// The longest `SessionID` and `ClientID`, in characters (RFC 6063 §8.2, `IdentifierType`).
pub const MAX_IDENTIFIER_LEN: usize = 128;
/// The shortest nonce, in octets (RFC 6063 §8.2, `NonceType`).
pub const MIN_NONCE_LEN: usize = 16;

/// A client's message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one per message, taken apart at once")]
pub enum Request {
    /// The first request.
    ClientHello(ClientHello),
    /// The second request of four-pass.
    ClientNonce(ClientNonce),
}

impl Request {
    /// Reads the body of a request, at most [`MAX_MESSAGE_LEN`] octets.
    ///
    /// # Errors
    /// [`ReadError::NotDskpp`] is to be answered with HTTP 400, [`ReadError::Refused`] with a response with its
    /// status (profile P27).
    pub fn read(body: &[u8]) -> Result<Self, ReadError> {
        let kinds = [RootKind::ClientHello, RootKind::ClientNonce];
        codec::read(body, &kinds, |reader, root, kind, version| match kind {
            RootKind::ClientNonce => ClientNonce::read_open(reader, root, version).map(Request::ClientNonce),
            _ => ClientHello::read_open(reader, root, version).map(Request::ClientHello),
        })
    }

    /// The body to send.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Request::ClientHello(hello) => hello.write(),
            Request::ClientNonce(nonce) => nonce.write(),
        }
    }
}

/// A server's message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::large_enum_variant, reason = "one per message, taken apart at once")]
pub enum Response {
    /// The answer to a ClientHello that offered four-pass.
    ServerHello(ServerHello),
    /// The last message of every run.
    ServerFinished(ServerFinished),
}

impl Response {
    /// Reads the body of a response, at most [`MAX_MESSAGE_LEN`] octets.
    ///
    /// # Errors
    /// Like [`Request::read`]; they are not answered: the run is over.
    pub fn read(body: &[u8]) -> Result<Self, ReadError> {
        let kinds = [RootKind::ServerHello, RootKind::ServerFinished];
        codec::read(body, &kinds, |reader, root, kind, version| match kind {
            RootKind::ServerHello => ServerHello::read_open(reader, root, version).map(Response::ServerHello),
            _ => ServerFinished::read_open(reader, root, version).map(Response::ServerFinished),
        })
    }

    /// The body to send.
    pub fn write(&self) -> Vec<u8> {
        match self {
            Response::ServerHello(hello) => hello.write(),
            Response::ServerFinished(finished) => finished.write(),
        }
    }

    /// The status that the server reports.
    pub fn status(&self) -> Status {
        match self {
            Response::ServerHello(hello) => hello.status,
            Response::ServerFinished(finished) => finished.status,
        }
    }
}
