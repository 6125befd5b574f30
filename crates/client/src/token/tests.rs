//! A token as a value, and as JSON.

use super::*;

/// A HOTP key of a server, with counter 0.
pub(crate) fn token(id: &str) -> Token {
    Token {
        id: id.to_owned(),
        label: None,
        key_type: "hotp".to_owned(),
        algorithm_uri: "urn:ietf:params:xml:ns:keyprov:pskc:hotp".to_owned(),
        secret: Secret::from_slice(b"very secret 20 octet"),
        k_mac: Some(Secret::from_slice(b"k_mac is secret as well, 32 long")),
        mac_algorithm: Some("urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256".to_owned()),
        server_url: Some("https://host.example/dskpp".to_owned()),
        server_id: None,
        k_server: Some(vec![1, 2, 3]),
        k_server_exponent: None,
        k_server_issuer: None,
        manufacturer: None,
        serial: None,
        issuer: None,
        user: None,
        digits: Some(6),
        period_s: None,
        drift: None,
        old_of: None,
        hash: None,
        counter: Some(0),
        suite: None,
        start: None,
        expiry: None,
        uses_left: None,
        usages: Vec::new(),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
    }
}

#[test]
fn older_programs_can_read_tokens_without_limits_and_no_others() {
    let fields = |token: &Token| serde_json::to_value(token).unwrap().as_object().unwrap().len();
    let plain = fields(&token("1"));
    assert_eq!(plain, 20, "the fields of the first version and no more");
    let limits = Token { drift: Some(0), uses_left: Some(0), usages: vec!["OTP".into()], ..token("1") };
    assert_eq!(fields(&limits), plain + 3);
    let issuer = Token { k_server_exponent: Some(vec![3]), k_server_issuer: Some(vec![1]), ..token("1") };
    assert_eq!(fields(&issuer), plain + 2);
    let mut unknown = serde_json::to_value(token("1")).unwrap();
    unknown["later_limit"] = 1.into();
    assert!(serde_json::from_value::<Token>(unknown).is_err(), "a limit that is not known is never passed over");
}
