//! Idle connections do not block others; proxies name their clients.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use dskpp::algorithm::KeyType;
use dskpp_server::Config;
use dskpp_server::config::{Network, ProxyHeader};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{MEDIA_TYPE, Server};

/// A connection from one of many addresses of this machine.
async fn connect(server: &Server, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap(); // fills quickly
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0))).unwrap();
    socket.connect(server.running.address()).await.unwrap()
}

/// Whether the server closes a connection within a few seconds.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.is_ok()
}

/// Sends a request; returns the status.
async fn status(stream: &mut TcpStream, head: &str) -> u16 {
    stream.write_all(format!("{head}\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default()
}

/// An enrolment, a health check and an admin call succeed promptly.
async fn all_is_well(server: &Server) {
    let soon = Duration::from_secs(5);
    let well = async {
        let enrolment = server.enrolment("hotp", json!({})).await;
        server.run(server.offer(&enrolment, KeyType::Hotp)).await.expect("a key");
        let health = server.client.get(server.url("/healthz")).send().await.unwrap();
        assert_eq!(health.status(), 200);
        server.api("keys", None, 200).await;
    };
    tokio::time::timeout(soon, well).await.expect("in time");
}

fn few(config: &mut Config) {
    config.limits.max_connections = 64;
    config.limits.max_connections_per_address = 16;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_from_eight_addresses_do_not_block_others() {
    for http in [true, false] {
        let server = Server::start_with(|config| {
            few(config);
            config.server.http = http;
        })
        .await;
        let mut slow = Vec::new();
        for n in 0..8 * 16 {
            let mut stream = connect(&server, 2 + n % 8).await;
            _ = stream
                .write_all(if http { b"GET /healthz HTTP/1.1\r\nX-Slow: " } else { b"\x16\x03\x01\x02\x00\x01" })
                .await;
            slow.push(stream);
        }
        if http {
            all_is_well(&server).await;
        } else {
            let ca =
                reqwest::Certificate::from_pem(&std::fs::read(server.running.ca_file().unwrap()).unwrap()).unwrap();
            let client =
                reqwest::Client::builder().tls_certs_only([ca]).timeout(Duration::from_secs(5)).build().unwrap();
            let url = format!("https://localhost:{}/healthz", server.running.address().port());
            assert_eq!(client.get(url).send().await.unwrap().status(), 200);
        }
        assert!(is_closed(&mut slow[0]).await, "the oldest went first");
        let newest = slow.last_mut().unwrap();
        _ = newest.write_all(b"x").await;
        assert!(
            tokio::time::timeout(Duration::from_millis(200), newest.read_u8()).await.is_err(),
            "the newest is there"
        );
    }
}

/// Sends requests without reading answers, until the server stops reading or closes the connection.
async fn never_read(stream: &mut TcpStream) {
    let many = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1000);
    let some_time = Duration::from_millis(300);
    while tokio::time::timeout(some_time, stream.write_all(&many)).await.is_ok_and(|done| done.is_ok()) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_never_read_their_answers_do_not_block_others() {
    let server = Server::start_with(few).await;
    let mut deaf = tokio::task::JoinSet::new();
    for n in 0..8 * 16 {
        let mut stream = connect(&server, 2 + n % 8).await;
        deaf.spawn(async move {
            never_read(&mut stream).await;
            stream
        });
    }
    let deaf = deaf.join_all().await;
    all_is_well(&server).await;
    drop(deaf);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_has_a_deadline_from_its_first_octet_and_an_idle_connection_another() {
    let server = Server::start_with(|config| {
        config.limits.header_timeout_s = 1;
        config.limits.request_timeout_s = 2;
        config.limits.body_timeout_s = 300;
    })
    .await;
    let start = Instant::now();
    let mut idle = connect(&server, 1).await;
    let mut headers = connect(&server, 1).await;
    let mut body = connect(&server, 1).await;
    headers.write_all(b"GET / HT").await.unwrap();
    let head = format!("POST /dskpp HTTP/1.1\r\nHost: a\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: 9\r\n\r\n<");
    body.write_all(head.as_bytes()).await.unwrap();
    assert!(is_closed(&mut idle).await && is_closed(&mut headers).await);
    let of_headers = start.elapsed();
    assert!(is_closed(&mut body).await);
    assert!(of_headers >= Duration::from_secs(1) && start.elapsed() >= Duration::from_secs(2), "not before its time");
}

/// Each request has its own deadline; the idle time between two requests is separate.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lives_as_long_as_its_requests_come() {
    let server = Server::start_with(|config| {
        config.limits.header_timeout_s = 4;
        config.limits.request_timeout_s = 2;
        config.limits.body_timeout_s = 300;
    })
    .await;
    let mut stream = connect(&server, 1).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(2500)).await; // longer than a request may take
        stream.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        stream.write_all(b"Host: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"ok\n") {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed");
        }
    }
    let head = format!("POST /dskpp HTTP/1.1\r\nHost: a\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: 9\r\n\r\n<");
    stream.write_all(head.as_bytes()).await.unwrap();
    assert!(is_closed(&mut stream).await, "a later request also has a deadline");
}

