//! What lies on the disk: no secret in the clear, and an audit trail that shows changes.

use dskpp::server::DeviceRef;

use super::*;

#[tokio::test]
async fn another_key_encryption_key_is_refused_at_the_start() {
    let Db { folder, store } = Db::new();
    drop(store);
    let path = folder.path().join("dskpp.db");
    let error = Store::open(&path, kek(2), POLICY).unwrap_err();
    assert!(matches!(error, StoreError::Sealed(_)));
    assert!(error.to_string().contains("the key-encryption key is not the one"), "{error}");
    Store::open(&path, kek(1), POLICY).unwrap();
}

/// Every octet that the database has on the disk.
fn files(db: &Db) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(db.folder.path()).unwrap().map(Result::unwrap);
    entries.map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())).collect()
}

fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|window| window == wanted)
}

/// A key from a file, in which more may be secret than what is so called.
pub(super) fn imported() -> pskc::KeyPackage {
    let package = "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><KeyPackage>\
         <Key Id=\"a key\" Algorithm=\"urn:vendor\"><FriendlyName>name on a token</FriendlyName><Data>\
         <Secret><PlainValue>dGhlIGltcG9ydGVkIGtleSdzIHNlY3JldA==</PlainValue></Secret>\
         <v xmlns=\"urn:v\">what a vendor keeps secret</v></Data><UserId>CN=alice</UserId></Key></KeyPackage>\
         </KeyContainer>";
    pskc::KeyContainer::from_xml(package.as_bytes()).unwrap().key_packages.remove(0)
}

#[tokio::test]
async fn no_secret_is_in_the_databases_files() {
    let db = Db::new();
    let device = NewDevice {
        manufacturer: "acme".into(),
        serial: "1".into(),
        key_name: "acme key".into(),
        shared_key: Some(Secret::from_slice(b"shared with the device")),
        certificate: None,
    };
    db.store.create_device(device).await.unwrap();
    let bound = DeviceRef { manufacturer: "acme".into(), serial: "1".into() };
    let created = db.store.create_enrolment(NewEnrolment { device: Some(bound), ..hotp_for("alice") }).await.unwrap();
    let enrolment = &created.enrolment;
    db.store.commit_run(run_of(&enrolment.id, "session1", "key1")).done().await.unwrap();
    db.store.set_setting_once("session_key", Secret::from_slice(b"the session sealing key")).await.unwrap();
    let (_, token) = db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    db.store.export_key("key1", "test".into()).await.unwrap();
    let code = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), 0).to_string();
    assert!(
        db.store
            .validate(Attempt { user: Some("alice".into()), otp: code, ..Attempt::default() })
            .await
            .unwrap()
            .is_some()
    );

    db.import(vec![imported()]).await;
    let page = db.store.export_page(None, String::new(), 10).await.unwrap();
    assert_eq!(page.len(), 2);
    assert_eq!(db.store.package(&page[0]).unwrap(), imported(), "it is there, and can be read");

    let secrets = [
        ("K_TOKEN", K_TOKEN),
        ("the imported key", b"the imported key's secret"),
        ("a vendor's value", b"what a vendor keeps secret"),
        ("a name in a file", b"name on a token"),
        ("K_MAC", K_MAC),
        ("the device's key", b"shared with the device"),
        ("the setting", b"the session sealing key"),
        ("the password", enrolment.password.expose()),
        ("the trigger's token", created.trigger_token.expose()),
        ("the API token", token.as_bytes()),
    ];
    let check = |when: &str| {
        let files = files(&db);
        let all: Vec<u8> = files.iter().flat_map(|(_, octets)| octets.clone()).collect();
        assert!(contains(&all, b"alice") && contains(&all, enrolment.client_id.as_bytes()), "{when}: the search finds");
        for (file, octets) in &files {
            for (what, secret) in secrets {
                let hex = data_encoding::HEXLOWER.encode(secret).into_bytes();
                let base64 = data_encoding::BASE64.encode(&secret[..secret.len() / 3 * 3]).into_bytes();
                for form in [secret, &hex, &hex.to_ascii_uppercase(), &base64] {
                    assert!(!contains(octets, form), "{when}: {what} is in {file}");
                }
            }
        }
    };
    check("in the write-ahead log");
    db.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    check("in the database");
}

#[tokio::test]
async fn a_secret_that_was_moved_to_another_row_does_not_open() {
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
    for i in 0..POLICY.lock_after {
        db.store.commit_failure(failure_of(&enrolment, &format!("wrong{i}"))).done().await.unwrap();
    }
    second.revoke_enrolment(&enrolment).await.unwrap();
    db.store.export_key("key1", "test".into()).await.unwrap();
    second.revoke_key("key1").await.unwrap();
    let (token, _) = db.store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
    db.store.delete_token(&token).await.unwrap();
    db.assert_unbroken();

    let raw = db.raw();
    let entries = db.rows("audit");
    assert!(entries >= 12, "{entries}");
    for seq in 1..=entries {
        raw.execute_batch("BEGIN").unwrap();
        raw.execute("UPDATE audit SET event = event || ' ' WHERE seq = ?", [seq]).unwrap();
        assert_eq!(audit::first_broken(&raw), Ok(Some(seq)));
        raw.execute_batch("ROLLBACK").unwrap();
    }
    assert_eq!(audit::first_broken(&raw), Ok(None));
}
