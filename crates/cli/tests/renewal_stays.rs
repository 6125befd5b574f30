//! Renewals without a question: the server has rotated K_SERVER, or has several URLs (profile P29).

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use dskpp_crypto::RsaPrivateKey;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use support::{Home, Server, shown, text};

fn home() -> Home {
    let mut home = Home::new();
    home.set("DSKPP_STORE_KEY_FILE", &shown(&home.path("store.key"))); // no slow key derivation
    home
}

fn create(home: &Home, more: &[&str]) -> Value {
    home.json(&[&["admin", "enrolment", "create", "--user", "ann", "--key-type", "totp"][..], more].concat())
}

/// Gets the key of a new enrolment by four-pass, without anyone to ask.
fn enroll(home: &Home, server: &Server, more: &[&str], options: &[&str]) -> support::Done {
    let code = text(&create(home, more), "authentication_code");
    let (url, ca) = (server.url(), shown(&server.ca));
    home.run(
        &[&["enroll", &url, "--code", &code, "--ca", &ca, "--variant", "four-pass", "--json"][..], options].concat(),
    )
}

/// Restarts the server with a new K_SERVER.
fn roll_over(home: &mut Home, server: Server, name: &str) -> (Server, RsaPrivateKey) {
    let key = RsaPrivateKey::generate(2048).unwrap();
    let pem = data_encoding::BASE64.encode(key.to_pkcs8_der().expose());
    let file = home.write(name, format!("-----BEGIN PRIVATE KEY-----\n{pem}\n-----END PRIVATE KEY-----\n"));
    home.set("DSKPP_K_SERVER_KEY", &shown(&file));
    let port = server.port;
    server.kill();
    (Server::start_on(home, port), key)
}

fn server_key(home: &Home, key_id: &str) -> String {
    text(&home.json(&["token", "export", key_id]), "server_key")
}

#[test]
fn p29_a_rotation_of_k_server_needs_no_question_while_the_issuer_stays() {
    let mut home = home();
    let server = Server::start(&mut home);
    let anchored = ["--k-server-ca".to_owned(), shown(&server.ca)];
    let anchored: Vec<_> = anchored.iter().map(String::as_str).collect();
    let key_id = text(&enroll(&home, &server, &[], &anchored).success().json(), "key_id");
    let first = server_key(&home, &key_id);
    assert!(server.log().contains(&format!("K_SERVER has the fingerprint {first}")), "{}", server.log());

    let (server, _) = roll_over(&mut home, server, "second.pem");
    let renewal = ["--renews", &key_id];
    enroll(&home, &server, &renewal, &["--renew", &key_id]).success();
    let second = server_key(&home, &key_id);
    assert!(second != first && server.log().contains(&second));
    enroll(&home, &server, &[], &[]).success(); // another key of the known server

    // TLS now uses configured files, which are unrelated to the private CA.
    for (name, variable) in [("cert.pem", "DSKPP_TLS_CERTIFICATE"), ("key.pem", "DSKPP_TLS_KEY")] {
        let file = home.write(name, std::fs::read(home.path("dskpp-data/tls").join(name)).unwrap());
        home.set(variable, &shown(&file));
    }
    let (server, _) = roll_over(&mut home, server, "third.pem");
    enroll(&home, &server, &renewal, &["--renew", &key_id]).success();
    enroll(&home, &server, &renewal, &[&["--renew", &key_id], &anchored[..]].concat()).success();
    let third = server_key(&home, &key_id);
    assert!(third != second);

    // A certificate of another CA vouches for nothing.
    let (server, key) = roll_over(&mut home, server, "fourth.pem");
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let pkcs8 = PrivatePkcs8KeyDer::from(key.to_pkcs8_der().expose());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_RSA_SHA256).unwrap();
    let leaf = CertificateParams::new(vec!["k-server.example".to_owned()]).unwrap().signed_by(&pair, &ca).unwrap();
    home.set("DSKPP_K_SERVER_CERTIFICATE", &shown(&home.write("chain.pem", leaf.pem() + &ca.pem())));
    let port = server.port;
    server.kill();
    let server = Server::start_on(&home, port);
    let refused = enroll(&home, &server, &renewal, &["--renew", &key_id]);
    assert!(refused.code == Some(1) && refused.err.contains(&third), "{refused:#?}");
    assert_eq!(server_key(&home, &key_id), third);
    let fingerprint = refused.err.split_whitespace().last().unwrap().to_owned();
    assert!(server.log().contains(&format!("K_SERVER has the fingerprint {fingerprint}")));
    enroll(&home, &server, &renewal, &["--renew", &key_id, "--accept-server", &fingerprint]).success();
    assert_eq!(server_key(&home, &key_id), fingerprint);
}

