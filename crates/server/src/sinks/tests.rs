//! Sinks against receivers of every kind, with the outbox and its workers.

mod hostile;
mod real;
mod receiver;
mod servers;

use std::time::{Duration, Instant};

use dskpp_api::{DeliveryOperation, DeliveryState};
use dskpp_crypto::{Hash, HmacKey, RsaPrivateKey};
use receiver::Receiver;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::*;
use crate::model::{Activation, DeliveryRecord};
use crate::policy::otp::Windows;
use crate::store::scratch::Scratch;
use crate::store::seal::Kek;
use crate::store::{Commit, CommitRun, NewEnrolment, NewKey, Store, StorePolicy};

const K_TOKEN: &[u8] = b"12345678901234567890";

/// A store, the sinks of a configuration, and their workers.
struct World {
    store: Store,
    sinks: Sinks,
    _scratch: Scratch,
    stop: watch::Sender<bool>,
    workers: JoinSet<()>,
}

impl World {
    /// Without workers.
    fn new(config: &str) -> Self {
        let scratch = Scratch::new();
        let kek = Arc::new(Kek::new(&Secret::new(vec![1; 32])).unwrap());
        let windows = Windows { hotp_look_ahead: 5, totp_window: 1 };
        let policy = StorePolicy { lock_after: 3, windows, may_migrate: true };
        let store = Store::open(scratch.database.clone(), kek, policy).unwrap();
        let config = Config::read(config, []).unwrap();
        config.check().unwrap();
        let sinks = Sinks::load(&config).unwrap();
        World { store, sinks, _scratch: scratch, stop: watch::channel(false).0, workers: JoinSet::new() }
    }

    fn work(mut self) -> Self {
        self.workers = worker::start(&self.sinks, &self.store, &self.stop.subscribe());
        self
    }

    async fn enrol(&self, key_id: &str, renews: Option<&str>) {
        let new = NewEnrolment {
            user: "alice".into(),
            key_type: KeyType::Hotp,
            params: Params { digits: Some(6), counter: Some(0), ..Params::default() },
            variant: None,
            methods: Vec::new(),
            device: None,
            renews: renews.map(str::to_owned),
            delivers: None,
            key_location: None,
            algorithm_location: None,
            expires_in_s: 3600,
            activate: Activation::AtOnce,
            sinks: self.sinks.chosen(None).unwrap(),
        };
        let enrolment = self.store.create_enrolment(new).await.unwrap().enrolment.id;
        let run = CommitRun {
            session_id: format!("session of {enrolment}"),
            request_hash: [7; 32],
            response: Vec::new(),
            answer_expires_at: i64::MAX,
            enrolment_id: enrolment,
            key: NewKey {
                id: key_id.into(),
                k_token: Some(Secret::from_slice(K_TOKEN)),
                k_mac: Secret::new(vec![2; 32]),
                mac_algorithm: "urn:prf".into(),
                url_s: None,
            },
        };
        assert_eq!(self.store.commit_run(run).done().await, Ok(Commit::Committed));
    }

    async fn only(&self, key_id: &str) -> DeliveryRecord {
        self.store.deliveries_of(key_id).await.unwrap().pop().unwrap()
    }

