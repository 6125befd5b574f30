//! Lenient reading of vendors' files and old drafts: the resulting model and the warnings.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "lenient/told.rs"]
mod told;
#[path = "lenient/vectors.rs"]
mod vectors;

use dskpp_crypto::{Secret, SeededRandom};
use pskc::{DecryptionKey, Error, KeyContainer, KeyPackage, KeyUsage, Opener, OpenerOptions, Protector, Value};

/// A document with this content, in the namespace of RFC 6030.
fn document(content: &str) -> String {
    format!("<KeyContainer Version='1.0' xmlns='urn:ietf:params:xml:ns:keyprov:pskc'>{content}</KeyContainer>")
}

fn read(document: &str) -> Result<(KeyContainer, Vec<String>), Error> {
    let (container, warnings) = KeyContainer::from_xml_lenient(document.as_bytes())?;
    Ok((container, warnings.iter().map(ToString::to_string).collect()))
}

/// A document with one key with these attributes and this content: the package, and the warnings.
fn key(attributes: &str, content: &str) -> (KeyPackage, Vec<String>) {
    let text = document(&format!("<KeyPackage><Key {attributes}>{content}</Key></KeyPackage>"));
    let (mut container, warnings) = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(container.key_packages.len(), 1);
    (container.key_packages.swap_remove(0), warnings)
}

fn secret(package: &KeyPackage) -> Vec<u8> {
    let data = package.key.as_ref().unwrap().data.as_ref().unwrap();
    data.secret.as_ref().unwrap().plain().unwrap().expose().to_vec()
}

#[test]
fn valid_documents_read_the_same_strictly_and_leniently_without_warnings() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/signature");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "xml") {
            continue;
        }
        let octets = std::fs::read(&path).unwrap();
        let Ok(strict) = KeyContainer::from_xml(&octets) else { continue };
        let (lenient, warnings) = KeyContainer::from_xml_lenient(&octets).unwrap();
        assert_eq!((lenient, warnings.len()), (strict, 0), "{}", path.display());
        read += 1;
    }
    assert!(read > 3, "{read} documents");
}

#[test]
fn secrets_in_base64_and_in_hexadecimal_are_distinguished() {
    let cases: &[(&str, Option<&[u8]>, bool)] = &[
        ("MTIz", Some(b"123"), false),
        (" MT\n Iz ", Some(b"123"), false),
        ("313233", Some(b"123"), true), // no base64: its length is no multiple of 4
        ("31323334353637383930313233343536373839AA", Some(b"1234567890123456789\xAA"), true),
        ("3132333435363738393031323334353637383930", Some(b"12345678901234567890"), true),
        ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", Some(b"12345678901234567890"), false),
        ("abcd", Some(&[0x69, 0xb7, 0x1d]), false), // good base64, too short to be a key in hexadecimal
        ("not base64!", None, false),
        ("ABCDEFG", None, false),
    ];
    for (text, expected, told) in cases {
        let text = format!("<Data><Secret><PlainValue>{text}</PlainValue></Secret></Data>");
        let whole = document(&format!("<KeyPackage><Key Id='1'>{text}</Key></KeyPackage>"));
        match expected {
            None => assert!(read(&whole).is_err(), "{text}"),
            Some(octets) => {
                let (package, warnings) = key("Id='1'", &text);
                assert_eq!(secret(&package), *octets, "{text}");
                assert_eq!(warnings.iter().any(|warning| warning.contains("hexadecimal")), *told, "{text}");
            }
        }
    }
}

#[test]
fn numbers_in_digits_and_as_octets() {
    let counter = |text: &str| {
        let data = format!("<Data><Counter><PlainValue>{text}</PlainValue></Counter></Data>");
        read(&document(&format!("<KeyPackage><Key Id='1'>{data}</Key></KeyPackage>"))).map(|(container, warnings)| {
            let data = container.key_packages[0].key.as_ref().unwrap().data.clone().unwrap();
            (*data.counter.unwrap().plain().unwrap(), warnings.len())
        })
    };
    for (text, expected) in [
        ("831791", Ok((831_791, 0))),
        (" 7 ", Ok((7, 0))),
        ("NzA5Nzkx", Ok((709_791, 1))), // base64 of digits
        ("AAYxSg==", Ok((405_834, 1))), // base64 of octets
        ("AAAAAAAAAAw=", Ok((12, 1))),
        ("TWELVE", Err(())),
        ("", Err(())),
        ("99999999999999999999", Err(())),
    ] {
        assert_eq!(counter(text).map_err(|_| ()), expected, "{text}");
    }
}

