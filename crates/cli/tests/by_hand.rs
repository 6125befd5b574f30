//! The README's steps, and the other ways to a key, with the built program.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Home, Server, shown, text};

/// Creates an enrolment with further options.
fn create(home: &Home, user: &str, key_type: &str, more: &[&str]) -> Value {
    let args = ["admin", "enrolment", "create", "--user", user, "--key-type", key_type];
    home.json(&[&args[..], more].concat())
}

/// Enrols with the code of an enrolment; returns the key's id.
fn enroll(home: &Home, server: &Server, enrolment: &Value, more: &[&str]) -> Value {
    let (url, code, ca) = (server.url(), text(enrolment, "authentication_code"), shown(&server.ca));
    home.json(&[&["enroll", &url, "--code", &code, "--ca", &ca][..], more].concat())
}

fn otp(home: &Home, key_id: &str, more: &[&str]) -> String {
    text(&home.json(&[&["token", "otp", key_id][..], more].concat()), "otp")
}

fn token(home: &Home, key_id: &str) -> Value {
    let listed = home.json(&["token", "list"]);
    let items = listed["items"].as_array().unwrap();
    items.iter().find(|token| token["id"] == key_id).unwrap_or_else(|| panic!("no {key_id} in {listed}")).clone()
}

/// The client's secret, which must equal the server's.
fn secret(home: &Home, server: &Server, key_id: &str) -> String {
    let exported = text(&home.json(&["token", "export", key_id]), "secret_hex");
    assert_eq!(exported, server.secret(key_id), "both sides must have the same key");
    exported
}

#[test]
fn the_readme_from_code_to_valid_password() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let enrolment = create(&home, "alice", "totp", &[]);
    let code = text(&enrolment, "authentication_code");
    let ca = "dskpp-data/tls/ca.pem"; // as in the README
    let done = home.run_with(&["enroll", &server.url(), "--ca", ca, "--code", "-"], &format!("{code}\n")).success();
    assert!(done.out.contains("the server has confirmed it"), "{done:#?}");
    assert!(!done.out.contains(&code) && !done.err.contains(&code), "the code is shown: {done:#?}");

    let items = home.json(&["token", "list"])["items"].clone();
    let key_id = text(&items[0], "id");
    assert!(items.as_array().unwrap().len() == 1 && items[0]["key_type"] == "totp", "{items}");
    assert!(home.run(&["token", "list"]).success().out.starts_with(&key_id));

    // The rest as with curl. A time step may end in between; the server accepts the previous and the next one.
    let password = home.run(&["token", "otp", &key_id]).success().out.trim().to_owned();
    let attempt = json!({ "user": "alice", "otp": password });
    assert_eq!(server.validate(&attempt), json!({ "valid": true, "key_id": key_id }));
    assert_eq!(server.validate(&attempt), json!({ "valid": false }), "a password is good once");

    let renamed = home.json(&["token", "rename", &key_id[..6], "work"]);
    assert_eq!(renamed, json!({ "id": key_id, "label": "work" }));
    let exported = home.json(&["token", "export", "work"]);
    assert_eq!(exported["secret_hex"], server.secret(&key_id));
    assert_eq!(home.run(&["token", "export", "work"]).success().out.trim(), server.secret(&key_id));
    assert_eq!(home.json(&["token", "delete", "work", "--yes"]), json!({ "id": key_id, "deleted": true }));
    assert_eq!(home.json(&["token", "list"]), json!({ "items": [] }));
    assert_eq!(server.state(&enrolment), "active");

    let listed = home.json(&["admin", "key", "list", "--user", "alice"]);
    assert_eq!(listed["items"][0]["key_id"], key_id.as_str(), "{listed}");
    home.json(&["admin", "key", "revoke", &key_id]);
    assert_eq!(home.json(&["admin", "key", "show", &key_id])["state"], "revoked");
    let log = server.log();
    for hidden in [&code, &text(&enrolment, "password"), &server.token, &password, &text(&exported, "secret_hex")] {
        assert!(!log.contains(hidden.as_str()), "the log tells a secret: {log}");
    }
}

