//! Encryption and decryption of values (RFC 6030 §6, profile P26).

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "protection/opened.rs"]
mod opened;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use dskpp_crypto::{Hash, Pbkdf2Prf, RsaEncryption, RsaPrivateKey, Secret, SeededRandom};
use proptest::prelude::*;
use pskc::{
    DecryptionKey, DerivedKey, EncryptedValue, Key, KeyContainer, KeyData, KeyInfo, KeyPackage, Opener, OpenerOptions,
    PasswordStrength, ProtectionError, Protector, Value, ValueAlgorithm,
};
use serde_json::Value as Json;

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn key(len: usize) -> Secret {
    Secret::new((0..len as u8).collect())
}

fn rng() -> SeededRandom {
    SeededRandom::new(b"protection")
}

fn data(secret: &[u8]) -> KeyData {
    KeyData { secret: Some(Value::Plain(Secret::from_slice(secret))), counter: Some(7.into()), ..KeyData::default() }
}

fn container(protector: &Protector, secret: &[u8]) -> KeyContainer {
    let mut data = data(secret);
    protector.protect(&mut data, &mut rng()).unwrap();
    let key = Key { id: "1".into(), data: Some(data), ..Key::default() };
    KeyContainer {
        encryption_key: Some(protector.encryption_key().clone()),
        mac_method: protector.mac_method().cloned(),
        key_packages: vec![KeyPackage { key: Some(key), ..KeyPackage::default() }],
        ..KeyContainer::default()
    }
}

fn open(container: &KeyContainer, unlock: &DecryptionKey) -> Result<Secret, ProtectionError> {
    open_with(container, unlock, OpenerOptions::default())
}

