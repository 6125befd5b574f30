//! Startup, and readiness afterwards: what the server reports about its disk, keys and clock.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use support::{Home, Server, shown, text};

const KEK: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The answer of `/readyz`.
fn ready(server: &Server) -> (u16, String) {
    let (status, body) = server.get(&format!("https://localhost:{}/readyz", server.port), "*/*");
    (status, String::from_utf8(body).unwrap())
}

/// Repeats the request until the answer has this status and one of the words, for a few seconds.
fn becomes(server: &Server, what: &str, status: u16, words: &[&str]) {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let (now, said) = ready(server);
        if now == status && (words.is_empty() || words.iter().any(|word| said.contains(word))) {
            return;
        }
        assert!(Instant::now() < until, "{what}: {now} {said}\n{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn create(server: &Server, name: &str) -> (u16, Value) {
    server.call(Method::POST, "/users", Some(&json!({ "name": name })))
}

/// Limits the file size of a process, like a full disk.
fn limit_files(server: &Server, octets: &str) {
    let limit =
        Command::new("prlimit").args([&format!("--pid={}", server.pid()), &format!("--fsize={octets}:")]).status();
    assert!(limit.expect("prlimit (util-linux) is needed for this test").success());
}

#[test]
fn readyz_reports_a_full_disk_and_recovers() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    assert_eq!(ready(&server), (200, "ok\n".into()));
    let database = home.path("dskpp-data/dskpp.db");
    let away = home.path("away");

    limit_files(&server, "4096");
    becomes(&server, "full", 503, &["too large", "full"]);
    limit_files(&server, "unlimited");
    becomes(&server, "no longer full", 200, &[]);

    let lock = rusqlite::Connection::open(&database).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    becomes(&server, "locked", 503, &["locked"]);
    lock.execute_batch("ROLLBACK").unwrap();
    becomes(&server, "no longer locked", 200, &[]);
    drop(lock);

    fs::rename(&database, &away).unwrap();
    becomes(&server, "deleted", 503, &["deleted"]);
    assert_eq!(create(&server, "lost").0, 503, "nothing is acknowledged that a restart would not find");
    fs::copy(&away, &database).unwrap();
    becomes(&server, "replaced", 503, &["replaced"]);
    fs::rename(&away, &database).unwrap();
    becomes(&server, "back", 200, &[]);
    assert_eq!(create(&server, "kept").0, 201);

    let other = rusqlite::Connection::open(&database).unwrap();
    other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    becomes(&server, "all in one file", 200, &[]);
    fs::OpenOptions::new().write(true).open(&database).unwrap().set_len(4096).unwrap();
    becomes(&server, "cut", 503, &["damaged"]);
    assert_eq!(create(&server, "lost").0, 503);
    let (healthy, _) = server.get(&format!("https://localhost:{}/healthz", server.port), "*/*");
    assert_eq!(healthy, 200, "the process is alive");
    let said = ready(&server).1;
    assert!(!said.contains(&shown(&home.path(""))), "strangers need no paths: {said}");
}

/// The disk is checked about once a second, however many requests come.
#[test]
fn many_requests_cause_few_disk_checks() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let begun = Instant::now();
    let mut answers = 0;
    let mut looks = std::collections::BTreeSet::new();
    while begun.elapsed() < Duration::from_secs(3) {
        assert_eq!(ready(&server).0, 200);
        answers += 1;
        // Each check creates a file there, and removes it.
        looks.insert(fs::metadata(home.path("dskpp-data")).unwrap().modified().unwrap());
    }
    assert!(answers > 10 && (2..=5).contains(&looks.len()), "{answers} answers, {looks:?}");
}

