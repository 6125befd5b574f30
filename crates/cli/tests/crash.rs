//! `kill -9` at any moment: no acknowledged key is lost, and no code is spent without a key.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use dskpp::client::{AwaitingServerFinished, Credential, FourPass, K, RunConfig};
use dskpp_client::DEFAULT_KEY_TYPES;
use dskpp_client::transport::{Transport, TransportOptions};
use dskpp_crypto::{RsaPublicKey, SystemRandom};
use reqwest::Method;
use serde_json::{Value, json};
use support::{Home, Moments, Server, text};

const KILLS: usize = 20;
const RUNS: usize = 12;
const FIRST_STARTS: usize = 10;

/// An enrolment, and the state of its run at the client.
struct Case {
    enrolment: Value,
    end: End,
}

enum End {
    /// No ClientNonce was sent.
    Early,
    /// ClientNonce was sent, but not answered: the request, and the state that awaits the answer.
    Unknown(Vec<u8>, Box<AwaitingServerFinished>),
    /// Success was verified: the key's id and secret.
    Acknowledged(String, String),
}

/// Runs as far as possible with this server.
async fn run(transport: Transport, url: String, code: String) -> End {
    let offer = RunConfig::new(&*url, Credential::Code(code.parse().unwrap()), DEFAULT_KEY_TYPES.to_vec());
    let (hello, state) = FourPass::start(offer, &mut SystemRandom);
    let Ok(answer) = transport.post(&url, &hello).await else { return End::Early };
    let state = state.receive(&answer).expect("what comes from a dying server is whole or nothing");
    let rsa = state.encryption_key().rsa_key_value.as_ref().expect("K_SERVER");
    let k = K::Server(RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent).unwrap());
    let proceed = tokio::task::spawn_blocking(move || state.proceed(k, &mut SystemRandom));
    let (nonce, state) = proceed.await.unwrap().unwrap();
    match transport.post(&url, &nonce).await {
        Ok(answer) => acknowledged(state, &answer),
        Err(_) => End::Unknown(nonce, Box::new(state)),
    }
}

fn acknowledged(state: AwaitingServerFinished, answer: &[u8]) -> End {
    let provisioned = state.receive(answer).expect("an answer is Success: every code is right");
    End::Acknowledged(provisioned.key_id, HEXLOWER.encode(provisioned.keys.k_token.expose()))
}

fn transport(server: &Server) -> Transport {
    Transport::new(&TransportOptions::trusting(Some(server.ca.clone()))).unwrap()
}

fn prepare(server: &Server) -> Vec<Value> {
    let body = json!({ "user": "crash", "key_type": "totp" });
    (0..RUNS).map(|_| server.api(Method::POST, "/enrolments", Some(&body))).collect()
}

/// Starts all runs at once; kills the server after `kill_after`, if given, and waits for the runs.
fn load(
    clients: &tokio::runtime::Runtime,
    server: Server,
    enrolments: Vec<Value>,
    kill_after: Option<Duration>,
) -> (Vec<Case>, Option<Server>) {
    let (transport, url) = (transport(&server), server.url());
    let runs: Vec<_> = enrolments
        .into_iter()
        .map(|enrolment| {
            let code = text(&enrolment, "authentication_code");
            (enrolment, clients.spawn(run(transport.clone(), url.clone(), code)))
        })
        .collect();
    let server = match kill_after {
        Some(moment) => {
            std::thread::sleep(moment);
            server.kill();
            None
        }
        None => Some(server),
    };
    let cases = runs.into_iter().map(|(enrolment, run)| Case { enrolment, end: clients.block_on(run).unwrap() });
    (cases.collect(), server)
}

/// The enrolment at the server: its state, and its key, which must exist if the code is used.
fn found(server: &Server, case: &Case) -> Option<(String, String)> {
    let path = format!("/enrolments/{}", text(&case.enrolment, "id"));
    let enrolment = server.api(Method::GET, &path, None);
    if enrolment["state"] == "open" {
        assert!(enrolment["key_id"].is_null(), "a key of an open enrolment: {enrolment}");
        return None;
    }
    assert_eq!(enrolment["state"], "active", "{enrolment}");
    let key_id = text(&enrolment, "key_id");
    let key = server.api(Method::GET, &format!("/keys/{key_id}"), None);
    assert_eq!(key["enrolment"], case.enrolment["id"], "a code was spent without a key");
    let secret = server.secret(&key_id);
    Some((key_id, secret))
}

