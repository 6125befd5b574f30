//! Two servers behind HAProxy and behind nginx, with the files in `packaging/`.
//!
//! Skipped with a message where these are not installed, unless `DSKPP_PEER_CHECKS=required`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod fleet;
#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use fleet::{Fleet, Kind};
use serde_json::Value;
use support::{Done, shown, text};

#[test]
fn clients_enroll_through_haproxy_under_a_prefix() {
    clients_enroll_under_a_prefix(Kind::HaProxy);
}

#[test]
fn clients_enroll_through_nginx_under_a_prefix() {
    clients_enroll_under_a_prefix(Kind::Nginx);
}

#[test]
fn limits_hold_per_client_behind_haproxy() {
    limits_hold_per_client(Kind::HaProxy);
}

#[test]
fn limits_hold_per_client_behind_nginx() {
    limits_hold_per_client(Kind::Nginx);
}

#[test]
fn no_run_fails_while_servers_behind_haproxy_are_restarted() {
    no_run_fails_while_servers_are_restarted(Kind::HaProxy);
}

#[test]
fn no_run_fails_while_servers_behind_nginx_are_restarted() {
    no_run_fails_while_servers_are_restarted(Kind::Nginx);
}

/// Every variant, and every way to begin; the ids of requests stand in both logs and in answers of the admin API.
fn clients_enroll_under_a_prefix(kind: Kind) {
    let Some(fleet) = Fleet::start(kind, &[]) else { return };
    let (home, url, ca) = (&fleet.home, format!("{}/dskpp", fleet.origin), fleet.ca());
    let create = || home.json(&["admin", "enrolment", "create", "--user", "ann", "--key-type", "totp"]);
    for more in [&[][..], &["--variant", "two-pass"]] {
        let code = text(&create(), "authentication_code");
        let key = home.json(&[&["enroll", &url, "--code", &code, "--ca", &ca][..], more].concat());
        let secret = text(&home.json(&["token", "export", &text(&key, "key_id")]), "secret_hex");
        assert_eq!(secret, fleet.nodes[0].secret(&text(&key, "key_id")), "{more:?}");
    }

    // The link, its page, and what both lead back to.
    let link = text(&create(), "trigger_url");
    assert!(link.starts_with(&format!("{}/enroll/", fleet.origin)), "{link}");
    let client = fleet.client_at([127, 0, 0, 2]);
    let (_, page) = fleet.send(client.get(&link));
    assert!(page.contains("href=\"?download\"") && page.contains(&format!("--trigger '{link}'")), "{page}");
    assert_eq!(fleet.send(client.get(format!("{link}?download"))).0, 200);
    home.json(&["enroll", "--trigger", &link, "--ca", &ca]);
    assert_eq!(fleet.send(client.get(&link)).0, 410);

    // Not what strangers say.
    let path = format!("{}/api/v1/keys", fleet.origin);
    let forged = client.get(&path).header("X-Request-ID", "forged-id").bearer_auth("no-token");
    let problem: Value = serde_json::from_str(&fleet.send(forged).1).unwrap();
    let id = text(&problem, "request_id");
    assert!(id.len() >= 32 && id != "forged-id", "{problem}");
    until("the balancer logs the id", || fleet.access_log().contains(&format!("id={id}")));

    // Every run, from its server's log to the balancer's.
    let logs = fleet.nodes.each_ref().map(support::Server::log).concat();
    let runs: Vec<_> = logs.lines().filter(|line| line.contains("key provisioned")).collect();
    assert_eq!(runs.len(), 3, "{logs}");
    for run in runs {
        let id = run.split_once("request{id=").and_then(|(_, rest)| rest.split_once('}')).expect(run).0;
        until("the balancer logs the run's id", || fleet.access_log().contains(&format!("id={id}")));
    }
    let secret = link.rsplit_once('/').unwrap().1;
    assert!(!fleet.access_log().contains(secret), "the secret of a link is in the log:\n{}", fleet.access_log());
    assert!(!logs.contains("forged-id"));
    for path in ["/readyz", "/healthz"] {
        let (status, _) = fleet.send(client.get(format!("{}{path}", fleet.origin)));
        assert_eq!(status, 404, "{path} is for the balancer");
    }
    hostile_ids(&fleet);
}

