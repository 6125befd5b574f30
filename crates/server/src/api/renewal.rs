//! `POST /renew`: the owner of a key asks by its client for a renewal. Nobody else can: the request has a MAC under K_MAC,
//! and a one-time password that it uses up.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use dskpp_api::{Renewal, RenewalRequest, paths};

use super::activation::{ActivationState, MAX_BODY_LEN, checked};
use super::enrolments::{text, time};
use super::problem::{self, ApiProblem, Body, json_answer};
use crate::dskpp::trigger_page;
use crate::net::rate_limit::RetryAfter;

/// The longest time for which such a renewal is open, in seconds: its client begins at once.
const LIFETIME_S: u64 = 15 * 60;

/// What requests need.
#[derive(Clone)]
pub(crate) struct RenewalState {
    pub(crate) clients: ActivationState,
    /// The first URL_S.
    pub(crate) url_s: String,
    /// Seconds for which enrolments are open.
    pub(crate) lifetime_s: u64,
    /// `portal.owners_renew`
    pub(crate) is_allowed: bool,
}

/// `POST /renew`; every other method is 405.
pub(crate) fn router(state: RenewalState) -> Router {
    Router::new()
        .route(paths::RENEW, post(renew).fallback(problem::no_method))
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .with_state(state)
}

/// Every refusal is the same answer: a wrong MAC, an unknown key, a wrong password, a key or a server that allows no such
/// renewal.
async fn renew(
    State(RenewalState { clients, url_s, lifetime_s, is_allowed }): State<RenewalState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(request): Body<RenewalRequest>,
) -> Result<Response, ApiProblem> {
    let busy = |wait: RetryAfter| ApiProblem::busy("too many requests from this address", wait);
    clients.rates.admit(peer.into()).map_err(busy)?;
    let _turn = clients.turns.of(peer.into()).await.map_err(busy)?;
    let mac = checked(&request.key_id, &request.otp, &request.mac)?;
    let created = match is_allowed {
        true => clients.store.renew_by_owner(request, mac, lifetime_s.min(LIFETIME_S)).await?,
        false => None,
    };
    let refused = || ApiProblem::state("the key cannot be renewed this way: ask its issuer for a renewal link");
    let created = created.ok_or_else(refused)?;
    let expires_at = time(created.enrolment.expires_at);
    let answer = Renewal {
        trigger_url: trigger_page::address(&url_s, text(&created.trigger_token).expose()).into(),
        expires_at: expires_at.ok_or_else(|| ApiProblem::value("the server's clock is wrong"))?,
    };
    Ok(json_answer(StatusCode::CREATED, &answer))
}
