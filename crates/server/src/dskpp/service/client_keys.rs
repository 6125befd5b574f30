//! The keys that a client's list of key protection methods names: before its code is proved as the message has them,
//! and afterwards as far as this server has them or can trust them (profile P21).

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

/// Octets of the keys that stand in.
const MODULUS_LEN: usize = 256;
const SHARED_KEY_LEN: usize = 16;

/// A public key that nobody has: it stands for that of a name that there is not, and no proof is right with it.
pub(super) fn stand_in() -> RsaPublicKey {
    let mut modulus = SystemRandom.bytes(MODULUS_LEN);
    modulus[0] |= 0x80;
    modulus[MODULUS_LEN - 1] |= 1;
    RsaPublicKey::from_components(&modulus, &[1, 0, 1]).expect("an odd number of 2048 bits")
}

impl Service {
    /// For each entry of the list, the key that it names. Another one stands in where there is no such name, so that
    /// whether there is one shows nowhere but in a proof that only the owner of a code can make.
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
                    // Made anew, as that of a certificate is.
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

    /// Once the code is proved: those of `keys` that may be used, and whose own they are.
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

    /// Whose own a public key is, `Some(None)` for one that is nobody's here; `None` where it is not accepted: it must
    /// be that of a device's registered certificate, or of one that leads to the configured anchors. Without anchors
    /// any will do: the code's proof covers the key (RFC 6063 §3.4.1).
    fn accepted_owner(&self, key: &RsaPublicKey, info: &KeyInfo, context: &HelloContext) -> Option<Option<DeviceRef>> {
        // What was accepted once may have expired or been revoked since.
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
                tracing::info!("a device's certificate is not accepted: {why}");
                false
            }
            _ => true,
        }
    }
}

/// The key of the certificate that is registered for a device.
fn registered_key(device: &DeviceRecord) -> Option<RsaPublicKey> {
    let (key, name) = (device_trust::key_of(device.certificate.as_ref()?), &device.key_name);
    key.inspect_err(|why| tracing::error!("the certificate of the device '{name}' cannot be used: {why}")).ok()
}

/// The key that a message brings along.
fn brought_key(info: &KeyInfo) -> Option<RsaPublicKey> {
    if let Some(certificate) = info.x509_certificates.first() {
        return device_trust::key_of(certificate).ok();
    }
    let rsa = info.rsa_key_value.as_ref()?;
    RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent).ok()
}
