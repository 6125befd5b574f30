//! The example messages of RFC 6063 appendix B, and those of complete runs, read to their values.

use std::fs;
use std::path::{Path, PathBuf};

use dskpp::algorithm::*;
use dskpp::message::*;
use dskpp::status::Status;
use dskpp::version::Version;
use pskc::{DeviceInfo, KeyInfo};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

/// An example of appendix B.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let path = vectors().join("rfc6063").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every message of appendix B, including adjusted ones, and of every run in `vectors/dskpp`.
pub(crate) fn every_message() -> Vec<(String, Vec<u8>)> {
    let mut messages = Vec::new();
    for folder in ["rfc6063", "rfc6063/adjusted"] {
        for entry in fs::read_dir(vectors().join(folder)).expect("the vectors are here") {
            let path = entry.expect("a readable folder").path();
            if path.extension().is_some_and(|extension| extension == "xml") {
                messages.push((path.display().to_string(), fs::read(&path).expect("readable")));
            }
        }
    }
    assert_eq!(messages.len(), 17);
    for entry in fs::read_dir(vectors().join("dskpp")).expect("the vectors are here") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let text = fs::read(&path).expect("readable");
            let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
            collect(&path.display().to_string(), &json, &mut messages);
        }
    }
    assert!(messages.len() > 60, "{} messages", messages.len());
    messages
}

/// All texts that are XML documents.
fn collect(name: &str, value: &serde_json::Value, messages: &mut Vec<(String, Vec<u8>)>) {
    match value {
        serde_json::Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                collect(&format!("{name}/{i}"), item, messages);
            }
        }
        serde_json::Value::Object(fields) => {
            for (key, item) in fields {
                collect(&format!("{name}/{key}"), item, messages);
            }
        }
        serde_json::Value::String(text) if text.starts_with("<?xml") => {
            messages.push((name.to_owned(), text.clone().into_bytes()));
        }
        _ => {}
    }
}

fn client_hello(name: &str) -> ClientHello {
    match Request::read(&vector(name)) {
        Ok(Request::ClientHello(hello)) => hello,
        other => panic!("{name}: {other:?}"),
    }
}

fn server_hello(name: &str) -> ServerHello {
    match Response::read(&vector(name)) {
        Ok(Response::ServerHello(hello)) => hello,
        other => panic!("{name}: {other:?}"),
    }
}

fn server_finished(name: &str) -> ServerFinished {
    match Response::read(&vector(name)) {
        Ok(Response::ServerFinished(finished)) => finished,
        other => panic!("{name}: {other:?}"),
    }
}

fn base64(text: &str) -> Vec<u8> {
    data_encoding::BASE64.decode(text.as_bytes()).expect("base64")
}

fn device() -> DeviceInfo {
    DeviceInfo {
        manufacturer: Some("TokenVendorAcme".into()),
        serial_no: Some("987654321".into()),
        start_date: Some("2009-09-01T00:00:00Z".parse().expect("a date")),
        expiry_date: Some("2014-09-01T00:00:00Z".parse().expect("a date")),
        ..DeviceInfo::default()
    }
}

#[test]
fn b1_trigger() {
    let trigger = Trigger::read(&vector("b1-trigger.xml")).expect("B.1");
    assert_eq!(
        trigger,
        Trigger {
            version: Version::V1_0,
            device_identifier_data: Some(device()),
            key_id: Some(b"HOTP00000001".to_vec()),
            token_platform_info: Some(TokenPlatformInfo {
                key_location: Some(Platform::Hardware),
                algorithm_location: Some(Platform::Software),
            }),
            authentication_data: AuthenticationData {
                client_id: Some("31300257".into()),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: None,
                    iteration_count: Some(512),
                    mac: Mac { algorithm: None, value: base64("4bRJf9xXd3KchKoTenHJiw==") },
                },
            },
            // No scheme, as printed; the line break after it is dropped.
            server_url: Some("keyprovservice.example.com".into()),
        }
    );
    assert_eq!(Trigger::read(&trigger.write()).expect("written"), trigger);
}

