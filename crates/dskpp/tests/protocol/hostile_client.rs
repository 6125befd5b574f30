//! A client that breaks the rules in pass 3, against our server: it gets the RFC's status, and nothing changes.

use dskpp::algorithm::{EncryptionAlgorithm, MacAlgorithm};
use dskpp::auth_data;
use dskpp::client::FourPass;
use dskpp::message::{AuthenticationCodeMac, ClientNonce, Mac, Request, Response};
use dskpp::prf::Prf;
use dskpp::server::{RefusalReason as Reason, ServerK};
use dskpp::status::Status;
use dskpp_crypto::{Pbkdf2Prf, Random, Secret, SeededRandom};

use crate::attacker::*;
use crate::pair::*;

fn assert_nothing_changed(server: &Server, what: &str) {
    assert!(server.keys.is_empty() && !server.has_spent_the_code(), "{what}");
}

#[test]
fn the_attacker_of_these_tests_gets_a_key_when_following_the_rules() {
    use EncryptionAlgorithm::*;
    for (algorithm, k) in
        [(RsaOaepMgf1p, k_server()), (Rsa15, k_server()), (PrfSha256, k_shared(16)), (Aes128Cbc, k_shared(16))]
    {
        for prf in [Prf::Aes128, Prf::Sha256] {
            let mut server = Server::new(k.clone());
            let attacker = Attacker::begin(&mut server, algorithm.clone(), prf);
            assert_eq!(send(&mut server, &attacker.nonce(&vec![5; prf.key_len()])), Status::Success);
        }
    }
}

#[test]
fn p3_p12a_an_absent_count_means_100000_and_an_absent_mac_algorithm_the_negotiated_one() {
    let mut server = Server::new(k_server());
    server.auth = dskpp::server::AuthPolicy::default();
    let attacker = Attacker::with_rsa(&mut server);
    let mut nonce = attacker.nonce(&[5; 32]);
    let (password, count) = (Secret::from_slice(PASSWORD.as_bytes()), std::num::NonZeroU32::new(100_000).unwrap());
    let k_ac = auth_data::k_ac(Pbkdf2Prf::HmacSha1, &password, &[5; 32], attacker.k.octets(), count);
    let value = auth_data::mac(Prf::Sha256, &k_ac, CLIENT_ID, URL_S, &[5; 32], &attacker.hello.r_s);
    *proof(&mut nonce) =
        AuthenticationCodeMac { nonce: None, iteration_count: None, mac: Mac { algorithm: None, value } };
    assert_eq!(send(&mut server, &nonce), Status::Success);
}

#[test]
fn s4_2_4_each_violation_has_its_status_and_changes_nothing() {
    use Status::*;
    type Alter = fn(&mut ClientNonce);
    let cases: &[(&str, Alter, Status, Reason)] = &[
        ("p16 no AD", |n| n.authentication_data = None, AuthenticationDataMissing, Reason::NoAuthenticationData),
        (
            "p16 no ClientID",
            |n| n.authentication_data.as_mut().unwrap().client_id = None,
            AuthenticationDataMissing,
            Reason::NoAuthenticationData,
        ),
        ("p12 R_C in the clear", |n| proof(n).nonce = Some(vec![5; 32]), AuthenticationDataInvalid, Reason::NonceSent),
        (
            "p12a MAC algorithm",
            |n| proof(n).mac.algorithm = Some(MacAlgorithm::PrfAes128),
            MalformedRequest,
            Reason::MacAlgorithm,
        ),
        (
            "p12a unknown MAC algorithm",
            |n| proof(n).mac.algorithm = Some(MacAlgorithm::Unknown("urn:x".into())),
            MalformedRequest,
            Reason::MacAlgorithm,
        ),
        ("p16 MAC", |n| proof(n).mac.value[0] ^= 1, AuthenticationDataInvalid, Reason::AuthenticationData),
        ("p16 MAC cut", |n| proof(n).mac.value.truncate(15), AuthenticationDataInvalid, Reason::AuthenticationData),
        ("p16 no MAC value", |n| proof(n).mac.value.clear(), AuthenticationDataInvalid, Reason::AuthenticationData),
        (
            "p16 unknown ClientID",
            |n| n.authentication_data.as_mut().unwrap().client_id = Some("AC00000B".into()),
            AuthenticationDataInvalid,
            Reason::AuthenticationData,
        ),
        (
            "p2 ClientID in lower case",
            |n| n.authentication_data.as_mut().unwrap().client_id = Some("ac00000a".into()),
            AuthenticationDataInvalid,
            Reason::AuthenticationData,
        ),
        ("s6_2 no ServerInfo", |n| n.extensions.server_info = None, Abort, Reason::Seal),
        ("s6_2 empty ServerInfo", |n| n.extensions.server_info = Some(Vec::new()), Abort, Reason::Seal),
        ("s6_2 ServerInfo cut", |n| n.extensions.server_info.as_mut().unwrap().truncate(100), Abort, Reason::Seal),
        ("s6_2 ServerInfo longer", |n| n.extensions.server_info.as_mut().unwrap().push(0), Abort, Reason::Seal),
        ("s6_2 first bit", |n| n.extensions.server_info.as_mut().unwrap()[0] ^= 1, Abort, Reason::Seal),
        ("s6_2 some bit", |n| n.extensions.server_info.as_mut().unwrap()[100] ^= 8, Abort, Reason::Seal),
        ("another SessionID", |n| n.session_id = "session-2".into(), Abort, Reason::Seal),
        ("empty SessionID", |n| n.session_id.clear(), Abort, Reason::Seal),
    ];
    for (name, alter, status, reason) in cases {
        let mut server = Server::new(k_server());
        let attacker = Attacker::with_rsa(&mut server);
        let mut nonce = attacker.nonce(&[5; 32]);
        alter(&mut nonce);
        assert_eq!(send(&mut server, &nonce), *status, "{name}");
        assert_eq!(server.refusals.last().unwrap().reason, *reason, "{name}");
        assert_nothing_changed(&server, name);
    }
}

