//! RFC 6030 §5.

use std::time::{Duration, UNIX_EPOCH};

use jiff::Timestamp;

use super::*;
use crate::token::tests::token;

#[test]
fn s5_a_key_is_used_only_within_its_policy() {
    let now = "2026-06-01T12:00:00Z";
    let dates = |start: Option<&str>, expiry: Option<&str>| Token {
        start: start.map(str::to_owned),
        expiry: expiry.map(str::to_owned),
        ..token("1")
    };
    let usages =
        |usages: &[&str]| Token { usages: usages.iter().map(|usage| usage.to_string()).collect(), ..token("1") };
    let left = |uses_left| Token { uses_left, ..token("1") };
    let cases = [
        (token("1"), "allowed"),
        (dates(Some(now), Some(now)), "allowed"), // inclusive
        (dates(Some("2026-06-01T12:00:00.001Z"), None), "before"),
        (dates(None, Some("2026-06-01T11:59:59.999Z")), "expired at"),
        (dates(Some("2026-06-01T14:00:00+02:00"), None), "allowed"),
        (dates(Some("soon"), None), "unreadable date"),
        (dates(None, Some("")), "unreadable date"),
        (usages(&["OTP"]), "allowed"),
        (usages(&["CR", "OTP"]), "allowed"),
        (usages(&["CR", "Encrypt"]), "for: CR, Encrypt"),
        (usages(&["otp"]), "not for this use"),
        (left(Some(1)), "allowed"),
        (left(Some(0)), "as often as"),
    ];
    for (token, expected) in cases {
        let done = token.use_for(KeyUsage::Otp, SystemTime::from(now.parse::<Timestamp>().unwrap()));
        let said = done.map_or_else(|why| why.to_string(), |_| "allowed".to_owned());
        assert!(said.contains(expected), "{said}, but expected {expected}");
    }
}

#[test]
fn s5_a_use_is_counted_only_where_uses_are_limited() {
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let left = |uses_left| Token { uses_left, ..token("1") }.use_for(KeyUsage::Otp, now).map(|used| used.uses_left);
    assert_eq!(left(None), Ok(None));
    assert_eq!(left(Some(2)), Ok(Some(1)));
    assert_eq!(left(Some(1)), Ok(Some(0)));
    assert_eq!(left(Some(0)), Err(NotAllowed::UsedUp("1".into())));
}

#[test]
fn a_clock_that_is_wrong_allows_nothing() {
    for now in [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH + Duration::from_secs(300_000_000_000)] {
        assert_eq!(token("1").use_for(KeyUsage::Otp, now).map(drop), Err(NotAllowed::Clock), "{now:?}");
    }
}
