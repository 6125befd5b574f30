//! Untrusted texts of key files, servers and triggers reach a terminal, a program or a shell only as text.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use pskc::is_deceptive;
use serde_json::{Value, json};
use support::{Done, Home, code_of, text};

/// The longest line for one hostile value.
const LONGEST: usize = 2_500;

/// Hostile names.
fn hostile() -> Vec<String> {
    let mut all: Vec<String> = [
        "\u{9b}2J",
        "a\u{202e}b",
        "a\nb: forged",
        "\u{7f}",
        "\u{2066}x",
        "\u{e0041}",
        "$(id)`id`';#",
        "a ",
        "a\u{a0}b",
    ]
    .map(str::to_owned)
    .into();
    all.push("\u{ad}\u{34f}\u{3164}\u{2800}\u{e000}\u{fe0f}\u{ffa0}\u{e0100}".into());
    all.push("x".repeat(5000));
    all
}

/// Checks that both streams are harmless, with as many lines as for a harmless text.
fn harmless(done: &Done, what: &str, args: &[&str]) {
    for stream in [&done.out, &done.err] {
        let wrong = stream.chars().find(|c| is_deceptive(*c) && *c != '\n');
        assert!(wrong.is_none(), "{args:?} {what:?} lets {wrong:?} through: {stream:?}");
        let longest = stream.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        let is_document = args.contains(&"--json"); // complete, for programs
        assert!(is_document || longest <= LONGEST, "{args:?} makes a line of {longest} characters");
        assert!(!stream.lines().any(|line| line.starts_with("b: forged")), "{args:?} begins a line: {stream:?}");
    }
    assert!(!done.err.contains("panicked"), "{args:?} {done:#?}");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;").replace('\n', "&#10;")
}

/// A key file with this text in every possible place.
fn key_file(text: &str) -> String {
    let text = escaped(text);
    format!(
        r#"<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0"><KeyPackage><DeviceInfo><Manufacturer>{text}</Manufacturer><SerialNo>{text}</SerialNo></DeviceInfo><Key Id="{text}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><Issuer>{text}</Issuer><AlgorithmParameters><ResponseFormat Length="6" Encoding="DECIMAL"/></AlgorithmParameters><FriendlyName>{text}</FriendlyName><Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter></Data><UserId>{text}</UserId></Key></KeyPackage></KeyContainer>"#
    )
}

#[test]
fn nothing_in_a_key_file_reaches_a_terminal_or_the_store_raw() {
    for text in hostile() {
        let mut home = Home::new();
        home.set("DSKPP_STORE_KEY_FILE", "store.key"); // no slow key derivation
        home.write("keys.xml", key_file(&text));
        let twice = key_file(&text).replace("</KeyPackage></", &format!("</KeyPackage>{}</", package(&text)));
        home.write("twice.xml", twice);
        home.write(
            "lenient.xml",
            key_file(&text).replace("Version=\"1.0\"", &format!("Version=\"1.{}\"", escaped(&text))),
        );
        home.write("faulty.xml", format!("<{0} xmlns=\"urn:x\"><{0}>", "n".repeat(5000)));
        home.write("keys.csv", format!("id,secret,{}\n", text.replace(['\n', '"', ','], "")));
        home.write("keys.json", json!({ "keys": [{ "id": text, text.clone(): 1 }] }).to_string());
        home.write("devices.csv", format!("manufacturer,serial,{}\n", text.replace(['\n', '"', ','], "")));
        for args in [
            &["pskc", "inspect", "keys.xml"][..],
            &["pskc", "inspect", "keys.xml", "--json"],
            &["pskc", "inspect", "--lenient", "lenient.xml"],
            &["pskc", "inspect", "lenient.xml"],
            &["pskc", "inspect", "faulty.xml"],
            &["pskc", "check", "keys.xml"],
            &["pskc", "check", "twice.xml"],
            &["pskc", "check", "twice.xml", "--json"],
            &["pskc", "check", "lenient.xml"],
            &["pskc", "convert", "keys.xml", "-o", "users.oath", "--to", "users", "--skip"],
            &["pskc", "convert", "keys.xml", "-o", "users.oath", "--to", "users", "--force"],
            &["pskc", "convert", "keys.csv", "-o", "a.xml"],
            &["pskc", "convert", "keys.json", "-o", "b.xml"],
            &["pskc", "verify", "keys.xml", "--ca", "keys.xml"],
            &["token", "import", "keys.xml"],
            &["token", "import", "keys.xml", "--json"],
            &["token", "list"],
            &["token", "list", "--json"],
        ] {
            harmless(&home.run(args), &text, args);
        }
        let kept = home.json(&["token", "list"]);
        let items = kept["items"].as_array().unwrap();
        assert_eq!(items.len(), usize::from(pskc::is_name(&text)), "{text:?}");
    }
}

