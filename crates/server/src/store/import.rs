//! Keys that come in a file, a batch at a time.

mod taken;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use dskpp_api::{RejectedKey, Rejection};
use serde_json::json;

use super::access::{create_user, user_by_name};
use super::db::{Connection, values};
use super::{Store, StoreError, audit, rows};
use crate::model::clock::now;
use crate::model::id::IdSequence;
use crate::model::{KeyState, KeyType, Params};
use crate::store::key_package::{Elements, Taken};
use crate::store::seal::{ColumnSealer, Kek};
use taken::Put;

/// Of an import, as many rejected keys are remembered.
const MOST_TOLD: usize = 1000;

/// A key that is ready to be stored.
#[derive(Debug)]
pub(crate) struct ImportedKey {
    /// Which package of the file it is, from 0.
    pub index: u64,
    id: String,
    user: Option<String>,
    key_type: KeyType,
    params: Params,
    sealed_k_token: Vec<u8>,
    sealed_package: Vec<u8>,
    counter: i64,
    last_step: Option<i64>,
    drift: i64,
    device: Option<(String, String)>,
    start_at: Option<i64>,
    expires_at: Option<i64>,
    uses_left: Option<i64>,
    secret_len: usize,
}

impl ImportedKey {
    fn rejected(&self, kind: Rejection, reason: Option<Cow<'static, str>>) -> RejectedKey {
        RejectedKey { index: self.index, key_id: self.id.clone(), kind, reason: reason.map(Cow::into_owned) }
    }
}

/// A piece of a file; its keys stand in the order of their packages.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The import that it belongs to.
    pub import: String,
    /// The index of its first package.
    pub first: u64,
    /// The index after its last package.
    pub end: u64,
    /// What can be stored.
    pub keys: Vec<ImportedKey>,
    /// What cannot.
    pub refused: Vec<RejectedKey>,
    /// Who sent it.
    pub by: String,
}

/// Packages in one transaction: other writes wait for no more than these.
const SLICE: u64 = 1000;

impl Batch {
    /// Takes the next slice off its beginning; the last one is all that is left.
    fn slice(&mut self) -> Batch {
        let end = self.end.min(self.first.saturating_add(SLICE));
        let keys = self.keys.partition_point(|key| key.index < end);
        let refused = self.refused.partition_point(|key| key.index < end);
        let slice = Batch {
            import: self.import.clone(),
            first: self.first,
            end,
            keys: self.keys.drain(..keys).collect(),
            refused: self.refused.drain(..refused).collect(),
            by: self.by.clone(),
        };
        self.first = end;
        slice
    }
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchDone {
    /// How many keys are stored.
    pub accepted: u64,
    /// Keys whose `Id` was there already; nothing of them was changed.
    pub duplicate: Vec<RejectedKey>,
    /// Keys that cannot be stored.
    pub refused: Vec<RejectedKey>,
    /// The index of the first package that has not been dealt with.
    pub done: u64,
}

/// How far an import has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The index of the first package that has not been dealt with.
    pub done: u64,
    /// Keys that were stored.
    pub accepted: u64,
    /// Keys whose `Id` was there already.
    pub duplicate: u64,
    /// Keys that cannot be stored.
    pub refused: u64,
    /// Which keys were there already or cannot be stored, and why: the first [`MOST_TOLD`], as JSON objects.
    pub rejected: Vec<RejectedKey>,
}

/// Makes keys ready to be stored, on the caller's thread: the writer has enough to do.
pub(crate) struct Sealer<'a> {
    k_token: ColumnSealer<'a>,
    package: ColumnSealer<'a>,
    elements: Elements,
}

