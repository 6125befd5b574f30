//! Keys that end soon, and what is old. No index has the times at which keys end: they are found as rows are counted, page
//! by page between other readings.

use super::columns::{Columns, Row, readable};
use super::db::{Connection, values};
use super::keys::key_by_id;
use super::{Store, StoreError, audit};
use crate::model::clock::now;
use crate::model::{KeyRecord, KeyState};

/// Rows that are looked at in one reading.
const PAGE: usize = 1000;

/// What a look at some keys has found.
#[derive(Debug)]
pub(crate) struct ExpiringKeys {
    /// Those in use that end in that time.
    pub(crate) keys: Vec<KeyRecord>,
    /// Where the next look goes on; none at the end.
    pub(crate) next: Option<String>,
}

impl Store {
    /// Keys in use after the identifier `after` that end after now, and until that time; of at most `pages` times a
    /// thousand keys.
    pub(crate) async fn expiring_keys(
        &self,
        mut after: String,
        until: i64,
        pages: usize,
    ) -> Result<ExpiringKeys, StoreError> {
        let mut keys = Vec::new();
        for _ in 0..pages {
            let from = after.clone();
            let page = move |db: &Connection| {
                let at = now();
                let sql = "SELECT id, state, expires_at FROM key WHERE id > ?1 ORDER BY id LIMIT ?2";
                let read = |row: &Row<'_>| {
                    let row = Columns::of("key", row);
                    let state = row.parse(1, KeyState::from_name).unwrap_or(KeyState::Revoked);
                    let in_use = matches!(state, KeyState::Active | KeyState::Provisioned);
                    let ends =
                        row.time_if_any(2).unwrap_or(None).filter(|end| in_use && (at + 1..=until).contains(end));
                    Ok((row.get::<String>(0)?, ends.is_some()))
                };
                let rows = db.rows(sql, values![from, PAGE as i64], read)?;
                let rows = rows.into_iter().collect::<Result<Vec<_>, _>>()?;
                let mut found = Vec::new();
                for (id, _) in rows.iter().filter(|(_, ends)| *ends) {
                    found.extend(readable(key_by_id(db, id))?);
                }
                Ok((found, rows.into_iter().nth(PAGE - 1).map(|(id, _)| id)))
            };
            let (found, next) = self.engine.read(page).await?;
            keys.extend(found);
            match next {
                Some(next) => after = next,
                None => return Ok(ExpiringKeys { keys, next: None }),
            }
        }
        Ok(ExpiringKeys { keys, next: Some(after) })
    }

    /// Deletes enrolments that never made a key and whose codes ended before that time, some at a time; gives how many.
    /// Those that made a key are its history and stay.
    pub(crate) async fn forget_old_enrolments(&self, before: i64) -> Result<usize, StoreError> {
        const PIECE: usize = 200;
        let forget = move |db: &Connection| {
            let mut forgotten = 0;
            for state in ["open", "revoked"] {
                let sql = "SELECT id FROM enrolment WHERE state = ?1 AND state <> 'active' AND expires_at < ?2 \
                     AND key_id IS NULL ORDER BY expires_at, id LIMIT ?3";
                let id = |row: &Row<'_>| Columns::of("enrolment", row).get::<String>(0);
                let ids = db.rows(sql, values![state, before, PIECE as i64], id)?;
                for id in ids.into_iter().collect::<Result<Vec<_>, _>>()? {
                    for sql in [
                        "DELETE FROM wrong_try WHERE enrolment_id = ?",
                        "DELETE FROM refusal WHERE enrolment_id = ?",
                        "DELETE FROM enrolment WHERE id = ?",
                    ] {
                        db.execute(sql, values![id])?;
                    }
                    forgotten += 1;
                }
            }
            if forgotten > 0 {
                let subject = serde_json::json!({ "enrolments": forgotten, "expired_before": before });
                audit::append(db, now(), "enrolments.forgotten", &subject)?;
            }
            Ok(forgotten)
        };
        let mut all = 0;
        loop {
            let forgotten = self.engine.write_bulk(forget).await?;
            all += forgotten;
            if forgotten < PIECE {
                return Ok(all);
            }
        }
    }
}
