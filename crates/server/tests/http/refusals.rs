//! Refused runs.

use std::time::Duration;

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm};
use dskpp::client::{ClientProtection, FourPass, TwoPass};
use dskpp::message::{ClientNonce, Request};
use dskpp::status::Status;
use dskpp_crypto::SystemRandom;
use pskc::DeviceInfo;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{Server, read, with_code};

const UNKNOWN: &str = "FFFFFFFF";

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}

fn nonce_of(request: &[u8]) -> ClientNonce {
    match Request::read(request).unwrap() {
        Request::ClientNonce(nonce) => nonce,
        Request::ClientHello(_) => panic!("a ClientNonce"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_the_answer_to_a_wrong_code_does_not_reveal_why() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let (client_id, password) = (text(&enrolment["client_id"]), text(&enrolment["password"]));
    let spent = server.enrolment("totp", json!({})).await;
    server.run(server.offer(&spent, KeyType::Totp)).await.unwrap();
    let mut elsewhere = server.offer(&enrolment, KeyType::Totp);
    elsewhere.url_s.push('/');
    for (what, offer) in [
        ("a wrong password", server.offer(&with_code(client_id, "0123456789ABCDEF"), KeyType::Totp)),
        ("an unknown client ID", server.offer(&with_code(UNKNOWN, password), KeyType::Totp)),
        ("a spent code", server.offer(&spent, KeyType::Totp)),
        ("another URL_S", elsewhere),
    ] {
        let (request, _) = server.until_nonce(offer).await;
        let session_id = nonce_of(&request).session_id;
        let answer = String::from_utf8(server.exchange(request).await).unwrap();
        assert_eq!(read(answer.as_bytes()), (Status::AuthenticationDataInvalid, false), "{what}");
        let expected = server.exchange(unknown_code_request(&server).await).await;
        let expected = String::from_utf8(expected).unwrap();
        let without_session = |answer: &str| answer.split("SessionID=\"").next().unwrap().to_owned();
        assert_eq!(answer.len(), expected.len(), "{what}");
        assert_eq!(without_session(&answer), without_session(&expected), "{what}");
        assert!(answer.contains(&session_id), "{what}");
    }
    server.run(server.offer(&enrolment, KeyType::Totp)).await.expect("wrong tries do not spend the code");
}

/// A ClientNonce with a new unknown code each time.
async fn unknown_code_request(server: &Server) -> Vec<u8> {
    let client_id = format!("{:08X}", std::process::id() ^ rand());
    let offer = server.offer(&with_code(&client_id, "0123456789ABCDEF"), KeyType::Totp);
    server.until_nonce(offer).await.0
}

fn rand() -> u32 {
    use dskpp_crypto::Random as _;
    u32::from_be_bytes(SystemRandom.bytes(4).try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn p16_only_the_owner_learns_that_a_code_has_expired() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({"expires_in_s": 1})).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let wrong = with_code(text(&enrolment["client_id"]), "0123456789ABCDEF");
    assert_eq!(server.refused(server.offer(&wrong, KeyType::Totp)).await, Status::AuthenticationDataInvalid);
    assert_eq!(server.refused(server.offer(&enrolment, KeyType::Totp)).await, Status::ProvisioningPeriodExpired);
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_from_the_fourth_wrong_code_on_the_next_try_must_wait_whether_or_not_the_client_exists() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    for client_id in [text(&enrolment["client_id"]), UNKNOWN] {
        let wrong = with_code(client_id, "0123456789ABCDEF");
        for _ in 0..4 {
            let status = server.refused(server.offer(&wrong, KeyType::Totp)).await;
            assert_eq!(status, Status::AuthenticationDataInvalid);
        }
        let (request, state) = server.until_nonce(server.offer(&wrong, KeyType::Totp)).await;
        let response = server.post(request.clone()).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS, "{client_id}");
        assert_eq!(response.headers()["retry-after"], "1", "{client_id}");
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(state.receive(&server.exchange(request).await).is_err(), "a 429 does not spend the session");
    }
}

/// The cause that the client does not learn (profile P16).
#[tokio::test(flavor = "multi_thread")]
async fn p16_an_administrator_sees_the_cause_of_a_refusal() {
    let server = Server::start().await;
    let enrolment = async || server.enrolment("totp", json!({})).await;
    let (mistyped, used, revoked, other_type) =
        (enrolment().await, enrolment().await, enrolment().await, enrolment().await);
    server.run(server.offer(&used, KeyType::Totp)).await.unwrap();
    let path = |enrolment: &serde_json::Value| format!("enrolments/{}", text(&enrolment["id"]));
    server.delete(&path(&revoked)).await;
    let wrong = with_code(text(&mistyped["client_id"]), "0123456789ABCDEF");
    for (offer, enrolment, status, cause) in [
        (server.offer(&wrong, KeyType::Totp), &mistyped, Status::AuthenticationDataInvalid, "wrong-code"),
        (server.offer(&used, KeyType::Totp), &used, Status::AuthenticationDataInvalid, "used"),
        (server.offer(&revoked, KeyType::Totp), &revoked, Status::AuthenticationDataInvalid, "revoked"),
        (server.offer(&other_type, KeyType::Hotp), &other_type, Status::AccessDenied, "not-allowed"),
    ] {
        assert_eq!(server.refused(offer).await, status, "{cause}");
        let mut seen = json!(null);
        for _ in 0..100 {
            seen = server.api(&path(enrolment), None, 200).await["last_refusal"].clone();
            if !seen.is_null() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await; // written after the answer
        }
        assert_eq!(text(&seen["cause"]), cause);
        assert!(!text(&seen["detail"]).is_empty() && text(&seen["at"]).ends_with('Z'), "{seen}");
    }
}

/// Any refusal before a code is proved leaves the database unchanged.
#[tokio::test(flavor = "multi_thread")]
async fn p28_a_refusal_without_a_proved_code_writes_nothing() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let database = server.database();
    let changes = database.changes();
    let before = changes();
    type Change = fn(&mut ClientNonce);
    let cases: [(Change, Status); 5] = [
        (|_| {}, Status::AuthenticationDataInvalid),
        (|nonce| nonce.authentication_data = None, Status::AuthenticationDataMissing),
        (|nonce| proof(nonce).iteration_count = Some(1), Status::AuthenticationDataInvalid),
        (|nonce| proof(nonce).mac.algorithm = Some(MacAlgorithm::PrfAes128), Status::MalformedRequest),
        (|nonce| nonce.extensions.server_info = None, Status::Abort),
    ];
    for (number, (change, status)) in cases.into_iter().enumerate() {
        let mut message = nonce_of(&unknown_code_request(&server).await);
        change(&mut message);
        let refusal = server.exchange(message.write()).await;
        assert_eq!(read(&refusal), (status, false), "case {number}");
        assert_eq!(server.exchange(message.write()).await, refusal, "the same again, case {number}");
    }
    let offer = server.offer(&with_code(UNKNOWN, "0123456789ABCDEF"), KeyType::Hotp);
    let (two_pass, _) = TwoPass::start(offer, vec![ClientProtection::Passphrase], &mut SystemRandom).unwrap();
    for _ in 0..2 {
        assert_eq!(read(&server.exchange(two_pass.clone()).await).0, Status::AuthenticationDataInvalid);
    }
    tokio::time::sleep(Duration::from_millis(1500)).await; // longer than the interval of grouped writes
    assert_eq!(changes(), before);
    server.run(server.offer(&enrolment, KeyType::Hotp)).await.expect("the code stays valid");
    assert_ne!(changes(), before, "the test sees changes");
}

