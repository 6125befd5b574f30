//! `dskpp database backup` and `restore`: a backup is whole or is not there, and a restore changes nothing before it is
//! known to be right.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use support::{Home, Moments, Server, text};

const DATABASE: &str = "dskpp-data/dskpp.db";
/// The first passwords of RFC 4226 appendix D.
const PASSWORDS: [&str; 3] = ["755224", "287082", "359152"];

fn import(home: &Home, id: &str) {
    let key = format!("id,algorithm,secret_hex\n{id},hotp,3132333435363738393031323334353637383930\n");
    home.write("key.csv", key);
    home.run(&["admin", "key", "import", "key.csv"]).success();
}

/// A home with a stopped server's store, in which Alice has the HOTP key of RFC 4226.
fn home_with_store() -> Home {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    import(&home, "rfc4226");
    home.run(&["admin", "key", "assign", "rfc4226", "--user", "alice"]).success();
    stop(server);
    home
}

fn is_valid(server: &Server, number: usize) -> bool {
    server.validate(&json!({ "user": "alice", "otp": PASSWORDS[number] }))["valid"] == true
}

fn stop(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.ended(Duration::from_secs(30)), Some(0), "{}", server.log());
}

fn open(home: &Home, path: &str) -> Connection {
    Connection::open(home.path(path)).unwrap()
}

fn keys(home: &Home, path: &str) -> i64 {
    open(home, path).query_row("SELECT count(*) FROM key", [], |row| row.get(0)).unwrap()
}

fn add_users(home: &Home, name: &str, count: i64) {
    let mut db = open(home, DATABASE);
    let adding = db.transaction().unwrap();
    for i in 0..count {
        let id = format!("{name} {i}");
        adding.execute("INSERT INTO user (id, name, created_at) VALUES (?1, ?1, 1)", [&id]).unwrap();
    }
    adding.commit().unwrap();
}

fn refusal(home: &Home, command: &[&str]) -> String {
    text(&home.json_of_failure(&[&["database"], command].concat()), "error")
}

fn rows(document: &Value, table: &str) -> u64 {
    let table = document["tables"].as_array().unwrap().iter().find(|it| it["table"] == table).unwrap();
    table["rows"].as_u64().unwrap()
}

/// The files in a folder that a command should not leave there.
fn left(home: &Home, folder: &str) -> Vec<String> {
    let names = fs::read_dir(home.path(folder)).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains(".new")).collect()
}

#[test]
fn a_backup_under_load_has_everything_that_was_acknowledged_before_it() {
    let mut home = home_with_store();
    let server = Server::start(&mut home);
    let (acknowledged, users, ends) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let had = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::SeqCst) {
                import(&home, &format!("K{:04}", acknowledged.load(Ordering::SeqCst)));
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            while !ends.load(Ordering::SeqCst) {
                let name = format!("user {}", users.load(Ordering::SeqCst));
                server.api(Method::POST, "/users", Some(&json!({ "name": name })));
                users.fetch_add(1, Ordering::SeqCst);
            }
        });
        let until = Instant::now() + Duration::from_secs(30);
        let mut had = (0, 0);
        for round in 1..=3 {
            while acknowledged.load(Ordering::SeqCst) < round * 3 && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(5));
            }
            had = (acknowledged.load(Ordering::SeqCst), users.load(Ordering::SeqCst));
            home.json(&["database", "backup", "b.db", "--force"]);
        }
        ends.store(true, Ordering::SeqCst);
        had
    });
    assert!(had.0 >= 9 && had.1 > 0 && users.load(Ordering::SeqCst) > had.1, "there was load: {had:?}");
    assert!(is_valid(&server, 0));
    stop(server);

    // A drill: into another folder, with the key-encryption key and the private CA from where they are kept.
    fs::create_dir(home.path("drill")).unwrap();
    fs::copy(home.path("dskpp-data/kek"), home.path("drill/kek")).unwrap();
    assert!(
        Command::new("cp")
            .args(["-r", "dskpp-data/tls", "drill/"])
            .current_dir(home.path(""))
            .status()
            .unwrap()
            .success()
    );
    let restored = home.json(&["database", "restore", "b.db", "--data-dir", "drill"]);
    assert_eq!(restored["aside"], Value::Null);
    let keys = open(&home, "drill/dskpp.db");
    for i in 0..had.0 {
        let found: i64 =
            keys.query_row("SELECT count(*) FROM key WHERE id = ?", [format!("K{i:04}")], |row| row.get(0)).unwrap();
        assert_eq!(found, 1, "K{i:04} was acknowledged before the backup began");
    }
    assert!(rows(&restored, "user") > had.1 as u64, "with Alice");
    drop(keys);
    let server = Server::start_with(&home, &["--data-dir", "drill"]);
    assert!(is_valid(&server, 0), "it was used after the backup");
    stop(server);
}

