//! Key files (PSKC, RFC 6030) with the built program: `dskpp pskc`, `admin key import` and `export`, `token import`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]
#![recursion_limit = "256"] // of one large document

#[path = "key_files/exchange.rs"]
mod exchange;
#[path = "key_files/other_projects.rs"]
mod other_projects;
mod support;

use std::path::Path;

use serde_json::{Value, json};
use support::{Home, shown};

/// Keys as `inspect --json` shows them, with every member.
fn keys() -> Value {
    json!([
        { "id": "a", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:hotp", "secret_hex": "31".repeat(20), "counter": 5,
          "response_encoding": "DECIMAL", "response_length": 6, "response_check": false, "serial": "1" },
        { "id": "b", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:totp", "algorithm_suite": "HMAC-SHA256",
          "secret_hex": "00".repeat(33), "time_offset": 0, "time_interval": 60, "time_drift": -3,
          "response_encoding": "DECIMAL", "response_length": 8, "challenge_encoding": "DECIMAL",
          "challenge_min_length": 4, "challenge_max_length": 8, "challenge_check": true, "manufacturer": "Ä \"1\", =x",
          "serial": "2", "model": "M", "issue_no": "3", "device_binding": "IMEI", "start_date": "2026-01-01T00:00:00Z",
          "expiry_date": "2036-01-01T00:00:00Z", "device_userid": "CN=d", "crypto_module": "CM", "issuer": "I",
          "friendly_name": "F\nG", "key_userid": "CN=k", "key_profile": "P", "key_reference": "R",
          "policy": { "start_date": "2026-02-01T00:00:00Z", "expiry_date": "2027-02-01T00:00:00Z",
                      "key_usage": ["OTP", "CR"], "number_of_transactions": 9, "pin_key_id": "c",
                      "pin_usage": "Local", "pin_max_failed_attempts": 3, "pin_min_length": 4, "pin_max_length": 6,
                      "pin_encoding": "DECIMAL", "pin": "1234" } },
        { "id": "c", "algorithm": "urn:ietf:params:xml:ns:keyprov:pskc:pin", "secret_hex": "31323334",
          "response_encoding": "DECIMAL", "response_length": 4 },
    ])
}

/// A home folder with these keys in `keys.xml`.
fn home() -> Home {
    let home = Home::new();
    home.write("keys.json", json!({ "keys": keys() }).to_string());
    home.run(&["pskc", "convert", "keys.json", "-o", "keys.xml"]).success();
    home
}

fn inspect(home: &Home, file: &str, more: &[&str]) -> Value {
    home.json(&[&["pskc", "inspect", file, "--show-secrets"][..], more].concat())["keys"].clone()
}

#[test]
fn nothing_is_lost_between_pskc_json_and_csv() {
    let home = home();
    assert_eq!(inspect(&home, "keys.xml", &[]), keys());
    for name in ["other.csv", "other.json"] {
        home.run(&["pskc", "convert", "keys.xml", "-o", name]).success();
        home.run(&["pskc", "convert", name, "-o", "back.xml", "--force"]).success();
        assert_eq!(inspect(&home, "back.xml", &[]), keys(), "{name}");
    }
    let again = home.run(&["pskc", "convert", "keys.json", "--to", "pskc"]).success();
    assert_eq!(again.out, std::fs::read_to_string(home.path("keys.xml")).unwrap(), "the same octets every time");
}

