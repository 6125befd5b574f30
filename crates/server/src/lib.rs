//! The DSKPP server: the HTTP/1.1 binding of RFC 6063 §7.2, policy, the store, and the admin API.
//!
//! Guarantees:
//! - The server keeps no state between the two requests of a run: the session travels with the client, sealed.
//! - Expensive computations run on a bounded pool of threads, shared fairly between addresses.
//! - A key, its enrolment, the answer and the audit record are committed together, before the client receives
//!   `Success`.
//! - No secret is in the clear at rest, in a log or in an error.
//!
//! Out of scope: setting up logging (the crate uses `tracing`), and anything but HTTP/1.1.
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
mod certificates;
mod checkpoints;
pub mod config;
mod dskpp;
mod error;
mod files;
mod metrics;
mod model;
mod net;
mod notices;
mod pages;
mod platform;
mod policy;
mod running;
mod setup;
mod sinks;
mod store;
mod threads;

pub use config::{Config, ConfigError, ConfigFault};
pub use error::{Error, StoreError};
pub use running::{Running, ServerOptions, run, serve};
pub use setup::{database, seal};
