//! The register of devices with the built program: `dskpp admin device`.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use serde_json::{Value, json};
use support::{Home, Server, text};

const KEY: &str = "000102030405060708090a0b0c0d0e0f";
const AES: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const HEADING: &str = "manufacturer,serial,key_name,shared_key_hex,certificate_file\n";

/// Certificates created with OpenSSL; see make.sh beside them.
fn data(name: &str) -> String {
    format!("{}/../server/tests/data/devices/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn copy(home: &Home, name: &str) {
    home.write(name, std::fs::read(data(name)).unwrap());
}

fn devices(home: &Home) -> Vec<Value> {
    home.json(&["admin", "device", "list"])["items"].as_array().unwrap().clone()
}

fn numbers(report: &Value, list: &str, unit: &str) -> Vec<u64> {
    report[list].as_array().unwrap().iter().map(|line| line[unit].as_u64().unwrap()).collect()
}

#[test]
fn devices_are_registered_shown_changed_and_deleted() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    home.write("key", format!("{KEY}\n"));
    copy(&home, "good.pem");
    let create = ["admin", "device", "create", "--manufacturer", "Acme", "--serial", "1", "--key-name", "k"];
    let id = text(&home.json(&[&create[..], &["--shared-key-file", "key"]].concat()), "id");
    let device = home.json(&["admin", "device", "show", &id]);
    assert_eq!((&device["has_shared_key"], &device["has_certificate"]), (&json!(true), &json!(false)));
    let changed = home.json(&["admin", "device", "change", &id, "--certificate", "good.pem", "--no-shared-key"]);
    assert_eq!((&changed["has_shared_key"], &changed["has_certificate"]), (&json!(false), &json!(true)));
    assert_eq!(text(&changed, "certificate_pem").trim(), std::fs::read_to_string(data("good.pem")).unwrap().trim());
    for (filter, expected) in [(["--serial", "1"], 1), (["--manufacturer", "Acme"], 1), (["--serial", "2"], 0)] {
        let listed = home.json(&[&["admin", "device", "list"][..], &filter].concat());
        assert_eq!(listed["items"].as_array().unwrap().len(), expected, "{filter:?}");
    }
    let enrolment = ["admin", "enrolment", "create", "--user", "alice", "--key-type", "hotp", "--device", "Acme:1"];
    home.json(&enrolment);
    let refused = home.json_of_failure(&["admin", "device", "delete", &id]);
    assert!(text(&refused, "error").contains("enrolments or keys refer"), "{refused}");
    let other = ["admin", "device", "create", "--manufacturer", "Acme", "--serial", "2", "--key-name", "l"];
    let other = text(&home.json(&other), "id");
    home.json(&["admin", "device", "delete", &other]);
    assert_eq!(devices(&home).len(), 1);
}

#[test]
fn importing_a_table_twice_is_harmless() {
    let mut home = Home::new();
    home.set("DSKPP_DEVICES_ANCHORS", &data("root.pem"));
    home.set("DSKPP_DEVICES_REVOCATION_LISTS", &data("root.crl.pem"));
    let _server = Server::start(&mut home);
    std::fs::create_dir(home.path("tables")).unwrap();
    for name in ["good.pem", "revoked.pem", "stranger.pem"] {
        copy(&home, &format!("tables/{name}").replace("tables/", ""));
        std::fs::rename(home.path(name), home.path(&format!("tables/{name}"))).unwrap();
    }
    let rows = [
        format!("Acme, 1 ,key 1,{KEY},"),
        "\"Acme, Inc.\",2,key 2,,good.pem".to_owned(),
        "Acme,3,key 3,,revoked.pem".to_owned(),
        "Acme,4,key 4,,stranger.pem".to_owned(),
        "Acme,5,key 5,abcd,".to_owned(),
        "Acme,6,,,".to_owned(),
    ];
    home.write("tables/devices.csv", format!("\u{FEFF}{HEADING}{}\n", rows.join("\n")));
    let import = ["admin", "device", "import", "tables/devices.csv"];
    let report = home.json_of_failure(&import);
    assert_eq!((&report["accepted"], &report["duplicate"], &report["refused"]), (&json!(2), &json!(0), &json!(4)));
    assert_eq!(numbers(&report, "refusals", "line"), [4, 5, 6, 7]);
    for (place, part) in [(0, "revoked"), (1, "trust anchor"), (2, "16 to 64 octets"), (3, "key_name")] {
        let reason = text(&report["refusals"][place], "reason");
        assert!(reason.contains(part), "{reason}");
    }
    let again = home.json_of_failure(&import);
    assert_eq!((&again["accepted"], &again["duplicate"], &again["refused"]), (&json!(0), &json!(2), &json!(4)));
    assert_eq!(numbers(&again, "duplicates", "line"), [2, 3]);
    let listed = devices(&home);
    let mut names: Vec<_> =
        listed.iter().map(|device| (text(device, "manufacturer"), text(device, "serial"))).collect();
    names.sort();
    assert_eq!(names, [("Acme".into(), "1".into()), ("Acme, Inc.".into(), "2".into())]);
}

