//! RFC 6063 §4, the four-pass variant.

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat};
use dskpp::client::{Credential, Failed, Renewal};
use dskpp::message::{Request, Response, Trigger};
use dskpp::prf::Prf;
use dskpp::server::ServerK;
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_crypto::Secret;
use pskc::DeviceInfo;

use crate::pair::*;

fn trigger() -> Trigger {
    Trigger {
        version: Version::V1_0,
        device_identifier_data: Some(DeviceInfo {
            manufacturer: Some("Example <Devices>".into()),
            serial_no: Some("000001".into()),
            ..DeviceInfo::default()
        }),
        key_id: Some(b"OATH\xc3\xa9".to_vec()),
        token_platform_info: None,
        authentication_data: trigger_data(),
        server_url: Some(URL_S.into()),
    }
}

fn hello_of(messages: &[Vec<u8>]) -> dskpp::message::ClientHello {
    match Request::read(&messages[0]) {
        Ok(Request::ClientHello(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

#[test]
fn s4_2_1_s4_2_2_ad_device_id_and_key_id_of_a_trigger_must_be_included() {
    let mut triggered = offer(&k_server());
    triggered.credential = Credential::Trigger(Box::new(trigger()));
    triggered.device = Some(DeviceInfo { serial_no: Some("the client's own".into()), ..DeviceInfo::default() });
    let hello = hello_of(&run(triggered, &mut { Server::new(k_server()) }).messages);
    let trigger = trigger();
    assert_eq!(hello.authentication_data, Some(trigger.authentication_data), "unchanged (p14)");
    assert_eq!(hello.device_identifier_data, trigger.device_identifier_data);
    assert_eq!(hello.key_id, trigger.key_id);
}

#[test]
fn s4_2_2_without_a_trigger_ad_waits_for_the_nonce_and_a_device_id_may_be_sent() {
    let mut offer = offer(&k_server());
    offer.device = trigger().device_identifier_data;
    let run = run(offer, &mut { Server::new(k_server()) });
    let hello = hello_of(&run.messages);
    assert_eq!((hello.authentication_data, hello.key_id, hello.client_nonce), (None, None, None));
    assert_eq!(hello.device_identifier_data, trigger().device_identifier_data);
    let Ok(Request::ClientNonce(nonce)) = Request::read(&run.messages[2]) else { panic!() };
    let data = nonce.authentication_data.expect("AD");
    assert_eq!(data.client_id.as_deref(), Some(CLIENT_ID));
    assert_eq!(data.authentication_code_mac.nonce, None, "p12: R_C is secret");
    assert_eq!(data.authentication_code_mac.mac.value.len(), 16);
}

#[test]
fn s4_2_2_the_list_is_in_the_clients_order_of_preference() {
    let mut offer = offer(&k_server());
    offer.key_types = vec![KeyType::Totp, KeyType::Hotp];
    offer.mac_algorithms = vec![MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256];
    offer.encryption_algorithms = vec![EncryptionAlgorithm::Rsa15, EncryptionAlgorithm::RsaOaepMgf1p];
    let mut server = Server::new(k_server());
    server.policy.key_types = vec![KeyType::Hotp, KeyType::Totp];
    let run = run(offer.clone(), &mut server);
    let hello = hello_of(&run.messages);
    assert_eq!(hello.supported_key_types, offer.key_types);
    assert_eq!(hello.supported_mac_algorithms, offer.mac_algorithms);
    assert_eq!(hello.supported_encryption_algorithms, offer.encryption_algorithms);
    assert_eq!(hello.package_formats(), [PackageFormat::Pskc]);
    assert!(hello.offers_four_pass());
    let Ok(Response::ServerHello(answer)) = Response::read(&run.messages[1]) else { panic!() };
    let chosen = answer.body.unwrap();
    assert_eq!(chosen.key_type, KeyType::Totp, "s4_2_3: selected from the client's list, its favourite first");
    assert_eq!(chosen.mac_algorithm, MacAlgorithm::PrfAes128);
    assert_eq!(chosen.encryption_algorithm, EncryptionAlgorithm::Rsa15);
}

#[test]
fn s4_2_3_r_s_is_random_and_has_the_prfs_length() {
    let mut server = Server::new(k_server());
    let mut seen = Vec::new();
    for (algorithm, len) in [(MacAlgorithm::PrfSha256, 32), (MacAlgorithm::PrfAes128, 16)] {
        for _ in 0..2 {
            let run = run(with_mac(offer(&server.k), algorithm.clone()), &mut server);
            let Ok(Response::ServerHello(hello)) = Response::read(&run.messages[1]) else { panic!() };
            let r_s = hello.body.unwrap().r_s;
            assert_eq!(r_s.len(), len);
            assert!(!seen.contains(&r_s), "p5: fresh for every run");
            seen.push(r_s);
        }
    }
}

#[test]
fn s4_2_3_a_mac_must_be_present_in_a_renewal_only() {
    for (prf, len) in [(Prf::Sha256, 32), (Prf::Aes128, 16)] {
        let mut server = Server::new(k_server());
        let first = run(with_mac(offer(&server.k), prf.algorithm()), &mut server);
        assert!(!String::from_utf8_lossy(&first.messages[1]).contains("dskpp:Mac "), "no MAC where nothing is renewed");
        let k_mac_old = first.provisioned().keys.k_mac;
        server.enrolment().spent = false;
        let mut renewing = with_mac(offer(&server.k), prf.algorithm());
        renewing.renewal = Some(Renewal::new(KEY_ID, k_mac_old.clone()));
        let run = run(renewing, &mut server);
        let nonce = hello_of(&run.messages).client_nonce.expect("p7: what makes the MAC fresh");
        let Ok(Response::ServerHello(hello)) = Response::read(&run.messages[1]) else { panic!() };
        let body = hello.body.unwrap();
        let expected = prf.derive(k_mac_old.expose(), &[b"MAC 1 computation", &nonce, &body.r_s], len).unwrap();
        assert_eq!(body.mac.unwrap().value, expected.expose(), "s4_2_3: dsLen must be the length of R_S");
    }
}

#[test]
fn s4_2_3_the_client_must_end_a_renewal_whose_mac_does_not_verify() {
    let mut server = Server::new(k_server());
    run(offer(&server.k), &mut server).provisioned();
    server.enrolment().spent = false;
    let before = server.keys.clone();
    let mut renewing = offer(&server.k);
    renewing.renewal = Some(Renewal::new(KEY_ID, Secret::new(vec![1; 32])));
    let run = run(renewing, &mut server);
    assert_eq!(run.messages.len(), 2);
    assert_eq!(run.failed(), Failed::NotAuthenticated);
    assert_eq!(server.keys, before);
}

#[test]
fn s4_2_3_a_trigger_that_names_a_key_requires_that_keys_k_mac() {
    let mut server = Server::new(k_server());
    let old = run(offer(&server.k), &mut server).provisioned().keys;
    server.trigger = Some((trigger_data(), CLIENT_ID.into()));
    let mut triggered = offer(&server.k);
    let trigger = Trigger { key_id: Some(KEY_ID.into()), ..trigger() };
    triggered.credential = Credential::Trigger(Box::new(trigger));
    server.enrolment().spent = false;
    let unverified = run(triggered.clone(), &mut server);
    assert_eq!(unverified.messages.len(), 2);
    assert!(matches!(unverified.failed(), Failed::Unusable(_)));
    assert_eq!(server.keys[KEY_ID], old);
    triggered.renewal = Some(Renewal::new(KEY_ID, old.k_mac.clone()));
    assert_ne!(run(triggered, &mut server).provisioned().keys, old);
}

#[test]
fn s4_2_3_s4_2_5_the_client_must_abort_at_a_failure_status() {
    for pass in [Pass::ServerHello, Pass::ServerFinished] {
        let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |at, message| {
            let refusal = dskpp::server::RunRefusal {
                status: Status::AccessDenied,
                reason: dskpp::server::RefusalReason::Policy,
                session_id: None,
                as_hello: pass == Pass::ServerHello,
            };
            vec![if at == pass { refusal.response() } else { message }]
        });
        assert_eq!(run.failed(), Failed::Refused(Status::AccessDenied));
    }
}

#[test]
fn s4_2_4_the_server_must_use_ad_to_authenticate_the_user() {
    let mut server = Server::new(k_server());
    server.enrolment().password = Secret::from_slice(b"3582AF0C3F");
    assert_eq!(run(offer(&server.k), &mut server).failed(), Failed::Refused(Status::AuthenticationDataInvalid));
    assert!(server.keys.is_empty());
}

#[test]
fn s4_2_4_the_key_package_must_not_include_k_token() {
    let run = run(offer(&k_server()), &mut { Server::new(k_server()) });
    let Ok(Response::ServerFinished(finished)) = Response::read(&run.messages[3]) else { panic!() };
    let container = finished.body.unwrap().key_package.content.container().unwrap().clone();
    let key = container.key_packages[0].key.as_ref().unwrap();
    assert!(key.data.as_ref().is_none_or(|data| data.secret.is_none()));
    assert!(!String::from_utf8_lossy(&run.messages[3]).contains("Secret"));
}

#[test]
fn s4_2_4_r_c_is_always_encrypted_and_different_in_every_run() {
    use dskpp::client::FourPass;
    use dskpp_crypto::SeededRandom;
    let ServerK::Server(private) = k_server() else { panic!() };
    let (mut encrypted, mut drawn) = (Vec::new(), Vec::new());
    for seed in [b"a", b"b", b"c"] {
        let mut server = Server::new(k_server());
        let mut rng = SeededRandom::new(seed);
        let mut offer = offer(&server.k);
        offer.encryption_algorithms = vec![EncryptionAlgorithm::Rsa15];
        let (request, state) = FourPass::start(offer, &mut rng);
        let choice = state.receive(&server.receive(&request).unwrap()).unwrap();
        let k = client_k(&choice, &server).unwrap();
        let (request, _) = choice.proceed(k, &mut rng).unwrap();
        let Ok(Request::ClientNonce(nonce)) = Request::read(&request) else { panic!() };
        assert_eq!(nonce.encrypted_nonce.len(), 256);
        let r_c = private.decrypt_pkcs1v15_openly(&nonce.encrypted_nonce).unwrap();
        let text = String::from_utf8(request).unwrap();
        assert!(r_c.len() == 32 && !text.contains(&data_encoding::BASE64.encode(r_c.expose())), "{text}");
        // Across runs, octets at the same place agree only by chance: no part of R_C is fixed.
        assert!(r_c.expose().iter().collect::<std::collections::BTreeSet<_>>().len() > 16);
        let alike = |other: &Secret| other.expose().iter().zip(r_c.expose()).filter(|(a, b)| a == b).count();
        assert!(drawn.iter().map(alike).all(|alike| alike < 4));
        assert!(!encrypted.contains(&nonce.encrypted_nonce));
        encrypted.push(nonce.encrypted_nonce);
        drawn.push(r_c);
    }
}

#[test]
fn s4_2_5_success_must_have_a_key_package_which_is_pskc_by_default() {
    let mut server = Server::new(k_server());
    let run = run_over(offer(&k_server()), &mut server, &mut |pass, message| {
        if pass != Pass::ClientHello {
            return vec![message];
        }
        let Ok(Request::ClientHello(mut hello)) = Request::read(&message) else { panic!() };
        hello.supported_key_packages = None;
        vec![hello.write()]
    });
    assert_eq!(between(&run.messages[1], "<dskpp:KeyPackageFormat>", "<"), PackageFormat::Pskc.uri());
    let Ok(Response::ServerFinished(finished)) = Response::read(&run.messages[3]) else { panic!() };
    assert_eq!(finished.status, Status::Success);
    let package = finished.body.unwrap().key_package;
    let key = package.content.container().unwrap().key_packages[0].key.as_ref().unwrap();
    assert_eq!((key.id.as_str(), key.algorithm.as_deref()), (KEY_ID, Some(KeyType::Hotp.uri())));
    assert_eq!(package.server_id.as_deref(), Some("https://keys.example.com"));
}

#[test]
fn s4_2_5_the_confirmation_is_made_with_the_negotiated_prf_and_has_32_octets() {
    for algorithm in [MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256] {
        let mut server = Server::new(k_server());
        let run = run(with_mac(offer(&server.k), algorithm.clone()), &mut server);
        let Ok(Response::ServerFinished(finished)) = Response::read(&run.messages[3]) else { panic!() };
        let mac = finished.body.unwrap().mac;
        let hash = dskpp::key_schedule::message_hash(&[&run.messages[0], &run.messages[1], &run.messages[2]]);
        let prf = Prf::of(&algorithm).unwrap();
        let k_mac = server.keys[KEY_ID].k_mac.expose();
        let expected = prf.derive(k_mac, &[b"MAC 1 computation", &hash], 32).unwrap();
        assert_eq!((mac.algorithm, mac.value), (Some(algorithm), expected.expose().to_vec()));
    }
}

#[test]
fn s10_2_2_a_server_may_restrict_algorithms_and_then_ends_the_run() {
    let mut server = Server::new(k_server());
    server.policy.mac_algorithms = vec![MacAlgorithm::PrfSha256];
    let run = run(with_mac(offer(&server.k), MacAlgorithm::PrfAes128), &mut server);
    assert_eq!(run.messages.len(), 2);
    assert_eq!(run.failed(), Failed::Refused(Status::NoSupportedMacAlgorithms));
}
