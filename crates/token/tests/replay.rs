//! Enrolments that a browser ran, played again from their seeds: the same octets are sent and stored, whatever the platform
//! and the back end of the primitives.
//!
//! `tests/data/browser.json` is a recording of the token in the browser against a server of this project. To make it anew:
//! `DSKPP_RECORD=yes .ci/browser packages/js/tests/record.test.mjs`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use dskpp_token::{Credential, EnrollRequest, Enrolment, Input, Runs, Secret, Step, StoreChange, Tokens, Trigger};
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn octets(value: &Value) -> Vec<u8> {
    BASE64.decode(text(value).as_bytes()).unwrap()
}

/// The store of the C interface: `dskpp`, a version, the length of the tokens, tokens and notes.
fn store(value: &Value) -> (Tokens, Runs) {
    let octets = octets(value);
    if octets.is_empty() {
        return (Tokens::default(), Runs::default());
    }
    let (len, rest) = octets.strip_prefix(b"dskpp\x01").unwrap().split_first_chunk::<4>().unwrap();
    let (tokens, runs) = rest.split_at(u32::from_be_bytes(*len) as usize);
    (Tokens::from_json(&Secret::from_slice(tokens)).unwrap(), Runs::from_json(&Secret::from_slice(runs)).unwrap())
}

/// The tokens as they are stored, without the authority of K_SERVER: the browser's module verifies no certificates, so it
/// keeps none.
fn kept(tokens: &Tokens) -> Value {
    let mut kept: Value = serde_json::from_slice(tokens.to_json().expose()).unwrap();
    for token in kept.as_object_mut().unwrap().values_mut() {
        token.as_object_mut().unwrap().remove("k_server_issuer");
    }
    kept
}

fn request(value: &Value) -> EnrollRequest {
    let request: Value = serde_json::from_str(text(value)).unwrap();
    let mut known = 0;
    let mut field = |name: &str| request.get(name).map(|value| (known += 1, text(value).to_owned()).1);
    let credential = match (field("trigger"), field("code")) {
        (Some(trigger), None) => Credential::Trigger(Box::new(Trigger::read(trigger.as_bytes()).unwrap())),
        (None, Some(code)) => Credential::Code(code.parse().unwrap()),
        _ => panic!("{request}"),
    };
    let mut enroll = EnrollRequest::new(field("url"), credential);
    (enroll.label, enroll.renew) = (field("label"), field("renew"));
    assert_eq!(request.as_object().unwrap().len(), known, "{request}");
    enroll
}

fn time(input: &Value) -> SystemTime {
    UNIX_EPOCH + Duration::try_from_secs_f64(input["now"].as_f64().unwrap()).unwrap()
}

fn replay(run: &Value) {
    let (tokens, runs) = store(&run["store"]);
    let seed = octets(&run["seed"]).try_into().unwrap();
    let mut enrolment = Enrolment::new(request(&run["request"]), &tokens, runs, &seed);
    let mut asked: Option<StoreChange> = None;
    for (number, recorded) in run["steps"].as_array().unwrap().iter().enumerate() {
        let input = match text(&recorded["input"]["input"]) {
            "begin" => Input::Begin,
            "answer" => Input::Answer(octets(&recorded["body"])),
            "stored" => {
                let applied = &run["steps"][number - 1]["applied"];
                let (mut tokens, mut runs) = store(&applied["before"]);
                let outcome = asked.take().unwrap().apply(&mut tokens, &mut runs).unwrap();
                let (expected_tokens, expected_runs) = store(&applied["after"]);
                assert_eq!(kept(&tokens), kept(&expected_tokens), "what is stored before step {number}");
                assert!(runs == expected_runs, "the notes before step {number}");
                Input::Stored(outcome)
            }
            other => panic!("no input of this recording: {other}"),
        };
        match enrolment.step(input, time(&recorded["input"])).unwrap() {
            Step::Send { url, body } => {
                assert_eq!(url, text(&recorded["step"]["url"]), "step {number}");
                assert_eq!(String::from_utf8(body), String::from_utf8(octets(&recorded["message"])), "step {number}");
            }
            Step::Store(change) => {
                assert_eq!(recorded["step"]["step"], "store", "step {number}");
                asked = Some(change);
            }
            Step::Done(enrolled) => {
                assert_eq!(enrolled.key_id, text(&recorded["step"]["enrolled"]["keyId"]));
                assert_eq!(number + 1, run["steps"].as_array().unwrap().len());
            }
            other => panic!("step {number}: {other:?}"),
        }
    }
}

fn recording() -> Value {
    serde_json::from_str(include_str!("data/browser.json")).unwrap()
}

#[test]
fn a_browsers_four_pass_is_replayed_octet_for_octet() {
    replay(&recording()["four-pass"]);
}

#[test]
fn a_browsers_renewal_is_replayed_octet_for_octet() {
    replay(&recording()["renewal"]);
}

#[test]
fn a_browsers_two_pass_is_replayed_octet_for_octet() {
    replay(&recording()["two-pass"]);
}

#[test]
#[should_panic(expected = "step 2")]
fn another_seed_sends_other_octets() {
    let mut run = recording()["four-pass"].take();
    run["seed"] = BASE64.encode(&[7; 32]).into();
    replay(&run);
}
