//! Notices against a mail server and a receiver of webhooks.

mod smtp;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use data_encoding::BASE64;
use dskpp_crypto::{Hash, HmacKey, RsaPrivateKey, Secret};
use serde_json::json;
use smtp::{Kind, Smtp};
use tokio::net::TcpListener;

use super::*;
use crate::model::{Activation, KeyType, Params, Terms};
use crate::policy::otp::Windows;
use crate::setup::k_servers::KServers;
use crate::store::scratch::Scratch;
use crate::store::seal::Kek;
use crate::store::{Commit, CommitRun, NewEnrolment, NewKey, StorePolicy};

/// A store, and as many servers on it as are asked for.
struct World {
    store: Store,
    _scratch: Scratch,
    stop: watch::Sender<bool>,
    senders: JoinSet<()>,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        let kek = Arc::new(Kek::new(&Secret::new(vec![1; 32])).unwrap());
        let windows = Windows { hotp_look_ahead: 5, totp_window: 1 };
        let policy = StorePolicy { lock_after: 3, windows, may_migrate: true };
        let store = Store::open(scratch.database.clone(), kek, policy).unwrap();
        World { store, _scratch: scratch, stop: watch::channel(false).0, senders: JoinSet::new() }
    }

    fn serve(&mut self, config: &str) -> Arc<Notices> {
        let notices = Arc::new(load(config).unwrap());
        start(&notices, &self.store, &self.stop.subscribe(), &mut self.senders);
        notices
    }

    async fn tell(&self, notices: &Notices, user: &str) {
        let told = notice(format!("lost {user}"), Event::UserLost, Some(user.into()), json!({ "keys": 2 }));
        let channels = notices.channels(&told);
        assert!(self.store.make_notice(told, channels, now() + 100).await.unwrap());
    }
}

fn load(config: &str) -> Result<Notices, ConfigError> {
    let config = Config::read(config, []).unwrap();
    config.check()?;
    Notices::load(&config)
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const WHO: &str =
    "from = 'Keys <keys@example.com>'\noperators = ['ops@example.com']\nuser_address = '{user}@example.com'\n";

#[tokio::test]
async fn operators_and_the_user_get_mail_over_tls_once_whichever_servers_there_are() {
    for (kind, tls) in [(Kind::Starttls, "starttls"), (Kind::Implicit, "implicit"), (Kind::Plain, "none")] {
        let smtp = Smtp::start(kind).await;
        let mut world = World::new();
        let login = if kind == Kind::Plain { String::new() } else { smtp.login() };
        let config = format!("[server]\nissuer = 'Example'\n[mail]\ntls = '{tls}'\n{}{login}{WHO}", smtp.config());
        let notices = world.serve(&config);
        world.serve(&config);
        world.tell(&notices, "alice").await;
        until("two mails", || smtp.got().len() == 2).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut got = smtp.got();
        got.sort_by(|a, b| a.to.cmp(&b.to));
        let [user, operators] = &got[..] else { panic!("{tls}: {got:?}") };
        assert_eq!((user.to.as_str(), operators.to.as_str()), ("alice@example.com", "ops@example.com"), "{tls}");
        assert_eq!(user.from, "keys@example.com");
        assert!(user.text.contains("Subject: Your keys were taken out of use"), "{}", user.text);
        assert!(operators.text.contains("Keys taken out of use: 2"), "{}", operators.text);
        assert!(user.text.contains("Example"), "the issuer signs: {}", user.text);
        assert_eq!(user.login.is_some(), kind != Kind::Plain, "{tls}");
    }
}

#[tokio::test]
async fn without_trust_in_its_certificate_or_without_tls_nothing_is_sent() {
    for (kind, tls) in [(Kind::Starttls, "implicit"), (Kind::Plain, "starttls"), (Kind::Starttls, "starttls")] {
        let smtp = Smtp::start(kind).await;
        let another = Smtp::start(Kind::Implicit).await;
        // The CA of another server.
        let (server, ca) = (smtp.server(), another.ca());
        let config = format!("[mail]\ntls = '{tls}'\nserver = '{server}'\nca_file = '{ca}'\ntimeout_s = 3\n{WHO}");
        let notices = load(&config).unwrap();
        let told = notice("x".into(), Event::UserLost, Some("alice".into()), json!({}));
        let why = notices.mail.as_ref().unwrap().send(&told, Channel::User).await.unwrap_err();
        assert!(["TLS", "mail server"].iter().any(|word| why.contains(word)), "{why}");
        assert!(smtp.got().is_empty(), "{tls}");
    }
    let refused = load(&format!("[mail]\ntls = 'none'\nserver = 'mail.example.com:25'\n{WHO}")).unwrap_err();
    assert_eq!(refused.0[0].key, "mail.tls", "{refused}");
}

#[tokio::test]
async fn a_mail_server_that_is_dead_delays_no_webhook_and_gets_the_mail_later() {
    let got = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&got);
    let take = move |headers: HeaderMap, body: Bytes| async move {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp"));
        let right = HmacKey::new(Hash::Sha256, &[9; 32]).sign(&[signed.as_bytes(), &body]);
        assert_eq!(header("webhook-signature"), format!("v1,{}", BASE64.encode(right.as_ref())));
        log.lock().unwrap().push(serde_json::from_slice::<serde_json::Value>(&body).unwrap());
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(take))).await.unwrap() });
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, format!("whsec_{}", BASE64.encode(&[9; 32]))).unwrap();
    let (later, server) = Smtp::later(Kind::Plain).await;
    let mut world = World::new();
    let notices = world.serve(&format!(
        "[notices]\nretry_s = 1\nwebhook_url = '{url}'\nwebhook_signing_key_file = '{}'\n\
         [mail]\ntls = 'none'\nserver = '{server}'\n{WHO}",
        key.display()
    ));
    for user in ["alice", "bob"] {
        world.tell(&notices, user).await;
    }
    until("both posts", || got.lock().unwrap().len() == 2).await;
    // Which of two that were made together is sent first is open.
    let body = got.lock().unwrap().iter().find(|body| body["data"]["user"] == "alice").cloned().unwrap();
    assert_eq!((&body["type"], &body["data"]), (&json!("user.lost"), &json!({ "keys": 2, "user": "alice" })));
    let smtp = later.await;
    until("the mails", || smtp.got().len() == 4).await;
    world.stop.send_replace(true);
    while let Some(ended) = world.senders.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn a_key_that_ends_soon_is_announced_once_and_once_more_and_no_secret_with_it() {
    let world = World::new();
    let config = format!("[mail]\ntls = 'none'\nserver = '127.0.0.1:1'\n{WHO}");
    let notices = load(&config).unwrap();
    let certificates = no_certificates(&world.store).await;
    let ends_in = async |lifetime_s: u64| {
        provision(&world.store, lifetime_s).await;
    };
    ends_in(40 * 86_400).await;
    announcer::look(&notices, &certificates, &world.store).await.unwrap();
    assert!(world.store.take_notice(Channel::User).await.unwrap().is_none(), "not yet");
    ends_in(20 * 86_400).await;
    ends_in(86_400).await;
    for _ in 0..2 {
        announcer::look(&notices, &certificates, &world.store).await.unwrap();
    }
    let mut told = Vec::new();
    while let Some(taken) = world.store.take_notice(Channel::User).await.unwrap() {
        told.push((taken.notice.data["key_id"].clone(), taken.notice.id.rsplit('/').next().unwrap().to_owned()));
        let text = format!("{:?}", taken.notice);
        assert!(!text.contains("12345678901234567890") && !text.contains("3132333435"), "{text}");
    }
    told.sort_by_key(|(key, _)| key.to_string());
    assert_eq!(told, [(json!("key 1728000"), "first".to_owned()), (json!("key 86400"), "again".to_owned())]);
    assert!(world.store.take_notice(Channel::Operators).await.unwrap().is_none(), "a user's key is the user's matter");
}