/// A server that trusts proxies at 127.0.0.1.
async fn behind(header: ProxyHeader) -> Server {
    Server::start_with(|config| {
        config.proxy.header = header;
        config.proxy.trusted = vec![Network::try_from("127.0.0.1".to_owned()).unwrap()];
        // One request, then one per second.
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 1;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_each_client_has_its_own_limits() {
    for (header, lines) in [
        (ProxyHeader::XForwardedFor, ["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 198.51.100.2"]),
        (ProxyHeader::Forwarded, ["Forwarded: for=198.51.100.1", "Forwarded: for=198.51.100.2"]),
    ] {
        let server = behind(header).await;
        let ask = async |from: u8, line: &str| {
            status(&mut connect(&server, from).await, &format!("GET /enroll/nothing HTTP/1.1\r\n{line}")).await
        };
        assert_eq!(ask(1, lines[0]).await, 404);
        assert!(is_limited(async || ask(1, lines[0]).await).await, "the same client again");
        assert_eq!(ask(1, lines[1]).await, 404, "another client of the same proxy");
        assert_eq!(ask(9, lines[1]).await, 404, "a peer that is not a proxy counts for itself");
        let lie = "X-Forwarded-For: 198.51.100.77\r\nForwarded: for=198.51.100.77";
        assert!(is_limited(async || ask(9, lie).await).await, "whatever it says");
        let bad = lines[0].replace("198.51.100.1", "unknown");
        assert_eq!(ask(1, &bad).await, 400, "a proxy's header must be valid");
        assert_eq!(ask(1, "X-Nothing: 1").await, 404, "the proxy's own request");
    }
}

/// Whether one of many concurrent requests gets 429.
async fn is_limited(ask: impl AsyncFn() -> u16) -> bool {
    for _ in 0..20 {
        if ask().await == 429 {
            return true;
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_v2_comes_before_everything_else() {
    let server = behind(ProxyHeader::ProxyV2).await;
    let header = |client: u8| {
        let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
        header.extend([198, 51, 100, client, 127, 0, 0, 1, 0x12, 0x67, 1, 187]);
        header
    };
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".to_vec();
    let ask = async |from: u8, announcement: Vec<u8>| {
        let mut stream = connect(&server, from).await;
        stream.write_all(&announcement).await.unwrap();
        status(&mut stream, "GET /enroll/nothing HTTP/1.1").await
    };
    assert_eq!(ask(1, header(1)).await, 404);
    assert!(is_limited(async || ask(1, header(1)).await).await, "the same client again");
    assert_eq!(ask(1, header(2)).await, 404, "another client of the same proxy");
    assert_eq!(ask(1, local).await, 404, "the proxy itself");
    assert_eq!(ask(9, Vec::new()).await, 404, "not a proxy");
    assert_eq!(ask(9, header(3)).await, 400, "and its header is not HTTP");
    let mut silent = connect(&server, 1).await;
    silent.write_all(b"GET /enroll/nothing HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(is_closed(&mut silent).await, "a proxy must announce its client");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_v2_comes_before_tls_and_a_proxys_connections_are_limited_by_client() {
    let server = Server::start_with(|config| {
        config.server.http = false;
        config.proxy.header = ProxyHeader::ProxyV2;
        config.proxy.trusted = vec![Network::try_from("127.0.0.0/8".to_owned()).unwrap()];
        config.limits.max_connections_per_address = 2;
    })
    .await;
    let ca = std::fs::read(server.running.ca_file().unwrap()).unwrap();
    let address = server.running.address();
    let many = tokio::task::spawn_blocking(move || {
        let mut open = Vec::new();
        for client in [1, 2, 3, 1, 1] {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c").unwrap();
            stream.write_all(&[198, 51, 100, client, 127, 0, 0, 1, 0x12, 0x67, 1, 187]).unwrap();
            let mut tls = tls_client(&ca);
            while tls.is_handshaking() {
                tls.complete_io(&mut stream).unwrap();
            }
            open.push((tls, stream));
        }
        let answers = open.into_iter().map(|(mut tls, mut stream)| {
            let mut tls = rustls::Stream::new(&mut tls, &mut stream);
            _ = tls.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
            let mut answer = String::new();
            _ = tls.read_to_string(&mut answer);
            answer.starts_with("HTTP/1.1 200 OK")
        });
        answers.collect::<Vec<_>>()
    });
    assert_eq!(many.await.unwrap(), [false, true, true, true, true], "the oldest of the client with three went");
}

fn tls_client(ca: &[u8]) -> rustls::ClientConnection {
    use rustls_pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pki_types::CertificateDer::from_pem_slice(ca).unwrap()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    rustls::ClientConnection::new(config.into(), "localhost".try_into().unwrap()).unwrap()
}
