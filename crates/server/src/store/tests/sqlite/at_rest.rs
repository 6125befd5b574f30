//! What lies on the disk: no secret in the clear.

use dskpp::server::DeviceRef;

use super::*;
use crate::store::tests::at_rest::imported;

/// Every octet that the database has on the disk.
fn files(db: &Db) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(db.scratch.folder.path()).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

/// How a column keeps what it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    /// Sealed under the key-encryption key.
    Sealed,
    /// As a SHA-256 of something that nobody can guess.
    Hashed,
    /// In the clear: it opens nothing and proves nothing.
    Public,
}

/// Every column of every table. Whoever adds one decides here what a reader of the file may see.
const COLUMNS: &[(&str, Kept, &[&str])] = &[
    ("answer", Kept::Sealed, &["sealed_response"]),
    ("answer", Kept::Hashed, &["request_hash"]),
    ("answer", Kept::Public, &["session_id", "expires_at"]),
    ("api_token", Kept::Hashed, &["hash"]),
    ("api_token", Kept::Public, &["id", "name", "roles", "created_at"]),
    ("audit", Kept::Hashed, &["hash"]),
    ("audit", Kept::Public, &["chain", "seq", "at", "event", "subject"]),
    ("device", Kept::Sealed, &["sealed_shared_key"]),
    ("device", Kept::Public, &["id", "manufacturer", "serial", "key_name", "certificate", "created_at"]),
    ("enrolment", Kept::Sealed, &["sealed_password", "sealed_trigger"]),
    ("enrolment", Kept::Hashed, &["trigger_token_hash"]),
    ("enrolment", Kept::Public, &["id", "user_id", "client_id", "key_type", "params", "variant", "methods"]),
    ("enrolment", Kept::Public, &["device_id", "renews", "delivers", "state", "activate", "failed_attempts"]),
    ("enrolment", Kept::Public, &["key_id", "answer", "key_location", "algorithm_location", "sinks"]),
    ("enrolment", Kept::Public, &["created_at", "expires_at"]),
    ("idempotent", Kept::Sealed, &["sealed_answer"]),
    ("idempotent", Kept::Hashed, &["request_hash"]),
    ("idempotent", Kept::Public, &["id", "state", "lease", "lease_until", "status", "expires_at"]),
    ("import", Kept::Public, &["id", "done", "accepted", "duplicate", "refused", "rejected", "created_at"]),
    ("k_server", Kept::Sealed, &["sealed_key"]),
    ("k_server", Kept::Public, &["id", "created_at", "retired_at"]),
    ("key", Kept::Sealed, &["sealed_k_token", "sealed_k_mac", "sealed_package"]),
    ("key", Kept::Public, &["id", "user_id", "enrolment_id", "device_id", "key_type", "params", "mac_algorithm"]),
    ("key", Kept::Public, &["state", "counter", "last_step", "drift", "created_at", "manufacturer", "serial"]),
    ("key", Kept::Public, &["start_at", "expires_at", "uses_left", "url_s", "label"]),
    ("migration", Kept::Public, &["version", "done_at"]),
    ("outbox", Kept::Public, &["id", "key_id", "sink", "operation", "seq", "state", "attempts", "queued_at"]),
    ("outbox", Kept::Public, &["next_at", "lease", "error"]),
    ("pending_key", Kept::Sealed, &["sealed_k_token", "sealed_k_mac"]),
    ("pending_key", Kept::Public, &["id", "enrolment_id", "mac_algorithm", "created_at", "url_s"]),
    ("refusal", Kept::Public, &["enrolment_id", "hour", "count", "cause", "at"]),
    ("rewrite", Kept::Public, &["schema"]),
    ("session_key", Kept::Sealed, &["sealed_key"]),
    ("session_key", Kept::Public, &["day"]),
    ("setting", Kept::Sealed, &["sealed_value"]),
    ("setting", Kept::Public, &["name"]),
    ("store", Kept::Public, &["is_only", "id", "tried_at"]),
    ("user", Kept::Public, &["id", "name", "created_at"]),
    ("wrong_password", Kept::Public, &["subject", "count", "at"]),
    ("wrong_try", Kept::Public, &["enrolment_id", "address", "count", "at"]),
];

