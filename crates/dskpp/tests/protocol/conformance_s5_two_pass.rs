//! RFC 6063 §5.2, the messages of two-pass; §10.2 and §10.6, attacks.

use std::num::NonZeroU32;

use dskpp::algorithm::{KeyType, MacAlgorithm, PackageFormat, ProtectionMethod};
use dskpp::client::{ClientProtection, Credential, Failed};
use dskpp::message::{Mac, PackageContent, Payload, Trigger};
use dskpp::prf::Prf;
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp::{auth_data, key_schedule};
use dskpp_crypto::{Hash, Pbkdf2Prf, Secret, SeededRandom, Sha256};
use pskc::{DeviceInfo, Value};

use crate::pair::{CLIENT_ID, KEY_ID, PASSWORD, URL_S, between, replaced, trigger_data};
use crate::two_pass_sides::*;

const MACS: [MacAlgorithm; 2] = [MacAlgorithm::PrfSha256, MacAlgorithm::PrfAes128];

fn trigger() -> Trigger {
    Trigger {
        version: Version::V1_0,
        device_identifier_data: Some(DeviceInfo { serial_no: Some("000001".into()), ..DeviceInfo::default() }),
        key_id: Some(KEY_ID.into()),
        token_platform_info: None,
        authentication_data: trigger_data(),
        server_url: Some(URL_S.into()),
    }
}

#[test]
fn s5_2_2_client_hello_proves_the_code_and_repeats_a_trigger() {
    for (way, count) in ways().into_iter().zip([100_000, 1, 1]) {
        let (request, _) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
        let hello = hello(&request);
        let data = hello.authentication_data.expect("AD");
        let proof = data.authentication_code_mac;
        let r_c = hello.client_nonce.expect("R_C");
        assert_eq!((data.client_id.as_deref(), proof.nonce.as_ref()), (Some(CLIENT_ID), Some(&r_c)));
        assert_eq!(proof.iteration_count, Some(count));
        let k = match &way {
            ClientProtection::Transport { key, .. } => Secret::from_slice(key.public().modulus()),
            ClientProtection::Wrap { key, .. } => key.clone(),
            ClientProtection::Passphrase => {
                let iterations = NonZeroU32::new(100_000).unwrap();
                dskpp_crypto::pbkdf2(Pbkdf2Prf::HmacSha1, PASSWORD.as_bytes(), &r_c, iterations, 16)
            }
        };
        let count = NonZeroU32::new(count.try_into().unwrap()).unwrap();
        let k_ac = auth_data::k_ac(Pbkdf2Prf::HmacSha1, &password(), &r_c, k.expose(), count);
        let expected = auth_data::mac(Prf::Sha256, &k_ac, CLIENT_ID, URL_S, &r_c, &[]);
        assert_eq!(proof.mac.value, expected, "{:?}", way.method());
        assert!(!String::from_utf8_lossy(&request).contains(PASSWORD), "s10_6_4: as a MAC only");
    }
    let mut triggered = offer(KeyType::Hotp, MacAlgorithm::PrfSha256);
    triggered.credential = Credential::Trigger(Box::new(trigger()));
    triggered.device = Some(DeviceInfo { serial_no: Some("the client's own".into()), ..DeviceInfo::default() });
    for way in [transport(), wrap()] {
        let hello = hello(&start(triggered.clone(), way, b"client").0);
        assert_eq!(hello.authentication_data, Some(trigger_data()), "unchanged (p14)");
        assert_eq!(hello.client_nonce, trigger_data().authentication_code_mac.nonce);
        assert_eq!((hello.device_identifier_data, hello.key_id), (trigger().device_identifier_data, trigger().key_id));
    }
}

#[test]
fn s5_2_2_each_method_identifies_its_key_as_required() {
    let urn = "urn:ietf:params:xml:schema:keyprov:dskpp:";
    for (way, name) in [
        (transport(), "transport"),
        (bare(), "transport"),
        (wrap(), "wrap"),
        (ClientProtection::Passphrase, "passphrase-wrap"),
    ] {
        let (request, _) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
        let hello = hello(&request);
        let [entry] = hello.two_pass_methods() else { panic!() };
        assert_eq!(entry.method, ProtectionMethod::from_uri(&format!("{urn}{name}")));
        let Some(Payload::KeyInfo(info)) = &entry.payload else { panic!("{entry:?}") };
        let expected = match way {
            ClientProtection::Transport { info, .. } => info,
            ClientProtection::Wrap { name, .. } => pskc::KeyInfo::from_key_name(name),
            ClientProtection::Passphrase => pskc::KeyInfo::from_key_name(CLIENT_ID),
        };
        assert_eq!(*info, expected);
    }
    let certified =
        String::from_utf8(start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), transport(), b"c").0).unwrap();
    assert!(certified.contains("X509Certificate>") && !certified.contains("RSAKeyValue"), "{certified}");
}

