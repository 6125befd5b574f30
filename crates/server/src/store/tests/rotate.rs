//! The change to another key-encryption key while servers run.

use std::time::{Duration, Instant};

use super::*;
use crate::store::RotationStep;
use crate::store::current_kek::{CURRENT, FORMER, NEXT};
use crate::store::rotate::{RotationWaits, SEALED, SealedTable};
use crate::store::seal::ASKS_AFTER;

/// As short as they can be: a server asks anew only after that.
const WAITS: RotationWaits =
    RotationWaits { objections: Duration::ZERO, notice: ASKS_AFTER.saturating_add(Duration::from_millis(500)) };

fn one(octet: u8) -> Kek {
    Kek::new(&Secret::new(vec![octet; 32])).unwrap()
}

impl Db {
    /// A server with these keys.
    fn server(&self, keys: &[u8]) -> Result<Store, StoreError> {
        let kek = keys.iter().map(|octet| one(*octet)).reduce(Kek::and).unwrap();
        Store::open(self.scratch.database.clone(), Arc::new(kek), POLICY)
    }

    /// Every value of the sealed columns of a table, with its column and row.
    fn sealed_values(&self, table: &SealedTable) -> Vec<(&'static str, String, Vec<u8>)> {
        let SealedTable { name, id, columns } = table;
        let mut all = Vec::new();
        for column in *columns {
            let sql = format!("SELECT {id}, {column} FROM {name} WHERE {column} IS NOT NULL");
            let read = |row: &Row<'_>| {
                let row = Columns::of(name, row);
                Ok((row.get(0)?, row.get(1)?))
            };
            let rows = self.scratch.on(|db| db.rows(&sql, &[], read)).unwrap();
            all.extend(rows.into_iter().map(Result::unwrap).map(|(row, sealed)| (*column, row, sealed)));
        }
        all
    }

    /// Every value is sealed under that key, in the form of today, and under no other.
    fn assert_all_under(&self, octet: u8, others: &[u8]) {
        let mut values = 0;
        for table in SEALED {
            for (column, row, sealed) in self.sealed_values(table) {
                let what = format!("{}.{column} of {row}", table.name);
                assert_eq!(one(octet).reseal(table.name, column, &row, &sealed), Ok(None), "{what}");
                for other in others {
                    assert!(one(*other).open(table.name, column, &row, &sealed).is_err(), "{what} under {other}");
                }
                values += 1;
            }
        }
        assert!(values > 0, "nothing is tried");
    }
}