impl Sealer<'_> {
    /// Seals the key of that package of the file.
    pub(crate) fn seal(&mut self, index: u64, taken: Taken) -> ImportedKey {
        let Taken { id, user, secret, package, key_type, params, counter, last_step, drift, device, .. } = taken;
        ImportedKey {
            index,
            sealed_k_token: self.k_token.seal(&id, secret.expose()),
            sealed_package: self.package.seal(&id, self.elements.write(&package)),
            id,
            user,
            key_type,
            params,
            counter,
            last_step,
            drift,
            device,
            start_at: taken.start_at,
            expires_at: taken.expires_at,
            uses_left: taken.uses_left,
            secret_len: secret.len(),
        }
    }
}

impl Store {
    /// For the keys of a batch.
    pub(crate) fn sealer(&self) -> Sealer<'_> {
        Sealer {
            k_token: self.kek.column("key", "sealed_k_token"),
            package: self.kek.column("key", "sealed_package"),
            elements: Elements::new(),
        }
    }

    /// Stores a batch, slice by slice: each together with the progress of its import, or not at all. Where one fails,
    /// those before it stay, and the import goes on behind them.
    ///
    /// # Errors
    /// [`StoreError::ImportDone`] where the import has come further than a slice's beginning.
    pub(crate) async fn import(&self, mut batch: Batch) -> Result<BatchDone, StoreError> {
        let mut all = BatchDone::default();
        loop {
            let (kek, slice) = (Arc::clone(&self.kek), batch.slice());
            let BatchDone { accepted, duplicate, refused, done } =
                self.engine.write_bulk(move |db| import(db, &kek, &slice, now())).await?;
            all.accepted += accepted;
            all.duplicate.extend(duplicate);
            all.refused.extend(refused);
            all.done = done;
            if batch.first == batch.end {
                return Ok(all);
            }
        }
    }

    /// How far an import has come.
    pub(crate) async fn import_progress(&self, id: String) -> Result<Option<Progress>, StoreError> {
        self.engine.read(move |db| progress_of(db, &id)).await
    }
}

pub(super) fn progress_of(db: &Connection, id: &str) -> Result<Option<Progress>, StoreError> {
    let sql = "SELECT id, done, accepted, duplicate, refused, rejected FROM import WHERE id = ?";
    db.first(sql, values![id], rows::progress)
}

fn import(db: &Connection, kek: &Kek, batch: &Batch, at: i64) -> Result<BatchDone, StoreError> {
    let &Batch { ref import, first, end, ref keys, ref refused, ref by } = batch;
    let before = progress_of(db, import)?.unwrap_or_default();
    if first < before.done {
        return Err(StoreError::ImportDone { done: before.done });
    }
    let mut writing = Writing { db, kek, at, users: HashMap::new(), ids: IdSequence::new() };
    let (mut duplicate, mut refused) = (Vec::new(), refused.clone());
    let mut accepted = 0;
    for key in keys {
        match writing.put(key)? {
            Put::Stored => accepted += 1,
            Put::Duplicate(reason) => duplicate.push(key.rejected(Rejection::Duplicate, reason)),
            Put::Other(reason) => refused.push(key.rejected(Rejection::Refused, Some(reason))),
        }
    }
    refused.sort_by_key(|key| key.index);
    let mut told = before.rejected.clone();
    let rejected = duplicate.iter().chain(&refused).cloned();
    told.extend(rejected.take(MOST_TOLD.saturating_sub(told.len())));
    let progress = Progress {
        done: end,
        accepted: before.accepted + accepted,
        duplicate: before.duplicate + duplicate.len() as u64,
        refused: before.refused + refused.len() as u64,
        rejected: told,
    };
    keep_progress(db, import, before.done, &progress, at)?;
    let subject = json!({
        "import": import,
        "first": first,
        "done": end,
        "accepted": accepted,
        "duplicate": duplicate.len(),
        "refused": refused.len(),
        "by": by,
    });
    audit::append(db, at, "keys.imported", &subject)?;
    Ok(BatchDone { accepted, duplicate, refused, done: end })
}

