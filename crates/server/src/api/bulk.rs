//! Bulk: enrolments line by line, in and out, and keys that are revoked together.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::body::{Body as Content, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dskpp_api::{BulkEnrolment, KeyRevocation, MEDIA_TYPE_NDJSON, NewEnrolmentRequest, ProblemType, RevokedKeys};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::ApiState;
use super::caller::Caller;
use super::enrolments::{checked, described};
use super::lists::moment;
use super::problem::{ApiProblem, Body, json_answer};
use super::users::name;
use crate::model::origin::Origin;
use crate::store::{KeysToRevoke, NewEnrolment};

/// Enrolments in one transaction: other writes wait for no more than these.
const GROUP: usize = 250;
/// Maximum length of a line, in octets.
const MAX_LINE_LEN: usize = 64 * 1024;
/// Octets that are read ahead, so that a caller who writes all before it reads does not wait for itself.
const AHEAD: usize = 4 * 1024 * 1024;

/// Creates an enrolment for each line of the body.
pub(super) async fn create_enrolments(State(api): State<ApiState>, request: Request) -> Result<Response, ApiProblem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case(MEDIA_TYPE_NDJSON)) {
        let detail = format!("the body must be of the type {MEDIA_TYPE_NDJSON}: one enrolment per line");
        return Err(ApiProblem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ProblemType::NotNdjson, detail));
    }
    let room = api.batches.enter().await?;
    let (run, origin) = ((api, Lines::of(request.into_body()), room), Origin::current());
    let results = stream::unfold((run, origin), |((api, mut lines, room), origin)| async move {
        let group = lines.next_group().await;
        if group.is_empty() {
            return None;
        }
        // The answer is sent when its handler has ended.
        let results = match &origin {
            Some(origin) => Origin::clone(origin).during(create_group(&api, group)).await,
            None => create_group(&api, group).await,
        };
        Some((Ok::<_, std::convert::Infallible>(results), ((api, lines, room), origin)))
    });
    let mut response = Content::from_stream(results).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE_NDJSON));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// An enrolment that can be stored, and where its key is provisioned, if not at the first public URL.
type Prepared = (NewEnrolment, Option<String>);

/// The lines that answer a group, in its order.
async fn create_group(api: &ApiState, group: Vec<Line>) -> Bytes {
    let (mut results, mut places, mut good) = (Vec::new(), Vec::new(), Vec::new());
    for Line { number, text } in group {
        let place = results.len();
        match prepared(api, text).await {
            Ok((new, url_s)) => {
                good.push(new);
                places.push((place, url_s));
                results.push(BulkEnrolment { line: number, created: None, problem: None });
            }
            Err(why) => results.push(failed(number, why)),
        }
    }
    match api.store.create_enrolments(good).await {
        Ok(created) => {
            for (created, (place, url_s)) in created.into_iter().zip(places) {
                let described = created.map_err(ApiProblem::from).and_then(|created| described(api, created, url_s));
                match described {
                    Ok(created) => results[place].created = Some(Box::new(created)),
                    Err(why) => results[place] = failed(results[place].line, why),
                }
            }
        }
        Err(why) => {
            for (place, _) in places {
                results[place] = failed(results[place].line, why.clone().into());
            }
        }
    }
    let mut text = Vec::new();
    for result in results {
        text.extend(super::problem::members(&result).to_string().into_bytes());
        text.push(b'\n');
    }
    text.into()
}

fn failed(line: u64, why: ApiProblem) -> BulkEnrolment {
    BulkEnrolment { line, created: None, problem: Some(why.into_problem()) }
}

async fn prepared(api: &ApiState, text: Result<Vec<u8>, ApiProblem>) -> Result<Prepared, ApiProblem> {
    let new: NewEnrolmentRequest = serde_json::from_slice(&text?).map_err(|why| ApiProblem::body(why.to_string()))?;
    let new = checked(api, new)?;
    let url_s = match &new.renews {
        Some(key_id) => api.store.url_of_key(key_id).await?,
        None => None,
    };
    Ok((new, url_s))
}

/// A line of the body that is not blank.
struct Line {
    /// Its number, from 1.
    number: u64,
    text: Result<Vec<u8>, ApiProblem>,
}

/// A part of the body, and its room.
type Chunk = Result<(Bytes, OwnedSemaphorePermit), ()>;