/// Each deviation: attributes and content of a key, a part of the warning, and a check of the package.
#[test]
fn every_deviation_is_accepted_and_reported_with_its_place() {
    type Check = fn(&KeyPackage) -> bool;
    const DATA: &str = "<Data><Secret><PlainValue>MTIz</PlainValue></Secret></Data>";
    let format = |inner: &str| format!("<AlgorithmParameters>{inner}</AlgorithmParameters>{DATA}");
    let length = |package: &KeyPackage| {
        package.key.as_ref().unwrap().algorithm_parameters.as_ref().unwrap().response_format.unwrap().length == 8
    };
    let cases: Vec<(&str, String, &str, Check)> = vec![
        ("KeyId='a'", DATA.into(), "the attribute KeyId is read as Id", |p| p.key.as_ref().unwrap().id == "a"),
        ("id='a'", DATA.into(), "the attribute id is read as Id", |p| p.key.as_ref().unwrap().id == "a"),
        ("", DATA.into(), "the key has no Id", |p| p.key.as_ref().unwrap().id.is_empty()),
        ("Id='a' KeyAlgorithm='urn:x'", DATA.into(), "KeyAlgorithm is read as Algorithm", |p| {
            p.key.as_ref().unwrap().algorithm.as_deref() == Some("urn:x")
        }),
        ("Id='a'", format!("<Usage OTP='TRUE' CR='0'/>{DATA}"), "<Usage> is read as AlgorithmParameters", |p| {
            p.key.as_ref().unwrap().policy.as_ref().unwrap().key_usage == [KeyUsage::Otp]
        }),
        ("Id='a'", format("<ResponseFormat format='DECIMAL' Length='8'/>"), "format is read as Encoding", length),
        ("Id='a'", format("<ResponseFormat Encoding='decimal' Length='8'/>"), "\"decimal\" is not spelled", length),
        ("Id='a'", format("<ResponseFormat Length='8'/>"), "there is no Encoding: DECIMAL", length),
        ("Id='a'", format("<ResponseFormat Encoding='DECIMAL' length='8'/>"), "length is read as Length", length),
        (
            "Id='a'",
            format("<ResponseFormat Encoding='DECIMAL' Length='8' CheckDigit='true'/>"),
            "CheckDigit is read",
            length,
        ),
        ("Id='a'", format!("{DATA}<Issuer>I</Issuer>"), "<Issuer> is out of order", |p| {
            p.key.as_ref().unwrap().issuer.as_deref() == Some("I")
        }),
        ("Id='a' Odd='1'", DATA.into(), "the attribute Odd has no meaning here and is ignored", |p| {
            secret(p) == b"123"
        }),
        ("Id='a'", format!("{DATA}{DATA}"), "<Data> is repeated", |p| secret(p) == b"123"),
        ("Id='a'", format!("{DATA}<issuer>I</issuer>"), "<issuer> is read as Issuer", |p| {
            p.key.as_ref().unwrap().issuer.as_deref() == Some("I")
        }),
        ("xmlns:w='urn:w' w:Id='b' KeyId='a'", DATA.into(), "KeyId", |p| p.key.as_ref().unwrap().id == "a"),
        ("Id='a'", format("<ChallengeFormat/><ResponseFormat/>"), "<ChallengeFormat> is empty", |p| {
            p.key.as_ref().unwrap().algorithm_parameters == Some(Default::default())
        }),
        ("Id='a'", "<Data><Secret><EncryptedValue/></Secret></Data>".into(), "<EncryptedValue> is empty", |p| {
            p.key.as_ref().unwrap().data.as_ref().unwrap().secret.is_none()
        }),
        ("Id='a'", "<Policy><KeyUsage>otp</KeyUsage></Policy>".into(), "\"otp\" is not spelled", |p| {
            p.key.as_ref().unwrap().policy.as_ref().unwrap().key_usage == [KeyUsage::Otp]
        }),
        ("Id='a'", "<Usage Verify='true'/>".into(), "<Usage> is read", |p| {
            p.key.as_ref().unwrap().policy.as_ref().unwrap().key_usage == [KeyUsage::Verify]
        }),
        ("Id='a'", format!("{DATA}<Odd/>"), "<Odd> has no meaning here and is ignored", |p| secret(p) == b"123"),
        ("Id='a'", "<Data Name='SECRET'><Value>MTIz</Value></Data>".into(), "<Value> is read as PlainValue", |p| {
            secret(p) == b"123"
        }),
        (
            "Id='a'",
            "<Data><Secret><PlainValue>MTIz</PlainValue><ValueMAC>MTIz</ValueMAC></Secret></Data>".into(),
            "the MAC of an unencrypted value",
            |p| secret(p) == b"123",
        ),
        (
            "Id='a'",
            format!("{DATA}<ExpiryDate>01/31/2030</ExpiryDate>"),
            "\"01/31/2030\" is read as 31 January 2030, 00:00 UTC",
            |p| {
                let policy = p.key.as_ref().unwrap().policy.as_ref().unwrap();
                policy.expiry_date.unwrap().to_string() == "2030-01-31T00:00:00Z"
            },
        ),
        (
            "Id='a'",
            format!("{DATA}<Policy><StartDate>2030-01-31</StartDate></Policy>"),
            "is read as 31 January 2030",
            |p| {
                let policy = p.key.as_ref().unwrap().policy.as_ref().unwrap();
                policy.start_date.unwrap().to_string() == "2030-01-31T00:00:00Z"
            },
        ),
    ];
    for (attributes, content, told, check) in cases {
        let (package, warnings) = key(attributes, &content);
        assert!(check(&package), "{attributes} {content}: {package:?}");
        assert_eq!(told.is_empty(), warnings.is_empty(), "{warnings:?}");
        assert!(told.is_empty() || warnings.iter().any(|w| w.contains(told) && w.contains("line 1")), "{warnings:?}");
    }
}

