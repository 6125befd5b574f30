//! A server other than the key's own tries to replace it (profile P29).

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod between;
#[path = "../support/mod.rs"]
mod support;

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use between::{Between, Mode, listen};
use dskpp::message::{AuthenticationCodeMac, AuthenticationData, Mac, Trigger};
use dskpp::version::Version;
use support::{Home, Server, shown, text};

struct Stage {
    home: Home,
    server: Server,
    between: Arc<Mutex<Between>>,
    /// URL_S of the key: the attacker's address, which is a public URL of the real server.
    url: String,
    key_id: String,
    secret: String,
}

impl Stage {
    /// A key of the real server; the attacker relays everything.
    fn set() -> Self {
        let mut home = Home::new();
        home.set("DSKPP_STORE_KEY_FILE", &shown(&home.path("store.key"))); // no slow key derivation
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("https://{address}/dskpp");
        home.set("DSKPP_SERVER_PUBLIC_URLS", &url);
        let server = Server::start(&mut home);
        let between = Arc::new(Mutex::new(Between::new()));
        listen(listener, &server, home.path("dskpp-data/tls").as_path(), Arc::clone(&between));
        let mut stage = Stage { home, server, between, url, key_id: String::new(), secret: String::new() };
        let code = stage.code(&[]);
        let got = stage.home.json(&stage.command(&[&stage.url, "--code", &code, "--variant", "four-pass"]));
        stage.key_id = text(&got, "key_id");
        stage.secret = stage.stored(&stage.key_id);
        stage
    }

    fn code(&self, more: &[&str]) -> String {
        let create = ["admin", "enrolment", "create", "--user", "ann", "--key-type", "totp"];
        text(&self.home.json(&[&create[..], more].concat()), "authentication_code")
    }

    fn command(&self, more: &[&str]) -> Vec<String> {
        let args = ["enroll", "--ca", &shown(&self.server.ca)];
        [&args[..], more].concat().into_iter().map(str::to_owned).collect()
    }

    fn stored(&self, id: &str) -> String {
        text(&self.home.json(&["token", "export", id]), "secret_hex")
    }

    /// The attacker's trigger: anyone can write one that names a key.
    fn trigger(&self, url: &str, key_id: &str) -> String {
        let trigger = Trigger {
            version: Version::V1_0,
            device_identifier_data: None,
            key_id: Some(key_id.as_bytes().to_vec()),
            token_platform_info: None,
            authentication_data: AuthenticationData {
                client_id: Some("AC00000A".into()),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: Some(vec![1; 32]),
                    iteration_count: Some(100_000),
                    mac: Mac { algorithm: None, value: vec![2; 32] },
                },
            },
            server_url: Some(url.to_owned()),
        };
        shown(&self.home.write("hostile.dskpp", trigger.write()))
    }

    fn set_mode(&self, mode: Mode) {
        let mut between = self.between.lock().unwrap();
        (between.mode, between.requests) = (mode, 0);
    }

    /// Opens the attacker's trigger, with and without `--json`: the key stays, after this number of requests.
    fn refused(&self, what: &str, trigger: &str, more: &[&str], words: &str, requests: usize) {
        for json in [false, true] {
            self.between.lock().unwrap().requests = 0;
            let mut args = self.command(&[&["--trigger", trigger][..], more].concat());
            args.extend(json.then(|| "--json".to_owned()));
            let done = self.home.run(&args);
            assert_eq!(done.code, Some(1), "{what}: {done:#?}");
            assert!(done.err.contains(words), "{what}: {done:#?}");
            assert_eq!(self.between.lock().unwrap().requests, requests, "{what}");
            self.is_untouched(what);
        }
    }

    /// The key is unchanged, and no notes of a run exist.
    fn is_untouched(&self, what: &str) {
        assert_eq!(self.stored(&self.key_id), self.secret, "{what}");
        let tokens = self.home.json(&["token", "list"]);
        assert!(tokens["items"].as_array().unwrap().iter().all(|token| token["old_of"].is_null()), "{what}: {tokens}");
        assert!(!self.home.path(".local/share/dskpp/tokens.db.run").exists(), "{what}: notes of a failed run stay");
    }
}

