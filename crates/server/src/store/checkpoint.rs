//! How far the chains of the audit trail go.

use dskpp_api::ChainHead;

use super::columns::{Columns, value};
use super::db::{Connection, Row, values};
use super::{Store, StoreError};

impl Store {
    /// The last entry of every chain, by the chains' names.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for an entry that cannot be read.
    pub(crate) async fn chain_heads(&self) -> Result<Vec<ChainHead>, StoreError> {
        self.engine.read(chain_heads).await
    }
}

/// From chain to chain by the index of the primary key: entries are many, chains are few.
fn chain_heads(db: &Connection) -> Result<Vec<ChainHead>, StoreError> {
    let mut heads: Vec<ChainHead> = Vec::new();
    loop {
        let (from, chain) = heads.last().map_or((">=", ""), |last| (">", &last.chain));
        let sql = format!("SELECT chain, chain FROM audit WHERE chain {from} ? ORDER BY chain, seq LIMIT 1");
        let next: Option<String> = value(db, "audit", &sql, values![chain])?;
        let Some(chain) = next else { return Ok(heads) };
        let sql = "SELECT chain, seq, hash FROM audit WHERE chain = ? ORDER BY seq DESC LIMIT 1";
        let head = db.first(sql, values![chain], read)?;
        heads.push(head.ok_or(StoreError::NotFound("audit entry"))?);
    }
}

fn read(row: &Row<'_>) -> Result<ChainHead, StoreError> {
    let row = Columns::of("audit", row);
    let hash = data_encoding::HEXLOWER.encode(&row.get::<Vec<u8>>(2)?);
    Ok(ChainHead { chain: row.get(0)?, seq: row.get(1)?, hash })
}