fn package(text: &str) -> String {
    let file = key_file(text);
    let (begin, end) = (file.find("<KeyPackage>").unwrap(), file.find("</KeyContainer>").unwrap());
    file[begin..end].to_owned()
}

/// Answers every request with this document.
fn server(status: &str, content_type: &str, location: &str, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nLocation: {location}\r\nRetry-After: {location}\r\n"
    );
    let answer = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let (mut head, mut octet) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut octet), Ok(1)) {
                head.push(octet[0]);
            }
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn nothing_that_a_server_of_the_admin_api_says_reaches_a_terminal_raw() {
    for hostile in hostile() {
        let home = Home::new();
        home.write("token", "t");
        let mut item = json!({});
        for name in ["id", "key_id", "state", "key_type", "user", "manufacturer", "serial", "key_name", "name", "token"]
            .into_iter()
            .chain(["authentication_code", "trigger_url", "expires_at", "server_url", "client_id", "password"])
            .chain(["certificate_pem", "created_at", "renews", "enrolment", "url_s", hostile.as_str()])
            .chain(["chain", "at", "event", "subject", "hash"])
        {
            item[name] = Value::from(hostile.clone());
        }
        let mut document = item.clone();
        document["items"] = json!([item]);
        document["detail"] = Value::from(hostile.clone());
        let unreadable = document.to_string();
        // The same, with the mandatory members of each answer.
        let known = json!({
            "state": "active", "key_type": "hotp", "params": { "suite": hostile }, "activate": "at-once", "methods": [],
            "failed_attempts": 1, "has_shared_key": true, "has_certificate": true, "valid": true, "roles": ["read"],
            "wrong_tries": [{ "address": hostile, "count": 1, "locked_until": hostile }],
            "last_refusal": { "cause": "used", "detail": hostile, "at": hostile },
            "device": { "manufacturer": hostile, "serial": hostile },
            "done": 1, "accepted": 1, "duplicate": 1, "refused": 1, "seq": 1,
        });
        let merge = |whole: &mut Value| whole.as_object_mut().unwrap().extend(known.as_object().unwrap().clone());
        merge(&mut document);
        merge(&mut document["items"][0]);
        let whole = document.to_string();
        for (status, reason, body) in [
            ("200", "OK", &whole),
            ("200", "OK", &unreadable),
            ("409", "\u{9b}2J \u{202e}", &unreadable),
            ("500", "x", &unreadable),
        ] {
            let origin = server(&format!("{status} {reason}"), "application/json", "/", body);
            let common = ["--token-file", "token", "--server", &origin];
            let exported = home.run(&[&["admin", "audit", "export"][..], &common].concat());
            assert!(!exported.out.chars().any(|c| is_deceptive(c) && c != '\n'), "{:?}", exported.out);
            for args in [
                &["admin", "key", "list"][..],
                &["admin", "key", "show", "k"],
                &["admin", "key", "revoke", "k"],
                &["admin", "device", "list"],
                &["admin", "device", "show", "d"],
                &["admin", "user", "list"],
                &["admin", "enrolment", "list", "--all"],
                &["admin", "token", "list"],
                &["admin", "import", "list", "--all"],
                &["admin", "audit", "list"],
                &["admin", "audit", "verify"],
                &["admin", "user", "create", "u"],
                &["admin", "enrolment", "create", "--user", "u", "--key-type", "hotp"],
                &["admin", "enrolment", "show", "e"],
                &["admin", "token", "create", "t", "--role", "read"],
                &["admin", "validate", "123456", "--user", "u"],
            ] {
                let args = [args, &common].concat();
                harmless(&home.run(&args), &hostile, &args);
                let args = [&args[..], &["--json"]].concat();
                let done = home.run(&args);
                assert!(!done.out.chars().any(|c| is_deceptive(c) && c != '\n'), "{args:?} {:?}", done.out);
                // A user in a list has nothing but texts.
                let is_read = status == "200" && (body == &whole || args[1..3] == ["user", "list"]);
                if matches!(args[2], "list" | "show") {
                    assert_eq!(done.json().get("error").is_none(), is_read, "{args:?} {done:#?}");
                }
                if is_read && args[2] == "list" {
                    let name = match args[1] {
                        "key" => "key_id",
                        "audit" => "subject",
                        _ => "id",
                    };
                    assert_eq!(text(&done.json()["items"][0], name), hostile, "{args:?}"); // means the same
                }
            }
        }
    }
}

