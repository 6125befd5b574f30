//! K_SERVERs: listed, added, retired.

use super::*;

/// Identifiers and states, the newest first.
async fn states(api: &Api) -> Vec<(String, String)> {
    let all = api.get("/k-servers").await.with(200);
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    all["items"].as_array().unwrap().iter().map(|item| (text(item, "id"), text(item, "state"))).collect()
}

#[tokio::test]
async fn a_k_server_is_added_and_an_older_one_retired_and_both_are_audited() {
    let api = Api::new().await;
    let first = states(&api).await;
    assert_eq!(first.iter().map(|(_, state)| &**state).collect::<Vec<_>>(), ["current"]);
    let added = api.post("/k-servers", json!({})).await.with(201);
    assert_eq!(fields(&added), ["created_at", "fingerprint", "id", "retired_at", "state"]);
    assert_eq!((&added["state"], &added["retired_at"]), (&json!("current"), &Value::Null));
    let fingerprint = added["fingerprint"].as_str().unwrap();
    assert!(fingerprint.starts_with("sha256:") && fingerprint.len() == 7 + 64, "{fingerprint}");
    let [newest, older] = &states(&api).await[..] else { panic!("two") };
    assert_eq!((&*newest.0, &*newest.1), (added["id"].as_str().unwrap(), "current"));
    assert_eq!((&older.0, &*older.1), (&first[0].0, "older"));
    api.delete(&format!("/k-servers/{}", older.0)).await.no_content();
    let [_, retired] = &states(&api).await[..] else { panic!("it stays for sessions that were begun with it") };
    assert_eq!(&*retired.1, "retired");
    let entries = api.scratch.texts("SELECT subject FROM audit WHERE event LIKE 'k_server.%' ORDER BY at, seq");
    assert_eq!(entries.len(), 2);
    assert!(entries[0].contains(&newest.0) && entries[1].contains(&retired.0), "{entries:?}");
    assert!(entries.iter().all(|entry| entry.contains("\"by\":")), "{entries:?}");
}

#[tokio::test]
async fn the_last_k_server_an_unknown_and_a_retired_one_are_not_retired() {
    let api = Api::new().await;
    let first = states(&api).await.remove(0).0;
    let why = api.delete(&format!("/k-servers/{first}")).await.problem(409, "wrong-state");
    assert!(why.contains("the last K_SERVER in use"), "{why}");
    api.delete("/k-servers/0000000000000000").await.problem(404, "not-found");
    let newest = api.post("/k-servers", json!({})).await.with(201);
    api.delete(&format!("/k-servers/{}", newest["id"].as_str().unwrap())).await.no_content();
    assert_eq!(states(&api).await[1], (first.clone(), "current".to_owned()), "new runs take the older one again");
    api.delete(&format!("/k-servers/{}", newest["id"].as_str().unwrap())).await.problem(409, "wrong-state");
    api.delete(&format!("/k-servers/{first}")).await.problem(409, "wrong-state");
    api.post("/k-servers", json!({ "key": "mine" })).await.problem(422, "invalid-body");
}

#[tokio::test]
async fn no_answer_and_no_entry_holds_a_private_key() {
    let api = Api::new().await;
    api.post("/k-servers", json!({})).await.with(201);
    let all = api.get("/k-servers").await.text;
    assert!(!all.contains("key\"") && all.len() < 600, "{all}");
}
