//! RFC 6063 §6, ClientInfoType and ServerInfoType.

use dskpp::client::{Failed, FourPass};
use dskpp::message::{MAX_MESSAGE_LEN, ReadError, Request, Response};
use dskpp::status::Status;
use dskpp_crypto::{Random, SeededRandom};

use crate::pair::*;
use crate::schema;

const CRITICAL: &str =
    "<dskpp:Extension xsi:type=\"dskpp:SomethingNewType\" Critical=\"true\"><a xmlns=\"urn:x\"/></dskpp:Extension>";
const OPTIONAL: &str = "<dskpp:Extension xsi:type=\"dskpp:SomethingNewType\"><a xmlns=\"urn:x\"/></dskpp:Extension>";

fn infos(message: &[u8]) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let extensions = match (Request::read(message), Response::read(message)) {
        (Ok(Request::ClientHello(hello)), _) => hello.extensions,
        (Ok(Request::ClientNonce(nonce)), _) => nonce.extensions,
        (_, Ok(Response::ServerHello(hello))) => hello.body.unwrap().extensions,
        (_, Ok(Response::ServerFinished(finished))) => finished.body.unwrap().extensions,
        other => panic!("{other:?}"),
    };
    (extensions.client_info, extensions.server_info)
}

#[test]
fn s6_1_the_server_must_include_client_info_unmodified_in_its_next_response() {
    for data in [Vec::new(), vec![0], b"<xml>&amp;</xml>".to_vec(), SeededRandom::new(b"info").bytes(3000)] {
        let mut offer = offer(&k_server());
        offer.client_info = Some(data.clone());
        let run = run(offer, &mut { Server::new(k_server()) });
        schema::assert_valid(&run.messages);
        for message in &run.messages {
            assert_eq!(infos(message).0.as_ref(), Some(&data));
        }
        run.provisioned();
    }
}

#[test]
fn s6_1_client_info_is_repeated_only_in_the_response_to_its_request() {
    for (pass, answered) in [(Pass::ClientHello, 1), (Pass::ClientNonce, 3)] {
        let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |at, message| {
            if at != pass {
                return vec![message];
            }
            vec![match Request::read(&message).unwrap() {
                Request::ClientHello(mut hello) => {
                    hello.extensions.client_info = Some(b"info".to_vec());
                    hello.write()
                }
                Request::ClientNonce(mut nonce) => {
                    nonce.extensions.client_info = Some(b"info".to_vec());
                    nonce.write()
                }
            }]
        });
        for response in [1, 3] {
            let expected = (response == answered).then(|| b"info".to_vec());
            assert_eq!(infos(&run.messages[response]).0, expected, "{pass:?} {response}");
        }
    }
}

#[test]
fn s6_2_the_client_must_include_server_info_unmodified_in_its_next_request() {
    for data in [Vec::new(), vec![0xFF], SeededRandom::new(b"info").bytes(2000)] {
        let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |pass, message| {
            let Ok(Response::ServerHello(mut hello)) = Response::read(&message) else { return vec![message] };
            assert_eq!(pass, Pass::ServerHello);
            hello.body.as_mut().unwrap().extensions.server_info = Some(data.clone());
            vec![hello.write()]
        });
        assert_eq!(infos(&run.messages[2]).1, Some(data));
    }
}

#[test]
fn s6_2_a_server_that_sends_no_server_info_gets_none() {
    let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |_, message| {
        let Ok(Response::ServerHello(mut hello)) = Response::read(&message) else { return vec![message] };
        hello.body.as_mut().unwrap().extensions.server_info = None;
        vec![hello.write()]
    });
    assert_eq!(infos(&run.messages[2]).1, None);
    assert_eq!(run.failed(), Failed::Refused(Status::Abort), "our server needs it");
}

#[test]
fn s6_2_server_info_is_only_in_a_server_hello_with_continue() {
    let mut offer = offer(&k_server());
    offer.client_info = Some(vec![1]);
    let run = run(offer, &mut { Server::new(k_server()) });
    assert!(infos(&run.messages[1]).1.is_some());
    assert_eq!(infos(&run.messages[3]).1, None);
    for (message, what) in [(&run.messages[0], "ClientHello"), (&run.messages[3], "ServerFinished")] {
        let changed = replaced(message, "xsi:type=\"dskpp:ClientInfoType\"", "xsi:type=\"dskpp:ServerInfoType\"");
        assert!(Request::read(&changed).is_err() && Response::read(&changed).is_err(), "{what}");
    }
}

