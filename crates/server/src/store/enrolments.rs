//! Enrolments: made by an administrator, found by a run, given out as triggers.

use std::sync::Arc;

use data_encoding::HEXUPPER;
use dskpp::server::DeviceRef;
use dskpp_crypto::{Random as _, Secret, Sha256, SystemRandom};
use serde_json::json;

use super::access::user_id;
use super::columns::{if_asked_for, value};
use super::db::{Bind as _, Connection, Reply, values};
use super::keys::key_by_id;
use super::rows::{self, ENROLMENT};
use super::stand_in::row_or_first;
use super::{Store, StoreError, audit, pending};
use crate::model::clock::now;
use crate::model::id::new_id;
use crate::model::{Activation, EnrolmentRecord, KeyState, KeyType, Location, Method, Params, TriggerAd, Variant};
use crate::store::seal::Kek;

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub(crate) struct NewEnrolment {
    /// The user's name; made if there is none.
    pub user: String,
    /// The type of the key.
    pub key_type: KeyType,
    /// Its parameters.
    pub params: Params,
    /// The variant, if one is fixed.
    pub variant: Option<Variant>,
    /// The protection methods of two-pass that are allowed.
    pub methods: Vec<Method>,
    /// The device that it is bound to.
    pub device: Option<DeviceRef>,
    /// The key that it renews.
    pub renews: Option<String>,
    /// The key in stock that it delivers.
    pub delivers: Option<String>,
    /// `KeyLocation` in its trigger.
    pub key_location: Option<Location>,
    /// `AlgorithmLocation` in its trigger.
    pub algorithm_location: Option<Location>,
    /// Seconds that it stays open.
    pub expires_in_s: u64,
    /// When the key becomes active.
    pub activate: Activation,
    /// The sinks that get it then.
    pub sinks: Vec<String>,
}

/// A new enrolment, with what is shown only now.
#[derive(Debug)]
pub(crate) struct Created {
    /// The record.
    pub enrolment: EnrolmentRecord,
    /// The last part of the trigger's URL.
    pub trigger_token: Secret,
}

/// The beginning of the id of an enrolment that a key's owner has asked for ([`Author::Owner`]); no other one has it.
pub(super) const OWNERS: &str = "own-";

/// Who asks for an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    /// An administrator.
    Operator,
    /// The user whose key it renews.
    Owner,
}

/// By what an enrolment is found.
#[derive(Clone, Copy)]
pub(super) enum By {
    Id,
    ClientId,
    TriggerToken,
}

impl By {
    /// The column that is compared.
    pub(super) fn column(self) -> &'static str {
        match self {
            By::Id => "id",
            By::ClientId => "client_id",
            By::TriggerToken => "trigger_token_hash",
        }
    }

    /// What stands in the place of a value that is not stored itself.
    fn hash_of(self, value: &str) -> Option<[u8; 32]> {
        matches!(self, By::TriggerToken).then(|| Sha256::digest(&[value.as_bytes()]))
    }
}

/// An enrolment of which more is asked. What is known of it already is not looked up again; what is on its way is found by
/// the same statement.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) by: By,
    pub(super) value: &'a str,
    /// What was found, once it is known.
    pub(super) found: Option<Option<&'a EnrolmentRecord>>,
}

impl<'a> Subject<'a> {
    /// The subject of a query for an enrolment, or nobody.
    pub(super) fn of((by, value): (By, &'a str), query: Option<&'a Reply<'_, Option<EnrolmentRecord>>>) -> Self {
        let found = match query {
            Some(query) => query.here().map(Option::as_ref),
            None => Some(None),
        };
        Subject { by, value, found }
    }

    /// A text of what was found, empty where there is none; `None` while it is not known.
    pub(super) fn known(&self, text: impl FnOnce(&'a EnrolmentRecord) -> Option<&'a str>) -> Option<&'a str> {
        self.found.map(|found| found.and_then(text).unwrap_or_default())
    }

    /// SQL for the text in a column: `?1` where it is known, else that of the enrolment that `?2` names.
    pub(super) fn sql(&self, column: &str) -> String {
        format!("coalesce(?1, (SELECT {column} FROM enrolment WHERE {} = ?2))", self.by.column())
    }
}

pub(super) const FROM: &str =
    "FROM enrolment e LEFT JOIN \"user\" u ON u.id = e.user_id LEFT JOIN device d ON d.id = e.device_id";

/// An enrolment as it is at that time.
pub(super) fn find<'a>(
    db: &'a Connection,
    kek: &'a Kek,
    by: By,
    value: &str,
    at: i64,
) -> Reply<'a, Option<EnrolmentRecord>> {
    let (hash, column) = (by.hash_of(value), by.column());
    let value = hash.as_ref().map_or(value.bind(), |hash| hash.bind());
    let row = row_or_first("enrolment", &format!("{column} = ?1"));
    let sql = format!("SELECT {ENROLMENT}, e.{column} = ?1 AS asked_for {FROM} WHERE e.id = {row}");
    db.send_query(&sql, &[value], if_asked_for(move |row| rows::enrolment(row, kek, at))).map(Option::flatten)
}

