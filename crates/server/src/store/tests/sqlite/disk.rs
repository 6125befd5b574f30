//! Files deleted, changed or full under an open database: the store notices, reports the fault, and acknowledges
//! nothing that a restart would not find.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use super::*;

/// A store with some rows, all in the database file itself.
async fn filled() -> Db {
    let db = Db::new();
    for user in 0..200 {
        db.store.create_user(format!("{user:0>200}")).await.unwrap();
    }
    db.raw().sqlite().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    db.store.probe().await.unwrap();
    db
}

/// Probes once per table.
async fn probe(db: &Db) -> Result<(), StoreError> {
    for _ in 0..20 {
        db.store.probe().await?;
    }
    Ok(())
}

fn overwrite(path: &Path, at: u64, octets: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(octets).unwrap();
}

fn cut(path: &Path, len: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(len).unwrap();
}

#[tokio::test]
async fn a_file_that_is_deleted_or_replaced_stops_writes_until_it_is_back() {
    for file in ["dskpp.db", "dskpp.db-wal", "dskpp.db-shm"] {
        for replaced in [false, true] {
            let db = filled().await;
            let (path, away) = (db.scratch.folder.path().join(file), db.scratch.folder.path().join("away"));
            fs::rename(&path, &away).unwrap();
            if replaced {
                fs::copy(&away, &path).unwrap();
            }
            let what = if replaced { "replaced" } else { "deleted" };
            let gone = StoreError::Gone { file: file.into(), what };
            assert_eq!(db.store.probe().await, Err(gone.clone()));
            assert_eq!(db.store.create_user("lost".into()).await.map(drop), Err(gone), "{file} was {what}");
            fs::rename(&away, &path).unwrap();
            assert_eq!(db.store.probe().await, Ok(()), "{file} is back");
            db.store.create_user("lost".into()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_damaged_database_is_noticed_and_takes_no_more_writes() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 5] = [
        ("emptied", |path| cut(path, 0)),
        ("cut to its first page", |path| cut(path, 4096)),
        ("cut in the middle", |path| cut(path, fs::metadata(path).unwrap().len() / 2)),
        ("its head overwritten", |path| overwrite(path, 0, &[0xA5; 4096])),
        ("its middle overwritten", |path| {
            let len = fs::metadata(path).unwrap().len();
            overwrite(path, 4096, &vec![0xA5; usize::try_from(len).unwrap() - 4096]);
        }),
    ];
    for (what, damage) in cases {
        let db = filled().await;
        damage(&db.path());
        let found = probe(&db).await;
        assert!(matches!(found, Err(StoreError::Damaged(_))), "{what}: {found:?}");
        let write = db.store.create_user("lost".into()).await.map(drop);
        assert!(matches!(write, Err(StoreError::Damaged(_))), "{what}: {write:?}");
        assert!(matches!(db.store.probe().await, Err(StoreError::Damaged(_))), "{what}: until restart");
    }
}

#[tokio::test]
async fn damage_found_by_a_statement_is_remembered() {
    let db = filled().await;
    let meet = |_: &Connection| -> Result<(), StoreError> {
        let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
        Err(rusqlite::Error::SqliteFailure(code, None).into())
    };
    assert!(matches!(db.store.engine.read(meet).await, Err(StoreError::Damaged(_))));
    assert!(matches!(db.store.create_user("lost".into()).await, Err(StoreError::Damaged(_))));
    let db = filled().await;
    assert!(matches!(db.store.engine.write(meet).await, Err(StoreError::Damaged(_))));
    assert!(matches!(db.store.create_user("lost".into()).await, Err(StoreError::Damaged(_))));
}

#[tokio::test]
async fn locks_closed_folders_and_read_only_databases_are_reported() {
    let db = filled().await;
    db.store.engine.write(|db| Ok(db.sqlite().busy_timeout(Duration::from_millis(20))?)).await.unwrap();
    let says = |found: Result<(), StoreError>, word: &str| {
        assert!(matches!(&found, Err(StoreError::Unavailable(why)) if why.contains(word)), "{word}: {found:?}");
    };
    let other = db.raw();
    other.sqlite().execute_batch("BEGIN EXCLUSIVE").unwrap();
    says(db.store.probe().await, "locked");
    other.sqlite().execute_batch("ROLLBACK").unwrap();
    db.store.probe().await.unwrap();

    let probe = db.scratch.folder.path().join(".probe");
    fs::create_dir(&probe).unwrap();
    says(db.store.probe().await, "no file can be written");
    fs::remove_dir(&probe).unwrap();
    db.store.probe().await.unwrap();
    assert!(!probe.exists());

    db.store.engine.write(|db| Ok(db.sqlite().pragma_update(None, "query_only", true)?)).await.unwrap();
    says(db.store.probe().await, "readonly");
}

/// A database that another connection has vacuumed is intact.
#[tokio::test]
async fn a_vacuumed_database_does_not_count_as_damaged() {
    let db = filled().await;
    db.execute("DELETE FROM user; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    assert_eq!(probe(&db).await, Ok(()));
}