/// Checks a case after a restart; the client finds out an unknown outcome as a real one would.
fn settle(clients: &tokio::runtime::Runtime, server: &Server, case: &mut Case, resend: bool) {
    let before = found(server, case);
    let (transport, url) = (transport(server), server.url());
    let end = std::mem::replace(&mut case.end, End::Early);
    case.end = match (end, &before) {
        (End::Acknowledged(key_id, secret), _) => {
            let same = before.as_ref() == Some(&(key_id.clone(), secret.clone()));
            assert!(same, "an acknowledged key is lost or another one: {}", case.enrolment);
            End::Acknowledged(key_id, secret)
        }
        (End::Early, Some(_)) => panic!("a code is spent without ClientNonce: {}", case.enrolment),
        // A retransmission gets its answer, whether the server had committed the run or not.
        (End::Unknown(nonce, state), _) if before.is_some() || resend => {
            acknowledged(*state, &clients.block_on(transport.post(&url, &nonce)).unwrap())
        }
        // Or the user types the code again, which is still valid.
        _ => clients.block_on(run(transport, url, text(&case.enrolment, "authentication_code"))),
    };
    let End::Acknowledged(key_id, secret) = &case.end else { panic!("no key for an open code: {}", case.enrolment) };
    assert_eq!(found(server, case), Some((key_id.clone(), secret.clone())));
}

#[test]
fn no_acknowledged_key_is_lost_and_no_code_is_spent_without_a_key() {
    let begun = Instant::now();
    let mut moments = Moments::new();
    let mut home = Home::new();
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut server = Server::start(&mut home);
    let port = server.port;

    // A round without kill measures how long the load takes on this machine; kills happen within that time.
    let enrolments = prepare(&server);
    let undisturbed = Instant::now();
    let (mut cases, alive) = load(&clients, server, enrolments, None);
    let whole = undisturbed.elapsed();
    server = alive.unwrap();
    assert!(cases.iter().all(|case| matches!(case.end, End::Acknowledged(..))), "{}", server.log());

    let (mut early, mut unknown_open, mut unknown_spent, mut acknowledged) = (0, 0, 0, 0);
    for round in 0..KILLS {
        let enrolments = prepare(&server);
        let (mut ended, _) = load(&clients, server, enrolments, Some(moments.within(whole)));
        server = Server::start_on(&home, port);
        for (i, case) in ended.iter_mut().enumerate() {
            match (&case.end, found(&server, case)) {
                (End::Early, _) => early += 1,
                (End::Unknown(..), None) => unknown_open += 1,
                (End::Unknown(..), Some(_)) => unknown_spent += 1,
                (End::Acknowledged(..), _) => acknowledged += 1,
            }
            settle(&clients, &server, case, (round + i) % 2 == 0);
        }
        cases.append(&mut ended);
    }

    // No kill affected earlier rounds: exactly the keys of every round exist.
    for case in &cases {
        let End::Acknowledged(key_id, secret) = &case.end else { panic!("{}", case.enrolment) };
        assert_eq!(found(&server, case), Some((key_id.clone(), secret.clone())));
    }
    let (mut keys, mut after) = (0, String::new());
    loop {
        let page = server.api(Method::GET, &format!("/keys?user=crash{after}"), None);
        keys += page["items"].as_array().unwrap().len();
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(keys, cases.len(), "one key for one code");
    println!(
        "{KILLS} kills within {whole:?} of load, {} runs: {acknowledged} were acknowledged before the kill; \
         {early} had not sent ClientNonce; of those that waited for the answer {unknown_spent} were committed \
         and {unknown_open} were not; {} keys, all accounted for, in {:?}",
        KILLS * RUNS,
        cases.len(),
        begun.elapsed()
    );
}

#[test]
fn a_killed_first_start_is_repaired_by_the_next() {
    let mut moments = Moments::new();
    let mut home = Home::new();
    let undisturbed = Instant::now();
    Server::start(&mut home).kill();
    let whole = undisturbed.elapsed();
    for _ in 0..FIRST_STARTS {
        let mut home = Home::new();
        let moment = moments.within(whole);
        home.spawn_and_kill(&["serve", "--listen", "127.0.0.1:0"], moment);
        let left: Vec<_> = std::fs::read_dir(home.path("dskpp-data")).into_iter().flatten().flatten().collect();
        let left: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
        println!("killed after {moment:?} of {whole:?}, left {left:?}");
        let server = Server::start(&mut home);
        let enrolment = server.api(Method::POST, "/enrolments", Some(&json!({ "user": "a", "key_type": "totp" })));
        assert_eq!(server.state(&enrolment), "open");
    }
}
