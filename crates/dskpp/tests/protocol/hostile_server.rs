//! A server that breaks the rules, against our client: it names the fault, and gets no key.

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat};
use dskpp::client::{Failed, Renewal, RunConfig};
use dskpp::message::{Response, ServerFinished, ServerFinishedBody, ServerHello, ServerHelloBody};
use dskpp::server::ServerK;
use dskpp::status::Status;
use dskpp::version::Version;
use dskpp_crypto::Secret;
use pskc::{AlgorithmParameters, Key, KeyData, KeyPackage, Value};

use crate::pair::*;

/// The faulty side, and its fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    Refused,
    Unreadable,
    Misbehaved,
    NotAuthenticated,
    WrongConfirmation,
    Unusable,
}

fn verdict(end: &End) -> Verdict {
    match end {
        End::Provisioned(_) => Verdict::Accepted,
        End::Failed(Failed::Refused(_)) => Verdict::Refused,
        End::Failed(Failed::Unreadable(_)) => Verdict::Unreadable,
        End::Failed(Failed::Misbehaved(_)) => Verdict::Misbehaved,
        End::Failed(Failed::NotAuthenticated) => Verdict::NotAuthenticated,
        End::Failed(Failed::WrongConfirmation) => Verdict::WrongConfirmation,
        End::Failed(Failed::Unusable(_)) => Verdict::Unusable,
        other => panic!("{other:?}"),
    }
}

/// A run with a changed ServerHello.
fn with_hello(offer: RunConfig, server: &mut Server, alter: impl Fn(&mut ServerHello)) -> Run {
    run_over(offer, server, &mut |pass, message| match Response::read(&message) {
        Ok(Response::ServerHello(mut hello)) if pass == Pass::ServerHello => {
            alter(&mut hello);
            vec![hello.write()]
        }
        _ => vec![message],
    })
}

fn with_finished(offer: RunConfig, server: &mut Server, alter: impl Fn(&mut ServerFinished)) -> Run {
    run_over(offer, server, &mut |pass, message| match Response::read(&message) {
        Ok(Response::ServerFinished(mut finished)) if pass == Pass::ServerFinished => {
            alter(&mut finished);
            vec![finished.write()]
        }
        _ => vec![message],
    })
}

type AlterHello = fn(&mut ServerHelloBody);

#[test]
fn s4_2_3_a_choice_that_was_not_offered_or_an_unusable_r_s_ends_the_run() {
    use Verdict::*;
    let cases: [(&str, AlterHello, Verdict); 14] = [
        ("key type", |body| body.key_type = KeyType::Totp, Misbehaved),
        ("unknown key type", |body| body.key_type = KeyType::Unknown("urn:x".into()), Misbehaved),
        ("encryption", |body| body.encryption_algorithm = EncryptionAlgorithm::Rsa15, Misbehaved),
        ("encryption under K_SHARED", |body| body.encryption_algorithm = EncryptionAlgorithm::PrfSha256, Misbehaved),
        ("unknown encryption", |body| body.encryption_algorithm = EncryptionAlgorithm::from_uri(""), Misbehaved),
        ("MAC", |body| body.mac_algorithm = MacAlgorithm::PrfAes128, Misbehaved),
        ("unknown MAC", |body| body.mac_algorithm = MacAlgorithm::Unknown("urn:x".into()), Misbehaved),
        ("package", |body| body.key_package_format = PackageFormat::Skpc, Misbehaved),
        ("R_S of 15", |body| body.r_s.truncate(15), Unreadable),
        ("R_S of nothing", |body| body.r_s.clear(), Unreadable),
        ("R_S of 65", |body| body.r_s = vec![1; 65], Misbehaved),
        // Valid, but changed: detected by the proof of the code.
        ("R_S of 16", |body| body.r_s.truncate(16), Refused),
        ("R_S of 64", |body| body.r_s = vec![1; 64], Refused),
        ("ServerInfo gone", |body| body.extensions.server_info = None, Refused),
    ];
    for (name, alter, expected) in cases {
        let mut server = Server::new(k_server());
        let mut offer = with_mac(offer(&server.k), MacAlgorithm::PrfSha256);
        offer.encryption_algorithms = vec![EncryptionAlgorithm::RsaOaepMgf1p];
        let run = with_hello(offer, &mut server, |hello| alter(hello.body.as_mut().unwrap()));
        assert_eq!(verdict(&run.end), expected, "{name}: {:?}", run.end);
        assert_eq!(run.messages.len(), if expected == Refused { 4 } else { 2 }, "{name}: no R_C leaves the client");
    }
}

#[test]
fn p5_r_s_for_prf_aes_has_exactly_16_octets() {
    for len in [17, 32] {
        let mut server = Server::new(k_server());
        let offer = with_mac(offer(&server.k), MacAlgorithm::PrfAes128);
        let run = with_hello(offer, &mut server, |hello| hello.body.as_mut().unwrap().r_s = vec![1; len]);
        assert_eq!(verdict(&run.end), Verdict::Misbehaved, "{len}");
    }
}

