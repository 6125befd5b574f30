use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

/// Answers one connection after the other with these octets, and reports each request.
fn server(answers: Vec<Vec<u8>>) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/dskpp", listener.local_addr().unwrap());
    let (report, requests) = mpsc::channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            report.send(read_request(&mut stream)).ok();
            stream.write_all(&answer).ok();
        }
    });
    (url, requests)
}

/// The same behind TLS; `answer` makes each answer from the server's URL.
fn tls_server(answer: fn(&str) -> Vec<u8>) -> (String, tempfile::NamedTempFile) {
    let certified = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let mut ca = tempfile::NamedTempFile::new().unwrap();
    ca.write_all(certified.cert.pem().as_bytes()).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/dskpp", listener.local_addr().unwrap());
    let own_url = url.clone();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            if !read_request(&mut stream).is_empty() {
                stream.write_all(&answer(&own_url)).ok();
                stream.conn.send_close_notify();
                stream.flush().ok();
            }
        }
    });
    (url, ca)
}

/// Head and body; empty if the client gives up before.
pub(crate) fn read_request(stream: &mut impl Read) -> String {
    let (mut request, mut octet) = (Vec::new(), [0]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut octet) {
            Ok(1) => request.push(octet[0]),
            _ => return String::new(),
        }
    }
    let head = String::from_utf8(request).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
    http("200 OK", "Content-Type: application/dskpp+xml; charset=utf-8\r\n", body)
}

pub(crate) fn transport() -> Transport {
    let ca = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(ca.cert.pem().as_bytes()).unwrap();
    with_ca(file.path())
}

fn with_ca(path: &Path) -> Transport {
    let total_timeout = Duration::from_secs(20);
    Transport::new(&TransportOptions { ca: Some(path.to_owned()), total_timeout, ..Default::default() }).unwrap()
}

async fn answered(answer: Vec<u8>) -> Result<Vec<u8>, TransportError> {
    let (url, _requests) = server(vec![answer]);
    transport().post(&url, b"<hello/>").await
}

#[tokio::test]
async fn s7_2_2_headers_are_sent_and_the_body_as_it_is() {
    let (url, requests) = server(vec![ok(b"<answer/>")]);
    assert_eq!(transport().post(&url, b"<hello/>").await.unwrap(), b"<answer/>");
    let request = requests.recv().unwrap();
    for expected in [
        "post /dskpp http/1.1\r\n",
        "content-type: application/dskpp+xml\r\n",
        "accept: application/dskpp+xml\r\n",
        "cache-control: no-cache, no-store\r\n",
        "pragma: no-cache\r\n",
        "\r\n\r\n<hello/>",
    ] {
        assert!(request.contains(expected), "{expected:?} is not in {request}");
    }
}

#[test]
fn plain_http_is_for_this_machine_or_on_request() {
    let strict = transport();
    let loose = strict.client.clone().insecure(true);
    let strict = strict.client;
    for url in ["http://127.0.0.1/x", "http://127.9.9.9/", "http://[::1]:80/", "http://localhost/", "https://a.example"]
    {
        assert!(strict.url(url).is_ok(), "{url}");
    }
    for url in ["http://a.example/", "http://localhost.a.example/", "http://127.0.0.1.a.example/", "http://10.0.0.1/"] {
        assert!(matches!(strict.url(url), Err(TransportError::NotHttps(_))), "{url}");
        assert!(loose.url(url).is_ok(), "{url}");
    }
    for url in ["", "a.example", "ftp://a.example/", "file:///etc/passwd", "https://"] {
        assert!(matches!(loose.url(url), Err(TransportError::BadUrl { .. })), "{url}");
    }
}

#[tokio::test]
async fn p30_other_redirections_and_targets_are_errors() {
    for (status, location) in [
        ("301 Moved Permanently", "https://a.example/"),
        ("302 Found", "https://a.example/"),
        ("303 See Other", "https://a.example/"),
        ("304 Not Modified", "https://a.example/"),
        ("307 Temporary Redirect", "http://127.0.0.1:9/"),
        ("307 Temporary Redirect", "/relative-to-plain-http"),
        ("308 Permanent Redirect", "file:///etc/passwd"),
        ("308 Permanent Redirect", ""),
    ] {
        let result = answered(http(status, &format!("Location: {location}\r\n"), b"")).await;
        assert!(matches!(result, Err(TransportError::Redirected { .. })), "{status} {location}: {result:?}");
    }
}

