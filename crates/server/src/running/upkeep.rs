//! What a server does every few seconds, whether anybody asks or not.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dskpp::service::Service;
use crate::net::rate_limit::Rates;
use crate::policy::backoff::Backoff;
use crate::setup::neighbours::Neighbours;
use crate::store::Store;

const INTERVAL: Duration = Duration::from_secs(10);

/// Forgets what has expired and takes up new keys.
pub(super) async fn sweep(rates: Arc<Rates>, service: Arc<Service>, passwords: Backoff, store: Store) -> Infallible {
    loop {
        tokio::time::sleep(INTERVAL).await;
        rates.sweep();
        service.sweep(Instant::now());
        passwords.sweep(Instant::now());
        if let Err(why) = service.renew_keys().await {
            tracing::warn!("cannot take up the keys of sessions and K_SERVERs: {why}");
        }
        if let Err(why) = store.forget_old_answers().await {
            tracing::warn!("cannot delete expired answers: {why}");
        }
        if let Err(why) = store.forget_old_calls().await {
            tracing::warn!("cannot delete expired answers of the API: {why}");
        }
        if let Err(why) = store.settle_tries().await {
            tracing::warn!("cannot write refused runs to the audit trail: {why}");
        }
    }
}

/// Checks for other servers on the same data folder, on a blocking thread.
pub(super) async fn watch_neighbours(mut neighbours: Neighbours) -> String {
    loop {
        let look = move || {
            neighbours.warn_of_new();
            neighbours
        };
        match tokio::task::spawn_blocking(look).await {
            Ok(looked) => neighbours = looked,
            Err(why) => return format!("the check for other servers ({why})"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
