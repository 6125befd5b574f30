//! Complete runs between our own two sides, with everything that can be negotiated.

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::client::{AwaitingServerHello, Credential, FourPass, Renewal, RunConfig};
use dskpp::key_package::PackageSpec;
use dskpp::key_schedule;
use dskpp::message::{Request, Response, ServerHello, Trigger};
use dskpp::negotiate::{Facts, NegotiationPolicy, negotiate};
use dskpp::prf::Prf;
use dskpp::server::{DeviceRef, SealedHello, Session, SessionState};
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_crypto::{AeadKey, Hash, Pbkdf2Prf, Random as _, Secret, SeededRandom};
use pskc::DeviceInfo;

use crate::pair::*;
use crate::schema;

/// A complete run; both sides must have the same key.
pub(crate) fn agree(offer: RunConfig, server: &mut Server) -> Secret {
    let run = run(offer, server);
    schema::assert_valid(&run.messages);
    let messages = run.messages.concat();
    let provisioned = run.provisioned();
    let stored = &server.keys[&provisioned.key_id];
    assert_eq!(provisioned.keys, *stored);
    assert_eq!(provisioned.k.expose(), server.k.octets());
    assert_eq!(provisioned.server_id.as_deref(), Some("https://keys.example.com"));
    assert!(server.has_spent_the_code());
    for secret in [&stored.k_token, &stored.k_mac] {
        assert!(!contains(&messages, secret.expose()), "s4_2_4: neither K_TOKEN nor K_MAC travels");
    }
    provisioned.keys.k_token
}

fn contains(message: &[u8], secret: &[u8]) -> bool {
    let texts = [data_encoding::BASE64.encode(secret), data_encoding::HEXLOWER.encode(secret)];
    let message = std::str::from_utf8(message).unwrap();
    texts.iter().any(|text| message.contains(text.trim_end_matches('=')))
}

#[test]
fn p19_every_encryption_of_r_c_works_with_both_prfs() {
    use EncryptionAlgorithm::*;
    for (algorithm, k) in [
        (Rsa15, k_server()),
        (RsaOaepMgf1p, k_server()),
        (RsaOaep11, k_server()),
        (PrfAes128, k_shared(16)),
        (PrfSha256, k_shared(16)),
        (PrfSha256, k_shared(64)),
        (Aes128Cbc, k_shared(16)),
        (Aes192Cbc, k_shared(24)),
        (Aes256Cbc, k_shared(32)),
        (KwAes128, k_shared(16)),
        (KwAes192, k_shared(24)),
        (KwAes256, k_shared(32)),
    ] {
        for (mac_algorithm, k_mac_len) in [(MacAlgorithm::PrfAes128, 16), (MacAlgorithm::PrfSha256, 32)] {
            let mut server = Server::new(k.clone());
            let mut offer = with_mac(offer(&k), mac_algorithm.clone());
            offer.encryption_algorithms = vec![algorithm.clone()];
            assert_eq!(agree(offer, &mut server).len(), 20, "{algorithm} {mac_algorithm}");
            assert_eq!(server.keys[KEY_ID].k_mac.len(), k_mac_len);
        }
    }
}

#[test]
fn p4_every_key_type_gets_the_right_length() {
    let plain = || package(KeyType::Hotp);
    let ocra = |suite: &str| PackageSpec { key_type: KeyType::Ocra, suite: Some(suite.into()), ..plain() };
    let totp = |hash| PackageSpec { key_type: KeyType::Totp, hash, period_s: Some(30), ..plain() };
    let aes = |key_type| PackageSpec { key_type, digits: None, ..plain() };
    for (spec, len) in [
        (PackageSpec { counter: Some(7), ..plain() }, 20),
        (totp(None), 20),
        (totp(Some(Hash::Sha1)), 20),
        (totp(Some(Hash::Sha256)), 32),
        (totp(Some(Hash::Sha512)), 64),
        (ocra("OCRA-1:HOTP-SHA1-6:QN08"), 20),
        (ocra("OCRA-1:HOTP-SHA1-6:C-QH64-PSHA256"), 20),
        (ocra("OCRA-1:HOTP-SHA256-8:QA08-PSHA1"), 32),
        (ocra("OCRA-1:HOTP-SHA512-0:QN08-S064-T1M"), 64),
        (aes(KeyType::Aes128Cbc), 16),
        (aes(KeyType::Aes192Cbc), 24),
        (aes(KeyType::Aes256Cbc), 32),
    ] {
        for mac_algorithm in [MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256] {
            let mut server = Server::for_key(k_server(), spec.clone());
            let mut offer = with_mac(offer(&server.k), mac_algorithm);
            offer.key_types = vec![KeyType::Unknown("urn:example:new".into()), spec.key_type.clone()];
            assert_eq!(agree(offer, &mut server).len(), len, "{spec:?}");
        }
    }
}

