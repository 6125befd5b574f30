//! Two-pass with the built program (RFC 6063 §5): every method, keys in the inventory, renewal, and keys that wait.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::process::Command;

use serde_json::{Value, json};
use support::{Home, Server, shown, text};

const KW: &str = "http://www.w3.org/2001/04/xmlenc#kw-aes128";
const DEVICE_KEY: &str = "000102030405060708090a0b0c0d0e0f";

/// A server, and a user with a token store.
struct Pair {
    home: Home,
    server: Server,
}

impl Pair {
    fn new() -> Self {
        let mut home = Home::new();
        let server = Server::start(&mut home);
        Pair { home, server }
    }

    fn create(&self, user: &str, key_type: &str, more: &[&str]) -> Value {
        let args = ["admin", "enrolment", "create", "--user", user, "--key-type", key_type];
        self.home.json(&[&args[..], more].concat())
    }

    fn args(&self, enrolment: &Value, more: &[&str]) -> Vec<String> {
        let code = text(enrolment, "authentication_code");
        let args = ["enroll", &self.server.url(), "--code", &code, "--ca", &shown(&self.server.ca)];
        [&args[..], more].concat().into_iter().map(str::to_owned).collect()
    }

    fn enroll(&self, enrolment: &Value, more: &[&str]) -> Value {
        self.home.json(&self.args(enrolment, more))
    }

    /// The secret, which both sides must share.
    fn secret(&self, key_id: &str) -> String {
        let exported = text(&self.home.json(&["token", "export", key_id]), "secret_hex");
        assert_eq!(exported, self.server.secret(key_id));
        exported
    }

    /// Registers a device of Acme with a shared key; returns the file with the key.
    fn device(&self, serial: &str, key: &str) -> String {
        let file = shown(&self.home.write(&format!("{serial}.key"), key));
        let name = format!("acme-{serial}");
        let register = ["admin", "device", "create", "--manufacturer", "Acme", "--serial", serial, "--key-name", &name];
        self.home.json(&[&register[..], &["--shared-key-file", &file]].concat());
        file
    }

    fn is_valid(&self, attempt: Value) -> bool {
        self.server.validate(&attempt)["valid"] == true
    }

    fn otp(&self, key_id: &str) -> String {
        text(&self.home.json(&["token", "otp", key_id]), "otp")
    }
}

/// An RSA key and its certificate, created with OpenSSL.
fn openssl_key(home: &Home) -> (String, String) {
    let (key, certificate) = (shown(&home.path("client.key")), shown(&home.path("client.pem")));
    let args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=token", "-keyout"];
    let usage = ["-addext", "keyUsage=critical,keyEncipherment"];
    let made = Command::new("openssl").args(args).args([&key, "-out", &certificate]).args(usage).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (key, certificate)
}

/// A PSKC file from a table.
fn key_file(home: &Home, table: &str) -> String {
    let (csv, pskc) = (shown(&home.write("keys.csv", table)), shown(&home.path("keys.pskc")));
    home.json(&["pskc", "convert", &csv, "--to", "pskc", "--output", &pskc]);
    pskc
}

#[test]
fn s5_1_every_method_delivers_a_key_that_both_sides_share() {
    let pair = Pair::new();
    let (key, certificate) = openssl_key(&pair.home);
    let files: Vec<_> = [16, 24, 32].map(|len| pair.device(&len.to_string(), &"5e".repeat(len))).into();
    let wrap =
        |at: usize| ["--device-key-name", ["acme-16", "acme-24", "acme-32"][at], "--device-key-file", &files[at]];
    let ways: [(&[&str], &str); 8] = [
        (&wrap(0), "wrap"),
        (&wrap(1), "wrap"),
        (&wrap(2), "wrap"),
        (&["--private-key", &key, "--certificate", &certificate], "transport"),
        (&["--private-key", &key], "transport"),
        (&["--method", "transport"], "transport"),
        (&["--method", "passphrase-wrap"], "passphrase-wrap"),
        (&["--method", "passphrase-wrap", "--pbkdf2-prf", "hmac-sha1"], "passphrase-wrap"),
    ];
    for (i, (options, method)) in ways.into_iter().enumerate() {
        let (key_type, more): (&str, &[&str]) = [
            ("totp", &["--hash", "SHA-512", "--digits", "8"][..]),
            ("hotp", &["--counter", "42"]),
            ("ocra", &["--suite", "OCRA-1:HOTP-SHA256-8:QN08"]),
            ("aes256", &[]),
        ][i % 4];
        let enrolment = pair.create("alice", key_type, more);
        let got = pair.enroll(&enrolment, &[&["--variant", "two-pass"], options].concat());
        assert_eq!((&got["variant"], &got["method"]), (&json!("two-pass"), &json!(method)), "{options:?}");
        assert_eq!((text(&got, "key_type").as_str(), got["status"].as_str()), (key_type, Some("Success")));
        let key_id = text(&got, "key_id");
        pair.secret(&key_id);
        assert_eq!(pair.server.state(&enrolment), "active");
        if matches!(key_type, "totp" | "hotp") {
            let attempt = json!({ "key_id": key_id, "otp": pair.otp(&key_id) });
            assert!(pair.is_valid(attempt.clone()) && !pair.is_valid(attempt), "good once");
        }
    }
}

