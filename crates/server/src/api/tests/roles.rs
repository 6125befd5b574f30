//! Authorisation: 401 without a known token, 403 unless a role of the token has the permission of the call.

use std::pin::pin;

use futures_util::FutureExt as _;

use super::*;
use crate::policy::permissions::{Call, Permission, allow};

/// Every call, the one of the first five roles that it needs, and a body that is good.
fn calls() -> Vec<(Method, &'static str, Role, Option<Value>)> {
    let device = json!({ "manufacturer": "acme", "serial": "1", "key_name": "k" });
    let enrolment = json!({ "user": "alice", "key_type": "totp" });
    vec![
        (Method::POST, "/users", Role::Enrol, Some(json!({ "name": "alice" }))),
        (Method::GET, "/users", Role::Read, None),
        (Method::GET, "/users/x", Role::Read, None),
        (Method::DELETE, "/users/x", Role::Enrol, None),
        (Method::POST, "/users/lost", Role::Enrol, Some(json!({ "user": "alice", "key_type": "totp" }))),
        (Method::GET, "/expiring", Role::Read, None),
        (Method::POST, "/devices", Role::Enrol, Some(device)),
        (Method::GET, "/devices", Role::Read, None),
        (Method::GET, "/devices/x", Role::Read, None),
        (Method::PATCH, "/devices/x", Role::Enrol, Some(json!({ "key_name": "k" }))),
        (Method::DELETE, "/devices/x", Role::Enrol, None),
        (Method::POST, "/devices/import", Role::Enrol, Some(json!({ "devices": [] }))),
        (Method::POST, "/enrolments", Role::Enrol, Some(enrolment)),
        (Method::GET, "/enrolments", Role::Read, None),
        (Method::POST, "/enrolments/bulk", Role::Enrol, Some(json!(""))),
        (Method::GET, "/enrolments/x", Role::Read, None),
        (Method::DELETE, "/enrolments/x", Role::Enrol, None),
        (Method::GET, "/keys", Role::Read, None),
        (Method::GET, "/keys/x", Role::Read, None),
        (Method::PATCH, "/keys/x", Role::Enrol, Some(json!({ "label": "spare" }))),
        (Method::DELETE, "/keys/x", Role::Enrol, None),
        (Method::POST, "/keys/revoke", Role::Enrol, Some(json!({ "user": "alice" }))),
        (Method::POST, "/keys/x/disable", Role::Enrol, None),
        (Method::POST, "/keys/x/enable", Role::Enrol, None),
        (Method::POST, "/keys/import?import=x&first=0", Role::Enrol, Some(json!(""))),
        (Method::GET, "/imports", Role::Admin, None),
        (Method::GET, "/imports/x", Role::Enrol, None),
        (Method::GET, "/audit", Role::Read, None),
        (Method::GET, "/audit/checkpoint", Role::Read, None),
        (Method::POST, "/keys/x/resync", Role::Validate, Some(json!({ "otps": ["1", "2"] }))),
        (Method::GET, "/sinks", Role::Read, None),
        (Method::POST, "/sinks/x/test", Role::Admin, None),
        (Method::GET, "/deliveries", Role::Read, None),
        (Method::POST, "/deliveries/x/retry", Role::Export, None),
        (Method::POST, "/keys/x/user", Role::Enrol, Some(json!({ "user": "alice" }))),
        (Method::POST, "/keys/export", Role::Export, Some(json!({ "protection": { "plain": true } }))),
        (Method::GET, "/keys/x/secret", Role::Export, None),
        (Method::POST, "/validate", Role::Validate, Some(json!({ "user": "alice", "otp": "123456" }))),
        (Method::GET, "/k-servers", Role::Admin, None),
        (Method::POST, "/k-servers", Role::Admin, Some(json!({}))),
        (Method::DELETE, "/k-servers/x", Role::Admin, None),
        (Method::POST, "/tokens", Role::Admin, Some(json!({ "name": "t", "roles": ["read"] }))),
        (Method::GET, "/tokens", Role::Admin, None),
        (Method::DELETE, "/tokens/x", Role::Admin, None),
    ]
}