#[test]
fn authenticator_formats_express_what_they_can_and_refuse_the_rest() {
    let home = home();
    let refused = home.run(&["pskc", "convert", "keys.xml", "--to", "otpauth", "-o", "out"]);
    assert_eq!(refused.code, Some(1), "a PIN is no one-time password: {refused:?}");
    assert!(!home.path("out").exists(), "a result is there whole or not at all");
    let done = home.run(&["pskc", "convert", "keys.xml", "--to", "otpauth", "--skip"]).success();
    assert_eq!(done.out.lines().count(), 1);
    assert!(done.err.contains("(b) is left out") && done.err.contains("(c) is left out"), "{done:?}");
    assert!(done.err.contains("left out, as the format has no place for them: serial numbers (1 key)"), "{done:?}");
    let totp = json!({ "id": "t", "algorithm": "totp", "algorithm_suite": "HMAC-SHA256", "secret_hex": "00".repeat(33),
        "time_interval": 60, "response_encoding": "DECIMAL", "response_length": 8 });
    home.write("t.json", json!({ "keys": [totp] }).to_string());
    let other = home.run(&["pskc", "convert", "t.json", "--to", "otpauth"]).success();
    home.write("in.otpauth", done.out + &other.out);
    home.run(&["pskc", "convert", "in.otpauth", "-o", "back.xml"]).success();
    let back = inspect(&home, "back.xml", &[]);
    for name in ["secret_hex", "counter", "response_length"] {
        assert_eq!(back[0][name], keys()[0][name], "{name}");
    }
    for name in ["secret_hex", "algorithm_suite", "time_interval", "response_length"] {
        assert_eq!(back[1][name], totp[name], "{name}");
    }
    home.write("in.oath", "# users\nHOTP\talice\t-\t3132\t7\nHOTP/T60/8\tbob\t1234\t3334\n");
    home.run(&["pskc", "convert", "in.oath", "-o", "users.xml"]).success();
    let users = home.run(&["pskc", "convert", "users.xml", "--to", "usersfile"]).success();
    assert_eq!(users.out, "HOTP\talice\t-\t3132\t7\nHOTP/T60/8\tbob\t1234\t3334\n");
    for (name, content, told) in [
        ("bad.csv", "id,odd\n1,2\n", "unknown column \"odd\""),
        ("bad.csv", "id,secret\n1,zz\n", "not all hexadecimal (line 2), and not all Base32 (line 2)"),
        ("bad.otpauth", "otpauth://totp/a?secret=AAAA\nhttp://x\n", "line 2"),
        ("bad.oath", "HOTP a - 0102\nHOTP b - 0\n", "line 2"),
        ("bad.json", "{\"keys\":[{\"id\":\"1\",\"odd\":1}]}", "unknown member odd"),
    ] {
        home.write(name, content);
        let refused = home.run(&["pskc", "convert", name, "-o", "bad.xml"]);
        assert!(refused.code == Some(1) && refused.err.contains(told), "{refused:?}");
        assert!(!home.path("bad.xml").exists());
    }
}

/// Extensions of a container (RFC 6030 §9) are kept, and an unverified signature is reported.
#[test]
fn extensions_and_signatures_are_kept_or_reported() {
    let home = home();
    let plain = std::fs::read_to_string(home.path("keys.xml")).unwrap();
    let extended = "<pskc:Extensions><v:a xmlns:v=\"urn:v\">1</v:a></pskc:Extensions></pskc:KeyContainer>";
    home.write("extended.xml", plain.replace("</pskc:KeyContainer>", extended));
    let again = home.run(&["pskc", "convert", "extended.xml"]).success();
    assert!(again.out.contains(">1<") && again.out.contains("urn:v"), "{again:?}");
    let json = home.run(&["pskc", "convert", "extended.xml", "--to", "json"]).success();
    assert!(json.err.contains("extensions of the container"), "{json:?}");
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pskc/tests/data/signature");
    home.run(&["pskc", "sign", "keys.xml", "--key", &shown(&data.join("p256.key")), "-o", "signed.xml"]).success();
    for command in [&["pskc", "convert", "signed.xml"][..], &["token", "import", "signed.xml"]] {
        assert!(home.run(command).err.contains("file's signature is not verified"), "{command:?}");
    }
}

/// `--json` prints one document; it is a usage error if a result would precede it.
#[test]
fn json_reports_and_results_do_not_share_an_output() {
    let home = home();
    home.write("key", "00".repeat(16));
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pskc/tests/data/signature");
    let key = shown(&data.join("p256.key"));
    for command in [
        &["pskc", "convert", "keys.xml", "--json"][..],
        &["pskc", "encrypt", "keys.xml", "--to-key-file", "key", "--json", "-o", "-"],
        &["pskc", "sign", "keys.xml", "--key", &key, "--json"],
    ] {
        let refused = home.run(command);
        assert!(refused.code == Some(2) && refused.json()["next"].is_string(), "{refused:?}");
    }
    let signed = home.run(&["pskc", "sign", "keys.xml", "--key", &key, "-o", "-"]).success();
    assert!(signed.out.trim_end().ends_with("</pskc:KeyContainer>"), "the result and nothing else: {signed:?}");
    home.run(&["pskc", "convert", "keys.xml", "-o", "/dev/null"]).success();
}

