//! Imported keys in use: the policy of RFC 6030 §5, and their life after the import.

use pskc::{Key, KeyData, KeyPackage, KeyUsage, PinPolicy, PinUsageMode, Policy, Value};

use super::*;
use crate::store::key_package::{Owner, take_in};

/// A plain key of that algorithm and policy.
fn package(id: &str, algorithm: &str, policy: Option<Policy>) -> KeyPackage {
    let data = KeyData { secret: Some(Value::Plain(Secret::from_slice(K_TOKEN))), ..KeyData::default() };
    let algorithm = Some(format!("urn:ietf:params:xml:ns:keyprov:pskc:{algorithm}"));
    let key = Key { id: id.into(), algorithm, data: Some(data), policy, ..Key::default() };
    KeyPackage { key: Some(key), ..KeyPackage::default() }
}

fn attempt(id: &str, otp: &str, challenge: Option<String>) -> ValidationRequest {
    ValidationRequest { key_id: Some(id.into()), otp: otp.to_owned().into(), challenge, ..ValidationRequest::default() }
}

impl Db {
    /// Imports them for alice as a batch of their own.
    pub(super) async fn import(&self, packages: Vec<KeyPackage>) -> BatchDone {
        let mut sealer = self.store.sealer();
        let end = packages.len() as u64;
        let owner = Owner::User("alice".into());
        let taken = packages.into_iter().map(|package| take_in(package, &owner, now()).unwrap());
        let keys = taken.enumerate().map(|(i, taken)| sealer.seal(i as u64, taken)).collect();
        let batch = Batch { import: new_id(), first: 0, end, keys, refused: Vec::new(), by: "test".into() };
        self.store.import(batch).await.unwrap()
    }

    async fn accepts(&self, id: &str, counter: u64) -> bool {
        let code = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX }.code(&Secret::from_slice(K_TOKEN), counter);
        self.store.validate(attempt(id, &code.to_string(), None)).await.unwrap().is_some()
    }
}

fn policy(change: impl FnOnce(&mut Policy)) -> Option<Policy> {
    let mut policy = Policy::default();
    change(&mut policy);
    Some(policy)
}

/// A write waits for at most one slice of an import.
#[tokio::test]
async fn a_write_waits_for_one_slice_of_an_import_and_an_import_for_one_group_of_writes() {
    const KEYS: usize = 2500;
    let db = Arc::new(Db::new());
    let release = db.hold_writer();
    let importing = tokio::spawn({
        let db = Arc::clone(&db);
        async move { db.import((0..KEYS).map(|i| package(&format!("key{i}"), "hotp", None)).collect()).await }
    });
    while !db.store.engine.has_bulk() {
        tokio::task::yield_now().await;
    }
    let count =
        |db: &Connection| db.first("SELECT count(*) FROM key", &[], |row| Columns::of("key", row).get::<i64>(0));
    let first = db.store.engine.begin_write(count);
    drop(release);
    assert_eq!(first.done().await.unwrap(), Some(0), "before all of the import that waited");
    assert!(db.store.engine.write(count).await.unwrap() <= Some(2000), "after one slice more at most");
    let done = importing.await.unwrap();
    assert_eq!((done.accepted, done.done), (KEYS as u64, KEYS as u64));
    assert_eq!(db.events("keys.imported"), 3);
}

