//! RFC 6063 §3.3, status codes and how each side reacts to them.

use std::collections::BTreeSet;

use dskpp::client::Failed;
use dskpp::message::{Response, ServerFinished, ServerHello};
use dskpp::server::{RefusalReason, RunRefusal};
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_crypto::Secret;

use crate::pair::*;

fn failures() -> impl Iterator<Item = Status> {
    Status::ALL.into_iter().filter(|status| status.is_failure())
}

/// The client's reaction to this response in this pass.
fn client_at(pass: Pass, response: &[u8]) -> Run {
    run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |at, message| {
        vec![if at == pass { response.to_vec() } else { message }]
    })
}

fn bodies(status: Status) -> [Vec<u8>; 2] {
    let (version, session_id) = (Version::V1_0, Some("session-1".to_owned()));
    let hello = ServerHello { version, session_id: session_id.clone(), status, body: None };
    [hello.write(), ServerFinished { version, session_id, status, body: None }.write()]
}

#[test]
fn s3_3_both_sides_must_end_the_run_at_any_other_status() {
    for status in failures() {
        for body in bodies(status) {
            let run = client_at(Pass::ServerHello, &body);
            assert_eq!(run.messages.len(), 2, "{status}: nothing more is sent");
            assert_eq!(run.failed(), Failed::Refused(status));
            assert_eq!(client_at(Pass::ServerFinished, &body).failed(), Failed::Refused(status));
        }
    }
    // The server's side: `Session::authenticate` and `Session::open` consume the session on refusal, and an
    // answered session always gets the same answer (`p28_…`).
}

#[test]
fn s3_3_continue_cannot_be_sent_in_the_final_message() {
    let [_, finished] = bodies(Status::Continue);
    assert!(Response::read(&finished).is_err());
    assert!(matches!(client_at(Pass::ServerFinished, &finished).failed(), Failed::Unreadable(_)));
}

#[test]
fn s3_3_success_can_only_be_sent_in_the_final_message() {
    let [hello, _] = bodies(Status::Success);
    assert!(matches!(client_at(Pass::ServerHello, &hello).failed(), Failed::Unreadable(_)));
}

#[test]
fn s3_3_negotiation_statuses_are_sent_in_the_first_response_only() {
    let first_only = failures().filter(|status| status.only_in_first_response()).count();
    assert_eq!(first_only, 6);
    let mut server = Server::new(k_server());
    for version in ["0.1", "2.0"] {
        let mut change = replacing(Pass::ClientNonce, "Version=\"1.0\"", &format!("Version=\"{version}\""));
        let run = run_over(offer(&k_server()), &mut server, &mut change);
        assert_eq!(run.failed(), Failed::Refused(Status::MalformedRequest));
    }
    assert!(server.refusals.iter().all(|refusal| !refusal.status.only_in_first_response()));
}

#[test]
fn s3_3_every_secret_must_be_deleted_with_a_failed_run() {
    // A failing step consumes its state, whose secrets are `Secret` and wipe themselves; what is
    // visible from outside is that the error and the server's records contain none of them.
    let mut server = Server::new(k_server());
    let mut flip = replacing(Pass::ServerFinished, "</dskpp:Mac>", "AAAA</dskpp:Mac>");
    let run = run_over(offer(&k_server()), &mut server, &mut flip);
    let keys = server.keys[KEY_ID].clone();
    let remains = format!("{:?}", run.end);
    for secret in [keys.k_token.expose(), keys.k_mac.expose(), PASSWORD.as_bytes()] {
        assert!(!remains.contains(&format!("{secret:?}")), "{remains}");
    }
    assert!(!remains.contains(PASSWORD));
}

#[test]
fn no_debug_output_of_any_state_shows_a_secret() {
    use dskpp::client::{FourPass, K, Renewal};
    use dskpp_crypto::SeededRandom;
    let mut server = Server::new(k_shared(16));
    let dskpp::server::ServerK::Shared { key, .. } = k_shared(16) else { panic!() };
    let mut offer = offer(&server.k);
    offer.renewal = Some(Renewal::new(KEY_ID, Secret::new(vec![0xC7; 32])));
    let keys =
        dskpp::key_schedule::RunKeys { k_token: Secret::new(vec![0xA9; 20]), k_mac: Secret::new(vec![0xC7; 32]) };
    server.keys.insert(KEY_ID.into(), keys);
    let mut rng = SeededRandom::new(b"client");
    let mut seen = format!("{offer:?}{:?}", server.k);
    let (request, state) = FourPass::start(offer, &mut rng);
    seen += &format!("{state:?}");
    let choice = state.receive(&server.receive(&request).unwrap()).unwrap();
    seen += &format!("{choice:?}");
    let (request, state) = choice.proceed(K::Shared(key.clone()), &mut rng).unwrap();
    seen += &format!("{state:?}");
    let provisioned = state.receive(&server.receive(&request).unwrap()).unwrap();
    seen += &format!("{provisioned:?}");
    let secrets = [
        key.expose(),
        &[0xC7; 32],
        provisioned.keys.k_token.expose(),
        provisioned.keys.k_mac.expose(),
        PASSWORD.as_bytes(),
    ];
    for secret in secrets {
        let list = format!("{secret:?}");
        assert!(!seen.contains(list.trim_matches(['[', ']'])), "{seen}");
    }
    assert!(!seen.contains(PASSWORD), "{seen}");
}

#[test]
fn s3_3_the_client_should_present_an_appropriate_error_message() {
    let texts: BTreeSet<String> = failures().map(|status| Failed::Refused(status).to_string()).collect();
    for failed in failures().map(Failed::Refused) {
        let Failed::Refused(status) = failed else { unreachable!() };
        assert!(failed.to_string().contains(status.as_str()) && failed.next().len() > 30, "{failed}");
    }
    assert_eq!(texts.len(), 15);
}

#[test]
fn s3_3_after_initialization_failed_the_client_should_try_again() {
    assert!(Status::InitializationFailed.retry_may_succeed());
    assert!(Failed::Refused(Status::InitializationFailed).next().contains("again"));
    assert!(!Status::AuthenticationDataInvalid.retry_may_succeed());
}

#[test]
fn s3_3_after_provisioning_period_expired_the_user_must_register_again() {
    let text = Failed::Refused(Status::ProvisioningPeriodExpired).next();
    assert!(text.contains("expired") && text.contains("ask for a new"), "{text}");
}

#[test]
fn p22_a_failure_has_only_version_status_and_a_known_session_id() {
    for status in failures() {
        for (refusal, element, session_id) in [
            (RunRefusal::of_hello(status, RefusalReason::Unreadable, true), "KeyProvServerHello", None),
            (RunRefusal::of_hello(status, RefusalReason::Unreadable, false), "KeyProvServerFinished", None),
            (RunRefusal::of_nonce(status, RefusalReason::Seal, None), "KeyProvServerFinished", None),
            (
                RunRefusal::of_nonce(status, RefusalReason::Iterations, Some("s<1>".into())),
                "KeyProvServerFinished",
                Some("s<1>"),
            ),
        ] {
            let response = refusal.response();
            let text = std::str::from_utf8(&response).unwrap();
            assert!(text.contains(&format!("<dskpp:{element} ")), "{text}");
            assert_eq!(between(&response, " Status=\"", "\""), status.as_str());
            assert_eq!(text.matches('<').count(), 2, "declaration and one element: {text}");
            let read = match Response::read(&response).unwrap() {
                Response::ServerHello(hello) => hello.session_id,
                Response::ServerFinished(finished) => finished.session_id,
            };
            assert_eq!(read.as_deref(), session_id);
        }
    }
}