#[test]
fn s5_2_2_a_list_without_an_acceptable_entry_is_never_a_success() {
    type Change = fn(&mut dskpp::negotiate::NegotiationPolicy);
    let changes: [(Change, Status); 4] = [
        (|policy| policy.key_types = vec![KeyType::Totp], Status::NoSupportedKeyTypes),
        (|policy| policy.encryption_algorithms.clear(), Status::NoSupportedEncryptionAlgorithms),
        (|policy| policy.mac_algorithms = vec![MacAlgorithm::PrfAes128], Status::NoSupportedMacAlgorithms),
        (|policy| policy.package_formats = vec![PackageFormat::Skpc], Status::NoSupportedKeyPackages),
    ];
    for way in ways() {
        let (request, state) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
        for (change, status) in changes {
            let mut giver = Giver::of(KeyType::Hotp);
            change(&mut giver.policy);
            assert_eq!(giver.serve(&request, &way).unwrap_err().status, status);
        }
        let mut giver = Giver::of(KeyType::Hotp);
        giver.policy.encryption_algorithms.clear();
        let refusal = giver.serve(&request, &way).unwrap_err();
        let answer = finished(&refusal.response());
        assert!(answer.body.is_none() && answer.status != Status::Success);
        let failed = state.receive(&refusal.response()).unwrap_err();
        assert_eq!(failed, Failed::Refused(Status::NoSupportedEncryptionAlgorithms));
    }
}

#[test]
fn s5_2_2_k_prov_is_twice_the_longer_key_and_each_half_is_truncated_at_its_end() {
    for (prf, key_len, half) in [
        (Prf::Sha256, 20, 32), // the example of the text: HOTP with DSKPP-PRF-SHA256 has 64 octets
        (Prf::Sha256, 16, 32),
        (Prf::Sha256, 32, 32),
        (Prf::Sha256, 64, 64),
        (Prf::Aes128, 20, 20),
        (Prf::Aes128, 16, 16),
        (Prf::Aes128, 64, 64),
    ] {
        let (k_prov, drawn) = key_schedule::draw(prf, key_len, None, &mut SeededRandom::new(b"k"));
        let mac_len = if prf == Prf::Sha256 { 32 } else { 16 };
        assert_eq!(k_prov.len(), 2 * half);
        assert_eq!(drawn.k_mac.expose(), &k_prov.expose()[..mac_len]);
        assert_eq!(drawn.k_token.expose(), &k_prov.expose()[half..half + key_len]);
        assert_eq!(key_schedule::take(prf, &k_prov, key_len), Some(drawn), "the client");
        for wrong in [0, half, 2 * half - 1, 2 * half + 1, 4 * half] {
            assert_eq!(key_schedule::take(prf, &Secret::new(vec![7; wrong]), key_len), None, "{wrong} octets");
        }
    }
    for mac in MACS {
        for (key_type, hash, len) in
            [(KeyType::Hotp, None, 20), (KeyType::Totp, Some(Hash::Sha512), 64), (KeyType::Aes128Cbc, None, 16)]
        {
            let (request, state) = start(offer(key_type.clone(), mac.clone()), wrap(), b"client");
            let mut giver = Giver::of(key_type);
            giver.spec.hash = hash;
            let finished = giver.serve(&request, &wrap()).unwrap();
            let keys = state.receive(&finished.response).unwrap().keys;
            assert_eq!((keys.k_token.len(), &keys), (len, &finished.keys));
        }
    }
}

#[test]
fn s5_2_2_the_key_type_is_one_that_the_client_offered() {
    let mut both = offer(KeyType::Totp, MacAlgorithm::PrfSha256);
    both.key_types.push(KeyType::Hotp);
    let (request, state) = start(both, wrap(), b"client");
    let mut giver = Giver::of(KeyType::Hotp);
    giver.policy.key_types = vec![KeyType::Aes256Cbc, KeyType::Hotp];
    let finished = giver.serve(&request, &wrap()).unwrap();
    let another = changed(&finished.response, |body| {
        let container = body.key_package.content.container_mut().unwrap();
        container.key_packages[0].key.as_mut().unwrap().algorithm = Some(KeyType::Ocra.uri().to_owned());
    });
    let (_, other) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), wrap(), b"client");
    assert!(matches!(other.receive(&another), Err(Failed::Misbehaved(why)) if why.contains("type")));
    assert_eq!(state.receive(&finished.response).unwrap().key_type, KeyType::Hotp);
}

