//! Runs: one transaction, one key for one enrolment, one answer for one session.

use super::*;

#[tokio::test]
async fn a_run_writes_key_spent_enrolment_answer_and_audit_record_together() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    let pending = db.store.commit_run(run_of(&enrolment, "session1", "key1"));
    assert_eq!(pending.done().await, Ok(Commit::Committed));

    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!((key.user.as_deref(), key.enrolment_id.as_deref()), (Some("alice"), Some(&*enrolment)));
    assert_eq!(key.state, KeyState::Active);
    assert_eq!((key.key_type.as_str(), key.counter, key.last_step, key.drift), ("hotp", 0, None, 0));
    let spent = db.store.enrolment(&enrolment).await.unwrap().unwrap();
    assert_eq!((spent.state, spent.key_id.as_deref()), (EnrolmentState::Active, Some("key1")));
    let run = db.store.load_run("session1", Some(&spent.client_id), None, None, "192.0.2.1").await.unwrap();
    assert_eq!(
        run.answer,
        Some(StoredAnswer { request_hash: Sha256::digest(&[b"session1"]), response: b"answer of session1".to_vec() })
    );
    assert_eq!(db.events("key.provisioned"), 1);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_run_whose_caller_is_gone_is_still_committed() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    drop(db.store.commit_run(run_of(&enrolment, "session1", "key1")));
    db.on_writer("SELECT 1").await; // the writer works in order
    assert_eq!(db.state_of(&enrolment).await, EnrolmentState::Active);
}

#[tokio::test]
async fn a_run_whose_key_cannot_be_written_leaves_nothing() {
    let db = Db::new();
    db.key(hotp_for("bob"), "key1").await;
    let enrolment = db.enrolment().await;
    let (answers, entries) = (db.rows("answer"), db.rows("audit"));
    let error = db.store.commit_run(run_of(&enrolment, "session2", "key1")).done().await.unwrap_err();
    assert_eq!(error, StoreError::Exists("the key"));
    assert_eq!(db.state_of(&enrolment).await, EnrolmentState::Open);
    assert_eq!((db.rows("answer"), db.rows("audit"), db.rows("key")), (answers, entries, 1));
    assert_eq!(db.store.key("key1").await.unwrap().unwrap().user.as_deref(), Some("bob"));
}

/// Waits for submitted runs.
async fn all_done(runs: Vec<Pending<Commit>>) -> Vec<Result<Commit, StoreError>> {
    let mut done = Vec::new();
    for run in runs {
        done.push(run.done().await);
    }
    done
}

