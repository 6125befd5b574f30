//! Key files of other projects.

use std::path::Path;

use serde_json::Value;

use super::support::{Home, shown};

/// Results of an independent reader on files of other projects. The developer's copy of them is optional.
#[test]
fn files_of_other_projects_read_like_an_independent_reader() {
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
