//! What a run of the protocol reads.

use std::sync::Arc;

use dskpp::server::DeviceRef;

use super::access::{device_by_identity, device_by_key_name};
use super::answers::{answer_of, answer_to};
use super::columns::readable;
use super::db::{Connection, Reply};
use super::enrolments::{By, Subject, find};
use super::export::{Outgoing, delivered};
use super::keys::{OldKey, old_key};
use super::tries::is_locked;
use super::{Store, StoreError, StorePolicy};
use crate::model::clock::now;
use crate::model::{DeviceRecord, EnrolmentRecord, StoredAnswer};
use crate::store::seal::Kek;

/// What a ClientHello names.
#[derive(Clone, Debug, Default)]
pub(crate) struct HelloQuery {
    /// SHA-256 of a two-pass ClientHello, which may have been answered already.
    pub request_hash: Option<[u8; 32]>,
    /// DeviceID.
    pub device: Option<DeviceRef>,
    /// KeyID.
    pub key_id: Option<String>,
    /// The client ID of its AD.
    pub client_id: Option<String>,
    /// The names of keys in its list of key protection methods.
    pub key_names: Vec<String>,
    /// Where it comes from: an IPv4 address, or an IPv6 /64.
    pub address: String,
    /// Whether that list has a public key, which may be that of the enrolment's device.
    pub brings_public_key: bool,
}

/// What a ClientHello may refer to.
#[derive(Debug, Default)]
pub(crate) struct HelloContext {
    /// The answer that it got already.
    pub answer: Option<StoredAnswer>,
    /// The devices whose keys it names, each with that name.
    pub named: Vec<DeviceRecord>,
    /// The key in stock that the enrolment delivers.
    pub delivered: Option<Outgoing>,
    /// The device that was named.
    pub device: Option<DeviceRecord>,
    /// The key that is to be renewed.
    pub key: Option<OldKey>,
    /// The enrolment of the client ID in its AD.
    pub enrolment: Option<EnrolmentRecord>,
    /// Whether no code of it is accepted from that address now.
    pub locked: bool,
    /// The device that this is bound to, where the message brings a public key.
    pub bound_to: Option<DeviceRecord>,
}

impl HelloContext {
    /// The device whose key has that name.
    pub(crate) fn named(&self, name: &str) -> Option<&DeviceRecord> {
        self.named.iter().find(|device| device.key_name == name)
    }
}

/// What a ClientNonce refers to.
#[derive(Debug)]
pub(crate) struct RunContext {
    /// The answer that its session got already.
    pub answer: Option<StoredAnswer>,
    /// The enrolment of its client ID, or the one that its session names.
    pub enrolment: Option<EnrolmentRecord>,
    /// Whether no code of it is accepted from that address now.
    pub locked: bool,
    /// The device whose key the session uses.
    pub device: Option<DeviceRecord>,
}

impl Store {
    /// What a ClientHello refers to, in one read.
    pub(crate) async fn load_hello(&self, query: HelloQuery) -> Result<HelloContext, StoreError> {
        let names_none = query.device.is_none() && query.key_id.is_none() && query.client_id.is_none();
        if names_none && query.key_names.is_empty() {
            return Ok(HelloContext::default());
        }
        let (kek, policy) = (Arc::clone(&self.kek), self.policy);
        self.engine.read(move |db| load_hello(db, &kek, &query, &policy, now())).await
    }

    /// What a ClientNonce refers to, in one read.
    pub(crate) async fn load_run(
        &self,
        session_id: &str,
        client_id: Option<&str>,
        enrolment: Option<&str>,
        device: Option<&DeviceRef>,
        address: &str,
    ) -> Result<RunContext, StoreError> {
        let (session_id, kek) = (session_id.to_owned(), Arc::clone(&self.kek));
        let by = match (client_id, enrolment) {
            (Some(client_id), _) => Some((By::ClientId, client_id.to_owned())),
            (None, Some(id)) => Some((By::Id, id.to_owned())),
            (None, None) => None,
        };
        let (device, address, policy) = (device.cloned(), address.to_owned(), self.policy);
        let has_code = client_id.is_some();
        let read = move |db: &Connection| {
            let at = now();
            let enrolment = by.as_ref().map(|(by, value)| find(db, &kek, *by, value, at));
            let lock = by.as_ref().filter(|_| has_code);
            let lock = lock.map(|(by, value)| Subject::of((*by, value), enrolment.as_ref()));
            let locked = lock.map(|subject| is_locked(db, subject, &address, &policy, at));
            let device = device.as_ref().map(|device| device_by_identity(db, &kek, device));
            // Behind the enrolment: where that is seen as spent, so is the answer of the run that has spent it.
            let answer = answer_of(db, &kek, &session_id);
            Ok(RunContext {
                enrolment: found(enrolment)?,
                answer: answer.wait()?,
                locked: locked.map_or(Ok(false), Reply::wait)?,
                device: found(device)?,
            })
        };
        self.engine.read(read).await
    }
}

/// What was sent for, if it can be read.
fn found<T>(sent: Option<Reply<'_, Option<T>>>) -> Result<Option<T>, StoreError> {
    sent.map_or(Ok(None), |sent| readable(sent.wait()))
}

/// All that does not depend on other answers is sent together.
pub(super) fn load_hello(
    db: &Connection,
    kek: &Kek,
    query: &HelloQuery,
    policy: &StorePolicy,
    at: i64,
) -> Result<HelloContext, StoreError> {
    let device = query.device.as_ref().map(|named| device_by_identity(db, kek, named));
    let named: Vec<_> = query.key_names.iter().map(|name| device_by_key_name(db, kek, name)).collect();
    let key = query.key_id.as_ref().map(|id| old_key(db, kek, id));
    let enrolment = query.client_id.as_ref().map(|client_id| find(db, kek, By::ClientId, client_id, at));
    let Some(hash) = &query.request_hash else {
        let (device, key, enrolment) = (found(device)?, found(key)?, found(enrolment)?);
        return Ok(HelloContext { device, key, enrolment, ..HelloContext::default() });
    };
    // The same work for every two-pass ClientHello, whatever its enrolment is, and whether or not there is one.
    let client_id = query.client_id.as_deref().unwrap_or_default();
    let subject = Subject::of((By::ClientId, client_id), enrolment.as_ref());
    let locked = is_locked(db, subject, &query.address, policy, at);
    let answer = answer_to(db, kek, subject, hash);
    let delivered = delivered(db, subject);
    let enrolment = found(enrolment)?;
    let bound_to = match query.brings_public_key {
        true => {
            let (bound_to, nobody) = (enrolment.as_ref().and_then(|enrolment| enrolment.device.as_ref()), no_device());
            let found = readable(device_by_identity(db, kek, bound_to.unwrap_or(&nobody)).wait())?;
            found.filter(|_| bound_to.is_some())
        }
        false => None,
    };
    let named = named.into_iter().filter_map(|named| found(Some(named)).transpose()).collect::<Result<_, _>>()?;
    let (device, key, delivered) = (found(device)?, found(key)?, readable(delivered.wait())?);
    let (answer, locked) = (answer.wait()?, locked.wait()?);
    Ok(HelloContext { answer, named, delivered, device, key, enrolment, locked, bound_to })
}

fn no_device() -> DeviceRef {
    DeviceRef { manufacturer: String::new(), serial: String::new() }
}