#[test]
fn hostile_tables_are_refused() {
    let mut home = Home::new();
    let _server = Server::start(&mut home);
    for (heading, part) in [
        ("", "t.csv is empty"),
        ("manufacturer,serial\n", "no column key_name"),
        ("manufacturer,serial,key_name,password\n", "\"password\" is unknown"),
        ("manufacturer,serial,key_name,serial\n", "duplicated"),
        ("<KeyContainer/>\n", "/KeyContainer"),
        ("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ\n", "t.csv is otpauth lines"),
        ("\u{1f}\u{8b}\n", "neither a table nor a key file"),
    ] {
        home.write("t.csv", heading);
        let failure = home.json_of_failure(&["admin", "device", "import", "t.csv"]);
        assert!(text(&failure, "error").contains(part), "{heading}: {failure}");
    }
    home.write("private.pem", "-----BEGIN PRIVATE KEY-----\nTOPSECRET\n-----END PRIVATE KEY-----\n");
    let mut table = HEADING.as_bytes().to_vec();
    for row in [
        "Acme,1,k1\n",
        "Acme,2,k2,,,more\n",
        "Acme,3,k3,,private.pem\n",
        "Acme,4,k4,,/dev/zero\n",
        "Acme,5,k5,,missing.pem\n",
        "Acme,6\u{1b}[2J\u{202e},k6,,\n",
        "=cmd|' /C calc'!A0,7,\"'; DROP TABLE device; --\",,\n",
    ] {
        table.extend_from_slice(row.as_bytes());
    }
    table.extend_from_slice(b"Acme,\xff\xfe,k8,,\n");
    table.extend_from_slice(format!("Acme,9,{},,\n", "x".repeat(70_000)).as_bytes());
    home.write("t.csv", [&table[..], b"Acme,10,\"k10"].concat());
    let open = home.json_of_failure(&["admin", "device", "import", "t.csv"]);
    assert!(text(&open, "error").contains("line 11: unclosed quotation mark"), "{open}");
    assert_eq!(devices(&home).len(), 0, "lines that cannot be told apart are no rows");
    table.extend_from_slice(b"Acme,10,k10");
    home.write("t.csv", table);
    let shown = home.run(&["admin", "device", "import", "t.csv"]);
    assert_eq!(shown.code, Some(1), "{shown:#?}");
    assert!(shown.out.starts_with("1 device registered, 0 already present, 9 refused\n"), "{shown:#?}");
    assert!(!shown.out.contains(['\u{1b}', '\u{202e}']) && !shown.out.contains("TOPSECRET"), "{shown:#?}");
    let listed = devices(&home);
    assert_eq!((listed.len(), text(&listed[0], "serial")), (1, "7".to_owned()));
    let failure = home.run(&["admin", "device", "import", "t.csv", "--key-hex", KEY]);
    assert_eq!(failure.code, Some(2), "{failure:#?}");
}

