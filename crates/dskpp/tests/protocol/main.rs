//! The protocol as both sides run it: vectors, complete runs, a faulty link, hostile peers, and a test per
//! requirement of RFC 6063 §§1.2, 3.3, 3.4, 4, 5, 6, 7 and 8.

#![allow(clippy::unwrap_used, reason = "helpers fail as the tests do that call them")]

mod adversary;
mod attacker;
mod conformance_s1_2_versions;
mod conformance_s3_2_provisioning;
mod conformance_s3_3_status;
mod conformance_s3_4_authentication;
mod conformance_s4_four_pass;
mod conformance_s5_1_protection;
mod conformance_s5_two_pass;
mod conformance_s6_extensions;
mod conformance_s7_s8_binding;
mod forgotten;
mod hostile_client;
mod hostile_client_hello;
mod hostile_server;
mod pair;
mod recorded;
mod runs;
mod schema;
mod two_pass_sides;
mod vectors;
