//! Two-pass runs against a server that listens (RFC 6063 §5).

use std::sync::{Arc, LazyLock};

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::client::{
    ChosenVariant, ClientProtection, Credential, Either, Failed, Provisioned, Renewal, RunConfig, TwoPass,
};
use dskpp::message::Trigger;
use dskpp::status::Status;
use dskpp_crypto::{RsaPrivateKey, Secret, SystemRandom};
use pskc::{DeviceInfo, KeyInfo};
use reqwest::header;
use serde_json::{Value, json};

use crate::support::{MEDIA_TYPE, Server, k_of, read, with_code};

static CLIENT_KEY: LazyLock<Arc<RsaPrivateKey>> = LazyLock::new(|| Arc::new(RsaPrivateKey::generate(2048).unwrap()));

fn transport() -> ClientProtection {
    let key = Arc::clone(&CLIENT_KEY);
    ClientProtection::Transport { info: KeyInfo::from_rsa(key.public().modulus(), key.public().exponent()), key }
}

fn wrap(name: &str, key: &[u8]) -> ClientProtection {
    ClientProtection::Wrap { name: name.into(), key: Secret::from_slice(key) }
}

fn device(serial: &str) -> DeviceInfo {
    DeviceInfo { manufacturer: Some("acme".into()), serial_no: Some(serial.into()), ..DeviceInfo::default() }
}

async fn register(server: &Server, serial: &str, key: &[u8]) {
    let device = json!({
        "manufacturer": "acme", "serial": serial, "key_name": format!("acme {serial}"),
        "shared_key_hex": data_encoding::HEXLOWER.encode(key),
    });
    server.api("devices", Some(device), 201).await;
}

/// A complete run.
async fn run(server: &Server, offer: RunConfig, with: Vec<ClientProtection>) -> Result<Provisioned, Failed> {
    let (request, state) = TwoPass::start(offer, with, &mut SystemRandom)?;
    state.receive(&server.exchange(request).await)
}

async fn refused(server: &Server, offer: RunConfig, with: Vec<ClientProtection>) -> Status {
    match run(server, offer, with).await {
        Err(Failed::Refused(status)) => status,
        other => panic!("not refused: {other:?}"),
    }
}

