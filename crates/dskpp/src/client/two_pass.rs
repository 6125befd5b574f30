//! The states of two-pass (RFC 6063 §5.2).

use std::num::NonZeroU32;

use dskpp_crypto::{Random, Secret, ct_eq};
use pskc::{DecryptionKey, DerivedKey, KeyContainer, Opener, OpenerOptions, Value};

use super::config::{Credential, RunConfig};
use super::failed::Failed;
use super::server_finished::{self, Described, Provisioned};
use crate::algorithm::{KeyType, PackageFormat, ProtectionMethod};
use crate::key_package::{self, ITERATIONS};
use crate::message::{
    AuthenticationCodeMac, AuthenticationData, Mac, PackageContent, ProtocolVariants, ServerFinishedBody,
};
use crate::prf::Prf;
use crate::protection::ClientProtection;
use crate::token_length::{self, Stated};
use crate::{auth_data, key_schedule};

/// The start of a two-pass run.
#[derive(Debug)]
pub struct TwoPass;

impl TwoPass {
    /// The ClientHello to send, and the state that awaits its answer. Blocks for the duration of PBKDF2.
    ///
    /// `protections` are in order of preference, at least one; the authentication data is computed with the key of the
    /// first. The offered algorithms are those that match them.
    ///
    /// # Errors
    /// [`Failed::Unusable`] if the offer is impossible.
    pub fn start(
        offer: RunConfig,
        protections: Vec<ClientProtection>,
        rng: &mut dyn Random,
    ) -> Result<(Vec<u8>, AwaitingKey), Failed> {
        Self::start_beside(false, offer, protections, rng)
    }

    /// Like [`start`](Self::start), with four-pass or alone.
    pub(super) fn start_beside(
        four_pass: bool,
        offer: RunConfig,
        protections: Vec<ClientProtection>,
        rng: &mut dyn Random,
    ) -> Result<(Vec<u8>, AwaitingKey), Failed> {
        let mut offer = offer.fitted();
        let first = protections.first().ok_or(Failed::Unusable("two-pass needs a way to protect the key"))?;
        let mac_algorithm = offer.mac_algorithms.first().ok_or(Failed::Unusable("no MAC algorithm is offered"))?;
        let prf = Prf::of(mac_algorithm).ok_or(Failed::Unusable("an unknown MAC algorithm is offered"))?;
        let (r_c, client_id) = match &offer.credential {
            Credential::Code(code) => (rng.bytes(prf.key_len()), code.client_id().to_owned()),
            Credential::Trigger(trigger) => {
                let data = &trigger.authentication_data;
                let r_c = data.authentication_code_mac.nonce.clone();
                let r_c = r_c.ok_or(Failed::Unusable("the trigger has no nonce, which two-pass needs"))?;
                (r_c, data.client_id.clone().unwrap_or_default()) // optional in a trigger, and only used with a code
            }
        };
        if offer.password().is_none() && protections.iter().any(|one| matches!(one, ClientProtection::Passphrase)) {
            return Err(Failed::Unusable("passphrase protection requires the authentication code"));
        }
        let is_container = |format: &PackageFormat| {
            matches!(format, PackageFormat::Skpc | PackageFormat::Pkcs12 | PackageFormat::Pkcs5Xml)
        };
        if cfg!(not(feature = "containers")) && offer.package_formats.iter().any(is_container) {
            return Err(Failed::Unusable("a format of key packages is offered that needs the feature `containers`"));
        }
        if !four_pass {
            offer.encryption_algorithms.clear();
        }
        for algorithm in protections.iter().flat_map(ClientProtection::algorithms) {
            if !offer.encryption_algorithms.contains(&algorithm) {
                offer.encryption_algorithms.push(algorithm);
            }
        }
        let mut hello = offer.hello(Some(r_c.clone()));
        let entries = protections.iter().map(|one| one.entry(&client_id)).collect();
        hello.supported_protocol_variants = Some(ProtocolVariants { four_pass, two_pass: Some(entries) });
        if let Credential::Code(code) = &offer.credential {
            let k = first.k(offer.pbkdf2_prf, code.password(), &r_c);
            let iterations = match first {
                ClientProtection::Transport { .. } => offer.iterations,
                _ => 1,
            };
            let counts = (NonZeroU32::new(iterations), i32::try_from(iterations));
            let (Some(count), Ok(iteration_count)) = counts else {
                return Err(Failed::Unusable("the iteration count must be from 1 to 2147483647"));
            };
            let k_ac = auth_data::k_ac(offer.pbkdf2_prf, code.password(), &r_c, k.expose(), count);
            let value = auth_data::mac(prf, &k_ac, &client_id, &offer.url_s, &r_c, &[]);
            hello.authentication_data = Some(AuthenticationData {
                client_id: Some(client_id),
                authentication_code_mac: AuthenticationCodeMac {
                    nonce: Some(r_c.clone()),
                    iteration_count: Some(iteration_count),
                    mac: Mac { algorithm: Some(prf.algorithm()), value },
                },
            });
        }
        let request = hello.write();
        let message_hash = key_schedule::message_hash(&[&request]);
        Ok((request, AwaitingKey { offer, protections, r_c, message_hash }))
    }
}

