//! Every written message reads back to the same values.

use dskpp::algorithm::*;
use dskpp::message::*;
use dskpp::status::Status;
use dskpp::version::Version;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use pskc::{DeviceInfo, KeyInfo};

use crate::rfc6063::vector;

fn octets() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..80)
}

fn nonce() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 16..70)
}

/// Text of XML characters, including those that must be escaped.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~\t\n\r<>&\"'\u{e9}\u{20ac}\u{1f511}]{0,128}", "[A-Z0-9]{1,16}"]
}

fn uri() -> impl Strategy<Value = String> {
    "[a-z]{1,5}:[!-~\u{e9}]{0,40}"
}

macro_rules! identifier {
    ($name:ident, $type:ty, [$($known:expr),*]) => {
        fn $name() -> impl Strategy<Value = $type> {
            prop_oneof![$(Just($known),)* uri().prop_map(|uri| <$type>::from_uri(&uri))]
        }
    };
}

identifier!(key_type, KeyType, [KeyType::Hotp, KeyType::Ocra, KeyType::KwAes192]);
identifier!(encryption, EncryptionAlgorithm, [EncryptionAlgorithm::Rsa15, EncryptionAlgorithm::PrfSha256]);
identifier!(mac_algorithm, MacAlgorithm, [MacAlgorithm::PrfAes128, MacAlgorithm::PrfSha256]);
identifier!(method, ProtectionMethod, [ProtectionMethod::Wrap, ProtectionMethod::Transport]);
identifier!(format, PackageFormat, [PackageFormat::Pskc, PackageFormat::Pkcs12]);

fn version() -> impl Strategy<Value = Version> {
    (0u16..1000).prop_map(|minor| Version { major: 1, minor })
}

fn status() -> impl Strategy<Value = Status> {
    proptest::sample::select(Status::ALL.into_iter().filter(|s| s.is_failure()).collect::<Vec<_>>())
}

fn device() -> impl Strategy<Value = DeviceInfo> {
    (of("[!-~]{1,20}"), of("[!-~]{1,20}")).prop_map(|(manufacturer, serial_no)| DeviceInfo {
        manufacturer,
        serial_no,
        ..DeviceInfo::default()
    })
}

fn key_info() -> impl Strategy<Value = KeyInfo> {
    "[!-~]{1,30}".prop_map(|name| KeyInfo { key_name: Some(name), ..KeyInfo::default() })
}

fn mac() -> impl Strategy<Value = Mac> {
    (of(mac_algorithm()), octets()).prop_map(|(algorithm, value)| Mac { algorithm, value })
}

fn code_mac() -> impl Strategy<Value = AuthenticationCodeMac> {
    (of(nonce()), of(any::<i32>()), mac()).prop_map(|(nonce, iteration_count, mac)| AuthenticationCodeMac {
        nonce,
        iteration_count,
        mac,
    })
}

fn authentication_data() -> impl Strategy<Value = AuthenticationData> {
    (of(text()), code_mac())
        .prop_map(|(client_id, authentication_code_mac)| AuthenticationData { client_id, authentication_code_mac })
}

fn extensions(server_info: bool) -> impl Strategy<Value = MessageExtensions> {
    (of(octets()), of(octets())).prop_map(move |(client_info, data)| MessageExtensions {
        client_info,
        server_info: data.filter(|_| server_info),
    })
}

fn variants() -> impl Strategy<Value = ProtocolVariants> {
    let payload = prop_oneof![nonce().prop_map(Payload::Nonce), key_info().prop_map(Payload::KeyInfo)];
    let protection = (method(), of(payload)).prop_map(|(method, payload)| KeyProtection { method, payload });
    (any::<bool>(), of(vec(protection, 1..4)))
        .prop_map(|(four_pass, two_pass)| ProtocolVariants { four_pass, two_pass })
}

fn client_hello() -> impl Strategy<Value = ClientHello> {
    let lists = (vec(key_type(), 1..4), vec(encryption(), 1..4), vec(mac_algorithm(), 1..4));
    let offer = (of(variants()), of(vec(format(), 1..4)));
    let rest = (of(authentication_data()), extensions(false));
    (version(), of(device()), of(octets()), of(nonce()), lists, offer, rest).prop_map(
        |(version, device_identifier_data, key_id, client_nonce, lists, offer, rest)| ClientHello {
            version,
            device_identifier_data,
            key_id,
            client_nonce,
            supported_key_types: lists.0,
            supported_encryption_algorithms: lists.1,
            supported_mac_algorithms: lists.2,
            supported_protocol_variants: offer.0,
            supported_key_packages: offer.1,
            authentication_data: rest.0,
            extensions: rest.1,
        },
    )
}

