//! Errors as problem+json (RFC 9457), and the extractors that return them.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, ExtensionRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dskpp_api::{MEDIA_TYPE_PROBLEM, MEDIA_TYPE_PSKC, ProblemType, paths};
use dskpp_crypto::Secret;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::callers::LookupRefused;
use crate::Error;
use crate::net::rate_limit::RetryAfter;
use crate::net::request_id::RequestId;
use crate::store::StoreError;

/// An error answer. Its type is stable; its text is for people.
#[derive(Debug)]
pub(super) struct ApiProblem {
    status: StatusCode,
    kind: ProblemType,
    detail: String,
    retry_after: Option<RetryAfter>,
}

impl ApiProblem {
    pub(super) fn new(status: StatusCode, kind: ProblemType, detail: impl Into<String>) -> Self {
        ApiProblem { status, kind, detail: detail.into(), retry_after: None }
    }

    /// 422: a value is invalid.
    pub(super) fn value(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ProblemType::InvalidValue, detail)
    }

    /// 409: what is asked for is not possible as things are.
    pub(super) fn state(detail: &'static str) -> Self {
        StoreError::State(detail).into()
    }

    /// 400: the body does not match its declared type.
    pub(super) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ProblemType::InvalidBody, detail)
    }

    /// 500: a bug in the server.
    pub(super) fn defect(detail: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, ProblemType::Defect, detail)
    }

    /// 400: a header cannot be read.
    pub(super) fn header(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ProblemType::InvalidHeader, detail)
    }

    /// 409: the first call with this key is at work.
    pub(super) fn in_flight() -> Self {
        let detail = "the first call with this Idempotency-Key is being carried out: wait for its answer";
        let problem = Self::new(StatusCode::CONFLICT, ProblemType::InFlight, detail);
        ApiProblem { retry_after: Some(RetryAfter(Duration::from_secs(1))), ..problem }
    }

    /// 409: the first call with this key was carried out, and its answer is not known.
    pub(super) fn answer_lost() -> Self {
        let detail = "the first call with this Idempotency-Key was carried out and its answer was lost: \
             look for what it created before you call again with another key";
        Self::new(StatusCode::CONFLICT, ProblemType::AnswerLost, detail)
    }

    /// 422: the key belongs to another request.
    pub(super) fn key_reused() -> Self {
        let detail = "this Idempotency-Key was used for another request";
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, ProblemType::KeyReused, detail)
    }

    /// 429: no capacity now.
    pub(super) fn busy(what: &str, wait: RetryAfter) -> Self {
        let detail = format!("{what}: try again in {} s", wait.seconds());
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, ProblemType::Busy, detail);
        ApiProblem { retry_after: Some(wait), ..problem }
    }

    /// As it stands in answers.
    pub(super) fn into_problem(self) -> dskpp_api::Problem {
        dskpp_api::Problem {
            kind: Some(self.kind.into()),
            title: Some(self.status.canonical_reason().unwrap_or("Error").to_owned()),
            status: Some(self.status.as_u16()),
            detail: Some(self.detail),
        }
    }

    /// Only the text.
    pub(super) fn into_detail(self) -> String {
        self.detail
    }

    /// 404
    pub(super) fn not_found(what: &'static str) -> Self {
        StoreError::NotFound(what).into()
    }
}

impl From<StoreError> for ApiProblem {
    fn from(error: StoreError) -> Self {
        let (status, kind) = match &error {
            StoreError::Exists(_) => (StatusCode::CONFLICT, ProblemType::Exists),
            StoreError::State(_) => (StatusCode::CONFLICT, ProblemType::WrongState),
            StoreError::ImportDone { .. } => (StatusCode::CONFLICT, ProblemType::ImportDone),
            StoreError::Changed => (StatusCode::PRECONDITION_FAILED, ProblemType::Changed),
            StoreError::NotFound(_) => (StatusCode::NOT_FOUND, ProblemType::NotFound),
            StoreError::Row(_) => {
                tracing::error!("{error}");
                (StatusCode::INTERNAL_SERVER_ERROR, ProblemType::Unreadable)
            }
            StoreError::Unavailable(_)
            | StoreError::Unknown(_)
            | StoreError::Conflict(_)
            | StoreError::Clock { .. }
            | StoreError::Damaged(_)
            | StoreError::Gone { .. }
            | StoreError::InUse(_)
            | StoreError::UnfinishedCopy
            | StoreError::Other { .. }
            | StoreError::FormerKek
            | StoreError::Sealed(_)
            | StoreError::TooNew { .. }
            | StoreError::TooOld { .. }
            | StoreError::Migration { .. } => {
                tracing::error!("the store failed: {error}");
                let detail = "the store is unavailable; try again later, and see the server's log";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, ProblemType::StoreUnavailable, detail);
            }
        };
        Self::new(status, kind, error.to_string())
    }
}