/// The offer that all example ClientHellos share.
fn offer() -> ClientHello {
    ClientHello {
        version: Version::V1_0,
        device_identifier_data: Some(device()),
        key_id: None,
        client_nonce: None,
        supported_key_types: vec![KeyType::Hotp, KeyType::SecurIdAes],
        supported_encryption_algorithms: vec![EncryptionAlgorithm::Aes128Cbc],
        supported_mac_algorithms: vec![MacAlgorithm::PrfSha256],
        supported_protocol_variants: Some(ProtocolVariants { four_pass: true, two_pass: None }),
        supported_key_packages: Some(vec![PackageFormat::Pskc]),
        authentication_data: None,
        extensions: MessageExtensions::default(),
    }
}

#[test]
fn b2_1_and_b2_2_client_hello() {
    let hello = client_hello("b2-1-client-hello.xml");
    assert_eq!(hello, offer());
    assert!(hello.offers_four_pass() && hello.two_pass_methods().is_empty());
    let renewal = ClientHello { key_id: Some(b"HOTP00000001".to_vec()), ..offer() };
    assert_eq!(client_hello("b2-2-client-hello.xml"), renewal);
}

#[test]
fn p17_a_hello_without_variants_and_packages_offers_four_pass_and_pskc() {
    let hello = ClientHello { supported_protocol_variants: None, supported_key_packages: None, ..offer() };
    assert!(hello.offers_four_pass());
    assert_eq!(hello.package_formats(), [PackageFormat::Pskc]);
}

#[test]
fn b2_3_and_b2_4_server_hello() {
    let body = ServerHelloBody {
        key_type: KeyType::Hotp,
        encryption_algorithm: EncryptionAlgorithm::Aes128Cbc,
        mac_algorithm: MacAlgorithm::PrfSha256,
        encryption_key: KeyInfo { key_name: Some("Example-Key1".into()), ..KeyInfo::default() },
        key_package_format: PackageFormat::Pskc,
        r_s: base64("EjRWeJASNFZ4kBI0VniQEg=="),
        extensions: MessageExtensions::default(),
        mac: None,
    };
    let hello = ServerHello {
        version: Version::V1_0,
        session_id: Some("4114".into()),
        status: Status::Continue,
        body: Some(body.clone()),
    };
    assert_eq!(server_hello("b2-3-server-hello.xml"), hello);

    // The MAC names an algorithm other than the chosen one and is readable text, as printed.
    let renewal = ServerHelloBody {
        key_type: KeyType::SecurIdAes,
        r_s: base64("qw2ewasde312asder394jw=="),
        mac: Some(Mac { algorithm: Some(MacAlgorithm::PrfAes128), value: b"qw2random312asder394jw".to_vec() }),
        ..body
    };
    assert_eq!(server_hello("b2-4-server-hello.xml"), ServerHello { body: Some(renewal), ..hello });
}

#[test]
fn b2_5_client_nonce() {
    let Ok(Request::ClientNonce(nonce)) = Request::read(&vector("b2-5-client-nonce.xml")) else {
        panic!("B.2.5 is a ClientNonce");
    };
    assert_eq!((nonce.session_id.as_str(), nonce.authentication_data), ("4114", None));
    assert_eq!(nonce.encrypted_nonce.len(), 64);
    assert_eq!(nonce.encrypted_nonce[..4], [0xa1, 0x3b, 0xe8, 0xf9]);
}

