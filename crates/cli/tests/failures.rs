//! Failures: each is reported with a remedy, and leaves nothing behind.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Done, Home, PASSPHRASE, Server, code_of, shown, text};

/// Runs a command that must fail, with `--json`: one document on standard output, and the same as text on standard
/// error, with all of `words`.
fn fails<S: AsRef<str>>(home: &Home, args: &[S], code: i32, words: &[&str]) -> Done {
    let mut args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    args.push("--json");
    let done = home.run(&args);
    assert_eq!(done.code, Some(code), "{args:?} {done:#?}");
    let document = done.json();
    let said = format!("{} {}", text(&document, "error"), document["next"].as_str().unwrap_or_default());
    for word in words {
        assert!(done.err.contains(word), "{args:?} does not say '{word}': {done:#?}");
        assert!(said.contains(word), "{args:?} does not say '{word}' in JSON: {done:#?}");
    }
    assert!(!done.err.contains("panicked"), "{done:#?}");
    done
}

fn create(home: &Home, user: &str, more: &[&str]) -> Value {
    home.json(&[&["admin", "enrolment", "create", "--key-type", "hotp", "--user", user][..], more].concat())
}

/// The code of an enrolment with another password.
fn with_password(enrolment: &Value, password: &str) -> String {
    code_of(&text(enrolment, "client_id"), password)
}

fn no_token(home: &Home) {
    assert_eq!(home.json(&["token", "list"]), json!({ "items": [] }));
}

#[test]
fn usage_errors_have_exit_code_2() {
    let home = Home::new();
    for (args, words) in [
        (&["enroll"][..], &["required"][..]),
        (&["nonsense"], &["nonsense"]),
        (&["token"], &[]),
        (&["token", "otp"], &["<ID>"]),
        (&["token", "list", "--no-such-option"], &["--no-such-option"]),
        (&["serve", "--listen", "nowhere"], &["nowhere", "--listen"]),
        (&["enroll", "https://localhost/dskpp", "--code", "00", "--trigger", "x"], &["--code", "--trigger"]),
        (&["enroll", "https://localhost/dskpp", "--code", "00", "--device-key-file", "x"], &["--device-key-name"]),
        (&["enroll", "https://localhost/dskpp", "--code", "00", "--certificate", "x"], &["--private-key"]),
        (
            &["enroll", "https://localhost/dskpp", "--variant", "four-pass", "--method", "wrap"],
            &["--method applies to two-pass only"],
        ),
        (&["enroll", "--trigger", "http://keys.example/enroll/X"], &["require https"]),
        (&["admin", "enrolment", "create", "--user", "u", "--key-type", "sms"], &["sms", "hotp"]),
    ] {
        // For clap's own errors, the document has the first line.
        fails(&home, args, 2, words);
        let plain = home.run(args);
        assert!(plain.code == Some(2) && plain.out.is_empty(), "{args:?} {plain:#?}");
    }
    let code = with_password(&json!({ "client_id": "AC00000A" }), "3582");
    let types = ["enroll", "https://localhost/dskpp", "--code", &code, "--key-type", "sms"];
    fails(&home, &types, 2, &["sms", "totp, hotp"]);
    let device = ["enroll", "https://localhost/dskpp", "--code", &code, "--device", "Acme"];
    fails(&home, &device, 2, &["MANUFACTURER:SERIAL"]);
}

#[test]
fn success_with_json_prints_one_document() {
    let home = Home::new();
    for (args, member) in [(&["man"][..], "page"), (&["completions", "bash"], "script"), (&["demo"], "valid")] {
        let document = home.json(args);
        assert!(!document[member].is_null(), "{args:?} {document}");
        assert!(!home.run(args).success().out.is_empty());
    }
    for args in [&["--help"][..], &["--version"], &["enroll", "--help"]] {
        assert!(!home.run(args).success().out.is_empty());
    }
}

#[test]
fn a_mistyped_code_is_detected_before_anything_is_sent() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("https://{}/dskpp", listener.local_addr().unwrap());
    let right = with_password(&json!({ "client_id": "AC00000A" }), "3582AF0C3E");
    let other = if right.ends_with('0') { "1" } else { "0" };
    let mistyped = format!("{}{other}", &right[..right.len() - 1]);
    for (code, words) in [
        (mistyped.as_str(), &["(in group", "mistyped"][..]),
        (&right[..right.len() - 3], &["authentication code"]),
        ("AC00O", &["'O'"]),
        ("", &["empty"]),
    ] {
        fails(&home, &["enroll", &url, "--code", code], 1, &[words, &["nothing was sent"]].concat());
    }
    let from_input = home.run_with(&["enroll", &url, "--code", "-"], &mistyped);
    assert!(from_input.code == Some(1) && from_input.err.contains("mistyped"), "{from_input:#?}");
    for source in ["missing.xml", &shown(&home.write("no-trigger.xml", "<a/>"))] {
        fails(&home, &["enroll", "--trigger", source], 1, &["the trigger"]);
    }
    assert!(listener.accept().is_err(), "a request was made with a code that cannot be right");
    assert!(!home.path(".local").exists(), "a store was made for nothing");
}