#[test]
fn a_backup_is_one_private_file_without_the_key_and_replaces_nothing_unasked() {
    let home = home_with_store();
    let done = home.json(&["database", "backup", "b.db"]);
    let db = open(&home, "b.db");
    let ask = |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!((ask("PRAGMA integrity_check"), ask("PRAGMA journal_mode")), ("ok".into(), "delete".into()));
    assert_eq!(ask("SELECT id FROM store"), text(&done, "store"));
    assert_eq!((rows(&done, "key"), rows(&done, "user")), (1, 1));
    assert_eq!(fs::metadata(home.path("b.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!((&done["kek"], &done["private_ca"]), (&json!("./dskpp-data/kek"), &json!("./dskpp-data/tls")));
    let (backup, kek) = (fs::read(home.path("b.db")).unwrap(), fs::read(home.path("dskpp-data/kek")).unwrap());
    let kek = kek.trim_ascii();
    let raw = data_encoding::HEXLOWER.decode(kek).unwrap();
    assert!(!backup.windows(64).any(|part| part == kek) && !backup.windows(32).any(|part| part == raw));
    assert_eq!(done["octets"], backup.len());

    let shown = home.run(&["database", "backup", "c.db"]).success().out;
    assert!(shown.contains("the key-encryption key is not in it: save ./dskpp-data/kek apart"), "{shown}");
    fs::create_dir(home.path("folder")).unwrap();
    fs::hard_link(home.path(DATABASE), home.path("alias.db")).unwrap();
    let postgres = ["backup", "d.db", "--database", "postgres://keys@localhost/dskpp"];
    for (command, words) in [
        (&["backup", "b.db"][..], "exists: name another file, or replace it with --force"),
        (&["backup", DATABASE, "--force"], "belongs to the database itself"),
        (&["backup", "dskpp-data/../dskpp-data/dskpp.db-wal", "--force"], "belongs to the database itself"),
        (&["backup", "alias.db", "--force"], "belongs to the database itself"),
        (&["backup", "folder", "--force"], "is a folder"),
        (&["backup", "dskpp-data/kek", "--force"], "is no backup, and is not replaced"),
        (&["backup", "/dev/null", "--force"], "is no backup, and is not replaced"),
        (&["backup", "no/such/folder.db"], "no/such"),
        (&["backup", "d.db", "--data-dir", "elsewhere"], "there is no store"),
        (&postgres, "back it up with `pg_dump` or `pg_basebackup`"),
        (&["restore", "b.db", "--database", postgres[3]], "restore it with `pg_restore`"),
    ] {
        let why = refusal(&home, command);
        assert!(why.contains(words), "{command:?}: {why}");
    }
    assert!(!home.path("elsewhere").exists() && !home.path("d.db").exists());
    assert_eq!(fs::read(home.path("dskpp-data/kek")).unwrap().trim_ascii(), kek);
    home.json(&["database", "backup", "b.db", "--force"]);
    assert_eq!(left(&home, ""), <[String; 0]>::default());
}

#[test]
fn a_restored_backup_takes_the_place_of_the_database_which_is_set_aside() {
    let mut home = home_with_store();
    home.json(&["database", "backup", "b.db"]);
    let server = Server::start(&mut home);
    assert!(is_valid(&server, 1) && !is_valid(&server, 0));
    import(&home, "late");
    server.kill(); // the write-ahead log has the last changes
    let restored = home.json(&["database", "restore", "b.db"]);
    let aside = text(&restored, "aside");
    assert_eq!((keys(&home, DATABASE), keys(&home, &format!("{aside}/dskpp.db"))), (1, 2));
    assert_eq!(fs::metadata(home.path(DATABASE)).unwrap().permissions().mode() & 0o777, 0o600);
    let server = Server::start(&mut home);
    assert!(is_valid(&server, 0), "as it was when the backup was made");
    stop(server);

    // And the other way round; also over a database that is damaged, or lost.
    let path = format!("{aside}/dskpp.db");
    home.json(&["database", "restore", &path]);
    assert_eq!(keys(&home, DATABASE), 2);
    home.write(DATABASE, "damaged beyond recognition".repeat(1000));
    let restored = home.json(&["database", "restore", "b.db"]);
    assert!(fs::read(home.path(&format!("{}/dskpp.db", text(&restored, "aside")))).unwrap().starts_with(b"damaged"));
    fs::remove_file(home.path(DATABASE)).unwrap();
    assert_eq!(home.json(&["database", "restore", "b.db"])["aside"], Value::Null);
    let server = Server::start(&mut home);
    assert!(is_valid(&server, 0));
    stop(server);
}

#[test]
fn what_is_no_backup_of_this_store_is_refused_and_nothing_changes() {
    let mut home = home_with_store();
    let other = home_with_store();
    home.json(&["database", "backup", "b.db"]);
    let good = fs::read(home.path("b.db")).unwrap();
    home.write("garbage.db", "no database at all".repeat(1000));
    home.write("empty.db", "");
    home.write("cut.db", &good[..good.len() / 2]);
    let mut bent = good.clone();
    let end = bent.len();
    bent[end - 4096..end - 2048].fill(0xA5);
    bent[end / 2..end / 2 + 2048].fill(0xA5);
    home.write("bent.db", bent);
    let changed = |name: &str, sql: &str| {
        home.write(name, &good);
        open(&home, name).execute_batch(sql).unwrap();
    };
    changed("newer.db", "PRAGMA user_version = 4242");
    changed("unfinished.db", "CREATE TABLE unfinished_copy (source TEXT, is_prepared)");
    changed("torn.db", "PRAGMA foreign_keys = OFF; DELETE FROM user");
    changed("foreign.db", "DROP TABLE setting");
    changed("other id.db", "UPDATE store SET id = '0123456789abcdef'");
    changed("logged.db", "");
    home.write("logged.db-wal", "something");
    other.json(&["database", "backup", "b.db"]);
    fs::copy(other.path("b.db"), home.path("other kek.db")).unwrap();

    let before = fs::read(home.path(DATABASE)).unwrap();
    for (file, words) in [
        ("missing.db", "missing.db cannot be read"),
        ("garbage.db", "not a database"),
        ("empty.db", "no store"),
        ("cut.db", "damaged"),
        ("bent.db", "damaged"),
        ("newer.db", "newer"),
        ("unfinished.db", "unfinished copy"),
        ("torn.db", "rows refer to others that are missing"),
        ("foreign.db", "damaged"),
        ("other kek.db", "sealed under another key-encryption key than the one in ./dskpp-data/kek"),
        ("other id.db", "restore it into another folder"),
        ("logged.db", "write-ahead log"),
        (DATABASE, "belongs to the database itself"),
    ] {
        let why = refusal(&home, &["restore", file]);
        assert!(why.contains(words), "{file}: {why}");
    }
    let why = refusal(&home, &["restore", "b.db", "--data-dir", "new"]);
    assert!(why.contains("its key-encryption key is missing: put it into new/kek"), "{why}");
    let server = Server::start(&mut home);
    let why = refusal(&home, &["restore", "b.db"]);
    assert!(why.contains("a server runs on ./dskpp-data") && why.contains(&server.pid().to_string()), "{why}");
    stop(server);
    let held = open(&home, DATABASE);
    held.execute_batch("BEGIN; SELECT * FROM store").unwrap();
    let why = refusal(&home, &["restore", "b.db"]);
    assert!(why.contains("stop it first"), "{why}");
    drop(held);
    let is_same = |sql: &str| -> i64 { open(&home, DATABASE).query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(is_same("SELECT count(*) FROM key"), 1);
    assert!(fs::read(home.path(DATABASE)).unwrap().len() >= before.len());
    assert_eq!(left(&home, "dskpp-data"), <[String; 0]>::default());
    assert!(
        !fs::read_dir(home.path("dskpp-data")).unwrap().any(|it| it
            .unwrap()
            .file_name()
            .to_string_lossy()
            .starts_with("set-aside"))
    );
}

/// At any moment there is the old file or the new one, whole.
#[test]
fn a_killed_backup_or_restore_leaves_the_old_file_or_the_new_one() {
    let home = home_with_store();
    home.json(&["database", "backup", "old.db"]);
    add_users(&home, "new", 30_000);
    let begun = Instant::now();
    home.json(&["database", "backup", "new.db"]);
    let whole = begun.elapsed();
    let mut moments = Moments::new();
    let users =
        |path: &str| -> i64 { open(&home, path).query_row("SELECT count(*) FROM user", [], |row| row.get(0)).unwrap() };
    let (mut restored, mut backed_up) = (0, 0);
    fs::copy(home.path("old.db"), home.path("b.db")).unwrap();
    let left_behind = || [left(&home, ""), left(&home, "dskpp-data")].concat();
    // At least 16 times, and until one was killed in the middle.
    for round in (0..100).take_while(|round| *round < 16 || left_behind().is_empty()) {
        let (file, count) = if round % 2 == 0 { ("old.db", 1) } else { ("new.db", 30_001) };
        let was = users(DATABASE);
        home.spawn_and_kill(&["database", "restore", file], moments.within(whole));
        home.run(&["database", "migrate"]).success();
        assert!([was, count].contains(&users(DATABASE)));
        restored += u32::from(users(DATABASE) == count);
        home.json(&["database", "restore", file]);
        let was = users("b.db");
        home.spawn_and_kill(&["database", "backup", "b.db", "--force"], moments.within(whole));
        assert!([was, count].contains(&users("b.db")));
        let whole: String = open(&home, "b.db").query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
        backed_up += u32::from(users("b.db") != was);
    }
    println!("{restored} restores and {backed_up} backups were done before the kill");
    // What killed ones left goes once it is a day old.
    assert!(!left_behind().is_empty(), "no kill was in the middle");
    for left in &left_behind() {
        let folder = if left.starts_with(".dskpp") { "dskpp-data" } else { "" };
        let file = fs::File::options().write(true).open(home.path(folder).join(left)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(2 * 86_400)).unwrap();
    }
    home.json(&["database", "backup", "b.db", "--force"]);
    home.json(&["database", "restore", "b.db"]);
    assert_eq!(left_behind(), <[String; 0]>::default());
}

#[test]
fn a_backup_onto_a_full_disk_leaves_nothing() {
    let home = home_with_store();
    add_users(&home, "many", 5000);
    fs::create_dir(home.path("small")).unwrap();
    let script = "mount -t tmpfs -o size=128k none small || exit 77; printf 'SQLite format 3\\000old\\n' > small/b.db; \
                  \"$0\" database backup small/b.db --force; echo code $?; ls -A small; cat small/b.db";
    let done = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_dskpp")])
        .current_dir(home.path(""))
        .output();
    let done = match done {
        Ok(done) if done.status.code() != Some(77) && !done.stdout.is_empty() => done,
        other => return println!("not checked: no small file system can be mounted here ({other:?})"),
    };
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(out, "code 1\nb.db\nSQLite format 3\0old\n", "{err}");
    assert!(
        err.contains("was not backed up to small/b.db, where nothing was changed") && err.contains("full"),
        "{err}"
    );
}
