//! The keys that seal sessions: one for each day (UTC), made at random exactly once, whichever server comes first.
//!
//! Servers make the next day's key ahead and hold all keys in memory, so that no request waits for one, and whose clock
//! is a little ahead at midnight finds one, too. A key is deleted when no session of its day opens any more: afterwards
//! not even the database and its key-encryption key together open them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, PoisonError, RwLock};

use dskpp_crypto::{AeadKey, Random as _, Secret, SystemRandom};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use super::columns::readable;
use super::db::{Connection, values};
use super::seal::derive;
use super::{Store, StoreError, check_clock, read_setting, rows};
use crate::model::id::SESSION_TIME_LEN;
use crate::store::seal::Kek;

/// Days for which a session still opens: the answer to a renewal is kept for 30 beyond its session, and a session lasts
/// for one at most.
const OPENS_FOR: i64 = 32;
/// The secret from which servers of earlier versions derive the keys.
const FORMER_SECRET: &str = "session_key";
/// Days for which such servers may go on beside this one.
const FORMER_DAYS: i64 = 7;
/// Octets of a key.
const KEY_LEN: usize = 32;

/// The keys, in memory.
#[derive(Debug, Default)]
pub(crate) struct SessionKeys(RwLock<BTreeMap<Date, Arc<AeadKey>>>);

impl SessionKeys {
    /// The key of a session at the time `now_ms`. The day is that of the SessionID, which begins with the time when it
    /// was made. `None` for one that is too old, or not of this store.
    pub(crate) fn of(&self, session_id: &str, now_ms: u64) -> Option<Arc<AeadKey>> {
        let made_ms = u64::from_str_radix(session_id.get(..SESSION_TIME_LEN)?, 16).ok()?;
        let day = day_of(made_ms)?;
        if !open_days(day_of(now_ms)?).contains(&day) {
            return None;
        }
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }
}

impl Store {
    /// Brings the keys in memory up to date with the store at the time `now_ms`. Writes only where a key is missing, or
    /// opens nothing any more.
    ///
    /// # Errors
    /// [`StoreError::Clock`] where a clock that is wrong would make or delete keys.
    pub(crate) async fn renew_session_keys(&self, keys: &SessionKeys, now_ms: u64) -> Result<(), StoreError> {
        let Some(today) = day_of(now_ms) else { return Ok(()) };
        let open = open_days(today);
        let kek = Arc::clone(&self.kek);
        let load = move |db: &Connection| load(db, &kek);
        let mut stored = self.engine.read(load.clone()).await?;
        let has_all = [today, *open.end()].iter().all(|day| stored.contains_key(day));
        if !has_all || stored.keys().next().is_some_and(|first| first < open.start()) {
            let kek = Arc::clone(&self.kek);
            let change = move |db: &Connection| change(db, &kek, today, now_ms);
            self.engine.begin_repeatable(change).done().await?;
            stored = self.engine.read(load).await?;
        }
        *keys.0.write().unwrap_or_else(PoisonError::into_inner) = stored;
        Ok(())
    }
}

/// The keys in the store, of the days whose row can be read.
fn load(db: &Connection, kek: &Kek) -> Result<BTreeMap<Date, Arc<AeadKey>>, StoreError> {
    let rows = db.rows("SELECT day, sealed_key FROM session_key", &[], |row| rows::session_key(row, kek))?;
    let mut keys = BTreeMap::new();
    for row in rows {
        keys.extend(readable(row.map(Some))?.map(|(day, key)| (day, Arc::new(key))));
    }
    Ok(keys)
}

/// Makes the keys of today and tomorrow where they are missing, and deletes those that open nothing any more.
fn change(db: &Connection, kek: &Kek, today: Date, now_ms: u64) -> Result<(), StoreError> {
    if let Some(theirs) = db.clock()? {
        check_clock((now_ms / 1000).cast_signed(), theirs)?;
    }
    let open = open_days(today);
    let make = |day: Date, key: &Secret| {
        let day = day.to_string();
        let sealed = kek.seal("session_key", "sealed_key", &day, key);
        db.execute(
            "INSERT INTO session_key (day, sealed_key) VALUES (?, ?) ON CONFLICT DO NOTHING",
            values![day, sealed],
        )
    };
    if !db.exists("SELECT 1 FROM session_key", &[])?
        && let Some(secret) = read_setting(db, kek, FORMER_SECRET)?
    {
        for day in open.start().series(1.day()).take_while(|day| *day <= today.saturating_add(FORMER_DAYS.days())) {
            make(day, &derive(&secret, format!("dskpp session, day {}", number_of(day)).as_bytes()))?;
        }
    }
    make(today, &SystemRandom.secret(KEY_LEN))?;
    if make(*open.end(), &SystemRandom.secret(KEY_LEN))? > 0 {
        db.execute("DELETE FROM setting WHERE name = ?", values![FORMER_SECRET])?;
    }
    db.execute("DELETE FROM session_key WHERE day < ?", values![open.start().to_string()]).map(drop)
}

/// The days whose sessions may be open. Another server's clock may be in the next day already.
fn open_days(today: Date) -> RangeInclusive<Date> {
    today.saturating_sub(OPENS_FOR.days())..=today.saturating_add(1.day())
}

/// The day of a time; `None` beyond the calendar.
fn day_of(ms: u64) -> Option<Date> {
    let time = Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?;
    Some(time.to_zoned(TimeZone::UTC).date())
}

/// The days from 1970-01-01 to a day.
fn number_of(day: Date) -> i64 {
    day.duration_since(Date::constant(1970, 1, 1)).as_hours() / 24
}
