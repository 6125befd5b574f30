//! A client with an unacceptable or invalid offer in pass 1: it gets the right status, in an element
//! that it can read, and no session.

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat, ProtectionMethod};
use dskpp::client::FourPass;
use dskpp::message::{ClientHello, KeyProtection, ProtocolVariants, Request, Response};
use dskpp::status::Status;
use dskpp_crypto::SeededRandom;

use crate::pair::*;
use crate::schema;

fn hello(server: &Server) -> ClientHello {
    let (request, _) = FourPass::start(offer(&server.k), &mut SeededRandom::new(b"client"));
    match Request::read(&request) {
        Ok(Request::ClientHello(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

fn two_pass_only(hello: &mut ClientHello) {
    let methods = vec![KeyProtection { method: ProtectionMethod::PassphraseWrap, payload: None }];
    hello.supported_protocol_variants = Some(ProtocolVariants { four_pass: false, two_pass: Some(methods) });
}

/// Status, and whether it came in a KeyProvServerHello.
fn answer(server: &mut Server, request: &[u8]) -> (Status, bool) {
    let response = server.receive(request).unwrap();
    schema::assert_valid(std::slice::from_ref(&response));
    match Response::read(&response).unwrap() {
        Response::ServerHello(hello) => {
            assert_eq!(hello.body.is_some(), hello.status == Status::Continue, "p22: a failure carries nothing else");
            (hello.status, true)
        }
        Response::ServerFinished(finished) => {
            assert_eq!((finished.body, finished.session_id), (None, None));
            (finished.status, false)
        }
    }
}

#[test]
fn s4_2_2_an_unacceptable_offer_is_refused_by_the_failing_list() {
    use Status::*;
    type Alter = fn(&mut ClientHello);
    let cases: &[(&str, Alter, Status, bool)] = &[
        ("the offer itself", |_| (), Continue, true),
        ("no list of variants is four-pass", |h| h.supported_protocol_variants = None, Continue, true),
        ("no list of packages is PSKC", |h| h.supported_key_packages = None, Continue, true),
        ("key types", |h| h.supported_key_types = vec![KeyType::Pin, KeyType::from_uri("")], NoSupportedKeyTypes, true),
        (
            "encryption",
            |h| h.supported_encryption_algorithms = vec![EncryptionAlgorithm::from_uri("urn:x")],
            NoSupportedEncryptionAlgorithms,
            true,
        ),
        (
            "encryption under a key that is not there",
            |h| h.supported_encryption_algorithms = vec![EncryptionAlgorithm::PrfSha256, EncryptionAlgorithm::KwAes128],
            NoSupportedEncryptionAlgorithms,
            true,
        ),
        (
            "MACs",
            |h| h.supported_mac_algorithms = vec![MacAlgorithm::from_uri("urn:x")],
            NoSupportedMacAlgorithms,
            true,
        ),
        (
            "packages",
            |h| h.supported_key_packages = Some(vec![PackageFormat::Pkcs12, PackageFormat::Skpc]),
            NoSupportedKeyPackages,
            true,
        ),
        ("two-pass alone, without its authentication data", two_pass_only, AuthenticationDataMissing, false),
        (
            "no variant at all",
            |h| h.supported_protocol_variants = Some(ProtocolVariants::default()),
            NoProtocolVariants,
            false,
        ),
        ("a nonce that is too long", |h| h.client_nonce = Some(vec![1; 65]), InitializationFailed, true),
        ("a nonce that is too short", |h| h.client_nonce = Some(vec![1; 15]), MalformedRequest, true),
        (
            "p14 a trigger that was never given out",
            |h| h.authentication_data = Some(trigger_data()),
            AuthenticationDataInvalid,
            true,
        ),
    ];
    for (name, alter, status, in_hello) in cases {
        let mut server = Server::new(k_server());
        let mut hello = hello(&server);
        alter(&mut hello);
        assert_eq!(answer(&mut server, &hello.write()), (*status, *in_hello), "{name}");
        assert!(server.keys.is_empty() && !server.has_spent_the_code());
    }
}

#[test]
fn p22_p23_p24_an_unreadable_hello_is_answered_according_to_its_variants() {
    let four_pass = hello(&Server::new(k_server())).write();
    let mut two_pass = hello(&Server::new(k_server()));
    two_pass_only(&mut two_pass);
    let two_pass = two_pass.write();
    let critical = |hello: &[u8]| {
        let extension = "<dskpp:Extensions><dskpp:Extension xsi:type=\"dskpp:Other\" Critical=\"true\"/></dskpp:Extensions></dskpp:KeyProvClientHello>";
        replaced(hello, "</dskpp:KeyProvClientHello>", extension)
    };
    let version = |hello: &[u8]| replaced(hello, "Version=\"1.0\"", "Version=\"2.0\"");
    let malformed =
        |hello: &[u8]| replaced(hello, "</dskpp:SupportedMacAlgorithms>", "<a/></dskpp:SupportedMacAlgorithms>");
    for (hello, in_hello) in [(&four_pass, true), (&two_pass, false)] {
        let mut server = Server::new(k_server());
        assert_eq!(answer(&mut server, &critical(hello)), (Status::UnknownCriticalExtension, in_hello));
        assert_eq!(answer(&mut server, &version(hello)), (Status::UnsupportedVersion, in_hello));
        assert_eq!(answer(&mut server, &malformed(hello)), (Status::MalformedRequest, in_hello));
        assert_eq!(
            answer(&mut server, &critical(&version(hello))),
            (Status::UnsupportedVersion, in_hello),
            "p23 first"
        );
    }
}

#[test]
fn p27_other_requests_get_no_dskpp_answer() {
    let mut server = Server::new(k_server());
    let response = server.receive(&hello(&server).write()).unwrap();
    for body in [&b""[..], b"<a/>", b"GET / HTTP/1.1", &response, b"\xff\xfe<\0a\0/\0>\0", &vec![b' '; 70_000]] {
        assert_eq!(server.receive(body), None, "{:?}", &body[..body.len().min(40)]);
    }
    assert!(server.refusals.is_empty());
}
