//! Signatures of containers (RFC 6030 §7): interoperability, our own signatures, and attacks.
//!
//! `data/signature/` has keys, certificates and documents, created with openssl and xmlsec1 by its `make.sh`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[path = "signature/attacks.rs"]
mod attacks;
#[path = "signature/made.rs"]
mod made;

use std::path::PathBuf;

use data_encoding::BASE64;
use dskpp_crypto::{SignatureAlgorithm, SigningKey, VerifyingKey};
use jiff::Timestamp;
use pskc::KeyContainer;
use pskc::signature::{SignatureError, Signer, VerifyOptions, verify};

fn data(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/signature").join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(data(name)).unwrap()
}

fn from_pem(pem: &str) -> Vec<u8> {
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(lines.as_bytes()).unwrap()
}

fn certificate(name: &str) -> Vec<u8> {
    from_pem(&text(&format!("{name}.pem")))
}

fn signing_key(name: &str) -> SigningKey {
    SigningKey::from_pem(&text(&format!("{name}.key"))).unwrap()
}

fn verifying_key(name: &str) -> VerifyingKey {
    VerifyingKey::from_certificate_der(&certificate(name)).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn by_root() -> VerifyOptions {
    VerifyOptions::with_anchors(vec![certificate("root")], time("2040-01-01T00:00:00Z"))
}

/// The container in the document, without signature and attribute order.
fn container(document: &[u8]) -> KeyContainer {
    let mut container = KeyContainer { signed: false, ..KeyContainer::from_xml(document).unwrap() };
    for element in container.extensions.iter_mut().flat_map(|extensions| &mut extensions.elements) {
        element.attributes.sort_by(|a, b| a.local.cmp(&b.local));
    }
    container
}

/// Documents of xmlsec1, the certificate's owner, and the algorithm.
const DOCUMENTS: [(&str, &str, SignatureAlgorithm); 7] = [
    ("rsa-sha256-exc", "rsa", SignatureAlgorithm::RsaSha256),
    ("rsa-sha384-default", "rsa", SignatureAlgorithm::RsaSha384),
    ("rsa-sha512-inc", "rsa", SignatureAlgorithm::RsaSha512),
    ("p256-exc", "p256", SignatureAlgorithm::EcdsaP256Sha256),
    ("p256-prefixes", "p256", SignatureAlgorithm::EcdsaP256Sha256),
    ("p384-inc11", "p384", SignatureAlgorithm::EcdsaP384Sha384),
    ("rsa-sha1", "rsa", SignatureAlgorithm::RsaSha1),
];

#[test]
fn s7_signatures_of_xmlsec1_are_verified() {
    for (name, owner, algorithm) in DOCUMENTS {
        let document = data(&format!("{name}.xml"));
        let is_sha1 = algorithm == SignatureAlgorithm::RsaSha1;
        for options in [by_root(), VerifyOptions::with_key(verifying_key(owner))] {
            if is_sha1 {
                assert_eq!(verify(&document, &options), Err(SignatureError::Sha1));
            }
            let options = if is_sha1 { options.allow_sha1() } else { options };
            let verified = verify(&document, &options).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(verified.algorithm, algorithm, "{name}");
            assert_eq!(container(&verified.content), container(&document), "{name}");
            assert!(!String::from_utf8(verified.content).unwrap().contains("Signature"), "{name}");
            match verified.signer {
                Signer::Certificate { subject, certificate: der } => {
                    assert!(subject.contains(&format!("CN={owner}")), "{subject}");
                    assert_eq!(der, certificate(owner));
                    assert!(options.key.is_none());
                }
                Signer::Key => assert!(options.key.is_some()),
                _ => unreachable!("there is no other kind"),
            }
        }
    }
}

/// The canonical form of one document, as shown by `xmlsec1 --store-references`.
#[test]
fn s7_content_is_what_was_digested() {
    let verified = verify(&data("p256-prefixes.xml"), &by_root()).unwrap();
    assert_eq!(String::from_utf8(verified.content).unwrap(), text("p256-prefixes.content"));
}

#[test]
fn s7_a_signature_of_nobody_trusted_is_refused() {
    let documents: Vec<_> = DOCUMENTS.iter().filter(|(name, ..)| *name != "rsa-sha1").collect();
    let untrusting = [
        VerifyOptions::with_anchors(vec![], time("2040-01-01T00:00:00Z")),
        VerifyOptions::with_anchors(vec![certificate("other-root")], time("2040-01-01T00:00:00Z")),
        VerifyOptions::with_anchors(vec![certificate("root")], time("2020-01-01T00:00:00Z")),
        VerifyOptions::with_anchors(vec![certificate("root")], time("2200-01-01T00:00:00Z")),
        VerifyOptions::with_anchors(vec![certificate("root")], time("1960-01-01T00:00:00Z")),
    ];
    for (name, ..) in &documents {
        let document = data(&format!("{name}.xml"));
        for options in &untrusting {
            let error = verify(&document, options).unwrap_err();
            assert!(matches!(error, SignatureError::Certificate(_)), "{name}: {error:?}");
        }
    }
    for (name, owner, _) in &documents {
        for other in ["rsa", "p256", "p384", "intermediate", "root"].iter().filter(|other| *other != owner) {
            let options = VerifyOptions::with_key(verifying_key(other));
            assert_eq!(
                verify(&data(&format!("{name}.xml")), &options),
                Err(SignatureError::Signature),
                "{name} {other}"
            );
        }
    }
}

#[test]
fn s7_without_the_certificate_of_the_authority_between_there_is_no_trust() {
    let document = text("rsa-sha256-exc.xml");
    let second = document.rfind("<X509Certificate>").unwrap();
    let end = document.rfind("</X509Data>").unwrap();
    let document = [&document[..second], &document[end..]].concat();
    assert!(matches!(verify(document.as_bytes(), &by_root()), Err(SignatureError::Certificate(_))));
    // With the intermediate authority as anchor, it is there.
    let options = VerifyOptions::with_anchors(vec![certificate("intermediate")], by_root().at);
    verify(document.as_bytes(), &options).unwrap();
}

#[test]
fn s7_what_is_no_signed_container_is_told_apart() {
    let options = by_root();
    assert_eq!(verify(&data("unsigned.xml"), &options), Err(SignatureError::NotSigned));
    assert_eq!(verify(b"<KeyContainer/>", &options), Err(SignatureError::NotContainer));
    assert!(matches!(verify(b"<KeyContainer>", &options), Err(SignatureError::Xml(_))));
    assert!(matches!(verify(b"", &options), Err(SignatureError::Xml(_))));
    let huge = vec![b' '; 64 * 1024 * 1024 + 1];
    assert_eq!(verify(&huge, &options), Err(SignatureError::TooLarge));
}

/// A document of the OATH Toolkit: RSA-SHA1, and a `Reference` without `URI`.
#[test]
fn s7_the_signed_document_of_the_oath_toolkit_is_verified_where_sha1_is_allowed() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/pskc/oath-toolkit");
    let Ok(document) = std::fs::read(folder.join("pskc-all-signed.xml")) else {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "the vectors are missing");
        eprintln!("not checked: needs ../shared/vectors/pskc");
        return;
    };
    let pem = |name: &str| from_pem(&std::fs::read_to_string(folder.join(name)).unwrap());
    let key = VerifyingKey::from_certificate_der(&pem("pskc-ee-crt.pem")).unwrap();
    let by_root = VerifyOptions::with_anchors(vec![pem("pskc-root-crt.pem")], time("2020-01-01T00:00:00Z"));
    for options in [by_root, VerifyOptions::with_key(key)] {
        assert_eq!(verify(&document, &options), Err(SignatureError::Sha1));
        let verified = verify(&document, &options.allow_sha1()).unwrap();
        assert_eq!(container(&verified.content), container(&document));
    }
}
