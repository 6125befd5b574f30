use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header;
use tower::ServiceExt as _;

use super::*;

const HELLO: &str = r#"<KeyProvClientHello xmlns="urn:ietf:params:xml:ns:keyprov:dskpp" Version="1.0"/>"#;

fn asked(method: &str, path: &str, accept: &str, body: &'static str) -> Request {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, dskpp_http::MEDIA_TYPE);
    let mut request = request.header(header::ACCEPT, accept).body(Body::from(body)).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 1))));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn p27_what_anybody_can_ask_for_waits_for_its_turn_and_health_and_administration_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data_dir = folder.path().to_owned();
    let data = bootstrap::open(&config, Begin::WithNewKey).await.unwrap();
    let (turns, url_s, tally) = (Turns::with(1, 100), ["http://localhost/dskpp".to_owned()], Arc::default());
    let mut background = JoinSet::new();
    let options = ServerOptions::default();
    let router = assemble(&config, &options, data, &url_s, turns.clone(), &tally, &mut background).unwrap();
    for (request, status) in [
        (asked("POST", "/dskpp", "*/*", HELLO), 200),
        (asked("POST", "/dskpp", "*/*", "<no/>"), 400),
        (asked("GET", "/enroll/AAAA", "*/*", ""), 404),
        (asked("GET", "/enroll/AAAA?download", "*/*", ""), 404),
        (asked("GET", "/enroll/AAAA", dskpp_http::MEDIA_TYPE, ""), 404),
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
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.listen = ([127, 0, 0, 1], 0).into();
    config.server.data_dir = folder.path().join("data");
    config.server.http = true;
    (folder, serve(config, ServerOptions::default()).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_death_of_any_part_ends_the_server_with_a_reason() {
    for (the_writer, name) in [(true, "store-writer"), (false, "store-reader")] {
        let (_folder, running) = start().await;
        running.store.kill(the_writer).await;
        let died = running.wait().await.unwrap_err().to_string();
        assert!(died.starts_with(name) && died.contains("defect"), "{died}");
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
async fn after_a_clean_end_the_database_file_alone_is_whole() {
    let (folder, running) = start().await;
    let (file, wal) = (folder.path().join("data/dskpp.db"), folder.path().join("data/dskpp.db-wal"));
    assert_ne!(std::fs::metadata(&wal).unwrap().len(), 0, "there is something to move");
    running.shutdown();
    running.wait().await.unwrap();
    assert!(std::fs::metadata(&wal).map_or(0, |wal| wal.len()) == 0);
    let alone = folder.path().join("alone.db");
    std::fs::copy(file, &alone).unwrap();
    let database = rusqlite::Connection::open(alone).unwrap();
    let tokens: i64 = database.query_row("SELECT count(*) FROM api_token", [], |row| row.get(0)).unwrap();
    assert_eq!(tokens, 1, "the first token was written just before the end");
}
