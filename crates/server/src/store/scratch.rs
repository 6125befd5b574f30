//! Databases for tests: files, or databases of the PostgreSQL server that `DSKPP_TEST_POSTGRES` names by its URL, whose
//! user may create databases. So every test of the store runs on each engine.

use std::thread;

use tempfile::TempDir;

use super::columns::{Columns, Row};
use super::db::address::{Password, PostgresAddress};
use super::db::{Connection, Database};
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

/// On a thread: a connection to PostgreSQL has a runtime, which cannot begin inside another.
fn on<T: Send>(database: &Database, work: impl FnOnce(&Connection) -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(|| work(&database.connect().unwrap())).join().unwrap())
}

impl Connection {
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
