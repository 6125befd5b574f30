//! Servers that answer as their manuals say. None of them is the real one.

use std::collections::BTreeMap;
use std::sync::Mutex;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE32_NOPAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// What was asked: `METHOD /path?query`, and the body.
type Asked = Vec<(String, Value)>;
type Answers = fn(&str, &HeaderMap, &Value, &mut Server) -> (u16, Value);

#[derive(Default)]
struct Server {
    asked: Asked,
    /// Whatever the server keeps.
    kept: BTreeMap<String, Value>,
}

type Shared = (Arc<Mutex<Server>>, Answers);

async fn answer(
    State((server, answers)): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let asked = format!("{method} {uri}");
    let mut server = server.lock().unwrap();
    server.asked.push((asked.clone(), body.clone()));
    let (status, body) = answers(&asked, &headers, &body, &mut server);
    let status = StatusCode::from_u16(status).unwrap();
    if body.is_null() { status.into_response() } else { (status, axum::Json(body)).into_response() }
}

/// The server's URL, and what it has.
async fn serve(answers: Answers) -> (String, Arc<Mutex<Server>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, server) = (format!("http://{}", listener.local_addr().unwrap()), Arc::<Mutex<Server>>::default());
    let router = Router::new().fallback(answer).with_state((Arc::clone(&server), answers));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, server)
}

fn file(content: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, content).unwrap();
    (folder, path.display().to_string())
}

fn sink(keys: &str) -> World {
    World::new(&format!("[[sink]]\nname = 'it'\n{keys}\n"))
}

fn change(number: u64, secret: bool) -> Change {
    let key = KeyRecord { id: "key1".into(), user: Some("alice@example.com".into()), ..sample() };
    Change { id: "d1".into(), number, key, secret: secret.then(|| Secret::from_slice(K_TOKEN)) }
}

async fn deliver(world: &World, change: Change) -> Delivered {
    world.sinks.all()[0].deliver(&[change]).await.pop().unwrap()
}

const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

#[test]
fn the_secret_of_these_tests_in_base32() {
    assert_eq!(BASE32_NOPAD.encode(K_TOKEN), BASE32);
}

fn keycloak(asked: &str, headers: &HeaderMap, body: &Value, server: &mut Server) -> (u16, Value) {
    if asked == "POST /realms/staff/protocol/openid-connect/token" {
        let form = "grant_type=client_credentials&client_id=dskpp&client_secret=s%26cret";
        return if body == form { (200, json!({ "access_token": "t1" })) } else { (401, Value::Null) };
    }
    if headers.get("authorization").is_none_or(|it| it != "Bearer t1") {
        return (401, Value::Null);
    }
    let credentials = |server: &Server| server.kept.values().cloned().collect::<Value>();
    match asked {
        "GET /admin/realms/staff/users?username=alice%40example.com&exact=true" => (200, json!([{ "id": "u1" }])),
        "GET /admin/realms/staff/users/u1" => (200, json!({ "id": "u1", "email": "a@b.example" })),
        "GET /admin/realms/staff/users/u1/credentials" => (200, credentials(server)),
        "PUT /admin/realms/staff/users/u1" => {
            assert_eq!(body["email"], "a@b.example", "what is left out may be removed");
            let id = format!("c{}", server.asked.len());
            let label = &body["credentials"][0]["userLabel"];
            server.kept.insert(id.clone(), json!({ "id": id, "type": "otp", "userLabel": label }));
            (204, Value::Null)
        }
        _ => match asked.strip_prefix("DELETE /admin/realms/staff/users/u1/credentials/") {
            Some(id) if server.kept.remove(id).is_some() => (204, Value::Null),
            _ => (404, Value::Null),
        },
    }
}

