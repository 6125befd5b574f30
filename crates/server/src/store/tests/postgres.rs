//! What only a database server can do: end a connection. These tests need `DSKPP_TEST_POSTGRES`.

use super::*;
use crate::store::commit::commit_run;
use crate::store::db::postgres::tests::ROUND_TRIPS;
use crate::store::db::values;
use crate::store::runs::load_hello;

/// Has the next COMMIT of a transaction that appends to the audit trail end its connection; later ones succeed.
const BREAK_NEXT_COMMIT: &str = "CREATE SEQUENCE commits;
    CREATE FUNCTION break_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER break_first AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION break_first()";

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --lib -- --include-ignored store::tests::postgres"]
async fn a_run_whose_commit_breaks_is_found_out_and_done_once() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    db.execute(BREAK_NEXT_COMMIT);
    assert_eq!(db.store.commit_run(run_of(&enrolment, "session1", "key1")).done().await, Ok(Commit::Committed));
    assert_eq!(db.number("SELECT last_value FROM commits"), 2, "it broke once and was done again");
    assert_eq!((db.rows("key"), db.events("key.provisioned")), (1, 1));
    db.assert_unbroken();
}

/// What a two-pass run costs beyond BEGIN and COMMIT: one round trip to read, two to write.
#[test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --lib -- --include-ignored store::tests::postgres"]
fn a_two_pass_run_takes_three_round_trips() {
    let db = Db::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let created = [1, 2].map(|_| runtime.block_on(db.create(hotp_for("alice"))));
    let raw = db.scratch.database.connect().unwrap();
    for (number, enrolment) in created.iter().enumerate() {
        let client_id = Some(enrolment.client_id.clone());
        let (key_names, request_hash) = (vec!["of a device".into(), "of none".into()], Some([7; 32]));
        let query = HelloQuery { client_id, key_names, request_hash, ..HelloQuery::default() };
        let run = run_of(&enrolment.id, &format!("session{number}"), &format!("key{number}"));
        ROUND_TRIPS.set(0);
        assert!(load_hello(&raw, &kek(1), &query, &POLICY, now()).unwrap().enrolment.is_some());
        let read = ROUND_TRIPS.replace(0);
        raw.begin().unwrap();
        assert_eq!(commit_run(&raw, &kek(1), &run, now()).unwrap(), Commit::Committed);
        let written = ROUND_TRIPS.get();
        raw.commit().unwrap();
        if number > 0 {
            // The first run prepared the statements.
            assert_eq!((read, written), (1, 2));
        }
    }
}

/// A reply that is held may be longer than what is kept for it, and an error comes in two parts.
#[test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --lib -- --include-ignored store::tests::postgres"]
fn a_reply_does_not_wait_for_those_that_are_held_for_later() {
    let db = Db::new();
    let raw = db.scratch.database.connect().unwrap();
    let send = |sql| raw.send_query(sql, values![], |_| Ok(()));
    let long = send("SELECT repeat('x', 100000) FROM generate_series(1, 100)");
    let failed = send("SELECT 1 / (2 - n) FROM generate_series(1, 3) AS n");
    let start = std::time::Instant::now();
    assert!(send("SELECT 2").wait().unwrap().is_some());
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    assert!(failed.wait().is_err());
    assert!(long.wait().unwrap().is_some());
    assert!(!raw.is_broken());
}

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --lib -- --include-ignored store::tests::postgres"]
async fn another_change_whose_commit_breaks_is_unknown_and_not_done_twice() {
    let db = Db::new();
    db.execute(BREAK_NEXT_COMMIT);
    assert!(matches!(db.store.create_user("alice".into()).await, Err(StoreError::Unknown(_))));
    assert_eq!(db.number("SELECT last_value FROM commits"), 1, "it was not tried again");
    db.store.create_user("bob".into()).await.unwrap();
    assert_eq!(db.events("user.created"), db.rows("user"));
}

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --lib -- --include-ignored store::tests::postgres"]
async fn connections_that_the_server_ended_are_replaced_for_reads_and_writes() {
    let db = Db::new();
    db.store.create_user("alice".into()).await.unwrap();
    db.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    assert!(db.store.has_tokens().await.is_ok());
    db.store.create_user("bob".into()).await.unwrap();
    assert_eq!(db.rows("user"), 2);
}

#[tokio::test]
#[ignore = "needs PostgreSQL: .ci/postgres cargo test -p dskpp-server --lib -- --include-ignored store::tests::postgres"]
async fn a_clock_that_has_gone_wrong_makes_and_deletes_no_keys_of_sessions() {
    let db = Db::new();
    let now = crate::model::clock::unix_now_ms();
    db.session_keys(now).await;
    let days = db.texts("SELECT day FROM session_key ORDER BY day");
    let next_year = now + 365 * 86_400_000;
    let refused = db.store.renew_session_keys(&SessionKeys::default(), next_year).await;
    assert!(matches!(refused, Err(StoreError::Clock { .. })), "{refused:?}");
    assert_eq!(db.texts("SELECT day FROM session_key ORDER BY day"), days);
}