#[test]
fn s5_unknown_content_of_a_policy_forbids_the_key_in_lenient_reading_too() {
    for policy in [
        "<Policy><Odd/></Policy>",
        "<Policy><KeyUsage>Odd</KeyUsage></Policy>",
        "<Policy><PINPolicy Odd='1'/></Policy>",
        "<Policy><PINPolicy><Odd/></PINPolicy></Policy>",
        "<PINPolicy MinLength='4'/>",
        "<Policy Odd='1'/>",
        "<Policy><ExpiryDate/></Policy>",
        "<Policy><ExpiryDate>2030-01-31</ExpiryDate><ExpiryDate>2040-01-31</ExpiryDate></Policy>",
        "<Policy><ExpiryDate>2030-01-31</ExpiryDate></Policy><ExpiryDate>2040-01-31</ExpiryDate>",
        "<Usage Sign='true'/>",
        "<Usage Sign='perhaps'/>",
    ] {
        let (package, told) = key("Id='1'", policy);
        assert!(!package.key.unwrap().is_usable(), "{policy}");
        assert!(told.iter().any(|told| told.contains("must not be used")), "{policy}: {told:?}");
    }
}

#[test]
fn s5_a_vendors_elements_are_not_mistaken_for_pskcs() {
    let (package, _) = key("Id='1' xmlns:v='urn:v'", "<Policy><v:KeyUsage>OTP</v:KeyUsage></Policy>");
    assert!(!package.key.unwrap().is_usable());
    let foreign = "<Data><v:Secret><v:PlainValue>MTIz</v:PlainValue></v:Secret></Data>";
    let (package, _) = key("Id='1' xmlns:v='urn:v'", foreign);
    let data = package.key.unwrap().data.unwrap();
    assert_eq!((data.secret, data.other.len()), (None, 1));
}