#[test]
fn parameters_counters_and_challenges() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let valid = |body: Value| server.validate(&body)["valid"] == true;

    let options = ["--digits", "8", "--period", "60", "--hash", "SHA-256"];
    let totp = enroll(&home, &server, &create(&home, "bob", "totp", &options), &["--label", "bob's"]);
    let password = otp(&home, "bob's", &[]);
    assert_eq!(password.len(), 8);
    let attempt = json!({ "key_id": totp["key_id"], "otp": password });
    assert!(valid(attempt.clone()) && !valid(attempt), "once");

    let hotp = text(&enroll(&home, &server, &create(&home, "carol", "hotp", &["--counter", "7"]), &[]), "key_id");
    assert_eq!(token(&home, &hotp)["counter"], 7);
    let first = otp(&home, &hotp, &[]);
    let second = otp(&home, &hotp, &[]);
    assert_ne!(first, second, "a password was shown twice");
    assert_eq!(token(&home, &hotp)["counter"], 9);
    assert!(valid(json!({ "user": "carol", "otp": first })));
    assert!(valid(json!({ "user": "carol", "otp": second })));
    assert!(!valid(json!({ "user": "carol", "otp": first })) && !valid(json!({ "user": "carol", "otp": second })));
    secret(&home, &server, &hotp);

    let ocra = text(&enroll(&home, &server, &create(&home, "dave", "ocra", &[]), &[]), "key_id");
    let response = otp(&home, &ocra, &["--challenge", "12345678"]);
    assert!(valid(json!({ "user": "dave", "otp": response, "challenge": "12345678" })));
    assert!(!valid(json!({ "user": "dave", "otp": response, "challenge": "12345679" })));
    let without = home.run(&["token", "otp", &ocra]);
    assert!(without.code == Some(2) && without.err.contains("--challenge"), "{without:#?}");

    for (key_type, octets) in [("aes128", 16), ("aes192", 24), ("aes256", 32)] {
        let key_id = text(&enroll(&home, &server, &create(&home, "erin", key_type, &[]), &[]), "key_id");
        assert_eq!(token(&home, &key_id)["key_type"], key_type);
        assert_eq!(secret(&home, &server, &key_id).len(), 2 * octets, "{key_type}");
        let no_password = home.run(&["token", "otp", &key_id]);
        assert!(no_password.code == Some(1) && no_password.err.contains("not for this use (OTP)"), "{no_password:#?}");
    }
}

#[test]
fn a_trigger_from_a_file_or_a_url() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let ca = shown(&server.ca);
    let enrolment = create(&home, "frank", "totp", &[]);
    let (status, page) = server.get(&text(&enrolment, "trigger_url"), "text/html");
    assert!(status == 200 && String::from_utf8(page).unwrap().contains("dskpp enroll --trigger"), "{status}");
    let (status, trigger) = server.get(&text(&enrolment, "trigger_url"), "application/dskpp+xml");
    assert_eq!(status, 200);
    let file = shown(&home.write("trigger.xml", trigger));
    let enrolled = home.json(&["enroll", "--trigger", &file, "--ca", &ca]);
    assert_eq!(enrolled["status"], "Success");
    secret(&home, &server, &text(&enrolled, "key_id"));
    let (status, _) = server.get(&text(&enrolment, "trigger_url"), "application/dskpp+xml");
    assert_eq!(status, 410, "a used trigger is gone");

    let enrolment = create(&home, "grace", "hotp", &[]);
    let enrolled = home.json(&["enroll", "--trigger", &text(&enrolment, "trigger_url"), "--ca", &ca]);
    secret(&home, &server, &text(&enrolled, "key_id"));
    assert_eq!(server.state(&enrolment), "active");
    let again = home.run(&["enroll", "--trigger", &text(&enrolment, "trigger_url"), "--ca", &ca]);
    assert!(again.code == Some(1) && again.err.contains("request a new one"), "{again:#?}");
}

#[test]
fn a_device_with_its_own_key() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    for (serial, key) in [("16", "11".repeat(16)), ("24", "22".repeat(24)), ("40", "33".repeat(40))] {
        let file = shown(&home.write("device.key", format!("{key}\n")));
        let (device, key_name) = (format!("Acme:{serial}"), format!("acme-{serial}"));
        let register = ["--manufacturer", "Acme", "--serial", serial, "--key-name", &key_name];
        home.json(&[&["admin", "device", "create", "--shared-key-file", &file][..], &register].concat());
        let enrolment = create(&home, "plant", "aes128", &["--device", &device]);
        let with_key = ["--device", &device, "--device-key-name", &key_name, "--device-key-file", &file];

        // Without the device's name or its key there is no key, and the enrolment stays open.
        let (url, code, ca) = (server.url(), text(&enrolment, "authentication_code"), shown(&server.ca));
        let other = shown(&home.write("other.key", key.replace(&key[..1], "7")));
        for more in [&[][..], &[&with_key[..5], &[&other]].concat()] {
            let done = home.run(&[&["enroll", &url, "--code", &code, "--ca", &ca][..], more].concat());
            assert_eq!(done.code, Some(1), "{done:#?}");
            assert_eq!(server.state(&enrolment), "open");
        }
        let enrolled = enroll(&home, &server, &enrolment, &with_key);
        let key_id = text(&enrolled, "key_id");
        assert_eq!(secret(&home, &server, &key_id).len(), 32);
        let key = server.api(Method::GET, &format!("/keys/{key_id}"), None);
        assert_eq!(key["device"], json!({ "manufacturer": "Acme", "serial": serial }));
    }
}