fn keep_progress(db: &Connection, import: &str, before: u64, progress: &Progress, at: i64) -> Result<(), StoreError> {
    let Progress { done, accepted, duplicate, refused, rejected } = progress;
    let sql = "INSERT INTO import (id, done, accepted, duplicate, refused, created_at, rejected) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         ON CONFLICT (id) DO UPDATE SET done = excluded.done, accepted = excluded.accepted, \
         duplicate = excluded.duplicate, refused = excluded.refused, rejected = excluded.rejected \
         WHERE import.done = ?8";
    let [done, accepted, duplicate, refused, before] =
        [*done, *accepted, *duplicate, *refused, before].map(|number| number as i64);
    let rejected = json!(rejected).to_string();
    match db.execute(sql, values![import, done, accepted, duplicate, refused, at, rejected, before])? {
        0 => Err(StoreError::Conflict("the same import goes on elsewhere".into())),
        _ => Ok(()),
    }
}

/// A batch on its way into the tables.
struct Writing<'a> {
    db: &'a Connection,
    kek: &'a Kek,
    at: i64,
    /// Identifiers by names, as far as they are known.
    users: HashMap<String, String>,
    ids: IdSequence,
}

impl Writing<'_> {
    /// Stores a key, unless its `Id` is taken.
    fn put(&mut self, key: &ImportedKey) -> Result<Put, StoreError> {
        let user = match &key.user {
            None => None,
            Some(name) => match self.user(name)? {
                // Nobody becomes a user by a key that is not stored.
                None if self.is_there(key)? => return self.taken(key),
                None => Some(self.create_user(name)?),
                known => known,
            },
        };
        let k_token = self.sealed_now(&key.id, "sealed_k_token", &key.sealed_k_token)?;
        let package = self.sealed_now(&key.id, "sealed_package", &key.sealed_package)?;
        let state = if user.is_some() { KeyState::Active } else { KeyState::Imported };
        let device = key.device.as_ref();
        let sql = "INSERT INTO key (id, user_id, key_type, params, sealed_k_token, state, counter, last_step, drift, \
             created_at, sealed_package, manufacturer, serial, start_at, expires_at, uses_left) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let changed = self.db.execute(
            sql,
            values![
                key.id,
                user,
                key.key_type.as_str(),
                json!(key.params).to_string(),
                &*k_token,
                state.as_str(),
                key.counter,
                key.last_step,
                key.drift,
                self.at,
                &*package,
                device.map(|(manufacturer, _)| manufacturer),
                device.map(|(_, serial)| serial),
                key.start_at,
                key.expires_at,
                key.uses_left
            ],
        )?;
        match changed {
            0 => self.taken(key),
            _ => Ok(Put::Stored),
        }
    }

    /// A value of a key under the key-encryption key that seals now: it was sealed before this transaction.
    fn sealed_now<'b>(&self, id: &str, column: &'static str, sealed: &'b [u8]) -> Result<Cow<'b, [u8]>, StoreError> {
        let anew = match self.kek.is_alone() {
            true => None,
            false => self.kek.reseal("key", column, id, sealed)?,
        };
        Ok(anew.map_or(Cow::Borrowed(sealed), Cow::Owned))
    }

    fn is_there(&self, key: &ImportedKey) -> Result<bool, StoreError> {
        self.db.exists("SELECT 1 FROM key WHERE id = ?", values![key.id])
    }

    /// The identifier of a user, if there is one of that name.
    fn user(&mut self, name: &str) -> Result<Option<String>, StoreError> {
        if let Some(id) = self.users.get(name) {
            return Ok(Some(id.clone()));
        }
        let found = user_by_name(self.db, name)?;
        self.users.extend(found.iter().map(|id| (name.to_owned(), id.clone())));
        Ok(found)
    }

    fn create_user(&mut self, name: &str) -> Result<String, StoreError> {
        let id = match create_user(self.db, self.ids.next(), name, self.at) {
            // Another server was faster.
            Err(StoreError::Exists(_)) => user_by_name(self.db, name)?.ok_or(StoreError::NotFound("user"))?,
            created => created?,
        };
        self.users.insert(name.to_owned(), id.clone());
        Ok(id)
    }
}
