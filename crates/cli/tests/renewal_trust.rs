//! A server that is not the key's own tries to replace it (profile P29). It relays the token's ClientHello to the real
//! server, whose answer has the right renewal MAC, and puts a K_SERVER of its own into it: then it knows the new key.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};

use dskpp::key_schedule;
use dskpp::message::{
    AuthenticationCodeMac, AuthenticationData, ClientNonce, Extensions, KeyPackage, Mac, PackageContent, Request,
    Response, ServerFinished, ServerFinishedBody, Trigger,
};
use dskpp::package::PackageSpec;
use dskpp::prf::Prf;
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_client::transport::{Transport, TransportOptions};
use dskpp_crypto::{RsaEncryption, RsaPrivateKey, Secret};
use pskc::KeyInfo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use support::{Home, Server, shown, text};

/// The attacker's K_SERVER.
static OWN: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(2048).unwrap());

/// What the server in between does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It passes everything on.
    Relay,
    /// It sends its own K_SERVER without certificate.
    OwnKey,
    /// The same with a certificate of an authority of its own.
    OwnCertificate,
    /// It sends its own K_SERVER, and no renewal MAC.
    NoMac,
    /// It sends its own K_SERVER, and a renewal MAC that is wrong.
    WrongMac,
}

/// A server between the token and the real one, with a TLS certificate that the token trusts.
struct Between {
    mode: Mode,
    requests: usize,
    hello: Vec<u8>,
    answer: Vec<u8>,
    /// The key that it knows, where it has made one.
    knows: Option<Secret>,
}

struct Stage {
    home: Home,
    server: Server,
    between: Arc<Mutex<Between>>,
    /// URL_S of the key: the address of the server in between, which is a public URL of the real one.
    url: String,
    key_id: String,
    secret: String,
}

impl Stage {
    /// A key that the real server has made; everything passes through the server in between.
    fn set() -> Self {
        let mut home = Home::new();
        home.set("DSKPP_STORE_KEY_FILE", &shown(&home.path("store.key"))); // no time goes into a passphrase
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("https://{address}/dskpp");
        home.set("DSKPP_SERVER_PUBLIC_URLS", &url);
        let server = Server::start(&mut home);
        let mode = Mode::Relay;
        let between = Between { mode, requests: 0, hello: Vec::new(), answer: Vec::new(), knows: None };
        let between = Arc::new(Mutex::new(between));
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

    /// The attacker's trigger: anybody can write one that names a key.
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

    /// Opens the attacker's trigger, with and without `--json`: the key stays, and so many requests were sent.
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

    /// The key is as it was, and nothing of a run is beside the store.
    fn is_untouched(&self, what: &str) {
        assert_eq!(self.stored(&self.key_id), self.secret, "{what}");
        let tokens = self.home.json(&["token", "list"]);
        assert!(tokens["items"].as_array().unwrap().iter().all(|token| token["old_of"].is_null()), "{what}: {tokens}");
        assert!(!self.home.path(".local/share/dskpp/tokens.db.run").exists(), "{what}: notes of a failed run stay");
    }
}

fn listen(listener: TcpListener, server: &Server, tls: &Path, between: Arc<Mutex<Between>>) {
    let chain: Vec<_> = CertificateDer::pem_file_iter(tls.join("cert.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(tls.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let options = TransportOptions { ca: Some(server.ca.clone()), ..TransportOptions::default() };
    let real = server.url();
    let address: SocketAddr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // A connection of its own each time: one that was kept may have been closed meanwhile.
        let pass_on = |body: &[u8]| runtime.block_on(Transport::new(&options).unwrap().post(&real, body)).unwrap();
        while let Ok((stream, _)) = listener.accept() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            let Some(body) = read_body(&mut stream) else { continue };
            let answer = between.lock().unwrap().receive(&body, &pass_on, address);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/dskpp+xml\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Length: {}\r\n\r\n", answer.len()).unwrap();
            stream.write_all(&answer).unwrap();
            stream.conn.send_close_notify();
            stream.flush().unwrap();
        }
    });
}

fn read_body(stream: &mut impl Read) -> Option<Vec<u8>> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1) => head.push(octet[0]),
            _ => return None,
        }
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).ok().map(|()| body)
}

impl Between {
    fn receive(&mut self, body: &[u8], pass_on: &dyn Fn(&[u8]) -> Vec<u8>, own: SocketAddr) -> Vec<u8> {
        self.requests += 1;
        if self.mode == Mode::Relay {
            return pass_on(body);
        }
        match Request::read(body).unwrap() {
            Request::ClientHello(mut hello) => {
                hello.authentication_data = None; // the attacker's own, which the real server does not know
                let Ok(Response::ServerHello(mut answer)) = Response::read(&pass_on(&hello.write())) else {
                    panic!("the real server answers with ServerHello");
                };
                let content = answer.body.as_mut().expect("the real server proves that it knows the key");
                let mac = content.mac.as_mut().expect("it sends a MAC");
                content.encryption_key = match self.mode {
                    Mode::OwnCertificate => KeyInfo::from_certificates(own_certificates()),
                    _ => KeyInfo::from_rsa(OWN.public().modulus(), OWN.public().exponent()),
                };
                match self.mode {
                    Mode::WrongMac => mac.value[0] ^= 1,
                    Mode::NoMac => content.mac = None,
                    _ => {}
                }
                (self.hello, self.answer) = (body.to_vec(), answer.write());
                self.answer.clone()
            }
            Request::ClientNonce(nonce) => self.finish(&nonce, body, own),
        }
    }

