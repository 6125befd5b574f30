//! ClientHello: determines the variant; for four-pass, judges and answers it without keeping state.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use dskpp::algorithm::ProtectionMethod;
use dskpp::message::ClientHello;
use dskpp::negotiate::{Facts, negotiate};
use dskpp::server::{DeviceRef, RefusalReason, RunRefusal, SealedHello, ServerK, SessionState};
use dskpp::status::Status;
use dskpp_crypto::{Sha256, SystemRandom, ct_eq};

use super::measures::{Answered, Message, Seen};
use super::{Service, Stop};
use crate::metrics::observe;
use crate::model::clock::{unix_now, unix_now_ms};
use crate::model::id::new_session_id;
use crate::model::{self, DeviceRecord, EnrolmentRecord, EnrolmentState, KeyState, Variant};
use crate::net::rate_limit::Subject;
use crate::net::turns::Turn;
use crate::store::{HelloContext, HelloQuery, OldKey, StoreError};

impl Service {
    pub(super) async fn client_hello(
        self: &Arc<Self>,
        hello: ClientHello,
        body: Bytes,
        turn: Turn,
        seen: &mut Seen,
    ) -> Result<Answered, Stop> {
        let (peer, start) = (seen.peer, Instant::now());
        let context = self.look_up(&hello, &body, peer).await;
        observe(&self.measures.read, start);
        let context = context?;
        let trigger = trigger_of(&hello, context.enrolment.as_ref());
        let trigger = trigger.map_err(|(status, reason)| {
            let refusal = refusal(&hello, status, reason);
            Stop::Refused(self.refuse_trigger(refusal, context.enrolment.as_ref(), peer))
        })?;
        match wants_two_pass(&hello, trigger) {
            true => {
                (seen.message, seen.variant) = (Some(Message::TwoPass), Some(Variant::TwoPass));
                let trigger = trigger.is_some();
                self.two_pass(hello, body, context, trigger, turn, seen).await
            }
            false => {
                seen.variant = Some(Variant::FourPass);
                self.four_pass(&hello, &body, &context, trigger).map(Answered::Begun)
            }
        }
    }

    /// Pass 2: the answer, including the sealed session.
    fn four_pass(
        &self,
        hello: &ClientHello,
        body: &[u8],
        context: &HelloContext,
        trigger: Option<&EnrolmentRecord>,
    ) -> Result<Vec<u8>, Stop> {
        let refuse = |(status, reason)| refusal(hello, status, reason);
        let named = device_of(hello);
        if trigger.is_some_and(|enrolment| !enrolment.allows(Variant::FourPass)) {
            return Err(refuse((Status::AccessDenied, RefusalReason::Policy)).into());
        }
        let k = self.k_for(hello, named.as_ref(), context.device.as_ref(), trigger).map_err(refuse)?;
        // Until the code is proved, the answer must not reveal which keys exist, and no K_TOKEN is used.
        let renewed = match trigger {
            Some(_) => renewed_key(hello, context.key.as_ref(), trigger).map_err(refuse)?,
            None => context.key.as_ref().filter(|key| is_in_use(key) && key.is_of_run),
        };
        let key_type = trigger.and_then(|enrolment| model::algorithm(enrolment.key_type));
        let k_server = self.k_servers.newest();
        let facts = Facts { k: k.as_ref().unwrap_or(&k_server.k), key_type: key_type.as_ref() };
        let choice = negotiate(hello, &self.policy, &facts).map_err(refuse)?;
        let session_id = new_session_id();
        let seal = self.session_keys.of(&session_id, unix_now_ms());
        let seal = seal.ok_or_else(|| StoreError::Unavailable("it has no key for the sessions of today".into()))?;
        let answer = SealedHello {
            hello,
            body,
            choice,
            k: facts.k,
            certificates: &k_server.certificate,
            session_id: &session_id,
            expires_at: unix_now() + self.session_lifetime_s,
            state: SessionState {
                k_id: if k.is_some() { DEVICE_K.to_owned() } else { k_server.id.clone() },
                enrolment: trigger.map(|enrolment| enrolment.id.clone()),
                trigger: trigger.is_some(),
                device: named,
                renews: key_id(hello),
            },
            k_mac_old: renewed.map(|key| &key.k_mac_old),
            seal: &seal,
        };
        Ok(answer.write(&mut SystemRandom))
    }

    /// One read; none for a client that names nothing.
    async fn look_up(&self, hello: &ClientHello, body: &[u8], peer: SocketAddr) -> Result<HelloContext, Stop> {
        let entries = hello.two_pass_methods();
        let infos = || entries.iter().filter_map(|entry| Some((&entry.method, entry.key_info()?)));
        let named = infos().filter(|(method, _)| **method != ProtectionMethod::PassphraseWrap);
        let names = named.filter_map(|(_, info)| info.key_name.clone());
        let query = HelloQuery {
            request_hash: (!entries.is_empty()).then(|| Sha256::digest(&[body])),
            device: device_of(hello),
            key_id: key_id(hello),
            client_id: hello.authentication_data.as_ref().and_then(|data| data.client_id.clone()),
            key_names: names.take(MAX_KEY_NAMES).collect(),
            address: Subject::from(peer).to_string(),
            brings_public_key: infos().any(|(method, _)| *method == ProtectionMethod::Transport),
        };
        Ok(self.store.load_hello(query).await?)
    }