/// Every column that a database has, as `table.column`.
fn columns(db: &Connection) -> Vec<String> {
    let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
               WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1";
    let mut columns = db.sqlite().prepare(sql).unwrap();
    columns.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn every_column_of_every_table_is_declared_sealed_hashed_or_public_and_is_so() {
    let db = super::damage::full().await; // no column is empty in all of its rows
    db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    let raw = db.raw();
    let mut declared = Vec::new();
    for (table, kept, names) in COLUMNS {
        declared.extend(names.iter().map(|name| format!("{table}.{name}")));
        for name in *names {
            assert_eq!(name.starts_with("sealed_"), *kept == Kept::Sealed, "{table}.{name} is {kept:?}");
            if *kept == Kept::Public {
                continue;
            }
            let id: String = raw
                .sqlite()
                .query_row("SELECT name FROM pragma_table_info(?) WHERE pk = 1", [table], |row| row.get(0))
                .unwrap();
            let sql = format!("SELECT CAST({id} AS TEXT), {name} FROM {table} WHERE {name} IS NOT NULL");
            let mut rows = raw.sqlite().prepare(&sql).unwrap();
            let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
            let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
            assert!(!rows.is_empty(), "{table}.{name} is empty, so nothing is tried");
            for (id, value) in rows {
                match kept {
                    Kept::Sealed => assert!(kek(1).open(table, name, &id, &value).is_ok(), "{table}.{name} of {id}"),
                    _ => assert_eq!(value.len(), 32, "{table}.{name} of {id}"),
                }
            }
        }
    }
    declared.sort();
    assert_eq!(columns(&raw), declared);
}

#[tokio::test]
async fn no_secret_is_in_the_databases_files() {
    let db = Db::new();
    let device = NewDevice {
        manufacturer: "acme".into(),
        serial: "1".into(),
        key_name: "acme key".into(),
        shared_key: Some(Secret::from_slice(b"shared with the device")),
        certificate: None,
    };
    db.store.create_device(device).await.unwrap();
    let bound = DeviceRef { manufacturer: "acme".into(), serial: "1".into() };
    let created = db.store.create_enrolment(NewEnrolment { device: Some(bound), ..hotp_for("alice") }).await.unwrap();
    let enrolment = &created.enrolment;
    let ad = TriggerAd {
        nonce: b"nonce of a trigger".to_vec(),
        mac: b"its MAC, worth a code".to_vec(),
        url_s: "https://x".into(),
    };
    db.store.keep_trigger(&enrolment.id, ad.clone()).await.unwrap();
    assert_eq!(db.store.enrolment(&enrolment.id).await.unwrap().unwrap().trigger, Some(ad));
    db.store.commit_run(run_of(&enrolment.id, "session1", "key1")).done().await.unwrap();
    db.store.set_setting_once("session_key", Secret::from_slice(b"the session sealing key")).await.unwrap();
    let (_, token) = db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    db.store.export_key("key1", "test".into()).await.unwrap();
    let code = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), 0).to_string();
    assert!(
        db.store
            .validate(ValidationRequest {
                user: Some("alice".into()),
                otp: code.into(),
                ..ValidationRequest::default()
            })
            .await
            .unwrap()
            .is_some()
    );

    db.import(vec![imported()]).await;
    let page = db.store.export_page(None, String::new(), 10).await.unwrap();
    assert_eq!(page.len(), 2);
    assert_eq!(db.store.package(page[0].as_ref().unwrap()).unwrap(), imported(), "it is there, and can be read");

    let secrets = [
        ("K_TOKEN", K_TOKEN),
        ("the imported key", b"the imported key's secret"),
        ("a vendor's value", b"what a vendor keeps secret"),
        ("a name in a file", b"name on a token"),
        ("K_MAC", K_MAC),
        ("the trigger's nonce", b"nonce of a trigger"),
        ("the trigger's MAC", b"its MAC, worth a code"),
        ("the answer", b"answer of session1"),
        ("the device's key", b"shared with the device"),
        ("the setting", b"the session sealing key"),
        ("the password", enrolment.password.expose()),
        ("the trigger's token", created.trigger_token.expose()),
        ("the API token", token.as_bytes()),
    ];
    let check = |when: &str| {
        let files = files(&db);
        let all: Vec<u8> = files.iter().flat_map(|(_, octets)| octets.clone()).collect();
        assert!(contains(&all, b"alice") && contains(&all, enrolment.client_id.as_bytes()), "{when}: the search finds");
        for (file, octets) in &files {
            for (what, secret) in secrets {
                let hex = data_encoding::HEXLOWER.encode(secret).into_bytes();
                let base64 = data_encoding::BASE64.encode(&secret[..secret.len() / 3 * 3]).into_bytes();
                for form in [secret, &hex, &hex.to_ascii_uppercase(), &base64] {
                    assert!(!contains(octets, form), "{when}: {what} is in {file}");
                }
            }
        }
    };
    check("in the write-ahead log");
    db.raw().sqlite().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    check("in the database");
}

#[tokio::test]
async fn the_databases_files_are_their_owners_alone_whatever_the_umask_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let Db { store, scratch } = Db::new();
    let modes = || {
        let entries = std::fs::read_dir(scratch.folder.path()).unwrap().map(Result::unwrap);
        let mode = |entry: std::fs::DirEntry| entry.metadata().unwrap().permissions().mode() & 0o777;
        entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(entry))).collect::<Vec<_>>()
    };
    store.create_user("alice".into()).await.unwrap();
    assert_eq!(modes().len(), 3, "database, log and index: {:?}", modes());
    assert!(modes().iter().all(|(_, mode)| *mode == 0o600), "{:?}", modes());
    drop(store);
    let path = scratch.folder.path().join("dskpp.db");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap(); // an earlier version's
    Store::open(&path, kek(1), POLICY).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
