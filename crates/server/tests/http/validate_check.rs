//! `/validate/check` and `/validate/radiuscheck`, as clients of privacyIDEA call them.

use std::time::{Duration, Instant};

use dskpp_crypto::Secret;
use dskpp_otp::{Digits, Hotp};
use reqwest::{RequestBuilder, header};
use serde_json::{Value, json};

use crate::support::Server;

/// The key of RFC 4226's appendix D.
const SECRET: &[u8] = b"12345678901234567890";

/// The password at a counter.
fn otp(counter: u64) -> String {
    Hotp { digits: Digits::SIX }.code(&Secret::from_slice(SECRET), counter).to_string()
}

/// A server that machines on 127.0.0.0/9 may ask, with a key of bob's.
async fn start() -> Server {
    let server = Server::start_with(|config| {
        config.validate_check.networks = vec!["127.0.0.0/9".to_owned().try_into().unwrap()];
    })
    .await;
    server.import("hotp 1", SECRET).await;
    server.api("keys/hotp%201/user", Some(json!({ "user": "bob ä%" })), 200).await;
    server
}

async fn answered(request: RequestBuilder, status: u16) -> Value {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    response.json().await.unwrap()
}

fn rejected() -> Value {
    json!({
        "jsonrpc": "2.0", "id": 2, "version": concat!("dskpp ", env!("CARGO_PKG_VERSION")),
        "result": { "status": true, "value": false, "authentication": "REJECT" },
        "detail": { "message": "wrong one-time password" },
    })
}