/// RFC 6063 §5: other key package formats, with their parameters.
#[test]
fn s5_every_key_package_format_delivers_the_key() {
    let pair = Pair::new();
    let file = pair.device("1", DEVICE_KEY);
    let wrap = ["--device-key-name", "acme-1", "--device-key-file", &file];
    for (package, options) in [
        ("cms", &wrap[..]),
        ("cms", &["--method", "transport"]),
        ("cms", &["--method", "passphrase-wrap"]),
        ("pkcs12", &["--method", "passphrase-wrap"]),
        ("pkcs5-xml", &["--method", "passphrase-wrap"]),
    ] {
        let parameters = ["--digits", "8", "--period", "60", "--hash", "SHA-256"];
        let enrolment = pair.create("grace", "totp", &parameters);
        let key_id = text(&pair.enroll(&enrolment, &[&["--package", package], options].concat()), "key_id");
        pair.secret(&key_id);
        let otp = pair.otp(&key_id);
        assert_eq!(otp.len(), 8, "{package}");
        assert!(pair.is_valid(json!({ "key_id": key_id, "otp": otp })), "{package} {options:?}");
    }
    for (package, options, word) in [
        ("pkcs12", &["--method", "transport"][..], "NoSupportedKeyPackages"),
        ("pkcs5-xml", &["--method", "transport"], "NoSupportedKeyPackages"),
        ("cms", &["--variant", "four-pass"], "PSKC"),
    ] {
        let enrolment = pair.create("grace", "totp", &[]);
        let done = pair.home.run(&pair.args(&enrolment, &[&["--package", package], options].concat()));
        assert!(done.code == Some(1) && done.err.contains(word), "{package} {options:?}: {done:#?}");
        assert_eq!(pair.server.state(&enrolment), "open");
    }
}

/// Profile P17, and the restrictions of an enrolment.
#[test]
fn p17_enrolment_and_client_agree_on_variant_and_method() {
    let pair = Pair::new();
    for (allowed, options, variant, method) in [
        (&[][..], &[][..], "four-pass", json!(null)),
        (&["--variant", "two-pass"], &[], "two-pass", json!("passphrase-wrap")),
        (&["--variant", "four-pass"], &[], "four-pass", json!(null)),
        (
            &["--method", "transport"],
            &["--method", "passphrase-wrap", "--method", "transport"],
            "two-pass",
            json!("transport"),
        ),
        (&[], &["--variant", "two-pass"], "two-pass", json!("passphrase-wrap")),
    ] {
        let got = pair.enroll(&pair.create("bob", "totp", allowed), options);
        assert_eq!((text(&got, "variant"), &got["method"]), (variant.to_owned(), &method), "{allowed:?} {options:?}");
        pair.secret(&text(&got, "key_id"));
    }
    for (allowed, options) in [
        (["--variant", "two-pass"], &["--variant", "four-pass"][..]),
        (["--variant", "four-pass"], &["--variant", "two-pass"]),
        (["--method", "wrap"], &["--method", "transport"]),
        (["--method", "transport"], &["--variant", "four-pass"]),
    ] {
        let enrolment = pair.create("bob", "totp", &allowed);
        let done = pair.home.run(&pair.args(&enrolment, options));
        assert_eq!(done.code, Some(1), "{allowed:?} {options:?} {done:#?}");
        assert_eq!(pair.server.state(&enrolment), "open", "{allowed:?} {options:?}");
        assert!(
            done.err.contains("what the authentication code is for") || done.err.contains("is not allowed"),
            "{done:#?}"
        );
    }
    // A missing input is reported before anything is sent.
    let enrolment = pair.create("bob", "totp", &[]);
    let done = pair.home.run(&pair.args(&enrolment, &["--method", "wrap"]));
    assert!(done.code == Some(1) && done.err.contains("a device key of 16"), "{done:#?}");
}

