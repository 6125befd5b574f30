//! `POST /activate`: the client of a key that waits for its first one-time password shows it (RFC 6063 §10.5). Nobody
//! else can: the request has a MAC under K_MAC.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use data_encoding::HEXLOWER_PERMISSIVE;
use dskpp_api::{ActivationRequest, SecretString, paths};

use super::keys::MAX_OTP_LEN;
use super::problem::{self, ApiProblem, Body, json_answer};
use crate::net::rate_limit::{Rates, RetryAfter};
use crate::net::turns::Turns;
use crate::store::Store;

/// Maximum size of a request body, in octets.
pub(super) const MAX_BODY_LEN: usize = 4096;
/// Maximum length of a key's identifier, in octets.
const MAX_ID_LEN: usize = 256;
/// Octets of the MAC.
const MAC_LEN: usize = 16;

/// What requests need.
#[derive(Clone)]
pub(crate) struct ActivationState {
    pub(crate) store: Store,
    pub(crate) rates: Arc<Rates>,
    pub(crate) turns: Turns,
}

/// `POST /activate`; every other method is 405.
pub(crate) fn router(state: ActivationState) -> Router {
    Router::new()
        .route(paths::ACTIVATE, post(activate).fallback(problem::no_method))
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .with_state(state)
}

/// Every refusal is the same answer: a wrong MAC, an unknown key, a wrong password, a key that waits no more.
async fn activate(
    State(state): State<ActivationState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Body(request): Body<ActivationRequest>,
) -> Result<Response, ApiProblem> {
    let busy = |wait: RetryAfter| ApiProblem::busy("too many requests from this address", wait);
    state.rates.admit(peer.into()).map_err(busy)?;
    let _turn = state.turns.of(peer.into()).await.map_err(busy)?;
    let mac = checked(&request.key_id, &request.otp, &request.mac)?;
    let result = state.store.activate_by_client(request, mac).await?;
    Ok(json_answer(StatusCode::OK, &result))
}

/// The MAC of a request whose members have sensible lengths.
pub(super) fn checked(key_id: &str, otp: &SecretString, mac: &str) -> Result<[u8; MAC_LEN], ApiProblem> {
    if key_id.len() > MAX_ID_LEN || otp.expose().len() > MAX_OTP_LEN {
        return Err(ApiProblem::value(format!("key_id and otp may have at most {MAX_OTP_LEN} octets")));
    }
    let mac = HEXLOWER_PERMISSIVE.decode(mac.as_bytes()).ok().and_then(|octets| octets.try_into().ok());
    mac.ok_or_else(|| ApiProblem::value("mac must be 16 octets, hexadecimal"))
}
