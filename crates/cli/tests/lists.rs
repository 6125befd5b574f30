//! Lists and the audit trail with the built program: `dskpp admin … list`, `dskpp admin audit`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Home, Server, shown, text};

fn enrol(home: &Home, user: &str) -> Value {
    home.json(&["admin", "enrolment", "create", "--user", user, "--key-type", "totp"])
}

fn openssl(home: &Home, args: &[&str]) {
    assert!(home.program("openssl").args(args).output().unwrap().status.success(), "openssl {args:?}");
}

fn items(home: &Home, args: &[&str]) -> Vec<Value> {
    home.json(&[&["admin"], args].concat())["items"].as_array().unwrap().clone()
}

#[test]
fn users_enrolments_and_tokens_are_listed_as_tables_and_as_json() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let (one, two) = (enrol(&home, "alice"), enrol(&home, "bob"));
    let (one_id, two_id) = (text(&one, "id"), text(&two, "id"));
    home.run(&["admin", "enrolment", "revoke", &two_id]).success();
    let shown = home.run(&["admin", "enrolment", "list"]).success().out;
    let words: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((words.len(), &words[0][..]), (3, &["ID", "STATE", "USER", "TYPE", "EXPIRES", "KEY"][..]));
    assert!(words.iter().any(|row| row[..4] == [&one_id, "open", "alice", "totp"]), "{shown}");
    assert!(!shown.contains(&text(&one, "client_id")), "{shown}");
    for (args, id) in [
        (&["enrolment", "list", "--state", "revoked"][..], &two_id),
        (&["enrolment", "list", "--user", "alice", "--state", "open"], &one_id),
        (&["enrolment", "list", "--state", "open", "--all"], &one_id),
    ] {
        let found = items(&home, args);
        assert_eq!((found.len(), &text(&found[0], "id")), (1, id), "{args:?}");
    }
    let users = home.run(&["admin", "user", "list", "--name", "al"]).success().out;
    assert!(users.starts_with("NAME") && users.contains("alice") && !users.contains("bob"), "{users}");
    let made = home.json(&["admin", "token", "create", "for \u{1F512} reading", "--role", "read"]);
    let tokens = home.run(&["admin", "token", "list"]).success().out;
    assert!(tokens.contains("admin,enrol,read,validate,export") && !tokens.contains(&text(&made, "token")), "{tokens}");
    let imports = home.run(&["admin", "import", "list"]).success().out;
    assert!(imports.starts_with("ID") && imports.lines().count() == 1, "{imports}");
    // Another role, and values that there are none of.
    home.write("reader", text(&made, "token"));
    home.run(&["admin", "user", "list", "--token-file", "reader"]).success();
    for list in ["token", "import"] {
        let refused = home.json_of_failure(&["admin", list, "list", "--token-file", "reader"]);
        assert!(text(&refused, "error").contains("lacks the permission \""), "{refused}");
    }
    assert_eq!(home.run(&["admin", "enrolment", "list", "--state", "locked"]).code, Some(2));
}

#[test]
fn more_than_a_page_is_told_and_listed_on_demand() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    home.run(&["admin", "user", "create", "first"]).success();
    let numbers = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 250) SELECT";
    home.in_database(&format!(
        "INSERT INTO \"user\" (id, name, created_at) {numbers} 'u' || n, 'user ' || n, 1 FROM n"
    ));
    let some = home.run(&["admin", "user", "list"]).success();
    assert!(some.out.lines().count() == 101 && some.err.contains("--all"), "{some:#?}");
    let all = home.run(&["admin", "user", "list", "--all"]).success();
    assert!(all.out.lines().count() == 252 && !all.err.contains("--all"), "{all:#?}");
    let page = home.json(&["admin", "user", "list"]);
    assert_eq!((page["items"].as_array().unwrap().len(), page["next"].is_string()), (100, true));
    assert_eq!(items(&home, &["user", "list", "--all", "--name", "user 2"]).len(), 62);
}

