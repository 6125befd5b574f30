//! Key files in CMS (RFC 6031) and PKCS #12 (RFC 7292) with the built program, and with Java's `keytool`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]
#![recursion_limit = "256"] // of one large document

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Home, Server};

/// Keys as `inspect --json` shows them, with every attribute of RFC 6031.
fn keys() -> Value {
    json!([
        { "id": "a", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:hotp", "secret_hex": "31".repeat(20), "counter": 5,
          "response_encoding": "DECIMAL", "response_length": 6, "serial": "1" },
        { "id": "Schlüssel", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:totp", "algorithm_suite": "HMAC-SHA256",
          "secret_hex": "c0ffee".repeat(11), "time_offset": 0, "time_interval": 60, "time_drift": -3,
          "response_encoding": "DECIMAL", "response_length": 8, "challenge_encoding": "DECIMAL",
          "challenge_min_length": 4, "challenge_max_length": 8, "challenge_check": true, "manufacturer": "Ä",
          "serial": "2", "model": "M", "issue_no": "3", "device_binding": "IMEI", "start_date": "2026-01-01T00:00:00Z",
          "expiry_date": "2036-01-01T00:00:00Z", "device_userid": "CN=d", "crypto_module": "CM", "issuer": "I",
          "friendly_name": "F G", "key_userid": "CN=k", "key_profile": "P", "key_reference": "R",
          "policy": { "start_date": "2026-02-01T00:00:00Z", "expiry_date": "2027-02-01T00:00:00Z",
                      "key_usage": ["OTP", "CR"], "number_of_transactions": 9, "pin_key_id": "c",
                      "pin_usage": "Local", "pin_max_failed_attempts": 3, "pin_min_length": 4, "pin_max_length": 6,
                      "pin_encoding": "DECIMAL", "pin": "1234" } },
        { "id": "c", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:pin", "secret_hex": "31323334",
          "response_encoding": "DECIMAL", "response_length": 4 },
    ])
}

fn home() -> Home {
    let home = Home::new();
    home.write("keys.json", json!({ "keys": keys() }).to_string());
    home.write("password", "pässword\n");
    home.write("wrong", "password\n");
    home.write("key", "07".repeat(32));
    home.run(&["pskc", "convert", "keys.json", "-o", "keys.xml"]).success();
    home
}

fn inspect(home: &Home, file: &str, by: &[&str]) -> Value {
    home.json(&[&["pskc", "inspect", file, "--show-secrets"][..], by].concat())["keys"].clone()
}

#[test]
fn rfc6031_rfc7292_conversions_round_trip_without_loss() {
    let home = home();
    let by_password: &[&str] = &["--password-file", "password"];
    let ways: &[(&str, &[&str], &[&str])] = &[
        ("k.cms", &[], &[]),
        ("k.cms", &["--to-password-file", "password", "--iterations", "100000"], by_password),
        ("k.cms", &["--to-password-file", "password", "--for-old-readers"], by_password),
        ("k.cms", &["--to-key-file", "key"], &["--key-file", "key"]),
        ("k.p12", &["--to-password-file", "password"], by_password),
        ("k.p12", &["--to-password-file", "password", "--for-old-readers"], by_password),
    ];
    for (name, to, by) in ways {
        let written = home.run(&[&["pskc", "convert", "keys.xml", "-o", name, "--force"], *to].concat()).success();
        assert!(written.err.is_empty(), "{name} {to:?}: {written:?}");
        assert_eq!(inspect(&home, name, by), keys(), "{name} {to:?}");
        let back = home.run(&[&["pskc", "decrypt", name][..], by].concat()).success();
        assert_eq!(back.out, std::fs::read_to_string(home.path("keys.xml")).unwrap(), "{name} {to:?}");
        assert!(back.err.is_empty(), "nothing to warn of: {back:?}");
        let wrong: &[&str] = match by.first() {
            Some(&"--key-file") => &["--key-hex", "00000000000000000000000000000000"],
            Some(_) => &["--password-file", "wrong"],
            None => continue,
        };
        for by in [wrong, &[]] {
            let refused = home.run(&[&["pskc", "inspect", *name][..], by].concat());
            assert!(refused.code == Some(1) && refused.out.is_empty(), "{name} {by:?}: {refused:?}");
        }
    }
}

#[test]
fn inexpressible_properties_are_reported_and_keys_omitted_on_request() {
    let home = home();
    let document = std::fs::read_to_string(home.path("keys.xml")).unwrap();
    let extended = document.replacen(
        "</pskc:KeyPackage>",
        "<pskc:Extensions><x:y xmlns:x='urn:x'/></pskc:Extensions></pskc:KeyPackage>",
        1,
    );
    let bare = " Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:pin\"";
    home.write("odd.xml", extended.replace(bare, ""));
    for name in ["odd.cms", "odd.p12"] {
        let to: &[&str] = &["pskc", "convert", "odd.xml", "-o", name, "--to-password-file", "password"];
        let refused = home.run(to);
        assert!(refused.code == Some(1) && refused.err.contains("key 3 (c)"), "{refused:?}");
        assert!(!home.path(name).exists());
        let report = home.json(&[to, &["--skip"]].concat());
        assert_eq!(report["keys"], 2);
        assert_eq!(
            (&report["left_out"]["extensions"], &report["skipped"][0]["id"]),
            (&json!(1), &json!("c")),
            "{report}"
        );
        assert_eq!(inspect(&home, name, &["--password-file", "password"]).as_array().unwrap().len(), 2);
    }
    // Java ignores case.
    home.write("case.json", json!({ "keys": keys() }).to_string().replace("\"id\":\"c\"", "\"id\":\"A\""));
    let refused = home.run(&["pskc", "convert", "case.json", "-o", "c.p12", "--to-password-file", "password"]);
    assert!(refused.code == Some(1) && refused.err.contains("letter case"), "{refused:?}");
}