#[test]
fn s10_2_6_messages_in_another_order_give_a_client_no_key() {
    // ClientNonce first: without a ClientHello, this server has no session for it.
    let (mut server, mut elsewhere) = (Server::new(k_server()), Server::new(k_server()));
    elsewhere.seal = dskpp_crypto::AeadKey::new(&[0x11; 32]);
    let early = Attacker::with_rsa(&mut elsewhere).nonce(&[5; 32]);
    assert_eq!(send(&mut server, &early), Status::Abort);
    assert_nothing_changed(&server, "ClientNonce before ClientHello");
    // Twice, and again after the next ClientHello: one key, and the same answer.
    let nonce = Attacker::with_rsa(&mut server).nonce(&[5; 32]);
    assert_eq!(send(&mut server, &nonce), Status::Success);
    let keys = server.keys[KEY_ID].clone();
    let next = Attacker::with_rsa(&mut server);
    assert_eq!(send(&mut server, &nonce), Status::Success, "as before");
    let mut mixed = next.nonce(&[6; 32]);
    mixed.session_id = nonce.session_id;
    assert_eq!(send(&mut server, &mixed), Status::Abort, "a session's state with the name of another");
    assert!(server.keys[KEY_ID] == keys);
}

#[test]
fn p3_iteration_counts_out_of_bounds_are_refused_before_any_derivation() {
    for (count, allowed) in [
        (Some(i32::MIN), false),
        (Some(-1), false),
        (Some(0), false),
        (Some(1), false),
        (Some(99_999), false),
        (Some(100_000), true),
        (Some(200_000), true),
        (Some(200_001), false),
        (Some(i32::MAX), false),
        (None, true),
    ] {
        let mut server = Server::new(k_server());
        server.auth = dskpp::server::AuthPolicy::default();
        let attacker = Attacker::with_rsa(&mut server);
        let mut nonce = attacker.nonce(&[5; 32]);
        proof(&mut nonce).iteration_count = count;
        let before = server.refusals.len();
        let status = send(&mut server, &nonce);
        assert_eq!(status, Status::AuthenticationDataInvalid, "{count:?}: the MAC was made with one iteration");
        let reason = server.refusals[before].reason;
        assert_eq!(reason == Reason::Iterations, !allowed, "{count:?}: {reason}");
        assert_eq!(reason == Reason::AuthenticationData, allowed, "{count:?}: {reason}");
    }
}

