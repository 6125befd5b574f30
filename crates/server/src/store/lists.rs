//! Lists of users, enrolments, tokens and imports, page by page: each begins behind the last row of the one before it, in
//! the order of an index, so that a page costs its rows however long the table is.

use std::sync::Arc;

use super::columns::{Columns, Page, Placed, Row};
use super::db::{Connection, Value, values};
use super::enrolments::FROM;
use super::rows::{self, ENROLMENT, ENROLMENT_EXPIRES};
use super::{Store, StoreError};
use crate::model::clock::now;
use crate::model::{EnrolmentRecord, EnrolmentState, ImportEntry, TokenEntry, UserEntry};

/// Which enrolments are listed.
#[derive(Clone, Debug)]
pub(crate) enum EnrolmentFilter {
    /// Of the user of this name or of all, in this state, behind this identifier.
    OfUser { user: Option<String>, state: Option<EnrolmentState>, after: Option<String> },
    /// In this state, which is not [`EnrolmentState::Active`], in the order in which they expire: behind this time, and
    /// at that time behind this identifier.
    InState { state: EnrolmentState, after: Option<(i64, String)> },
}

/// How the database has a state: its name there, and after which and up to which time such an enrolment expires.
fn stored(state: EnrolmentState, at: i64) -> (&'static str, i64, i64) {
    match state {
        EnrolmentState::Open => (state.as_str(), at, i64::MAX),
        EnrolmentState::Expired => (EnrolmentState::Open.as_str(), i64::MIN, at),
        state => (state.as_str(), i64::MIN, i64::MAX),
    }
}

/// The rows that a query finds, each with what a page behind it begins behind: its first column.
fn rows_of<T>(
    db: &Connection,
    (table, sql): (&'static str, &str),
    values: &[Value<'_>],
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<Placed<T>>, StoreError> {
    let found = db.rows(sql, values, |row| Ok((Columns::of(table, row).get(0)?, read(row))))?;
    found.into_iter().collect()
}

/// What a page by expiry begins behind, after this enrolment.
fn place_by_expiry(row: &Row<'_>) -> Result<String, StoreError> {
    let row = Columns::of("enrolment", row);
    Ok(format!("x{}.{}", row.get::<i64>(ENROLMENT_EXPIRES)?, row.get::<String>(0)?))
}

/// The first text behind all that begin with `prefix`, octet by octet; `None` where there is none.
fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // The surrogates between are no characters.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            return Some(chars.into_iter().chain([next]).collect());
        }
    }
    None
}

