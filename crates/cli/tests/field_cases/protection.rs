//! Values of PSKC: MACs, signatures, algorithms, base64 and dates.

use super::support::Home;
use super::{Case, copy};

pub(super) const CASES: &[Case] = &[
    Case::refused(
        "27-secret-base64-unpadded",
        &[],
        "pskc inspect input",
        &["not base64 (RFC 4648 section 4, with padding)", "--lenient"],
    ),
    Case::read(
        "27-secret-base64-unpadded",
        &[],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"secret_hex\":\"3132333435363738393031323334353637383930\"", "missing padding"],
    ),
    Case::read(
        "27-secret-base64-unpadded",
        &[("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "_-8zNDU2Nzg5MDEyMzQ1Njc4OTA=")],
        "pskc inspect --json --show-secrets --lenient input",
        &["\"secret_hex\":\"ffef333435363738393031323334353637383930\"", "URL-safe alphabet"],
    ),
    Case::refused(
        "27-secret-base64-unpadded",
        &[("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTB")],
        "pskc inspect --json --show-secrets --lenient input",
        &["neither base64 nor hexadecimal"],
    ),
    Case::refused(
        "28-mac-uri-wrong-namespace",
        &[],
        "pskc inspect --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["xmldsig#hmac-sha256", "it is called http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "--lenient"],
    ),
    Case::read(
        "28-mac-uri-wrong-namespace",
        &[],
        "pskc inspect --json --show-secrets --lenient --key-hex 000102030405060708090a0b0c0d0e0f input",
        &[
            "\"secret_hex\":\"3132333435363738393031323334353637383930\"",
            "is read as http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        ],
    ),
    Case::refused(
        "28-mac-uri-wrong-namespace",
        &[("xmldsig#hmac-sha256", "xmldsig#hmac-sha257")],
        "pskc inspect --json --show-secrets --lenient --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["hmac-sha257"],
    ),
    Case::read(
        "28-mac-uri-wrong-namespace",
        &[("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.w3.org/2009/xmlenc11#aes128-cbc")],
        "pskc inspect --json --show-secrets --lenient --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["\"secret_hex\":\"31323334", "is read as http://www.w3.org/2001/04/xmlenc#aes128-cbc"],
    ),
    Case::read(
        "28-mac-uri-wrong-namespace",
        &[("keyprov:pskc:totp", "keyprov:otp:totp")],
        "pskc convert --lenient --to otpauth --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["otpauth://totp/", "is read as urn:ietf:params:xml:ns:keyprov:pskc:totp"],
    ),
    Case::new(
        "34-one-mac-stripped",
        &[],
        "pskc inspect --key-hex 000102030405060708090a0b0c0d0e0f input",
        1,
        &["key 2 (M2)", "has no MAC, although the file has a MACMethod"],
        &["--lenient"],
    ),
    Case::new(
        "34-one-mac-stripped",
        &[],
        "pskc inspect --lenient --show-secrets --key-hex 000102030405060708090a0b0c0d0e0f input",
        1,
        &["key 2 (M2)", "has no MAC, although the file has a MACMethod"],
        &["61747461"],
    ),
    Case::read(
        "34-one-mac-stripped",
        &[
            ("</EncryptedValue><ValueMAC>9ht4ZJeH9vc9ejbYJE3stCyvNSA=</ValueMAC>", "</EncryptedValue>"),
            ("<MACMethod ", "<!-- "),
            ("</MACMethod>", " -->"),
        ],
        "pskc inspect --lenient --show-secrets --key-hex 000102030405060708090a0b0c0d0e0f input",
        &["encrypted values have no MAC: changes go unnoticed: keys 1 (M1), 2 (M2)"],
    ),
    Case::refused(
        "39-date-day-or-month",
        &[],
        "pskc inspect --lenient --json input",
        &["the date may be 3 April 2030 or 4 March 2030: write 2030-04-03T00:00:00Z or 2030-03-04T00:00:00Z"],
    ),
    Case::refused(
        "39-date-day-or-month",
        &[],
        "pskc inspect input",
        &["not a date and time such as 2026-01-31T12:00:00Z"],
    ),
    Case::read(
        "39-date-day-or-month",
        &[("03/04/2030", "31/12/2030")],
        "pskc inspect --lenient --json input",
        &["\"expiry_date\":\"2030-12-31T00:00:00Z\"", "is read as 31 December 2030, 00:00 UTC"],
    ),
    Case::read(
        "39-date-day-or-month",
        &[("03/04/2030", "12/31/2030")],
        "pskc inspect --lenient --json input",
        &["\"expiry_date\":\"2030-12-31T00:00:00Z\"", "is read as 31 December 2030, 00:00 UTC"],
    ),
    Case::refused(
        "39-date-day-or-month",
        &[("03/04/2030", "03.04.2030")],
        "pskc inspect --lenient --json input",
        &["the date may be 3 April 2030 or 4 March 2030"],
    ),
    Case::refused(
        "39-date-day-or-month",
        &[("03/04/2030", "03/04/30")],
        "pskc inspect --lenient --json input",
        &["not a date and time"],
    ),
    Case::read("52-date-max-value", &[], "pskc inspect --json input", &["\"expiry_date\":\"9999-12-31T23:59:59Z\""]),
    Case::read(
        "52-date-max-value",
        &[],
        "pskc convert --to pskc input",
        &["<pskc:ExpiryDate>9999-12-31T23:59:59Z</pskc:ExpiryDate>"],
    ),
    Case::read("52-date-max-value", &[], "pskc convert --to csv input", &[",9999-12-31T23:59:59Z,"]),
    Case::read(
        "52-date-max-value",
        &[("23:59:59Z", "23:59:59.9999999Z")],
        "pskc convert --to pskc input",
        &["9999-12-31T23:59:59.9999999Z"],
    ),
    Case::new(
        "52-date-max-value",
        &[("23:59:59Z", "23:59:59-05:00")],
        "pskc check input",
        1,
        &["a date and time outside of the years 1 to 9999"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "52-date-max-value",
        &[("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+02:00")],
        "pskc check input",
        1,
        &["a date and time outside of the years 1 to 9999"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "35-signer-certificate-v1",
        &[],
        "pskc verify --ca ca.pem --at 2027-01-01T00:00:00Z input",
        1,
        &[
            "the certificate of \"CN=Signer\" is of X.509 version 1, but only version 3 is supported",
            "basicConstraints=CA:FALSE",
            "--signer",
        ],
        &["--at"],
    ),
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
