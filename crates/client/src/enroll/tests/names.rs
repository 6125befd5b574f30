//! Names of keys, chosen by a server or by the user.

use dskpp::algorithm::KeyType;
use pskc::DeviceInfo;

use super::*;
use crate::{key_type_from_name, key_type_name};

#[test]
fn key_types_have_short_names() {
    for key_type in DEFAULT_KEY_TYPES {
        assert_eq!(key_type_from_name(key_type_name(&key_type)), Some(key_type.clone()));
        assert_eq!(key_type_from_name(key_type.uri()), Some(key_type));
    }
    assert_eq!(key_type_from_name("TOTP"), Some(KeyType::Totp));
    assert_eq!(key_type_from_name("des"), None);
}

/// Texts with effects in a terminal or a list beyond being displayed.
const DECEPTIVE: [&str; 12] = [
    "K1 ",
    "K\u{a0}1",
    "K\u{ad}1",
    "\u{3164}",
    "\u{9b}2J",
    "K\u{202e}1YEK",
    "K\n1",
    "K\r1",
    "K\u{2066}1",
    "K\u{200b}1",
    "K\u{e0041}1",
    "\u{2028}",
];

#[tokio::test]
async fn no_name_from_a_server_reaches_the_store_that_an_import_would_refuse() {
    let long = "x".repeat(5000);
    type Put = fn(&mut PackageSpec, String);
    let places: [(&str, Put); 6] = [
        ("id", |spec, text| spec.key_id = text),
        ("issuer", |spec, text| spec.issuer = Some(text)),
        ("user", |spec, text| spec.user_id = Some(text)),
        ("server", |spec, text| spec.server_id = text),
        ("manufacturer", |spec, text| {
            spec.device = Some(DeviceInfo { manufacturer: Some(text), ..DeviceInfo::default() })
        }),
        ("serial number", |spec, text| {
            spec.device = Some(DeviceInfo { serial_no: Some(text), ..DeviceInfo::default() })
        }),
    ];
    for (what, put) in places {
        for text in DECEPTIVE.iter().copied().chain([long.as_str()]) {
            let mut spec = package(KeyType::Totp);
            put(&mut spec, text.to_owned());
            let (url, _server) = Server::start(spec, 0);
            let (_folder, mut store) = store();
            let said = match enroll(&transport(), &mut store, request(&url, "3582AF0C3E")).await {
                // A ServerID is a URI, so it contains no line ends.
                Ok(enrolled) if what == "server" && text.contains(['\n', '\r']) => {
                    assert_eq!(enrolled.server_id.as_deref(), Some("K1"));
                    continue;
                }
                // Element texts are trimmed.
                Ok(_) if what != "id" && text.ends_with(' ') => {
                    let Token { issuer, user, server_id, manufacturer, serial, .. } = stored(&store, "OATH0001");
                    let texts = [issuer, user, server_id, manufacturer, serial];
                    assert!(texts.into_iter().flatten().all(|text| pskc::is_name(&text)), "{what}");
                    continue;
                }
                other => other.unwrap_err().to_string(),
            };
            assert!(!said.chars().any(pskc::is_deceptive) && said.len() < 1000, "{what} {text:?}: {said:?}");
            assert_eq!(store.load().unwrap(), Tokens::default(), "{what} {text:?}");
        }
    }
    // Unusual names are accepted.
    let unusual = "K\u{e9}y '$(id)' `id` \u{645}\u{6cc}\u{200c}\u{62e}";
    let mut spec = package(KeyType::Totp);
    (spec.key_id, spec.issuer) = (unusual.into(), Some(unusual.into()));
    let (_folder, mut store) = store();
    enroll(&transport(), &mut store, request(&Server::start(spec, 0).0, "3582AF0C3E")).await.unwrap();
    assert_eq!(stored(&store, unusual).issuer.as_deref(), Some(unusual));
}

#[tokio::test]
async fn a_label_that_is_no_name_is_refused_before_anything_is_sent() {
    for label in DECEPTIVE {
        let (url, server) = Server::start(package(KeyType::Totp), 0);
        let (_folder, mut store) = store();
        let mut request = request(&url, "3582AF0C3E");
        request.label = Some(label.into());
        let error = enroll(&transport(), &mut store, request).await.unwrap_err();
        assert!(matches!(error, EnrollError::Enrolment(EnrolmentError::Label)), "{error:?}");
        assert_eq!(server.lock().unwrap().hellos, 0);
    }
}
