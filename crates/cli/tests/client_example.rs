//! The example of `dskpp-client`, run against the server.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

#[allow(dead_code, unreachable_pub, reason = "its `main` reads arguments")]
#[path = "../../client/examples/enroll.rs"]
mod enroll;
mod support;

use dskpp_client::{FileStore, Unlock};
use reqwest::Method;
use serde_json::json;
use support::{Home, Server, text};

#[test]
fn the_example_shows_the_whole_life_of_a_token() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut store = FileStore::open_or_create(&home.path("tokens.db"), &Unlock::KeyFile(home.path("key"))).unwrap();
    for key_type in ["hotp", "totp"] {
        let enrolment = server.api(Method::POST, "/enrolments", Some(&json!({ "user": "ann", "key_type": key_type })));
        let code = text(&enrolment, "authentication_code");
        let mut out = Vec::new();
        let done = enroll::life_of_a_token(server.url(), &code, Some(server.ca.clone()), &mut store, &mut out);
        runtime.block_on(done).unwrap();
        let out = String::from_utf8(out).unwrap();
        let lines: Vec<_> = out.lines().collect();
        let [listed, otp, "renamed to Bank", "0 keys left"] = lines[..] else { panic!("{out}") };
        let (id, "hotp" | "totp") = listed.split_once(' ').unwrap() else { panic!("{out}") };
        let verdict = server.api(Method::POST, "/validate", Some(&json!({ "key_id": id, "otp": otp })));
        assert_eq!(verdict["valid"], true, "{out}: {verdict}");
        let mut none = Vec::new();
        let again = enroll::life_of_a_token(server.url(), &code, Some(server.ca.clone()), &mut store, &mut none);
        let again = runtime.block_on(again).unwrap_err().to_string();
        assert!(again.contains("AuthenticationDataInvalid"), "a code works once: {again}");
    }
}
