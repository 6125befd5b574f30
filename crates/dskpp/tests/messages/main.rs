//! The messages of RFC 6063 §8: reading, refusal, writing, round trips.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod hostile;
mod rfc6063;
mod roundtrip;
mod samples;
mod schema;
