//! Signatures that we make.

use std::io::ErrorKind;
use std::process::Command;

use pskc::signature::{Canonicalization, sign};
use pskc::{DeviceInfo, Key, KeyPackage};

use super::*;

const FORMS: [Canonicalization; 2] = [Canonicalization::Exclusive, Canonicalization::Inclusive];

/// A container as we write it, and one as others do.
fn unsigned() -> [Vec<u8>; 2] {
    let key = Key { id: "1".into(), ..Key::default() };
    let device = DeviceInfo { serial_no: Some("a & b".into()), ..DeviceInfo::default() };
    let package = KeyPackage { key: Some(key), device_info: Some(device), ..KeyPackage::default() };
    let container = KeyContainer { key_packages: vec![package.clone(), package], ..KeyContainer::default() };
    [container.to_xml(), data("unsigned.xml")]
}

fn chain(owner: &str) -> Vec<Vec<u8>> {
    match owner {
        "rsa" => vec![certificate("rsa"), certificate("intermediate")],
        _ => vec![certificate(owner)],
    }
}

#[test]
fn s7_what_we_sign_is_verified_and_stands_where_the_schema_has_it() {
    for document in unsigned() {
        for owner in ["rsa", "p256", "p384"] {
            for form in FORMS {
                let signed = sign(&document, &signing_key(owner), &chain(owner), form).unwrap();
                assert!(KeyContainer::from_xml(&signed).unwrap().signed, "the strict reader finds it in its place");
                for options in [by_root(), VerifyOptions::with_key(verifying_key(owner))] {
                    let verified = verify(&signed, &options).unwrap();
                    assert_eq!(container(&verified.content), container(&document));
                    assert_eq!(verified.algorithm, signing_key(owner).default_algorithm());
                }
                // All else stays as it was, to the octet.
                let text = String::from_utf8(signed).unwrap();
                let (before, rest) = text.split_once("<ds:Signature ").unwrap();
                let (_, after) = rest.split_once("</ds:Signature>").unwrap();
                assert_eq!([before, after].concat().into_bytes(), document);
                assert!(before.ends_with("KeyPackage>"));
            }
        }
    }
}

#[test]
fn s7_a_signature_without_certificates_is_for_those_who_know_the_key() {
    let signed = sign(&data("unsigned.xml"), &signing_key("p384"), &[], Canonicalization::Exclusive).unwrap();
    assert_eq!(verify(&signed, &by_root()), Err(SignatureError::NoKey));
    let verified = verify(&signed, &VerifyOptions::with_key(verifying_key("p384"))).unwrap();
    assert_eq!(verified.signer, Signer::Key);
}

#[test]
fn s7_a_byte_order_mark_does_not_move_the_signature() {
    let document = ["\u{FEFF}".as_bytes(), &data("unsigned.xml")].concat();
    let signed = sign(&document, &signing_key("p256"), &chain("p256"), Canonicalization::Exclusive).unwrap();
    assert!(signed.starts_with("\u{FEFF}<?xml".as_bytes()));
    verify(&signed, &by_root()).unwrap();
}

#[test]
fn s7_figure_9_the_signature_element_may_be_of_pskc() {
    let signed =
        sign(&data("unsigned.xml"), &signing_key("p256"), &chain("p256"), Canonicalization::Exclusive).unwrap();
    let signed = String::from_utf8(signed).unwrap();
    // The name of the element is not signed, and its namespace declarations come out in the same places.
    let renamed = signed.replace("<ds:Signature ", "<Signature ").replace("</ds:Signature>", "</Signature>");
    assert_eq!(verify(renamed.as_bytes(), &by_root()), verify(signed.as_bytes(), &by_root()));
    verify(renamed.as_bytes(), &by_root()).unwrap();
    let other = signed.replace("<ds:Signature ", "<t:Signature ").replace("</ds:Signature>", "</t:Signature>");
    assert_eq!(verify(other.as_bytes(), &by_root()), Err(SignatureError::NotSigned));
}

#[test]
fn exc_c14n_prefixes_of_xsi_type_stay_declared_in_what_was_verified() {
    let document = text("unsigned.xml").replace(
        "<t:note ",
        r#"<t:note xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="unused:kind" "#,
    );
    let signed = sign(document.as_bytes(), &signing_key("p256"), &chain("p256"), Canonicalization::Exclusive).unwrap();
    let content = String::from_utf8(verify(&signed, &by_root()).unwrap().content).unwrap();
    assert!(content.contains(r#"xmlns:unused="urn:example:unused""#), "{content}");
}

#[test]
fn s7_what_cannot_be_signed_is_refused() {
    let key = signing_key("p256");
    let try_it = |document: &[u8], chain: &[Vec<u8>]| sign(document, &key, chain, Canonicalization::Exclusive);
    let document = data("unsigned.xml");
    let signed = try_it(&document, &[]).unwrap();
    assert_eq!(try_it(&signed, &[]), Err(SignatureError::AlreadySigned));
    let hidden =
        text("unsigned.xml").replace("<t:note ", r#"<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><t:note "#);
    assert_eq!(try_it(hidden.as_bytes(), &[]), Err(SignatureError::AlreadySigned));
    for other in ["<a/>", "<a>", "", r#"<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="2.0"/>"#] {
        assert!(matches!(try_it(other.as_bytes(), &[]), Err(SignatureError::Container(_))), "{other}");
    }
    for wrong in [certificate("p384"), certificate("root"), vec![], b"nonsense".to_vec()] {
        assert_eq!(try_it(&document, &[wrong]), Err(SignatureError::Key));
    }
}

/// Skipped where the programs, or the schema, are not there.
#[test]
fn s7_other_programs_find_what_we_sign_valid_and_verify_it() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = folder.join("tests/data/signature/root.pem");
    let schema = folder.join("../../../shared/schema/pskc.xsd");
    let place = std::env::temp_dir().join(format!("pskc-signature-{}", std::process::id()));
    std::fs::create_dir_all(&place).unwrap();
    for (i, document) in unsigned().iter().enumerate() {
        // Not allowed by the schema; what it does to canonical forms is tested elsewhere.
        let document = String::from_utf8(document.clone()).unwrap().replace(r#" xml:lang="en""#, "");
        for (owner, form) in ["rsa", "p256", "p384"].iter().flat_map(|owner| FORMS.map(|form| (owner, form))) {
            let signed = sign(document.as_bytes(), &signing_key(owner), &chain(owner), form).unwrap();
            let file = place.join(format!("{owner}-{form:?}-{i}.xml"));
            std::fs::write(&file, signed).unwrap();
            let mut xmlsec = Command::new("xmlsec1");
            xmlsec.arg("--verify").arg("--trusted-pem").arg(&root).arg(&file);
            let mut xmllint = Command::new("xmllint");
            xmllint.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg(&file);
            for (mut program, checks) in [(xmlsec, "DSKPP_PEER_CHECKS"), (xmllint, "DSKPP_SCHEMA_CHECKS")] {
                let may_be_missing = std::env::var(checks).as_deref() != Ok("required");
                match program.output() {
                    _ if may_be_missing && checks == "DSKPP_SCHEMA_CHECKS" && !schema.exists() => {
                        eprintln!("not checked: needs {}", schema.display());
                    }
                    Ok(output) => assert!(output.status.success(), "{program:?}: {output:?}"),
                    Err(error) if may_be_missing && error.kind() == ErrorKind::NotFound => {
                        eprintln!("not checked: {program:?}");
                    }
                    Err(error) => panic!("{program:?}: {error}"),
                }
            }
        }
    }
    std::fs::remove_dir_all(place).unwrap();
}
