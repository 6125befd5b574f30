//! Keys and enrolments are counted page by page.

use super::*;

/// Adds keys; every tenth is revoked.
fn add(db: &Db, from: i64, to: i64) {
    let numbers =
        format!("WITH RECURSIVE numbers (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM numbers WHERE n < {to})");
    let nothing = if is_on_postgres() { "CAST('x' AS BYTEA)" } else { "x'00'" };
    db.execute(&format!(
        "INSERT INTO key (id, key_type, params, sealed_k_token, state, created_at) {numbers} \
         SELECT 'k' || n, 'hotp', '{{}}', {nothing}, CASE WHEN n % 10 = 0 THEN 'revoked' ELSE 'imported' END, 1 \
         FROM numbers"
    ));
}

fn named(counts: &StateCounts) -> Vec<(&'static str, i64)> {
    counts.iter().filter(|(_, number)| *number != 0).copied().collect()
}

/// Neither a full last page nor a row behind it is lost or counted twice.
#[tokio::test]
async fn every_row_is_counted_once_however_many_pages_there_are() {
    let db = Db::new();
    assert!(named(&db.store.count_keys().await.unwrap()).is_empty());
    for (from, to, revoked) in [(1, 999, 99), (1000, 1000, 100), (1001, 1001, 100), (1002, 3000, 300)] {
        add(&db, from, to);
        let counts = db.store.count_keys().await.unwrap();
        assert_eq!(named(&counts), [("imported", to - revoked), ("revoked", revoked)], "{to}");
        assert_eq!(counts.len(), KeyState::ALL.len() + 1, "each state has a number");
    }
}

#[tokio::test]
async fn enrolments_expire_by_the_clock_and_damaged_rows_are_told() {
    let db = Db::new();
    for _ in 0..3 {
        db.store.create_enrolment(hotp_for("alice")).await.unwrap();
    }
    db.execute("UPDATE enrolment SET expires_at = 5 WHERE id = (SELECT min(id) FROM enrolment)");
    assert_eq!(named(&db.store.count_enrolments().await.unwrap()), [("open", 2), ("expired", 1)]);
    db.execute("UPDATE enrolment SET expires_at = -99999999999999 WHERE id = (SELECT max(id) FROM enrolment)");
    assert_eq!(named(&db.store.count_enrolments().await.unwrap()), [("open", 1), ("expired", 1), ("unreadable", 1)]);
}