/// Ids that others than the balancer send, and what would break a line of the log.
fn hostile_ids(fleet: &Fleet) {
    let node = &fleet.nodes[0];
    let url = format!("https://localhost:{}/keys/api/v1/keys", node.port);
    let ask = |from, id: &str| {
        let (status, body) = fleet.send(fleet.client_at(from).get(&url).header("X-Request-ID", id));
        (status, serde_json::from_str::<Value>(&body).unwrap_or_default())
    };
    let (status, problem) = ask([127, 0, 0, 9], "of-a-stranger");
    assert_eq!((status, problem.get("request_id")), (401, None));
    let (status, problem) = ask([127, 0, 0, 1], "of.the-balancer_1");
    assert_eq!((status, &problem["request_id"]), (401, &"of.the-balancer_1".into()));
    for hostile in ["a}: INFO key provisioned", "a b", "\"", "", &"a".repeat(129)] {
        assert_eq!(ask([127, 0, 0, 1], hostile).0, 400, "{hostile:?}");
    }
    until("the fault is logged", || node.log().contains("`X-Request-ID` is not one id"));
    assert!(!node.log().contains("a}:") && !node.log().contains("of-a-stranger"));
}

/// One client's requests use up its own limit, whatever it says about itself.
fn limits_hold_per_client(kind: Kind) {
    let settings =
        [("DSKPP_LIMITS_REQUESTS_PER_ADDRESS_PER_S", "1"), ("DSKPP_LIMITS_REQUESTS_PER_ADDRESS_BURST", "10")];
    let Some(fleet) = Fleet::start(kind, &settings) else { return };
    let (greedy, other) = (fleet.client_at([127, 0, 0, 2]), fleet.client_at([127, 0, 0, 3]));
    let ask = |client: &reqwest::Client, claim: String| {
        let url = format!("{}/enroll/AAAA", fleet.origin);
        let request = client.get(url).header("X-Forwarded-For", &claim).header("Forwarded", format!("for={claim}"));
        fleet.send(request).0
    };
    let statuses: Vec<_> = (1..=80).map(|number| ask(&greedy, format!("198.51.100.{number}"))).collect();
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    let (found, refused) = (count(404), count(429));
    assert!(refused >= 30, "80 requests, 2 servers that allow 10 and one per second, {refused} refused");
    assert_eq!((statuses[0], found + refused), (404, 80));
    assert_eq!(ask(&other, "127.0.0.2".into()), 404, "another client is not affected");
}

/// Both servers stop gracefully and start again, one after the other, while runs go through the balancer.
fn no_run_fails_while_servers_are_restarted(kind: Kind) {
    let Some(mut fleet) = Fleet::start(kind, &[("DSKPP_LIMITS_REQUESTS_PER_ADDRESS_PER_S", "0")]) else { return };
    let token = shown(&fleet.home.path("dskpp-data/admin-token"));
    let load = ["--variant", "two-pass", "--method", "wrap", "--concurrency", "8", "--seconds", "25"];
    let target = ["--server", &fleet.origin, "--token-file", &token, "--ca", &fleet.ca()];
    let bench = fleet.home.begin(&[&["bench", "--json"][..], &load, &target].concat());
    let is_busy = |log: String| log.contains("key provisioned");
    for at in [0, 1] {
        until("runs reach both servers", || is_busy(fleet.nodes[at].log()));
        let stopped = Instant::now();
        fleet.nodes[at].signal("TERM");
        assert_eq!(fleet.nodes[at].ended(Duration::from_secs(30)), Some(0), "{}", fleet.nodes[at].log());
        assert!(stopped.elapsed() >= Duration::from_secs(5), "it drains");
        fleet.restart(at);
        until("runs reach the restarted server", || is_busy(fleet.nodes[at].log()));
    }
    let report = Done::of(bench).success().json();
    let counts = report["status_counts"].as_object().unwrap();
    assert!(counts.len() == 1 && counts["Success"].as_u64() > Some(100), "{report}");
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let most = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < most, "not after a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