#[test]
fn nothing_that_a_dskpp_server_or_a_trigger_says_reaches_a_terminal_raw() {
    let code = code_of("AC00000A", "3582AF0C3E");
    for hostile in ["\u{9b}2J\u{202e}", "x\t\u{7f}", &"x".repeat(5000)] {
        let mut home = Home::new();
        home.set("DSKPP_STORE_KEY_FILE", "store.key");
        for status in ["200 OK", "307 Temporary Redirect", "429 Too Many Requests", "500 \u{9b}"] {
            for content_type in ["application/dskpp+xml", hostile] {
                let hello = format!(
                    "<KeyProvServerHello xmlns=\"urn:ietf:params:xml:ns:keyprov:dskpp\" Version=\"1.0\" \
                     Status=\"{0}\"><{1}/></KeyProvServerHello>",
                    escaped(hostile),
                    "n".repeat(3000)
                );
                let url = server(status, content_type, hostile, &hello) + "/dskpp";
                let args = ["enroll", &url, "--code", &code];
                harmless(&home.run(&args), hostile, &args);
                let args = ["enroll", "--trigger", &url];
                harmless(&home.run(&args), hostile, &args);
            }
        }
        let nonce = "MTIzNDU2Nzg5MDEyMzQ1Ng==";
        let key_id = data_encoding::BASE64.encode(hostile.as_bytes());
        let trigger = format!(
            "<KeyProvTrigger xmlns=\"urn:ietf:params:xml:ns:keyprov:dskpp\" xmlns:p=\"urn:ietf:params:xml:ns:keyprov:pskc\" \
             Version=\"1.0\"><InitializationTrigger><DeviceIdentifierData><DeviceId><p:Manufacturer>{0}</p:Manufacturer>\
             <p:SerialNo>{0}</p:SerialNo></DeviceId></DeviceIdentifierData><KeyID>{key_id}</KeyID><AuthenticationData>\
             <ClientID>AC00000A</ClientID><AuthenticationCodeMac><Nonce>{nonce}</Nonce><IterationCount>1</IterationCount>\
             <Mac>{nonce}</Mac></AuthenticationCodeMac></AuthenticationData><ServerUrl>https://{0}.example/</ServerUrl>\
             </InitializationTrigger></KeyProvTrigger>",
            escaped(hostile)
        );
        home.write("t.dskpp", trigger);
        for args in [
            &["enroll", "--trigger", "t.dskpp"][..],
            &["enroll", "--trigger", "t.dskpp", "--ask"],
            &["enroll", "--trigger", "t.dskpp", "--device", "Acme:7"],
        ] {
            harmless(&home.run(args), hostile, args);
        }
    }
}
