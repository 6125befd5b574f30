//! An unreadable value is an error of its row: no value becomes a default, and other rows stay usable.

use dskpp::server::DeviceRef;

use super::*;
use crate::model::clock::unix_now_ms;
use crate::store::access::{device_by_identity, device_by_key_name};
use crate::store::answers::answer_of;
use crate::store::check::check_by;
use crate::store::devices::entry;
use crate::store::enrolments::{By, find};
use crate::store::export::outgoing;
use crate::store::import::progress_of;
use crate::store::keys::{k_token_of, key_by_id, old_key, url_of};
use crate::store::tests::at_rest::imported;
use crate::store::tries::{hours_before, tries_of};

/// Columns that are in no record: SQL compares them, or they are for people. Damage loses their content
/// and nothing else.
const NOT_READ: &[(&str, &str)] = &[
    ("answer", "expires_at"),
    ("api_token", "created_at"),
    ("api_token", "name"),
    ("enrolment", "answer"),
    ("enrolment", "trigger_token_hash"),
    ("idempotent", "lease"),
    ("import", "created_at"),
    ("key", "mac_algorithm"),
    ("outbox", "lease"),
    ("pending_key", "created_at"),
    ("pending_key", "enrolment_id"),
    ("pending_key", "mac_algorithm"),
    ("store", "tried_at"),
    ("user", "created_at"),
];

/// Columns in which every text, or every octet string, is valid.
const ANYTHING: &[(&str, &str)] = &[
    ("device", "certificate"), // validated when used
    ("device", "key_name"),
    ("device", "manufacturer"),
    ("device", "serial"),
    ("enrolment", "client_id"),
    ("enrolment", "delivers"), // a dangling reference finds no row
    ("enrolment", "key_id"),
    ("enrolment", "renews"),
    ("key", "enrolment_id"),
    ("key", "label"),
    ("key", "manufacturer"),
    ("key", "serial"),
    ("key", "url_s"), // clients validate it, like a trigger's
    ("outbox", "error"),
    ("outbox", "key_id"), // a dangling reference finds no row
    ("outbox", "sink"),
    ("pending_key", "url_s"),
    ("user", "name"),
    ("wrong_try", "address"),
];

fn tells(list: &[(&str, &str)], table: &str, column: &str) -> bool {
    list.contains(&(table, column))
}

/// The row that [`read`] reads.
fn row_of(table: &str) -> &'static str {
    match table {
        "answer" => "session_id = 'session of key1'",
        "enrolment" => "key_id = 'key1'",
        "key" => "id = 'key1'",
        "setting" => "name = 'k_server'",
        "user" => "name = 'alice'",
        _ => "true",
    }
}

