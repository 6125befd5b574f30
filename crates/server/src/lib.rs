//! The DSKPP server: the HTTP/1.1 binding of RFC 6063 §7.2, policy, the store, and the admin API.
//!
//! What it promises:
//! - Between the two requests of a run it keeps nothing: the session travels with the client,
//!   sealed.
//! - What is expensive runs on a bounded pool of threads, which is shared fairly between the addresses that ask.
//! - A key, the enrolment that it spends, the answer and the audit record are committed together,
//!   before the client hears `Success`.
//! - No secret is in the clear at rest, in a log or in an error.
//!
//! What it does not: set up logging (it speaks through `tracing`), or serve anything but HTTP/1.1.
//!
//! ```no_run
//! # async fn example() -> Result<(), dskpp_server::Error> {
//! use dskpp_server::{Config, ServerOptions, serve};
//! let running = serve(Config::default(), ServerOptions::default()).await?;
//! println!("listening on {}", running.address());
//! running.shutdown();
//! running.wait().await
//! # }
//! ```

mod api;
#[doc(hidden)]
pub mod bench;
pub mod config;
mod dskpp;
mod error;
mod files;
mod model;
mod net;
mod policy;
mod running;
mod setup;
mod store;
mod threads;

pub use config::{Config, ConfigError, Fault};
pub use error::{Error, StoreError};
pub use running::{Running, ServerOptions, run, serve};
pub use setup::database;
