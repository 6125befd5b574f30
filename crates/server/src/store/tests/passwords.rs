//! One-time passwords: correct ones once, wrong ones never.

use dskpp_otp::{Digits, Hotp, OcraInput, OcraSuite, Totp};

use super::*;
use crate::store::guesses::Guesses;

const HOTP: Hotp = Hotp { digits: Digits::SIX };

fn key() -> Secret {
    Secret::from_slice(K_TOKEN)
}

fn hotp(counter: u64) -> String {
    HOTP.code(&key(), counter).to_string()
}

fn of_type(key_type: &str, params: Params) -> NewEnrolment {
    NewEnrolment { key_type: KeyType::from_name(key_type).unwrap(), params, ..hotp_for("alice") }
}

fn ocra(suite: &str) -> NewEnrolment {
    of_type("ocra", Params { suite: Some(suite.to_owned()), ..Params::default() })
}

fn shown(otp: &str) -> ValidationRequest {
    ValidationRequest { otp: otp.to_owned().into(), ..ValidationRequest::default() }
}

fn of_key(key_id: &str, otp: &str) -> ValidationRequest {
    ValidationRequest { key_id: Some(key_id.to_owned()), ..shown(otp) }
}

impl Db {
    async fn is_valid(&self, key_id: &str, otp: &str) -> bool {
        self.is_response(key_id, None, otp).await
    }

    async fn is_response(&self, key_id: &str, challenge: Option<&str>, otp: &str) -> bool {
        let found = self
            .store
            .validate(ValidationRequest { challenge: challenge.map(str::to_owned), ..of_key(key_id, otp) })
            .await;
        let found = found.unwrap();
        assert!(found.as_deref().is_none_or(|found| found == key_id));
        found.is_some()
    }

    async fn found_for(&self, user: &str, otp: &str) -> Option<String> {
        self.store.validate(ValidationRequest { user: Some(user.into()), ..shown(otp) }).await.unwrap()
    }
}

#[tokio::test]
async fn hotp_looks_ahead_as_far_as_policy_says_and_takes_no_code_twice() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let ahead = u64::from(POLICY.windows.hotp_look_ahead);
    assert!(!db.is_valid("key1", &hotp(ahead + 1)).await, "too far ahead");
    assert_eq!(db.store.key("key1").await.unwrap().unwrap().counter, 0, "a wrong code changes nothing");
    assert!(db.is_valid("key1", &hotp(ahead)).await);
    assert!(!db.is_valid("key1", &hotp(ahead)).await, "twice");
    for skipped in 0..ahead {
        assert!(!db.is_valid("key1", &hotp(skipped)).await, "skipped");
    }
    assert!(db.is_valid("key1", &hotp(ahead + 1)).await);
    assert_eq!(db.second().key("key1").await.unwrap().unwrap().counter, ahead + 2);
}

#[tokio::test]
async fn hotp_begins_at_the_enrolments_counter_and_ends_with_the_last() {
    let db = Db::new();
    let last = pskc::MAX_COUNTER.unsigned_abs();
    for (id, counter) in [("key1", 1000), ("key2", last)] {
        let params = Params { digits: Some(6), counter: Some(counter), ..Params::default() };
        db.key(of_type("hotp", params), id).await;
        assert!(!db.is_valid(id, &hotp(0)).await);
        assert!(db.is_valid(id, &hotp(counter)).await);
        assert!(!db.is_valid(id, &hotp(counter)).await);
        assert!(db.is_valid(id, &hotp(counter + 1)).await);
        assert!(!db.is_valid(id, &hotp(counter)).await);
    }
    db.execute(&format!("UPDATE key SET counter = {} WHERE id = 'key1'", i64::MAX));
    let moved = db.store.validate(of_key("key1", &hotp(i64::MAX as u64))).await;
    assert!(matches!(moved, Err(StoreError::State(why)) if why.contains("end")), "it does not wrap around: {moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_sent_concurrently_is_valid_once() {
    let db = Db::new();
    let second = db.second(); // another server on the same database
    db.key(hotp_for("alice"), "key1").await;
    for counter in 0..5 {
        let mut tries = tokio::task::JoinSet::new();
        for i in 0..8 {
            let (store, otp) = (if i % 2 == 0 { &db.store } else { &second }.clone(), hotp(counter));
            tries.spawn(async move { store.validate(of_key("key1", &otp)).await.unwrap() });
        }
        let valid = tries.join_all().await.into_iter().flatten().count();
        assert_eq!(valid, 1, "counter {counter}");
    }
}

#[tokio::test]
async fn totp_takes_each_step_once_and_none_before_the_last() {
    let db = Db::new();
    let params =
        Params { digits: Some(8), period_s: Some(60), hash: Some(crate::model::HashName::Sha256), ..Params::default() };
    db.key(of_type("totp", params), "key1").await;
    let totp = Totp::new(Digits::new(8).unwrap(), 60, dskpp_crypto::Hash::Sha256).unwrap();
    // If a step ends in between, the window of one covers it.
    let here = totp.step(now() as u64);
    let code = |step| totp.code_of_step(&key(), step).to_string();
    for far in [here - 3, here + 4] {
        assert!(!db.is_valid("key1", &code(far)).await, "{far} from {here}");
    }
    assert!(db.is_valid("key1", &code(here)).await);
    assert!(!db.is_valid("key1", &code(here)).await, "twice");
    assert!(!db.is_valid("key1", &code(here - 1)).await, "before the last");
    assert!(db.is_valid("key1", &code(here + 1)).await);
    for used in [here - 1, here, here + 1] {
        assert!(!db.is_valid("key1", &code(used)).await);
    }
    assert_eq!(db.store.key("key1").await.unwrap().unwrap().last_step, Some(here + 1));
}

#[tokio::test]
async fn only_active_keys_validate() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    db.execute("UPDATE key SET state = 'replaced'");
    assert!(!db.is_valid("key1", &hotp(0)).await);
    db.execute("UPDATE key SET state = 'active'");
    assert!(db.is_valid("key1", &hotp(0)).await);
    db.store.revoke_key("key1").await.unwrap();
    assert!(!db.is_valid("key1", &hotp(1)).await);
    assert_eq!(db.found_for("alice", &hotp(1)).await, None);
    assert!(!db.is_valid("no such key", &hotp(1)).await);
}

