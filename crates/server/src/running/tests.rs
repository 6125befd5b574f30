use super::*;

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