impl From<Error> for ApiProblem {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(why) => why.into(),
            why => StoreError::Unavailable(why.to_string()).into(),
        }
    }
}

impl From<LookupRefused> for ApiProblem {
    fn from(why: LookupRefused) -> Self {
        match why {
            LookupRefused::Later(wait) => Self::busy("too many calls with unknown tokens from this address", wait),
            LookupRefused::Store(why) => why.into(),
        }
    }
}

impl From<RetryAfter> for ApiProblem {
    fn from(wait: RetryAfter) -> Self {
        let detail = format!("too many wrong one-time passwords: try again in {} s", wait.seconds());
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, ProblemType::TooManyWrong, detail);
        ApiProblem { retry_after: Some(wait), ..problem }
    }
}

impl From<JsonRejection> for ApiProblem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ProblemType::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemType::NotJson,
            _ => ProblemType::InvalidBody,
        };
        Self::new(rejection.status(), kind, rejection.body_text())
    }
}

impl From<BytesRejection> for ApiProblem {
    fn from(rejection: BytesRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ProblemType::TooLarge,
            _ => ProblemType::InvalidBody,
        };
        Self::new(rejection.status(), kind, rejection.body_text())
    }
}

impl From<QueryRejection> for ApiProblem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), ProblemType::InvalidQuery, rejection.body_text())
    }
}

/// Every connection has an address, so a missing one is a bug.
impl From<ExtensionRejection> for ApiProblem {
    fn from(rejection: ExtensionRejection) -> Self {
        Self::new(rejection.status(), ProblemType::Defect, rejection.body_text())
    }
}

impl From<PathRejection> for ApiProblem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), ProblemType::InvalidPath, rejection.body_text())
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let (status, retry_after) = (self.status, self.retry_after);
        let mut body = members(&self.into_problem());
        if let Some(id) = RequestId::current() {
            body["request_id"] = id.to_string().into();
        }
        let mut response = json_answer(status, &body);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE_PROBLEM));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = retry_after {
            headers.insert(header::RETRY_AFTER, wait.seconds().into());
        }
        response
    }
}

pub(super) async fn no_route() -> ApiProblem {
    ApiProblem::new(StatusCode::NOT_FOUND, ProblemType::NoSuchRoute, format!("no such resource under {}", paths::ROOT))
}

pub(super) async fn no_method() -> ApiProblem {
    ApiProblem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        ProblemType::NoSuchMethod,
        "this resource does not support that method",
    )
}

/// A JSON answer, marked as not cacheable: it may hold a code or a key. Members are sorted by name.
pub(super) fn json_answer(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(members(body))).into_response()
}

pub(super) fn members(body: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(body).expect("structs of texts and numbers are JSON")
}

/// A JSON body; an unknown member is an error, not ignored.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiProblem> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        Ok(Body(body))
    }
}

/// A PSKC document, wiped after use. It may be long, so it is read only after authorisation.
///
/// Errors: 415 for another media type, 413 above the route's limit.
pub(super) async fn pskc_document(request: Request) -> Result<Secret, ApiProblem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case(MEDIA_TYPE_PSKC)) {
        let detail = format!("the body must be of the type {MEDIA_TYPE_PSKC}");
        return Err(ApiProblem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ProblemType::NotPskc, detail));
    }
    Ok(Secret::new(Vec::from(Bytes::from_request(request, &()).await?)))
}

/// A query string, as strict as [`Body`].
pub(super) struct StrictQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for StrictQuery<T> {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Query(query) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(StrictQuery(query))
    }
}

/// An identifier in the path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Id(id))
    }
}
