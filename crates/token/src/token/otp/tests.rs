//! Codes of RFC 4226, RFC 6238 and RFC 6287, and the changed tokens.

use std::time::Duration;

use super::*;
use crate::token::NotAllowed;
use crate::token::tests::token;

const NOW: OtpInput<'static> = OtpInput { now: UNIX_EPOCH, challenge: None, pin: None };

fn key(key_type: &str) -> Token {
    let secret = Secret::from_slice(b"12345678901234567890");
    Token { key_type: key_type.into(), secret, ..token("1") }
}

#[test]
fn rfc4226_each_code_advances_the_counter() {
    let mut token = key("hotp");
    for (counter, code) in (1..).zip(["755224", "287082", "359152"]) {
        let (used, otp) = token.otp(&NOW).unwrap();
        assert_eq!((otp.code.as_str(), otp.valid_for_s, used.counter), (code, None, Some(counter)));
        assert_eq!(Token { counter: token.counter, ..used.clone() }, token, "nothing else changes");
        token = used;
    }
}

#[test]
fn rfc6238_the_clock_determines_the_code_and_nothing_changes() {
    let token = Token { digits: Some(8), counter: None, ..key("totp") };
    for (unix_s, code, left) in [(59, "94287082", 1), (1_111_111_109, "07081804", 1), (20_000_000_000, "65353130", 10)]
    {
        let (used, otp) = token.otp(&OtpInput::at(UNIX_EPOCH + Duration::from_secs(unix_s))).unwrap();
        assert_eq!((otp.code.as_str(), otp.valid_for_s), (code, Some(left)));
        assert_eq!(used, token);
    }
}

#[test]
fn rfc6287_appendix_c_a_response_needs_the_inputs_of_its_suite() {
    let secret = Secret::from_slice(b"12345678901234567890123456789012");
    let suite = Some("OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1".to_owned());
    let token = Token { suite, secret, ..key("ocra") };
    let pin = Secret::from_slice(b"1234");
    assert!(matches!(token.otp(&NOW), Err(TokenError::NoChallenge(_))));
    assert!(matches!(token.otp(&NOW.challenge("12345678")), Err(TokenError::NoPin(_))));
    assert!(matches!(token.otp(&NOW.challenge("x").pin(&pin)), Err(TokenError::Otp(_))));
    let (used, otp) = token.otp(&NOW.challenge("12345678").pin(&pin)).unwrap();
    assert_eq!((otp.code.as_str(), used.counter), ("65347737", Some(1)));
    let without = Token { counter: None, ..token };
    assert!(matches!(without.otp(&NOW.challenge("12345678").pin(&pin)), Err(TokenError::NoCounter(_))));
}

#[test]
fn a_missing_or_exhausted_counter_gives_no_code() {
    for counter in [None, Some(u64::MAX)] {
        let error = Token { counter, ..key("hotp") }.otp(&NOW).unwrap_err();
        let expected = if counter.is_none() { "has no counter" } else { "has used its last counter value" };
        assert!(error.to_string().contains(expected), "{error}");
    }
    let (used, _) = Token { counter: Some(u64::MAX - 1), ..key("hotp") }.otp(&NOW).unwrap();
    assert!(used.otp(&NOW).is_err(), "that was the last code");
}

#[test]
fn s5_no_code_against_the_policy_or_without_a_known_algorithm() {
    let cases = [
        (Token { uses_left: Some(0), ..key("hotp") }, "as often as its policy"),
        (Token { usages: vec!["CR".into()], ..key("hotp") }, "not for this use (OTP)"),
        (Token { expiry: Some("1969-12-31T00:00:00Z".into()), ..key("totp") }, "expired at"),
        (key("aes128"), "makes no one-time passwords"),
        (Token { suite: None, ..key("ocra") }, "makes no one-time passwords"),
        (Token { hash: Some("MD5".into()), ..key("totp") }, "unknown hash MD5"),
        (Token { digits: Some(5), ..key("hotp") }, "6 to 10 digits"),
        (Token { period_s: Some(0), ..key("totp") }, "0 seconds"),
    ];
    for (token, expected) in cases {
        let error = token.otp(&NOW).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}, but expected {expected}");
    }
    let (used, _) = Token { uses_left: Some(1), ..key("totp") }.otp(&NOW).unwrap();
    let again = used.otp(&NOW).map(drop);
    assert_eq!(again, Err(NotAllowed::UsedUp("1".into()).into()));
}