#[test]
fn an_id_may_be_given_by_how_it_begins_if_no_other_one_does() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let id = text(&enrol(&home, "alice"), "id");
    assert_eq!(text(&home.json(&["admin", "enrolment", "show", &id[..8]]), "id"), id);
    enrol(&home, "bob");
    home.in_database("UPDATE enrolment SET id = 'same' || substr(id, 5)");
    let refused = home.json_of_failure(&["admin", "enrolment", "revoke", "same"]);
    assert!(text(&refused, "error").contains("more than one id begins with same"), "{refused}");
    for unknown in ["sam", "samf", "other", "", "%", "same/../x"] {
        let refused = home.json_of_failure(&["admin", "enrolment", "revoke", unknown]);
        assert!(text(&refused, "error").contains("40"), "{unknown}: {refused}");
    }
    assert_eq!(items(&home, &["enrolment", "list", "--state", "open"]).len(), 2, "nothing was revoked");
    let token = home.json(&["admin", "token", "create", "t", "--role", "read"]);
    home.run(&["admin", "token", "delete", &text(&token, "id")[..8]]).success();
    assert_eq!(items(&home, &["token", "list"]).len(), 1);
}

#[test]
fn the_audit_trail_is_listed_exported_and_verified() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    for user in ["alice", "bob", "carol"] {
        enrol(&home, user);
    }
    let listed = home.run(&["admin", "audit", "list", "--event", "user.created"]).success().out;
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines.len() == 4 && lines[0].starts_with("AT"), "{listed}");
    assert!(items(&home, &["audit", "list", "--until", "2001-01-01T00:00:00Z"]).is_empty());
    let wrong = home.json_of_failure(&["admin", "audit", "list", "--since", "yesterday"]);
    assert!(text(&wrong, "error").contains("since"), "{wrong}");
    let exported = home.run(&["admin", "audit", "export"]).success().out;
    let entries: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verified = home.json(&["admin", "audit", "verify"]);
    assert_eq!((&verified["entries"], &verified["faults"]), (&json!(entries.len()), &json!([])));
    let counts = verified["chains"].as_array().unwrap().iter().map(|chain| chain["entries"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), entries.len() as u64);
    let said = home.run(&["admin", "audit", "verify"]).success().out;
    assert!(said.starts_with(&format!("{} entries in ", entries.len())), "{said}");
    let only = home.run(&["admin", "audit", "export", "--event", "user.created"]).success().out;
    assert_eq!(only.lines().count(), 3);
}

#[test]
fn verify_names_what_was_changed_or_taken_out() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    for user in ["alice", "bob", "carol"] {
        enrol(&home, user);
    }
    let whole = home.json(&["admin", "audit", "verify"]);
    let exported = home.run(&["admin", "audit", "export"]).success().out;
    let entries: Vec<Value> = exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let third = entries.iter().find(|entry| entry["seq"] == 3).unwrap();
    let place = format!("WHERE chain = '{}' AND seq = 3", text(third, "chain"));
    for (change, seq, reason) in [
        ("UPDATE audit SET subject = replace(subject, 'alice', 'mallory')".to_owned(), None, "does not follow"),
        (format!("UPDATE audit SET at = at + 1 {place}"), Some(3), "does not follow"),
        (format!("UPDATE audit SET event = 'nothing' {place}"), Some(3), "does not follow"),
        (format!("DELETE FROM audit {place}"), Some(4), "missing"),
    ] {
        home.in_database("CREATE TABLE kept AS SELECT * FROM audit");
        home.in_database(&change);
        let found = home.json_of_failure(&["admin", "audit", "verify"]);
        home.in_database("DELETE FROM audit");
        home.in_database("INSERT INTO audit (chain, seq, at, event, subject, hash) SELECT chain, seq, at, event, subject, hash FROM kept");
        home.in_database("DROP TABLE kept");
        let faults = found["faults"].as_array().unwrap();
        assert_eq!(faults.len(), 1, "{change}: {found}");
        assert!(seq.is_none_or(|seq| faults[0]["seq"] == seq), "{change}: {found}");
        assert!(text(&faults[0], "reason").contains(reason) && text(&found, "error").contains(reason), "{found}");
    }
    assert_eq!(home.json(&["admin", "audit", "verify"]), whole);
}

fn verify<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["admin", "audit", "verify"][..], more].concat()
}

