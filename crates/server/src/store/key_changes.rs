//! Changes of keys that operators make: out of use for a while, a label, another owner, and many revoked at once.

use serde_json::json;

use super::access::user_id;
use super::columns::Columns;
use super::db::{Connection, Row, values};
use super::keys::{key_by_id, revoke};
use super::{Store, StoreError, audit, outbox, pending};
use crate::model::clock::now;
use crate::model::{DeliveryOperation, KeyRecord, KeyState, KeyType};

/// What changes of a key.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyChange {
    /// What operators call it; nothing more, if that is given as none.
    pub label: Option<Option<String>>,
    /// The name of its owner, who is made if there is none.
    pub user: Option<String>,
}

/// Which keys are revoked together: those that fulfil everything that is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeysToRevoke {
    /// The owner's name.
    pub user: Option<String>,
    /// The device's manufacturer and serial number.
    pub device: Option<(String, String)>,
    /// The type.
    pub key_type: Option<KeyType>,
    /// The state.
    pub state: Option<KeyState>,
    /// Made at or after this time.
    pub since: Option<i64>,
    /// Made before this time.
    pub until: Option<i64>,
}

/// Keys that are looked at, and at most revoked, in one transaction: other writes wait for no more than these.
const PIECE: usize = 250;

impl Store {
    /// Takes a key out of use until it is enabled again.
    pub(crate) async fn disable_key(&self, id: &str, by: &str) -> Result<KeyRecord, StoreError> {
        self.switch(id, by, (KeyState::Active, KeyState::Disabled), "only a key in use can be disabled").await
    }

    /// Puts a disabled key in use again.
    pub(crate) async fn enable_key(&self, id: &str, by: &str) -> Result<KeyRecord, StoreError> {
        self.switch(id, by, (KeyState::Disabled, KeyState::Active), "only a disabled key can be enabled").await
    }

    async fn switch(
        &self,
        id: &str,
        by: &str,
        (from, to): (KeyState, KeyState),
        otherwise: &'static str,
    ) -> Result<KeyRecord, StoreError> {
        let (id, by) = (id.to_owned(), by.to_owned());
        let write = move |db: &Connection| {
            let sql = "UPDATE key SET state = ?2 WHERE id = ?1 AND state = ?3";
            if db.execute(sql, values![id, to.as_str(), from.as_str()])? == 0 {
                key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))?;
                return Err(StoreError::State(otherwise));
            }
            let (at, key) = (now(), key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))?);
            let event = match to {
                KeyState::Disabled => {
                    outbox::requeue(db, &id, DeliveryOperation::Delete, at)?;
                    "key.disabled"
                }
                _ => {
                    outbox::take_again(db, &id, at)?;
                    "key.enabled"
                }
            };
            audit::append(db, at, event, &json!({ "key": id, "by": by }))?;
            Ok(key)
        };
        self.engine.write(write).await
    }

    /// Changes a key's label or owner. A renewal for the former owner whose key waits for its first password goes.
    pub(crate) async fn change_key(&self, id: &str, change: KeyChange, by: &str) -> Result<KeyRecord, StoreError> {
        let (id, by) = (id.to_owned(), by.to_owned());
        let write = move |db: &Connection| {
            let (at, KeyChange { label, user }) = (now(), &change);
            let key = key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))?;
            let mut subject = json!({ "key": id, "by": by });
            if let Some(label) = label {
                db.execute("UPDATE key SET label = ?2 WHERE id = ?1", values![id, label])?;
                subject["label"] = json!(label);
            }
            if let Some(user) = user {
                if !matches!(key.state, KeyState::Active | KeyState::Disabled) {
                    return Err(StoreError::State("only a key that is in use, or disabled, can change its owner"));
                }
                let owner = user_id(db, user, at)?;
                let sql = "UPDATE key SET user_id = ?2 WHERE id = ?1 AND state = ?3";
                if db.execute(sql, values![id, owner, key.state.as_str()])? == 0 {
                    return Err(StoreError::Conflict("the key was revoked meanwhile".into()));
                }
                pending::forget(db, &id)?;
                outbox::requeue(db, &id, DeliveryOperation::Put, at)?;
                subject["user"] = json!(user);
            }
            audit::append(db, at, "key.changed", &subject)?;
            key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))
        };
        self.engine.write(write).await
    }

    /// Revokes keys, piece by piece; gives how many. Where a piece fails, those before it stay revoked.
    pub(crate) async fn revoke_keys(&self, wanted: KeysToRevoke, by: &str) -> Result<u64, StoreError> {
        let (mut after, mut all) = (String::new(), 0);
        loop {
            let (wanted, by, from) = (wanted.clone(), by.to_owned(), after.clone());
            let write = move |db: &Connection| {
                let (found, next) = wanted.piece(db, &from)?;
                let at = now();
                let mut revoked = 0;
                for id in &found {
                    revoked += u64::from(revoke(db, id, Some(&by), at)?);
                }
                Ok((revoked, next))
            };
            let (revoked, next) = self.engine.write_bulk(write).await?;
            all += revoked;
            match next {
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }
}

impl KeysToRevoke {
    /// Those among the next keys that are to be revoked, and behind which identifier the search goes on.
    fn piece(&self, db: &Connection, after: &str) -> Result<(Vec<String>, Option<String>), StoreError> {
        let KeysToRevoke { user, device, key_type, state, since, until } = self;
        let (manufacturer, serial) = device.as_ref().map(|(manufacturer, serial)| (manufacturer, serial)).unzip();
        let id = |row: &Row<'_>| Columns::of("key", row).get::<String>(0);
        // A user's or a registered device's keys come from an index. Of all, a piece is looked at.
        let (scope, end) = match (user, device) {
            (Some(_), _) => ("k.user_id = (SELECT id FROM \"user\" WHERE name = ?2) AND ?3 IS NULL", None),
            _ => {
                let sql = "SELECT id FROM key WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";
                let end = db.first(sql, values![after, 4 * PIECE as i64 - 1], id)?;
                ("?2 IS NULL AND k.id <= coalesce(?3, k.id)", end)
            }
        };
        let sql = format!(
            "SELECT k.id FROM key k LEFT JOIN device d ON d.id = k.device_id WHERE k.id > ?1 AND {scope} \
             AND k.state <> 'revoked' AND (?4 IS NULL OR coalesce(d.manufacturer, k.manufacturer) = ?4) \
             AND (?5 IS NULL OR coalesce(d.serial, k.serial) = ?5) AND (?6 IS NULL OR k.key_type = ?6) \
             AND (?7 IS NULL OR k.state = ?7) AND k.created_at >= ?8 AND k.created_at < ?9 ORDER BY k.id LIMIT ?10"
        );
        let (since, until) = (since.unwrap_or(i64::MIN), until.unwrap_or(i64::MAX));
        let (key_type, state) = (key_type.map(KeyType::as_str), state.map(KeyState::as_str));
        let values = values![after, user, end, manufacturer, serial, key_type, state, since, until, PIECE as i64];
        let found = db.rows(&sql, values, id)?.into_iter().collect::<Result<Vec<_>, _>>()?;
        let next = if found.len() == PIECE { found.last().cloned() } else { end };
        Ok((found, next))
    }
}