#[test]
fn p29_a_hostile_server_cannot_replace_the_key_by_one_that_it_knows() {
    let stage = Stage::set();
    let (url, key_id) = (stage.url.clone(), stage.key_id.clone());
    let port = url.trim_start_matches("https://127.0.0.1:").trim_end_matches("/dskpp");

    // At the key's own URL, as after breaking TLS.
    let own = stage.trigger(&url, &key_id);
    for mode in [Mode::OwnKey, Mode::OwnCertificate] {
        stage.set_mode(mode);
        stage.refused(&format!("{mode:?}"), &own, &[], "has the public key sha256:", 1);
        let elsewhere = ["--accept-server", "https://127.0.0.1/dskpp"];
        stage.refused("another URL was accepted", &own, &elsewhere, "has the public key sha256:", 1);
        let other = format!("sha256:{}", "0".repeat(64));
        stage.refused("another key was accepted", &own, &["--accept-server", &other], "has the public key sha256:", 1);
        let both = ["--accept-server", &url, "--accept-server", &other];
        stage.refused("the URL with another key", &own, &both, "has the public key sha256:", 1);
    }

    // With the real K_SERVER, and with the attacker's, but at another URL: nothing is sent.
    for other in [
        format!("https://localhost:{port}/dskpp"),
        format!("https://127.0.0.1:{port}/dskpp/"),
        format!("https://127.0.0.1:{port}/DSKPP"),
        format!("HTTPS://127.0.0.1:{port}/dskpp"),
        format!("https://127.0.0.1:0{port}/dskpp"),
        format!("https://127.0.0.1:{port}/dskpp?"),
    ] {
        for mode in [Mode::Relay, Mode::OwnKey, Mode::OwnCertificate] {
            stage.set_mode(mode);
            let trigger = stage.trigger(&other, &key_id);
            stage.refused(&other, &trigger, &[], "came from the server", 0);
            stage.refused(&other, &trigger, &["--accept-server", &url], "came from the server", 0);
        }
    }

    // Consent does not replace the renewal MAC.
    let own = stage.trigger(&url, &key_id);
    for mode in [Mode::NoMac, Mode::WrongMac] {
        stage.set_mode(mode);
        stage.refused(&format!("{mode:?}"), &own, &["--accept-server", &url], "did not prove", 1);
    }
    assert!(stage.between.lock().unwrap().knows.is_none(), "R_C was never sent");
}

/// The server's data is remembered only after its MAC confirms it, and not from a refused run.
#[test]
fn p29_the_issuer_in_a_refused_run_is_not_remembered() {
    let mut stage = Stage::set();
    stage.set_mode(Mode::OwnIssuer);
    let code = stage.code(&["--renews", &stage.key_id, "--variant", "two-pass"]);
    let renewal = stage.command(&[&stage.url, "--code", &code, "--renew", &stage.key_id]);
    let done = stage.home.json(&renewal);
    assert_eq!((&done["variant"], &done["replaced"]), (&"two-pass".into(), &true.into()));
    assert!(stage.between.lock().unwrap().requests > 2, "four-pass came first");
    stage.home.run(&["token", "accepted", &stage.key_id]).success();
    stage.secret = stage.stored(&stage.key_id);
    stage.set_mode(Mode::OwnCertificate);
    let own = stage.trigger(&stage.url, &stage.key_id);
    stage.refused("the attacker's authority", &own, &[], "has the public key sha256:", 1);
}

#[test]
fn p29_keys_without_a_server_and_runs_without_k_server_are_identified_by_url_s() {
    let mut stage = Stage::set();
    let other = stage.url.replace("127.0.0.1", "localhost");
    stage.set_mode(Mode::OwnKey);

    let renews = ["--renews", &stage.key_id.clone()];
    for method in ["transport", "passphrase-wrap"] {
        let code = stage.code(&renews);
        let more = [&other, "--code", &code, "--renew", &stage.key_id, "--method", method];
        for json in [&[][..], &["--json"]] {
            let done = stage.home.run(&stage.command(&[&more[..], json].concat()));
            assert!(done.code == Some(1) && done.err.contains("came from the server"), "{method}: {done:#?}");
            assert_eq!(stage.between.lock().unwrap().requests, 0, "{method}");
            stage.is_untouched(method);
        }
    }

    let pskc = r#"<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc"><KeyPackage>
        <Key Id="IMPORTED" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp"><Data><Secret><PlainValue>
        MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=</PlainValue></Secret></Data></Key></KeyPackage></KeyContainer>"#;
    let file = shown(&stage.home.write("keys.xml", pskc));
    stage.home.run(&["token", "import", &file]).success();
    (stage.key_id, stage.secret) = ("IMPORTED".into(), stage.stored("IMPORTED"));
    for url in [&stage.url, &other] {
        let trigger = stage.trigger(url, "IMPORTED");
        stage.refused("no server is stored", &trigger, &[], "has no known server", 0);
    }
}

