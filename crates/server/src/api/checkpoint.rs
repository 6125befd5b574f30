//! A signed checkpoint of the audit trail.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::AuditCheckpoint;

use super::ApiState;
use super::problem::{ApiProblem, json_answer};

pub(super) async fn make(State(api): State<ApiState>) -> Result<Response, ApiProblem> {
    let checkpoints = api.checkpoints.ok_or(ApiProblem::not_found("key for checkpoints (audit.checkpoint_key)"))?;
    let text = checkpoints.make().await?.to_string();
    Ok(json_answer(StatusCode::OK, &AuditCheckpoint { text }))
}
