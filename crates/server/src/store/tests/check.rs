//! `dskpp database check`: finds what is not as this version expects it, and names its place.

use super::migration::ours;
use super::*;
use crate::model::clock::unix_now_ms;
use crate::store::check::{Checked, REFERENCES, check_by};

impl Db {
    pub(super) fn check(&self) -> Checked {
        crate::store::check::check(&self.scratch.database, &kek(1)).unwrap()
    }

    fn findings(&self) -> Vec<String> {
        self.check().findings.iter().map(ToString::to_string).collect()
    }

    /// A store with a row in most tables.
    async fn filled() -> Self {
        let db = Db::new();
        let key = db.key(hotp_for("alice"), "key1").await;
        db.store.set_setting_once("k_server", Secret::from_slice(b"a key")).await.unwrap();
        db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
        db.store.renew_session_keys(&SessionKeys::default(), unix_now_ms()).await.unwrap();
        db.import(vec![at_rest::imported()]).await;
        let renewal = NewEnrolment { renews: Some(key.id), activate: Activation::OnOtp, ..hotp_for("alice") };
        let renewal = db.create(renewal).await.id;
        db.store.commit_run(run_of(&renewal, "renewal", "key1")).done().await.unwrap();
        db.count(&renewal, wrong("192.0.2.1", 1)).await;
        db
    }
}

#[tokio::test]
async fn nothing_is_found_in_a_whole_database_beside_its_server() {
    let db = Db::filled().await;
    let checked = db.check();
    assert_eq!(checked.findings, []);
    assert_eq!(checked.schema, SCHEMA);
    for (table, count) in [("key", 2), ("enrolment", 2), ("pending_key", 1), ("wrong_try", 1), ("session_key", 2)] {
        assert!(checked.rows.contains(&(table, count)), "{table}: {checked:?}");
    }
    let entries = checked.rows.iter().find(|(table, _)| *table == "audit").unwrap().1;
    assert_eq!(i64::try_from(entries), Ok(db.rows("audit")));
    db.enrolment().await; // the server goes on
}

/// Every table and every declared reference is looked at, also those of later migrations.
#[test]
fn every_table_and_reference_is_checked() {
    let db = Db::new();
    let (tables, references) = match is_on_postgres() {
        true => (
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()",
            "SELECT c.relname || '.' || a.attname FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1] WHERE f.contype = 'f'",
        ),
        false => (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            "SELECT t.name || '.' || r.\"from\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) r",
        ),
    };
    let read: Vec<_> = db.check().rows.iter().map(|(table, _)| *table).collect();
    for table in db.texts(tables) {
        let is_book = ["migration", "schema", "rewrite"].contains(&&*table);
        assert!(is_book || read.contains(&&*table), "nobody says how rows of {table} are read");
    }
    for reference in db.texts(references) {
        let followed = REFERENCES.iter().any(|(table, column, _)| reference == format!("{table}.{column}"));
        assert!(followed, "{reference}");
    }
}

#[tokio::test]
async fn differences_from_the_schema_are_found() {
    let change_type = match is_on_postgres() {
        true => "ALTER TABLE refusal ALTER COLUMN hour TYPE INTEGER",
        false => {
            "DROP TABLE refusal; CREATE TABLE refusal (enrolment_id TEXT PRIMARY KEY, hour TEXT NOT NULL, \
             count INTEGER NOT NULL, cause TEXT NOT NULL, at INTEGER NOT NULL) STRICT, WITHOUT ROWID; \
             CREATE INDEX refusal_by_hour ON refusal (hour) WHERE count <> 0"
        }
    };
    for (damage, place, word) in [
        ("DROP INDEX key_by_user", "key: key_by_user", "missing"),
        ("DROP INDEX key_by_user; CREATE INDEX key_by_user ON key (id)", "key: key_by_user", "should be"),
        ("ALTER TABLE key DROP COLUMN url_s", "key: url_s", "missing"),
        ("ALTER TABLE api_token RENAME COLUMN name TO called", "api_token: name", "missing"),
        ("DROP TABLE wrong_try", "wrong_try", "missing"),
        (change_type, "refusal: hour", "should be"),
        // As a migration leaves it that was done by hand and not to the end.
        ("CREATE TABLE later (id BIGINT)", "later", "not known"),
        ("ALTER TABLE device ADD COLUMN later TEXT", "device: later", "not known"),
    ] {
        let db = Db::new();
        db.execute(damage);
        let found = db.findings();
        let named = found.iter().any(|finding| finding.starts_with(&format!("{place}: ")) && finding.contains(word));
        assert!(named, "{damage}: {found:?}");
    }
}