#[tokio::test]
async fn p30_307_is_followed_to_https_five_times() {
    let (url, ca) = tls_server(|_| ok(b"<answer/>"));
    let (first, requests) = server(vec![http("307 Temporary Redirect", &format!("Location: {url}\r\n"), b"")]);
    assert_eq!(with_ca(ca.path()).post(&first, b"<hello/>").await.unwrap(), b"<answer/>");
    assert!(requests.recv().unwrap().ends_with("<hello/>"));

    let (url, ca) = tls_server(|own| http("308 Permanent Redirect", &format!("Location: {own}\r\n"), b""));
    let result = with_ca(ca.path()).post(&url, b"<hello/>").await;
    assert!(matches!(result, Err(TransportError::Redirected { .. })), "{result:?}");
}

#[tokio::test]
async fn a_certificate_of_another_ca_is_an_error_that_names_the_reason() {
    let (url, _ca) = tls_server(|_| ok(b"<answer/>"));
    let error = transport().post(&url, b"<hello/>").await.unwrap_err();
    assert!(matches!(error, TransportError::Certificate { .. }), "{error:?}");
    assert!(error.next().contains("--ca"), "{error}: {}", error.next());
    assert!(!error.is_lost());
}

#[tokio::test]
async fn plain_http_at_a_tls_port_and_tls_at_a_plain_one_are_told_apart_from_a_dead_server() {
    let (url, ca) = tls_server(|_| ok(b"<answer/>"));
    let error = with_ca(ca.path()).post(&url.replace("https:", "http:"), b"<hello/>").await.unwrap_err();
    let host = url.trim_start_matches("https://").split('/').next().unwrap();
    assert!(matches!(error, TransportError::ExpectsTls(_)), "{error:?}");
    assert!(error.next().contains(&format!("https://{host}")), "{}", error.next());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/dskpp", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; 5]).unwrap();
        stream.write_all(&http("400 Bad Request", "", b"")).unwrap();
    });
    let error = transport().post(&url, b"<hello/>").await.unwrap_err();
    assert!(matches!(error, TransportError::NoTls(_)), "{error:?}");
    assert!(error.next().contains("http://"), "{}", error.next());
}

#[test]
fn each_certificate_fault_has_its_remedy() {
    use rustls::CertificateError::*;
    let ca = Other(rustls::OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity)));
    for (error, fault, remedy) in [
        (UnknownIssuer, CertificateFault::UnknownIssuer, "--ca"),
        (BadSignature, CertificateFault::OtherIssuer, "--ca"),
        (ca, CertificateFault::IsCa, "not the CA's own"),
        (NotValidForName, CertificateFault::OtherName, "host name"),
        (Expired, CertificateFault::Expired, "clock"),
        (NotValidYet, CertificateFault::NotValidYet, "clock"),
        (Revoked, CertificateFault::Other(Revoked.to_string()), "operator"),
    ] {
        let read = CertificateFault::of(&error);
        assert_eq!(read, fault);
        let next = TransportError::Certificate { host: "h".into(), fault: read }.next();
        assert!(next.contains(remedy), "{next}");
    }
}

#[tokio::test]
async fn an_answer_has_64_kib_at_most() {
    assert_eq!(answered(ok(&[b' '; MAX_ANSWER])).await.unwrap().len(), MAX_ANSWER);
    let result = answered(ok(&[b' '; MAX_ANSWER + 1])).await;
    assert!(matches!(result, Err(TransportError::TooLong(_))), "announced: {result:?}");
    let endless = "HTTP/1.1 200 OK\r\nContent-Type: application/dskpp+xml\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = [&b"4000\r\n"[..], &[b' '; 0x4000], b"\r\n"].concat();
    let result = answered([endless.as_bytes(), &chunk.repeat(5)].concat()).await;
    assert!(matches!(result, Err(TransportError::TooLong(_))), "not announced: {result:?}");
}