/// The rules of PSKC apply to these keys too.
#[test]
fn check_decrypts_the_file_and_finds_what_imports_would_refuse() {
    let home = home();
    let bad = json!({ "keys": [keys()[0], { "id": "t", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:hotp",
                                           "secret_hex": "31", "counter": 5, "response_length": 6 }] });
    home.write("bad.json", bad.to_string());
    home.write("good.json", json!({ "keys": [keys()[0], keys()[2]] }).to_string());
    let by: &[&str] = &["--password-file", "password"];
    for (name, rules) in [("k.cms", "RFC 6031"), ("k.p12", "RFC 7292")] {
        let to = ["-o", name, "--force", "--to-password-file", "password", "--iterations"];
        home.run(&[&["pskc", "convert", "bad.json"], &to[..], &["1000"]].concat()).success();
        let closed = home.run(&["pskc", "check", name]);
        assert!(closed.code == Some(1) && closed.err.contains("--password-file"), "{closed:?}");
        let found = home.run(&[&["pskc", "check", name][..], by].concat());
        assert!(found.code == Some(1) && found.out.contains("has keys that do not follow RFC 6030"), "{found:?}");
        assert!(found.out.contains("key 2: the secret is shorter than HOTP allows"), "{found:?}");
        assert!(found.out.contains("warning: 1000 rounds protect a password poorly"), "{found:?}");
        home.run(&[&["pskc", "convert", "good.json"], &to[..], &["100000"]].concat()).success();
        let found = home.run(&[&["pskc", "check", name][..], by].concat()).success();
        assert!(found.out.contains(&format!("{name}: 2 keys, follows {rules}")), "{found:?}");
        let found = home.json(&[&["pskc", "check", name][..], by].concat());
        assert_eq!((&found["valid"], &found["keys"]), (&json!(true), &json!(2)), "{found}");
    }
    // A given key must match the file.
    assert_eq!(home.run(&[&["pskc", "check", "keys.xml"][..], by].concat()).code, Some(1));
}

#[test]
fn options_that_do_not_apply_to_the_format_are_refused() {
    let home = home();
    home.run(&["pskc", "convert", "keys.xml", "-o", "k.cms"]).success();
    let wrong: &[&[&str]] = &[
        &["convert", "keys.xml", "--to", "pkcs12"],
        &["convert", "keys.xml", "--to", "pkcs12", "--to-key-file", "key"],
        &["convert", "keys.xml", "--to", "rfc6031", "--to-key-file", "key", "--mac", "sha1"],
        &["convert", "keys.xml", "--to", "rfc6031", "--to-key-file", "key", "--cipher", "wrap"],
        &["convert", "keys.xml", "--to", "csv", "--to-password-file", "password"],
        &["inspect", "k.cms", "--lenient"],
        &["inspect", "k.cms", "--key-file", "key", "--mac-key-file", "key"],
    ];
    for arguments in wrong {
        let refused = home.run(&[&["pskc"], *arguments].concat());
        assert!(refused.code == Some(2) && refused.out.is_empty(), "{arguments:?}: {refused:?}");
        assert!(refused.err.contains("what to do") || refused.err.contains("cannot be used"), "{refused:?}");
    }
    let refused = home.run(&["pskc", "inspect", "k.cms", "--key-file", "key"]);
    assert!(
        refused.code == Some(1) && refused.err.contains("not with this kind of key"),
        "it is not encrypted: {refused:?}"
    );
}

/// The content of the first element (with a length of two octets), and the octets after it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    assert_eq!(der[1], 0x82);
    der[4..].split_at(usize::from(der[2]) << 8 | usize::from(der[3]))
}