#[test]
fn no_suite_causes_a_panic() {
    for suite in
        ["", ":", "Q", "Qé8", "OCRA-1", "OCRA-1::", "OCRA-1:HOTP-SHA1-6:Q€", "OCRA-1:HOTP-SHA1-6:QN-", "Ä:Q\u{0}08"]
    {
        let spec = PackageSpec { key_type: KeyType::Ocra, suite: Some(suite.into()), ..package(KeyType::Hotp) };
        assert_eq!(spec.container().key_packages.len(), 1, "{suite}");
        assert_eq!(spec.key_len(), Some(20), "{suite}");
    }
}

#[test]
fn p2_runs_with_default_settings_and_with_hmac_sha256_succeed() {
    for pbkdf2_prf in [Pbkdf2Prf::HmacSha1, Pbkdf2Prf::HmacSha256] {
        let mut server = Server::new(k_server());
        server.auth.pbkdf2_prf = pbkdf2_prf;
        let mut offer = RunConfig::new(URL_S, offer(&server.k).credential, vec![KeyType::Hotp]);
        offer.pbkdf2_prf = pbkdf2_prf;
        agree(offer, &mut server);
    }
}

#[test]
fn a_run_can_be_replayed_from_its_seeds_octet_for_octet() {
    let replay = |server_seed: &[u8]| {
        let mut server = Server::new(k_server());
        server.rng = SeededRandom::new(server_seed);
        let run = run(offer(&server.k), &mut server);
        (run.messages.clone(), run.provisioned().keys)
    };
    assert_eq!(replay(b"seed"), replay(b"seed"));
    let (one, other) = (replay(b"seed"), replay(b"other"));
    assert_eq!(one.0[0], other.0[0], "ClientHello draws nothing of the server's");
    assert_ne!(one.1, other.1, "R_S of one side alone changes the key");
}

#[test]
fn p6_p7_a_renewal_replaces_the_key_with_both_prfs_and_both_kinds_of_k() {
    for k in [k_server(), k_shared(16)] {
        for mac_algorithm in [MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256] {
            let mut server = Server::new(k.clone());
            let first = agree(with_mac(offer(&k), mac_algorithm.clone()), &mut server);
            let k_mac_old = server.keys[KEY_ID].k_mac.clone();
            server.enrolment().spent = false;
            let mut renewing = with_mac(offer(&k), mac_algorithm.clone());
            renewing.renewal = Some(Renewal::new(KEY_ID, k_mac_old.clone()));
            let second = agree(renewing, &mut server);
            assert_ne!(first, second, "{mac_algorithm}");
            assert_ne!(k_mac_old, server.keys[KEY_ID].k_mac);
        }
    }
}

#[test]
fn p6_a_prf_that_k_mac_old_cannot_key_is_not_offered() {
    let mut server = Server::new(k_server());
    agree(with_mac(offer(&server.k), MacAlgorithm::PrfSha256), &mut server);
    server.enrolment().spent = false;
    let k_mac_old = server.keys[KEY_ID].k_mac.clone();
    assert_eq!(k_mac_old.len(), 32);
    let mut renewing = offer(&server.k);
    renewing.mac_algorithms = vec![MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256];
    renewing.renewal = Some(Renewal::new(KEY_ID, k_mac_old));
    let run = run(renewing, &mut server);
    assert!(!String::from_utf8_lossy(&run.messages[0]).contains(MacAlgorithm::PrfAes128.uri()));
    run.provisioned();
}

