//! Renewal: a new secret under the old identifier (RFC 6063 §4.2.3).

use super::*;

fn renewal_of(key: &str, user: &str) -> NewEnrolment {
    NewEnrolment { renews: Some(key.to_owned()), ..hotp_for(user) }
}

fn renewing(enrolment: &str) -> CommitRun {
    let mut run = run_of(enrolment, "renewal", "key1");
    run.key.k_token = Some(Secret::from_slice(b"another secret, just made"));
    run.key.k_mac = Secret::from_slice(b"another MAC key");
    run.key.mac_algorithm = "urn:other-prf".to_owned();
    run.key.url_s = Some("https://new.example/dskpp".to_owned());
    run
}

/// K_MAC as used for a ClientHello.
async fn k_mac(db: &Db) -> Secret {
    let hello = db.store.load_hello(HelloQuery { key_id: Some("key1".into()), ..HelloQuery::default() }).await.unwrap();
    hello.key.unwrap().k_mac_old
}

#[tokio::test]
async fn a_renewal_keeps_the_identifier_and_replaces_the_secrets_and_the_counter() {
    let db = Db::new();
    let first = db.key(hotp_for("alice"), "key1").await;
    db.execute("UPDATE key SET counter = 17, last_step = 18, drift = 1");
    assert_eq!(k_mac(&db).await.expose(), K_MAC);

    let counter = Params { digits: Some(8), counter: Some(5), ..Params::default() };
    let enrolment = db.create(NewEnrolment { params: counter, ..renewal_of("key1", "alice") }).await.id;
    assert_eq!(db.store.commit_run(renewing(&enrolment)).done().await, Ok(Commit::Committed));

    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!((key.counter, key.last_step, key.drift, key.params.digits), (5, None, 0, Some(8)));
    assert_eq!((key.state, key.enrolment_id, key.created_at), (KeyState::Active, Some(enrolment), first.created_at));
    assert_eq!(k_mac(&db).await.expose(), b"another MAC key");
    let secret = db.store.export_key("key1", "test".into()).await.unwrap();
    assert_eq!(secret.expose(), b"another secret, just made");
    assert_eq!(key.url_s.as_deref(), Some("https://new.example/dskpp"));
    assert_eq!(db.rows("key"), 1);
    db.assert_unbroken();
}

/// The token already has the waiting key, and expects its next renewal at that key's URL.
#[tokio::test]
async fn p29_the_url_of_a_key_is_that_of_its_last_run() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let url = async || db.store.url_of_key("key1").await.unwrap();
    assert_eq!(url().await.as_deref(), Some("https://keys.example/dskpp"));
    let waiting = NewEnrolment { activate: Activation::OnOtp, ..renewal_of("key1", "alice") };
    let enrolment = db.create(waiting).await;
    db.store.commit_run(renewing(&enrolment.id)).done().await.unwrap();
    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!(key.url_s.as_deref(), Some("https://keys.example/dskpp"), "the key in use");
    assert_eq!(url().await.as_deref(), Some("https://new.example/dskpp"), "the one that waits");
    let code = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX };
    let otp = code.code(&Secret::from_slice(b"another secret, just made"), 0).to_string();
    let first = ValidationRequest {
        user: Some("alice".into()),
        otp: otp.into(),
        client_id: Some(enrolment.client_id.clone()),
        ..ValidationRequest::default()
    };
    assert!(db.store.validate(first).await.unwrap().is_some());
    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!(key.url_s.as_deref(), Some("https://new.example/dskpp"), "it has replaced the old one");
    assert_eq!(url().await, key.url_s);
    assert_eq!(db.store.url_of_key("none").await.unwrap(), None);
}

