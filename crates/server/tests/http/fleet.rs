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
    for round in 0..5 {
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
