//! Import of keys: PSKC documents of some thousand plain keys each (RFC 6030), in sequence.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use data_encoding::HEXLOWER_PERMISSIVE;
use dskpp_api::{Assign, ImportProgress, ImportQuery, ImportReport, RejectedKey, Rejection};
use dskpp_crypto::Secret;
use pskc::ContainerReader;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ApiState;
use super::caller::Caller;
use super::problem::{ApiProblem, Id, StrictQuery, json_answer, pskc_document};
use super::users::name;
use crate::model::clock::now;
use crate::net::rate_limit::RetryAfter;
use crate::store::key_package::{Owner, Refusal, take_in};
use crate::store::{Batch, BatchDone, Progress, Store, StoreError};
use pskc::MAX_NAME_LEN;

/// Maximum size of a batch, in octets.
pub(super) const MAX_BATCH_LEN: usize = 16 * 1024 * 1024;
/// Maximum number of packages in a batch.
const MAX_PACKAGES: u64 = 20_000;

/// Batches in memory at a time, some 50 MiB each with the records made from them.
const MAX_BATCHES: usize = 2;
/// How long a batch waits for others before 429.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// `Retry-After` of that answer.
const RETRY_AFTER: RetryAfter = RetryAfter(Duration::from_secs(2));

/// Memory for batches: a batch without a permit waits with its body unread.
#[derive(Clone, Debug)]
pub(crate) struct Batches(Arc<Semaphore>);

impl Default for Batches {
    fn default() -> Self {
        Batches(Arc::new(Semaphore::new(MAX_BATCHES)))
    }
}

impl Batches {
    pub(super) async fn enter(&self) -> Result<OwnedSemaphorePermit, ApiProblem> {
        let permit = tokio::time::timeout(MAX_WAIT, Arc::clone(&self.0).acquire_owned()).await;
        permit.ok().and_then(Result::ok).ok_or_else(|| ApiProblem::busy("other imports are running", RETRY_AFTER))
    }
}

fn checked(query: &ImportQuery, by: &str) -> Result<(Batch, Owner), ApiProblem> {
    let owner = match (&query.user, query.assign) {
        (None, None) => Owner::Nobody,
        (None, Some(Assign::UserId)) => Owner::UserId,
        (Some(user), None) => Owner::User(name("user", user)?),
        (Some(_), Some(_)) => return Err(ApiProblem::value("user and assign exclude each other")),
    };
    let import = import_id(&query.import).ok_or_else(|| {
        ApiProblem::value("import must be 64 hexadecimal digits: a SHA-256 of the file and the options")
    })?;
    if query.first > i64::MAX as u64 - MAX_PACKAGES {
        return Err(ApiProblem::value("first is too large"));
    }
    let (first, by) = (query.first, by.to_owned());
    Ok((Batch { import, first, end: first, keys: Vec::new(), refused: Vec::new(), by }, owner))
}

fn import_id(text: &str) -> Option<String> {
    let octets = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok();
    octets.is_some_and(|octets| octets.len() == 32).then(|| text.to_ascii_lowercase())
}

pub(super) async fn batch(
    State(api): State<ApiState>,
    caller: Caller,
    StrictQuery(query): StrictQuery<ImportQuery>,
    request: Request,
) -> Result<Response, ApiProblem> {
    let (batch, owner) = checked(&query, caller.id())?;
    let _room = api.batches.enter().await?;
    let document = pskc_document(request).await?;
    let store = api.store.clone();
    let read = tokio::task::spawn_blocking(move || read(&store, batch, &owner, &document)).await;
    let batch = read.map_err(|_| StoreError::Unavailable("a batch could not be read".into()))??;
    let BatchDone { accepted, duplicate, refused, done } = api.store.import(batch).await?;
    Ok(json_answer(StatusCode::OK, &ImportReport { accepted, duplicate, refused, done }))
}

/// Reads the whole document before anything is stored.
pub(crate) fn read(store: &Store, mut batch: Batch, owner: &Owner, document: &Secret) -> Result<Batch, ApiProblem> {
    let faulty = |why: pskc::Error| ApiProblem::body(format!("the body is not a valid PSKC document: {why}"));
    let at = now();
    let mut sealer = store.sealer();
    let mut reader = ContainerReader::new(document.expose()).map_err(faulty)?;
    while let Some(package) = reader.next_package().map_err(faulty)? {
        let index = batch.end;
        if index - batch.first == MAX_PACKAGES {
            return Err(ApiProblem::value(format!("a batch may have at most {MAX_PACKAGES} packages")));
        }
        batch.end += 1;
        match take_in(package, owner, at) {
            Ok(taken) => batch.keys.push(sealer.seal(index, taken)),
            Err(Refusal { key_id, reason }) => {
                let key_id = key_id.chars().take(MAX_NAME_LEN).collect();
                batch.refused.push(RejectedKey {
                    index,
                    key_id,
                    kind: Rejection::Refused,
                    reason: Some(reason.into_owned()),
                });
            }
        }
    }
    reader.finish().map_err(faulty)?;
    Ok(batch)
}

pub(super) async fn progress(State(api): State<ApiState>, Id(id): Id) -> Result<Response, ApiProblem> {
    let not_found = || ApiProblem::not_found("import");
    let id = import_id(&id).ok_or_else(not_found)?;
    let progress = api.store.import_progress(id.clone()).await?.ok_or_else(not_found)?;
    let Progress { done, accepted, duplicate, refused, rejected } = progress;
    Ok(json_answer(StatusCode::OK, &ImportProgress { id, done, accepted, duplicate, refused, rejected }))
}
