//! Tests of the store, each with its own database.

mod access;
mod activation;
mod at_rest;
mod check;
mod counts;
mod failures;
mod import;
mod k_servers;
mod lost;
mod migration;
mod outbox;
mod owner_renewal;
mod passwords;
mod plans;
mod postgres;
mod renewal;
mod rotate;
mod runs;
mod saved;
mod session_keys;
mod sqlite;
mod tries;
mod walk;

use std::path::PathBuf;

use dskpp_api::ValidationRequest;
use dskpp_crypto::Sha256;
use tempfile::TempDir;

use super::columns::{Columns, Row};
use super::migrate::{SQLITE, version_of};
use super::scratch::{Scratch, is_on_postgres};
use super::*;
use crate::model::id::new_id;
use crate::model::{
    Activation, Cause, EnrolmentRecord, EnrolmentState, KeyRecord, KeyState, KeyType, Params, Role, StoredAnswer,
    TriggerAd, Variant,
};

const POLICY: StorePolicy =
    StorePolicy { lock_after: 3, windows: Windows { hotp_look_ahead: 5, totp_window: 1 }, may_migrate: true };
/// K_TOKEN of the tests' keys: that of RFC 4226's examples.
const K_TOKEN: &[u8] = b"12345678901234567890";
const K_MAC: &[u8] = b"a MAC key of 32 octets, no less.";

/// A database and its store.
struct Db {
    store: Store,
    scratch: Scratch,
}

impl Store {
    /// The key for which the password is right, without a delay for wrong ones before it.
    async fn validate(&self, attempt: ValidationRequest) -> Result<Option<String>, StoreError> {
        self.engine.write(|db| db.execute("DELETE FROM wrong_password WHERE at >= 0", &[])).await?;
        Ok(match self.verdict(attempt).await? {
            Verdict::Right(key_id) => Some(key_id),
            Verdict::Again | Verdict::Wrong | Verdict::TooSoon(_) => None,
        })
    }
}

fn kek(octet: u8) -> Arc<Kek> {
    Arc::new(Kek::new(&Secret::new(vec![octet; 32])).unwrap())
}

/// A default HOTP enrolment.
fn hotp_for(user: &str) -> NewEnrolment {
    NewEnrolment {
        user: user.to_owned(),
        key_type: KeyType::Hotp,
        params: Params { digits: Some(6), counter: Some(0), ..Params::default() },
        variant: None,
        methods: Vec::new(),
        device: None,
        renews: None,
        delivers: None,
        key_location: None,
        algorithm_location: None,
        expires_in_s: 3600,
        activate: Activation::AtOnce,
        sinks: Vec::new(),
    }
}

/// A successful run.
fn run_of(enrolment: &str, session: &str, key: &str) -> CommitRun {
    CommitRun {
        session_id: session.to_owned(),
        request_hash: Sha256::digest(&[session.as_bytes()]),
        response: format!("answer of {session}").into_bytes(),
        answer_expires_at: now() + 600,
        enrolment_id: enrolment.to_owned(),
        key: NewKey {
            id: key.to_owned(),
            k_token: Some(Secret::from_slice(K_TOKEN)),
            k_mac: Secret::from_slice(K_MAC),
            mac_algorithm: "urn:prf".to_owned(),
            url_s: Some("https://keys.example/dskpp".to_owned()),
        },
    }
}

/// The chain and sequence number of the first entry that does not follow from those before it.
fn first_broken(db: &Connection) -> Result<Option<(String, i64)>, StoreError> {
    let mut at = audit::Link::default();
    let sql = "SELECT chain, seq, at, event, subject, hash FROM audit ORDER BY chain, seq";
    let entries = db.rows(sql, &[], |row| at.follow(row))?.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(entries.into_iter().flatten().next())
}

/// That many wrong codes from one address.
fn wrong(address: &str, number: u32) -> Tries {
    Tries { refused: number, cause: Cause::WrongCode, wrong: vec![(address.to_owned(), number)] }
}

impl Db {
    fn new() -> Self {
        let scratch = Scratch::new();
        let store = Store::open(scratch.database.clone(), kek(1), POLICY).unwrap();
        Db { store, scratch }
    }

    /// The file of a SQLite database.
    fn path(&self) -> PathBuf {
        self.scratch.folder.path().join("dskpp.db")
    }

    /// Another server's store on the same database.
    fn second(&self) -> Store {
        Store::open(self.scratch.database.clone(), kek(1), POLICY).unwrap()
    }

    /// Another process that looks into a SQLite database.
    fn raw(&self) -> Connection {
        Connection::Sqlite(rusqlite::Connection::open(self.path()).unwrap())
    }

    fn execute(&self, sql: &str) {
        self.scratch.execute(sql);
    }

