//! Written messages are valid by the schema of RFC 6063 §8.2, if that and xmllint are
//! available.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dskpp::algorithm::*;
use dskpp::message::*;
use dskpp::status::Status;
use dskpp::version::Version;

use crate::rfc6063::{every_message, vector};

/// Writes a message that was read.
fn rewritten(body: &[u8]) -> Vec<u8> {
    if let Ok(request) = Request::read(body) {
        return request.write();
    }
    if let Ok(response) = Response::read(body) {
        return response.write();
    }
    Trigger::read(body).expect("a message of some kind").write()
}

fn schema() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema/dskpp.xsd");
    let xmllint = Command::new("xmllint").arg("--version").stderr(Stdio::null()).status();
    match path.exists() && xmllint.is_ok() {
        true => Some(path),
        false => {
            assert!(
                std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"),
                "xmllint and ../shared/schema are missing"
            );
            eprintln!("not checked: needs xmllint (libxml2-utils) and {}", path.display());
            None
        }
    }
}

fn assert_valid(schema: &Path, what: &str, message: &[u8]) {
    let mut xmllint = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("xmllint starts");
    xmllint.stdin.take().expect("piped").write_all(message).expect("xmllint reads");
    let output = xmllint.wait_with_output().expect("xmllint ends");
    let text = String::from_utf8_lossy(message);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}\n{text}");
}

#[test]
fn s8_2_key_packages_of_other_formats_are_valid() {
    let Some(schema) = schema() else { return };
    let Ok(Response::ServerFinished(finished)) = Response::read(&vector("b3-2-server-finished.xml")) else { panic!() };
    for format in [PackageFormat::Skpc, PackageFormat::Pkcs12, PackageFormat::Pkcs5Xml] {
        let mut finished = finished.clone();
        let content = PackageContent::Encoded { format: format.clone(), octets: vec![0x30; 100] };
        finished.body.as_mut().expect("a success").key_package.content = content;
        assert_valid(&schema, format.uri(), &finished.write());
    }
}

#[test]
fn s8_2_every_message_of_the_vectors_is_valid_when_rewritten() {
    let Some(schema) = schema() else { return };
    for (name, body) in every_message() {
        assert_valid(&schema, &name, &rewritten(&body));
    }
}

fn mac(algorithm: Option<MacAlgorithm>) -> Mac {
    Mac { algorithm, value: vec![1; 16] }
}

fn full_authentication_data() -> AuthenticationData {
    AuthenticationData {
        client_id: Some("AC<&>\"'\u{e9}".into()),
        authentication_code_mac: AuthenticationCodeMac {
            nonce: Some(vec![2; 32]),
            iteration_count: Some(100_000),
            mac: mac(Some(MacAlgorithm::PrfSha256)),
        },
    }
}

#[test]
fn s8_2_messages_with_everything_and_with_nothing_are_valid() {
    let Some(schema) = schema() else { return };
    let info = MessageExtensions { client_info: Some(b"c".to_vec()), server_info: None };
    let Ok(Request::ClientHello(rich)) = Request::read(&vector("b3-1-client-hello.xml")) else {
        panic!("B.3.1 is a ClientHello");
    };
    let hello = ClientHello {
        key_id: Some(b"key".to_vec()),
        client_nonce: Some(vec![3; 16]),
        supported_key_types: vec![KeyType::Totp, KeyType::Unknown("urn:x?a=1&b=2".into())],
        supported_protocol_variants: Some(ProtocolVariants {
            four_pass: true,
            two_pass: Some(vec![
                KeyProtection { method: ProtectionMethod::Wrap, payload: Some(Payload::Nonce(vec![4; 16])) },
                KeyProtection { method: ProtectionMethod::PassphraseWrap, payload: None },
                rich.two_pass_methods()[0].clone(),
            ]),
        }),
        authentication_data: Some(full_authentication_data()),
        extensions: info.clone(),
        ..rich.clone()
    };
    let bare_hello = ClientHello {
        device_identifier_data: None,
        supported_protocol_variants: Some(ProtocolVariants::default()),
        supported_key_packages: None,
        authentication_data: None,
        ..rich
    };
    let Ok(Response::ServerHello(rich)) = Response::read(&vector("b2-4-server-hello.xml")) else {
        panic!("B.2.4 is a ServerHello");
    };
    let mut server_hello = rich.clone();
    if let Some(body) = &mut server_hello.body {
        body.extensions = MessageExtensions { server_info: Some(vec![5; 100]), ..info.clone() };
    }
    let failure = ServerHello { status: Status::AccessDenied, session_id: None, body: None, ..rich };
    let Ok(Response::ServerFinished(rich)) = Response::read(&vector("b2-6-server-finished.xml")) else {
        panic!("B.2.6 is a ServerFinished");
    };
    let mut finished = rich.clone();
    if let Some(body) = &mut finished.body {
        body.key_package.server_id = Some("https://keys.example.com/?a=1&b=2".into());
        body.key_package.key_protection_method = Some(ProtectionMethod::Transport);
        body.extensions = info.clone();
        body.authentication_data = Some(full_authentication_data().authentication_code_mac);
    }
    let nonce = ClientNonce {
        version: Version::V1_0,
        session_id: "\"4114\"".into(),
        encrypted_nonce: vec![6; 256],
        authentication_data: Some(full_authentication_data()),
        extensions: MessageExtensions { server_info: Some(vec![7; 3]), ..info },
    };
    let mut trigger = Trigger::read(&vector("b1-trigger.xml")).expect("B.1 is a trigger");
    trigger.token_platform_info = Some(TokenPlatformInfo::default());
    let mut messages = vec![
        ("hello", hello.write()),
        ("bare hello", bare_hello.write()),
        ("server hello", server_hello.write()),
        ("failed hello", failure.write()),
        ("nonce", nonce.write()),
        ("finished", finished.write()),
        ("trigger", trigger.write()),
    ];
    for status in Status::ALL.into_iter().filter(|status| status.is_failure()) {
        let failed = ServerFinished { version: Version::V1_0, session_id: Some("1".into()), status, body: None };
        messages.push((status.as_str(), failed.write()));
    }
    for (what, message) in messages {
        assert_valid(&schema, what, &message);
        assert_eq!(rewritten(&message), message, "{what} is read to what was written");
    }
}
