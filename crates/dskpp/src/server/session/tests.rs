//! Runs of a second implementation, continued by our server.

use dskpp_crypto::SeededRandom;

use super::*;
use crate::algorithm::{EncryptionAlgorithm, PackageFormat};
use crate::message::Request;
use crate::vectors::{Case, four_pass};

/// The session as if this server had sent the vector's ServerHello.
fn session(case: &Case) -> Session {
    let body = case.message("client_nonce");
    let Ok(Request::ClientNonce(message)) = Request::read(body) else { panic!("a ClientNonce") };
    let messages = [case.message("client_hello"), case.message("server_hello"), body];
    Session {
        renews_in_vain: false,
        has_expired: false,
        message,
        request_hash: Sha256::digest(&[body]),
        message_hash: key_schedule::message_hash(&messages),
        choice: Choice {
            key_type: KeyType::from_uri(case.text("key_type")),
            encryption_algorithm: EncryptionAlgorithm::from_uri(case.text("encryption_algorithm")),
            prf: case.prf(),
            package_format: PackageFormat::Pskc,
        },
        r_s: case.hex("r_s"),
        state: SessionState::default(),
    }
}

fn spec(case: &Case) -> PackageSpec {
    PackageSpec {
        digits: Some(6),
        ..PackageSpec::new(case.text("server_id"), case.text("key_id"), KeyType::from_uri(case.text("key_type")))
    }
}

#[test]
fn s4_2_4_vectors_the_server_derives_the_same_keys_and_confirmation() {
    for case in four_pass() {
        let session = session(&case);
        assert_eq!(session.session_id(), case.text("session_id"));
        assert_eq!(session.client_id(), Some(case.text("client_id")));
        assert_eq!(session.message_hash.to_vec(), case.hex("message_hash"));
        let password = Secret::from_slice(case.text("password").as_bytes());
        let urls = ["https://other.example/dskpp".to_owned(), case.text("url_s").to_owned()];
        let mut rng = SeededRandom::new(b"server");
        let authenticated = session
            .authenticate(&AuthPolicy::default(), &password, &case.server_k(), &urls, &mut rng)
            .expect("the code is right");
        assert_eq!(authenticated.r_c, case.secret("r_c"));
        let finished = authenticated.finish(&spec(&case)).expect("a key");
        assert_eq!(finished.keys.k_token, case.secret("k_token"));
        assert_eq!(finished.keys.k_mac, case.secret("k_mac"));
        let Ok(crate::message::Response::ServerFinished(message)) = crate::message::Response::read(&finished.response)
        else {
            panic!("a ServerFinished")
        };
        assert_eq!(message.body.expect("a body").mac.value, case.hex("mac"));
    }
}

#[test]
fn p16_vectors_with_a_wrong_code_url_or_key_are_refused_alike() {
    let case = &four_pass()[0];
    let right = Secret::from_slice(case.text("password").as_bytes());
    let urls = [case.text("url_s").to_owned()];
    let other_k = crate::vectors::cases("four_pass_shared")[0].server_k();
    let wrong_password = Secret::from_slice(b"7515C0A698");
    let other_url = ["https://keys.example.com/dskpp/".to_owned()];
    let refusal = |password: &Secret, k: &ServerK, urls: &[String]| {
        let mut rng = SeededRandom::new(b"server");
        session(case).authenticate(&AuthPolicy::default(), password, k, urls, &mut rng).expect_err("refused")
    };
    let expected = session(case).refuse(Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData);
    assert_eq!(refusal(&wrong_password, &case.server_k(), &urls), expected);
    assert_eq!(refusal(&right, &case.server_k(), &other_url), expected);
    assert_eq!(refusal(&right, &case.server_k(), &[]), expected);
    assert_eq!(refusal(&right, &other_k, &urls), expected);
}