#[test]
fn s4_2_2_devices_and_their_keys_are_imported_from_an_encrypted_key_file() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let key = |serial: &str, algorithm: &str| {
        json!({ "id": format!("key {serial}"), "algorithm": algorithm, "secret_hex": KEY, "manufacturer": "Acme",
                "serial": serial })
    };
    let mut nameless = key("x", AES);
    nameless.as_object_mut().unwrap().remove("manufacturer");
    let hotp = key("3", "urn:ietf:params:xml:ns:keyprov:pskc:hotp");
    let keys = json!({ "keys": [key("1", AES), key("2", AES), hotp, nameless] });
    home.write("keys.json", keys.to_string());
    home.write("transport.key", "ff".repeat(16));
    home.run(&["pskc", "convert", "keys.json", "-o", "plain.xml"]).success();
    home.run(&["pskc", "encrypt", "plain.xml", "-o", "devices.xml", "--to-key-file", "transport.key"]).success();
    let closed = home.json_of_failure(&["admin", "device", "import", "devices.xml"]);
    assert!(text(&closed, "error").contains("is encrypted"), "{closed}");
    assert_eq!(devices(&home).len(), 0);
    let import = ["admin", "device", "import", "devices.xml", "--key-file", "transport.key"];
    let report = home.json_of_failure(&import);
    assert_eq!((&report["accepted"], numbers(&report, "refusals", "key")), (&json!(2), vec![3, 4]), "{report}");
    for (place, part) in [(0, "not an AES key"), (1, "does not identify its device")] {
        let reason = text(&report["refusals"][place], "reason");
        assert!(reason.contains(part), "{reason}");
    }
    assert_eq!(numbers(&home.json_of_failure(&import), "duplicates", "key"), [1, 2]);
    // The imported key works for the device.
    home.write("device.key", KEY);
    let create = ["admin", "enrolment", "create", "--user", "u", "--key-type", "aes128", "--device", "Acme:2"];
    let code = text(&home.json(&create), "authentication_code");
    let enroll = ["enroll", &server.url(), "--code", &code, "--ca", "dskpp-data/tls/ca.pem", "--device", "Acme:2"];
    let with_key = ["--device-key-name", "key 2", "--device-key-file", "device.key"];
    home.json(&[&enroll[..], &with_key].concat());
}

#[test]
fn unusable_ca_files_are_reported_at_startup() {
    let mut home = Home::new();
    home.set("DSKPP_DEVICES_ANCHORS", &data("good.pem"));
    home.set("DSKPP_DEVICES_REVOCATION_LISTS", "missing.crl");
    let done = home.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(done.code, Some(1), "{done:#?}");
    for part in ["devices.anchors", "not a CA certificate", "devices.revocation_lists", "missing.crl"] {
        assert!(done.err.contains(part), "{part}: {}", done.err);
    }
}

/// RFC 6063 §5.1.1: a registered certificate must still chain to a trust anchor when its key is used, whether the client
/// identifies it by name or by value.
#[test]
fn s5_1_1_a_registered_certificate_is_validated_on_use() {
    let openssl = |args: &[&str]| std::process::Command::new("openssl").args(args).output().unwrap();
    let mut home = Home::new();
    let [ca, ca_key, key, certificate] =
        ["ca.pem", "ca.key", "device.key", "device.pem"].map(|name| support::shown(&home.path(name)));
    let new = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj"];
    let of_ca = ["/CN=ca", "-keyout", &ca_key, "-out", &ca];
    let usage = ["-addext", "keyUsage=critical,keyEncipherment", "-addext", "basicConstraints=CA:false"];
    let of_device = ["/CN=device", "-CA", &ca, "-CAkey", &ca_key, "-keyout", &key, "-out", &certificate];
    assert!(openssl(&[&new[..], &of_ca].concat()).status.success());
    let made = openssl(&[&new[..], &of_device, &usage].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let mut server = Server::start(&mut home);
    let register = ["admin", "device", "create", "--manufacturer", "Acme", "--serial", "1", "--key-name", "device 1"];
    home.run(&[&register[..], &["--certificate", "device.pem"]].concat()).success();
    for (anchors, accepted) in [(None, true), (Some(ca.as_str()), true), (Some(&data("root.pem")), false)] {
        if let Some(anchors) = anchors {
            home.set("DSKPP_DEVICES_ANCHORS", anchors);
            let port = server.port;
            server.kill();
            server = Server::start_on(&home, port);
        }
        for by in [&["--private-key-name", "device 1"][..], &["--device", "Acme:1"]] {
            let create = ["admin", "enrolment", "create", "--user", "u", "--key-type", "aes128", "--device", "Acme:1"];
            let code = text(&home.json(&create), "authentication_code");
            let url = server.url();
            let enroll = ["enroll", &url, "--code", &code, "--ca", "dskpp-data/tls/ca.pem", "--private-key", &key];
            let enroll = [&enroll[..], &["--variant", "two-pass", "--method", "transport"], by].concat();
            match accepted {
                true => drop(home.run(&enroll).success()),
                false => assert!(text(&home.json_of_failure(&enroll), "error").contains("NoProtocolVariants")),
            }
        }
    }
}