/// ServerHello reveals nothing about a key: neither its existence, nor whether its K_MAC'
/// may be used or fits the PRF. A client that accepts a MAC of another key is refused after the proof of its code.
#[test]
fn p7_a_key_that_cannot_be_renewed_looks_like_one_that_can() {
    let mut server = Server::new(k_server());
    agree(with_mac(offer(&server.k), MacAlgorithm::PrfSha256), &mut server);
    let k_mac_old = server.keys[KEY_ID].k_mac.clone();
    let mut hellos = Vec::new();
    for (key_id, prf, proved) in [
        (KEY_ID, MacAlgorithm::PrfAes128, false), // K_MAC' has 32 octets
        (KEY_ID, MacAlgorithm::PrfSha256, true),
        ("OATH0009", MacAlgorithm::PrfAes128, false),
        ("OATH0009", MacAlgorithm::PrfSha256, false),
    ] {
        server.enrolment().spent = false;
        let mut rng = SeededRandom::new(b"client");
        let (body, state) = FourPass::start(with_mac(offer(&server.k), prf.clone()), &mut rng);
        let Request::ClientHello(mut hello) = Request::read(&body).unwrap() else { panic!() };
        let nonce = rng.bytes(32);
        (hello.key_id, hello.client_nonce) = (Some(key_id.into()), Some(nonce.clone()));
        let body = hello.write();
        let answer = server.receive(&body).unwrap();
        schema::assert_valid(&[body, answer.clone()]);
        let Ok(Response::ServerHello(ServerHello { body: Some(read), session_id, status, .. })) =
            Response::read(&answer)
        else {
            panic!("{key_id}: not Continue");
        };
        assert_eq!(status, Status::Continue);
        let mac = read.mac.expect("there is a MAC for every KeyID");
        assert_eq!((mac.algorithm, mac.value.len()), (Some(prf.clone()), read.r_s.len()));
        let expected = key_schedule::renewal(Prf::of(&prf).unwrap(), &k_mac_old, &nonce, &read.r_s);
        assert_eq!(expected.is_ok_and(|expected| expected == mac.value), proved, "{key_id}, {prf}");
        let hello_len = answer.len() - session_id.unwrap().len();
        hellos.push((prf.clone(), hello_len, read.extensions.server_info.unwrap().len()));
        // This client does not check the MAC.
        let choice = state.receive(&answer).unwrap();
        let k = client_k(&choice, &server).unwrap();
        let (request, _) = choice.proceed(k, &mut rng).unwrap();
        let status = Response::read(&server.receive(&request).unwrap()).unwrap().status();
        assert_eq!(status, if proved { Status::Success } else { Status::AccessDenied }, "{key_id}, {prf}");
        assert_eq!(server.has_spent_the_code(), proved);
    }
    assert_eq!((&hellos[0], &hellos[1]), (&hellos[2], &hellos[3]), "of one length");
}

#[test]
fn p14_a_trigger_replaces_the_code_and_is_copied_unchanged() {
    let data = trigger_data();
    let trigger = Trigger {
        version: Version::V1_0,
        device_identifier_data: Some(DeviceInfo { serial_no: Some("1".into()), ..DeviceInfo::default() }),
        key_id: None,
        token_platform_info: None,
        authentication_data: data.clone(),
        server_url: Some(URL_S.into()),
    };
    let mut server = Server::new(k_server());
    server.trigger = Some((data, CLIENT_ID.into()));
    let mut triggered = offer(&server.k);
    triggered.credential = Credential::Trigger(Box::new(trigger));
    let run = run(triggered, &mut server);
    schema::assert_valid(&run.messages);
    let nonce = std::str::from_utf8(&run.messages[2]).unwrap();
    assert!(!nonce.contains("AuthenticationData"), "no AD is needed any more");
    assert!(between(&run.messages[0], "<dskpp:DeviceId>", "</dskpp:DeviceId>").contains("1</pskc:SerialNo>"));
    assert_eq!(run.provisioned().keys, server.keys[KEY_ID]);
}

