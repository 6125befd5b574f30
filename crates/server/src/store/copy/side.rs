//! One of the two databases of a copy: reads rows, writes rows, and says what a table holds.

use dskpp_crypto::Sha256;

use super::{TableContent, in_transaction, refused};
use crate::Error;
use crate::store::StoreError;
use crate::store::columns::Columns;
use crate::store::db::{Cell, Connection, Row, Value};
use crate::store::tables::{Kind, Table};

/// Rows that are read at once, and written by one transaction.
const BATCH: usize = 1000;
/// Values of one statement. SQLite takes 32,766, PostgreSQL 65,535.
const MOST_VALUES: usize = 30_000;

/// One of the two databases.
pub(super) struct Side {
    /// What it is, for errors.
    pub(super) name: String,
    pub(super) db: Connection,
}

/// A value of a row.
#[derive(Clone)]
pub(super) enum Held {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Held {
    /// The value in a column of that kind; `None` where it is of another one.
    fn of(cell: Cell<'_>, kind: Kind) -> Option<Self> {
        Some(match (cell, kind) {
            (Cell::Null, _) => Held::Null,
            (Cell::Int(number), Kind::Int) => Held::Int(number),
            (Cell::Text(text), Kind::Text) => Held::Text(text.to_owned()),
            (Cell::Blob(octets), Kind::Blob) => Held::Blob(octets.to_vec()),
            _ => return None,
        })
    }

    fn bind(&self, kind: Kind) -> Value<'_> {
        match self {
            Held::Null => kind.null(),
            Held::Int(number) => Value::Int(Some(*number)),
            Held::Text(text) => Value::Text(Some(text)),
            Held::Blob(octets) => Value::Blob(Some(octets)),
        }
    }

    fn hash(&self, hash: &mut Sha256) {
        let mut counted = |kind: u8, octets: &[u8]| {
            hash.update(&[kind]);
            hash.update(&(octets.len() as u64).to_be_bytes());
            hash.update(octets);
        };
        match self {
            Held::Null => hash.update(&[0]),
            Held::Int(number) => {
                hash.update(&[1]);
                hash.update(&number.to_be_bytes());
            }
            Held::Text(text) => counted(2, text.as_bytes()),
            Held::Blob(octets) => counted(3, octets),
        }
    }

    fn show(&self) -> String {
        match self {
            Held::Null => "NULL".into(),
            Held::Int(number) => number.to_string(),
            Held::Text(text) => format!("'{text}'"),
            Held::Blob(octets) => data_encoding::HEXLOWER.encode(octets),
        }
    }
}

impl Side {
    /// How many rows a table has; 0 where counting takes too long, as it is for the progress alone.
    pub(super) fn count(&self, table: &Table) -> u64 {
        let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
        let count = self.db.first(&sql, &[], |row| Columns::of("table", row).get::<i64>(0));
        count.ok().flatten().and_then(|count| u64::try_from(count).ok()).unwrap_or(0)
    }

    /// The primary key of a table's last row.
    pub(super) fn last_key(&self, table: &Table) -> Result<Option<Vec<Held>>, Error> {
        let columns: Vec<_> = table.key.iter().filter_map(|i| table.columns.get(*i)).cloned().collect();
        let last = self.db.first(&table.select_last_key(), &[], |row| held(table, &columns, row));
        last.map_err(|why| refused(&self.name, why))
    }

    /// The next rows of a table, at most [`BATCH`], after the one of that key.
    pub(super) fn rows_after(&self, table: &Table, key: Option<&[Held]>) -> Result<Vec<Vec<Held>>, Error> {
        let count = BATCH.min(MOST_VALUES / table.columns.len().max(1));
        let sql = table.select(key.is_some(), count);
        let kinds = table.key.iter().filter_map(|i| table.columns.get(*i)).map(|(_, kind)| *kind);
        let key: Vec<_> = key.unwrap_or_default().iter().zip(kinds).map(|(value, kind)| value.bind(kind)).collect();
        let rows = self.db.rows(&sql, &key, |row| held(table, &table.columns, row));
        rows.and_then(|rows| rows.into_iter().collect()).map_err(|why| refused(&self.name, why))
    }

    /// Writes rows, all or none; where they are not accepted, finds out which is not.
    pub(super) fn write(&self, table: &Table, rows: &[Vec<Held>]) -> Result<(), Error> {
        match self.write_once(table, rows) {
            Err(_) if rows.len() > 1 && !self.db.is_broken() => {
                rows.iter().try_for_each(|row| self.write(table, std::slice::from_ref(row)))
            }
            Err(why) => {
                let key = rows.first().map_or_else(String::new, |row| {
                    let key = table.key.iter().filter_map(|i| row.get(*i)).map(Held::show);
                    key.collect::<Vec<_>>().join(", ")
                });
                let why = why.reason();
                Err(refused(&self.name, format!("it does not take row {key} of table {}: {why}", table.name)))
            }
            Ok(()) => Ok(()),
        }
    }

    fn write_once(&self, table: &Table, rows: &[Vec<Held>]) -> Result<(), StoreError> {
        let bound = |row| Iterator::zip(<&[Held]>::into_iter(row), &table.columns);
        let values = rows.iter().flat_map(|row| bound(row.as_slice()).map(|(value, (_, kind))| value.bind(*kind)));
        let values: Vec<_> = values.collect();
        in_transaction(&self.db, || self.db.execute(&table.insert(rows.len()), &values).map(drop))
    }

    /// What a table holds; `progress` hears how many rows were read.
    pub(super) fn content(&self, table: &Table, mut progress: impl FnMut(u64)) -> Result<TableContent, Error> {
        let (mut hash, mut count, mut last) = (Sha256::new(), 0, None::<Vec<Held>>);
        loop {
            let rows = self.rows_after(table, last.as_deref())?;
            let Some(end) = rows.last() else { break };
            last = Some(key_of(table, end));
            rows.iter().flatten().for_each(|value| value.hash(&mut hash));
            count += rows.len() as u64;
            progress(rows.len() as u64);
        }
        Ok(TableContent { table: table.name.clone(), rows: count, sha256: hash.finish() })
    }
}

/// The primary key of a row.
pub(super) fn key_of(table: &Table, row: &[Held]) -> Vec<Held> {
    table.key.iter().filter_map(|i| row.get(*i).cloned()).collect()
}

/// The values of a row.
fn held(table: &Table, columns: &[(String, Kind)], row: &Row<'_>) -> Result<Vec<Held>, StoreError> {
    let value = |(i, (column, kind)): (usize, &(String, Kind))| {
        row.cell(i).and_then(|cell| Held::of(cell, *kind)).ok_or_else(|| {
            let key = table.key.iter().filter_map(|i| Some(Held::of(row.cell(*i)?, table.columns.get(*i)?.1)?.show()));
            let key = key.collect::<Vec<_>>().join(", ");
            StoreError::Damaged(format!("{}.{column} of row {key} cannot be read", table.name))
        })
    };
    columns.iter().enumerate().map(value).collect()
}
