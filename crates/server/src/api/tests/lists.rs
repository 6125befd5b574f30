//! Lists of users, enrolments, tokens and imports: whole over their pages, filtered, and without secrets.

use super::import::{container, hotp};
use super::*;

/// What `member` is in each entry of a list, over all its pages.
pub(super) async fn all(api: &Api, path: &str, member: &str) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = api.get(&format!("{path}{mark}{after}")).await.with(200);
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item[member].as_str().unwrap().to_owned()));
        assert!(found.len() < 1000, "{path} does not end");
        match page["next"].as_str() {
            Some(next) => after = format!("after={}", paths::escaped(next)),
            None => return found,
        }
    }
}

#[tokio::test]
async fn users_are_listed_by_name_and_found_by_how_it_begins() {
    let api = Api::new().await;
    let mut names = ["bob", "al", "alice", "alz", "Ål", "al \u{1F600}", "am", "a%b"];
    for name in names {
        api.post("/users", json!({ "name": name })).await.with(201);
    }
    names.sort_unstable();
    let first = &api.get("/users").await.with(200)["items"][0];
    assert_eq!((fields(first), &first["name"]), (vec!["created_at", "id", "name"], &json!("a%b")));
    for limit in [1, 3, 100] {
        assert_eq!(all(&api, &format!("/users?limit={limit}"), "name").await, names, "{limit}");
        let with = async |prefix: &str| all(&api, &format!("/users?limit={limit}&name={prefix}"), "name").await;
        assert_eq!(with("al").await, ["al", "al \u{1F600}", "alice", "alz"]);
        assert_eq!(with("%C3%85").await, ["Ål"]);
        assert_eq!(with("alice").await, ["alice"]);
        for nobody in ["a%25%25", "alicex", "%27%20OR%201=1--", "_", "%F4%8F%BF%BF"] {
            assert!(with(nobody).await.is_empty(), "{nobody}");
        }
    }
    assert_eq!(all(&api, "/users?name=al&after=a", "name").await.len(), 4, "a place before all that are asked for");
    assert!(all(&api, "/users?name=al&after=b", "name").await.is_empty());
}

#[tokio::test]
async fn enrolments_are_listed_by_user_and_state_without_their_codes() {
    let api = Api::new().await;
    let mut codes = Vec::new();
    for (user, key_type, expires_in_s) in
        [("alice", "hotp", 300), ("alice", "totp", 100), ("bob", "hotp", 200), ("bob", "hotp", 200), ("eve", "totp", 9)]
    {
        let new = json!({ "user": user, "key_type": key_type, "expires_in_s": expires_in_s });
        codes.push(api.enrolment(new).await);
    }
    let id = |place: usize| codes[place]["id"].as_str().unwrap().to_owned();
    api.provision(&codes[3], "k").await;
    api.delete(&format!("/enrolments/{}", id(1))).await.no_content();
    api.scratch
        .execute("UPDATE enrolment SET expires_at = 5 WHERE user_id = (SELECT id FROM \"user\" WHERE name = 'eve')");
    for limit in [1, 2, 100] {
        let list = async |query: &str| all(&api, &format!("/enrolments?limit={limit}{query}"), "id").await;
        let mut ids: Vec<_> = (0..5).map(id).collect();
        ids.sort_unstable();
        assert_eq!(list("").await, ids);
        ids.retain(|it| [id(0), id(1)].contains(it));
        assert_eq!(list("&user=alice").await, ids);
        assert_eq!(list("&state=open").await, [id(2), id(0)], "in the order in which they expire");
        assert_eq!(list("&state=active").await, [id(3)]);
        assert_eq!(list("&state=revoked").await, [id(1)]);
        assert_eq!(list("&state=expired").await, [id(4)]);
        assert_eq!(list("&state=open&user=bob").await, [id(2)]);
        assert_eq!(list("&state=expired&user=eve").await, [id(4)]);
        for nothing in ["&state=provisioned", "&user=nobody", "&state=open&user=eve", "&state=expired&user=bob"] {
            assert!(list(nothing).await.is_empty(), "{nothing}");
        }
    }
    let listed = api.get("/enrolments").await;
    for created in &codes {
        for member in ["client_id", "password", "authentication_code", "trigger_url"] {
            assert!(!listed.text.contains(created[member].as_str().unwrap()), "{member}");
        }
    }
    let shown = api.get(&format!("/enrolments/{}", id(0))).await.with(200);
    let page = listed.with(200);
    let item = page["items"].as_array().unwrap().iter().find(|item| item["id"] == json!(id(0))).unwrap();
    assert!(fields(item).iter().all(|member| item[member] == shown[member]), "{item} {shown}");
}

