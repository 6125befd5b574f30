//! A server's memory keeps nothing reusable (RFC 6063 §§3.3, 4.2.5): the test searches it after
//! a hundred runs, successful and failed.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::{Duration, Instant};

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use dskpp::client::Credential;
use dskpp_client::{EnrollRequest, FileStore, TokenStore as _, Transport, TransportOptions, Unlock, enroll};
use memchr::memmem::Finder;
use reqwest::Method;
use serde_json::json;
use support::{Home, Server, text};

const RUNS: usize = 100;
/// How long the server may take to release ended connections.
const MOST: Duration = Duration::from_secs(20);

/// What must not be found, and its name.
struct Needle(String, Finder<'static>);

fn needle(what: impl Into<String>, octets: &[u8]) -> Needle {
    assert!(octets.len() >= 16, "short octets are found by chance");
    Needle(what.into(), Finder::new(octets).into_owned())
}

/// A key as octets, and as encoded in texts.
fn needles_of_key(what: &str, key: &[u8]) -> [Needle; 4] {
    [
        needle(what, key),
        needle(format!("{what} in lower case"), HEXLOWER.encode(key).as_bytes()),
        needle(format!("{what} in upper case"), HEXUPPER.encode(key).as_bytes()),
        needle(format!("{what} in base64"), BASE64.encode(key).as_bytes()),
    ]
}

/// The needles found in a process's writable memory.
fn found(process: u32, needles: &[Needle]) -> Vec<String> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let mut memory = std::fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let range = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [range.0, range.1].map(|address| u64::from_str_radix(address, 16).unwrap());
        let mut octets = vec![0; usize::try_from(to - from).unwrap()];
        if memory.seek(SeekFrom::Start(from)).is_err() || memory.read_exact(&mut octets).is_err() {
            continue; // unmapped meanwhile
        }
        for Needle(what, finder) in needles {
            if let Some(at) = finder.find(&octets) {
                let around = &octets[at.saturating_sub(64)..octets.len().min(at + 128)];
                found.push(format!("{what}, within {}", around.escape_ascii()));
            }
        }
    }
    found
}

#[test]
fn s3_3_s4_2_5_no_code_key_or_token_stays_in_the_memory_of_a_server_after_its_run() {
    let mut home = Home::new();
    let mut server = Server::start(&mut home);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = TransportOptions::trusting(Some(server.ca.clone()));
    let mut store = FileStore::open_or_create(&home.path("tokens.db"), &Unlock::KeyFile(home.path("key"))).unwrap();
    let mut needles = vec![needle("the admin token", server.token.as_bytes())];
    for run in 0..RUNS {
        let variant = if run % 2 == 0 { "four-pass" } else { "two-pass" };
        let body = json!({ "user": format!("user {run}"), "key_type": "totp", "variant": variant });
        let enrolment = server.api(Method::POST, "/enrolments", Some(&body));
        let code = text(&enrolment, "authentication_code");
        needles.push(needle(format!("code {run}"), code.as_bytes()));
        needles.push(needle(format!("password {run}"), text(&enrolment, "password").as_bytes()));
        let transport = Transport::new(&options).unwrap();
        let request = EnrollRequest::new(Some(server.url()), Credential::Code(code.parse().unwrap()));
        let enrolled = runtime.block_on(enroll(&transport, &mut store, request)).unwrap();
        if run % 4 < 2 {
            server.secret(&enrolled.key_id);
        }
        let token = store.load().unwrap().find(&enrolled.key_id).unwrap().clone();
        needles.extend(needles_of_key(&format!("K_TOKEN {run}"), token.secret.expose()));
        needles.extend(needles_of_key(&format!("K_MAC {run}"), token.k_mac.unwrap().expose()));
    }
    drop(runtime); // with the connections of the runs
    let process = server.pid();
    let begun = Instant::now();
    server.close_connections();
    let mut left = found(process, &needles);
    while !left.is_empty() && begun.elapsed() < MOST {
        std::thread::sleep(Duration::from_millis(200));
        left = found(process, &needles);
    }
    assert!(left.is_empty(), "{left:#?}");
}
