//! Signatures and the certificates of signers.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use data_encoding::HEXLOWER;
use dskpp_crypto::{Error, RsaPublicKey, SignatureAlgorithm, SigningKey, VerifyingKey, verify_chain};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd};
use serde_json::Value;

const ALGORITHMS: [SignatureAlgorithm; 6] = [
    SignatureAlgorithm::RsaSha1,
    SignatureAlgorithm::RsaSha256,
    SignatureAlgorithm::RsaSha384,
    SignatureAlgorithm::RsaSha512,
    SignatureAlgorithm::EcdsaP256Sha256,
    SignatureAlgorithm::EcdsaP384Sha384,
];

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/signatures.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn signatures_of_another_implementation_verify_and_changed_ones_do_not() {
    let vectors = vectors();
    for case in vectors["signatures"].as_array().unwrap() {
        let key = VerifyingKey::from_spki_der(&hex(&vectors["keys"][case["key"].as_str().unwrap()]["spki"])).unwrap();
        let named = |algorithm: &&SignatureAlgorithm| format!("{algorithm:?}") == case["algorithm"].as_str().unwrap();
        let algorithm = *ALGORITHMS.iter().find(named).unwrap();
        let value = hex(&case["value"]);
        assert_eq!(key.verify(algorithm, b"message", &value), Ok(()), "{algorithm:?}");
        assert_eq!(key.verify(algorithm, b"Message", &value), Err(Error::Signature));
        for i in 0..value.len() {
            let mut changed = value.clone();
            changed[i] ^= 1;
            assert_eq!(key.verify(algorithm, b"message", &changed), Err(Error::Signature), "{algorithm:?} octet {i}");
        }
        for wrong in [&value[..value.len() - 1], &[], &[0; 64]] {
            assert_eq!(key.verify(algorithm, b"message", wrong), Err(Error::Signature));
        }
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            assert!(key.verify(other, b"message", &value).is_err(), "{algorithm:?} is not {other:?}");
        }
    }
}

#[test]
fn what_is_signed_here_verifies_with_the_public_key_that_another_program_derived() {
    let vectors = vectors();
    for (name, default) in [
        ("rsa", SignatureAlgorithm::RsaSha256),
        ("p256", SignatureAlgorithm::EcdsaP256Sha256),
        ("p384", SignatureAlgorithm::EcdsaP384Sha384),
    ] {
        let key = SigningKey::from_pem(vectors["keys"][name]["private_pem"].as_str().unwrap()).unwrap();
        let public = VerifyingKey::from_spki_der(&hex(&vectors["keys"][name]["spki"])).unwrap();
        assert_eq!((key.default_algorithm(), key.public()), (default, public.clone()));
        assert!(!format!("{key:?}{public:?}").contains("30"), "nothing of the key is shown");
        for algorithm in ALGORITHMS {
            match key.sign(algorithm, b"message") {
                Ok(value) => assert_eq!(public.verify(algorithm, b"message", &value), Ok(()), "{algorithm:?}"),
                Err(error) => assert!(matches!(error, Error::SignatureKey(_))),
            }
        }
        assert!(key.sign(SignatureAlgorithm::RsaSha1, b"message").is_err(), "SHA-1 is for verifying alone");
    }
    let spki = hex(&vectors["keys"]["rsa"]["spki"]);
    let rsa = RsaPublicKey::from_spki_der(&spki).unwrap();
    assert_eq!(VerifyingKey::from_rsa(rsa.modulus(), rsa.exponent()).unwrap().to_spki_der(), spki);
    for bad in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----%"] {
        assert!(matches!(SigningKey::from_pem(bad), Err(Error::SignatureKey(_))), "{bad}");
    }
    for bad in [&[][..], &[0x30, 0], &spki[1..], &[&spki[..], &[0]].concat()] {
        assert!(matches!(VerifyingKey::from_spki_der(bad), Err(Error::SignatureKey(_))));
    }
}

/// 2030-01-01.
const NOW: u64 = 1_893_456_000;

fn params(name: &str, ca: bool) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2040, 1, 1));
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

#[test]
fn a_chain_counts_only_whole_in_time_and_from_authority_to_signer() {
    let ca = |name| CertifiedIssuer::self_signed(params(name, true), KeyPair::generate().unwrap()).unwrap();
    let (root, other) = (ca("root"), ca("root"));
    let middle = CertifiedIssuer::signed_by(params("middle", true), KeyPair::generate().unwrap(), &root).unwrap();
    let no_ca = CertifiedIssuer::signed_by(params("no authority", false), KeyPair::generate().unwrap(), &root).unwrap();
    let leaf = |params: CertificateParams, issuer: &CertifiedIssuer<'_, KeyPair>| {
        params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().to_vec()
    };
    let usage = |usage| {
        let mut params = params("signer", false);
        params.key_usages.push(usage);
        params
    };
    let good = leaf(params("signer", false), &middle);
    let (root, other, middle_der) = (root.der().to_vec(), other.der().to_vec(), middle.der().to_vec());
    let no_ca_der = no_ca.der().to_vec();
    let below_no_ca = leaf(params("signer", false), &no_ca);
    let signs = leaf(usage(KeyUsagePurpose::DigitalSignature), &middle);
    let agrees = leaf(usage(KeyUsagePurpose::KeyAgreement), &middle);
    type Case<'a> = (&'a str, &'a [u8], &'a [&'a [u8]], &'a [u8], u64, bool);
    let cases: &[Case<'_>] = &[
        ("whole", &good, &[&middle_der], &root, NOW, true),
        ("for signatures", &signs, &[&middle_der], &root, NOW, true),
        ("the anchor itself", &root, &[], &root, NOW, true),
        ("not for signatures", &agrees, &[&middle_der], &root, NOW, false),
        ("a link is missing", &good, &[], &root, NOW, false),
        ("another root of that name", &good, &[&middle_der], &other, NOW, false),
        ("too early", &good, &[&middle_der], &root, 0, false),
        ("too late", &good, &[&middle_der], &root, NOW * 2, false),
        ("the anchor itself, too late", &root, &[], &root, NOW * 2, false),
        ("certified by no authority", &below_no_ca, &[&no_ca_der], &root, NOW, false),
        ("no certificate", b"0", &[], &root, NOW, false),
        ("cut off", &good[..good.len() - 1], &[&middle_der], &root, NOW, false),
    ];
    for (name, leaf, intermediates, anchor, at, expected) in cases {
        let result = verify_chain(leaf, intermediates, &[anchor], *at);
        assert_eq!(result.is_ok(), *expected, "{name}: {result:?}");
    }
    assert!(verify_chain(&good, &[&middle_der], &[], NOW).is_err(), "no anchor at all");
}
