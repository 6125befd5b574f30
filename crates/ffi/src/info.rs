//! Tokens as an app shows them, without secrets.

use std::time::UNIX_EPOCH;

use dskpp::pskc::DateTime;
use dskpp_otp::OcraSuite;
use dskpp_token::Token;
use serde::Serialize;

use crate::error::Fault;
use crate::handover;
use crate::store::{Store, answer, time};

/// A key is due for renewal that long before it expires.
const DUE_S: u64 = 30 * 24 * 3600;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Info<'a> {
    id: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<&'a str>,
    needs_challenge: bool,
    needs_pin: bool,
    makes_codes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<&'a str>,
    renewal_due: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses_left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k_server_fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_of: Option<&'a str>,
    may_be_handed_over: bool,
    created_at: &'a str,
}

pub(crate) fn list(store: &Store, now_s: f64) -> Result<Vec<u8>, Fault> {
    let now_s = time(now_s)?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    answer(&store.tokens.iter().map(|token| info(token, now_s)).collect::<Vec<_>>())
}

fn info(token: &Token, now_s: u64) -> Info<'_> {
    let suite: Option<OcraSuite> = token.suite.as_deref().and_then(|suite| suite.parse().ok());
    let is_otp = matches!(token.key_type.as_str(), "hotp" | "totp");
    let expiry = token.expiry.as_deref().and_then(|expiry| expiry.parse::<DateTime>().ok());
    let is_near = expiry.is_some_and(|expiry| expiry.unix_s() < i64::try_from(now_s + DUE_S).unwrap_or(i64::MAX));
    Info {
        id: &token.id,
        r#type: &token.key_type,
        label: token.label.as_deref(),
        issuer: token.issuer.as_deref(),
        user: token.user.as_deref(),
        digits: token.digits.or(is_otp.then_some(6)).or(suite.as_ref().map(OcraSuite::digits)),
        period: token.period_s.or((token.key_type == "totp").then_some(30)),
        suite: token.suite.as_deref(),
        needs_challenge: suite.is_some(),
        needs_pin: suite.as_ref().is_some_and(OcraSuite::has_pin),
        makes_codes: is_otp || suite.is_some(),
        start: token.start.as_deref(),
        expiry: token.expiry.as_deref(),
        renewal_due: is_near && token.server_url.is_some() && token.old_of.is_none(),
        uses_left: token.uses_left,
        server_url: token.server_url.as_deref(),
        server_id: token.server_id.as_deref(),
        k_server_fingerprint: token.k_server_fingerprint(),
        old_of: token.old_of.as_deref(),
        may_be_handed_over: handover::forbidden(token).is_none(),
        created_at: &token.created_at,
    }
}
