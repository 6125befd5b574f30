//! Keys that go out in a file, a page at a time.

use pskc::KeyPackage;
use serde_json::json;

use super::columns::{Columns, Row, if_asked_for, listed};
use super::db::{Connection, Reply, Value, values};
use super::enrolments::Subject;
use super::keys::{BY_USER, FROM};
use super::rows::{self, KEY};
use super::stand_in::row_or_first;
use super::{Store, StoreError, Unreadable, audit};
use crate::model::KeyRecord;
use crate::model::clock::now;
use crate::store::key_package::restore;

/// A key as it lies in the store.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// All but the secret.
    pub record: KeyRecord,
    pub(super) sealed_k_token: Vec<u8>,
    pub(super) sealed_package: Option<Vec<u8>>,
}

/// The key of an identifier.
pub(super) fn outgoing<'a>(db: &'a Connection, id: &str) -> Reply<'a, Option<Outgoing>> {
    find(db, "?1", values![id])
}

/// The key that an enrolment delivers.
pub(super) fn delivered<'a>(db: &'a Connection, enrolment: Subject<'_>) -> Reply<'a, Option<Outgoing>> {
    let key_id = enrolment.known(|enrolment| enrolment.delivers.as_deref());
    find(db, &enrolment.sql("delivers"), values![key_id, enrolment.value])
}

fn find<'a>(db: &'a Connection, id: &str, values: &[Value<'_>]) -> Reply<'a, Option<Outgoing>> {
    let at = row_or_first("key", &format!("id = {id}"));
    let sql =
        format!("SELECT {KEY}, k.sealed_k_token, k.sealed_package, k.id = {id} AS asked_for {FROM} WHERE k.id = {at}");
    db.send_query(&sql, values, if_asked_for(rows::outgoing)).map(Option::flatten)
}

/// Keys that are out of use stay: nobody who reads the file could tell.
const IN_USE: &str = "k.state NOT IN ('replaced', 'revoked')";

/// The keys after `?1`, of the user of the name `?2` or of all.
fn selection(of_user: bool) -> String {
    let of_user = if of_user { BY_USER } else { "?2 IS NULL" };
    format!("{FROM} WHERE k.id > ?1 AND {of_user} AND {IN_USE}")
}

impl Store {
    /// Writes into the audit trail that keys go out, of one user or all; gives how many there are now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] where there is none, which is not recorded.
    pub(crate) async fn begin_export(
        &self,
        user: Option<String>,
        protection: &'static str,
        by: String,
    ) -> Result<u64, StoreError> {
        let of_user = user.clone();
        // Counted by a reader: the table may be long, and the writer has others who wait.
        let count = move |db: &Connection| {
            let sql = format!("SELECT count(*) {}", selection(of_user.is_some()));
            let count = |row: &Row<'_>| Columns::of("key", row).get::<i64>(0);
            Ok(db.first(&sql, values!["", of_user], count)?.unwrap_or(0).unsigned_abs())
        };
        let count = match self.engine.read(count).await? {
            0 => return Err(StoreError::NotFound("key to export")),
            count => count,
        };
        let write = move |db: &Connection| {
            let subject = json!({ "count": count, "user": user, "protection": protection, "by": by });
            audit::append(db, now(), "keys.exported", &subject)
        };
        self.engine.write(write).await?;
        Ok(count)
    }

    /// Up to `limit` keys after the identifier `after`, in the order of identifiers, and those that cannot be read.
    pub(crate) async fn export_page(
        &self,
        user: Option<String>,
        after: String,
        limit: usize,
    ) -> Result<Vec<Result<Outgoing, Unreadable>>, StoreError> {
        let read = move |db: &Connection| {
            let sql = format!(
                "SELECT {KEY}, k.sealed_k_token, k.sealed_package {} ORDER BY k.id LIMIT ?3",
                selection(user.is_some())
            );
            db.rows(&sql, values![after, user, limit as i64], rows::outgoing)?.into_iter().map(listed).collect()
        };
        self.engine.read(read).await
    }

    /// Opens a key of a page: its package with the secret in the clear. Computes, on the caller's thread.
    pub(crate) fn package(&self, key: &Outgoing) -> Result<KeyPackage, StoreError> {
        let id = &key.record.id;
        let secret = self.kek.open("key", "sealed_k_token", id, &key.sealed_k_token)?;
        let package = key.sealed_package.as_ref().map(|sealed| self.kek.open("key", "sealed_package", id, sealed));
        let package = package.transpose()?;
        restore(&key.record, package.as_ref().map(|package| package.expose()), secret)
            .ok_or_else(|| Unreadable { table: "key", column: "sealed_package".into(), row: id.clone() }.into())
    }
}