fn open_with(
    container: &KeyContainer,
    unlock: &DecryptionKey,
    options: OpenerOptions,
) -> Result<Secret, ProtectionError> {
    let (key, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
    let mut opener = Opener::new(key, mac, unlock, options)?;
    let mut data = container.key_packages[0].key.clone().unwrap().data.unwrap();
    opener.open(&mut data)?;
    Ok(data.secret.unwrap().plain().unwrap().clone())
}

fn value(container: &mut KeyContainer) -> &mut EncryptedValue {
    match container.key_packages[0].key.as_mut().unwrap().data.as_mut().unwrap().secret.as_mut().unwrap() {
        Value::Encrypted(value) => value,
        Value::Plain(_) => panic!("it is encrypted"),
    }
}

fn rsa() -> Arc<RsaPrivateKey> {
    let pem = include_str!("../../crypto/tests/data/rsa-2048.pem");
    Arc::new(RsaPrivateKey::from_pkcs8_pem(pem).unwrap())
}

fn rsa_info() -> KeyInfo {
    KeyInfo::from_rsa(rsa().public().modulus(), rsa().public().exponent())
}

/// Every kind of protection, with the key that decrypts it.
fn ways() -> Vec<(String, Protector, DecryptionKey)> {
    let mut ways = Vec::new();
    for len in [16, 24, 32] {
        for hash in [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            let protector = Protector::aes_cbc(key(len), "k", hash, &mut rng()).unwrap();
            ways.push((format!("CBC {len} {hash:?}"), protector, DecryptionKey::Key(key(len))));
        }
        for padded in [false, true] {
            let protector = Protector::aes_key_wrap(key(len), "k", padded).unwrap();
            ways.push((format!("wrap {len} {padded}"), protector, DecryptionKey::Key(key(len))));
        }
    }
    let rounds = NonZeroU32::new(10).unwrap();
    for prf in [Pbkdf2Prf::HmacSha1, Pbkdf2Prf::HmacSha256, Pbkdf2Prf::HmacSha384, Pbkdf2Prf::HmacSha512] {
        let password = Secret::from_slice(b"qwerty");
        let mut strength = PasswordStrength::OLD;
        (strength.iterations, strength.prf) = (rounds, prf);
        let protector = Protector::passphrase(&password, None, strength, &mut rng()).unwrap();
        ways.push((format!("password {prf:?}"), protector, DecryptionKey::Password(password)));
    }
    for encryption in [RsaEncryption::Pkcs1v15, RsaEncryption::OaepSha1] {
        for mac in [None, Some(Hash::Sha256)] {
            let protector = Protector::rsa(rsa_info(), encryption, mac, &mut rng()).unwrap();
            ways.push((format!("{encryption:?} {mac:?}"), protector, DecryptionKey::PrivateKey(rsa())));
        }
    }
    ways
}

#[test]
fn s6_protected_values_round_trip() {
    for (name, protector, unlock) in ways() {
        let document = container(&protector, b"0123456789abcdef01234567").to_xml();
        let read = KeyContainer::from_xml(&document).unwrap();
        assert_eq!(open(&read, &unlock), Ok(Secret::from_slice(b"0123456789abcdef01234567")), "{name}");
        let counter = read.key_packages[0].key.as_ref().unwrap().data.as_ref().unwrap().counter.clone();
        assert_eq!(counter, Some(7.into()), "a counter stays readable");
        assert!(!document.windows(16).any(|octets| octets == b"0123456789abcdef"), "{name}");
    }
}

#[test]
fn s6_a_changed_value_or_mac_is_refused_without_side_effects() {
    for (name, protector, unlock) in ways() {
        if name.starts_with("Pkcs1v15 None") {
            continue; // alone it says nothing about changes; see the next test
        }
        let good = container(&protector, b"0123456789abcdef01234567");
        let (cipher_len, mac_len) = {
            let mut good = good.clone();
            let value = value(&mut good);
            (value.data.cipher_value.len(), value.mac.as_ref().map_or(0, Vec::len))
        };
        for i in 0..cipher_len + mac_len {
            let mut changed = good.clone();
            let value = value(&mut changed);
            match i.checked_sub(cipher_len) {
                None => value.data.cipher_value[i] ^= 1,
                Some(i) => value.mac.as_mut().unwrap()[i] ^= 1,
            }
            let refused = open(&changed, &unlock);
            assert!(matches!(refused, Err(ProtectionError::WrongKeyOrDamaged(_))), "{name} octet {i}: {refused:?}");
        }
    }
}

#[test]
fn s6_1_1_a_removed_mac_is_detected() {
    for (name, protector, unlock) in ways() {
        let mut stripped = container(&protector, b"0123456789abcdef");
        if value(&mut stripped).mac.take().is_some() {
            for lenient in [false, true] {
                let (key, mac) = (stripped.encryption_key.as_ref(), stripped.mac_method.as_ref());
                let mut options = OpenerOptions::default();
                options.lenient = lenient;
                let mut opener = Opener::new(key, mac, &unlock, options).unwrap();
                let mut data = stripped.key_packages[0].key.clone().unwrap().data.unwrap();
                assert_eq!(opener.open(&mut data), Err(ProtectionError::MacTakenAway("a secret")), "{name} {lenient}");
            }
        }
        let mut no_method = container(&protector, b"0123456789abcdef");
        if no_method.mac_method.take().is_some() {
            assert_eq!(open(&no_method, &unlock), Err(ProtectionError::NoMacMethod), "{name}");
            value(&mut no_method).mac = None;
            let without_both = open(&no_method, &unlock);
            match name.starts_with("CBC") || name.starts_with("password") {
                true => assert_eq!(without_both, Err(ProtectionError::MissingMac), "{name}"),
                false => assert!(without_both.is_ok(), "{name}: a padding or an integrity check of its own"),
            }
        }
    }
}

#[test]
fn s6_wrong_keys_are_refused_with_a_remedy() {
    use ProtectionError::*;
    let by_key = container(&Protector::aes_cbc(key(16), "k", Hash::Sha256, &mut rng()).unwrap(), b"secret");
    let by_wrap = container(&Protector::aes_key_wrap(key(32), "k", true).unwrap(), b"secret");
    let rounds = NonZeroU32::MIN;
    let password = Secret::from_slice(b"right");
    let mut strength = PasswordStrength::TODAY;
    strength.iterations = rounds;
    let by_password = Protector::passphrase(&password, None, strength, &mut rng()).unwrap();
    let by_password = container(&by_password, b"secret");
    let for_rsa = Protector::rsa(rsa_info(), RsaEncryption::OaepSha1, None, &mut rng()).unwrap();
    let for_rsa = container(&for_rsa, b"secret");
    let other_key = Secret::new(vec![9; 16]);
    let other_rsa = include_str!("../../crypto/tests/data/rsa-3072.pem");
    let other_rsa = Arc::new(RsaPrivateKey::from_pkcs8_pem(other_rsa).unwrap());
    let cases = [
        (&by_key, DecryptionKey::Key(other_key.clone()), WrongKeyOrDamaged("the MAC key")),
        (&by_key, DecryptionKey::Key(key(15)), KeyLength(15)),
        (&by_key, DecryptionKey::Password(password.clone()), NeedsKey),
        (&by_key, DecryptionKey::PrivateKey(rsa()), NeedsNoPrivateKey),
        (&by_wrap, DecryptionKey::Key(Secret::new(vec![9; 32])), WrongKeyOrDamaged("a secret")),
        (&by_wrap, DecryptionKey::Key(key(16)), KeyLength(16)),
        (&by_password, DecryptionKey::Password(Secret::from_slice(b"wrong")), WrongKeyOrDamaged("the MAC key")),
        (&by_password, DecryptionKey::PrivateKey(rsa()), NeedsNoPrivateKey),
        (&for_rsa, DecryptionKey::PrivateKey(other_rsa), OtherRecipient),
        (&for_rsa, DecryptionKey::Key(key(16)), NeedsPrivateKey),
        (&for_rsa, DecryptionKey::Password(password), NeedsKey),
    ];
    for (container, unlock, expected) in cases {
        let text = format!("{unlock:?}");
        assert_eq!(open(container, &unlock), Err(expected), "{text}");
        assert!(!text.contains("right"), "nothing secret is shown");
    }
}

#[test]
fn s6_1_impossible_protections_are_refused() {
    let protector = Protector::aes_key_wrap(key(16), "k", false).unwrap();
    assert!(matches!(protector.protect(&mut data(b""), &mut rng()), Err(ProtectionError::Unfit(_))));
    let protector = Protector::rsa(rsa_info(), RsaEncryption::OaepSha1, None, &mut rng()).unwrap();
    assert!(matches!(protector.protect(&mut data(&[1; 250]), &mut rng()), Err(ProtectionError::Unfit(_))));
    assert!(Protector::aes_cbc(key(20), "k", Hash::Sha1, &mut rng()).is_err());
    assert!(Protector::rsa(KeyInfo::from_key_name("k"), RsaEncryption::OaepSha1, None, &mut rng()).is_err());
}

#[test]
fn p20_a_hidden_length_conceals_whether_a_padding_was_valid() {
    let protector = Protector::rsa(rsa_info(), RsaEncryption::Pkcs1v15, None, &mut rng()).unwrap();
    let mut changed = container(&protector, &[5; 64]);
    value(&mut changed).data.cipher_value[100] ^= 1;
    let mut hidden = OpenerOptions::default();
    hidden.hidden_len = Some(64);
    let opened = open_with(&changed, &DecryptionKey::PrivateKey(rsa()), hidden).unwrap();
    assert_eq!(opened.len(), 64);
    assert_ne!(opened.expose(), [5; 64]);
    assert!(open(&changed, &DecryptionKey::PrivateKey(rsa())).is_err(), "for the owner of a file it is an error");
}

#[test]
fn s6_2_incomplete_or_too_expensive_derivations_are_refused() {
    let good = DerivedKey {
        salt: vec![1; 16],
        iterations: NonZeroU32::new(1000).unwrap(),
        key_len: Some(16),
        prf: Pbkdf2Prf::HmacSha256,
        name: Some("a password".into()),
    };
    assert_eq!(DerivedKey::of(&good.to_key_info()), Ok(Some(good.clone())));
    let text = |xml: &str| {
        let document = format!(
            "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0'><EncryptionKey>\
             <DerivedKey xmlns='http://www.w3.org/2009/xmlenc11#'>{xml}</DerivedKey></EncryptionKey>\
             <KeyPackage/></KeyContainer>"
        );
        DerivedKey::of(&KeyContainer::from_xml(document.as_bytes()).unwrap().encryption_key.unwrap())
    };
    let method = |uri: &str, parameters: &str| {
        text(&format!(
            "<KeyDerivationMethod Algorithm='{uri}'><PBKDF2-params>{parameters}</PBKDF2-params></KeyDerivationMethod>"
        ))
    };
    const URI: &str = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5#pbkdf2"; // the text's, profile P18
    let salt = "<Salt><Specified>AQ==</Specified></Salt>";
    assert!(method(URI, &format!("{salt}<IterationCount> 5 </IterationCount>")).is_ok());
    for (uri, parameters) in [
        ("urn:x", format!("{salt}<IterationCount>5</IterationCount>")),
        (URI, "<IterationCount>5</IterationCount>".into()),
        (URI, salt.to_owned()),
        (URI, "<Salt><Specified>?</Specified></Salt><IterationCount>5</IterationCount>".into()),
        (URI, format!("<Salt><Specified>{}</Specified></Salt><IterationCount>5</IterationCount>", "A".repeat(2000))),
        (URI, format!("{salt}<IterationCount>0</IterationCount>")),
        (URI, format!("{salt}<IterationCount>10000001</IterationCount>")),
        (URI, format!("{salt}<IterationCount>-1</IterationCount>")),
        (URI, format!("{salt}<IterationCount>5</IterationCount><KeyLength>0</KeyLength>")),
        (URI, format!("{salt}<IterationCount>5</IterationCount><KeyLength>9999999</KeyLength>")),
        (URI, format!("{salt}<IterationCount>5</IterationCount><PRF Algorithm='urn:md5'/>")),
    ] {
        assert!(matches!(method(uri, &parameters), Err(ProtectionError::Derivation(_))), "{uri} {parameters}");
    }
    assert!(matches!(text(""), Err(ProtectionError::Derivation(_))));
}

/// Results of an independent reader on files of other projects. The developer's copy of them is optional.
#[test]
fn files_of_other_projects_decrypt_to_an_independent_readers_results() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors/pskc"));
    let Ok(text) = std::fs::read_to_string(folder.join("expected.json")) else { return };
    let expected: Json = serde_json::from_str(&text).unwrap();
    let mut opened = 0;
    for (name, case) in expected["files"].as_object().unwrap() {
        let unlock = match (case["unlock"]["key_hex"].as_str(), case["unlock"]["password"].as_str()) {
            (Some(key), _) => DecryptionKey::Key(Secret::new(hex(key))),
            (_, Some(password)) => DecryptionKey::Password(Secret::from_slice(password.as_bytes())),
            _ => continue,
        };
        let Ok(container) = KeyContainer::from_xml(&std::fs::read(folder.join(name)).unwrap()) else { continue };
        let (named, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
        let opener = Opener::new(named, mac, &unlock, OpenerOptions::default());
        if case["expect_error"].is_object() {
            let first = opener
                .and_then(|mut opener| opener.open(&mut container.key_packages[0].key.clone().unwrap().data.unwrap()));
            assert!(first.is_err(), "{name}");
            continue;
        }
        let mut opener = opener.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (package, key) in container.key_packages.iter().zip(case["keys"].as_array().unwrap()) {
            let mut data = package.key.clone().unwrap().data.unwrap();
            opener.open(&mut data).unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = data.secret.as_ref().and_then(Value::plain).map(|secret| HEXLOWER.encode(secret.expose()));
            assert_eq!(found.as_deref(), key["secret_hex"].as_str(), "{name}");
            assert_eq!(data.counter.as_ref().and_then(Value::plain).copied(), key["counter"].as_i64(), "{name}");
            opened += 1;
        }
    }
    assert!(opened >= 8, "{opened} keys");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn s6_secrets_of_any_length_survive(secret in prop::collection::vec(any::<u8>(), 1..=64), way in 0..4) {
        let (protector, unlock) = match way {
            0 => (Protector::aes_cbc(key(16), "k", Hash::Sha1, &mut rng()).unwrap(), DecryptionKey::Key(key(16))),
            1 => (Protector::aes_key_wrap(key(24), "k", secret.len() % 2 == 0).unwrap(), DecryptionKey::Key(key(24))),
            2 => {
                let rsa_protector = Protector::rsa(rsa_info(), RsaEncryption::OaepSha1, None, &mut rng()).unwrap();
                (rsa_protector, DecryptionKey::PrivateKey(rsa()))
            }
            _ => {
                let (password, algorithm) = (Secret::from_slice(b"p"), ValueAlgorithm::AesWrapPad(16));
                let mut strength = PasswordStrength::OLD;
                (strength.iterations, strength.algorithm) = (NonZeroU32::MIN, algorithm);
                let protector = Protector::passphrase(&password, None, strength, &mut rng()).unwrap();
                (protector, DecryptionKey::Password(password))
            }
        };
        prop_assert_eq!(open(&container(&protector, &secret), &unlock), Ok(Secret::new(secret)));
    }
}
