//! Key packages of files, and the resulting tokens or errors.

use pskc::{KeyContainer, KeyUsage};

use super::*;
use crate::token::NotAllowed;

const HOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:hotp";
const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";
const OCRA: &str = "urn:ietf:params:xml:ns:keyprov:pskc:OCRA-1";
/// `12345678901234567890`, the key of RFC 4226 Appendix D and of RFC 6030's figures.
const SECRET: &str = "<Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>";
/// 16 octets.
const SECRET_16: &str = "<Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Ng==</PlainValue></Secret>";

/// A document with one key: `parameters` and what precedes them, the content of `Data`, the rest.
fn package(id: &str, algorithm: &str, parameters: &str, data: &str, rest: &str) -> KeyPackage {
    let algorithm = match algorithm {
        "" => String::new(),
        uri => format!(" Algorithm=\"{uri}\""),
    };
    let document = format!(
        "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\"><KeyPackage>\
         <Key Id=\"{id}\"{algorithm}>{parameters}<Data>{data}</Data>{rest}</Key></KeyPackage></KeyContainer>"
    );
    let mut container = KeyContainer::from_xml(document.as_bytes()).unwrap();
    container.key_packages.remove(0)
}

fn from_package(package: &KeyPackage) -> Result<Token, ImportError> {
    Token::from_package(package, SystemTime::now())
}

fn parameters(suite: &str, format: &str) -> String {
    let suite = if suite.is_empty() { String::new() } else { format!("<Suite>{suite}</Suite>") };
    format!("<AlgorithmParameters>{suite}{format}</AlgorithmParameters>")
}

fn format(length: u32) -> String {
    format!("<ResponseFormat Encoding=\"DECIMAL\" Length=\"{length}\"/>")
}

fn number(name: &str, value: i64) -> String {
    format!("<{name}><PlainValue>{value}</PlainValue></{name}>")
}

fn policy(content: &str) -> String {
    format!("<Policy>{content}</Policy>")
}

#[test]
fn s4_key_types_become_tokens_with_their_parameters() {
    let all = [number("Counter", 7), number("TimeInterval", 60), number("TimeDrift", -4)].concat();
    let text = |text: &str| Some(text.to_owned());
    // algorithm, parameters, type, digits, counter, period, drift, hash, suite
    let cases = [
        (HOTP, parameters("", &format(8)), "hotp", Some(8), Some(7), None, None, None, None),
        (HOTP, parameters("HMAC-SHA1", &format(10)), "hotp", Some(10), Some(7), None, None, None, None),
        (TOTP, String::new(), "totp", None, None, Some(60), Some(-4), None, None),
        (TOTP, parameters("HMAC-SHA512", &format(6)), "totp", Some(6), None, Some(60), Some(-4), text("SHA512"), None),
        ("urn:ietf:params:xml:ns:keyprov:pskc#totp", String::new(), "totp", None, None, Some(60), Some(-4), None, None),
        (
            OCRA,
            parameters("OCRA-1:HOTP-SHA1-6:C-QN08", &format(6)),
            "ocra",
            None,
            Some(7),
            None,
            None,
            None,
            text("OCRA-1:HOTP-SHA1-6:C-QN08"),
        ),
        (
            OCRA,
            parameters(" OCRA-1:HOTP-SHA1-6:QN08 ", ""),
            "ocra",
            None,
            None,
            None,
            None,
            None,
            text("OCRA-1:HOTP-SHA1-6:QN08"),
        ),
        ("urn:example:other", parameters("X", &format(99)), "urn:example:other", None, None, None, None, None, None),
    ];
    for (algorithm, parameters, key_type, digits, counter, period_s, drift, hash, suite) in cases {
        let token = from_package(&package("1", algorithm, &parameters, &format!("{SECRET}{all}"), "")).unwrap();
        assert_eq!((token.id.as_str(), token.key_type.as_str()), ("1", key_type));
        assert_eq!(token.secret.expose(), b"12345678901234567890", "{key_type}");
        let found = (token.digits, token.counter, token.period_s, token.drift, token.hash, token.suite);
        assert_eq!(found, (digits, counter, period_s, drift, hash, suite), "{key_type} {parameters}");
        assert_eq!(token.algorithm_uri, KeyType::from_uri(algorithm).uri());
        assert!(token.k_mac.is_none() && token.server_url.is_none() && token.usages.is_empty());
    }
    assert_eq!(from_package(&package("1", HOTP, "", SECRET, "")).unwrap().counter, Some(0));
}

