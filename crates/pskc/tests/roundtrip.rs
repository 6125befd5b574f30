//! Properties of reader and writer: read(write(x)) = x, and written documents are valid by the schema.

use std::path::Path;
use std::process::Command;

use proptest::option::of;
use proptest::prelude::*;
use pskc::xml::{Foreign, Node, Ns, Reader, Writer, XmlLimits, is_text, ns, trim};
use pskc::*;

/// Text that is kept unchanged: XML characters, trimmed.
fn text() -> BoxedStrategy<String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,6}", Just("<a href=\"&\">]]></a>".to_owned())]
        .prop_filter("kept as it is", |text| is_text(text) && trim(text) == text)
        .boxed()
}

fn uri() -> BoxedStrategy<String> {
    "urn:[a-zA-Z0-9:&#;-]{1,12}".boxed()
}

fn name() -> BoxedStrategy<String> {
    "[a-wA-W_][a-zA-Z0-9_.-]{0,6}".prop_filter("not reserved", |name| name != "xmlns").boxed()
}

fn octets() -> BoxedStrategy<Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40).boxed()
}

fn date() -> BoxedStrategy<DateTime> {
    (-62_135_596_800..253_402_300_800i64, 0..1_000_000_000i32)
        .prop_map(|(seconds, nanoseconds)| {
            let second = DateTime::from_unix_s(seconds).expect("in range").to_string();
            second.replace('Z', &format!(".{nanoseconds:09}Z")).parse().expect("a time")
        })
        .boxed()
}

/// Text without a colon: `d:x` may be a qualified name, whose prefix is kept with the element.
fn foreign() -> BoxedStrategy<Foreign> {
    let element = |content: BoxedStrategy<Vec<Node>>| {
        (prop::sample::select(vec!["urn:x", "urn:y", ns::XENC11]), name(), content).prop_map(|(ns, local, content)| {
            Foreign { ns: ns.into(), local: local.into(), attributes: vec![], prefixes: Vec::new(), content }
        })
    };
    let leaf = element(prop_oneof![Just(vec![]), "[ -9;-~]{1,8}".prop_map(|text| vec![Node::Text(text)]),].boxed());
    leaf.prop_recursive(3, 8, 3, move |inner| {
        element(prop::collection::vec(inner.prop_map(Node::Element), 1..3).boxed())
    })
    .boxed()
}

fn extensions() -> BoxedStrategy<Vec<Extensions>> {
    let one = (of(uri()), prop::collection::vec(foreign(), 1..3))
        .prop_map(|(definition, elements)| Extensions { definition, elements });
    prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(one, 1..3)].boxed()
}

fn key_info() -> BoxedStrategy<KeyInfo> {
    let number = || {
        octets().prop_map(|mut octets| {
            octets.insert(0, 1);
            octets
        })
    };
    let rsa = (number(), number()).prop_map(|(modulus, exponent)| RsaKeyValue { modulus, exponent });
    (of(text()), of(rsa), prop::collection::vec(octets(), 0..3), prop::collection::vec(foreign(), 0..2))
        .prop_map(|(key_name, rsa_key_value, x509_certificates, other)| KeyInfo {
            key_name,
            rsa_key_value,
            x509_certificates,
            other,
        })
        .prop_filter("not empty", |info| *info != KeyInfo::default())
        .boxed()
}

fn encrypted() -> BoxedStrategy<EncryptedData> {
    (uri(), prop::collection::vec(foreign(), 0..2), of(key_info()), octets())
        .prop_map(|(algorithm, parameters, key_info, cipher_value)| EncryptedData {
            algorithm,
            parameters,
            key_info,
            cipher_value,
        })
        .boxed()
}

fn value<T: Clone + std::fmt::Debug + 'static>(plain: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Value<T>> {
    prop_oneof![
        3 => plain.prop_map(Value::Plain),
        1 => (encrypted(), of(octets()))
            .prop_map(|(data, mac)| Value::Encrypted(Box::new(EncryptedValue { data, mac }))),
    ]
    .boxed()
}

fn data() -> BoxedStrategy<KeyData> {
    let number = || of(value(any::<i32>()));
    let secret = value(octets().prop_map(dskpp_crypto::Secret::from));
    (of(secret), of(value(any::<i64>())), number(), number(), number(), prop::collection::vec(foreign(), 0..2))
        .prop_map(|(secret, counter, time, time_interval, time_drift, other)| KeyData {
            secret,
            counter,
            time,
            time_interval,
            time_drift,
            other,
        })
        .boxed()
}

fn format() -> BoxedStrategy<ValueFormat> {
    use ValueFormat::*;
    prop::sample::select(vec![Decimal, Hexadecimal, Alphanumeric, Base64, Binary]).boxed()
}