#[test]
fn s6_1_s6_2_neither_must_be_marked_as_critical() {
    let mut offer = offer(&k_server());
    offer.client_info = Some(vec![1]);
    for message in run(offer, &mut { Server::new(k_server()) }).messages {
        let text = String::from_utf8(message).unwrap();
        assert!(!text.contains("Critical"), "{text}");
        for info in ["Client", "Server"] {
            let plain = format!("xsi:type=\"dskpp:{info}InfoType\"");
            let changed = text.replace(&plain, &format!("{plain} Critical=\"true\""));
            let refused = changed == text
                || match (Request::read(changed.as_bytes()), Response::read(changed.as_bytes())) {
                    (Err(ReadError::Refused { status, .. }), _) | (_, Err(ReadError::Refused { status, .. })) => {
                        status == Status::MalformedRequest
                    }
                    _ => false,
                };
            assert!(refused, "{changed}");
        }
    }
}

#[test]
fn s6_an_unknown_noncritical_extension_is_ignored_by_both_sides() {
    for (pass, good) in [
        // Both sides hash what they see: a changed request is detected at the end, not before.
        (Pass::ClientHello, false),
        (Pass::ClientNonce, false),
        (Pass::ServerHello, false),
        (Pass::ServerFinished, true),
    ] {
        let mut offer = offer(&k_server());
        offer.client_info = Some(vec![1]);
        let mut link = replacing(pass, "<dskpp:Extensions>", &format!("<dskpp:Extensions>{OPTIONAL}"));
        let run = run_over(offer, &mut { Server::new(k_server()) }, &mut link);
        assert_eq!(run.messages.len(), 4, "{pass:?}");
        match good {
            true => drop(run.provisioned()),
            false => assert_eq!(run.failed(), Failed::WrongConfirmation, "{pass:?}"),
        }
    }
}

#[test]
fn s6_an_unknown_critical_extension_ends_the_run_on_both_sides() {
    for pass in [Pass::ClientHello, Pass::ServerHello, Pass::ClientNonce, Pass::ServerFinished] {
        let mut offer = offer(&k_server());
        offer.client_info = Some(vec![1]);
        let mut link = replacing(pass, "<dskpp:Extensions>", &format!("<dskpp:Extensions>{CRITICAL}"));
        match run_over(offer, &mut { Server::new(k_server()) }, &mut link).failed() {
            Failed::Refused(status) => assert_eq!(status, Status::UnknownCriticalExtension, "{pass:?}"),
            Failed::Unreadable(error) => {
                assert_eq!(error.status(), Some(Status::UnknownCriticalExtension), "{pass:?}");
            }
            other => panic!("{pass:?}: {other}"),
        }
    }
}

#[test]
fn s6_2_the_sealed_session_hides_its_content_and_never_repeats() {
    let hello = |seed: &[u8]| {
        let mut server = Server::new(k_server());
        server.rng = SeededRandom::new(seed);
        let (request, _) = FourPass::start(offer(&server.k), &mut SeededRandom::new(b"client"));
        infos(&server.receive(&request).unwrap()).1.unwrap()
    };
    let (one, other) = (hello(b"1"), hello(b"2"));
    assert_ne!(one, other);
    assert_eq!((one.len(), other.len()), (1024 + 28, 1024 + 28), "p7: of one length, with nonce and tag");
    let contains = |needle: &[u8]| one.windows(needle.len()).any(|window| window == needle);
    assert!(!contains(b"urn:ietf") && !contains(b"dskpp"));
}

#[test]
fn s6_1_client_info_that_fills_a_message_does_not_break_the_seal() {
    let mut offer = offer(&k_server());
    offer.client_info = Some(SeededRandom::new(b"info").bytes(45_000));
    let run = run(offer, &mut { Server::new(k_server()) });
    assert!(run.messages.iter().all(|message| message.len() <= MAX_MESSAGE_LEN));
    run.provisioned();
}
