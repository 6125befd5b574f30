//! Migration of databases of earlier versions.

use super::*;

fn version(db: &rusqlite::Connection) -> usize {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    version.try_into().unwrap()
}

/// A database of the first version: an enrolment that renews a key, and the key.
fn first_version(path: &std::path::Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch(SQLITE[0].2).unwrap();
    db.pragma_update(None, "user_version", 1).unwrap();
    let k_token = kek(1).seal("key", "sealed_k_token", "key1", &Secret::from_slice(K_TOKEN));
    db.execute_batch(
        "INSERT INTO user VALUES ('u1', 'alice', 1), ('u2', 'bob', 2);
         INSERT INTO device VALUES ('d1', 'acme', '7', 'name', NULL, NULL, 3);",
    )
    .unwrap();
    let key = "INSERT INTO key VALUES (?, ?, 'e1', ?, 'hotp', '{\"digits\":6}', 'urn:prf', ?, NULL, ?, 3, NULL, 0, 4)";
    for (id, user, device, state) in
        [("key1", "u1", Some("d1"), "active"), ("key2", "u2", None, "revoked"), ("key3", "u1", None, "replaced")]
    {
        db.execute(key, rusqlite::params![id, user, device, k_token, state]).unwrap();
    }
    db.execute_batch(
        "INSERT INTO enrolment (id, user_id, client_id, sealed_password, key_type, params, methods, renews, state, \
         activate, trigger_token_hash, created_at, expires_at) \
         VALUES ('e2', 'u1', 'c', x'00', 'hotp', '{}', '[]', 'key1', 'open', 'at-once', x'00', 5, 6)",
    )
    .unwrap();
}

#[tokio::test]
async fn a_database_of_the_first_version_is_migrated_with_its_rows() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dskpp.db");
    first_version(&path);
    let store = Store::open(&path, kek(1), POLICY).unwrap();
    let key = store.key("key1").await.unwrap().unwrap();
    assert_eq!((key.user.as_deref(), key.enrolment_id.as_deref(), key.counter), (Some("alice"), Some("e1"), 3));
    assert_eq!((key.state, key.created_at), (KeyState::Active, 4));
    assert_eq!(key.device.unwrap().serial, "7");
    assert_eq!((key.start_at, key.expires_at, key.uses_left, key.url_s), (None, None, None, None));
    assert_eq!(store.keys(None, None, 10).await.unwrap().items.len(), 3);
    assert_eq!(store.keys(Some("alice".into()), None, 10).await.unwrap().items.len(), 2);
    assert_eq!(store.export_key("key1", "test".into()).await.unwrap().expose(), K_TOKEN);
    let raw = rusqlite::Connection::open(&path).unwrap();
    let opened = Connection::Sqlite(rusqlite::Connection::open(&path).unwrap());
    assert_eq!(version_of(&opened).map(|version| version.done), Ok(SCHEMA));
    raw.pragma_update(None, "foreign_keys", true).unwrap();
    assert!(raw.execute("DELETE FROM key WHERE id = 'key1'", []).is_err(), "the enrolment still refers to it");
    assert!(raw.execute("UPDATE key SET user_id = NULL WHERE id = 'key1'", []).is_err(), "active keys have users");
    let indexes: i64 = raw
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = 'key_by_user'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(indexes, 1);
    drop(store);
    Store::open(&path, kek(1), POLICY).unwrap();
}

/// Nonce, MAC and answer as stored by earlier versions, in the clear.
const CLEAR: [&[u8]; 3] = [b"the nonce of a trigger.", b"the MAC, worth the code", b"an answer, perhaps with a key"];

/// A database from before sealing, with deleted rows.
fn before_sealing(path: &std::path::Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    SQLITE[..6].iter().for_each(|(.., step)| db.execute_batch(step).unwrap());
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA user_version = 6; INSERT INTO user VALUES ('u', 'alice', 1)")
        .unwrap();
    current_kek::check(&Connection::Sqlite(rusqlite::Connection::open(path).unwrap()), &kek(1)).unwrap();
    for id in (0..200).map(|i| format!("e{i}")) {
        let password = kek(1).seal("enrolment", "sealed_password", &id, &Secret::from_slice(b"password"));
        let enrolment = "INSERT INTO enrolment (id, user_id, client_id, sealed_password, key_type, params, methods, \
             state, activate, trigger_token_hash, trigger_nonce, trigger_mac, trigger_url, created_at, expires_at) \
             VALUES (?1, 'u', ?1, ?2, 'hotp', '{}', '[]', 'open', 'at-once', ?3, ?4, ?5, 'https://x/dskpp', 5, 6)";
        db.execute(enrolment, rusqlite::params![id, password, id.as_bytes(), CLEAR[0], CLEAR[1]]).unwrap();
        let answer = "INSERT INTO answer VALUES (?, zeroblob(32), ?, 9999999999)";
        db.execute(answer, rusqlite::params![id, CLEAR[2].repeat(100)]).unwrap();
    }
    let delete = "DELETE FROM answer WHERE session_id LIKE 'e1%'; DELETE FROM enrolment WHERE id LIKE 'e1%'";
    db.execute_batch(delete).unwrap();
}