impl Store {
    /// Makes an enrolment with a new client ID and password.
    pub(crate) async fn create_enrolment(&self, new: NewEnrolment) -> Result<Created, StoreError> {
        let kek = Arc::clone(&self.kek);
        self.engine.write(move |db| create(db, &kek, &new, Author::Operator, now())).await
    }

    /// Makes enrolments in one transaction, in this order; what is wrong with one does not concern the others. At most
    /// some hundred.
    pub(crate) async fn create_enrolments(
        &self,
        new: Vec<NewEnrolment>,
    ) -> Result<Vec<Result<Created, StoreError>>, StoreError> {
        let kek = Arc::clone(&self.kek);
        self.engine.write_bulk(move |db| create_all(db, &kek, &new, now())).await
    }

    /// An enrolment by its identifier.
    pub(crate) async fn enrolment(&self, id: &str) -> Result<Option<EnrolmentRecord>, StoreError> {
        self.find_enrolment(By::Id, id).await
    }

    /// The enrolment that a trigger URL's last part stands for.
    pub(crate) async fn enrolment_by_trigger(&self, token: &str) -> Result<Option<EnrolmentRecord>, StoreError> {
        self.find_enrolment(By::TriggerToken, token).await
    }

    async fn find_enrolment(&self, by: By, value: &str) -> Result<Option<EnrolmentRecord>, StoreError> {
        let (kek, value) = (Arc::clone(&self.kek), value.to_owned());
        self.engine.read(move |db| find(db, &kek, by, &value, now()).wait()).await
    }

    /// Keeps the AD of a trigger, unless there is one; gives the one that is there afterwards.
    pub(crate) async fn keep_trigger(&self, enrolment: &str, ad: TriggerAd) -> Result<TriggerAd, StoreError> {
        let (kek, id) = (Arc::clone(&self.kek), enrolment.to_owned());
        let write = move |db: &Connection| {
            let sql = "UPDATE enrolment SET sealed_trigger = ?2 WHERE id = ?1 AND sealed_trigger IS NULL";
            db.execute(sql, values![id, rows::seal_trigger(&ad, &kek, &id)])?;
            let kept = find(db, &kek, By::Id, &id, now()).wait()?.and_then(|enrolment| enrolment.trigger);
            kept.ok_or(StoreError::NotFound("enrolment"))
        };
        self.engine.write(write).await
    }

    /// Takes an enrolment back, unless its key is in use: what waits for a first password goes with it.
    pub(crate) async fn revoke_enrolment(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_owned();
        let write = move |db: &Connection| {
            let sql = "UPDATE enrolment SET state = 'revoked' WHERE id = ? AND state IN ('open', 'provisioned')";
            if db.execute(sql, values![id])? == 0 {
                return Err(match db.exists("SELECT 1 FROM enrolment WHERE id = ?", values![id])? {
                    true => StoreError::State("the enrolment is used or revoked already"),
                    false => StoreError::NotFound("enrolment"),
                });
            }
            let at = now();
            pending::give_up(db, &id, at)?;
            audit::append(db, at, "enrolment.revoked", &json!({ "enrolment": id }))
        };
        self.engine.write(write).await
    }
}

/// Mostly all do well. Where one does not, all are undone and made again, so that it alone can be undone.
fn create_all(
    db: &Connection,
    kek: &Kek,
    new: &[NewEnrolment],
    at: i64,
) -> Result<Vec<Result<Created, StoreError>>, StoreError> {
    db.mark()?;
    let create = |new| create(db, kek, new, Author::Operator, at);
    let all: Result<Vec<_>, _> = new.iter().map(|new| create(new).map(Ok)).collect();
    if all.is_err() {
        db.undo()?;
    }
    db.unmark()?;
    match all {
        Err(why) if is_of_one(&why) => {}
        all => return all,
    }
    let apart = |new| {
        db.mark()?;
        let created = create(new);
        if created.is_err() {
            db.undo()?;
        }
        db.unmark()?;
        match created {
            Err(why) if !is_of_one(&why) => Err(why),
            created => Ok(created),
        }
    };
    new.iter().map(apart).collect()
}

