//! `check` on files that imports, converters or token stores refuse or change.

use super::Case;

const CHECK: &str = "pskc check input";
const OPENED: &str = "pskc check --key-hex 000102030405060708090a0b0c0d0e0f input";
const MAC: &str = "<pskc:ValueMAC>sIbCfondSMpSRpfJeyajlWFTKW4/Wz2MFT7GjjbS43w=</pskc:ValueMAC>";
const SECRET: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=";
const SUITE: &str = "OCRA-1:HOTP-SHA1-6:QN08";
const FORMAT: &str = "<ResponseFormat Encoding=\"DECIMAL\" Length=\"8\"/>";

/// A file on which `check` reports something.
const fn told(
    folder: &'static str,
    changed: &'static [(&'static str, &'static str)],
    command: &'static str,
    code: i32,
    said: &'static [&'static str],
) -> Case {
    Case { folder, changed, command, code, said, never: &["follows RFC 6030\n"] }
}

pub(super) const CASES: &[Case] = &[
    told(
        "60-encrypted-secret-empty",
        &[],
        CHECK,
        0,
        &["follows RFC 6030 as far as it can be read: 1 key is encrypted and not checked", "--key-file"],
    ),
    told("60-encrypted-secret-empty", &[], OPENED, 0, &["its secret is empty", "no error, 1 warning"]),
    told("61-encrypted-secret-short", &[], CHECK, 0, &["as far as it can be read"]),
    told("61-encrypted-secret-short", &[], OPENED, 0, &["its secret has the wrong length"]),
    told("61-encrypted-secret-short", &[], "pskc check --key-hex ff0102030405060708090a0b0c0d0e0f input", 1, &["key"]),
    told(
        "60-encrypted-secret-empty",
        &[(MAC, "<pskc:ValueMAC></pskc:ValueMAC>")],
        CHECK,
        1,
        &["error: the ValueMAC of Secret has the wrong length"],
    ),
    told(
        "60-encrypted-secret-empty",
        &[(MAC, "<pskc:ValueMAC>sIbCfondSMpSRpfJeyajlQ==</pskc:ValueMAC>")],
        CHECK,
        1,
        &["error: the ValueMAC of Secret has the wrong length"],
    ),
    told(
        "60-encrypted-secret-empty",
        &[("2001/04/xmldsig-more#hmac-sha256", "2000/09/xmldsig#hmac-sha1")],
        CHECK,
        1,
        &["error: the ValueMAC of Secret has the wrong length"],
    ),
    told(
        "60-encrypted-secret-empty",
        &[("sIbCfond", "sIbCfonE")],
        OPENED,
        1,
        &["key 1 (s_empty)", "does not follow RFC 6030"],
    ),
    told(
        "62-secret-in-the-clear-beside-encrypted",
        &[],
        CHECK,
        0,
        &["some secrets are encrypted, others are in the clear", "1 key is encrypted and not checked"],
    ),
    Case::new(
        "28-mac-uri-wrong-namespace",
        &[("2000/09/xmldsig#hmac-sha256", "2001/04/xmldsig-more#hmac-sha256")],
        OPENED,
        0,
        &["1 key, follows RFC 6030\n"],
        &["warning"],
    ),
    // Hexadecimal text without letters.
    told(
        "63-totp-with-counter",
        &[(SECRET, "MzEzMjMzMzQzNTM2MzczODM5MzAzMTMyMzMzNDM1MzYzNzM4MzkzMA==")],
        CHECK,
        0,
        &["its secret is itself text in hexadecimal"],
    ),
    // Names that stores refuse.
    told("63-totp-with-counter", &[("oath.ZZ", "oath.Z\u{200b}Z")], CHECK, 0, &["its Manufacturer cannot be shown"]),
    told(
        "63-totp-with-counter",
        &[("<SerialNo>S1", "<SerialNo>S\u{feff}1")],
        CHECK,
        0,
        &["its SerialNo cannot be shown"],
    ),
    told(
        "63-totp-with-counter",
        &[("</SerialNo>", "</SerialNo><Model>a\u{202e}b</Model>")],
        CHECK,
        0,
        &["its Model cannot be shown"],
    ),
    // Moving values that do not apply to the algorithm.
    told("63-totp-with-counter", &[], CHECK, 0, &["its Counter means nothing to its Algorithm", "no error, 1 warning"]),
    told(
        "63-totp-with-counter",
        &[("pskc:totp", "pskc:hotp")],
        CHECK,
        0,
        &["its Time, TimeInterval or TimeDrift means nothing to its Algorithm", "no error, 1 warning"],
    ),
    // OCRA suites and formats.
    told("64-ocra-formats", &[], CHECK, 0, &["its ResponseFormat contradicts its OCRA suite"]),
    told(
        "64-ocra-formats",
        &[(FORMAT, "<ResponseFormat Encoding=\"HEXADECIMAL\" Length=\"6\"/>")],
        CHECK,
        0,
        &["its ResponseFormat contradicts its OCRA suite"],
    ),
    told(
        "64-ocra-formats",
        &[(FORMAT, "<ChallengeFormat Encoding=\"HEXADECIMAL\" Min=\"4\" Max=\"8\"/>")],
        CHECK,
        0,
        &["its ChallengeFormat contradicts its OCRA suite"],
    ),
    told(
        "64-ocra-formats",
        &[(FORMAT, "<ChallengeFormat Encoding=\"DECIMAL\" Min=\"4\" Max=\"40\"/>")],
        CHECK,
        0,
        &["its ChallengeFormat contradicts its OCRA suite"],
    ),
    Case::refused(
        "64-ocra-formats",
        &[],
        "token import --store tokens input",
        &["its ResponseFormat contradicts its OCRA suite"],
    ),
    told("64-ocra-formats", &[(FORMAT, "")], CHECK, 0, &["its Counter means nothing to its Algorithm"]),
    told(
        "64-ocra-formats",
        &[(SUITE, "OCRA-1:HOTP-SHA1-8:C-QN08"), ("<Counter><PlainValue>0</PlainValue></Counter>", "")],
        CHECK,
        0,
        &["it has no Counter: 0 is assumed"],
    ),
    Case::new(
        "64-ocra-formats",
        &[(SUITE, "OCRA-1:HOTP-SHA1-8:C-QN08")],
        CHECK,
        0,
        &["1 key, follows RFC 6030\n"],
        &["warning"],
    ),
    // Ids that differ in case only.
    told("65-ids-alike", &[], CHECK, 0, &["the Id \"S1\" occurs twice, apart from letter case"]),
    Case::read("65-ids-alike", &[], "pskc convert --to rfc6031 -o out.cms input", &["2 keys written"]),
    Case::new(
        "65-ids-alike",
        &[("Id=\"s1\"", "Id=\"S1\"")],
        "pskc convert --to rfc6031 -o out.cms input",
        1,
        &["another key has the same Id"],
        &["letter case"],
    ),
    // Dates meaning none.
    told(
        "52-date-max-value",
        &[("9999-12-31T23:59:59Z", "0001-01-01T00:00:00")],
        CHECK,
        0,
        &["a StartDate or ExpiryDate is before 1970"],
    ),
];
