//! PSKC read leniently, or refused with its cause.

use super::support::Home;
use super::{Case, copy};

pub(super) const CASES: &[Case] = &[
    Case::refused(
        "01-suite-hash-in-attribute",
        &[],
        "pskc inspect --json --show-secrets --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["unexpected element <Suite>", "--lenient"],
    ),
    Case::read(
        "01-suite-hash-in-attribute",
        &[],
        "pskc inspect --json --show-secrets --lenient --key-hex 000102030405060708090a0b0c0d0e0f input",
        &[
            "\"algorithm_suite\":\"HMAC-SHA256\"",
            "the attribute hashalgo of <Suite> is read as the hash",
            "<Suite> is out of order",
            "<Counter> is out of order",
        ],
    ),
    Case::new(
        "01-suite-hash-in-attribute",
        &[],
        "pskc convert --lenient --to otpauth --key-hex 000102030405060708090a0b0c0d0e0f input",
        0,
        &["algorithm=SHA256", "the attribute hashalgo"],
        &["SHA1"],
    ),
    Case::new(
        "01-suite-hash-in-attribute",
        &[("<Suite hashalgo=\"sha256\">", "<Suite hashalgo=\"sha512\">")],
        "pskc convert --lenient --to otpauth --key-hex 000102030405060708090a0b0c0d0e0f input",
        0,
        &["algorithm=SHA512"],
        &["SHA1"],
    ),
    Case::new(
        "01-suite-hash-in-attribute",
        &[("<Suite hashalgo=\"sha256\">", "<Suite hashalgo=\"sha3-256\">")],
        "pskc convert --lenient --to otpauth --key-hex 000102030405060708090a0b0c0d0e0f input",
        1,
        &["Suite names an unknown hash"],
        &["otpauth://"],
    ),
    Case::new(
        "01-suite-hash-in-attribute",
        &[("<Suite hashalgo=\"sha256\">", "<Suite hashalgo=\"sha256\">HMAC-SHA1")],
        "pskc convert --lenient --to otpauth --key-hex 000102030405060708090a0b0c0d0e0f input",
        1,
        &["name different hashes"],
        &["otpauth://"],
    ),
    Case::read(
        "01-suite-hash-in-attribute",
        &[("<Suite hashalgo=\"sha256\">", "<Suite mode=\"sha256\">")],
        "pskc convert --lenient --to otpauth --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["the attribute mode has no meaning here and is ignored"],
    ),
    Case::read(
        "01-suite-hash-in-attribute",
        &[("Length=\"6\"", "Length=\"6\" v:check=\"1\" xmlns:v=\"urn:v\"")],
        "pskc inspect --json --show-secrets --lenient --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["the attribute check has no meaning here"],
    ),
    Case::read(
        "01-suite-hash-in-attribute",
        &[("<TimeInterval>", "<TimeInterval>s<Unit>s</Unit>")],
        "pskc inspect --json --show-secrets --lenient --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["the element <Unit> has no meaning here", "the text in <TimeInterval> is ignored"],
    ),
    Case::new(
        "22-xml-blank-before-declaration",
        &[],
        "pskc inspect input",
        1,
        &["the XML declaration must be at the very beginning: remove what is before it", "--lenient"],
        &["processing instruction"],
    ),
    Case::new(
        "22-xml-blank-before-declaration",
        &[],
        "pskc check input",
        1,
        &["line 2", "the XML declaration must be at the very beginning"],
        &["follows RFC 6030"],
    ),
    Case::read(
        "22-xml-blank-before-declaration",
        &[],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"id\":\"S1\"", "the XML declaration must be at the very beginning"],
    ),
    Case::refused(
        "22-xml-blank-before-declaration",
        &[("\n<?xml", "\u{FEFF} \n<?xml")],
        "pskc inspect input",
        &["the XML declaration must be at the very beginning"],
    ),
    Case::read(
        "22-xml-blank-before-declaration",
        &[("\n<?xml", "\u{FEFF} \n<?xml")],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"id\":\"S1\""],
    ),
    Case::read(
        "22-xml-blank-before-declaration",
        &[("\n<?xml", "\u{FEFF}<?xml")],
        "pskc inspect --json --show-secrets input",
        &["\"warnings\":[]"],
    ),
    Case::refused(
        "22-xml-blank-before-declaration",
        &[("\n<?xml", "\u{FEFF}\u{FEFF}<?xml")],
        "pskc inspect input",
        &["a byte order mark is allowed only at the very beginning"],
    ),
    Case::read(
        "22-xml-blank-before-declaration",
        &[("\n<?xml", "\u{FEFF}\u{FEFF}<?xml")],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"id\":\"S1\"", "a byte order mark is allowed only"],
    ),
    Case::refused(
        "22-xml-blank-before-declaration",
        &[("\n<?xml", "HTTP/1.1 200 OK\n<?xml")],
        "pskc inspect --json --show-secrets --lenient input",
        &["text before the root element"],
    ),
    Case::new(
        "23-xml-says-utf16-is-utf8",
        &[],
        "pskc inspect input",
        1,
        &["the declaration says utf-16, but the file is UTF-8: correct the declaration"],
        &["convert it"],
    ),
    Case::read(
        "23-xml-says-utf16-is-utf8",
        &[],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"id\":\"S1\"", "the declaration says utf-16"],
    ),
    Case::refused(
        "23-xml-says-utf16-is-utf8",
        &[("utf-16", "ISO-8859-1")],
        "pskc inspect input",
        &["the declaration says ISO-8859-1, but only UTF-8 is supported"],
    ),
    Case::read(
        "23-xml-says-utf16-is-utf8",
        &[("utf-16", "ISO-8859-1")],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"id\":\"S1\"", "the declaration says ISO-8859-1"],
    ),
    Case::refused(
        "23-xml-says-utf16-is-utf8",
        &[("utf-16", "UTF-8"), ("1.0", "1.1")],
        "pskc inspect input",
        &["a version other than 1.0"],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[],
        "pskc check input",
        1,
        &["unexpected element <ExpiryDate>"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[],
        "pskc convert --to pskc input",
        1,
        &["unexpected element <ExpiryDate>"],
        &["<pskc:"],
    ),
    Case::read(
        "31-policy-out-of-order",
        &[],
        "pskc convert --to pskc --lenient input",
        &[
            "<pskc:ExpiryDate>2030-12-31T00:00:00Z</pskc:ExpiryDate><pskc:KeyUsage>OTP</pskc:KeyUsage></pskc:Policy>",
            "<ExpiryDate> is out of order",
        ],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[("OTP", "Anything")],
        "pskc check input",
        1,
        &["not a key usage of RFC 6030"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[("<KeyUsage>OTP</KeyUsage>", "<PINPolicy PINUsageMode='Elsewhere'/>")],
        "pskc check input",
        1,
        &["attribute PINUsageMode has a value that RFC 6030 does not define"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[("OTP", "Anything")],
        "pskc convert --to pskc --lenient input",
        1,
        &["its policy breaks the schema of RFC 6030"],
        &["<Policy"],
    ),
    Case::refused(
        "31-policy-out-of-order",
        &[("<KeyUsage>OTP</KeyUsage>", "<Region>EU</Region>")],
        "pskc inspect input",
        &["unexpected element <Region>"],
    ),
];

/// Faults found by both the schema and lenient reading are reported once.
#[test]
fn check_reports_each_fault_once() {
    for (changed, told) in [
        (&[][..], "must be at the very beginning"),
        (&[("\n<?xml version=\"1.0\"", "<?xml version=\"1.1\"")], "names a version other than 1.0"),
        (&[("\n<?xml version=\"1.0\" encoding=\"UTF-8\"", "<?xml version=\"1.0\" encoding=\"latin1\"")], "says latin1"),
    ] {
        let home = Home::new();
        copy("22-xml-blank-before-declaration", changed, &home);
        let done = home.run(&["pskc", "check", "input"]);
        assert!(done.code == Some(1) && done.out.matches(told).count() == 1, "{told}: {done:?}");
    }
}

/// Lenient reading accepts names without a namespace or in those of drafts; other namespaces are extensions.
#[test]
fn names_in_other_namespaces_and_repeated_containers_are_reported() {
    let home = Home::new();
    let inspect = |key: &str, parameters: &str, data: &str, device: &str| {
        home.write("keys.xml", format!(
            "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" xmlns:x=\"urn:x\" xmlns:d=\"urn:ietf:params:xml:ns:keyprov:pskc:1.0\"><KeyPackage>\
             <DeviceInfo><Manufacturer>oath.ZZ</Manufacturer>{device}</DeviceInfo><Key Id=\"S1\" \
             Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\"><AlgorithmParameters>{parameters}<ResponseFormat \
             Encoding=\"DECIMAL\" Length=\"6\"/></AlgorithmParameters>{key}<Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\
             </PlainValue></Secret>{data}</Data></Key></KeyPackage></KeyContainer>"
        ));
        let done = home.run(&["pskc", "inspect", "--json", "--lenient", "keys.xml"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        done.out + &done.err
    };
    for (text, told, never) in [
        (inspect("", "<x:Suite>HMAC-SHA256</x:Suite>", "", ""), "<Suite> has no meaning", "HMAC-SHA256"),
        (inspect("", "", "", "<x:SerialNo>ZZ</x:SerialNo>"), "<SerialNo> has no meaning", "\"serial\""),
        (
            inspect("<x:Policy><x:ExpiryDate>2020-01-01T00:00:00Z</x:ExpiryDate></x:Policy>", "", "", ""),
            "<Policy> has no meaning",
            "2020",
        ),
        (
            inspect("", "", "<x:TimeInterval><x:PlainValue>60</x:PlainValue></x:TimeInterval>", ""),
            "<TimeInterval> is in a foreign namespace",
            "\"time_interval\"",
        ),
        (inspect("", "", "", "<d:SerialNo>ZZ</d:SerialNo>"), "\"serial\":\"ZZ\"", "has no meaning"),
        (inspect("", "", "", "<SerialNo xmlns=\"\">ZZ</SerialNo>"), "\"serial\":\"ZZ\"", "has no meaning"),
        (
            inspect("<AlgorithmParameters><Suite>HMAC-SHA256</Suite></AlgorithmParameters>", "", "", ""),
            "<AlgorithmParameters> is repeated",
            "HMAC-SHA256",
        ),
        (
            inspect(
                "<Policy><KeyUsage>OTP</KeyUsage></Policy><Policy><ExpiryDate>2020-01-01T00:00:00Z</ExpiryDate></Policy>",
                "",
                "",
                "",
            ),
            "the policy contains <Policy>, which is unknown",
            "2020",
        ),
    ] {
        assert!(text.contains(told) && !text.contains(never), "{told}: {text}");
    }
}
