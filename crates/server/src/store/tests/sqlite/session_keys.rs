//! The keys of sessions over weeks: a database server with a clock of its own would refuse such times.

use crate::model::clock::unix_now_ms;
use crate::store::tests::session_keys::{DAY_MS, opens, sealed};

use super::*;

#[tokio::test]
async fn keys_rotate_by_themselves_with_an_overlap_and_old_ones_go() {
    let db = Db::new();
    let start = unix_now_ms();
    let keys = db.session_keys(start).await;
    let first = sealed(&keys, start);
    let mut last = first.clone();
    for day in 1..=40 {
        let now = start + day * DAY_MS;
        db.store.renew_session_keys(&keys, now).await.unwrap();
        assert_eq!(opens(&keys, start, &first, now), day <= 32, "the first session after {day} days");
        assert!(opens(&keys, now - DAY_MS, &last, now), "yesterday's session on day {day}");
        last = sealed(&keys, now);
    }
    assert_eq!(db.rows("session_key"), 34, "32 days, today and tomorrow");
}

#[tokio::test]
async fn the_secret_of_earlier_versions_goes_with_the_last_key_that_comes_of_it() {
    let db = Db::new();
    let start = unix_now_ms();
    db.store.set_setting_once("session_key", Secret::new(vec![7; 32])).await.unwrap();
    let keys = db.session_keys(start).await;
    let former = sealed(&keys, start);
    for day in 1..=7 {
        assert!(db.store.setting("session_key").await.unwrap().is_some(), "before day {day}");
        db.store.renew_session_keys(&keys, start + day * DAY_MS).await.unwrap();
    }
    assert_eq!(db.store.setting("session_key").await, Ok(None));
    let now = start + 8 * DAY_MS;
    db.store.renew_session_keys(&keys, now).await.unwrap();
    assert!(opens(&keys, start, &former, now), "sessions from before still open");
    let after_restart = db.session_keys(now).await;
    assert!(opens(&after_restart, now, &sealed(&keys, now), now), "and nothing is derived anew");
}
