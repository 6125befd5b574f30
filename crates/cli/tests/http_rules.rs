//! The rules of the HTTP client, in every command that uses it: no proxy for this machine, no plain HTTP to other
//! machines, and no redirection that would forward a token.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use support::{Home, Server, code_of, text};

/// The timeout for a request.
const MOST: Duration = Duration::from_secs(60);
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// A server that always gives this answer, and reports requests.
fn listener(answer: String) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (report, asked) = channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut head, mut octet) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
                head.push(octet[0]);
            }
            let _ = report.send(String::from_utf8_lossy(&head).into_owned());
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (url, asked)
}

fn refusal() -> (String, Receiver<String>) {
    listener("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".into())
}

fn through(home: &mut Home, proxy: &str) {
    PROXIES.iter().for_each(|name| home.set(name, proxy));
    home.set("NO_PROXY", "");
    home.set("no_proxy", "");
}

#[test]
fn this_machine_is_never_contacted_through_a_proxy() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let (proxy, asked) = refusal();
    through(&mut home, &proxy);
    let create = ["admin", "enrolment", "create", "--user", "u", "--key-type", "hotp"];
    let ca = ["--ca", "dskpp-data/tls/ca.pem"];
    let code = text(&home.json(&create), "authentication_code");
    home.json(&[&["enroll", &server.url(), "--code", &code][..], &ca].concat());
    let trigger = text(&home.json(&create), "trigger_url");
    home.json(&[&["enroll", "--trigger", &trigger][..], &ca].concat());
    let origin = format!("https://127.0.0.1:{}", server.port);
    let bench = ["bench", "--count", "1", "--concurrency", "1", "--token-file", "dskpp-data/admin-token", "--server"];
    home.json(&[&bench[..], &[&origin], &ca].concat());
    assert!(asked.try_recv().is_err(), "a proxy was asked for this machine");
}

/// Every command that contacts a server, for `origin`.
fn commands(origin: &str) -> Vec<Vec<String>> {
    let (dskpp, code) = (format!("{origin}/dskpp"), code_of("AC00000A", "3582AF0C3E"));
    let all: [&[&str]; 7] = [
        &["admin", "audit", "verify", "--token-file", "token", "--server", origin],
        &["admin", "key", "list", "--token-file", "token", "--server", origin],
        &["admin", "device", "list", "--token-file", "token", "--server", origin],
        &["admin", "key", "show", "k", "--token-file", "token", "--server", origin],
        &["bench", "--count", "1", "--token-file", "token", "--server", origin],
        &["enroll", &dskpp, "--code", &code],
        &["enroll", "--trigger", &dskpp],
    ];
    all.iter().map(|args| args.iter().map(|arg| (*arg).to_owned()).collect()).collect()
}

#[test]
fn no_token_is_sent_to_another_machine_in_plaintext() {
    let mut home = Home::new();
    home.write("token", "a-secret-token");
    let (proxy, asked) = refusal();
    through(&mut home, &proxy);
    // Requests to other machines would reach this proxy.
    for host in ["192.0.2.1", "192.0.2.1:8443", "localhost.example", "127.0.0.1.example", "[2001:db8::1]"] {
        for command in commands(&format!("http://{host}")) {
            let done = home.run(&command);
            assert!(matches!(done.code, Some(1 | 2)), "{command:?} {done:#?}");
            assert!(done.err.contains("https"), "{command:?} does not say what to do: {done:#?}");
            assert!(!done.err.contains("a-secret-token"), "{done:#?}");
        }
    }
    assert!(asked.try_recv().is_err(), "something was sent");
}

#[test]
fn other_machines_are_contacted_through_the_environments_proxy() {
    let mut home = Home::new();
    home.write("token", "a-secret-token");
    let (proxy, asked) = refusal();
    through(&mut home, &proxy);
    for command in commands("https://192.0.2.1:8443").iter().filter(|command| command[0] != "bench") {
        assert_eq!(home.run(command).code, Some(1), "{command:?}");
        let asked = asked.recv_timeout(MOST).unwrap();
        assert!(asked.starts_with("CONNECT 192.0.2.1:8443"), "{command:?} {asked}");
        assert!(!asked.contains("a-secret-token"), "{asked}");
    }
}

#[test]
fn no_redirection_forwards_a_token() {
    let home = Home::new();
    home.write("token", "a-secret-token");
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent"] {
        let (elsewhere, sent_elsewhere) = refusal();
        let head = format!("HTTP/1.1 {status}\r\nLocation: {elsewhere}/\r\n");
        let (origin, asked) = listener(head + "Content-Length: 0\r\nConnection: close\r\n\r\n");
        for command in commands(&origin) {
            assert_eq!(home.run(&command).code, Some(1), "{status} {command:?}");
            let asked = asked.recv_timeout(MOST).unwrap();
            assert_eq!(asked.contains("authorization: Bearer a-secret-token"), command[0] != "enroll", "{asked}");
        }
        assert!(sent_elsewhere.try_recv().is_err(), "{status} was followed");
    }
}

#[test]
fn an_unreadable_admin_api_answer_is_an_error_with_its_cause() {
    let home = Home::new();
    home.write("token", "t");
    home.write("keys.json", r#"{"keys":[{"id":"a","algorithm":"hotp","secret_hex":"00112233445566778899"}]}"#);
    home.run(&["pskc", "convert", "keys.json", "-o", "keys.xml"]).success();
    let not_json = "is not JSON";
    for (body, lists, imports) in [
        ("", not_json, not_json),
        ("<html/>", not_json, not_json),
        ("{\"items\":[", not_json, not_json),
        ("{}", "missing field `items` at line 1", "missing field `id` at line 1"),
        ("[1]", "integer `1`, expected a sequence at line 1", "integer `1`, expected a string at line 1"),
        ("{\"items\":3,\"done\":-1,\"accepted\":\"x\"}", "integer `3`", "integer `-1`"),
        ("{\"items\":null,\"done\":1.5,\"accepted\":1e300}", "invalid type: null", "floating point `1.5`"),
        ("{\"items\":[{}]}", "expected a", "missing field `id`"),
        ("{\"items\":[{\"key_id\":\"k\",\"id\":\"d\",\"state\":\"lost\"}]}", "expected a", "missing field `id`"),
    ] {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
        let (origin, _asked) = listener(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
        let common = ["--token-file", "token", "--server", &origin];
        for (args, words) in [
            (&["admin", "key", "list"][..], lists),
            (&["admin", "device", "list"], lists),
            (&["admin", "user", "list"], lists),
            (&["admin", "audit", "verify"], lists),
            (&["admin", "key", "import", "keys.xml"], imports),
        ] {
            let done = home.run(&[args, &common].concat());
            assert!(done.code == Some(1) && done.err.contains(words), "{args:?} {body}: {done:#?}");
            assert!(!done.err.contains("panicked") && done.out.is_empty(), "{args:?} {body}: {done:#?}");
        }
    }
}
