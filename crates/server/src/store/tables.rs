//! The tables of a database, as the database itself describes them: whoever moves a store leaves out none that is added.

use std::collections::BTreeMap;

use super::StoreError;
use super::columns::Columns;
use super::db::{Connection, Row, Value};

/// Tables in which an engine keeps its own books: versions, and what a migration leaves to be done.
const BOOKS: [&str; 3] = ["schema", "migration", "rewrite"];
/// The table that a database has only while a copy into it is unfinished.
pub(super) const UNFINISHED: &str = "unfinished_copy";

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// By name, so that they have the same order in every database.
    pub(super) columns: Vec<(String, Kind)>,
    /// The columns of the primary key, in its order: indexes of `columns`.
    pub(super) key: Vec<usize>,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Blob,
}

impl Kind {
    /// NULL of this kind.
    pub(super) fn null(self) -> Value<'static> {
        match self {
            Kind::Int => Value::Int(None),
            Kind::Text => Value::Text(None),
            Kind::Blob => Value::Blob(None),
        }
    }

    fn of(data_type: &str) -> Option<Self> {
        match data_type {
            "INTEGER" | "bigint" => Some(Kind::Int),
            "TEXT" | "text" => Some(Kind::Text),
            "BLOB" | "bytea" => Some(Kind::Blob),
            _ => None,
        }
    }
}

/// Table, column, type, and the column's place in the primary key, from 1; 0 for the others.
const SQLITE_COLUMNS: &str = "SELECT t.name, c.name, c.type, c.pk FROM sqlite_schema t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY t.name, c.name";
const POSTGRES_COLUMNS: &str = "SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT), \
     CAST(c.data_type AS TEXT), CAST(COALESCE(k.ordinal_position, 0) AS BIGINT) \
     FROM information_schema.columns c \
     LEFT JOIN information_schema.table_constraints p ON p.table_schema = c.table_schema \
        AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY' \
     LEFT JOIN information_schema.key_column_usage k ON k.constraint_schema = p.constraint_schema \
        AND k.constraint_name = p.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name \
     WHERE c.table_schema = current_schema() ORDER BY 1, 2";

/// A table, and one to which its rows refer.
const SQLITE_REFERENCES: &str = "SELECT t.name, r.\"table\" FROM sqlite_schema t, pragma_foreign_key_list(t.name) r \
     WHERE t.type = 'table'";
const POSTGRES_REFERENCES: &str = "SELECT CAST(t.relname AS TEXT), CAST(r.relname AS TEXT) FROM pg_constraint c \
     JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid \
     JOIN pg_namespace n ON n.oid = t.relnamespace WHERE c.contype = 'f' AND n.nspname = current_schema()";

/// The names of all tables of a database, also of another program's.
pub(super) fn names(db: &Connection) -> Result<Vec<String>, StoreError> {
    let sql = match db {
        Connection::Sqlite(_) => "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        Connection::Postgres(_) => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = current_schema()"
        }
    };
    db.rows(sql, &[], |row| Columns::of("table", row).get(0))?.into_iter().collect()
}

/// Whether a copy into the database is unfinished.
pub(super) fn is_unfinished(db: &Connection) -> Result<bool, StoreError> {
    Ok(names(db)?.iter().any(|name| name == UNFINISHED))
}

/// The tables of a store, each after those to which its rows refer.
///
/// # Errors
/// [`StoreError::Damaged`] for what no store has: a type without a counterpart, no primary key, references in a circle.
pub(super) fn of(db: &Connection) -> Result<Vec<Table>, StoreError> {
    let (columns, references) = match db {
        Connection::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        Connection::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let read = |row: &Row<'_>| {
        let row = Columns::of("column", row);
        Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?, row.get::<i64>(3)?))
    };
    let mut tables: BTreeMap<String, Vec<(String, Kind, i64)>> = BTreeMap::new();
    for column in db.rows(columns, &[], read)? {
        let (table, column, data_type, place) = column?;
        if BOOKS.contains(&table.as_str()) || table == UNFINISHED {
            continue;
        }
        let kind = Kind::of(&data_type)
            .ok_or_else(|| StoreError::Damaged(format!("{table}.{column} has the unknown type {data_type}")))?;
        tables.entry(table).or_default().push((column, kind, place));
    }
    let read = |row: &Row<'_>| {
        let row = Columns::of("reference", row);
        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
    };
    let references = db.rows(references, &[], read)?.into_iter().collect::<Result<Vec<_>, _>>()?;
    in_order(tables.into_iter().map(table).collect::<Result<_, _>>()?, &references)
}

fn table((name, mut columns): (String, Vec<(String, Kind, i64)>)) -> Result<Table, StoreError> {
    columns.sort_unstable_by(|(a, ..), (b, ..)| a.cmp(b));
    let mut key: Vec<_> = (0..columns.len()).filter(|i| columns[*i].2 > 0).collect();
    key.sort_unstable_by_key(|i| columns[*i].2);
    if key.is_empty() {
        return Err(StoreError::Damaged(format!("the table {name} has no primary key")));
    }
    let columns = columns.into_iter().map(|(name, kind, _)| (name, kind)).collect();
    Ok(Table { name, columns, key })
}

fn in_order(mut tables: Vec<Table>, references: &[(String, String)]) -> Result<Vec<Table>, StoreError> {
    let mut ordered: Vec<Table> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &Table| {
            let to_others = references.iter().filter(|(from, to)| *from == table.name && *to != table.name);
            to_others.into_iter().any(|(_, to)| tables.iter().any(|table| table.name == *to))
        };
        let Some(next) = tables.iter().position(|table| !waits(table)) else {
            return Err(StoreError::Damaged("its tables refer to each other in a circle".into()));
        };
        ordered.push(tables.remove(next));
    }
    Ok(ordered)
}

impl Table {
    /// The statement that reads the next rows in the order of the primary key; `after` one, or from the first.
    pub(super) fn select(&self, after: bool, count: usize) -> String {
        let columns = self.list(0..self.columns.len());
        let key = self.list(self.key.iter().copied());
        let after = match after {
            true => format!(" WHERE ({key}) > ({})", vec!["?"; self.key.len()].join(", ")),
            false => String::new(),
        };
        format!("SELECT {columns} FROM \"{}\"{after} ORDER BY {key} LIMIT {count}", self.name)
    }

    /// The statement that reads the last row's primary key.
    pub(super) fn select_last_key(&self) -> String {
        let key = self.list(self.key.iter().copied());
        let backwards = self.key.iter().map(|i| format!("\"{}\" DESC", self.columns[*i].0));
        let backwards = backwards.collect::<Vec<_>>().join(", ");
        format!("SELECT {key} FROM \"{}\" ORDER BY {backwards} LIMIT 1", self.name)
    }

    /// The statement that writes that many rows.
    pub(super) fn insert(&self, count: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns.len()].join(", "));
        let columns = self.list(0..self.columns.len());
        format!("INSERT INTO \"{}\" ({columns}) VALUES {}", self.name, vec![row; count].join(", "))
    }

    fn list(&self, columns: impl Iterator<Item = usize>) -> String {
        columns.map(|i| format!("\"{}\"", self.columns[i].0)).collect::<Vec<_>>().join(", ")
    }
}
