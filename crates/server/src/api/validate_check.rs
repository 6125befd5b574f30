//! `/validate/check` and `/validate/radiuscheck`, as clients of privacyIDEA call them: without a token, so only from
//! configured networks.
//!
//! Whatever is refused gets one and the same answer, no sooner than [`REFUSAL_TIME`] after its request: an unknown user, a
//! wrong, used or empty password, and one that came too soon after others.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use dskpp_api::{SecretString, ValidationRequest};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::keys::{MAX_OTP_LEN, accepted};
use super::problem::json_answer;
use super::validations::{CHECK, Validations};
use crate::config::Network;
use crate::policy::backoff::Backoff;
use crate::store::{Store, StoreError};

/// Maximum size of a request body, in octets.
const MAX_BODY_LEN: usize = 16 * 1024;
/// Maximum length of a user's name or a key's identifier, in octets.
const MAX_NAME_LEN: usize = 1024;
/// How long a refusal takes at least: longer than looking at a password usually does.
const REFUSAL_TIME: Duration = Duration::from_millis(50);
/// privacyIDEA's plugin for FreeRADIUS, which percent-encodes values before it encodes the form.
const ENCODES_TWICE: &str = "FreeRADIUS";
/// privacyIDEA's code of a missing parameter.
const MISSING: i32 = 905;
/// privacyIDEA's code of an internal error.
const FAILED: i32 = -500;

/// What requests need.
#[derive(Clone)]
pub(crate) struct CheckState {
    pub(crate) store: Store,
    pub(crate) backoff: Backoff,
    pub(crate) validations: Validations,
    pub(crate) networks: Vec<Network>,
}

/// Both routes, or none without a network.
pub(crate) fn router(state: CheckState) -> Router {
    if state.networks.is_empty() {
        return Router::new();
    }
    Router::new()
        .route("/validate/check", get(check).post(check))
        .route("/validate/radiuscheck", get(radius_check).post(radius_check))
        .layer(DefaultBodyLimit::max(MAX_BODY_LEN))
        .layer(middleware::from_fn_with_state(state.clone(), only_from_networks))
        .with_state(state)
}

/// For everybody else there is no such path.
async fn only_from_networks(
    State(state): State<CheckState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    match state.networks.iter().any(|network| network.contains(peer.ip())) {
        true => next.run(request).await,
        false => {
            tracing::info!(%peer, "refused: not in validate_check.networks");
            StatusCode::NOT_FOUND.into_response()
        }
    }
}

/// The answer in JSON.
async fn check(
    State(state): State<CheckState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    request: Request,
) -> Response {
    let (status, body) = match looked_at(&state, peer, method, request).await {
        Ok(Some(key_id)) => {
            (StatusCode::OK, result(true, &json!({ "message": "matching 1 tokens", "serial": key_id })))
        }
        Ok(None) => (StatusCode::OK, result(false, &json!({ "message": "wrong one-time password" }))),
        Err(NotLookedAt::Unusable(why)) => (StatusCode::BAD_REQUEST, error(MISSING, why)),
        Err(NotLookedAt::Store(why)) => {
            tracing::error!("the store failed: {why}");
            (StatusCode::SERVICE_UNAVAILABLE, error(FAILED, "the store is unavailable; try again later"))
        }
    };
    json_answer(status, &body)
}

