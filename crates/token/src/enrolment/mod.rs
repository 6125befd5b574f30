//! Enrolment: a key from a server.
//!
//! `flow` has the enrolment from its first check to the stored key, `attempts` which runs it makes, and `passes` one run.
//! They are `async` functions that wait for nothing but the host; `machine` polls them, one step at a time.

mod attempts;
mod change;
mod error;
mod flow;
mod host;
mod machine;
mod offer;
mod passes;
mod received;
mod request;
mod server;
mod step;
mod stored;
mod trigger;
mod trust;

pub use change::ServerChange;
pub use error::EnrolmentError;
pub use machine::Enrolment;
pub use request::{DEFAULT_KEY_TYPES, EnrollRequest, Enrolled, Variant};
pub use step::{Input, Step};
pub use stored::{Applied, RunsChange, StoreChange, TokenChange};
