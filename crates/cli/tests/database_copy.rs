//! `dskpp database copy`: everything arrives, or the copy is not called finished and no server opens it.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::fs;
use std::time::Instant;

use rusqlite::Connection;
use serde_json::{Value, json};
use support::{Home, Moments, PostgresDatabase, Server, text};

const SOURCE: &str = "sqlite:dskpp-data/dskpp.db";
/// The passwords of RFC 4226 appendix D.
const PASSWORDS: [&str; 10] =
    ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

/// A home with a stopped server's store: Alice has the HOTP key of RFC 4226, of which the first password is used.
fn home_with_store() -> Home {
    let mut home = Home::on_sqlite();
    let server = Server::start(&mut home);
    let key = "id,algorithm,secret_hex,counter,response_length,serial,manufacturer\n\
               rfc4226,hotp,3132333435363738393031323334353637383930,0,6,S-1,Ac\u{e9}me\n";
    home.write("key.csv", key);
    home.run(&["admin", "key", "import", "key.csv"]).success();
    home.run(&["admin", "key", "assign", "rfc4226", "--user", "alice"]).success();
    home.json(&["admin", "enrolment", "create", "--user", "b\u{f6}b", "--key-type", "totp"]);
    assert!(is_valid(&server, 0));
    stop(server);
    home
}

fn is_valid(server: &Server, number: usize) -> bool {
    server.validate(&json!({ "user": "alice", "otp": PASSWORDS[number] }))["valid"] == true
}

fn stop(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.ended(std::time::Duration::from_secs(30)), Some(0), "{}", server.log());
}

/// Adds users to a store, with names in every order that a comparison could get wrong.
fn add_users(home: &Home, count: usize) {
    let mut db = open(home, "dskpp-data/dskpp.db");
    let adding = db.transaction().unwrap();
    for i in 0..count {
        let id = format!("{}{:05}", ["a-", "A", "a_", "Z", "\u{e9}", "z", "a"][i % 7], i);
        adding
            .execute("INSERT INTO user (id, name, created_at) VALUES (?1, 'name ' || ?1, ?2)", (&id, i as i64))
            .unwrap();
    }
    adding.commit().unwrap();
}

fn open(home: &Home, path: &str) -> Connection {
    Connection::open(home.path(path)).unwrap()
}

fn copy<'a>(from: &'a str, to: &'a str) -> [&'a str; 6] {
    ["database", "copy", "--from", from, "--to", to]
}

/// The error of a copy that is refused.
fn refusal(home: &Home, from: &str, to: &str) -> String {
    text(&home.json_of_failure(&copy(from, to)), "error")
}

fn tables(document: &Value) -> &Value {
    let tables = document["tables"].as_array().unwrap();
    assert!(tables.len() >= 13 && tables.iter().any(|table| table["rows"] != 0), "{document}");
    &document["tables"]
}

