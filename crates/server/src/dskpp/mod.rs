//! DSKPP over HTTP: [`http`] receives requests, [`service`] answers them with the protocol core, the store and the pool
//! ([`client_hello`](service) is pass 1, `client_nonce` pass 3, `two_pass` the only request of two-pass), and
//! [`trigger_page`] serves triggers, or a page for people.

pub(crate) mod http;
pub(crate) mod refusal_counts;
mod refusals;
pub(crate) mod service;
pub(crate) mod trigger_page;