/// A key of Alice's that ends after so many seconds.
async fn provision(store: &Store, lifetime_s: u64) {
    let terms = Terms { lifetime_s: Some(lifetime_s), ..Terms::default() };
    let new = NewEnrolment {
        user: "alice".into(),
        key_type: KeyType::Hotp,
        params: Params { digits: Some(6), counter: Some(0), terms, ..Params::default() },
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
    };
    let enrolment = store.create_enrolment(new).await.unwrap().enrolment.id;
    let run = CommitRun {
        session_id: format!("session of {enrolment}"),
        request_hash: [7; 32],
        response: Vec::new(),
        answer_expires_at: i64::MAX,
        enrolment_id: enrolment,
        key: NewKey {
            id: format!("key {lifetime_s}"),
            k_token: Some(Secret::from_slice(b"12345678901234567890")),
            k_mac: Secret::new(vec![2; 32]),
            mac_algorithm: "urn:prf".into(),
            url_s: None,
        },
    };
    assert_eq!(store.commit_run(run).done().await, Ok(Commit::Committed));
}

async fn no_certificates(store: &Store) -> crate::certificates::Certificates {
    let key = RsaPrivateKey::generate(2048).unwrap();
    store.claim_first_k_server(key.to_pkcs8_der().clone()).await.unwrap();
    let k_servers = Arc::new(KServers::open(&Config::default(), store).await.unwrap());
    crate::certificates::Certificates::new(None, None, k_servers, "https://keys.example/dskpp")
}

#[test]
fn settings_of_mail_that_cannot_work_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("template");
    let mail = |more: &str| format!("[mail]\nserver = 'mail.example.com:587'\nfrom = 'keys@example.com'\n{more}\n");
    let at = |text: &str| load(text).map(drop).map_err(|why| why.0[0].key.clone());
    assert_eq!(at(&mail("")), Ok(()));
    for (text, key) in [
        (mail("operators = ['nobody']"), "mail.operators"),
        (mail("user_address = 'all@example.com'"), "mail.user_address"),
        (mail("user = 'x'"), "mail.password_file"),
        (mail("template_file = '/nonexistent'"), "mail.template_file"),
        ("[mail]\nserver = 'mail.example.com'\nfrom = 'a@b.example'\n".into(), "mail.server"),
        ("[mail]\noperators = ['a@b.example']\n".into(), "mail.server"),
        ("[mail]\nserver = 'mail.example.com:587'\n".into(), "mail.from"),
        ("[notices]\nwebhook_url = 'http://example.com'\n".into(), "notices.webhook_url"),
        ("[notices]\nannounce_before_s = 10\nremind_before_s = 10\n".into(), "notices.remind_before_s"),
    ] {
        assert_eq!(at(&text), Err(key.to_owned()), "{text}");
    }
    let with = mail(&format!("template_file = '{}'", template.display()));
    for (text, is_good) in [
        ("Subject: {issuer}: {subject}\n\n{text}\n", true),
        ("Subject: {subject}\r\n\r\n{text}\r\n", true),
        ("{text}", false),
        ("Subject: a\nBcc: x@example.com\n\n{text}", false),
        ("Subject: {subject}\n\n{password}", false),
    ] {
        std::fs::write(&template, text).unwrap();
        assert_eq!(at(&with).is_ok(), is_good, "{text}");
    }
}
