//! Wrong tries and refusals: counts and locks.

use super::super::tries::{self, FIRST_PASSWORD};
use super::*;

const OWNER: &str = "192.0.2.1";
const STRANGER: &str = "203.0.113.9";

impl Db {
    /// Whether that address is locked: in four-pass, and in two-pass.
    async fn is_locked(&self, enrolment: &EnrolmentRecord, address: &str) -> bool {
        let id = Some(&*enrolment.client_id);
        let four_pass = self.store.load_run("session", id, None, None, address).await.unwrap().locked;
        let query = HelloQuery {
            request_hash: Some([0; 32]),
            client_id: id.map(str::to_owned),
            address: address.to_owned(),
            ..HelloQuery::default()
        };
        assert_eq!(self.store.load_hello(query).await.unwrap().locked, four_pass, "in both variants");
        four_pass
    }

    async fn failed_attempts(&self, enrolment: &EnrolmentRecord) -> u32 {
        self.store.enrolment(&enrolment.id).await.unwrap().unwrap().failed_attempts
    }

    /// Runs a function on the writer, at a given time.
    async fn at<T: Send + 'static>(&self, work: impl Fn(&Connection) -> Result<T, StoreError> + Send + 'static) -> T {
        self.store.engine.write(work).await.unwrap()
    }
}

#[tokio::test]
async fn p16_a_lock_is_per_address_survives_a_restart_and_expires() {
    let db = Db::new();
    let enrolment = db.create(hotp_for("alice")).await;
    for n in 1..=POLICY.lock_after {
        assert!(!db.is_locked(&enrolment, STRANGER).await, "before the {n}th");
        let locked = db.count(&enrolment.id, wrong(STRANGER, 1)).await;
        assert_eq!(locked.len(), usize::from(n == POLICY.lock_after), "and the log is told");
    }
    assert_eq!(db.failed_attempts(&enrolment).await, POLICY.lock_after);
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Open, "there is no lasting state");
    assert!(db.is_locked(&enrolment, STRANGER).await);
    assert!(!db.is_locked(&enrolment, OWNER).await, "nobody is shut out by somebody else's guesses");
    let restarted = db.second();
    assert!(restarted.load_run("s", Some(&enrolment.client_id), None, None, STRANGER).await.unwrap().locked);

    db.age_tries(LOCK_S - 2);
    assert!(db.is_locked(&enrolment, STRANGER).await);
    db.age_tries(2);
    assert!(!db.is_locked(&enrolment, STRANGER).await, "it has ended");
    db.count(&enrolment.id, wrong(STRANGER, 1)).await;
    assert!(db.is_locked(&enrolment, STRANGER).await, "one more, and it holds again");
    db.age_tries(24 * 3600);
    db.count(&enrolment.id, wrong(STRANGER, 1)).await;
    assert!(!db.is_locked(&enrolment, STRANGER).await, "a day forgives all of them");
    db.age_tries(24 * 3600);
    db.store.settle_tries().await.unwrap();
    assert_eq!(db.rows("wrong_try"), 0);
}

#[tokio::test]
async fn at_most_sixteen_addresses_per_enrolment_are_counted_and_the_longest_idle_one_is_dropped() {
    let db = Db::new();
    let enrolment = db.create(hotp_for("alice")).await;
    db.count(&enrolment.id, wrong("192.0.2.0", POLICY.lock_after)).await;
    db.count(&enrolment.id, wrong("192.0.2.1", POLICY.lock_after)).await;
    for n in 2..40 {
        db.age_tries(1);
        db.count(&enrolment.id, wrong(&format!("192.0.2.{n}"), 1)).await;
        db.count(&enrolment.id, wrong("192.0.2.1", 1)).await;
        assert!(db.rows("wrong_try") <= MAX_ADDRESSES as i64);
    }
    assert_eq!(db.rows("wrong_try"), MAX_ADDRESSES as i64);
    assert!(db.is_locked(&enrolment, "192.0.2.1").await && !db.is_locked(&enrolment, "192.0.2.0").await);
    assert_eq!(db.failed_attempts(&enrolment).await, 2 * POLICY.lock_after + 2 * 38, "the total knows all of them");
}