/// The state after sending ClientHello.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone))]
pub struct AwaitingKey {
    pub(super) offer: RunConfig,
    protections: Vec<ClientProtection>,
    pub(super) r_c: Vec<u8>,
    message_hash: [u8; 32],
}

impl AwaitingKey {
    /// Processes the body of the HTTP response (RFC 6063 §5.2.3), and returns the key if both MACs are valid. Blocks for
    /// the duration of a private-key operation or PBKDF2.
    ///
    /// # Errors
    /// [`Failed`]; store nothing then.
    pub fn receive(self, body: &[u8]) -> Result<Provisioned, Failed> {
        let (_, finished) = server_finished::read(body, "it chose four-pass, which was not offered")?;
        let server_id = finished.key_package.server_id.clone().ok_or(Failed::Misbehaved("it sent no ServerID"))?;
        let prf = self.prf(&finished)?;
        let used = self.used(finished.key_package.key_protection_method.as_ref())?;
        let (mut container, opened) = self.open(finished.key_package.content.clone(), used, prf)?;
        let OpenedKey { key: PackagedKey { key_type, key_id, key_len, stated }, k_prov, iterations } = opened;
        let mut keys = key_schedule::take(prf, &k_prov, key_len).ok_or(Failed::WrongConfirmation)?;
        let expected = key_schedule::confirmation_two_pass(prf, &keys.k_mac, &self.message_hash, &server_id);
        if !ct_eq(&finished.mac.value, &expected) {
            return Err(Failed::WrongConfirmation);
        }
        if let Some(stated) = stated {
            keys = stated.cut(prf, keys).ok_or(Failed::WrongConfirmation)?;
        }
        self.verify_renewal(&finished, prf, &server_id)?;
        // From here on only `keys` has the key.
        for package in &mut container.key_packages {
            if let Some(data) = package.key.as_mut().and_then(|key| key.data.as_mut()) {
                data.secret = None;
            }
        }
        let k = used.k(self.offer.pbkdf2_prf, self.offer.password().unwrap_or(&Secret::new(Vec::new())), &self.r_c);
        let method = Some(used.method());
        Ok(Provisioned { keys, prf, key_type, key_id, server_id: Some(server_id), container, k, method, iterations })
    }

    /// The PRF of the run: the one that the MAC names, or else the first one offered.
    fn prf(&self, finished: &ServerFinishedBody) -> Result<Prf, Failed> {
        let offered = &self.offer.mac_algorithms;
        let named = finished.mac.algorithm.as_ref().or(offered.first());
        let named = named.filter(|named| offered.contains(named));
        named.and_then(Prf::of).ok_or(Failed::Misbehaved("it chose a MAC algorithm that was not offered"))
    }

    /// Checks the package's description of its only key.
    fn judge(&self, container: &mut KeyContainer) -> Result<PackagedKey, Failed> {
        let renews = self.offer.renewal.as_ref().map(|renewal| renewal.key_id.as_str());
        let Described { key, key_type, len: type_len } = Described::by(container, &self.offer.key_types, renews)?;
        let stated = token_length::take(key, &key_type, type_len);
        let stated = stated.map_err(|()| Failed::Misbehaved("its statement of the key's length is invalid"))?;
        let key_len = stated.as_ref().map_or(0, |stated| stated.len).max(type_len);
        Ok(PackagedKey { key_type, key_id: key.id.clone(), key_len, stated })
    }

    /// The protection of the package: the one that it names, or else the first one offered.
    fn used(&self, method: Option<&ProtectionMethod>) -> Result<&ClientProtection, Failed> {
        let used = self.protections.iter().find(|one| method.is_none_or(|method| *method == one.method()));
        used.ok_or(Failed::Misbehaved("it used a key protection method that was not offered"))
    }

