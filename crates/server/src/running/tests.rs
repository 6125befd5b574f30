use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt as _;

use super::*;
use crate::dskpp::http;

const HELLO: &str = r#"<KeyProvClientHello xmlns="urn:ietf:params:xml:ns:keyprov:dskpp" Version="1.0"/>"#;

fn asked(method: &str, path: &str, accept: &str, body: &'static str) -> Request {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, http::MEDIA_TYPE);
    let mut request = request.header(header::ACCEPT, accept).body(Body::from(body)).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_public_requests_wait_for_their_turn_but_health_and_administration_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data_dir = folder.path().to_owned();
    let data = bootstrap::open(&config, Create::WithNewKey).await.unwrap();
    let health = health::router(data.store.clone(), watch::channel(false).1);
    let (turns, url_s, refusal_counts) = (Turns::with(1, 100), ["http://localhost/dskpp".to_owned()], Arc::default());
    let mut background = JoinSet::new();
    let options = ServerOptions::default();
    let shared = Shared {
        turns: turns.clone(),
        refusal_counts: &refusal_counts,
        background: &mut background,
        monitoring: &mut Monitoring::new(&data.store),
        sinks: Arc::new(Sinks::load(&config).unwrap()),
        notices: Arc::new(Notices::load(&config).unwrap()),
        certificates: (None, None),
    };
    let router = assemble(&config, &options, data, &url_s, shared).unwrap();
    let router = router.merge(health);
    for (request, status) in [
        (asked("POST", "/dskpp", "*/*", HELLO), 200),
        (asked("POST", "/dskpp", "*/*", "<no/>"), 400),
        (asked("GET", "/enroll/AAAA", "*/*", ""), 404),
        (asked("GET", "/enroll/AAAA?download", "*/*", ""), 404),
        (asked("GET", "/enroll/AAAA", http::MEDIA_TYPE, ""), 404),
    ] {
        let of_another = turns.of(SocketAddr::from(([192, 0, 2, 9], 1)).into()).await.ok().unwrap();
        let what = format!("{} {}", request.method(), request.uri());
        let answer = tokio::spawn(router.clone().oneshot(request));
        while !turns.are_waited_for() {
            assert!(!answer.is_finished(), "{what} did not wait");
            tokio::task::yield_now().await;
        }
        for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/api/v1/keys", 401)] {
            let answer = router.clone().oneshot(asked("GET", path, "*/*", "")).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
        }
        assert!(!answer.is_finished(), "{what} did not wait");
        drop(of_another);
        assert_eq!(answer.await.unwrap().unwrap().status(), status, "{what}");
    }
}

async fn start() -> (tempfile::TempDir, Running) {
    start_with(|_| {}).await
}

async fn start_with(adjust: impl FnOnce(&mut Config)) -> (tempfile::TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.listen = ([127, 0, 0, 1], 0).into();
    config.server.data_dir = folder.path().join("data");
    config.server.http = true;
    adjust(&mut config);
    (folder, serve(config, ServerOptions::default()).await.unwrap())
}

/// Names a key, so that the server queries the store.
const NAMES_A_KEY: &str = r#"<KeyProvClientHello xmlns="urn:ietf:params:xml:ns:keyprov:dskpp" Version="1.0"><KeyID>QQ==</KeyID><SupportedKeyTypes><Algorithm>urn:ietf:params:xml:ns:keyprov:pskc:hotp</Algorithm></SupportedKeyTypes><SupportedEncryptionAlgorithms><Algorithm>http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p</Algorithm></SupportedEncryptionAlgorithms><SupportedMacAlgorithms><Algorithm>urn:ietf:params:xml:ns:keyprov:dskpp:prf-sha256</Algorithm></SupportedMacAlgorithms></KeyProvClientHello>"#;

/// The head of the answer to a request on a new connection.
async fn head(at: SocketAddr, method: &str, path: &str, more: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(at).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split("\r\n\r\n").next().unwrap().to_ascii_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_every_429_and_503_carries_retry_after() {
    const DSKPP: &str = "Content-Type: application/dskpp+xml\r\n";
    const ACCEPT: &str = "Accept: application/dskpp+xml\r\n";
    const TOKEN: &str = "Authorization: Bearer none\r\n";
    let cases = [
        ("POST", "/dskpp", DSKPP, NAMES_A_KEY),
        ("GET", "/enroll/AAAA", ACCEPT, ""),
        ("GET", "/enroll/AAAA", "", ""),
        ("GET", "/enroll/AAAA?download", "", ""),
        ("GET", "/api/v1/keys", TOKEN, ""),
        ("GET", "/readyz", "", ""),
    ];
    let comes_later = |head: &str, status: &str| {
        let after = head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        head.starts_with(&format!("http/1.1 {status}"))
            && after.is_some_and(|after| after.parse().is_ok_and(|s: u32| s > 0))
    };
    let (_folder, running) = start().await;
    for (method, path, more, body) in cases {
        let well = head(running.address(), method, path, more, body).await;
        assert!(!well.starts_with("http/1.1 5"), "{path}: {well}");
    }
    for the_writer in [true, false, false] {
        running.store.kill(the_writer).await;
    }
    tokio::time::sleep(Duration::from_millis(1100)).await; // until the next check of the store
    for (method, path, more, body) in cases {
        let head = head(running.address(), method, path, more, body).await;
        assert!(comes_later(&head, "503"), "{path}: {head}");
    }

    let (_folder, running) = start_with(|config| {
        (config.limits.requests_per_address_per_s, config.limits.requests_per_address_burst) = (1, 1);
    })
    .await;
    for (method, path, more, body) in &cases[..4] {
        let mut limited = String::new();
        for _ in 0..20 {
            limited = head(running.address(), method, path, more, body).await;
            if limited.starts_with("http/1.1 429") {
                break;
            }
        }
        assert!(comes_later(&limited, "429"), "{path}: {limited}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_any_part_stops_the_server_with_a_reason() {
    for (the_writer, name) in [(true, "store-writer"), (false, "store-reader")] {
        let (_folder, running) = start().await;
        running.store.kill(the_writer).await;
        let died = running.wait().await.unwrap_err().to_string();
        assert!(died.starts_with(name) && died.contains("because of a bug"), "{died}");
    }
    let (_folder, mut running) = start().await;
    running.background.spawn(async { panic!("on purpose") });
    let died = running.wait().await.unwrap_err().to_string();
    assert!(died.starts_with("a task of the server"), "{died}");
    let (_folder, mut running) = start().await;
    running.serving = tokio::spawn(async { panic!("on purpose") });
    assert!(matches!(running.wait().await, Err(Error::Died(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_clean_stop_the_database_file_is_complete() {
    let (folder, running) = start().await;
    let (file, wal) = (folder.path().join("data/dskpp.db"), folder.path().join("data/dskpp.db-wal"));
    assert_ne!(std::fs::metadata(&wal).unwrap().len(), 0, "the WAL has content");
    running.shutdown();
    running.wait().await.unwrap();
    assert!(std::fs::metadata(&wal).map_or(0, |wal| wal.len()) == 0);
    let alone = folder.path().join("alone.db");
    std::fs::copy(file, &alone).unwrap();
    let database = rusqlite::Connection::open(alone).unwrap();
    let tokens: i64 = database.query_row("SELECT count(*) FROM api_token", [], |row| row.get(0)).unwrap();
    assert_eq!(tokens, 1, "the first token was written just before the end");
}
