//! Several servers on one PostgreSQL database. They need `DSKPP_TEST_POSTGRES`, which `.ci/postgres` sets.

use std::path::Path;

use dskpp::algorithm::KeyType;
use dskpp::status::Status;
use dskpp_server::{Error, Running, serve};
use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Server, config, install_crypto, options, read};

/// How many requests come at once.
const AT_ONCE: usize = 32;
/// How often; `DSKPP_FLEET_ROUNDS` says otherwise.
const ROUNDS: usize = 5;

/// A folder for a server on the database of another one's folder.
fn folder_beside(first: &Path) -> TempDir {
    let folder = TempDir::new().unwrap();
    for file in ["database-url", "kek"] {
        std::fs::copy(first.join(file), folder.path().join(file)).unwrap();
    }
    folder
}

async fn start(folder: &TempDir) -> Result<Running, Error> {
    install_crypto();
    let mut config = config(folder);
    config.server.public_urls = vec!["http://fleet.example/dskpp".into()];
    serve(config.clone(), options(&config)).await
}

/// Three servers, whose first starts were at the same time.
async fn fleet() -> Vec<Server> {
    let first = TempDir::new().unwrap();
    config(&first); // creates the empty database
    let second = folder_beside(first.path());
    let third = folder_beside(first.path());
    let folders = [first, second, third];
    let running: Vec<_> = join_all(folders.iter().map(start)).await.into_iter().map(Result::unwrap).collect();
    let tokens = running.iter().filter_map(|running| std::fs::read_to_string(running.admin_token_file()).ok());
    let tokens: Vec<_> = tokens.collect();
    assert_eq!(tokens.len(), 1, "one of them makes the first token");
    for running in &running {
        assert_eq!(running.has_admin_token(), running.admin_token_file().exists(), "and says where it is");
    }
    let servers = folders.into_iter().zip(running);
    servers.map(|(folder, running)| Server::of(folder, running, &tokens[0])).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --test http -- --include-ignored"]
async fn each_pass_of_a_run_may_go_to_a_different_server() {
    let servers = fleet().await;
    for turn in 0..3 {
        let [a, b, c] = [0, 1, 2].map(|number| &servers[(turn + number) % 3]);
        let enrolment = a.enrolment("hotp", json!({})).await;
        let (request, state) = b.until_nonce(b.offer(&enrolment, KeyType::Hotp)).await;
        let answer = c.exchange(request.clone()).await;
        assert_eq!(a.exchange(request).await, answer, "a retransmission gets the same answer everywhere");
        let key = state.receive(&answer).unwrap();
        assert_eq!(key.keys.k_token, b.secret_of(&key.key_id).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --test http -- --include-ignored"]
async fn one_code_and_one_password_count_once_on_all_servers_together() {
    let servers = fleet().await;
    let rounds = std::env::var("DSKPP_FLEET_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let user = format!("user {round}");
        let enrolment = servers[0].enrolment("hotp", json!({ "user": user })).await;
        let mut begun = Vec::new();
        for number in 0..AT_ONCE {
            let server = &servers[number % 3];
            begun.push(server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await);
        }
        let send = |(number, (request, state)): (usize, (Vec<u8>, _))| {
            let server = &servers[(number + 1) % 3];
            async move {
                let response = server.post(request).await;
                let answer = (response.status() == 200).then_some(response.bytes().await.unwrap());
                (answer.filter(|answer| read(answer).0 == Status::Success), state)
            }
        };
        let answers = join_all(begun.into_iter().enumerate().map(send)).await;
        let made = answers.into_iter().filter_map(|(answer, state)| Some((answer?, state)));
        let mut made: Vec<_> = made.collect();
        assert_eq!(made.len(), 1, "one key of one code; others are refused, or told to try again");
        let (answer, state) = made.remove(0);
        let key = state.receive(&answer).unwrap();
        let keys = servers[1].api(&format!("keys?user={}", user.replace(' ', "%20")), None, 200).await;
        assert_eq!(keys["items"].as_array().unwrap().len(), 1, "{keys}");

        let hotp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX };
        let body = json!({ "key_id": key.key_id, "otp": hotp.code(&key.keys.k_token, 0).to_string() });
        let tries = (0..AT_ONCE).map(|number| servers[number % 3].validate(body.clone()));
        let valid = join_all(tries).await.into_iter().filter(|valid| *valid).count();
        assert_eq!(valid, 1, "one password counts once");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --test http -- --include-ignored"]
async fn a_server_with_another_key_encryption_key_is_refused() {
    let servers = fleet().await;
    let folder = folder_beside(servers[0].folder.path());
    std::fs::write(folder.path().join("kek"), "a5".repeat(32)).unwrap();
    let why = start(&folder).await.map(drop).unwrap_err().to_string();
    assert!(why.contains("wrong key-encryption key"), "{why}");
}

/// The K_SERVER that new runs of a server take.
async fn k_server_of(server: &Server, enrolment: &serde_json::Value) -> Vec<u8> {
    let choice = server.hello(server.offer(enrolment, KeyType::Hotp)).await.unwrap();
    choice.encryption_key().rsa_key_value.as_ref().unwrap().modulus.clone()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --test http -- --include-ignored"]
async fn a_new_k_server_is_taken_everywhere_and_sessions_finish_with_theirs() {
    let servers = fleet().await;
    let [a, b, c] = [0, 1, 2].map(|number| &servers[number]);
    let users = ["before add", "after add", "after retire"].map(|user| json!({ "user": user }));
    let mut enrolments = Vec::new();
    for user in users {
        enrolments.push(a.enrolment("hotp", user).await);
    }
    let old = a.api("k-servers", None, 200).await["items"][0]["id"].as_str().unwrap().to_owned();
    let old_key = k_server_of(a, &enrolments[0]).await;
    assert_eq!(k_server_of(b, &enrolments[0]).await, old_key, "all servers have the same");
    let before_add = b.until_nonce(b.offer(&enrolments[0], KeyType::Hotp)).await;

    a.api("k-servers", Some(json!({})), 201).await;
    let new_key = k_server_of(a, &enrolments[1]).await;
    assert_ne!(new_key, old_key, "new runs take the new one at once where it was added");
    let after_add = a.until_nonce(a.offer(&enrolments[1], KeyType::Hotp)).await;
    // Servers that have not looked yet finish it all the same.
    let (request, state) = after_add;
    state.receive(&c.exchange(request).await).unwrap();
    let (request, state) = before_add;
    state.receive(&a.exchange(request).await).unwrap();

    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while k_server_of(b, &enrolments[2]).await != new_key {
        assert!(std::time::Instant::now() < until, "the others take it up within seconds");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    // The new one is given up again: what was begun with it finishes, on every server.
    let new = b.api("k-servers", None, 200).await["items"][0]["id"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    let before_retire = b.until_nonce(b.offer(&enrolments[2], KeyType::Hotp)).await;
    c.delete(&format!("k-servers/{new}")).await;
    assert_eq!(k_server_of(c, &enrolments[2]).await, old_key);
    let (request, state) = before_retire;
    state.receive(&c.exchange(request).await).unwrap();
    let last = c.api("k-servers", None, 200).await;
    assert_eq!((&last["items"][0]["state"], &last["items"][1]["state"]), (&json!("retired"), &json!("current")));
}