#[tokio::test]
async fn the_audit_trail_has_one_entry_for_each_enrolment_and_hour() {
    const HOUR: i64 = 3600;
    let db = Db::new();
    let [first, second] = [db.enrolment().await, db.enrolment().await];
    let entries = db.rows("audit");
    let count = async |enrolment: &str, number, at: i64| {
        let (enrolment, tries) = (enrolment.to_owned(), wrong(STRANGER, number));
        db.at(move |db| tries::count(db, &enrolment, &tries, &POLICY, at)).await;
    };
    for at in [0, 1, HOUR - 1] {
        count(&first, 100, at).await;
        count(&second, 1, at).await;
        db.at(move |db| tries::settle(db, at)).await;
    }
    assert_eq!(db.rows("audit"), entries, "the hour is not over");
    count(&first, 7, HOUR).await;
    assert_eq!(db.events("run.refused"), 1, "the next refusal ends it");
    db.at(|db| tries::settle(db, HOUR)).await;
    db.at(|db| tries::settle(db, HOUR)).await;
    assert_eq!(db.events("run.refused"), 2, "or the clock does");
    db.at(|db| tries::settle(db, 5 * HOUR)).await;
    let entries = db.texts("SELECT subject FROM audit WHERE event = 'run.refused' ORDER BY seq");
    let entries: Vec<serde_json::Value> = entries.iter().map(|entry| serde_json::from_str(entry).unwrap()).collect();
    let of = |enrolment: &str| {
        let of_it = entries.iter().filter(|entry| entry["enrolment"] == enrolment);
        of_it.map(|entry| (entry["hour"].to_string(), entry["count"].as_u64().unwrap())).collect::<Vec<_>>()
    };
    let [(hour, before), (next, after)] = &of(&first)[..] else { panic!("{entries:?}") };
    assert!(hour != next && before + after == 307, "{entries:?}");
    assert_eq!(of(&second).iter().map(|(_, count)| count).collect::<Vec<_>>(), [&3]);
    db.assert_unbroken();
}

/// The same rule for codes and first passwords (RFC 6063 §10.5, RFC 4226 §7.3): locks expire, and no key is lost.
#[tokio::test]
async fn s10_5_first_passwords_are_locked_for_a_while_and_the_key_keeps_waiting() {
    let db = Db::new();
    let enrolment = db.create(NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") }).await;
    db.store.commit_run(run_of(&enrolment.id, "first", "key1")).done().await.unwrap();
    let hotp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX };
    let right = hotp.code(&Secret::from_slice(K_TOKEN), 0).to_string();
    let show = async |otp: &str| {
        let client_id = Some(enrolment.client_id.clone());
        let shown = ValidationRequest { client_id, otp: otp.to_owned().into(), ..ValidationRequest::default() };
        db.store.validate(shown).await.unwrap().is_some()
    };
    for _ in 0..POLICY.lock_after {
        assert!(!show("000000").await);
    }
    for _ in 0..5 {
        assert!(!show(&right).await, "it has to wait");
        assert!(!show("000000").await);
    }
    let tries = db.store.tries_of(&enrolment.id).await.unwrap();
    assert_eq!((tries.wrong[0].address.as_str(), tries.wrong[0].count), (FIRST_PASSWORD, POLICY.lock_after));
    assert!(tries.wrong[0].locked_until.is_some());
    assert_eq!(tries.last.map(|(cause, _)| cause), Some(Cause::WrongPassword));
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Provisioned);
    assert_eq!(db.store.key("key1").await.unwrap().unwrap().state, KeyState::Provisioned, "nothing was given up");
    db.age_tries(LOCK_S);
    assert!(show(&right).await);
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Active);
}

