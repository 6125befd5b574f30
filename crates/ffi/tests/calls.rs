//! The C interface from Rust: what every caller relies on. The hosts of `tests/hosts` enrol through it.
#![allow(unsafe_code, reason = "it calls the interface as C does")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

use std::ptr::{null, null_mut};

use dskpp_ffi::*;
use serde_json::{Value, json};

fn empty() -> DskppOctets {
    DskppOctets { ptr: null_mut(), len: 0 }
}

/// The octets of the library, which are freed.
fn taken(octets: DskppOctets) -> Vec<u8> {
    if octets.ptr.is_null() {
        return Vec::new();
    }
    // SAFETY: octets that a call has just handed out.
    let copy = unsafe { std::slice::from_raw_parts(octets.ptr, octets.len) }.to_vec();
    unsafe { dskpp_free_octets(octets.ptr, octets.len) };
    copy
}

fn open(store: &[u8]) -> Result<*mut DskppTokens, Value> {
    let (mut tokens, mut out) = (null_mut(), empty());
    // SAFETY: a slice, and places on the stack.
    let code = unsafe { dskpp_new(store.as_ptr(), store.len(), &mut tokens, &mut out) };
    let out = taken(out);
    if code == DSKPP_OK { Ok(tokens) } else { Err(serde_json::from_slice(&out).unwrap()) }
}

type Call = unsafe extern "C" fn(*mut DskppTokens, *const u8, usize, *mut DskppOctets) -> i32;

fn call(call: Call, tokens: *mut DskppTokens, input: &str) -> (i32, Value) {
    let mut out = empty();
    // SAFETY: a handle of `open`, a slice, and a place on the stack.
    let code = unsafe { call(tokens, input.as_ptr(), input.len(), &mut out) };
    (code, serde_json::from_slice(&taken(out)).unwrap_or(Value::Null))
}

fn check(text: &str) -> Value {
    let mut out = empty();
    // SAFETY: a slice, and a place on the stack.
    assert_eq!(unsafe { dskpp_check_code(text.as_ptr(), text.len(), &mut out) }, DSKPP_OK);
    serde_json::from_slice(&taken(out)).unwrap()
}

#[test]
fn an_empty_store_reads_back_and_a_damaged_one_is_refused() {
    let tokens = open(b"").unwrap();
    let mut out = empty();
    // SAFETY: a live handle.
    assert_eq!(unsafe { dskpp_store(tokens, &mut out) }, DSKPP_OK);
    let store = taken(out);
    // SAFETY: not freed before.
    unsafe { dskpp_free(tokens) };
    let again = open(&store).unwrap();
    let mut out = empty();
    // SAFETY: a live handle.
    assert_eq!(unsafe { dskpp_list(again, 1.8e9, &mut out) }, DSKPP_OK);
    assert_eq!(taken(out), b"[]");
    // SAFETY: not freed before.
    unsafe { dskpp_free(again) };
    for len in 1..store.len() {
        assert_eq!(open(&store[..len]).unwrap_err()["code"], "badStore", "{len} octets");
    }
}

