//! Refused runs of enrolments: wrong tries by address, and how many refusals there were in an hour.
//!
//! One rule holds for wrong codes and for wrong first passwords: after [`StorePolicy::lock_after`] wrong tries from one
//! address, and after each further one, nothing is accepted from there for [`LOCK_S`]. Other addresses are not
//! affected, and the lock ends by itself.

use std::collections::{BTreeMap, HashMap};

use serde_json::json;

use super::columns::{listed, readable, value};
use super::db::{Connection, Reply, values};
use super::engine::Pending;
use super::enrolments::Subject;
use super::{Store, StoreError, StorePolicy, audit, guesses, rows};
use crate::model::clock::now;
use crate::model::{Cause, TriesRecord};

/// Seconds for which a lock holds.
pub(crate) const LOCK_S: i64 = 15 * 60;
/// Seconds after which the wrong tries of an address are forgotten, counted from the last one.
const MEMORY_S: i64 = 24 * 3600;
/// Addresses of one enrolment whose wrong tries are counted; one more, and the one that was quiet longest goes.
pub(crate) const MAX_ADDRESSES: usize = 16;
/// The most that is counted: beyond it, and below 0, a count is damaged, and stays as it is.
const MOST: u32 = u32::MAX;
const HOUR_S: i64 = 3600;

/// The "address" of first passwords: applications show them to the API, and their addresses say nothing of the user.
pub(super) const FIRST_PASSWORD: &str = "first password";

/// Refused runs of one enrolment since they were last written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tries {
    /// How many.
    pub refused: u32,
    /// Why the last one was.
    pub cause: Cause,
    /// Wrong codes among them: address and number, oldest first.
    pub wrong: Vec<(String, u32)>,
}

/// An address from which nothing is accepted for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locked {
    /// Of this enrolment.
    pub enrolment: String,
    /// Whose it is.
    pub user: String,
    /// The address.
    pub address: String,
}

impl Store {
    /// Counts refused runs by their enrolments; tells which addresses are locked now.
    pub(crate) fn count_tries(&self, tries: HashMap<String, Tries>) -> Pending<Vec<Locked>> {
        let policy = self.policy;
        let tries = BTreeMap::from_iter(tries); // in one order on all servers, or they lock each other's rows crosswise
        self.engine.begin_write(move |db| {
            let mut locked = Vec::new();
            for (enrolment, tries) in &tries {
                locked.extend(count(db, enrolment, tries, &policy, now())?);
            }
            Ok(locked)
        })
    }

    /// What is known of an enrolment's refused runs.
    pub(crate) async fn tries_of(&self, enrolment: &str) -> Result<TriesRecord, StoreError> {
        let (enrolment, lock_after) = (enrolment.to_owned(), self.policy.lock_after);
        self.engine.read(move |db| tries_of(db, &enrolment, lock_after, now())).await
    }

    /// Puts hours that are over into the audit trail, and forgets old wrong tries.
    pub(crate) async fn settle_tries(&self) -> Result<(), StoreError> {
        self.engine.write(|db| settle(db, now())).await
    }
}

/// Whether nothing is accepted for an enrolment from an address now. One lookup, whether there is such an enrolment or not
/// (profile P16).
pub(super) fn is_locked<'a>(
    db: &'a Connection,
    subject: Subject<'_>,
    address: &str,
    policy: &'a StorePolicy,
    at: i64,
) -> Reply<'a, bool> {
    let sql = format!(
        "SELECT enrolment_id, address, count, at FROM wrong_try WHERE enrolment_id = coalesce({}, '') AND address = ?3",
        subject.sql("id")
    );
    let id = subject.known(|enrolment| Some(&enrolment.id));
    let tries = db.send_query(&sql, values![id, subject.value, address], move |row| {
        rows::wrong_tries(row, policy.lock_after, at)
    });
    tries.then(|tries| Ok(readable(tries)?.is_some_and(|tries| tries.locked_until.is_some())))
}

/// Counts an enrolment's refused runs.
pub(super) fn count(
    db: &Connection,
    enrolment: &str,
    tries: &Tries,
    policy: &StorePolicy,
    at: i64,
) -> Result<Vec<Locked>, StoreError> {
    let Tries { refused, cause, wrong } = tries;
    count_in_hour(db, enrolment, *refused, *cause, at)?;
    let mut locked = Vec::new();
    for (address, number) in wrong {
        let put = "INSERT INTO wrong_try (enrolment_id, address, count, at) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (enrolment_id, address) DO UPDATE SET at = ?4, \
             count = CASE WHEN wrong_try.at <= ?4 - ?5 THEN ?3 WHEN wrong_try.count > ?6 - ?3 THEN ?6 \
             ELSE wrong_try.count + ?3 END \
             WHERE wrong_try.count BETWEEN 0 AND ?6 RETURNING enrolment_id, address, count, at";
        let values = values![enrolment, address, number, at, MEMORY_S, MOST];
        let Some(tries) = db.first(put, values, |row| rows::wrong_tries(row, policy.lock_after, at))? else {
            tracing::error!(enrolment, address, "the count of wrong codes is damaged: it goes with its last day");
            continue;
        };
        if tries.locked_until.is_some()
            && let Some(user) = user_of(db, enrolment)?
        {
            locked.push(Locked { enrolment: enrolment.to_owned(), user, address: address.clone() });
        }
    }
    if !wrong.is_empty() {
        let total: i64 = wrong.iter().map(|(_, number)| i64::from(*number)).sum();
        let sql = "UPDATE enrolment SET failed_attempts = \
             CASE WHEN failed_attempts > ?3 - ?1 THEN ?3 ELSE failed_attempts + ?1 END \
             WHERE id = ?2 AND failed_attempts BETWEEN 0 AND ?3";
        db.execute(sql, values![total, enrolment, MOST])?;
        let sql = "DELETE FROM wrong_try WHERE enrolment_id = ?1 AND address NOT IN \
             (SELECT address FROM wrong_try WHERE enrolment_id = ?1 ORDER BY at DESC, address DESC LIMIT ?2)";
        db.execute(sql, values![enrolment, MAX_ADDRESSES as i64])?;
    }
    Ok(locked)
}

