//! Key files that go to a server, come from it, or enter a token store.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Home, Server, text};
use super::{home, inspect, keys};

#[test]
fn keys_enter_a_server_once_and_leave_it_unchanged() {
    let mut home = home();
    let server = Server::start(&mut home);
    let odd = keys().as_array().unwrap().iter().filter(|key| key["id"] != "b").cloned().collect::<Vec<_>>();
    home.write("two.json", json!({ "keys": odd }).to_string());
    home.run(&["pskc", "convert", "two.json", "-o", "two.xml"]).success();
    let done = home.json(&["admin", "key", "import", "two.xml", "--user", "alice"]);
    assert_eq!((&done["accepted"], &done["refused"]), (&json!(2), &json!(0)), "{done}");
    let again = home.json(&["admin", "key", "import", "two.xml", "--user", "alice"]);
    assert_eq!(again["accepted"], 2, "an import that was done is not done again: {again}");
    home.write("more", "serial,seed,time interval\nz3,31323334353637383930,60\n");
    let more = home.json(&["admin", "key", "import", "more", "--user", "bob"]);
    assert_eq!((&more["accepted"], &more["refused"]), (&json!(1), &json!(0)), "a table is read as well: {more}");
    for (ids, told) in
        [(&["o1"][..], "it is unassigned, and validates"), (&["o2", "o3"], "they are unassigned, and validate ")]
    {
        let lines: Vec<String> = ids
            .iter()
            .map(|id| format!("otpauth://totp/{id}?secret=GEZDGNBVGY3TQOJQ{}", "MFRGGZDF".repeat(2)))
            .collect();
        home.write("owned", lines.join("\n"));
        let taken = home.run(&["admin", "key", "import", "owned"]).success();
        assert!(taken.out.contains(told), "{taken:?}");
    }
    home.write("password", "correct horse\n");
    home.run(&["admin", "key", "export", "--to-password-file", "password", "-o", "out.xml"]).success();
    let out = inspect(&home, "out.xml", &["--password-file", "password"]);
    for name in ["id", "secret_hex", "counter", "response_length", "algorithm", "serial"] {
        assert_eq!(out[0][name], odd[0][name], "{name}: {out}");
    }
    assert_eq!(home.run(&["admin", "key", "export"]).code, Some(2), "nothing leaves unless it is said how");
    for other in [&["--in-the-clear"][..], &["--to-key-file", "key"], &["--to-certificate", "key"]] {
        let both = [&["admin", "key", "export", "--for-old-readers"], other].concat();
        assert_eq!(home.run(&both).code, Some(2), "old readers matter to a password alone: {other:?}");
    }
    // HOTP with this secret and counter 5, computed independently.
    home.json(&["token", "import", "two.xml"]);
    let otp = text(&home.json(&["token", "otp", "a"]), "otp");
    assert_eq!(server.validate(&json!({ "user": "alice", "otp": otp }))["valid"], true);
}

#[test]
fn an_export_reports_omitted_keys_and_fails() {
    let mut home = home();
    let _server = Server::start(&mut home);
    let accepted = home.json(&["admin", "key", "import", "keys.xml"])["accepted"].as_u64().unwrap();
    home.in_database("UPDATE key SET params = 'x' WHERE id = 'a'");
    home.write("password", "correct horse\n");
    let export = ["admin", "key", "export", "--to-password-file", "password", "-o", "out.xml"];
    let told = home.run(&export);
    assert!(told.code == Some(1) && told.err.contains("the key a was left out: key.params"), "{told:?}");
    let json = home.run(&[&export[..], &["--force", "--json"]].concat());
    assert_eq!((json.code, &json.json()["left_out"]), (Some(1), &json!(1)), "{json:?}");
    assert_eq!(json.json()["left_out_keys"][0]["key_id"], "a");
    let out = inspect(&home, "out.xml", &["--password-file", "password"]);
    assert_eq!(out.as_array().unwrap().len() as u64, accepted - 1, "{out}");
}

#[test]
fn an_interrupted_import_resumes() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let of = |i: i64| {
        let counter = if i == 7 { -1 } else { 0 };
        json!({ "id": format!("k{i}"), "algorithm": "hotp", "secret_hex": format!("{i:040x}"), "counter": counter })
    };
    let many: Vec<Value> = (0..30_000).map(of).collect();
    home.write("many.json", json!({ "keys": many }).to_string());
    home.run(&["pskc", "convert", "many.json", "-o", "many.xml"]).success();
    for after in [300, 900, 1500] {
        home.spawn_and_kill(&["admin", "key", "import", "many.xml"], Duration::from_millis(after));
    }
    let report = |more: &[&str]| {
        let done = home.json_of_failure(&[&["admin", "key", "import", "many.xml"][..], more].concat());
        let reason = text(&done["refusals"][0], "reason");
        assert!(done["refusals"][0]["key_id"] == "k7" && reason.contains("less than 0"), "whenever it was met: {done}");
        done
    };
    let done = report(&[]);
    assert_eq!((&done["accepted"], &done["duplicate"], &done["refused"]), (&json!(29_999), &json!(0), &json!(1)));
    let again = report(&[]);
    assert_eq!((&again["accepted"], &again["accepted_before"]), (&json!(29_999), &json!(29_999)), "nothing twice");
    let other = report(&["--user", "ann"]);
    assert_eq!((&other["accepted"], &other["duplicate"]), (&json!(0), &json!(29_999)), "another import");
}

#[test]
fn a_token_store_imports_keys_and_enforces_their_policy() {
    let home = home();
    let done = home.run(&["token", "import", "keys.xml", "--json"]);
    assert_eq!(done.code, Some(1), "what is refused is told in the exit code too");
    let document = done.json();
    assert_eq!(document["refused"][0]["id"], "b", "a PIN policy that a token cannot keep: {document}");
    assert_eq!(document["accepted"], 2);
    home.write(
        "old.json",
        json!({ "keys": [{ "id": "old", "algorithm": "hotp", "secret_hex": "3132", "counter": 0,
        "policy": { "expiry_date": "2020-01-01T00:00:00Z" } }, { "id": "twice", "algorithm": "hotp",
        "secret_hex": "3132", "counter": 0, "policy": { "number_of_transactions": 2 } }] })
        .to_string(),
    );
    home.run(&["pskc", "convert", "old.json", "-o", "old.xml"]).success();
    home.run(&["token", "import", "old.xml"]).success();
    let expired = home.run(&["token", "otp", "old"]);
    assert!(expired.code == Some(1) && expired.err.contains("expired"), "{expired:?}");
    home.run(&["token", "otp", "twice"]).success();
    home.run(&["token", "otp", "twice"]).success();
    assert_eq!(home.run(&["token", "otp", "twice"]).code, Some(1), "its transactions are used up");
}
