//! Commands on files for other purposes, and key files in every form.

use std::path::Path;

use super::Case;
use super::support::Home;

const LINE: &str = "37-otpauth-into-inspect-and-import";
const KEYS: &str = "16-key-file-binary-or-colons";

/// Passwords, keys and certificates are read with or without a byte order mark, in PEM and DER.
#[test]
fn files_of_options_are_read_in_every_form() {
    let home = Home::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pskc/tests/data/signature");
    let text = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
    let der = |pem: &str| {
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        data_encoding::BASE64.decode(body.as_bytes()).unwrap()
    };
    let (key, certificate) = (text("p256.key"), text("p256.pem"));
    home.write("line", "otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ");
    home.run(&["pskc", "convert", "line", "-o", "keys.xml"]).success();
    for (name, key, certificate) in [
        ("mark", [b"\xEF\xBB\xBF", key.as_bytes()].concat(), [b"\xEF\xBB\xBF", certificate.as_bytes()].concat()),
        ("der", der(&key), der(&certificate)),
    ] {
        home.write("key", key);
        home.write("certificate", certificate);
        let signed = format!("{name}.xml");
        home.run(&["pskc", "sign", "keys.xml", "--key", "key", "--certificate", "certificate", "-o", &signed])
            .success();
        home.run(&["pskc", "verify", &signed, "--signer", "certificate"]).success();
    }
    for (key, told) in
        [(certificate, "CERTIFICATE"), ("-----BEGIN EC PRIVATE KEY-----\nAA==\n".into(), "openssl pkcs8")]
    {
        home.write("key", key);
        let refused = home.run(&["pskc", "sign", "keys.xml", "--key", "key"]);
        assert!(refused.code == Some(1) && refused.err.contains(told), "{refused:?}");
    }
    home.write("marked", "\u{FEFF}correct horse\r\nmore");
    home.write("password", "correct horse");
    let encrypt =
        ["pskc", "encrypt", "keys.xml", "--to-password-file", "marked", "--iterations", "1000", "-o", "safe.xml"];
    home.run(&encrypt).success();
    home.run(&["pskc", "decrypt", "safe.xml", "--password-file", "password"]).success();
}

/// A key whose Id exists is accepted if it is the same key; otherwise it is refused and the existing key stays.
#[test]
fn an_import_distinguishes_a_different_key_from_the_same_one() {
    let home = Home::new();
    let line = |id: &str, rest: &str| format!("otpauth://totp/{id}?secret={rest}\n");
    const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const OTHER: &str = "MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43U";
    home.write("two", line("a", SECRET) + &line("a", OTHER));
    let two = home.run(&["token", "import", "two"]);
    assert!(two.code == Some(1) && two.out.contains("1 key imported"), "{two:?}");
    assert!(two.out.contains("a refused: a key with this Id exists with a different secret"), "{two:?}");
    for (what, code, rest, told) in [
        ("same", 0, SECRET.to_owned(), "a already present"),
        ("secret", 1, OTHER.to_owned(), "with a different secret"),
        ("hash", 1, format!("{SECRET}&algorithm=SHA256"), "with a different hash"),
        ("digits", 1, format!("{SECRET}&digits=8"), "with a different number of digits"),
        ("period", 1, format!("{SECRET}&period=60"), "with a different time step"),
    ] {
        home.write("again", line("a", &rest));
        let again = home.run(&["token", "import", "again"]);
        assert!(again.code == Some(code) && again.out.contains(told), "{what}: {again:?}");
        let kept = home.run(&["token", "export", "a"]);
        assert_eq!(kept.out.trim(), data_encoding::HEXLOWER.encode(b"12345678901234567890"), "{what}");
    }
}