/// Reads a row in every possible way.
fn read(db: &Connection, table: &str) -> Result<(), StoreError> {
    let kek = kek(1);
    let device = DeviceRef { manufacturer: "acme".into(), serial: "1".into() };
    match table {
        "setting" => drop(read_setting(db, &kek, "k_server")?.unwrap()),
        "answer" => drop(answer_of(db, &kek, "session of key1").wait()?.unwrap()),
        "device" => {
            drop(device_by_identity(db, &kek, &device).wait()?);
            drop(device_by_key_name(db, &kek, "acme key").wait()?);
            let id = db.sqlite().query_row("SELECT id FROM device", [], |row| row.get::<_, String>(0))?;
            drop(entry(db, &id)?.unwrap());
        }
        "idempotent" => {
            let sql = format!("SELECT {} FROM idempotent", crate::store::idempotent::IDEMPOTENT);
            db.rows(&sql, &[], |row| rows::kept_call(row, &kek))?.into_iter().try_for_each(|row| row.map(drop))?;
        }
        "import" => drop(progress_of(db, "import")?.unwrap()),
        "enrolment" | "user" => drop(find(db, &kek, By::TriggerToken, "token", now()).wait()?.unwrap()),
        "store" => drop(identity_of(db)?),
        "key" => {
            drop(key_by_id(db, "key1")?.unwrap());
            drop(k_token_of(db, &kek, "key1")?.unwrap());
            drop(old_key(db, &kek, "key1").wait()?.unwrap());
            let outgoing = outgoing(db, "key1").wait()?.unwrap();
            let store = Db::new().store; // with the same key-encryption key
            drop(store.package(&outgoing)?);
        }
        "pending_key" => {
            drop(old_key(db, &kek, "key2").wait()?.unwrap());
            let enrolment = find(db, &kek, By::ClientId, "renewal", now()).wait()?.unwrap();
            drop(pending::waiting(db, &kek, &enrolment)?.unwrap());
            drop(url_of(db, "key2")?.unwrap());
        }
        "k_server" => {
            let read = |row: &Row<'_>| rows::k_server(row, &kek).map(drop);
            let sql = "SELECT id, sealed_key, created_at, retired_at FROM k_server";
            db.rows(sql, &[], read)?.into_iter().collect::<Result<(), _>>()?;
        }
        "session_key" => {
            let read = |row: &Row<'_>| rows::session_key(row, &kek).map(drop);
            db.rows("SELECT day, sealed_key FROM session_key", &[], read)?.into_iter().collect::<Result<(), _>>()?;
        }
        "outbox" => {
            let sql = format!("SELECT {} FROM outbox", crate::store::outbox::OUTBOX);
            db.rows(&sql, &[], rows::delivery)?.into_iter().try_for_each(|row| row.map(drop))?;
        }
        "wrong_password" => {
            let sql = "SELECT subject, count, at FROM wrong_password";
            drop(db.rows(sql, &[], rows::guesses)?.into_iter().collect::<Result<Vec<_>, _>>()?);
        }
        "rewrite" => {} // its only column is its key
        "wrong_try" | "refusal" => {
            for hour in hours_before(db, i64::MAX, None)? {
                hour?;
            }
            let enrolment: String = db.sqlite().query_row("SELECT enrolment_id FROM refusal", [], |row| row.get(0))?;
            drop(tries_of(db, &enrolment, POLICY.lock_after, now())?);
        }
        _ => panic!("nobody says how rows of {table} are read"),
    }
    Ok(())
}

