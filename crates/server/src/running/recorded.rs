//! What the audit trail says of the server itself. It serves even while its database cannot be written: /readyz says so.

use std::net::SocketAddr;

use data_encoding::HEXLOWER;
use dskpp_crypto::Sha256;
use serde_json::{Value, json};

use crate::Config;
use crate::store::Store;

/// Records a start, with the version and a digest of the configuration.
pub(super) async fn start(store: &Store, address: SocketAddr, config: &Config) {
    let (version, configuration) = (env!("CARGO_PKG_VERSION"), digest_of(config));
    let subject = json!({ "address": address, "version": version, "configuration": configuration });
    record(store, "server.started", subject).await;
}

/// Records a stop that was requested, after the last answer.
pub(super) async fn stop(store: &Store, address: SocketAddr) {
    record(store, "server.stopped", json!({ "address": address })).await;
}

async fn record(store: &Store, event: &'static str, subject: Value) {
    if let Err(why) = store.record(event, subject).await {
        tracing::warn!("the audit trail has no entry {event}: {why}");
    }
}

/// SHA-256 of all settings in force, in hexadecimal: another digest is another configuration.
fn digest_of(config: &Config) -> String {
    let settings = config.settings(None, &[]);
    let lines = settings.iter().map(|setting| format!("{} = {}\n", setting.key, setting.value)).collect::<String>();
    HEXLOWER.encode(&Sha256::digest(&[lines.as_bytes()]))
}