async fn state_of(server: &Server, enrolment: &Value) -> Value {
    server.api(&format!("enrolments/{}", enrolment["id"].as_str().unwrap()), None, 200).await["state"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_1_both_sides_hold_the_same_key_by_every_method() {
    use ClientProtection::Passphrase;
    let server = Server::start().await;
    for len in [16, 24, 32] {
        register(&server, &len.to_string(), &vec![len; usize::from(len)]).await;
    }
    let wraps = [16, 24, 32].map(|len: u8| wrap(&format!("acme {len}"), &vec![len; usize::from(len)]));
    let ways = wraps.into_iter().chain([transport(), Passphrase]);
    let types = [
        ("hotp", KeyType::Hotp, json!({}), 20),
        ("totp", KeyType::Totp, json!({"hash": "SHA-512"}), 64),
        ("totp", KeyType::Totp, json!({"hash": "SHA-256"}), 32),
        ("ocra", KeyType::Ocra, json!({}), 20),
        ("aes128", KeyType::Aes128Cbc, json!({}), 16),
        ("aes256", KeyType::Aes256Cbc, json!({}), 32),
    ];
    for (way, (name, key_type, more, len)) in ways.cycle().zip(types.into_iter().cycle()).take(30) {
        let enrolment = server.enrolment(name, more).await;
        let mut offer = server.offer(&enrolment, key_type.clone());
        if len % 20 == 0 {
            offer.mac_algorithms = vec![MacAlgorithm::PrfAes128];
        }
        let got = run(&server, offer, vec![way]).await.unwrap();
        assert_eq!(got.keys.k_token.len(), len, "{name}");
        assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await, "{name}");
        assert_eq!(got.server_id.as_deref(), Some(server.url_s()));
        assert_eq!(state_of(&server, &enrolment).await, "active");
    }
    assert_eq!(server.api("keys?user=alice", None, 200).await["items"].as_array().unwrap().len(), 30);
}

/// Profile P17: the client's order decides among what the enrolment allows.
#[tokio::test(flavor = "multi_thread")]
async fn p17_the_clients_first_method_that_the_enrolment_allows_is_selected() {
    let server = Server::start().await;
    register(&server, "1", &[7; 16]).await;
    let all = || vec![wrap("acme 1", &[7; 16]), transport(), ClientProtection::Passphrase];
    for (allowed, used) in [
        (json!([]), Some("key-wrap")),
        (json!(["passphrase-wrap", "transport"]), Some("transport")),
        (json!(["passphrase-wrap"]), Some("passphrase-based")),
    ] {
        let enrolment = server.enrolment("hotp", json!({"variant": "two-pass", "methods": allowed})).await;
        let offer = server.offer(&enrolment, KeyType::Hotp);
        let (request, state) = TwoPass::start(offer, all(), &mut SystemRandom).unwrap();
        let answer = server.exchange(request).await;
        state.receive(&answer).unwrap();
        let text = String::from_utf8(answer).unwrap();
        let method = text.split("<dskpp:KeyProtectionMethod>").nth(1).unwrap().split('<').next().unwrap();
        let names = [("key-wrap", "wrap"), ("transport", "transport"), ("passphrase-based", "passphrase-wrap")];
        let name = names.iter().find(|(name, _)| Some(*name) == used).unwrap().1;
        assert!(method.ends_with(&format!(":{name}")), "{allowed}: {method}");
    }
    let only_wrap = server.enrolment("hotp", json!({"methods": ["wrap"]})).await;
    let offer = || server.offer(&only_wrap, KeyType::Hotp);
    assert_eq!(refused(&server, offer(), vec![transport()]).await, Status::NoProtocolVariants);
    let unknown = vec![wrap("nobody's", &[7; 16])];
    assert_eq!(refused(&server, offer(), unknown).await, Status::AuthenticationDataInvalid, "p21");
    let only_four_pass = server.enrolment("hotp", json!({"variant": "four-pass"})).await;
    let offer = server.offer(&only_four_pass, KeyType::Hotp);
    assert_eq!(refused(&server, offer, all()).await, Status::NoProtocolVariants);
    let only_two_pass = server.enrolment("hotp", json!({"variant": "two-pass"})).await;
    assert_eq!(server.refused(server.offer(&only_two_pass, KeyType::Hotp)).await, Status::AccessDenied);
    for enrolment in [only_wrap, only_four_pass, only_two_pass] {
        assert_eq!(state_of(&server, &enrolment).await, "open", "no code is spent without a key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_a_wrong_code_and_an_unknown_or_spent_one_get_the_same_answer() {
    let server = Server::start().await;
    register(&server, "1", &[7; 16]).await;
    let enrolment = server.enrolment("hotp", json!({"variant": "two-pass", "methods": ["wrap"]})).await;
    let client_id = enrolment["client_id"].as_str().unwrap();
    let spent = server.enrolment("hotp", json!({})).await;
    run(&server, server.offer(&spent, KeyType::Hotp), vec![wrap("acme 1", &[7; 16])]).await.unwrap();
    let ways = || [wrap("acme 1", &[7; 16]), transport(), ClientProtection::Passphrase];
    for way in ways() {
        for code in [with_code(client_id, "0000000000000000"), with_code("FFFFFFFF", "0000000000000000"), spent.clone()]
        {
            let (request, _) =
                TwoPass::start(server.offer(&code, KeyType::Hotp), vec![way.clone()], &mut SystemRandom).unwrap();
            let answer = read(&server.exchange(request).await);
            assert_eq!(answer, (Status::AuthenticationDataInvalid, false), "{:?}", way.method());
        }
    }
    // Only the holder of the code learns what an enrolment allows.
    assert_eq!(
        refused(&server, server.offer(&enrolment, KeyType::Hotp), vec![transport()]).await,
        Status::NoProtocolVariants
    );
    assert_eq!(
        refused(&server, server.offer(&enrolment, KeyType::Totp), vec![wrap("acme 1", &[7; 16])]).await,
        Status::NoSupportedKeyTypes
    );
    let late = server.enrolment("hotp", json!({"expires_in_s": 1})).await;
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    let offer = server.offer(&late, KeyType::Hotp);
    assert_eq!(refused(&server, offer, vec![transport()]).await, Status::ProvisioningPeriodExpired);
    run(&server, server.offer(&enrolment, KeyType::Hotp), vec![wrap("acme 1", &[7; 16])]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_an_identical_clienthello_gets_the_same_key_and_a_different_one_nothing() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let offer = || server.offer(&enrolment, KeyType::Hotp);
    let passphrase = || vec![ClientProtection::Passphrase];
    let (request, state) = TwoPass::start(offer(), passphrase(), &mut SystemRandom).unwrap();
    let (rival, rival_state) = TwoPass::start(offer(), passphrase(), &mut SystemRandom).unwrap();
    let (first, second, other) = tokio::join!(
        server.exchange(request.clone()),
        server.exchange(request.clone()),
        server.exchange(rival.clone())
    );
    assert_eq!(first, second);
    assert_eq!(server.exchange(request).await, first);
    let got: Vec<_> = [state.receive(&first), rival_state.receive(&other)].into_iter().flatten().collect();
    let [got] = &got[..] else { panic!("{} of two succeeded", got.len()) };
    assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await);
    assert_eq!(server.api("keys?user=alice", None, 200).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn p21_only_the_holder_of_its_key_can_name_a_device() {
    let server = Server::start().await;
    register(&server, "1", &[1; 16]).await;
    register(&server, "2", &[2; 16]).await;
    let bound = json!({"device": {"manufacturer": "acme", "serial": "1"}});
    let enrolment = server.enrolment("aes128", bound).await;
    let free = server.enrolment("aes128", json!({})).await;
    let (own, others) = (|| wrap("acme 1", &[1; 16]), || wrap("acme 2", &[2; 16]));
    let offer = |enrolment: &Value, named: Option<&str>| {
        let mut offer = server.offer(enrolment, KeyType::Aes128Cbc);
        offer.device = named.map(device);
        offer
    };
    for (enrolment, named, way) in [
        (&enrolment, None, others()),
        (&enrolment, None, transport()),
        (&enrolment, Some("1"), transport()),
        (&enrolment, Some("1"), others()),
        (&enrolment, Some("2"), others()),
        (&free, Some("1"), others()),
        (&free, Some("no such device"), own()),
        (&free, Some("1"), ClientProtection::Passphrase),
    ] {
        let status = refused(&server, offer(enrolment, named), vec![way.clone()]).await;
        assert_eq!(status, Status::AccessDenied, "{named:?} {:?}", way.method());
    }
    // A wrong device key is a wrong proof.
    let forged = vec![wrap("acme 1", &[9; 16])];
    assert_eq!(refused(&server, offer(&enrolment, Some("1")), forged).await, Status::AuthenticationDataInvalid);
    let got = run(&server, offer(&enrolment, Some("1")), vec![own()]).await.unwrap();
    let key = server.api(&format!("keys/{}", got.key_id), None, 200).await;
    assert_eq!(key["device"], json!({"manufacturer": "acme", "serial": "1"}));
    run(&server, offer(&free, None), vec![others()]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_trigger_authenticates_one_two_pass_run() {
    let server = Server::start().await;
    register(&server, "1", &[1; 32]).await;
    for way in [transport(), wrap("acme 1", &[1; 32])] {
        let bound = match way {
            ClientProtection::Wrap { .. } => json!({"device": {"manufacturer": "acme", "serial": "1"}}),
            _ => json!({}),
        };
        let enrolment = server.enrolment("hotp", bound).await;
        let url = enrolment["trigger_url"].as_str().unwrap();
        let url = server.url(&url[url.find("/enroll/").unwrap()..]);
        let request = server.client.get(url).header(header::ACCEPT, MEDIA_TYPE);
        let document = request.send().await.unwrap().bytes().await.unwrap();
        let offer = |trigger: Trigger| {
            RunConfig::new(server.url_s(), Credential::Trigger(Box::new(trigger)), vec![KeyType::Hotp])
        };
        let trigger = Trigger::read(&document).unwrap();
        let mut changed = trigger.clone();
        changed.authentication_data.authentication_code_mac.mac.value[0] ^= 1;
        let status = refused(&server, offer(changed), vec![way.clone()]).await;
        assert_eq!(status, Status::AuthenticationDataInvalid);
        let got = run(&server, offer(trigger.clone()), vec![way.clone()]).await.unwrap();
        assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await);
        let mut another = offer(trigger);
        another.client_info = Some(b"not the same octets".to_vec());
        let again = refused(&server, another, vec![way]).await;
        assert_eq!(again, Status::AuthenticationDataInvalid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p9_a_renewal_proves_the_server_and_keeps_the_identifier() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let mut got = run(&server, server.offer(&enrolment, KeyType::Hotp), vec![transport()]).await.unwrap();
    for way in [ClientProtection::Passphrase, transport()] {
        let enrolment = server.enrolment("hotp", json!({"renews": got.key_id})).await;
        let renewal = |k_mac_old| Some(Renewal::new(got.key_id.clone(), k_mac_old));
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.renewal = None;
        assert_eq!(refused(&server, offer.clone(), vec![way.clone()]).await, Status::AccessDenied);
        offer.renewal = renewal(got.keys.k_mac.clone());
        let renewed = run(&server, offer, vec![way]).await.unwrap();
        assert_eq!(renewed.key_id, got.key_id);
        assert_ne!(renewed.keys.k_token, got.keys.k_token);
        assert_eq!(renewed.keys.k_token, server.secret_of(&got.key_id).await);
        got = renewed;
    }
    let enrolment = server.enrolment("hotp", json!({"renews": got.key_id})).await;
    let mut offer = server.offer(&enrolment, KeyType::Hotp);
    offer.renewal = Some(Renewal::new(got.key_id.clone(), Secret::new(vec![9; 32])));
    assert!(matches!(run(&server, offer, vec![transport()]).await, Err(Failed::NotAuthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn s5_2_2_invalid_offers_are_refused_before_any_work() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (request, _) =
        TwoPass::start(server.offer(&enrolment, KeyType::Hotp), vec![transport()], &mut SystemRandom).unwrap();
    let request = String::from_utf8(request).unwrap();
    let part = |name: &str| {
        let (open, close) = (format!("<dskpp:{name}>"), format!("</dskpp:{name}>"));
        let from = request.find(&open).unwrap();
        request[from..request.find(&close).unwrap() + close.len()].to_owned()
    };
    let nonce = part("ClientNonce");
    let other_nonce = {
        let (tag, value) = nonce.split_at("<dskpp:ClientNonce>".len());
        format!("{tag}{}{}", if value.starts_with('A') { 'B' } else { 'A' }, &value[1..])
    };
    for (changed, status) in [
        (request.replace(&part("AuthenticationData"), ""), Status::AuthenticationDataMissing),
        (request.replace(&part("ClientID"), ""), Status::AuthenticationDataMissing),
        (request.replace(&nonce, &other_nonce), Status::MalformedRequest),
        (request.replace(&part("IterationCount"), "<dskpp:IterationCount>1</dskpp:IterationCount>"), {
            Status::AuthenticationDataInvalid
        }),
        (
            request.replace(&part("IterationCount"), "<dskpp:IterationCount>1000001</dskpp:IterationCount>"),
            Status::AuthenticationDataInvalid,
        ),
        (
            request
                .replace(EncryptionAlgorithm::RsaOaepMgf1p.uri(), "urn:x")
                .replace(EncryptionAlgorithm::Rsa15.uri(), "urn:y"),
            { Status::NoSupportedEncryptionAlgorithms },
        ),
        (request.replace(KeyType::Hotp.uri(), "urn:unknown"), Status::NoSupportedKeyTypes),
    ] {
        assert_ne!(changed, request, "{status}");
        assert_eq!(read(&server.exchange(changed.clone().into_bytes()).await).0, status, "{changed}");
    }
    assert_eq!(state_of(&server, &enrolment).await, "open");
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_an_offer_of_both_variants_is_four_pass_unless_a_trigger_names_an_enrolment_for_two_pass() {
    let server = Server::start().await;
    for (variant, with_trigger) in [("two-pass", true), ("four-pass", true), ("two-pass", false), ("four-pass", false)]
    {
        let enrolment = server.enrolment("hotp", json!({"variant": variant})).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        if with_trigger {
            offer.credential = Credential::Trigger(Box::new(server.trigger(&enrolment).await));
        }
        let (request, state) = Either::start(offer.clone(), vec![transport()], &mut SystemRandom).unwrap();
        let got = match state.receive(&server.exchange(request).await).unwrap() {
            ChosenVariant::TwoPass(got) => {
                assert!(variant == "two-pass" && with_trigger, "{variant}");
                Ok(*got)
            }
            ChosenVariant::FourPass(choice) => {
                assert!(variant == "four-pass" || !with_trigger, "{variant}");
                let k = k_of(&choice);
                let (request, state) = choice.proceed(k, &mut SystemRandom).unwrap();
                state.receive(&server.exchange(request).await)
            }
        };
        let got = match got {
            Err(Failed::Refused(Status::AccessDenied)) if variant == "two-pass" => {
                assert_eq!(state_of(&server, &enrolment).await, "open", "the code stays good");
                run(&server, offer, vec![transport()]).await.unwrap()
            }
            got => got.unwrap(),
        };
        assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await, "{variant}");
    }
}

/// RFC 6063 §5.2.2: the server looks for an acceptable combination: a method that goes with none of the algorithms that
/// are offered is passed over, wherever it stands.
#[tokio::test(flavor = "multi_thread")]
async fn s5_2_2_the_first_method_that_fits_the_offered_algorithms_is_selected() {
    use EncryptionAlgorithm::{Aes128Cbc, Aes256Cbc, KwAes128, Rsa15, RsaOaepMgf1p};
    let server = Server::start().await;
    register(&server, "1", &[7; 16]).await;
    let with = || vec![wrap("acme 1", &[7; 16]), transport()];
    for (algorithms, used) in [
        (vec![KwAes128, RsaOaepMgf1p], Ok(":wrap")),
        (vec![RsaOaepMgf1p], Ok(":transport")),
        (vec![Aes256Cbc, RsaOaepMgf1p], Ok(":transport")), // the shared key has 16 octets
        (vec![Aes256Cbc], Err(Status::NoSupportedEncryptionAlgorithms)),
    ] {
        let enrolment = server.enrolment("hotp", json!({})).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.encryption_algorithms = algorithms.clone();
        let (request, _) = TwoPass::start(offer, with(), &mut SystemRandom).unwrap();
        // Our client offers what its methods need; others may not.
        let unwanted = [Aes128Cbc, KwAes128, Rsa15, RsaOaepMgf1p].into_iter().filter(|one| !algorithms.contains(one));
        let request = unwanted.fold(String::from_utf8(request).unwrap(), |request, one| {
            request.replace(&format!(">{}<", one.uri()), ">urn:x-other<")
        });
        let answer = server.exchange(request.into_bytes()).await;
        match used {
            Ok(used) => {
                let answer = String::from_utf8(answer).unwrap();
                assert!(answer.contains(&format!("{used}</dskpp:KeyProtectionMethod>")), "{algorithms:?}: {answer}");
            }
            Err(status) => assert_eq!(read(&answer).0, status, "{algorithms:?}"),
        }
    }
}

/// RFC 6063 §5.2.2: the client ID, and nothing else, names a passphrase.
#[tokio::test(flavor = "multi_thread")]
async fn s5_2_2_a_missing_or_wrong_passphrase_name_is_refused() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let offer = server.offer(&enrolment, KeyType::Hotp);
    let (request, _) = TwoPass::start(offer, vec![ClientProtection::Passphrase], &mut SystemRandom).unwrap();
    let request = String::from_utf8(request).unwrap();
    let name = format!("<ds:KeyName>{}</ds:KeyName>", enrolment["client_id"].as_str().unwrap());
    assert!(request.contains(&name), "{request}");
    let start = request.find("<dskpp:Payload>").unwrap();
    let end = request.find("</dskpp:Payload>").unwrap() + "</dskpp:Payload>".len();
    let renamed = request.replace(&name, "<ds:KeyName>somebody else</ds:KeyName>");
    for changed in [renamed, format!("{}{}", &request[..start], &request[end..])] {
        assert_eq!(read(&server.exchange(changed.into_bytes()).await).0, Status::NoProtocolVariants);
    }
    assert_eq!(read(&server.exchange(request.into_bytes()).await).0, Status::Success);
}