/// A database in which no column of the rows that [`read`] reads is NULL.
pub(super) async fn full() -> Db {
    let db = Db::new();
    let device = NewDevice {
        manufacturer: "acme".into(),
        serial: "1".into(),
        key_name: "acme key".into(),
        shared_key: Some(Secret::from_slice(b"shared with the device")),
        certificate: Some(b"DER".to_vec()),
    };
    db.store.create_device(device).await.unwrap();
    db.store.set_setting_once("k_server", Secret::from_slice(b"a key")).await.unwrap();
    let device = Some(DeviceRef { manufacturer: "acme".into(), serial: "1".into() });
    db.store.put_first_k_server("first".into(), Secret::from_slice(b"a key")).await.unwrap();
    db.execute("UPDATE k_server SET retired_at = 1");
    db.store.renew_session_keys(&SessionKeys::default(), unix_now_ms()).await.unwrap();
    db.key(NewEnrolment { device, sinks: vec!["pam".into()], ..hotp_for("alice") }, "key1").await;
    db.execute("UPDATE outbox SET error = 'none'");
    db.key(hotp_for("bob"), "key2").await;
    let renewal = NewEnrolment { renews: Some("key2".into()), activate: Activation::OnOtp, ..hotp_for("bob") };
    let renewal = db.create(renewal).await.id;
    db.store.commit_run(run_of(&renewal, "renewal", "key2")).done().await.unwrap();
    db.import(vec![imported()]).await;
    let Claimed::Begun(claim) = db.store.claim("t1", "a key", [7; 32]).await.unwrap() else { panic!("it is new") };
    db.store.keep_call(claim, 201, Secret::from_slice(b"{}")).await.unwrap();
    let raw = db.raw();
    let ad = TriggerAd { nonce: vec![1; 16], mac: vec![2; 16], url_s: "https://localhost/dskpp".into() };
    db.store.keep_trigger(&db.text("SELECT id FROM enrolment WHERE key_id = 'key1'"), ad).await.unwrap();
    let package =
        raw.sqlite().query_row("SELECT id, sealed_package FROM key WHERE sealed_package NOT NULL", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
    let (id, sealed) = package.unwrap();
    let package = kek(1).open("key", "sealed_package", &id, &sealed).unwrap();
    let package = kek(1).seal("key", "sealed_package", "key1", &package);
    raw.sqlite().execute(
        "UPDATE key SET sealed_package = ?, device_id = NULL, manufacturer = 'acme', serial = '1', last_step = 1, start_at = 1, \
         expires_at = 2, uses_left = 3, label = 'spare' WHERE id = 'key1'",
        [package],
    )
    .unwrap();
    db.count(&renewal, wrong("192.0.2.1", 1)).await;
    db.store.validate(ValidationRequest { key_id: Some("key1".into()), ..ValidationRequest::default() }).await.unwrap();
    raw.sqlite()
        .execute_batch(
            "UPDATE enrolment SET client_id = 'renewal' WHERE renews NOT NULL; UPDATE import SET id = 'import'",
        )
        .unwrap();
    let hash = Sha256::digest(&[b"token"]);
    raw.sqlite()
        .execute(
            "UPDATE enrolment SET trigger_token_hash = ?, variant = 'four-pass', key_location = 'hardware', \
         algorithm_location = 'software', renews = 'key2', delivers = 'key1' WHERE key_id = 'key1'",
            [&hash[..]],
        )
        .unwrap();
    db
}

impl Db {
    fn text(&self, sql: &str) -> String {
        self.raw().sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[tokio::test]
async fn no_value_of_any_column_becomes_a_default() {
    let db = full().await;
    let (_, token) = db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    let raw = db.raw();
    raw.sqlite().execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
    let mut names = raw
        .sqlite()
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let tables: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut tried = 0;
    for table in tables.iter().filter(|table| !["audit", "api_token", "migration"].contains(&&***table)) {
        assert_eq!(read(&raw, table), Ok(()), "{table}");
        let sql = format!("SELECT name, type FROM pragma_table_info('{table}') WHERE pk = 0");
        let mut columns = raw.sqlite().prepare(&sql).unwrap();
        let columns = columns.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        for (column, kind) in columns.unwrap().map(Result::unwrap) {
            if tells(NOT_READ, table, &column) {
                continue;
            }
            let damages: &[&str] = match (&*kind, tells(ANYTHING, table, &column)) {
                ("TEXT", false) => &["'no such thing'", "'{\"digits\":6,\"digits\":7}'", "''", "CAST(x'FF' AS TEXT)"],
                ("TEXT", true) => &["CAST(x'FF' AS TEXT)"],
                ("INTEGER", _) => &["-9223372036854775807"],
                ("BLOB", false) => &["x'00'", "x''"],
                ("BLOB", true) => &[],
                (kind, _) => panic!("{table}.{column} is a {kind}"),
            };
            for damage in damages {
                raw.sqlite().execute_batch("SAVEPOINT damage").unwrap();
                raw.sqlite()
                    .execute(&format!("UPDATE {table} SET {column} = {damage} WHERE {}", row_of(table)), [])
                    .unwrap();
                let found = read(&raw, table);
                let named = match &found {
                    Err(StoreError::Row(why)) => &why.column,
                    Err(StoreError::Sealed(why)) => why.column,
                    _ => panic!("{table}.{column} = {damage}: {found:?}"),
                };
                let checked = check_by(&raw, &kek(1)).unwrap();
                let named_by_check = checked.findings.iter().any(|it| it.to_string().contains(&format!("{table}.")));
                assert!(named_by_check, "{table}.{column} = {damage}: `database check` finds it");
                let is_user = named == "user" && ["name", "user_id"].contains(&&*column);
                assert!(*named == column || is_user, "{table}.{column}: {found:?}");
                raw.sqlite().execute_batch("ROLLBACK TO damage; RELEASE damage").unwrap();
                tried += 1;
            }
        }
        assert_eq!(read(&raw, table), Ok(()), "{table}");
    }
    assert!(tried > 60, "{tried}");
    raw.sqlite().execute_batch("UPDATE api_token SET roles = '[\"read\",\"all\"]'").unwrap();
    assert!(matches!(db.store.token(&token).await, Err(StoreError::Row(why)) if why.column == "roles"));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_refused_by_itself_and_can_be_revoked() {
    let db = Db::new();
    for (user, id) in [("alice", "key1"), ("alice", "key2"), ("bob", "key3")] {
        db.key(hotp_for(user), id).await;
    }
    let open = db.create(hotp_for("alice")).await;
    let params = "{\"digits\":6,\"counter\":0,\"what only a later version knows\":1}";
    db.execute(&format!("UPDATE key SET params = '{params}' WHERE id = 'key1'"));
    db.execute(&format!("UPDATE enrolment SET params = '{params}' WHERE id = '{}'", open.id));
    let page = db.store.keys(Some("alice".into()), None, 1).await.unwrap();
    let why = page.items[0].as_ref().unwrap_err();
    assert_eq!((why.table, &*why.column, &*why.row), ("key", "params", "key1"));
    assert_eq!(page.next.as_deref(), Some("key1"));
    let rest = db.store.keys(Some("alice".into()), page.next, 9).await.unwrap();
    assert_eq!(rest.items[0].as_ref().unwrap().id, "key2");
    assert!(matches!(db.store.key("key1").await, Err(StoreError::Row(_))));

    let code = |counter| {
        dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), counter).to_string()
    };
    let of_user = ValidationRequest { user: Some("alice".into()), otp: code(0).into(), ..ValidationRequest::default() };
    assert_eq!(db.store.validate(of_user).await, Ok(Some("key2".into())), "the other key of this user");
    let of_key = ValidationRequest { key_id: Some("key1".into()), otp: code(0).into(), ..ValidationRequest::default() };
    assert!(matches!(db.store.validate(of_key).await, Err(StoreError::Row(_))));
    db.execute("UPDATE key SET sealed_k_token = x'00' WHERE id = 'key2'; UPDATE key SET counter = 0");
    let of_user = ValidationRequest { user: Some("alice".into()), otp: code(0).into(), ..ValidationRequest::default() };
    assert_eq!(db.store.validate(of_user).await, Ok(None), "no key of hers can be used");

    // Strangers do not notice, and no run spends it.
    let query = HelloQuery { client_id: Some(open.client_id), key_id: Some("key1".into()), ..HelloQuery::default() };
    let context = db.store.load_hello(query).await.unwrap();
    assert!(context.enrolment.is_none() && context.key.is_none());
    let spent = db.store.commit_run(run_of(&open.id, "s", "key4")).done().await;
    assert!(matches!(spent, Err(StoreError::Row(_))), "{spent:?}");
    assert_eq!(db.rows("key"), 3);
    assert_eq!(db.text(&format!("SELECT state FROM enrolment WHERE id = '{}'", open.id)), "open");
    db.store.revoke_enrolment(&open.id).await.unwrap();
    db.store.revoke_key("key1").await.unwrap();
    assert!(db.store.key("key3").await.unwrap().is_some());
}

/// Also for partial records: an unreadable value is neither copied nor reported as an unavailable
/// database, and blocks no other key of a batch.
#[tokio::test]
async fn partial_reads_are_as_strict_as_records() {
    const NOT_UTF_8: &str = "CAST(x'FF' AS TEXT)";
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let enrolment = db.create(NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") }).await.id;
    let damage = |table: &str, column: &str, value: &str, of: &str| {
        let raw = db.raw();
        raw.sqlite().execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
        raw.sqlite().execute_batch(&format!("UPDATE {table} SET {column} = {value} WHERE id = '{of}'")).unwrap();
    };
    let names = |found: Result<(), StoreError>, column: &str| {
        assert!(matches!(&found, Err(StoreError::Row(why)) if why.column == column), "{column}: {found:?}");
    };

    damage("enrolment", "key_type", "'what only a later version knows'", &enrolment);
    names(db.store.commit_run(run_of(&enrolment, "s", "key2")).done().await.map(drop), "key_type");
    assert_eq!((db.rows("key"), db.rows("answer")), (1, 1), "no key of an unknown type");
    damage("enrolment", "key_type", "'hotp'", &enrolment);
    db.store.commit_run(run_of(&enrolment, "s", "key2")).done().await.unwrap();
    damage("enrolment", "key_id", NOT_UTF_8, &enrolment);
    names(db.store.revoke_enrolment(&enrolment).await, "key_id");

    damage("key", "key_type", "'what only a later version knows'", "key1");
    let renewal = NewEnrolment { renews: Some("key1".into()), ..hotp_for("alice") };
    names(db.store.create_enrolment(renewal).await.map(drop), "key_type");

    let mut packages = [imported(), imported()];
    for (package, id) in packages.iter_mut().zip(["key1", "key3"]) {
        package.key.as_mut().unwrap().id = id.into();
    }
    let done = db.import(packages.into()).await;
    assert_eq!((done.accepted, done.duplicate.len(), done.refused.len()), (1, 0, 1));
    assert_eq!(done.refused[0].reason.as_deref(), Some("a key with this Id exists, and cannot be read"));
}
