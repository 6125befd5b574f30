//! PostgreSQL, and what speaks its protocol.

mod errors;
mod values;

use std::cell::{Cell as Flag, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use self::errors::{ends_connection, reason};
pub(super) use self::values::cell;
use self::values::{borrowed, has_nul, owned, type_of};
use super::address::PostgresAddress;
use super::{EndOfChain, Reply, Value};
use crate::model::id::new_id;
use crate::store::StoreError;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a statement may take before this side gives the connection up; the server gives up earlier, see [`SETTINGS`].
const ANSWER: Duration = Duration::from_secs(20);
/// How long the connections of a process that ends are waited for.
const ENDING: Duration = Duration::from_secs(2);
/// What holds for every connection. Transactions read what others have committed: statements, not snapshots, decide.
const SETTINGS: &str = "SET statement_timeout = '15s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET default_transaction_isolation = 'read committed'; \
     SET client_min_messages = 'warning'";

/// A connection, with a runtime of its own that works only while a statement runs.
pub(in crate::store) struct Connection {
    runtime: Runtime,
    client: Arc<Client>,
    statements: RefCell<HashMap<String, Statement>>,
    chain: String,
    /// The last entry of `chain`, while it is known.
    end_of_chain: RefCell<Option<EndOfChain>>,
    in_transaction: Flag<bool>,
    /// How long an answer is waited for.
    patience: Flag<Duration>,
    /// It did not answer in time, so that nobody knows what comes next on it.
    given_up: Flag<bool>,
    #[cfg(test)]
    pub(in crate::store) name: String,
}

/// Connects to the first of the hosts that can be used. Blocks.
pub(super) fn connect(address: &PostgresAddress) -> Result<Connection, StoreError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|why| StoreError::Unavailable(why.to_string()))?;
    let client = runtime.block_on(client(address));
    let client =
        client.map_err(|why| StoreError::Unavailable(format!("no connection to {address}: {}", reason(&why))))?;
    let client = Arc::new(client);
    let (statements, in_transaction, given_up) = Default::default();
    let end_of_chain = RefCell::new(Some(EndOfChain::default()));
    let (chain, patience) = (new_id(), Flag::new(ANSWER));
    let connection = Connection {
        runtime,
        client,
        statements,
        chain,
        end_of_chain,
        in_transaction,
        patience,
        given_up,
        #[cfg(test)]
        name: address.to_string(),
    };
    connection.batch(SETTINGS)?;
    Ok(connection)
}