/// A name that implies no format does not default to PSKC.
#[test]
fn a_result_whose_name_implies_no_format_needs_the_option() {
    let home = home();
    for name in ["k.xlsx", "k.txt", "k.pdf", "k.XLS", "a.csv.gz", "k.", "keys.xml.bak"] {
        let refused = home.run(&["pskc", "convert", "keys.xml", "-o", name]);
        assert!(refused.code == Some(2) && !home.path(name).exists(), "{name}: {refused:?}");
        for word in [name, "--to", "pskc, csv, json, otpauth, usersfile, rfc6031, pkcs12"] {
            assert!(refused.err.contains(word), "{name}: {refused:?}");
        }
        home.run(&["pskc", "convert", "keys.xml", "-o", name, "--to", "csv"]).success();
        assert!(std::fs::read_to_string(home.path(name)).unwrap().starts_with("id,"), "{name}");
    }
    std::fs::create_dir(home.path("v1.2")).unwrap();
    for name in ["keys", "v1.2/keys", ".keys", "KEYS.XML"] {
        home.run(&["pskc", "convert", "keys.xml", "-o", name]).success();
        assert!(std::fs::read_to_string(home.path(name)).unwrap().contains("KeyContainer"), "{name}");
    }
}

/// Encrypted secrets are not written in the clear without a warning.
#[test]
fn a_conversion_that_removes_protection_says_so() {
    let home = home();
    home.write("pw", "correct horse battery staple");
    home.write("key", "00".repeat(16));
    let (password, key) = (["--password-file", "pw"], ["--key-file", "key"]);
    let strong = ["--to-password-file", "pw", "--iterations", "1000"];
    home.run(&[&["pskc", "encrypt", "keys.xml", "-o", "safe.xml"][..], &strong].concat()).success();
    home.run(&["pskc", "convert", "keys.xml", "--to-key-file", "key", "-o", "safe.cms"]).success();
    home.run(&[&["pskc", "convert", "keys.xml", "-o", "safe.p12"][..], &strong].concat()).success();
    const CLEAR: &str = "the result has its secrets in the clear: to protect them, use --to-password-file";
    for (file, by) in [("safe.xml", password), ("safe.cms", key), ("safe.p12", password)] {
        for to in ["pskc", "csv", "json", "rfc6031"] {
            let convert = [&["pskc", "convert", file, "--to", to, "-o", "out", "--force"][..], &by].concat();
            let told = home.run(&convert).success();
            assert!(told.err.contains(CLEAR), "{file} {to}: {told:?}");
            let told = home.json(&convert);
            let has = told["warnings"].as_array().unwrap().iter().any(|what| what.as_str().unwrap().contains(CLEAR));
            assert!(has, "{file} {to}: {told}");
        }
        for to in ["pskc", "pkcs12", "rfc6031"] {
            let convert = [&["pskc", "convert", file, "--to", to, "-o", "out", "--force"][..], &by, &strong].concat();
            let told = home.run(&convert).success();
            assert!(!told.err.contains("in the clear"), "{file} {to}: {told:?}");
        }
    }
    for command in [
        &["pskc", "convert", "keys.xml", "--to", "csv"][..],
        &["pskc", "decrypt", "safe.xml", "--password-file", "pw"],
        &["pskc", "convert", "safe.xml", "--password-file", "pw", "--to-key-file", "key"],
    ] {
        let quiet = home.run(command).success();
        assert!(!quiet.err.contains("in the clear"), "{command:?}: {quiet:?}");
    }
}

/// A requested protection is applied or refused.
#[test]
fn protection_options_are_applied_or_refused() {
    let home = home();
    home.write("key", "00".repeat(16));
    home.write("password", "correct horse\n");
    let by_password = ["pskc", "encrypt", "keys.xml", "--to-password-file", "password", "-o", "safe.xml", "--force"];
    let more: &[(&[&str], &str, &str)] = &[
        (&["--for-old-readers"], "hmac-sha1", "#aes128-cbc"),
        (&["--mac", "sha512", "--iterations", "1000"], "hmac-sha512", "#aes256-cbc"),
        (&["--cipher", "wrap", "--iterations", "1000"], "", "#kw-aes256"),
        (&["--cipher", "wrap", "--iterations", "1000", "--for-old-readers"], "", "#kw-aes128"),
    ];
    for (more, mac, cipher) in more {
        home.run(&[&by_password[..], more].concat()).success();
        let safe = std::fs::read_to_string(home.path("safe.xml")).unwrap();
        assert!(safe.contains(mac) && safe.contains(cipher), "{more:?}: {safe}");
        assert_eq!(inspect(&home, "safe.xml", &["--password-file", "password"]), keys(), "{more:?}");
    }
    let by_key = ["pskc", "encrypt", "keys.xml", "--to-key-file", "key"];
    let wrong: &[(&[&str], &[&str])] = &[
        (&by_password, &["--iterations", "999"]),
        (&by_password, &["--iterations", "10000001"]),
        (&by_password, &["--to-key-name", "n"]),
        (&by_key, &["--iterations", "5000"]),
        (&by_key, &["--for-old-readers"]),
        (&by_key, &["--to-key-name", ""]),
        (&by_key, &["--cipher", "wrap", "--mac", "sha512"]),
        (&["pskc", "convert", "keys.xml"], &["--mac", "sha512"]),
    ];
    for (command, more) in wrong {
        assert_eq!(home.run(&[*command, more].concat()).code, Some(2), "{command:?} {more:?}");
    }
}

