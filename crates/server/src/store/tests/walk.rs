//! A walk through all that the store does, for tests that ask about every statement.

use pskc::KeyPackage;

use super::*;
use crate::model::clock::unix_now_ms;
use crate::model::notice::Channel;
use crate::model::{DeliveryState, Location};
use crate::store::devices::NotPut;
use crate::store::key_package::{Owner, take_in};

/// HOTP of RFC 4226's key, from its appendix D.
const OTPS: [&str; 6] = ["755224", "287082", "359152", "969429", "338314", "254676"];

fn otp(user: Option<&str>, key: Option<&str>, client: Option<&str>, otp: &str) -> ValidationRequest {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (user, key_id, client_id) = (owned(user), owned(key), owned(client));
    ValidationRequest { user, key_id, client_id, otp: otp.to_owned().into(), ..ValidationRequest::default() }
}

fn device(serial: &str) -> NewDevice {
    NewDevice {
        manufacturer: "acme".into(),
        serial: serial.into(),
        key_name: format!("key of {serial}"),
        shared_key: Some(Secret::new(vec![1; 16])),
        certificate: None,
    }
}

fn named(serial: &str) -> dskpp::server::DeviceRef {
    dskpp::server::DeviceRef { manufacturer: "acme".into(), serial: serial.into() }
}

/// One more key of the kind that files bring.
fn package(id: &str) -> KeyPackage {
    let mut package = at_rest::imported();
    let key = package.key.as_mut().unwrap();
    (key.id, key.algorithm) = (id.into(), Some("urn:ietf:params:xml:ns:keyprov:pskc:hotp".into()));
    package
}

impl Db {
    /// Does everything at least once. Leaves rows in every table and in every state.
    pub(super) async fn walk(&self) {
        self.walk_access().await;
        self.walk_devices().await;
        self.walk_runs().await;
        self.walk_renewals().await;
        self.walk_keys().await;
        self.walk_files().await;
        self.walk_tries().await;
        self.walk_lists().await;
        self.walk_outbox().await;
        self.walk_lost().await;
        let store = &self.store;
        store.probe().await.unwrap();
        store.last_audit().await.unwrap();
        assert!(store.count_keys().await.unwrap().iter().any(|(state, number)| *state == "active" && *number > 0));
        store.count_enrolments().await.unwrap();
        store.checkpoint().await.unwrap();
        store.forget_old_answers().await.unwrap();
        self.walk_calls().await;
    }

    async fn walk_calls(&self) {
        let store = &self.store;
        let Claimed::Begun(claim) = store.claim("t1", "kept", [7; 32]).await.unwrap() else { panic!("it is new") };
        claim.clone().during(store.create_user("of a call".into())).await.unwrap();
        store.keep_call(claim, 201, Secret::new(vec![1])).await.unwrap();
        assert!(matches!(store.claim("t1", "kept", [7; 32]).await, Ok(Claimed::Answered(_))));
        let user = store.users(Some("of a call".into()), None, 1).await.unwrap().items.pop().unwrap().unwrap();
        let delete = store.delete_user(&user.id, "test");
        store.if_user(&user.id, |user| user.name == "of a call", delete).await.unwrap();
        assert!(store.user(&user.id).await.unwrap().is_none());
        let Claimed::Begun(claim) = store.claim("t1", "given back", [7; 32]).await.unwrap() else { panic!("new") };
        store.give_back(claim).await.unwrap();
        store.forget_old_calls().await.unwrap();
    }

