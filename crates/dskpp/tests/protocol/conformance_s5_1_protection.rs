//! RFC 6063 §5.1, key protection in two-pass.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use dskpp::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, ProtectionMethod};
use dskpp::client::{ClientProtection, Failed};
use dskpp::key_schedule;
use dskpp::message::{KeyProtection, Request};
use dskpp::prf::Prf;
use dskpp::server::{AuthPolicy, TwoPassRun};
use dskpp_crypto::{Hash, Secret, SeededRandom};
use pskc::{KeyData, PasswordStrength, Protector, Value, ValueAlgorithm};

use crate::pair::CLIENT_ID;
use crate::two_pass_sides::*;

const MACS: [MacAlgorithm; 2] = [MacAlgorithm::PrfSha256, MacAlgorithm::PrfAes128];

/// The data of the only key in a PSKC package.
fn data(body: &mut dskpp::message::ServerFinishedBody) -> &mut KeyData {
    let container = body.key_package.content.container_mut().expect("PSKC");
    container.key_packages[0].key.as_mut().unwrap().data.as_mut().unwrap()
}

#[test]
fn s5_1_every_mandatory_algorithm_delivers_the_key() {
    use ClientProtection::Passphrase;
    use EncryptionAlgorithm::{Aes128Cbc, KwAes128, Rsa15, RsaOaepMgf1p};
    let names = [
        (Rsa15, "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
        (RsaOaepMgf1p, "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"),
        (KwAes128, "http://www.w3.org/2001/04/xmlenc#kw-aes128"),
        (Aes128Cbc, "http://www.w3.org/2001/04/xmlenc#aes128-cbc"),
    ];
    for (i, (way, algorithm)) in [
        (transport(), Rsa15),
        (bare(), RsaOaepMgf1p),
        (wrap(), KwAes128),
        (wrap(), Aes128Cbc),
        (Passphrase, KwAes128),
        (Passphrase, Aes128Cbc),
    ]
    .into_iter()
    .enumerate()
    {
        let name = names.iter().find(|(one, _)| *one == algorithm).unwrap().1;
        for mac in MACS {
            let (request, state) = start(offer(KeyType::Totp, mac), way.clone(), &[i as u8]);
            let mut giver = Giver::of(KeyType::Totp);
            giver.policy.encryption_algorithms = vec![algorithm.clone()];
            let finished = giver.serve(&request, &way).unwrap();
            let secret = data(&mut body(&finished.response)).secret.clone();
            let Some(Value::Encrypted(value)) = secret else { panic!("{secret:?}") };
            assert_eq!(value.data.algorithm, name);
            assert_eq!(state.receive(&finished.response).unwrap().keys, finished.keys, "{name}");
        }
    }
}

/// AES key wrap with padding, under its own name and under RFC 6063's.
#[test]
fn s5_1_2_a_padded_wrap_opens() {
    let ClientProtection::Wrap { name, key } = wrap() else { panic!() };
    let rng = &mut SeededRandom::new(b"padding");
    let iterations = NonZeroU32::new(1000).unwrap();
    let mut strength = PasswordStrength::OLD;
    (strength.iterations, strength.algorithm) = (iterations, ValueAlgorithm::AesWrapPad(16));
    let derived = Protector::passphrase(&password(), Some(CLIENT_ID), strength, rng);
    for (way, protector) in
        [(wrap(), Protector::aes_key_wrap(key, &name, true).unwrap()), (ClientProtection::Passphrase, derived.unwrap())]
    {
        for renamed in [false, true] {
            let (request, state) = start(offer(KeyType::Aes256Cbc, MacAlgorithm::PrfSha256), way.clone(), b"client");
            let finished = Giver::of(KeyType::Aes256Cbc).serve(&request, &way).unwrap();
            let k_prov = [finished.keys.k_mac.expose(), finished.keys.k_token.expose()].concat();
            let response = changed(&finished.response, |body| {
                data(body).secret = Some(Value::Plain(Secret::new(k_prov)));
                protector.protect(data(body), rng).unwrap();
                if let (true, Some(Value::Encrypted(value))) = (renamed, &mut data(body).secret) {
                    assert!(value.data.algorithm.ends_with("-pad"));
                    value.data.algorithm = "http://www.w3.org/2001/04/xmlenc#kw-aes128".into();
                }
                let container = body.key_package.content.container_mut().unwrap();
                container.encryption_key = Some(protector.encryption_key().clone());
                container.mac_method = protector.mac_method().cloned();
            });
            assert_eq!(state.receive(&response).unwrap().keys, finished.keys, "renamed: {renamed}");
        }
    }
}

#[test]
fn s5_1_2_no_k_prov_needs_padding() {
    let types = [KeyType::Hotp, KeyType::Totp, KeyType::Ocra, KeyType::Aes128Cbc, KeyType::Aes192Cbc];
    for key_type in types.into_iter().chain([KeyType::Aes256Cbc, KeyType::SecurIdAes]) {
        for hash in [None, Some(Hash::Sha1), Some(Hash::Sha256), Some(Hash::Sha512)] {
            for prf in [Prf::Sha256, Prf::Aes128] {
                let Some(len) = key_type.key_len(hash) else { continue };
                assert_eq!(key_schedule::k_prov_len(prf, len) % 8, 0, "{key_type} {hash:?}");
            }
        }
    }
}

#[test]
fn s5_1_an_unknown_method_is_skipped() {
    let (request, _) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), wrap(), b"client");
    let mut more = hello(&request);
    let methods = more.supported_protocol_variants.as_mut().unwrap().two_pass.as_mut().unwrap();
    let unknown = ProtectionMethod::from_uri("urn:example:by-pigeon");
    methods.insert(0, KeyProtection { method: unknown, payload: None });
    let request = more.write();
    let Ok(Request::ClientHello(more)) = Request::read(&request) else { panic!() };
    let giver = Giver::of(KeyType::Hotp);
    let keys = [None, Some(key_of(&wrap()))];
    let auth = AuthPolicy::default();
    let run = TwoPassRun::begin(&more, &request, &giver.policy, &giver.facts(&keys), &auth).unwrap();
    assert_eq!(run.entry(), 1);
}