/// RFC 6063 §10.5: the password and the client ID, from any host.
#[tokio::test]
async fn s10_5_a_waiting_key_becomes_active_with_its_first_correct_password_and_client_id() {
    let db = Db::new();
    let key = db.key(NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") }, "key1").await;
    let enrolment = db.store.enrolment(key.enrolment_id.as_deref().unwrap()).await.unwrap().unwrap();
    let other = db.create(hotp_for("alice")).await.client_id;
    let with = |client_id: &str, otp: &str| ValidationRequest { client_id: Some(client_id.into()), ..shown(otp) };
    for wrong in [
        of_key("key1", &hotp(0)),
        ValidationRequest { user: Some("alice".into()), ..shown(&hotp(0)) },
        with(&enrolment.client_id, "000000"),
        with(&other, &hotp(0)),
        with("no such client", &hotp(0)),
        ValidationRequest { user: Some("bob".into()), ..with(&enrolment.client_id, &hotp(0)) },
        ValidationRequest { key_id: Some("key2".into()), ..with(&enrolment.client_id, &hotp(0)) },
    ] {
        assert_eq!(db.store.validate(wrong.clone()).await, Ok(None), "{wrong:?}");
    }
    assert_eq!(db.store.key("key1").await.unwrap().unwrap().state, KeyState::Provisioned);
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Provisioned);
    let right = with(&enrolment.client_id, &hotp(0));
    assert_eq!(db.store.validate(right.clone()).await.unwrap().as_deref(), Some("key1"));
    assert_eq!(db.store.validate(right).await, Ok(None), "a password is good once");
    assert_eq!(db.store.key("key1").await.unwrap().unwrap().state, KeyState::Active);
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Active);
    assert!(db.is_valid("key1", &hotp(1)).await, "from now on without the client ID");
    assert_eq!(db.events("key.activated"), 1);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_users_password_is_tried_only_with_the_users_keys() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let far = Params { digits: Some(6), counter: Some(100), ..Params::default() };
    db.key(of_type("hotp", far), "key2").await;
    db.key(hotp_for("bob"), "key3").await;
    assert_eq!(db.found_for("alice", &hotp(0)).await.as_deref(), Some("key1"));
    assert_eq!(db.found_for("alice", &hotp(100)).await.as_deref(), Some("key2"));
    assert_eq!(db.found_for("carol", &hotp(0)).await, None);
    assert_eq!(db.found_for("bob", &hotp(100)).await, None);
    let both = db.store.validate(ValidationRequest { user: Some("alice".into()), ..of_key("key3", &hotp(0)) }).await;
    assert_eq!(both, Ok(None), "key3 is bob's");
    assert_eq!(db.store.validate(shown(&hotp(0))).await, Ok(None), "nobody's");
    assert_eq!(db.found_for("bob", &hotp(0)).await.as_deref(), Some("key3"));
}