#[test]
fn s5_2_3_the_key_package_has_all_mandatory_parts() {
    for way in ways() {
        let (request, state) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
        let finished = Giver::of(KeyType::Hotp).serve(&request, &way).unwrap();
        let package = body(&finished.response).key_package;
        assert_eq!(package.server_id.as_deref(), Some("https://keys.example.com"));
        assert_eq!(package.key_protection_method, Some(way.method()));
        let PackageContent::Pskc(container) = &package.content else { panic!("PSKC is the format by default") };
        let key = container.key_packages[0].key.as_ref().unwrap();
        assert_eq!((key.id.as_str(), key.algorithm.as_deref()), (KEY_ID, Some(KeyType::Hotp.uri())));
        assert!(matches!(key.data.as_ref().unwrap().secret, Some(Value::Encrypted(_))));
        let named = container.encryption_key.clone().unwrap();
        match &way {
            ClientProtection::Transport { info, .. } => assert_eq!(named, *info),
            ClientProtection::Wrap { name, .. } => assert_eq!(named.key_name.as_ref(), Some(name)),
            ClientProtection::Passphrase => {
                let text = String::from_utf8_lossy(&finished.response).into_owned();
                assert!(between(text.as_bytes(), "DerivedKey", "</").len() > 1 && text.contains(CLIENT_ID), "{text}");
            }
        }
        assert_eq!(state.receive(&finished.response).unwrap().keys, finished.keys);
    }
}

/// The formulas of the text, computed independently.
#[test]
fn s5_2_2_both_macs_are_what_the_text_computes() {
    for way in ways() {
        for mac in MACS {
            let (renewing, k_mac_old) = renewing(mac.clone());
            let (request, state) = start(renewing, way.clone(), b"client");
            let mut giver = Giver::of(KeyType::Hotp);
            let first = body(&giver.serve(&request, &way).unwrap().response);
            assert!(first.authentication_data.is_none(), "a proof without an old key");
            giver.k_mac_old = Some(k_mac_old.clone());
            let finished = giver.serve(&request, &way).unwrap();
            let body = body(&finished.response);
            let prf = Prf::of(&mac).unwrap();
            let msg_hash = Sha256::digest(&[&request]);
            let server_id = giver.spec.server_id.as_bytes();
            let s = [b"MAC 1 computation", &msg_hash[..], server_id].concat();
            assert_eq!(body.mac.value, prf.derive(finished.keys.k_mac.expose(), &[&s], 32).unwrap().expose());
            let proof = body.authentication_data.unwrap().mac;
            let r_c = hello(&request).client_nonce.unwrap();
            let s = [b"MAC 2 computation", server_id, &r_c].concat();
            assert!(proof.value.len() >= 16);
            assert_eq!(proof.value, prf.derive(k_mac_old.expose(), &[&s], proof.value.len()).unwrap().expose());
            assert_eq!((&proof.algorithm, body.mac.algorithm), (&Some(mac.clone()), proof.algorithm.clone()));
            assert_eq!(state.receive(&finished.response).unwrap().keys, finished.keys);
        }
    }
}

#[test]
fn s5_2_3_a_message_with_missing_parts_gives_no_key() {
    let (renewing, k_mac_old) = renewing(MacAlgorithm::PrfSha256);
    let mut giver = Giver::of(KeyType::Hotp);
    giver.k_mac_old = Some(k_mac_old);
    let (request, _) = start(renewing.clone(), wrap(), b"client");
    let good = giver.serve(&request, &wrap()).unwrap().response;
    let text = String::from_utf8(good.clone()).unwrap();
    for name in ["dskpp:ServerID", "dskpp:KeyPackage", "dskpp:AuthenticationData", "dskpp:KeyContainer"] {
        let (open, close) = (format!("<{name}"), format!("</{name}>"));
        let element = &text[text.find(&open).unwrap()..text.find(&close).unwrap() + close.len()];
        let without = replaced(&good, element, "");
        let (_, state) = start(renewing.clone(), wrap(), b"client");
        assert!(state.receive(&without).is_err(), "without {name}");
    }
    let at = text.rfind("<dskpp:Mac ").or_else(|| text.rfind("<dskpp:Mac>"));
    let last = text[..text.find("<dskpp:AuthenticationData").unwrap()].rfind("<dskpp:Mac").or(at).unwrap();
    let end = last + text[last..].find("</dskpp:Mac>").unwrap() + "</dskpp:Mac>".len();
    let (_, state) = start(renewing, wrap(), b"client");
    assert!(state.receive(format!("{}{}", &text[..last], &text[end..]).as_bytes()).is_err(), "without Mac");
}

