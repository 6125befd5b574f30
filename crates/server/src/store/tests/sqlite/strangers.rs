//! The store's work for a stranger's message is the same whatever it names (profile P16). Counted, not timed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dskpp::server::DeviceRef;

use super::*;
use crate::store::runs::load_hello;
use crate::store::seal::tests::OPENED;
use crate::store::stand_in::row_or_first;

/// The permitted difference in SQLite steps between known and unknown names, of 250: those that look for
/// the first row, and those for columns that are empty in one row and not in another.
const SLACK: u64 = 40;

/// Steps and unsealed values of one look-up.
fn work(db: &Db, query: &HelloQuery) -> (u64, u32) {
    let mut raw = db.raw();
    load_hello(&raw, &kek(1), query, &POLICY, now()).unwrap(); // what is prepared stays prepared
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        false
    };
    let Connection::Sqlite(sqlite) = &mut raw else { panic!("steps are SQLite's") };
    sqlite.progress_handler(1, Some(count)).unwrap();
    OPENED.set(0);
    load_hello(&raw, &kek(1), query, &POLICY, now()).unwrap();
    (steps.load(Ordering::Relaxed), OPENED.get())
}

fn hello() -> HelloQuery {
    HelloQuery { request_hash: Some([7; 32]), brings_public_key: true, ..HelloQuery::default() }
}

fn by_client_id(id: &str) -> HelloQuery {
    HelloQuery { client_id: Some(id.to_owned()), ..hello() }
}

fn by_key(id: &str) -> HelloQuery {
    HelloQuery { key_id: Some(id.to_owned()), request_hash: None, ..hello() }
}

fn by_name(name: &str) -> HelloQuery {
    HelloQuery { key_names: vec![name.to_owned()], ..hello() }
}

fn by_device(serial: &str) -> HelloQuery {
    HelloQuery { device: Some(DeviceRef { manufacturer: "acme".into(), serial: serial.into() }), ..hello() }
}

#[tokio::test]
async fn p16_unknown_names_cost_as_much_as_known_ones() {
    let db = Db::new();
    for (serial, shared_key) in [("1", Some(vec![1; 16])), ("2", None)] {
        let shared_key = shared_key.map(Secret::new);
        let (manufacturer, serial, key_name) = ("acme".into(), serial.to_owned(), format!("key of {serial}"));
        let device = NewDevice { manufacturer, serial, key_name, shared_key, certificate: None };
        db.store.create_device(device).await.unwrap();
    }
    let open = db.create(hotp_for("alice")).await;
    let spent = db.create(hotp_for("alice")).await;
    db.store.commit_run(run_of(&spent.id, "spent", "key1")).done().await.unwrap();
    let variants = NewEnrolment { variant: Some(Variant::TwoPass), ..hotp_for("alice") };
    let only_two_pass = db.create(variants).await;
    let revoked = db.create(hotp_for("alice")).await;
    db.store.revoke_enrolment(&revoked.id).await.unwrap();
    db.key(hotp_for("bob"), "key2").await;
    db.execute("UPDATE key SET state = 'revoked' WHERE id = 'key2'");
    let ids = [&open, &spent, &only_two_pass, &revoked].map(|it| by_client_id(&it.client_id));
    for (unknown, known) in [
        (by_client_id("there is no such"), ids.to_vec()),
        (by_key("there is no such"), vec![by_key("key1"), by_key("key2")]),
        (by_name("there is no such"), vec![by_name("key of 1"), by_name("key of 2")]),
        (by_device("there is no such"), vec![by_device("1"), by_device("2")]),
    ] {
        let (steps, opened) = work(&db, &unknown);
        assert!(opened > 0, "{unknown:?}: a secret is opened");
        for known in known {
            let (of_known, opened_of_known) = work(&db, &known);
            assert_eq!(opened, opened_of_known, "{known:?}");
            assert!(steps.abs_diff(of_known) <= SLACK, "{known:?}: {of_known} steps; unknown: {steps}");
        }
    }
}

/// A stand-in is never taken for the requested row, and damage to it causes no error.
#[tokio::test]
async fn p16_a_stand_in_is_never_taken_for_the_row() {
    let db = Db::new();
    let first = db.key(hotp_for("alice"), "key1").await;
    let found = |query| load_hello(&db.raw(), &kek(1), &query, &POLICY, now()).unwrap();
    for damage in ["", "UPDATE enrolment SET params = '{'; UPDATE key SET params = '{'"] {
        db.execute(damage);
        let hello = found(HelloQuery { key_id: Some("key2".into()), ..by_client_id("there is no such") });
        assert!(hello.key.is_none() && hello.enrolment.is_none() && hello.delivered.is_none(), "{damage}");
        assert!(hello.answer.is_none() && hello.bound_to.is_none());
    }
    assert_eq!(first.id, "key1");
    let stands_in = db.texts(&format!("SELECT {}", row_or_first("key", "id = 'key2'")));
    assert_eq!(stands_in, ["key1"]);
}
