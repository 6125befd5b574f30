//! Tokens of the admin API that strangers have thought up.

use reqwest::{Client, header};
use serde_json::json;

use crate::support::Server;

/// Calls the admin API with each of some unknown tokens; gives the statuses.
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

/// Unknown ones are charged to their address before the database is asked; right ones, once, and never again.
#[tokio::test(flavor = "multi_thread")]
async fn calls_with_unknown_tokens_are_limited_by_address_and_right_ones_are_not() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 3;
    })
    .await;
    let new = json!({ "name": "another", "roles": ["read"] });
    let made = server.api("tokens", Some(new), 201).await;
    let another = made["token"].as_str().unwrap();
    assert_eq!(call(&server, &server.client, another).await, 200, "the second that is charged");

    let statuses = guess(&server, &server.client, 50).await;
    let looked_up = statuses.iter().filter(|status| **status == 401).count();
    assert!((1..20).contains(&looked_up) && statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    for _ in 0..20 {
        server.api("keys", None, 200).await;
        assert_eq!(call(&server, &server.client, another).await, 200, "the same address, with a right token");
    }
    assert_eq!(guess(&server, &server.client_at([127, 0, 0, 2]), 1).await, [401], "another address");

    server.delete(&format!("tokens/{}", made["id"].as_str().unwrap())).await;
    let mut statuses = Vec::new();
    for _ in 0..50 {
        statuses.push(call(&server, &server.client, another).await);
    }
    assert_eq!(statuses[0], 401, "it was taken back");
    assert!(statuses.contains(&429), "and is one of many: {statuses:?}");
}