    async fn walk_lost(&self) {
        let store = &self.store;
        for (enrolment, session, key) in [("lost1", "lost session", "lost key"), ("lost2", "", "")] {
            let made = store.create_enrolment(hotp_for("lena")).await.unwrap().enrolment.id;
            if !session.is_empty() {
                store.commit_run(run_of(&made, session, key)).done().await.unwrap();
            }
            assert!(!made.is_empty(), "{enrolment}");
        }
        lost::lose(store, "lena").await.unwrap();
        let taken = store.take_notice(Channel::User).await.unwrap().unwrap();
        store.settle_notice(taken, NoticeAttempt::Again(now())).await.unwrap();
        let taken = store.take_notice(Channel::User).await.unwrap().unwrap();
        store.settle_notice(taken, NoticeAttempt::Sent).await.unwrap();
        assert!(store.make_notice(lost::notice("n"), vec![Channel::Webhook], now() - 1).await.unwrap());
        assert_eq!(store.forget_old_notices().await.unwrap(), 1);
        let taken = store.take_notice(Channel::Webhook).await.unwrap().unwrap();
        store.settle_notice(taken, NoticeAttempt::GivenUp("why".into())).await.unwrap();
        store.expiring_keys(String::new(), i64::MAX, 1).await.unwrap();
        let old = store.create_enrolment(NewEnrolment { expires_in_s: 1, ..hotp_for("olga") }).await.unwrap();
        self.execute(&format!("UPDATE enrolment SET expires_at = 1 WHERE id = '{}'", old.enrolment.id));
        assert_eq!(store.forget_old_enrolments(2).await.unwrap(), 1);
    }

    async fn walk_access(&self) {
        let store = &self.store;
        store.create_user("carol".into()).await.unwrap();
        assert!(store.create_user("carol".into()).await.is_err());
        assert!(!store.has_tokens().await.unwrap());
        assert!(store.create_first_token("first".into()).await.unwrap());
        assert!(!store.create_first_token("second".into()).await.unwrap());
        let (id, _) = store.create_token("reader".into(), vec![Role::Read]).await.unwrap();
        assert!(store.token("first").await.unwrap().is_some());
        store.delete_token(&id).await.unwrap();
        store.set_setting_once("passing", Secret::new(vec![1])).await.unwrap();
        store.forget_setting("passing").await.unwrap();
        store.set_setting_once("ca", Secret::new(vec![1])).await.unwrap();
        store.claim_first_k_server(Secret::new(vec![1])).await.unwrap();
        store.first_k_server().await.unwrap();
        store.put_first_k_server("k1".into(), Secret::new(vec![1])).await.unwrap();
        store.add_k_server("k2".into(), Secret::new(vec![2]), "test".into()).await.unwrap();
        store.retire_k_server("k1", "test".into()).await.unwrap();
        self.execute("UPDATE k_server SET retired_at = 1 WHERE id = 'k1'");
        store.k_servers().await.unwrap();
        self.execute("INSERT INTO session_key (day, sealed_key) SELECT '2020-01-01', sealed_value FROM setting WHERE name = 'ca'");
        store.renew_session_keys(&SessionKeys::default(), unix_now_ms()).await.unwrap();
    }

    async fn walk_devices(&self) {
        let store = &self.store;
        for serial in ["1", "2", "3"] {
            store.create_device(device(serial)).await.unwrap();
        }
        let told = store.import_devices(vec![device("3"), device("4")], 0, "test".into()).await.unwrap();
        assert_eq!(told, [(0, NotPut::Duplicate)]);
        let some = |text: &str| Some(text.to_owned());
        let mut ids = Vec::new();
        for (manufacturer, serial) in [(None, None), (some("acme"), None), (None, some("4")), (some("acme"), some("4"))]
        {
            let filter = DeviceFilter { manufacturer, serial, after: None };
            ids = store.devices(filter, 10).await.unwrap().items;
        }
        let id = ids.pop().unwrap().unwrap().id;
        assert!(store.device(&id).await.unwrap().is_some());
        let change =
            DeviceChange { key_name: some("another"), shared_key: Some(None), certificate: Some(Some(vec![1])) };
        store.change_device(&id, change, "test".into()).await.unwrap();
        store.delete_device(&id, "test".into()).await.unwrap();
    }

