//! Validation of one-time passwords.

use dskpp_crypto::Secret;
use dskpp_otp::{Accepted, Hotp, OcraInput, OcraSuite, Totp};
use pskc::KeyUsage;

use crate::model::{KeyRecord, KeyType};

/// The new state after a correct password, to be stored before the caller learns of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The next counter.
    Counter(u64),
    /// The last accepted step, and the offset of the token's clock in steps.
    Step {
        /// The step.
        step: u64,
        /// Steps.
        drift: i64,
    },
    /// None: a response to a challenge without counter.
    Nothing,
}

/// How far from the expected value or step to search.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    /// HOTP: counter values to try beyond the expected one.
    pub hotp_look_ahead: u32,
    /// TOTP: steps to try before and after the expected one.
    pub totp_window: u32,
}

/// Validates `otp` for `key` at `unix_s`; `None` for a wrong one and for keys without passwords.
pub(crate) fn check(
    key: &KeyRecord,
    k_token: &Secret,
    otp: &str,
    challenge: Option<&str>,
    unix_s: i64,
    windows: Windows,
) -> Option<Moved> {
    if !permits(key, unix_s) {
        return None;
    }
    let unix_s = u64::try_from(unix_s).ok()?;
    let digits = key.params.digits();
    match key.key_type {
        KeyType::Hotp => Hotp { digits }.check(k_token, key.counter, windows.hotp_look_ahead, otp).map(Moved::Counter),
        KeyType::Totp => {
            let totp = Totp::new(digits, key.params.period_s(), key.params.hash()).ok()?;
            let found = totp.check(k_token, unix_s, key.drift, windows.totp_window, key.last_step, otp);
            found.map(|Accepted { step, drift }| Moved::Step { step, drift })
        }
        KeyType::Ocra => {
            let suite: OcraSuite = key.params.suite.as_deref()?.parse().ok()?;
            let mut input = OcraInput::new(challenge?);
            (input.counter, input.unix_s) = (key.counter, unix_s);
            let next = suite.check(k_token, &input, windows.hotp_look_ahead, windows.totp_window, otp).ok()??;
            Some(if suite.has_counter() { Moved::Counter(next) } else { Moved::Nothing })
        }
        _ => None,
    }
}

/// Whether `otp` is the last accepted password. Repeating it is not a guess.
pub(crate) fn was_right(key: &KeyRecord, k_token: &Secret, otp: &str) -> bool {
    let digits = key.params.digits();
    match key.key_type {
        KeyType::Hotp => key.counter.checked_sub(1).is_some_and(|last| Hotp { digits }.code(k_token, last).is(otp)),
        KeyType::Totp => {
            let totp = Totp::new(digits, key.params.period_s(), key.params.hash());
            let last = totp.ok().zip(key.last_step);
            last.is_some_and(|(totp, step)| totp.code_of_step(k_token, step).is(otp))
        }
        _ => false,
    }
}

/// Values or steps to search for consecutive passwords.
const RESYNC_WINDOW: u32 = 1000;

/// Resynchronises a token that has run ahead, or whose clock is far off, by two or more consecutive passwords (RFC 4226
/// §7.4, RFC 6238 §6); `None` if they do not match, and for keys that cannot be resynchronised.
pub(crate) fn resynchronise(key: &KeyRecord, k_token: &Secret, otps: &[&str], unix_s: i64) -> Option<Moved> {
    if !permits(key, unix_s) {
        return None;
    }
    let unix_s = u64::try_from(unix_s).ok()?;
    let digits = key.params.digits();
    match key.key_type {
        KeyType::Hotp => Hotp { digits }.resynchronise(k_token, key.counter, RESYNC_WINDOW, otps).map(Moved::Counter),
        KeyType::Totp => {
            let totp = Totp::new(digits, key.params.period_s(), key.params.hash()).ok()?;
            let found = totp.resynchronise(k_token, unix_s, RESYNC_WINDOW, key.last_step, otps);
            found.map(|Accepted { step, drift }| Moved::Step { step, drift })
        }
        _ => None,
    }
}

/// Whether the key's policy allows this use at that time (RFC 6030 §5). A PIN that is part of the password would have
/// to be checked here too, but this server does not know it.
fn permits(key: &KeyRecord, unix_s: i64) -> bool {
    let usage = if key.key_type == KeyType::Ocra { KeyUsage::Cr } else { KeyUsage::Otp }.as_str();
    let params = &key.params;
    params.pin.is_none()
        && (params.usage.is_empty() || params.usage.iter().any(|named| named == usage))
        && key.start_at.is_none_or(|start| start <= unix_s)
        && key.expires_at.is_none_or(|expiry| unix_s <= expiry)
        && key.uses_left != Some(0)
}
