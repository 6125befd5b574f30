//! A database in which no sealed column is empty, with values that earlier versions sealed.

use std::time::Duration;

use dskpp_crypto::{AeadKey, SystemRandom};

use super::*;
use crate::store::rotate::{RotationWaits, SEALED};
use crate::store::seal::ASKS_AFTER;

#[tokio::test]
async fn each_sealed_column_of_each_table_is_sealed_anew_in_whatever_form_it_was() {
    let db = super::damage::full().await;
    let former = AeadKey::from_secret(&Secret::new(vec![1; 32])).unwrap();
    let raw = db.raw();
    let mut secrets = Vec::new();
    for table in SEALED {
        for column in table.columns {
            let sql = format!("SELECT {}, {column} FROM {} WHERE {column} NOT NULL", table.id, table.name);
            let mut rows = raw.sqlite().prepare(&sql).unwrap();
            let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)));
            let rows: Vec<_> = rows.unwrap().map(Result::unwrap).collect();
            assert!(!rows.is_empty(), "{}.{column} is empty, so nothing is tried", table.name);
            for (row, sealed) in rows {
                let secret = kek(1).open(table.name, column, &row, &sealed).unwrap();
                // As versions before AES-GCM-SIV sealed it.
                let place = format!("{}\0{column}\0{row}", table.name);
                let sealed = former.seal(&mut SystemRandom, place.as_bytes(), secret.expose());
                let sql = format!("UPDATE {} SET {column} = ? WHERE {} = ?", table.name, table.id);
                raw.sqlite().execute(&sql, rusqlite::params![sealed, row]).unwrap();
                secrets.push((table, column, row, secret));
            }
        }
    }
    let both = Kek::new(&Secret::new(vec![1; 32])).unwrap().and(Kek::new(&Secret::new(vec![2; 32])).unwrap());
    let store = Store::open(db.path(), Arc::new(both), POLICY).unwrap();
    let waits = RotationWaits { objections: Duration::ZERO, notice: ASKS_AFTER };
    let rotated = store.rotate_kek(&kek(2), waits, |_| ()).await.unwrap();
    assert!(rotated.unreadable.is_empty(), "{rotated:?}");
    for (table, column, row, secret) in secrets {
        let sql = format!("SELECT {column} FROM {} WHERE {} = ?", table.name, table.id);
        let sealed: Vec<u8> = raw.sqlite().query_row(&sql, [&row], |row| row.get(0)).unwrap();
        let what = format!("{}.{column} of {row}", table.name);
        assert_eq!(kek(2).open(table.name, column, &row, &sealed), Ok(secret), "{what}");
        assert_eq!(kek(2).reseal(table.name, column, &row, &sealed), Ok(None), "{what}");
    }
    assert!(raw.exists("SELECT 1 FROM rewrite", &[]).unwrap(), "the next start clears free pages");
}
