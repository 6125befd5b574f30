//! Hostile names: kept unchanged, or refused.

use super::*;

/// Names that must be returned octet for octet.
fn good() -> Vec<String> {
    let names = [
        "alice",
        "O'Brien \"the\" <b>&amp;</b>",
        "'; DROP TABLE user; --",
        "%00 %s {} ${HOME} $(id) `id`",
        "../../etc/passwd",
        "\u{418}\u{432}\u{430}\u{43d} \u{5d0}\u{5d1} \u{1f511}",
        "e\u{301}",
        "\u{e9}",
        "NULL",
        "a%b_c",
    ];
    let mut names: Vec<String> = names.map(str::to_owned).into();
    names.push("\u{1f511}".repeat(256));
    names
}

/// Names that no answer, log line or XML should contain.
fn bad() -> Vec<String> {
    let mut names: Vec<String> =
        ["", " ", "\t\n", "a\u{0}b", "a\nb", "a\tb", "\u{1b}[31m", "a\u{7f}b", "a\u{85}b"].map(str::to_owned).into();
    names.extend(["a\u{fffe}b", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b"].map(str::to_owned));
    names.extend([257, 300, 10_000].map(|len| "x".repeat(len)));
    names
}

#[tokio::test]
async fn good_names_come_back_as_they_are_and_are_found() {
    let api = Api::new().await;
    for (i, name) in good().into_iter().enumerate() {
        let user = api.post("/users", json!({ "name": name })).await.with(201);
        assert_eq!(user["name"], json!(name));
        let device = json!({ "manufacturer": name, "serial": name, "key_name": name });
        let device = api.post("/devices", device).await.with(201);
        for field in ["manufacturer", "serial", "key_name"] {
            assert_eq!(device[field], json!(name));
        }
        let identity = json!({ "manufacturer": name, "serial": name });
        let body = json!({ "user": name, "key_type": "hotp", "device": identity });
        let enrolment = api.enrolment(body).await;
        assert_eq!((&enrolment["user"], &enrolment["device"]), (&json!(name), &identity));
        api.provision(&enrolment, &format!("key{i}")).await;
        let query: String = name.bytes().map(|octet| format!("%{octet:02X}")).collect();
        let items = &api.get(&format!("/keys?user={query}")).await.with(200)["items"];
        assert_eq!(items.as_array().unwrap().len(), 1, "{name}");
        assert_eq!((&items[0]["user"], &items[0]["device"]), (&json!(name), &identity));
    }
}

#[tokio::test]
async fn white_space_around_a_name_does_not_count() {
    let api = Api::new().await;
    assert_eq!(api.post("/users", json!({ "name": "  alice\n" })).await.with(201)["name"], "alice");
    api.post("/users", json!({ "name": "alice" })).await.problem(409, "exists");
    assert_eq!(api.enrolment(json!({ "user": "\talice ", "key_type": "hotp" })).await["user"], "alice");
}

#[tokio::test]
async fn bad_names_are_refused_wherever_a_name_stands() {
    let api = Api::new().await;
    for name in bad() {
        let device = |field: &str| {
            let mut device = json!({ "manufacturer": "acme", "serial": "1", "key_name": "k" });
            device[field] = json!(name);
            device
        };
        let enrolment = |field: &str| {
            let mut device = json!({ "manufacturer": "acme", "serial": "1" });
            device[field] = json!(name);
            json!({ "user": "alice", "key_type": "hotp", "device": device })
        };
        for (path, body, field) in [
            ("/users", json!({ "name": name }), "name"),
            ("/tokens", json!({ "name": name, "roles": ["read"] }), "name"),
            ("/devices", device("manufacturer"), "manufacturer"),
            ("/devices", device("serial"), "serial"),
            ("/devices", device("key_name"), "key_name"),
            ("/enrolments", json!({ "user": name, "key_type": "hotp" }), "user"),
            ("/enrolments", enrolment("manufacturer"), "device.manufacturer"),
            ("/enrolments", enrolment("serial"), "device.serial"),
        ] {
            let detail = api.post(path, body).await.problem(422, "invalid-value");
            assert!(detail.starts_with(field) && detail.contains("1 to 256"), "{path}: {detail}");
            assert!(detail.len() < 200, "the name is not quoted");
        }
    }
}