#[test]
fn s6_cipher_keys_have_the_length_of_their_algorithm() {
    let uri = |name: &str| format!("http://www.w3.org/2001/04/xmlenc#{name}");
    let names = [
        ("aes128-cbc", "aes128", 16),
        ("aes192-cbc", "aes192", 24),
        ("aes256-cbc", "aes256", 32),
        ("kw-aes128", "kw-aes128", 16),
        ("kw-aes192", "kw-aes192", 24),
        ("kw-aes256", "kw-aes256", 32),
    ];
    for (name, key_type, len) in names {
        for found in [16, 20, 24, 32] {
            let secret = data_encoding::BASE64.encode(&vec![7; found]);
            let data = format!("<Secret><PlainValue>{secret}</PlainValue></Secret>");
            match from_package(&package("k", &uri(name), "", &data, "")) {
                Ok(token) => assert_eq!((token.key_type.as_str(), token.secret.len(), found), (key_type, len, len)),
                Err(why) => assert_eq!(why, ImportError::SecretLength { id: "k".into(), len: found }, "{name}"),
            }
        }
    }
}

#[test]
fn names_are_imported_and_the_devices_user_is_the_fallback() {
    let of_key = "<UserId>CN=ann</UserId>";
    let mut package = package("1", HOTP, "<Issuer>Bank</Issuer><FriendlyName>Card</FriendlyName>", SECRET, of_key);
    package.device_info = Some(pskc::DeviceInfo { user_id: Some("CN=bob".into()), ..Default::default() });
    let token = from_package(&package).unwrap();
    assert_eq!((token.label.as_deref(), token.issuer.as_deref()), (Some("Card"), Some("Bank")));
    assert_eq!(token.user.as_deref(), Some("CN=ann"));
    package.key.as_mut().unwrap().user_id = None;
    assert_eq!(from_package(&package).unwrap().user.as_deref(), Some("CN=bob"));
}

#[test]
fn s5_every_limit_of_the_policy_is_imported_and_enforced() {
    let content = "<StartDate>2026-01-01T00:00:00.250Z</StartDate><ExpiryDate>2027-01-01T00:00:00Z</ExpiryDate>\
                   <KeyUsage>OTP</KeyUsage><KeyUsage>CR</KeyUsage><KeyUsage>OTP</KeyUsage>\
                   <NumberOfTransactions>18446744073709551615</NumberOfTransactions>";
    let token = from_package(&package("1", HOTP, "", SECRET, &policy(content))).unwrap();
    assert_eq!(token.start.as_deref(), Some("2026-01-01T00:00:00.25Z"));
    assert_eq!(token.expiry.as_deref(), Some("2027-01-01T00:00:00Z"));
    assert_eq!((token.uses_left, token.usages.as_slice()), (Some(u64::MAX), &["OTP".to_owned(), "CR".to_owned()][..]));
    let check =
        |usage, now: &str| token.use_for(usage, SystemTime::from(now.parse::<jiff::Timestamp>().unwrap())).map(drop);
    assert_eq!(check(KeyUsage::Otp, "2026-06-01T00:00:00Z"), Ok(()));
    assert!(matches!(check(KeyUsage::Otp, "2026-01-01T00:00:00Z"), Err(NotAllowed::NotYet { .. })));
    assert!(matches!(check(KeyUsage::Encrypt, "2026-06-01T00:00:00Z"), Err(NotAllowed::Usage { .. })));
}

#[test]
fn unusable_keys_are_refused_with_the_reason() {
    let encrypted = |name: &str| {
        format!(
            "<{name}><EncryptedValue><e:EncryptionMethod xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\" \
             Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/><e:CipherData \
             xmlns:e=\"http://www.w3.org/2001/04/xmlenc#\"><e:CipherValue>AAAA</e:CipherValue></e:CipherData>\
             </EncryptedValue></{name}>"
        )
    };
    let id = || "1".to_owned();
    let with = |parameters: &str, data: &str, rest: &str| package("1", HOTP, parameters, data, rest);
    let limited = |content: &str| with("", SECRET, &policy(content));
    let long = data_encoding::BASE64.encode(&[1; 1025]);
    let long = format!("<Secret><PlainValue>{long}</PlainValue></Secret>");
    let cases = [
        (KeyPackage::default(), ImportError::NoKey),
        (package("", HOTP, "", SECRET, ""), ImportError::NoId),
        (package(" ", HOTP, "", SECRET, ""), ImportError::NoId),
        (package("\u{9b}2J", HOTP, "", SECRET, ""), ImportError::Id),
        (package("a&#10;b", HOTP, "", SECRET, ""), ImportError::Id),
        (package(&"1".repeat(257), HOTP, "", SECRET, ""), ImportError::Id),
        (package("1", "", "", SECRET, ""), ImportError::NoAlgorithm(id())),
        (with("", "", ""), ImportError::NoSecret(id())),
        (with("", "<Secret><PlainValue/></Secret>", ""), ImportError::NoSecret(id())),
        (with("", &encrypted("Secret"), ""), ImportError::Encrypted(id())),
        (with("", &format!("{SECRET}{}", encrypted("Counter")), ""), ImportError::Encrypted(id())),
        (with("", &long, ""), ImportError::SecretLength { id: id(), len: 1025 }),
        (limited("<dance xmlns='urn:v'/>"), ImportError::Policy(id())),
        (limited("<x:Geofence xmlns:x=\"urn:x\"/>"), ImportError::Policy(id())),
        (limited("<PINPolicy PINUsageMode=\"Local\" xmlns:x=\"urn:x\" x:Strength=\"9\"/>"), ImportError::Policy(id())),
        (limited("<PINPolicy PINUsageMode=\"Local\" PINKeyId=\"2\"/>"), ImportError::Pin(id())),
        (limited("<PINPolicy PINUsageMode=\"Append\"/>"), ImportError::Pin(id())),
    ];
    for (package, expected) in cases {
        let error = from_package(&package).unwrap_err();
        assert_eq!(error, expected);
        assert!(!error.to_string().contains("1234567890"), "no secret in {error}");
    }
}