    /// Waits until a key's delivery is as it should be.
    async fn until(&self, key_id: &str, is_so: impl Fn(&DeliveryRecord) -> bool) -> DeliveryRecord {
        let begun = Instant::now();
        loop {
            let delivery = self.only(key_id).await;
            if is_so(&delivery) {
                return delivery;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{delivery:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a delivery of one of the keys has failed; which one is sent first is open. Gives why.
    async fn failed(&self, keys: &[String]) -> String {
        let begun = Instant::now();
        loop {
            for key in keys {
                if let Some(why) = self.only(key).await.error {
                    return why;
                }
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "none has failed");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn delivered(&self, key_id: &str, number: u64) -> DeliveryRecord {
        self.until(key_id, |it| it.state == DeliveryState::Delivered && it.seq == number).await
    }

    async fn end(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.workers.join_next().await {
            ended.unwrap();
        }
    }
}

#[tokio::test]
async fn a_webhook_is_signed_and_its_secret_is_for_the_receiver_alone() {
    let receiver = Receiver::start().await;
    let world = World::new(&receiver.config("")).work();
    world.enrol("key1", None).await;
    world.delivered("key1", 1).await;
    world.enrol("key1", Some("key1")).await;
    world.delivered("key1", 2).await;
    world.store.revoke_key("key1").await.unwrap();
    let gone = world.delivered("key1", 3).await;
    assert_eq!(gone.operation, DeliveryOperation::Delete);
    let got = receiver.got();
    let kinds: Vec<_> = got.iter().map(|it| (it.body["type"].as_str().unwrap(), &it.body["data"]["number"])).collect();
    assert_eq!(kinds, [("key.put", &1.into()), ("key.put", &2.into()), ("key.delete", &3.into())]);
    for (i, request) in got.iter().enumerate() {
        assert_eq!(request.id, format!("{}.{}", gone.id, i + 1));
        assert!(request.at.abs_diff(now()) < 20);
        assert!(!request.text.contains("31323334"), "no secret in the clear");
        assert_eq!(request.body["data"]["user"], "alice");
    }
    let data = &got[0].body["data"];
    assert_eq!((&data["key_type"], &data["digits"], &data["counter"]), (&"hotp".into(), &6.into(), &0.into()));
    assert_eq!(jwe::tests::decrypt(receiver::key(), data["secret"].as_str().unwrap()).expose(), K_TOKEN);
    assert_eq!(got[2].body["data"]["secret"], serde_json::Value::Null);
    world.end().await;
}

/// The sink is down while enrolments run, and then comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_is_down_delays_no_enrolment_and_gets_every_key_once_it_is_back() {
    const KEYS: usize = 40;
    let (receiver, address) = Receiver::later().await;
    let world = World::new(&receiver::config(&format!("http://{address}/"), "")).work();
    let begun = Instant::now();
    for i in 0..KEYS {
        world.enrol(&format!("key{i}"), None).await;
    }
    world.store.revoke_key("key3").await.unwrap();
    world.enrol("key4", Some("key4")).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let keys: Vec<_> = (0..KEYS).map(|i| format!("key{i}")).collect();
    assert!(world.failed(&keys).await.starts_with("cannot be reached"));
    let receiver = receiver.await;
    for (i, key) in keys.iter().enumerate() {
        world.delivered(key, if i == 3 || i == 4 { 2 } else { 1 }).await;
    }
    let got = receiver.got();
    let mut ids: Vec<_> = got.iter().map(|it| it.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), got.len()), (KEYS, KEYS), "each once, and what was overtaken not at all");
    let revoked = got.iter().find(|it| it.body["data"]["key_id"] == "key3").unwrap();
    assert_eq!(revoked.body["type"], "key.delete");
    world.end().await;
}

/// A server dies after the receiver has confirmed, and before that is written down.
#[tokio::test]
async fn what_was_not_acknowledged_comes_again_with_the_same_identifier() {
    let receiver = Receiver::start().await;
    let world = World::new(&receiver.config(""));
    world.enrol("key1", None).await;
    let leased = world.store.lease("web", 1).await.unwrap().pop().unwrap();
    let (key, secret) = leased.key.unwrap();
    let change = Change { id: leased.record.id, number: leased.record.seq, key, secret };
    assert_eq!(world.sinks.all()[0].deliver(&[change]).await, [Ok(())]);
    world._scratch.execute("UPDATE outbox SET next_at = next_at - 1000"); // the lease ends
    let world = world.work();
    world.delivered("key1", 1).await;
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!((&got[0].id, &got[0].body["data"]["number"]), (&got[1].id, &got[1].body["data"]["number"]));
    world.end().await;
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_sent_without_a_secret() {
    let receiver = Receiver::start().await;
    let world = World::new(&receiver.config(""));
    let found = world.sinks.test("web").await.unwrap();
    assert!(found.reached && found.error.is_none(), "{found:?}");
    assert!(found.would_send.contains("sample-user") && found.would_send.contains("\"secret\": \"…\""), "{found:?}");
    assert!(receiver.got().is_empty(), "nothing was posted");
    assert!(world.sinks.test("none").await.is_none());
    assert_eq!(world.sinks.chosen(Some(&[])), Ok(vec![]));
    assert!(world.sinks.chosen(Some(&["none".into()])).unwrap_err().contains("there is no sink"));
    assert!(world.sinks.chosen(Some(&["web".into(), "web".into()])).is_err());
    let (_, nobody) = Receiver::later().await;
    let world = World::new(&receiver::config(&format!("http://{nobody}/"), ""));
    let found = world.sinks.test("web").await.unwrap();
    assert!(!found.reached && found.error.unwrap().starts_with("cannot be reached"));
}

#[tokio::test]
async fn keys_reach_a_users_file_and_leave_it_in_one_writing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("users.oath");
    std::fs::write(&path, "HOTP\tbob\t-\t00\n").unwrap();
    let config = format!(
        "[sinks]\ndefault = ['pam']\nretry_s = 1\n[[sink]]\nname = 'pam'\nkind = 'liboath'\nfile = '{}'\n",
        path.display()
    );
    let world = World::new(&config).work();
    world.enrol("key1", None).await;
    world.delivered("key1", 1).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let secret = data_encoding::HEXLOWER.encode(K_TOKEN);
    assert_eq!(text, format!("HOTP\tbob\t-\t00\n#dskpp:key1\nHOTP/E/6\talice\t-\t{secret}\t0\n"));
    assert!(world.sinks.test("pam").await.unwrap().reached);
    world.store.revoke_key("key1").await.unwrap();
    world.delivered("key1", 2).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "HOTP\tbob\t-\t00\n");
    world.end().await;
}

#[tokio::test]
async fn a_folder_gets_an_encrypted_key_file_and_a_note_of_its_revocation() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("key"), "000102030405060708090a0b0c0d0e0f\n").unwrap();
    let files = folder.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let config = format!(
        "[sinks]\ndefault = ['drop']\n[[sink]]\nname = 'drop'\nkind = 'pskc-folder'\nfolder = '{}'\nkey_file = '{}'\n",
        files.display(),
        folder.path().join("key").display()
    );
    let world = World::new(&config).work();
    assert!(world.sinks.test("drop").await.unwrap().reached);
    world.enrol("key1", None).await;
    let id = world.delivered("key1", 1).await.id;
    let text = std::fs::read_to_string(files.join(format!("{id}.pskc"))).unwrap();
    assert!(text.contains("EncryptedValue") && text.contains("ValueMAC") && text.contains("key1"), "{text}");
    let octets = data_encoding::BASE64.encode(K_TOKEN);
    assert!(!text.contains(&octets), "no secret in the clear");
    world.store.revoke_key("key1").await.unwrap();
    world.delivered("key1", 2).await;
    let left: Vec<_> =
        std::fs::read_dir(&files).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, [format!("{id}.revoked")]);
    world.end().await;
}