#[test]
fn b2_6_server_finished_has_a_key_without_its_value() {
    let finished = server_finished("b2-6-server-finished.xml");
    assert_eq!((finished.status, finished.session_id.as_deref()), (Status::Success, Some("4114")));
    let body = finished.body.clone().expect("it has a key package");
    assert_eq!(body.mac.algorithm, Some(MacAlgorithm::PrfSha256));
    assert_eq!(body.mac.value, base64("151yAR2NqU5dJzETK+SGYqN6sq6DEH5AgHohra3Jpp4="));
    assert_eq!((&body.key_package.server_id, &body.key_package.key_protection_method), (&None, &None));
    let container = body.key_package.content.container().unwrap();
    assert_eq!(container.id.as_deref(), Some("KC0001"));
    let package = &container.key_packages[0];
    assert_eq!(package.device_info, Some(device()), "without the white space that was printed");
    let key = package.key.as_ref().expect("a key");
    assert_eq!(key.id, "MBK000000001");
    assert_eq!(key.issuer.as_deref(), Some("Example-Issuer"));
    assert!(key.data.as_ref().is_some_and(|data| data.secret.is_none()));
    assert_eq!(server_finished("adjusted/b2-6-server-finished.xml"), finished);
}

#[test]
fn b3_client_hellos_of_two_pass() {
    let nonce = base64("ESIzRFVmd4iZqrvM3e7/ESIzRFVmd4iZqrvM3e7/ESI=");
    let named = |name: &str| KeyInfo { key_name: Some(name.into()), ..KeyInfo::default() };
    for (file, method, encryption, key, iterations, mac) in [
        (
            "b3-1-client-hello.xml",
            ProtectionMethod::Transport,
            EncryptionAlgorithm::Rsa15,
            None,
            100_000,
            "3eRz51ILqiG+dJW2iLcjuA==",
        ),
        (
            "b3-2-client-hello.xml",
            ProtectionMethod::Wrap,
            EncryptionAlgorithm::Aes128Cbc,
            Some(named("Pre-shared-key-1")),
            1,
            "3eRz51ILqiG+dJW2iLcjuA==",
        ),
        (
            "b3-3-client-hello.xml",
            ProtectionMethod::PassphraseWrap,
            EncryptionAlgorithm::Rsa15,
            Some(named("Passphrase-1")),
            1,
            "K4YvLMN6Q1DZvtShoCxQag==",
        ),
    ] {
        let hello = client_hello(file);
        let [KeyProtection { method: read_method, payload: Some(Payload::KeyInfo(read_key)) }] =
            hello.two_pass_methods()
        else {
            panic!("{file}: {hello:?}");
        };
        assert_eq!(*read_method, method);
        match key {
            Some(key) => assert_eq!(*read_key, key),
            None => assert_eq!(read_key.x509_certificates[0].len(), 491),
        }
        let expected = ClientHello {
            supported_encryption_algorithms: vec![encryption],
            supported_protocol_variants: hello.supported_protocol_variants.clone(),
            authentication_data: Some(AuthenticationData {
                client_id: Some("AC00000A".into()),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: Some(nonce.clone()),
                    iteration_count: Some(iterations),
                    mac: Mac { algorithm: Some(MacAlgorithm::PrfSha256), value: base64(mac) },
                },
            }),
            ..offer()
        };
        assert_eq!(hello, expected, "{file}");
        assert!(!hello.offers_four_pass());
    }
}

#[test]
fn b3_server_finished_of_two_pass() {
    for (file, mac) in [
        ("b3-1-server-finished.xml", "GHZ0H6Y+KpxdlVZ7zgcJDiDdqc8Gcmlcf+HQi4EUxYU="),
        ("b3-2-server-finished.xml", "l53BmSO6qUzoIgbQegimsKk2es+WRpEl0YFqaOp5PGE="),
        ("b3-3-server-finished.xml", "Jc4VsNODYXgfbDmTn9qQZgcL3cKoa//j/NRT7sTpKOM="),
    ] {
        let finished = server_finished(file);
        let body = finished.body.clone().expect("it has a key package");
        assert_eq!(body.mac.value, base64(mac), "{file}");
        let key = body.key_package.content.container().unwrap().key_packages[0].key.as_ref().expect("a key");
        assert!(key.data.as_ref().is_some_and(|data| data.secret.is_some()), "{file}");
        // Values that PSKC keeps unchanged, such as a DerivedKey, keep the printed white space.
        let without_derived_key = |mut finished: ServerFinished| {
            let body = finished.body.as_mut().expect("it has a key package");
            let key = body.key_package.content.container_mut().unwrap().encryption_key.as_mut();
            key.expect("K_PROV is encrypted").other.clear();
            finished
        };
        let adjusted = server_finished(&format!("adjusted/{file}"));
        assert_eq!(without_derived_key(adjusted), without_derived_key(finished), "{file}");
    }
}

