//! A renewal that the owner of a key asks for by its client.

use dskpp_api::{HashName, RenewalRequest};

use super::activation::{hotp, mac_over};
use super::*;
use crate::store::enrolments::Created;

async fn asked(store: &Store, key_id: &str, otp: &str, mac: [u8; 16]) -> Option<Created> {
    let request = RenewalRequest { key_id: key_id.into(), otp: otp.to_owned().into(), mac: String::new() };
    store.renew_by_owner(request, mac, 900).await.unwrap()
}

/// Asks with the MAC of the key's client.
pub(super) async fn ask(store: &Store, key_id: &str, otp: &str) -> Option<Created> {
    asked(store, key_id, otp, mac_over("Renewal request", K_MAC, otp)).await
}

async fn is_valid(db: &Db, otp: &str) -> bool {
    db.store.validate(ValidationRequest::of_key("key1", otp)).await.unwrap().is_some()
}

#[tokio::test]
async fn the_owner_of_a_key_gets_an_enrolment_like_an_operators_and_its_run_replaces_the_key() {
    let db = Db::new();
    let params = Params { digits: Some(6), counter: Some(0), ..Params::default() };
    db.key(hotp_for("alice"), "key1").await;
    let made = ask(&db.store, "key1", &hotp(2)).await.unwrap().enrolment;
    assert_eq!((made.user.as_str(), made.key_type, &made.params), ("alice", KeyType::Hotp, &params));
    assert_eq!((made.renews.as_deref(), made.state), (Some("key1"), EnrolmentState::Open));
    assert_eq!((made.expires_at - made.created_at, made.activate), (900, Activation::AtOnce));
    assert!(!is_valid(&db, &hotp(2)).await, "the request has used it up");
    let subjects = db.texts("SELECT subject FROM audit WHERE event = 'enrolment.created'");
    let by = subjects.iter().filter(|subject| subject.contains(r#""by_user":"alice""#)).count();
    assert_eq!((subjects.len(), by), (2, 1), "the audit trail says who asked: {subjects:?}");

    let mut run = run_of(&made.id, "renewal", "key1");
    run.key.k_mac = Secret::from_slice(b"the MAC key of the renewed key..");
    run.key.k_token = Some(Secret::from_slice(b"another secret, just made"));
    assert_eq!(db.store.commit_run(run).done().await, Ok(Commit::Committed));
    assert!(!is_valid(&db, &hotp(3)).await, "the old secret is gone");
    assert!(ask(&db.store, "key1", &hotp(3)).await.is_none(), "and the old K_MAC");
    db.assert_unbroken();
}

#[tokio::test]
async fn a_request_is_good_once_on_every_server_and_a_repeated_one_is_no_guess() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let (second, otp) = (db.second(), hotp(0));
    let (one, other) = tokio::join!(ask(&db.store, "key1", &otp), ask(&second, "key1", &otp));
    assert_eq!(usize::from(one.is_some()) + usize::from(other.is_some()), 1);
    for _ in 0..20 {
        assert!(ask(&db.store, "key1", &otp).await.is_none(), "replayed");
    }
    assert_eq!(db.rows("wrong_password"), 0);
    assert!(ask(&db.store, "key1", &hotp(1)).await.is_some());
}

#[tokio::test]
async fn a_new_request_revokes_the_earlier_one_of_this_key_and_no_other_enrolment() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    db.key(hotp_for("alice"), "key2").await;
    db.key(hotp_for("bob"), "key3").await;
    let of_operator = db.create(NewEnrolment { renews: Some("key1".into()), ..hotp_for("alice") }).await.id;
    let other = ask(&db.store, "key2", &hotp(0)).await.unwrap().enrolment;
    let foreign = ask(&db.store, "key3", &hotp(0)).await.unwrap().enrolment;
    assert_eq!((other.user.as_str(), foreign.user.as_str()), ("alice", "bob"), "each for the key's own user");
    let first = ask(&db.store, "key1", &hotp(0)).await.unwrap().enrolment.id;
    let next = ask(&db.store, "key1", &hotp(1)).await.unwrap().enrolment.id;
    assert_eq!(db.state_of(&first).await, EnrolmentState::Revoked);
    for stays in [next, of_operator, other.id, foreign.id] {
        assert_eq!(db.state_of(&stays).await, EnrolmentState::Open);
    }
    assert_eq!(db.events("enrolment.revoked"), 1);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_wrong_mac_counts_against_nobody_and_unknown_keys_are_answered_alike() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let (before, otp) = (db.rows("audit"), hotp(0));
    for _ in 0..20 {
        assert!(asked(&db.store, "key1", &otp, [0; 16]).await.is_none());
        assert!(asked(&db.store, "key1", "000000", mac_over("Renewal request", b"another", "000000")).await.is_none());
        let activation = mac_over("OTP activation", K_MAC, &otp);
        assert!(asked(&db.store, "key1", &otp, activation).await.is_none(), "a MAC for another purpose");
        let of_nobody = mac_over("Renewal request", &[0; 32], &otp);
        assert!(asked(&db.store, "none", &otp, of_nobody).await.is_none());
    }
    assert_eq!((db.rows("wrong_try"), db.rows("wrong_password"), db.rows("refusal")), (0, 0, 0));
    assert_eq!(db.rows("audit"), before);
    assert!(ask(&db.store, "key1", &otp).await.is_some());
}