#[test]
fn s4_2_3_a_misplaced_or_malformed_server_hello_ends_the_run() {
    use Verdict::*;
    type Alter = fn(&mut ServerHello);
    let cases: [(&str, Alter, Verdict); 6] = [
        ("Success", |hello| hello.status = Status::Success, Unreadable),
        ("no SessionID", |hello| hello.session_id = None, Unreadable),
        ("SessionID of 129", |hello| hello.session_id = Some("x".repeat(129)), Unreadable),
        ("no content", |hello| hello.body = None, Unreadable),
        ("version 2", |hello| hello.version = Version { major: 2, minor: 0 }, Unreadable),
        ("failure with content", |hello| hello.status = Status::Abort, Unreadable),
    ];
    for (name, alter, expected) in cases {
        let mut server = Server::new(k_server());
        let run = with_hello(offer(&k_server()), &mut server, alter);
        assert_eq!(verdict(&run.end), expected, "{name}: {:?}", run.end);
        assert_eq!(run.messages.len(), 2, "{name}");
    }
}

#[test]
fn s4_2_the_last_message_first_and_the_first_message_last_end_the_run() {
    let other = run(offer(&k_server()), &mut { Server::new(k_server()) }).messages;
    for (pass, instead) in [(Pass::ServerHello, &other[3]), (Pass::ServerFinished, &other[1])] {
        let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |at, message| {
            vec![if at == pass { instead.clone() } else { message }]
        });
        assert_eq!(verdict(&run.end), Verdict::Misbehaved, "{pass:?}");
    }
    for (pass, instead) in [(Pass::ServerHello, &other[0]), (Pass::ServerFinished, &other[2])] {
        let run = run_over(offer(&k_server()), &mut { Server::new(k_server()) }, &mut |at, message| {
            vec![if at == pass { instead.clone() } else { message }]
        });
        assert_eq!(verdict(&run.end), Verdict::Unreadable, "a request is no response: {pass:?}");
    }
}

fn renewing(server: &mut Server) -> RunConfig {
    run(with_mac(offer(&server.k), MacAlgorithm::PrfSha256), server).provisioned();
    server.enrolment().spent = false;
    let k_mac_old = server.keys[KEY_ID].k_mac.clone();
    let mut offer = with_mac(offer(&server.k), MacAlgorithm::PrfSha256);
    offer.renewal = Some(Renewal::new(KEY_ID, k_mac_old));
    offer
}

#[test]
fn s4_2_3_the_mac_of_a_renewal_must_be_present_and_right() {
    let cases: [(&str, AlterHello); 8] = [
        ("missing", |body| body.mac = None),
        ("empty", |body| body.mac.as_mut().unwrap().value.clear()),
        ("half of it", |body| body.mac.as_mut().unwrap().value.truncate(16)),
        ("one octet more", |body| body.mac.as_mut().unwrap().value.push(0)),
        ("one bit off", |body| body.mac.as_mut().unwrap().value[31] ^= 1),
        ("other algorithm", |body| body.mac.as_mut().unwrap().algorithm = Some(MacAlgorithm::PrfAes128)),
        ("R_S changed", |body| body.r_s[0] ^= 1),
        ("R_S longer", |body| body.r_s.push(0)),
    ];
    for (name, alter) in cases {
        let mut server = Server::new(k_server());
        let offer = renewing(&mut server);
        let before = server.keys[KEY_ID].clone();
        let run = with_hello(offer, &mut server, |hello| alter(hello.body.as_mut().unwrap()));
        assert_eq!(verdict(&run.end), Verdict::NotAuthenticated, "{name}");
        assert_eq!(run.messages.len(), 2, "{name}: the session is over before R_C is drawn");
        assert_eq!(server.keys[KEY_ID], before);
    }
}

#[test]
fn p7_the_mac_of_an_earlier_renewal_is_not_fresh() {
    let mut server = Server::new(k_server());
    let offer = renewing(&mut server);
    let mut recorded = Vec::new();
    run_over(offer.clone(), &mut server, &mut |pass, message| {
        if pass == Pass::ServerHello {
            recorded.clone_from(&message);
        }
        if pass == Pass::ClientNonce { Vec::new() } else { vec![message] }
    });
    let mut rng = dskpp_crypto::SeededRandom::new(b"the client on another day");
    let (_, state) = dskpp::client::FourPass::start(offer, &mut rng);
    assert_eq!(state.receive(&recorded).err(), Some(Failed::NotAuthenticated));
}

#[test]
fn s4_2_5_a_wrong_key_confirmation_gives_no_key() {
    type Alter = fn(&mut ServerFinishedBody);
    let cases: [(&str, Alter); 6] = [
        ("empty", |body| body.mac.value.clear()),
        ("half of it", |body| body.mac.value.truncate(16)),
        ("one octet more", |body| body.mac.value.push(0)),
        ("first bit", |body| body.mac.value[0] ^= 0x80),
        ("last bit", |body| body.mac.value[31] ^= 1),
        ("other algorithm", |body| body.mac.algorithm = Some(MacAlgorithm::PrfAes128)),
    ];
    for (name, alter) in cases {
        let mut server = Server::new(k_server());
        let offer = with_mac(offer(&server.k), MacAlgorithm::PrfSha256);
        let run = with_finished(offer, &mut server, |finished| alter(finished.body.as_mut().unwrap()));
        assert_eq!(verdict(&run.end), Verdict::WrongConfirmation, "{name}");
    }
}

