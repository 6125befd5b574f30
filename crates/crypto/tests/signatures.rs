//! Signatures and signers' certificates.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use data_encoding::HEXLOWER;
use dskpp_crypto::{Error, RsaPublicKey, SignatureAlgorithm, SignerUse, SigningKey, VerifyingKey, verify_chain};
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
fn signatures_of_openssl_verify_and_changed_ones_do_not() {
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
fn signatures_made_here_verify_with_the_public_key_that_openssl_derived() {
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

/// A 1024-bit key and OpenSSL signatures: only old files have such keys.
const OLD_N: &str = "acf16bf7c1991637e4134a63a4205e9155843284190cfe40570ee69451f129a733e6b92e6248de4bd2ab9412b6006563\
    e1e1683705e1efba25bb35b499223b42f86dd4967d133da649bcca72f27859a4646db71f99f744cfa18fcc70dbccd67f53cd376cb1dff3df3\
    03f909d69eec5520b92b918858dd873ef622c486ec43123";
const OLD_SHA1: &str = "031322ae9434df70d6ec50dc251977d6cc08006547ddd9a50774ed730c677b53faf6014f1472f44c7e47a1ef0b0ef\
    fa18499144ed9af34f7acec8cc4488348d4ada01200aee5bc44a74f1e05ca9c9fd4e4cca62da0e194428be25ce82b97fdc7f502d8ec67848a\
    46fab4f8ee17a57f9743e8896b29b6cafb0b5e27d76f5ce8dd";
const OLD_SHA256: &str = "13b84b683e4e24f256a1e3fa579cc3a5040dffe71e5015fe7cbf0a8bd1b7ce885f216d369ed3db6028490eadf22\
    4c51c626a7f60863f482bc4dfa86d7107eaf49d2d93783caef1abbbacb65227c32e306514eaa13eb9792dbb1f28be699c85b5644ee65382e3\
    9d2aa845216645c306a85de5e45acd81b0e1e9982cbfaf81cec7";

fn octets(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn rsa_of_1024_bits_verifies_sha1_of_old_files_and_nothing_else() {
    let key = VerifyingKey::from_rsa(&[&[0][..], &octets(OLD_N)].concat(), &[0, 1, 0, 1]).unwrap();
    assert_eq!(VerifyingKey::from_spki_der(key.to_spki_der()).unwrap(), key);
    assert_eq!(key.verify(SignatureAlgorithm::RsaSha1, b"message", &octets(OLD_SHA1)), Ok(()));
    assert_eq!(key.verify(SignatureAlgorithm::RsaSha1, b"Message", &octets(OLD_SHA1)), Err(Error::Signature));
    assert_eq!(key.verify(SignatureAlgorithm::RsaSha256, b"message", &octets(OLD_SHA256)), Err(Error::Signature));
}

#[test]
fn rsa_numbers_out_of_range_are_refused() {
    let odd = |octets: usize| vec![0xFF; octets];
    for octets in [128, 256, 1024] {
        assert!(VerifyingKey::from_rsa(&odd(octets), &[1, 0, 1]).is_ok(), "{octets}");
    }
    let mut even = odd(256);
    even[255] = 0xFE;
    let too_large = [&[1][..], &odd(1024)].concat();
    let too_small = [&[0x7F][..], &odd(127)].concat();
    for n in [&[][..], &[0; 256], &even, &too_small, &too_large] {
        assert!(matches!(VerifyingKey::from_rsa(n, &[1, 0, 1]), Err(Error::SignatureKey(_))), "{}", n.len());
    }
    for e in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[1, 0, 0, 0, 0, 1]] {
        assert!(matches!(VerifyingKey::from_rsa(&odd(256), e), Err(Error::SignatureKey(_))), "{e:?}");
    }
}

/// A key of openssl on secp256k1, whose points are as long as those of P-256.
#[test]
fn curves_are_identified_by_name_not_by_point_length() {
    let spki = "3056301006072a8648ce3d020106052b8104000a0342000473287ff13e1f5a4b2609770a97d1729bd5fa082afa14f19bebb215cb\
                0b3982b87c467c53922beb9774a3c85b0af568375d6ec90fe977091a60ff21cacef32cf6";
    assert!(matches!(VerifyingKey::from_spki_der(&octets(spki)), Err(Error::SignatureKey(_))));
}

#[test]
fn a_private_key_has_no_surrounding_octets() {
    let vectors = vectors();
    for name in ["rsa", "p256", "p384"] {
        let pem = vectors["keys"][name]["private_pem"].as_str().unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
        assert!(SigningKey::from_pkcs8_der(&der).is_ok());
        for wrong in [&der[..der.len() - 1], &der[1..], &[&der[..], &[0]].concat()] {
            assert!(matches!(SigningKey::from_pkcs8_der(wrong), Err(Error::SignatureKey(_))), "{name}");
        }
        assert!(SigningKey::from_pem(&format!("words before\r\n{}and after", pem.replace('\n', "\r\n"))).is_ok());
        for (there, other) in [("BEGIN PRIVATE", "BEGIN RSA PRIVATE"), ("END PRIVATE", "END CERTIFICATE")] {
            assert!(SigningKey::from_pem(&pem.replace(there, other)).is_err(), "{other}");
        }
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
fn a_chain_must_be_complete_in_time_and_issued_by_cas() {
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
        ("not certified by a CA", &below_no_ca, &[&no_ca_der], &root, NOW, false),
        ("no certificate", b"0", &[], &root, NOW, false),
        ("cut off", &good[..good.len() - 1], &[&middle_der], &root, NOW, false),
    ];
    for (name, leaf, intermediates, anchor, at, expected) in cases {
        let result = verify_chain(leaf, intermediates, &[anchor], *at, SignerUse::Documents);
        assert_eq!(result.is_ok(), *expected, "{name}: {result:?}");
    }
    assert!(verify_chain(&good, &[&middle_der], &[], NOW, SignerUse::Documents).is_err(), "no anchor at all");
}