/// Each way in which clients ask; each password is good once.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_is_accepted_however_it_is_sent_and_no_other() {
    let server = start().await;
    let url = server.url("/validate/check");
    let client = &server.client;
    let form = |pairs: &[(&str, &str)]| {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        form.finish()
    };
    let post =
        |body: String| client.post(&url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
    let of_plugin = |request: RequestBuilder| request.header(header::USER_AGENT, "FreeRADIUS");
    let name = "bob ä%";
    for (counter, request) in [
        post(form(&[("user", name), ("pass", &otp(0)), ("realm", "any"), ("client", "192.0.2.1"), ("resConf", "x")])),
        client.get(format!("{url}?{}", form(&[("user", name), ("pass", &otp(1))]))),
        client.post(&url).json(&json!({ "user": name, "pass": otp(2), "type": "hotp", "otponly": 1 })),
        client.post(&url).json(&json!({ "serial": "hotp 1", "pass": otp(3), "user": "" })),
        post(form(&[("serial", "hotp 1"), ("user", name), ("pass", &otp(4)), ("client", "00-11-22-33-44-55")])),
        of_plugin(post(form(&[("user", "bob%20%C3%A4%25"), ("pass", &otp(5))]))),
        client.post(format!("{url}?user=nobody")).json(&json!({ "user": name, "pass": otp(6) })),
    ]
    .into_iter()
    .enumerate()
    {
        let again = request.try_clone().unwrap();
        let answer = answered(request, 200).await;
        assert_eq!(answer["result"], json!({"status": true, "value": true, "authentication": "ACCEPT"}), "{counter}");
        assert_eq!(answer["detail"]["serial"], "hotp 1");
        assert_eq!(answered(again, 200).await, rejected(), "{counter}: used");
    }
    let radius = |otp: String| post(form(&[("user", name), ("pass", &otp)])).build().unwrap();
    for (otp, status) in [(otp(7), 204), (otp(7), 400), ("000000".into(), 400)] {
        let mut request = radius(otp);
        request.url_mut().set_path("/validate/radiuscheck");
        let response = client.execute(request).await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(response.text().await.unwrap(), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_refused_has_the_same_answer_at_the_same_time() {
    let server = start().await;
    let url = server.url("/validate/check");
    let ask = async |body: Value| {
        let start = Instant::now();
        let answer = answered(server.client.post(&url).json(&body), 200).await;
        (answer, start.elapsed())
    };
    for body in [
        json!({ "user": "bob ä%", "pass": "000000" }),
        json!({ "user": "nobody", "pass": "000000" }),
        json!({ "user": "nobody\0", "pass": "000000" }),
        json!({ "serial": "hotp 1", "pass": "000000" }),
        json!({ "serial": "none", "pass": otp(0) }),
        json!({ "user": "nobody", "serial": "hotp 1", "pass": otp(0) }),
        json!({ "user": "bob ä%", "pass": "" }),
        json!({ "user": "nobody", "pass": "" }),
        json!({ "user": "bob ä%", "pass": "0".repeat(257) }),
        json!({ "user": "n".repeat(5000), "pass": "000000" }),
        json!({ "user": "bob", "pass": otp(0) }),
    ] {
        let (answer, took) = ask(body.clone()).await;
        assert_eq!(answer, rejected(), "{body}");
        assert!(took >= Duration::from_millis(50), "{body}: after {took:?}");
    }
    // Wrong passwords make the next one wait, right or wrong, whoever's they are.
    for user in ["bob ä%", "nobody"] {
        for _ in 0..6 {
            ask(json!({ "user": user, "pass": "111111" })).await;
        }
        let right = json!({ "user": user, "pass": otp(0) });
        assert_eq!(ask(right.clone()).await.0, rejected(), "{user}");
        let by_token = server.api("validate", Some(json!({ "user": user, "otp": otp(0) })), 429).await;
        assert!(by_token["detail"].as_str().unwrap().contains("try again"), "the same count: {by_token}");
    }
    // An empty password, by which clients ask for a challenge, is no guess.
    let server = start().await;
    let url = server.url("/validate/check");
    for _ in 0..9 {
        let empty = json!({ "user": "bob ä%", "pass": "" });
        assert_eq!(answered(server.client.post(&url).json(&empty), 200).await, rejected());
    }
    let right = json!({ "user": "bob ä%", "pass": otp(0) });
    assert_eq!(answered(server.client.post(&url).json(&right), 200).await["result"]["value"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_configured_networks_may_ask_and_nobody_by_default() {
    let server = start().await;
    let right = || json!({ "user": "bob ä%", "pass": otp(0) });
    let elsewhere = server.client_at([127, 128, 0, 1]);
    for path in ["/validate/check", "/validate/radiuscheck"] {
        let hidden = elsewhere.post(server.url(path)).json(&right()).send().await.unwrap();
        assert_eq!((hidden.status().as_u16(), hidden.text().await.unwrap()), (404, String::new()), "{path}");
    }
    let inside = server.client_at([127, 127, 255, 254]);
    let url = server.url("/validate/check");
    assert_eq!(
        answered(inside.post(&url).json(&right()), 200).await["result"]["value"],
        true,
        "it was not looked at before"
    );

    let off = Server::start().await;
    let status = off.client.post(off.url("/validate/check")).json(&right()).send().await.unwrap().status();
    assert_eq!(status, 404, "off by default");
}

/// Behind a proxy, its client's address decides.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_the_address_that_it_names_decides() {
    let server = Server::start_with(|config| {
        config.proxy.trusted = vec!["127.0.0.1".to_owned().try_into().unwrap()];
        config.proxy.header = dskpp_server::config::ProxyHeader::XForwardedFor;
        config.validate_check.networks = vec!["10.1.0.0/16".to_owned().try_into().unwrap()];
    })
    .await;
    for (client, status) in [("10.1.2.3", 200), ("10.2.0.1", 404), ("10.1.2.3, 10.2.0.1", 404)] {
        let request = server.client.post(server.url("/validate/check")).header("x-forwarded-for", client);
        let answer = request.json(&json!({ "user": "x", "pass": "1" })).send().await.unwrap();
        assert_eq!(answer.status(), status, "{client}");
    }
    let of_proxy = server.client.post(server.url("/validate/check")).json(&json!({ "user": "x", "pass": "1" }));
    assert_eq!(of_proxy.send().await.unwrap().status(), 404, "the proxy's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_requests_are_errors_in_privacyideas_form() {
    let server = start().await;
    let url = server.url("/validate/check");
    for body in ["pass=1", "user=bob", "", "user=&pass=1", "serial=&user=&pass=1", "%FF%FE=%00&pass"] {
        let request = server.client.post(&url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = answered(request.body(body), 400).await;
        assert_eq!(
            (&answer["result"]["status"], &answer["result"]["error"]["code"]),
            (&json!(false), &json!(905)),
            "{body}"
        );
    }
    for body in ["", "[]", "7", "{", "{\"user\":{}}", "{\"user\":\"bob\",\"pass\":null}"] {
        let request = server.client.post(&url).header(header::CONTENT_TYPE, "application/json; charset=utf-8");
        assert_eq!(answered(request.body(body), 400).await["result"]["status"], false, "{body}");
    }
    let long = server.client.post(&url).body(format!("user=bob&pass={}", "1".repeat(20_000)));
    assert_eq!(answered(long, 400).await["result"]["status"], false);
    assert_eq!(server.client.put(&url).send().await.unwrap().status(), 405);
}

/// The admin API's call: wrong passwords from one address make that one wait.
#[tokio::test(flavor = "multi_thread")]
async fn the_api_takes_the_address_of_the_person() {
    let server = start().await;
    let shown = |address: &str| json!({ "user": "bob ä%", "otp": otp(0), "client_address": address });
    server.api("validate", Some(shown("192.0.2.x")), 422).await;
    assert_eq!(server.api("validate", Some(shown("2001:db8::1")), 200).await["valid"], true);
}
