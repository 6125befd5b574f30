//! `dskpp config`: what is in force, what is wrong, and no secret in either.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod support;

use serde_json::{Value, json};
use support::Home;

const FILE: &str = "[server]\nissuer = 'Example'\nworkers = 3\n[seal]\nkek_file = 'kek'\n\
    [[template]]\nname = 'staff'\nkey_type = 'totp'\n[[sink]]\nname = 'hook'\nkind = 'webhook'\n\
    url = 'https://example.com/?token=hunter2'\npublic_key_file = 'reader.pem'\nsigning_key_env = 'HOOK_KEY'\n";

#[test]
fn config_show_says_what_is_in_force_and_where_it_comes_from() {
    let mut home = Home::on_sqlite();
    let file = home.write("dskpp.toml", FILE).display().to_string();
    home.set("DSKPP_SERVER_WORKERS", "5");
    home.set("DSKPP_KEK", "hunter2");
    home.set("HOOK_KEY", "hunter2");
    let arguments = ["config", "show", "--config", &file, "--listen", "127.0.0.1:1", "--changed", "--json"];
    let shown = home.run(&arguments).success();
    assert!(!shown.out.contains("hunter2"), "{}", shown.out);
    let settings = shown.json()["settings"].as_array().unwrap().clone();
    let setting = |key: &str| settings.iter().find(|it| it["key"] == key).cloned().unwrap_or(Value::Null);
    let expected = |key: &str, value: &str, from: &str, place: &str| {
        assert_eq!(setting(key), json!({ "key": key, "value": value, "from": from, "place": place }));
    };
    expected("server.issuer", "\"Example\"", "file", &format!("{file}, line 2"));
    expected("server.workers", "5", "environment", "DSKPP_SERVER_WORKERS");
    expected("server.listen", "\"127.0.0.1:1\"", "option", "--listen");
    expected("template.1.key_type", "\"totp\"", "file", &format!("{file}, line 8"));
    expected("seal.kek", "(a secret)", "environment", "DSKPP_KEK");
    assert_eq!(setting("log.level"), Value::Null, "nobody has set it");
    let table = home.run(&["config", "show", "--config", &file]).success().out;
    assert!(table.lines().any(|line| line.starts_with("log.level") && line.ends_with("default")), "{table}");
}

#[test]
fn config_check_finds_faults_of_values_and_of_files_and_changes_nothing() {
    let home = Home::on_sqlite();
    let file = home.write("dskpp.toml", FILE.replace("workers = 3", "workers = 0")).display().to_string();
    let checked = home.run(&["config", "check", "--config", &file, "--json"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    let faults = checked.json()["faults"].as_array().unwrap().clone();
    let place = |key: &str| {
        let fault = faults.iter().find(|fault| fault["key"] == key).unwrap_or_else(|| panic!("{key}: {faults:?}"));
        fault["place"].as_str().unwrap().replace(&file, "FILE")
    };
    assert_eq!(place("server.workers"), "FILE, line 3");
    assert_eq!(place("seal.kek_file"), "FILE, line 5");
    assert_eq!(place("sink.1.signing_key_file"), "FILE, line 9");
    assert!(checked.err.contains("server.workers = 0: use 1 to 64"), "{}", checked.err);
    let good = home.write("good.toml", "[server]\nworkers = 3\n").display().to_string();
    assert!(home.run(&["config", "check", "--config", &good]).success().out.contains("is valid"));
    assert!(!home.path("dskpp-data").exists(), "nothing was made");
}
