//! Conditions on what is there before a write, looked at in its transaction.

use std::sync::Arc;

use super::db::{Connection, values};
use super::keys::key_by_id;
use super::{By, Store, StoreError, access, devices, enrolments, outbox, tries};
use crate::model::clock::now;
use crate::model::{DeliveryRecord, DeviceEntry, EnrolmentRecord, KeyRecord, TriesRecord, UserEntry};

type Check = Arc<dyn Fn(&Connection) -> Result<(), StoreError> + Send + Sync>;

tokio::task_local! {
    static CURRENT: Check;
}

/// The condition of the writes that the current task makes.
pub(super) fn current() -> Option<Check> {
    CURRENT.try_with(Clone::clone).ok()
}

/// A write that is on its way to the store.
async fn during<T>(
    check: impl Fn(&Connection) -> Result<bool, StoreError> + Send + Sync + 'static,
    write: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let check = move |db: &Connection| if check(db)? { Ok(()) } else { Err(StoreError::Changed) };
    CURRENT.scope(Arc::new(check), write).await
}

/// Keeps a row as it is until the transaction ends.
fn hold(db: &Connection, table: &str, id: &str) -> Result<(), StoreError> {
    db.exists(&format!("SELECT id FROM \"{table}\" WHERE id = ?{}", db.row_lock()), values![id]).map(drop)
}

impl Store {
    /// Carries out `write` if `holds` says so of the key then.
    ///
    /// # Errors
    /// [`StoreError::Changed`], as in the methods below.
    pub(crate) async fn if_key<T>(
        &self,
        id: &str,
        holds: impl Fn(KeyRecord, Vec<DeliveryRecord>) -> bool + Send + Sync + 'static,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let id = id.to_owned();
        let check = move |db: &Connection| {
            hold(db, "key", &id)?;
            let key = key_by_id(db, &id)?.ok_or(StoreError::NotFound("key"))?;
            Ok(holds(key, outbox::of_key(db, &id)?))
        };
        during(check, write).await
    }

    /// Carries out `write` if `holds` says so of the enrolment then.
    pub(crate) async fn if_enrolment<T>(
        &self,
        id: &str,
        holds: impl Fn(EnrolmentRecord, TriesRecord) -> bool + Send + Sync + 'static,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let (id, kek, lock_after) = (id.to_owned(), self.kek(), self.policy.lock_after);
        let check = move |db: &Connection| {
            hold(db, "enrolment", &id)?;
            let found = enrolments::find(db, &kek, By::Id, &id, now()).wait()?;
            let enrolment = found.ok_or(StoreError::NotFound("enrolment"))?;
            Ok(holds(enrolment, tries::tries_of(db, &id, lock_after, now())?))
        };
        during(check, write).await
    }

    /// Carries out `write` if `holds` says so of the device then.
    pub(crate) async fn if_device<T>(
        &self,
        id: &str,
        holds: impl Fn(DeviceEntry) -> bool + Send + Sync + 'static,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let id = id.to_owned();
        let check = move |db: &Connection| {
            hold(db, "device", &id)?;
            Ok(holds(devices::entry(db, &id)?.ok_or(StoreError::NotFound("device"))?))
        };
        during(check, write).await
    }

    /// Carries out `write` if `holds` says so of the user then.
    pub(crate) async fn if_user<T>(
        &self,
        id: &str,
        holds: impl Fn(UserEntry) -> bool + Send + Sync + 'static,
        write: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let id = id.to_owned();
        let check = move |db: &Connection| {
            hold(db, "user", &id)?;
            Ok(holds(access::user_by_id(db, &id)?.ok_or(StoreError::NotFound("user"))?))
        };
        during(check, write).await
    }
}
