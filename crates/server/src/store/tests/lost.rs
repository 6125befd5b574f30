//! Lost tokens, notices, and what ends or ended.

use serde_json::Map;

use super::*;
use crate::model::notice::{Channel, Event, Notice};

pub(super) fn notice(id: &str) -> Notice {
    Notice { id: id.into(), event: Event::UserLost, at: now(), user: Some("alice".into()), data: Map::new() }
}

pub(super) async fn lose(store: &Store, user: &str) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let told = (notice(&new_id()), vec![Channel::User, Channel::Webhook]);
    let lost = store.user_lost(hotp_for(user), told, "test".into()).await?;
    assert_eq!(lost.created.enrolment.state, EnrolmentState::Open);
    Ok((lost.keys, lost.enrolments))
}

#[tokio::test]
async fn a_lost_token_takes_every_key_and_code_of_its_user_out_of_use_and_nobody_elses() {
    let db = Db::new();
    let store = &db.store;
    let mut open = Vec::new();
    for (user, key) in [("alice", "k1"), ("alice", "k2"), ("bob", "k3")] {
        let made = store.create_enrolment(hotp_for(user)).await.unwrap().enrolment.id;
        store.commit_run(run_of(&made, &format!("session of {key}"), key)).done().await.unwrap();
        open.push(store.create_enrolment(hotp_for(user)).await.unwrap().enrolment.id);
    }
    let (mut keys, mut enrolments) = lose(store, "alice").await.unwrap();
    keys.sort();
    enrolments.sort();
    let mut expected = open[..2].to_vec();
    expected.sort();
    assert_eq!((keys, enrolments), (vec!["k1".to_owned(), "k2".to_owned()], expected));
    for (key, state) in [("k1", KeyState::Revoked), ("k2", KeyState::Revoked), ("k3", KeyState::Active)] {
        assert_eq!(store.key(key).await.unwrap().unwrap().state, state, "{key}");
    }
    let code = store.enrolment(&open[2]).await.unwrap().unwrap();
    assert_eq!(code.state, EnrolmentState::Open, "bob's");
    assert_eq!(lose(store, "nobody").await, Err(StoreError::NotFound("user")));
    assert_eq!(db.texts("SELECT name FROM \"user\" WHERE name = 'nobody'"), Vec::<String>::new(), "no user is made");
}

#[tokio::test]
async fn a_notice_is_taken_once_and_again_when_its_time_comes() {
    let db = Db::new();
    let store = &db.store;
    let (user, both) = (vec![Channel::User], vec![Channel::User, Channel::Webhook]);
    assert!(store.make_notice(notice("one"), both.clone(), now() + 100).await.unwrap());
    assert!(!store.make_notice(notice("one"), both, now() + 100).await.unwrap(), "it was made");
    assert!(!store.make_notice(notice("two"), Vec::new(), now() + 100).await.unwrap(), "nobody wants it");
    let taken = store.take_notice(Channel::User).await.unwrap().unwrap();
    assert_eq!((taken.notice.id.as_str(), taken.attempts), ("one", 1));
    assert!(store.take_notice(Channel::User).await.unwrap().is_none(), "another server has it");
    store.settle_notice(taken, NoticeAttempt::Again(now() + 100)).await.unwrap();
    assert!(store.take_notice(Channel::User).await.unwrap().is_none(), "not yet");
    let taken = store.take_notice(Channel::Webhook).await.unwrap().unwrap();
    store.settle_notice(taken, NoticeAttempt::Again(now())).await.unwrap();
    let taken = store.take_notice(Channel::Webhook).await.unwrap().unwrap();
    assert_eq!(taken.attempts, 2);
    store.settle_notice(taken, NoticeAttempt::Sent).await.unwrap();
    assert!(store.take_notice(Channel::Webhook).await.unwrap().is_none(), "it was sent");
    assert_eq!(store.forget_old_notices().await.unwrap(), 0, "it is still known that it was made");
    assert!(store.make_notice(notice("late"), user, now() - 1).await.unwrap());
    assert_eq!(store.forget_old_notices().await.unwrap(), 1);
}

#[tokio::test]
async fn a_notice_that_cannot_be_read_delays_no_other_one() {
    let db = Db::new();
    let store = &db.store;
    assert!(store.make_notice(notice("one"), vec![Channel::User], now() + 100).await.unwrap());
    db.execute("UPDATE setting SET sealed_value = (SELECT sealed_value FROM setting WHERE name LIKE 'kek%') WHERE name LIKE 'notice/due/%'");
    assert!(store.make_notice(notice("two"), vec![Channel::User], now() + 100).await.unwrap());
    assert_eq!(store.take_notice(Channel::User).await.unwrap().unwrap().notice.id, "two");
}

#[tokio::test]
async fn keys_in_use_that_end_within_the_time_are_found() {
    let db = Db::new();
    let store = &db.store;
    for (key, lifetime_s, revoked) in
        [("k1", Some(100), false), ("k2", Some(10_000), false), ("k3", None, false), ("k4", Some(100), true)]
    {
        let mut new = hotp_for("alice");
        new.params.terms.lifetime_s = lifetime_s;
        let made = store.create_enrolment(new).await.unwrap().enrolment.id;
        store.commit_run(run_of(&made, &format!("session of {key}"), key)).done().await.unwrap();
        if revoked {
            store.revoke_key(key).await.unwrap();
        }
    }
    let found = store.expiring_keys(String::new(), now() + 1000, 10).await.unwrap();
    assert_eq!(found.keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["k1"]);
    assert_eq!(found.next, None);
    assert!(store.expiring_keys("k1".into(), now() + 1000, 10).await.unwrap().keys.is_empty());
}

#[tokio::test]
async fn old_enrolments_that_made_no_key_are_deleted_and_the_others_stay() {
    let db = Db::new();
    let store = &db.store;
    let made = async |user: &str| store.create_enrolment(hotp_for(user)).await.unwrap().enrolment.id;
    let (expired, revoked, open, used) = (made("a").await, made("b").await, made("c").await, made("d").await);
    store.commit_run(run_of(&used, "session", "k1")).done().await.unwrap();
    store.revoke_enrolment(&revoked).await.unwrap();
    for id in [&expired, &revoked, &used] {
        db.execute(&format!("UPDATE enrolment SET expires_at = 1000 WHERE id = '{id}'"));
    }
    assert_eq!(store.forget_old_enrolments(1000).await.unwrap(), 0, "not yet");
    assert_eq!(store.forget_old_enrolments(1001).await.unwrap(), 2);
    for (id, is_there) in [(expired, false), (revoked, false), (open, true), (used, true)] {
        assert_eq!(store.enrolment(&id).await.unwrap().is_some(), is_there, "{id}");
    }
}
