//! Startup, restart, TLS and shutdown.

use std::path::Path;
use std::time::Duration;

use dskpp::algorithm::KeyType;
use dskpp_server::{Config, Error, ServerOptions, serve};
use reqwest::{Certificate, Client};
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Server, config, install_crypto, k_of, options};

fn https(config: &mut Config) {
    config.server.http = false;
}

/// A client that trusts only that CA.
fn trusting(ca: &Path) -> Client {
    let ca = Certificate::from_pem(&std::fs::read(ca).unwrap()).unwrap();
    Client::builder().tls_certs_only([ca]).pool_max_idle_per_host(0).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_creates_what_clients_need() {
    let server = Server::start_with(https).await;
    let data = server.folder.path().join("data");
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("admin-token"), 0o600);
    assert_eq!(mode("kek"), 0o600);
    assert_eq!(mode(""), 0o700);
    assert_eq!(server.running.ca_file(), Some(&*data.join("tls/ca.pem")));
    let port = server.running.address().port();
    let expected = ["localhost", "127.0.0.1"].map(|host| format!("https://{host}:{port}/dskpp"));
    assert_eq!(server.running.url_s(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_2_and_1_3_with_both_names_and_nothing_in_the_clear() {
    let server = Server::start_with(https).await;
    let port = server.running.address().port();
    let ca = Certificate::from_pem(&std::fs::read(server.running.ca_file().unwrap()).unwrap()).unwrap();
    for version in [reqwest::tls::Version::TLS_1_2, reqwest::tls::Version::TLS_1_3] {
        let client = Client::builder().tls_certs_only([ca.clone()]).min_tls_version(version).max_tls_version(version);
        let client = client.build().unwrap();
        for host in ["localhost", "127.0.0.1"] {
            let response = client.get(format!("https://{host}:{port}/readyz")).send().await.unwrap();
            assert_eq!(response.status(), 200, "{host} {version:?}");
            assert_eq!(response.version(), reqwest::Version::HTTP_11);
        }
    }
    let untrusting = Client::builder().tls_certs_only([]).build().unwrap();
    assert!(untrusting.get(format!("https://localhost:{port}/readyz")).send().await.is_err());
    assert!(server.client.get(format!("http://localhost:{port}/readyz")).send().await.is_err());
}

/// A ClientHello of TLS 1.2 that offers these cipher suites, and what the server answers: the type of its first record.
fn answered_by_tls(port: u16, suites: &[u16]) -> u8 {
    use std::io::{Read as _, Write as _};
    let sized = |octets: &[u8]| [&(octets.len() as u16).to_be_bytes()[..], octets].concat();
    let suites: Vec<u8> = suites.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    let groups = [&[0x00, 0x0A][..], &sized(&sized(&[0x00, 0x17, 0x00, 0x1D]))].concat();
    let signatures = [&[0x00, 0x0D][..], &sized(&sized(&[0x04, 0x03, 0x08, 0x04, 0x04, 0x01]))].concat();
    let extended_master_secret = [0x00, 0x17, 0x00, 0x00];
    let extensions = [&groups[..], &signatures, &extended_master_secret].concat();
    let hello = [&[3, 3][..], &[7; 32], &[0], &sized(&suites), &[1, 0], &sized(&extensions)].concat();
    let handshake = [&[1, 0][..], &sized(&hello)].concat();
    let record = [&[22, 3, 1][..], &sized(&handshake)].concat();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(&record).unwrap();
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    first[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_1_no_cipher_suite_with_anonymous_key_exchange_is_accepted() {
    const ALERT: u8 = 21;
    const HANDSHAKE: u8 = 22;
    let server = Server::start_with(https).await;
    let port = server.running.address().port();
    let ask = |suites: Vec<u16>| tokio::task::spawn_blocking(move || answered_by_tls(port, &suites));
    let (ecdsa, rsa) = (0xC02B, 0xC02F);
    assert_eq!(ask(vec![ecdsa, rsa]).await.unwrap(), HANDSHAKE, "suites with certificates are accepted");
    // Every suite of the registry with DH_anon or ECDH_anon.
    let anonymous = [
        0x17, 0x18, 0x19, 0x1A, 0x1B, 0x34, 0x3A, 0x46, 0x6C, 0x6D, 0x89, 0x9B, 0xA6, 0xA7, 0xBF, 0xC5, 0xC015, 0xC016,
        0xC017, 0xC018, 0xC019, 0xC046, 0xC047, 0xC05A, 0xC05B, 0xC084, 0xC085,
    ];
    assert_eq!(ask(anonymous.to_vec()).await.unwrap(), ALERT);
    for suite in anonymous {
        assert_eq!(ask(vec![suite]).await.unwrap(), ALERT, "{suite:#06x}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_certificates_are_reloaded_and_invalid_ones_are_not() {
    // Two certificates, from the CAs of two servers.
    let (first, second) = (Server::start_with(https).await, Server::start_with(https).await);
    let folder = TempDir::new().unwrap();
    let files = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
    let put = |from: &Server| {
        for file in &files {
            let source = from.folder.path().join("data/tls").join(file.file_name().unwrap());
            std::fs::copy(source, file).unwrap();
        }
    };
    put(&first);
    let [certificate, key] = files.clone();
    let server = Server::start_with(|config| {
        https(config);
        config.tls = dskpp_server::config::TlsSection { certificate, key, reload_s: 1 };
    })
    .await;
    assert_eq!(server.running.ca_file(), None);
    let url = format!("https://localhost:{}/healthz", server.running.address().port());
    let (old, new) = (trusting(first.running.ca_file().unwrap()), trusting(second.running.ca_file().unwrap()));
    assert!(old.get(&url).send().await.is_ok() && new.get(&url).send().await.is_err());

    std::fs::write(&files[0], "-----BEGIN CERTIFICATE-----\nbroken").unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(old.get(&url).send().await.is_ok(), "the old one stays in use");

    put(&second);
    for _ in 0..50 {
        if new.get(&url).send().await.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(new.get(&url).send().await.is_ok() && old.get(&url).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_and_its_answer_survive_a_restart() {
    let folder = TempDir::new().unwrap();
    let mut config = config(&folder);
    let server = Server::start_in(folder, config.clone()).await;
    // The restarted server must have the same URL_S.
    config.server.listen = server.running.address();
    let enrolment = server.enrolment("hotp", json!({})).await;
    let choice = server.hello(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
    let k = k_of(&choice);
    let (request, state) = choice.proceed(k, &mut dskpp_crypto::SystemRandom).unwrap();
    let server = restart(server, config.clone()).await;
    let answer = server.exchange(request.clone()).await;
    let server = restart(server, config).await;
    assert_eq!(server.exchange(request).await, answer);
    let got = state.receive(&answer).unwrap();
    assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await);
}

async fn restart(server: Server, config: Config) -> Server {
    let Server { folder, running, client, .. } = server;
    drop(client); // shutdown would wait for its idle connections
    running.shutdown();
    running.wait().await.unwrap();
    Server::start_in(folder, config).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_running_requests_and_accepts_no_new_ones() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (request, state) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
    let sent = server.client.post(server.url("/dskpp")).header("content-type", crate::support::MEDIA_TYPE);
    let answered = tokio::spawn(sent.body(request).send());
    tokio::time::sleep(Duration::from_millis(5)).await;
    server.running.shutdown();
    let body = answered.await.unwrap().unwrap().bytes().await.unwrap();
    state.receive(&body).expect("a complete answer");
    let address = server.running.address();
    server.running.wait().await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness() {
    let server = Server::start().await;
    for path in ["/healthz", "/readyz"] {
        let response = server.client.get(server.url(path)).send().await.unwrap();
        assert_eq!((response.status().as_u16(), response.text().await.unwrap()), (200, "ok\n".into()), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_start_reports_the_reason() {
    install_crypto();
    let folder = TempDir::new().unwrap();
    let first = Server::start().await;
    let mut taken = config(&folder);
    taken.server.listen = first.running.address();
    let error = serve(taken.clone(), options(&taken)).await.unwrap_err();
    assert!(matches!(error, Error::Listen { .. }), "{error}");
    assert!(error.to_string().contains("server.listen"), "{error}");

    let mut bad = config(&folder);
    bad.server.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(serve(bad.clone(), ServerOptions::default()).await, Err(Error::Config(_))));
    bad.server.http = false;
    bad.server.public_urls = vec!["https://keys.example.com/dskpp".into()];
    let bench = ServerOptions { iteration_floor_for_bench: Some(1), ..options(&bad) };
    let error = serve(bad, bench).await.unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");

    let mut keyless = config(&folder);
    keyless.k_server.key = folder.path().join("k.pem");
    std::fs::write(&keyless.k_server.key, "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n").unwrap();
    let error = serve(keyless.clone(), options(&keyless)).await.unwrap_err();
    assert!(error.to_string().contains("k.pem") && error.to_string().contains("2048"), "{error}");
}
