//! Keys that cannot be used, or not as expected.

use super::support::Home;
use super::{Case, copy};

pub(super) const CASES: &[Case] = &[
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[],
        "pskc convert --to otpauth input",
        1,
        &["SHA-1, SHA-256 and SHA-512"],
        &["otpauth://"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "TOTP-SHA3")],
        "pskc convert --to otpauth input",
        1,
        &["Suite names an unknown hash"],
        &["otpauth://"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "SHA512/256")],
        "pskc convert --to otpauth input",
        1,
        &["Suite names an unknown hash"],
        &["otpauth://"],
    ),
    Case::read(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HmacSHA256")],
        "pskc convert --to otpauth input",
        &["algorithm=SHA256"],
    ),
    Case::new(
        "25-secret-base64-twice",
        &[],
        "pskc check input",
        0,
        &["line 3: warning: its secret is itself text in base64", "no error, 1 warning"],
        &["follows RFC 6030"],
    ),
    Case::read(
        "25-secret-base64-twice",
        &[],
        "pskc inspect input",
        &["key 1 (S1): its secret is itself text in base64"],
    ),
    Case::read(
        "25-secret-base64-twice",
        &[],
        "pskc convert --to otpauth input",
        &["key 1 (S1): its secret is itself text in base64"],
    ),
    Case::read(
        "25-secret-base64-twice",
        &[],
        "token import --store tokens input",
        &["key 1 (S1): its secret is itself text in base64"],
    ),
    Case::new(
        "25-secret-base64-twice",
        &[("TVRJek5EVTJOemc1TURFeU16UTFOamM0T1RBPQ==", "M2EzMjMzMzQzNTM2MzczODM5MzAzMTMyMzMzNDM1MzYzNzM4MzkzMA==")],
        "pskc check input",
        0,
        &["its secret is itself text in hexadecimal"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "25-secret-base64-twice",
        &[("TVRJek5EVTJOemc1TURFeU16UTFOamM0T1RBPQ==", "R0VaREdOQlZHWTNUUU9KUUdFWkRHTkJWR1kzVFFPSlE=")],
        "pskc check input",
        0,
        &["its secret is itself text in base32"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "25-secret-base64-twice",
        &[("TVRJek5EVTJOemc1TURFeU16UTFOamM0T1RBPQ==", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")],
        "pskc check input",
        0,
        &["it is probably base32"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "25-secret-base64-twice",
        &[("TVRJek5EVTJOemc1TURFeU16UTFOamM0T1RBPQ==", "3132333435363738393031323334353637383930")],
        "pskc check input",
        0,
        &["it is probably hexadecimal"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "25-secret-base64-twice",
        &[("TVRJek5EVTJOemc1TURFeU16UTFOamM0T1RBPQ==", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=")],
        "pskc check input",
        0,
        &["input: 1 key, follows RFC 6030"],
        &["warning"],
    ),
    Case::new(
        "29-check-passes-what-import-refuses",
        &[],
        "pskc check input",
        0,
        &[
            "the key cannot be used: not an OCRA suite: it must be OCRA-1",
            "the key cannot be used: not an OCRA suite: its digits must be 0 or 4 to 10",
            "the key cannot be used: its Suite names an unknown hash",
            "3 keys, no error, 3 warnings",
        ],
        &["follows RFC 6030"],
    ),
    Case::read(
        "29-check-passes-what-import-refuses",
        &[],
        "pskc inspect input",
        &[
            "key 1 (O1): it cannot be used: not an OCRA suite",
            "key 3 (T1): it cannot be used: its Suite names an unknown hash",
        ],
    ),
    Case::refused(
        "29-check-passes-what-import-refuses",
        &[],
        "token import --store tokens input",
        &["O1 refused", "O2 refused", "T1 refused"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[],
        "pskc check input",
        0,
        &["the key cannot be used: TOTP supports SHA-1"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1"), ("Length=\"6\"", "Length=\"5\"")],
        "pskc check input",
        0,
        &["its passwords do not have 6 to 10 digits"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1"), ("Length=\"6\"", "Length=\"5\"")],
        "pskc convert --to otpauth input",
        1,
        &["its passwords do not have 6 to 10 digits"],
        &["otpauth://"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1"), (">MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=<", "><")],
        "pskc check input",
        0,
        &["the key cannot be used: its secret is empty"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1"), ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=", "MTIz")],
        "pskc check input",
        0,
        &["shorter than the 16 octets"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1"), (">30<", ">0<")],
        "pskc check input",
        1,
        &["the time interval is not a number of seconds"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1"), (":totp", ":motp")],
        "pskc check input",
        0,
        &["its Algorithm is unknown"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("urn:ietf:params:xml:ns:keyprov:pskc:totp", "http://www.w3.org/2001/04/xmlenc#aes128-cbc")],
        "pskc check input",
        0,
        &["its secret has the wrong length"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("Id=\"S1\"", "Id=\"S&#9;1\"")],
        "pskc check input",
        0,
        &["Id is not 1 to 256 printable characters"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "03-suite-unknown-hash-to-otpauth",
        &[("HMAC-SHA224", "HMAC-SHA1")],
        "pskc check input",
        0,
        &["input: 1 key, follows RFC 6030"],
        &["warning"],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[(
            "<KeyUsage>OTP</KeyUsage><ExpiryDate>2030-12-31T00:00:00Z</ExpiryDate>",
            "<PINPolicy PINUsageMode='Local'/>",
        )],
        "pskc check input",
        0,
        &["a token store refuses it"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "31-policy-out-of-order",
        &[("<KeyUsage>OTP</KeyUsage><ExpiryDate>2030-12-31T00:00:00Z</ExpiryDate>", "<KeyUsage>Encrypt</KeyUsage>")],
        "pskc check input",
        0,
        &["its policy does not allow what its Algorithm is for"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "40-hotp-without-counter-to-otpauth",
        &[],
        "pskc convert --to otpauth input",
        1,
        &["has no Counter"],
        &["otpauth://"],
    ),
    Case::new(
        "40-hotp-without-counter-to-otpauth",
        &[],
        "pskc check input",
        1,
        &["the key has no Counter, which HOTP needs"],
        &["follows RFC 6030"],
    ),
    Case::read(
        "40-hotp-without-counter-to-otpauth",
        &[],
        "token import --store tokens input",
        &["key 1 (H1): it has no Counter: 0 is assumed"],
    ),
    Case::read(
        "40-hotp-without-counter-to-otpauth",
        &[("hotp", "totp")],
        "token import --store tokens input",
        &["it has no TimeInterval: 30 seconds are assumed"],
    ),
    Case::read(
        "40-hotp-without-counter-to-otpauth",
        &[("<ResponseFormat Encoding=\"DECIMAL\" Length=\"6\"/>", "")],
        "token import --store tokens input",
        &["it has no ResponseFormat: 6-digit passwords are assumed"],
    ),
    Case::read("57-package-without-key", &[], "pskc inspect input", &["1 key, 1 package without a key"]),
    Case::new(
        "57-package-without-key",
        &[],
        "pskc inspect --json input",
        0,
        &["\"packages_without_key\":1"],
        &[",{}", "{},"],
    ),
    Case::new(
        "57-package-without-key",
        &[],
        "pskc check input",
        0,
        &["line 10: warning: the package has no key", "1 key, no error, 1 warning"],
        &["follows RFC 6030"],
    ),
    Case::new(
        "57-package-without-key",
        &[],
        "pskc convert --to csv input",
        0,
        &["1 package without a key left out"],
        &[",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,"],
    ),
    Case::read(
        "57-package-without-key",
        &[],
        "pskc convert --to otpauth input",
        &["otpauth://totp/", "1 package without a key left out"],
    ),
    Case::read("57-package-without-key", &[], "pskc convert --to pskc -o out.xml input", &["1 key written"]),
    Case::new(
        "57-package-without-key",
        &[],
        "token import --store tokens input",
        0,
        &["1 key imported", "1 package without a key"],
        &["refused"],
    ),
];

/// Keys that cannot be used today, by their policy or device, are reported wherever they are read.
#[test]
fn s5_keys_outside_their_validity_are_reported_wherever_they_are_read() {
    const DEVICE: &str = "</SerialNo></DeviceInfo>";
    const POLICY: &str = "<ExpiryDate>9999-12-31T23:59:59Z</ExpiryDate><KeyUsage>OTP</KeyUsage>";
    for (place, new, told) in [
        (POLICY, "<ExpiryDate>2020-01-01T00:00:00Z</ExpiryDate>", "it has expired (ExpiryDate of its policy)"),
        (POLICY, "<StartDate>2999-01-01T00:00:00Z</StartDate>", "it is not valid yet (StartDate of its policy)"),
        (POLICY, "<NumberOfTransactions>0</NumberOfTransactions>", "its policy allows no use at all"),
        (
            DEVICE,
            "</SerialNo><ExpiryDate>2020-01-01T00:00:00Z</ExpiryDate></DeviceInfo>",
            "its device has expired (ExpiryDate of DeviceInfo)",
        ),
        (
            DEVICE,
            "</SerialNo><StartDate>2999-01-01T00:00:00Z</StartDate></DeviceInfo>",
            "its device is not valid yet (StartDate of DeviceInfo)",
        ),
    ] {
        let home = Home::new();
        copy("52-date-max-value", &[(place, new)], &home);
        for command in [
            &["pskc", "check", "input"][..],
            &["pskc", "inspect", "input"],
            &["pskc", "convert", "input", "--to", "json"],
            &["pskc", "convert", "input"],
            &["pskc", "convert", "input", "--to", "rfc6031", "-o", "keys.cms", "--force"],
            &["pskc", "check", "keys.cms"],
            &["token", "import", "--store", "tokens", "input"],
        ] {
            let done = home.run(command);
            let text = done.out.clone() + &done.err;
            assert!(done.code == Some(0) && text.contains(told), "{command:?} {new}: {done:?}");
            assert!(!text.contains("follows RFC"), "{command:?}: {done:?}");
        }
    }
}