/// RFC 6063 §4.2.2: the device's own key is found in the store into which it was imported.
#[test]
fn s4_2_2_the_device_key_of_the_store_is_used() {
    let pair = Pair::new();
    pair.device("1", DEVICE_KEY);
    let table = format!("id,algorithm,secret_hex,manufacturer,serial\nacme-1,{KW},{DEVICE_KEY},Acme,1\n");
    let package = key_file(&pair.home, &table);
    pair.home.json(&["token", "import", &package]);
    for options in [&["--device", "Acme:1"][..], &["--device", "Acme:1", "--device-key-name", "acme-1"]] {
        let enrolment = pair.create("carol", "hotp", &["--method", "wrap", "--device", "Acme:1"]);
        let got = pair.enroll(&enrolment, options);
        assert_eq!(got["method"], "wrap", "{options:?}");
        pair.secret(&text(&got, "key_id"));
    }
    let unknown = pair.home.run(&pair.args(&pair.create("carol", "hotp", &[]), &["--device-key-name", "nobody's"]));
    assert!(unknown.code == Some(1) && unknown.err.contains("nobody's"), "{unknown:#?}");
}

/// A key in the inventory goes out as it is: RFC 6063 §1.2 ("legacy keys").
#[test]
fn a_key_in_the_inventory_is_delivered_unchanged_and_by_two_pass_only() {
    let pair = Pair::new();
    let secret = "3132333435363738393031323334353637383930";
    let inventory = format!("id,algorithm,secret_hex,response_length,counter\nINVENTORY-1,hotp,{secret},8,5\n");
    let inventory = key_file(&pair.home, &inventory);
    let report = pair.home.json(&["admin", "key", "import", &inventory]);
    assert_eq!(report["accepted"], 1, "{report}");
    let listed = pair.home.json(&["admin", "key", "list"]);
    let key_id = text(&listed["items"][0], "key_id");

    let four_pass = ["admin", "enrolment", "create", "--user", "dave", "--key-type", "hotp", "--delivers", &key_id];
    let refused = pair.home.run(&[&four_pass[..], &["--variant", "four-pass"]].concat());
    assert!(refused.code == Some(1) && refused.err.contains("two-pass"), "{refused:#?}");

    let enrolment = pair.create("dave", "hotp", &["--delivers", &key_id]);
    let agreed = pair.home.run(&pair.args(&enrolment, &["--variant", "four-pass"]));
    assert!(agreed.code == Some(1), "{agreed:#?}");
    assert_eq!(pair.server.state(&enrolment), "open");
    let got = pair.enroll(&enrolment, &["--method", "transport"]);
    assert_eq!((text(&got, "key_id"), got["method"].as_str()), (key_id.clone(), Some("transport")));
    assert_eq!(pair.secret(&key_id), secret);
    let otp = pair.otp(&key_id);
    assert_eq!((otp.as_str(), otp.len()), ("68254676", 8), "RFC 4226 appendix D, counter 5, to eight digits");
    assert!(pair.is_valid(json!({ "user": "dave", "otp": otp })));
    let key = pair.home.json(&["admin", "key", "show", &key_id]);
    assert_eq!((&key["user"], &key["state"]), (&json!("dave"), &json!("active")));
}

