//! Secrets that are bound to their rows and to a key, and an audit trail that shows changes.

use super::*;

#[tokio::test]
async fn a_wrong_key_encryption_key_is_refused_at_startup() {
    let db = Db::new();
    let open = |octet| Store::open(db.scratch.database.clone(), kek(octet), POLICY);
    let error = open(2).unwrap_err();
    assert!(matches!(error, StoreError::Sealed(_)));
    assert!(error.to_string().contains("wrong key-encryption key"), "{error}");
    open(1).unwrap();
}

/// An imported key, whose package may contain further secrets.
pub(super) fn imported() -> pskc::KeyPackage {
    let package = "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><KeyPackage>\
         <Key Id=\"a key\" Algorithm=\"urn:vendor\"><FriendlyName>name on a token</FriendlyName><Data>\
         <Secret><PlainValue>dGhlIGltcG9ydGVkIGtleSdzIHNlY3JldA==</PlainValue></Secret>\
         <v xmlns=\"urn:v\">what a vendor keeps secret</v></Data><UserId>CN=alice</UserId></Key></KeyPackage>\
         </KeyContainer>";
    pskc::KeyContainer::from_xml(package.as_bytes()).unwrap().key_packages.remove(0)
}

#[tokio::test]
async fn a_secret_moved_to_another_row_cannot_be_unsealed() {
    let db = Db::new();
    db.key(hotp_for("alice"), "key1").await;
    db.key(hotp_for("bob"), "key2").await;
    db.execute("UPDATE key SET sealed_k_token = (SELECT sealed_k_token FROM key WHERE id = 'key1') WHERE id = 'key2'");
    assert!(matches!(db.store.export_key("key2", "test".into()).await, Err(StoreError::Sealed(_))));
    assert_eq!(db.events("key.exported"), 0);
    assert!(db.store.export_key("key1", "test".into()).await.is_ok());
}

#[tokio::test]
async fn the_audit_chain_is_whole_after_everything_and_shows_every_change() {
    let db = Db::new();
    let second = db.second();
    db.key(hotp_for("alice"), "key1").await;
    second.create_user("bob".into()).await.unwrap();
    let enrolment = db.enrolment().await;
    db.count(&enrolment, wrong("192.0.2.1", POLICY.lock_after)).await;
    db.execute("UPDATE refusal SET hour = hour - 1");
    db.store.settle_tries().await.unwrap();
    second.revoke_enrolment(&enrolment).await.unwrap();
    db.store.export_key("key1", "test".into()).await.unwrap();
    second.revoke_key("key1").await.unwrap();
    let (token, _) = db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    db.store.delete_token(&token).await.unwrap();
    db.assert_unbroken();

    let entries = db.rows("audit");
    assert!(entries >= 10, "{entries}");
    db.scratch.on(|other| {
        let all = "SELECT chain, seq, at FROM audit ORDER BY chain, seq";
        let all = other.rows(all, &[], |row| {
            let row = Columns::of("audit", row);
            Ok((row.get::<String>(0)?, row.get::<i64>(1)?))
        });
        for (chain, seq) in all.unwrap().into_iter().map(Result::unwrap) {
            other.begin().unwrap();
            let change = "UPDATE audit SET event = event || ' ' WHERE chain = ? AND seq = ?";
            assert_eq!(other.execute(change, values![chain, seq]), Ok(1));
            assert_eq!(first_broken(other), Ok(Some((chain, seq))));
            other.roll_back().unwrap();
        }
        assert_eq!(first_broken(other), Ok(None));
    });
}

#[tokio::test]
async fn a_missing_entry_breaks_its_audit_chain() {
    let db = Db::new();
    for name in ["alice", "bob", "carol"] {
        db.store.create_user(name.into()).await.unwrap();
    }
    db.assert_unbroken();
    db.execute("DELETE FROM audit WHERE seq = 2");
    let broken = db.scratch.on(first_broken).unwrap();
    assert_eq!(broken.map(|(_, seq)| seq), Some(3));
}