/// Any message, as what was read.
#[derive(Debug, PartialEq)]
enum Message {
    Request(Request),
    Response(Response),
    Trigger(Trigger),
}

impl Message {
    fn read(body: &[u8]) -> Self {
        match (Request::read(body), Response::read(body), Trigger::read(body)) {
            (Ok(request), Err(_), Err(_)) => Message::Request(request),
            (Err(_), Ok(response), Err(_)) => Message::Response(response),
            (Err(_), Err(_), Ok(trigger)) => Message::Trigger(trigger),
            none => panic!("{none:?}"),
        }
    }

    fn write(&self) -> Vec<u8> {
        match self {
            Message::Request(request) => request.write(),
            Message::Response(response) => response.write(),
            Message::Trigger(trigger) => trigger.write(),
        }
    }
}

#[test]
fn s8_2_every_message_round_trips() {
    for (name, body) in every_message() {
        let message = Message::read(&body);
        assert_eq!(Message::read(&message.write()), message, "{name}");
    }
}

#[test]
fn s1_3_1_any_prefix_and_either_spelling_of_an_empty_element_mean_the_same() {
    for (name, body) in every_message() {
        let message = Message::read(&body);
        let text = String::from_utf8(message.write()).expect("UTF-8");
        let unprefixed = text
            .replace("<dskpp:", "<")
            .replace("</dskpp:", "</")
            .replace("xmlns:dskpp=", "xmlns=")
            .replace("\"dskpp:", "\"");
        assert_eq!(Message::read(unprefixed.as_bytes()), message, "{name}");
        let spelled_out = spell_out_empty_elements(&text);
        assert_eq!(Message::read(spelled_out.as_bytes()), message, "{name}");
    }
}

/// `<a b="c"/>` becomes `<a b="c"></a>`.
fn spell_out_empty_elements(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive('>') {
        match (piece.strip_suffix("/>"), piece.rfind('<')) {
            (Some(tag), Some(start)) => {
                let name = tag[start + 1..].split(' ').next().expect("a name");
                out.push_str(&format!("{tag}></{name}>"));
            }
            _ => out.push_str(piece),
        }
    }
    out
}

#[test]
fn s6_2_the_mark_is_where_the_server_info_stands() {
    let mut hello = server_hello("b2-4-server-hello.xml");
    assert_eq!(hello.write_with_mark(), (hello.write(), None));
    let sealed: Vec<u8> = (0..=255).collect();
    for client_info in [None, Some(b"echo".to_vec())] {
        let body = hello.body.as_mut().expect("it has a body");
        body.extensions = MessageExtensions { client_info, server_info: Some(sealed.clone()) };
        let (message, mark) = hello.write_with_mark();
        let mark = mark.expect("a ServerInfo was written");
        assert_eq!(message[mark.clone()], *data_encoding::BASE64.encode(&sealed).as_bytes());
        let text = String::from_utf8(message).expect("UTF-8");
        assert!(text[..mark.start].ends_with("xsi:type=\"dskpp:ServerInfoType\"><dskpp:Data>"));
        // Replacing the seal by another of the same length leaves the rest unchanged.
        let body = hello.body.as_mut().expect("it has a body");
        body.extensions.server_info = Some(vec![0; 256]);
        let (other, other_mark) = hello.write_with_mark();
        assert_eq!(other_mark, Some(mark.clone()));
        assert_eq!(other[..mark.start], text.as_bytes()[..mark.start]);
        assert_eq!(other[mark.end..], text.as_bytes()[mark.end..]);
    }
}