/// Connection errors have the same remedies in `admin` and `enroll`.
#[test]
fn connection_errors_name_their_remedy_in_admin_as_in_enroll() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let origin = server.url().trim_end_matches("/dskpp").to_owned();
    let code = with_password(&json!({ "client_id": "AC00000A" }), "3582");
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ca = shown(&server.ca);
    // A different machine without a CA in the default folder.
    let away = Home::new();
    away.write("token", std::fs::read_to_string(home.path("dskpp-data/admin-token")).unwrap());
    for (origin, ca, words) in [
        (origin.replace("https:", "http:"), Some(&ca), &["expects TLS", "use https://"][..]),
        (origin, None, &["not issued by a trusted CA", "--ca"]),
        (format!("https://{dead}"), Some(&ca), &["cannot reach"]),
    ] {
        let ca: Vec<&str> = ca.map(|ca| ["--ca", ca]).into_iter().flatten().collect();
        fails(&away, &[&["enroll", &format!("{origin}/dskpp"), "--code", &code], &ca[..]].concat(), 1, words);
        let admin = ["admin", "--server", &origin, "--token-file", "token", "key", "list"];
        fails(&away, &[&admin, &ca[..]].concat(), 1, words);
    }
    fails(&away, &["admin", "--token-file", "none", "key", "list"], 1, &["none in /", "--token-file"]);
}

/// Suggested commands can be run unchanged.
#[test]
fn suggested_commands_keep_the_options_of_the_previous_one() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let made = home.run(&["admin", "enrolment", "create", "--user", "u", "--key-type", "totp"]).success().out;
    let suggested = made.lines().find_map(|line| line.trim().strip_prefix("dskpp ")).unwrap();
    let code = made.lines().find_map(|line| line.trim().strip_prefix("authentication code")).unwrap().trim();
    assert!(code.split(' ').all(|group| group.len() <= 4) && code.contains(' '), "{made}");
    assert!(suggested.starts_with("enroll https://localhost:") && suggested.ends_with("--ca dskpp-data/tls/ca.pem"));
    let args: Vec<&str> = suggested.split(' ').chain(["--code", code, "--store", "my keys.db"]).collect();
    let done = home.run(&args).success().out;
    assert!(done.contains("dskpp token otp --store 'my keys.db' "), "{done}");
}

#[test]
fn a_weak_passphrase_for_a_new_store_causes_a_warning() {
    let mut home = Home::new();
    let code = with_password(&json!({ "client_id": "AC00000A" }), "3582");
    let enroll = ["enroll", "https://127.0.0.1:1/dskpp", "--code", &code, "--store", "new.db"];
    for (passphrase, is_weak) in [("password1", true), ("correct horse battery staple", false)] {
        std::fs::remove_file(home.path("new.db")).ok();
        home.set("DSKPP_STORE_PASSPHRASE", passphrase);
        let done = home.run(&enroll);
        assert_eq!(done.err.contains("weak passphrase"), is_weak, "{done:#?}");
        assert!(!done.err.contains(passphrase), "{done:#?}");
    }
}

#[test]
fn a_manual_page_is_written_for_each_command() {
    let home = Home::new();
    home.run(&["man", "--out", "pages"]).success();
    for page in ["dskpp.1", "dskpp-admin-key-import.1", "dskpp-pskc-check.1"] {
        assert!(std::fs::read_to_string(home.path("pages").join(page)).unwrap().contains(".TH"), "{page}");
    }
    assert!(!home.path("pages").join("dskpp-help.1").exists());
}

