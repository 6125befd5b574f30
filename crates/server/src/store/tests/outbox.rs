//! Keys on their way to sinks.

use super::activation::show;
use super::*;
use crate::model::{DeliveryOperation, DeliveryRecord, DeliveryState};

const PAM: &str = "pam";

/// An enrolment whose key goes to these sinks.
fn to_sinks(sinks: &[&str]) -> NewEnrolment {
    NewEnrolment { sinks: sinks.iter().map(|sink| (*sink).to_owned()).collect(), ..hotp_for("alice") }
}

fn renewal(activate: Activation, sinks: &[&str]) -> NewEnrolment {
    NewEnrolment { renews: Some("key1".into()), activate, ..to_sinks(sinks) }
}

/// Password of the test key at a counter.
fn hotp(counter: u64) -> String {
    dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), counter).to_string()
}

impl Db {
    /// Operation, number and state by sink.
    async fn at_sinks(&self, key: &str) -> Vec<(String, DeliveryOperation, u64, DeliveryState)> {
        let deliveries = self.store.deliveries_of(key).await.unwrap();
        deliveries.into_iter().map(|it| (it.sink, it.operation, it.seq, it.state)).collect()
    }

    async fn lease_one(&self) -> Leased {
        let mut leased = self.store.lease(PAM, 10).await.unwrap();
        assert_eq!(leased.len(), 1);
        leased.pop().unwrap()
    }

    async fn settle(&self, leased: Leased, attempt: Attempt) {
        self.store.settle(vec![(leased, attempt)]).await.unwrap();
    }

    async fn only(&self) -> DeliveryRecord {
        self.store.deliveries_of("key1").await.unwrap().pop().unwrap()
    }
}

use DeliveryOperation::{Delete, Put};
use DeliveryState::{Dead, Delivered, Pending};