#[test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-cli --test database_copy -- --include-ignored"]
fn a_store_goes_to_postgresql_and_back_and_passwords_count_once_on_the_way() {
    let mut home = home_with_store();
    add_users(&home, 3000);
    let database = PostgresDatabase::new();
    let there = home.json(&copy(SOURCE, &database.url()));
    let back = home.json(&copy(&database.url(), "sqlite:again/dskpp.db"));
    let twice = home.json(&copy("sqlite:again/dskpp.db", "sqlite:twice/dskpp.db"));
    assert_eq!(tables(&there), tables(&back));
    assert_eq!(tables(&there), tables(&twice));
    assert_eq!(there["tables"].as_array().unwrap().iter().find(|it| it["table"] == "user").unwrap()["rows"], 3002);
    assert_eq!((&there["kek"], &there["store"]), (&Value::Null, &back["store"]));
    assert!(there["copied"].as_u64() > Some(3000));

    // Every table of the databases themselves was copied.
    let of_sqlite = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' \
                     AND name NOT LIKE 'sqlite%' AND name NOT IN ('rewrite', 'migration') ORDER BY name)";
    let of_sqlite: String = open(&home, "dskpp-data/dskpp.db").query_row(of_sqlite, [], |row| row.get(0)).unwrap();
    let of_postgres = database.sql(
        "SELECT string_agg(table_name::text, ',' ORDER BY table_name::text COLLATE \"C\") \
         FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT IN ('schema', 'migration')",
    );
    let mut copied: Vec<_> = tables(&there).as_array().unwrap().iter().map(|it| text(it, "table")).collect();
    copied.sort();
    assert_eq!((of_sqlite, of_postgres), (copied.join(","), copied.join(",")));

    // A server on the copy goes on where the other one was.
    home.set("DSKPP_SEAL_KEK_FILE", "dskpp-data/kek");
    let server = Server::start_with(&home, &["--database", &database.url()]);
    home.set("DSKPP_ADMIN_SERVER", &format!("https://127.0.0.1:{}", server.port));
    assert!(!is_valid(&server, 0), "it was used before");
    assert!(is_valid(&server, 1) && !is_valid(&server, 1));
    let running = refusal(&home, &database.url(), "sqlite:late/dskpp.db");
    assert!(running.contains("stop it first"), "{running}");
    let running = refusal(&home, SOURCE, &database.url());
    assert!(running.contains("the destination") && running.contains("stop it first"), "{running}");
    stop(server);

    // And back, with the chains that the servers there wrote.
    let changed = refusal(&home, SOURCE, &database.url());
    assert!(changed.contains("no longer the same") && changed.contains("key ("), "{changed}");
    fs::create_dir(home.path("new-data")).unwrap();
    let last = home.json(&copy(&database.url(), "sqlite:new-data/dskpp.db"));
    assert_eq!(last["kek"], "dskpp-data/kek");
    let server = Server::start_with(&home, &["--database", "sqlite:new-data/dskpp.db"]);
    assert!(!is_valid(&server, 1) && is_valid(&server, 2));
    stop(server);
}

/// Kills copies at several moments; the last one ends as one that nobody killed.
fn killed_copies_go_on(to: &str, fresh: &str) {
    let mut home = home_with_store();
    add_users(&home, 12_000);
    let begun = Instant::now();
    let expected = home.json(&copy(SOURCE, fresh));
    let whole = begun.elapsed();
    home.set("DSKPP_SEAL_KEK_FILE", "dskpp-data/kek");
    let (mut moments, mut unfinished) = (Moments::new(), 0);
    for _ in 0..8 {
        home.spawn_and_kill(&copy(SOURCE, to), moments.within(whole).mul_f64(0.6));
        let opened = home.run(&["database", "migrate", "--database", to]);
        if opened.err.contains("unfinished copy") {
            unfinished += 1;
            assert!(opened.err.contains("run the same `dskpp database copy` again"), "{opened:#?}");
            let served = home.run(&["serve", "--listen", "127.0.0.1:0", "--http", "--database", to]);
            assert!(served.code == Some(1) && served.err.contains("unfinished copy"), "{served:#?}");
        }
    }
    assert!(unfinished > 0, "no kill was in the middle");
    let done = home.json(&copy(SOURCE, to));
    assert_eq!(tables(&done), tables(&expected));
    let again = home.json(&copy(SOURCE, to));
    assert_eq!((tables(&again), &again["copied"]), (tables(&expected), &json!(0)), "it changes nothing more");
}

#[test]
fn a_killed_copy_between_files_goes_on() {
    killed_copies_go_on("sqlite:new/dskpp.db", "sqlite:fresh/dskpp.db");
}

#[test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-cli --test database_copy -- --include-ignored"]
fn a_killed_copy_to_postgresql_goes_on() {
    let (database, fresh) = (PostgresDatabase::new(), PostgresDatabase::new());
    killed_copies_go_on(&database.url(), &fresh.url());
}