#[tokio::test]
async fn keycloak_has_one_credential_of_a_key_whatever_comes_twice() {
    let (url, server) = serve(keycloak).await;
    let (_folder, secret) = file("s&cret\n");
    let world = sink(&format!(
        "kind = 'keycloak'\nurl = '{url}'\nrealm = 'staff'\nclient_id = 'dskpp'\nclient_secret_file = '{secret}'"
    ));
    let labels = || server.lock().unwrap().kept.values().map(|it| it["userLabel"].clone()).collect::<Vec<_>>();
    server.lock().unwrap().kept.insert("own".into(), json!({ "id": "own", "type": "otp", "userLabel": "phone" }));
    for (number, is_put) in [(1, true), (1, true), (2, true)] {
        assert_eq!(deliver(&world, change(number, is_put)).await, Ok(()));
        assert_eq!(labels(), [json!(format!("dskpp d1.{number} key1")), json!("phone")], "the user's own stays");
    }
    let asked = std::mem::take(&mut server.lock().unwrap().asked);
    let puts: Vec<_> = asked.iter().filter(|(asked, _)| asked.starts_with("PUT")).collect();
    assert_eq!(puts.len(), 2);
    let credential = &puts[0].1["credentials"][0];
    assert_eq!(
        (&credential["type"], &credential["secretData"]),
        (&json!("otp"), &json!(format!("{{\"value\":\"{BASE32}\"}}")))
    );
    let data: Value = serde_json::from_str(credential["credentialData"].as_str().unwrap()).unwrap();
    let expected = json!({
        "subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1", "secretEncoding": "BASE32",
    });
    assert_eq!(data, expected);
    assert_eq!(deliver(&world, change(3, false)).await, Ok(()));
    assert_eq!(deliver(&world, change(3, false)).await, Ok(()));
    assert_eq!(labels(), [json!("phone")]);
    let unknown = Change { key: KeyRecord { user: Some("bob".into()), ..change(1, true).key }, ..change(1, true) };
    assert!(deliver(&world, unknown).await.is_err());
    assert!(world.sinks.test("it").await.is_some_and(|test| test.reached && test.would_send.contains("BASE32")));
}

fn openbao(asked: &str, headers: &HeaderMap, body: &Value, server: &mut Server) -> (u16, Value) {
    if headers.get("x-vault-token").is_none_or(|it| it != "bao-token") {
        return (403, json!({ "errors": ["permission denied"] }));
    }
    match asked {
        "POST /v1/team/totp/keys/key1" => {
            server.kept.insert("key1".into(), body.clone());
            (204, Value::Null)
        }
        "DELETE /v1/team/totp/keys/key1" => {
            server.kept.remove("key1");
            (204, Value::Null)
        }
        "GET /v1/auth/token/lookup-self" => (200, json!({ "data": {} })),
        _ => (404, json!({ "errors": [] })),
    }
}

#[tokio::test]
async fn openbao_has_the_key_under_its_identifier() {
    let (url, server) = serve(openbao).await;
    let (_folder, token) = file("bao-token\n");
    let keys =
        format!("kind = 'openbao'\nurl = '{url}'\nmount = 'team/totp'\nissuer = 'Example'\ntoken_file = '{token}'");
    let world = sink(&keys);
    for _ in 0..2 {
        assert_eq!(deliver(&world, change(1, true)).await, Ok(()));
    }
    let expected = json!({
        "key": BASE32, "issuer": "Example", "account_name": "alice@example.com", "period": 30, "algorithm": "SHA1",
        "digits": 6,
    });
    assert_eq!(server.lock().unwrap().kept["key1"], expected);
    assert_eq!(deliver(&world, change(2, false)).await, Ok(()));
    assert!(server.lock().unwrap().kept.is_empty());
    let hotp = Change { key: KeyRecord { key_type: KeyType::Hotp, ..change(3, true).key }, ..change(3, true) };
    assert_eq!(deliver(&world, hotp).await, Err(Failure::Never("it takes TOTP keys only".into())));
    let (_folder, wrong) = file("another");
    let down = deliver(&sink(&keys.replace(&token, &wrong)), change(1, true)).await;
    assert_eq!(down, Err(Failure::Down("it answered HTTP 403".into())), "nothing of what it said");
}

const DEVICES: &str = "/beta/directory/authenticationMethodDevices/hardwareOathDevices";

fn graph(asked: &str, headers: &HeaderMap, body: &Value, server: &mut Server) -> (u16, Value) {
    if asked == "POST /example.com/oauth2/v2.0/token" {
        let form = "grant_type=client_credentials&client_id=app&client_secret=secret&\
                    scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
        // The first token is good for one request.
        let token = format!("t{}", server.kept.len());
        return if body == form { (200, json!({ "access_token": token })) } else { (400, Value::Null) };
    }
    if headers.get("authorization").is_none() || asked.contains("users/expired") {
        return (401, Value::Null);
    }
    let filter = format!("GET {DEVICES}?%24filter=serialNumber+eq+%27key1%27");
    match asked {
        "GET /v1.0/users/alice@example.com?%24select=id" => (200, json!({ "id": "u1" })),
        _ if asked == filter => (200, json!({ "value": server.kept.values().cloned().collect::<Value>() })),
        _ if asked == format!("POST {DEVICES}") => {
            assert!(server.kept.is_empty(), "a serial number is unique");
            server.kept.insert("device".into(), json!({ "id": "device", "displayName": body["displayName"] }));
            (201, json!({ "id": "device", "secretKey": null }))
        }
        _ if asked == format!("DELETE {DEVICES}/device") => {
            server.kept.remove("device");
            (204, Value::Null)
        }
        _ => (404, json!({ "error": { "code": "ResourceNotFound" } })),
    }
}