/// A.2, and RFC 6030 §5: the token store enforces the policy of the package.
#[test]
fn a_2_keys_of_many_types_are_delivered_with_their_policy_which_is_enforced() {
    let pair = Pair::new();
    let aes192 = "http://www.w3.org/2001/04/xmlenc#aes192-cbc";
    let uri = |name: &str| format!("urn:ietf:params:xml:ns:keyprov:pskc:{name}");
    let suite = "OCRA-1:HOTP-SHA512-8:QN08";
    let keys = [
        ("hotp", json!({ "algorithm": uri("hotp"), "policy": { "number_of_transactions": 2, "key_usage": ["OTP"] } })),
        ("totp", json!({ "algorithm": uri("totp"), "policy": { "expiry_date": "2020-01-01T00:00:00Z" } })),
        ("totp", json!({ "algorithm": uri("totp"), "policy": { "start_date": "2999-01-01T00:00:00Z" } })),
        ("totp", json!({ "algorithm": uri("totp"), "algorithm_suite": "HMAC-SHA512", "time_interval": 60 })),
        ("hotp", json!({ "algorithm": uri("hotp"), "policy": { "key_usage": ["CR", "Integrity"] } })),
        ("ocra", json!({ "algorithm": uri("OCRA-1"), "algorithm_suite": suite, "policy": { "key_usage": ["CR"] } })),
        ("aes192", json!({ "algorithm": aes192, "policy": { "key_usage": ["Encrypt", "Decrypt"] } })),
        ("hotp", json!({ "algorithm": uri("hotp"), "policy": { "pin_usage": "Prepend", "pin_min_length": 4 } })),
    ];
    let described = keys.iter().enumerate().map(|(i, (key_type, key))| {
        let mut key = key.clone();
        let len = if *key_type == "aes192" { 24 } else { [10, 16, 20, 32, 64][i % 5] };
        (key["id"], key["secret_hex"]) = (json!(format!("K{i}")), json!(format!("{i:02x}").repeat(len)));
        if matches!(*key_type, "hotp" | "totp") {
            (key["response_encoding"], key["response_length"]) = (json!("DECIMAL"), json!(6));
        }
        key
    });
    let document = json!({ "keys": described.collect::<Vec<_>>() }).to_string();
    let (file, inventory) = (shown(&pair.home.write("keys.json", document)), shown(&pair.home.path("inventory.xml")));
    pair.home.run(&["pskc", "convert", &file, "-o", &inventory]).success();
    assert_eq!(pair.home.json(&["admin", "key", "import", &inventory])["accepted"], keys.len());

    let delivered = |i: usize| {
        let key_id = format!("K{i}");
        let enrolment = pair.create("heidi", keys[i].0, &["--delivers", &key_id]);
        pair.home.run(&pair.args(&enrolment, &["--method", "passphrase-wrap"]))
    };
    for i in 0..7 {
        delivered(i).success();
        pair.secret(&format!("K{i}"));
    }
    let unfit = delivered(7);
    assert!(unfit.code == Some(1) && unfit.err.contains("policy"), "{unfit:#?}");
    assert_eq!(pair.home.json(&["token", "list"])["items"].as_array().unwrap().len(), 7);

    let otp = |id: &str| pair.home.run(&["token", "otp", id]);
    for _ in 0..2 {
        otp("K0").success();
    }
    for (id, word) in
        [("K0", "as often as"), ("K1", "expired"), ("K2", "not valid before 2999"), ("K4", "not for this use")]
    {
        let refused = otp(id);
        assert!(refused.code == Some(1) && refused.err.contains(word) && refused.out.is_empty(), "{id} {refused:#?}");
    }
    assert_eq!(otp("K3").success().out.trim().len(), 6);
    let response = pair.home.run(&["token", "otp", "K5", "--challenge", "12345678"]).success();
    assert_eq!(response.out.trim().len(), 8, "{response:#?}");
}

/// Appendix A.6 and §10.6.3: a renewal keeps the id; the new key is valid at once, the old one no more.
#[test]
fn a_6_a_key_is_renewed_by_every_method() {
    let pair = Pair::new();
    let file = pair.device("1", DEVICE_KEY);
    let wrap = ["--device-key-name", "acme-1", "--device-key-file", &file];
    let first = pair.enroll(&pair.create("erin", "hotp", &[]), &["--label", "door"]);
    let key_id = text(&first, "key_id");
    let ways: [&[&str]; 4] =
        [&["--method", "transport"], &["--method", "passphrase-wrap"], &wrap, &["--variant", "four-pass"]];
    for options in ways {
        let (old, old_otp) = (pair.secret(&key_id), pair.otp(&key_id));
        let enrolment = pair.create("erin", "hotp", &["--renews", &key_id]);
        let got = pair.enroll(&enrolment, &[&["--renew", &key_id], options].concat());
        assert_eq!((text(&got, "key_id"), &got["replaced"]), (key_id.clone(), &json!(true)), "{options:?}");
        assert_ne!(pair.secret(&key_id), old, "{options:?}");
        assert!(!pair.is_valid(json!({ "key_id": key_id, "otp": old_otp })), "{options:?}");
        assert!(pair.is_valid(json!({ "key_id": key_id, "otp": pair.otp(&key_id) })), "{options:?}");
    }
    let items = pair.home.json(&["token", "list"])["items"].clone();
    let olds = items.as_array().unwrap().iter().filter(|token| token["old_of"] == json!(key_id)).count();
    assert_eq!((items[0]["label"].as_str(), olds, items.as_array().unwrap().len()), (Some("door"), 4, 5), "{items}");
}