fn key(body: &mut ServerFinishedBody) -> &mut Key {
    body.key_package.content.container_mut().unwrap().key_packages[0].key.as_mut().unwrap()
}

fn suite(body: &mut ServerFinishedBody, suite: &str) {
    let parameters = AlgorithmParameters { suite: Some(suite.into()), ..AlgorithmParameters::default() };
    key(body).algorithm_parameters = Some(parameters);
}

#[test]
fn s4_2_5_a_key_package_that_does_not_match_the_run_is_refused() {
    use Verdict::*;
    type Alter = fn(&mut ServerFinishedBody);
    let with_secret = |body: &mut ServerFinishedBody| {
        let data = KeyData { secret: Some(Value::Plain(Secret::new(vec![1; 20]))), ..KeyData::default() };
        key(body).data = Some(data);
    };
    let cases: [(&str, Alter, Verdict); 9] = [
        ("another key type", |body| key(body).algorithm = Some(KeyType::Totp.uri().into()), Misbehaved),
        ("no key type, which RFC 6030 allows", |body| key(body).algorithm = None, Accepted),
        (
            "an alias of it",
            |body| key(body).algorithm = Some("urn:ietf:params:xml:ns:keyprov:pskc#hotp".into()),
            Accepted,
        ),
        ("a secret inside", with_secret, Misbehaved),
        ("no package", |body| body.key_package.content.container_mut().unwrap().key_packages.clear(), Misbehaved),
        ("no key", |body| body.key_package.content.container_mut().unwrap().key_packages[0].key = None, Misbehaved),
        (
            "two keys",
            |body| body.key_package.content.container_mut().unwrap().key_packages.push(KeyPackage::default()),
            Misbehaved,
        ),
        ("empty Id", |body| key(body).id.clear(), Misbehaved),
        ("a suite of whatever shape", |body| suite(body, "OCRA-1::Qé8-\u{1F600}"), Accepted),
    ];
    for (name, alter, expected) in cases {
        let mut server = Server::new(k_server());
        let run = with_finished(offer(&k_server()), &mut server, |finished| alter(finished.body.as_mut().unwrap()));
        let got = verdict(&run.end);
        // The reader may refuse an empty container or Id already.
        assert!(got == expected || (expected == Misbehaved && got == Unreadable), "{name}: {:?}", run.end);
    }
}

#[test]
fn s4_2_5_the_last_message_of_another_session_is_refused() {
    for (session_id, expected) in [
        (Some("session-2".to_owned()), Verdict::Misbehaved),
        (Some("x".repeat(129)), Verdict::Unreadable),
        (None, Verdict::Accepted),
    ] {
        let mut server = Server::new(k_server());
        let run =
            with_finished(offer(&k_server()), &mut server, |finished| finished.session_id.clone_from(&session_id));
        assert_eq!(verdict(&run.end), expected, "{session_id:?}");
    }
}

#[test]
fn s4_2_5_a_malformed_last_message_is_refused() {
    type Alter = fn(&mut ServerFinished);
    let cases: [(&str, Alter); 3] = [
        ("Continue", |finished| finished.status = Status::Continue),
        ("Success without content", |finished| finished.body = None),
        ("version 2", |finished| finished.version = Version { major: 2, minor: 0 }),
    ];
    for (name, alter) in cases {
        let run = with_finished(offer(&k_server()), &mut { Server::new(k_server()) }, alter);
        assert_eq!(verdict(&run.end), Verdict::Unreadable, "{name}");
    }
}

#[test]
fn p19_a_key_type_of_unknown_length_gives_no_key() {
    let unknown = KeyType::Unknown("urn:example:new".into());
    let mut server = Server::new(k_server());
    server.policy.key_types.push(unknown.clone());
    server.enrolment().package.key_type = unknown.clone();
    let mut offer = offer(&k_server());
    offer.key_types = vec![unknown];
    let run = run(offer, &mut server);
    assert_eq!(run.failed(), Failed::Refused(Status::InitializationFailed), "the server cannot make it either");
}

#[test]
fn s4_2_3_a_k_that_does_not_match_the_algorithm_is_the_callers_fault() {
    let mut server = Server::new(k_shared(16));
    let mut offer = offer(&server.k);
    offer.encryption_algorithms = vec![EncryptionAlgorithm::Aes128Cbc];
    let run = with_hello(offer, &mut server, |hello| {
        let ServerK::Server(key) = k_server() else { panic!() };
        hello.body.as_mut().unwrap().encryption_key =
            pskc::KeyInfo::from_rsa(key.public().modulus(), key.public().exponent());
    });
    assert_eq!(verdict(&run.end), Verdict::Unusable);
}