#[test]
fn every_sealed_column_of_the_schema_is_in_the_list() {
    let db = Db::new();
    let schema = match is_on_postgres() {
        true => {
            "SELECT CAST(table_name || '.' || column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = current_schema() AND data_type = 'bytea' AND column_name LIKE 'sealed%' ORDER BY 1"
        }
        false => {
            "SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.name LIKE 'sealed%' ORDER BY 1"
        }
    };
    let columns = |table: &SealedTable| table.columns.iter().map(|column| format!("{}.{column}", table.name)).collect();
    let mut listed: Vec<String> = SEALED.iter().flat_map(|table| -> Vec<String> { columns(table) }).collect();
    listed.sort();
    let mut schema = db.texts(schema);
    schema.sort();
    assert_eq!(schema, listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_secret_is_sealed_anew_while_servers_seal_and_each_password_still_counts() {
    let db = Db::new();
    let servers = [db.server(&[1, 2]).unwrap(), db.server(&[2, 1]).unwrap()];
    db.store.claim_first_k_server(Secret::from_slice(b"a key")).await.unwrap();
    servers[0].put_first_k_server("first".into(), Secret::from_slice(b"a key")).await.unwrap();
    db.import(vec![super::at_rest::imported()]).await;
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let runs = servers.clone().into_iter().enumerate().map(|(number, store)| {
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            let mut keys = Vec::new();
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let id = format!("key {number} {}", keys.len());
                let enrolment = store.create_enrolment(hotp_for(&id)).await.unwrap().enrolment.id;
                let run = run_of(&enrolment, &format!("session of {id}"), &id);
                assert_eq!(store.commit_run(run).done().await, Ok(Commit::Committed));
                keys.push(id);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            keys
        })
    });
    let runs: Vec<_> = runs.collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let rotating = db.server(&[1, 2]).unwrap();
    let mut steps = Vec::new();
    let rotated = rotating.rotate_kek(&one(2), WAITS, |step| steps.push(step)).await.unwrap();
    let before_end = db.rows("key");
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut keys = Vec::new();
    for run in runs {
        keys.extend(run.await.unwrap());
    }
    assert!(keys.len() > 20 && before_end > 20 && rotated.resealed > 10, "{} {rotated:?}", keys.len());
    assert!(rotated.unreadable.is_empty(), "{rotated:?}");
    assert!(steps.len() > 3, "{steps:?}");
    db.assert_all_under(2, &[1]);
    assert_eq!((db.events("seal.rotation_begun"), db.events("seal.rotated")), (1, 1));

    let new_alone = db.server(&[2]).unwrap();
    let code = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), 0).to_string();
    for key_id in &keys {
        let attempt = ValidationRequest {
            key_id: Some(key_id.clone()),
            otp: code.clone().into(),
            ..ValidationRequest::default()
        };
        assert_eq!(new_alone.validate(attempt).await, Ok(Some(key_id.clone())));
    }
    let old_alone = db.server(&[1]).unwrap_err();
    assert!(matches!(old_alone, StoreError::Sealed(_)));
    assert!(old_alone.to_string().contains("dskpp seal rotate"), "{old_alone}");
    // Once more: nothing is left, and nobody waits.
    let begun = Instant::now();
    let again = db.server(&[1, 2]).unwrap().rotate_kek(&one(2), WAITS, |_| ()).await.unwrap();
    assert_eq!(again.resealed, 0);
    assert!(begun.elapsed() < WAITS.notice);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_interrupted_anywhere_goes_on_and_needs_both_keys_until_its_end() {
    let db = Db::new();
    for number in 0..600 {
        db.enrolment().await;
        if number == 0 {
            db.key(hotp_for("alice"), "key1").await;
        }
    }
    let rotating = db.server(&[1, 2]).unwrap();
    for milliseconds in [1, 5, 20, 40, 80, 120] {
        let new = one(2);
        let rotation = rotating.rotate_kek(&new, WAITS, |_| ());
        assert!(tokio::time::timeout(Duration::from_millis(milliseconds), rotation).await.is_err());
    }
    assert!(db.texts("SELECT name FROM setting").contains(&FORMER.to_owned()));
    assert_eq!(db.server(&[2]).unwrap_err(), StoreError::FormerKek);
    assert!(matches!(db.server(&[1]), Err(StoreError::Sealed(why)) if why.row == CURRENT));
    let third = db.server(&[1, 2, 3]).unwrap().rotate_kek(&one(3), WAITS, |_| ()).await;
    assert!(matches!(third, Err(StoreError::State(why)) if why.contains("unfinished")), "one after the other");
    db.server(&[2, 1]).unwrap().rotate_kek(&one(2), WAITS, |_| ()).await.unwrap();
    db.assert_all_under(2, &[1]);
    db.server(&[2]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_without_the_new_key_objects_and_nothing_changes() {
    let db = Db::new();
    let lacking = db.server(&[1]).unwrap();
    lacking.create_user("alice".into()).await.unwrap();
    let writing = tokio::spawn(async move {
        for number in 0..40 {
            lacking.create_user(format!("user {number}")).await.unwrap();
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    let waits = RotationWaits { objections: ASKS_AFTER + Duration::from_secs(1), ..WAITS };
    let refused = db.server(&[1, 2]).unwrap().rotate_kek(&one(2), waits, |_| ()).await;
    assert!(matches!(refused, Err(StoreError::State(why)) if why.contains("lacks the new key")), "{refused:?}");
    writing.await.unwrap();
    db.assert_all_under(1, &[2]);
    db.server(&[1]).unwrap();
}

#[tokio::test]
async fn an_objection_counts_whatever_another_rotation_asks_afterwards() {
    let db = Db::new();
    db.store.create_user("alice".into()).await.unwrap();
    let third = one(3).seal("setting", "sealed_value", NEXT, &Secret::from_slice(b"dskpp"));
    let hex = data_encoding::HEXLOWER.encode(&third);
    let third = if is_on_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") };
    let (objection, other) = (
        format!("DELETE FROM setting WHERE name = '{NEXT}'"),
        format!("INSERT INTO setting (name, sealed_value) VALUES ('{NEXT}', {third})"),
    );
    let on_step = |step| {
        if matches!(step, RotationStep::Asking(_)) {
            db.execute(&objection);
            db.execute(&other);
        }
    };
    let refused = db.server(&[1, 2]).unwrap().rotate_kek(&one(2), WAITS, on_step).await;
    assert!(matches!(refused, Err(StoreError::State(why)) if why.contains("meanwhile")), "{refused:?}");
    assert!(db.texts("SELECT name FROM setting").contains(&NEXT.to_owned()), "the other one goes on");
    db.execute(&objection);
    db.assert_all_under(1, &[2, 3]);
    db.server(&[1]).unwrap();
}

#[tokio::test]
async fn what_no_key_opens_is_reported_and_stays() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let garbled = if is_on_postgres() { "'\\x00'" } else { "x'00'" };
    db.execute(&format!("UPDATE key SET sealed_k_mac = {garbled}"));
    let rotated = db.server(&[1, 2]).unwrap().rotate_kek(&one(2), WAITS, |_| ()).await.unwrap();
    assert_eq!(rotated.unreadable, ["key.sealed_k_mac of row 'key1'"]);
    assert_eq!(db.server(&[2]).unwrap().export_key("key1", "test".into()).await.unwrap().expose(), K_TOKEN);
}
