//! Creating calls with an `Idempotency-Key`.

use super::*;

impl Api {
    async fn post_once(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.post_once_as(&self.token, key, path, body).await
    }

    async fn post_once_as(&self, token: &str, key: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(Method::POST).uri(format!("/api/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let request = request.header(header::CONTENT_TYPE, "application/json").header("Idempotency-Key", key);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn count(&self, list: &str) -> usize {
        self.get(list).await.with(200)["items"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn every_creating_call_with_the_same_key_creates_once_and_gets_the_same_answer() {
    let api = Api::new().await;
    let device = |serial: &str| json!({ "manufacturer": "acme", "serial": serial, "key_name": serial });
    for (path, list, body, status) in [
        ("/users", "/users", json!({ "name": "bob" }), 201),
        ("/devices", "/devices", device("1"), 201),
        ("/devices/import", "/devices", json!({ "devices": [device("2")] }), 200),
        ("/enrolments", "/enrolments", json!({ "user": "bob", "key_type": "hotp" }), 201),
        ("/tokens", "/tokens", json!({ "name": "t", "roles": ["read"] }), 201),
        ("/k-servers", "/k-servers", json!({}), 201),
    ] {
        let before = api.count(list).await;
        let key = format!("\"one {path}\"");
        let first = api.post_once(&key, path, &body).await;
        first.with(status);
        let second = api.post_once(&key, path, &body).await;
        second.with(status);
        assert_eq!(first.text, second.text, "{path}");
        assert_eq!(api.count(list).await, before + 1, "{path}");
    }
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_token() {
    let api = Api::new().await;
    let enrolment = |user: &str| json!({ "user": user, "key_type": "hotp" });
    let first = api.post_once("k1", "/enrolments", &enrolment("alice")).await.with(201);
    for (path, body) in [("/enrolments", enrolment("bob")), ("/users", enrolment("alice"))] {
        api.post_once("k1", path, &body).await.problem(422, "idempotency-key-reused");
    }
    let (_, other) = api.store.create_token("other".into(), vec![Role::Enrol]).await.unwrap();
    let others = api.post_once_as(&other, "k1", "/enrolments", &enrolment("alice")).await.with(201);
    assert_ne!(others["id"], first["id"], "a key of its own for each caller");
    let next = api.post_once("k2", "/enrolments", &enrolment("alice")).await.with(201);
    assert_ne!(next["id"], first["id"]);
    api.post_once_as("unknown", "k1", "/enrolments", &enrolment("alice")).await.problem(401, "no-token");
    for key in ["", "\"", "\"a\"b", "a b"] {
        api.post_once(key, "/enrolments", &enrolment("alice")).await.problem(400, "invalid-header");
    }
}

#[tokio::test]
async fn a_call_that_failed_has_not_used_its_key() {
    let api = Api::new().await;
    api.post_once("k", "/users", &json!({ "name": "" })).await.problem(422, "invalid-value");
    let made = api.post_once("k", "/users", &json!({ "name": "alice" })).await.with(201);
    api.post_once("k", "/users", &json!({ "name": "alice" })).await.with(201);
    api.post_once("l", "/users", &json!({ "name": "alice" })).await.problem(409, "exists");
    assert_eq!(made["name"], "alice");
    let large = json!({ "name": "x".repeat(MAX_BODY_LEN) });
    api.post_once("m", "/users", &large).await.problem(413, "too-large");
}

#[tokio::test]
async fn a_call_while_the_first_one_is_at_work_is_refused_and_one_whose_answer_was_lost_is_not_repeated() {
    let api = Api::new().await;
    let body = json!({ "name": "alice" });
    let created = api.post_once("k", "/users", &body).await.with(201);
    api.scratch.execute("UPDATE idempotent SET state = 'begun', status = NULL, sealed_answer = NULL");
    let refused = api.post_once("k", "/users", &body).await;
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    refused.problem(409, "in-flight");
    api.scratch.execute("UPDATE idempotent SET state = 'committed'");
    api.post_once("k", "/users", &body).await.problem(409, "in-flight");
    api.scratch.execute("UPDATE idempotent SET lease_until = 1");
    api.post_once("k", "/users", &body).await.problem(409, "answer-lost");
    assert_eq!(api.get("/users").await.with(200)["items"][0]["id"], created["id"]);
    // Nothing was done under it: the next one does it.
    api.scratch.execute("UPDATE idempotent SET state = 'begun'");
    api.post_once("k", "/users", &body).await.problem(409, "exists");
    assert_eq!(api.scratch.texts("SELECT id FROM idempotent").len(), 0, "given back");
}

#[tokio::test]
async fn answers_are_kept_for_a_day_and_sealed() {
    let api = Api::new().await;
    let body = json!({ "user": "alice", "key_type": "hotp" });
    let first = api.post_once("k", "/enrolments", &body).await.with(201);
    assert_eq!(api.store.forget_old_calls().await, Ok(0));
    api.scratch.execute("UPDATE idempotent SET expires_at = 1");
    let second = api.post_once("k", "/enrolments", &body).await.with(201);
    assert_ne!(first["id"], second["id"]);
    api.scratch.execute("UPDATE idempotent SET expires_at = 1");
    assert_eq!(api.store.forget_old_calls().await, Ok(1));
}

/// As where a server hangs for longer than the lease: its write is undone when it comes.
#[tokio::test]
async fn a_call_that_lost_its_key_to_another_one_writes_nothing() {
    let api = Api::new().await;
    let claim = async || match api.store.claim("t", "k", [1; 32]).await.unwrap() {
        crate::store::Claimed::Begun(claim) => claim,
        found => panic!("{found:?}"),
    };
    let slow = claim().await;
    api.scratch.execute("UPDATE idempotent SET lease_until = 1");
    let fast = claim().await;
    let create = |name: &str| api.store.create_user(name.to_owned());
    assert!(slow.during(create("slow")).await.is_err());
    fast.during(create("fast")).await.unwrap();
    let users = api.get("/users").await.with(200);
    assert_eq!(users["items"].as_array().unwrap().iter().map(|user| &user["name"]).collect::<Vec<_>>(), ["fast"]);
}
