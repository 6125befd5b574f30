//! Runs that succeed.

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::client::K;
use dskpp_crypto::{Hash, Secret, SystemRandom};
use pskc::DeviceInfo;
use serde_json::json;

use crate::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn s4_2_both_sides_hold_the_same_key_of_every_type_and_algorithm() {
    use EncryptionAlgorithm::*;
    let server = Server::start().await;
    for (name, key_type, len, encryption, mac) in [
        ("hotp", KeyType::Hotp, 20, RsaOaepMgf1p, MacAlgorithm::PrfSha256),
        ("totp", KeyType::Totp, 20, RsaOaep11, MacAlgorithm::PrfAes128),
        ("ocra", KeyType::Ocra, 20, Rsa15, MacAlgorithm::PrfSha256),
        ("aes128", KeyType::Aes128Cbc, 16, Rsa15, MacAlgorithm::PrfAes128),
        ("aes192", KeyType::Aes192Cbc, 24, RsaOaepMgf1p, MacAlgorithm::PrfSha256),
        ("aes256", KeyType::Aes256Cbc, 32, RsaOaepMgf1p, MacAlgorithm::PrfAes128),
    ] {
        let enrolment = server.enrolment(name, json!({})).await;
        let mut offer = server.offer(&enrolment, key_type.clone());
        offer.encryption_algorithms = vec![encryption];
        offer.mac_algorithms = vec![mac];
        let got = server.run(offer).await.unwrap();
        assert_eq!(got.keys.k_token.len(), len, "{name}");
        assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await, "{name}");
        assert_eq!(got.server_id.as_deref(), Some(server.url_s()), "{name}");
        let state = server.api(&format!("enrolments/{}", enrolment["id"].as_str().unwrap()), None, 200).await;
        assert_ne!(state["state"], "open", "{name}");
    }
    let keys = server.api("keys?user=alice", None, 200).await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn s4_2_an_otp_of_the_new_key_is_valid_once() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({"hash": "SHA-256", "digits": 8})).await;
    let got = server.run(server.offer(&enrolment, KeyType::Totp)).await.unwrap();
    assert_eq!(got.keys.k_token.len(), Hash::Sha256.output_len());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let totp = dskpp_otp::Totp::new(dskpp_otp::Digits::EIGHT, 30, Hash::Sha256).unwrap();
    let code = totp.code(&got.keys.k_token, now).to_string();
    let body = || Some(json!({"user": "alice", "otp": code}));
    assert_eq!(server.api("validate", body(), 200).await["valid"], true);
    assert_eq!(server.api("validate", body(), 200).await["valid"], false, "no code twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn p19_a_device_with_its_own_key_needs_no_rsa() {
    use EncryptionAlgorithm::*;
    let server = Server::start().await;
    for (key_len, algorithms) in [
        (16, vec![PrfAes128, Aes128Cbc, KwAes128]),
        (24, vec![Aes192Cbc, KwAes192]),
        (32, vec![PrfSha256, Aes256Cbc, KwAes256]),
    ] {
        let (serial, shared) = (format!("SN-{key_len}"), vec![0xA5; key_len]);
        let device = json!({
            "manufacturer": "oath.ACME", "serial": serial, "key_name": format!("{serial} key"),
            "shared_key_hex": data_encoding::HEXLOWER.encode(&shared),
        });
        server.api("devices", Some(device), 201).await;
        for algorithm in algorithms {
            let bound = json!({"device": {"manufacturer": "oath.ACME", "serial": serial}});
            let enrolment = server.enrolment("hotp", bound).await;
            let mut offer = server.offer(&enrolment, KeyType::Hotp);
            offer.encryption_algorithms = vec![algorithm.clone()];
            if algorithm == PrfAes128 {
                offer.mac_algorithms = vec![MacAlgorithm::PrfAes128];
            }
            offer.device = Some(DeviceInfo {
                manufacturer: Some("oath.ACME".into()),
                serial_no: Some(serial.clone()),
                ..DeviceInfo::default()
            });
            let choice = server.hello(offer).await.unwrap();
            assert_eq!(choice.encryption_key().key_name.as_deref(), Some(&*format!("{serial} key")));
            let k = K::Shared(Secret::from_slice(&shared));
            let (request, state) = choice.proceed(k, &mut SystemRandom).unwrap();
            let got = state.receive(&server.exchange(request).await).unwrap();
            assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await, "{algorithm}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn s6_1_client_info_comes_back_unmodified() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let mut offer = server.offer(&enrolment, KeyType::Hotp);
    offer.client_info = Some(vec![0, 1, 254, 255]);
    let choice = server.hello(offer).await.unwrap();
    let k = crate::support::k_of(&choice);
    let (request, _) = choice.proceed(k, &mut SystemRandom).unwrap();
    let dskpp::message::Response::ServerFinished(finished) =
        dskpp::message::Response::read(&server.exchange(request).await).unwrap()
    else {
        panic!("a ServerFinished")
    };
    assert_eq!(finished.body.unwrap().extensions.client_info, Some(vec![0, 1, 254, 255]));
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_a_retransmission_gets_the_same_answer_and_one_key() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (request, state) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
    // Sent twice concurrently, and again later.
    let (first, second) = tokio::join!(server.exchange(request.clone()), server.exchange(request.clone()));
    let third = server.exchange(request).await;
    assert!(first == second && second == third);
    state.receive(&third).unwrap();
    let keys = server.api("keys?user=alice", None, 200).await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_of_two_concurrent_runs_with_one_code_one_succeeds() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (one, two) = tokio::join!(
        server.until_nonce(server.offer(&enrolment, KeyType::Hotp)),
        server.until_nonce(server.offer(&enrolment, KeyType::Hotp))
    );
    let answers = tokio::join!(server.exchange(one.0), server.exchange(two.0));
    let succeeded = [one.1.receive(&answers.0), two.1.receive(&answers.1)].into_iter().flatten().collect::<Vec<_>>();
    let [got] = &succeeded[..] else { panic!("{} of two succeeded", succeeded.len()) };
    assert_eq!(got.keys.k_token, server.secret_of(&got.key_id).await);
}
