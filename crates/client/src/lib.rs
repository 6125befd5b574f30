//! A DSKPP client (RFC 6063) for authenticators: it gets keys from servers, keeps them, and makes one-time passwords.
//!
//! - [`Token`] and [`Tokens`] are values: their methods do no I/O, and the clock is an argument.
//! - [`TokenStore`] is where tokens live. [`FileStore`] is an encrypted file; implement the trait to keep them elsewhere.
//! - [`enroll()`] gets a key from a server into a store. It stores the key only after it has verified the server's
//!   confirmation, and replaces a key only if the server proves that it knows it.
//! - [`transport`] speaks TLS only; plain HTTP is for this machine, or for tests that ask for it.
//!
//! No secret is ever printed or logged. The crate does not talk to people: a program on top asks for codes and shows
//! errors, whose texts say what happened and what to do.
//!
//! ```no_run
//! use std::{path::Path, time::SystemTime};
//!
//! use dskpp_client::{Credential, EnrollRequest, FileStore, OtpInput, Secret, TokenStore, Transport, TransportOptions};
//! use dskpp_client::{Unlock, enroll};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let unlock = Unlock::Passphrase(Secret::from_slice(b"correct horse battery staple"));
//! let mut store = FileStore::open_or_create(Path::new("tokens.db"), &unlock)?;
//!
//! let code = "3582-AF0C-3E7D-12B4".parse()?; // the user typed it
//! let request = EnrollRequest::new(Some("https://keys.example/dskpp".into()), Credential::Code(code));
//! let transport = Transport::new(&TransportOptions::default())?;
//! let enrolled = enroll(&transport, &mut store, request).await?;
//!
//! let otp = store.otp(&enrolled.key_id, &OtpInput::at(SystemTime::now()))?; // its counter is saved
//! println!("{}", otp.code);
//!
//! store.change(|tokens| tokens.rename(&enrolled.key_id, Some("Bank".into())))?;
//! for token in store.load()?.iter() {
//!     println!("{} {}", token.id, token.key_type);
//! }
//! store.change(|tokens| tokens.delete(&enrolled.key_id))?;
//! # Ok(())
//! # }
//! ```

mod enroll;
mod store;
pub mod transport;

pub use enroll::{EnrollError, enroll, enroll_asking, k_server_anchors};
pub use store::{FileStore, TokenStore, TokenStoreError, Unlock};
pub use transport::{Transport, TransportError, TransportOptions};

// What the signatures above need: the authenticator without I/O.
pub use dskpp_token::*;