/// A client, whose connection works on the runtime that this runs on.
async fn client(address: &PostgresAddress) -> Result<Client, tokio_postgres::Error> {
    let mut config = address.config().clone();
    config.connect_timeout(CONNECT).tcp_user_timeout(ANSWER).keepalives_idle(ANSWER);
    match address.tls() {
        None => {
            let (client, connection) = config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
        Some(tls) => {
            let (client, connection) = config.connect(MakeRustlsConnect::new(tls.clone())).await?;
            tokio::spawn(connection);
            Ok(client)
        }
    }
}

impl Connection {
    /// Sends a statement that changes rows; the reply is their number.
    pub(super) fn send(&self, sql: &str, values: &[Value<'_>]) -> Result<Reply<'_, usize>, StoreError> {
        if has_nul(values) {
            return match sql.starts_with("INSERT") {
                true => Err(StoreError::State("text with a NUL character cannot be stored")),
                false => Ok(Reply::Here(Ok(0))),
            };
        }
        let statement = self.statement(sql, values)?;
        let (client, values) = (Arc::clone(&self.client), owned(values));
        Ok(self.start(async move { client.execute_raw(&statement, borrowed(&values)).await.map(count) }))
    }

    /// Sends a query; the reply is what it finds.
    pub(super) fn send_query(&self, sql: &str, values: &[Value<'_>]) -> Reply<'_, Vec<Row>> {
        if has_nul(values) {
            return Reply::Here(Ok(Vec::new()));
        }
        let statement = match self.statement(sql, values) {
            Ok(statement) => statement,
            Err(why) => return Reply::Here(Err(why)),
        };
        let (client, values) = (Arc::clone(&self.client), owned(values));
        self.start(async move {
            let values = borrowed(&values);
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            client.query(&statement, &values).await
        })
    }

    pub(super) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.start_batch(sql).wait()
    }

    fn start_batch(&self, sql: &str) -> Reply<'_, ()> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        self.start(async move { client.batch_execute(&sql).await })
    }

    /// Sends BEGIN and does not wait: where it fails, the connection is broken or a transaction has failed before, and the
    /// next statement fails as well.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        if self.is_broken() {
            return Err(broken());
        }
        drop(self.start_batch("BEGIN"));
        self.in_transaction.set(true);
        Ok(())
    }

    pub(super) fn commit(&self) -> Result<(), StoreError> {
        let committed = self.batch("COMMIT");
        self.in_transaction.set(false);
        if committed.is_err() {
            self.forget_end_of_chain();
        }
        match committed {
            Err(StoreError::Unavailable(why)) if self.is_broken() => Err(StoreError::Unknown(why)),
            committed => committed,
        }
    }

    pub(super) fn roll_back(&self) -> Result<(), StoreError> {
        self.forget_end_of_chain();
        match self.in_transaction.replace(false) && !self.is_broken() {
            true => self.batch("ROLLBACK"),
            false => Ok(()),
        }
    }

    /// Sets how long statements and locks may take; `None` is as usual.
    pub(in crate::store) fn be_patient(&self, patience: Option<Duration>) -> Result<(), StoreError> {
        self.patience.set(patience.unwrap_or(ANSWER));
        self.batch(if patience.is_some() { "SET statement_timeout = 0; SET lock_timeout = 0" } else { SETTINGS })
    }

    /// What the server's clock says, in seconds since 1970.
    pub(super) fn clock(&self) -> Result<Option<i64>, StoreError> {
        let rows = self.send_query("SELECT CAST(extract(epoch FROM clock_timestamp()) AS BIGINT)", &[]).wait()?;
        Ok(rows.first().and_then(|row| row.try_get(0).ok()))
    }

    /// Whether nobody else uses the database by this program.
    pub(super) fn check_alone(&self) -> Result<(), StoreError> {
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                      AND application_name = 'dskpp' AND pid <> pg_backend_pid()";
        let until = Instant::now() + ENDING;
        loop {
            match self.send_query(others, &[]).wait()?.first().and_then(|row| row.try_get(0).ok()) {
                Some(0i64) => return Ok(()),
                _ if Instant::now() < until => thread::sleep(Duration::from_millis(50)),
                others => {
                    let others = others.unwrap_or_default();
                    return Err(StoreError::InUse(format!("it has {others} other connections of dskpp")));
                }
            }
        }
    }

    pub(super) fn chain(&self) -> &str {
        &self.chain
    }

    pub(super) fn end_of_chain(&self) -> Option<EndOfChain> {
        self.end_of_chain.borrow().clone()
    }

    pub(super) fn set_end_of_chain(&self, end: EndOfChain) {
        *self.end_of_chain.borrow_mut() = Some(end);
    }

    /// Where what was appended is undone, the end is read anew.
    pub(super) fn forget_end_of_chain(&self) {
        *self.end_of_chain.borrow_mut() = None;
    }

    pub(super) fn is_in_transaction(&self) -> bool {
        self.in_transaction.get()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.given_up.get() || self.client.is_closed()
    }

    /// The statement of a text, which is prepared when it is first used.
    fn statement(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, StoreError> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            return Ok(statement.clone());
        }
        let types: Vec<_> = values.iter().map(type_of).collect();
        let sql_here = numbered(sql);
        let statement = self.wait(async { Some(self.client.prepare_typed(&sql_here, &types).await) })?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Sends what `work` sends, which it does when it is first polled. The runtime need not run for that: it writes to the
    /// socket when somebody waits. The rest is a task, because replies come in order: where nobody took one that is held
    /// for later, none behind it would come.
    fn start<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, tokio_postgres::Error>> + Send + 'static,
    ) -> Reply<'_, T> {
        #[cfg(test)]
        let work = tests::counted(work);
        let mut work = Box::pin(work);
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Reply::after(move || self.wait(async { Some(done) })),
            Poll::Pending => {
                let task = self.runtime.spawn(work);
                Reply::after(move || self.wait(async { task.await.ok() }))
            }
        }
    }

    /// Waits for `work`, which is `None` where the task of a connection ended.
    fn wait<T>(&self, work: impl Future<Output = Option<Result<T, tokio_postgres::Error>>>) -> Result<T, StoreError> {
        if self.is_broken() {
            return Err(broken());
        }
        match self.runtime.block_on(async { tokio::time::timeout(self.patience.get(), work).await }) {
            Ok(done) => done.ok_or_else(broken)?.map_err(|why| {
                if ends_connection(&why) {
                    self.given_up.set(true);
                }
                StoreError::from(why)
            }),
            Err(_) => {
                self.given_up.set(true);
                Err(StoreError::Unavailable(format!("it did not answer within {} s", self.patience.get().as_secs())))
            }
        }
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("the connection to it broke".into())
}

fn count(changed: u64) -> usize {
    usize::try_from(changed).unwrap_or(usize::MAX)
}

/// `?` and `?2` as this engine writes them: `$1` and `$2`. As in SQLite, `?` is one more than the largest before it.
fn numbered(sql: &str) -> String {
    let (mut text, mut largest) = (String::with_capacity(sql.len() + 16), 0);
    let (mut rest, mut in_string) = (sql, false);
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        in_string ^= c == '\'';
        if c != '?' || in_string {
            text.push(c);
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..digits].parse().unwrap_or(largest + 1);
        largest = largest.max(number);
        rest = &rest[digits..];
        text.push('$');
        text.push_str(&number.to_string());
    }
    text
}

#[cfg(test)]
pub(in crate::store) mod tests {
    use std::cell::Cell;

    use super::{Future, numbered};

    thread_local! {
        /// Round trips of this thread's connections whose answers were waited for.
        pub(in crate::store) static ROUND_TRIPS: Cell<u32> = const { Cell::new(0) };
    }

    /// Work that is sent now: it is part of the round trip behind the last one that was waited for.
    pub(super) fn counted<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
        let number = ROUND_TRIPS.get() + 1;
        async move {
            let done = work.await;
            ROUND_TRIPS.set(ROUND_TRIPS.get().max(number));
            done
        }
    }

    #[test]
    fn placeholders_are_numbered_as_in_sqlite() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("VALUES (?, ?, ?)", "VALUES ($1, $2, $3)"),
            ("a = ?2 AND b = ?1 AND c = ?", "a = $2 AND b = $1 AND c = $3"),
            ("a = '?' AND b = ?10 OR c = ?", "a = '?' AND b = $10 OR c = $11"),
            ("it = 'it''s ?' AND b = ?", "it = 'it''s ?' AND b = $1"),
        ] {
            assert_eq!(numbered(sql), expected);
        }
    }
}
