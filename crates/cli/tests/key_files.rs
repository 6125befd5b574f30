//! Key files (PSKC, RFC 6030) with the built program: `dskpp pskc`, `admin key import` and `export`, `token import`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]
#![recursion_limit = "256"] // of one large document

mod support;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use support::{Home, Server, shown, text};

/// Keys as `inspect --json` shows them: every member that it has.
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

/// A home with those keys in `keys.xml`.
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
fn formats_of_authenticators_take_what_they_can_express_and_refuse_the_rest() {
    let home = home();
    let refused = home.run(&["pskc", "convert", "keys.xml", "--to", "otpauth", "-o", "out"]);
    assert_eq!(refused.code, Some(1), "a PIN is no one-time password: {refused:?}");
    assert!(!home.path("out").exists(), "a result is there whole or not at all");
    let done = home.run(&["pskc", "convert", "keys.xml", "--to", "otpauth", "--skip"]).success();
    assert_eq!(done.out.lines().count(), 1);
    assert!(done.err.contains("(b) is left out") && done.err.contains("(c) is left out"), "{done:?}");
    assert!(done.err.contains("no place for what is left out: serial numbers (1 key)"), "{done:?}");
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
        ("bad.csv", "id,odd\n1,2\n", "the column \"odd\" is not known"),
        ("bad.csv", "id,secret\n1,zz\n", "not all hexadecimal (line 2), and not all Base32 (line 2)"),
        ("bad.otpauth", "otpauth://totp/a?secret=AAAA\nhttp://x\n", "line 2"),
        ("bad.oath", "HOTP a - 0102\nHOTP b - 0\n", "line 2"),
        ("bad.json", "{\"keys\":[{\"id\":\"1\",\"odd\":1}]}", "odd is not known"),
    ] {
        home.write(name, content);
        let refused = home.run(&["pskc", "convert", name, "-o", "bad.xml"]);
        assert!(refused.code == Some(1) && refused.err.contains(told), "{refused:?}");
        assert!(!home.path("bad.xml").exists());
    }
}

/// Extensions of a container (RFC 6030 §9) stay with its keys, and a signature that was not checked is told.
#[test]
fn what_stands_around_the_keys_is_kept_or_told() {
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
        assert!(home.run(command).err.contains("signature of the file is not checked"), "{command:?}");
    }
}

/// `--json` is one document, or a wrong use where a result would stand before it.
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

