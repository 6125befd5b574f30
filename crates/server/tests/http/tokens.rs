//! Guessed tokens of the admin API.

use reqwest::{Client, header};
use serde_json::json;

use crate::support::Server;

/// Calls the admin API with a number of unknown tokens; returns the statuses.
async fn guess(server: &Server, client: &Client, tries: u32) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in 0..tries {
        statuses.push(call(server, client, &format!("unknown {number}")).await);
    }
    statuses
}

async fn call(server: &Server, client: &Client, token: &str) -> u16 {
    let answer = client.get(server.url("/api/v1/keys")).bearer_auth(token).send().await.unwrap();
    let later = answer.headers().contains_key(header::RETRY_AFTER);
    assert_eq!(later, answer.status() == 429, "{answer:?}");
    answer.status().as_u16()
}

/// Unknown tokens count against their address before the database lookup; valid ones count once.
#[tokio::test(flavor = "multi_thread")]
async fn calls_with_unknown_tokens_are_limited_per_address_and_valid_ones_are_not() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 3;
    })
    .await;
    let new = json!({ "name": "another", "roles": ["read"] });
    let made = server.api("tokens", Some(new), 201).await;
    let another = made["token"].as_str().unwrap();
    assert_eq!(call(&server, &server.client, another).await, 200, "the second that counts");

    let statuses = guess(&server, &server.client, 50).await;
    let looked_up = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..20).contains(&looked_up) && statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    for _ in 0..20 {
        server.api("keys", None, 200).await;
        assert_eq!(call(&server, &server.client, another).await, 200, "the same address, with a valid token");
    }
    assert_eq!(guess(&server, &server.client_at([127, 0, 0, 2]), 1).await, [401], "another address");

    server.delete(&format!("tokens/{}", made["id"].as_str().unwrap())).await;
    let mut statuses = Vec::new();
    for _ in 0..50 {
        statuses.push(call(&server, &server.client, another).await);
    }
    assert_eq!(statuses[0], 401, "deleted");
    assert!(statuses.contains(&429), "and is one of many: {statuses:?}");
}
