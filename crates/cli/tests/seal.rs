//! `dskpp seal rotate`: the key-encryption key is changed while a server runs, and the command is killed on the way.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use support::{Home, Server, shown, text};

#[test]
fn secrets_are_sealed_anew_under_load_and_after_kill_9_and_the_old_key_opens_nothing() {
    let mut home = Home::new();
    home.set("DSKPP_STORE_KEY_FILE", &shown(&home.path("store.key"))); // no slow key derivation
    let new = home.write("new.kek", "5a".repeat(32));
    let rotate = ["seal", "rotate", "--json", "--to", &shown(&new)].map(str::to_owned);
    let server = Server::start(&mut home);
    let code = text(
        &server.api(Method::POST, "/enrolments", Some(&json!({"user": "ann", "key_type": "hotp"}))),
        "authentication_code",
    );
    let got = home.json(&["enroll", &server.url(), "--code", &code, "--ca", &shown(&server.ca)]);
    let key_id = text(&got, "key_id");
    let secret = server.secret(&key_id);

    let refused = home.run(&rotate);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.out.contains("lacks the new key-encryption key"), "{refused:#?}");
    home.set("DSKPP_SEAL_FURTHER_KEK_FILES", &shown(&new));
    let port = server.port;
    server.kill();
    let server = Server::start_on(&home, port);

    let mut created = 0;
    let mut load = |until: &mut dyn FnMut() -> bool| {
        while !until() {
            let body = json!({"user": format!("user {created}"), "key_type": "totp"});
            server.api(Method::POST, "/enrolments", Some(&body)); // each must succeed
            created += 1;
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    // While it asks, and about when it begins to seal.
    for killed_after in [Duration::from_secs(1), Duration::from_millis(15_100)] {
        let (mut command, begun) = (home.begin(&rotate), Instant::now());
        load(&mut || begun.elapsed() > killed_after);
        _ = command.kill();
        command.wait().unwrap();
    }
    let mut command = home.begin(&rotate);
    load(&mut || command.try_wait().unwrap().is_some());
    let done = command.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done["unreadable"], json!([]), "{done}");
    assert!(done["checked"].as_u64().unwrap() > 500 && created > 500, "{done} {created}");
    assert_eq!(server.secret(&key_id), secret);
    server.kill();

    home.set("DSKPP_SEAL_FURTHER_KEK_FILES", "");
    let old_alone = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(old_alone.code, Some(1), "{old_alone:#?}");
    assert!(old_alone.err.contains("dskpp seal rotate"), "{old_alone:#?}");
    std::fs::copy(&new, home.path("dskpp-data/kek")).unwrap();
    let server = Server::start_on(&home, port);
    assert_eq!(server.secret(&key_id), secret);
    let again = home.json(&["seal", "rotate", "--to", &shown(&new)]);
    assert_eq!(again["resealed"], json!(0), "{again}");
    let otp = home.json(&["token", "otp", &key_id]);
    assert_eq!(server.validate(&json!({"key_id": key_id, "otp": text(&otp, "otp")}))["valid"], json!(true));
}
