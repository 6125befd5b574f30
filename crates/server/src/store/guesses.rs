//! Consecutive wrong one-time passwords, by whom they were shown for: each further one delays the next try (RFC 4226 §7.3),
//! on every server and after restarts. The delays are those of [`delay`]; the first wrong passwords have none.
//!
//! Names of nobody share a few rows: they are delayed as well, and fill no table.

use dskpp_api::ValidationRequest;
use dskpp_crypto::Sha256;

use super::StoreError;
use super::columns::readable;
use super::db::{Connection, values};
use super::rows;
use crate::policy::backoff::{MEMORY, delay};

/// Whose wrong passwords are counted together.
pub(super) struct Guesses {
    subject: String,
    /// Whether it stands for names of nobody.
    is_shared: bool,
    /// Wrong passwords, and the time of the last one.
    wrong: Option<(u32, i64)>,
}

impl Guesses {
    /// Those of the user, key or client of a request.
    pub(super) fn of(db: &Connection, request: &ValidationRequest) -> Result<Self, StoreError> {
        match request {
            ValidationRequest { user: Some(name), .. } => {
                Self::find(db, "user", "SELECT 1 FROM \"user\" WHERE name = ?", name)
            }
            ValidationRequest { key_id: Some(id), .. } => Self::of_key(db, id),
            ValidationRequest { client_id, .. } => {
                let sql = "SELECT 1 FROM enrolment WHERE client_id = ?";
                Self::find(db, "client", sql, client_id.as_deref().unwrap_or_default())
            }
        }
    }

    /// Those of a key.
    pub(super) fn of_key(db: &Connection, id: &str) -> Result<Self, StoreError> {
        Self::find(db, "key", "SELECT 1 FROM key WHERE id = ?", id)
    }

    fn find(db: &Connection, kind: &str, exists: &str, name: &str) -> Result<Self, StoreError> {
        let sql = "SELECT subject, count, at FROM wrong_password WHERE subject = ?";
        let own = format!("{kind} {name}");
        let [bucket, ..] = Sha256::digest(&[own.as_bytes()]);
        let shared = format!("nobody {bucket:02x}");
        let exists = db.send_query(exists, values![name], |_| Ok(()));
        let wrong = [&own, &shared].map(|subject| db.send_query(sql, values![subject], rows::guesses));
        let exists = exists.wait()?.is_some();
        let [of_own, of_shared] = wrong.map(|wrong| readable(wrong.wait()));
        let (subject, wrong) = if exists { (own, of_own?) } else { (shared, of_shared?) };
        Ok(Guesses { subject, is_shared: !exists, wrong })
    }

    /// Seconds until the next try, if it has to wait.
    pub(super) fn wait_s(&self, at: i64) -> Option<u64> {
        let (count, last) = self.wrong?;
        let since = u64::try_from(at.saturating_sub(last)).unwrap_or(0); // the clock may have been set back
        delay(count)?.as_secs().checked_sub(since).filter(|wait| *wait > 0)
    }

    /// Counts a wrong password.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where another server has counted one since these were read: what they delay is to be
    /// looked at anew, or each server would allow a guess of its own.
    pub(super) fn wrong(&self, db: &Connection, at: i64) -> Result<(), StoreError> {
        // Nobody's are no guesses.
        let seen = self.wrong.filter(|_| !self.is_shared);
        let sql = "INSERT INTO wrong_password (subject, count, at) VALUES (?1, 1, ?2) ON CONFLICT (subject) DO UPDATE SET \
             count = CASE WHEN wrong_password.at <= ?3 THEN 1 WHEN wrong_password.count < ?4 \
             THEN wrong_password.count + 1 ELSE ?4 END, at = ?2 \
             WHERE ?5 IS NULL OR wrong_password.count = ?5 AND wrong_password.at = ?6";
        let (count, last) = seen.unzip();
        match db.execute(sql, values![self.subject, at, forgotten(at), u32::MAX, count, last])? {
            0 => Err(changed()),
            _ => Ok(()),
        }
    }

    /// A right password: the next wrong one is the first again.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] as for a wrong one.
    pub(super) fn right(&self, db: &Connection) -> Result<(), StoreError> {
        let Some((count, last)) = self.wrong else { return Ok(()) };
        let sql = "DELETE FROM wrong_password WHERE subject = ? AND count = ? AND at = ?";
        match db.execute(sql, values![self.subject, count, last])? {
            0 => Err(changed()),
            _ => Ok(()),
        }
    }
}

fn changed() -> StoreError {
    StoreError::Conflict("another server has got a one-time password meanwhile".into())
}

/// Forgets what is old.
pub(super) fn forget_old(db: &Connection, at: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM wrong_password WHERE at <= ?", values![forgotten(at)])?;
    Ok(())
}

/// The time of wrong passwords that do not matter any more at `at`.
fn forgotten(at: i64) -> i64 {
    at.saturating_sub_unsigned(MEMORY.as_secs())
}
