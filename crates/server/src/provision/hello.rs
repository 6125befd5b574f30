//! Pass 1 and 2: a ClientHello is judged and answered, and nothing is kept.

use dskpp::message::ClientHello;
use dskpp::negotiate::{Facts, negotiate};
use dskpp::server::{Answer, DeviceRef, Reason, Refusal, ServerK, SessionState};
use dskpp::status::Status;
use dskpp_crypto::{Secret, SystemRandom, ct_eq};

use super::{Provision, Stop, new_id, unix_now};
use crate::store::{DeviceRecord, EnrolmentRecord, EnrolmentState, HelloContext, KeyRecord, KeyState, key_type};

impl Provision {
    pub(super) async fn hello(&self, hello: &ClientHello, body: &[u8]) -> Result<Vec<u8>, Stop> {
        let refuse = |(status, reason)| Refusal::of_hello(status, reason, hello.offers_four_pass());
        let named = device_of(hello);
        let HelloContext { device, key, enrolment } = self.look_up(hello, named.as_ref()).await?;
        let trigger = trigger_of(hello, enrolment.as_ref()).map_err(refuse)?;
        let k = self.k_for(hello, named.as_ref(), device, trigger).map_err(refuse)?;
        let renewed = renewed_key(hello, key.as_ref(), trigger).map_err(refuse)?;
        let key_type = trigger.and_then(|enrolment| key_type(&enrolment.key_type));
        let facts = Facts {
            k: k.as_ref().unwrap_or(&self.k_server),
            key_type: key_type.as_ref(),
            k_mac_old_len: renewed.map(|(_, k_mac)| k_mac.len()),
        };
        let choice = negotiate(hello, &self.policy, &facts).map_err(refuse)?;
        let answer = Answer {
            hello,
            body,
            choice,
            k: facts.k,
            certificates: &self.certificates,
            session_id: &new_id(),
            expires_at: unix_now() + self.session_lifetime_s,
            state: SessionState {
                k_id: if k.is_some() { DEVICE_K.to_owned() } else { self.k_server_id.clone() },
                enrolment: trigger.map(|enrolment| enrolment.id.clone()),
                trigger: trigger.is_some(),
                device: named,
                renews: renewed.map(|(key, _)| key.id.clone()),
            },
            k_mac_old: renewed.map(|(_, k_mac)| k_mac),
            seal: &self.session_key,
        };
        Ok(answer.write(&mut SystemRandom))
    }

    /// One read, and none for a client that names nothing.
    async fn look_up(&self, hello: &ClientHello, device: Option<&DeviceRef>) -> Result<HelloContext, Stop> {
        let device = device.map(|device| (device.manufacturer.clone(), device.serial.clone()));
        let key_id = hello.key_id.as_deref().map(|id| String::from_utf8_lossy(id).into_owned());
        let client_id = hello.authentication_data.as_ref().and_then(|data| data.client_id.clone());
        Ok(self.store.load_hello(device, key_id, client_id).await?)
    }

    /// The device's own key where the client can use it; else K_SERVER (`None`), which is not enough for a
    /// DeviceID that no trigger named (profile P21).
    fn k_for(
        &self,
        hello: &ClientHello,
        named: Option<&DeviceRef>,
        device: Option<DeviceRecord>,
        trigger: Option<&EnrolmentRecord>,
    ) -> Result<Option<ServerK>, (Status, Reason)> {
        let Some(named) = named else { return Ok(None) };
        if let Some(DeviceRecord { key_name, shared_key: Some(key), .. }) = device {
            let k = ServerK::Shared { name: key_name, key };
            let offered = &hello.supported_encryption_algorithms;
            if offered.iter().any(|offered| self.policy.encryption_algorithms.contains(offered) && k.serves(offered)) {
                return Ok(Some(k));
            }
        }
        match trigger.and_then(|enrolment| enrolment.device.as_ref()) {
            Some(device) if device == named => Ok(None),
            _ => Err((Status::AccessDenied, Reason::Device)),
        }
    }
}

/// The name of "the key of the session's device" in a session.
pub(super) const DEVICE_K: &str = "device";

/// The device that the client says it is; one without manufacturer or serial number names none.
fn device_of(hello: &ClientHello) -> Option<DeviceRef> {
    let data = hello.device_identifier_data.as_ref()?;
    Some(DeviceRef {
        manufacturer: data.manufacturer.clone().unwrap_or_default(),
        serial: data.serial_no.clone().unwrap_or_default(),
    })
}

/// The enrolment whose trigger the client copied (profile P14), if it did.
///
/// A client that offers two-pass as well may send the AD of that variant, which four-pass leaves aside.
fn trigger_of<'a>(
    hello: &ClientHello,
    enrolment: Option<&'a EnrolmentRecord>,
) -> Result<Option<&'a EnrolmentRecord>, (Status, Reason)> {
    let Some(data) = &hello.authentication_data else { return Ok(None) };
    let copied = &data.authentication_code_mac;
    let given = enrolment.and_then(|enrolment| Some((enrolment, enrolment.trigger.as_ref()?)));
    let is_copy = given.is_some_and(|(_, given)| {
        ct_eq(&given.mac, &copied.mac.value) & ct_eq(&given.nonce, copied.nonce.as_deref().unwrap_or_default())
    });
    match given.map(|(enrolment, _)| enrolment) {
        Some(enrolment) if is_copy && enrolment.state == EnrolmentState::Open => Ok(Some(enrolment)),
        Some(enrolment) if is_copy && enrolment.state == EnrolmentState::Expired => {
            Err((Status::ProvisioningPeriodExpired, Reason::Expired))
        }
        _ if !is_copy && !hello.two_pass_methods().is_empty() => Ok(None),
        _ => Err((Status::AuthenticationDataInvalid, Reason::Trigger)),
    }
}

/// The key that the client wants renewed; it must be in use, and be the one that a trigger named (profile P21).
fn renewed_key<'a>(
    hello: &ClientHello,
    key: Option<&'a (KeyRecord, Secret)>,
    trigger: Option<&EnrolmentRecord>,
) -> Result<Option<&'a (KeyRecord, Secret)>, (Status, Reason)> {
    let wanted = hello.key_id.is_some();
    let named = trigger.and_then(|enrolment| enrolment.renews.as_deref());
    match key.filter(|(key, _)| matches!(key.state, KeyState::Active | KeyState::Provisioned)) {
        Some(found) if trigger.is_none() || named == Some(&found.0.id) => Ok(Some(found)),
        None if !wanted && named.is_none() => Ok(None),
        _ => Err((Status::AccessDenied, Reason::Key)),
    }
}