fn client_nonce() -> impl Strategy<Value = ClientNonce> {
    (version(), text(), octets(), of(authentication_data()), extensions(true)).prop_map(
        |(version, session_id, encrypted_nonce, authentication_data, extensions)| ClientNonce {
            version,
            session_id,
            encrypted_nonce,
            authentication_data,
            extensions,
        },
    )
}

fn server_hello() -> impl Strategy<Value = ServerHello> {
    let choice = (key_type(), encryption(), mac_algorithm(), key_info(), format());
    let body =
        (choice, nonce(), extensions(true), of(mac())).prop_map(|(choice, r_s, extensions, mac)| ServerHelloBody {
            key_type: choice.0,
            encryption_algorithm: choice.1,
            mac_algorithm: choice.2,
            encryption_key: choice.3,
            key_package_format: choice.4,
            r_s,
            extensions,
            mac,
        });
    let failed = (version(), of(text()), status()).prop_map(|(version, session_id, status)| ServerHello {
        version,
        session_id,
        status,
        body: None,
    });
    let chosen = (version(), text(), body).prop_map(|(version, session_id, body)| ServerHello {
        version,
        session_id: Some(session_id),
        status: Status::Continue,
        body: Some(body),
    });
    prop_oneof![1 => failed, 3 => chosen]
}

/// Containers of the RFC, and packages in other formats.
fn contents() -> Vec<PackageContent> {
    let codec = |format| PackageContent::Encoded { format, octets: (0..=255).collect() };
    let encoded = [PackageFormat::Skpc, PackageFormat::Pkcs12, PackageFormat::Pkcs5Xml].map(codec);
    let container = |name: &&str| match Response::read(&vector(name)) {
        Ok(Response::ServerFinished(finished)) => finished.body.expect("a success").key_package.content,
        other => panic!("{name}: {other:?}"),
    };
    ["b2-6-server-finished.xml", "b3-1-server-finished.xml", "b3-2-server-finished.xml"]
        .iter()
        .map(container)
        .chain(encoded)
        .collect()
}

fn server_finished() -> impl Strategy<Value = ServerFinished> {
    let package = (of(uri()), of(method()), proptest::sample::select(contents())).prop_map(
        |(server_id, key_protection_method, content)| ServerKeyPackage { server_id, key_protection_method, content },
    );
    let body = (package, extensions(false), mac(), of(code_mac())).prop_map(
        |(key_package, extensions, mac, authentication_data)| ServerFinishedBody {
            key_package,
            extensions,
            mac,
            authentication_data,
        },
    );
    let outcome = prop_oneof![
        1 => status().prop_map(|status| (status, None)),
        3 => body.prop_map(|body| (Status::Success, Some(body))),
    ];
    (version(), of(text()), outcome).prop_map(|(version, session_id, (status, body))| ServerFinished {
        version,
        session_id,
        status,
        body,
    })
}

fn trigger() -> impl Strategy<Value = Trigger> {
    let platform = || of(Just(Platform::Hardware).prop_union(Just(Platform::Unspecified)));
    let info = (platform(), platform())
        .prop_map(|(key_location, algorithm_location)| TokenPlatformInfo { key_location, algorithm_location });
    (version(), of(device()), of(octets()), of(info), authentication_data(), of(uri())).prop_map(
        |(version, device_identifier_data, key_id, token_platform_info, data, server_url)| Trigger {
            version,
            device_identifier_data,
            key_id,
            token_platform_info,
            authentication_data: data,
            server_url,
        },
    )
}

proptest! {
    #[test]
    fn requests(request in prop_oneof![
        client_hello().prop_map(Request::ClientHello),
        client_nonce().prop_map(Request::ClientNonce),
    ]) {
        prop_assert_eq!(Request::read(&request.write()), Ok(request));
    }

    #[test]
    fn responses(response in prop_oneof![
        server_hello().prop_map(Response::ServerHello),
        server_finished().prop_map(Response::ServerFinished),
    ]) {
        prop_assert_eq!(Response::read(&response.write()), Ok(response));
    }

    #[test]
    fn triggers(trigger in trigger()) {
        prop_assert_eq!(Trigger::read(&trigger.write()), Ok(trigger));
    }

    #[test]
    fn no_octets_make_a_reader_panic(body in vec(any::<u8>(), 0..300)) {
        prop_assert!(Request::read(&body).is_err() && Response::read(&body).is_err());
    }
}
