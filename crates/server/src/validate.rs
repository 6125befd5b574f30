//! Checking a one-time password against a key.

use dskpp_crypto::Secret;
use dskpp_otp::{Accepted, Digits, Hotp, Input, OcraSuite, Totp};
use pskc::KeyUsage;

use crate::store::{KeyRecord, StorePolicy};

/// What a right password moves, to be stored before anybody hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The next counter.
    Counter(u64),
    /// The last accepted step, and by how many steps the token's clock is off.
    Step {
        /// The step.
        step: u64,
        /// Steps.
        drift: i64,
    },
    /// Nothing: a response to a challenge without counter.
    Nothing,
}

/// Digits and period where the enrolment named none.
const DIGITS: u8 = 6;
const PERIOD_S: u32 = 30;

/// Whether `otp` is right for `key` at `unix_s`; `None` for a wrong one and for keys that make no passwords.
pub(crate) fn check(
    key: &KeyRecord,
    k_token: &Secret,
    otp: &str,
    challenge: Option<&str>,
    unix_s: i64,
    policy: &StorePolicy,
) -> Option<Moved> {
    if !permits(key, unix_s) {
        return None;
    }
    let unix_s = u64::try_from(unix_s).ok()?;
    let digits = Digits::new(key.params.digits.unwrap_or(DIGITS)).ok()?;
    match key.key_type.as_str() {
        "hotp" => Hotp { digits }.check(k_token, key.counter, policy.hotp_look_ahead, otp).map(Moved::Counter),
        "totp" => {
            let period_s = key.params.period_s.unwrap_or(PERIOD_S);
            let totp = Totp::new(digits, period_s, key.params.hash()).ok()?;
            let found = totp.check(k_token, unix_s, key.drift, policy.totp_window, key.last_step, otp);
            found.map(|Accepted { step, drift }| Moved::Step { step, drift })
        }
        "ocra" => {
            let suite: OcraSuite = key.params.suite.as_deref()?.parse().ok()?;
            let input = Input { counter: key.counter, question: challenge?, unix_s, ..Input::default() };
            let next = suite.check(k_token, &input, policy.hotp_look_ahead, policy.totp_window, otp).ok()??;
            Some(if suite.has_counter() { Moved::Counter(next) } else { Moved::Nothing })
        }
        _ => None,
    }
}

/// Whether `otp` is the password that was accepted last. Who shows it again guesses nothing.
pub(crate) fn was_right(key: &KeyRecord, k_token: &Secret, otp: &str) -> bool {
    let Ok(digits) = Digits::new(key.params.digits.unwrap_or(DIGITS)) else { return false };
    match key.key_type.as_str() {
        "hotp" => key.counter.checked_sub(1).is_some_and(|last| Hotp { digits }.code(k_token, last).is(otp)),
        "totp" => {
            let totp = Totp::new(digits, key.params.period_s.unwrap_or(PERIOD_S), key.params.hash());
            let last = totp.ok().zip(key.last_step);
            last.is_some_and(|(totp, step)| totp.code_of_step(k_token, step).is(otp))
        }
        _ => false,
    }
}

/// Values or steps within which consecutive passwords are looked for.
const RESYNC_WINDOW: u32 = 1000;

/// Where a token stands that has run ahead, or whose clock is far off, by two or more consecutive passwords of its own
/// (RFC 4226 §7.4, RFC 6238 §6); `None` where they are not found, and for keys that cannot be caught up with.
pub(crate) fn resynchronise(key: &KeyRecord, k_token: &Secret, otps: &[&str], unix_s: i64) -> Option<Moved> {
    if !permits(key, unix_s) {
        return None;
    }
    let unix_s = u64::try_from(unix_s).ok()?;
    let digits = Digits::new(key.params.digits.unwrap_or(DIGITS)).ok()?;
    match key.key_type.as_str() {
        "hotp" => Hotp { digits }.resynchronise(k_token, key.counter, RESYNC_WINDOW, otps).map(Moved::Counter),
        "totp" => {
            let totp = Totp::new(digits, key.params.period_s.unwrap_or(PERIOD_S), key.params.hash()).ok()?;
            let found = totp.resynchronise(k_token, unix_s, RESYNC_WINDOW, key.last_step, otps);
            found.map(|Accepted { step, drift }| Moved::Step { step, drift })
        }
        _ => None,
    }
}

/// Whether the key's policy lets it be used for this at that time (RFC 6030 §5). A PIN that is a part of the password
/// would have to be checked here as well, and this server does not know it.
fn permits(key: &KeyRecord, unix_s: i64) -> bool {
    let usage = if key.key_type == "ocra" { KeyUsage::Cr } else { KeyUsage::Otp }.as_str();
    let params = &key.params;
    params.pin.is_none()
        && (params.usage.is_empty() || params.usage.iter().any(|named| named == usage))
        && key.start_at.is_none_or(|start| start <= unix_s)
        && key.expires_at.is_none_or(|expiry| unix_s <= expiry)
        && key.uses_left != Some(0)
}