#[test]
fn checkpoints_show_entries_that_were_cut_off_or_computed_anew() {
    let mut home = Home::on_sqlite(); // one chain, whose entries are known
    let key = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
    for name in ["key.pem", "other.pem"] {
        openssl(&home, &[&key[..], &[name]].concat());
        openssl(&home, &["pkey", "-in", name, "-pubout", "-out", &format!("public-{name}")]);
    }
    home.set("DSKPP_AUDIT_CHECKPOINT_KEY", &home.path("key.pem").display().to_string());
    let server = Server::start(&mut home);
    ["alice", "bob"].iter().for_each(|user| drop(enrol(&home, user)));
    let checkpoint = home.run(&["admin", "audit", "checkpoint"]).success().out;
    assert!(checkpoint.starts_with("dskpp audit checkpoint 1\nstore "), "{checkpoint}");
    home.write("kept.checkpoint", &checkpoint);
    home.write("changed.checkpoint", checkpoint.replace("store ", "store x"));
    enrol(&home, "carol");
    let with = |file: &'static str| verify(&["--checkpoint", file, "--checkpoint-key", "public-key.pem"]);
    let whole = home.json(&with("kept.checkpoint"));
    assert_eq!((&whole["checkpoints"], &whole["faults"]), (&json!(1), &json!([])));
    // The server keeps its own, since it started.
    let folder = home.path("dskpp-data/checkpoints").display().to_string();
    assert_eq!(
        home.json(&verify(&["--checkpoint", &folder, "--checkpoint-key", "public-key.pem"]))["faults"],
        json!([])
    );
    let wrong =
        home.json_of_failure(&verify(&["--checkpoint", "kept.checkpoint", "--checkpoint-key", "public-other.pem"]));
    assert!(text(&wrong, "error").contains("not of this key"), "{wrong}");
    assert!(text(&home.json_of_failure(&with("changed.checkpoint")), "error").contains("not of this key"));
    // Neither leaves a trace in the trail itself.
    server.kill();
    home.in_database("DELETE FROM audit WHERE seq > 2");
    let _server = Server::start(&mut home);
    assert_eq!(home.json(&verify(&[]))["faults"], json!([]));
    let cut = home.json_of_failure(&with("kept.checkpoint"));
    assert!(text(&cut["faults"][0], "reason").contains("taken away"), "{cut}");
    enrol(&home, "dave");
    enrol(&home, "erin");
    assert_eq!(home.json(&verify(&[]))["faults"], json!([]));
    let anew = home.json_of_failure(&with("kept.checkpoint"));
    assert!(text(&anew["faults"][0], "reason").contains("computed anew"), "{anew}");
}

#[test]
fn a_server_without_a_key_makes_no_checkpoints_and_says_what_is_missing() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let none = home.json_of_failure(&["admin", "audit", "checkpoint"]);
    assert!(text(&none, "error").contains("audit.checkpoint_key"), "{none}");
}

#[test]
fn follow_prints_what_is_done_since_it_began() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    enrol(&home, "alice");
    let mut following = home.begin(&["admin", "audit", "follow", "--interval", "1", "--json"]);
    let mut lines = BufReader::new(following.stdout.take().unwrap()).lines();
    // It has begun once it prints; what it does not print was done before.
    let done = AtomicBool::new(false);
    let followed = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if done.load(Ordering::Relaxed) {
                    return;
                }
                home.run(&["admin", "user", "create", &format!("user {n}")]).success();
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        let followed: Vec<Value> =
            (0..3).map(|_| serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap()).collect();
        done.store(true, Ordering::Relaxed);
        followed
    });
    drop(lines);
    following.kill().unwrap();
    following.wait().unwrap();
    assert!(followed.iter().all(|entry| entry["event"] == "user.created"), "{followed:?}");
    let subjects: Vec<_> = followed.iter().map(|entry| text(entry, "subject")).collect();
    assert!(!subjects.iter().any(|subject| subject.contains("alice")), "{subjects:?}");
    assert!(subjects[0] != subjects[1] && subjects[1] != subjects[2], "{subjects:?}");
}

/// The subjects of all entries of an event, the oldest first.
fn subjects(home: &Home, event: &str) -> Vec<Value> {
    let entries = items(home, &["audit", "list", "--event", event, "--oldest-first", "--all"]);
    entries.iter().map(|entry| serde_json::from_str(&text(entry, "subject")).unwrap()).collect()
}

