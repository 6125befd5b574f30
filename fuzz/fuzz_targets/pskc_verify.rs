//! Signatures: an accepted document has the content of one that was really signed.
#![no_main]

use std::sync::LazyLock;

use dskpp_crypto::VerifyingKey;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use pskc::KeyContainer;
use pskc::signature::{VerifyOptions, verify};
use pskc::xml::decode_base64;

macro_rules! data {
    ($($name:literal),*) => { [$(include_bytes!(concat!("../../crates/pskc/tests/data/signature/", $name)).as_slice()),*] };
}

/// All documents signed with the keys below.
const SIGNED: [&[u8]; 7] = data![
    "rsa-sha256-exc.xml",
    "rsa-sha384-default.xml",
    "rsa-sha512-inc.xml",
    "rsa-sha1.xml",
    "p256-exc.xml",
    "p256-prefixes.xml",
    "p384-inc11.xml"
];
const KEYS: [&[u8]; 3] = data!["rsa.pem", "p256.pem", "p384.pem"];
const ROOT: [&[u8]; 1] = data!["root.pem"];

static ANCHORS: LazyLock<VerifyOptions> = LazyLock::new(|| {
    let at: Timestamp = "2040-01-01T00:00:00Z".parse().expect("a time");
    VerifyOptions::with_anchors(ROOT.map(der).to_vec(), at)
});

static OPTIONS: LazyLock<Vec<VerifyOptions>> = LazyLock::new(|| {
    let keys = KEYS.map(|pem| VerifyingKey::from_certificate_der(&der(pem)).expect("a certificate"));
    let mut options = keys.map(VerifyOptions::with_key).to_vec();
    options.push(ANCHORS.clone());
    options.extend(options.clone().into_iter().map(VerifyOptions::allow_sha1));
    options
});

static CONTENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let options = ANCHORS.clone().allow_sha1();
    SIGNED.iter().map(|document| verify(document, &options).expect("a good signature").content).collect()
});

fuzz_target!(|data: &[u8]| {
    for options in OPTIONS.iter() {
        let Ok(verified) = verify(data, options) else { continue };
        KeyContainer::from_xml(&verified.content).expect("what is verified can be read");
        assert!(CONTENTS.contains(&verified.content), "a forgery");
    }
});

fn der(pem: &[u8]) -> Vec<u8> {
    let pem = std::str::from_utf8(pem).expect("PEM is ASCII");
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    decode_base64(&lines).expect("PEM is base64")
}