#[tokio::test]
async fn ocra_needs_its_challenge_and_with_a_counter_takes_no_response_twice() {
    let db = Db::new();
    let suites = [("key1", "OCRA-1:HOTP-SHA1-6:QN08"), ("key2", "OCRA-1:HOTP-SHA256-8:C-QN08")];
    for (id, suite) in suites {
        db.key(ocra(suite), id).await;
        let suite: OcraSuite = suite.parse().unwrap();
        let response = |counter, question| {
            let mut input = OcraInput::new(question);
            input.counter = counter;
            suite.code(&key(), &input).unwrap().to_string()
        };
        let right = response(0, "12345678");
        assert!(!db.is_valid(id, &right).await, "no challenge");
        for other in ["12345679", "", "not a number", "1234567890123456789"] {
            assert!(!db.is_response(id, Some(other), &right).await, "{other:?}");
        }
        assert!(db.is_response(id, Some("12345678"), &right).await);
        // Without a counter, only a fresh challenge prevents replay.
        assert_eq!(db.is_response(id, Some("12345678"), &right).await, !suite.has_counter());
        assert!(db.is_response(id, Some("87654321"), &response(1, "87654321")).await);
    }
}

#[tokio::test]
async fn keys_without_passwords_and_nonsense_are_never_valid() {
    let db = Db::new();
    db.key(of_type("aes128", Params::default()), "key1").await;
    db.key(hotp_for("bob"), "key2").await;
    let code = hotp(0);
    for otp in [&*code, "", "\u{ff17}55224", "0755224", "75522", "'; DROP TABLE key; --"] {
        assert!(!db.is_valid("key1", otp).await, "{otp:?}");
        assert!(otp == code || !db.is_valid("key2", otp).await, "{otp:?}");
    }
    assert!(db.is_valid("key2", &code).await);
}

/// RFC 4226 §7.3: guesses are delayed by all servers together, and after a restart.
#[tokio::test]
async fn consecutive_wrong_passwords_delay_the_next_on_every_server() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let second = db.second();
    let of_alice = |otp: String| ValidationRequest { user: Some("alice".into()), ..shown(&otp) };
    for store in [&db.store, &second, &db.store, &second] {
        assert_eq!(store.verdict(of_alice("000000".into())).await, Ok(Verdict::Wrong));
    }
    for store in [&db.store, &second, &db.second()] {
        // As after a clock that was set back: the first delay is over within a second, however slow this machine is.
        db.execute("UPDATE wrong_password SET count = 14, at = at + 60");
        assert_eq!(store.verdict(of_alice(hotp(1))).await, Ok(Verdict::TooSoon(900)));
    }
    assert_eq!(
        second.resynchronise("key1", vec![hotp(2), hotp(3)], "token".into()).await,
        Ok(Verdict::Right("key1".into()))
    );
    assert_eq!(
        db.store.verdict(of_key("key1", &hotp(4))).await,
        Ok(Verdict::Right("key1".into())),
        "counted for the user"
    );
    db.execute("UPDATE wrong_password SET at = at - 3600");
    assert_eq!(second.verdict(of_alice(hotp(5))).await, Ok(Verdict::Right("key1".into())), "the delay is over");
    assert_eq!(db.rows("wrong_password"), 0, "a right password forgets the wrong ones");
}

/// Else each server would allow a guess of its own where all servers together allow one.
#[tokio::test]
async fn a_guess_counts_only_if_no_other_server_has_got_one_since_the_delay_was_looked_at() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    assert_eq!(db.store.verdict(of_key("key1", "000000")).await, Ok(Verdict::Wrong));
    let late = db.scratch.on(|db| {
        let seen = Guesses::of_key(db, "key1")?;
        Guesses::of_key(db, "key1")?.wrong(db, now())?; // another server's
        Ok::<_, StoreError>([seen.wrong(db, now()), seen.right(db)])
    });
    for late in late.unwrap() {
        assert!(matches!(late, Err(StoreError::Conflict(_))), "{late:?}");
    }
    assert_eq!(db.number("SELECT count FROM wrong_password"), 2);
}

#[tokio::test]
async fn wrong_passwords_for_nobody_are_delayed_and_fill_no_table() {
    let db = Db::new();
    for number in 0..400 {
        let nobody = ValidationRequest { user: Some(format!("nobody {number}")), ..shown("000000") };
        let verdict = db.store.verdict(nobody).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong | Verdict::TooSoon(_)), "{verdict:?}");
    }
    assert!(db.rows("wrong_password") <= 256);
    let nobody = ValidationRequest { user: Some("with a \0".into()), ..shown("000000") };
    db.execute("UPDATE wrong_password SET count = 9");
    assert!(matches!(db.store.verdict(nobody).await, Ok(Verdict::Wrong | Verdict::TooSoon(_))));
    db.execute("UPDATE wrong_password SET at = at - 3600");
    db.store.settle_tries().await.unwrap();
    assert_eq!(db.rows("wrong_password"), 0, "old ones are forgotten");
}
