//! The database, of either engine. Here alone, and in the files below, an engine has a name; what only files need
//! stands in `disk`, and the schemas in `migrate`.
//!
//! Statements are SQL that both engines read, with `?` or `?1` for values. A connection prepares each text once.

pub(super) mod address;
pub(super) mod postgres;
mod reply;
pub(super) mod sqlite;
mod value;

use std::fmt;
use std::path::{Path, PathBuf};
use std::thread;

use super::StoreError;
use super::disk::Disk;
use super::tables::{self, UNFINISHED};
pub(super) use reply::Reply;
pub(super) use value::{Bind, Cell, FromCell, Value, values};

/// Where a store's database is.
#[derive(Clone, Debug)]
pub(crate) enum Database {
    /// The file of a SQLite database.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Box<address::PostgresAddress>),
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite(path) => path.display().fmt(f),
            Database::Postgres(address) => address.fmt(f),
        }
    }
}

impl<P: AsRef<Path>> From<P> for Database {
    fn from(path: P) -> Self {
        Database::Sqlite(path.as_ref().to_owned())
    }
}

impl Database {
    /// A connection that reads and writes. Blocks.
    pub(super) fn connect(&self) -> Result<Connection, StoreError> {
        Ok(match self {
            Database::Sqlite(path) => Connection::Sqlite(sqlite::connect(path)?),
            Database::Postgres(address) => Connection::Postgres(Box::new(postgres::connect(address)?)),
        })
    }

    /// A connection that only reads. Blocks.
    pub(super) fn reader(&self) -> Result<Connection, StoreError> {
        let connection = self.connect()?;
        match &connection {
            Connection::Sqlite(db) => db.pragma_update(None, "query_only", true)?,
            Connection::Postgres(_) => connection.batch("SET default_transaction_read_only = on")?,
        }
        Ok(connection)
    }

    /// A connection for somebody who moves the whole store; no server may use the database meanwhile. Changes nothing.
    /// Blocks.
    ///
    /// # Errors
    /// [`StoreError::InUse`]: PostgreSQL knows only of connections by the same user.
    pub(super) fn connect_alone(&self) -> Result<Connection, StoreError> {
        let connection = match self {
            Database::Sqlite(path) => return Ok(Connection::Sqlite(sqlite::connect_alone(path)?)),
            Database::Postgres(_) => self.connect()?,
        };
        connection.batch("SET idle_in_transaction_session_timeout = 0")?; // while the other side works
        connection.check_alone()?;
        Ok(connection)
    }

    /// Whether there is nothing in a database that several servers share. Blocks.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a database of another program, [`StoreError::UnfinishedCopy`].
    pub(crate) fn is_empty(&self) -> Result<bool, StoreError> {
        let look = || tables::names(&self.connect()?);
        let found = thread::scope(|scope| scope.spawn(look).join());
        let found = found.unwrap_or_else(|_| Err(StoreError::Unavailable("a look into it panicked".into())))?;
        match (found.is_empty(), |name| found.iter().any(|table| table == name)) {
            (true, _) => Ok(true),
            (_, has) if has(UNFINISHED) => Err(StoreError::UnfinishedCopy),
            (_, has) if has("schema") => Ok(false),
            _ => Err(StoreError::Damaged("it has tables of another program".into())),
        }
    }

    /// The files that it has on this machine, once it is open.
    pub(super) fn disk(&self) -> Result<Option<Disk>, StoreError> {
        match self {
            Database::Sqlite(path) => Disk::new(path).map(Some),
            Database::Postgres(_) => Ok(None),
        }
    }

    /// Moves what is only in a write-ahead log on this machine into the database file. Blocks.
    pub(super) fn checkpoint(&self) -> Result<(), StoreError> {
        match self {
            Database::Sqlite(path) => sqlite::checkpoint(path),
            Database::Postgres(_) => Ok(()),
        }
    }
}

/// A connection to the database, for one thread at a time.
pub(super) enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Connection>),
}

/// The last entry of a chain of the audit trail: its number and its hash; 0 and nothing before the first one.
pub(super) type EndOfChain = (i64, Vec<u8>);

