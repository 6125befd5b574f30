//! No value is lost, changed or guessed silently: each is written unchanged, refused, or reported.

use super::support::Home;

const SECRET: &str = "3132333435363738393031323334353637383930";

/// A JSON key file with one key with these additional members.
fn json(members: &str) -> String {
    format!("{{\"keys\":[{{\"secret_hex\":\"{SECRET}\",\"response_length\":6,\"time_interval\":30,{members}}}]}}")
}

/// PSKC with this algorithm and these values beside the secret.
fn pskc(algorithm: &str, values: &str) -> String {
    format!(
        "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0'><KeyPackage><Key Id='k' \
         Algorithm='{algorithm}'><AlgorithmParameters><ResponseFormat Encoding='DECIMAL' Length='6'/>\
         </AlgorithmParameters><Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret>{values}\
         </Data></Key></KeyPackage></KeyContainer>"
    )
}

#[test]
fn no_value_is_lost_changed_or_guessed_silently() {
    const TOTP: &str = "urn:ietf:params:xml:ns:keyprov:pskc:totp";
    let user = |rest: &str| format!("HOTP joe - {SECRET} {rest}\n");
    let table = |serial: &str| format!("serial,secret_hex,algorithm\n{serial},{SECRET},totp\n");
    let rows: &[(&str, &[&str], i32, &[&str])] = &[
        // What readers refuse is not written.
        (&json("\"id\":\"a\\u0000b\",\"algorithm\":\"totp\""), &["--to", "rfc6031"], 1, &["an unsupported character"]),
        (&json("\"id\":\"a\\u0001b\",\"algorithm\":\"totp\""), &["--to", "rfc6031"], 1, &["an unsupported character"]),
        (
            &json("\"id\":\"a\",\"issuer\":\"b\\u0000\",\"algorithm\":\"totp\""),
            &["--to", "pkcs12", "--to-password-file", "password"],
            1,
            &["an unsupported character"],
        ),
        // A name that is not a URI would be read as another algorithm.
        (&pskc("TOTP", ""), &["--to", "csv"], 1, &["not a URI"]),
        (&pskc("OATH-HOTP", ""), &["--to", "json"], 1, &["not a URI"]),
        (&pskc("urn:v:totp", ""), &["--to", "csv"], 0, &[",urn:v:totp,"]),
        // Lenient reading reports empty values.
        (&pskc(TOTP, "<TimeInterval/>"), &["--to", "json", "--lenient"], 0, &["<TimeInterval> is empty"]),
        // The counter in a users file was used if a password follows it.
        (&user(""), &["--to", "json"], 0, &["\"counter\":0"]),
        (&user("7"), &["--to", "json"], 0, &["\"counter\":7"]),
        (&user("7 123456 2026-01-01T00:00:00L"), &["--to", "json"], 0, &["\"counter\":8", "its password was used"]),
        (&user("9223372036854775807 123456"), &["--to", "json"], 1, &["cannot be incremented"]),
        // Error values of spreadsheets are not serial numbers.
        (&table("#N/A"), &["--to", "json"], 0, &["a spreadsheet's error value"]),
        (&table("#REF!"), &["--to", "json"], 0, &["a spreadsheet's error value"]),
        // Other documents are named.
        (
            "1,vvccccdefghi,0123456789ab,00112233445566778899aabbccddeeff,000000000000,2026-01-01T00:00:00,\n",
            &["--to", "json"],
            1,
            &["keys of Yubico OTP"],
        ),
        (
            "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body/></s:Envelope>",
            &["--to", "json"],
            1,
            &["a SOAP message"],
        ),
    ];
    let home = Home::new();
    home.write("password", "one password of five words\n");
    for (content, options, code, said) in rows {
        home.write("input", *content);
        let mut command = vec!["pskc", "convert", "input"];
        command.extend_from_slice(options);
        let done = home.run(&command);
        let text = done.out + &done.err;
        let missing: Vec<&&str> = said.iter().filter(|words| !text.contains(**words)).collect();
        assert!(done.code == Some(*code) && missing.is_empty(), "{content}\n{options:?}: {missing:?}\n{text}");
    }
}

/// An attacker who cannot encrypt for the file may have inserted a secret.
#[test]
fn s6_a_secret_in_the_clear_among_encrypted_ones_is_reported() {
    let home = Home::new();
    let key = |id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"algorithm\":\"totp\",\"secret_hex\":\"{SECRET}\",\"response_length\":6,\"time_interval\":30}}"
        )
    };
    home.write("keys.json", format!("{{\"keys\":[{},{}]}}", key("a"), key("b")));
    home.write("key", "000102030405060708090a0b0c0d0e0f");
    home.run(&["pskc", "convert", "keys.json", "--to-key-file", "key", "-o", "safe.xml"]).success();
    let safe = std::fs::read_to_string(home.path("safe.xml")).unwrap();
    let (begin, rest) = safe.split_once("<pskc:EncryptedValue>").unwrap();
    let (_, end) = rest.split_once("</pskc:ValueMAC>").unwrap();
    let plain = "<pskc:PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</pskc:PlainValue>";
    home.write("mixed.xml", [begin, plain, end].concat());
    for (file, is_told) in [("safe.xml", false), ("mixed.xml", true)] {
        let done = home.run(&["pskc", "inspect", file, "--key-file", "key"]);
        let told = "some secrets are encrypted, others are in the clear";
        assert_eq!((done.code, done.err.contains(told)), (Some(0), is_told), "{file}: {}", done.err);
    }
}

/// An unknown protection is one problem among others: the rest is checked.
#[test]
fn s6_1_1_check_continues_after_an_unknown_protection() {
    let home = Home::new();
    home.write("keys.json", json("\"id\":\"a\",\"algorithm\":\"totp\",\"manufacturer\":\"nobody\""));
    home.write("key", "000102030405060708090a0b0c0d0e0f");
    home.run(&["pskc", "convert", "keys.json", "--to-key-file", "key", "-o", "safe.xml"]).success();
    let safe = std::fs::read_to_string(home.path("safe.xml")).unwrap();
    for (right, wrong) in [
        ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "urn:v:mac"),
        ("http://www.w3.org/2001/04/xmlenc#aes128-cbc", "urn:v:cipher"),
    ] {
        home.write("wrong.xml", safe.replace(right, wrong));
        let done = home.run(&["pskc", "check", "wrong.xml", "--key-file", "key"]);
        let told = [wrong, "in neither list", "1 key is encrypted and not checked"];
        assert!(done.code == Some(0) && told.iter().all(|told| done.out.contains(told)), "{wrong}: {}", done.out);
    }
    home.write("other", "ffffffffffffffffffffffffffffffff");
    let done = home.run(&["pskc", "check", "safe.xml", "--key-file", "other"]);
    // Of the whole file, or, where the wrong key happens to give a key of the MAC, of the secret.
    let told = [done.out, done.err].concat();
    assert!(done.code == Some(1) && told.contains("cannot be decrypted"), "{told}");
}