#[tokio::test]
async fn a_list_goes_on_behind_a_row_that_cannot_be_read() {
    let api = Api::new().await;
    for _ in 0..3 {
        api.enrolment(json!({ "user": "alice", "key_type": "hotp", "expires_in_s": 500 })).await;
    }
    let ids = all(&api, "/enrolments", "id").await;
    let damage = format!("UPDATE enrolment SET sealed_password = trigger_token_hash WHERE id = '{}'", ids[1]);
    api.scratch.execute(&damage);
    for query in ["limit=2", "limit=2&state=open", "limit=1&user=alice"] {
        assert_eq!(all(&api, &format!("/enrolments?{query}"), "id").await, ids, "{query}");
    }
    let page = api.get("/enrolments").await.with(200);
    assert_eq!(page["items"][1], json!({ "id": ids[1], "unreadable": "sealed_password" }));
}

#[tokio::test]
async fn tokens_are_listed_without_their_values() {
    let api = Api::new().await;
    let made = api.post("/tokens", json!({ "name": "reader", "roles": ["read", "validate"] })).await.with(201);
    let answer = api.get("/tokens").await;
    assert!(!answer.text.contains(made["token"].as_str().unwrap()) && !answer.text.contains(&api.token));
    let page = answer.with(200);
    let item = page["items"].as_array().unwrap().iter().find(|item| item["id"] == made["id"]).unwrap();
    assert_eq!(fields(item), ["created_at", "id", "name", "roles"]);
    assert_eq!((&item["name"], &item["roles"]), (&json!("reader"), &json!(["read", "validate"])));
    let ids = all(&api, "/tokens?limit=1", "id").await;
    assert_eq!(ids.len(), 2);
    api.delete(&format!("/tokens/{}", made["id"].as_str().unwrap())).await.no_content();
    assert_eq!(all(&api, "/tokens", "name").await, ["all"]);
}

