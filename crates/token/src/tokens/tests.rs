//! Tokens in ordinary use, and with hostile names.

use super::*;
use crate::token::tests::token;

#[test]
fn added_tokens_can_be_found_changed_and_deleted() {
    let mut tokens = Tokens::default();
    tokens.insert(token("AB12")).unwrap();
    tokens.insert(token("AB34")).unwrap();
    assert!(matches!(tokens.insert(token("AB12")), Err(TokenError::Exists(_))));
    assert_eq!(tokens.find("AB1").unwrap().id, "AB12");
    assert!(matches!(tokens.find("AB"), Err(TokenError::Ambiguous(_))));
    assert!(matches!(tokens.find(""), Err(TokenError::NotFound(_))));
    tokens.rename("AB34", Some("bank".to_owned())).unwrap();
    assert_eq!(tokens.find("bank").unwrap().id, "AB34");
    tokens.rename("AB34", None).unwrap();
    assert!(tokens.find("bank").is_err());
    for (digits, old) in [(8, "AB12-old"), (9, "AB12-old2")] {
        assert_eq!(tokens.renew(Token { digits: Some(digits), ..token("AB12") }).unwrap(), old);
        assert_eq!(tokens.find("AB12").unwrap().digits, Some(digits));
        assert_eq!(tokens.find(old).unwrap().old_of.as_deref(), Some("AB12"));
        assert_eq!(tokens.find("AB1").unwrap().id, "AB12", "replaced ones match by their whole id only");
    }
    assert_eq!(tokens.find("AB12-old").unwrap().digits, Some(6), "it stays as it was");
    assert_eq!(tokens.delete("AB12").unwrap().id, "AB12");
    let renewed = tokens.renew(token("AB12")).map(drop);
    for missing in [tokens.delete("AB12").map(drop), tokens.rename("AB12", None), renewed] {
        assert!(matches!(missing, Err(TokenError::NotFound(_))));
    }
}

#[test]
fn p29_eight_replaced_keys_are_kept_until_they_are_removed_explicitly() {
    let mut tokens = Tokens::default();
    tokens.import(vec![token("A"), token("B")]).unwrap();
    tokens.renew(token("B")).unwrap();
    for digits in 1..=8 {
        tokens.renew(Token { digits: Some(digits), ..token("A") }).unwrap();
    }
    let before = tokens.clone();
    assert_eq!(before.iter().filter(|token| token.old_of.as_deref() == Some("A")).count(), 8);
    let ninth = tokens.renew(Token { digits: Some(9), ..token("A") });
    assert!(matches!(ninth, Err(TokenError::TooManyOld(id)) if id == "A"));
    assert_eq!(tokens, before, "nothing changed");
    tokens.delete("A-old3").unwrap();
    tokens.renew(Token { digits: Some(9), ..token("A") }).unwrap();
    assert_eq!(tokens.find("A-old3").unwrap().digits, Some(8), "a deleted key makes room");
    assert_eq!(tokens.forget_replaced("A").unwrap().len(), 8);
    let left: Vec<_> = tokens.iter().map(|token| token.id.clone()).collect();
    assert_eq!(left, ["A", "B", "B-old"], "other keys' stay");
    assert_eq!(tokens.forget_replaced("A").unwrap(), Vec::<String>::new());
    assert!(matches!(tokens.forget_replaced("C"), Err(TokenError::NotFound(_))));
}

#[test]
fn bulk_imports_skip_tokens_whose_id_is_taken() {
    let mut tokens = Tokens::default();
    tokens.insert(token("2")).unwrap();
    let other = |id: &str| Token { digits: Some(8), ..token(id) };
    let first = Token { digits: Some(7), ..token("3") };
    let used = Token { counter: Some(7), uses_left: Some(1), label: Some("mine".into()), ..first.clone() };
    let done = tokens.import(vec![other("1"), other("2"), first, used, other("3")]).unwrap();
    let different = vec![("2".into(), "number of digits"), ("3".into(), "number of digits")];
    assert_eq!(done, Imported { added: 2, duplicates: vec!["3".into()], different });
    for (what, changed) in [
        ("secret", Token { secret: Secret::from_slice(&[9; 20]), ..token("2") }),
        ("algorithm", Token { algorithm_uri: "urn:other".into(), ..token("2") }),
        ("hash", Token { hash: Some("SHA256".into()), ..token("2") }),
        ("time step", Token { period_s: Some(60), ..token("2") }),
        ("suite", Token { suite: Some("OCRA-1:HOTP-SHA1-6:QN08".into()), ..token("2") }),
        ("policy", Token { expiry: Some("2020-01-01T00:00:00Z".into()), ..token("2") }),
    ] {
        assert_eq!(tokens.import(vec![changed]).unwrap().different, [("2".into(), what)]);
        assert_eq!(tokens.find("2").unwrap().digits, Some(6));
    }
    let digits: Vec<_> = tokens.iter().map(|token| (token.id.clone(), token.digits)).collect();
    assert_eq!(digits, [("1".into(), Some(8)), ("2".into(), Some(6)), ("3".into(), Some(7))]);
    assert_eq!(tokens.import(Vec::new()).unwrap(), Imported::default());
}

#[test]
fn tokens_from_any_source_have_displayable_names() {
    let mut tokens = Tokens::default();
    tokens.insert(token("good")).unwrap();
    let long = "x".repeat(5000);
    type Put = fn(&mut Token, String);
    let places: [Put; 9] = [
        |token, text| token.id = text,
        |token, text| token.label = Some(text),
        |token, text| token.issuer = Some(text),
        |token, text| token.user = Some(text),
        |token, text| token.manufacturer = Some(text),
        |token, text| token.serial = Some(text),
        |token, text| token.server_id = Some(text),
        |token, text| token.suite = Some(text),
        |token, text| token.algorithm_uri = text,
    ];
    for (place, put) in places.iter().enumerate() {
        for text in ["", " ", "a\u{1b}[2J", "a\u{9b}", "a\u{202e}b", "a\nb", &long] {
            let mut hostile = token(if place == 0 { "x" } else { "good" });
            put(&mut hostile, text.to_owned());
            let many = vec![token("another"), Token { id: "new".into(), ..hostile.clone() }];
            if place > 0 {
                assert!(matches!(tokens.import(many), Err(TokenError::NotAName(_))), "{place} {text:?}");
                assert!(matches!(tokens.renew(hostile.clone()), Err(TokenError::NotAName(_))), "{place} {text:?}");
            }
            assert!(matches!(tokens.insert(hostile), Err(TokenError::NotAName(_))), "{place} {text:?}");
            assert!(matches!(tokens.rename("good", Some(text.to_owned())), Err(TokenError::NotAName("label"))));
        }
    }
    assert_eq!(tokens.iter().count(), 1);
}
