//! A busy server is asked again after the time that it states; an import in ten parts does not
//! fail at the seventh because of other clients.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use support::Home;

const KEYS: &str = "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0'><KeyPackage><Key Id='k1' \
    Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp'><AlgorithmParameters><ResponseFormat Encoding='DECIMAL' \
    Length='6'/></AlgorithmParameters><Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>\
    <Counter><PlainValue>0</PlainValue></Counter></Data></Key></KeyPackage></KeyContainer>";
const NOT_FOUND: &str = "404 Not Found\r\nContent-Length: 0\r\n";
const BUSY: &str = r#"{"detail":"other imports are running"}"#;

/// A server that returns these answers in turn, each on its own connection.
fn server(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let (mut head, mut body_len) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).unwrap() > 0 {
                let line = head.lines().last().unwrap_or_default().to_lowercase();
                body_len = line.strip_prefix("content-length: ").map_or(body_len, |len| len.parse().unwrap());
            }
            stream.read_exact(&mut vec![0; body_len]).unwrap();
            requests.push(head.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
            stream.get_mut().write_all(format!("HTTP/1.1 {answer}").as_bytes()).unwrap();
        }
        requests
    });
    (origin, asked)
}

fn ok(body: &str) -> String {
    format!("200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn busy(retry_after: &str) -> String {
    let head = format!("429 Too Many Requests\r\nConnection: close\r\nRetry-After: {retry_after}");
    format!("{head}\r\nContent-Length: {}\r\n\r\n{BUSY}", BUSY.len())
}

fn import(origin: &str) -> support::Done {
    let home = Home::new();
    let (keys, token) = (home.write("keys.xml", KEYS), home.write("token", "t"));
    let [keys, token] = [keys, token].map(|path| support::shown(&path));
    home.run(&["admin", "key", "import", &keys, "--server", origin, "--token-file", &token, "--json"])
}

#[test]
fn an_import_waits_for_a_busy_server_as_long_as_requested_and_says_so() {
    let progress = r#"{"id":"i","done":1,"accepted":1,"duplicate":0,"refused":0,"rejected":[]}"#;
    let batch = r#"{"accepted":1,"duplicate":[],"refused":[],"done":1}"#;
    let not_found = format!("{NOT_FOUND}Connection: close\r\n\r\n");
    let (origin, asked) = server(vec![not_found, busy("1"), busy("0"), ok(batch), ok(progress)]);
    let begun = Instant::now();
    let done = import(&origin).success();
    assert_eq!(done.json()["accepted"], 1);
    assert_eq!(done.err.matches("waiting 1 s").count(), 2, "at least a second each: {done:#?}");
    assert!(begun.elapsed() >= Duration::from_secs(2), "it does not come too soon");
    let requests = asked.join().unwrap();
    assert_eq!(requests.len(), 5);
    assert_eq!((&requests[1], &requests[1]), (&requests[2], &requests[3]), "the same part again");
}

#[test]
fn an_import_does_not_wait_forever() {
    for retry_after in ["86400", "tomorrow", "-1", "18446744073709551615"] {
        let (origin, asked) = server(vec![format!("{NOT_FOUND}Connection: close\r\n\r\n"), busy(retry_after)]);
        let done = import(&origin);
        assert_eq!(done.code, Some(1), "{done:#?}");
        assert!(done.json()["error"].as_str().unwrap().contains("other imports are running"), "{done:#?}");
        assert_eq!(asked.join().unwrap().len(), 2);
    }
}
