//! Where a request comes from, for the audit trail.

use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value};

tokio::task_local! {
    static CURRENT: Arc<Origin>;
}

/// Where a request comes from. What is done for it says so in the audit trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The address of the client.
    pub address: IpAddr,
    /// The id that a balancer gave the request.
    pub request: Option<String>,
    /// The token of the admin API, by its id.
    pub by: Option<String>,
}

impl Origin {
    /// That of the request which the current task answers, or for which this thread does something now.
    pub(crate) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Answers a request from there.
    pub(crate) async fn during<T>(self, answer: impl Future<Output = T>) -> T {
        CURRENT.scope(Arc::new(self), answer).await
    }

    /// Does something for a request from there, on a thread of another kind.
    pub(crate) fn within<T>(origin: Option<Arc<Self>>, work: impl FnOnce() -> T) -> T {
        match origin {
            Some(origin) => CURRENT.sync_scope(origin, work),
            None => work(),
        }
    }

    /// Adds it to the subject of an entry, beside what that says already.
    pub(crate) fn sign(&self, subject: &mut Map<String, Value>) {
        let mut add = |name: &str, value: String| _ = subject.entry(name).or_insert(Value::String(value));
        add("from", self.address.to_canonical().to_string());
        self.request.iter().for_each(|request| add("request", request.clone()));
        self.by.iter().for_each(|by| add("by", by.clone()));
    }
}
