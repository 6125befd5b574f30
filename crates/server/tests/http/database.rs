//! The server's database: a file in its folder, or a database of the PostgreSQL server that `DSKPP_TEST_POSTGRES` names.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use dskpp_crypto::{Random as _, SystemRandom};
use tokio_postgres::{Client, NoTls};

/// A server's database, as another process sees it.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Database {
    /// That of the server with its data below `folder`; a PostgreSQL database is created when it is first asked for.
    pub(crate) fn of(folder: &Path) -> Self {
        let Ok(server) = std::env::var("DSKPP_TEST_POSTGRES") else {
            return Database::Sqlite(folder.join("data/dskpp.db"));
        };
        let noted = folder.join("database-url");
        if let Ok(url) = std::fs::read_to_string(&noted) {
            return Database::Postgres(url);
        }
        let name = format!("http_{:032x}", random());
        on_postgres(&server, async |client| client.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap());
        let (address, options) = server.split_once('?').unwrap_or((&server, ""));
        let url = format!("{}/{name}?{options}", address.rsplit_once('/').unwrap().0);
        std::fs::write(noted, &url).unwrap();
        std::fs::write(folder.join("kek"), "5a".repeat(32)).unwrap();
        Database::Postgres(url)
    }

    /// Runs a statement.
    pub(crate) fn execute(&self, sql: &str) {
        match self {
            Database::Sqlite(path) => rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap(),
            Database::Postgres(url) => on_postgres(url, async |client| client.batch_execute(sql).await.unwrap()),
        }
    }

    /// Gives a number that changes with every transaction that writes.
    pub(crate) fn changes(&self) -> Box<dyn Fn() -> i64 + '_> {
        match self {
            Database::Sqlite(path) => {
                let one = rusqlite::Connection::open(path).unwrap(); // sees what other connections do
                Box::new(move || one.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap())
            }
            Database::Postgres(_) => {
                // Each row knows the transaction that wrote it.
                let rows = ["answer", "audit", "enrolment", "key", "refusal", "setting", "store", "wrong_try"];
                let rows = rows.map(|table| format!("SELECT CAST(CAST(xmin AS TEXT) AS BIGINT) AS by FROM {table}"));
                let sum = format!("SELECT CAST(sum(by) AS BIGINT) FROM ({}) AS written", rows.join(" UNION ALL "));
                Box::new(move || self.number(&sum))
            }
        }
    }

    /// Keeps others from writing until the result is dropped.
    pub(crate) fn lock(&self) -> Box<dyn Any> {
        match self {
            Database::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                Box::new(connection)
            }
            Database::Postgres(url) => {
                let (url, (locked, wait)) = (url.clone(), channel::<Sender<()>>());
                thread::spawn(move || {
                    on_postgres(&url, async |client| {
                        client.batch_execute("BEGIN; LOCK TABLE answer IN EXCLUSIVE MODE").await.unwrap();
                        let (release, released) = channel();
                        locked.send(release).unwrap();
                        _ = released.recv(); // the sender is dropped
                        client.batch_execute("ROLLBACK").await.unwrap();
                    });
                });
                Box::new(wait.recv().unwrap())
            }
        }
    }

    /// The number that a query finds.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        match self {
            Database::Sqlite(path) => {
                rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
            }
            Database::Postgres(url) => {
                on_postgres(url, async |client| client.query_one(sql, &[]).await.unwrap().get(0))
            }
        }
    }
}

fn random() -> u128 {
    SystemRandom.bytes(16).iter().fold(0, |number, octet| number << 8 | u128::from(*octet))
}

/// On a thread, where a runtime can begin.
fn on_postgres<T: Send>(url: &str, work: impl AsyncFnOnce(&Client) -> T + Send) -> T {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            work(&client).await
        })
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}
