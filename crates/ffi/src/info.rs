//! Tokens as an app shows them, without secrets.

use std::time::UNIX_EPOCH;

use dskpp::pskc::DateTime;
use dskpp_otp::OcraSuite;
use dskpp_token::Token;
use dskpp_token::json::JsonWriter;

use crate::error::Fault;
use crate::handover;
use crate::store::{Store, time};

/// A key is due for renewal that long before it expires.
const DUE_S: u64 = 30 * 24 * 3600;

pub(crate) fn list(store: &Store, now_s: f64) -> Result<Vec<u8>, Fault> {
    let now_s = time(now_s)?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut to = JsonWriter::default();
    to.begin(b'[');
    store.tokens.iter().for_each(|token| info(&mut to, token, now_s));
    to.end(b']');
    Ok(to.finish())
}

fn info(to: &mut JsonWriter, token: &Token, now_s: u64) {
    let suite: Option<OcraSuite> = token.suite.as_deref().and_then(|suite| suite.parse().ok());
    let is_otp = matches!(token.key_type.as_str(), "hotp" | "totp");
    let expiry = token.expiry.as_deref().and_then(|expiry| expiry.parse::<DateTime>().ok());
    let is_near = expiry.is_some_and(|expiry| expiry.unix_s() < i64::try_from(now_s + DUE_S).unwrap_or(i64::MAX));
    let text = Option::<String>::as_deref;
    let digits = token.digits.or(is_otp.then_some(6)).or(suite.as_ref().map(OcraSuite::digits));
    to.begin(b'{');
    to.text("id", Some(&token.id));
    to.text("type", Some(&token.key_type));
    to.text("label", text(&token.label));
    to.text("issuer", text(&token.issuer));
    to.text("user", text(&token.user));
    to.number("digits", digits.map(u64::from));
    to.number("period", token.period_s.or((token.key_type == "totp").then_some(30)).map(u64::from));
    to.text("suite", text(&token.suite));
    to.flag("needsChallenge", suite.is_some());
    to.flag("needsPin", suite.as_ref().is_some_and(OcraSuite::has_pin));
    to.flag("makesCodes", is_otp || suite.is_some());
    to.text("start", text(&token.start));
    to.text("expiry", text(&token.expiry));
    to.flag("renewalDue", is_near && token.server_url.is_some() && token.old_of.is_none());
    to.number("usesLeft", token.uses_left);
    to.text("serverUrl", text(&token.server_url));
    to.text("serverId", text(&token.server_id));
    to.text("kServerFingerprint", text(&token.k_server_fingerprint()));
    to.text("oldOf", text(&token.old_of));
    to.flag("mayBeHandedOver", handover::forbidden(token).is_none());
    to.text("createdAt", Some(&token.created_at));
    to.end(b'}');
}