#[tokio::test]
async fn imports_are_listed_with_their_counts() {
    let api = Api::new().await;
    for digit in ["a", "b", "c"] {
        let path = format!("/keys/import?import={}&first=0", digit.repeat(64));
        let request = Request::builder().method(Method::POST).uri(format!("/api/v1{path}"));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", api.token));
        let request = request.header(header::CONTENT_TYPE, "application/pskc+xml");
        let document = container(&hotp(&format!("key {digit}")));
        api.send(request.body(Body::from(document)).unwrap()).await.with(200);
    }
    let ids = all(&api, "/imports?limit=2", "id").await;
    assert_eq!(ids, ["a", "b", "c"].map(|digit| digit.repeat(64)));
    let first = &api.get("/imports").await.with(200)["items"][0];
    assert_eq!(fields(first), ["accepted", "created_at", "done", "duplicate", "id", "refused"]);
    assert_eq!((&first["accepted"], &first["done"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn unreadable_parameters_are_errors_that_name_them() {
    let api = Api::new().await;
    api.enrolment(json!({ "user": "alice", "key_type": "hotp" })).await;
    for list in ["/users", "/enrolments", "/devices", "/keys", "/tokens", "/imports", "/audit"] {
        let most = if list == "/audit" { 1000 } else { 100 };
        for limit in ["0", &(most + 1).to_string(), "1000000000000"] {
            let detail = api.get(&format!("{list}?limit={limit}")).await.problem(422, "invalid-value");
            assert_eq!(detail, format!("limit must be 1 to {most}"), "{list}");
        }
        for (query, named) in [
            ("limit=-1", "limit"),
            ("limit=1.5", "limit"),
            ("limit=", "limit"),
            ("limit=99999999999999999999999", "limit"),
            ("limit=1&limit=2", "limit"),
            ("offset=5", "offset"),
            ("after=a&after=b", "after"),
        ] {
            let detail = api.get(&format!("{list}?{query}")).await.problem(400, "invalid-query");
            assert!(detail.contains(named), "{list}?{query}: {detail}");
        }
        for after in ["%00", "a%00b", "%1B[2J", &"x".repeat(5000)] {
            let detail = api.get(&format!("{list}?after={after}")).await.problem(422, "invalid-value");
            assert!(detail.contains("after"), "{list}: {detail}");
        }
        api.get(&format!("{list}?limit={most}")).await.with(200);
    }
    for (list, parameter) in [
        ("/users", "name"),
        ("/enrolments", "user"),
        ("/devices", "manufacturer"),
        ("/keys", "user"),
        ("/audit", "event"),
    ] {
        let detail = api.get(&format!("{list}?{parameter}=a%00")).await.problem(422, "invalid-value");
        assert!(detail.contains(parameter), "{list}: {detail}");
        api.get(&format!("{list}?{parameter}=%FF")).await.with_status(&[200, 400]);
    }
    for state in ["OPEN", "locked", "", "open%00"] {
        let detail = api.get(&format!("/enrolments?state={state}")).await.problem(400, "invalid-query");
        assert!(detail.contains("state"), "{detail}");
    }
}

#[tokio::test]
async fn the_cursor_of_another_list_or_order_is_refused() {
    let api = Api::new().await;
    for _ in 0..2 {
        api.enrolment(json!({ "user": "alice", "key_type": "hotp" })).await;
    }
    let lists = ["/enrolments?", "/enrolments?state=open&", "/audit?", "/audit?order=chain&"];
    let mut cursors = Vec::new();
    for list in lists {
        let page = api.get(&format!("{list}limit=1")).await.with(200);
        cursors.push(page["next"].as_str().unwrap().to_owned());
    }
    for (place, list) in lists.iter().enumerate() {
        for (of, cursor) in cursors.iter().enumerate() {
            let answer = api.get(&format!("{list}after={}", paths::escaped(cursor))).await;
            match of == place {
                true => drop(answer.with(200)),
                false => assert!(answer.problem(422, "invalid-value").contains("`next`"), "{list} {cursor}"),
            }
        }
    }
    for list in ["/tokens?", "/imports?", "/audit?", "/enrolments?state=open&"] {
        for cursor in ["x1", "x.", "xy.z", "t1.2", "t9999999999999999999.1.", "c1.a", "-1", "a.b"] {
            api.get(&format!("{list}after={cursor}")).await.with_status(&[422, 200]);
        }
    }
}

#[tokio::test]
async fn keys_are_listed_by_state_type_and_time_and_a_page_looks_at_so_many() {
    use super::import::{container, hotp};
    let api = Api::new().await;
    let packages: String = (0..2500).map(|id| hotp(&format!("stock{id:04}"))).collect();
    api.import("first=0", container(&packages)).await.with(200);
    for (user, key) in [("alice", "a1"), ("bob", "b1"), ("alice", "z1")] {
        api.key(user, key).await;
    }
    api.scratch.execute("UPDATE key SET created_at = 1000 WHERE id = 'z1'");
    api.delete("/keys/b1").await.no_content();
    for limit in [1, 100] {
        let list = async |query: &str| all(&api, &format!("/keys?limit={limit}{query}"), "key_id").await;
        assert_eq!(list("&state=active").await, ["a1", "z1"]);
        assert_eq!(list("&state=revoked").await, ["b1"]);
        assert_eq!(list("&state=active&user=alice&created_since=2000-01-01T00:00:00Z").await, ["a1"]);
        assert_eq!(list("&created_until=1970-01-01T00:16:41Z").await, ["z1"]);
        assert!(list("&key_type=totp").await.is_empty());
    }
    api.get("/keys?created_since=yesterday").await.problem(422, "invalid-value");
    api.get("/keys?state=ACTIVE").await.problem(400, "invalid-query");
}
