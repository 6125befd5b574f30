//! The reader of the server's log cannot stop the server: neither by closing it nor by reading nothing.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use support::{Home, Server, text};

/// Far more than the grace period of a shutdown without requests.
const SOON: Duration = Duration::from_secs(5);

/// One complete enrolment.
fn enrol(home: &Home, server: &Server) {
    let enrolment = server.api(Method::POST, "/enrolments", Some(&json!({ "user": "alice", "key_type": "totp" })));
    let (url, ca, code) = (server.url(), support::shown(&server.ca), text(&enrolment, "authentication_code"));
    let done = home.json(&["enroll", &url, "--ca", &ca, "--code", &code]);
    assert_eq!(done["status"], "Success", "{done}");
    assert_eq!(server.state(&enrolment), "active");
}

#[test]
fn a_closed_log_causes_no_failure() {
    let mut home = Home::new();
    home.set("DSKPP_LOG_LEVEL", "debug");
    let mut server = Server::start_unread(&home, 0);
    server.close_log();
    (0..3).for_each(|_| enrol(&home, &server));
    server.signal("TERM");
    assert_eq!(server.ended(SOON), Some(0));
}

#[test]
fn an_unread_log_stops_neither_runs_nor_shutdown() {
    let mut home = Home::new();
    home.set("DSKPP_LOG_LEVEL", "debug");
    home.set("DSKPP_LIMITS_REQUESTS_PER_ADDRESS_PER_S", "0"); // a fast machine would reach the limit
    let mut server = Server::start_unread(&home, 0);
    fill_log(&server);
    (0..3).for_each(|_| enrol(&home, &server));
    server.signal("TERM");
    assert_eq!(server.ended(SOON), Some(0));
}

#[test]
fn lost_lines_are_counted_and_reported_later() {
    let mut home = Home::new();
    home.set("DSKPP_LOG_LEVEL", "debug");
    home.set("DSKPP_LOG_FORMAT", "json");
    home.set("DSKPP_LIMITS_REQUESTS_PER_ADDRESS_PER_S", "0"); // a fast machine would reach the limit
    let mut server = Server::start_unread(&home, 0);
    fill_log(&server);
    server.read_log();
    let until = Instant::now() + Duration::from_secs(60);
    let lost = loop {
        let log = server.log();
        if let Some(line) = log.lines().find(|line| line.contains("lost log lines")) {
            break serde_json::from_str::<serde_json::Value>(line).unwrap()["fields"]["lost"].as_u64().unwrap();
        }
        assert!(Instant::now() < until, "nothing says that lines were lost");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(lost > 0);
    assert!(server.log().lines().all(|line| line.starts_with('{') || line.contains("listening")), "no line is cut");
    enrol(&home, &server);
}

/// Makes the server log far more than a pipe (64 KiB) and its own buffer (256 KiB) hold, in lines of some 600 octets.
fn fill_log(server: &Server) {
    let long = format!("<a{}/>", "x".repeat(3000));
    (0..1200).for_each(|_| assert_eq!(server.post(&long), 400));
}