/// The answer in the status alone.
async fn radius_check(
    State(state): State<CheckState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    request: Request,
) -> StatusCode {
    match looked_at(&state, peer, method, request).await {
        Ok(Some(_)) => StatusCode::NO_CONTENT,
        Ok(None) | Err(NotLookedAt::Unusable(_)) => StatusCode::BAD_REQUEST,
        Err(NotLookedAt::Store(why)) => {
            tracing::error!("the store failed: {why}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

/// Why there is no verdict.
enum NotLookedAt {
    /// What the request lacks.
    Unusable(&'static str),
    Store(StoreError),
}

/// The key whose password it is; none, later, for every refusal.
async fn looked_at(
    state: &CheckState,
    peer: SocketAddr,
    method: Method,
    request: Request,
) -> Result<Option<String>, NotLookedAt> {
    let start = tokio::time::Instant::now();
    let asked = read(method, request).await?;
    let found = verdict(state, &asked).await.map_err(NotLookedAt::Store)?;
    if found.is_none() {
        let shown = |name: &Option<String>| name.as_deref().map(|name| pskc::Shown(name).to_string());
        let (client, user, key) = (asked.client.map(tracing::field::display), shown(&asked.user), shown(&asked.key_id));
        tracing::info!(%peer, client, user, key, "one-time password refused");
        tokio::time::sleep_until(start + REFUSAL_TIME).await;
    }
    Ok(found)
}

async fn verdict(state: &CheckState, asked: &Asked) -> Result<Option<String>, StoreError> {
    let otp = asked.otp.expose();
    let names = [&asked.user, &asked.key_id];
    let is_long = names.iter().any(|name| name.as_ref().is_some_and(|name| name.len() > MAX_NAME_LEN));
    // Clients send an empty password to ask for a challenge: it is no guess.
    if otp.is_empty() || otp.len() > MAX_OTP_LEN || is_long {
        return Ok(None);
    }
    let request = ValidationRequest {
        user: asked.user.clone(),
        key_id: asked.key_id.clone(),
        otp: asked.otp.clone(),
        ..ValidationRequest::default()
    };
    let subject = asked.client.map(|client| SocketAddr::new(client, 0).into());
    let Ok(tried) = state.backoff.begin_in_turn(&subject_of(&request), subject).await else {
        state.validations.too_soon(CHECK);
        return Ok(None);
    };
    let verdict = state.store.verdict(request).await?;
    state.validations.found(CHECK, &verdict);
    Ok(accepted(verdict, tried).unwrap_or_default())
}

/// Whose wrong passwords count together.
pub(super) fn subject_of(request: &ValidationRequest) -> String {
    let names = [("user", &request.user), ("key", &request.key_id), ("client", &request.client_id)];
    names.iter().find_map(|(kind, name)| Some(format!("{kind} {}", name.as_ref()?))).unwrap_or_default()
}

/// What is asked.
#[derive(Default)]
struct Asked {
    user: Option<String>,
    key_id: Option<String>,
    otp: SecretString,
    /// The address of the person's machine, if the client sends one.
    client: Option<IpAddr>,
}

/// Reads the parameters of the query and of the body, a form or JSON, which goes before the query. Others are ignored:
/// clients send more than matters here.
async fn read(method: Method, request: Request) -> Result<Asked, NotLookedAt> {
    let mut parameters = Parameters::default();
    parameters.add_form(request.uri().query().unwrap_or_default().as_bytes());
    let encodes_twice = is_from(request.headers(), ENCODES_TWICE);
    if method == Method::POST {
        let is_json = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_json =
            is_json.is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("application/json"));
        let body = axum::body::to_bytes(request.into_body(), MAX_BODY_LEN).await;
        let body: Bytes = body.map_err(|_| NotLookedAt::Unusable("the body cannot be read, or is too long"))?;
        match is_json {
            true => parameters.add_json(&body)?,
            false => parameters.add_form(&body),
        }
    }
    let Parameters { user, serial, pass, client } = parameters;
    let decoded = |text: String| match encodes_twice {
        true => percent_decode_str(&text).decode_utf8_lossy().into_owned(),
        false => text,
    };
    let name = |text: Option<String>| text.map(decoded).filter(|text| !text.is_empty());
    let (user, key_id) = (name(user), serial.filter(|text| !text.is_empty()));
    if user.is_none() && key_id.is_none() {
        return Err(NotLookedAt::Unusable("Missing parameter: user or serial"));
    }
    let otp = pass.map(decoded).ok_or(NotLookedAt::Unusable("Missing parameter: pass"))?;
    Ok(Asked { user, key_id, otp: otp.into(), client: client.and_then(|client| client.parse().ok()) })
}

fn is_from(headers: &HeaderMap, agent: &str) -> bool {
    let named = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    named.is_some_and(|named| named.split(['/', ' ']).next() == Some(agent))
}

#[derive(Default)]
struct Parameters {
    user: Option<String>,
    serial: Option<String>,
    pass: Option<String>,
    client: Option<String>,
}

impl Parameters {
    fn set(&mut self, name: &str, value: impl FnOnce() -> String) {
        let place = match name {
            "user" => &mut self.user,
            "serial" => &mut self.serial,
            "pass" => &mut self.pass,
            "client" => &mut self.client,
            _ => return,
        };
        *place = Some(value());
    }

    fn add_form(&mut self, form: &[u8]) {
        form_urlencoded::parse(form).for_each(|(name, value)| self.set(&name, || value.into_owned()));
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), NotLookedAt> {
        let unusable = NotLookedAt::Unusable("the body must be a JSON object");
        let Ok(Value::Object(members)) = serde_json::from_slice(body) else { return Err(unusable) };
        for (name, value) in members {
            match value {
                Value::String(text) => self.set(&name, || text),
                Value::Number(number) => self.set(&name, || number.to_string()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// An answer in privacyIDEA's form.
fn result(value: bool, detail: &Value) -> Value {
    let authentication = if value { "ACCEPT" } else { "REJECT" };
    let result = json!({ "status": true, "value": value, "authentication": authentication });
    json!({ "jsonrpc": "2.0", "id": 2, "result": result, "detail": detail, "version": VERSION })
}

fn error(code: i32, message: &str) -> Value {
    let result = json!({ "status": false, "error": { "code": code, "message": message } });
    json!({ "jsonrpc": "2.0", "id": 1, "result": result, "version": VERSION })
}

const VERSION: &str = concat!("dskpp ", env!("CARGO_PKG_VERSION"));