/// The lines of a body.
struct Lines {
    chunks: mpsc::UnboundedReceiver<Chunk>,
    /// The line that has begun.
    begun: Vec<u8>,
    /// Its number.
    number: u64,
    ready: VecDeque<Line>,
    is_over: bool,
}

impl Lines {
    fn of(body: Content) -> Self {
        let (sender, chunks) = mpsc::unbounded_channel();
        let (room, mut body) = (Arc::new(Semaphore::new(AHEAD)), body.into_data_stream());
        tokio::spawn(async move {
            while let Some(chunk) = body.next().await {
                let length = chunk.as_ref().map_or(1, |chunk| chunk.len().clamp(1, AHEAD));
                let Ok(permit) = Arc::clone(&room).acquire_many_owned(length as u32).await else { return };
                let chunk = chunk.map(|chunk| (chunk, permit)).map_err(drop);
                let is_last = chunk.is_err();
                if sender.send(chunk).is_err() || is_last {
                    return;
                }
            }
        });
        Lines { chunks, begun: Vec::new(), number: 1, ready: VecDeque::new(), is_over: false }
    }

    /// Up to [`GROUP`] lines: those that are there, and at least one unless there are no more.
    async fn next_group(&mut self) -> Vec<Line> {
        while self.ready.len() < GROUP && !self.is_over {
            let chunk = match self.ready.is_empty() {
                true => self.chunks.recv().await,
                false => match self.chunks.recv().now_or_never() {
                    Some(chunk) => chunk,
                    None => break,
                },
            };
            match chunk {
                Some(Ok((chunk, _permit))) => self.read(&chunk),
                Some(Err(())) => self.end(Some("the body broke off in this line, and nothing of it was done")),
                None => self.end(None),
            }
        }
        let count = self.ready.len().min(GROUP);
        self.ready.drain(..count).collect()
    }

    fn read(&mut self, chunk: &[u8]) {
        for piece in chunk.split_inclusive(|octet| *octet == b'\n') {
            let (text, is_whole) = piece.strip_suffix(b"\n").map_or((piece, false), |text| (text, true));
            // One octet more shows that it is too long.
            let room = (MAX_LINE_LEN + 1).saturating_sub(self.begun.len());
            self.begun.extend_from_slice(&text[..text.len().min(room)]);
            if is_whole {
                self.line();
            }
        }
    }

    /// The line that has begun is whole.
    fn line(&mut self) {
        let (text, number) = (std::mem::take(&mut self.begun), self.number);
        self.number += 1;
        if text.len() > MAX_LINE_LEN {
            let detail = format!("a line may have at most {MAX_LINE_LEN} octets");
            let problem = ApiProblem::new(StatusCode::PAYLOAD_TOO_LARGE, ProblemType::TooLarge, detail);
            self.ready.push_back(Line { number, text: Err(problem) });
        } else if !text.trim_ascii().is_empty() {
            self.ready.push_back(Line { number, text: Ok(text) });
        }
    }

    fn end(&mut self, broken: Option<&'static str>) {
        self.is_over = true;
        match broken {
            None => self.line(),
            Some(why) => self.ready.push_back(Line { number: self.number, text: Err(ApiProblem::body(why)) }),
        }
    }
}

/// Revokes the keys of a user or device, or those that a filter finds.
pub(super) async fn revoke_keys(
    State(api): State<ApiState>,
    caller: Caller,
    Body(wanted): Body<KeyRevocation>,
) -> Result<Response, ApiProblem> {
    let KeyRevocation { user, device, key_type, state, created_since, created_until } = wanted;
    let times = [created_since.is_some(), created_until.is_some()];
    if user.is_none() && device.is_none() && key_type.is_none() && state.is_none() && times == [false; 2] {
        return Err(ApiProblem::value(
            "one of user, device, key_type, state, created_since, created_until is required",
        ));
    }
    let device = device.map(|device| -> Result<_, ApiProblem> {
        Ok((name("device.manufacturer", &device.manufacturer)?, name("device.serial", &device.serial)?))
    });
    let wanted = KeysToRevoke {
        user: user.map(|user| name("user", &user)).transpose()?,
        device: device.transpose()?,
        key_type,
        state,
        since: created_since.map(|time| moment("created_since", &time)).transpose()?,
        until: created_until.map(|time| moment("created_until", &time)).transpose()?,
    };
    let revoked = api.store.revoke_keys(wanted, caller.id()).await?;
    Ok(json_answer(StatusCode::OK, &RevokedKeys { revoked }))
}
