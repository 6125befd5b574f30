//! Triggers that do not match this client, the question before using one, and the files with which a desktop opens them.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Home, Server, shown, text};

const MEDIA_TYPE: &str = "application/dskpp+xml";

fn create(home: &Home, more: &[&str]) -> Value {
    home.json(&[&["admin", "enrolment", "create", "--user", "ann", "--key-type", "totp"][..], more].concat())
}

/// Saves the trigger of an enrolment to a file, like a browser.
fn saved(home: &Home, server: &Server, enrolment: &Value) -> String {
    let (status, trigger) = server.get(&format!("{}?download", text(enrolment, "trigger_url")), "text/html");
    assert_eq!(status, 200);
    shown(&home.write("enrol.dskpp", trigger))
}

#[test]
fn s4_2_1_a_trigger_that_does_not_match_changes_nothing() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let ca = shown(&server.ca);
    let key = shown(&home.write("device.key", "11".repeat(16)));
    let register = ["--manufacturer", "Acme", "--serial", "7", "--key-name", "acme-7", "--shared-key-file", &key];
    home.json(&[&["admin", "device", "create"][..], &register].concat());
    let hardware_key = create(&home, &["--key-location", "hardware"]);
    let hardware_algorithm = create(&home, &["--algorithm-location", "hardware", "--key-location", "software"]);
    let bound = create(&home, &["--device", "Acme:7"]);
    let plain = create(&home, &["--key-location", "software", "--algorithm-location", "software"]);
    assert_eq!((&plain["key_location"], &hardware_key["key_location"]), (&"software".into(), &"hardware".into()));
    for (enrolment, more, words) in [
        (&hardware_key, &[][..], &["the key be kept in hardware", "nothing was sent"][..]),
        (&hardware_algorithm, &[], &["algorithm run in hardware"]),
        (&bound, &["--device", "Acme:8"], &["for the device Acme:7", "this is Acme:8"]),
        (&plain, &["--renew", "other"], &["no key 'other'"]),
        (&plain, &["https://localhost:1/dskpp"], &["not the requested one"]),
    ] {
        let file = saved(&home, &server, enrolment);
        let done = home.run(&[&["enroll", "--trigger", &file, "--ca", &ca][..], more].concat());
        assert_eq!(done.code, Some(1), "{done:#?}");
        for word in words {
            assert!(done.err.contains(word), "{word}: {done:#?}");
        }
        assert_eq!(server.state(enrolment), "open");
    }
    let file = saved(&home, &server, &bound);
    home.json(&[
        "enroll",
        "--trigger",
        &file,
        "--ca",
        &ca,
        "--device",
        "Acme:7",
        "--device-key-name",
        "acme-7",
        "--device-key-file",
        &key,
    ]);
    let file = saved(&home, &server, &plain);
    home.json(&["enroll", &server.url(), "--trigger", &file, "--ca", &ca]);
    assert_eq!((server.state(&bound).as_str(), server.state(&plain).as_str()), ("active", "active"));
}

#[test]
fn s3_2_3_opening_a_trigger_asks_first() {
    let mut home = Home::new();
    let server = Server::start(&mut home);
    let enrolment = create(&home, &[]);
    let file = saved(&home, &server, &enrolment);
    let args = ["enroll", "--ask", "--trigger", &file, "--ca", &shown(&server.ca)];
    for answer in ["", "\n", "n\n\n", "yess\n\n", "\u{1b}y\n\n"] {
        let done = home.run_with(&args, answer);
        assert!(done.code == Some(1) && done.err.contains("nothing was sent"), "{done:#?}");
        assert!(done.err.contains(&server.url()) && done.err.contains("Press Enter to exit"), "{done:#?}");
        assert_eq!(server.state(&enrolment), "open");
    }
    assert!(!home.path(".local").exists(), "a store was made for nothing");
    let done = home.run_with(&args, "y\n\n").success();
    assert!(done.out.contains("the server has confirmed it") && done.err.contains("Press Enter"), "{done:#?}");
    assert_eq!(server.state(&enrolment), "active");
    let link = create(&home, &[]);
    let url = text(&link, "trigger_url");
    let asked = home.run_with(&["enroll", "--ask", "--trigger", &url, "--ca", &shown(&server.ca)], "n\n\n");
    for fact in ["from   localhost:", "for    ann", "what   One-time passwords of 6 digits", "until  20"] {
        assert!(asked.err.contains(fact), "{fact}: {asked:#?}");
    }
    let both = home.run(&["enroll", "--ask", "--trigger", "-"]);
    assert!(both.code == Some(2) && both.err.contains("standard input"), "{both:#?}");
    assert_eq!(home.run(&["enroll", "--ask", "https://localhost/dskpp"]).code, Some(2), "there is nothing to tell");
}

fn packaging(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name)
}

/// Runs a tool on a file, if available.
fn tool(name: &str, argument: &Path) -> bool {
    let Ok(output) = Command::new(name).arg(argument).stdin(Stdio::null()).output() else {
        eprintln!("not checked by {name}, which is not here");
        return false;
    };
    assert!(output.status.success() && output.stdout.is_empty(), "{name}: {output:?}");
    true
}

#[test]
fn rfc6063_3_2_3_a_desktop_opens_triggers_with_the_program() {
    let home = Home::new();
    let entry = std::fs::read_to_string(packaging("dskpp.desktop")).unwrap();
    let field = |name: &str| entry.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap();
    assert!(entry.starts_with("[Desktop Entry]\n"));
    assert_eq!(
        (field("Type"), field("Terminal"), field("MimeType")),
        ("Application", "true", "application/dskpp+xml;")
    );
    // The command, with a file in place of its field code.
    let file = shown(&home.write("no trigger.dskpp", "<a/>"));
    let mut words = field("Exec").split(' ').map(|word| if word == "%f" { file.as_str() } else { word });
    assert_eq!(words.next(), Some("dskpp"));
    let done = home.run(&words.collect::<Vec<_>>());
    assert!(done.code == Some(1) && done.err.contains("cannot read the trigger"), "{done:#?}");
    tool("desktop-file-validate", &packaging("dskpp.desktop"));
}

#[test]
fn rfc6063_7_2_1_a_desktop_recognises_triggers_by_name_and_content() {
    let home = Home::new();
    let source = std::fs::read_to_string(packaging("dskpp-mime.xml")).unwrap();
    for part in ["type=\"application/dskpp+xml\"", "pattern=\"*.dskpp\"", "\"urn:ietf:params:xml:ns:keyprov:dskpp\""] {
        assert!(source.contains(part), "{part}");
    }
    let database = home.path("mime");
    std::fs::create_dir_all(database.join("packages")).unwrap();
    std::fs::write(database.join("packages/dskpp.xml"), source).unwrap();
    if tool("update-mime-database", &database) {
        let made = |name: &str| std::fs::read_to_string(database.join(name)).unwrap();
        assert!(made("globs2").contains(&format!("50:{MEDIA_TYPE}:*.dskpp")));
        assert!(
            made("XMLnamespaces")
                .contains(&format!("urn:ietf:params:xml:ns:keyprov:dskpp KeyProvTrigger {MEDIA_TYPE}"))
        );
        assert!(made("subclasses").contains(&format!("{MEDIA_TYPE} application/xml")));
    }
}