/// RFC 6063 §10.5: only the new key together with the enrolment's code activates it.
#[test]
fn s10_5_a_key_waits_for_its_first_password() {
    let pair = Pair::new();
    for variant in ["two-pass", "four-pass"] {
        let enrolment = pair.create("frank", "hotp", &["--activate", "on-otp", "--variant", variant]);
        let key_id = text(&pair.enroll(&enrolment, &[]), "key_id");
        let check = |otp: &str, more: &[&str]| {
            let args = [&["admin", "validate", otp, "--user", "frank"][..], more, &["--json"]].concat();
            let done = pair.home.run(&args);
            assert_eq!(done.code, Some(i32::from(done.json()["valid"] != true)), "{done:#?}");
            done.code == Some(0)
        };
        let client_id = text(&enrolment, "client_id");
        let otp = pair.otp(&key_id);
        assert!(!check(&otp, &[]), "{variant}: not active yet");
        assert!(!check(&otp, &["--client-id", "FFFFFFFF"]), "{variant}: another enrolment's");
        assert!(!check("000000", &["--client-id", &client_id]), "{variant}: a wrong password");
        assert_eq!(text(&pair.home.json(&["admin", "key", "show", &key_id]), "state"), "provisioned");
        assert!(check(&otp, &["--client-id", &client_id]), "{variant}: the first password, with the client ID");
        assert!(check(&pair.otp(&key_id), &[]), "{variant}: active from now on");

        // In a renewal, the old key stays valid until the new one is used.
        let enrolment = pair.create("frank", "hotp", &["--activate", "on-otp", "--renews", &key_id]);
        let old = pair.otp(&key_id);
        pair.enroll(&enrolment, &["--renew", &key_id, "--variant", variant]);
        assert!(check(&old, &[]), "{variant}: the old key stays");
        assert!(check(&pair.otp(&key_id), &["--client-id", &text(&enrolment, "client_id")]), "{variant}");
        assert!(check(&pair.otp(&key_id), &[]), "{variant}: the new one is active");
        pair.home.json(&["admin", "key", "revoke", &key_id]);
    }
}

/// RFC 6063 §10.5: until the new key is used, the user still has the old one; if the new one is abandoned, the key
/// can be renewed again.
#[test]
fn s10_5_the_old_key_stays_usable_on_both_sides_until_the_new_one_is_used() {
    let pair = Pair::new();
    for variant in ["two-pass", "four-pass"] {
        let key_id = text(&pair.enroll(&pair.create("gina", "hotp", &[]), &[]), "key_id");
        let renew = || {
            let enrolment = pair.create("gina", "hotp", &["--activate", "on-otp", "--renews", &key_id]);
            let got = pair.enroll(&enrolment, &["--renew", &key_id, "--variant", variant]);
            (enrolment, text(&got, "old_key_id"))
        };
        let by_old = |old: &str| pair.is_valid(json!({ "key_id": key_id, "otp": pair.otp(old) }));
        let (waiting, old) = renew();
        assert!(by_old(&old), "{variant}: the program makes passwords of the old key");
        pair.home.run(&["admin", "enrolment", "revoke", &text(&waiting, "id")]).success();
        assert!(by_old(&old), "{variant}: the new key was given up");
        let (second, newest_old) = renew();
        assert_eq!(text(&second, "state"), "open");
        assert_ne!(newest_old, old, "{variant}: both are kept: the server has the first");
        assert!(by_old(&old), "{variant}: and wants it still");
        let first = json!({ "key_id": key_id, "otp": pair.otp(&key_id), "client_id": second["client_id"] });
        assert!(pair.is_valid(first), "{variant}: the new key was shown");
        assert!(!by_old(&old), "{variant}: now the old one is over");
        pair.secret(&key_id);
        pair.home.run(&["token", "delete", &old, "--yes"]).success();
        pair.home.json(&["admin", "key", "revoke", &key_id]);
    }
}