    async fn walk_runs(&self) {
        let store = &self.store;
        let bound =
            NewEnrolment { device: Some(named("1")), key_location: Some(Location::Hardware), ..hotp_for("alice") };
        let created = store.create_enrolment(bound).await.unwrap();
        let (id, client) = (created.enrolment.id, created.enrolment.client_id);
        let trigger = std::str::from_utf8(created.trigger_token.expose()).unwrap();
        assert!(store.enrolment_by_trigger(trigger).await.unwrap().is_some());
        let ad = TriggerAd { nonce: vec![1], mac: vec![2], url_s: "https://keys.example/dskpp".into() };
        store.keep_trigger(&id, ad).await.unwrap();
        let hello = HelloQuery {
            request_hash: Some([7; 32]),
            device: Some(named("1")),
            key_id: Some("key1".into()),
            client_id: Some(client.clone()),
            key_names: vec!["key of 1".into()],
            address: "192.0.2.1".into(),
            brings_public_key: true,
        };
        store.load_hello(hello).await.unwrap();
        for (client, enrolment) in [(Some(&*client), None), (None, Some(&*id))] {
            store.load_run("s1", client, enrolment, Some(&named("1")), "192.0.2.1").await.unwrap();
        }
        assert_eq!(store.commit_run(run_of(&id, "s1", "key1")).done().await, Ok(Commit::Committed));
        assert!(matches!(store.commit_run(run_of(&id, "s1", "key1")).done().await, Ok(Commit::AlreadyAnswered(_))));
        assert_eq!(store.commit_run(run_of(&id, "s2", "key1")).done().await, Ok(Commit::EnrolmentSpent));
        let refusal =
            ProvedRefusal { session_id: "s3".into(), request_hash: [3; 32], response: vec![3], answer_expires_at: 1 };
        store.commit_refusal(refusal).done().await.unwrap();
        let revoked = self.enrolment().await;
        store.revoke_enrolment(&revoked).await.unwrap();
        assert!(store.revoke_enrolment(&revoked).await.is_err());
        self.enrolment().await; // open
    }

    async fn walk_renewals(&self) {
        let store = &self.store;
        let on_otp = |renews: Option<&str>| NewEnrolment {
            renews: renews.map(str::to_owned),
            activate: Activation::OnOtp,
            ..hotp_for("alice")
        };
        let first = self.create(on_otp(None)).await;
        store.commit_run(run_of(&first.id, "s4", "key2")).done().await.unwrap();
        let client = Some(&*first.client_id);
        assert_eq!(store.validate(otp(None, None, client, "000000")).await, Ok(None));
        assert!(store.validate(otp(None, None, client, OTPS[0])).await.unwrap().is_some());
        self.walk_activation().await;
        for (renewed, session) in [("key1", "s5"), ("key2", "s6")] {
            let renewal = self.create(on_otp(Some(renewed))).await;
            store.commit_run(run_of(&renewal.id, session, renewed)).done().await.unwrap();
            assert!(store.url_of_key(renewed).await.unwrap().is_some());
            if renewed == "key1" {
                let first = otp(Some("alice"), None, Some(&renewal.client_id), OTPS[0]);
                assert!(store.validate(first).await.unwrap().is_some());
            } else {
                store.revoke_enrolment(&renewal.id).await.unwrap();
            }
        }
        let at_once = self.create(NewEnrolment { renews: Some("key1".into()), ..hotp_for("alice") }).await;
        store.commit_run(run_of(&at_once.id, "s7", "key1")).done().await.unwrap();
        let waits = self.create(on_otp(Some("key1"))).await;
        store.commit_run(run_of(&waits.id, "s8", "key1")).done().await.unwrap();
        let provisioned = self.create(on_otp(None)).await;
        store.commit_run(run_of(&provisioned.id, "s9", "key3")).done().await.unwrap();
    }

    async fn walk_activation(&self) {
        let first = self.create(NewEnrolment { activate: Activation::OnOtp, ..hotp_for("frank") }).await;
        self.store.commit_run(run_of(&first.id, "s11", "key4")).done().await.unwrap();
        for (otp, active) in [("000000", false), (OTPS[0], true)] {
            assert_eq!(activation::show(&self.store, "key4", otp).await, active);
        }
        for (counter, made) in [(1, true), (2, true), (50, false)] {
            let otp = activation::hotp(counter);
            assert_eq!(owner_renewal::ask(&self.store, "key4", &otp).await.is_some(), made);
        }
    }

