//! The audit trail: append-only, each entry's hash covers the one before it. No entry holds a secret.

use dskpp_crypto::Sha256;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::StoreError;

/// Appends an entry; `subject` is JSON. Only the writer calls this, inside the transaction of what it records.
pub(super) fn append(db: &Connection, at: i64, event: &str, subject: &serde_json::Value) -> Result<(), StoreError> {
    let subject = subject.to_string();
    let mut last = db.prepare_cached("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")?;
    let last: Option<Vec<u8>> = last.query_row([], |row| row.get(0)).optional()?;
    let hash = link(last.as_deref().unwrap_or_default(), at, event, &subject);
    let mut insert = db.prepare_cached("INSERT INTO audit (at, event, subject, hash) VALUES (?, ?, ?, ?)")?;
    insert.execute(params![at, event, subject, &hash[..]])?;
    Ok(())
}

/// `SHA-256(previous || at || len(event) || event || subject)`.
fn link(previous: &[u8], at: i64, event: &str, subject: &str) -> [u8; 32] {
    let len = (event.len() as u64).to_be_bytes();
    Sha256::digest(&[previous, &at.to_be_bytes(), &len, event.as_bytes(), subject.as_bytes()])
}

/// The sequence number of the first entry that does not follow from those before it.
#[cfg(test)]
pub(super) fn first_broken(db: &Connection) -> Result<Option<i64>, StoreError> {
    let mut entries = db.prepare("SELECT seq, at, event, subject, hash FROM audit ORDER BY seq")?;
    let mut rows = entries.query([])?;
    let mut previous = Vec::new();
    while let Some(row) = rows.next()? {
        let (event, subject): (String, String) = (row.get(2)?, row.get(3)?);
        let hash: Vec<u8> = row.get(4)?;
        if link(&previous, row.get(1)?, &event, &subject)[..] != hash {
            return Ok(Some(row.get(0)?));
        }
        previous = hash;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_or_missing_entry_breaks_the_chain() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(include_str!("../../migrations/sqlite/0001_first.sql")).unwrap();
        for i in 0..5 {
            append(&db, i, "key.provisioned", &serde_json::json!({ "key": i })).unwrap();
        }
        assert_eq!(first_broken(&db), Ok(None));
        for (change, broken) in [
            ("UPDATE audit SET subject = '{\"key\":9}' WHERE seq = 3", 3),
            ("UPDATE audit SET at = at + 1 WHERE seq = 2", 2),
            ("DELETE FROM audit WHERE seq = 4", 5),
        ] {
            db.execute_batch("SAVEPOINT change").unwrap();
            db.execute_batch(change).unwrap();
            assert_eq!(first_broken(&db), Ok(Some(broken)), "{change}");
            db.execute_batch("ROLLBACK TO change").unwrap();
        }
    }
}
