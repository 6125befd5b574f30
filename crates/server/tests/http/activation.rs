//! `POST /activate`: a key that waits for its first one-time password gets it from its client (RFC 6063 §10.5).

use dskpp::algorithm::KeyType;
use dskpp_otp::{Digits, Hotp};
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::Server;

async fn post(server: &Server, body: &Value) -> (u16, Value) {
    let response = server.client.post(server.url("/activate")).json(body).send().await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_5_the_client_activates_its_key_and_strangers_learn_nothing() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({"activate": "on-otp"})).await;
    let run = server.run(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
    let otp = Hotp { digits: Digits::SIX }.code(&run.keys.k_token, 0).to_string();
    let mac = run.prf.derive(run.keys.k_mac.expose(), &[b"OTP activation", otp.as_bytes()], 16).unwrap();
    let mac = data_encoding::HEXLOWER.encode(mac.expose());
    let body = |key_id: &str, otp: &str, mac: &str| json!({"key_id": key_id, "otp": otp, "mac": mac});
    let state = async || server.api(&format!("keys/{}", run.key_id), None, 200).await["state"].clone();
    assert_eq!(state().await, "provisioned");
    let refused = (200, json!({"active": false}));
    for _ in 0..20 {
        assert_eq!(post(&server, &body(&run.key_id, &otp, &"0".repeat(32))).await, refused);
        assert_eq!(post(&server, &body("no such key", &otp, &mac)).await, refused);
        assert_eq!(post(&server, &body(&run.key_id, "000000", &mac)).await, refused);
    }
    assert_eq!(state().await, "provisioned");
    assert_eq!(
        post(&server, &body(&run.key_id, &otp, &mac.to_uppercase())).await,
        (200, json!({"active": true, "used": true}))
    );
    assert_eq!(state().await, "active");
    assert_eq!(post(&server, &body(&run.key_id, &otp, &mac)).await, (200, json!({"active": true})), "asked again");
    assert!(!server.validate(json!({"key_id": run.key_id, "otp": otp})).await, "it is used");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bodies_and_methods_are_refused_with_a_reason() {
    let server = Server::start().await;
    let good = json!({"key_id": "k", "otp": "1", "mac": "00".repeat(16)});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    for (body, status) in [
        (good.clone(), 200),
        (with("mac", json!("00")), 422),
        (with("mac", json!("x".repeat(32))), 422),
        (with("otp", json!("1".repeat(257))), 422),
        (with("key_id", json!("k".repeat(257))), 422),
        (with("key_id", json!("k".repeat(5000))), 413),
        (with("otp", json!(1)), 422),
        (with("user", json!("alice")), 422),
        (json!({}), 422),
    ] {
        assert_eq!(post(&server, &body).await.0, status, "{body}");
    }
    let of_form = server.client.post(server.url("/activate")).body("key_id=k").send().await.unwrap();
    assert_eq!(of_form.status(), 415);
    let got = server.client.request(Method::GET, server.url("/activate")).send().await.unwrap();
    assert_eq!(got.status(), 405);
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