    async fn walk_keys(&self) {
        let store = &self.store;
        let totp = NewEnrolment { key_type: KeyType::Totp, ..hotp_for("bob") };
        let totp = NewEnrolment { params: Params { digits: Some(6), period_s: Some(30), ..Params::default() }, ..totp };
        self.key(totp, "totp").await;
        self.key(hotp_for("bob"), "hotp").await;
        let step = now() / 30;
        let code = |step: i64| {
            let totp = dskpp_otp::Hotp { digits: dskpp_otp::Digits::SIX };
            totp.code(&Secret::from_slice(K_TOKEN), step.unsigned_abs()).to_string()
        };
        assert!(store.validate(otp(None, Some("totp"), None, &code(step))).await.unwrap().is_some());
        _ = store.resynchronise("totp", vec![code(step + 1), code(step + 2)], "test".into()).await.unwrap();
        let of_hotp = |code: &str| otp(None, Some("hotp"), None, code);
        assert_eq!(store.verdict(of_hotp("000000")).await, Ok(Verdict::Wrong));
        let shown = OTPS[..2].iter().map(|it| (*it).into()).collect();
        assert_eq!(store.resynchronise("hotp", shown, "test".into()).await, Ok(Verdict::Right("hotp".into())));
        for (user, key) in [(Some("bob"), None), (None, Some("hotp")), (Some("bob"), Some("hotp"))] {
            store.validate(otp(user, key, None, OTPS[2])).await.unwrap();
        }
        for user in [None, Some("bob".to_owned())] {
            store.keys(user.clone(), None, 2).await.unwrap();
            let filter = KeyFilter { user: user.clone(), state: Some(KeyState::Active), ..KeyFilter::default() };
            store.find_keys(filter, 2).await.unwrap();
            store.begin_export(user.clone(), "pbe", "test".into()).await.unwrap();
            store.export_page(user, String::new(), 2).await.unwrap();
        }
        store.export_key("hotp", "test".into()).await.unwrap();
        self.key(hotp_for("bob"), "revoked").await;
        store.revoke_key("revoked").await.unwrap();
        self.key(hotp_for("bob"), "changed").await;
        let change = KeyChange { label: Some(Some("spare".into())), user: Some("carl".into()) };
        let change = store.change_key("changed", change, "test");
        store.if_key("changed", |key, _| key.label.is_none(), change).await.unwrap();
        store.disable_key("changed", "test").await.unwrap();
        store.enable_key("changed", "test").await.unwrap();
        let of_user = KeysToRevoke { user: Some("carl".into()), ..KeysToRevoke::default() };
        assert_eq!(store.revoke_keys(of_user, "test").await, Ok(1));
        let device = Some(("acme".into(), "none".into()));
        assert_eq!(store.revoke_keys(KeysToRevoke { device, ..KeysToRevoke::default() }, "test").await, Ok(0));
    }

    async fn walk_files(&self) {
        let store = &self.store;
        let mut sealer = store.sealer();
        // The last one is taken, and its user is nobody yet.
        let owners = [("stock1", Owner::Nobody), ("stock2", Owner::Nobody), ("stock1", Owner::User("zoe".into()))];
        let taken = owners.iter().map(|(id, owner)| take_in(package(id), owner, now()).unwrap());
        let keys = taken.enumerate().map(|(i, taken)| sealer.seal(i as u64, taken)).collect();
        let batch = Batch { import: "import".into(), first: 0, end: 3, keys, refused: Vec::new(), by: "test".into() };
        assert_eq!(store.import(batch).await.unwrap().accepted, 2);
        assert!(store.import_progress("import".into()).await.unwrap().is_some());
        self.import(vec![package("of alice"), package("hotp")]).await;
        self.import(vec![package("hotp")]).await;
        store.assign_key("stock1", "dave".into(), vec!["pam".into()], "test".into()).await.unwrap();
        let delivers =
            NewEnrolment { delivers: Some("stock2".into()), variant: Some(Variant::TwoPass), ..hotp_for("erin") };
        let delivers = store.create_enrolment(delivers).await.unwrap().enrolment;
        let hello = HelloQuery { client_id: Some(delivers.client_id), ..HelloQuery::default() };
        _ = store.load_hello(hello).await.unwrap();
        let mut run = run_of(&delivers.id, "s10", "stock2");
        run.key.k_token = None;
        assert_eq!(store.commit_run(run).done().await, Ok(Commit::Committed));
    }