#[tokio::test]
async fn migration_seals_plain_values_and_removes_them_from_pages_and_wal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dskpp.db");
    before_sealing(&path);
    let holds = || {
        let files = std::fs::read_dir(folder.path()).unwrap();
        let all = files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect::<Vec<_>>().concat();
        CLEAR.map(|clear| all.windows(clear.len()).any(|window| window == clear))
    };
    assert_eq!(holds(), [true; 3], "the search finds");
    let raw = rusqlite::Connection::open(&path).unwrap();
    assert!(matches!(Store::open(&path, kek(2), POLICY), Err(StoreError::Sealed(_))));
    assert_eq!(version(&raw), 6, "another key seals nothing");

    let store = Store::open(&path, kek(1), POLICY).unwrap();
    assert_eq!(holds(), [false; 3]);
    let trigger = store.enrolment("e2").await.unwrap().unwrap().trigger.unwrap();
    assert_eq!((&*trigger.nonce, &*trigger.mac, &*trigger.url_s), (CLEAR[0], CLEAR[1], "https://x/dskpp"));
    let run = store.load_run("e2", None, None, None, "").await.unwrap();
    assert_eq!(run.answer.unwrap().response, CLEAR[2].repeat(100));
    assert!(store.load_run("e1", None, None, None, "").await.unwrap().answer.is_none());

    // If a start is interrupted before it rewrites the database, the next one does.
    let is_due = || raw.query_row("SELECT EXISTS (SELECT 1 FROM rewrite)", [], |row| row.get::<_, bool>(0)).unwrap();
    assert!(!is_due());
    raw.execute_batch("INSERT INTO rewrite VALUES (7)").unwrap();
    Store::open(&path, kek(1), POLICY).unwrap();
    assert!(!is_due());
}

/// Permanently locked enrolments are open again, with their count; those whose key was given up are revoked.
#[tokio::test]
async fn locked_enrolments_are_open_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dskpp.db");
    first_version(&path);
    let raw = rusqlite::Connection::open(&path).unwrap();
    let year = now() + 365 * 86_400;
    for (id, state, key) in [("e3", "locked", "NULL"), ("e4", "locked", "'key3'"), ("e5", "active", "'k'")] {
        raw.execute_batch(&format!(
            "INSERT INTO enrolment (id, user_id, client_id, sealed_password, key_type, params, methods, key_id, state, \
             activate, failed_attempts, trigger_token_hash, created_at, expires_at) VALUES ('{id}', 'u1', '{id}', x'00', \
             'hotp', '{{}}', '[]', {key}, '{state}', 'on-otp', 10, CAST('{id}' AS BLOB), 5, {year})"
        ))
        .unwrap();
    }
    drop(Store::open(&path, kek(1), POLICY).unwrap());
    let mut query = raw.prepare("SELECT id, state, failed_attempts FROM enrolment ORDER BY id").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, u32>(2)?));
    let found: Vec<_> = query.query_map([], row).unwrap().map(Result::unwrap).collect();
    let expected = [("e2", "open", 0), ("e3", "open", 10), ("e4", "revoked", 10), ("e5", "active", 10)];
    assert_eq!(found, expected.map(|(id, state, count)| (id.to_owned(), state.to_owned(), count)));
    assert!(raw.execute("UPDATE enrolment SET state = 'locked'", []).is_err(), "there is no such state any more");
}

/// A backup from before identities existed, with a key file whose store has one.
#[test]
fn a_database_without_identity_gets_the_known_one() {
    for (known, taken) in [("0123456789abcdef", true), ("garbled", false)] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("dskpp.db");
        first_version(&path);
        let opened = Store::open_known(&path, kek(1), POLICY, Some(known));
        assert_eq!(opened.as_ref().is_ok_and(|store| store.id() == known), taken, "{known}");
        assert!(taken || matches!(opened, Err(StoreError::Other { .. })), "{known}");
        assert!(matches!(Store::open_known(&path, kek(1), POLICY, Some("f")), Err(StoreError::Other { .. })));
    }
}

#[test]
fn a_migration_that_fails_leaves_the_database_as_it_was() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("dskpp.db");
    first_version(&path);
    let raw = rusqlite::Connection::open(&path).unwrap();
    raw.execute_batch("PRAGMA foreign_keys = OFF; UPDATE enrolment SET renews = 'gone'").unwrap();
    let error = Store::open(&path, kek(1), POLICY).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    assert_eq!(version(&raw), 1);
    assert!(raw.prepare("SELECT uses_left FROM key").is_err());
    raw.execute_batch("UPDATE enrolment SET renews = 'key1'").unwrap();
    Store::open(&path, kek(1), POLICY).unwrap();
}

#[tokio::test]
async fn every_query_for_keys_uses_an_index() {
    use crate::store::keys::{in_use, listing};
    let db = Db::new();
    let raw = db.raw();
    for (sql, index) in [
        (listing(false), "sqlite_autoindex_key_1"),
        (listing(true), "key_by_user"),
        (in_use(true, false), "sqlite_autoindex_key_1"),
        (in_use(true, true), "key_by_user"),
        (in_use(false, true), "key_by_user"),
    ] {
        let mut plan = raw.sqlite().prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let parameters = plan.parameter_count();
        let rows = plan.query_map(rusqlite::params_from_iter(vec!["x"; parameters]), |row| row.get::<_, String>(3));
        let steps: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        assert!(steps[0].starts_with("SEARCH k ") && steps[0].contains(index), "{sql}: {steps:?}");
    }
}
