//! A first one-time password that the key's client shows itself (RFC 6063 §10.5).

use dskpp_api::ActivationRequest;
use dskpp_crypto::{Hash, HmacKey};

use super::*;

/// Password of the test key at a counter.
pub(super) fn hotp(counter: u64) -> String {
    dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), counter).to_string()
}

/// DSKPP-PRF-SHA256(k, label || otp, 16), written out.
pub(super) fn mac_over(label: &str, k_mac: &[u8], otp: &str) -> [u8; 16] {
    let parts = [&1u32.to_be_bytes(), label.as_bytes(), otp.as_bytes()];
    HmacKey::new(Hash::Sha256, k_mac).sign(&parts).as_ref()[..16].try_into().unwrap()
}

fn mac(k_mac: &[u8], otp: &str) -> [u8; 16] {
    mac_over("OTP activation", k_mac, otp)
}

async fn shown(store: &Store, key_id: &str, otp: &str, mac: [u8; 16]) -> bool {
    let request = ActivationRequest { key_id: key_id.into(), otp: otp.to_owned().into(), mac: String::new() };
    store.activate_by_client(request, mac).await.unwrap().active
}

/// Shows a password under the MAC of the key's client.
pub(super) async fn show(store: &Store, key_id: &str, otp: &str) -> bool {
    shown(store, key_id, otp, mac(K_MAC, otp)).await
}

fn on_otp() -> NewEnrolment {
    NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") }
}

#[tokio::test]
async fn s10_5_the_client_of_a_key_activates_it_with_its_first_password() {
    let db = Db::new();
    let key = db.key(on_otp(), "key1").await;
    assert_eq!(key.state, KeyState::Provisioned);
    assert!(show(&db.store, "key1", &hotp(0)).await);
    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!((key.state, key.counter), (KeyState::Active, 1));
    assert_eq!(db.events("key.activated"), 1);
    let again = ValidationRequest::of_key("key1", &hotp(0));
    assert_eq!(db.store.validate(again).await.unwrap(), None, "its first password is used");
    assert!(show(&db.second(), "key1", &hotp(0)).await, "a client that lost the answer asks again");
    for (counter, is_right) in [(1, true), (1, true), (6, true), (7, false), (0, true)] {
        assert_eq!(show(&db.store, "key1", &hotp(counter)).await, is_right, "a look at {counter} uses up nothing");
    }
    assert!(!shown(&db.store, "key1", &hotp(0), mac(b"another key", &hotp(0))).await);
    assert_eq!((db.events("key.activated"), db.rows("wrong_try")), (1, 0));
    db.assert_unbroken();
}

#[tokio::test]
async fn s10_5_a_wrong_mac_counts_against_nobody_and_unknown_keys_are_answered_alike() {
    let db = Db::new();
    db.key(on_otp(), "key1").await;
    let before = db.rows("audit");
    for _ in 0..2 * POLICY.lock_after {
        assert!(!shown(&db.store, "key1", &hotp(0), mac(b"another key of thirty-two octets", &hotp(0))).await);
        assert!(!shown(&db.store, "key1", &hotp(0), [0; 16]).await);
        assert!(!shown(&db.store, "none", &hotp(0), mac(&[0; 32], &hotp(0))).await, "the key of nobody opens nothing");
    }
    assert_eq!((db.rows("wrong_try"), db.rows("wrong_password"), db.rows("refusal")), (0, 0, 0));
    assert_eq!(db.rows("audit"), before);
    assert!(show(&db.store, "key1", &hotp(0)).await);
}

#[tokio::test]
async fn s10_5_a_wrong_password_of_the_client_counts_as_a_wrong_first_password() {
    let db = Db::new();
    db.key(on_otp(), "key1").await;
    for _ in 0..POLICY.lock_after {
        assert!(!show(&db.store, "key1", "000000").await);
    }
    assert_eq!(db.rows("wrong_try"), 1);
    assert!(!show(&db.store, "key1", &hotp(0)).await, "locked");
    db.age_tries(LOCK_S + 1);
    assert!(show(&db.store, "key1", &hotp(0)).await);
}

#[tokio::test]
async fn s10_5_a_renewal_is_activated_under_its_own_k_mac_and_a_revoked_key_never() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let renewal = db.create(NewEnrolment { renews: Some("key1".into()), ..on_otp() }).await;
    let mut run = run_of(&renewal.id, "renewal", "key1");
    let of_new = b"the MAC key of the renewed key..";
    run.key.k_mac = Secret::from_slice(of_new);
    db.store.commit_run(run).done().await.unwrap();
    assert!(!show(&db.store, "key1", &hotp(0)).await, "the old K_MAC says nothing of the new key");
    assert!(shown(&db.store, "key1", &hotp(0), mac(of_new, &hotp(0))).await);
    assert_eq!(db.rows("pending_key"), 0);
    assert!(shown(&db.store, "key1", &hotp(0), mac(of_new, &hotp(0))).await, "asked again");

    db.key(on_otp(), "key2").await;
    db.store.revoke_key("key2").await.unwrap();
    assert!(!show(&db.store, "key2", &hotp(0)).await);
    db.key(on_otp(), "key3").await;
    db.execute("UPDATE enrolment SET expires_at = 1 WHERE key_id = 'key3'");
    assert!(!show(&db.store, "key3", &hotp(0)).await, "it has waited too long");
}