#[test]
fn errors_have_a_code_and_texts_and_wrong_calls_are_told_apart() {
    let tokens = open(b"").unwrap();
    let (code, error) = call(dskpp_otp, tokens, r#"{"id":"K","now":1800000000}"#);
    assert_eq!((code, &error["code"]), (DSKPP_ERROR, &json!("notFound")));
    assert!(error["message"].as_str().unwrap().contains("'K'") && error["next"].is_string());
    let wrong = ["", "{", "[]", r#"{"id":"K"}"#, r#"{"id":"K","now":-1}"#, r#"{"id":"K","now":1,"more":1}"#];
    for input in wrong {
        let (code, error) = call(dskpp_otp, tokens, input);
        assert_eq!((code, &error["code"]), (DSKPP_MISUSE, &json!("misuse")), "{input}");
    }
    for input in [r#"{"rename":"K","label":null}"#, r#"{"delete":"K"}"#, r#"{"forgetReplaced":"K"}"#] {
        assert_eq!(call(dskpp_change, tokens, input).1["code"], "notFound", "{input}");
    }
    let mut out = empty();
    // SAFETY: null pointers are found; the handle is live.
    unsafe {
        assert_eq!(dskpp_new(null(), 3, &mut null_mut(), &mut out), DSKPP_MISUSE);
        taken(out);
        assert_eq!(dskpp_store(tokens, null_mut()), DSKPP_MISUSE);
        dskpp_free(tokens);
        dskpp_free(null_mut());
        dskpp_free_enrolment(null_mut());
        dskpp_free_octets(null_mut(), 0);
    }
}

#[test]
fn an_enrolment_is_begun_and_ends_without_an_answer() {
    let tokens = open(b"").unwrap();
    let start = |request: Value| {
        let (mut run, mut out) = (null_mut(), empty());
        let request = request.to_string();
        // SAFETY: a live handle, slices, and places on the stack.
        let code =
            unsafe { dskpp_enroll(tokens, request.as_ptr(), request.len(), [7; 32].as_ptr(), &mut run, &mut out) };
        (code, run, serde_json::from_slice::<Value>(&taken(out)).unwrap_or(Value::Null))
    };
    let code = "108AC00000A20A3582AF0C3E304EA4C";
    for (request, expected) in [
        (json!({ "url": "https://keys.example/dskpp", "code": "108AC00000A20A3582AF0C3E304EA4D" }), "wrongCode"),
        (json!({ "trigger": "<html/>" }), "badTrigger"),
        (json!({ "url": "https://keys.example/dskpp" }), "misuse"),
        (json!({ "code": code, "keyTypes": ["x"] }), "misuse"),
    ] {
        assert_eq!(start(request.clone()).2["code"], expected, "{request}");
    }
    let (begun, run, _) = start(json!({ "url": "https://keys.example/dskpp", "code": code, "variant": "four-pass" }));
    assert_eq!(begun, DSKPP_OK);
    let step = |input: &str| {
        let (mut message, mut out) = (empty(), empty());
        // SAFETY: a live handle, slices, and places on the stack.
        let code = unsafe { dskpp_step(run, input.as_ptr(), input.len(), null(), 0, &mut message, &mut out) };
        (code, taken(message), serde_json::from_slice::<Value>(&taken(out)).unwrap())
    };
    let (code, message, sent) = step(r#"{"input":"begin","now":1800000000}"#);
    assert_eq!((code, &sent), (DSKPP_OK, &json!({ "step": "send", "url": "https://keys.example/dskpp" })));
    assert!(message.starts_with(b"<?xml"));
    assert_eq!(step(r#"{"input":"stored","now":1800000000}"#).2["code"], "misuse", "nothing was applied");
    assert_eq!(step(r#"{"input":"consent","consent":true,"now":1800000000}"#).2["code"], "outOfTurn");
    let (code, _, ended) = step(r#"{"input":"noAnswer","why":"no network","now":1800000001}"#);
    assert_eq!((code, &ended["code"]), (DSKPP_ERROR, &json!("noAnswer")));
    // SAFETY: not freed before.
    unsafe {
        dskpp_free_enrolment(run);
        dskpp_free(tokens);
    }
}

#[test]
fn a_code_is_checked_while_it_is_typed() {
    assert_eq!(check(""), json!({ "complete": false, "possible": true, "digits": 0, "formatted": "" }));
    let begun = check("108a c000-0");
    assert_eq!(begun, json!({ "complete": false, "possible": true, "digits": 9, "formatted": "108A-C000-0" }));
    assert_eq!(check("108AC00000A20A3582AF0C3E304EA4C")["complete"], true);
    let wrong = check("108X");
    assert_eq!((&wrong["possible"], &wrong["position"], &wrong["group"]), (&json!(false), &json!(4), &json!(1)));
    assert!(wrong["error"].is_string());
}

#[test]
fn argon2id_wants_a_salt() {
    let mut out = empty();
    // SAFETY: slices, and a place on the stack.
    let code = unsafe { dskpp_argon2id(b"passphrase".as_ptr(), 10, [1; 16].as_ptr(), 16, &mut out) };
    assert_eq!((code, taken(out).len()), (DSKPP_OK, 32));
    let mut out = empty();
    // SAFETY: slices, and a place on the stack.
    assert_eq!(unsafe { dskpp_argon2id(b"p".as_ptr(), 1, b"salt".as_ptr(), 4, &mut out) }, DSKPP_MISUSE);
    taken(out);
}
