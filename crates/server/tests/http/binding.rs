//! The HTTP binding: requests and answers.

use dskpp::algorithm::KeyType;
use dskpp::client::FourPass;
use dskpp::status::Status;
use dskpp_crypto::SystemRandom;
use reqwest::{Method, StatusCode, header};

use crate::support::{MEDIA_TYPE, Server, read, with_code};

/// A ClientHello that any server answers with Continue.
fn hello(server: &Server) -> Vec<u8> {
    let code = with_code("FFFFFFFF", "0123456789ABCDEF");
    FourPass::start(server.offer(&code, KeyType::Totp), &mut SystemRandom).0
}

fn edited(body: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    text.replace(from, to).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn s7_2_2_responses_may_not_be_cached_and_have_no_validators() {
    let server = Server::start().await;
    for body in [hello(&server), b"not DSKPP".to_vec()] {
        let response = server.post(body).await;
        let headers = response.headers();
        assert_eq!(headers[header::CACHE_CONTROL], "no-cache, no-must-revalidate, private");
        assert_eq!(headers[header::PRAGMA], "no-cache");
        assert!(!headers.contains_key(header::ETAG) && !headers.contains_key(header::LAST_MODIFIED));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_every_method_but_post_is_405() {
    let server = Server::start().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = server.client.request(method.clone(), server.url("/dskpp")).body(hello(&server));
        let response = request.header(header::CONTENT_TYPE, MEDIA_TYPE).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(response.headers()[header::ALLOW], "POST", "{method}");
    }
    assert_eq!(server.client.get(server.url("/other")).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_the_content_type_decides_before_the_body() {
    let server = Server::start().await;
    for (media_type, status) in [
        (Some(MEDIA_TYPE), 200),
        (Some("application/dskpp+xml; charset=utf-8"), 200),
        (Some("application/dskpp+xml; charset=utf-16"), 400),
        (Some("text/xml"), 400),
        (Some("application/x-www-form-urlencoded"), 400),
        (None, 400),
    ] {
        let mut request = server.client.post(server.url("/dskpp")).body(hello(&server));
        if let Some(media_type) = media_type {
            request = request.header(header::CONTENT_TYPE, media_type);
        }
        assert_eq!(request.send().await.unwrap().status(), status, "{media_type:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_a_body_that_is_not_a_dskpp_request_is_400() {
    let server = Server::start().await;
    let hello = hello(&server);
    let namespace = "urn:ietf:params:xml:ns:keyprov:dskpp";
    let utf16: Vec<u8> = std::str::from_utf8(&hello).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (what, body) in [
        ("nothing", Vec::new()),
        ("text", b"hello".to_vec()),
        ("HTML", b"<html><body/></html>".to_vec()),
        ("another namespace", edited(&hello, namespace, "urn:example:other")),
        ("no request", edited(&hello, "KeyProvClientHello", "KeyProvServerHello")),
        ("no message", edited(&hello, "KeyProvClientHello", "KeyProvSomething")),
        ("half of one", hello[..20].to_vec()),
        ("UTF-16", [b"\xff\xfe".to_vec(), utf16].concat()),
        ("a DTD", [b"<!DOCTYPE a [<!ENTITY b 'c'>]>".to_vec(), hello.clone()].concat()),
        ("zeros", vec![0; 1000]),
    ] {
        assert_eq!(server.post(body).await.status(), StatusCode::BAD_REQUEST, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p22_p27_an_unreadable_dskpp_request_gets_a_status() {
    let server = Server::start().await;
    let hello = hello(&server);
    let two_pass_only = edited(&hello, "<dskpp:FourPass/>", "");
    for (what, body, expected) in [
        (
            "an unknown element",
            edited(&hello, "<dskpp:SupportedKeyTypes>", "<dskpp:X/><dskpp:SupportedKeyTypes>"),
            (Status::MalformedRequest, true),
        ),
        ("cut off", hello[..hello.len() - 3].to_vec(), (Status::MalformedRequest, true)),
        ("no four-pass", two_pass_only, (Status::NoProtocolVariants, false)),
    ] {
        assert_eq!(read(&server.exchange(body).await), expected, "{what}");
    }
    let nonce = format!(
        "<KeyProvClientNonce xmlns='urn:ietf:params:xml:ns:keyprov:dskpp' Version='1.0' SessionID='{}'/>",
        "4114"
    );
    let answer = server.exchange(nonce.into_bytes()).await;
    assert_eq!(read(&answer), (Status::MalformedRequest, false));
    assert!(String::from_utf8(answer).unwrap().contains("4114"), "a known SessionID is repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn p23_versions() {
    let server = Server::start().await;
    let hello = hello(&server);
    for (version, expected) in [
        ("1.0", (Status::Continue, true)),
        ("1.7", (Status::Continue, true)),
        ("2.0", (Status::UnsupportedVersion, true)),
        ("0.9", (Status::UnsupportedVersion, true)),
        ("99.0", (Status::UnsupportedVersion, true)),
        ("x", (Status::MalformedRequest, true)),
    ] {
        let answer = server.exchange(edited(&hello, "Version=\"1.0\"", &format!("Version=\"{version}\""))).await;
        assert_eq!(read(&answer), expected, "{version}");
        assert!(String::from_utf8(answer).unwrap().contains("Version=\"1.0\""), "{version} is answered with 1.0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p25_more_than_64_kib_is_413() {
    let server = Server::start().await;
    let hello = hello(&server);
    let padded = |len: usize| [hello.clone(), vec![b' '; len - hello.len()]].concat();
    assert_eq!(server.post(padded(64 * 1024)).await.status(), StatusCode::OK);
    for body in [padded(64 * 1024 + 1), vec![b'<'; 1 << 20]] {
        assert_eq!(server.post(body).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_an_address_above_its_rate_limit_gets_429_with_retry_after() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_address_per_s = 1;
        config.limits.requests_per_address_burst = 3;
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let response = server.post(hello(&server)).await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            let after: u64 = response.headers()[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
            assert!((1..=2).contains(&after));
        }
        statuses.push(response.status().as_u16());
    }
    assert_eq!(statuses[..3], [200; 3]);
    assert_eq!(statuses[4], 429);
    let health = server.client.get(server.url("/healthz")).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK, "operators are not limited");
}