#[test]
fn p29_a_key_is_renewed_by_triggers_at_the_stored_url() {
    let mut home = home();
    let server = Server::start(&mut home);
    let ca = shown(&server.ca);
    let url = server.url().replace("localhost", "127.0.0.1"); // the server's second URL
    let code = text(&create(&home, &[]), "authentication_code");
    let key_id = text(&home.json(&["enroll", &url, "--code", &code, "--ca", &ca]), "key_id");
    for variant in ["four-pass", "two-pass"] {
        let method = if variant == "two-pass" { &["--method", "transport"][..] } else { &[] };
        let trigger = text(&create(&home, &["--renews", &key_id, "--variant", variant]), "trigger_url");
        let done = home.json(&[&["enroll", "--trigger", &trigger, "--ca", &ca][..], method].concat());
        assert_eq!(done["replaced"], true, "{variant}");
        assert_eq!(text(&home.json(&["token", "export", &key_id]), "server_url"), url);
        assert!(server_key(&home, &key_id).starts_with("sha256:"), "two-pass leaves K_SERVER as it was");
    }
}

/// Answers every request with a 308 to this URL, with the certificate of the server in `home`.
fn answer_308(home: &Home, listener: TcpListener, to: String) {
    let tls = home.path("dskpp-data/tls");
    let chain: Vec<_> = CertificateDer::pem_file_iter(tls.join("cert.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config.clone()).unwrap(), stream);
            let mut octets = [0; 4096];
            let mut asked = Vec::new();
            // Every request is XML: it ends with the end tag of its root.
            while !asked.ends_with(b"Hello>") && !asked.ends_with(b"Nonce>") {
                match stream.read(&mut octets) {
                    Ok(len @ 1..) => asked.extend_from_slice(&octets[..len]),
                    _ => break,
                }
            }
            let head = format!("HTTP/1.1 308 Permanent Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n");
            let _ = write!(stream, "{head}Connection: close\r\n\r\n");
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
}

#[test]
fn p29_p30_keys_of_a_retired_url_that_answers_308_are_renewed_while_it_stays_configured() {
    let mut home = home();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let retired = format!("https://localhost:{}/dskpp", listener.local_addr().unwrap().port());
    home.set("DSKPP_SERVER_PUBLIC_URLS", &retired);
    let mut server = Server::start(&mut home);
    let (port, ca, url) = (server.port, shown(&server.ca), server.url());
    answer_308(&home, listener, url.clone());
    let code = text(&create(&home, &[]), "authentication_code");
    let key_id = text(&home.json(&["enroll", &retired, "--code", &code, "--ca", &ca]), "key_id");
    for (urls, is_renewed) in [(format!("{url},{retired}"), true), (url.clone(), false)] {
        home.set("DSKPP_SERVER_PUBLIC_URLS", &urls);
        server.kill();
        server = Server::start_on(&home, port);
        let before = home.json(&["token", "export", &key_id]);
        assert_eq!(text(&before, "server_url"), retired, "URL_S stays the one that the client began with");
        let code = text(&create(&home, &["--renews", &key_id]), "authentication_code");
        let renew = ["enroll", &retired, "--code", &code, "--renew", &key_id, "--ca", &ca, "--variant", "four-pass"];
        let done = home.run(&renew);
        assert_eq!(done.code, Some(if is_renewed { 0 } else { 1 }), "{urls}: {done:?}");
        let after = home.json(&["token", "export", &key_id]);
        assert_eq!(after["secret_hex"] != before["secret_hex"], is_renewed, "{urls}");
    }
}

#[test]
fn p29_k_server_is_rolled_over_while_the_server_runs_and_nobody_is_asked() {
    let mut home = home();
    let server = Server::start(&mut home);
    let key_id = text(&enroll(&home, &server, &[], &[]).success().json(), "key_id");
    let first = server_key(&home, &key_id);
    let old = text(&home.json(&["admin", "k-server", "list"])["items"][0], "id");
    let refused = home.run(&["admin", "k-server", "retire", &old]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(refused.err.contains("the last K_SERVER in use"), "{refused:#?}");

    let added = home.json(&["admin", "k-server", "add"]);
    assert_eq!(text(&added, "state"), "current");
    home.run(&["admin", "k-server", "retire", &old]).success();
    let listed = home.run(&["admin", "k-server", "list"]).success();
    assert!(listed.out.contains("current") && listed.out.contains("retired"), "{listed:#?}");

    // Nobody can answer: the command reads no terminal.
    let renewed = enroll(&home, &server, &["--renews", &key_id], &["--renew", &key_id]).success();
    assert_eq!(text(&renewed.json(), "key_id"), key_id);
    assert_ne!(server_key(&home, &key_id), first, "by the new K_SERVER");
    let another = enroll(&home, &server, &[], &[]).success();
    assert_ne!(text(&another.json(), "key_id"), key_id, "and a further enrolment");
}
