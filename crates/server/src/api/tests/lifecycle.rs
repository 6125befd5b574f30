//! Lost tokens, and what ends soon.

use super::*;
use crate::config::DevicesSection;

async fn of(config: &str) -> Api {
    let config = crate::Config::read(config, []).unwrap();
    config.check().unwrap();
    Api::of_config(&DevicesSection::default(), config).await
}

#[tokio::test]
async fn one_call_for_a_lost_token_gives_a_code_for_a_key_like_the_last_one() {
    let api = Api::new().await;
    let made = api.enrolment(json!({ "user": "alice", "key_type": "hotp", "digits": 8, "key_lifetime_s": 500 })).await;
    api.provision(&made, "k1").await;
    let open = api.enrolment(json!({ "user": "alice", "key_type": "totp" })).await;
    let lost = api.post("/users/lost", json!({ "user": "alice" })).await.with(201);
    assert_eq!(fields(&lost), ["enrolment", "revoked_enrolments", "revoked_keys", "user"]);
    assert_eq!((&lost["revoked_keys"], &lost["revoked_enrolments"]), (&json!(["k1"]), &json!([open["id"]])));
    let new = &lost["enrolment"];
    assert_eq!((&new["key_type"], &new["params"]["digits"]), (&json!("hotp"), &json!(8)));
    assert_eq!((&new["state"], &new["key_lifetime_s"]), (&json!("open"), &json!(500)));
    assert!(new["trigger_url"].as_str().is_some_and(|url| url.starts_with("https://keys.example/enroll/")));
    assert_eq!(api.get("/keys/k1").await.with(200)["state"], "revoked");
    let wrong = api.post("/validate", json!({ "user": "alice", "otp": HOTP[0] })).await.with(200);
    assert_eq!(wrong["valid"], false);
    let audit = api.get("/audit?event=user.lost").await.with(200);
    let subject = audit["items"][0]["subject"].to_string();
    assert!(subject.contains("alice") && subject.contains("k1"), "{subject}");
    assert!(!subject.contains(new["password"].as_str().unwrap()), "{subject}");
}

#[tokio::test]
async fn what_the_new_key_is_may_be_said_or_come_from_a_template() {
    let api = of("[[template]]\nname = 'staff'\nkey_type = 'totp'\ndigits = 7\n").await;
    api.post("/users", json!({ "name": "alice" })).await.with(201);
    let detail = api.post("/users/lost", json!({ "user": "alice" })).await.problem(422, "invalid-value");
    assert!(detail.contains("template or key_type"), "{detail}");
    let lost = api.post("/users/lost", json!({ "user": "alice", "template": "staff" })).await.with(201);
    assert_eq!(lost["enrolment"]["params"]["digits"], 7);
    let lost = api.post("/users/lost", json!({ "user": "alice", "key_type": "aes128" })).await.with(201);
    assert_eq!(lost["revoked_enrolments"].as_array().map(Vec::len), Some(1), "the code of the call before");
    let api = of("[policy]\ntemplate = 'staff'\n[[template]]\nname = 'staff'\nkey_type = 'totp'\n").await;
    api.key("alice", "k1").await;
    let lost = api.post("/users/lost", json!({ "user": "alice" })).await.with(201);
    assert_eq!((&lost["enrolment"]["key_type"], &lost["enrolment"]["template"]), (&json!("totp"), &json!("staff")));
}

#[tokio::test]
async fn a_lost_token_of_nobody_changes_nothing() {
    let api = Api::new().await;
    api.post("/users/lost", json!({ "user": "nobody", "key_type": "totp" })).await.problem(404, "not-found");
    api.post("/users/lost", json!({ "user": " ", "key_type": "totp" })).await.problem(422, "invalid-value");
    api.post("/users/lost", json!({ "user": "a", "name": "b" })).await.problem(422, "invalid-body");
    assert_eq!(api.get("/users").await.with(200)["items"], json!([]));
}

#[tokio::test]
async fn keys_that_end_soon_are_listed() {
    let api = Api::new().await;
    for (key, lifetime_s) in [("k1", json!(1000)), ("k2", json!(1_000_000)), ("k3", Value::Null)] {
        let made = api.enrolment(json!({ "user": "alice", "key_type": "hotp", "key_lifetime_s": lifetime_s })).await;
        api.provision(&made, key).await;
    }
    let listed = async |query: &str| {
        let answer = api.get(&format!("/expiring{query}")).await.with(200);
        answer["keys"].as_array().unwrap().iter().map(|key| key["key_id"].clone()).collect::<Value>()
    };
    assert_eq!(listed("?within_s=2000").await, json!(["k1"]));
    assert_eq!(listed("").await, json!(["k1", "k2"]));
    assert_eq!(listed("?within_s=2000&after=k1").await, json!([]));
    for query in ["?within_s=0", "?within_s=316224001"] {
        api.get(&format!("/expiring{query}")).await.problem(422, "invalid-value");
    }
    api.get("/expiring?within=1").await.problem(400, "invalid-query");
}
