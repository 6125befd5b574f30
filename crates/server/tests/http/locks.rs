//! Locked addresses after wrong codes (profile P16).

use std::time::Duration;

use dskpp::algorithm::KeyType;
use dskpp::status::Status;
use reqwest::StatusCode;
use serde_json::json;

use crate::oracles::{WRONG, Way, seen, server_with};
use crate::support::{Server, read, with_code};

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap()
}

/// With every protection method; from another address the correct code gets a key.
#[tokio::test(flavor = "multi_thread")]
async fn p16_from_a_locked_address_a_correct_code_is_answered_like_a_wrong_one() {
    let server = server_with(|config| config.policy.lock_after = 1).await;
    let elsewhere = server.client_at([127, 0, 0, 2]);
    let mut locked = Vec::new();
    for way in
        [Way::Nonce, Way::Wrap("acme 16"), Way::Transport, Way::TransportByName("acme certificate"), Way::Passphrase]
    {
        let enrolment = server.enrolment("hotp", json!({})).await;
        let wrong = with_code(text(&enrolment["client_id"]), WRONG);
        let answer = seen(&server, way.request(&server, server.offer(&wrong, KeyType::Hotp)).await).await;
        locked.push((way, enrolment, answer));
    }
    for (way, enrolment, of_wrong) in locked {
        let path = format!("enrolments/{}", text(&enrolment["id"]));
        for _ in 0..100 {
            if !server.api(&path, None, 200).await["wrong_tries"][0]["locked_until"].is_null() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await; // wrong codes are counted after their answers
        }
        let right = async || way.request(&server, server.offer(&enrolment, KeyType::Hotp)).await;
        assert_eq!(seen(&server, right().await).await, of_wrong, "{way:?}");
        let answer = server.post_by(&elsewhere, right().await).await.bytes().await.unwrap();
        assert_eq!(read(&answer), (Status::Success, false), "{way:?}: it is the right code");
    }
}

/// The lock applies to this address, survives a restart, and looks like a wrong code; only an administrator sees it.
#[tokio::test(flavor = "multi_thread")]
async fn p16_a_locked_code_is_refused_like_a_wrong_one_until_the_lock_expires() {
    let lock_after = |config: &mut dskpp_server::Config| config.policy.lock_after = 2;
    let server = Server::start_with(lock_after).await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let path = format!("enrolments/{}", text(&enrolment["id"]));
    let wrong = with_code(text(&enrolment["client_id"]), "0123456789ABCDEF");
    for _ in 0..2 {
        server.refused(server.offer(&wrong, KeyType::Totp)).await;
    }
    let server = server.restart(lock_after).await; // writes pending counts
    let refused = server.refused(server.offer(&enrolment, KeyType::Totp)).await;
    assert_eq!(refused, Status::AuthenticationDataInvalid);
    let server = server.restart(lock_after).await;
    let seen = server.api(&path, None, 200).await;
    assert_eq!((text(&seen["state"]), &seen["failed_attempts"]), ("open", &json!(2)));
    assert_eq!(seen["last_refusal"]["cause"], "waiting");
    let tries = &seen["wrong_tries"][0];
    assert_eq!((text(&tries["address"]), &tries["count"]), ("127.0.0.1", &json!(2)));
    assert!(text(&tries["locked_until"]) > text(&tries["last_at"]));

    server.database().execute("UPDATE wrong_try SET at = at - 900");
    assert_eq!(server.api(&path, None, 200).await["wrong_tries"][0]["locked_until"], json!(null));
    server.run(server.offer(&enrolment, KeyType::Totp)).await.expect("locks pass");
}

/// Any number of guesses from elsewhere does not lock out the owner.
#[tokio::test(flavor = "multi_thread")]
async fn p16_guesses_from_other_addresses_do_not_lock_out_the_owner() {
    let server = Server::start_with(|config| config.policy.lock_after = 2).await;
    let enrolment = server.enrolment("totp", json!({})).await;
    let wrong = with_code(text(&enrolment["client_id"]), "0123456789ABCDEF");
    let mut tried = 0;
    for last in 2..42 {
        let stranger = server.client_at([127, 0, 0, last]);
        for _ in 0..2 {
            let (request, _) = server.until_nonce(server.offer(&wrong, KeyType::Totp)).await;
            tried += u32::from(server.post_by(&stranger, request).await.status() == StatusCode::OK);
        }
    }
    assert!((40..60).contains(&tried), "{tried}: the second try from an address waits for the total");
    server.run(server.offer(&enrolment, KeyType::Totp)).await.expect("the owner's address sent nothing wrong");
}