/// A row that cannot be read, or that the destination does not take, is named; the copy waits for it unfinished.
#[test]
fn a_damaged_row_stops_the_copy_until_it_is_mended() {
    let home = home_with_store();
    add_users(&home, 3000);
    let to = "sqlite:new/dskpp.db";
    let damage = |sql: &str| {
        let db = open(&home, "dskpp-data/dskpp.db");
        db.execute_batch("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF").unwrap();
        assert_eq!(db.execute(sql, []).unwrap(), 1);
    };
    for (sql, mend, words) in [
        (
            "UPDATE user SET name = CAST(x'ff' AS TEXT) WHERE id = 'z02511'",
            "UPDATE user SET name = 'mended' WHERE id = 'z02511'",
            &["the source", "user.name of row 'z02511' cannot be read"][..],
        ),
        (
            "UPDATE key SET state = 'lost'",
            "UPDATE key SET state = 'active'",
            &["the source", "CHECK constraint failed in key"],
        ),
        (
            "UPDATE key SET user_id = 'nobody'",
            "UPDATE key SET user_id = (SELECT id FROM user WHERE name = 'alice')",
            &["the destination", "row 'rfc4226' of table key", "FOREIGN KEY"],
        ),
    ] {
        damage(sql);
        let why = refusal(&home, SOURCE, to);
        assert!(words.iter().all(|word| why.contains(word)), "{why}");
        damage(mend);
    }
    home.json(&copy(SOURCE, to));
}

/// What an interrupted copy has is not taken for granted: the source may have changed since.
#[test]
fn a_source_that_changed_meanwhile_is_noticed() {
    let home = home_with_store();
    add_users(&home, 3000);
    let to = "sqlite:new/dskpp.db";
    let source = || open(&home, "dskpp-data/dskpp.db");
    for (before, after, words) in [
        ("UPDATE user SET created_at = 7 WHERE id = 'A00001'", "", "user (3002 rows in the source, 3002"),
        ("INSERT INTO user (id, name, created_at) VALUES ('A', 'late', 1)", "", "user (3003 rows in the source, 3002"),
        ("DELETE FROM user WHERE id = 'A00008'", "UPDATE user SET created_at = 8 WHERE id = 'z02511'", "user (3002"),
    ] {
        _ = fs::remove_dir_all(home.path("new"));
        source().execute("UPDATE user SET name = CAST(x'ff' AS TEXT) WHERE id = 'z02511'", []).unwrap();
        refusal(&home, SOURCE, to);
        source().execute("UPDATE user SET name = 'mended' WHERE id = 'z02511'", []).unwrap();
        source().execute_batch(&format!("{before}; {after}")).unwrap();
        let why = refusal(&home, SOURCE, to);
        assert!(why.contains("not finished") && why.contains(words) && why.contains("empty the destination"), "{why}");
        assert!(refusal(&home, to, "sqlite:third/dskpp.db").contains("unfinished copy"));
    }
    fs::remove_dir_all(home.path("new")).unwrap();
    home.json(&copy(SOURCE, to));
}