#[tokio::test]
async fn an_administrator_sees_addresses_and_causes_of_refusals() {
    let db = Db::new();
    let enrolment = db.enrolment().await;
    let none = db.store.tries_of(&enrolment).await.unwrap();
    assert_eq!((none.last, none.wrong.len()), (None, 0));
    db.count(&enrolment, wrong(STRANGER, POLICY.lock_after)).await;
    db.age_tries(60);
    db.count(&enrolment, wrong(OWNER, 1)).await;
    db.count(&enrolment, Tries { refused: 1, cause: Cause::Waiting, wrong: Vec::new() }).await;
    let seen = db.store.tries_of(&enrolment).await.unwrap();
    assert_eq!(seen.last.map(|(cause, _)| cause), Some(Cause::Waiting));
    let addresses: Vec<_> = seen.wrong.iter().map(|it| (&*it.address, it.count, it.locked_until.is_some())).collect();
    assert_eq!(addresses, [(OWNER, 1, false), (STRANGER, POLICY.lock_after, true)]);
    db.execute("UPDATE refusal SET cause = 'of a newer version'");
    assert!(matches!(db.store.tries_of(&enrolment).await, Err(StoreError::Row(why)) if why.column == "cause"));
}

#[tokio::test]
async fn an_unreadable_count_blocks_no_other() {
    let (db, enough) = (Db::new(), POLICY.lock_after);
    let (damaged, whole) = (db.create(hotp_for("alice")).await, db.create(hotp_for("bob")).await);
    db.count(&damaged.id, wrong(STRANGER, 1)).await;
    for count in [i64::MAX, i64::MIN, -1, 1 << 32] {
        for table in ["wrong_try", "refusal"] {
            db.execute(&format!("UPDATE {table} SET count = {count} WHERE enrolment_id = '{}'", damaged.id));
        }
        db.execute(&format!("DELETE FROM wrong_try WHERE address = '{OWNER}'"));
        let before = db.failed_attempts(&whole).await;
        let mut both = wrong(STRANGER, 1);
        both.wrong.push((OWNER.to_owned(), enough));
        let tries = [(damaged.id.clone(), both), (whole.id.clone(), wrong(STRANGER, enough))].into();
        let mut locked: Vec<_> = db.store.count_tries(tries).done().await.unwrap();
        locked.sort_by(|a, b| a.address.cmp(&b.address));
        let locked: Vec<_> = locked.iter().map(|locked| (&*locked.enrolment, &*locked.address)).collect();
        assert_eq!(locked, [(&*damaged.id, OWNER), (&*whole.id, STRANGER)], "{count}");
        assert_eq!(db.failed_attempts(&whole).await, before + enough, "{count}");
        assert!(!db.is_locked(&damaged, STRANGER).await, "{count}: it locks nobody");
        assert!(db.is_locked(&damaged, OWNER).await && db.is_locked(&whole, STRANGER).await, "{count}");
    }
    db.execute(&format!("UPDATE enrolment SET failed_attempts = {} WHERE id = '{}'", i64::MAX, damaged.id));
    let tries = [(damaged.id.clone(), wrong(STRANGER, 1)), (whole.id.clone(), wrong(STRANGER, 1))];
    assert!(db.store.count_tries(tries.into()).done().await.is_ok());
}

/// Each writes a second's refusals in one transaction: in one order, or they lock each other's rows crosswise.
#[tokio::test(flavor = "multi_thread")]
async fn servers_that_count_the_same_refusals_at_once_count_all_of_them() {
    let db = Db::new();
    let mut enrolments = Vec::new();
    for _ in 0..40 {
        enrolments.push(db.enrolment().await);
    }
    let count = |store: Store| {
        let enrolments = enrolments.clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                let tries = enrolments.iter().map(|id| (id.clone(), wrong(STRANGER, 1))).collect();
                store.count_tries(tries).done().await.unwrap();
            }
        })
    };
    let servers = [count(db.second()), count(db.second()), count(db.second())];
    for server in servers {
        server.await.unwrap();
    }
    let counted = ["SELECT min(count) FROM wrong_try", "SELECT max(count) FROM wrong_try"].map(|sql| db.number(sql));
    assert_eq!(counted, [15, 15]);
}