#[tokio::test]
async fn damaged_rows_lost_references_and_changed_audit_entries_are_found_all_at_once() {
    let db = Db::filled().await;
    let unchecked = match is_on_postgres() {
        true => "SET session_replication_role = replica",
        false => "PRAGMA foreign_keys = OFF",
    };
    db.execute(&format!(
        "{unchecked}; UPDATE key SET params = '{{' WHERE id = 'key1'; DELETE FROM \"user\" WHERE name = 'bob';
         UPDATE setting SET sealed_value = (SELECT sealed_k_mac FROM key WHERE id = 'key1') WHERE name = 'k_server';
         UPDATE refusal SET enrolment_id = 'lost'; UPDATE pending_key SET enrolment_id = 'gone';
         UPDATE audit SET subject = '{{\"user\":\"mallory\"}}' WHERE event = 'user.created'"
    ));
    let found = db.findings();
    for expected in [
        "key.params of row 'key1': is unreadable",
        "setting.sealed_value of row 'k_server': cannot be unsealed",
        "refusal.enrolment_id of row 'lost': names the enrolment 'lost', which is not there",
        "pending_key.enrolment_id of row 'key1': names the enrolment 'gone'",
        "audit: entry 1 of chain '",
    ] {
        assert!(found.iter().any(|finding| finding.starts_with(expected)), "{expected}: {found:?}");
    }
}

#[tokio::test]
async fn a_database_to_be_migrated_says_so_and_a_newer_one_may_have_more() {
    let older = Scratch::new();
    older.migrate_by(&ours().into_iter().filter(|(number, ..)| *number <= 11).collect::<Vec<_>>()).unwrap();
    let found = crate::store::check::check(&older.database, &kek(1)).unwrap().findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].what.contains("`dskpp database migrate`"), "{found:?}");
    let db = Db::filled().await;
    let expand = format!(
        "CREATE TABLE later (id BIGINT); ALTER TABLE device ADD COLUMN later TEXT; \
         INSERT INTO migration (version, done_at) VALUES ({}, 1)",
        SCHEMA + 1
    );
    db.execute(&expand);
    assert_eq!((db.check().schema, db.findings()), (SCHEMA + 1, Vec::new()));
    db.execute("DROP INDEX key_by_user");
    assert_eq!(db.findings().len(), 1, "{:?}", db.findings());
}

#[tokio::test]
async fn a_check_changes_nothing_and_needs_the_right_key() {
    let db = Db::filled().await;
    assert!(matches!(crate::store::check::check(&db.scratch.database, &kek(2)), Err(StoreError::Sealed(_))));
    let reader = |database: &Database| database.reader().unwrap().batch("DELETE FROM wrong_try").is_err();
    let database = db.scratch.database.clone();
    assert!(std::thread::spawn(move || reader(&database)).join().unwrap(), "its connection cannot write");
    db.check();
    let temporary = "SELECT CAST(count(*) AS TEXT) FROM pg_class WHERE relname = 'api_token'";
    assert!(!is_on_postgres() || db.texts(temporary) == ["1"], "nothing is left of the tables that it compares with");
    let empty = Scratch::new();
    assert!(matches!(crate::store::check::check(&empty.database, &kek(1)), Err(StoreError::NotFound(_))));
    let checked = db.scratch.on(|db| check_by(db, &kek(1)));
    assert_eq!(checked.unwrap().findings, []);
}