/// A row that a statement gives.
pub(super) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The value of a column; `None` where the engine has a type that no column of the store has.
    pub(super) fn cell(&self, i: usize) -> Option<Cell<'_>> {
        match self {
            Row::Sqlite(row) => sqlite::cell(row, i),
            Row::Postgres(row) => postgres::cell(row, i),
        }
    }

    /// The name of a column.
    pub(super) fn name(&self, i: usize) -> Option<&str> {
        match self {
            Row::Sqlite(row) => row.as_ref().column_name(i).ok(),
            Row::Postgres(row) => row.columns().get(i).map(tokio_postgres::Column::name),
        }
    }

    /// The value of the column of that name.
    pub(super) fn named(&self, name: &str) -> Option<Cell<'_>> {
        let i = match self {
            Row::Sqlite(row) => row.as_ref().column_index(name).ok(),
            Row::Postgres(row) => row.columns().iter().position(|column| column.name() == name),
        };
        self.cell(i?)
    }
}

impl Connection {
    /// Runs a statement; gives the number of rows that it changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        #[cfg(test)]
        super::scratch::note(self, sql, values);
        match self {
            Connection::Sqlite(db) => Ok(db.prepare_cached(sql)?.execute(rusqlite::params_from_iter(values))?),
            Connection::Postgres(db) => db.send(sql, values)?.wait(),
        }
    }

    /// What `read` makes of each row that a query finds.
    pub(super) fn rows<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<Result<T, StoreError>>, StoreError> {
        #[cfg(test)]
        super::scratch::note(self, sql, values);
        match self {
            Connection::Sqlite(db) => {
                let mut query = db.prepare_cached(sql)?;
                let rows = query.query_map(rusqlite::params_from_iter(values), |row| Ok(read(&Row::Sqlite(row))))?;
                Ok(rows.collect::<Result<_, _>>()?)
            }
            Connection::Postgres(db) => {
                Ok(db.send_query(sql, values).wait()?.iter().map(|row| read(&Row::Postgres(row))).collect())
            }
        }
    }

    /// What `read` makes of the first row that a query finds.
    pub(super) fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        #[cfg(test)]
        super::scratch::note(self, sql, values);
        match self {
            Connection::Sqlite(db) => {
                let mut query = db.prepare_cached(sql)?;
                let mut rows = query.query(rusqlite::params_from_iter(values))?;
                rows.next()?.map(|row| read(&Row::Sqlite(row))).transpose()
            }
            Connection::Postgres(db) => {
                db.send_query(sql, values).wait()?.first().map(|row| read(&Row::Postgres(row))).transpose()
            }
        }
    }

    /// Sends a statement that changes rows, without waiting for it: see [`Reply`].
    ///
    /// # Errors
    /// Where it has failed already: SQLite may have undone the transaction, and nothing may follow.
    pub(super) fn send(&self, sql: &str, values: &[Value<'_>]) -> Result<Reply<'_, usize>, StoreError> {
        #[cfg(test)]
        super::scratch::note(self, sql, values);
        match self {
            Connection::Sqlite(_) => self.execute(sql, values).map(|changed| Reply::Here(Ok(changed))),
            Connection::Postgres(db) => db.send(sql, values),
        }
    }

    /// Sends a query, without waiting for it: see [`Reply`]. `read` gets the first row.
    pub(super) fn send_query<'a, T: 'a>(
        &'a self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError> + 'a,
    ) -> Reply<'a, Option<T>> {
        #[cfg(test)]
        super::scratch::note(self, sql, values);
        match self {
            Connection::Sqlite(_) => Reply::Here(self.first(sql, values, read)),
            Connection::Postgres(db) => {
                let rows = db.send_query(sql, values);
                Reply::after(move || rows.wait()?.first().map(|row| read(&Row::Postgres(row))).transpose())
            }
        }
    }

    /// What keeps the row that a query finds as it is until the transaction ends. SQLite has one writer.
    pub(super) fn row_lock(&self) -> &'static str {
        match self {
            Connection::Sqlite(_) => "",
            Connection::Postgres(_) => " FOR UPDATE",
        }
    }

    /// Whether a query finds anything.
    pub(super) fn exists(&self, sql: &str, values: &[Value<'_>]) -> Result<bool, StoreError> {
        Ok(self.first(sql, values, |_| Ok(()))?.is_some())
    }

    /// Runs statements without values.
    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(db) => Ok(db.execute_batch(sql)?),
            Connection::Postgres(db) => db.batch(sql),
        }
    }

    /// Begins a transaction that writes.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => self.execute("BEGIN IMMEDIATE", &[]).map(drop),
            Connection::Postgres(db) => db.begin(),
        }
    }

    /// Begins a transaction that reads, where several readings in one cost less than each by itself: SQLite then looks
    /// only once whether its cache is stale. Without one each is right as well.
    pub(super) fn begin_reading(&self) -> bool {
        match self {
            Connection::Sqlite(_) => self.execute("BEGIN", &[]).is_ok(),
            Connection::Postgres(_) => false,
        }
    }

    /// Sets what a connection of [`Database::connect_alone`] needs before it writes.
    pub(super) fn set_up(&self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(db) => sqlite::set_up(db),
            Connection::Postgres(_) => Ok(()),
        }
    }

    /// Whether no server uses the database, as far as that can be known; see [`Database::connect_alone`].
    ///
    /// # Errors
    /// [`StoreError::InUse`].
    pub(super) fn check_alone(&self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => Ok(()), // it holds the lock
            Connection::Postgres(db) => db.check_alone(),
        }
    }

    /// Begins a transaction in which all readings see the same state.
    pub(super) fn begin_snapshot(&self) -> Result<(), StoreError> {
        self.batch(match self {
            Connection::Sqlite(_) => "BEGIN",
            Connection::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
    }

    /// Ends what [`begin_snapshot`](Self::begin_snapshot) began.
    pub(super) fn end_snapshot(&self) -> Result<(), StoreError> {
        self.batch("ROLLBACK")
    }

    /// Makes a transaction durable.
    ///
    /// # Errors
    /// [`StoreError::Unknown`] where the connection broke meanwhile: it may be durable.
    pub(super) fn commit(&self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(_) => self.execute("COMMIT", &[]).map(drop),
            Connection::Postgres(db) => db.commit(),
        }
    }

    /// Undoes a transaction, unless the engine has done so by itself.
    pub(super) fn roll_back(&self) -> Result<(), StoreError> {
        match self {
            Connection::Sqlite(db) if db.is_autocommit() => Ok(()), // as on a full disk
            Connection::Sqlite(_) => self.execute("ROLLBACK", &[]).map(drop),
            Connection::Postgres(db) => db.roll_back(),
        }
    }

    /// Whether a transaction is open.
    pub(super) fn is_in_transaction(&self) -> bool {
        match self {
            Connection::Sqlite(db) => !db.is_autocommit(),
            Connection::Postgres(db) => db.is_in_transaction(),
        }
    }

    /// Marks a place in the transaction, for [`undo`](Self::undo).
    pub(super) fn mark(&self) -> Result<(), StoreError> {
        self.execute("SAVEPOINT job", &[]).map(drop)
    }

    /// Undoes what was done since the mark.
    pub(super) fn undo(&self) -> Result<(), StoreError> {
        if let Connection::Postgres(db) = self {
            db.forget_end_of_chain();
        }
        self.execute("ROLLBACK TO SAVEPOINT job", &[]).map(drop)
    }

    /// Takes the mark away.
    pub(super) fn unmark(&self) -> Result<(), StoreError> {
        self.execute("RELEASE SAVEPOINT job", &[]).map(drop)
    }

    /// The end of the connection's chain, where nobody else can have appended to it and it is known.
    pub(super) fn end_of_chain(&self) -> Option<EndOfChain> {
        match self {
            Connection::Sqlite(_) => None,
            Connection::Postgres(db) => db.end_of_chain(),
        }
    }

    /// Remembers the end of the connection's chain.
    pub(super) fn set_end_of_chain(&self, end: EndOfChain) {
        if let Connection::Postgres(db) = self {
            db.set_end_of_chain(end);
        }
    }

    /// The chain of the audit trail to which this connection appends. A SQLite database has one writer at a time and one
    /// chain; elsewhere every connection begins its own.
    pub(super) fn chain(&self) -> &str {
        match self {
            Connection::Sqlite(_) => "",
            Connection::Postgres(db) => db.chain(),
        }
    }

    /// What the clock of a database server says, in seconds since 1970; `None` for a database without one of its own.
    pub(super) fn clock(&self) -> Result<Option<i64>, StoreError> {
        match self {
            Connection::Sqlite(_) => Ok(None),
            Connection::Postgres(db) => db.clock(),
        }
    }

    /// Whether the connection is of no use any more.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Connection::Sqlite(_) => false,
            Connection::Postgres(db) => db.is_broken(),
        }
    }
}
