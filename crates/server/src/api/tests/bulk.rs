//! Many enrolments in one call, and keys that are revoked together.

use axum::body::Bytes;
use futures_util::{StreamExt as _, stream};

use super::import::{container, hotp};
use super::*;

/// The result of each line.
fn results(answer: &Answer) -> Vec<Value> {
    assert_eq!(
        (answer.status.as_u16(), &answer.headers[header::CONTENT_TYPE]),
        (200, &"application/x-ndjson".parse().unwrap())
    );
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    answer.text.lines().map(|line| openapi::checked("BulkEnrolment", line)).collect()
}

impl Api {
    fn bulk(&self, body: Body) -> Request<Body> {
        let request = Request::builder().method(Method::POST).uri("/api/v1/enrolments/bulk");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        request.header(header::CONTENT_TYPE, "application/x-ndjson").body(body).unwrap()
    }

    async fn lines(&self, lines: &str) -> Vec<Value> {
        results(&self.send(self.bulk(Body::from(lines.to_owned()))).await)
    }
}

#[tokio::test]
async fn each_line_has_its_result_in_order_and_a_broken_one_does_not_lose_the_others() {
    let api = Api::new().await;
    let long = format!(r#"{{"user":"{}","key_type":"hotp"}}"#, "x".repeat(70_000));
    let lines = [
        r#"{"user":"alice","key_type":"hotp"}"#,
        r#"{"user":"bob","key_type":"#,
        "",
        r#"{"user":"carol","key_type":"des"}"#,
        r#"{"user":"dave","key_type":"totp","digits":8}"#,
        &long,
        r#"{"user":"erin","key_type":"hotp","device":{"manufacturer":"acme","serial":"none"}}"#,
        r#"{"user":"frank","key_type":"hotp","renews":"nothing"}"#,
        r#"{"user":"alice","key_type":"aes128","unknown":1}"#,
        r#"{"user":"alice","key_type":"aes128"}"#, // without an end of line
    ];
    let results = api.lines(&lines.join("\r\n")).await;
    let numbers: Vec<_> = results.iter().map(|result| result["line"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 4, 5, 6, 7, 8, 9, 10], "blank lines have none");
    let kinds: Vec<_> = results.iter().map(|result| result["problem"]["type"].as_str()).collect();
    let problem = |kind: &str| Some(format!("urn:dskpp:problem:{kind}"));
    let expected = [
        None,
        problem("invalid-body"),
        problem("invalid-value"),
        None,
        problem("too-large"),
        problem("not-found"),
        problem("not-found"),
        problem("invalid-body"),
        None,
    ];
    assert_eq!(kinds, expected.iter().map(Option::as_deref).collect::<Vec<_>>());
    let created: Vec<_> = results.iter().filter_map(|result| result.get("created")).collect();
    assert_eq!(created.iter().map(|it| it["user"].as_str().unwrap()).collect::<Vec<_>>(), ["alice", "dave", "alice"]);
    for enrolment in &created {
        assert_eq!(
            api.get(&format!("/enrolments/{}", enrolment["id"].as_str().unwrap())).await.with(200)["state"],
            "open"
        );
    }
    api.provision(created[0], "key1").await;
    let users = api.get("/users").await.with(200);
    let users: Vec<_> = users["items"].as_array().unwrap().iter().map(|user| user["name"].clone()).collect();
    assert_eq!(users, ["alice", "dave"], "nothing of a line that failed stays");
    assert_eq!(api.subjects("enrolment.created").len(), 3);
}

#[tokio::test]
async fn results_come_while_lines_are_still_sent_and_a_body_that_breaks_off_says_where() {
    let api = Api::new().await;
    let (sender, lines) = tokio::sync::mpsc::unbounded_channel::<Result<Bytes, std::io::Error>>();
    let lines = stream::unfold(lines, async |mut lines| Some((lines.recv().await?, lines)));
    let mut request = api.bulk(Body::from_stream(lines));
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))));
    let response = api.router.clone().oneshot(request).await.unwrap();
    let mut results = response.into_body().into_data_stream();
    for (number, user) in [(1, "alice"), (2, "bob")] {
        let line = json!({ "user": user, "key_type": "hotp" });
        let (first, rest) = (&line.to_string()[..9], &line.to_string()[9..]);
        sender.send(Ok(Bytes::from(first.to_owned()))).unwrap();
        sender.send(Ok(Bytes::from(format!("{rest}\n")))).unwrap();
        let result: Value = serde_json::from_slice(&results.next().await.unwrap().unwrap()).unwrap();
        assert_eq!((&result["line"], &result["created"]["user"]), (&json!(number), &json!(user)));
    }
    sender.send(Ok(Bytes::from_static(br#"{"user":"carol","key_type":"hotp"}"#))).unwrap();
    sender.send(Err(std::io::Error::other("gone"))).unwrap();
    let result: Value = serde_json::from_slice(&results.next().await.unwrap().unwrap()).unwrap();
    assert_eq!((&result["line"], &result["problem"]["status"]), (&json!(3), &json!(400)));
    assert!(results.next().await.is_none());
    assert_eq!(api.get("/enrolments").await.with(200)["items"].as_array().unwrap().len(), 2, "half a line is none");
}

#[tokio::test]
async fn more_than_one_group_and_another_type() {
    let api = Api::new().await;
    let lines: String = (0..600).map(|n| format!("{{\"user\":\"u{n}\",\"key_type\":\"hotp\"}}\n")).collect();
    let results = api.lines(&lines).await;
    assert_eq!(results.len(), 600);
    assert!(results.iter().enumerate().all(|(n, it)| it["line"] == n + 1 && it["created"]["user"] == format!("u{n}")));
    assert!(api.lines("").await.is_empty() && api.lines("\n \n").await.is_empty());
    api.post("/enrolments/bulk", json!({})).await.problem(415, "not-ndjson");
}

#[tokio::test]
async fn keys_are_revoked_by_user_by_device_or_by_filter() {
    let api = Api::new().await;
    let packages: String = (0..700).map(|id| hotp(&format!("stock{id:03}"))).collect();
    api.import("first=0", container(&packages)).await.with(200);
    api.post("/devices", json!({ "manufacturer": "acme", "serial": "1", "key_name": "k" })).await.with(201);
    for (user, key) in [("alice", "a1"), ("alice", "a2"), ("bob", "b1")] {
        api.key(user, key).await;
    }
    let device = json!({ "manufacturer": "acme", "serial": "1" });
    let bound = api.enrolment(json!({ "user": "carol", "key_type": "aes128", "device": device })).await;
    api.provision(&bound, "c1").await;
    let revoke = async |wanted: Value| api.post("/keys/revoke", wanted).await;
    let revoked = async |wanted: Value| revoke(wanted).await.with(200)["revoked"].as_u64().unwrap();
    let state = async |key: &str| api.get(&format!("/keys/{key}")).await.with(200)["state"].clone();
    for nothing in [json!({ "user": "nobody" }), json!({ "device": { "manufacturer": "acme", "serial": "2" } })] {
        assert_eq!(revoked(nothing).await, 0);
    }
    assert_eq!(revoked(json!({ "user": "alice", "key_type": "totp" })).await, 0);
    assert_eq!(revoked(json!({ "user": "alice" })).await, 2);
    assert_eq!(revoked(json!({ "user": "alice" })).await, 0, "each once");
    assert_eq!(revoked(json!({ "device": device })).await, 1);
    assert_eq!(
        (state("a1").await, state("b1").await, state("c1").await),
        (json!("revoked"), json!("active"), json!("revoked"))
    );
    assert_eq!(revoked(json!({ "state": "imported", "created_until": "2000-01-01T00:00:00Z" })).await, 0);
    assert_eq!(revoked(json!({ "state": "imported", "created_since": "2000-01-01T00:00:00Z" })).await, 700);
    assert_eq!(state("b1").await, "active");
    assert_eq!(api.subjects("key.revoked").len(), 703);
    let token = api.store.token(&api.token).await.unwrap().unwrap().id;
    assert!(api.subjects("key.revoked").iter().all(|subject| subject["by"] == json!(token)));
    revoke(json!({})).await.problem(422, "invalid-value");
    revoke(json!({ "created_since": "yesterday" })).await.problem(422, "invalid-value");
    revoke(json!({ "states": ["active"] })).await.problem(422, "invalid-body");
}
