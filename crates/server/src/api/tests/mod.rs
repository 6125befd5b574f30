//! The admin API, called in-process.

mod audit;
mod bodies;
mod bulk;
mod calls;
mod changes;
mod devices;
mod enrolments;
mod export;
mod idempotency;
mod import;
mod k_servers;
mod lifecycle;
mod lists;
mod names;
mod openapi;
mod roles;
mod sinks;
mod templates;

use std::net::SocketAddr;
use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use dskpp_api::paths;
use dskpp_crypto::{RsaPrivateKey, Secret};
use serde_json::{Value, json};

use tower::ServiceExt as _;

use super::*;
use crate::model::Role;
use crate::net::rate_limit::Rates;
use crate::net::turns::Turns;
use crate::policy::otp::Windows;
use crate::policy::permissions::FIRST_ROLES;
use crate::store::scratch::Scratch;
use crate::store::seal::Kek;
use crate::store::{Commit, CommitRun, NewKey, StorePolicy};

/// K_TOKEN of the tests' keys: that of RFC 4226's examples.
const K_TOKEN: &[u8] = b"12345678901234567890";
/// The first passwords of that key.
const HOTP: [&str; 2] = ["755224", "287082"];
const ORIGIN: &str = "https://keys.example";
const LIFETIME_S: u64 = 1000;

/// The API with its own store and a token with every role.
struct Api {
    scratch: Scratch,
    store: Store,
    turns: Turns,
    router: Router,
    token: String,
}

/// The response.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    /// Checks that members are sorted by name.
    fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.text).unwrap_or_else(|why| panic!("{why}: {}", self.text));
        assert_eq!(self.text, value.to_string());
        value
    }

    /// The body of an answer with that status, which must not be cacheable.
    #[track_caller]
    fn with(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json");
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        self.json()
    }

    /// The text of a problem (RFC 9457) of that status and kind.
    #[track_caller]
    fn problem(&self, status: u16, kind: &str) -> String {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        let body = self.json();
        assert_eq!(fields(&body), ["detail", "status", "title", "type"]);
        assert_eq!((&body["status"], &body["type"]), (&json!(status), &json!(format!("urn:dskpp:problem:{kind}"))));
        assert!(body["title"].as_str().is_some_and(|title| !title.is_empty()));
        body["detail"].as_str().filter(|detail| !detail.is_empty()).expect("a text for people").to_owned()
    }

    /// One of these statuses.
    #[track_caller]
    fn with_status(&self, statuses: &[u16]) {
        assert!(statuses.contains(&self.status.as_u16()), "{}: {}", self.status, self.text);
    }

    /// 204 has no body.
    #[track_caller]
    fn no_content(&self) {
        assert_eq!((self.status, &*self.text), (StatusCode::NO_CONTENT, ""));
    }
}

/// The names of an object's members, sorted.
fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

impl Api {
    async fn new() -> Self {
        Self::of_config(&crate::config::DevicesSection::default(), crate::Config::default()).await
    }

    async fn with_devices(devices: &crate::config::DevicesSection) -> Self {
        Self::of_config(devices, crate::Config::default()).await
    }

    async fn of_config(devices: &crate::config::DevicesSection, config: crate::Config) -> Self {
        let scratch = Scratch::new();
        let kek = Arc::new(Kek::new(&Secret::new(vec![1; 32])).unwrap());
        let policy =
            StorePolicy { lock_after: 3, windows: Windows { hotp_look_ahead: 5, totp_window: 1 }, may_migrate: true };
        let store = Store::open(scratch.database.clone(), kek, policy).unwrap();
        let (_, token) = store.create_token("all".into(), FIRST_ROLES.to_vec()).await.unwrap();
        let device_trust = Arc::new(DeviceTrust::load(devices).unwrap());
        let url_s: Arc<str> = format!("{ORIGIN}/dskpp").into();
        let turns = Turns::new(&config);
        // Made once: it takes time.
        static K_SERVER: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::generate(2048).unwrap());
        store.claim_first_k_server(K_SERVER.to_pkcs8_der().clone()).await.unwrap();
        let k_servers = Arc::new(KServers::open(&config, &store).await.unwrap());
        let state = ApiState {
            store: store.clone(),
            callers: Callers::new(Arc::new(Rates::new(&config.limits)), turns.clone()),
            url_s: url_s.clone(),
            enrolment_lifetime_s: LIFETIME_S,
            templates: Templates::of(&config),
            device_trust,
            backoff: Backoff::default(),
            checkpoints: None,
            validations: Validations::default(),
            token_rates: TokenRates::new(&config.limits),
            batches: Batches::default(),
            sinks: Arc::new(Sinks::load(&config).unwrap()),
            certificates: Certificates::new(None, None, Arc::clone(&k_servers), url_s.clone()),
            notices: Arc::new(Notices::load(&config).unwrap()),
            k_servers,
        };
        Api { scratch, store, turns, router: router(state), token }
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        let answer = Answer { status: parts.status, headers: parts.headers, text };
        openapi::check(&method, &path, &answer);
        answer
    }

    /// A call with the token of every role and a JSON body.
    async fn call(&self, method: Method, path: &str, body: Option<&str>) -> Answer {
        self.call_as(Some(&format!("Bearer {}", self.token)), method, path, body).await
    }

    async fn call_as(&self, authorization: Option<&str>, method: Method, path: &str, body: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        self.send(request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap()).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(&body.to_string())).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    async fn enrolment(&self, body: Value) -> Value {
        self.post("/enrolments", body).await.with(201)
    }

    /// Provisions a key for that enrolment.
    async fn provision(&self, enrolment: &Value, key_id: &str) {
        let run = CommitRun {
            session_id: format!("session of {key_id}"),
            request_hash: [7; 32],
            response: Vec::new(),
            answer_expires_at: i64::MAX,
            enrolment_id: enrolment["id"].as_str().unwrap().to_owned(),
            key: NewKey {
                id: key_id.to_owned(),
                k_token: Some(Secret::from_slice(K_TOKEN)),
                k_mac: Secret::new(vec![2; 32]),
                mac_algorithm: "urn:prf".to_owned(),
                url_s: Some("https://keys.example/dskpp".to_owned()),
            },
        };
        assert_eq!(self.store.commit_run(run).done().await, Ok(Commit::Committed));
    }

    /// A HOTP key of that user.
    async fn key(&self, user: &str, key_id: &str) {
        let enrolment = self.enrolment(json!({ "user": user, "key_type": "hotp" })).await;
        self.provision(&enrolment, key_id).await;
    }
}
