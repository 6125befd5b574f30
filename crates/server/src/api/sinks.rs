//! Sinks, and the deliveries of keys to them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use dskpp_api::{Delivery, DeliveryQuery, DeliveryState, SinkList};

use super::ApiState;
use super::caller::Caller;
use super::enrolments::time;
use super::lists::{PAGE, id, limit, page, text};
use super::problem::{ApiProblem, Id, StrictQuery, json_answer};
use crate::model::DeliveryRecord;
use crate::store::DeliveryFilter;

pub(super) async fn list(State(api): State<ApiState>) -> Result<Response, ApiProblem> {
    Ok(json_answer(StatusCode::OK, &SinkList { items: api.sinks.summaries() }))
}

pub(super) async fn test(State(api): State<ApiState>, Id(name): Id) -> Result<Response, ApiProblem> {
    let found = api.sinks.test(&name).await.ok_or(ApiProblem::not_found("sink"))?;
    Ok(json_answer(StatusCode::OK, &found))
}

pub(super) async fn deliveries(
    State(api): State<ApiState>,
    StrictQuery(query): StrictQuery<DeliveryQuery>,
) -> Result<Response, ApiProblem> {
    let filter = DeliveryFilter { sink: text("sink", query.sink)?, state: query.state, after: id(query.after)? };
    Ok(page(api.store.deliveries(filter, limit(query.limit, PAGE)?).await?, describe))
}

pub(super) async fn retry(
    State(api): State<ApiState>,
    caller: Caller,
    Id(delivery): Id,
) -> Result<Response, ApiProblem> {
    let again = api.store.send_again(&delivery, caller.id().to_owned()).await?;
    Ok(json_answer(StatusCode::OK, &describe(again)))
}

pub(super) fn describe(delivery: DeliveryRecord) -> Delivery {
    let is_pending = delivery.state == DeliveryState::Pending;
    Delivery {
        id: delivery.id,
        key_id: delivery.key_id,
        sink: delivery.sink,
        operation: delivery.operation,
        number: delivery.seq,
        state: delivery.state,
        attempts: delivery.attempts,
        queued_at: time(delivery.queued_at),
        next_at: time(delivery.next_at).filter(|_| is_pending),
        error: delivery.error,
    }
}
