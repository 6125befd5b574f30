//! The keys that seal sessions.

use dskpp_crypto::{AeadKey, HmacKey, SystemRandom};

use super::*;
use crate::model::clock::unix_now_ms;

pub(super) const DAY_MS: u64 = 24 * 3600 * 1000;

/// A SessionID that is made at that time.
pub(super) fn session_at(ms: u64) -> String {
    format!("{ms:012X}0123456789ABCDEF0123")
}

impl Db {
    /// What a server has in memory that looks at the time `now_ms`.
    pub(super) async fn session_keys(&self, now_ms: u64) -> SessionKeys {
        let keys = SessionKeys::default();
        self.store.renew_session_keys(&keys, now_ms).await.unwrap();
        keys
    }
}

/// A session begun at that time, as a server with these keys seals it.
pub(super) fn sealed(keys: &SessionKeys, at: u64) -> Vec<u8> {
    keys.of(&session_at(at), at).unwrap().seal(&mut SystemRandom, b"", b"session")
}

/// Whether a server with these keys opens, at the time `now`, a session begun at the time `at`.
pub(super) fn opens(keys: &SessionKeys, at: u64, sealed: &[u8], now: u64) -> bool {
    keys.of(&session_at(at), now).is_some_and(|key| key.open(b"", sealed).is_ok())
}

/// Octets that a server of an earlier version sealed: HMAC-SHA256 of a long-lived secret gave it the key of a day.
fn sealed_by_former(secret: &[u8], at: u64) -> Vec<u8> {
    let day = format!("dskpp session, day {}", at / DAY_MS);
    let key = HmacKey::new(dskpp_crypto::Hash::Sha256, secret).sign(&[day.as_bytes()]);
    AeadKey::siv_from_secret(&Secret::from_slice(key.as_ref())).unwrap().seal(&mut SystemRandom, b"", b"session")
}

#[tokio::test]
async fn each_days_key_is_made_once_whichever_server_comes_first() {
    let db = Db::new();
    let stores = [db.store.clone(), db.second(), db.second(), db.second()];
    let now = unix_now_ms();
    let starts = stores.into_iter().map(|store| async move {
        let keys = SessionKeys::default();
        store.renew_session_keys(&keys, now).await.map(|()| keys)
    });
    let servers: Vec<_> = futures_util::future::join_all(starts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(db.rows("session_key"), 2, "today's, and tomorrow's ahead");
    for at in [now, now + DAY_MS] {
        let sealed = sealed(&servers[0], at);
        assert!(servers.iter().all(|keys| opens(keys, at, &sealed, at)), "the same on each server");
    }
    let tomorrow = now + DAY_MS;
    assert!(!opens(&servers[0], tomorrow, &sealed(&servers[0], now), now), "another one each day");
    let days = db.texts("SELECT day FROM session_key ORDER BY day");
    assert_eq!(days[0], jiff::Timestamp::now().strftime("%Y-%m-%d").to_string());
}

#[tokio::test]
async fn clocks_that_differ_by_30_s_do_not_matter_at_midnight() {
    let db = Db::new();
    let noon = unix_now_ms();
    let midnight = (noon / DAY_MS + 1) * DAY_MS;
    let [ahead, behind] = [db.session_keys(noon).await, db.session_keys(noon).await];
    let begun = midnight + 15_000;
    let sealed_ahead = sealed(&ahead, begun);
    assert!(opens(&behind, begun, &sealed_ahead, midnight - 15_000), "begun tomorrow, as another server sees it");
    let begun = midnight - 15_000;
    let sealed_behind = sealed(&behind, begun);
    assert!(opens(&ahead, begun, &sealed_behind, midnight + 15_000), "and yesterday");
}

#[tokio::test]
async fn a_session_opens_as_long_as_its_answer_is_kept() {
    let db = Db::new();
    let now = unix_now_ms();
    let keys = db.session_keys(now).await;
    let of_now = sealed(&keys, now);
    for (days, does_open) in [(0, true), (1, true), (31, true), (33, false), (-1, true), (-2, false)] {
        let later = now.checked_add_signed(days * DAY_MS.cast_signed()).unwrap();
        assert_eq!(opens(&keys, now, &of_now, later), does_open, "{days} days later");
    }
    for id in ["", "123", "not hexadecimal", "\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}", "FFFFFFFFFFFF00000000"] {
        assert!(keys.of(id, now).is_none(), "{id}");
    }
}

#[tokio::test]
async fn a_key_is_deleted_when_no_session_of_its_day_opens_any_more() {
    let db = Db::new();
    let now = unix_now_ms();
    db.session_keys(now).await;
    db.execute("UPDATE session_key SET day = '2020-01-02' WHERE day = (SELECT max(day) FROM session_key)");
    let keys = db.session_keys(now).await;
    assert_eq!(db.number("SELECT count(*) FROM session_key WHERE day < '2026-01-01'"), 0);
    assert!(keys.of(&session_at(now + DAY_MS), now).is_some(), "and tomorrow's is made again");
}

#[tokio::test]
async fn a_key_that_cannot_be_read_is_refused_and_the_others_open_their_sessions() {
    let db = Db::new();
    let now = unix_now_ms();
    db.session_keys(now).await;
    let today = db.texts("SELECT min(day) FROM session_key").remove(0);
    db.execute(&format!(
        "UPDATE session_key SET sealed_key = (SELECT sealed_key FROM session_key WHERE day <> '{today}') \
         WHERE day = '{today}'"
    ));
    let keys = db.session_keys(now).await;
    assert!(keys.of(&session_at(now), now).is_none(), "a key that was moved to another day");
    assert!(keys.of(&session_at(now + DAY_MS), now).is_some());
}

#[tokio::test]
async fn sessions_of_servers_of_an_earlier_version_open_and_theirs_open_here() {
    let db = Db::new();
    let now = unix_now_ms();
    let secret = [7; 32];
    db.store.set_setting_once("session_key", Secret::from_slice(&secret)).await.unwrap();
    let keys = db.session_keys(now).await;
    for days in [-31, -1, 0, 1] {
        let at = now.checked_add_signed(days * DAY_MS.cast_signed()).unwrap();
        assert!(opens(&keys, at, &sealed_by_former(&secret, at), now), "begun {days} days later");
        assert!(!opens(&keys, at, &sealed_by_former(&[8; 32], at), now), "by another store's server");
    }
    // A server of the earlier version that still runs has the same key: what is sealed here opens there.
    let day = format!("dskpp session, day {}", now / DAY_MS);
    let key = HmacKey::new(dskpp_crypto::Hash::Sha256, &secret).sign(&[day.as_bytes()]);
    let theirs = AeadKey::siv_from_secret(&Secret::from_slice(key.as_ref())).unwrap();
    assert!(theirs.open(b"", &sealed(&keys, now)).is_ok());
}