/// RFC 6030 §6.2 leaves the cost of a guess to the writer: the current default, unless old readers must open the file.
#[test]
fn s6_2_passwords_have_current_strength_by_default_and_few_rounds_cause_a_warning() {
    let home = home();
    home.write("password", "correct horse\n");
    let run = |command: &str, more: &[&str]| {
        let words: Vec<&str> = ["pskc"].into_iter().chain(command.split(' ')).chain(more.iter().copied()).collect();
        home.run(&words)
    };
    let rounds = |name: &str| {
        let text = std::fs::read_to_string(home.path(name)).unwrap();
        let part = |name: &str| {
            let element = text.split(&format!("<{name} xmlns=\"\">")).nth(1).unwrap();
            element.split('<').next().unwrap().to_owned()
        };
        let prf = text.contains("<PRF xmlns=\"\" Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#hmac-sha256\"/>");
        (part("IterationCount"), part("KeyLength"), prf, text.contains("#hmac-sha1\""))
    };
    let encrypt = "encrypt keys.xml --to-password-file password --force -o";
    for (more, expected, is_few) in [
        (&[][..], ("600000", "32", true, false), false),
        (&["--for-old-readers"], ("100000", "16", false, true), false),
        (&["--iterations", "100000"], ("100000", "32", true, false), false),
        (&["--iterations", "99999"], ("99999", "32", true, false), true),
        (&["--for-old-readers", "--iterations", "1000"], ("1000", "16", false, true), true),
    ] {
        let written = run(&format!("{encrypt} safe.xml"), more).success();
        let (count, len, prf, sha1) = rounds("safe.xml");
        assert_eq!((&*count, &*len, prf, sha1), expected, "{more:?}");
        let warned = |text: &str| text.contains("rounds protect a password poorly");
        assert_eq!(warned(&written.err), is_few, "{more:?}: {written:?}");
        for command in ["inspect safe.xml", "decrypt safe.xml", "convert safe.xml --to csv"] {
            let read = run(command, &["--password-file", "password"]).success();
            assert_eq!(warned(&read.err), is_few, "{command} {more:?}: {read:?}");
        }
        let read = run("inspect safe.xml --json", &["--password-file", "password"]).success();
        assert_eq!(warned(&read.json()["warnings"].to_string()), is_few, "{more:?}: {read:?}");
        let checked = run("check safe.xml --json", &[]);
        assert_eq!(warned(&checked.json()["problems"].to_string()), is_few, "{more:?}: {checked:?}");
    }
    let imported = home.run(&["token", "import", "safe.xml", "--password-file", "password"]);
    assert!(imported.err.contains("1000 rounds protect"), "{imported:?}");
}

#[test]
fn secrets_are_hidden_or_protected_unless_requested_otherwise() {
    let home = home();
    let hidden = home.run(&["pskc", "inspect", "keys.xml"]).success();
    let document = home.run(&["pskc", "inspect", "keys.xml", "--json"]).success();
    for secret in ["31323334", "MTIzNA", "1234", &"00".repeat(33)] {
        assert!(!hidden.out.contains(secret) && !document.out.contains(secret), "{secret}");
    }
    home.write("key", "00".repeat(16));
    home.write("other", "11".repeat(16));
    home.write("password", "correct horse\n");
    let ways: &[(&[&str], &[&str])] = &[
        (&["--to-key-file", "key"], &["--key-file", "key"]),
        (&["--to-key-file", "key", "--cipher", "wrap"], &["--key-file", "key"]),
        (&["--to-key-file", "key", "--cipher", "wrap-pad"], &["--key-file", "key"]),
        (&["--to-password-file", "password", "--iterations", "1000"], &["--password-file", "password"]),
    ];
    for (to, by) in ways {
        home.run(&[&["pskc", "encrypt", "keys.xml", "-o", "safe.xml", "--force"][..], to].concat()).success();
        assert!(!std::fs::read_to_string(home.path("safe.xml")).unwrap().contains("MTIzNA"), "{to:?}");
        assert_eq!(inspect(&home, "safe.xml", by), keys(), "{to:?}");
        let locked = home.json(&["pskc", "inspect", "safe.xml", "--show-secrets"]);
        assert!(locked["keys"][0]["secret_hex"].is_null() && !locked["keys"][0]["secret_error"].is_null());
        let wrong = home.run(&["pskc", "inspect", "safe.xml", "--key-file", "other"]);
        assert!(wrong.code == Some(1) && wrong.out.is_empty(), "{wrong:?}");
        let plain = home.run(&[&["pskc", "decrypt", "safe.xml"][..], by].concat()).success();
        assert_eq!(plain.out, std::fs::read_to_string(home.path("keys.xml")).unwrap());
    }
    assert_eq!(
        home.run(&["pskc", "encrypt", "keys.xml"]).code,
        Some(2),
        "no key, password or certificate to encrypt with"
    );
}

