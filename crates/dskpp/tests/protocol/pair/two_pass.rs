//! The server of two-pass, with the order of checks of a real one: the lists, the code, the renewed key, the
//! enrolment; then it stores the key, and only then answers. It keeps answers by the hash of the request, so that a
//! retransmission gets the same answer (profile P28).

use std::sync::{Arc, OnceLock};

use dskpp::algorithm::ProtectionMethod;
use dskpp::client::ClientProtection;
use dskpp::message::{ClientHello, KeyProtection, Payload};
use dskpp::server::{ClientKey, OutgoingKey, RefusalReason, RunRefusal, TwoPassFacts, TwoPassRun};
use dskpp::status::Status;
use dskpp_crypto::{Random, RsaPrivateKey, RsaPublicKey, Secret, SeededRandom, Sha256};
use pskc::KeyInfo;

use super::Server;

const METHODS: [ProtectionMethod; 3] =
    [ProtectionMethod::Transport, ProtectionMethod::Wrap, ProtectionMethod::PassphraseWrap];
const DEVICE: &str = "device-000001";

/// The client's private key: a published test key.
fn client_private_key() -> Arc<RsaPrivateKey> {
    static KEY: OnceLock<Arc<RsaPrivateKey>> = OnceLock::new();
    let key = KEY.get_or_init(|| {
        let case = &crate::vectors::cases("two_pass_transport")[0];
        Arc::new(RsaPrivateKey::from_pkcs8_pem(case["client_private_key"].as_str().unwrap()).unwrap())
    });
    Arc::clone(key)
}

/// A client's protection for `method`; the server is given a shared key.
pub(crate) fn protections(method: &ProtectionMethod, server: &mut Server) -> Vec<ClientProtection> {
    vec![match method {
        ProtectionMethod::Transport => {
            let key = client_private_key();
            let info = KeyInfo::from_rsa(key.public().modulus(), key.public().exponent());
            ClientProtection::Transport { key, info }
        }
        ProtectionMethod::Wrap => {
            let key = SeededRandom::new(b"the device's").secret(16);
            server.devices.insert(DEVICE.to_owned(), key.clone());
            ClientProtection::Wrap { name: DEVICE.to_owned(), key }
        }
        _ => ClientProtection::Passphrase,
    }]
}

impl Server {
    pub(super) fn two_pass(&mut self, hello: &ClientHello, body: &[u8], trigger: bool) -> Result<Vec<u8>, RunRefusal> {
        let hash = Sha256::digest(&[body]);
        if let Some(response) = self.answered_hellos.get(&hash) {
            return Ok(response.clone());
        }
        let result = self.send_key(hello, body, trigger);
        self.answered_hellos.insert(hash, result.as_ref().cloned().unwrap_or_else(RunRefusal::response));
        result
    }

    fn send_key(&mut self, hello: &ClientHello, body: &[u8], trigger: bool) -> Result<Vec<u8>, RunRefusal> {
        let keys: Vec<_> = hello.two_pass_methods().iter().map(|entry| self.client_key(entry)).collect();
        let client_id = hello.authentication_data.as_ref().and_then(|data| data.client_id.clone()).unwrap_or_default();
        let renewed = self.renewed(hello);
        let mut facts = TwoPassFacts { methods: &METHODS, keys: &keys, key_type: None, trigger };
        let begun = TwoPassRun::begin(hello, body, &self.policy, &facts, &self.auth)?;
        let refuse = |(status, reason)| begun.refuse(status, reason);
        let enrolment = self.enrolments.get(&client_id).filter(|enrolment| !enrolment.spent);
        let dummy = self.rng.secret(16);
        let password = enrolment.map_or(dummy, |enrolment| enrolment.password.clone());
        if !trigger {
            begun.authenticate(&self.auth, &password, &self.urls)?;
        }
        let k_mac_old = renewed.map_err(refuse)?.map(|keys| keys.k_mac);
        let enrolment =
            enrolment.ok_or_else(|| refuse((Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData)))?;
        facts.key_type = Some(&enrolment.package.key_type);
        let begun = begun.choose(&self.policy, &facts)?;
        let renews = hello.key_id.as_ref().map(|id| String::from_utf8_lossy(id));
        if !enrolment.is_for(renews.as_deref()) {
            return Err(refuse((Status::AccessDenied, RefusalReason::Key)));
        }
        let shipment = OutgoingKey::new(&enrolment.package).expect("a type of known length");
        let shipment = OutgoingKey { k_mac_old: k_mac_old.as_ref(), ..shipment };
        let finished = begun.finish(shipment, &password, &mut self.rng)?;
        self.commit(&client_id, finished.keys);
        Ok(finished.response)
    }

    /// The key that an entry of the client's list identifies.
    fn client_key(&self, entry: &KeyProtection) -> Option<ClientKey> {
        let Some(Payload::KeyInfo(info)) = &entry.payload else { return None };
        match entry.method {
            ProtectionMethod::PassphraseWrap => Some(ClientKey::Passphrase),
            ProtectionMethod::Wrap => {
                let name = info.key_name.clone()?;
                let key: Secret = self.devices.get(&name)?.clone();
                Some(ClientKey::Shared { name, key })
            }
            ProtectionMethod::Transport => {
                let rsa = info.rsa_key_value.as_ref()?;
                let key = RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent).ok()?;
                Some(ClientKey::Public { key, info: info.clone() })
            }
            _ => None,
        }
    }
}