/// Texts that PSKC would change are refused.
#[test]
fn a_text_that_pskc_cannot_carry_is_refused() {
    let home = Home::new();
    for (member, why) in [
        (r#""friendly_name":"a\u0000b""#, "its friendly name unchanged: XML has no such character"),
        (r#""friendly_name":"a\u0001b""#, "XML has no such character"),
        (r#""issuer":"a\u001bb""#, "its issuer unchanged: XML has no such character"),
        (r#""key_userid":"\ufffe""#, "its user id unchanged"),
        (r#""friendly_name":"c ""#, "its friendly name unchanged: readers trim white space at its ends"),
        (r#""issuer":" X ""#, "its issuer unchanged"),
        (r#""serial":"S\r\n""#, "its serial number unchanged"),
    ] {
        let key = format!(r#"[{{"id":"a","algorithm":"totp","secret_hex":"3132333435363738",{member}}}]"#);
        home.write("keys.json", key);
        let refused = home.run(&["pskc", "convert", "keys.json", "--to", "pskc"]);
        assert!(refused.code == Some(1) && refused.err.contains(why), "{member}: {refused:?}");
    }
    home.write("keys.json", r#"[{"id":"a","algorithm":"totp","secret_hex":"31","friendly_name":"a\n\u0085\tb"}]"#);
    let back = home.run(&["pskc", "convert", "keys.json", "-o", "keys.xml"]);
    assert_eq!(back.code, Some(0), "{back:?}");
    let back = home.run(&["pskc", "convert", "keys.xml", "--to", "json"]);
    assert!(back.out.contains("\"friendly_name\":\"a\\n\u{85}\\tb\""), "{back:?}");
}

/// Cells that a spreadsheet keeps as text, and secrets in JSON that are not strings or contradict other members.
#[test]
fn a_secret_or_number_changed_by_a_program_is_refused() {
    let home = Home::new();
    for (name, text, code, told) in [
        ("k.csv", "serial,secret_hex,algorithm\n\"=\"\"0012\"\"\",31323334,totp\n", 0, "\"serial\":\"0012\""),
        (
            "k.csv",
            "serial,secret_hex,algorithm\n\"=\"\"0012\"\"\",31323334,totp\n",
            0,
            "in column 1 is read as the text",
        ),
        ("k.csv", "serial,secret,algorithm\n1,\"=\"\"GEZDGNBVGY3TQOJQ\"\"\",totp\n", 0, "31323334353637383930"),
        ("k.csv", "serial,secret_hex,algorithm\n=\"0012\",31323334,totp\n", 0, "\"serial\":\"0012\""),
        ("k.json", r#"[{"id":"a","algorithm":"totp","secret_hex":31323334}]"#, 1, "secret_hex is a number"),
        ("k.json", r#"[{"id":"a","algorithm":"totp","secret_hex":"3132","secret_octets":3}]"#, 1, "secret_octets is 3"),
        ("k.json", r#"[{"id":"a","algorithm":"totp","secret_base32":"GEZA","secret_octets":2}]"#, 0, "\"3132\""),
    ] {
        home.write(name, text);
        let done = home.run(&["pskc", "convert", name, "--to", "json"]);
        assert!(done.code == Some(code) && (done.out.clone() + &done.err).contains(told), "{text}: {done:?}");
    }
}

/// A file that is not a key file is named by its content, whatever its name, and not with an XML error.
#[test]
fn other_files_are_named_by_their_content() {
    let home = Home::new();
    let tar = [&b"keys.xml\0"[..], &[0; 248], b"ustar\x0000", &[0; 1024]].concat();
    for (content, named, remedy) in [
        (&b"Dear Sir,\nthe keys are in the other mail.\n"[..], "text in an unknown format", "ask the sender"),
        (&tar, "a tar archive", "tar -xf"),
        (b"\x1F\x8B\x08\0\0\0\0\0", "compressed with gzip", "gunzip"),
        (b"BZh91AY&SY\x01\x02", "compressed with bzip2", "bunzip2"),
        (b"\xFD7zXZ\0\0\x04", "compressed with xz", "unxz"),
        (b"7z\xBC\xAF\x27\x1C\0", "a 7-Zip archive", "unpack"),
        (b"Rar!\x1A\x07\x01\0", "a RAR archive", "unpack"),
        (b"PK\x03\x04\x14\0", "a ZIP archive or an Excel workbook", "save a workbook as CSV"),
        (b"\x30\x80\x06\x0A\x60\x86\x48\x01\x65\x02\x01\x02\x4E\x02\xA0\x80", "(RFC 6032)", "(RFC 6031)"),
        (b"\0\x01\x02\x03", "no", "ask the sender"),
    ] {
        for name in ["keys", "keys.xml", "keys.p12", "keys.pskc"] {
            home.write(name, content);
            for command in [&["pskc", "check"][..], &["pskc", "inspect"], &["pskc", "convert"], &["token", "import"]] {
                let done = home.run(&[command, &[name]].concat());
                let text = done.out.clone() + &done.err;
                assert!(done.code == Some(1) && text.contains(named) && text.contains(remedy), "{name}: {done:?}");
                assert!(!text.contains("well-formed"), "{name}: {done:?}");
            }
        }
    }
}

/// A PIN key that no key names has no line in a users file.
#[test]
fn an_unused_pin_key_has_no_line_in_a_users_file_and_is_reported() {
    let home = Home::new();
    let key =
        |id: &str, name: &str| format!("{{\"id\":\"{id}\",\"algorithm\":\"{name}\",\"secret_hex\":\"31323334\"}}");
    home.write("keys.json", format!("[{},{}]", key("a", "totp"), key("p", "pin")));
    let convert = ["pskc", "convert", "keys.json", "--to", "usersfile"];
    let refused = home.run(&convert);
    assert!(refused.code == Some(1) && refused.err.contains("key 2 (p)"), "{refused:?}");
    let skipped = home.run(&[&convert[..], &["--skip"]].concat());
    assert!(skipped.code == Some(0) && skipped.err.contains("key 2 (p) is left out"), "{skipped:?}");
}

pub(super) const CASES: &[Case] = &[
    Case::read(LINE, &[], "pskc inspect input", &["Acme:Provider", "1 key, not encrypted; otpauth lines"]),
    Case::refused(LINE, &[], "pskc check input", &["but otpauth lines", "dskpp pskc convert FILE"]),
    Case::refused(LINE, &[], "pskc sign input --key p256.key", &["but otpauth lines"]),
    Case::refused(LINE, &[], "pskc verify input --key p256.pem", &["but otpauth lines"]),
    Case::read(LINE, &[], "token import input", &["1 key imported"]),
    Case::read(LINE, &[], "pskc decrypt input", &["<pskc:FriendlyName>Provider</pskc:FriendlyName>"]),
    Case::read(LINE, &[("otpauth:", "\u{FEFF}\n# mine\nOTPAUTH:")], "pskc inspect input", &["Acme:Provider"]),
    Case::new(LINE, &[], "pskc inspect --lenient input", 2, &["are for PSKC"], &[]),
    Case::refused(
        LINE,
        &[("otpauth://totp/", "otpauth-migration://offline?data=")],
        "pskc inspect input",
        &["an export of Google Authenticator"],
    ),
    Case::refused(LINE, &[("otpauth://totp/", "<!doctype HTML>")], "token import input", &["a web page"]),
    Case::refused(LINE, &[("otpauth://totp/", "Dear Sir")], "pskc inspect input", &["not a key file"]),
    Case::read("17-csv-entra", &[], "pskc inspect input", &["0012345", "60 s", "1 key, not encrypted; a table"]),
    Case::refused("17-csv-entra", &[], "pskc check input", &["but a table (CSV)"]),
    Case::read("53-otpauth-written-plus-and-slash", &[], "pskc inspect input", &["A+B/C", "1 key, "]),
    Case::read(
        "53-otpauth-written-plus-and-slash",
        &[(
            "\"issuer\"",
            "\"start_date\": \"2026-01-31T00:00:00Z\", \"policy\": {\"start_date\": \"2026-02-01T00:00:00Z\", \
             \"expiry_date\": \"2027-01-31T12:00:00Z\", \"key_usage\": [\"OTP\", \"CR\"], \"number_of_transactions\": 1, \
             \"pin_usage\": \"Prepend\"}, \"issuer\"",
        )],
        "pskc inspect input",
        &["A+B/C", "2026-02-01..2027-01-31T12:00:00Z, device from 2026-01-31", "OTP CR, 1 use, PIN Prepend"],
    ),
    Case::refused(LINE, &[], "pskc convert --from csv --to json input", &["omit --from"]),
    // The content of a key file decides its form.
    Case::read(KEYS, &[], "pskc inspect --key-file key.colons input", &["now decrypted"]),
    Case::refused(KEYS, &[], "pskc inspect --key-file key.bin input", &["wrong key or password"]),
    Case::read(KEYS, &[], "pskc inspect --key-hex 00:01:02:03\t04050607-08090A0B\t0c0d0e0f input", &["now decrypted"]),
    Case::refused(KEYS, &[], "pskc inspect --key-file input input", &["neither hexadecimal nor Base64"]),
    Case::refused(KEYS, &[], "pskc inspect --key-file hex:key.bin input", &["not text in UTF-8"]),
    Case::refused(KEYS, &[], "pskc inspect --private-key key.colons input", &["no private key in PEM or DER"]),
];