#[tokio::test]
async fn a_wrong_password_under_a_right_mac_delays_the_next_as_in_a_validation() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    for _ in 0..10 {
        assert!(ask(&db.store, "key1", "000000").await.is_none());
    }
    assert_eq!(db.rows("wrong_password"), 1);
    assert!(ask(&db.store, "key1", &hotp(0)).await.is_none(), "it was too soon");
    let shown = db.store.verdict(ValidationRequest::of_key("key1", &hotp(0))).await.unwrap();
    assert!(matches!(shown, Verdict::TooSoon(_)), "{shown:?}");
    db.age_tries(24 * 3600);
    assert!(ask(&db.store, "key1", &hotp(0)).await.is_some());
    assert_eq!(db.rows("wrong_password"), 0);
}

#[tokio::test]
async fn a_key_that_is_out_of_use_waits_or_makes_no_passwords_is_refused_and_nothing_is_counted() {
    let db = Db::new();
    let on_otp = || NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") };
    db.key(hotp_for("alice"), "revoked").await;
    db.store.revoke_key("revoked").await.unwrap();
    db.key(on_otp(), "waits").await;
    db.key(hotp_for("alice"), "renewed").await;
    let renewal = db.create(NewEnrolment { renews: Some("renewed".into()), ..on_otp() }).await;
    db.store.commit_run(run_of(&renewal.id, "renewal", "renewed")).done().await.unwrap();
    let suite = Params { suite: Some("OCRA-1:HOTP-SHA1-6:QN08".into()), ..Params::default() };
    db.key(NewEnrolment { key_type: KeyType::Ocra, params: suite, ..hotp_for("alice") }, "ocra").await;
    db.key(NewEnrolment { key_type: KeyType::Aes128, params: Params::default(), ..hotp_for("alice") }, "plain").await;
    db.key(hotp_for("alice"), "expired").await;
    for key in ["revoked", "waits", "renewed", "ocra", "plain"] {
        assert!(ask(&db.store, key, &hotp(0)).await.is_none(), "{key}");
        assert!(ask(&db.store, key, "000000").await.is_none(), "{key}");
    }
    assert_eq!(db.rows("wrong_password"), 0);
    db.execute("UPDATE key SET expires_at = 1 WHERE id = 'expired'");
    assert!(ask(&db.store, "expired", &hotp(0)).await.is_none(), "its issuer decides what comes next");
    assert_eq!(db.number("SELECT count(*) FROM enrolment WHERE id LIKE 'own-%'"), 0);
}

#[tokio::test]
async fn a_totp_key_is_renewed_with_its_parameters() {
    let db = Db::new();
    let params = Params { digits: Some(8), period_s: Some(60), hash: Some(HashName::Sha256), ..Params::default() };
    db.key(NewEnrolment { key_type: KeyType::Totp, params: params.clone(), ..hotp_for("alice") }, "key1").await;
    let digits = dskpp_otp::Digits::new(8).unwrap();
    let totp = dskpp_otp::Totp::new(digits, 60, params.hash()).unwrap();
    let otp = totp.code_of_step(&Secret::from_slice(K_TOKEN), now().unsigned_abs() / 60).to_string();
    let made = ask(&db.store, "key1", &otp).await.unwrap().enrolment;
    assert_eq!((made.key_type, made.params), (KeyType::Totp, params));
    assert!(ask(&db.store, "key1", &otp).await.is_none());
}
