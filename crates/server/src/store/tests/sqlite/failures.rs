//! Disk full, database locked, defects in one job: nothing is acknowledged that is not there, and it goes on.

use std::time::Duration;

use super::*;

const MANY_PAGES: &str = "PRAGMA max_page_count = 1073741823";

/// A run whose answer is too large for a full disk.
fn large_run(enrolment: &str, session: &str, key: &str) -> CommitRun {
    CommitRun { response: vec![b'x'; 1 << 20], ..run_of(enrolment, session, key) }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_acknowledged_and_it_works_again_afterwards() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    let entries = db.rows("audit");
    db.on_writer("PRAGMA max_page_count = 1").await; // no more than there are
    let error = db.store.commit_run(large_run(&enrolment, "session1", "key1")).done().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(why) if why.contains("full")), "{error}");
    assert_eq!(db.state_of(&enrolment).await, EnrolmentState::Open);
    assert_eq!((db.rows("answer"), db.rows("key"), db.rows("audit")), (0, 0, entries));

    db.on_writer(MANY_PAGES).await;
    let run = db.store.commit_run(large_run(&enrolment, "session1", "key1"));
    assert_eq!(run.done().await, Ok(Commit::Committed));
    db.assert_unbroken();
}

#[tokio::test]
async fn on_a_full_disk_a_group_holds_exactly_what_was_acknowledged() {
    let db = Db::new();
    let mut enrolments = Vec::new();
    for _ in 0..6 {
        enrolments.push(db.enrolment().await);
    }
    db.on_writer("PRAGMA max_page_count = 1").await;
    let release = db.hold_writer();
    let mut runs = Vec::new();
    for (i, enrolment) in enrolments.iter().enumerate() {
        let (session, key) = (format!("session{i}"), format!("key{i}"));
        let run = if i % 2 == 0 { run_of(enrolment, &session, &key) } else { large_run(enrolment, &session, &key) };
        runs.push(db.store.commit_run(run));
    }
    drop(release);
    for (i, run) in runs.into_iter().enumerate() {
        let acknowledged = match run.done().await {
            Ok(end) => end == Commit::Committed,
            Err(error) => {
                assert!(error.to_string().contains("full"), "{error}");
                false
            }
        };
        assert!(!acknowledged || i % 2 == 0, "{i} cannot fit");
        assert_eq!(db.store.key(&format!("key{i}")).await.unwrap().is_some(), acknowledged, "{i}");
        assert_eq!(db.state_of(&enrolments[i]).await == EnrolmentState::Active, acknowledged, "{i}");
    }
    db.on_writer(MANY_PAGES).await;
    db.assert_unbroken();
    assert_eq!(db.store.create_user("afterwards".into()).await.unwrap().name, "afterwards");
}

#[tokio::test]
async fn while_another_process_locks_the_database_writes_fail_and_reads_go_on() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    let short = |db: &Connection| Ok(db.sqlite().busy_timeout(Duration::from_millis(20))?);
    db.store.engine.write(short).await.unwrap();
    let other = db.raw();
    other.sqlite().execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = db.store.commit_run(run_of(&enrolment, "session1", "key1")).done().await;
    assert!(matches!(&run, Err(StoreError::Unavailable(why)) if why.contains("locked")), "{run:?}");
    assert_eq!(db.state_of(&enrolment).await, EnrolmentState::Open);
    assert!(db.store.load_run("session1", None, Some(&enrolment), None, "192.0.2.1").await.unwrap().answer.is_none());

    other.sqlite().execute_batch("ROLLBACK").unwrap();
    let run = db.store.commit_run(run_of(&enrolment, "session1", "key1"));
    assert_eq!(run.done().await, Ok(Commit::Committed));
    db.assert_unbroken();
}

#[tokio::test]
async fn a_lock_that_is_given_back_in_time_is_waited_for() {
    let db = Db::new();
    let other = db.raw();
    other.sqlite().execute_batch("BEGIN EXCLUSIVE").unwrap();
    let user = db.store.create_user("alice".into());
    let unlock = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.sqlite().execute_batch("COMMIT").unwrap();
    };
    assert!(futures_util::future::join(user, unlock).await.0.is_ok());
}