#[test]
fn parameters_that_would_give_wrong_codes_are_refused() {
    let hex = "<ResponseFormat Encoding=\"HEXADECIMAL\" Length=\"8\"/>";
    let luhn = "<ResponseFormat Encoding=\"DECIMAL\" Length=\"8\" CheckDigits=\"true\"/>";
    let cases = [
        (HOTP, parameters("", &format(5)), String::new()),
        (HOTP, parameters("", &format(11)), String::new()),
        (HOTP, parameters("", &format(262)), String::new()),
        (HOTP, parameters("", hex), String::new()),
        (TOTP, parameters("", luhn), String::new()),
        (HOTP, parameters("HMAC-SHA256", ""), String::new()),
        (TOTP, parameters("HMAC-SHA384", ""), String::new()),
        (TOTP, parameters("HMAC-WHIRLPOOL", ""), String::new()),
        (HOTP, String::new(), number("Counter", -1)),
        (TOTP, String::new(), number("TimeInterval", 0)),
        (TOTP, String::new(), number("TimeInterval", -30)),
        (OCRA, String::new(), String::new()),
        (OCRA, parameters("HMAC-SHA1", ""), String::new()),
        (OCRA, parameters("OCRA-1:HOTP-SHA1-6:QN99", ""), String::new()),
        (OCRA, parameters("OCRA-1:HOTP-SHA1-6:C-QN08", ""), number("Counter", -1)),
    ];
    for (algorithm, parameters, data) in cases {
        let package = package("1", algorithm, &parameters, &format!("{SECRET}{data}"), "");
        let error = from_package(&package).unwrap_err();
        assert!(matches!(error, ImportError::Parameters { .. }), "{algorithm} {parameters} {data}: {error:?}");
    }
    let pin = package("1", "urn:ietf:params:xml:ns:keyprov:pskc:pin", &parameters("", &format(4)), SECRET_16, "");
    assert_eq!(from_package(&pin).unwrap().key_type, "pin", "only OTP keys have digits to fit");
}

/// `check` and imports share one rule for texts: [`pskc::unshown`] predicts what an import refuses.
#[test]
fn unprintable_texts_are_refused_as_check_reports() {
    use pskc::{DeviceInfo, Key, KeyData, Value};
    type Put = fn(&mut KeyPackage, String);
    fn device(package: &mut KeyPackage) -> &mut DeviceInfo {
        package.device_info.get_or_insert_default()
    }
    fn key(package: &mut KeyPackage) -> &mut Key {
        package.key.get_or_insert_default()
    }
    let texts: [(&str, Put); 9] = [
        ("Manufacturer", |package, text| device(package).manufacturer = Some(text)),
        ("SerialNo", |package, text| device(package).serial_no = Some(text)),
        ("Model", |package, text| device(package).model = Some(text)),
        ("IssueNo", |package, text| device(package).issue_no = Some(text)),
        ("UserId (of the device)", |package, text| device(package).user_id = Some(text)),
        ("Algorithm", |package, text| key(package).algorithm = Some(format!("urn:{text}"))),
        ("Issuer", |package, text| key(package).issuer = Some(text)),
        ("FriendlyName", |package, text| key(package).friendly_name = Some(text)),
        ("UserId", |package, text| key(package).user_id = Some(text)),
    ];
    let values =
        [String::new(), "a".repeat(256), "a".repeat(257), "a".repeat(1024), "a".repeat(1025), "a\u{202e}b".into()];
    for (name, put) in texts {
        for value in &values {
            for user in [None, Some("CN=u")] {
                let data = KeyData { secret: Some(Value::Plain(Secret::from_slice(&[7; 20]))), ..KeyData::default() };
                let algorithm = Some("urn:other".to_owned());
                let user_id = user.map(str::to_owned);
                let own = Key { id: "k".into(), algorithm, user_id, data: Some(data), ..Key::default() };
                let mut package = KeyPackage { key: Some(own), ..KeyPackage::default() };
                put(&mut package, value.clone());
                let said = pskc::unshown(&package).any(|text| text.is_refused);
                let refused = matches!(from_package(&package), Err(ImportError::Text { .. }));
                assert_eq!(said, refused, "{name} of {} characters, {user:?}", value.chars().count());
            }
        }
    }
}