/// Counted after the answer, in groups, once per request.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_of_an_enrolment_count_once_each_and_leave_one_row() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let wrong = with_code(text(&enrolment["client_id"]), "0123456789ABCDEF");
    for _ in 0..3 {
        let (request, _) = server.until_nonce(server.offer(&wrong, KeyType::Hotp)).await;
        let refusal = server.exchange(request.clone()).await;
        assert_eq!(server.exchange(request).await, refusal);
    }
    let server = server.restart(|_| {}).await;
    let database = server.database();
    let number = |what: &str| database.number(&format!("SELECT {what}"));
    assert_eq!(number("count FROM wrong_try"), 3);
    assert_eq!(number("failed_attempts FROM enrolment"), 3);
    assert_eq!(number("count(*) FROM answer"), 0);
    assert_eq!(number("count(*) FROM audit WHERE event = 'run.refused'"), 0, "the hour is not over");
    assert_eq!(number("count FROM refusal"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_a_different_nonce_on_a_spent_session_is_aborted() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    for succeeds in [true, false] {
        let code = if succeeds { enrolment.clone() } else { with_code(UNKNOWN, "0123456789ABCDEF") };
        let (request, _) = server.until_nonce(server.offer(&code, KeyType::Hotp)).await;
        let first = server.exchange(request.clone()).await;
        assert_eq!(read(&first).0.is_success(), succeeds);
        let mut other = nonce_of(&request);
        other.encrypted_nonce[7] ^= 1;
        assert_eq!(read(&server.exchange(other.write()).await), (Status::Abort, false));
        assert_eq!(server.exchange(request).await, first, "the first answer stays");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p28_a_session_expires() {
    let server = Server::start_with(|config| config.policy.session_lifetime_s = 1).await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (request, _) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(read(&server.exchange(request).await), (Status::Abort, false));
    let got = server.run(server.offer(&enrolment, KeyType::Hotp)).await;
    got.expect("the code is still good");
}

#[tokio::test(flavor = "multi_thread")]
async fn s6_2_server_info_that_was_changed_dropped_or_taken_from_another_session_is_refused() {
    let (server, stranger) = (Server::start().await, Server::start().await);
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (request, state) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
    let (other, _) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
    let (original, other) = (nonce_of(&request), nonce_of(&other));
    let sealed = original.extensions.server_info.clone().unwrap();
    let mut cases = vec![None, other.extensions.server_info, Some(sealed[..sealed.len() - 1].to_vec())];
    for place in [0, 1, sealed.len() / 2, sealed.len() - 1] {
        let mut flipped = sealed.clone();
        flipped[place] ^= 0x10;
        cases.push(Some(flipped));
    }
    for server_info in cases {
        let mut message = original.clone();
        message.extensions.server_info = server_info;
        let (status, is_hello) = read(&server.exchange(message.write()).await);
        assert_eq!((status, is_hello), (Status::Abort, false));
    }
    let mut renamed = original.clone();
    renamed.session_id = other.session_id;
    assert_eq!(read(&server.exchange(renamed.write()).await).0, Status::Abort);
    assert_eq!(read(&stranger.exchange(request.clone()).await).0, Status::Abort, "another server's seal");
    state.receive(&server.exchange(request).await).expect("none of this spent the session");
}

#[tokio::test(flavor = "multi_thread")]
async fn p3_p12_authentication_data_is_checked_before_any_work() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let (request, _) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
    let original = nonce_of(&request);
    type Change = fn(&mut ClientNonce);
    let cases: [(Change, Status); 6] = [
        (|nonce| nonce.authentication_data = None, Status::AuthenticationDataMissing),
        (|nonce| proof(nonce).iteration_count = Some(99_999), Status::AuthenticationDataInvalid),
        (|nonce| proof(nonce).iteration_count = Some(-1), Status::AuthenticationDataInvalid),
        (|nonce| proof(nonce).iteration_count = Some(200_001), Status::AuthenticationDataInvalid),
        (|nonce| proof(nonce).nonce = Some(vec![7; 32]), Status::AuthenticationDataInvalid),
        (|nonce| proof(nonce).mac.algorithm = Some(MacAlgorithm::PrfAes128), Status::MalformedRequest),
    ];
    for (number, (change, status)) in cases.into_iter().enumerate() {
        let (request, _) = server.until_nonce(server.offer(&enrolment, KeyType::Hotp)).await;
        let mut message = nonce_of(&request);
        change(&mut message);
        assert_eq!(read(&server.exchange(message.write()).await), (status, false), "case {number}");
        assert_eq!(read(&server.exchange(request).await).0, Status::Abort, "the session is spent, case {number}");
    }
    assert_eq!(read(&server.exchange(original.write()).await).0, Status::Success);
}

fn proof(nonce: &mut ClientNonce) -> &mut dskpp::message::AuthenticationCodeMac {
    &mut nonce.authentication_data.as_mut().unwrap().authentication_code_mac
}

#[tokio::test(flavor = "multi_thread")]
async fn p20_a_wrong_padding_looks_like_a_wrong_code() {
    let server = Server::start().await;
    let enrolment = server.enrolment("hotp", json!({})).await;
    let mut offer = server.offer(&enrolment, KeyType::Hotp);
    offer.encryption_algorithms = vec![EncryptionAlgorithm::Rsa15];
    type Change = fn(&mut Vec<u8>);
    let changes: [Change; 3] = [|octets| octets[100] ^= 1, |octets| octets.truncate(40), |octets| octets.fill(0xFF)];
    for change in changes {
        let (request, _) = server.until_nonce(offer.clone()).await;
        let mut message = nonce_of(&request);
        change(&mut message.encrypted_nonce);
        assert_eq!(read(&server.exchange(message.write()).await), (Status::AuthenticationDataInvalid, false));
    }
    server.run(offer).await.expect("the code is still good");
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_policy_violations_are_named_in_the_first_response() {
    let server = Server::start_with(|config| {
        config.policy.key_types.truncate(1);
        config.policy.mac_algorithms.truncate(1);
        config.policy.encryption_algorithms.truncate(1);
    })
    .await;
    let offer = || server.offer(&with_code(UNKNOWN, "0123456789ABCDEF"), KeyType::Hotp);
    let (mut no_type, mut no_encryption, mut no_mac) = (offer(), offer(), offer());
    no_type.key_types = vec![KeyType::Totp, KeyType::Unknown("urn:x".into())];
    no_encryption.encryption_algorithms = vec![EncryptionAlgorithm::Rsa15, EncryptionAlgorithm::Aes128Cbc];
    no_mac.mac_algorithms = vec![MacAlgorithm::PrfAes128];
    for (offer, status) in [
        (no_type, Status::NoSupportedKeyTypes),
        (no_encryption, Status::NoSupportedEncryptionAlgorithms),
        (no_mac, Status::NoSupportedMacAlgorithms),
    ] {
        let (request, _) = FourPass::start(offer, &mut SystemRandom);
        assert_eq!(read(&server.exchange(request).await), (status, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p21_an_unproved_device_is_denied() {
    let server = Server::start().await;
    let known = json!({"manufacturer": "oath.ACME", "serial": "1", "key_name": "k", "shared_key_hex": "00".repeat(16)});
    server.api("devices", Some(known), 201).await;
    let enrolment = server.enrolment("hotp", json!({"device": {"manufacturer": "oath.ACME", "serial": "1"}})).await;
    for serial in ["1", "2"] {
        let mut offer = server.offer(&enrolment, KeyType::Hotp);
        offer.device = Some(DeviceInfo {
            manufacturer: Some("oath.ACME".into()),
            serial_no: Some(serial.into()),
            ..DeviceInfo::default()
        });
        let (request, _) = FourPass::start(offer, &mut SystemRandom);
        assert_eq!(read(&server.exchange(request).await), (Status::AccessDenied, true), "device {serial}, RSA only");
    }
    let without_device = server.offer(&enrolment, KeyType::Hotp);
    assert_eq!(server.refused(without_device).await, Status::AccessDenied, "the enrolment is for a device");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_different_key_type_from_the_enrolments_is_denied_and_the_code_stays_valid() {
    let server = Server::start().await;
    let enrolment = server.enrolment("totp", json!({})).await;
    assert_eq!(server.refused(server.offer(&enrolment, KeyType::Hotp)).await, Status::AccessDenied);
    server.run(server.offer(&enrolment, KeyType::Totp)).await.unwrap();
}