#[test]
fn a_refused_run_leaves_no_key() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let (url, ca) = (server.url(), shown(&server.ca));
    let enroll = |code: &str| ["enroll", &url, "--ca", &ca, "--code", code].map(str::to_owned);
    let expiring = create(&home, "late", &["--expires-in", "1"]);

    let enrolment = create(&home, "wrong", &[]);
    fails(&home, &enroll(&with_password(&enrolment, "0000")), 1, &["AuthenticationDataInvalid", "ask for a new one"]);
    assert_eq!(server.state(&enrolment), "open");
    let unknown = with_password(&json!({ "client_id": "FFFFFFFF" }), "0000");
    fails(&home, &enroll(&unknown), 1, &["AuthenticationDataInvalid"]);

    let revoked = create(&home, "revoked", &[]);
    home.json(&["admin", "enrolment", "revoke", &text(&revoked, "id")]);
    fails(&home, &enroll(&text(&revoked, "authentication_code")), 1, &["the server answered"]);

    let other_type = [&enroll(&text(&enrolment, "authentication_code"))[..], &["--key-type".into(), "aes128".into()]];
    fails(&home, &other_type.concat(), 1, &["AccessDenied", "kind of key"]);
    let no_renewal = [&enroll(&text(&enrolment, "authentication_code"))[..], &["--renew".into(), "no-such-key".into()]];
    fails(&home, &no_renewal.concat(), 1, &["no-such-key", "check its id"]);
    assert_eq!(server.state(&enrolment), "open", "none of it may cost the user the code");

    std::thread::sleep(Duration::from_millis(2100)); // expiry has a resolution of seconds
    fails(&home, &enroll(&text(&expiring, "authentication_code")), 1, &["ProvisioningPeriodExpired", "expired"]);
    no_token(&home);

    home.run(&enroll(&text(&enrolment, "authentication_code"))).success();
    let spent = fails(&home, &enroll(&text(&enrolment, "authentication_code")), 1, &["AuthenticationDataInvalid"]);
    assert!(spent.err.contains("used already"), "{spent:#?}");
    assert_eq!(home.json(&["token", "list"])["items"].as_array().unwrap().len(), 1);

    // The admin API reports errors too.
    fails(&home, &["admin", "key", "show", "nothing"], 1, &["404"]);
    home.json(&["admin", "user", "create", "twice"]);
    fails(&home, &["admin", "user", "create", "twice"], 1, &["409"]);
    let elsewhere = shown(&home.write("token", "not-a-token\n"));
    fails(&home, &["admin", "key", "list", "--token-file", &elsewhere], 1, &["401"]);
    fails(&home, &["admin", "key", "list", "--token-file", "missing"], 1, &["missing", "--token-file"]);
}

#[test]
fn an_unreachable_or_wrong_server_is_reported() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let mut others = Home::new();
    let other = Server::start(&mut others);
    let enrolment = create(&home, "alice", &[]);
    let code = text(&enrolment, "authentication_code");
    let (ca, other_ca) = (shown(&server.ca), shown(&other.ca));
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // closed at once
    let at = |path: &str| format!("https://localhost:{}{path}", server.port);
    for (url, ca, words) in [
        (
            server.url(),
            other_ca.as_str(),
            &["certificate of localhost", "not issued by a trusted CA", "a different server"][..],
        ),
        (server.url(), "missing.pem", &["missing.pem", "--ca"]),
        (format!("https://{nobody}/dskpp"), &ca, &["cannot reach", "refused"]),
        ("https://no-such-host.invalid/dskpp".into(), &ca, &["no-such-host.invalid", "cannot reach"]),
        (at("/elsewhere"), &ca, &["404", "path"]),
        (at("/healthz"), &ca, &["405", "path"]),
        (server.url().replace("https", "http"), &ca, &["localhost", "expects TLS", "use https:"]),
        ("http://keys.example/dskpp".into(), &ca, &["not protected by TLS", "https://"]),
        ("localhost".into(), &ca, &["not a server's URL"]),
    ] {
        let done = fails(&home, &["enroll", &url, "--ca", ca, "--code", &code], 1, words);
        assert!(!done.err.contains(&code), "{done:#?}");
    }
    let api = format!("https://{nobody}");
    fails(&home, &["admin", "key", "list", "--server", &api], 1, &["cannot reach", "--server"]);
    fails(&home, &["admin", "key", "list", "--ca", &other_ca], 1, &["not issued by a trusted CA", "--ca"]);
    assert_eq!(server.state(&enrolment), "open");
}