#[test]
fn s4_2_4_another_sessions_seal_and_another_servers_seal_are_refused() {
    let mut server = Server::new(k_server());
    let one = Attacker::with_rsa(&mut server);
    let two = Attacker::with_rsa(&mut server);
    let mut mixed = one.nonce(&[5; 32]);
    mixed.extensions.server_info = two.hello.extensions.server_info.clone();
    assert_eq!(send(&mut server, &mixed), Status::Abort);
    let mut elsewhere = Server::new(k_server());
    elsewhere.seal = dskpp_crypto::AeadKey::new(&[1; 32]);
    assert_eq!(send(&mut elsewhere, &one.nonce(&[5; 32])), Status::Abort);
    assert_nothing_changed(&server, "mixed");
    assert_nothing_changed(&elsewhere, "elsewhere");
    assert_eq!(send(&mut server, &one.nonce(&[5; 32])), Status::Success, "the session itself is still good");
}

#[test]
fn a_session_expires_exactly_on_time() {
    for (now, status) in [(EXPIRES_AT - 1, Status::Success), (EXPIRES_AT, Status::Abort), (u64::MAX, Status::Abort)] {
        let mut server = Server::new(k_server());
        let attacker = Attacker::with_rsa(&mut server);
        server.now = now;
        assert_eq!(send(&mut server, &attacker.nonce(&[5; 32])), status, "{now}");
        assert_eq!(server.keys.is_empty(), status != Status::Success);
    }
}

#[test]
fn p5_a_wrong_length_of_r_c_is_revealed_only_to_a_client_that_proved_the_code() {
    use EncryptionAlgorithm::*;
    for (algorithm, k) in [(RsaOaepMgf1p, k_server()), (Rsa15, k_server()), (PrfSha256, k_shared(16))] {
        for (prf, len, good) in [
            (Prf::Sha256, 1, false),
            (Prf::Sha256, 15, false),
            (Prf::Sha256, 16, true),
            (Prf::Sha256, 64, true),
            (Prf::Sha256, 65, false),
            (Prf::Aes128, 15, false),
            (Prf::Aes128, 16, true),
            (Prf::Aes128, 17, false),
            (Prf::Aes128, 32, false),
        ] {
            let what = format!("{algorithm} {prf:?} {len}");
            let r_c = vec![5; len];
            let mut server = Server::new(k.clone());
            let attacker = Attacker::begin(&mut server, algorithm.clone(), prf);
            let expected = if good { Status::Success } else { Status::InitializationFailed };
            assert_eq!(send(&mut server, &attacker.nonce(&r_c)), expected, "{what}");
            let mut server = Server::new(k.clone());
            let attacker = Attacker::begin(&mut server, algorithm.clone(), prf);
            let mut unproved = attacker.nonce(&r_c);
            proof(&mut unproved).mac.value[15] ^= 1;
            assert_eq!(send(&mut server, &unproved), Status::AuthenticationDataInvalid, "{what}");
            assert_nothing_changed(&server, &what);
        }
    }
}

/// Ciphertexts without usable content, for a modulus of 256 octets.
fn wrong_ciphertexts() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("short", vec![1; 255]),
        ("long", vec![1; 257]),
        ("zero", vec![0; 256]),
        ("above the modulus", vec![0xFF; 256]),
        ("random", {
            let mut octets = SeededRandom::new(b"ciphertext").bytes(256);
            octets[0] = 1;
            octets
        }),
    ]
}