    /// The device's own key if the client can use it; otherwise K_SERVER (`None`), which is not enough for a DeviceID
    /// without a trigger (profile P21).
    fn k_for(
        &self,
        hello: &ClientHello,
        named: Option<&DeviceRef>,
        device: Option<&DeviceRecord>,
        trigger: Option<&EnrolmentRecord>,
    ) -> Result<Option<ServerK>, (Status, RefusalReason)> {
        let Some(named) = named else { return Ok(None) };
        if let Some(DeviceRecord { key_name, shared_key: Some(key), .. }) = device {
            let k = ServerK::Shared { name: key_name.clone(), key: key.clone() };
            let offered = &hello.supported_encryption_algorithms;
            if offered.iter().any(|offered| self.policy.encryption_algorithms.contains(offered) && k.serves(offered)) {
                return Ok(Some(k));
            }
        }
        match trigger.and_then(|enrolment| enrolment.device.as_ref()) {
            Some(device) if device == named => Ok(None),
            _ => Err((Status::AccessDenied, RefusalReason::Device)),
        }
    }
}

/// The name of "the key of the session's device" in a session.
pub(super) const DEVICE_K: &str = "device";

/// Maximum number of key names to look up per message: a client has one or two.
const MAX_KEY_NAMES: usize = 4;

fn refusal(hello: &ClientHello, status: Status, reason: RefusalReason) -> RunRefusal {
    RunRefusal::of_hello(status, reason, hello.offers_four_pass())
}

/// The variant of a run. The message alone decides: four-pass if offered, unless a verified trigger names an enrolment
/// for two-pass only (profile P16, P17).
fn wants_two_pass(hello: &ClientHello, trigger: Option<&EnrolmentRecord>) -> bool {
    let only_two_pass = trigger.is_some_and(|enrolment| !enrolment.allows(Variant::FourPass));
    !hello.two_pass_methods().is_empty() && (!hello.offers_four_pass() || only_two_pass)
}

/// The Id of the key to renew, as the client sends it. Key Ids are UTF-8: other octets cannot name an existing key.
fn key_id(hello: &ClientHello) -> Option<String> {
    hello.key_id.clone().map(|id| String::from_utf8(id).unwrap_or_default())
}

/// The device that the client claims to be; a DeviceID without manufacturer or serial number names none.
pub(super) fn device_of(hello: &ClientHello) -> Option<DeviceRef> {
    let data = hello.device_identifier_data.as_ref()?;
    Some(DeviceRef {
        manufacturer: data.manufacturer.clone().unwrap_or_default(),
        serial: data.serial_no.clone().unwrap_or_default(),
    })
}

/// The enrolment whose trigger the client copied (profile P14), if any.
///
/// A client that offers two-pass may send the AD of that variant: two-pass verifies it, and four-pass ignores it.
fn trigger_of<'a>(
    hello: &ClientHello,
    enrolment: Option<&'a EnrolmentRecord>,
) -> Result<Option<&'a EnrolmentRecord>, (Status, RefusalReason)> {
    let Some(data) = &hello.authentication_data else { return Ok(None) };
    let copied = &data.authentication_code_mac;
    let given = enrolment.and_then(|enrolment| Some((enrolment, enrolment.trigger.as_ref()?)));
    let is_copy = given.is_some_and(|(_, given)| {
        ct_eq(&given.mac, &copied.mac.value) & ct_eq(&given.nonce, copied.nonce.as_deref().unwrap_or_default())
    });
    match given.map(|(enrolment, _)| enrolment) {
        Some(enrolment) if is_copy && enrolment.state == EnrolmentState::Open => Ok(Some(enrolment)),
        Some(enrolment) if is_copy && enrolment.state == EnrolmentState::Expired => {
            Err((Status::ProvisioningPeriodExpired, RefusalReason::Expired))
        }
        _ if !hello.two_pass_methods().is_empty() => Ok(None),
        _ if data.client_id.is_none() => Err((Status::AuthenticationDataMissing, RefusalReason::NoAuthenticationData)),
        _ => Err((Status::AuthenticationDataInvalid, RefusalReason::Trigger)),
    }
}

/// The key to renew, after the code is proved: it must be active, and named by the enrolment (profile P21).
pub(super) fn renewed_key<'a>(
    hello: &ClientHello,
    key: Option<&'a OldKey>,
    trigger: Option<&EnrolmentRecord>,
) -> Result<Option<&'a OldKey>, (Status, RefusalReason)> {
    let wanted = hello.key_id.is_some();
    let named = trigger.and_then(|enrolment| enrolment.renews.as_deref());
    match key.filter(|key| is_in_use(key)) {
        Some(found) if trigger.is_none() || named == Some(&found.record.id) => Ok(Some(found)),
        None if !wanted && named.is_none() => Ok(None),
        _ => Err((Status::AccessDenied, RefusalReason::Key)),
    }
}

fn is_in_use(key: &OldKey) -> bool {
    matches!(key.record.state, KeyState::Active | KeyState::Provisioned)
}