#[test]
fn an_unreadable_or_unwritable_store_is_reported() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let (url, ca) = (server.url(), shown(&server.ca));
    let enroll =
        |code: &str, store: &str| ["enroll", &url, "--ca", &ca, "--code", code, "--store", store].map(str::to_owned);
    fails(&home, &["token", "list", "--store", "nowhere.db"], 1, &["nowhere.db", "dskpp enroll"]);
    let first = create(&home, "first", &[]);
    let key_id = text(
        &home
            .run(&[&enroll(&text(&first, "authentication_code"), "my.db")[..], &["--json".into()]].concat())
            .success()
            .json(),
        "key_id",
    );
    fails(&home, &["token", "otp", "no-such-key", "--store", "my.db"], 1, &["no-such-key", "list the keys"]);

    // Faults detected before the run cost nothing: the code stays valid.
    let second = create(&home, "second", &[]);
    let code = text(&second, "authentication_code");
    home.write("a-file", "");
    home.write("damaged.db", "not a store\n");
    for (store, words) in [("a-file/my.db", &["a-file"][..]), ("damaged.db", &["damaged.db", "not a token store"])] {
        fails(&home, &enroll(&code, store), 1, words);
    }
    home.set("DSKPP_STORE_PASSPHRASE", "another passphrase");
    for args in [&["token", "list"][..], &["token", "export", &key_id], &["token", "delete", &key_id, "--yes"]] {
        fails(&home, &[args, &["--store", "my.db"]].concat(), 1, &["passphrase", "store was created with"]);
    }
    fails(&home, &enroll(&code, "my.db"), 1, &["passphrase"]);
    home.set("DSKPP_STORE_PASSPHRASE", "");
    fails(&home, &enroll(&code, "new.db"), 1, &["empty"]);
    assert!(!home.path("new.db").exists());
    assert_eq!(server.state(&second), "open");

    // A store that is readable but not writable, for any user: its lock cannot be taken.
    home.set("DSKPP_STORE_PASSPHRASE", PASSPHRASE);
    std::fs::remove_file(home.path("my.db.lock")).unwrap();
    std::fs::create_dir(home.path("my.db.lock")).unwrap();
    let before = std::fs::read(home.path("my.db")).unwrap();
    let done = fails(&home, &enroll(&code, "my.db"), 1, &["my.db.lock", "check the path and its permissions"]);
    assert!(!done.out.contains("Success"), "{done:#?}");
    assert_eq!(std::fs::read(home.path("my.db")).unwrap(), before, "a failed run changed the store");
    fails(&home, &["token", "rename", &key_id, "other", "--store", "my.db"], 1, &["my.db.lock"]);
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let mut home = Home::new();
    for (config, words) in [
        ("[policy]\nlock_after = 0\n", &["dskpp.toml, line 2: policy.lock_after = 0", "use 1 to 1000"][..]),
        ("[server]\nprot = 1\n", &["server.prot", "unknown field"]),
        ("[limits]\ncrypto_queue = 'many'\n", &["limits.crypto_queue", "many"]),
        ("[server]\nlisten = 'here'\n[policy]\nkey_types = ['sms']\n", &["server.listen", "policy.key_types", "sms"]),
        ("[server]\nlisten = '0.0.0.0:0'\n", &["server.public_urls", "list the URLs"]),
        ("[server\n", &["dskpp.toml: line 1 is invalid TOML: unclosed table"]),
        ("[tls]\ncertificate = 'missing.pem'\nkey = 'missing.key'\n", &["missing.", "check the path"]),
        ("[log]\nlevel = 'a=b=c'\n", &["dskpp.toml, line 2: log.level = a=b=c"]),
    ] {
        let file = shown(&home.write("dskpp.toml", config));
        let done = home.run(&["serve", "--config", &file, "--data-dir", "faulty", "--json"]);
        assert!(done.code.is_some_and(|code| code == 1 || config.contains("log")), "{config} {done:#?}");
        let said = text(&done.json(), "error");
        assert!(!done.err.contains("\\n"), "{config} {done:#?}");
        assert!(words.iter().all(|word| said.contains(word)), "{config} {done:#?}");
    }
    fails(&home, &["serve", "--config", "missing.toml"], 1, &["missing.toml", "name a readable file"]);
    let open = ["serve", "--http", "--listen", "0.0.0.0:0", "--data-dir", "open"];
    fails(&home, &open, 1, &["server.http", "loopback addresses only"]);
    assert!(!home.path("open").exists(), "a refused server left its data");
    let file = shown(&home.write("a-file", ""));
    fails(&home, &["serve", "--listen", "127.0.0.1:0", "--data-dir", &file], 1, &["a-file"]);
    home.set("DSKPP_LIMITS_CRYPTO_QUEUE", "0");
    fails(
        &home,
        &["serve", "--data-dir", "faulty"],
        1,
        &["environment variable DSKPP_LIMITS_CRYPTO_QUEUE: limits.crypto_queue = 0", "use 1 to"],
    );

    let mut home = Home::new();
    let server = Server::start(&mut home);
    let taken = format!("127.0.0.1:{}", server.port);
    let again = ["serve", "--listen", &taken, "--data-dir", "second"];
    fails(&home, &again, 1, &[&taken, "in use", "--listen"]);
    assert!(!home.path("second").exists(), "a refused server left its data");
}
