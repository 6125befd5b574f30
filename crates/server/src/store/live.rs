//! A connection that is made anew when it has broken.

use std::time::{Duration, Instant};

use super::StoreError;
use super::db::{Connection, Database};

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
}

impl Live {
    pub(super) fn new(database: Database, open: Open, connection: Connection) -> Self {
        Live { database, open, connection, failed: None }
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
        match (self.open)(&self.database) {
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