#[tokio::test]
async fn graph_has_one_device_of_a_key_assigned_to_its_user() {
    let (url, server) = serve(graph).await;
    let (_folder, secret) = file("secret");
    let world = sink(&format!(
        "kind = 'graph'\nurl = '{url}'\nlogin_url = '{url}'\ntenant = 'example.com'\nclient_id = 'app'\n\
         client_secret_file = '{secret}'"
    ));
    for number in [1, 1, 2] {
        assert_eq!(deliver(&world, change(number, true)).await, Ok(()));
        assert_eq!(server.lock().unwrap().kept["device"]["displayName"], format!("dskpp d1.{number}"));
    }
    let asked = std::mem::take(&mut server.lock().unwrap().asked);
    let posts: Vec<_> = asked.iter().filter(|(asked, _)| *asked == format!("POST {DEVICES}")).collect();
    let expected = json!({
        "displayName": "dskpp d1.1", "serialNumber": "key1", "manufacturer": "dskpp", "model": "dskpp",
        "secretKey": BASE32, "timeIntervalInSeconds": 30, "hashFunction": "hmacsha1", "assignTo": { "id": "u1" },
    });
    assert_eq!((posts.len(), &posts[0].1), (2, &expected));
    let eight = KeyRecord { params: Params { digits: Some(8), ..sample().params }, ..change(3, true).key };
    let never = deliver(&world, Change { key: eight, ..change(3, true) }).await;
    assert!(matches!(never, Err(Failure::Never(_))), "{never:?}");
    assert!(server.lock().unwrap().kept.contains_key("device"), "what it cannot take costs nothing that it has");
    assert_eq!(deliver(&world, change(4, false)).await, Ok(()));
    assert!(server.lock().unwrap().kept.is_empty());
}

fn privacyidea(asked: &str, headers: &HeaderMap, body: &Value, server: &mut Server) -> (u16, Value) {
    if headers.get("x-api-key").is_none_or(|it| it != "api-key") || headers.contains_key("authorization") {
        return (401, Value::Null);
    }
    let value = match asked {
        "GET /token/?serial=key1" => json!({ "tokens": server.kept.values().cloned().collect::<Value>() }),
        "GET /token/?serial=DSKPP" => json!({ "tokens": [] }),
        "POST /token/init" => {
            server.kept.insert("key1".into(), json!({ "description": body["description"], "count": 0 }));
            json!(true)
        }
        "DELETE /token/key1" => json!(server.kept.remove("key1").map(|_| 1)),
        _ => return (404, Value::Null),
    };
    (200, json!({ "result": { "status": true, "value": value } }))
}

#[tokio::test]
async fn privacyidea_takes_an_api_key_in_the_place_of_an_administrator() {
    let (url, server) = serve(privacyidea).await;
    let (_folder, key) = file("api-key\n");
    let world = sink(&format!("kind = 'privacyidea'\nurl = '{url}'\napi_key_file = '{key}'"));
    assert!(world.sinks.test("it").await.is_some_and(|test| test.reached));
    assert_eq!(deliver(&world, change(1, true)).await, Ok(()));
    assert_eq!(deliver(&world, change(2, false)).await, Ok(()));
    let asked = server.lock().unwrap().asked.clone();
    assert!(!asked.iter().any(|(asked, _)| asked.contains("auth")), "{asked:?}");
    for keys in ["admin = 'a'", "admin = 'a'\napi_key_file = 'x'", "password_file = 'x'", ""] {
        let text = format!("[[sink]]\nname = 'it'\nkind = 'privacyidea'\nurl = '{url}'\n{keys}\n");
        let config = Config::read(&text, []).unwrap();
        assert!(Sinks::load(&config).is_err(), "{keys}");
    }
}
