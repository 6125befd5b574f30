//! Changes of users and keys, and calls that name the entity tag that their caller has seen.

use super::*;

impl Api {
    async fn if_match(&self, method: Method, path: &str, tag: &str, body: Option<Value>) -> Answer {
        let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        let request = request.header(header::IF_MATCH, tag).header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.map(|it| it.to_string()).unwrap_or_default())).unwrap()).await
    }

    async fn tag(&self, path: &str) -> String {
        self.get(path).await.headers[header::ETAG].to_str().unwrap().to_owned()
    }
}

/// RFC 9110 §8.8.3, §13.1: of a user, a key, an enrolment and a device.
#[tokio::test]
async fn rfc9110_s13_1_what_is_shown_has_a_tag_and_changes_can_name_it() {
    let api = Api::new().await;
    let user = api.post("/users", json!({ "name": "zoe" })).await.with(201);
    let device = json!({ "manufacturer": "acme", "serial": "1", "key_name": "k" });
    let device = api.post("/devices", device).await.with(201);
    let enrolment = api.enrolment(json!({ "user": "alice", "key_type": "hotp" })).await;
    api.key("bob", "key1").await;
    let path = |kind: &str, id: &Value| format!("/{kind}/{}", id.as_str().unwrap());
    for path in [
        path("users", &user["id"]),
        path("devices", &device["id"]),
        path("enrolments", &enrolment["id"]),
        "/keys/key1".to_owned(),
    ] {
        let tag = api.tag(&path).await;
        assert_eq!(tag, api.tag(&path).await, "{path}");
        let seen = async |tag: &str| {
            let request = Request::builder().uri(format!("/api/v1{path}")).header(header::IF_NONE_MATCH, tag);
            let request = request.header(header::AUTHORIZATION, format!("Bearer {}", api.token));
            api.send(request.body(Body::empty()).unwrap()).await
        };
        for tags in [tag.clone(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let answer = seen(&tags).await;
            assert_eq!((answer.status.as_u16(), &*answer.text), (304, ""), "{path}");
            assert_eq!(answer.headers[header::ETAG], tag);
        }
        seen("\"other\"").await.with(200);
        seen("other").await.problem(400, "invalid-header");
        for wrong in ["\"other\"", &format!("W/{tag}")] {
            let detail = api.if_match(Method::DELETE, &path, wrong, None).await.problem(412, "changed");
            assert!(detail.contains("read it again"), "{detail}");
        }
        api.if_match(Method::DELETE, &path, "other", None).await.problem(400, "invalid-header");
        assert_eq!(tag, api.tag(&path).await, "nothing changed");
        api.if_match(Method::DELETE, &path, &format!("\"other\", {tag}"), None).await.no_content();
        api.if_match(Method::DELETE, "/keys/nothing", "*", None).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn of_two_changes_that_saw_the_same_only_the_first_is_made() {
    let api = Arc::new(Api::new().await);
    api.key("alice", "key1").await;
    let tag = api.tag("/keys/key1").await;
    let changes = (0..8).map(|n| {
        let (api, tag) = (Arc::clone(&api), tag.clone());
        tokio::spawn(async move {
            api.if_match(Method::PATCH, "/keys/key1", &tag, Some(json!({ "label": format!("{n}") }))).await
        })
    });
    let answers: Vec<_> = futures_util::future::join_all(changes).await.into_iter().map(Result::unwrap).collect();
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].headers[header::ETAG].to_str().unwrap(), api.tag("/keys/key1").await, "its tag comes with it");
    assert!(answers.iter().filter(|answer| answer.status != 200).all(|answer| answer.status == 412));
    assert_eq!(api.subjects("key.changed").len(), 1);
}

#[tokio::test]
async fn a_disabled_key_validates_nothing_until_it_is_enabled() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let valid = async |otp: &str| {
        api.post("/validate", json!({ "user": "alice", "otp": otp })).await.with(200)["valid"].clone()
    };
    let call = async |path: &str| api.call(Method::POST, path, None).await;
    assert_eq!(call("/keys/key1/disable").await.with(200)["state"], "disabled");
    assert_eq!(valid(HOTP[0]).await, false);
    call("/keys/key1/disable").await.problem(409, "wrong-state");
    let renewal = json!({ "user": "alice", "key_type": "hotp", "renews": "key1" });
    api.post("/enrolments", renewal).await.problem(404, "not-found");
    assert_eq!(call("/keys/key1/enable").await.with(200)["state"], "active");
    assert_eq!(valid(HOTP[0]).await, true);
    call("/keys/key1/enable").await.problem(409, "wrong-state");
    call("/keys/nothing/enable").await.problem(404, "not-found");
    call("/keys/key1/disable").await.with(200);
    api.delete("/keys/key1").await.no_content();
    call("/keys/key1/enable").await.problem(409, "wrong-state");
    assert_eq!((api.subjects("key.disabled").len(), api.subjects("key.enabled").len()), (2, 1));
}

#[tokio::test]
async fn a_key_gets_a_label_and_another_owner() {
    let api = Api::new().await;
    api.key("alice", "key1").await;
    let change = async |body: Value| api.call(Method::PATCH, "/keys/key1", Some(&body.to_string())).await;
    assert_eq!(change(json!({ "label": " spare " })).await.with(200)["label"], "spare");
    assert_eq!(change(json!({ "user": "bob" })).await.with(200)["user"], "bob");
    assert_eq!(api.get("/keys?user=bob").await.with(200)["items"][0]["label"], "spare");
    assert_eq!(api.get("/keys?user=alice").await.with(200), json!({ "items": [] }));
    assert_eq!(api.post("/validate", json!({ "user": "bob", "otp": HOTP[0] })).await.with(200)["valid"], true);
    assert_eq!(change(json!({ "label": null })).await.with(200)["label"], Value::Null);
    change(json!({})).await.problem(422, "invalid-value");
    change(json!({ "label": "" })).await.problem(422, "invalid-value");
    change(json!({ "state": "active" })).await.problem(422, "invalid-body");
    api.delete("/keys/key1").await.no_content();
    change(json!({ "user": "carol" })).await.problem(409, "wrong-state");
    change(json!({ "label": "lost" })).await.with(200);
}

#[tokio::test]
async fn a_user_without_keys_is_deleted_with_what_never_became_a_key() {
    let api = Api::new().await;
    let enrolment = api.enrolment(json!({ "user": "alice", "key_type": "hotp" })).await;
    api.key("bob", "key1").await;
    let users = api.get("/users").await.with(200)["items"].clone();
    let path = |place: usize| format!("/users/{}", users[place]["id"].as_str().unwrap());
    assert_eq!(api.get(&path(0)).await.with(200), users[0]);
    assert!(api.delete(&path(0)).await.problem(409, "wrong-state").contains("open enrolments"));
    assert!(api.delete(&path(1)).await.problem(409, "wrong-state").contains("keys"));
    api.delete(&format!("/enrolments/{}", enrolment["id"].as_str().unwrap())).await.no_content();
    api.delete(&path(0)).await.no_content();
    api.delete(&path(0)).await.problem(404, "not-found");
    api.get(&path(0)).await.problem(404, "not-found");
    assert_eq!(api.get("/enrolments?state=revoked").await.with(200), json!({ "items": [] }));
    assert_eq!(api.subjects("user.deleted")[0]["user"], "alice");
    api.enrolment(json!({ "user": "alice", "key_type": "hotp" })).await;
}
