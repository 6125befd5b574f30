//! Sinks in the API: enrolments choose them, deliveries are listed and repeated.

use super::*;
use crate::Config;

async fn with_sinks() -> Api {
    let config = "[sinks]\ndefault = ['pam']\n[[sink]]\nname = 'pam'\nkind = 'liboath'\nfile = '/nowhere/pam'\n\
         [[sink]]\nname = 'duo'\nkind = 'csv-duo'\nfile = '/nowhere/duo'\n";
    Api::of_config(&crate::config::DevicesSection::default(), Config::read(config, []).unwrap()).await
}

#[tokio::test]
async fn an_enrolment_has_the_default_sinks_or_those_that_it_names() {
    let api = with_sinks().await;
    let hotp = || json!({ "user": "alice", "key_type": "hotp" });
    assert_eq!(api.enrolment(hotp()).await["sinks"], json!(["pam"]));
    for sinks in [json!([]), json!(["duo"]), json!(["duo", "pam"])] {
        let mut body = hotp();
        body["sinks"] = sinks.clone();
        let made = api.enrolment(body).await;
        assert_eq!(made["sinks"], sinks);
        let shown = api.get(&format!("/enrolments/{}", made["id"].as_str().unwrap())).await.with(200);
        assert_eq!(shown["sinks"], sinks);
    }
    for (sinks, expected) in [(json!(["none"]), "no sink none"), (json!(["pam", "pam"]), "twice")] {
        let mut body = hotp();
        body["sinks"] = sinks;
        let detail = api.post("/enrolments", body).await.problem(422, "invalid-value");
        assert!(detail.contains(expected), "{detail}");
    }
}

#[tokio::test]
async fn deliveries_are_seen_with_their_key_listed_and_repeated() {
    let api = with_sinks().await;
    let enrolment = api.enrolment(json!({ "user": "alice", "key_type": "hotp", "sinks": ["duo", "pam"] })).await;
    api.provision(&enrolment, "key1").await;
    let key = api.get("/keys/key1").await.with(200);
    let [duo, pam] = &key["deliveries"].as_array().unwrap()[..] else { panic!("{key}") };
    assert_eq!((&duo["sink"], &pam["sink"]), (&json!("duo"), &json!("pam")));
    let expected =
        ["attempts", "error", "id", "key_id", "next_at", "number", "operation", "queued_at", "sink", "state"];
    assert_eq!(fields(duo), expected);
    assert_eq!((&duo["operation"], &duo["number"], &duo["state"]), (&json!("put"), &json!(1), &json!("pending")));
    let list = api.get("/deliveries?sink=pam&state=pending").await.with(200);
    assert_eq!(list, json!({ "items": [pam] }));
    assert_eq!(api.get("/deliveries?state=dead").await.with(200), json!({ "items": [] }));
    let page = api.get("/deliveries?limit=1").await.with(200);
    let next = page["next"].as_str().unwrap();
    let rest = api.get(&format!("/deliveries?limit=1&after={next}")).await.with(200);
    assert_ne!(page["items"], rest["items"]);
    assert!(rest.get("next").is_none());
    api.get("/deliveries?state=lost").await.problem(400, "invalid-query");

    let again = api.post(&format!("/deliveries/{}/retry", pam["id"].as_str().unwrap()), json!({})).await.with(200);
    assert_eq!((&again["number"], &again["sink"]), (&json!(2), &json!("pam")));
    api.post("/deliveries/none/retry", json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn sinks_are_listed_and_tried_without_a_key() {
    let api = with_sinks().await;
    let list = api.get("/sinks").await.with(200);
    let pam = json!({ "name": "pam", "kind": "liboath", "target": "/nowhere/pam", "is_default": true });
    assert_eq!((&list["items"][0], list["items"].as_array().unwrap().len()), (&pam, 2));
    let found = api.post("/sinks/pam/test", json!({})).await.with(200);
    assert_eq!((&found["sink"], &found["reached"]), (&json!("pam"), &json!(false)));
    assert!(found["error"].as_str().unwrap().contains("/nowhere/pam"), "{found}");
    assert!(found["would_send"].as_str().unwrap().contains("sample-user"), "{found}");
    api.post("/sinks/none/test", json!({})).await.problem(404, "not-found");
}