#[tokio::test]
async fn rfc6030_s5_a_key_is_used_only_as_its_policy_allows() {
    let db = Db::new();
    let day = |days: i64| pskc::DateTime::from_unix_s(now() + days * 86_400);
    let pin = |mode| Some(PinPolicy { pin_usage_mode: Some(mode), ..PinPolicy::default() });
    for (i, (valid, policy)) in [
        (true, None),
        (true, policy(|_| {})),
        (true, policy(|policy| (policy.start_date, policy.expiry_date) = (day(-1), day(1)))),
        (false, policy(|policy| policy.start_date = day(1))),
        (false, policy(|policy| policy.expiry_date = day(-1))),
        (true, policy(|policy| policy.key_usage = vec![KeyUsage::Cr, KeyUsage::Otp])),
        (false, policy(|policy| policy.key_usage = vec![KeyUsage::Cr])),
        (false, policy(|policy| policy.key_usage = vec![KeyUsage::Encrypt])),
        (false, policy(|policy| policy.number_of_transactions = Some(0))),
        (true, policy(|policy| policy.pin_policy = pin(PinUsageMode::Local))),
        (false, policy(|policy| policy.pin_policy = pin(PinUsageMode::Prepend))),
        (false, policy(|policy| policy.pin_policy = pin(PinUsageMode::Algorithmic))),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("key{i}");
        assert_eq!(db.import(vec![package(&id, "hotp", policy)]).await.accepted, 1);
        assert_eq!(db.accepts(&id, 0).await, valid, "{id}");
    }
}

#[tokio::test]
async fn rfc6030_s5_an_ocra_key_needs_the_usage_cr() {
    let db = Db::new();
    for (id, usage, valid) in [("cr", KeyUsage::Cr, true), ("otp", KeyUsage::Otp, false)] {
        let mut package = package(id, "ocra", policy(|policy| policy.key_usage = vec![usage]));
        let suite = Some("OCRA-1:HOTP-SHA1-6:QN08".to_owned());
        let parameters = pskc::AlgorithmParameters { suite, ..Default::default() };
        package.key.as_mut().unwrap().algorithm_parameters = Some(parameters);
        db.import(vec![package]).await;
        let found = db.store.validate(attempt(id, "237653", Some("00000000".into()))).await.unwrap();
        assert_eq!(found.is_some(), valid, "{id}");
    }
}

#[tokio::test]
async fn rfc6030_s5_transactions_are_counted_and_wrong_passwords_are_none() {
    let db = Db::new();
    db.import(vec![package("key1", "hotp", policy(|policy| policy.number_of_transactions = Some(2)))]).await;
    let left = async || db.store.key("key1").await.unwrap().unwrap().uses_left;
    assert!(!db.accepts("key1", 500).await);
    assert_eq!(left().await, Some(2));
    assert!(db.accepts("key1", 0).await && db.accepts("key1", 1).await);
    assert_eq!(left().await, Some(0));
    assert!(!db.accepts("key1", 2).await);
}

#[tokio::test]
async fn a_failed_batch_leaves_nothing() {
    let db = Db::new();
    db.execute("ALTER TABLE import RENAME TO elsewhere");
    let mut sealer = db.store.sealer();
    let taken = take_in(package("key1", "hotp", None), &Owner::User("alice".into()), now()).unwrap();
    let keys = vec![sealer.seal(0, taken)];
    let batch = Batch { import: "i".into(), first: 0, end: 1, keys, refused: Vec::new(), by: "test".into() };
    assert!(matches!(db.store.import(batch).await, Err(StoreError::Unavailable(_))));
    assert_eq!((db.rows("key"), db.rows("user"), db.events("keys.imported")), (0, 0, 0));
    db.execute("ALTER TABLE elsewhere RENAME TO import");
    assert_eq!(db.import(vec![package("key1", "hotp", None)]).await.accepted, 1);
    db.assert_unbroken();
}

#[tokio::test]
async fn a_renewed_key_drops_the_imported_package() {
    let db = Db::new();
    db.import(vec![package("key1", "hotp", policy(|policy| policy.number_of_transactions = Some(1)))]).await;
    let enrolment = db.create(NewEnrolment { renews: Some("key1".into()), ..hotp_for("alice") }).await.id;
    assert_eq!(db.store.commit_run(run_of(&enrolment, "session1", "key1")).done().await, Ok(Commit::Committed));
    let key = db.store.key("key1").await.unwrap().unwrap();
    assert_eq!((key.uses_left, key.enrolment_id), (None, Some(enrolment)));
    assert_eq!(db.number("SELECT count(*) FROM key WHERE sealed_package IS NULL"), 1);
}