#[test]
fn dates_in_loose_forms_keep_their_offset() {
    for (text, expected) in [
        ("2030-01-31T00:00+02:00", Some("2030-01-30T22:00:00Z")),
        ("2030-01-31T00:00Z", Some("2030-01-31T00:00:00Z")),
        ("2030-01-31T10:30", Some("2030-01-31T10:30:00Z")),
        ("2030-01-31 10:30:00", Some("2030-01-31T10:30:00Z")),
        ("2030-01-31Z", Some("2030-01-31T00:00:00Z")),
        ("1/31/2030", Some("2030-01-31T00:00:00Z")),
        ("31/01/2030", Some("2030-01-31T00:00:00Z")), // there is no month 31
        ("31.01.2030", Some("2030-01-31T00:00:00Z")),
        ("31-01-2030", Some("2030-01-31T00:00:00Z")),
        ("05/05/2030", Some("2030-05-05T00:00:00Z")),
        ("03/04/2030", None), // March or April
        ("3.4.2030", None),
        ("03-04-2030", None),
        ("31/31/2030", None),
        ("30/02/2030", None),
        ("01/31/30", None),
        ("9999-12-31", Some("9999-12-31T00:00:00Z")),
        ("31/12/9999", Some("9999-12-31T00:00:00Z")),
        ("9999-12-31T23:59:59.9999999", Some("9999-12-31T23:59:59.9999999Z")),
        ("9999-12-31T23:59:59-01:00", None),
        ("9999-12-31T23:59-01:00", None),
        ("01/31/2030/x", None),
        ("01/31", None),
        ("soon", None),
    ] {
        let policy = format!("<Policy><ExpiryDate>{text}</ExpiryDate></Policy>");
        let found = read(&document(&format!("<KeyPackage><Key Id='1'>{policy}</Key></KeyPackage>"))).ok();
        let found = found.map(|(read, _)| {
            let policy = read.key_packages[0].key.as_ref().unwrap().policy.clone();
            policy.unwrap().expiry_date.unwrap().to_string()
        });
        assert_eq!(found.as_deref(), expected, "{text}");
    }
}

#[test]
fn s6_encryption_declared_once_applies_to_every_secret() {
    const METHOD: &str = "<EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'><IV>AAAA</IV>";
    let device = |data: &str| format!("<KeyProvPackage><Key KeyId='1'>{data}</Key></KeyProvPackage>");
    let value = "<Data Name='SECRET'><Value>MTIz</Value></Data><Data Name='COUNTER'><Value>7</Value></Data>";
    let nested = "<Data><Secret><EncryptedValue><CipherValue>MTIz</CipherValue></EncryptedValue></Secret></Data>";
    for data in [value, nested] {
        let named = "<EncryptionKey><KeyName>k</KeyName></EncryptionKey>";
        let none = "<DigestMethod Algorithm='NONE'/>";
        let text = document(&format!("{named}{METHOD}</EncryptionMethod>{none}{}", device(data)));
        let (container, _) = read(&text).unwrap();
        assert_eq!(container.encryption_key.unwrap().key_name.as_deref(), Some("k"), "the method takes no key away");
        assert_eq!(container.mac_method, None);
        let data = container.key_packages[0].key.clone().unwrap().data.unwrap();
        let Some(Value::Encrypted(secret)) = data.secret else { panic!("ciphertext taken as a key: {text}") };
        assert!(secret.data.algorithm.ends_with("#aes128-cbc"));
        assert_eq!(secret.data.cipher_value, *b"\0\0\x00123", "the IV stands in front");
    }
    let late = document(&format!("{}{METHOD}</EncryptionMethod>", device(value)));
    assert!(read(&late).is_err(), "an earlier secret would have been read as plain");
}

#[test]
fn a_small_file_does_not_expand_to_gigabytes() {
    let device = |len: usize, keys: usize| {
        let serial = "ä".repeat(len / 2); // warnings cut it between characters
        document(&format!(
            "<Device><DeviceInfo><SerialNo>{serial}</SerialNo></DeviceInfo>{}</Device>",
            "<Key/>".repeat(keys)
        ))
    };
    assert_eq!(read(&device(12, 2000)).unwrap().0.key_packages.len(), 2000);
    assert!(matches!(read(&device(100_000, 2000)), Err(Error::Xml(_))), "200 MB of copies");
    let (_, told) = read(&device(100_000, 1)).unwrap();
    assert!(told.iter().all(|told| told.len() < 300), "{told:?}");
}

#[test]
fn nothing_valid_is_lost() {
    let list = "<Extensions><v:x xmlns:v='urn:v'/></Extensions>";
    let text = document(&format!(
        "<MACMethod Algorithm='urn:m'><MACKeyReference>r</MACKeyReference><v:x xmlns:v='urn:v'/></MACMethod>\
         <KeyPackage><CryptoModuleInfo><Id>m</Id>{list}</CryptoModuleInfo>\
         <Key Id='1'><AlgorithmParameters/><Policy/>{list}</Key>{list}</KeyPackage>{list}"
    ));
    assert_eq!(read(&text).unwrap(), (KeyContainer::from_xml(text.as_bytes()).unwrap(), Vec::new()));
    let signed = text.replace("<MACMethod", "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/><MACMethod");
    assert!(read(&signed).unwrap().0.signed, "wherever it stands");
}