/// RFC 6063 §10.5: the old key stays until its owner has proved the new one.
#[tokio::test]
async fn s10_5_a_renewal_that_waits_for_a_first_password_leaves_the_old_key_until_then() {
    let db = Db::new();
    let old = db.key(hotp_for("alice"), "key1").await;
    let waiting = NewEnrolment { activate: Activation::OnOtp, ..renewal_of("key1", "alice") };
    let enrolment = db.create(waiting).await;
    db.store.commit_run(renewing(&enrolment.id)).done().await.unwrap();
    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!((key.state, &key.enrolment_id), (KeyState::Active, &old.enrolment_id));
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Provisioned);
    let password_of = |secret: &[u8], counter| {
        dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(secret), counter).to_string()
    };
    let (new_secret, with) = (b"another secret, just made", Some(enrolment.client_id.clone()));
    let shown = |otp: String, client_id| ValidationRequest {
        user: Some("alice".into()),
        otp: otp.into(),
        client_id,
        ..ValidationRequest::default()
    };
    let found = async |attempt| db.store.validate(attempt).await.unwrap().is_some();
    assert!(found(shown(password_of(K_TOKEN, 0), None)).await, "the old key is good");
    assert!(!found(shown(password_of(new_secret, 0), None)).await, "the new one is not yet");
    assert!(found(shown(password_of(K_TOKEN, 1), with.clone())).await, "the old key is no proof of the new one");
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Provisioned);
    assert!(found(shown(password_of(new_secret, 0), with.clone())).await);
    assert!(!found(shown(password_of(K_TOKEN, 2), None)).await, "now the old key is gone");
    assert!(!found(shown(password_of(new_secret, 0), with)).await, "once");
    assert!(found(shown(password_of(new_secret, 1), None)).await);
    assert_eq!(k_mac(&db).await.expose(), b"another MAC key");
    assert_eq!((db.rows("pending_key"), db.rows("key")), (0, 1));
    assert_eq!(db.state_of(&enrolment.id).await, EnrolmentState::Active);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_waiting_key_is_dropped_with_the_next_renewal_or_its_key() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let waiting = || NewEnrolment { activate: Activation::OnOtp, ..renewal_of("key1", "alice") };
    let first = db.create(waiting()).await.id;
    db.store.commit_run(renewing(&first)).done().await.unwrap();
    assert_eq!(k_mac(&db).await.expose(), b"another MAC key", "the client has the new K_MAC");
    let next = db.create(renewal_of("key1", "alice")).await.id;
    let mut run = run_of(&next, "next", "key1");
    run.key.k_mac = Secret::from_slice(b"a third MAC key");
    db.store.commit_run(run).done().await.unwrap();
    assert_eq!((db.rows("pending_key"), k_mac(&db).await.expose()), (0, &b"a third MAC key"[..]));
    let last = db.create(waiting()).await.id;
    let mut run = renewing(&last);
    run.session_id = "last".into();
    db.store.commit_run(run).done().await.unwrap();
    assert_eq!(db.rows("pending_key"), 1);
    db.store.revoke_key("key1").await.unwrap();
    assert_eq!(db.rows("pending_key"), 0);
}