    async fn walk_tries(&self) {
        let enrolment = self.enrolment().await;
        self.count(&enrolment, wrong("192.0.2.1", POLICY.lock_after)).await;
        self.execute("UPDATE refusal SET hour = hour - 2");
        self.count(&enrolment, wrong("192.0.2.2", 1)).await;
        self.execute("UPDATE refusal SET hour = hour - 2");
        self.store.settle_tries().await.unwrap();
        self.store.tries_of(&enrolment).await.unwrap();
    }

    async fn walk_outbox(&self) {
        let store = &self.store;
        for id in ["sent1", "sent2", "sent3"] {
            self.key(NewEnrolment { sinks: vec!["pam".into()], ..hotp_for("alice") }, id).await;
        }
        let mut leased = store.lease("pam", 3).await.unwrap();
        assert_eq!(leased.len(), 3);
        let id = leased[2].record.id.clone(); // the first one below
        let again = Attempt::Again { error: "down".into(), at: now() + 60 };
        for attempt in [Attempt::Delivered, again, Attempt::Dead { error: "refused".into() }] {
            store.settle(vec![(leased.pop().unwrap(), attempt)]).await.unwrap();
        }
        assert_eq!(store.deliveries_of("sent1").await.unwrap().len(), 1);
        store.send_again(&id, "test".into()).await.unwrap();
        for (sink, state) in [(None, None), (Some("pam"), None), (None, Some(DeliveryState::Dead))]
            .into_iter()
            .chain([(Some("pam"), Some(DeliveryState::Pending))])
        {
            let filter = DeliveryFilter { sink: sink.map(str::to_owned), state, after: None };
            assert!(!store.deliveries(filter, 10).await.unwrap().items.is_empty());
        }
    }

    async fn walk_lists(&self) {
        let (store, some) = (&self.store, |text: &str| Some(text.to_owned()));
        for (prefix, after) in [(None, None), (some("a"), None), (some("a"), some("b")), (None, some("a"))] {
            store.users(prefix, after, 2).await.unwrap();
        }
        let states = [(None, None), (some("alice"), None), (some("alice"), Some(EnrolmentState::Open))];
        for (user, state) in states.into_iter().chain([(None, Some(EnrolmentState::Active))]) {
            let filter = EnrolmentFilter::OfUser { user, state, after: None };
            assert!(!store.enrolments(filter, 10).await.unwrap().items.is_empty());
        }
        for (state, after) in [(EnrolmentState::Open, None), (EnrolmentState::Expired, Some((1, "e".to_owned())))] {
            store.enrolments(EnrolmentFilter::InState { state, after }, 2).await.unwrap();
        }
        store.tokens(None, 2).await.unwrap();
        store.imports(None, 2).await.unwrap();
        assert!(!store.chain_heads().await.unwrap().is_empty());
        store.audit(AuditFilter::ByChain { after: Some((String::new(), 1)) }, 2).await.unwrap();
        let rare = [(None, true), (None, false), (some("key.exported"), true), (some("e"), false)];
        let frequent = [(some("key.provisioned"), true), (some("enrolment.created"), false)];
        for (event, newest_first) in rare.into_iter().chain(frequent) {
            let filter = AuditFilter::ByTime { event, since: 0, until: i64::MAX, after: None, newest_first };
            store.audit(filter, 2).await.unwrap();
        }
    }
}