/// Reading a file without integrity protection requires consent, and is reported.
#[test]
fn rfc7292_a_file_without_a_mac_needs_lenient_and_is_reported() {
    let home = home();
    let password = ["--password-file", "password"];
    home.run(&["pskc", "convert", "keys.xml", "-o", "k.p12", "--to-password-file", "password"]).success();
    let whole = std::fs::read(home.path("k.p12")).unwrap();
    let (content, _) = split(&whole);
    let (_, mac) = split(&content[3..]); // after the version
    let content = &content[..content.len() - mac.len()];
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    home.write("bare.p12", [&[0x30, 0x82], &len[..], content].concat());
    const NONE: &str = "it has no MAC, so tampering would go unnoticed";
    const TOLD: &str = "the file has no MAC: tampering would go unnoticed";
    for command in
        [&["pskc", "inspect", "bare.p12"][..], &["pskc", "check", "bare.p12"], &["token", "import", "bare.p12"]]
    {
        let refused = home.run(&[command, &password].concat());
        assert!(refused.code == Some(1) && refused.err.contains(NONE), "{refused:?}");
        assert!(refused.err.contains("--lenient"), "{refused:?}");
    }
    let inspect = |file: &str, more: &[&str]| {
        home.run(&[&["pskc", "inspect", "--json", "--show-secrets", file][..], &password, more].concat()).success()
    };
    let read = inspect("bare.p12", &["--lenient"]);
    assert_eq!(read.json()["keys"], inspect("k.p12", &[]).json()["keys"]);
    assert!(read.json()["warnings"].to_string().contains(TOLD), "{read:?}");
    let converted =
        home.run(&[&["pskc", "convert", "bare.p12", "--lenient", "--to", "pskc"][..], &password].concat()).success();
    assert!(converted.err.contains(TOLD), "{converted:?}");
    assert!(!inspect("k.p12", &["--lenient"]).out.contains("no MAC"), "one with a MAC is as good as before");
    home.write("other", "passwort");
    let wrong = home.run(&["pskc", "inspect", "bare.p12", "--lenient", "--password-file", "other"]);
    assert!(wrong.code == Some(1) && wrong.out.is_empty(), "{wrong:?}");
}

/// Runs Java's keytool, if available. If checks are required, it must be.
fn keytool(home: &Home, args: &[&str], input: &str) -> Option<String> {
    use std::io::Write as _;
    let mut command = Command::new("keytool");
    command.args(args).args(["-storepass", "password", "-J-Duser.language=en"]).current_dir(home.path("."));
    command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(why) => {
            assert!(std::env::var("DSKPP_PEER_CHECKS").as_deref() != Ok("required"), "keytool cannot be run: {why}");
            println!("not checked: keytool cannot be run ({why})");
            return None;
        }
    };
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()); // some commands read nothing
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{args:?}: {text}");
    Some(text)
}

#[test]
fn rfc7292_keys_travel_from_keytool_to_a_server_and_a_token_store_and_back() {
    let mut home = home();
    home.write("storepass", "password\n");
    let store = ["-keystore", "java.p12", "-storetype", "PKCS12"];
    let seed = "12345678901234567890";
    let typed = format!("{seed}\n{seed}\n");
    let import = [&["-importpass", "-alias", "seed", "-keypass", "password"][..], &store].concat();
    if keytool(&home, &import, &typed).is_none() {
        return;
    }
    let make = |alias: &str, algorithm: &str, bits: &str| {
        let make = ["-genseckey", "-alias", alias, "-keyalg", algorithm, "-keysize", bits];
        keytool(&home, &[&make[..], &store].concat(), "").unwrap();
    };
    make("hmac", "HmacSHA256", "256");
    make("aes", "AES", "128");
    let by = ["--password-file", "storepass"];
    let complete = ["--algorithm", "totp", "--assume", "digits=6", "--assume", "period=30"];

    let told = home.json(&[&["pskc", "inspect", "java.p12", "--show-secrets"][..], &by].concat());
    let warnings = told["warnings"].to_string();
    assert!(warnings.contains("10000 rounds") && warnings.contains("the key has no algorithm"), "{warnings}");
    assert_eq!((&told["format"], &told["keys"][0]["id"]), (&json!("pkcs12"), &json!("seed")));
    assert_eq!(told["keys"][0]["secret_hex"], data_encoding::HEXLOWER.encode(seed.as_bytes()));
    assert!(told["keys"][0]["algorithm"].is_null(), "nothing is made up: {told}");
    assert_eq!(told["keys"][1]["algorithm"], "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256");
    assert_eq!(told["keys"][2]["algorithm"], "http://www.w3.org/2001/04/xmlenc#aes128-cbc");

    let totp = home.json(&[&["pskc", "inspect", "java.p12"][..], &by, &complete].concat());
    let suites = [0, 1].map(|at| totp["keys"][at]["algorithm_suite"].clone());
    assert_eq!(suites, [Value::Null, json!("HMAC-SHA256")], "Java's type tells the hash: {totp}");

    let _server = Server::start(&mut home);
    let imported = home.json(&[&["admin", "key", "import", "java.p12"][..], &by, &complete].concat());
    assert_eq!((&imported["accepted"], &imported["refused"]), (&json!(3), &json!(0)), "{imported}");
    let kept = home.json(&[&["token", "import", "java.p12"][..], &by, &complete].concat());
    assert_eq!((&kept["accepted"], &kept["refused"]), (&json!(3), &json!([])), "{kept}");

    let to = ["-o", "back.p12", "--to-password-file", "storepass"];
    home.run(&[&["pskc", "convert", "java.p12"][..], &by, &complete, &to].concat()).success();
    let listed = keytool(&home, &["-list", "-keystore", "back.p12"], "").unwrap();
    assert!(listed.matches("SecretKeyEntry").count() == 3 && listed.contains("seed,"), "{listed}");
}
