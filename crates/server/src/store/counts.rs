//! How many keys and enrolments are in which state.
//!
//! Tables may have millions of rows, and other servers change them too, so they are counted page by page: a page takes a
//! few milliseconds, and other readings go between two pages.

use super::columns::{Columns, Row};
use super::db::{Connection, values};
use super::{Store, StoreError};
use crate::model::clock::now;
use crate::model::{EnrolmentState, KeyState};

/// Rows in a page.
const PAGE: usize = 1000;
/// The state of a row that cannot be read.
const UNREADABLE: &str = "unreadable";

/// Numbers of rows by the name of their state; every state is there.
pub(crate) type StateCounts = Vec<(&'static str, i64)>;

/// The state in a row at this time.
type StateOf = fn(&Row<'_>, i64) -> Result<&'static str, StoreError>;

impl Store {
    /// Keys by state. Takes about as long as reading the whole table.
    pub(crate) async fn count_keys(&self) -> Result<StateCounts, StoreError> {
        let sql = "SELECT id, state FROM key WHERE id > ?1 ORDER BY id LIMIT ?2";
        let state: StateOf = |row, _| Columns::of("key", row).parse(1, KeyState::from_name).map(KeyState::as_str);
        self.count(sql, KeyState::NAMES, state).await
    }

    /// Enrolments by state; the clock decides which have expired. Takes about as long as reading the whole table.
    pub(crate) async fn count_enrolments(&self) -> Result<StateCounts, StoreError> {
        let sql = "SELECT id, state, expires_at FROM enrolment WHERE id > ?1 ORDER BY id LIMIT ?2";
        let state: StateOf = |row, at| {
            let row = Columns::of("enrolment", row);
            Ok(match row.parse(1, EnrolmentState::from_name)? {
                EnrolmentState::Open if row.time(2)? <= at => EnrolmentState::Expired.as_str(),
                state => state.as_str(),
            })
        };
        self.count(sql, EnrolmentState::NAMES, state).await
    }

    async fn count(
        &self,
        sql: &'static str,
        names: &[&'static str],
        state: StateOf,
    ) -> Result<StateCounts, StoreError> {
        let mut counts: StateCounts = names.iter().chain([&UNREADABLE]).map(|name| (*name, 0)).collect();
        let mut after = String::new();
        loop {
            let page = move |db: &Connection| {
                let read = |row: &Row<'_>| {
                    let id: String = Columns::of("", row).get(0)?;
                    Ok((id, state(row, now()).unwrap_or(UNREADABLE)))
                };
                db.rows(sql, values![after, PAGE as i64], read)?.into_iter().collect::<Result<Vec<_>, _>>()
            };
            let rows = self.engine.read(page).await?;
            for (_, state) in &rows {
                counts.iter_mut().filter(|(name, _)| name == state).for_each(|(_, number)| *number += 1);
            }
            match rows.into_iter().nth(PAGE - 1) {
                Some((last, _)) => after = last,
                None => return Ok(counts),
            }
        }
    }
}