#[test]
fn drafts_with_several_keys_in_a_device_and_other_roots() {
    for (root, version, ns) in [
        ("KeyContainer", "Version='1'", "urn:ietf:params:xml:ns:keyprov:pskc:1.0"),
        ("KeyContainer", "version='1.0'", "urn:ietf:params:xml:ns:keyprov:container:1.0"),
        ("KeyContainer", "Version='01.0'", "urn:ietf:params:xml:ns:keyprov:pskc"),
        ("SecretContainer", "version='1.2'", "http://www.openauthentication.org/OATH/2006/08/PSKC"),
        ("keycontainer", "Version='1.0'", ""),
    ] {
        let text = format!(
            "<{root} {version} xmlns='{ns}'><Device><DeviceId><SerialNo>7</SerialNo></DeviceId><Key KeyId='a'/>\
             <Key/></Device><Device><Key KeyId='c'/></Device></{root}>"
        );
        let (container, warnings) = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let ids: Vec<_> =
            container.key_packages.iter().map(|package| package.key.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(ids, ["a", "7", "c"], "{root}: a key without Id has the serial number");
        assert!(warnings.iter().any(|warning| warning.contains("several keys")), "{warnings:?}");
    }
}

#[test]
fn lenient_reading_refuses_other_documents_and_truncated_ones() {
    let good = document("<KeyPackage><Key Id='1'/></KeyPackage>");
    assert!(read(&good).is_ok());
    for len in 0..good.len() {
        assert!(read(&good[..len]).is_err(), "cut at {len}");
    }
    for bad in [
        "<html/>".to_owned(),
        document(""),
        document("<KeyPackage><Key Id='1'/></KeyPackage><!DOCTYPE x>"),
        good.replace("1.0", "2.0"),
        document(
            "<KeyPackage><Key><AlgorithmParameters><ResponseFormat Length='x' Encoding='DECIMAL'/>\
                  </AlgorithmParameters></Key></KeyPackage>",
        ),
    ] {
        assert!(read(&bad).is_err(), "{bad}");
    }
    let many = format!("<KeyPackage>{}</KeyPackage>", "<Odd/>".repeat(30_000));
    assert!(read(&document(&many)).is_err(), "an endless package uses bounded memory");
    let told = read(&document(&format!("<KeyPackage>{}</KeyPackage>", "<Odd/>".repeat(5_000)))).unwrap().1;
    assert_eq!(told.len(), 1001, "and a bounded report");
}

#[test]
fn protected_values_keep_their_protection() {
    let rng = &mut SeededRandom::new(b"lenient");
    let protector = Protector::aes_cbc(Secret::new(vec![1; 16]), "k", dskpp_crypto::Hash::Sha1, rng).unwrap();
    let mut package =
        KeyPackage { key: Some(pskc::Key { id: "1".into(), ..Default::default() }), ..Default::default() };
    let data = package.key.as_mut().unwrap().data.insert(pskc::KeyData::default());
    data.secret = Some(Value::Plain(Secret::from_slice(b"123")));
    protector.protect(data, rng).unwrap();
    let container = KeyContainer {
        encryption_key: Some(protector.encryption_key().clone()),
        mac_method: protector.mac_method().cloned(),
        key_packages: vec![package],
        ..KeyContainer::default()
    };
    let draft = String::from_utf8(container.to_xml()).unwrap().replace("KeyPackage", "Device");
    let (read, warnings) = read(&draft).unwrap();
    assert!(!warnings.is_empty());
    let unlock = DecryptionKey::Key(Secret::new(vec![1; 16]));
    let (key, mac) = (read.encryption_key.as_ref(), read.mac_method.as_ref());
    let mut opener = Opener::new(key, mac, &unlock, OpenerOptions::default()).unwrap();
    let mut data = read.key_packages[0].key.clone().unwrap().data.unwrap();
    opener.open(&mut data).unwrap();
    assert_eq!(data.secret, Some(Value::Plain(Secret::from_slice(b"123"))));
}