#[tokio::test]
async fn without_a_known_token_every_call_is_401_and_changes_nothing() {
    let api = Api::new().await;
    let authorizations = [
        None,
        Some(String::new()),
        Some("Bearer".into()),
        Some("Bearer ".into()),
        Some("Bearer unknown".into()),
        Some(format!("Basic {}", api.token)),
        Some(api.token.clone()),
        Some(format!("Bearer {}x", api.token)),
        Some(format!("Bearer {} {}", api.token, api.token)),
        Some("Bearer ' OR 1=1 --".into()),
    ];
    for (method, path, _, body) in calls() {
        let body = body.map(|body| body.to_string());
        for authorization in &authorizations {
            let answer = api.call_as(authorization.as_deref(), method.clone(), path, body.as_deref()).await;
            assert!(answer.problem(401, "no-token").contains("Authorization: Bearer"), "{method} {path}");
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
            assert!(!answer.text.contains(&api.token));
        }
    }
    api.post("/users", json!({ "name": "alice" })).await.with(201);
}

#[tokio::test]
async fn a_request_without_a_token_is_refused_before_its_body_is_read() {
    let api = Api::new().await;
    let large = "x".repeat(MAX_BODY_LEN + 1);
    api.call_as(None, Method::POST, "/users", Some(&large)).await.problem(401, "no-token");
}

#[tokio::test]
async fn an_unknown_token_waits_for_its_turn_and_a_known_one_does_not() {
    let api = Api::new().await;
    api.get("/keys").await.with(200);
    let mut held = Vec::new();
    while let Some(turn) = api.turns.of(SocketAddr::from(([192, 0, 2, 2], 1)).into()).now_or_never() {
        held.push(turn);
    }
    let mut unknown = pin!(api.call_as(Some("Bearer unknown"), Method::GET, "/keys", None));
    assert!(unknown.as_mut().now_or_never().is_none() && api.turns.are_waited_for());
    api.get("/keys").await.with(200);
    drop(held);
    unknown.await.problem(401, "no-token");
}

#[tokio::test]
async fn each_of_the_first_roles_opens_its_own_calls_and_no_others() {
    let api = Api::new().await;
    let listed = |call: &Call| {
        let is_it = |path: &str| path.split('?').next() == Some(&example(*call).1);
        calls().iter().any(|(method, path, ..)| *method == call.method() && is_it(path))
    };
    Call::ALL.iter().for_each(|call| assert!(listed(call), "{call:?} is not in the list of this test"));
    for role in FIRST_ROLES {
        let (_, token) = api.store.create_token("one role".into(), vec![role]).await.unwrap();
        let authorization = format!("Bearer {token}");
        for (method, path, needed, body) in calls() {
            let body = body.map(|body| body.to_string());
            let answer = api.call_as(Some(&authorization), method.clone(), path, body.as_deref()).await;
            if needed == role {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{role:?}: {method} {path}: {}", answer.text);
            } else {
                let name = json!(needed);
                let detail = answer.problem(403, "no-role");
                assert!(detail.contains(name.as_str().unwrap()), "{role:?}: {method} {path}: {detail}");
            }
        }
    }
}

/// A request of that call, for an object that is not there.
fn example(call: Call) -> (Method, String) {
    (call.method(), call.path().replace("{id}", "x"))
}

