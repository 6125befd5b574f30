//! K_SERVERs: made once, one always in use, kept as long as a session can need them.

use super::*;
use crate::store::k_servers::StoredKServer;

fn key(number: u8) -> Secret {
    Secret::new(vec![number; 100])
}

impl Db {
    async fn add_k_server(&self, id: &str, number: u8) {
        self.store.add_k_server(id.into(), key(number), "test".into()).await.unwrap();
    }

    /// Those that the store has, with `-` behind retired ones.
    async fn k_servers(&self) -> Vec<String> {
        let name = |stored: StoredKServer| match stored.retired_at {
            None => stored.id,
            Some(_) => stored.id + "-",
        };
        self.store.k_servers().await.unwrap().into_iter().map(name).collect()
    }
}

#[tokio::test]
async fn the_first_is_made_once_whichever_server_comes_first() {
    let db = Db::new();
    let starts = (0..8).map(|number| {
        let store = if number % 2 == 0 { db.store.clone() } else { db.second() };
        async move {
            let claimed = store.claim_first_k_server(key(number)).await.unwrap();
            store.put_first_k_server(format!("of {}", claimed.expose()[0]), claimed).await
        }
    });
    assert!(futures_util::future::join_all(starts).await.iter().all(Result::is_ok));
    assert_eq!(db.k_servers().await.len(), 1);
}

#[tokio::test]
async fn the_newest_comes_last_whatever_the_clocks_say() {
    let db = Db::new();
    for (number, id) in ["c", "b", "a"].into_iter().enumerate() {
        db.add_k_server(id, number as u8).await;
    }
    assert_eq!(db.k_servers().await, ["c", "b", "a"]);
}

#[tokio::test]
async fn of_two_that_are_retired_at_once_one_stays() {
    let db = Db::new();
    let other = db.second();
    for round in 0..5 {
        let [a, b] = ["a", "b"].map(|name| format!("{name}{round}"));
        db.add_k_server(&a, round).await;
        db.add_k_server(&b, round).await;
        db.execute(&format!("UPDATE k_server SET retired_at = 1700000000 WHERE id NOT IN ('{a}', '{b}')"));
        let (one, two) = tokio::join!(db.store.retire_k_server(&a, "x".into()), other.retire_k_server(&b, "y".into()));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(db.k_servers().await.iter().filter(|id| !id.ends_with('-')).count(), 1);
    }
}

#[tokio::test]
async fn a_retired_one_is_deleted_when_no_session_can_need_it_and_its_setting_with_it() {
    let db = Db::new();
    db.store.claim_first_k_server(key(1)).await.unwrap();
    db.store.put_first_k_server("first".into(), key(1)).await.unwrap();
    db.add_k_server("second", 2).await;
    db.store.retire_k_server("first", "test".into()).await.unwrap();
    db.execute("UPDATE k_server SET retired_at = retired_at - 86400 WHERE retired_at IS NOT NULL");
    assert_eq!(db.k_servers().await, ["first-", "second"], "a session may last for a day");
    db.execute("UPDATE k_server SET retired_at = retired_at - 90000 WHERE retired_at IS NOT NULL");
    assert_eq!(db.k_servers().await, ["second"]);
    assert_eq!((db.rows("k_server"), db.events("k_server.deleted")), (1, 1));
    assert_eq!(db.store.setting("k_server").await, Ok(None), "nothing of it stays");
    db.store.put_first_k_server("third".into(), key(3)).await.unwrap();
    assert_eq!(db.k_servers().await, ["second"], "nobody makes a first one again");
}
