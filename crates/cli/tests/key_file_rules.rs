//! RFC 6030's rules for keys beyond its schema, with the built program: `dskpp pskc check` and `convert`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use serde_json::Value;
use support::{Home, text};

/// RFC 6030 §5: conversions never lose a limit of a key.
#[test]
fn s5_no_conversion_extends_the_permitted_use_of_a_key() {
    let home = Home::new();
    let key = |more: &str| {
        format!(
            "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0' xmlns:v='urn:v'><KeyPackage>\
             <Key Id='1' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp'><AlgorithmParameters><ResponseFormat \
             Encoding='DECIMAL' Length='6' {}/></AlgorithmParameters><Data><Secret><PlainValue>MTIz</PlainValue>\
             </Secret><Counter>{}</Counter></Data>{}</Key></KeyPackage></KeyContainer>",
            if more == "check digit" { "CheckDigits='true'" } else { "" },
            match more {
                "encrypted" =>
                    "<EncryptedValue xmlns:x='http://www.w3.org/2001/04/xmlenc#'><x:EncryptionMethod \
                    Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/><x:CipherData><x:CipherValue>AAAA\
                    </x:CipherValue></x:CipherData></EncryptedValue>",
                _ => "<PlainValue>7</PlainValue>",
            },
            if more.starts_with('<') { format!("<Policy>{more}</Policy>") } else { String::new() },
        )
    };
    let policies = [
        ("<v:rule/>", "unknown elements", true),
        ("<KeyUsage>Encrypt</KeyUsage>", "does not allow one-time passwords", false),
        ("<ExpiryDate>2020-01-01T00:00:00Z</ExpiryDate>", "validity dates", false),
        ("<NumberOfTransactions>1</NumberOfTransactions>", "a usage limit", false),
        ("<PINPolicy PINUsageMode='Local'/>", "PIN", false),
        ("check digit", "check digit", false),
        ("encrypted", "its Counter is encrypted", true),
    ];
    for (more, told, everywhere) in policies {
        home.write("key.xml", key(more));
        for (format, refused) in [("otpauth", true), ("usersfile", true), ("csv", everywhere), ("json", everywhere)] {
            let done = home.run(&["pskc", "convert", "key.xml", "--to", format]);
            assert_eq!(done.code, Some(i32::from(refused)), "{format}, {more}: {done:?}");
            assert!(!refused || done.err.contains(told), "{format}, {more}: {done:?}");
        }
    }
    home.write("key.xml", key("encrypted"));
    for command in [&["pskc", "decrypt", "key.xml"][..], &["pskc", "convert", "key.xml"]] {
        let closed = home.run(command);
        assert!(closed.code == Some(1) && closed.out.is_empty(), "nothing of it can be written: {closed:?}");
    }
}

/// RFC 6030 beyond its schema: violating a MUST is an error, what makes a key useless a warning.
#[test]
fn check_enforces_rules_beyond_the_schema() {
    let home = Home::new();
    let digits = "<AlgorithmParameters><ResponseFormat Encoding='DECIMAL' Length='6'/></AlgorithmParameters>";
    let secret = "<Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Ng==</PlainValue></Secret>";
    let counter = "<Counter><PlainValue>0</PlainValue></Counter>";
    let good = format!("{digits}<Data>{secret}{counter}</Data>");
    let policy = |rules: &str| format!("{good}<Policy>{rules}</Policy>");
    // before the key, the key's content, a part of the finding ("" for none), whether it is an error
    let cases = [
        ("", good.clone(), "", false),
        ("", format!("<Data>{secret}{counter}</Data>"), "no ResponseFormat", true),
        ("", good.replace(counter, ""), "no Counter", true),
        ("", good.replace(secret, ""), "no secret", false),
        ("", good.replace(">0<", ">-1<"), "counter is negative", true),
        ("", good.replace("MTIzNDU2Nzg5MDEyMzQ1Ng==", "MTIz"), "shorter than HOTP allows", true),
        ("", good.replace("Length='6'", "Length='5'"), "6 to 9 decimal digits", true),
        (
            "",
            good.replace("Length='6'", "Length='6' CheckDigits='1'").replace("DECIMAL", "BASE64"),
            "check digits",
            true,
        ),
        ("", good.replace("<Data>", "<KeyReference>r</KeyReference><Data>"), "a Secret and a KeyReference", false),
        ("", policy("<PINPolicy PINKeyId='x' PINUsageMode='Local'/>"), "the PIN key \"x\" is missing", true),
        ("", policy("<PINPolicy/>"), "does not say how the PIN is used", true),
        ("", policy("<PINPolicy PINUsageMode='Local' MinLength='5' MaxLength='4'/>"), "no PIN length satisfies", true),
        ("", policy("<PINPolicy PINUsageMode='Algorithmic'/>"), "no PIN as part of its algorithm", true),
        ("", policy("<v:rule xmlns:v='urn:v'/>"), "unknown elements", false),
        ("<DeviceInfo><Manufacturer>Me</Manufacturer></DeviceInfo>", good.clone(), "manufacturer", false),
        ("<DeviceInfo><Manufacturer>oath.AB</Manufacturer></DeviceInfo>", good.clone(), "", false),
    ];
    for (before, content, told, is_error) in cases {
        let document = format!(
            "<KeyContainer xmlns='urn:ietf:params:xml:ns:keyprov:pskc' Version='1.0'>\n<KeyPackage>\n{before}\
             <Key Id='1' Algorithm='urn:ietf:params:xml:ns:keyprov:pskc:hotp'>\n{content}</Key></KeyPackage>\
             </KeyContainer>"
        );
        home.write("key.xml", &document);
        let done = home.run(&["pskc", "check", "key.xml", "--json"]);
        let found = done.json();
        let problems = found["problems"].as_array().unwrap();
        assert_eq!(found["valid"], !is_error, "{content}: {found}");
        assert_eq!(problems.is_empty(), told.is_empty(), "{content}: {found}");
        let is_it = |problem: &Value| text(problem, "what").contains(told) && problem["line"] == 2;
        assert!(told.is_empty() || problems.iter().any(is_it), "{told}, where the package begins: {found}");
    }
}