#[test]
fn p17_the_clients_order_decides_among_what_policy_and_k_allow() {
    use EncryptionAlgorithm::*;
    for (k, chosen) in [(k_server(), Rsa15), (k_shared(24), Aes192Cbc)] {
        let mut server = Server::new(k);
        server.policy.encryption_algorithms.retain(|algorithm| *algorithm != RsaOaep11);
        let mut offer = offer(&server.k);
        offer.encryption_algorithms =
            vec![Unknown("urn:x".into()), Aes128Cbc, RsaOaep11, Rsa15, Aes192Cbc, PrfSha256, RsaOaepMgf1p];
        offer.mac_algorithms = vec![MacAlgorithm::Unknown("urn:y".into()), MacAlgorithm::PrfAes128];
        let run = run(offer, &mut server);
        assert_eq!(between(&run.messages[1], "<dskpp:EncryptionAlgorithm>", "<"), chosen.uri());
        assert_eq!(between(&run.messages[1], "<dskpp:MacAlgorithm>", "<"), MacAlgorithm::PrfAes128.uri());
        run.provisioned();
    }
}

#[test]
fn p13_url_s_is_compared_octet_for_octet_with_every_configured_url() {
    for (url, good) in [
        (URL_S, true),
        ("https://localhost:8443/dskpp", true),
        ("https://keys.example.com/dskpp/", false),
        ("https://KEYS.example.com/dskpp", false),
        ("https://keys.example.com:443/dskpp", false),
        ("", false),
    ] {
        let mut server = Server::new(k_server());
        let mut offer = offer(&server.k);
        offer.url_s = url.into();
        let run = run(offer, &mut server);
        assert_eq!(matches!(run.end, End::Provisioned(_)), good, "{url}");
        assert_eq!(server.has_spent_the_code(), good, "{url}");
    }
}

/// A ServerHello of the bare core, and the client's state that awaits it.
fn answered(state: SessionState, certificates: &[Vec<u8>]) -> (Vec<u8>, AwaitingServerHello) {
    let k = k_server();
    let mut rng = SeededRandom::new(b"client");
    let (body, awaiting) = FourPass::start(offer(&k), &mut rng);
    let Request::ClientHello(hello) = Request::read(&body).unwrap() else { panic!() };
    let choice = negotiate(&hello, &NegotiationPolicy::default(), &Facts { k: &k, key_type: None }).unwrap();
    let answer = SealedHello {
        hello: &hello,
        body: &body,
        choice,
        k: &k,
        certificates,
        session_id: "1",
        expires_at: 2,
        state,
        k_mac_old: None,
        seal: &AeadKey::new(&[0; 32]),
    };
    (answer.write(&mut rng), awaiting)
}

#[test]
fn p29_a_certificate_is_sent_with_the_bare_key() {
    let certificates = vec![b"leaf".to_vec(), b"issuer".to_vec()];
    let (message, _) = answered(SessionState::default(), &certificates);
    let Response::ServerHello(read) = Response::read(&message).unwrap() else { panic!() };
    let key = read.body.unwrap().encryption_key;
    assert_eq!(key.x509_certificates, certificates);
    assert_eq!(key.rsa_key_value.unwrap().modulus, k_server().octets());
}

#[test]
fn the_sealed_state_is_restored_whatever_it_contains() {
    let device =
        |manufacturer: &str, serial: &str| Some(DeviceRef { manufacturer: manufacturer.into(), serial: serial.into() });
    for state in [
        SessionState::default(),
        SessionState { enrolment: Some(String::new()), renews: Some(String::new()), ..SessionState::default() },
        SessionState { device: device("", ""), trigger: true, ..SessionState::default() },
        SessionState {
            k_id: "k\u{e9}y".into(),
            enrolment: Some("e".repeat(5_000)),
            trigger: true,
            device: device("Example <Devices>", "\u{1F511}"),
            renews: Some("OATH0001".into()),
        },
    ] {
        let (message, awaiting) = answered(state.clone(), &[]);
        let choice = awaiting.receive(&message).unwrap();
        let k = client_k(&choice, &Server::new(k_server())).unwrap();
        let (body, _) = choice.proceed(k, &mut SeededRandom::new(b"client")).unwrap();
        let Request::ClientNonce(nonce) = Request::read(&body).unwrap() else { panic!() };
        let session = Session::open(nonce, &body, &AeadKey::new(&[0; 32]), 1).unwrap();
        assert_eq!(*session.state(), state);
        assert_eq!((session.session_id(), session.client_id()), ("1", Some(CLIENT_ID)));
        assert_eq!((session.key_type(), session.mac_algorithm()), (&KeyType::Hotp, MacAlgorithm::PrfSha256));
    }
}
