//! Databases of the PostgreSQL server that `DSKPP_TEST_POSTGRES` names; `.ci/postgres` starts one.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// A new database, which goes when this is dropped.
pub(crate) struct PostgresDatabase {
    server: String,
    name: String,
}

impl PostgresDatabase {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let server = std::env::var("DSKPP_TEST_POSTGRES").expect("DSKPP_TEST_POSTGRES, which .ci/postgres sets");
        let name = format!("cli_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        psql(&server, &format!("CREATE DATABASE {name}"));
        PostgresDatabase { server, name }
    }

    pub(crate) fn url(&self) -> String {
        let (address, options) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (host, _) = address.rsplit_once('/').expect("a URL with a database");
        format!("{host}/{}?{options}", self.name)
    }

    /// What a statement prints: values without decoration.
    pub(crate) fn sql(&self, sql: &str) -> String {
        psql(&self.url(), sql)
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        psql(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn psql(url: &str, sql: &str) -> String {
    let done = Command::new("psql").args([url, "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().expect("psql");
    assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}