/// A name that tells no format is no reason to write PSKC.
#[test]
fn a_result_whose_name_tells_no_format_needs_one() {
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

/// What was encrypted is not written in the clear without a word.
#[test]
fn a_conversion_that_takes_the_protection_away_says_so() {
    let home = home();
    home.write("pw", "correct horse battery staple");
    home.write("key", "00".repeat(16));
    let (password, key) = (["--password-file", "pw"], ["--key-file", "key"]);
    let strong = ["--to-password-file", "pw", "--iterations", "1000"];
    home.run(&[&["pskc", "encrypt", "keys.xml", "-o", "safe.xml"][..], &strong].concat()).success();
    home.run(&["pskc", "convert", "keys.xml", "--to-key-file", "key", "-o", "safe.cms"]).success();
    home.run(&[&["pskc", "convert", "keys.xml", "-o", "safe.p12"][..], &strong].concat()).success();
    const CLEAR: &str =
        "the result holds its secrets in the clear: --to-password-file, --to-key-file or --to-certificate";
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

/// A protection that is asked for is given, or refused.
#[test]
fn options_of_a_protection_count_or_are_refused() {
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

/// RFC 6030 §6.2 leaves the work of a guess to the writer: that of today unless old readers are to open the file.
#[test]
fn s6_2_passwords_have_todays_strength_unless_told_and_few_rounds_are_told() {
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
        let warned = |text: &str| text.contains("rounds protect a password little");
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
fn secrets_are_hidden_unless_asked_for_and_protected_where_told() {
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
    assert_eq!(home.run(&["pskc", "encrypt", "keys.xml"]).code, Some(2), "nothing to encrypt with");
}

#[test]
fn a_result_goes_to_a_new_file_in_a_folder_that_is_there() {
    let home = home();
    std::fs::create_dir(home.path("folder")).unwrap();
    let cases = [
        ("keys.xml", "keys.xml is there already", "--force"),
        ("folder", "folder is a folder", "give the name of a file"),
        ("none/out.xml", "there is no folder none", "make it first"),
    ];
    for (output, why, next) in cases {
        let refused = home.run(&["pskc", "decrypt", "keys.xml", "-o", output]);
        assert_eq!(refused.code, Some(1), "{output}");
        assert!(refused.err.contains(why) && refused.err.contains(next), "{}", refused.err);
    }
    home.run(&["pskc", "decrypt", "keys.xml", "-o", "folder/out.xml"]).success();
}

#[test]
fn a_file_that_is_cut_off_is_refused_whole() {
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
fn only_what_was_verified_is_read() {
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

#[test]
fn keys_enter_a_server_once_and_leave_it_unchanged() {
    let mut home = home();
    let server = Server::start(&mut home);
    let odd = keys().as_array().unwrap().iter().filter(|key| key["id"] != "b").cloned().collect::<Vec<_>>();
    home.write("two.json", json!({ "keys": odd }).to_string());
    home.run(&["pskc", "convert", "two.json", "-o", "two.xml"]).success();
    let done = home.json(&["admin", "key", "import", "two.xml", "--user", "alice"]);
    assert_eq!((&done["accepted"], &done["refused"]), (&json!(2), &json!(0)), "{done}");
    let again = home.json(&["admin", "key", "import", "two.xml", "--user", "alice"]);
    assert_eq!(again["accepted"], 2, "an import that was done is not done again: {again}");
    home.write("more", "serial,seed,time interval\nz3,31323334353637383930,60\n");
    let more = home.json(&["admin", "key", "import", "more", "--user", "bob"]);
    assert_eq!((&more["accepted"], &more["refused"]), (&json!(1), &json!(0)), "a table is read as well: {more}");
    for (ids, told) in
        [(&["o1"][..], "it is unassigned, and validates"), (&["o2", "o3"], "they are unassigned, and validate ")]
    {
        let lines: Vec<String> = ids
            .iter()
            .map(|id| format!("otpauth://totp/{id}?secret=GEZDGNBVGY3TQOJQ{}", "MFRGGZDF".repeat(2)))
            .collect();
        home.write("owned", lines.join("\n"));
        let taken = home.run(&["admin", "key", "import", "owned"]).success();
        assert!(taken.out.contains(told), "{taken:?}");
    }
    home.write("password", "correct horse\n");
    home.run(&["admin", "key", "export", "--to-password-file", "password", "-o", "out.xml"]).success();
    let out = inspect(&home, "out.xml", &["--password-file", "password"]);
    for name in ["id", "secret_hex", "counter", "response_length", "algorithm", "serial"] {
        assert_eq!(out[0][name], odd[0][name], "{name}: {out}");
    }
    assert_eq!(home.run(&["admin", "key", "export"]).code, Some(2), "nothing leaves unless it is said how");
    for other in [&["--in-the-clear"][..], &["--to-key-file", "key"], &["--to-certificate", "key"]] {
        let both = [&["admin", "key", "export", "--for-old-readers"], other].concat();
        assert_eq!(home.run(&both).code, Some(2), "old readers matter to a password alone: {other:?}");
    }
    // HOTP with this secret and counter 5, by the RFC's own algorithm: what a token imported from the same file makes.
    home.json(&["token", "import", "two.xml"]);
    let otp = text(&home.json(&["token", "otp", "a"]), "otp");
    assert_eq!(server.validate(&json!({ "user": "alice", "otp": otp }))["valid"], true);
}

#[test]
fn an_export_names_the_keys_that_it_leaves_out_and_fails() {
    let mut home = home();
    let _server = Server::start(&mut home);
    let accepted = home.json(&["admin", "key", "import", "keys.xml"])["accepted"].as_u64().unwrap();
    let database = rusqlite::Connection::open(home.path("dskpp-data/dskpp.db")).unwrap();
    assert_eq!(database.execute("UPDATE key SET params = 'x' WHERE id = 'a'", []).unwrap(), 1);
    home.write("password", "correct horse\n");
    let export = ["admin", "key", "export", "--to-password-file", "password", "-o", "out.xml"];
    let told = home.run(&export);
    assert!(told.code == Some(1) && told.err.contains("the key a was left out: key.params"), "{told:?}");
    let json = home.run(&[&export[..], &["--force", "--json"]].concat());
    assert_eq!((json.code, &json.json()["left_out"]), (Some(1), &json!(1)), "{json:?}");
    assert_eq!(json.json()["left_out_keys"][0]["key_id"], "a");
    let out = inspect(&home, "out.xml", &["--password-file", "password"]);
    assert_eq!(out.as_array().unwrap().len() as u64, accepted - 1, "{out}");
}

#[test]
fn an_interrupted_import_goes_on_where_it_ended() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    let of = |i: i64| {
        let counter = if i == 7 { -1 } else { 0 };
        json!({ "id": format!("k{i}"), "algorithm": "hotp", "secret_hex": format!("{i:040x}"), "counter": counter })
    };
    let many: Vec<Value> = (0..30_000).map(of).collect();
    home.write("many.json", json!({ "keys": many }).to_string());
    home.run(&["pskc", "convert", "many.json", "-o", "many.xml"]).success();
    for after in [300, 900, 1500] {
        home.spawn_and_kill(&["admin", "key", "import", "many.xml"], Duration::from_millis(after));
    }
    let report = |more: &[&str]| {
        let done = home.json_of_failure(&[&["admin", "key", "import", "many.xml"][..], more].concat());
        let reason = text(&done["refusals"][0], "reason");
        assert!(done["refusals"][0]["key_id"] == "k7" && reason.contains("less than 0"), "whenever it was met: {done}");
        done
    };
    let done = report(&[]);
    assert_eq!((&done["accepted"], &done["duplicate"], &done["refused"]), (&json!(29_999), &json!(0), &json!(1)));
    let again = report(&[]);
    assert_eq!((&again["accepted"], &again["accepted_before"]), (&json!(29_999), &json!(29_999)), "nothing twice");
    let other = report(&["--user", "ann"]);
    assert_eq!((&other["accepted"], &other["duplicate"]), (&json!(0), &json!(29_999)), "another import");
}

#[test]
fn a_token_store_takes_keys_and_enforces_their_policy() {
    let home = home();
    let done = home.run(&["token", "import", "keys.xml", "--json"]);
    assert_eq!(done.code, Some(1), "what is refused is told in the exit code too");
    let document = done.json();
    assert_eq!(document["refused"][0]["id"], "b", "a PIN policy that a token cannot keep: {document}");
    assert_eq!(document["accepted"], 2);
    home.write(
        "old.json",
        json!({ "keys": [{ "id": "old", "algorithm": "hotp", "secret_hex": "3132", "counter": 0,
        "policy": { "expiry_date": "2020-01-01T00:00:00Z" } }, { "id": "twice", "algorithm": "hotp",
        "secret_hex": "3132", "counter": 0, "policy": { "number_of_transactions": 2 } }] })
        .to_string(),
    );
    home.run(&["pskc", "convert", "old.json", "-o", "old.xml"]).success();
    home.run(&["token", "import", "old.xml"]).success();
    let expired = home.run(&["token", "otp", "old"]);
    assert!(expired.code == Some(1) && expired.err.contains("expired"), "{expired:?}");
    home.run(&["token", "otp", "twice"]).success();
    home.run(&["token", "otp", "twice"]).success();
    assert_eq!(home.run(&["token", "otp", "twice"]).code, Some(1), "its transactions are used up");
}

/// What an independent reader found in the files of other projects. The developer's copy of them is optional.
#[test]
fn files_of_other_projects_read_to_what_another_reader_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/pskc");
    let Ok(expected) = std::fs::read_to_string(folder.join("expected.json")) else {
        assert!(std::env::var("DSKPP_SCHEMA_CHECKS").as_deref() != Ok("required"), "the vectors are missing");
        return println!("not checked: needs ../shared/vectors/pskc");
    };
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let home = Home::new();
    for (name, case) in expected["files"].as_object().unwrap() {
        let unlock = &case["unlock"];
        let mut args = vec!["pskc".to_owned(), "inspect".into(), shown(&folder.join(name)), "--show-secrets".into()];
        args.extend(["--json".into(), "--lenient".into()]);
        if let Some(key) = unlock["key_hex"].as_str() {
            args.extend(["--key-hex".into(), key.into()]);
        }
        if let Some(password) = unlock["password"].as_str() {
            args.extend(["--password-file".into(), shown(&home.write("password", password))]);
        }
        if let Some(iv) = unlock["iv_hex"].as_str() {
            args.extend(["--iv-hex".into(), iv.into()]);
        }
        let done = home.run(&args);
        if case["expect_error"].is_object() {
            assert_eq!(done.code, Some(1), "{name}: {done:?}");
            continue;
        }
        let found = done.success().json()["keys"].clone();
        let wanted = case["keys"].as_array().unwrap();
        assert_eq!(found.as_array().unwrap().len(), wanted.len(), "{name}");
        for (i, key) in wanted.iter().enumerate() {
            for (member, value) in key.as_object().unwrap() {
                let found = &found[i][member];
                let without_zone = |value: &Value| value.as_str().map(|text| text.trim_end_matches('Z').to_owned());
                let same = found == value
                    || (member.ends_with("_date") && without_zone(found) == without_zone(value))
                    || (member == "secret_error" && found.is_string());
                assert!(same, "{name}, key {i}, {member}: {found}, not {value}");
            }
        }
    }
}
