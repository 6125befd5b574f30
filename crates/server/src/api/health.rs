//! Liveness and readiness.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::watch;

use crate::store::Store;

/// Minimum time between two checks of the store.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a request waits for a running check where the last result is recent.
const PATIENCE: Duration = Duration::from_millis(500);
/// From this age on, a result says nothing about now.
const OLD: Duration = Duration::from_secs(5);
/// A check that takes longer means not ready.
const SLOW: Duration = Duration::from_secs(2);

/// `/healthz`: the process answers. `/readyz`: the server can serve requests now and is not about to stop; otherwise 503
/// with the reason.
pub(crate) fn router(store: Store, stop: watch::Receiver<bool>) -> Router {
    let readiness = Readiness { store, stop, last: watch::Sender::new(HealthSample::default()) };
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready)).with_state(readiness)
}

#[derive(Clone)]
struct Readiness {
    store: Store,
    /// The order to stop.
    stop: watch::Receiver<bool>,
    last: watch::Sender<HealthSample>,
}

/// The result of the last check. When the first request comes, the store has just been opened.
#[derive(Default)]
struct HealthSample {
    /// The fault, if any.
    fault: Option<String>,
    /// When the last check ended.
    at: Option<Instant>,
    /// When the running check began.
    checking: Option<Instant>,
}

async fn ready(State(readiness): State<Readiness>) -> impl IntoResponse {
    readiness.check_if_due();
    let mut last = readiness.last.subscribe();
    let is_recent = last.borrow().at.is_some_and(|at| at.elapsed() < OLD);
    let checked = last.wait_for(|last| last.checking.is_none());
    _ = tokio::time::timeout(if is_recent { PATIENCE } else { SLOW }, checked).await; // then the last result counts
    let (fault, age) = match *readiness.stop.borrow() {
        true => (Some("the server is about to stop".to_owned()), Duration::ZERO),
        false => readiness.last.borrow().answer(Instant::now()),
    };
    let headers = [(header::AGE, age.as_secs().to_string()), (header::CACHE_CONTROL, "no-store".into())];
    match fault {
        None => (StatusCode::OK, headers, "ok\n".to_owned()),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, headers, format!("not ready: {why}\n")),
    }
}

impl Readiness {
    /// Starts a check, unless one is running or the last one is fresh.
    fn check_if_due(&self) {
        let due = self.last.send_if_modified(|last| {
            let due = last.checking.is_none() && last.at.is_none_or(|at| at.elapsed() >= INTERVAL);
            if due {
                last.checking = Some(Instant::now());
            }
            due
        });
        if due {
            let Readiness { store, last, .. } = self.clone();
            tokio::spawn(async move {
                let fault = store.probe().await.err().map(|why| why.to_string());
                last.send_modify(|last| last.found(fault));
            });
        }
    }
}

impl HealthSample {
    fn found(&mut self, fault: Option<String>) {
        if fault != self.fault {
            match &fault {
                Some(why) => tracing::error!("not ready: {why}"),
                None => tracing::info!("ready again"),
            }
        }
        *self = HealthSample { fault, at: Some(Instant::now()), checking: None };
    }

    /// The fault, if any, and the age of that result.
    fn answer(&self, now: Instant) -> (Option<String>, Duration) {
        let since = |at: Option<Instant>| at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let checking = since(self.checking);
        if checking < SLOW {
            return (self.fault.clone(), since(self.at));
        }
        let slow = format!(
            "a write has been pending for {} s: the disk is slow, or the database is locked",
            checking.as_secs()
        );
        (Some(self.fault.clone().unwrap_or(slow)), Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_check_is_a_fault_and_answers_have_an_age() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut last = HealthSample::default();
        assert_eq!(last.answer(after(9)), (None, Duration::ZERO));
        last.checking = Some(start);
        assert_eq!(last.answer(after(1)).0, None);
        assert!(last.answer(after(2)).0.unwrap().contains("2 s"));
        last.at = Some(start);
        assert_eq!(last.answer(after(1)), (None, Duration::from_secs(1)));
        last.found(Some("the disk is full".into()));
        last.at = Some(start);
        assert_eq!(last.answer(after(3)), (Some("the disk is full".into()), Duration::from_secs(3)));
        last.found(None);
        assert_eq!(last.answer(start).0, None);
    }
}