impl Store {
    /// Up to `limit` users whose names begin with `prefix`, behind the name `after`.
    pub(crate) async fn users(
        &self,
        prefix: Option<String>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Page<UserEntry>, StoreError> {
        let read = move |db: &Connection| {
            let prefix = prefix.as_deref().unwrap_or_default();
            let (from, start) = match after.as_deref() {
                Some(after) if after >= prefix => (">", after),
                _ => (">=", prefix),
            };
            let end = behind(prefix);
            let upto = if end.is_some() { "name < ?2" } else { "?2 IS NULL" };
            let sql = format!(
                "SELECT name, id, created_at FROM \"user\" WHERE name {from} ?1 AND {upto} ORDER BY name LIMIT ?3"
            );
            let rows = rows_of(db, ("user", &sql), values![start, end, limit as i64 + 1], rows::user_entry)?;
            Page::along(rows, limit)
        };
        self.engine.read(read).await
    }

    /// Up to `limit` enrolments.
    pub(crate) async fn enrolments(
        &self,
        filter: EnrolmentFilter,
        limit: usize,
    ) -> Result<Page<EnrolmentRecord>, StoreError> {
        let kek = Arc::clone(&self.kek);
        let read = move |db: &Connection| {
            let at = now();
            let read = |row: &Row<'_>| rows::enrolment(row, &kek, at);
            match &filter {
                EnrolmentFilter::OfUser { user, state, after } => {
                    let (sql, (name, from, upto)) = of_user(user.is_some(), *state, at);
                    let after = after.as_deref().unwrap_or_default();
                    let limit_and_one = limit as i64 + 1;
                    let values = values![after, user, name, from, upto, limit_and_one];
                    Page::along(rows_of(db, ("enrolment", &sql), values, read)?, limit)
                }
                EnrolmentFilter::InState { state, after } => {
                    let (name, from, upto) = stored(*state, at);
                    let start = (from.saturating_add(i64::from(from > i64::MIN)), String::new());
                    let (time, id) = after.as_ref().map_or(&start, |after| after.max(&start));
                    let sql = format!(
                        "SELECT {ENROLMENT} {FROM} WHERE e.state = ?1 AND e.state <> 'active' \
                         AND (e.expires_at, e.id) > (?2, ?3) AND e.expires_at <= ?4 ORDER BY e.expires_at, e.id LIMIT ?5"
                    );
                    let read = |row: &Row<'_>| Ok((place_by_expiry(row)?, read(row)));
                    let found = db.rows(&sql, values![name, time, id, upto, limit as i64 + 1], read)?;
                    Page::along(found.into_iter().collect::<Result<_, StoreError>>()?, limit)
                }
            }
        };
        self.engine.read(read).await
    }

    /// Up to `limit` tokens behind the identifier `after`.
    pub(crate) async fn tokens(&self, after: Option<String>, limit: usize) -> Result<Page<TokenEntry>, StoreError> {
        let read = move |db: &Connection| {
            let sql = "SELECT id, name, roles, created_at FROM api_token WHERE id > ?1 ORDER BY id LIMIT ?2";
            let (after, limit_and_one) = (after.as_deref().unwrap_or_default(), limit as i64 + 1);
            let values = values![after, limit_and_one];
            Page::along(rows_of(db, ("api_token", sql), values, rows::token_entry)?, limit)
        };
        self.engine.read(read).await
    }

    /// Up to `limit` imports behind the identifier `after`.
    pub(crate) async fn imports(&self, after: Option<String>, limit: usize) -> Result<Page<ImportEntry>, StoreError> {
        let read = move |db: &Connection| {
            let sql = "SELECT id, done, accepted, duplicate, refused, created_at FROM import WHERE id > ?1 \
                 ORDER BY id LIMIT ?2";
            let (after, limit_and_one) = (after.as_deref().unwrap_or_default(), limit as i64 + 1);
            let values = values![after, limit_and_one];
            Page::along(rows_of(db, ("import", sql), values, rows::import_entry)?, limit)
        };
        self.engine.read(read).await
    }
}

/// The statement that lists enrolments in the order of their identifiers, and how the database has the state. A state is
/// only compared, never looked up: a user's enrolments are few, and come in this order from their index; of all, most are
/// active.
fn of_user(of_user: bool, state: Option<EnrolmentState>, at: i64) -> (String, (&'static str, i64, i64)) {
    let of_user = if of_user { "e.user_id = (SELECT id FROM \"user\" WHERE name = ?2)" } else { "?2 IS NULL" };
    let in_state = match state {
        Some(_) => "e.state || '' = ?3 AND e.expires_at > ?4 AND e.expires_at <= ?5",
        None => "?3 = '' AND ?4 <= ?5",
    };
    let sql = format!("SELECT {ENROLMENT} {FROM} WHERE e.id > ?1 AND {of_user} AND {in_state} ORDER BY e.id LIMIT ?6");
    (sql, state.map_or(("", 0, 0), |state| stored(state, at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_prefix_is_behind_all_that_begin_with_it() {
        for (prefix, expected) in [
            ("", None),
            ("al", Some("am")),
            ("a\u{10FFFF}", Some("b")),
            ("\u{10FFFF}\u{10FFFF}", None),
            ("\u{D7FF}", Some("\u{E000}")),
            ("é", Some("ê")),
        ] {
            assert_eq!(behind(prefix).as_deref(), expected, "{prefix}");
            if let Some(behind) = behind(prefix) {
                assert!(*behind > *prefix && *behind > *format!("{prefix}\u{10FFFF}z"), "{prefix}");
            }
        }
    }
}
