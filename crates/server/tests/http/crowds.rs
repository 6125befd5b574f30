//! A flood from one address, and others beside it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dskpp::algorithm::KeyType;
use dskpp::status::Status;
use reqwest::{Client, StatusCode, header};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::support::{MEDIA_TYPE, Server, read, with_code};

/// Runs of the crowd: the maximum that one address may have waiting.
const CROWD: usize = 16;

/// A server with one thread for PBKDF2, and the last requests of runs that keep it busy for a while: each with a code
/// of its own that is wrong, with about the most iterations that are allowed, and with a count of its own, because equal
/// ones would be derived at once.
async fn server_and_crowd() -> (Server, Vec<Vec<u8>>) {
    let server = Server::start_with(|config| {
        config.limits.crypto_threads = 1;
        config.limits.crypto_queue = 2 * CROWD;
        config.limits.crypto_wait_s = 60;
    })
    .await;
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let code = with_code(&format!("FFFFFF{number:02}"), "0123456789ABCDEF");
        let mut offer = server.offer(&code, KeyType::Totp);
        offer.iterations = 200_000 - number as u32;
        crowd.push(server.until_nonce(offer).await.0);
    }
    (server, crowd)
}

/// Sends everything at once from 127.0.0.1; counts the answers.
fn send(server: &Server, crowd: Vec<Vec<u8>>) -> (JoinSet<StatusCode>, Arc<AtomicUsize>) {
    let (mut sending, answered) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    for request in crowd {
        let (sent, answered) = (post(&server.client, server, request), Arc::clone(&answered));
        sending.spawn(async move {
            let status = sent.send().await.unwrap().status();
            answered.fetch_add(1, Ordering::SeqCst);
            status
        });
    }
    (sending, answered)
}

fn post(client: &Client, server: &Server, request: Vec<u8>) -> reqwest::RequestBuilder {
    client.post(server.url("/dskpp")).header(header::CONTENT_TYPE, MEDIA_TYPE).body(request)
}

fn from(address: &str) -> Client {
    Client::builder().local_address(address.parse::<IpAddr>().unwrap()).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_p27_a_flood_from_one_address_delays_no_other() {
    let (server, crowd) = server_and_crowd().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let (request, state) = server.until_nonce(server.offer(&enrolment, KeyType::Totp)).await;
    let link = server.enrolment("totp", json!({})).await["trigger_url"].as_str().unwrap().to_owned();
    let path = link[link.find("/enroll/").unwrap()..].to_owned();
    let (run, trigger) = (from("127.0.0.2"), from("127.0.0.3"));
    let (mut sending, answered) = send(&server, crowd);
    while answered.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await; // until the others wait
    }
    let trigger = trigger.get(server.url(&path)).header(header::ACCEPT, MEDIA_TYPE);
    let (answer, trigger) = tokio::join!(post(&run, &server, request).send(), trigger.send());
    let before = answered.load(Ordering::SeqCst);
    state.receive(&answer.unwrap().bytes().await.unwrap()).expect("the code is right");
    assert_eq!(trigger.unwrap().status(), 200);
    assert!(before < CROWD / 2, "{before} of {CROWD} were done before");
    while let Some(status) = sending.join_next().await {
        assert_eq!(status.unwrap(), 200, "each had its turn, and was refused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_a_run_whose_client_disconnects_before_its_turn_is_dropped_and_can_be_repeated() {
    let (server, crowd) = server_and_crowd().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let (request, state) = server.until_nonce(server.offer(&enrolment, KeyType::Totp)).await;
    let (mut sending, answered) = send(&server, crowd);
    while answered.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let mut stream = TcpStream::connect(server.running.address()).await.unwrap();
    let head = format!(
        "POST /dskpp HTTP/1.1\r\nHost: localhost\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {}\r\n\r\n",
        request.len()
    );
    stream.write_all(&[head.as_bytes(), &request].concat()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await; // until it waits behind the crowd
    drop(stream);
    // Jobs of one address and writes of the store run in order: this run ends after the dropped one's place.
    let next = server.run(server.offer(&server.enrolment("totp", json!({})).await, KeyType::Totp)).await;
    next.expect("the code is right");
    while let Some(status) = sending.join_next().await {
        assert_eq!(status.unwrap(), 200, "all of the crowd went before");
    }
    let id = enrolment["id"].as_str().unwrap();
    let now = server.api(&format!("enrolments/{id}"), None, 200).await;
    assert_eq!(now["state"], "open", "it was not done");
    let answer = server.exchange(request).await;
    assert_eq!(read(&answer), (Status::Success, false));
    state.receive(&answer).expect("the code is right");
}
