//! A token as a value, and as JSON.

use super::*;
use crate::tokens::Tokens;

/// A HOTP key of a server, with counter 0.
pub(crate) fn token(id: &str) -> Token {
    let parameters = TokenParameters { digits: Some(6), counter: Some(0), ..TokenParameters::default() };
    let (secret, at) = (Secret::from_slice(b"very secret 20 octet"), "2026-01-01T00:00:00Z".parse().unwrap());
    Token {
        k_mac: Some(Secret::from_slice(b"k_mac is secret as well, 32 long")),
        mac_algorithm: Some("urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256".to_owned()),
        server_url: Some("https://host.example/dskpp".to_owned()),
        k_server: Some(vec![1, 2, 3]),
        ..Token::new(id.to_owned(), &KeyType::Hotp, secret, parameters, Terms::default(), at)
    }
}

#[test]
fn older_programs_can_read_tokens_without_limits_and_no_others() {
    let value = |token: &Token| {
        let mut tokens = Tokens::default();
        tokens.insert(token.clone()).unwrap();
        serde_json::from_slice::<serde_json::Value>(tokens.to_json().expose()).unwrap()
    };
    let fields = |token: &Token| value(token)["1"].as_object().unwrap().len();
    let plain = fields(&token("1"));
    assert_eq!(plain, 20, "the fields of the first version and no more");
    let limits = Token { drift: Some(0), uses_left: Some(0), usages: vec!["OTP".into()], ..token("1") };
    assert_eq!(fields(&limits), plain + 3);
    let issuer = Token { k_server_exponent: Some(vec![3]), k_server_issuer: Some(vec![1]), ..token("1") };
    assert_eq!(fields(&issuer), plain + 2);
    let read = |value: &serde_json::Value| Tokens::from_json(&Secret::from(value.to_string().into_bytes()));
    for known in [&token("1"), &limits, &issuer] {
        assert_eq!(read(&value(known)).as_ref().and_then(|tokens| tokens.get("1")), Some(known));
    }
    let changed = |change: fn(&mut serde_json::Value)| {
        let mut value = value(&token("1"));
        change(&mut value["1"]);
        read(&value)
    };
    assert!(
        changed(|token| token["later_limit"] = 1.into()).is_none(),
        "a limit that is not known is never passed over"
    );
    assert!(changed(|token| drop(token.as_object_mut().unwrap().remove("secret"))).is_none());
    assert!(changed(|token| drop(token.as_object_mut().unwrap().remove("k_mac"))).is_none());
    assert!(changed(|token| drop(token.as_object_mut().unwrap().remove("k_server"))).is_none());
    assert!(changed(|token| token["digits"] = 256.into()).is_none());
    assert!(changed(|token| token["secret"] = "=".into()).is_none());
    assert!(changed(|token| token["label"] = 1.into()).is_none());
}
