//! What a stranger can learn: nothing. Whatever he names, and whatever state that is in, before he has proved a code the
//! answer is the same: HTTP status, headers, content up to random values, and length (profile P7, P16, P17, P21).

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, LazyLock};

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::client::{ClientProtection, Credential, Either, Failed, FourPass, Renewal, RunConfig, TwoPass};
use dskpp::message::{AuthenticationCodeMac, AuthenticationData, Mac, Request, Trigger};
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_crypto::{RsaPrivateKey, Secret, SystemRandom};
use dskpp_server::Config;
use pskc::{DeviceInfo, KeyInfo};
use reqwest::header;
use serde_json::{Value, json};

use crate::support::{Server, read, with_code};

static CLIENT_KEY: LazyLock<Arc<RsaPrivateKey>> = LazyLock::new(|| Arc::new(RsaPrivateKey::generate(2048).unwrap()));

pub(crate) const WRONG: &str = "0123456789ABCDEF";

/// A new unknown client ID each time: wrong tries at one client ID delay the next.
fn unknown() -> String {
    static NUMBER: AtomicU16 = AtomicU16::new(0);
    format!("FFFF{:04X}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A self-signed certificate of the client's key.
fn certificate() -> rcgen::Certificate {
    let der = rustls_pki_types::PrivatePkcs8KeyDer::from(CLIENT_KEY.to_pkcs8_der().expose().to_vec());
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256).unwrap();
    rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap()
}

fn transport(info: KeyInfo) -> ClientProtection {
    ClientProtection::Transport { key: Arc::clone(&CLIENT_KEY), info }
}

fn bare() -> KeyInfo {
    KeyInfo::from_rsa(CLIENT_KEY.public().modulus(), CLIENT_KEY.public().exponent())
}

/// Key wrap with the first device's shared key.
fn wrap(name: &str) -> ClientProtection {
    ClientProtection::Wrap { name: name.into(), key: Secret::from_slice(&[7; 16]) }
}

fn device(serial: &str) -> Option<DeviceInfo> {
    let (manufacturer, serial_no) = (Some("acme".into()), Some(serial.into()));
    Some(DeviceInfo { manufacturer, serial_no, ..DeviceInfo::default() })
}

async fn server() -> Server {
    server_with(|_| {}).await
}

pub(crate) async fn server_with(adjust: impl FnOnce(&mut Config)) -> Server {
    let server = Server::start_with(|config| {
        config.limits.requests_per_address_per_s = 0;
        config.limits.requests_per_s = 0;
        adjust(config);
    })
    .await;
    for (serial, more) in [
        ("16", json!({"shared_key_hex": "07".repeat(16)})),
        ("32", json!({"shared_key_hex": "07".repeat(32)})),
        ("certificate", json!({"certificate_pem": certificate().pem()})),
        ("nothing", json!({})),
    ] {
        let mut device = json!({"manufacturer": "acme", "serial": serial, "key_name": format!("acme {serial}")});
        device.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.api("devices", Some(device), 201).await;
    }
    server
}

/// An answer without its random parts: base64 values and SessionID are replaced by their lengths.
pub(crate) async fn seen(server: &Server, request: Vec<u8>) -> String {
    let response = server.post(request).await;
    let fixed = response.headers().iter().filter(|(name, _)| **name != header::DATE);
    let mut headers: Vec<_> = fixed.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    let (status, body) = (response.status(), response.text().await.unwrap());
    let (before, after) = body.split_once("SessionID=\"").unwrap_or((&body, ""));
    let (session_id, after) = after.split_once('"').unwrap_or_default();
    let body = format!("{before} {} {after}", session_id.len());
    let body: String = body.split_inclusive('>').map(marked).collect();
    format!("{status}\n{}\n{body}", headers.join("\n"))
}

/// A text and the following tag. A long text without a colon (algorithm names have one) is a random value.
fn marked(part: &str) -> String {
    let (text, tag) = part.split_at(part.find('<').unwrap_or(0));
    if text.len() >= 16 && !text.contains(':') { "*".repeat(text.len()) + tag } else { part.to_owned() }
}

/// A trigger that no server issued.
fn invented(client_id: &str) -> Trigger {
    let mac = Mac { algorithm: Some(MacAlgorithm::PrfSha256), value: vec![3; 16] };
    let code_mac = AuthenticationCodeMac { nonce: Some(vec![5; 32]), iteration_count: Some(100_000), mac };
    Trigger {
        version: Version::V1_0,
        device_identifier_data: None,
        key_id: None,
        token_platform_info: None,
        authentication_data: AuthenticationData {
            client_id: Some(client_id.to_owned()),
            authentication_code_mac: code_mac,
        },
        server_url: None,
    }
}

/// A stranger's request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Nonce,
    Both,
    Wrap(&'static str),
    Transport,
    TransportByName(&'static str),
    Passphrase,
}

const WAYS: [Way; 8] = [
    Way::Nonce,
    Way::Both,
    Way::Wrap("acme 16"),
    Way::Wrap("there is no such"),
    Way::Transport,
    Way::TransportByName("acme certificate"),
    Way::TransportByName("there is no such"),
    Way::Passphrase,
];

impl Way {
    pub(crate) async fn request(self, server: &Server, offer: RunConfig) -> Vec<u8> {
        let with = match self {
            Way::Nonce => return server.until_nonce(offer).await.0,
            Way::Both => {
                let ways = vec![transport(bare())];
                return Either::start(offer, ways, &mut SystemRandom).unwrap().0;
            }
            Way::Wrap(name) => wrap(name),
            Way::Transport => transport(bare()),
            Way::TransportByName(name) => transport(KeyInfo::from_key_name(name)),
            Way::Passphrase => ClientProtection::Passphrase,
        };
        TwoPass::start(offer, vec![with], &mut SystemRandom).unwrap().0
    }
}

fn of_trigger(server: &Server, trigger: &Trigger) -> RunConfig {
    RunConfig::new(server.url_s(), Credential::Trigger(Box::new(trigger.clone())), vec![KeyType::Hotp])
}

/// The kinds of enrolments to try with each request.
const KINDS: [(&str, &str); 8] = [
    ("open", "{}"),
    ("two-pass alone", r#"{"variant": "two-pass"}"#),
    ("four-pass alone", r#"{"variant": "four-pass"}"#),
    ("one method", r#"{"methods": ["wrap"]}"#),
    ("for a device", r#"{"device": {"manufacturer": "acme", "serial": "16"}}"#),
    ("spent", "{}"),
    ("revoked", "{}"),
    ("expired", r#"{"expires_in_s": 1}"#),
];

async fn enrolment(server: &Server, kind: &str, more: &str) -> Value {
    let enrolment = server.enrolment("hotp", serde_json::from_str(more).unwrap()).await;
    let path = format!("enrolments/{}", enrolment["id"].as_str().unwrap());
    match kind {
        "spent" => drop(server.run(server.offer(&enrolment, KeyType::Hotp)).await.unwrap()),
        "revoked" => server.delete(&path).await,
        "expired" => {
            while server.api(&path, None, 200).await["state"] != "expired" {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
        _ => {}
    }
    enrolment
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_no_answer_to_a_wrong_code_reveals_what_exists() {
    let server = server().await;
    for way in WAYS {
        let of_unknown = with_code(&unknown(), WRONG);
        let request = way.request(&server, server.offer(&of_unknown, KeyType::Hotp)).await;
        let expected = seen(&server, request).await;
        for (kind, more) in KINDS {
            let enrolment = enrolment(&server, kind, more).await;
            let wrong = with_code(enrolment["client_id"].as_str().unwrap(), WRONG);
            let request = way.request(&server, server.offer(&wrong, KeyType::Hotp)).await;
            assert_eq!(seen(&server, request).await, expected, "{way:?}, {kind}");
        }
    }
}

/// A spent or changed trigger is answered like an invented one.
#[tokio::test(flavor = "multi_thread")]
async fn p16_p17_no_answer_to_a_wrong_trigger_reveals_what_exists() {
    let server = server().await;
    let four_pass = |offer| FourPass::start(offer, &mut SystemRandom).0;
    for way in [None, Some(Way::Both), Some(Way::Transport)] {
        let request = async |trigger: &Trigger| match way {
            None => four_pass(of_trigger(&server, trigger)),
            Some(way) => way.request(&server, of_trigger(&server, trigger)).await,
        };
        let expected = seen(&server, request(&invented(&unknown())).await).await;
        for (kind, more) in KINDS {
            let enrolment = enrolment(&server, if kind == "spent" { "open" } else { kind }, more).await;
            let client_id = enrolment["client_id"].as_str().unwrap();
            let mut triggers = vec![invented(client_id)];
            if !matches!(kind, "revoked" | "expired") {
                let given = server.trigger(&enrolment).await;
                let mut changed = Trigger { device_identifier_data: None, ..given.clone() };
                changed.authentication_data.authentication_code_mac.mac.value[0] ^= 1;
                triggers.push(changed);
                if kind == "spent" {
                    server.run(server.offer(&enrolment, KeyType::Hotp)).await.unwrap();
                    triggers.push(given);
                }
            }
            for trigger in triggers {
                assert_eq!(seen(&server, request(&trigger).await).await, expected, "{way:?}, {kind}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p7_p21_no_answer_reveals_which_keys_devices_and_names_exist() {
    let server = server().await;
    let names = ["there is no such", "acme 16", "acme 32", "acme certificate", "acme nothing"];
    let serials = ["there is no such", "16", "32", "certificate", "nothing"];
    let offer = || server.offer(&with_code(&unknown(), WRONG), KeyType::Hotp);
    let of_device = |serial| {
        let mut offer = offer();
        offer.device = device(serial);
        offer
    };
    let mut tables: Vec<(&str, Vec<Vec<u8>>)> = Vec::new();
    for (what, way) in
        [("wrap", Way::Wrap as fn(&'static str) -> Way), ("transport", Way::TransportByName as fn(&'static str) -> Way)]
    {
        let mut rows = Vec::new();
        for name in names {
            rows.push(way(name).request(&server, offer()).await);
        }
        tables.push((what, rows));
    }
    for way in [Way::Transport, Way::Wrap("acme 16"), Way::Passphrase] {
        let mut rows = Vec::new();
        for serial in serials {
            rows.push(way.request(&server, of_device(serial)).await);
        }
        tables.push(("a device in two-pass", rows));
    }
    let four_pass = |offer| FourPass::start(offer, &mut SystemRandom).0;
    let devices = serials.map(|serial| four_pass(of_device(serial)));
    tables.push(("a device in four-pass whose key is not used", devices.into()));
    for (what, rows) in tables {
        let expected = seen(&server, rows[0].clone()).await;
        for (number, row) in rows.into_iter().enumerate() {
            assert_eq!(seen(&server, row).await, expected, "{what}, {number}");
        }
    }
    // The only exception, required by RFC 6063: ServerHello names K_SHARED of a registered device.
    let mut with_key = of_device("16");
    with_key.encryption_algorithms = vec![EncryptionAlgorithm::KwAes128];
    assert!(seen(&server, four_pass(with_key)).await.contains("acme 16"));
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_p7_every_key_id_gets_a_mac_and_nothing_is_computed_with_a_factory_seed() {
    let server = server().await;
    let made = async |mac: MacAlgorithm| {
        let enrolment = server.enrolment("hotp", json!({})).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.mac_algorithms = vec![mac];
        server.run(offer).await.unwrap()
    };
    let (of_sha256, of_aes) = (made(MacAlgorithm::PrfSha256).await, made(MacAlgorithm::PrfAes128).await);
    let revoked = made(MacAlgorithm::PrfSha256).await;
    server.delete(&format!("keys/{}", revoked.key_id)).await;
    server.import("inventory", b"12345678901234567890").await;
    server.import("seed", b"12345678901234567890").await;
    server.api("keys/seed/user", Some(json!({"user": "alice"})), 200).await;
    let ids = ["there is no such", &of_sha256.key_id, &of_aes.key_id, &revoked.key_id, "inventory", "seed"];
    let offer = || server.offer(&with_code(&unknown(), WRONG), KeyType::Hotp);
    for mac in [MacAlgorithm::PrfSha256, MacAlgorithm::PrfAes128] {
        // Sixteen octets fit both PRFs.
        let renewing = |id: &str| {
            let mut offer = offer();
            offer.renewal = Some(Renewal::new(id, Secret::new(vec![9; 16])));
            offer.mac_algorithms = vec![mac.clone()];
            offer
        };
        let request = |way: usize, id: &str| match way {
            0 => FourPass::start(renewing(id), &mut SystemRandom).0,
            1 => Either::start(renewing(id), vec![transport(bare())], &mut SystemRandom).unwrap().0,
            _ => TwoPass::start(renewing(id), vec![transport(bare())], &mut SystemRandom).unwrap().0,
        };
        for way in 0..3 {
            let expected = seen(&server, request(way, ids[0])).await;
            assert_eq!(expected.contains("<dskpp:Mac "), way < 2, "{expected}");
            for id in ids {
                assert_eq!(seen(&server, request(way, id)).await, expected, "{mac}, way {way}, {id}");
            }
        }
    }
    // The MAC does not use K_TOKEN before the code or a trigger is verified.
    let seed = Secret::from_slice(b"12345678901234567890");
    let renewing = |mut offer: RunConfig| {
        offer.renewal = Some(Renewal::new("seed", seed.clone()));
        offer
    };
    assert!(matches!(server.hello(renewing(offer())).await, Err(Failed::NotAuthenticated)));
    let enrolment = server.enrolment("hotp", json!({"renews": "seed"})).await;
    let by_code = renewing(server.offer(&enrolment, KeyType::Hotp));
    assert!(matches!(server.hello(by_code.clone()).await, Err(Failed::NotAuthenticated)));
    let by_trigger = renewing(of_trigger(&server, &server.trigger(&enrolment).await));
    assert!(server.hello(by_trigger).await.is_ok(), "after a verified trigger K_TOKEN is K_MAC'");
    let (request, state) = TwoPass::start(by_code, vec![transport(bare())], &mut SystemRandom).unwrap();
    let got = state.receive(&server.exchange(request).await).unwrap();
    assert_eq!(got.keys.k_token, server.secret_of("seed").await, "and in two-pass, once the code is proved");
}

/// Also after many wrong tries.
#[tokio::test(flavor = "multi_thread")]
async fn p16_consecutive_wrong_tries_are_answered_alike() {
    let server = server().await;
    for way in [Way::Nonce, Way::Wrap("acme 16")] {
        let tries = async |client_id: &str| {
            let mut tries = Vec::new();
            for _ in 0..6 {
                let request = way.request(&server, server.offer(&with_code(client_id, WRONG), KeyType::Hotp)).await;
                tries.push(seen(&server, request).await);
            }
            tries
        };
        let known = server.enrolment("hotp", json!({})).await;
        assert_eq!(tries(known["client_id"].as_str().unwrap()).await, tries(&unknown()).await, "{way:?}");
    }
}

/// RFC 6063 §3.3: missing data is reported as missing, with every protection method.
#[tokio::test(flavor = "multi_thread")]
async fn s3_3_two_pass_without_authentication_data_or_client_id_reports_it_missing() {
    let server = server().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    for way in [Way::Passphrase, Way::Transport, Way::Wrap("acme 16"), Way::Wrap("there is no such")] {
        let request = way.request(&server, server.offer(&enrolment, KeyType::Hotp)).await;
        let Ok(Request::ClientHello(hello)) = Request::read(&request) else { panic!() };
        let (mut without, mut nameless) = (hello.clone(), hello);
        without.authentication_data = None;
        nameless.authentication_data.as_mut().unwrap().client_id = None;
        for message in [without, nameless] {
            let answer = read(&server.exchange(message.write()).await);
            assert_eq!(answer, (Status::AuthenticationDataMissing, false), "{way:?}");
        }
    }
}

/// A device's own key is used where the message brings its registered certificate, or that certificate's key, and names
/// neither key nor device.
#[tokio::test(flavor = "multi_thread")]
async fn p21_an_enrolment_for_a_device_accepts_its_registered_certificate_without_a_device_id() {
    let server = server().await;
    let bound = json!({"device": {"manufacturer": "acme", "serial": "certificate"}});
    let anothers = json!({"device": {"manufacturer": "acme", "serial": "16"}});
    let brought = || KeyInfo::from_certificates(vec![certificate().der().to_vec()]);
    for (info, for_device, named, fits) in [
        (brought(), &bound, None, true),
        (bare(), &bound, None, true),
        (brought(), &bound, Some("certificate"), true),
        (KeyInfo::from_key_name("acme certificate"), &bound, None, true),
        (brought(), &anothers, None, false),
        (brought(), &bound, Some("16"), false),
    ] {
        let enrolment = server.enrolment("hotp", for_device.clone()).await;
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.device = named.and_then(device);
        let (request, state) = TwoPass::start(offer, vec![transport(info)], &mut SystemRandom).unwrap();
        match state.receive(&server.exchange(request).await) {
            Ok(got) => {
                let key = server.api(&format!("keys/{}", got.key_id), None, 200).await;
                assert!(fits && key["device"] == bound["device"], "{key}");
            }
            Err(why) => assert!(!fits && matches!(why, Failed::Refused(Status::AccessDenied)), "{why}"),
        }
    }
}
