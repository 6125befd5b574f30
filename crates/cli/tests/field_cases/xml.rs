//! PSKC read leniently, or refused with its cause.

use super::support::Home;
use super::{Case, copy};

pub(super) const CASES: &[Case] = &[
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[],
        command: &[
            "pskc",
            "inspect",
            "--json",
            "--show-secrets",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 1,
        said: &["unexpected element <Suite>", "--lenient"],
        never: &[],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[],
        command: &[
            "pskc",
            "inspect",
            "--json",
            "--show-secrets",
            "--lenient",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &[
            "\"algorithm_suite\":\"HMAC-SHA256\"",
            "the attribute hashalgo of <Suite> is read as the hash",
            "<Suite> is out of order",
            "<Counter> is out of order",
        ],
        never: &[],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[],
        command: &[
            "pskc",
            "convert",
            "--lenient",
            "--to",
            "otpauth",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &["algorithm=SHA256", "the attribute hashalgo"],
        never: &["SHA1"],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[("<Suite hashalgo=\"sha256\">", "<Suite hashalgo=\"sha512\">")],
        command: &[
            "pskc",
            "convert",
            "--lenient",
            "--to",
            "otpauth",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &["algorithm=SHA512"],
        never: &["SHA1"],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[("<Suite hashalgo=\"sha256\">", "<Suite hashalgo=\"sha3-256\">")],
        command: &[
            "pskc",
            "convert",
            "--lenient",
            "--to",
            "otpauth",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 1,
        said: &["Suite names an unknown hash"],
        never: &["otpauth://"],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[("<Suite hashalgo=\"sha256\">", "<Suite hashalgo=\"sha256\">HMAC-SHA1")],
        command: &[
            "pskc",
            "convert",
            "--lenient",
            "--to",
            "otpauth",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 1,
        said: &["name different hashes"],
        never: &["otpauth://"],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[("<Suite hashalgo=\"sha256\">", "<Suite mode=\"sha256\">")],
        command: &[
            "pskc",
            "convert",
            "--lenient",
            "--to",
            "otpauth",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &["the attribute mode has no meaning here and is ignored"],
        never: &[],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[("Length=\"6\"", "Length=\"6\" v:check=\"1\" xmlns:v=\"urn:v\"")],
        command: &[
            "pskc",
            "inspect",
            "--json",
            "--show-secrets",
            "--lenient",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &["the attribute check has no meaning here"],
        never: &[],
    },
    Case {
        folder: "01-suite-hash-in-attribute",
        changed: &[("<TimeInterval>", "<TimeInterval>s<Unit>s</Unit>")],
        command: &[
            "pskc",
            "inspect",
            "--json",
            "--show-secrets",
            "--lenient",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &["the element <Unit> has no meaning here", "the text in <TimeInterval> is ignored"],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["the XML declaration must be at the very beginning: remove what is before it", "--lenient"],
        never: &["processing instruction"],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[],
        command: &["pskc", "check", "input"],
        code: 1,
        said: &["line 2", "the XML declaration must be at the very beginning"],
        never: &["follows RFC 6030"],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"id\":\"S1\"", "the XML declaration must be at the very beginning"],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[("\n<?xml", "\u{FEFF} \n<?xml")],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["the XML declaration must be at the very beginning"],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[("\n<?xml", "\u{FEFF} \n<?xml")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"id\":\"S1\""],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[("\n<?xml", "\u{FEFF}<?xml")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "input"],
        code: 0,
        said: &["\"warnings\":[]"],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[("\n<?xml", "\u{FEFF}\u{FEFF}<?xml")],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["a byte order mark is allowed only at the very beginning"],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[("\n<?xml", "\u{FEFF}\u{FEFF}<?xml")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"id\":\"S1\"", "a byte order mark is allowed only"],
        never: &[],
    },
    Case {
        folder: "22-xml-blank-before-declaration",
        changed: &[("\n<?xml", "HTTP/1.1 200 OK\n<?xml")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 1,
        said: &["text before the root element"],
        never: &[],
    },
    Case {
        folder: "23-xml-says-utf16-is-utf8",
        changed: &[],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["the declaration says utf-16, but the file is UTF-8: correct the declaration"],
        never: &["convert it"],
    },
    Case {
        folder: "23-xml-says-utf16-is-utf8",
        changed: &[],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"id\":\"S1\"", "the declaration says utf-16"],
        never: &[],
    },
    Case {
        folder: "23-xml-says-utf16-is-utf8",
        changed: &[("utf-16", "ISO-8859-1")],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["the declaration says ISO-8859-1, but only UTF-8 is supported"],
        never: &[],
    },
    Case {
        folder: "23-xml-says-utf16-is-utf8",
        changed: &[("utf-16", "ISO-8859-1")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"id\":\"S1\"", "the declaration says ISO-8859-1"],
        never: &[],
    },
    Case {
        folder: "23-xml-says-utf16-is-utf8",
        changed: &[("utf-16", "UTF-8"), ("1.0", "1.1")],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["a version other than 1.0"],
        never: &[],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[],
        command: &["pskc", "check", "input"],
        code: 1,
        said: &["unexpected element <ExpiryDate>"],
        never: &["follows RFC 6030"],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[],
        command: &["pskc", "convert", "--to", "pskc", "input"],
        code: 1,
        said: &["unexpected element <ExpiryDate>"],
        never: &["<pskc:"],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[],
        command: &["pskc", "convert", "--to", "pskc", "--lenient", "input"],
        code: 0,
        said: &[
            "<pskc:ExpiryDate>2030-12-31T00:00:00Z</pskc:ExpiryDate><pskc:KeyUsage>OTP</pskc:KeyUsage></pskc:Policy>",
            "<ExpiryDate> is out of order",
        ],
        never: &[],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[("OTP", "Anything")],
        command: &["pskc", "check", "input"],
        code: 1,
        said: &["not a key usage of RFC 6030"],
        never: &["follows RFC 6030"],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[("<KeyUsage>OTP</KeyUsage>", "<PINPolicy PINUsageMode='Elsewhere'/>")],
        command: &["pskc", "check", "input"],
        code: 1,
        said: &["attribute PINUsageMode has a value that RFC 6030 does not define"],
        never: &["follows RFC 6030"],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[("OTP", "Anything")],
        command: &["pskc", "convert", "--to", "pskc", "--lenient", "input"],
        code: 1,
        said: &["its policy breaks the schema of RFC 6030"],
        never: &["<Policy"],
    },
    Case {
        folder: "31-policy-out-of-order",
        changed: &[("<KeyUsage>OTP</KeyUsage>", "<Region>EU</Region>")],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["unexpected element <Region>"],
        never: &[],
    },
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