#[test]
fn an_entry_says_by_whose_token_and_from_where_and_starts_and_stops_are_entries() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let first = text(&items(&home, &["token", "list"])[0], "id");
    let made = enrol(&home, "alice");
    let ca = shown(&server.ca);
    home.json(&["enroll", &server.url(), "--ca", &ca, "--code", &text(&made, "authentication_code")]);
    let created = subjects(&home, "enrolment.created");
    assert_eq!((&created[0]["by"], &created[0]["from"]), (&json!(first), &json!("127.0.0.1")), "{created:?}");
    let provisioned = subjects(&home, "key.provisioned");
    assert_eq!(
        (&provisioned[0]["by"], &provisioned[0]["from"]),
        (&Value::Null, &json!("127.0.0.1")),
        "{provisioned:?}"
    );

    let port = server.port;
    stop(server);
    stop(Server::start_on(&home, port));
    stop(Server::start_on(&home, port));
    home.set("DSKPP_POLICY_LOCK_AFTER", "7");
    let _server = Server::start_on(&home, port);
    assert_eq!(subjects(&home, "server.stopped").len(), 3);
    let started = subjects(&home, "server.started");
    // On a port of its own, twice as before, and with another setting; those of one second come in any order.
    let digests: BTreeSet<_> = started.iter().map(|start| text(start, "configuration")).collect();
    assert_eq!((started.len(), digests.len()), (4, 3), "{started:?}");
    assert_eq!(home.json(&["admin", "audit", "verify"])["faults"], json!([]));

    let cef = home.run(&["admin", "audit", "export", "--format", "cef", "--event", "enrolment.created"]).success().out;
    assert!(cef.starts_with("CEF:0|dskpp|dskpp|") && cef.lines().count() == 1, "{cef}");
    assert!(cef.contains("|enrolment.created|3|") && cef.contains(&format!(" src=127.0.0.1 suser={first} ")), "{cef}");
}

fn stop(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.ended(Duration::from_secs(30)), Some(0));
}

#[test]
fn enrolments_are_created_from_lines_and_keys_changed_and_revoked_together() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let lines: String = (0..1200).map(|n| format!("{{\"user\":\"u{n}\",\"key_type\":\"hotp\"}}\n")).collect();
    home.write("good", &lines);
    let done = home.run(&["admin", "enrolment", "create", "--bulk", "good"]).success();
    assert!(done.out.lines().count() == 1200 && done.err.contains("1200 created, 0 refused"), "{}", done.err);
    home.write("mixed", "{\"user\":\"alice\",\"key_type\":\"hotp\"}\n\n{\"user\":\"bob\"\n");
    let mixed = home.run(&["admin", "enrolment", "create", "--bulk", "mixed"]);
    assert_eq!(mixed.code, Some(1));
    assert!(mixed.out.contains("line 1: ") && mixed.out.contains("line 3: refused: "), "{}", mixed.out);
    let wrong = home.run(&["admin", "enrolment", "create", "--bulk", "good", "--key-type", "hotp"]);
    assert_eq!((wrong.code, home.run(&["admin", "enrolment", "create"]).code), (Some(2), Some(2)));
    let key = "INSERT INTO key (id, user_id, key_type, params, sealed_k_token, state, created_at) SELECT";
    let from = "FROM \"user\" u JOIN enrolment e ON e.user_id = u.id WHERE u.name = 'u7'";
    home.in_database(&format!("{key} 'k1', u.id, 'hotp', '{{}}', e.sealed_password, 'active', 1 {from}"));
    let id = text(&items(&home, &["key", "list", "--user", "u7", "--state", "active"])[0], "key_id");
    home.run(&["admin", "key", "disable", &id]).success();
    assert_eq!(items(&home, &["key", "list", "--state", "disabled"]).len(), 1);
    home.run(&["admin", "key", "enable", &id]).success();
    let changed = home.json(&["admin", "key", "change", &id, "--label", "spare", "--user", "u8"]);
    assert_eq!((text(&changed, "label"), text(&changed, "user")), ("spare".into(), "u8".into()));
    assert_eq!(home.run(&["admin", "key", "revoke"]).code, Some(2));
    assert_eq!(home.json(&["admin", "key", "revoke", "--user", "u8"]), json!({ "revoked": 1 }));
    assert_eq!(home.run(&["admin", "user", "delete", "u8"]).code, Some(1), "the revoked key stays");
}
