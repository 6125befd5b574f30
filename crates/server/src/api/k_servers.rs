//! K_SERVERs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{KServer, KServerState, ListPage, NewKServer};

use super::ApiState;
use super::caller::Caller;
use super::enrolments::time;
use super::problem::{ApiProblem, Body, Id, json_answer};
use crate::setup::k_servers::KnownKServer;

pub(super) async fn list(State(api): State<ApiState>) -> Result<Response, ApiProblem> {
    let items = api.k_servers.list().await?.iter().map(describe).collect::<Vec<_>>();
    Ok(json_answer(StatusCode::OK, &ListPage { items, next: None }))
}

pub(super) async fn add(
    State(api): State<ApiState>,
    caller: Caller,
    Body(NewKServer {}): Body<NewKServer>,
) -> Result<Response, ApiProblem> {
    let id = api.k_servers.add(caller.id().to_owned()).await?;
    let all = api.k_servers.list().await?;
    let added = all.iter().find(|(known, _)| known.k_server.id == id).ok_or(ApiProblem::not_found("K_SERVER"))?;
    Ok(json_answer(StatusCode::CREATED, &describe(added)))
}

pub(super) async fn retire(State(api): State<ApiState>, caller: Caller, Id(id): Id) -> Result<StatusCode, ApiProblem> {
    api.k_servers.retire(&id, caller.id().to_owned()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe((known, is_newest): &(KnownKServer, bool)) -> KServer {
    KServer {
        id: known.k_server.id.clone(),
        fingerprint: known.k_server.fingerprint.clone(),
        state: match (known.retired_at, is_newest) {
            (Some(_), _) => KServerState::Retired,
            (None, true) => KServerState::Current,
            (None, false) => KServerState::Older,
        },
        created_at: known.created_at.and_then(time),
        retired_at: known.retired_at.and_then(time),
    }
}