#[tokio::test]
async fn statuses_say_what_to_do() {
    for (status, expected) in [
        ("404 Not Found", "path"),
        ("413 Content Too Large", "too long"),
        ("500 Internal Server Error", "later"),
        ("503 Service Unavailable", "later"),
        ("204 No Content", "URL"),
    ] {
        let error = answered(http(status, "", b"")).await.unwrap_err();
        assert!(matches!(error, TransportError::Status { .. }), "{error:?}");
        assert!(error.next().contains(expected), "{}", error.next());
    }
    for (header, when) in [
        ("Retry-After: 700\r\n", "in 700 seconds"),
        ("Retry-After: Tue, 31 Dec 2199 23:59:59 GMT\r\n", "seconds"),
        ("Retry-After: soon\r\n", "in a minute"),
        ("", "in a minute"),
    ] {
        let next = answered(http("429 Too Many Requests", header, b"")).await.unwrap_err().next();
        assert!(next.contains("nothing was used up") && next.ends_with(when), "{next}");
    }
    let error = answered(http("200 OK", "Content-Type: text/html\r\n", b"<html/>")).await.unwrap_err();
    assert!(matches!(error, TransportError::MediaType(ref found) if found == "text/html"), "{error:?}");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says_so_and_the_person_sees_the_wait() {
    static SEEN: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
    let (url, requests) = server(vec![
        http("429 Too Many Requests", "Retry-After: 1\r\n", b""),
        http("503 Service Unavailable", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", b""),
        ok(b"<answer/>"),
    ]);
    let waiting = Some((|wait| SEEN.lock().unwrap().push(wait)) as fn(Duration));
    let answer = Transport { waiting, ..transport() }.post(&url, b"<hello/>").await.unwrap();
    assert_eq!((answer.as_slice(), requests.iter().take(3).count()), (&b"<answer/>"[..], 3));
    assert_eq!(*SEEN.lock().unwrap(), [LEAST_WAIT; 2]);
}

#[tokio::test]
async fn p28_a_lost_answer_is_told_from_a_request_that_was_never_sent() {
    for cut in [&b""[..], b"HTTP/1.1 200", &ok(b"<answer/>")[..ok(b"<answer/>").len() - 3]] {
        let error = answered(cut.to_vec()).await.unwrap_err();
        assert!(error.is_lost(), "{error:?}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}/", listener.local_addr().unwrap());
    let impatient = Transport { total_timeout: Duration::from_millis(200), ..transport() };
    assert!(impatient.post(&silent, b"<hello/>").await.unwrap_err().is_lost());
    drop(listener);
    let error = transport().post(&silent, b"<hello/>").await.unwrap_err();
    assert!(matches!(error, TransportError::Unreachable { .. }), "{error:?}");
}

#[test]
fn a_ca_file_without_certificates_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path(), Path::new("/nonexistent/ca.pem")] {
        let error = Transport::new(&TransportOptions { ca: Some(path.to_owned()), ..Default::default() }).unwrap_err();
        assert!(matches!(error, TransportError::CaFile { .. }), "{error:?}");
    }
}

/// A server's own certificate is no trust anchor, unless it is self-signed.
#[test]
fn a_ca_file_with_the_certificate_of_a_server_is_refused_with_its_remedy() {
    let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert;
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "authority");
    let authority = rcgen::CertifiedIssuer::self_signed(authority, rcgen::KeyPair::generate().unwrap()).unwrap();
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&rcgen::KeyPair::generate().unwrap(), &authority).unwrap();
    let with = |pem: String| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(pem.as_bytes()).unwrap();
        tls_config(Some(file.path())).map(|_| ())
    };
    assert!(with(own.pem()).is_ok() && with(authority.pem()).is_ok() && with(server.pem() + &authority.pem()).is_ok());
    let refused = with(server.pem()).unwrap_err();
    assert!(matches!(refused, TransportError::NotAuthority(_)), "{refused:?}");
    assert!(refused.next().contains("the server's CA with --ca"), "{}", refused.next());
}

#[tokio::test]
async fn s10_1_no_cipher_suite_with_anonymous_key_exchange_is_offered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/dskpp", listener.local_addr().unwrap());
    let offered = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut fixed = [0; 5 + 4 + 2 + 32 + 1];
        stream.read_exact(&mut fixed).unwrap();
        assert_eq!((fixed[0], fixed[5]), (22, 1), "a ClientHello");
        let mut rest = vec![0; usize::from(fixed[43]) + 2];
        stream.read_exact(&mut rest).unwrap();
        let len = u16::from_be_bytes(*rest.last_chunk().unwrap());
        let mut suites = vec![0; len.into()];
        stream.read_exact(&mut suites).unwrap();
        suites.chunks(2).map(|suite| u16::from_be_bytes([suite[0], suite[1]])).collect::<Vec<_>>()
    });
    assert!(transport().post(&url, b"<hello/>").await.is_err());
    let offered = offered.join().unwrap();
    // TLS 1.3, or ECDHE with ECDSA or RSA: by the registry, none of them is anonymous.
    let authenticated = [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02C, 0xC02F, 0xC030, 0xCCA8, 0xCCA9, 0x00FF];
    assert!(!offered.is_empty() && offered.iter().all(|suite| authenticated.contains(suite)), "{offered:04x?}");
}
