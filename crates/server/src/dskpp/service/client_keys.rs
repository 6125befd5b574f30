//! The keys that a client's list of key protection methods names: before its code is proved, as in the message;
//! afterwards, only those that this server knows or trusts (profile P21).

use dskpp::algorithm::ProtectionMethod;
use dskpp::message::{ClientHello, KeyProtection};
use dskpp::server::{ClientKey, DeviceRef};
use dskpp_crypto::{Random as _, RsaPublicKey, SystemRandom};
use pskc::KeyInfo;

use super::Service;
use crate::model::DeviceRecord;
use crate::model::clock::unix_now;
use crate::policy::device_trust;
use crate::store::HelloContext;

/// Length of a stand-in key, in octets.
const MODULUS_LEN: usize = 256;
const SHARED_KEY_LEN: usize = 16;

/// A public key without an owner: it stands in for unknown names, and every proof with it fails.
pub(super) fn stand_in() -> RsaPublicKey {
    let mut modulus = SystemRandom.bytes(MODULUS_LEN);
    modulus[0] |= 0x80;
    modulus[MODULUS_LEN - 1] |= 1;
    RsaPublicKey::from_components(&modulus, &[1, 0, 1]).expect("an odd number of 2048 bits")
}

impl Service {
    /// The named key of each list entry. A random key stands in for an unknown name, so that the name's existence shows
    /// only in a proof that requires the code.
    pub(super) fn client_keys(&self, hello: &ClientHello, context: &HelloContext) -> Vec<Option<ClientKey>> {
        let client_id = hello.authentication_data.as_ref().and_then(|data| data.client_id.as_ref());
        let key = |entry: &KeyProtection| {
            let info = entry.key_info()?;
            match (&entry.method, &info.key_name) {
                (ProtectionMethod::PassphraseWrap, name) => {
                    (name.is_some() && name.as_ref() == client_id).then_some(ClientKey::Passphrase)
                }
                (ProtectionMethod::Wrap, Some(name)) => {
                    let stand_in = SystemRandom.secret(SHARED_KEY_LEN);
                    let shared_key = context.named(name).and_then(|device| device.shared_key.clone());
                    Some(ClientKey::Shared { name: name.clone(), key: shared_key.unwrap_or(stand_in) })
                }
                (ProtectionMethod::Transport, Some(name)) => {
                    let registered = context.named(name).and_then(registered_key);
                    // Copied, as the key of a certificate is.
                    let stand_in = || RsaPublicKey::from_components(self.stand_in.modulus(), self.stand_in.exponent());
                    let key = registered.or_else(|| stand_in().ok())?;
                    Some(ClientKey::Public { key, info: info.clone() })
                }
                (ProtectionMethod::Transport, None) => {
                    Some(ClientKey::Public { key: brought_key(info)?, info: info.clone() })
                }
                _ => None,
            }
        };
        hello.two_pass_methods().iter().map(key).collect()
    }

    /// After the code is proved: the usable keys of `keys`, and their devices.
    pub(super) fn accepted_keys(
        &self,
        hello: &ClientHello,
        context: &HelloContext,
        keys: &[Option<ClientKey>],
    ) -> (Vec<Option<ClientKey>>, Vec<Option<DeviceRef>>) {
        let accepted = |(entry, key): (&KeyProtection, &Option<ClientKey>)| {
            let (key, info) = (key.as_ref()?, entry.key_info()?);
            let owner = match key {
                ClientKey::Passphrase => None,
                ClientKey::Shared { name, .. } => {
                    let device = context.named(name).filter(|device| device.shared_key.is_some())?;
                    Some(device.identity.clone())
                }
                ClientKey::Public { key, .. } => self.accepted_owner(key, info, context)?,
            };
            Some((key.clone(), owner))
        };
        let accepted = hello.two_pass_methods().iter().zip(keys).map(accepted);
        let (keys, owners): (Vec<_>, Vec<_>) = accepted.map(Option::unzip).unzip();
        (keys, owners.into_iter().map(Option::flatten).collect())
    }

    /// The device of a public key, `Some(None)` if it belongs to no known device; `None` if the key is rejected: it
    /// must be the key of a device's registered certificate, or of a certificate that chains to a trust anchor. Without
    /// anchors any key is accepted: the proof of the code covers it (RFC 6063 §3.4.1).
    fn accepted_owner(&self, key: &RsaPublicKey, info: &KeyInfo, context: &HelloContext) -> Option<Option<DeviceRef>> {
        // A certificate that was once accepted may have expired or been revoked.
        let owns = |device: &&DeviceRecord| {
            let certificate = device.certificate.as_ref().map(std::slice::from_ref);
            registered_key(device).as_ref() == Some(key) && certificate.is_some_and(|chain| self.is_accepted(chain))
        };
        if let Some(name) = &info.key_name {
            return context.named(name).filter(owns).map(|device| Some(device.identity.clone()));
        }
        let candidates = [&context.device, &context.bound_to];
        let owner = candidates.into_iter().flatten().find(owns).map(|device| device.identity.clone());
        let is_accepted = match info.x509_certificates.is_empty() {
            false => self.is_accepted(&info.x509_certificates),
            true => owner.is_some() || !self.device_trust.has_anchors(),
        };
        is_accepted.then_some(owner)
    }

    fn is_accepted(&self, chain: &[Vec<u8>]) -> bool {
        let found = self.device_trust.has_anchors().then(|| self.device_trust.check(chain, unix_now()));
        match found {
            Some(Err(why)) => {
                tracing::info!("rejecting a device's certificate: {why}");
                false
            }
            _ => true,
        }
    }
}

/// The key of a device's registered certificate.
fn registered_key(device: &DeviceRecord) -> Option<RsaPublicKey> {
    let (key, name) = (device_trust::key_of(device.certificate.as_ref()?), &device.key_name);
    key.inspect_err(|why| tracing::error!("invalid certificate of device '{name}': {why}")).ok()
}

/// The key contained in a message.
fn brought_key(info: &KeyInfo) -> Option<RsaPublicKey> {
    if let Some(certificate) = info.x509_certificates.first() {
        return device_trust::key_of(certificate).ok();
    }
    let rsa = info.rsa_key_value.as_ref()?;
    RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent).ok()
}