#[tokio::test]
async fn a_key_is_queued_when_it_becomes_active_renewed_and_revoked() {
    let db = Db::new();
    db.key(to_sinks(&[PAM, "web"]), "key1").await;
    let at = |operation, number, state| move |sink: &str| (sink.to_owned(), operation, number, state);
    assert_eq!(db.at_sinks("key1").await, [PAM, "web"].map(at(Put, 1, Pending)));
    let leased = db.lease_one().await;
    let (key, secret) = leased.key.as_ref().unwrap();
    assert_eq!((&*key.id, secret.as_ref().unwrap().expose()), ("key1", K_TOKEN));
    assert_eq!(db.events("key.sent"), 1, "each delivery is audited as a read of the secret");
    db.settle(leased, Attempt::Delivered).await;
    assert_eq!(db.only().await.state, Pending, "the other sink still waits");
    assert!(db.store.lease(PAM, 10).await.unwrap().is_empty());

    // The old key stays until the first password of the new one.
    let waiting = db.create(renewal(Activation::OnOtp, &[])).await.id;
    db.store.commit_run(run_of(&waiting, "renewal", "key1")).done().await.unwrap();
    assert_eq!(db.at_sinks("key1").await[0], at(Put, 1, Delivered)(PAM));
    assert!(show(&db.store, "key1", &hotp(2)).await);
    assert_eq!(db.at_sinks("key1").await, [PAM, "web"].map(at(Put, 2, Pending)));
    let leased = db.lease_one().await;
    assert_eq!(leased.key.as_ref().unwrap().0.counter, 3, "with its present counter");
    db.settle(leased, Attempt::Delivered).await;

    // A renewal adds sinks, and leaves out none that has the key.
    let at_once = db.create(renewal(Activation::AtOnce, &["more"])).await.id;
    db.store.commit_run(run_of(&at_once, "another", "key1")).done().await.unwrap();
    let [more, pam, web] = &db.at_sinks("key1").await[..] else { panic!() };
    assert_eq!(*more, at(Put, 1, Pending)("more"));
    assert_eq!([pam, web], [&at(Put, 3, Pending)(PAM), &at(Put, 3, Pending)("web")]);

    db.store.revoke_key("key1").await.unwrap();
    let operations = db.at_sinks("key1").await.into_iter().map(|(_, operation, ..)| operation);
    assert!(operations.into_iter().all(|operation| operation == Delete));
    let leased = db.lease_one().await;
    assert!(leased.key.as_ref().unwrap().1.is_none(), "a revocation has no secret");
    db.settle(leased, Attempt::Delivered).await;
    db.store.revoke_key("key1").await.unwrap();
    assert_eq!(db.at_sinks("key1").await[1], at(Delete, 4, Delivered)(PAM), "once is enough");
    assert_eq!(db.check().findings, []);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_key_that_is_not_in_use_goes_nowhere() {
    let db = Db::new();
    db.key(hotp_for("alice"), "of nobody's interest").await;
    assert_eq!(db.rows("outbox"), 0, "no sinks, no rows");
    let waiting = NewEnrolment { activate: Activation::OnOtp, ..to_sinks(&[PAM]) };
    let enrolment = db.key(waiting, "key1").await.enrolment_id.unwrap();
    db.store.revoke_enrolment(&enrolment).await.unwrap();
    assert_eq!(db.rows("outbox"), 0, "nobody ever used it");
    let refused = db.create(to_sinks(&[PAM])).await.id;
    db.store.revoke_enrolment(&refused).await.unwrap();
    let spent = db.store.commit_run(run_of(&refused, "s", "key2")).done().await;
    assert_eq!((spent, db.rows("outbox")), (Ok(Commit::EnrolmentSpent), 0));
}

#[tokio::test]
async fn keys_in_stock_go_out_when_they_are_assigned_or_delivered() {
    let db = Db::new();
    let id = at_rest::imported().key.unwrap().id;
    db.import(vec![at_rest::imported()]).await;
    db.execute("UPDATE key SET user_id = NULL, state = 'imported'");
    db.store.assign_key(&id, "dave".into(), vec![PAM.into()], "test".into()).await.unwrap();
    assert_eq!(db.at_sinks(&id).await, [(PAM.to_owned(), Put, 1, Pending)]);
}

#[tokio::test]
async fn one_server_sends_a_change_and_a_lost_lease_settles_nothing() {
    let db = Db::new();
    db.key(to_sinks(&[PAM]), "key1").await;
    let other = db.second();
    let (ours, theirs) = tokio::join!(db.store.lease(PAM, 10), other.lease(PAM, 10));
    let mut leased: Vec<_> = ours.unwrap().into_iter().chain(theirs.unwrap()).collect();
    assert_eq!(leased.len(), 1, "one of both");
    let first = leased.pop().unwrap();
    assert!(other.lease(PAM, 10).await.unwrap().is_empty(), "as long as the lease lasts");

    // The server dies: another one sends the same change again.
    db.execute("UPDATE outbox SET next_at = next_at - 1000");
    let second = db.lease_one().await;
    assert_eq!((&second.record.id, second.record.seq), (&first.record.id, first.record.seq));
    assert_eq!(second.record.attempts, 2);
    db.settle(first, Attempt::Dead { error: "too late".into() }).await;
    assert_eq!(db.only().await.state, Pending, "the first one has no say any more");
    db.settle(second, Attempt::Delivered).await;
    assert_eq!(db.only().await.state, Delivered);
}

#[tokio::test]
async fn a_change_while_another_one_is_sent_is_due_next() {
    let db = Db::new();
    db.key(to_sinks(&[PAM]), "key1").await;
    let put = db.lease_one().await;
    db.store.revoke_key("key1").await.unwrap();
    assert!(db.store.lease(PAM, 10).await.unwrap().is_empty(), "not beside the first one, so in order");
    db.settle(put, Attempt::Delivered).await;
    let delete = db.lease_one().await;
    assert_eq!((delete.record.operation, delete.record.seq), (Delete, 2));
    db.settle(delete, Attempt::Dead { error: "e".repeat(1000) }).await;
    let dead = db.only().await;
    assert_eq!((dead.state, dead.error.unwrap().len()), (Dead, 300));
    assert_eq!(db.events("delivery.given-up"), 1);
}

#[tokio::test]
async fn a_failure_is_tried_again_at_its_time_and_by_hand() {
    let db = Db::new();
    db.key(to_sinks(&[PAM]), "key1").await;
    let failed = Attempt::Again { error: "down".into(), at: now() + 60 };
    db.settle(db.lease_one().await, failed).await;
    assert!(db.store.lease(PAM, 10).await.unwrap().is_empty());
    let waiting = db.only().await;
    assert_eq!((waiting.state, waiting.attempts, waiting.error.as_deref()), (Pending, 1, Some("down")));
    let again = db.store.send_again(&waiting.id, "t1".into()).await.unwrap();
    assert_eq!((again.attempts, again.seq, again.error), (0, 2, None));
    assert_eq!(db.events("delivery.repeated"), 1);
    db.settle(db.lease_one().await, Attempt::Delivered).await;
    assert_eq!(db.store.send_again("nothing", "t1".into()).await, Err(StoreError::NotFound("delivery")));
    assert_eq!(db.events("delivery.repeated"), 1);
}

#[tokio::test]
async fn a_damaged_key_holds_up_no_other_one() {
    let db = Db::new();
    db.key(to_sinks(&[PAM]), "key1").await;
    db.key(to_sinks(&[PAM]), "key2").await;
    db.execute("UPDATE key SET sealed_k_token = sealed_k_mac WHERE id = 'key1'");
    let mut leased = db.store.lease(PAM, 10).await.unwrap();
    leased.sort_by(|a, b| a.record.key_id.cmp(&b.record.key_id));
    assert!(leased[0].key.is_err());
    assert!(leased[1].key.is_ok());
    assert_eq!(db.events("key.sent"), 1);
}

#[tokio::test]
async fn deliveries_are_listed_by_sink_and_state_page_by_page() {
    let db = Db::new();
    for key in ["key1", "key2", "key3"] {
        db.key(to_sinks(&[PAM, "web"]), key).await;
    }
    db.execute("UPDATE outbox SET state = 'dead' WHERE key_id = 'key2'");
    for (sink, state, count) in
        [(None, None, 6), (Some(PAM), None, 3), (None, Some(Dead), 2), (Some(PAM), Some(Pending), 2)]
    {
        let mut filter = DeliveryFilter { sink: sink.map(str::to_owned), state, after: None };
        let (mut found, mut pages) = (0, 0);
        loop {
            let page = db.store.deliveries(filter.clone(), 2).await.unwrap();
            found += page.items.iter().filter(|item| item.is_ok()).count();
            pages += 1;
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!((found, pages), (count, usize::div_ceil(count, 2)), "{sink:?} {state:?}");
    }
}