    fn number(&self, sql: &str) -> i64 {
        let read = |row: &Row<'_>| Columns::of("", row).get(0);
        self.scratch.on(|db| db.first(sql, &[], read)).unwrap().unwrap()
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        self.scratch.texts(sql)
    }

    fn rows(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM \"{table}\""))
    }

    fn events(&self, event: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM audit WHERE event = '{event}'"))
    }

    fn assert_unbroken(&self) {
        assert_eq!(self.scratch.on(first_broken), Ok(None), "the audit chain");
    }

    async fn create(&self, new: NewEnrolment) -> EnrolmentRecord {
        self.store.create_enrolment(new).await.unwrap().enrolment
    }

    /// The identifier of a new enrolment for a HOTP key.
    async fn enrolment(&self) -> String {
        self.create(hotp_for("alice")).await.id
    }

    async fn state_of(&self, enrolment: &str) -> EnrolmentState {
        self.store.enrolment(enrolment).await.unwrap().unwrap().state
    }

    /// Counts refused runs of an enrolment.
    async fn count(&self, enrolment: &str, tries: Tries) -> Vec<Locked> {
        self.store.count_tries([(enrolment.to_owned(), tries)].into()).done().await.unwrap()
    }

    /// Ages the counted tries.
    fn age_tries(&self, seconds: i64) {
        self.execute(&format!("UPDATE wrong_try SET at = at - {seconds}"));
        self.execute(&format!("UPDATE wrong_password SET at = at - {seconds}"));
    }

    /// A provisioned key with that identifier.
    async fn key(&self, new: NewEnrolment, id: &str) -> KeyRecord {
        let enrolment = self.create(new).await.id;
        let run = run_of(&enrolment, &format!("session of {id}"), id);
        assert_eq!(self.store.commit_run(run).done().await, Ok(Commit::Committed));
        self.store.key(id).await.unwrap().unwrap()
    }

    /// Executes SQL on the writer's connection.
    async fn on_writer(&self, sql: &'static str) {
        let work = move |db: &Connection| db.exists(sql, &[]).map(drop);
        self.store.engine.write(work).await.unwrap();
    }

    /// Blocks the writer until the sender is dropped; requests meanwhile form one group.
    fn hold_writer(&self) -> std::sync::mpsc::Sender<()> {
        let (release, wait) = std::sync::mpsc::channel();
        drop(self.store.engine.begin_write(move |_| Ok(wait.recv().is_ok())));
        release
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_stays_as_it_is() {
    let db = Db::new();
    db.execute(if is_on_postgres() { "UPDATE schema SET version = 99" } else { "PRAGMA user_version = 99" });
    let error = Store::open(db.scratch.database.clone(), kek(1), POLICY).unwrap_err();
    assert_eq!(error, StoreError::TooNew { found: 99, oldest: 99, known: SCHEMA });
    assert!(error.to_string().contains("use the newer version"), "{error}");
    assert_eq!(db.scratch.on(version_of).map(|version| version.done), Ok(99));
}

#[test]
fn concurrent_starts_create_one_database() {
    let scratch = Scratch::new();
    let open = || Store::open(scratch.database.clone(), kek(1), POLICY).map(drop);
    std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        for start in starts {
            assert_eq!(start.join().unwrap(), Ok(()));
        }
    });
}

#[test]
fn a_clock_more_than_30_s_from_the_databases_is_refused_at_startup() {
    for (ours, theirs, refused) in [
        (1000, 1000, None),
        (1030, 1000, None),
        (970, 1000, None),
        (1031, 1000, Some(31)),
        (969, 1000, Some(-31)),
        (i64::MIN, i64::MAX, Some(i64::MIN)),
    ] {
        let expected = refused.map_or(Ok(()), |seconds| Err(StoreError::Clock { seconds }));
        assert_eq!(check_clock(ours, theirs), expected, "{ours} {theirs}");
    }
}

#[tokio::test]
async fn acknowledged_changes_survive_a_restart() {
    let db = Db::new();
    let key = db.key(hotp_for("alice"), "key1").await;
    let again = db.second();
    assert_eq!(again.key("key1").await.unwrap().unwrap().enrolment_id, key.enrolment_id);
    assert_eq!(again.export_key("key1", "test".into()).await.unwrap().expose(), K_TOKEN);
    again.probe().await.unwrap();
    db.assert_unbroken();
}

#[tokio::test]
async fn concurrent_writers_set_a_setting_once() {
    let db = Db::new();
    assert_eq!(db.store.setting("session_key").await, Ok(None));
    let mut tries = tokio::task::JoinSet::new();
    for i in 0..8u8 {
        let store = db.store.clone();
        tries.spawn(async move { store.set_setting_once("session_key", Secret::new(vec![i; 32])).await.unwrap() });
    }
    let set = tries.join_all().await;
    assert!(set.iter().all(|value| *value == set[0]));
    assert_eq!(db.second().setting("session_key").await, Ok(Some(set[0].clone())));
}