/// Whose an enrolment is.
fn user_of(db: &Connection, enrolment: &str) -> Result<Option<String>, StoreError> {
    let sql = "SELECT u.id, u.name FROM enrolment e JOIN \"user\" u ON u.id = e.user_id WHERE e.id = ?";
    readable(value(db, "user", sql, values![enrolment]))
}

/// Adds to the hour's count. An hour that is over goes into the audit trail first.
fn count_in_hour(db: &Connection, enrolment: &str, number: u32, cause: Cause, at: i64) -> Result<(), StoreError> {
    let hour = at.div_euclid(HOUR_S);
    close_all(db, hours_before(db, hour, Some(enrolment))?, at)?;
    let sql = "INSERT INTO refusal (enrolment_id, hour, count, cause, at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (enrolment_id) DO UPDATE SET \
         hour = CASE WHEN refusal.hour > ?2 THEN refusal.hour ELSE ?2 END, \
         count = CASE WHEN refusal.count > ?6 - ?3 THEN ?6 ELSE refusal.count + ?3 END, cause = ?4, at = ?5 \
         WHERE refusal.count BETWEEN 0 AND ?6";
    db.execute(sql, values![enrolment, hour, number, cause.as_str(), at, MOST])?;
    Ok(())
}

/// The refusals of an enrolment in an hour.
pub(super) struct Hour {
    pub(super) enrolment: String,
    pub(super) hour: i32,
    pub(super) count: u32,
    pub(super) last: Cause,
}

/// Hours before that one which are not in the audit trail yet; of one enrolment, or of all.
pub(super) fn hours_before(
    db: &Connection,
    hour: i64,
    enrolment: Option<&str>,
) -> Result<Vec<Result<Hour, StoreError>>, StoreError> {
    let of = if enrolment.is_some() { "enrolment_id = ?2" } else { "?2 IS NULL" };
    let sql = format!("SELECT enrolment_id, hour, count, cause FROM refusal WHERE count <> 0 AND hour < ?1 AND {of}");
    db.rows(&sql, values![hour, enrolment], rows::hour)
}

/// One entry of the audit trail for all refusals of an hour. The row stays for who asks about the last refusal.
fn close_all(db: &Connection, mut hours: Vec<Result<Hour, StoreError>>, at: i64) -> Result<(), StoreError> {
    hours.sort_by_key(|hour| hour.as_ref().ok().map(|hour| hour.enrolment.clone())); // in one order on all servers
    for over in hours {
        let Ok(Hour { enrolment, hour, count, last }) = listed(over)? else { continue };
        let of = hour;
        let hour = jiff::Timestamp::from_second(i64::from(hour) * HOUR_S).map(|time| time.to_string()).ok();
        let subject = json!({ "enrolment": enrolment, "hour": hour, "count": count, "last_cause": last });
        let close = "UPDATE refusal SET count = 0 WHERE enrolment_id = ? AND hour = ? AND count = ?";
        if db.execute(close, values![enrolment, of, count])? > 0 {
            audit::append(db, at, "run.refused", &subject)?;
        }
    }
    Ok(())
}

pub(super) fn settle(db: &Connection, at: i64) -> Result<(), StoreError> {
    close_all(db, hours_before(db, at.div_euclid(HOUR_S), None)?, at)?;
    db.execute("DELETE FROM wrong_try WHERE at <= ?", values![at - MEMORY_S])?;
    guesses::forget_old(db, at)
}

pub(super) fn tries_of(db: &Connection, enrolment: &str, lock_after: u32, at: i64) -> Result<TriesRecord, StoreError> {
    let sql = "SELECT enrolment_id, cause, at FROM refusal WHERE enrolment_id = ?";
    let last = db.first(sql, values![enrolment], rows::last_refusal)?;
    let sql = "SELECT enrolment_id, address, count, at FROM wrong_try WHERE enrolment_id = ? ORDER BY at DESC, address";
    let tries = db.rows(sql, values![enrolment], |row| rows::wrong_tries(row, lock_after, at))?;
    Ok(TriesRecord { last, wrong: tries.into_iter().collect::<Result<_, _>>()? })
}
