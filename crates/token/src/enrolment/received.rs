//! The token of a received key.

use std::time::SystemTime;

use dskpp::client::{Failed, Provisioned};
use pskc::DateTime;

use super::error::EnrolmentError;
use super::request::EnrollRequest;
use crate::token::Token;
use crate::token::k_server::RememberedKServer;
use crate::token::parameters::{Terms, TokenParameters};

/// The token to store. It fails if this client cannot use the key as its package demands.
pub(super) fn token(
    provisioned: &Provisioned,
    request: &EnrollRequest,
    url_s: String,
    renewed: Option<&Token>,
    k_server: Option<&RememberedKServer>,
    now: SystemTime,
) -> Result<Token, EnrolmentError> {
    let Provisioned { keys, prf, key_type, key_id, server_id, container, .. } = provisioned;
    let key = container.key_packages.first().and_then(|package| package.key.as_ref());
    let key = key.ok_or(Failed::Misbehaved("the key package describes no key"))?;
    let device = container.key_packages.first().and_then(|package| package.device_info.as_ref());
    let created_at = DateTime::from_clock(now).ok_or(EnrolmentError::Clock)?;
    // A policy that this client cannot enforce counts as not understood.
    let terms = Terms::of(key).map_err(|_| EnrolmentError::Policy(key_id.clone()))?;
    let parameters = TokenParameters::of(key, key_type).map_err(|why| match why {
        why if why.is_unsupported() => Failed::Unusable(why.reason()),
        why => Failed::Misbehaved(why.reason()),
    })?;
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    // A run without K_SERVER keeps what is known of the same server.
    let known = renewed.filter(|old| old.server_url.as_ref() == Some(&url_s)).and_then(RememberedKServer::of);
    let mut token = Token {
        label: request.label.clone().or_else(|| renewed.and_then(|old| old.label.clone())),
        k_mac: Some(keys.k_mac.clone()),
        mac_algorithm: Some(prf.algorithm().uri().to_owned()),
        server_url: Some(url_s),
        server_id: text(server_id),
        manufacturer: device.and_then(|device| text(&device.manufacturer)),
        serial: device.and_then(|device| text(&device.serial_no)),
        issuer: text(&key.issuer),
        user: text(&key.user_id),
        ..Token::new(key_id.clone(), key_type, keys.k_token.clone(), parameters, terms, created_at)
    };
    if let Some(k_server) = k_server.or(known.as_ref()) {
        k_server.remember(&mut token);
    }
    match token.not_a_name() {
        None => Ok(token),
        Some(what) => Err(EnrolmentError::NotAName(what)),
    }
}
