//! Signers' certificates: `sign` refuses what `verify` would refuse, with the same cause.

use std::path::Path;

use dskpp_crypto::SigningKey;
use pskc::signature::{Canonicalization, sign};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use super::support::{Home, shown};

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pskc/tests/data/signature").join(name)
}

fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    data_encoding::BASE64.decode(body.as_bytes()).unwrap()
}

/// Key files, and a `signed.xml` signed by the library, which does not check certificates.
fn home(key_der: &[u8], certificates: &[&str]) -> Home {
    let home = Home::new();
    home.write("line", "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    home.run(&["pskc", "convert", "line", "-o", "keys.xml"]).success();
    home.write("key", key_der);
    home.write("chain.pem", certificates.concat());
    let chain: Vec<Vec<u8>> = certificates.iter().map(|pem| der(pem)).collect();
    let keys = std::fs::read(home.path("keys.xml")).unwrap();
    let key = SigningKey::from_pkcs8_der(key_der).unwrap();
    home.write("signed.xml", sign(&keys, &key, &chain, Canonicalization::Exclusive).unwrap());
    home
}

const SIGN: [&str; 9] = ["pskc", "sign", "keys.xml", "--key", "key", "--certificate", "chain.pem", "-o", "own.xml"];

#[test]
fn s7_sign_refuses_what_verify_refuses_and_both_name_the_cause() {
    let root = CertifiedIssuer::self_signed(authority("root"), KeyPair::generate().unwrap()).unwrap();
    let dated = |from: i32, to: i32| {
        let mut params = named("signer");
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params
    };
    let for_use = |usages: &[KeyUsagePurpose], purposes: &[ExtendedKeyUsagePurpose]| {
        let mut params = named("signer");
        (params.key_usages, params.extended_key_usages) = (usages.to_vec(), purposes.to_vec());
        params
    };
    let key = KeyPair::generate().unwrap();
    let certified = |params: CertificateParams| (key.serialize_der(), params.signed_by(&key, &root).unwrap().pem());
    let p256 = der(&std::fs::read_to_string(data("p256.key")).unwrap());
    let sha1 = std::fs::read_to_string(data("sha1.pem")).unwrap();
    let sha1_root = std::fs::read_to_string(data("sha1-root.pem")).unwrap();
    let tls = for_use(&[], &[ExtendedKeyUsagePurpose::ServerAuth]);
    for ((key, certificate), root, cause, remedy) in [
        (certified(authority("signer")), root.pem(), "is a CA certificate (CA:TRUE)", "(CA:FALSE)"),
        (certified(tls), root.pem(), "its extended key usage allows neither documents", "--any-key-usage"),
        (
            certified(for_use(&[KeyUsagePurpose::KeyAgreement], &[])),
            root.pem(),
            "neither digitalSignature",
            "--any-key-usage",
        ),
        (certified(dated(2020, 2021)), root.pem(), "has expired", "renew the certificate"),
        (certified(dated(2090, 2091)), root.pem(), "is not valid before", "correct the clock"),
        ((p256, sha1), sha1_root, "is signed with SHA-1, which can be forged", "SHA-256"),
    ] {
        let home = home(&key, &[&certificate]);
        home.write("ca.pem", root);
        let signed = home.run(&SIGN);
        assert!(signed.code == Some(1) && !home.path("own.xml").exists(), "{cause}: {signed:?}");
        assert!(signed.err.contains(cause) && signed.err.contains(remedy), "{cause}: {signed:?}");
        let verified = home.run(&["pskc", "verify", "signed.xml", "--ca", "ca.pem"]);
        assert!(verified.code == Some(1) && verified.err.contains(cause), "{cause}: {verified:?}");
        if remedy == "--any-key-usage" {
            home.run(&[&SIGN[..], &["--any-key-usage"]].concat()).success();
            home.run(&["pskc", "verify", "own.xml", "--ca", "ca.pem", "--any-key-usage"]).success();
        }
    }
    // A self-signed certificate is trusted if it was given, whether CA or not.
    for params in [named("self"), authority("self")] {
        let home = home(&key.serialize_der(), &[&params.self_signed(&key).unwrap().pem()]);
        home.run(&SIGN).success();
        home.run(&["pskc", "verify", "own.xml", "--ca", "chain.pem"]).success();
    }
}

#[test]
fn a_chain_with_sha1_and_an_anchor_that_is_no_ca_are_reported() {
    let read = |name: &str| std::fs::read_to_string(data(name)).unwrap();
    for (chain, ca, cause, remedy) in [
        (
            &["below-sha1.pem", "sha1-middle.pem"][..],
            "sha1-root.pem",
            "CN=sha1-middle\" is signed with SHA-1, which can be forged",
            "--signer",
        ),
        (
            &["p256.pem"],
            "rsa.pem",
            "the given certificate of \"O=Test only, CN=rsa\" is not a CA",
            "--ca takes CA certificates",
        ),
    ] {
        let chain: Vec<String> = chain.iter().map(|name| read(name)).collect();
        let home = home(&der(&read("p256.key")), &chain.iter().map(String::as_str).collect::<Vec<_>>());
        let refused = home.run(&["pskc", "verify", "signed.xml", "--ca", &shown(&data(ca))]);
        assert!(refused.code == Some(1) && refused.err.contains(cause), "{refused:?}");
        assert!(refused.err.contains(remedy), "{refused:?}");
    }
}
