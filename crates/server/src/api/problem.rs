//! Errors as problem+json (RFC 9457), and the extractors that make them.

use std::net::SocketAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, ExtensionRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dskpp_crypto::Secret;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::ApiState;
use super::callers::NotNow;
use crate::limits::RetryAfter;
use crate::store::{ApiToken, Role, StoreError};

/// An answer that is no success. Its kind is stable, its text is for people.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    retry_after: Option<RetryAfter>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, kind, detail: detail.into(), retry_after: None }
    }

    /// 422: the request is understood, but a value cannot be used.
    pub(super) fn value(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-value", detail)
    }

    /// 400: the body is not what it says that it is.
    pub(super) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-body", detail)
    }

    /// 429: there is no room now, and there will be.
    pub(super) fn busy(what: &str, wait: RetryAfter) -> Self {
        let detail = format!("{what}: try again in {} s", wait.seconds());
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "busy", detail);
        Problem { retry_after: Some(wait), ..problem }
    }

    /// The text for people alone.
    pub(super) fn into_detail(self) -> String {
        self.detail
    }

    /// 404
    pub(super) fn not_found(what: &'static str) -> Self {
        StoreError::NotFound(what).into()
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let (status, kind) = match &error {
            StoreError::Exists(_) => (StatusCode::CONFLICT, "exists"),
            StoreError::State(_) => (StatusCode::CONFLICT, "wrong-state"),
            StoreError::ImportDone { .. } => (StatusCode::CONFLICT, "import-done"),
            StoreError::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            StoreError::Row(_) => {
                tracing::error!("{error}");
                (StatusCode::INTERNAL_SERVER_ERROR, "unreadable")
            }
            StoreError::Unavailable(_)
            | StoreError::Damaged(_)
            | StoreError::Gone { .. }
            | StoreError::Other { .. }
            | StoreError::Sealed(_)
            | StoreError::TooNew { .. } => {
                tracing::error!("the store failed: {error}");
                let detail = "the store cannot be used now; try again later, and look into the server's log";
                return Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", detail);
            }
        };
        Self::new(status, kind, error.to_string())
    }
}

impl From<NotNow> for Problem {
    fn from(why: NotNow) -> Self {
        match why {
            NotNow::Later(wait) => Self::busy("too many calls with unknown tokens from this address", wait),
            NotNow::Store(why) => why.into(),
        }
    }
}

impl From<RetryAfter> for Problem {
    fn from(wait: RetryAfter) -> Self {
        let detail = format!("too many wrong one-time passwords: try again in {} s", wait.seconds());
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "too-many-wrong", detail);
        Problem { retry_after: Some(wait), ..problem }
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "not-json",
            _ => "invalid-body",
        };
        Self::new(rejection.status(), kind, rejection.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let kind = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "too-large",
            _ => "invalid-body",
        };
        Self::new(rejection.status(), kind, rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::new(rejection.status(), "invalid-query", rejection.body_text())
    }
}

/// Every connection has an address: a defect.
impl From<ExtensionRejection> for Problem {
    fn from(rejection: ExtensionRejection) -> Self {
        Self::new(rejection.status(), "defect", rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), "invalid-path", rejection.body_text())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": format!("urn:dskpp:problem:{}", self.kind),
            "title": self.status.canonical_reason().unwrap_or("Error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, wait.seconds().into());
        }
        response
    }
}

pub(super) async fn no_route() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "no-such-route", "there is no such resource below /api/v1")
}

pub(super) async fn no_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-such-method", "this resource does not take that method")
}

/// A JSON answer that nobody may keep: it may hold a code or a key.
pub(super) fn json_answer(status: StatusCode, body: serde_json::Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// A JSON body; what it may not contain is an error, not ignored.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        Ok(Body(body))
    }
}

/// The type of PSKC documents (RFC 6030 §8).
pub(super) const PSKC: &str = "application/pskc+xml";

/// A document of PSKC, wiped after use. It is read only when the caller's rights are known, for it may be long.
///
/// Errors: 415 for another type, 413 over the route's limit.
pub(super) async fn pskc_document(request: Request) -> Result<Secret, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !media_type.is_some_and(|media_type| media_type.eq_ignore_ascii_case(PSKC)) {
        let detail = format!("the body must be of the type {PSKC}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-pskc", detail));
    }
    Ok(Secret::new(Vec::from(Bytes::from_request(request, &()).await?)))
}

/// A query string, likewise.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::<T>::from_request_parts(parts, state).await?;
        Ok(Asked(query))
    }
}

/// An identifier in the path.
pub(super) struct Id(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Id(id))
    }
}

/// The caller, known by its token; checked before the body is read.
pub(super) struct Caller(ApiToken);

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        const DETAIL: &str = "send the header Authorization: Bearer <token>; the first token is in the server's \
             data folder, in the file admin-token";
        let unknown = || Problem::new(StatusCode::UNAUTHORIZED, "no-token", DETAIL);
        let ConnectInfo(peer) = ConnectInfo::<SocketAddr>::from_request_parts(parts, state).await?;
        let token = bearer(&parts.headers).ok_or_else(unknown)?;
        let found = state.callers.find(&state.store, token, peer.into()).await?;
        found.map(Caller).ok_or_else(unknown)
    }
}

impl Caller {
    /// 403 unless the token has the role.
    pub(super) fn may(&self, role: Role) -> Result<(), Problem> {
        match self.0.roles.contains(&role) {
            true => Ok(()),
            false => {
                let detail = format!("this token lacks the role {}", json!(role));
                Err(Problem::new(StatusCode::FORBIDDEN, "no-role", detail))
            }
        }
    }

    /// The token's identifier, for the audit trail.
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
}