#[test]
fn p29_changes_that_a_person_accepts_are_made_and_the_replaced_keys_stay() {
    let stage = Stage::set();
    let trigger = stage.trigger(&stage.url, &stage.key_id);
    stage.set_mode(Mode::OwnKey);
    let first = stage.home.run(&stage.command(&["--trigger", &trigger]));
    let fingerprint = first.err.split_whitespace().last().unwrap().to_owned();
    assert!(fingerprint.starts_with("sha256:") && fingerprint.len() == 71, "{first:#?}");
    let args = stage.command(&["--trigger", &trigger, "--accept-server", &fingerprint, "--json"]);
    for opening in 1..=8 {
        stage.home.run(&args).success();
        let knows = stage.between.lock().unwrap().knows.clone().unwrap();
        assert_eq!(stage.stored(&stage.key_id), data_encoding::HEXLOWER.encode(knows.expose()), "{opening}");
        assert_eq!(stage.stored(&format!("{}-old", stage.key_id)), stage.secret, "{opening}: the original stays");
    }
    stage.between.lock().unwrap().requests = 0;
    let ninth =
        stage.home.json_of_failure(&args.iter().map(String::as_str).filter(|it| *it != "--json").collect::<Vec<_>>());
    assert!(text(&ninth, "error").contains("keeps 8 replaced keys"), "{ninth}");
    assert_eq!(stage.between.lock().unwrap().requests, 0, "nothing was sent");
    assert_eq!(stage.stored(&format!("{}-old", stage.key_id)), stage.secret);

    let old = stage.home.run(&["token", "accepted", &format!("{}-old", stage.key_id)]);
    assert!(old.code == Some(1) && old.err.contains("nothing was removed"), "{old:#?}");
    let gone = stage.home.json(&["token", "accepted", &stage.key_id]);
    assert_eq!(gone["removed"].as_array().unwrap().len(), 8, "{gone}");
    assert_eq!(stage.home.json(&["token", "list"])["items"].as_array().unwrap().len(), 1);
}

/// `script` provides a terminal.
fn at_terminal(stage: &Stage, args: &[String], typed: &str) -> (bool, String) {
    let quoted = args.iter().map(|arg| format!("'{arg}'")).collect::<Vec<_>>().join(" ");
    let command = format!("'{}' {quoted}", env!("CARGO_BIN_EXE_dskpp"));
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .env("DSKPP_STORE_KEY_FILE", stage.home.path("store.key"))
        .env("HOME", stage.home.path(""))
        .env_remove("XDG_DATA_HOME")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script (util-linux) is needed for this test");
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn p29_on_a_terminal_the_question_shows_both_urls_or_fingerprints() {
    let stage = Stage::set();
    stage.set_mode(Mode::OwnKey);
    let own = stage.trigger(&stage.url, &stage.key_id);
    for typed in ["\n", "y\n", "no\n"] {
        let (done, said) = at_terminal(&stage, &stage.command(&["--trigger", &own]), typed);
        assert!(!done && said.contains("Type yes") && said.matches("sha256:").count() >= 3, "{typed:?}: {said}");
        stage.is_untouched(typed);
    }
    let (done, said) = at_terminal(&stage, &stage.command(&["--trigger", &own, "--json"]), "yes\n");
    assert!(!done && !said.contains("Type yes"), "{said}");
    stage.is_untouched("--json is never asked");

    let other = stage.url.replace("127.0.0.1", "localhost");
    let code = stage.code(&["--renews", &stage.key_id]);
    let elsewhere = stage.command(&[&other, "--code", &code, "--renew", &stage.key_id]);
    stage.set_mode(Mode::Relay);
    let (done, said) = at_terminal(&stage, &elsewhere, "no\n");
    assert!(!done && said.contains(&stage.url) && said.contains(&other), "{said}");
    assert_eq!(stage.between.lock().unwrap().requests, 0);

    stage.set_mode(Mode::OwnKey);
    let (done, said) = at_terminal(&stage, &stage.command(&["--trigger", &own]), "yes\n");
    assert!(done && said.contains("renewed"), "{said}");
    assert_eq!(stage.stored(&format!("{}-old", stage.key_id)), stage.secret);
}
