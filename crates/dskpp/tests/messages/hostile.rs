//! Messages that must not be accepted, and the answer to each (profile P22 to P27).

use dskpp::message::{ClientHello, MAX_MESSAGE_LEN, MessageError, ReadError, Request, Response, RootKind, Trigger};
use dskpp::status::Status;

use crate::samples::{CLIENT_HELLO, CLIENT_NONCE, SERVER_FINISHED, SERVER_HELLO, TRIGGER, changed};

const NS: &str = r#"xmlns="urn:ietf:params:xml:ns:keyprov:dskpp""#;

fn refused(body: &str) -> (Status, RootKind, Option<String>, bool, MessageError) {
    match Request::read(body.as_bytes()) {
        Err(ReadError::Refused { status, root, session_id, offered_four_pass, reason }) => {
            (status, root, session_id, offered_four_pass, reason)
        }
        other => panic!("{other:?} from {body}"),
    }
}

fn hello(from: &str, to: &str) -> String {
    changed(CLIENT_HELLO, from, to)
}

fn read_hello(body: &str) -> ClientHello {
    match Request::read(body.as_bytes()) {
        Ok(Request::ClientHello(hello)) => hello,
        other => panic!("{other:?} from {body}"),
    }
}

#[test]
fn p27_other_requests_get_no_dskpp_answer() {
    let dskpp = "urn:ietf:params:xml:ns:keyprov:dskpp";
    let utf16: Vec<u8> = "\u{feff}<KeyProvClientHello/>".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let too_long = format!("{CLIENT_HELLO}{}", " ".repeat(MAX_MESSAGE_LEN + 1 - CLIENT_HELLO.len()));
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("white space", b" \n".to_vec()),
        ("no XML", b"{\"key\": 1}".to_vec()),
        ("only a declaration", br#"<?xml version="1.0"?>"#.to_vec()),
        ("UTF-16", utf16),
        ("another encoding", hello("UTF-8", "ISO-8859-1").into()),
        ("another XML version", hello(r#"version="1.0""#, r#"version="1.1""#).into()),
        ("a DTD", hello("<dskpp:KeyProvClientHello", "<!DOCTYPE x><dskpp:KeyProvClientHello").into()),
        ("an instruction", hello("<dskpp:KeyProvClientHello", "<?x?><dskpp:KeyProvClientHello").into()),
        ("another namespace", hello(&format!("=\"{dskpp}\""), "=\"urn:other\"").into()),
        ("no namespace", "<KeyProvClientHello Version=\"1.0\"/>".into()),
        ("an undeclared prefix", "<dskpp:KeyProvClientHello Version=\"1.0\"/>".into()),
        ("an unknown message", format!("<KeyProvClientGoodbye {NS} Version=\"1.0\"/>").into()),
        ("another case", format!("<keyprovclienthello {NS} Version=\"1.0\"/>").into()),
        ("a trigger", TRIGGER.into()),
        ("a response", SERVER_HELLO.into()),
        ("a final response", SERVER_FINISHED.into()),
        ("too long", too_long.into()),
    ];
    for (what, body) in bodies {
        let result = Request::read(&body);
        assert!(matches!(result, Err(ReadError::NotDskpp(_))), "{what}: {result:?}");
    }
    let not_utf8 = [CLIENT_HELLO.as_bytes(), &[0xff]].concat();
    assert!(Request::read(&not_utf8).is_err());
    assert!(matches!(Response::read(CLIENT_HELLO.as_bytes()), Err(ReadError::NotDskpp(_))));
    assert!(matches!(Trigger::read(CLIENT_NONCE.as_bytes()), Err(ReadError::NotDskpp(_))));
}

#[test]
fn p25_a_body_of_exactly_the_limit_is_read() {
    let body = format!("{CLIENT_HELLO}{}", " ".repeat(MAX_MESSAGE_LEN - CLIENT_HELLO.len()));
    assert!(Request::read(body.as_bytes()).is_ok());
}

#[test]
fn p25_hostile_xml_inside_a_request_is_malformed() {
    let deep = format!("{}{}", "<x>".repeat(40), "</x>".repeat(40));
    for (from, to) in [
        ("<dskpp:FourPass/>", "<?target data?><dskpp:FourPass/>"),
        ("<dskpp:FourPass/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><dskpp:FourPass/>"),
        ("<dskpp:FourPass/>", &format!("<dskpp:FourPass>{deep}</dskpp:FourPass>")),
        ("<dskpp:FourPass/>", "<dskpp:FourPass>&a;</dskpp:FourPass>"),
        ("<dskpp:FourPass/>", "<dskpp:FourPass>&#0;</dskpp:FourPass>"),
        ("<dskpp:FourPass/>", "<dskpp:FourPass a='1' a='2'/>"),
        ("<dskpp:FourPass/>", "<dskpp:FourPass><y:x/></dskpp:FourPass>"),
        ("<dskpp:FourPass/>", "<dskpp:FourPass></dskpp:TwoPass>"),
        ("<dskpp:FourPass/>", "<dskpp:FourPass>\u{1}</dskpp:FourPass>"),
        ("</dskpp:KeyProvClientHello>", "</dskpp:KeyProvClientHello><x/>"),
        ("</dskpp:KeyProvClientHello>", "</dskpp:KeyProvClientHello>x"),
        ("</dskpp:KeyProvClientHello>", "</dskpp:KeyProvClientHello><?x?>"),
        ("</dskpp:KeyProvClientHello>", ""),
    ] {
        let (status, root, ..) = refused(&hello(from, to));
        assert_eq!((status, root), (Status::MalformedRequest, RootKind::ClientHello), "{to}");
    }
}

#[test]
fn s8_2_every_schema_violation_is_malformed_and_the_reason_names_the_place() {
    let algorithm = "<dskpp:Algorithm>urn:ietf:params:xml:ns:keyprov:pskc:hotp</dskpp:Algorithm>";
    for (from, to, reason) in [
        // Order, repetition, absence.
        (
            "<dskpp:SupportedKeyTypes>",
            "<dskpp:ClientNonce>MTIzNDU2Nzg5MDEyMzQ1Ng==</dskpp:ClientNonce><dskpp:KeyID>YQ==</dskpp:KeyID><dskpp:SupportedKeyTypes>",
            "KeyID",
        ),
        ("<dskpp:SupportedKeyPackages>", "<dskpp:KeyID>YQ==</dskpp:KeyID><dskpp:SupportedKeyPackages>", "KeyID"),
        ("</dskpp:KeyID>", "</dskpp:KeyID><dskpp:KeyID>YQ==</dskpp:KeyID>", "KeyID"),
        ("<dskpp:FourPass/>", "<dskpp:FourPass/><dskpp:FourPass/>", "FourPass"),
        ("<dskpp:FourPass/>", "<dskpp:TwoPass/>", "SupportedKeyProtectionMethod"),
        ("<dskpp:FourPass/>", "<dskpp:ThreePass/>", "ThreePass"),
        ("<dskpp:FourPass/>", "<FourPass/>", "FourPass"),
        (algorithm, "", "Algorithm"),
        (algorithm, "<dskpp:KeyPackageFormat>x</dskpp:KeyPackageFormat>", "Algorithm"),
        ("SupportedMacAlgorithms>", "SupportedMacs>", "SupportedMacAlgorithms"),
        ("<dskpp:Mac>AAAA</dskpp:Mac>", "", "Mac"),
        (
            "<dskpp:ClientID>A1</dskpp:ClientID>",
            "<dskpp:ClientID>A1</dskpp:ClientID><dskpp:ClientID>A1</dskpp:ClientID>",
            "ClientID",
        ),
        // Attributes.
        (" Version=\"1.0\"", "", "Version"),
        (" Version=\"1.0\"", " Version=\"1\"", "Version"),
        (" Version=\"1.0\"", " Version=\" 1.0\"", "Version"),
        (" Version=\"1.0\"", " version=\"1.0\"", "Version"),
        (" Version=\"1.0\"", " dskpp:Version=\"1.0\"", "Version"),
        (" Version=\"1.0\"", " Version=\"1.0\" SessionID=\"1\"", "KeyProvClientHello"),
        ("<dskpp:KeyID>", "<dskpp:KeyID Encoding=\"hex\">", "KeyID"),
        ("<dskpp:SupportedKeyTypes>", "<dskpp:SupportedKeyTypes x=\"\">", "SupportedKeyTypes"),
        ("<dskpp:Mac>", "<dskpp:Mac Algorithm=\"x\">", "Mac"),
        // Texts.
        ("<dskpp:SupportedKeyTypes>", "<dskpp:SupportedKeyTypes>x", "SupportedKeyTypes"),
        ("<dskpp:FourPass/>", "x<dskpp:FourPass/>", "SupportedProtocolVariants"),
        ("</dskpp:KeyProvClientHello>", "x</dskpp:KeyProvClientHello>", "KeyProvClientHello"),
        (">YWJj<", "><x/><", "KeyID"),
        // Values.
        (">YWJj<", ">YWJ<", "KeyID"),
        (">YWJj<", ">YW-j<", "KeyID"),
        (">YWJj<", ">YWI=YWI=<", "KeyID"),
        (">YWJj<", ">YWJjZB==<", "KeyID"),
        (">MTIzNDU2Nzg5MDEyMzQ1Ng==<", ">MTIzNDU2Nzg5MDEyMzQ1<", "Nonce"),
        (">100000<", ">1e5<", "IterationCount"),
        (">100000<", "><", "IterationCount"),
        (">100000<", ">2147483648<", "IterationCount"),
        (">100000<", ">10 0<", "IterationCount"),
        ("<dskpp:ClientID>A1", &format!("<dskpp:ClientID>{}", "é".repeat(129)), "ClientID"),
        // Wildcards: strict, so no foreign element is known.
        ("<dskpp:KeyID>", "<dskpp:DeviceIdentifierData/><dskpp:KeyID>", "DeviceI"),
        (
            "<dskpp:KeyID>",
            "<dskpp:DeviceIdentifierData><x xmlns=\"urn:x\"/></dskpp:DeviceIdentifierData><dskpp:KeyID>",
            "DeviceIdentifierData",
        ),
        ("<dskpp:AuthenticationCodeMac>", "<x xmlns=\"urn:x\"/><dskpp:AuthenticationCodeMac>", "AuthenticationData"),
        ("</dskpp:AuthenticationData>", "</dskpp:AuthenticationData><x xmlns=\"urn:x\"/>", "KeyProvClientHello"),
    ] {
        let (status, _, _, four_pass, why) = refused(&hello(from, to));
        assert_eq!(status, Status::MalformedRequest, "{to}");
        assert!(why.to_string().contains(reason), "{to}: {why}");
        if !to.contains("<dskpp:T") && !to.contains("<FourPass") {
            assert!(four_pass, "{to}");
        }
    }
}

#[test]
fn s8_2_edge_cases_that_the_schema_allows_are_read() {
    for (from, to) in [
        (">100000<", "> -2147483648\n<"),
        (">100000<", ">0<"),
        (">100000<", ">+1<"),
        (">YWJj<", "> Y\nW J\tj\r\n<"),
        (">YWJj<", "><![CDATA[YWJj]]><"),
        (">YWJj<", ">Y&#87;Jj<"),
        (">YWJj<", ">YW<!-- comment -->Jj<"),
        ("<dskpp:FourPass/>", ""),
        ("<dskpp:FourPass/>", "<dskpp:FourPass a='1'>text<x xmlns=''/></dskpp:FourPass>"),
        ("<dskpp:ClientID>A1", &format!("<dskpp:ClientID>{}", "é".repeat(128))),
        (" Version=\"1.0\"", " Version=\"01.999\" xml:lang=\"en\" xsi:schemaLocation=\"a b\""),
    ] {
        read_hello(&hello(from, to));
    }
    // xs:string is compared octet for octet (RFC 6063 §8.1): nothing is trimmed.
    let data = read_hello(&hello(">A1<", "> A1 <")).authentication_data.expect("it has AD");
    assert_eq!(data.client_id.as_deref(), Some(" A1 "));
}

#[test]
fn p23_the_version_is_checked_before_the_rest() {
    for version in ["0.9", "2.0", "2.13", "99.999"] {
        let body = format!("<KeyProvClientHello {NS} Version=\"{version}\" New=\"\"><New/>");
        let (status, _, _, four_pass, _) = refused(&body);
        assert_eq!((status, four_pass), (Status::UnsupportedVersion, true), "{version}");
    }
    for version in ["1.1", "1.999", "01.00"] {
        read_hello(&hello("Version=\"1.0\"", &format!("Version=\"{version}\"")));
    }
    // UnsupportedVersion is valid in a server's first response only (RFC 6063 §3.3).
    let second = changed(CLIENT_NONCE, "Version=\"1.0\"", "Version=\"2.0\"");
    let (status, _, session_id, four_pass, _) = refused(&second);
    assert_eq!((status, four_pass), (Status::MalformedRequest, false));
    assert_eq!(session_id.as_deref(), Some("4114"));
}

#[test]
fn p22_a_refused_hello_determines_the_element_of_the_answer() {
    let two_pass =
        "<dskpp:TwoPass><dskpp:SupportedKeyProtectionMethod>x</dskpp:SupportedKeyProtectionMethod></dskpp:TwoPass>";
    let only_two_pass = hello("<dskpp:FourPass/>", two_pass);
    let both = hello("<dskpp:FourPass/>", &format!("<dskpp:FourPass/>{two_pass}"));
    let none = hello("<dskpp:FourPass/>", "");
    for (body, expected) in [(only_two_pass, false), (both, true), (none, false)] {
        for (from, to) in [
            (">YWJj<", ">not base64<"),
            ("Version=\"1.0\"", "Version=\"2.0\""),
            ("</dskpp:KeyProvClientHello>", "<x/></dskpp:KeyProvClientHello>"),
            ("</dskpp:KeyProvClientHello>", ""),
        ] {
            let (.., four_pass, _) = refused(&changed(&body, from, to));
            assert_eq!(four_pass, expected, "{to} in {body}");
        }
    }
}

#[test]
fn s8_2_client_nonce_needs_a_session_of_at_most_128_characters() {
    let id = |id: &str| changed(CLIENT_NONCE, "SessionID=\"4114\"", id);
    let longest = "é".repeat(128);
    let read = Request::read(id(&format!("SessionID=\"{longest}\"")).as_bytes());
    match read {
        Ok(Request::ClientNonce(nonce)) => assert_eq!(nonce.session_id, longest),
        other => panic!("{other:?}"),
    }
    for bad in [String::new(), format!("SessionID=\"{longest}é\"")] {
        let (status, root, session_id, ..) = refused(&id(&bad));
        assert_eq!((status, root), (Status::MalformedRequest, RootKind::ClientNonce), "{bad}");
        assert_eq!(session_id, None, "an id that cannot be written is not repeated");
    }
    let (.., session_id, _, why) = refused(&changed(CLIENT_NONCE, ">AAAA<", ">AAA<"));
    assert_eq!(session_id.as_deref(), Some("4114"));
    assert!(why.to_string().contains("EncryptedNonce"), "{why}");
}

fn extension(attributes: &str, content: &str) -> String {
    let extension = format!("<dskpp:Extension {attributes}>{content}</dskpp:Extension>");
    let extensions = format!("<dskpp:Extensions>{extension}</dskpp:Extensions>");
    hello("</dskpp:KeyProvClientHello>", &format!("{extensions}</dskpp:KeyProvClientHello>"))
}

const DATA: &str = "<dskpp:Data>AAAA</dskpp:Data>";

#[test]
fn p24_extensions_are_identified_by_their_resolved_type() {
    let client_info = |attributes: &str| read_hello(&extension(attributes, DATA)).extensions.client_info;
    let dskpp = "urn:ietf:params:xml:ns:keyprov:dskpp";
    for attributes in [
        "xsi:type='dskpp:ClientInfoType'",
        "xsi:type='\n dskpp:ClientInfoType ' Critical='false'",
        "xsi:type='dskpp:ClientInfoType' Critical=' 0 '",
        &format!("xmlns:q='{dskpp}' xsi:type='q:ClientInfoType'"),
        &format!("xmlns='{dskpp}' xsi:type='ClientInfoType'"),
    ] {
        assert_eq!(client_info(attributes), Some(vec![0; 3]), "{attributes}");
    }
    for unknown in [
        "xmlns:q='urn:x' xsi:type='q:ClientInfoType'",
        "xmlns='' xsi:type='ClientInfoType'",
        "xmlns:q='urn:x' xsi:type='q:Other' Critical='false' Other='allowed'",
        "xsi:type='dskpp:OtherType'",
    ] {
        assert_eq!(client_info(unknown), None, "{unknown} is skipped");
    }
}

#[test]
fn p24_an_unknown_critical_extension_has_its_own_status() {
    for critical in ["true", "1", " true\n"] {
        let body = extension(&format!("xsi:type='dskpp:New' Critical='{critical}'"), "<x xmlns=''/>");
        let (status, _, _, four_pass, _) = refused(&body);
        assert_eq!((status, four_pass), (Status::UnknownCriticalExtension, true), "{critical}");
    }
}

#[test]
fn s6_1_s6_2_the_known_extensions_must_not_be_critical_misplaced_or_malformed() {
    let twice = "xsi:type='dskpp:ClientInfoType'";
    let body = extension(twice, &format!("{DATA}</dskpp:Extension><dskpp:Extension {twice}>{DATA}"));
    let mut bodies = vec![body, hello("</dskpp:KeyProvClientHello>", "<dskpp:Extensions/></dskpp:KeyProvClientHello>")];
    for (attributes, content) in [
        ("xsi:type='dskpp:ClientInfoType' Critical='true'", DATA),
        ("xsi:type='dskpp:ServerInfoType'", DATA),
        ("xsi:type='dskpp:ServerInfoType' Critical='1'", DATA),
        ("xsi:type='dskpp:ClientInfoType' Critical='yes'", DATA),
        ("xsi:type='dskpp:ClientInfoType' Other=''", DATA),
        ("xsi:type='dskpp:ClientInfoType'", ""),
        ("xsi:type='dskpp:ClientInfoType'", "text"),
        ("xsi:type='dskpp:ClientInfoType'", "<dskpp:Data>AAA</dskpp:Data>"),
        ("xsi:type='dskpp:ClientInfoType'", "<dskpp:Data/><dskpp:Data/>"),
        ("xsi:type='undeclared:ClientInfoType'", DATA),
        ("xsi:type=''", DATA),
        ("type='dskpp:ClientInfoType'", DATA),
        ("", DATA),
    ] {
        bodies.push(extension(attributes, content));
    }
    for body in bodies {
        let (status, ..) = refused(&body);
        assert_eq!(status, Status::MalformedRequest, "{body}");
    }
}

#[test]
fn s3_3_responses_carry_only_what_their_status_allows() {
    assert!(Response::read(SERVER_HELLO.as_bytes()).is_ok());
    assert!(Response::read(SERVER_FINISHED.as_bytes()).is_ok());
    let empty = |root: &str, attributes: &str| format!("<{root} {NS} Version=\"1.0\" {attributes}/>");
    for (name, status, ok) in [
        ("KeyProvServerHello", "Success", false),
        ("KeyProvServerHello", "Continue", false),
        ("KeyProvServerHello", "AccessDenied", true),
        ("KeyProvServerFinished", "Continue", false),
        ("KeyProvServerFinished", "Success", false),
        ("KeyProvServerFinished", "Abort", true),
        ("KeyProvServerFinished", "abort", false),
    ] {
        let body = empty(name, &format!("Status=\"{status}\" SessionID=\"1\""));
        let read = Response::read(body.as_bytes());
        assert_eq!(read.is_ok(), ok, "{body}: {read:?}");
    }
    for (message, from, to) in [
        (SERVER_HELLO, "Status=\"Continue\"", "Status=\"Success\""),
        (SERVER_HELLO, "Status=\"Continue\"", "Status=\"Abort\""), // ServerInfo is for Continue only
        (SERVER_HELLO, "Status=\"Continue\"", ""),
        (SERVER_HELLO, "SessionID=\"4114\"", ""),
        (SERVER_FINISHED, "Status=\"Success\"", "Status=\"Continue\""),
        (SERVER_FINISHED, "<dskpp:Mac>AAAA</dskpp:Mac>", ""),
        (SERVER_FINISHED, "dskpp:KeyContainer", "dskpp:Container"),
    ] {
        let body = changed(message, from, to);
        assert!(matches!(Response::read(body.as_bytes()), Err(ReadError::Refused { .. })), "{body}");
    }
}

#[test]
fn no_truncated_or_damaged_message_is_read_as_another_kind_or_panics() {
    for message in [CLIENT_HELLO, CLIENT_NONCE, SERVER_HELLO, SERVER_FINISHED, TRIGGER] {
        for len in 0..message.trim_end().len() {
            let part = &message.as_bytes()[..len];
            assert!(Request::read(part).is_err() && Response::read(part).is_err(), "{len}");
            assert!(Trigger::read(part).is_err(), "{len}");
        }
        for at in 0..message.len() {
            for flip in [0x01, 0x20, 0x80] {
                let mut body = message.as_bytes().to_vec();
                body[at] ^= flip;
                let _ = (Request::read(&body), Response::read(&body), Trigger::read(&body));
            }
        }
    }
}

#[test]
fn errors_never_repeat_a_value() {
    let body = hello(">A1<", &format!(">{}<", "SECRET".repeat(40)));
    let (.., why) = refused(&body);
    assert!(!format!("{why} {why:?}").contains("SECRET"), "{why:?}");
}