#[tokio::test]
async fn every_call_is_open_to_the_roles_that_have_its_permission_and_to_no_others() {
    let api = Api::new().await;
    for role in Role::ALL {
        let (_, token) = api.store.create_token("one role".into(), vec![role]).await.unwrap();
        let authorization = format!("Bearer {token}");
        for call in Call::ALL {
            let (method, path) = example(*call);
            let answer = api.call_as(Some(&authorization), method, &path, None).await;
            if allow(&[role], call.needs()) {
                assert!(![401, 403, 405].contains(&answer.status.as_u16()), "{role:?}: {call:?}: {}", answer.text);
                assert!(answer.status != 404 || answer.text.contains("not-found"), "{call:?}: {}", answer.text);
            } else {
                let detail = answer.problem(403, "no-role");
                assert!(detail.contains(call.needs().as_str()), "{role:?}: {call:?}: {detail}");
            }
        }
    }
}

#[test]
fn roles_of_daily_work_see_no_secret_and_no_token_and_auditors_change_nothing() {
    use Permission::*;
    let opened = |role: Role| Call::ALL.iter().filter(move |call| allow(&[role], call.needs()));
    for role in [Role::Operator, Role::Helpdesk, Role::Auditor, Role::Validator] {
        assert!(
            opened(role).all(|call| ![KeysExport, DeliveriesRetry, TokensWrite, KServersWrite].contains(&call.needs()))
        );
    }
    for role in [Role::Operator, Role::Helpdesk, Role::Validator] {
        assert!(opened(role).all(|call| ![TokensRead, AuditRead].contains(&call.needs())), "{role:?}");
    }
    assert!(opened(Role::Auditor).all(|call| call.method() == Method::GET));
    assert_eq!(opened(Role::Auditor).count() + 2, Call::ALL.iter().filter(|call| call.method() == Method::GET).count());
    assert_eq!(opened(Role::Validator).collect::<Vec<_>>(), [&Call::Validate]);
    assert!(opened(Role::Helpdesk).all(|call| allow(&[Role::Operator], call.needs()) || *call == Call::Validate));
}

#[tokio::test]
async fn the_scheme_is_known_in_any_case() {
    let api = Api::new().await;
    for scheme in ["bearer", "BEARER"] {
        let authorization = format!("{scheme} {}", api.token);
        api.call_as(Some(&authorization), Method::GET, "/keys", None).await.with(200);
    }
}

#[tokio::test]
async fn a_token_is_created_shown_once_and_deleted() {
    let api = Api::new().await;
    let made = api.post("/tokens", json!({ "name": " reader ", "roles": ["read", "validate"] })).await.with(201);
    assert_eq!(fields(&made), ["id", "name", "roles", "token"]);
    assert_eq!((&made["name"], &made["roles"]), (&json!("reader"), &json!(["read", "validate"])));
    let authorization = format!("Bearer {}", made["token"].as_str().unwrap());
    let list = async || api.call_as(Some(&authorization), Method::GET, "/keys", None).await;
    list().await.with(200);
    let path = format!("/tokens/{}", made["id"].as_str().unwrap());
    api.delete(&path).await.no_content();
    list().await.problem(401, "no-token");
    api.delete(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_token_needs_roles_that_exist() {
    let api = Api::new().await;
    let detail = api.post("/tokens", json!({ "name": "t", "roles": [] })).await.problem(422, "invalid-value");
    assert!(detail.contains("admin, enrol, read, validate, export, operator"), "{detail}");
    for roles in [json!(["root"]), json!(["Read"]), json!("read"), json!(null)] {
        api.post("/tokens", json!({ "name": "t", "roles": roles })).await.problem(422, "invalid-body");
    }
}

#[tokio::test]
async fn too_many_calls_with_one_token_have_to_wait_and_other_tokens_have_not() {
    let mut config = crate::Config::default();
    config.limits.requests_per_token_per_s = 2;
    let api = Api::of_config(&crate::config::DevicesSection::default(), config).await;
    for _ in 0..4 {
        api.get("/users").await.with(200);
    }
    let refused = api.get("/users").await;
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert!(refused.problem(429, "busy").contains("this token"));
    let (_, other) = api.store.create_token("other".into(), vec![Role::Read]).await.unwrap();
    api.call_as(Some(&format!("Bearer {other}")), Method::GET, "/users", None).await.with(200);
}