    /// Takes R_C with its own key, and confirms what it has derived.
    fn finish(&mut self, nonce: &ClientNonce, body: &[u8], own: SocketAddr) -> Vec<u8> {
        let Ok(Response::ServerHello(answer)) = Response::read(&self.answer) else { panic!("it is its own") };
        let Ok(Request::ClientHello(hello)) = Request::read(&self.hello) else { panic!("it was read before") };
        let content = answer.body.unwrap();
        let prf = Prf::of(&content.mac_algorithm).unwrap();
        let r_c = OWN.decrypt_oaep(RsaEncryption::OaepSha1, &nonce.encrypted_nonce).unwrap();
        let package = PackageSpec {
            server_id: format!("https://{own}"),
            key_id: String::from_utf8(hello.key_id.unwrap()).unwrap(),
            key_type: content.key_type,
            issuer: None,
            user_id: None,
            device: None,
            digits: Some(6),
            hash: None,
            suite: None,
            counter: None,
            period_s: Some(30),
        };
        let k = OWN.public().modulus();
        let keys = key_schedule::agree(prf, &r_c, k, &content.r_s, package.key_len().unwrap()).unwrap();
        let hash = key_schedule::message_hash(&[&self.hello, &self.answer, body]);
        let value = key_schedule::confirmation(prf, &keys.k_mac, &hash);
        self.knows = Some(keys.k_token);
        let body = ServerFinishedBody {
            key_package: KeyPackage {
                server_id: Some(package.server_id.clone()),
                key_protection_method: None,
                content: PackageContent::Pskc(Box::new(package.container())),
            },
            extensions: Extensions { client_info: None, server_info: None },
            mac: Mac { algorithm: Some(prf.algorithm()), value },
            authentication_data: None,
        };
        let session_id = Some(nonce.session_id.clone());
        ServerFinished { version: Version::V1_0, session_id, status: Status::Success, body: Some(body) }.write()
    }
}

/// A certificate of the attacker's K_SERVER, and the attacker's authority.
fn own_certificates() -> Vec<Vec<u8>> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let pkcs8 = PrivatePkcs8KeyDer::from(OWN.to_pkcs8_der().expose());
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_RSA_SHA256).unwrap();
    let leaf = CertificateParams::new(vec!["k-server.example".to_owned()]).unwrap().signed_by(&pair, &ca).unwrap();
    vec![leaf.der().to_vec(), ca.der().to_vec()]
}

#[test]
fn p29_a_hostile_server_does_not_replace_the_key_by_one_that_it_knows() {
    let stage = Stage::set();
    let (url, key_id) = (stage.url.clone(), stage.key_id.clone());
    let port = url.trim_start_matches("https://127.0.0.1:").trim_end_matches("/dskpp");

    // At the key's own URL, as somebody who has broken into the TLS channel.
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

    // A yes comes on top of the renewal MAC, never in its place.
    let own = stage.trigger(&url, &key_id);
    for mode in [Mode::NoMac, Mode::WrongMac] {
        stage.set_mode(mode);
        stage.refused(&format!("{mode:?}"), &own, &["--accept-server", &url], "did not prove", 1);
    }
    assert!(stage.between.lock().unwrap().knows.is_none(), "R_C was never sent");
}

#[test]
fn p29_a_key_without_a_server_and_runs_without_k_server_go_by_url_s() {
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
        stage.refused("no server is stored", &trigger, &[], "came from no server that is known", 0);
    }
}

#[test]
fn p29_what_a_person_accepts_is_done_and_the_replaced_keys_stay() {
    let stage = Stage::set();
    let trigger = stage.trigger(&stage.url, &stage.key_id);
    stage.set_mode(Mode::OwnKey);
    let first = stage.home.run(&stage.command(&["--trigger", &trigger]));
    let fingerprint = first.err.split("--accept-server ").nth(1).unwrap().trim().to_owned();
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
    assert!(text(&ninth, "error").contains("keeps 8 keys"), "{ninth}");
    assert_eq!(stage.between.lock().unwrap().requests, 0, "nothing was sent");
    assert_eq!(stage.stored(&format!("{}-old", stage.key_id)), stage.secret);

    let old = stage.home.run(&["token", "accepted", &format!("{}-old", stage.key_id)]);
    assert!(old.code == Some(1) && old.err.contains("nothing was removed"), "{old:#?}");
    let gone = stage.home.json(&["token", "accepted", &stage.key_id]);
    assert_eq!(gone["removed"].as_array().unwrap().len(), 8, "{gone}");
    assert_eq!(stage.home.json(&["token", "list"])["items"].as_array().unwrap().len(), 1);
}

/// `script` gives the program a terminal.
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
fn p29_at_a_terminal_a_person_is_asked_with_both_urls_or_fingerprints() {
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
