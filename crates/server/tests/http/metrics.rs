//! `GET /metrics`: every counter moves by exactly what was done, and nothing that strangers send makes a series.

use std::collections::BTreeMap;

use dskpp::algorithm::KeyType;
use dskpp::client::{ClientProtection, TwoPass};
use dskpp_crypto::SystemRandom;
use dskpp_server::Config;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::{Server, with_code};

/// Series and their values.
pub(crate) type Series = BTreeMap<String, f64>;

fn with_metrics(config: &mut Config) {
    config.metrics.listen = Some("127.0.0.1:0".parse().unwrap());
}

async fn get(server: &Server, path: &str) -> reqwest::Response {
    let address = server.running.metrics_address().unwrap();
    reqwest::get(format!("http://{address}{path}")).await.unwrap()
}

/// The whole text.
pub(crate) async fn exposition(server: &Server) -> String {
    let response = get(server, "/metrics").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain; version=0.0.4");
    response.text().await.unwrap()
}

fn series(text: &str) -> Series {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    lines.map(parse).collect()
}

/// The counters of events that have moved, but for those of the database, which the server also uses for itself.
fn moved(before: &Series, after: &Series) -> BTreeMap<String, f64> {
    let is_counter = |name: &str| {
        let name = name.split('{').next().unwrap();
        name.ends_with("_total") && !name.ends_with("_seconds_total")
    };
    let is_told =
        |name: &&String| name.starts_with("dskpp_") && !name.starts_with("dskpp_database") && is_counter(name);
    let by = |name: &String| after[name] - before.get(name).copied().unwrap_or_default();
    after.keys().filter(is_told).map(|name| (name.clone(), by(name))).filter(|(_, by)| *by != 0.0).collect()
}

/// What is done in a case.
#[derive(Clone, Copy, Debug)]
enum Deed {
    FourPass,
    TwoPass,
    WrongCode,
    UnknownClient,
    UsedCode,
    SameRequestTwice,
    Unreadable,
    NotDskpp,
    RightPassword,
    SamePassword,
    WrongPassword,
    UnknownPath,
    WrongToken,
}