#[test]
fn s5_the_key_is_never_in_the_clear() {
    for way in ways() {
        let (request, state) = start(offer(KeyType::Aes256Cbc, MacAlgorithm::PrfSha256), way.clone(), b"client");
        let finished = Giver::of(KeyType::Aes256Cbc).serve(&request, &way).unwrap();
        let (k_mac, k_token) = (finished.keys.k_mac.expose(), finished.keys.k_token.expose());
        let text = String::from_utf8(finished.response.clone()).unwrap();
        let k_prov = [k_mac, k_token].concat();
        for part in [k_mac, k_token, &k_prov] {
            assert!(!text.contains(BASE64.encode(part).trim_end_matches('=')), "{:?}", way.method());
        }
        // It is not accepted in the clear either, though both MACs would be right.
        let response =
            changed(&finished.response, |body| data(body).secret = Some(Value::Plain(Secret::new(k_prov.clone()))));
        let refused = state.receive(&response);
        assert!(matches!(refused, Err(Failed::Misbehaved(_))), "{refused:?}");
    }
}

#[test]
fn s10_6_5_a_passphrase_is_stretched_by_100000_iterations_of_pbkdf2() {
    let way = ClientProtection::Passphrase;
    let (request, _) = start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
    let mut salts = std::collections::BTreeSet::new();
    for seed in [b"a", b"b"] {
        let mut giver = Giver::of(KeyType::Hotp);
        giver.seed = seed.to_vec();
        let text = String::from_utf8(giver.serve(&request, &way).unwrap().response).unwrap();
        assert!(text.contains("#pbkdf2\""), "{text}");
        let element = |name: &str| {
            let (_, from_name) = text.split_once(name).unwrap();
            from_name.split(['>', '<']).nth(1).unwrap().to_owned()
        };
        assert!(element("IterationCount").parse::<u32>().unwrap() >= 100_000, "{text}");
        let salt = element("Specified");
        assert!(BASE64.decode(salt.as_bytes()).unwrap().len() >= 8 && salts.insert(salt), "{text}");
    }
}

#[test]
fn s10_6_5_p15_iterations_outside_1000_to_10_000_000_are_refused_before_any_derivation() {
    let way = ClientProtection::Passphrase;
    let begin = || start(offer(KeyType::Hotp, MacAlgorithm::PrfSha256), way.clone(), b"client");
    let request = begin().0;
    let text = String::from_utf8(Giver::of(KeyType::Hotp).serve(&request, &way).unwrap().response).unwrap();
    assert_eq!(text.matches(">100000<").count(), 1, "{text}");
    for (count, refused) in [
        ("0", true),
        ("1", true),
        ("999", true),
        ("1000", false),
        ("10000001", true),
        ("4294967295", true),
        ("4294967296", true),
    ] {
        let response = text.replace(">100000<", &format!(">{count}<"));
        let failed = begin().1.receive(response.as_bytes()).unwrap_err();
        let before = matches!(failed, Failed::Misbehaved(why) if why.contains("PBKDF2"));
        assert_eq!(before, refused, "{count}: {failed:?}");
    }
    let provisioned = begin().1.receive(text.as_bytes()).unwrap();
    assert_eq!(provisioned.iterations.map(std::num::NonZeroU32::get), Some(100_000));
}
