//! A real server on a free port, driven over HTTP by the protocol core's client side and by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod activation;
mod binding;
mod connections;
mod crowds;
mod database;
mod fleet;
mod four_pass;
mod hostile;
mod lifecycle;
mod locks;
mod metrics;
mod monitoring;
mod oracles;
mod owner_renewal;
mod refusals;
mod renewal_and_trigger;
mod support;
mod tokens;
mod triggers;
mod two_pass;
mod validate_check;
