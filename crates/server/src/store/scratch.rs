//! Databases for tests: files, or databases of the PostgreSQL server that `DSKPP_TEST_POSTGRES` names by its URL, whose
//! user may create databases. So every test of the store runs on each engine.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use tempfile::TempDir;

use super::columns::{Columns, Row};
use super::db::address::{Password, PostgresAddress};
use super::db::{Connection, Database, Value};
use crate::model::id::new_id;

/// A new database, which goes when this is dropped.
pub(crate) struct Scratch {
    pub(crate) folder: TempDir,
    pub(crate) database: Database,
    /// The server on which it is.
    server: Option<Database>,
}

/// The server that tests have, if any.
fn server(name: Option<&str>) -> Option<Database> {
    let url = std::env::var("DSKPP_TEST_POSTGRES").ok()?;
    let url = match name {
        None => url,
        Some(name) => {
            let (address, options) = url.split_once('?').unwrap_or((&url, ""));
            let (host, _) = address.rsplit_once('/').expect("a URL with a database");
            format!("{host}/{name}?{options}")
        }
    };
    Some(Database::Postgres(Box::new(PostgresAddress::read(&url, &Password::default()).unwrap())))
}

/// Whether tests run on PostgreSQL.
pub(crate) fn is_on_postgres() -> bool {
    std::env::var_os("DSKPP_TEST_POSTGRES").is_some()
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let Some(server) = server(None) else {
            return Scratch { database: folder.path().join("dskpp.db").into(), folder, server: None };
        };
        let name = format!("test_{}", new_id());
        on(&server, |db| db.batch(&format!("CREATE DATABASE {name}")).unwrap());
        let database = self::server(Some(&name)).unwrap();
        Scratch { folder, database, server: Some(server) }
    }

    /// What another process does with the database.
    pub(in crate::store) fn on<T: Send>(&self, work: impl FnOnce(&Connection) -> T + Send) -> T {
        on(&self.database, work)
    }

    pub(crate) fn execute(&self, sql: &str) {
        self.on(|db| db.batch(sql)).unwrap();
    }

    /// The first column of every row.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let read = |row: &Row<'_>| Columns::of("", row).get(0);
        self.on(|db| db.rows(sql, &[], read)).unwrap().into_iter().map(Result::unwrap).collect()
    }
}

/// A value with which a statement was run.
#[derive(Clone, Debug)]
pub(in crate::store) enum Noted {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

impl Noted {
    pub(in crate::store) fn value(&self) -> Value<'_> {
        match self {
            Noted::Int(number) => Value::Int(*number),
            Noted::Text(text) => Value::Text(text.as_deref()),
            Noted::Blob(octets) => Value::Blob(octets.as_deref()),
        }
    }
}

/// By database: the texts of the statements that were run on it, each with the values of its first time.
type Notes = BTreeMap<String, BTreeMap<String, Vec<Noted>>>;
static NOTES: Mutex<Notes> = Mutex::new(BTreeMap::new());

/// From now on every statement on a database is noted.
pub(in crate::store) fn record(database: &Database) {
    NOTES.lock().unwrap().insert(database.to_string(), BTreeMap::new());
}

/// What was noted.
pub(in crate::store) fn noted(database: &Database) -> BTreeMap<String, Vec<Noted>> {
    NOTES.lock().unwrap().remove(&database.to_string()).unwrap()
}

pub(in crate::store) fn note(db: &Connection, sql: &str, values: &[Value<'_>]) {
    let mut notes = NOTES.lock().unwrap();
    if notes.is_empty() {
        return;
    }
    let Some(notes) = notes.get_mut(&db.name()) else { return };
    let value = |value: &Value<'_>| match *value {
        Value::Int(number) => Noted::Int(number),
        Value::Text(text) => Noted::Text(text.map(str::to_owned)),
        Value::Blob(octets) => Noted::Blob(octets.map(<[u8]>::to_vec)),
    };
    notes.entry(sql.to_owned()).or_insert_with(|| values.iter().map(value).collect());
}

/// On a thread: a connection to PostgreSQL has a runtime, which cannot begin inside another.
fn on<T: Send>(database: &Database, work: impl FnOnce(&Connection) -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(|| work(&database.connect().unwrap())).join().unwrap())
}

impl Connection {
    /// As the database of the connection is called.
    fn name(&self) -> String {
        match self {
            Connection::Sqlite(db) => db.path().unwrap_or_default().to_owned(),
            Connection::Postgres(db) => db.name.clone(),
        }
    }

    /// What only SQLite has.
    pub(super) fn sqlite(&self) -> &rusqlite::Connection {
        match self {
            Connection::Sqlite(db) => db,
            Connection::Postgres(_) => panic!("this test is for SQLite alone"),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let (Some(server), Database::Postgres(address)) = (&self.server, &self.database) {
            let name = address.to_string();
            let name = name.rsplit_once('/').map_or("", |(_, name)| name);
            on(server, |db| db.batch(&format!("DROP DATABASE {name} WITH (FORCE)")).unwrap());
        }
    }
}