/// Whether an error concerns what was asked for, and not the database.
fn is_of_one(why: &StoreError) -> bool {
    use StoreError::{Exists, NotFound, Row, Sealed, State};
    matches!(why, Exists(_) | NotFound(_) | Row(_) | Sealed(_) | State(_))
}

pub(super) fn create(
    db: &Connection,
    kek: &Kek,
    new: &NewEnrolment,
    author: Author,
    at: i64,
) -> Result<Created, StoreError> {
    let user = user_id(db, &new.user, at)?;
    let device = match &new.device {
        None => None,
        Some(DeviceRef { manufacturer, serial }) => {
            let sql = "SELECT key_name, id FROM device WHERE manufacturer = ? AND serial = ?";
            let id: Option<String> = value(db, "device", sql, values![manufacturer, serial])?;
            Some(id.ok_or(StoreError::NotFound("device"))?)
        }
    };
    if let Some(renews) = &new.renews {
        let renewed = key_by_id(db, renews)?.filter(|key| {
            key.user.as_ref() == Some(&new.user) && matches!(key.state, KeyState::Active | KeyState::Provisioned)
        });
        if renewed.ok_or(StoreError::NotFound("key of this user"))?.key_type != new.key_type {
            return Err(StoreError::State("the key to be renewed is of another type"));
        }
    }
    let params = match &new.delivers {
        Some(key) => Some(deliverable(db, key, new, at)?),
        None => None,
    };
    let mut subject = json!({ "user": new.user, "key_type": new.key_type });
    let id = match author {
        Author::Operator => new_id(),
        Author::Owner => {
            subject["renews"] = json!(new.renews);
            subject["by_user"] = json!(new.user);
            format!("{OWNERS}{}", new_id())
        }
    };
    subject["enrolment"] = json!(id);
    let client_id = free_client_id(db)?;
    let password = Secret::from(HEXUPPER.encode(SystemRandom.secret(8).expose()).into_bytes());
    let token = Secret::from(HEXUPPER.encode(SystemRandom.secret(16).expose()).into_bytes());
    let expires_at = at.saturating_add(i64::try_from(new.expires_in_s).unwrap_or(i64::MAX));
    let sql = "INSERT INTO enrolment (id, user_id, client_id, sealed_password, key_type, params, variant, methods, \
         device_id, renews, delivers, key_location, algorithm_location, state, activate, trigger_token_hash, \
         created_at, expires_at, sinks) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', ?, ?, ?, ?, ?)";
    db.execute(
        sql,
        values![
            id,
            user,
            client_id,
            kek.seal("enrolment", "sealed_password", &id, &password),
            new.key_type.as_str(),
            json!(params.as_ref().unwrap_or(&new.params)).to_string(),
            new.variant.map(Variant::as_str),
            json!(new.methods).to_string(),
            device,
            new.renews,
            new.delivers,
            new.key_location.map(Location::as_str),
            new.algorithm_location.map(Location::as_str),
            new.activate.as_str(),
            &Sha256::digest(&[token.expose()])[..],
            at,
            expires_at,
            json!(new.sinks).to_string()
        ],
    )?;
    audit::append(db, at, "enrolment.created", &subject)?;
    let enrolment = find(db, kek, By::Id, &id, at).wait()?.ok_or(StoreError::NotFound("enrolment"))?;
    Ok(Created { enrolment, trigger_token: token })
}

/// The parameters of a key that may be delivered to the enrolment's user: it has the right type, is in stock or in that
/// user's hands already, and is on its way to nobody else.
fn deliverable(db: &Connection, id: &str, new: &NewEnrolment, at: i64) -> Result<Params, StoreError> {
    let key = key_by_id(db, id)?.ok_or(StoreError::NotFound("key"))?;
    let is_free = match key.state {
        KeyState::Imported => true,
        KeyState::Active => key.user.as_ref() == Some(&new.user),
        _ => false,
    };
    if !is_free {
        return Err(StoreError::State("the key to be delivered is out of use, or belongs to somebody else"));
    }
    if key.key_type != new.key_type {
        return Err(StoreError::State("the key to be delivered is of another type"));
    }
    let sql = "SELECT 1 FROM enrolment WHERE delivers = ? AND state = 'open' AND expires_at > ?";
    if db.exists(sql, values![id, at])? {
        return Err(StoreError::State("another open enrolment delivers this key; revoke that first"));
    }
    Ok(key.params)
}

/// Eight hexadecimal characters that no enrolment has: short enough to type.
fn free_client_id(db: &Connection) -> Result<String, StoreError> {
    let sql = "SELECT 1 FROM enrolment WHERE client_id = ?";
    loop {
        let client_id = HEXUPPER.encode(&SystemRandom.bytes(4));
        if !db.exists(sql, values![client_id])? {
            return Ok(client_id);
        }
    }
}
