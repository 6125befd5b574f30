//! `POST /renew`: the owner of a key asks by its client for a renewal.

use dskpp::algorithm::KeyType;
use dskpp_otp::{Digits, Hotp};
use reqwest::header;
use serde_json::{Value, json};

use crate::support::Server;

async fn post(server: &Server, body: &Value) -> (u16, Value) {
    let response = server.client.post(server.url("/renew")).json(body).send().await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_a_key_gets_a_renewal_link_and_every_refusal_is_the_same() {
    let server = Server::start_with(|config| config.portal.owners_renew = true).await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let run = server.run(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
    let body = |key_id: &str, otp: &str| {
        let mac = run.prf.derive(run.keys.k_mac.expose(), &[b"Renewal request", otp.as_bytes()], 16).unwrap();
        json!({"key_id": key_id, "otp": otp, "mac": data_encoding::HEXLOWER.encode(mac.expose())})
    };
    let otp = |counter| Hotp { digits: Digits::SIX }.code(&run.keys.k_token, counter).to_string();
    let refused = post(&server, &body("no such key", &otp(0))).await;
    assert_eq!(refused.0, 409);
    let mut wrong = body(&run.key_id, &otp(0));
    wrong["mac"] = json!("0".repeat(32));
    assert_eq!(post(&server, &wrong).await, refused);
    assert_eq!(post(&server, &body(&run.key_id, "000000")).await, refused);

    let (status, answer) = post(&server, &body(&run.key_id, &otp(0))).await;
    assert_eq!(status, 201, "{answer}");
    assert_eq!(post(&server, &body(&run.key_id, &otp(0))).await, refused, "replayed");
    let link = answer["trigger_url"].as_str().unwrap();
    let trigger = server.client.get(link).header(header::ACCEPT, "application/dskpp+xml").send().await.unwrap();
    assert_eq!(trigger.status(), 200);
    assert!(trigger.text().await.unwrap().contains("KeyID>"), "it names the key");
    assert!(answer["expires_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(post(&server, &body(&run.key_id, &otp(1))).await.0, 201);
    let old = server.client.get(link).header(header::ACCEPT, "application/dskpp+xml").send().await.unwrap();
    assert_eq!(old.status(), 410, "the newer link has replaced it");
    assert_eq!(post(&server, &json!({"key_id": "k", "otp": "1", "mac": "00"})).await.0, 422);
    let got = server.client.get(server.url("/renew")).send().await.unwrap();
    assert_eq!(got.status(), 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn by_default_only_the_issuer_renews() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let run = server.run(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
    let otp = Hotp { digits: Digits::SIX }.code(&run.keys.k_token, 0).to_string();
    let mac = run.prf.derive(run.keys.k_mac.expose(), &[b"Renewal request", otp.as_bytes()], 16).unwrap();
    let mac = data_encoding::HEXLOWER.encode(mac.expose());
    let body = |key_id: &str| json!({"key_id": key_id, "otp": otp, "mac": mac});
    let refused = post(&server, &body(&run.key_id)).await;
    assert_eq!(refused.0, 409);
    assert_eq!(post(&server, &body("no such key")).await, refused);
    assert!(server.validate(json!({"key_id": run.key_id, "otp": otp})).await, "the password was not used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_its_rate() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 1;
    })
    .await;
    let body = json!({"key_id": "k", "otp": "1", "mac": "00".repeat(16)});
    let mut last = post(&server, &body).await.0;
    for _ in 0..3 {
        last = post(&server, &body).await.0;
    }
    assert_eq!(last, 429);
}