/// RFC 6063 §10.5: a key that awaits its first password can be revoked, and expires. A renewed key stays as it was,
/// with its old K_MAC; a revoked new one is unusable.
#[tokio::test]
async fn s10_5_a_waiting_key_is_revoked_or_expires_and_the_old_key_stays() {
    for (end, state) in [("revoke", EnrolmentState::Revoked), ("wait", EnrolmentState::Provisioned)] {
        let db = Db::new();
        let fresh = db.create(NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") }).await;
        db.store.commit_run(run_of(&fresh.id, "first", "new")).done().await.unwrap();
        db.key(hotp_for("alice"), "key1").await;
        let waiting = NewEnrolment { activate: Activation::OnOtp, ..renewal_of("key1", "alice") };
        let renewal = db.create(waiting).await;
        db.store.commit_run(renewing(&renewal.id)).done().await.unwrap();
        let hotp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX };
        for (enrolment, secret) in [(&fresh, K_TOKEN), (&renewal, b"another secret, just made")] {
            let shown = |otp: &str| ValidationRequest {
                client_id: Some(enrolment.client_id.clone()),
                otp: otp.to_owned().into(),
                ..ValidationRequest::default()
            };
            match end {
                "revoke" => db.store.revoke_enrolment(&enrolment.id).await.unwrap(),
                _ => db.execute("UPDATE enrolment SET expires_at = 1"),
            }
            assert_eq!(db.state_of(&enrolment.id).await, state, "{end}");
            let right = hotp.code(&Secret::from_slice(secret), 0).to_string();
            assert_eq!(db.store.validate(shown(&right)).await, Ok(None), "{end}: too late");
        }
        let key = async |id: &str| db.store.key(id).await.unwrap().unwrap();
        assert_eq!(key("key1").await.state, KeyState::Active, "{end}");
        let by_old = ValidationRequest { key_id: Some("key1".into()), ..ValidationRequest::default() };
        let otp = hotp.code(&Secret::from_slice(K_TOKEN), 0).to_string();
        assert!(
            db.store.validate(ValidationRequest { otp: otp.into(), ..by_old }).await.unwrap().is_some(),
            "{end}: the old key is good"
        );
        if end != "wait" {
            assert_eq!(key("new").await.state, KeyState::Revoked, "{end}");
            assert_eq!((db.rows("pending_key"), k_mac(&db).await.expose()), (0, K_MAC), "{end}");
        }
        db.assert_unbroken();
    }
}

/// The time for a first password is the enrolment's lifetime, counted from the creation of the key.
#[tokio::test]
async fn s10_5_the_time_for_a_first_password_begins_with_the_key() {
    let db = Db::new();
    let enrolment = db.create(NewEnrolment { activate: Activation::OnOtp, ..hotp_for("alice") }).await;
    db.execute("UPDATE enrolment SET created_at = created_at - 3590, expires_at = expires_at - 3590");
    db.store.commit_run(run_of(&enrolment.id, "late", "key1")).done().await.unwrap();
    assert!(db.number("SELECT expires_at FROM enrolment") >= enrolment.expires_at);
}

#[tokio::test]
async fn keys_of_others_unknown_keys_and_other_types_are_not_renewed() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    let refused = async |new: NewEnrolment| db.store.create_enrolment(new).await.map(drop).unwrap_err();
    let not_found = StoreError::NotFound("key of this user");
    assert_eq!(refused(renewal_of("key1", "bob")).await, not_found);
    assert_eq!(refused(renewal_of("no such key", "alice")).await, not_found);
    assert_eq!(db.number("SELECT count(*) FROM \"user\" WHERE name = 'bob'"), 0, "nothing of it stays");
    let totp = NewEnrolment { key_type: KeyType::Totp, params: Params::default(), ..renewal_of("key1", "alice") };
    assert!(matches!(refused(totp).await, StoreError::State(why) if why.contains("another type")));
    db.store.revoke_key("key1").await.unwrap();
    assert_eq!(refused(renewal_of("key1", "alice")).await, not_found);
}

#[tokio::test]
async fn a_run_cannot_take_over_another_users_key_nor_bring_a_revoked_one_back() {
    for change in [
        "UPDATE key SET user_id = (SELECT id FROM \"user\" WHERE name = 'bob')",
        "UPDATE key SET state = 'revoked'",
        "UPDATE key SET state = 'replaced'",
    ] {
        let db = Db::new();
        db.key(hotp_for("alice"), "key1").await;
        db.store.create_user("bob".into()).await.unwrap();
        let enrolment = db.create(renewal_of("key1", "alice")).await.id;
        db.execute(change);
        let before = db.store.key("key1").await.unwrap().unwrap();
        assert_eq!(db.store.commit_run(renewing(&enrolment)).done().await, Ok(Commit::EnrolmentSpent), "{change}");
        let after = db.store.key("key1").await.unwrap().unwrap();
        assert_eq!((after.state, after.user, after.enrolment_id), (before.state, before.user, before.enrolment_id));
        assert_eq!(k_mac(&db).await.expose(), K_MAC, "{change}");
        assert_eq!((db.rows("answer"), db.state_of(&enrolment).await), (1, EnrolmentState::Open));
    }
}