#[test]
fn s5_2_3_a_wrong_mac_ends_the_run() {
    type Change = fn(&mut Mac);
    let changes: [Change; 6] = [
        |mac| mac.value[0] ^= 1,
        |mac| *mac.value.last_mut().unwrap() ^= 0x80,
        |mac| mac.value.truncate(16),
        |mac| mac.value.push(0),
        |mac| mac.value.clear(),
        |mac| mac.value.fill(0),
    ];
    for way in ways() {
        let (renewing, k_mac_old) = renewing(MacAlgorithm::PrfSha256);
        let mut giver = Giver::of(KeyType::Hotp);
        giver.k_mac_old = Some(k_mac_old);
        let good = giver.serve(&start(renewing.clone(), way.clone(), b"client").0, &way).unwrap().response;
        for (i, change) in changes.iter().enumerate() {
            let receive = |response: &[u8]| start(renewing.clone(), way.clone(), b"client").1.receive(response);
            let wrong = receive(&changed(&good, |body| change(&mut body.mac)));
            assert!(matches!(wrong, Err(Failed::WrongConfirmation | Failed::Unreadable(_))), "{i}: {wrong:?}");
            let wrong = receive(&changed(&good, |body| change(&mut body.authentication_data.as_mut().unwrap().mac)));
            assert!(matches!(wrong, Err(Failed::NotAuthenticated | Failed::Unreadable(_))), "{i}: {wrong:?}");
            if way.method() == ProtectionMethod::PassphraseWrap {
                break; // each start of it takes PBKDF2
            }
        }
    }
}

/// A failing step consumes its state, whose secrets wipe themselves; what is visible from outside is that
/// neither the error of one side nor the refusal of the other contains any of them.
#[test]
fn s5_2_2_s5_2_3_nothing_secret_remains_of_a_failed_run() {
    for way in ways() {
        let (request, state) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
        let giver = Giver::of(KeyType::Hotp);
        let finished = giver.serve(&request, &way).unwrap();
        let wrong = changed(&finished.response, |body| body.mac.value[0] ^= 1);
        let mut remains = format!("{state:?}");
        remains += &format!("{0:?} {0}", state.receive(&wrong).unwrap_err());
        let stranger = Giver { password: Secret::from_slice(b"00000000"), ..giver };
        let refusal = stranger.serve(&request, &way).unwrap_err();
        assert_eq!(refusal.status, Status::AuthenticationDataInvalid);
        remains += &format!("{refusal:?}");
        remains += &String::from_utf8(refusal.response()).unwrap();
        for secret in [finished.keys.k_token.expose(), finished.keys.k_mac.expose(), PASSWORD.as_bytes(), &[0x57; 16]] {
            let list = format!("{secret:?}");
            assert!(!remains.contains(list.trim_matches(['[', ']'])), "{remains}");
        }
        assert!(!remains.contains(PASSWORD) && !remains.contains("KeyPackage"), "{remains}");
    }
}

#[test]
fn s10_2_5_an_answer_to_another_client_hello_is_refused() {
    for way in ways() {
        let offer = || offer(KeyType::Hotp, MacAlgorithm::PrfSha256);
        let recorded =
            Giver::of(KeyType::Hotp).serve(&start(offer(), way.clone(), b"monday").0, &way).unwrap().response;
        let (_, state) = start(offer(), way, b"tuesday");
        assert_eq!(state.receive(&recorded).unwrap_err(), Failed::WrongConfirmation);
    }
}

#[test]
fn s10_6_1_k_prov_is_new_in_every_run() {
    let mut seen = std::collections::BTreeSet::new();
    let rng = &mut SeededRandom::new(b"a hundred runs");
    for _ in 0..100 {
        let (k_prov, keys) = key_schedule::draw(Prf::Sha256, 20, None, rng);
        for part in [k_prov.expose(), keys.k_mac.expose(), keys.k_token.expose()] {
            assert!(seen.insert(part.to_vec()));
        }
        assert_ne!(k_prov.expose()[..32], k_prov.expose()[32..]);
    }
}
