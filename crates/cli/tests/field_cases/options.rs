//! Files that options name: keys and passwords as people and programs change them.

use super::support::Home;

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const RAW: &[u8] = b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F";

/// The content, how it is named, and the error; `None` if it decrypts the key file.
const KEYS: &[(&[u8], &str, Option<&str>)] = &[
    (KEY.as_bytes(), "", None),
    (RAW, "", None),
    (b"AAECAwQFBgcICQoLDA0ODw==", "", None),
    (b"AAECAwQFBgcICQoLDA0ODw\r\n", "", None),
    (b"{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}", "", None),
    (b"000102030405060708090a0b0c0d0e0", "", Some("31 hexadecimal digits, an odd number")),
    (b"000102030405060708090a0b0c0d0e0f0", "", Some("33 hexadecimal digits, an odd number")),
    // 32 letters that are also Base64.
    (b"000102030405060708090a0b0c0d0eof", "", Some("character 31 is not a hexadecimal digit")),
    (b"0001020304050607\n08090a0b0c0d0e0g\n", "", Some("line 2, character 16 is not a hexadecimal digit")),
    (b"000102030405060708090a0b0c0d0eof", "hex:", Some("character 31 is not a hexadecimal digit")),
    (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\n", "", Some("`head -c 16 FILE > NEW`")),
    (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\r\n", "", Some("16 binary octets")),
    (b"{\"kty\":\"RSA\",\"n\":\"AAECAwQFBgcICQoLDA0ODw\"}", "", Some("a JWK of an asymmetric key")),
    (b"{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}]}", "", Some("save the object of the one key")),
    (b"0\x000\x000\x001\x000\x002\x000\x003\x000\x004\x00", "", Some("UTF-16")),
    (b"", "", Some("is empty")),
];

#[test]
fn an_almost_valid_key_file_is_reported_with_its_fault_and_never_with_its_text() {
    let home = Home::new();
    super::copy("16-key-file-binary-or-colons", &[], &home);
    for (content, prefix, told) in KEYS {
        home.write("key", content);
        let named = format!("{prefix}key");
        for command in ["inspect", "check", "convert"] {
            let done = home.run(&["pskc", command, "--key-file", &named, "input"]);
            let text = format!("{}{}", done.out, done.err);
            match told {
                None => assert_eq!(done.code, Some(0), "{}: {text}", content.escape_ascii()),
                Some(told) => {
                    assert!(done.code == Some(1) && text.contains(told), "{}: {text}", content.escape_ascii());
                    let held = ["08090a0b", "AAECAwQF"];
                    assert!(!held.iter().any(|part| text.contains(part)), "the key is printed: {text}");
                }
            }
        }
    }
    for (hex, told) in [
        (&KEY[1..], "31 hexadecimal digits"),
        ("000102030405060708090a0b0c0d0e0x", "character 32 is not a hexadecimal digit"),
        ("", "empty: hexadecimal"),
    ] {
        let done = home.run(&["pskc", "inspect", "--key-hex", hex, "input"]);
        assert!(done.code == Some(2) && done.err.contains(told) && !done.err.contains("08090a"), "{done:?}");
    }
}

#[test]
fn a_password_file_is_text_with_a_password() {
    let home = Home::new();
    home.write("line", "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ");
    home.write("right", "Grüße 1");
    let encrypt = ["pskc", "encrypt", "line", "--to-password-file", "right", "--iterations", "1000", "-o", "safe.xml"];
    home.run(&encrypt).success();
    let utf16 =
        |mark: &[u8]| [mark, &"Geheim 1".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat();
    for (content, told) in [
        (utf16(b"\xFF\xFE"), "text in UTF-16"),
        (utf16(b""), "text in UTF-16"),
        (b"Gr\xFC\xDFe 1".to_vec(), "not text in UTF-8"),
        (b"".to_vec(), "is empty: there is no password"),
        (b"\r\n".to_vec(), "is empty: there is no password"),
        (b"\nGeheim 1\n".to_vec(), "has an empty first line"),
    ] {
        home.write("password", content);
        for command in [
            &["pskc", "decrypt", "safe.xml", "--password-file", "password"][..],
            &["pskc", "check", "safe.xml", "--password-file", "password"],
            &["pskc", "encrypt", "line", "--to-password-file", "password"],
            &["pskc", "convert", "line", "--to", "pkcs12", "--to-password-file", "password", "-o", "out.p12"],
        ] {
            let done = home.run(command);
            assert!(done.code == Some(1) && done.err.contains(told), "{command:?}: {done:?}");
            assert!(!done.err.contains("Geheim") && !done.err.contains(" 1\n"), "the password is printed: {done:?}");
        }
    }
    home.write("password", "Grüße 1 \n");
    let blank = home.run(&["pskc", "decrypt", "safe.xml", "--password-file", "password"]);
    assert!(blank.code == Some(1) && blank.err.contains("are part of the password"), "{blank:?}");
}

#[test]
fn an_empty_store_passphrase_is_reported_before_it_is_tried() {
    let mut home = Home::new();
    home.write("line", "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ");
    home.set("DSKPP_STORE_PASSPHRASE", "");
    let empty = home.run(&["token", "import", "--store", "new", "line"]);
    assert!(empty.code == Some(1) && empty.err.contains("DSKPP_STORE_PASSPHRASE is empty"), "{empty:?}");
    assert!(!home.path("new").exists());
}