#[test]
fn p20_an_invalid_rsa_padding_fails_like_a_wrong_mac() {
    use EncryptionAlgorithm::*;
    for algorithm in [Rsa15, RsaOaepMgf1p, RsaOaep11] {
        let mut answers = Vec::new();
        let mut wrong = wrong_ciphertexts();
        wrong.push(("right", Vec::new()));
        for (name, ciphertext) in wrong {
            let mut server = Server::new(k_server());
            let attacker = Attacker::begin(&mut server, algorithm.clone(), Prf::Sha256);
            let mut nonce = attacker.nonce(&[5; 32]);
            match name {
                "right" => proof(&mut nonce).mac.value[0] ^= 1,
                _ => nonce.encrypted_nonce = ciphertext,
            }
            let answer = server.receive(&nonce.write()).unwrap();
            assert_eq!(server.refusals.last().unwrap().reason, Reason::AuthenticationData, "{algorithm} {name}");
            assert_nothing_changed(&server, name);
            answers.push((answer, server.rng.bytes(16)));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{algorithm}: same octets, same randomness drawn");
    }
}

#[test]
fn p20_after_a_trigger_no_padding_is_distinguishable() {
    use EncryptionAlgorithm::*;
    let data = trigger_data();
    let answer = |algorithm: &EncryptionAlgorithm, k: ServerK, ciphertext: &dyn Fn(&Attacker) -> Vec<u8>| {
        let mut server = Server::new(k);
        server.trigger = Some((data.clone(), CLIENT_ID.into()));
        let mut hello = with_mac(offer(&server.k), MacAlgorithm::PrfSha256);
        hello.encryption_algorithms = vec![algorithm.clone()];
        let (request, _) = FourPass::start(hello, &mut SeededRandom::new(b"attacker"));
        let Ok(Request::ClientHello(mut hello)) = Request::read(&request) else { panic!() };
        hello.authentication_data = Some(data.clone());
        let Ok(Response::ServerHello(answer)) = Response::read(&server.receive(&hello.write()).unwrap()) else {
            panic!()
        };
        let (session_id, hello) = (answer.session_id.unwrap(), answer.body.unwrap());
        let attacker =
            Attacker { algorithm: algorithm.clone(), prf: Prf::Sha256, session_id, hello, k: server.k.clone() };
        let mut nonce = attacker.nonce(&[5; 32]);
        nonce.authentication_data = None;
        nonce.encrypted_nonce = ciphertext(&attacker);
        send(&mut server, &nonce)
    };
    for (algorithm, k, wrong_length) in [
        (Rsa15, k_server(), Status::Success), // continues with a random R_C: the client rejects the MAC
        (Aes128Cbc, k_shared(16), Status::Success),
        (RsaOaepMgf1p, k_server(), Status::InitializationFailed),
        (PrfSha256, k_shared(16), Status::InitializationFailed),
    ] {
        assert_eq!(answer(&algorithm, k.clone(), &|attacker| attacker.encrypt(&[5; 32])), Status::Success);
        assert_eq!(answer(&algorithm, k.clone(), &|attacker| attacker.encrypt(&[5; 8])), wrong_length, "{algorithm}");
        if algorithm != PrfSha256 {
            for (name, ciphertext) in wrong_ciphertexts() {
                let status = answer(&algorithm, k.clone(), &|_| ciphertext.clone());
                assert_eq!(status, Status::Success, "{algorithm} {name}");
            }
        }
    }
}

#[test]
fn p16_unknown_wrong_and_used_codes_get_the_same_octets_after_the_same_draws() {
    type Arrange = fn(&mut Server, &mut ClientNonce);
    let cases: [(&str, Arrange); 4] = [
        ("wrong", |_, nonce| proof(nonce).mac.value[3] ^= 1),
        ("unknown", |server, _| server.enrolments.clear()),
        ("spent", |server, _| server.enrolment().spent = true),
        ("expired and wrong", |server, nonce| {
            server.enrolment().expired = true;
            proof(nonce).mac.value[3] ^= 1;
        }),
    ];
    let mut seen = Vec::new();
    for (name, arrange) in cases {
        let mut server = Server::new(k_server());
        let attacker = Attacker::with_rsa(&mut server);
        let mut nonce = attacker.nonce(&[5; 32]);
        arrange(&mut server, &mut nonce);
        let answer = server.receive(&nonce.write()).unwrap();
        assert_eq!(Response::read(&answer).unwrap().status(), Status::AuthenticationDataInvalid, "{name}");
        assert!(server.keys.is_empty(), "{name}");
        seen.push((answer, server.rng.bytes(16)));
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
}

#[test]
fn p16_an_expired_code_is_revealed_only_to_its_owner() {
    let mut server = Server::new(k_server());
    server.enrolment().expired = true;
    let attacker = Attacker::with_rsa(&mut server);
    assert_eq!(send(&mut server, &attacker.nonce(&[5; 32])), Status::ProvisioningPeriodExpired);
    assert_nothing_changed(&server, "expired");
}

#[test]
fn p28_an_identical_nonce_gets_the_same_answer_and_a_different_one_abort() {
    for right in [true, false] {
        let mut server = Server::new(k_server());
        let attacker = Attacker::with_rsa(&mut server);
        let mut nonce = attacker.nonce(&[5; 32]);
        if !right {
            proof(&mut nonce).mac.value[0] ^= 1;
        }
        let first = server.receive(&nonce.write()).unwrap();
        let keys = server.keys.clone();
        assert_eq!(server.receive(&nonce.write()).unwrap(), first, "octet for octet");
        let mut other = attacker.nonce(&[6; 32]);
        assert_eq!(send(&mut server, &other), Status::Abort, "right the first time: {right}");
        other.extensions.client_info = Some(vec![1]);
        assert_eq!(send(&mut server, &other), Status::Abort);
        assert_eq!(server.keys, keys);
    }
}
