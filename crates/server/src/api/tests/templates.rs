//! Enrolments by templates of the configuration.

use super::*;
use crate::config::DevicesSection;

const TEMPLATES: &str = "[server]\nissuer = 'Everybody'\n\
    [[template]]\nname = 'staff'\ngroups = ['Staff']\nkey_type = 'hotp'\ndigits = 8\nenrolment_lifetime_s = 60\n\
    key_lifetime_s = 1000\nissuer = 'Staff office'\n\
    [[template]]\nname = 'strict'\nlocked = true\nkey_type = 'totp'\ndigits = 6\n";

async fn with_templates() -> Api {
    let config = crate::Config::read(TEMPLATES, []).unwrap();
    config.check().unwrap();
    Api::of_config(&DevicesSection::default(), config).await
}

fn seconds(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second()
}

#[tokio::test]
async fn an_enrolment_has_what_its_template_says_and_its_key_expires_in_time() {
    let api = with_templates().await;
    let made = api.enrolment(json!({ "user": "alice", "group": "Staff" })).await;
    assert_eq!((&made["template"], &made["key_lifetime_s"]), (&json!("staff"), &json!(1000)));
    assert_eq!(made["params"], json!({ "counter": 0, "digits": 8 }));
    assert_eq!(seconds(&made["expires_at"]) - seconds(&made["created_at"]), 60);
    api.provision(&made, "k1").await;
    let key = api.get("/keys/k1").await.with(200);
    assert_eq!(seconds(&key["expires_at"]) - seconds(&key["created_at"]), 1000);
    let enrolment = api.store.enrolment(made["id"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(enrolment.params.terms.issuer.as_deref(), Some("Staff office"), "it goes into the key package");
    // Explicit values override; without a template nothing changes.
    let made = api.enrolment(json!({ "user": "alice", "template": "staff", "digits": 7, "key_lifetime_s": 5 })).await;
    assert_eq!((&made["params"]["digits"], &made["key_lifetime_s"]), (&json!(7), &json!(5)));
    let made = api.enrolment(json!({ "user": "alice", "key_type": "hotp" })).await;
    assert_eq!((&made["template"], &made["key_lifetime_s"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_renewal_gives_the_key_a_lifetime_anew_or_takes_it() {
    let api = with_templates().await;
    let made = api.enrolment(json!({ "user": "alice", "template": "staff" })).await;
    api.provision(&made, "k1").await;
    for (more, expires) in [(json!({ "template": "staff", "digits": 6 }), true), (json!({ "key_type": "hotp" }), false)]
    {
        let mut body = more;
        body["user"] = json!("alice");
        body["renews"] = json!("k1");
        let made = api.enrolment(body).await;
        let run = CommitRun {
            session_id: format!("session of {}", made["id"]),
            request_hash: [7; 32],
            response: Vec::new(),
            answer_expires_at: i64::MAX,
            enrolment_id: made["id"].as_str().unwrap().to_owned(),
            key: NewKey {
                id: "k1".to_owned(),
                k_token: Some(Secret::from_slice(K_TOKEN)),
                k_mac: Secret::new(vec![2; 32]),
                mac_algorithm: "urn:prf".to_owned(),
                url_s: None,
            },
        };
        assert_eq!(api.store.commit_run(run).done().await, Ok(Commit::Committed));
        let key = api.get("/keys/k1").await.with(200);
        assert_eq!(key["expires_at"].is_string(), expires, "{key}");
    }
}

#[tokio::test]
async fn what_a_template_does_not_admit_is_422_and_makes_nothing() {
    let api = with_templates().await;
    for (body, why) in [
        (json!({ "template": "none" }), "there is no template none"),
        (json!({ "group": "Guests" }), "no template is for the group Guests"),
        (json!({ "group": "Staff", "template": "staff" }), "exclude each other"),
        (json!({ "template": "strict", "digits": 8 }), "the template strict is locked: it decides about digits"),
        (json!({ "template": "staff", "key_lifetime_s": 0 }), "key_lifetime_s must be 1 to"),
        (json!({ "template": "staff", "key_type": "totp", "counter": 1 }), "a key of type totp has no counter"),
        (json!({}), "key_type must be hotp"),
    ] {
        let mut body = body;
        body["user"] = json!("alice");
        let detail = api.post("/enrolments", body).await.problem(422, "invalid-value");
        assert!(detail.contains(why), "{detail}");
    }
    assert_eq!(api.get("/enrolments").await.with(200)["items"], json!([]));
}