fn parameters() -> BoxedStrategy<AlgorithmParameters> {
    let challenge = (format(), any::<u32>(), any::<u32>(), any::<Option<bool>>())
        .prop_map(|(encoding, min, max, check_digits)| ChallengeFormat { encoding, min, max, check_digits });
    let response = (format(), any::<u32>(), any::<Option<bool>>())
        .prop_map(|(encoding, length, check_digits)| ResponseFormat { encoding, length, check_digits });
    (of(text()), of(challenge), of(response), extensions())
        .prop_map(|(suite, challenge_format, response_format, extensions)| AlgorithmParameters {
            suite,
            challenge_format,
            response_format,
            extensions,
        })
        .boxed()
}

fn policy() -> BoxedStrategy<Policy> {
    let pin = (of(text()), of(Just(PinUsageMode::Append)), of(any::<u32>()), of(any::<u32>()), of(format())).prop_map(
        |(pin_key_id, pin_usage_mode, max_failed_attempts, min_length, pin_encoding)| PinPolicy {
            pin_key_id,
            pin_usage_mode,
            max_failed_attempts,
            min_length,
            max_length: min_length,
            pin_encoding,
            other: vec![],
        },
    );
    let usage = prop::sample::select(vec![KeyUsage::Otp, KeyUsage::Cr, KeyUsage::KeyWrap]);
    let usages = prop::collection::vec(usage, 0..3);
    (of(date()), of(date()), of(pin), usages, of(any::<u64>()), prop::collection::vec(foreign(), 0..2))
        .prop_map(|(start_date, expiry_date, pin_policy, key_usage, number_of_transactions, other)| Policy {
            start_date,
            expiry_date,
            pin_policy,
            key_usage,
            number_of_transactions,
            other,
        })
        .boxed()
}

fn key() -> BoxedStrategy<Key> {
    let texts = (of(text()), of(text()), of(text()), of(text()), of(text()));
    let language = of("|[a-z]{2}(-[A-Z]{2})?".boxed());
    ("[ -~]{0,12}", of(uri()), texts, language, of(parameters()), of(data()), of(policy()), extensions())
        .prop_map(|(id, algorithm, texts, language, algorithm_parameters, data, policy, extensions)| {
            let (issuer, key_profile_id, key_reference, friendly_name, user_id) = texts;
            let friendly_name_language = friendly_name.as_ref().and(language);
            Key {
                id,
                algorithm,
                issuer,
                algorithm_parameters,
                key_profile_id,
                key_reference,
                friendly_name,
                friendly_name_language,
                data,
                user_id,
                policy,
                extensions,
            }
        })
        .boxed()
}

fn device() -> BoxedStrategy<DeviceInfo> {
    let texts = (of(text()), of(text()), of(text()), of(text()), of(text()), of(text()));
    (texts, of(date()), of(date()), extensions())
        .prop_map(
            |(
                (manufacturer, serial_no, model, issue_no, device_binding, user_id),
                start_date,
                expiry_date,
                extensions,
            )| DeviceInfo {
                manufacturer,
                serial_no,
                model,
                issue_no,
                device_binding,
                start_date,
                expiry_date,
                user_id,
                extensions,
            },
        )
        .boxed()
}

