//! Who calls: authenticated, and allowed to, before anything else of a request is read.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use dskpp_api::ProblemType;

use super::ApiState;
use super::problem::ApiProblem;
use crate::model::ApiToken;
use crate::model::origin::Origin;
use crate::policy::permissions::{Call, allow, roles_with};

/// The caller of a call that its roles allow.
#[derive(Clone)]
pub(super) struct Caller(ApiToken);

impl Caller {
    /// The token's identifier, for the audit trail.
    pub(super) fn id(&self) -> &str {
        &self.0.id
    }
}

/// [`authorise`] has put it there.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiProblem> {
        let missing = || ApiProblem::defect("a call without its check");
        parts.extensions.get::<Caller>().cloned().ok_or_else(missing)
    }
}

/// Lets a request through to the handler of its call: 401 without a known token, 403 if no role of the token has the
/// call's permission.
pub(super) async fn authorise(
    State((api, call)): State<(ApiState, Call)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiProblem> {
    const DETAIL: &str = "send the header Authorization: Bearer <token>; the first token is in the file \
         admin-token in the server's data folder";
    let unknown = || ApiProblem::new(StatusCode::UNAUTHORIZED, ProblemType::NoToken, DETAIL);
    let token = bearer(request.headers()).ok_or_else(unknown)?;
    let found = api.callers.find(&api.store, token, peer.into()).await?.ok_or_else(unknown)?;
    let too_many = |wait| ApiProblem::busy("too many calls with this token", wait);
    api.token_rates.admit(&found.id).map_err(too_many)?;
    if !allow(&found.roles, call.needs()) {
        let (needs, roles) = (call.needs().as_str(), roles_with(call.needs()).join(", "));
        let detail = format!("this token lacks the permission \"{needs}\", which the roles {roles} have");
        return Err(ApiProblem::new(StatusCode::FORBIDDEN, ProblemType::NoRole, detail));
    }
    let origin = Origin::current().map(|origin| Origin { by: Some(found.id.clone()), ..Origin::clone(&origin) });
    request.extensions_mut().insert(Caller(found));
    let answer = next.run(request);
    Ok(match origin {
        Some(origin) => origin.during(answer).await,
        None => answer.await, // a router without a network, as in tests
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then_some(token.trim())
}
