//! What fails undoes itself alone, and says so.

use super::*;

#[tokio::test]
async fn a_failing_job_undoes_only_itself() {
    let db = Db::new();
    let release = db.hold_writer();
    let engine = &db.store.engine;
    let write = |name: &'static str| {
        engine.begin_write(move |db| {
            db.execute("INSERT INTO \"user\" VALUES (?1, ?1, 0)", values![name])?;
            match name {
                "refused" => Err(StoreError::State("on purpose")),
                "panics" => panic!("on purpose"),
                _ => Ok(()),
            }
        })
    };
    let jobs = ["first", "refused", "second", "panics", "second", "third"].map(write);
    drop(release);
    let mut done = Vec::new();
    for job in jobs {
        done.push(job.done().await);
    }
    assert_eq!((&done[0], &done[2], &done[5]), (&Ok(()), &Ok(()), &Ok(())));
    assert_eq!(done[1], Err(StoreError::State("on purpose")));
    assert!(matches!(&done[3], Err(StoreError::Unavailable(why)) if why.contains("panicked")), "{done:?}");
    assert!(matches!(&done[4], Err(StoreError::Unavailable(_) | StoreError::Conflict(_))), "{done:?}");
    assert_eq!(db.rows("user"), 3);
    assert_eq!(db.number("SELECT count(*) FROM \"user\" WHERE name IN ('first', 'second', 'third')"), 3);
}

#[tokio::test]
async fn a_panicking_read_ends_only_itself() {
    let db = Db::new();
    let reading = db.store.engine.read(|_| -> Result<(), StoreError> { panic!("on purpose") });
    assert!(matches!(reading.await, Err(StoreError::Unavailable(_))));
    for _ in 0..8 {
        db.store.probe().await.unwrap(); // every reader is alive
    }
}

#[tokio::test]
async fn readers_cannot_write() {
    let db = Db::new();
    let read = |db: &Connection| db.execute("DELETE FROM audit", &[]);
    assert!(matches!(db.store.engine.read(read).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_finishes_accepted_jobs() {
    let db = Db::new();
    let release = db.hold_writer();
    let mut taken = Vec::new();
    let mut refused = 0;
    for i in 0..5000 {
        let write =
            move |db: &Connection| db.execute("INSERT INTO \"user\" VALUES (?1, ?1, 0)", values![i.to_string()]);
        taken.push(db.store.engine.begin_write(write));
    }
    drop(release);
    for job in taken {
        match job.done().await {
            Ok(rows) => assert_eq!(rows, 1),
            Err(StoreError::Unavailable(why)) if why.contains("too many") => refused += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(refused > 0);
    assert_eq!(db.rows("user"), 5000 - refused);
}
