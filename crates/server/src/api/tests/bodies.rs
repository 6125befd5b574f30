//! Bad requests: each gets a problem with the reason and changes nothing.

use super::*;

async fn raw(api: &Api, path: &str, content_type: Option<&str>, body: impl Into<Body>) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri(format!("/api/v1{path}"));
    request = request.header(header::AUTHORIZATION, format!("Bearer {}", api.token));
    if let Some(content_type) = content_type {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    api.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn unknown_missing_and_mistyped_members_are_named() {
    let api = Api::new().await;
    for (path, body, named) in [
        ("/users", json!({ "name": "a", "admin": true }), "admin"),
        ("/users", json!({}), "name"),
        ("/users", json!({ "name": 5 }), "string"),
        ("/users", json!({ "name": null }), "string"),
        ("/users", json!("alice"), "struct"),
        ("/devices", json!({ "manufacturer": "a", "serial": "1" }), "key_name"),
        ("/devices", json!({ "manufacturer": "a", "serial": "1", "key_name": "k", "model": "m" }), "model"),
        ("/devices", json!({ "manufacturer": "a", "serial": 1, "key_name": "k" }), "string"),
        ("/enrolments", json!({ "key_type": "hotp" }), "user"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "password": "x" }), "password"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "variant": "one-pass" }), "one-pass"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "activate": "later" }), "later"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "methods": "wrap" }), "sequence"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "expires_in_s": -1 }), "-1"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "expires_in_s": "1" }), "u64"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "digits": 256 }), "256"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "device": { "serial": "1" } }), "manufacturer"),
        ("/enrolments", json!({ "user": "a", "key_type": "hotp", "device": { "id": "1" } }), "id"),
        ("/validate", json!({ "user": "a" }), "otp"),
        ("/validate", json!({ "user": "a", "otp": 123456 }), "string"),
        ("/validate", json!({ "user": "a", "otp": "1", "when": 0 }), "when"),
        ("/tokens", json!({ "name": "t" }), "roles"),
        ("/tokens", json!({ "name": "t", "roles": ["read"], "value": "v" }), "value"),
    ] {
        let detail = api.post(path, body.clone()).await.problem(422, "invalid-body");
        assert!(detail.contains(named), "{path} {body}: {detail}");
    }
    let twice = api.call(Method::POST, "/users", Some(r#"{"name":"a","name":"b"}"#)).await;
    assert!(twice.problem(422, "invalid-body").contains("duplicate"));
    for user in ["a", "b", "alice"] {
        api.post("/users", json!({ "name": user })).await.with(201);
    }
}

#[tokio::test]
async fn invalid_json_is_400() {
    let api = Api::new().await;
    let deep = "[".repeat(10_000);
    for body in ["", "{", "{\"name\":\"a\"} x", "{'name':'a'}", "{\"name\":\"\\ud800\"}", "{\"name\":\"a\nb\"}", &deep]
    {
        let answer = api.call(Method::POST, "/users", Some(body)).await;
        assert!([400, 422].contains(&answer.status.as_u16()), "{body:.20}: {}", answer.text);
        answer.problem(answer.status.as_u16(), "invalid-body");
    }
    raw(&api, "/users", Some("application/json"), vec![0xFF; 8]).await.problem(400, "invalid-body");
}

#[tokio::test]
async fn a_body_without_the_json_type_is_415() {
    let api = Api::new().await;
    for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("nonsense")] {
        raw(&api, "/users", content_type, r#"{"name":"alice"}"#).await.problem(415, "not-json");
    }
    let answer = raw(&api, "/users", Some("application/json; charset=utf-8"), r#"{"name":"alice"}"#).await;
    answer.with(201);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_one_at_the_limit_is_read() {
    let api = Api::new().await;
    let body = |len: usize| {
        let body = r#"{"name":"alice"}"#;
        format!("{body}{}", " ".repeat(len - body.len()))
    };
    for path in ["/users", "/devices", "/enrolments", "/validate", "/tokens"] {
        let answer = api.call(Method::POST, path, Some(&body(MAX_BODY_LEN + 1))).await;
        answer.problem(413, "too-large");
    }
    api.call(Method::POST, "/users", Some(&body(MAX_BODY_LEN))).await.with(201);
}

#[tokio::test]
async fn unknown_resources_are_404_and_wrong_methods_405() {
    let api = Api::new().await;
    for path in ["", "/", "/nothing", "/users/", "/keys/a/b", "/enrolments/a/secret"] {
        let answer = api.get(path).await;
        assert_eq!(answer.status, 404, "{path:?}");
        assert!(answer.headers.contains_key(header::CONTENT_TYPE), "{path:?}");
        answer.problem(404, "no-such-route");
    }
    for (method, path) in [
        (Method::PUT, "/users"),
        (Method::PUT, "/enrolments/x"),
        (Method::POST, "/keys"),
        (Method::PUT, "/keys/x"),
        (Method::POST, "/keys/x/secret"),
        (Method::GET, "/validate"),
        (Method::GET, "/tokens/x"),
    ] {
        let answer = api.call(method.clone(), path, None).await;
        answer.problem(405, "no-such-method");
        assert!(answer.headers.contains_key(header::ALLOW), "{method} {path}");
    }
}

#[tokio::test]
async fn strange_identifiers_are_404_or_400_but_always_a_problem() {
    let api = Api::new().await;
    let long = "x".repeat(5000);
    for id in ["x", "%00", "%27%20OR%201=1--", "..%2F..%2Fetc", "%F0%9F%94%91", "%", "%zz", &long] {
        for (method, path) in [
            (Method::GET, format!("/enrolments/{id}")),
            (Method::DELETE, format!("/enrolments/{id}")),
            (Method::GET, format!("/keys/{id}")),
            (Method::GET, format!("/keys/{id}/secret")),
            (Method::DELETE, format!("/keys/{id}")),
            (Method::DELETE, format!("/tokens/{id}")),
        ] {
            api.call(method, &path, None).await.problem(404, "not-found");
        }
    }
    api.get("/keys/%FF").await.problem(400, "invalid-path");
    api.delete("/tokens/%C3%28").await.problem(400, "invalid-path");
}

#[tokio::test]
async fn bad_limits_and_queries_are_refused() {
    let api = Api::new().await;
    for query in ["limit=0", "limit=101", "limit=4294967296"] {
        assert!(api.get(&format!("/keys?{query}")).await.problem(422, "invalid-value").contains("1 to 100"));
    }
    for query in ["limit=", "limit=-1", "limit=ten", "limit=1&limit=2", "page=2", "user=a&user=b", "limit=1.5"] {
        api.get(&format!("/keys?{query}")).await.problem(400, "invalid-query");
    }
    for query in ["limit=1", "limit=100", "user=", "after=", "user=%27%3B--&after=zzz"] {
        assert_eq!(api.get(&format!("/keys?{query}")).await.with(200), json!({ "items": [] }), "{query}");
    }
}

#[tokio::test]
async fn an_unavailable_store_is_503_without_internals() {
    let api = Api::new().await;
    api.scratch.execute("ALTER TABLE audit RENAME TO elsewhere");
    let detail = api.post("/users", json!({ "name": "alice" })).await.problem(503, "store-unavailable");
    assert!(detail.contains("try again") && !detail.contains("audit"), "{detail}");
    api.scratch.execute("ALTER TABLE elsewhere RENAME TO audit");
    api.post("/users", json!({ "name": "alice" })).await.with(201);
}
