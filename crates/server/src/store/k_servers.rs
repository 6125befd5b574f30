//! K_SERVERs: new runs take the newest that is in use, sessions finish with theirs, retired or not.

use std::sync::Arc;

use dskpp_crypto::Secret;
use serde_json::json;

use super::columns::{Columns, Row, readable};
use super::db::{Connection, values};
use super::{Store, StoreError, audit, read_setting, rows};
use crate::model::clock::now;
use crate::store::seal::Kek;

/// Seconds for which a retired K_SERVER stays: sessions last for a day at most, and a server that the database does not
/// reach may begin some for a while.
const KEPT_S: i64 = 2 * 86_400;
/// The setting that decides which server makes the first one. Earlier versions have no other.
const FIRST: &str = "k_server";

/// A K_SERVER as the store has it.
#[derive(Clone, Debug)]
pub(crate) struct StoredKServer {
    /// See [`KServer::id`](crate::setup::k_servers::KServer).
    pub id: String,
    /// PKCS #8.
    pub key: Secret,
    /// In seconds since 1970, as all times.
    pub created_at: i64,
    /// `None`: in use.
    pub retired_at: Option<i64>,
}

impl StoredKServer {
    /// Whether no session can need it any more.
    fn is_over(&self, at: i64) -> bool {
        self.retired_at.is_some_and(|retired_at| retired_at < at - KEPT_S)
    }
}

impl Store {
    /// Those that can be read, in the order in which they were made. Deletes what no session can need any more.
    pub(crate) async fn k_servers(&self) -> Result<Vec<StoredKServer>, StoreError> {
        let kek = Arc::clone(&self.kek);
        let (mut stored, at) = (self.engine.read(move |db| load(db, &kek)).await?, now());
        if stored.iter().any(|k_server| k_server.is_over(at)) {
            let kek = Arc::clone(&self.kek);
            self.engine.write(move |db| forget(db, &kek, at)).await?;
            stored.retain(|k_server| !k_server.is_over(at));
        }
        Ok(stored)
    }

    /// The key of the first one, where there is none yet: this one, or another server's that was faster.
    pub(crate) async fn claim_first_k_server(&self, key: Secret) -> Result<Secret, StoreError> {
        self.set_setting_once(FIRST, key).await
    }

    /// The one that an earlier version made, or another server is about to put into the table.
    pub(crate) async fn first_k_server(&self) -> Result<Option<Secret>, StoreError> {
        self.setting(FIRST).await
    }

    /// Puts the first one into the table, unless there are some.
    pub(crate) async fn put_first_k_server(&self, id: String, key: Secret) -> Result<(), StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| match db.exists("SELECT 1 FROM k_server", &[])? {
            true => Ok(()),
            false => put(db, &kek, &id, &key, now()).map(drop),
        };
        self.engine.begin_repeatable(write).done().await
    }

    /// Adds one, which new runs take from then on.
    pub(crate) async fn add_k_server(&self, id: String, key: Secret, by: String) -> Result<(), StoreError> {
        let kek = Arc::clone(&self.kek);
        let write = move |db: &Connection| {
            let newest = |row: &Row<'_>| Columns::of("k_server", row).get::<i64>(1);
            let newest =
                db.first("SELECT id, created_at FROM k_server ORDER BY created_at DESC LIMIT 1", &[], newest)?;
            let at = now();
            // Whose clock is behind adds the newest all the same.
            if put(db, &kek, &id, &key, newest.map_or(at, |newest| at.max(newest.saturating_add(1))))? == 0 {
                return Err(StoreError::Exists("this K_SERVER"));
            }
            audit::append(db, at, "k_server.added", &json!({ "k_server": id, "by": by }))
        };
        self.engine.write(write).await
    }

    /// Takes one out of use; sessions that were begun with it finish.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::State`] for the last one in use and one that is not in use.
    pub(crate) async fn retire_k_server(&self, id: &str, by: String) -> Result<(), StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            // One at a time: two that go at once see each other, so that one stays.
            db.execute("UPDATE k_server SET created_at = created_at", &[])?;
            let row = |row: &Row<'_>| {
                let row = Columns::of("k_server", row);
                Ok((row.get::<String>(0)?, row.time_if_any(1)?))
            };
            let all = db.rows("SELECT id, retired_at FROM k_server", &[], row)?;
            let all = all.into_iter().collect::<Result<Vec<_>, _>>()?;
            match all.iter().find(|(known, _)| *known == id) {
                None => return Err(StoreError::NotFound("K_SERVER")),
                Some((_, Some(_))) => return Err(StoreError::State("this K_SERVER is retired already")),
                Some((_, None)) if all.iter().filter(|(_, retired_at)| retired_at.is_none()).count() == 1 => {
                    return Err(StoreError::State("this is the last K_SERVER in use: add another one first"));
                }
                Some((_, None)) => {}
            }
            let at = now();
            db.execute("UPDATE k_server SET retired_at = ? WHERE id = ?", values![at, id])?;
            audit::append(db, at, "k_server.retired", &json!({ "k_server": id, "by": by }))
        };
        self.engine.write(write).await
    }
}

fn load(db: &Connection, kek: &Kek) -> Result<Vec<StoredKServer>, StoreError> {
    let sql = "SELECT id, sealed_key, created_at, retired_at FROM k_server ORDER BY created_at, id";
    let mut all = Vec::new();
    for row in db.rows(sql, &[], |row| rows::k_server(row, kek))? {
        all.extend(readable(row.map(Some))?);
    }
    Ok(all)
}

/// Gives 0 where it is there already.
fn put(db: &Connection, kek: &Kek, id: &str, key: &Secret, at: i64) -> Result<usize, StoreError> {
    let sealed = kek.seal("k_server", "sealed_key", id, key);
    let sql = "INSERT INTO k_server (id, sealed_key, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    db.execute(sql, values![id, sealed, at])
}

fn forget(db: &Connection, kek: &Kek, at: i64) -> Result<(), StoreError> {
    for StoredKServer { id, key, .. } in load(db, kek)?.into_iter().filter(|k_server| k_server.is_over(at)) {
        if db.execute("DELETE FROM k_server WHERE id = ?", values![id])? == 0 {
            continue; // another server was faster
        }
        if read_setting(db, kek, FIRST)?.is_some_and(|first| first == key) {
            db.execute("DELETE FROM setting WHERE name = ?", values![FIRST])?;
        }
        audit::append(db, at, "k_server.deleted", &json!({ "k_server": id }))?;
    }
    Ok(())
}