    /// K_PROV, its description, and its container.
    fn open(
        &self,
        content: PackageContent,
        used: &ClientProtection,
        prf: Prf,
    ) -> Result<(KeyContainer, OpenedKey), Failed> {
        let unlock = used.unlock(self.offer.password()).ok_or(UNOPENED)?;
        let is_offered = |format: &PackageFormat| match self.offer.package_formats.contains(format) {
            true => Ok(()),
            false => Err(Failed::Misbehaved("it sent a format of key packages that was not offered")),
        };
        match content {
            PackageContent::Pskc(mut container) => {
                is_offered(&PackageFormat::Pskc)?;
                let key = self.judge(&mut container)?;
                let iterations = iterations_of(&container, &unlock)?;
                let k_prov = open_pskc(&container, &unlock, key_schedule::k_prov_len(prf, key.key_len))?;
                Ok((*container, OpenedKey { key, k_prov, iterations }))
            }
            PackageContent::Encoded { format, octets } => {
                is_offered(&format)?;
                let codec = key_package::codec(&format).ok_or(UNOPENED)?;
                let key_package::OpenedPackage { package, iterations } =
                    codec.open(&octets, Some(&unlock)).map_err(|_| UNOPENED)?;
                let mut container = KeyContainer { key_packages: vec![package], ..KeyContainer::default() };
                let key = self.judge(&mut container)?;
                let data = container.key_packages.first().and_then(|package| package.key.as_ref()?.data.as_ref());
                let k_prov = data.and_then(|data| data.secret.as_ref()?.plain().cloned()).ok_or(UNOPENED)?;
                Ok((container, OpenedKey { key, k_prov, iterations }))
            }
        }
    }

    fn verify_renewal(&self, finished: &ServerFinishedBody, prf: Prf, server_id: &str) -> Result<(), Failed> {
        let Some(renewal) = &self.offer.renewal else {
            return match self.offer.names_a_key() {
                true => Err(Failed::Unusable("the trigger names a key to be replaced, which was not given")),
                false => Ok(()),
            };
        };
        let proof = finished.authentication_data.as_ref().ok_or(Failed::NotAuthenticated)?;
        renewal.is_proved(&proof.mac.value, |k_mac| key_schedule::server_proof(prf, k_mac, server_id, &self.r_c))
    }
}

const UNOPENED: Failed = Failed::Misbehaved("the key package cannot be decrypted with any key that was offered");

/// What a key package states about its key.
struct PackagedKey {
    key_type: KeyType,
    key_id: String,
    /// The length of K_TOKEN for its type in octets; longer if stated.
    key_len: usize,
    /// The stated length, if different.
    stated: Option<Stated>,
}

/// The content of a key package.
struct OpenedKey {
    key: PackagedKey,
    k_prov: Secret,
    /// The lowest iteration count that protects the passphrase.
    iterations: Option<NonZeroU32>,
}

/// The iterations of a passphrase-protected PSKC container, before any derivation (profile P15).
fn iterations_of(container: &KeyContainer, unlock: &DecryptionKey) -> Result<Option<NonZeroU32>, Failed> {
    const COUNT: Failed = Failed::Misbehaved("its iterations of PBKDF2 are not from 1,000 to 10,000,000");
    let (DecryptionKey::Password(_), Some(key)) = (unlock, &container.encryption_key) else { return Ok(None) };
    match DerivedKey::of(key) {
        Ok(Some(derived)) if !ITERATIONS.contains(&derived.iterations.get()) => Err(COUNT),
        Ok(derived) => Ok(derived.map(|derived| derived.iterations)),
        Err(_) => Err(Failed::Misbehaved("its PBKDF2 parameters are unusable")),
    }
}

/// The only secret of a PSKC container, `hidden_len` octets.
fn open_pskc(container: &KeyContainer, unlock: &DecryptionKey, hidden_len: usize) -> Result<Secret, Failed> {
    let (named, mac) = (container.encryption_key.as_ref(), container.mac_method.as_ref());
    let mut options = OpenerOptions::default();
    options.hidden_len = Some(hidden_len);
    let mut opener = Opener::new(named, mac, unlock, options).map_err(|_| UNOPENED)?;
    let data = container.key_packages.first().and_then(|package| package.key.as_ref()?.data.clone());
    let mut data = data.ok_or(Failed::Misbehaved("the key package holds no key"))?;
    if !matches!(data.secret, Some(Value::Encrypted(_))) {
        return Err(Failed::Misbehaved("the key came without protection"));
    }
    opener.open(&mut data).map_err(|_| UNOPENED)?;
    data.secret.as_ref().and_then(Value::plain).cloned().ok_or(UNOPENED)
}

#[cfg(test)]
mod tests;