#[test]
fn a_result_goes_to_a_new_file_in_an_existing_folder() {
    let home = home();
    std::fs::create_dir(home.path("folder")).unwrap();
    let cases = [
        ("keys.xml", "keys.xml already exists", "--force"),
        ("folder", "folder is a folder", "name a file"),
        ("none/out.xml", "there is no folder none", "create it first"),
    ];
    for (output, why, next) in cases {
        let refused = home.run(&["pskc", "decrypt", "keys.xml", "-o", output]);
        assert_eq!(refused.code, Some(1), "{output}");
        assert!(refused.err.contains(why) && refused.err.contains(next), "{}", refused.err);
    }
    home.run(&["pskc", "decrypt", "keys.xml", "-o", "folder/out.xml"]).success();
}

#[test]
fn a_truncated_file_is_refused() {
    let home = home();
    let whole = std::fs::read(home.path("keys.xml")).unwrap();
    for len in [0, 1, 40, whole.len() / 2, whole.len() - 1] {
        home.write("cut.xml", &whole[..len]);
        for command in [&["pskc", "inspect", "cut.xml"][..], &["pskc", "convert", "cut.xml", "--to", "json"]] {
            let refused = home.run(command);
            assert!(refused.code == Some(1) && refused.out.is_empty(), "{len}: {refused:?}");
        }
        let refused = home.run(&["pskc", "inspect", "cut.xml", "--json"]);
        assert!(refused.json()["error"].is_string(), "one document, and it says why");
        assert_eq!(home.json_of_failure(&["pskc", "check", "cut.xml"])["valid"], false);
    }
    let piped = home.run_with(&["pskc", "inspect", "-", "--json"], std::str::from_utf8(&whole).unwrap());
    assert_eq!(piped.success().json()["keys"].as_array().unwrap().len(), 3);
    let valid = home.json(&["pskc", "check", "keys.xml"]);
    assert_eq!((&valid["valid"], &valid["keys"]), (&json!(true), &json!(3)), "{valid}");
    home.write("odd.xml", std::str::from_utf8(&whole).unwrap().replace("<pskc:Key Id=", "\n<pskc:Key id="));
    let odd = home.json_of_failure(&["pskc", "check", "odd.xml"]);
    assert!(odd["problems"][0]["line"] == 2 && odd["problems"][0]["next"].is_string(), "{odd}");
}

#[test]
fn only_verified_content_is_read() {
    let home = home();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pskc/tests/data/signature");
    let (key, ca) = (shown(&data.join("p256.key")), shown(&data.join("root.pem")));
    let chain: String =
        ["p256.pem", "intermediate.pem"].map(|name| std::fs::read_to_string(data.join(name)).unwrap()).concat();
    home.write("chain.pem", chain);
    let sign = ["pskc", "sign", "keys.xml", "--key", &key, "--certificate", "chain.pem", "-o", "signed.xml"];
    home.run(&sign).success();
    let verified = home.json(&["pskc", "verify", "signed.xml", "--ca", &ca, "-o", "content.xml"]);
    assert_eq!(verified["verified"], true);
    assert_eq!(inspect(&home, "content.xml", &[]), keys());
    let signed = std::fs::read_to_string(home.path("signed.xml")).unwrap();
    home.write("changed.xml", signed.replace("Id=\"a\"", "Id=\"z\""));
    for (file, more) in
        [("changed.xml", &["--ca", &ca][..]), ("keys.xml", &["--ca", &ca]), ("signed.xml", &["--signer", &ca])]
    {
        let refused = home.run(&[&["pskc", "verify", file, "-o", "no.xml"][..], more].concat());
        assert!(refused.code == Some(1) && !home.path("no.xml").exists(), "{file}: {refused:?}");
    }
    assert_eq!(home.run(&["pskc", "verify", "signed.xml"]).code, Some(2), "nobody to be verified against");
}