/// Numbers of runs: committed, enrolment spent, session answered.
fn ends(ends: &[Result<Commit, StoreError>]) -> (usize, usize, usize) {
    let count = |wanted: fn(&Commit) -> bool| ends.iter().filter(|end| wanted(end.as_ref().unwrap())).count();
    (
        count(|end| matches!(end, Commit::Committed)),
        count(|end| matches!(end, Commit::EnrolmentSpent)),
        count(|end| matches!(end, Commit::AlreadyAnswered(_))),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn of_runs_that_race_for_one_enrolment_one_wins_and_the_others_leave_nothing() {
    let db = Db::new();
    let second = db.second(); // another server on the same database
    for round in 0..10 {
        let enrolment = db.enrolment().await;
        let runs = (0..6).map(|i| {
            let store = if i % 2 == 0 { &db.store } else { &second };
            store.commit_run(run_of(&enrolment, &format!("session {round} {i}"), &format!("key {round} {i}")))
        });
        let done = all_done(runs.collect()).await;
        assert_eq!(ends(&done), (1, 5, 0), "{done:?}");
        let winner = done.iter().position(|end| *end == Ok(Commit::Committed)).unwrap();
        let spent = db.store.enrolment(&enrolment).await.unwrap().unwrap();
        assert_eq!(spent.key_id, Some(format!("key {round} {winner}")));
        assert_eq!(db.number(&format!("SELECT count(*) FROM answer WHERE session_id LIKE 'session {round} %'")), 1);
    }
    assert_eq!((db.rows("key"), db.rows("answer"), db.events("key.provisioned")), (10, 10, 10));
    db.assert_unbroken();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_requests_that_race_for_one_session_one_is_answered_and_the_others_get_its_answer() {
    let db = Db::new();
    let second = db.second();
    for round in 0..10 {
        let enrolments = [db.enrolment().await, db.enrolment().await];
        let session = format!("session {round}");
        let runs = (0..6).map(|i| {
            let (store, enrolment) = if i % 2 == 0 { (&db.store, 0) } else { (&second, 1) };
            let mut run = run_of(&enrolments[enrolment], &session, &format!("key {round} {i}"));
            (run.request_hash, run.response) = ([i; 32], vec![i; 4]);
            store.commit_run(run)
        });
        let done = all_done(runs.collect()).await;
        assert_eq!(ends(&done), (1, 0, 5), "{done:?}");
        let winner = done.iter().position(|end| *end == Ok(Commit::Committed)).unwrap() as u8;
        let kept = StoredAnswer { request_hash: [winner; 32], response: vec![winner; 4] };
        assert!(done.iter().all(|end| match end.as_ref().unwrap() {
            Commit::AlreadyAnswered(answer) => *answer == kept,
            _ => true,
        }));
        let states = [db.state_of(&enrolments[0]).await, db.state_of(&enrolments[1]).await];
        assert_eq!(states.iter().filter(|state| **state == EnrolmentState::Open).count(), 1, "only one is spent");
    }
    assert_eq!(db.rows("key"), 10);
    db.assert_unbroken();
}

/// Profile P28: the answer of a session stays, also a refusal.
#[tokio::test]
async fn p28_a_refusal_of_a_proved_code_and_a_success_race_for_one_session_and_one_of_them_counts() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    let refused = db.store.commit_refusal(refusal_of("session1"));
    let run = db.store.commit_run(run_of(&enrolment, "session1", "key1"));
    assert_eq!(refused.done().await, Ok(Commit::Committed));
    let Ok(Commit::AlreadyAnswered(answer)) = run.done().await else { panic!("the session is spent") };
    assert_eq!(answer.response, b"refusal of session1");
    assert_eq!(db.state_of(&enrolment).await, EnrolmentState::Open);
    assert_eq!(db.rows("key"), 0);
}

/// A refusal after a proved code.
fn refusal_of(session: &str) -> ProvedRefusal {
    let CommitRun { session_id, request_hash, answer_expires_at, .. } = run_of("", session, "");
    let response = format!("refusal of {session}").into_bytes();
    ProvedRefusal { session_id, request_hash, response, answer_expires_at }
}

#[tokio::test]
async fn an_expired_revoked_or_unknown_enrolment_cannot_be_spent() {
    let db = Db::new();
    let [expired, revoked] = [db.enrolment().await, db.enrolment().await];
    db.execute(&format!("UPDATE enrolment SET expires_at = {} WHERE id = '{expired}'", now()));
    db.store.revoke_enrolment(&revoked).await.unwrap();
    assert_eq!(db.state_of(&expired).await, EnrolmentState::Expired);
    for (i, enrolment) in [expired.as_str(), &revoked, "nobody's"].into_iter().enumerate() {
        let run = db.store.commit_run(run_of(enrolment, &format!("session{i}"), "key1"));
        assert_eq!(run.done().await, Ok(Commit::EnrolmentSpent), "{enrolment}");
    }
    assert_eq!((db.rows("key"), db.rows("answer"), db.events("key.provisioned")), (0, 0, 0));
}

#[tokio::test]
async fn answers_are_deleted_when_their_sessions_have_expired_and_not_before() {
    let db = Db::new();
    for (session, expires_in) in [("old", -1), ("new", 600)] {
        let refusal = ProvedRefusal { answer_expires_at: now() + expires_in, ..refusal_of(session) };
        db.store.commit_refusal(refusal).done().await.unwrap();
    }
    assert_eq!(db.store.forget_old_answers().await, Ok(1));
    assert_eq!(db.number("SELECT count(*) FROM answer WHERE session_id = 'new'"), 1);
}