const CASES: &[(Deed, &[(&str, f64)])] = &[
    (
        Deed::FourPass,
        &[
            (r#"dskpp_kdf_derivations_total"#, 1.0),
            (r#"dskpp_runs_begun_total"#, 1.0),
            (r#"dskpp_runs_total{method="none",result="provisioned",variant="four-pass"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 2.0),
        ],
    ),
    (
        Deed::TwoPass,
        &[
            (r#"dskpp_kdf_derivations_total"#, 1.0),
            (r#"dskpp_runs_total{method="passphrase-wrap",result="provisioned",variant="two-pass"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 1.0),
        ],
    ),
    (
        Deed::WrongCode,
        &[
            (r#"dskpp_kdf_derivations_total"#, 1.0),
            (r#"dskpp_runs_begun_total"#, 1.0),
            (r#"dskpp_runs_total{method="none",result="refused",variant="four-pass"}"#, 1.0),
            (r#"dskpp_refusals_total{reason="wrong-code"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 2.0),
        ],
    ),
    (
        Deed::UnknownClient,
        &[
            (r#"dskpp_kdf_derivations_total"#, 1.0),
            (r#"dskpp_runs_begun_total"#, 1.0),
            (r#"dskpp_runs_total{method="none",result="refused",variant="four-pass"}"#, 1.0),
            (r#"dskpp_refusals_total{reason="unknown-client-id"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 2.0),
        ],
    ),
    (
        Deed::UsedCode,
        &[
            (r#"dskpp_kdf_derivations_total"#, 1.0),
            (r#"dskpp_runs_begun_total"#, 1.0),
            (r#"dskpp_runs_total{method="none",result="refused",variant="four-pass"}"#, 1.0),
            (r#"dskpp_refusals_total{reason="used"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 2.0),
        ],
    ),
    (
        Deed::SameRequestTwice,
        &[
            (r#"dskpp_kdf_derivations_total"#, 1.0),
            (r#"dskpp_runs_begun_total"#, 1.0),
            (r#"dskpp_runs_total{method="none",result="provisioned",variant="four-pass"}"#, 1.0),
            (r#"dskpp_runs_total{method="none",result="repeated",variant="four-pass"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 3.0),
        ],
    ),
    (
        Deed::Unreadable,
        &[
            (r#"dskpp_runs_total{method="none",result="refused",variant="none"}"#, 1.0),
            (r#"dskpp_refusals_total{reason="unreadable"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="dskpp"}"#, 1.0),
        ],
    ),
    (Deed::NotDskpp, &[(r#"dskpp_http_responses_total{code="400",surface="dskpp"}"#, 1.0)]),
    (
        Deed::RightPassword,
        &[
            (r#"dskpp_validations_total{result="right",surface="api"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="api"}"#, 1.0),
        ],
    ),
    (
        Deed::SamePassword,
        &[
            (r#"dskpp_validations_total{result="again",surface="api"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="api"}"#, 1.0),
        ],
    ),
    (
        Deed::WrongPassword,
        &[
            (r#"dskpp_validations_total{result="wrong",surface="api"}"#, 1.0),
            (r#"dskpp_http_responses_total{code="200",surface="api"}"#, 1.0),
        ],
    ),
    (Deed::UnknownPath, &[(r#"dskpp_http_responses_total{code="404",surface="other"}"#, 1.0)]),
    (Deed::WrongToken, &[(r#"dskpp_http_responses_total{code="401",surface="api"}"#, 1.0)]),
];

/// The key of RFC 4226's appendix D, and its first password.
const SECRET: &[u8] = b"12345678901234567890";

async fn do_it(server: &Server, deed: Deed, enrolment: &Value) {
    let offer = |enrolment: &Value| server.offer(enrolment, KeyType::Hotp);
    let client_id = enrolment["client_id"].as_str().unwrap();
    let raw = |body: &str| server.post(body.as_bytes().to_vec());
    let shown = |otp: &str| json!({ "key_id": "hotp", "otp": otp });
    match deed {
        Deed::FourPass => drop(server.run(offer(enrolment)).await.unwrap()),
        Deed::TwoPass => {
            let with = vec![ClientProtection::Passphrase];
            let (request, state) = TwoPass::start(offer(enrolment), with, &mut SystemRandom).unwrap();
            state.receive(&server.exchange(request).await).unwrap();
        }
        Deed::WrongCode => _ = server.refused(offer(&with_code(client_id, "0123456789ABCDEF"))).await,
        Deed::UnknownClient => {
            _ = server.refused(offer(&with_code("EE11EE11EE11", "0123456789ABCDEF"))).await;
        }
        Deed::UsedCode => _ = server.refused(offer(enrolment)).await,
        Deed::SameRequestTwice => {
            let (request, _) = server.until_nonce(offer(enrolment)).await;
            assert_eq!(server.exchange(request.clone()).await, server.exchange(request).await);
        }
        Deed::Unreadable => {
            let hello = r#"<KeyProvClientHello xmlns="urn:ietf:params:xml:ns:keyprov:dskpp" Version="evil"/>"#;
            assert_eq!(raw(hello).await.status(), 200);
        }
        Deed::NotDskpp => assert_eq!(raw("<evil/>").await.status(), 400),
        Deed::RightPassword => assert!(server.validate(shown("755224")).await),
        Deed::SamePassword => assert!(!server.validate(shown("755224")).await),
        Deed::WrongPassword => assert!(!server.validate(shown("000000")).await),
        Deed::UnknownPath => assert_eq!(reqwest::get(server.url("/evil")).await.unwrap().status(), 404),
        Deed::WrongToken => {
            let request = server.client.get(server.url("/api/v1/keys")).bearer_auth("evil");
            assert_eq!(request.send().await.unwrap().status(), 401);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_move_by_exactly_what_was_done() {
    let server = Server::start_with(with_metrics).await;
    server.import("hotp", SECRET).await;
    server.api("keys/hotp/user", Some(json!({ "user": "bob" })), 200).await;
    let used = server.enrolment("hotp", json!({})).await;
    server.run(server.offer(&used, KeyType::Hotp)).await.unwrap();
    for (deed, expected) in CASES {
        let enrolment = match deed {
            Deed::UsedCode => used.clone(),
            _ => server.enrolment("hotp", json!({})).await,
        };
        let before = series(&exposition(&server).await);
        do_it(&server, *deed, &enrolment).await;
        let after = exposition(&server).await;
        let expected: BTreeMap<_, _> = expected.iter().map(|(name, by)| ((*name).to_owned(), *by)).collect();
        assert_eq!(moved(&before, &series(&after)), expected, "{deed:?}");
        assert!(!after.contains("evil") && !after.contains("EE11"), "{after}");
    }
    let end = series(&exposition(&server).await);
    let runs = |stage: &str| end[&format!("dskpp_stage_duration_seconds_count{{stage=\"{stage}\"}}")];
    assert_eq!((runs("kdf"), runs("kdf_wait")), (7.0, 7.0), "one derivation each for the first one and six cases");
    assert_eq!(runs("commit"), 4.0, "keys that were made");
    assert_eq!(end["dskpp_kdf_threads_busy"], 0.0);
    assert_eq!(end["dskpp_kdf_derivations_total"], 7.0, "those of the same runs");
    assert_eq!(end["dskpp_kdf_cpu_seconds_total"] > 0.0, cfg!(target_os = "linux"));
    assert!(end["dskpp_database_transaction_writes_sum"] >= end["dskpp_database_transaction_writes_count"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_counted_by_kind() {
    let server = Server::start_with(|config| {
        with_metrics(config);
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 9;
    })
    .await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let wrong = with_code(enrolment["client_id"].as_str().unwrap(), "0123456789ABCDEF");
    for _ in 0..4 {
        server.refused(server.offer(&wrong, KeyType::Hotp)).await;
    }
    let before = series(&exposition(&server).await);
    let later = server.post(b"<x/>".to_vec()).await; // the ninth, or the tenth
    let mut refused = u32::from(later.status() == StatusCode::TOO_MANY_REQUESTS);
    for _ in 0..3 {
        refused += u32::from(server.post(b"<x/>".to_vec()).await.status() == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(refused > 0);
    let by = moved(&before, &series(&exposition(&server).await));
    assert_eq!(by[r#"dskpp_limit_refusals_total{limit="address_rate"}"#], f64::from(refused), "{by:?}");
    assert_eq!(by[r#"dskpp_http_responses_total{code="429",surface="dskpp"}"#], f64::from(refused), "{by:?}");

    // From another address, which its own wrong codes make wait.
    let elsewhere = server.client_at([127, 0, 0, 2]);
    for _ in 0..5 {
        let (request, _) = {
            let choice = dskpp::client::FourPass::start(server.offer(&wrong, KeyType::Hotp), &mut SystemRandom);
            let answer = server.post_by(&server.client_at([127, 0, 0, 3]), choice.0).await.bytes().await.unwrap();
            let choice = choice.1.receive(&answer).unwrap();
            let k = crate::support::k_of(&choice);
            choice.proceed(k, &mut SystemRandom).unwrap()
        };
        server.post_by(&elsewhere, request).await;
    }
    let end = series(&exposition(&server).await);
    assert_eq!(end[r#"dskpp_limit_refusals_total{limit="client_backoff"}"#], 1.0, "the fifth wrong code has to wait");
    assert_eq!(end[r#"dskpp_runs_total{method="none",result="later",variant="four-pass"}"#], 1.0);
}

/// Only `GET /metrics`, only there, and counts of what there is.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_listener_of_their_own_and_count_keys_and_enrolments() {
    let server = Server::start_with(with_metrics).await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    server.enrolment("totp", json!({})).await;
    server.enrolment("totp", json!({})).await;
    server.run(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
    server.database().execute("UPDATE enrolment SET expires_at = 5 WHERE key_type = 'totp'");
    server.enrolment("totp", json!({})).await;
    let now = series(&exposition(&server).await);
    for (series, expected) in [
        (r#"dskpp_keys{state="active"}"#, 1.0),
        (r#"dskpp_keys{state="revoked"}"#, 0.0),
        (r#"dskpp_enrolments{state="open"}"#, 1.0),
        (r#"dskpp_enrolments{state="expired"}"#, 2.0),
        (r#"dskpp_enrolments{state="active"}"#, 1.0),
        (r#"dskpp_enrolments{state="unreadable"}"#, 0.0),
    ] {
        assert_eq!(now[series], expected, "{series}: {now:?}");
    }
    assert_eq!(reqwest::get(server.url("/metrics")).await.unwrap().status(), 404, "not where clients are");
    for path in ["/", "/healthz", "/dskpp", "/api/v1/keys"] {
        assert_eq!(get(&server, path).await.status(), 404, "{path}");
    }
    let post = server.client.post(format!("http://{}/metrics", server.running.metrics_address().unwrap()));
    assert_eq!(post.send().await.unwrap().status(), 405);
    let hidden = Server::start().await;
    assert_eq!(hidden.running.metrics_address(), None, "off by default");
}
