//! Peers that send HTTP slowly, incorrectly or in floods.

use std::time::{Duration, Instant};

use dskpp::algorithm::KeyType;
use dskpp::client::FourPass;
use dskpp::status::Status;
use dskpp_crypto::SystemRandom;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{MEDIA_TYPE, Server, read, with_code};

const HEAD: &str = "POST /dskpp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/dskpp+xml\r\n";

fn hello(server: &Server) -> Vec<u8> {
    let code = with_code("FFFFFFFF", "0123456789ABCDEF");
    FourPass::start(server.offer(&code, KeyType::Totp), &mut SystemRandom).0
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.running.address()).await.unwrap()
}

/// Everything that the server sends until it closes the connection.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut said = Vec::new();
    let read = stream.read_to_end(&mut said);
    _ = timeout(Duration::from_secs(10), read).await.expect("the connection is closed");
    String::from_utf8_lossy(&said).into_owned()
}

/// The status lines of the answers.
fn statuses(said: &str) -> Vec<&str> {
    said.split("HTTP/1.1 ").skip(1).map(|response| &response[..3]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_pipelined_and_chunked_requests_are_answered_in_order() {
    let server = Server::start().await;
    let mut stream = connect(&server).await;
    let hello = hello(&server);
    let mut octets = Vec::new();
    for _ in 0..3 {
        octets.extend(format!("{HEAD}Content-Length: {}\r\n\r\n", hello.len()).into_bytes());
        octets.extend(&hello);
    }
    octets.extend(b"GET /dskpp HTTP/1.1\r\nHost: localhost\r\n\r\n");
    octets.extend(format!("{HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes());
    for part in hello.chunks(100) {
        octets.extend(format!("{:x}\r\n", part.len()).into_bytes());
        octets.extend(part);
        octets.extend(b"\r\n");
    }
    octets.extend(b"0\r\n\r\n");
    stream.write_all(&octets).await.unwrap();
    let said = until_closed(stream).await;
    assert_eq!(statuses(&said), ["200", "200", "200", "405", "200"], "{said}");
    assert_eq!(said.matches("Status=\"Continue\"").count(), 4);
    assert_eq!(said.matches(MEDIA_TYPE).count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn p25_a_chunked_body_without_end_is_cut_off() {
    let server = Server::start().await;
    let mut stream = connect(&server).await;
    stream.write_all(format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await.unwrap();
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    for _ in 0..1000 {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            break; // the server has closed it
        }
    }
    // A reset may discard the answer: it only matters that the server stopped reading.
    let said = until_closed(stream).await;
    assert!(said.is_empty() || statuses(&said) == ["413"], "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_http_is_refused_and_closed() {
    let server = Server::start().await;
    for (request, status) in [
        ("nonsense\r\n\r\n".to_owned(), "400"),
        (format!("{HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345"), "400"),
        (format!("{HEAD}Content-Length: -1\r\n\r\n"), "400"),
        (format!("{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked, gzip\r\n\r\n12345"), "400"),
        (format!("{HEAD}X: {}\r\n\r\n", "y".repeat(100_000)), "431"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), ""),
    ] {
        let mut stream = connect(&server).await;
        _ = stream.write_all(request.as_bytes()).await;
        let said = until_closed(stream).await;
        let first = statuses(&said).first().copied().unwrap_or_default();
        assert!(first == status || said.is_empty(), "{:?} → {said}", &request[..request.len().min(60)]);
    }
    assert_eq!(server.post(hello(&server)).await.status(), 200, "the server goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_peers_are_disconnected_and_delay_nobody() {
    let server = Server::start_with(|config| {
        config.limits.header_timeout_s = 1;
        config.limits.body_timeout_s = 1;
        config.limits.max_connections = 40;
    })
    .await;
    let begun = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..60 {
        silent.push(connect(&server).await); // above the limit per address
    }
    let mut slow_headers = connect(&server).await;
    _ = slow_headers.write_all(HEAD.as_bytes()).await;
    // Idle connections eventually lose their places.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut slow_body = connect(&server).await;
    slow_body.write_all(format!("{HEAD}Content-Length: 1000\r\n\r\n<a").as_bytes()).await.unwrap();
    assert_eq!(server.post(hello(&server)).await.status(), 200);
    for stream in silent {
        until_closed(stream).await;
    }
    until_closed(slow_headers).await;
    assert_eq!(statuses(&until_closed(slow_body).await), ["408"]);
    assert!(begun.elapsed() < Duration::from_secs(9));
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_runs_beyond_the_queue_get_429_and_lose_nothing() {
    let server = Server::start_with(|config| {
        config.limits.crypto_threads = 1;
        config.limits.crypto_queue = 1;
    })
    .await;
    let mut requests = Vec::new();
    for _ in 0..8 {
        let enrolment = server.enrolment("totp", json!({})).await;
        requests.push(server.until_nonce(server.offer(&enrolment, KeyType::Totp)).await.0);
    }
    let sent = requests.iter().map(|request| server.post(request.clone()));
    let mut again = Vec::new();
    for (response, request) in futures_util::future::join_all(sent).await.into_iter().zip(&requests) {
        match response.status().as_u16() {
            200 => {}
            429 => {
                assert!(response.headers().contains_key("retry-after"));
                again.push(request.clone());
            }
            other => panic!("{other}"),
        }
    }
    assert!(!again.is_empty(), "one runs, one waits, eight came");
    for request in again {
        assert_eq!(read(&server.exchange(request).await), (Status::Success, false));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_is_503_and_loses_nothing() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let (request, state) = server.until_nonce(server.offer(&enrolment, KeyType::Totp)).await;
    let lock = server.database().lock();
    assert_eq!(server.post(request.clone()).await.status(), 503);
    assert_eq!(server.post(hello(&server)).await.status(), 200, "nothing is written for it");
    drop(lock);
    state.receive(&server.exchange(request).await).expect("the code is still good");
}