fn container() -> BoxedStrategy<KeyContainer> {
    let module = (text(), extensions()).prop_map(|(id, extensions)| CryptoModuleInfo { id, extensions });
    let package = (of(device()), of(module), of(key()), extensions()).prop_map(
        |(device_info, crypto_module_info, key, extensions)| KeyPackage {
            device_info,
            crypto_module_info,
            key,
            extensions,
        },
    );
    let mac = (uri(), of(encrypted()), of(text())).prop_map(|(algorithm, mac_key, reference)| MacMethod {
        algorithm,
        mac_key_reference: reference.filter(|_| mac_key.is_none()),
        mac_key,
        other: vec![],
    });
    let packages = prop::collection::vec(package, 1..3);
    (of(name()), of(key_info()), of(mac), packages, extensions())
        .prop_map(|(id, encryption_key, mac_method, key_packages, extensions)| KeyContainer {
            id,
            encryption_key,
            mac_method,
            key_packages,
            extensions,
            ..KeyContainer::default()
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_read_back(container in container()) {
        let document = container.to_xml();
        prop_assert_eq!(&KeyContainer::from_xml(&document).unwrap(), &container);
        prop_assert_eq!(container.to_xml(), document, "the same value gives the same octets");

        // p26: the same inside another document, under another name
        let mut writer = Writer::new();
        writer.start("d:x").attr("xmlns:d", ns::DSKPP).attr("xmlns:pskc", ns::PSKC);
        writer.attr("xmlns:ds", ns::DS).attr("xmlns:xenc", ns::XENC);
        container.write(&mut writer, "d:KeyContainer");
        let document = writer.finish();
        let mut reader = Reader::from_slice(&document, XmlLimits::FILE).unwrap();
        reader.root().unwrap();
        let element = reader.next().unwrap().unwrap();
        prop_assert!(element.is(ns::DSKPP, "KeyContainer"));
        prop_assert_eq!(KeyContainer::read_open(&mut reader, &element).unwrap(), container);
        reader.end().unwrap();
        reader.finish().unwrap();
    }

    #[test]
    fn no_cut_or_changed_octet_panics(
        container in container(),
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut document = container.to_xml();
        let at = at.index(document.len());
        prop_assert!(KeyContainer::from_xml(&document[..at]).is_err(), "cut off at {}", at);
        document[at] = octet;
        let _ = KeyContainer::from_xml(&document);
    }
}

/// A container with every element that has its own type in the schema.
fn full() -> KeyContainer {
    let date: DateTime = "2026-01-31T12:00:00.5Z".parse().expect("a time");
    let foreign = Foreign {
        ns: Ns::from("urn:x"),
        local: "e".into(),
        attributes: vec![],
        prefixes: Vec::new(),
        content: vec![Node::Text("t".into())],
    };
    let extensions = vec![Extensions { definition: Some("urn:d".into()), elements: vec![foreign.clone()] }];
    let encrypted = EncryptedData {
        algorithm: "http://www.w3.org/2001/04/xmlenc#aes128-cbc".into(),
        parameters: vec![],
        key_info: Some(KeyInfo::from_key_name("k")),
        cipher_value: vec![1; 32],
    };
    let text = || Some("<text>".to_owned());
    let device = DeviceInfo {
        manufacturer: text(),
        serial_no: text(),
        model: text(),
        issue_no: text(),
        device_binding: text(),
        start_date: Some(date),
        expiry_date: Some(date),
        user_id: text(),
        extensions: extensions.clone(),
    };
    let key = Key {
        id: "1".into(),
        algorithm: Some("urn:ietf:params:xml:ns:keyprov:pskc:hotp".into()),
        issuer: text(),
        key_profile_id: text(),
        key_reference: text(),
        friendly_name: text(),
        friendly_name_language: None, // which §4.2 wants, and the schema forgets
        user_id: text(),
        algorithm_parameters: Some(AlgorithmParameters {
            suite: text(),
            challenge_format: Some(ChallengeFormat {
                encoding: ValueFormat::Decimal,
                min: 1,
                max: 2,
                check_digits: Some(true),
            }),
            response_format: Some(ResponseFormat { encoding: ValueFormat::Decimal, length: 8, check_digits: None }),
            extensions: extensions.clone(),
        }),
        data: Some(KeyData {
            secret: Some(Value::Encrypted(Box::new(EncryptedValue {
                data: encrypted.clone(),
                mac: Some(vec![1; 20]),
            }))),
            counter: Some(Value::Plain(-1)),
            time: Some(Value::Plain(1)),
            time_interval: Some(Value::Plain(30)),
            time_drift: Some(Value::Plain(0)),
            other: vec![foreign],
        }),
        policy: Some(Policy {
            start_date: Some(date),
            expiry_date: Some(date),
            pin_policy: Some(PinPolicy {
                pin_usage_mode: Some(PinUsageMode::Algorithmic),
                min_length: Some(4),
                ..PinPolicy::default()
            }),
            key_usage: vec![KeyUsage::Otp, KeyUsage::Integrity],
            number_of_transactions: Some(1),
            other: vec![],
        }),
        extensions: extensions.clone(),
    };
    let module = CryptoModuleInfo { id: "m".into(), extensions: extensions.clone() };
    let package = KeyPackage {
        device_info: Some(device),
        crypto_module_info: Some(module),
        key: Some(key),
        extensions: extensions.clone(),
    };
    let plain = KeyData { secret: Some(Value::Plain(vec![1; 20].into())), ..KeyData::default() };
    let plain = Key { id: "2".into(), data: Some(plain), ..Key::default() };
    let mut encryption_key = KeyInfo::from_rsa(&[1; 256], &[1, 0, 1]);
    encryption_key.x509_certificates = vec![vec![0x30, 0]];
    KeyContainer {
        id: Some("c".into()),
        encryption_key: Some(encryption_key),
        mac_method: Some(MacMethod {
            algorithm: "http://www.w3.org/2000/09/xmldsig#hmac-sha1".into(),
            mac_key: Some(encrypted),
            mac_key_reference: None,
            other: vec![],
        }),
        key_packages: vec![package, KeyPackage { key: Some(plain), ..KeyPackage::default() }],
        extensions,
        ..KeyContainer::default()
    }
}

#[test]
fn s11_written_documents_are_valid_by_the_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/schema/pskc.xsd");
    if !schema.exists() || Command::new("xmllint").arg("--version").output().is_err() {
        assert!(
            std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"),
            "xmllint and ../shared/schema are missing"
        );
        eprintln!("skipped: needs ../shared/schema/pskc.xsd and xmllint");
        return;
    }
    let smallest = KeyPackage { key: Some(Key { id: "1".into(), ..Key::default() }), ..KeyPackage::default() };
    let smallest = KeyContainer { key_packages: vec![smallest], ..KeyContainer::default() };
    for (name, container) in [("smallest", smallest), ("full", full())] {
        assert_eq!(KeyContainer::from_xml(&container.to_xml()).unwrap(), container);
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.xml"));
        std::fs::write(&file, container.to_xml()).unwrap();
        let output =
            Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(&schema).arg(&file).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
