//! Receivers that do what they should not. No text that is kept has a word of theirs.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers every request with the same octets, and then goes on with `more` as long as somebody reads.
async fn answering(head: &'static str, more: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                _ = stream.read(&mut buffer).await;
                let head = head.replace("ECHO", &String::from_utf8_lossy(&buffer).replace('\0', ""));
                _ = stream.write_all(head.as_bytes()).await;
                while !more.is_empty() && stream.write_all(more).await.is_ok() {}
                tokio::time::sleep(Duration::from_secs(60)).await;
            });
        }
    });
    format!("http://{address}/")
}

/// What becomes of a change there.
async fn outcome(url: &str, more: &str) -> Delivered {
    let world = World::new(&receiver::config(url, more));
    let change = Change { id: "d1".into(), number: 1, key: sample(), secret: Some(Secret::from_slice(K_TOKEN)) };
    world.sinks.all()[0].deliver(&[change]).await.pop().unwrap()
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let elsewhere = Receiver::start().await;
    let to = elsewhere.config("").lines().find_map(|line| line.strip_prefix("url = '")).unwrap().replace('\'', "");
    let head = format!("HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let url = answering(head.leak(), b"").await;
    let expected = "it answered HTTP 307: redirections are not followed";
    assert_eq!(outcome(&url, "").await, Err(Failure::Down(expected.into())));
    assert!(elsewhere.got().is_empty());
}

#[tokio::test]
async fn an_endless_answer_is_not_read_and_a_late_one_not_waited_for() {
    let endless = answering("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", &[b'x'; 65536]).await;
    assert_eq!(outcome(&endless, "").await, Ok(()));
    let header = answering("HTTP/1.1 200 OK\r\nX: ", &[b'x'; 65536]).await;
    assert!(matches!(outcome(&header, "").await, Err(Failure::Down(_))));
    let begun = Instant::now();
    let late = answering("HTTP/1.1 200", b"").await;
    assert_eq!(outcome(&late, "timeout_s = 1").await, Err(Failure::Down("it did not answer in time".into())));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let other = answering("SSH-2.0-OpenSSH_9.2\r\n", b"").await;
    let found = outcome(&other, "timeout_s = 2").await;
    assert!(matches!(&found, Err(Failure::Down(why)) if !why.contains("SSH")), "{found:?}");
}

#[tokio::test]
async fn an_answer_with_the_secret_in_it_is_kept_nowhere() {
    for (status, is_down) in [("400 Bad ECHO", false), ("422 No", false), ("500 ECHO", true), ("401 No", true)] {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: 100000\r\n\r\nECHO");
        let url = answering(head.leak(), b"").await;
        let why = match (outcome(&url, "").await, is_down) {
            (Err(Failure::Down(why)), true) | (Err(Failure::Refused(why)), false) => why,
            (other, _) => panic!("{status}: {other:?}"),
        };
        assert!(!why.contains("webhook") && why.len() < 120, "{why}");
    }
}

#[tokio::test]
async fn a_wrong_certificate_gets_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (ours, theirs) = (made("localhost"), made("localhost"));
    let server = |pair: &rcgen::CertifiedKey<rcgen::KeyPair>| {
        let key = rustls_pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.unwrap().with_no_client_auth().with_single_cert(vec![pair.cert.der().clone()], key);
        tokio_rustls::TlsAcceptor::from(Arc::new(config.unwrap()))
    };
    std::fs::write(folder.path().join("ca.pem"), ours.cert.pem()).unwrap();
    let ca = format!("ca_file = '{}/ca.pem'", folder.path().display());
    for (acceptor, name, is_right) in
        [(server(&ours), "localhost", true), (server(&theirs), "localhost", false), (server(&ours), "127.0.0.1", false)]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{name}:{}/", listener.local_addr().unwrap().port());
        let served = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.ok()?;
            let mut buffer = vec![0; 64 * 1024];
            let len = stream.read(&mut buffer).await.ok().filter(|len| *len > 0)?;
            _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
            Some(len)
        });
        let found = outcome(&url, &ca).await;
        assert_eq!(found.is_ok(), is_right, "{name}: {found:?}");
        assert_eq!(served.await.unwrap().is_some(), is_right, "{name}: nothing was sent");
    }
}

#[test]
fn a_target_that_is_no_place_for_keys_is_refused_at_the_start() {
    for (url, expected) in [
        ("http://keys.example.com/", "https URL"),
        ("ftp://localhost/", "https URL"),
        ("https://user:pass@keys.example.com/", "user or password"),
        ("nowhere", "is no URL"),
    ] {
        let why = Sinks::load(&Config::read(&receiver::config(url, ""), []).unwrap()).unwrap_err().to_string();
        assert!(why.contains("sink.1.url = web") && why.contains(expected), "{url}: {why}");
    }
    let config = receiver::config("https://localhost/", "").replace("/signing", "/key.pem");
    let why = Sinks::load(&Config::read(&config, []).unwrap()).unwrap_err().to_string();
    assert!(why.contains("whsec_") && !why.contains("BEGIN"), "{why}");
}
