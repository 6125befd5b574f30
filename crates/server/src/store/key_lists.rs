//! Lists of keys with a filter. No index serves every filter, and the table is long: a page looks at so many keys and no
//! more, and may have fewer than were asked for, or none, and another page behind it.

use super::columns::{Columns, Page};
use super::db::{Connection, Row, values};
use super::keys::FROM;
use super::rows::{self, KEY};
use super::{Store, StoreError};
use crate::model::{KeyRecord, KeyState, KeyType};

/// Keys that a page looks at in a piece, and pieces.
const PIECE: i64 = 1000;
const PIECES: usize = 10;

/// Which keys are listed: those that fulfil everything that is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyFilter {
    /// The owner's name.
    pub user: Option<String>,
    /// The state.
    pub state: Option<KeyState>,
    /// The type.
    pub key_type: Option<KeyType>,
    /// Made at or after this time.
    pub since: Option<i64>,
    /// Made before this time.
    pub until: Option<i64>,
    /// Behind this identifier.
    pub after: Option<String>,
}

impl Store {
    /// Up to `limit` keys.
    pub(crate) async fn find_keys(&self, filter: KeyFilter, limit: usize) -> Result<Page<KeyRecord>, StoreError> {
        match filter {
            KeyFilter { user, state: None, key_type: None, since: None, until: None, after } => {
                self.keys(user, after, limit).await
            }
            filter => self.engine.read(move |db| filter.page(db, limit)).await,
        }
    }
}

impl KeyFilter {
    fn page(&self, db: &Connection, limit: usize) -> Result<Page<KeyRecord>, StoreError> {
        let (mut found, mut after) = (Vec::new(), self.after.clone().unwrap_or_default());
        for _ in 0..PIECES {
            let end = self.end_of_piece(db, &after)?;
            found.extend(self.piece(db, &after, end.as_deref(), limit + 1 - found.len())?);
            match end {
                Some(end) if found.len() <= limit => after = end,
                _ => return Page::of(found, limit, |key: &KeyRecord| &key.id),
            }
        }
        Ok(Page { next: Some(after), ..Page::of(found, limit, |key: &KeyRecord| &key.id)? })
    }

    /// The last key of the next piece; `None` for the last piece. A user's keys are few.
    fn end_of_piece(&self, db: &Connection, after: &str) -> Result<Option<String>, StoreError> {
        if self.user.is_some() {
            return Ok(None);
        }
        let sql = "SELECT id FROM key WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";
        db.first(sql, values![after, PIECE - 1], |row: &Row<'_>| Columns::of("key", row).get(0))
    }

    fn piece(
        &self,
        db: &Connection,
        after: &str,
        end: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Result<KeyRecord, StoreError>>, StoreError> {
        let KeyFilter { user, state, key_type, since, until, .. } = self;
        let scope = match user {
            Some(_) => "k.user_id = (SELECT id FROM \"user\" WHERE name = ?2) AND ?3 IS NULL",
            None => "?2 IS NULL AND k.id <= coalesce(?3, k.id)",
        };
        let sql = format!(
            "SELECT {KEY} {FROM} WHERE k.id > ?1 AND {scope} AND (?4 IS NULL OR k.state = ?4) \
             AND (?5 IS NULL OR k.key_type = ?5) AND k.created_at >= ?6 AND k.created_at < ?7 ORDER BY k.id LIMIT ?8"
        );
        let (state, key_type) = (state.map(KeyState::as_str), key_type.map(KeyType::as_str));
        let (since, until) = (since.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
        db.rows(&sql, values![after, user, end, state, key_type, since, until, limit as i64], rows::key)
    }
}
