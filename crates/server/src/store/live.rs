//! A connection that is made anew when it has broken.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::StoreError;
use super::db::{Connection, Database};
use super::measures::Measures;

/// How long nothing is tried after a failure: who asks meanwhile gets the answer at once.
const PAUSE: Duration = Duration::from_secs(1);

/// How a connection is made.
type Open = fn(&Database) -> Result<Connection, StoreError>;

/// One thread's connection.
pub(super) struct Live {
    database: Database,
    open: Open,
    connection: Connection,
    /// When the last try to make it anew failed, and why.
    failed: Option<(Instant, StoreError)>,
    measures: Arc<Measures>,
}

impl Live {
    pub(super) fn new(database: Database, open: Open, connection: Connection, measures: Arc<Measures>) -> Self {
        Live { database, open, connection, failed: None, measures }
    }

    /// The connection, or why there is none now.
    pub(super) fn get(&mut self) -> Result<&Connection, StoreError> {
        if !self.connection.is_broken() {
            return Ok(&self.connection);
        }
        if let Some((at, why)) = &self.failed
            && at.elapsed() < PAUSE
        {
            return Err(why.clone());
        }
        let opened = (self.open)(&self.database);
        self.measures.connected_anew(opened.is_ok());
        match opened {
            Ok(connection) => {
                if self.failed.take().is_some() {
                    tracing::info!("the database answers again");
                }
                self.connection = connection;
                Ok(&self.connection)
            }
            Err(why) => {
                tracing::error!("{why}");
                self.failed = Some((Instant::now(), why.clone()));
                Err(why)
            }
        }
    }
}