#[test]
fn what_is_no_empty_destination_is_refused_and_stays_as_it_was() {
    let home = home_with_store();
    let other = home_with_store();
    fs::create_dir(home.path("d")).unwrap();
    fs::copy(other.path("dskpp-data/dskpp.db"), home.path("d/store.db")).unwrap();
    open(&home, "d/foreign.db").execute_batch("CREATE TABLE song (id INTEGER); PRAGMA user_version = 12").unwrap();
    home.write("d/garbage.db", "no database at all, but long enough to be looked at".repeat(100));
    home.json(&copy("sqlite:d/store.db", "sqlite:d/done.db"));
    open(&home, "d/unfinished.db")
        .execute_batch(
            "CREATE TABLE unfinished_copy (source TEXT, is_prepared); INSERT INTO unfinished_copy VALUES ('x', 0)",
        )
        .unwrap();
    for (to, words) in [
        ("store.db", "it has a store already"),
        ("done.db", "it has a store already"),
        ("foreign.db", "tables of another program"),
        ("garbage.db", "not a database"),
        ("unfinished.db", "unfinished copy of another store (x)"),
    ] {
        let before = fs::read(home.path("d").join(to)).unwrap();
        let why = refusal(&home, SOURCE, &format!("sqlite:d/{to}"));
        assert!(why.contains("the destination") && why.contains(words), "{to}: {why}");
        assert!(fs::read(home.path("d").join(to)).unwrap() == before, "{to} was changed");
    }
    for (from, to, words) in [
        (SOURCE, SOURCE, "the same database"),
        ("sqlite:d/foreign.db", "sqlite:new.db", "no store"),
        ("sqlite:d/missing.db", "sqlite:new.db", "no store"),
        ("sqlite:d/garbage.db", "sqlite:new.db", "not a database"),
        ("sqlite:d/unfinished.db", "sqlite:new.db", "unfinished copy"),
        (SOURCE, "", "--to"),
        ("mysql://x", "sqlite:new.db", "--from"),
        (SOURCE, "postgres://keys:swordfish@localhost/dskpp", "has a password"),
    ] {
        let why = refusal(&home, from, to);
        assert!(why.contains(words) && !why.contains("swordfish"), "{from} to {to}: {why}");
        assert!(!home.path("new.db").exists() && !home.path("d/missing.db").exists());
    }
}

/// A copy that its servers could not open is not made.
#[test]
fn a_destination_with_another_key_encryption_key_is_refused() {
    let mut home = home_with_store();
    let other = home_with_store();
    fs::create_dir(home.path("d")).unwrap();
    fs::copy(other.path("dskpp-data/kek"), home.path("d/kek")).unwrap();
    let why = refusal(&home, SOURCE, "sqlite:d/new.db");
    assert!(why.contains("sealed under another key-encryption key"), "{why}");
    fs::copy(home.path("dskpp-data/kek"), home.path("d/kek")).unwrap();
    fs::copy(other.path("dskpp-data/kek.store"), home.path("d/kek.store")).unwrap();
    let why = refusal(&home, SOURCE, "sqlite:d/new.db");
    assert!(why.contains("belongs to the store"), "{why}");
    assert!(!home.path("d/new.db").exists());
    fs::remove_file(home.path("d/kek.store")).unwrap();
    assert_eq!(home.json(&copy(SOURCE, "sqlite:d/new.db"))["kek"], "d/kek");
    home.set("DSKPP_KEK", &"ab".repeat(32));
    let why = refusal(&home, SOURCE, "sqlite:e/new.db");
    assert!(why.contains("sealed under another key-encryption key"), "{why}");
}

#[test]
fn a_running_server_keeps_its_database_from_being_copied() {
    let mut home = home_with_store();
    let server = Server::start(&mut home);
    let why = refusal(&home, SOURCE, "sqlite:new.db");
    assert!(why.contains("the source") && why.contains("stop it first"), "{why}");
    stop(server);
    home.json(&copy(SOURCE, "sqlite:new.db"));
}

#[test]
fn a_store_of_another_schema_is_refused_with_the_remedy() {
    let home = home_with_store();
    let done = "UPDATE migration SET version = version + ?1 WHERE version = (SELECT max(version) FROM migration)";
    for (by, words) in [(-1000, "run `dskpp database migrate` on it first"), (2000, "use the newer version of dskpp")] {
        open(&home, "dskpp-data/dskpp.db").execute(done, [by]).unwrap();
        let why = refusal(&home, SOURCE, "sqlite:new.db");
        assert!(why.contains("it has schema") && why.contains(words), "{why}");
        assert!(!home.path("new.db").exists());
    }
}
