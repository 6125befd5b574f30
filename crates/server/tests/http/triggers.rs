//! Answers of a trigger's URL to clients, to people, and after its use.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dskpp::algorithm::KeyType;
use dskpp::client::{Credential, RunConfig};
use dskpp::message::{Platform, TokenPlatformInfo, Trigger};
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{MEDIA_TYPE, Server};

const PAGE: &str = "text/html; charset=utf-8";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn path(enrolment: &Value) -> String {
    let url = enrolment["trigger_url"].as_str().unwrap();
    url[url.find("/enroll/").unwrap()..].to_owned()
}

/// A request with these `Accept` headers; its answer must not be cacheable.
async fn get(server: &Server, path: &str, accept: &[&str]) -> Response {
    let mut request = server.client.get(server.url(path));
    for accept in accept {
        request = request.header(header::ACCEPT, *accept);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{path} {accept:?}");
    assert_eq!(response.headers()[header::VARY], "accept, accept-language", "{path} {accept:?}");
    response
}

fn kind(response: &Response) -> (u16, String) {
    (response.status().as_u16(), response.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned())
}

async fn trigger(server: &Server, enrolment: &Value) -> (String, Trigger) {
    let response = get(server, &path(enrolment), &[MEDIA_TYPE]).await;
    assert_eq!(kind(&response), (200, MEDIA_TYPE.into()));
    let text = response.text().await.unwrap();
    let trigger = Trigger::read(text.as_bytes()).unwrap();
    (text, trigger)
}

async fn provision(server: &Server, trigger: Trigger, key_type: KeyType) {
    let offer = RunConfig::new(server.url_s(), Credential::Trigger(Box::new(trigger)), vec![key_type]);
    server.run(offer).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_6_p27_accept_selects_the_trigger_or_the_page() {
    let server = Server::start().await;
    let path = path(&server.enrolment("totp", json!({})).await);
    for (accept, media_type) in [
        (&[MEDIA_TYPE][..], MEDIA_TYPE),
        (&["Application/DSKPP+XML; charset=UTF-8; q=0.001"], MEDIA_TYPE),
        (&["text/html, application/dskpp+xml;q=0.1"], MEDIA_TYPE),
        (&["text/html", MEDIA_TYPE], MEDIA_TYPE),
        (&[BROWSER], PAGE),
        (&["*/*"], PAGE),
        (&[], PAGE),
        (&["application/dskpp+xml;q=0"], PAGE),
        (&["application/dskpp+xml;q=7"], PAGE),
        (&["application/json"], "application/json"),
        (&["application/json;q=0", "text/html"], PAGE),
        (&["application/json", MEDIA_TYPE], MEDIA_TYPE),
    ] {
        assert_eq!(kind(&get(&server, &path, accept).await), (200, media_type.to_owned()), "{accept:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_6_no_other_resource_combines_the_type_with_200() {
    let server = Server::start().await;
    for other in ["/", "/enroll", "/favicon.ico", "/dskpp/"] {
        let response = get(&server, other, &[MEDIA_TYPE]).await;
        assert_eq!(kind(&response), (406, MEDIA_TYPE.to_owned()), "{other}");
        assert!(response.bytes().await.unwrap().is_empty(), "an initialization message without data");
        let response = get(&server, other, &[BROWSER]).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{other}");
    }
    for (other, status) in
        [("/dskpp", 405), ("/healthz", 200), ("/enroll/", 404), ("/api/v1/keys", 401), ("/api/v1/none", 404)]
    {
        let response = server.client.get(server.url(other)).header(header::ACCEPT, MEDIA_TYPE).send().await.unwrap();
        let kind = response.headers().get(header::CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
        assert!(response.status() == status && kind != Some(MEDIA_TYPE), "{other} {response:?}");
    }
    let trigger = path(&server.enrolment("totp", json!({})).await);
    for other in ["/", "/dskpp", "/no/such?of=dskpp", &format!("{trigger}0"), &format!("{trigger}/more")] {
        for method in [Method::HEAD, Method::OPTIONS, Method::PUT, Method::POST] {
            let request = server.client.request(method.clone(), server.url(other)).header(header::ACCEPT, MEDIA_TYPE);
            let response = request.send().await.unwrap();
            let is_dskpp = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == MEDIA_TYPE);
            assert!(response.status() != StatusCode::OK || !is_dskpp, "{method} {other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_2_3_a_browser_can_fetch_the_trigger_as_a_file() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let (document, trigger) = trigger(&server, &enrolment).await;
    for query in ["?download", "?download=", "?x=1&download=1"] {
        for accept in [&[BROWSER][..], &[MEDIA_TYPE], &["image/png"], &[]] {
            let response = get(&server, &format!("{}{query}", path(&enrolment)), accept).await;
            assert_eq!(kind(&response), (200, MEDIA_TYPE.into()), "{query} {accept:?}");
            assert_eq!(response.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"enrol.dskpp\"");
            assert_eq!(response.text().await.unwrap(), document);
        }
    }
    let page = get(&server, &format!("{}?downloads", path(&enrolment)), &[BROWSER]).await;
    assert_eq!(kind(&page).1, PAGE);
    assert!(page.text().await.unwrap().contains("href=\"?download\""));
    provision(&server, trigger, KeyType::Totp).await;
    let late = get(&server, &format!("{}?download", path(&enrolment)), &[BROWSER]).await;
    assert_eq!(kind(&late), (410, PAGE.into()));
    assert!(!late.headers().contains_key(header::CONTENT_DISPOSITION));
}

#[tokio::test(flavor = "multi_thread")]
async fn s3_2_3_the_page_has_no_secret_and_does_not_use_up_the_trigger() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let (_, trigger) = trigger(&server, &enrolment).await;
    let mac = &trigger.authentication_data.authentication_code_mac;
    for _ in 0..3 {
        let response = get(&server, &path(&enrolment), &[BROWSER]).await;
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(response.headers()[header::REFERRER_POLICY], "no-referrer");
        assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        let page = response.text().await.unwrap();
        for secret in ["password", "authentication_code", "client_id", "id"] {
            assert!(!page.contains(enrolment[secret].as_str().unwrap()), "{secret}");
        }
        for octets in [Some(&mac.mac.value), mac.nonce.as_ref()] {
            assert!(!page.contains(&data_encoding::BASE64.encode(octets.unwrap())));
        }
        assert!(!page.contains("AuthenticationCodeMac") && !page.contains("KeyProvTrigger"));
        let origin = server.url_s().strip_suffix("/dskpp").unwrap();
        let command = format!("<pre>dskpp enroll --trigger '{origin}{}'</pre>", path(&enrolment));
        assert!(page.contains(&command), "{page}");
        for part in ["<!DOCTYPE html>", "<html lang=\"en\">", "<title>", "name=\"viewport\"", "once"] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("src="), "{page}");
    }
    provision(&server, trigger, KeyType::Totp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_whom_it_is_from_for_whom_what_for_and_until_when() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo.svg");
    std::fs::write(&logo, "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
    let server = Server::start_with(|config| {
        config.server.issuer = "Example & Sons".into();
        config.portal.help = "help@example.com".into();
        config.portal.logo_file = logo.clone();
    })
    .await;
    let enrolment = server.enrolment("totp", json!({"digits": 8, "period_s": 60})).await;
    let page = get(&server, &path(&enrolment), &[BROWSER]).await.text().await.unwrap();
    let until = enrolment["expires_at"].as_str().unwrap();
    for part in [
        "<dt>From</dt><dd>Example &amp; Sons</dd>",
        "<dt>For</dt><dd>alice</dd>",
        "<dt>What</dt><dd>One-time passwords of 8 digits that change every 60 seconds</dd>",
        &format!("<time datetime=\"{until}\">"),
        "<button type=\"button\" id=\"set-up\">Set up on this device</button>",
        "href=\"?download\"",
        "<svg role=\"img\" aria-label=\"QR code of this link\"",
        "<p id=\"no-script\"",
        "<a href=\"mailto:help@example.com\">",
        "<img src=\"../token/logo\" alt=\"\">",
        "<a href=\"?lang=de\" lang=\"de\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let facts: Value = get(&server, &path(&enrolment), &["application/json"]).await.json().await.unwrap();
    let expected = json!({
        "issuer": "Example & Sons",
        "user": "alice",
        "what": "One-time passwords of 8 digits that change every 60 seconds",
        "expires_at": until,
        "device": null,
        "help": "help@example.com",
    });
    assert_eq!(facts, expected);
    let german = get(&server, &format!("{}?lang=de", path(&enrolment)), &[BROWSER]).await.text().await.unwrap();
    for part in ["<html lang=\"de\">", "<dt>Für</dt><dd>alice</dd>", "Auf diesem Gerät einrichten"] {
        assert!(german.contains(part), "{part}: {german}");
    }
    let hardware = server.enrolment("totp", json!({"key_location": "hardware"})).await;
    let page = get(&server, &path(&hardware), &[BROWSER]).await.text().await.unwrap();
    assert!(!page.contains("<button") && page.contains("A browser cannot keep this key"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_p27_unknown_used_expired_and_revoked_triggers_get_a_page_or_a_line_of_text() {
    let server = Server::start().await;
    let used = server.enrolment("totp", json!({})).await;
    let (_, used_trigger) = trigger(&server, &used).await;
    provision(&server, used_trigger, KeyType::Totp).await;
    let revoked = server.enrolment("totp", json!({})).await;
    let id = revoked["id"].as_str().unwrap();
    let late = server.enrolment("totp", json!({"expires_in_s": 1})).await;
    let deleted = server.url(&format!("/api/v1/enrolments/{id}"));
    let token = std::fs::read_to_string(server.running.admin_token_file()).unwrap();
    assert!(server.client.delete(deleted).bearer_auth(token.trim()).send().await.unwrap().status().is_success());
    tokio::time::sleep(Duration::from_millis(2100)).await;
    for (address, status) in [
        (path(&used), 410),
        (path(&revoked), 410),
        (path(&late), 410),
        ("/enroll/0123456789ABCDEF0123456789ABCDEF".into(), 404),
        (format!("/enroll/{}", "A".repeat(129)), 404),
        ("/enroll/%3Cscript%3E".into(), 404),
        ("/enroll/..%2F..%2Fdskpp".into(), 404),
        ("/enroll/%27%20OR%201=1".into(), 404),
    ] {
        for query in ["", "?download"] {
            let address = format!("{address}{query}");
            let page = get(&server, &address, &[BROWSER]).await;
            assert_eq!(kind(&page), (status, PAGE.into()), "{address}");
            assert!(page.headers().contains_key(header::CONTENT_SECURITY_POLICY));
            let page = page.text().await.unwrap();
            assert!(page.contains("ask for a new link"), "{page}");
            assert!(!page.contains("<script") && !page.contains("download"), "{page}");
            let text = get(&server, &address, &[MEDIA_TYPE]).await;
            assert_eq!(kind(&text), (status, "text/plain; charset=utf-8".into()), "{address}");
            assert!(!text.text().await.unwrap().contains('<'));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_browsers_get_429_too() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 1;
    })
    .await;
    for (accept, media_type) in [(BROWSER, "text/html; charset=utf-8"), (MEDIA_TYPE, "text/plain; charset=utf-8")] {
        let mut response = get(&server, "/enroll/AA", &[accept]).await;
        for _ in 0..5 {
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            response = get(&server, "/enroll/AA", &[accept]).await;
        }
        assert_eq!(kind(&response), (429, media_type.into()));
        let after: u64 = response.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=2).contains(&after), "{after}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s4_2_1_a_trigger_contains_its_enrolments_device_key_and_platform() {
    let server = Server::start().await;
    let device = json!({"manufacturer": "oath.ACME", "serial": "7 & <8>", "key_name": "k"});
    let device = server.api("devices", Some(with(device, "shared_key_hex", json!("00".repeat(16)))), 201).await;
    assert!(device.is_object());
    let first = server.enrolment("hotp", json!({})).await;
    let (_, bare) = trigger(&server, &first).await;
    assert_eq!((&bare.device_identifier_data, &bare.key_id, bare.token_platform_info), (&None, &None, None));
    provision(&server, bare, KeyType::Hotp).await;
    let id = first["id"].as_str().unwrap();
    let key_id = server.api(&format!("enrolments/{id}"), None, 200).await["key_id"].as_str().unwrap().to_owned();

    let more = json!({
        "device": {"manufacturer": "oath.ACME", "serial": "7 & <8>"},
        "renews": key_id,
        "key_location": "hardware",
        "algorithm_location": "software",
    });
    let full = server.enrolment("hotp", more).await;
    let (text, read) = trigger(&server, &full).await;
    let named = read.device_identifier_data.unwrap();
    assert_eq!((named.manufacturer.as_deref(), named.serial_no.as_deref()), (Some("oath.ACME"), Some("7 & <8>")));
    assert_eq!(read.key_id.as_deref(), Some(key_id.as_bytes()));
    let hardware =
        TokenPlatformInfo { key_location: Some(Platform::Hardware), algorithm_location: Some(Platform::Software) };
    assert_eq!(read.token_platform_info, Some(hardware));
    assert_eq!(read.server_url.as_deref(), Some(server.url_s()));
    assert_eq!(read.authentication_data.client_id.as_deref(), full["client_id"].as_str());
    assert_eq!(read.authentication_data.authentication_code_mac.iteration_count, Some(100_000));
    // The exact text, in the order of the schema.
    let written = [
        "<dskpp:KeyProvTrigger ".to_owned(),
        " Version=\"1.0\"".into(),
        "<dskpp:InitializationTrigger>".into(),
        "<dskpp:DeviceIdentifierData>".into(),
        "<pskc:Manufacturer>oath.ACME</pskc:Manufacturer>".into(),
        "<pskc:SerialNo>7 &amp; &lt;8&gt;</pskc:SerialNo>".into(),
        format!("<dskpp:KeyID>{}</dskpp:KeyID>", data_encoding::BASE64.encode(key_id.as_bytes())),
        "<dskpp:TokenPlatformInfo KeyLocation=\"Hardware\" AlgorithmLocation=\"Software\"".into(),
        format!("<dskpp:ClientID>{}</dskpp:ClientID>", full["client_id"].as_str().unwrap()),
        "<dskpp:IterationCount>100000</dskpp:IterationCount>".into(),
        format!("<dskpp:ServerUrl>{}</dskpp:ServerUrl>", server.url_s()),
    ];
    let mut rest = text.as_str();
    for part in &written {
        let at = rest.find(part.as_str()).unwrap_or_else(|| panic!("{part} is not there, or too early: {text}"));
        rest = &rest[at + part.len()..];
    }
    let secret = full["password"].as_str().unwrap();
    assert!(!text.contains(secret), "the password itself is not in it");
    for location in ["hardware", "software"] {
        let one = server.enrolment("hotp", json!({"algorithm_location": location})).await;
        let info = trigger(&server, &one).await.1.token_platform_info.unwrap();
        assert_eq!((info.key_location, info.algorithm_location.is_some()), (None, true));
    }
    assert_valid(&text);
    assert_valid(&trigger(&server, &server.enrolment("aes128", json!({})).await).await.0);
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

/// Validates against the schema of RFC 6063 §8.2, if that and xmllint are available.
fn assert_valid(document: &str) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema/dskpp.xsd");
    let mut xmllint = Command::new("xmllint");
    xmllint.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg("-");
    let started = schema.exists().then(|| xmllint.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()).flatten();
    let Some(mut child) = started else {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "xmllint or the schema is missing");
        return eprintln!("not checked: needs xmllint (libxml2-utils) and {}", schema.display());
    };
    child.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{document}", String::from_utf8_lossy(&output.stderr));
}