#[test]
fn half_of_a_store_is_refused_until_init_creates_a_new_one() {
    for (lost, words) in [("dskpp.db", "missing or empty"), ("kek", "key-encryption key is missing")] {
        let mut home = Home::new();
        let server = Server::start(&mut home);
        let ca = fs::read(&server.ca).unwrap();
        assert_eq!(create(&server, "old").0, 201);
        server.kill();
        let lost_file = home.path("dskpp-data").join(lost);
        fs::rename(&lost_file, home.path("kept")).unwrap();
        if lost == "dskpp.db" {
            for end in ["-wal", "-shm"] {
                fs::remove_file(home.path(&format!("dskpp-data/dskpp.db{end}"))).unwrap();
            }
        }
        let refused = home.json_of_failure(&["serve", "--listen", "127.0.0.1:0"]);
        let said = text(&refused, "error");
        assert!(said.contains(words) && said.contains("restore") && said.contains("serve --init"), "{said}");
        assert!(!lost_file.exists(), "{lost} was made anew");

        let server = Server::start_with(&home, &["--init"]);
        assert_eq!(create(&server, "old").0, 201, "a new store");
        assert_eq!(fs::read(&server.ca).unwrap(), ca, "the CA is never replaced unasked");
        assert!(server.log().contains("set-aside-"), "{}", server.log());
        server.kill();
        let aside = fs::read_dir(home.path("dskpp-data")).unwrap().map(|entry| entry.unwrap().path());
        let aside = aside.filter(|path| shown(path).contains("set-aside-")).collect::<Vec<_>>();
        let other = if lost == "kek" { "dskpp.db" } else { "kek" };
        assert!(aside.len() == 1 && aside[0].join(other).exists() && aside[0].join("admin-token").exists());

        let whole = home.json_of_failure(&["serve", "--init", "--listen", "127.0.0.1:0"]);
        assert!(text(&whole, "error").contains("is complete"), "{whole}");
    }
}

#[test]
fn a_supplied_key_is_initialised_by_migrate_init_on_several_nodes_at_once() {
    let mut home = Home::new();
    home.set("DSKPP_KEK", KEK);
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["database", "migrate"]] {
        let said = text(&home.json_of_failure(command), "error");
        assert!(said.contains("dskpp database migrate --init"), "{said}");
    }
    let init = ["database", "migrate", "--init", "--data-dir", "dskpp-data"];
    let begun: Vec<Value> = std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..6).map(|_| scope.spawn(|| home.json(&init))).collect();
        nodes.into_iter().map(|node| node.join().unwrap()).collect()
    });
    assert_eq!(begun.iter().filter(|node| node["begun"] == true).count(), 1, "{begun:?}");
    assert!(begun.iter().all(|node| node["store"] == begun[0]["store"]), "{begun:?}");
    assert_eq!(home.json(&init)["begun"], false);
    assert_eq!(home.json(&["database", "migrate"])["store"], begun[0]["store"]);
    assert!(home.run(&init).success().out.contains("the store exists"));

    Server::start(&mut home).kill();
    home.set("DSKPP_KEK", &KEK.replace('0', "f"));
    let said = text(&home.json_of_failure(&["serve", "--listen", "127.0.0.1:0"]), "error");
    assert!(said.contains("a different key-encryption key from the one supplied"), "{said}");
    assert!(!said.contains(&KEK.replace('0', "f")));
}

#[test]
fn a_lost_private_ca_is_refused_until_a_new_one_is_requested() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let ca = fs::read(&server.ca).unwrap();
    server.kill();
    fs::rename(home.path("dskpp-data/tls"), home.path("kept")).unwrap();
    let said = text(&home.json_of_failure(&["serve", "--listen", "127.0.0.1:0"]), "error");
    assert!(said.contains("private CA") && said.contains("--new-ca"), "{said}");
    let _ = fs::remove_dir(home.path("dskpp-data/tls"));
    fs::rename(home.path("kept"), home.path("dskpp-data/tls")).unwrap();
    let server = Server::start(&mut home);
    assert_eq!(fs::read(&server.ca).unwrap(), ca);
    server.kill();
    let server = Server::start_with(&home, &["--new-ca"]);
    assert_ne!(fs::read(&server.ca).unwrap(), ca);
    server.kill();
    Server::start(&mut home).kill();
    for setting in ["TLS_CERTIFICATE", "TLS_KEY", "K_SERVER_KEY", "K_SERVER_CERTIFICATE"] {
        home.set(&format!("DSKPP_{setting}"), "mine.pem");
    }
    let said = text(&home.json_of_failure(&["serve", "--new-ca", "--listen", "127.0.0.1:0"]), "error");
    assert!(said.contains("--new-ca") && said.contains("no private CA"), "{said}");
}

#[test]
fn a_clock_before_the_last_audit_entry_is_logged() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    assert!(!server.log().contains("last audit entry"));
    assert_eq!(create(&server, "alice").0, 201);
    server.kill();
    home.in_database("UPDATE audit SET at = at + 86400");
    let server = Server::start(&mut home);
    assert!(server.log().contains("long before the last audit entry of"), "{}", server.log());
}
