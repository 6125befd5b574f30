//! Tables, columns, types, constraints and indexes of a database, compared with what the migrations make.

use std::collections::BTreeMap;
use std::sync::Arc;

use dskpp_crypto::{Random as _, SystemRandom};

use super::Finding;
use crate::store::StoreError;
use crate::store::columns::Columns;
use crate::store::db::{Connection, Row, Value, values};
use crate::store::migrate::{POSTGRES, SCHEMA, SQLITE, provide_seals};
use crate::store::seal::Kek;

/// What there is, by table and by name in it, with how it is defined. The table itself has no name in it.
type Catalogue = BTreeMap<(String, String), String>;

/// Tables that the migrations do not make.
const BOOKS: [&str; 2] = ["migration", "schema"];

/// In each: table, name, definition.
const SQLITE_QUERIES: &[&str] = &[
    "SELECT t.name, c.name, 'column: ' || c.type || CASE c.\"notnull\" WHEN 0 THEN '' ELSE ' NOT NULL' END \
     || coalesce(' DEFAULT ' || c.dflt_value, '') FROM sqlite_schema t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    "SELECT tbl_name, name, 'index: ' || sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    "SELECT name, '', 'table: ' || sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    "SELECT tbl_name, name, type || ': ' || sql FROM sqlite_schema WHERE type IN ('view', 'trigger')",
];
/// The same, for the schema `?1`.
const POSTGRES_QUERIES: &[&str] = &[
    "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), 'column: ' || data_type \
     || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || column_default, '') \
     || coalesce(' COLLATE ' || collation_name, '') FROM information_schema.columns WHERE table_schema = ?1",
    "SELECT CAST(tablename AS TEXT), CAST(indexname AS TEXT), 'index: ' || indexdef FROM pg_indexes WHERE schemaname = ?1",
    "SELECT CAST(t.relname AS TEXT), 'constraint ' || c.conname, 'constraint: ' || pg_get_constraintdef(c.oid) \
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace \
     WHERE n.nspname = ?1",
    "SELECT CAST(table_name AS TEXT), '', 'table' FROM information_schema.tables WHERE table_schema = ?1",
    "SELECT CAST(event_object_table AS TEXT), 'trigger ' || trigger_name, 'trigger: ' || action_statement \
     FROM information_schema.triggers WHERE trigger_schema = ?1",
];

/// What differs between a database and the schema of that version, or of this version where the database's is newer:
/// then it may have more.
pub(super) fn compare(db: &Connection, version: usize) -> Result<Vec<Finding>, StoreError> {
    let (expected, found) = match db {
        Connection::Sqlite(_) => (of_new_sqlite(version)?, read(db, SQLITE_QUERIES, &[], "")?),
        Connection::Postgres(_) => {
            let schema = text(db, "SELECT CAST(current_schema() AS TEXT)")?;
            let found = read(db, POSTGRES_QUERIES, values![schema], &schema)?;
            (of_new_postgres(db, version)?, found)
        }
    };
    Ok(differences(&expected, &found, version > SCHEMA))
}

fn differences(expected: &Catalogue, found: &Catalogue, may_have_more: bool) -> Vec<Finding> {
    let is_table = |catalogue: &Catalogue, table: &str| catalogue.contains_key(&(table.to_owned(), String::new()));
    let place = |table: &str, name: &str| if name.is_empty() { table.to_owned() } else { format!("{table}: {name}") };
    let mut findings = Vec::new();
    let mut find = |table: &str, name: &str, what: String| findings.push(Finding { place: place(table, name), what });
    for ((table, name), definition) in expected {
        match found.get(&(table.clone(), name.clone())) {
            Some(found) if found == definition => {}
            Some(_) if may_have_more && name.is_empty() => {}
            Some(found) => find(table, name, format!("is \"{found}\" and should be \"{definition}\"")),
            None if name.is_empty() || is_table(found, table) => {
                find(table, name, format!("is missing ({definition})"))
            }
            None => {} // with its table
        }
    }
    let more = found.keys().filter(|of| !may_have_more && !expected.contains_key(of));
    for (table, name) in more.filter(|(table, name)| name.is_empty() || is_table(expected, table)) {
        find(table, name, "is not known to this version".into());
    }
    findings
}

/// What the migrations make of an empty SQLite database.
fn of_new_sqlite(version: usize) -> Result<Catalogue, StoreError> {
    let memory = rusqlite::Connection::open_in_memory()?;
    let kek = Kek::new(&SystemRandom.secret(32)); // seals nothing: there are no rows
    provide_seals(&memory, &Arc::new(kek.map_err(|why| StoreError::Unavailable(why.to_string()))?))?;
    for (_, _, sql) in SQLITE.iter().filter(|(number, ..)| *number <= version) {
        memory.execute_batch(sql)?;
    }
    read(&Connection::Sqlite(memory), SQLITE_QUERIES, &[], "")
}

/// The same for PostgreSQL: made as temporary tables in a transaction that is rolled back, so that nobody else sees any
/// of it.
fn of_new_postgres(db: &Connection, version: usize) -> Result<Catalogue, StoreError> {
    let make = || {
        db.batch("SET TRANSACTION READ WRITE; SET LOCAL search_path = pg_temp")?;
        for (_, _, sql) in POSTGRES.iter().filter(|(number, ..)| *number <= version) {
            db.batch(sql)?;
        }
        let schema = text(db, "SELECT CAST(nspname AS TEXT) FROM pg_namespace WHERE oid = pg_my_temp_schema()")?;
        read(db, POSTGRES_QUERIES, values![schema], &schema)
    };
    db.begin()?;
    let made = make();
    db.roll_back()?;
    made
}

fn read(db: &Connection, queries: &[&str], values: &[Value<'_>], schema: &str) -> Result<Catalogue, StoreError> {
    let mut catalogue = Catalogue::new();
    let entry = |row: &Row<'_>| {
        let row = Columns::of("catalogue", row);
        Ok((row.get::<String>(0)?, row.get::<String>(1)?, row.get::<String>(2)?))
    };
    for query in queries {
        for entry in db.rows(query, values, entry)? {
            let (table, name, definition) = entry?;
            if !BOOKS.contains(&table.as_str()) {
                let words = definition.split_whitespace().collect::<Vec<_>>().join(" ");
                let bare = words.replace(&format!("{schema}."), "").replace("pg_temp.", "");
                catalogue.insert((table, name), if schema.is_empty() { words } else { bare });
            }
        }
    }
    Ok(catalogue)
}

fn text(db: &Connection, sql: &str) -> Result<String, StoreError> {
    let found = db.first(sql, &[], |row| Columns::of("catalogue", row).get(0))?;
    found.ok_or_else(|| StoreError::Unavailable("it does not name its schema".into()))
}