#[test]
fn s4_2_2_without_a_trigger_the_code_must_be_prompted_for() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let enrolment = create(&home, "ute", "totp", &[]);
    let (url, ca, code) = (server.url(), shown(&server.ca), text(&enrolment, "authentication_code"));
    let enroll = ["enroll", &url, "--ca", &ca];
    // If nobody can be prompted, nothing is sent.
    let done = home.run(&enroll);
    assert!(done.code == Some(1) && done.err.contains("--code"), "{done:#?}");
    assert_eq!(server.state(&enrolment), "open");
    let Some(done) = home.run_in_terminal(&enroll, "Authentication code: ", &code) else { return };
    done.success();
    assert_eq!(server.state(&enrolment), "active");
}

#[test]
fn a_renewed_key_keeps_its_id_and_name() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let first = enroll(&home, &server, &create(&home, "heidi", "hotp", &[]), &["--label", "door"]);
    let key_id = text(&first, "key_id");
    let old = secret(&home, &server, &key_id);
    for _ in 0..2 {
        let before = secret(&home, &server, &key_id);
        let enrolment = create(&home, "heidi", "hotp", &["--renews", &key_id]);
        let renewed = enroll(&home, &server, &enrolment, &["--renew", &key_id]);
        assert_eq!((&renewed["key_id"], &renewed["replaced"]), (&json!(key_id), &json!(true)), "{renewed}");
        assert_ne!(secret(&home, &server, &key_id), before);
    }
    assert_ne!(secret(&home, &server, &key_id), old);
    let items = home.json(&["token", "list"])["items"].clone();
    let ids: Vec<_> = items.as_array().unwrap().iter().map(|token| text(token, "id")).collect();
    assert_eq!(ids, [key_id.clone(), format!("{key_id}-old"), format!("{key_id}-old2")], "replaced ones stay until");
    for old in &ids[1..] {
        home.run(&["token", "delete", old, "--yes"]).success();
    }
    assert_eq!(items[0]["label"], "door");
    let password = otp(&home, "door", &[]);
    assert_eq!(server.validate(&json!({ "user": "heidi", "otp": password }))["valid"], true);

    // A trigger for a renewal names the key.
    let enrolment = create(&home, "heidi", "hotp", &["--renews", &key_id]);
    let enrolled = home.json(&["enroll", "--trigger", &text(&enrolment, "trigger_url"), "--ca", &shown(&server.ca)]);
    assert_eq!((&enrolled["key_id"], &enrolled["replaced"]), (&json!(key_id), &json!(true)), "{enrolled}");
    secret(&home, &server, &key_id);
}

#[test]
fn a_key_is_renewed_without_a_link_where_its_issuer_allows_that() {
    let mut home = Home::new();
    home.set("DSKPP_PORTAL_OWNERS_RENEW", "true");
    let server = Server::start(&mut home);
    let key_id = text(&enroll(&home, &server, &create(&home, "ivan", "hotp", &[]), &["--label", "door"]), "key_id");
    let before = secret(&home, &server, &key_id);
    let ca = shown(&server.ca);
    let renewed = home.json(&["token", "renew", "door", "--ca", &ca]);
    assert_eq!((&renewed["key_id"], &renewed["replaced"]), (&json!(key_id), &json!(true)), "{renewed}");
    assert_ne!(secret(&home, &server, &key_id), before);
    let password = otp(&home, "door", &[]);
    assert_eq!(server.validate(&json!({ "user": "ivan", "otp": password }))["valid"], true);
    let done = home.run(&["token", "renew", &key_id, "--ca", &ca]).success();
    assert!(done.out.contains("renewed: the server has confirmed it"), "{done:#?}");

    let ocra = text(&enroll(&home, &server, &create(&home, "ivan", "ocra", &[]), &[]), "key_id");
    let why = home.json_of_failure(&["token", "renew", &ocra, "--ca", &ca]);
    assert!(why.to_string().contains("renewal link"), "{why}");
    let why = home.json_of_failure(&["token", "renew", &format!("{key_id}-old"), "--ca", &ca]);
    assert!(why.to_string().contains("replaced"), "{why}");
}

#[test]
fn by_default_only_the_issuer_renews_and_the_program_says_so() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let key_id = text(&enroll(&home, &server, &create(&home, "judy", "hotp", &[]), &[]), "key_id");
    let before = secret(&home, &server, &key_id);
    let why = home.json_of_failure(&["token", "renew", &key_id, "--ca", &shown(&server.ca)]);
    assert!(why.to_string().contains("ask the issuer for a renewal link"), "{why}");
    assert_eq!(secret(&home, &server, &key_id), before);
}
