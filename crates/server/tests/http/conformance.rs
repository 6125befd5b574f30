//! What RFC 6063 §§3.2.4 and 7.2.6 ask of a server that listens.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use dskpp::algorithm::KeyType;
use dskpp::client::{Answered, ClientProtection, Either};
use dskpp::message::Trigger;
use dskpp_crypto::{RsaPrivateKey, SystemRandom};
use pskc::KeyInfo;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::{MEDIA_TYPE, Server, k_of};

fn trigger_path(enrolment: &Value) -> String {
    let url = enrolment["trigger_url"].as_str().unwrap();
    url[url.find("/enroll/").unwrap()..].to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_2_4_an_offer_of_both_variants_can_end_in_either() {
    let server = Server::start().await;
    let key = Arc::new(RsaPrivateKey::generate(2048).unwrap());
    let info = KeyInfo::from_rsa(key.public().modulus(), key.public().exponent());
    let way = ClientProtection::Transport { key, info };
    for variant in ["two-pass", "four-pass"] {
        let enrolment = server.enrolment("hotp", json!({"variant": variant})).await;
        let offer = server.offer(&enrolment, KeyType::Hotp);
        let (request, state) = Either::start(offer, vec![way.clone()], &mut SystemRandom).unwrap();
        let got = match state.receive(&server.exchange(request).await).unwrap() {
            Answered::Key(got) => {
                assert_eq!(variant, "two-pass");
                *got
            }
            Answered::FourPass(choice) => {
                assert_eq!(variant, "four-pass");
                let k = k_of(&choice);
                let (request, state) = choice.proceed(k, &mut SystemRandom).unwrap();
                state.receive(&server.exchange(request).await).unwrap()
            }
        };
        assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await, "{variant}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_6_a_trigger_is_valid_by_the_schema() {
    let server = Server::start().await;
    let registered =
        json!({"manufacturer": "acme", "serial": "1 <&> 2", "key_name": "k", "shared_key_hex": "0f".repeat(16)});
    server.api("devices", Some(registered), 201).await;
    let device = json!({"device": {"manufacturer": "acme", "serial": "1 <&> 2"}});
    for more in [json!({}), device, json!({"variant": "two-pass"})] {
        let enrolment = server.enrolment("totp", more.clone()).await;
        let request = server.client.get(server.url(&trigger_path(&enrolment))).header(header::ACCEPT, MEDIA_TYPE);
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()[header::CONTENT_TYPE]),
            (200, &MEDIA_TYPE.parse().unwrap())
        );
        let document = response.bytes().await.unwrap();
        let trigger = Trigger::read(&document).unwrap();
        assert_eq!(trigger.server_url.as_deref(), Some(server.url_s()));
        assert_eq!(trigger.device_identifier_data.is_some(), more.get("device").is_some());
        assert_valid(&document);
    }
}

/// By the schema of RFC 6063 §8.2, where that and xmllint are there.
fn assert_valid(document: &[u8]) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema/dskpp.xsd");
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg("-").stdin(Stdio::piped()).stderr(Stdio::piped());
    let (true, Ok(mut xmllint)) = (schema.exists(), xmllint.spawn()) else {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "xmllint or the schema is missing");
        return eprintln!("not checked: needs xmllint and {}", schema.display());
    };
    xmllint.stdin.take().expect("piped").write_all(document).unwrap();
    let output = xmllint.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(document)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_6_no_other_resource_answers_200_with_the_dskpp_type() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let trigger = trigger_path(&enrolment);
    let paths = [
        "/".to_owned(),
        "/dskpp".to_owned(),
        "/enroll".to_owned(),
        "/enroll/".to_owned(),
        "/enroll/0123456789ABCDEF0123456789ABCDEF".to_owned(),
        format!("{trigger}/more"),
        format!("{trigger}0"),
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/api/v1/enrolments".to_owned(),
        "/no/such/thing?of=dskpp".to_owned(),
    ];
    for path in paths {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::POST] {
            let request = server.client.request(method.clone(), server.url(&path)).header(header::ACCEPT, MEDIA_TYPE);
            let response = request.send().await.unwrap();
            let is_dskpp = response.headers().get(header::CONTENT_TYPE).is_some_and(|media| media == MEDIA_TYPE);
            assert!(response.status() != 200 || !is_dskpp, "{method} {path}");
        }
    }
}
