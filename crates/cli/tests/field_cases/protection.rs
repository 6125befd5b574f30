//! Values of PSKC: MACs, signatures, algorithms, base64 and dates.

use super::support::Home;
use super::{Case, copy};

pub(super) const CASES: &[Case] = &[
    Case {
        folder: "27-secret-base64-unpadded",
        changed: &[],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["not base64 (RFC 4648 section 4, with padding)", "--lenient"],
        never: &[],
    },
    Case {
        folder: "27-secret-base64-unpadded",
        changed: &[],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"secret_hex\":\"3132333435363738393031323334353637383930\"", "missing padding"],
        never: &[],
    },
    Case {
        folder: "27-secret-base64-unpadded",
        changed: &[("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "_-8zNDU2Nzg5MDEyMzQ1Njc4OTA=")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 0,
        said: &["\"secret_hex\":\"ffef333435363738393031323334353637383930\"", "URL-safe alphabet"],
        never: &[],
    },
    Case {
        folder: "27-secret-base64-unpadded",
        changed: &[("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTB")],
        command: &["pskc", "inspect", "--json", "--show-secrets", "--lenient", "input"],
        code: 1,
        said: &["neither base64 nor hexadecimal"],
        never: &[],
    },
    Case {
        folder: "28-mac-uri-wrong-namespace",
        changed: &[],
        command: &["pskc", "inspect", "--key-hex", "000102030405060708090a0b0c0d0e0f", "input"],
        code: 1,
        said: &["xmldsig#hmac-sha256", "it is called http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "--lenient"],
        never: &[],
    },
    Case {
        folder: "28-mac-uri-wrong-namespace",
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
            "\"secret_hex\":\"3132333435363738393031323334353637383930\"",
            "is read as http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        ],
        never: &[],
    },
    Case {
        folder: "28-mac-uri-wrong-namespace",
        changed: &[("xmldsig#hmac-sha256", "xmldsig#hmac-sha257")],
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
        code: 1,
        said: &["hmac-sha257"],
        never: &[],
    },
    Case {
        folder: "28-mac-uri-wrong-namespace",
        changed: &[("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2009/xmlenc11#aes128-cbc")],
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
        said: &["\"secret_hex\":\"31323334", "is read as http://www.w3.org/2001/04/xmlenc#aes128-cbc"],
        never: &[],
    },
    Case {
        folder: "28-mac-uri-wrong-namespace",
        changed: &[("keyprov:pskc:totp", "keyprov:otp:totp")],
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
        said: &["otpauth://totp/", "is read as urn:ietf:params:xml:ns:keyprov:pskc:totp"],
        never: &[],
    },
    Case {
        folder: "34-one-mac-stripped",
        changed: &[],
        command: &["pskc", "inspect", "--key-hex", "000102030405060708090a0b0c0d0e0f", "input"],
        code: 1,
        said: &["key 2 (M2)", "has no MAC, although the file has a MACMethod"],
        never: &["--lenient"],
    },
    Case {
        folder: "34-one-mac-stripped",
        changed: &[],
        command: &[
            "pskc",
            "inspect",
            "--lenient",
            "--show-secrets",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 1,
        said: &["key 2 (M2)", "has no MAC, although the file has a MACMethod"],
        never: &["61747461"],
    },
    Case {
        folder: "34-one-mac-stripped",
        changed: &[
            ("</EncryptedValue><ValueMAC>9ht4ZJeH9vc9ejbYJE3stCyvNSA=</ValueMAC>", "</EncryptedValue>"),
            ("<MACMethod ", "<!-- "),
            ("</MACMethod>", " -->"),
        ],
        command: &[
            "pskc",
            "inspect",
            "--lenient",
            "--show-secrets",
            "--key-hex",
            "000102030405060708090a0b0c0d0e0f",
            "input",
        ],
        code: 0,
        said: &["encrypted values have no MAC: changes go unnoticed: keys 1 (M1), 2 (M2)"],
        never: &[],
    },
    Case {
        folder: "39-date-day-or-month",
        changed: &[],
        command: &["pskc", "inspect", "--lenient", "--json", "input"],
        code: 1,
        said: &["the date may be 3 April 2030 or 4 March 2030: write 2030-04-03T00:00:00Z or 2030-03-04T00:00:00Z"],
        never: &[],
    },
    Case {
        folder: "39-date-day-or-month",
        changed: &[],
        command: &["pskc", "inspect", "input"],
        code: 1,
        said: &["not a date and time such as 2026-01-31T12:00:00Z"],
        never: &[],
    },
    Case {
        folder: "39-date-day-or-month",
        changed: &[("03/04/2030", "31/12/2030")],
        command: &["pskc", "inspect", "--lenient", "--json", "input"],
        code: 0,
        said: &["\"expiry_date\":\"2030-12-31T00:00:00Z\"", "is read as 31 December 2030, 00:00 UTC"],
        never: &[],
    },
    Case {
        folder: "39-date-day-or-month",
        changed: &[("03/04/2030", "12/31/2030")],
        command: &["pskc", "inspect", "--lenient", "--json", "input"],
        code: 0,
        said: &["\"expiry_date\":\"2030-12-31T00:00:00Z\"", "is read as 31 December 2030, 00:00 UTC"],
        never: &[],
    },
    Case {
        folder: "39-date-day-or-month",
        changed: &[("03/04/2030", "03.04.2030")],
        command: &["pskc", "inspect", "--lenient", "--json", "input"],
        code: 1,
        said: &["the date may be 3 April 2030 or 4 March 2030"],
        never: &[],
    },
    Case {
        folder: "39-date-day-or-month",
        changed: &[("03/04/2030", "03/04/30")],
        command: &["pskc", "inspect", "--lenient", "--json", "input"],
        code: 1,
        said: &["not a date and time"],
        never: &[],
    },
    Case {
        folder: "52-date-max-value",
        changed: &[],
        command: &["pskc", "inspect", "--json", "input"],
        code: 0,
        said: &["\"expiry_date\":\"9999-12-31T23:59:59Z\""],
        never: &[],
    },
    Case {
        folder: "52-date-max-value",
        changed: &[],
        command: &["pskc", "convert", "--to", "pskc", "input"],
        code: 0,
        said: &["<pskc:ExpiryDate>9999-12-31T23:59:59Z</pskc:ExpiryDate>"],
        never: &[],
    },
    Case {
        folder: "52-date-max-value",
        changed: &[],
        command: &["pskc", "convert", "--to", "csv", "input"],
        code: 0,
        said: &[",9999-12-31T23:59:59Z,"],
        never: &[],
    },
    Case {
        folder: "52-date-max-value",
        changed: &[("23:59:59Z", "23:59:59.9999999Z")],
        command: &["pskc", "convert", "--to", "pskc", "input"],
        code: 0,
        said: &["9999-12-31T23:59:59.9999999Z"],
        never: &[],
    },
    Case {
        folder: "52-date-max-value",
        changed: &[("23:59:59Z", "23:59:59-05:00")],
        command: &["pskc", "check", "input"],
        code: 1,
        said: &["a date and time outside of the years 1 to 9999"],
        never: &["follows RFC 6030"],
    },
    Case {
        folder: "52-date-max-value",
        changed: &[("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+02:00")],
        command: &["pskc", "check", "input"],
        code: 1,
        said: &["a date and time outside of the years 1 to 9999"],
        never: &["follows RFC 6030"],
    },
    Case {
        folder: "35-signer-certificate-v1",
        changed: &[],
        command: &["pskc", "verify", "--ca", "ca.pem", "--at", "2027-01-01T00:00:00Z", "input"],
        code: 1,
        said: &[
            "the certificate of \"CN=Signer\" is of X.509 version 1, but only version 3 is supported",
            "basicConstraints=CA:FALSE",
            "--signer",
        ],
        never: &["--at"],
    },
];

/// Each fault of `MACMethod` is reported as what it is, strictly, leniently and by `check`.
#[test]
fn s6_1_1_faults_of_mac_method_are_reported() {
    const WRONG: &str = "http://www.w3.org/2000/09/xmldsig#hmac-sha256";
    const RIGHT: &str = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256";
    let home = Home::new();
    copy("28-mac-uri-wrong-namespace", &[(WRONG, RIGHT)], &home);
    let good = std::fs::read_to_string(home.path("input")).unwrap();
    let end = good.find("</MACMethod>").unwrap() + "</MACMethod>".len();
    let method = &good[good.find("<MACMethod").unwrap()..end];
    let without = good.replace(method, "");
    const NONE: &str = "has no MACMethod before its packages";
    // The file, and the messages: strictly, leniently and by a check without a key.
    for (file, strict, lenient, checked) in [
        (
            good.clone(),
            "1 key, encrypted, now decrypted",
            "1 key, encrypted, now decrypted",
            "as far as it can be read",
        ),
        (
            good.replace(RIGHT, WRONG),
            "MACs of the file (MACMethod) have the algorithm \"http://www.w3.org/2000/09/xmldsig#hmac-sha256\"",
            "is read as http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
            "MACMethod has an unknown algorithm",
        ),
        (
            good.replace(RIGHT, "urn:odd"),
            "MACs of the file (MACMethod) have the algorithm \"urn:odd\", which is not supported",
            "MACs of the file (MACMethod) have the algorithm \"urn:odd\", which is not supported",
            "MACMethod has an unknown algorithm",
        ),
        (
            good.replace(RIGHT, ""),
            "MACs of the file (MACMethod) have no algorithm",
            "MACMethod has no Algorithm",
            "MACMethod names no algorithm",
        ),
        (
            good.replace(&format!(" Algorithm=\"{RIGHT}\""), ""),
            "missing attribute Algorithm (/KeyContainer/MACMethod",
            "MACMethod has no Algorithm",
            "missing attribute Algorithm (/KeyContainer/MACMethod",
        ),
        (without.clone(), NONE, NONE, "the Secret has a MAC, but MACMethod is missing"),
        (
            without.replace("</KeyContainer>", &format!("{method}</KeyContainer>")),
            "<MACMethod> must come before the packages",
            "the element <MACMethod> is out of order",
            "<MACMethod> must come before the packages",
        ),
    ] {
        home.write("input", &file);
        let inspect = ["pskc", "inspect", "--key-hex", "000102030405060708090a0b0c0d0e0f", "input"];
        for (command, told) in [
            (&inspect[..], strict),
            (&[&inspect[..], &["--lenient"]].concat(), lenient),
            (&["pskc", "check", "input"], checked),
        ] {
            let done = home.run(command);
            let text = done.out.clone() + &done.err;
            assert!(text.contains(told), "{command:?} without {told:?}: {done:?}\n{file}");
            let asks_for_a_key = text.contains("pass --key-file") && told == NONE;
            assert!(!asks_for_a_key && !text.contains("has no MAC,"), "{command:?}: {done:?}\n{file}");
        }
    }
}
