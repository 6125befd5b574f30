//! API tokens.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{CreatedToken, NewToken, Role};

use super::ApiState;
use super::problem::{ApiProblem, Body, Id, json_answer};
use super::users::name;

pub(super) async fn create(State(api): State<ApiState>, Body(new): Body<NewToken>) -> Result<Response, ApiProblem> {
    if new.roles.is_empty() {
        return Err(ApiProblem::value(format!("roles must name at least one of {}", Role::NAMES.join(", "))));
    }
    let name = name("name", &new.name)?;
    let (id, token) = api.store.create_token(name.clone(), new.roles.clone()).await?;
    Ok(json_answer(StatusCode::CREATED, &CreatedToken { id, name, roles: new.roles, token: token.into() }))
}

pub(super) async fn remove(State(api): State<ApiState>, Id(id): Id) -> Result<StatusCode, ApiProblem> {
    api.store.delete_token(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
