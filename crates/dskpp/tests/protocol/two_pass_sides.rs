//! Both sides of two-pass, for the tests of RFC 6063 §5.

use std::sync::{Arc, LazyLock};

use data_encoding::HEXLOWER;
use dskpp::algorithm::{KeyType, MacAlgorithm, ProtectionMethod};
use dskpp::auth_code::AuthCode;
use dskpp::client::{AwaitingKey, ClientProtection, Credential, Renewal, RunConfig, TwoPass};
use dskpp::key_package::PackageSpec;
use dskpp::message::{ClientHello, Request, Response, ServerFinished, ServerFinishedBody};
use dskpp::negotiate::NegotiationPolicy;
use dskpp::server::{AuthPolicy, ClientKey, Finished, OutgoingKey, RunRefusal, TwoPassFacts, TwoPassRun};
use dskpp_crypto::{RsaPrivateKey, Secret, SeededRandom};
use pskc::KeyInfo;

use crate::pair::{CLIENT_ID, KEY_ID, PASSWORD, URL_S, package};
use crate::vectors::cases;

/// The published test key of the vectors, and its certificate.
static CLIENT_KEY: LazyLock<(Arc<RsaPrivateKey>, Vec<u8>)> = LazyLock::new(|| {
    let case = &cases("two_pass_transport")[0];
    let key = RsaPrivateKey::from_pkcs8_pem(case["client_private_key"].as_str().unwrap()).unwrap();
    (Arc::new(key), HEXLOWER.decode(case["client_certificate"].as_str().unwrap().as_bytes()).unwrap())
});

pub(crate) fn password() -> Secret {
    Secret::from_slice(PASSWORD.as_bytes())
}

/// Key transport with a certificate.
pub(crate) fn transport() -> ClientProtection {
    let (key, certificate) = &*CLIENT_KEY;
    ClientProtection::Transport { key: Arc::clone(key), info: KeyInfo::from_certificates(vec![certificate.clone()]) }
}

/// Key transport with a bare key.
pub(crate) fn bare() -> ClientProtection {
    let key = Arc::clone(&CLIENT_KEY.0);
    let info = KeyInfo::from_rsa(key.public().modulus(), key.public().exponent());
    ClientProtection::Transport { key, info }
}

pub(crate) fn wrap() -> ClientProtection {
    ClientProtection::Wrap { name: "device-1".into(), key: Secret::new(vec![0x57; 16]) }
}

/// Each method once.
pub(crate) fn ways() -> [ClientProtection; 3] {
    [transport(), wrap(), ClientProtection::Passphrase]
}

pub(crate) fn offer(key_type: KeyType, mac: MacAlgorithm) -> RunConfig {
    let code = AuthCode::new(CLIENT_ID, &password()).unwrap();
    let mut offer = RunConfig::new(URL_S, Credential::Code(code), vec![key_type]);
    offer.mac_algorithms = vec![mac];
    offer
}

/// An offer that renews a key whose K_MAC' is 32 octets of 0xC7, or 16.
pub(crate) fn renewing(mac: MacAlgorithm) -> (RunConfig, Secret) {
    let k_mac_old = Secret::new(vec![0xC7; if mac == MacAlgorithm::PrfAes128 { 16 } else { 32 }]);
    let mut offer = offer(KeyType::Hotp, mac);
    offer.renewal = Some(Renewal::new(KEY_ID, k_mac_old.clone()));
    (offer, k_mac_old)
}

pub(crate) fn start(offer: RunConfig, way: ClientProtection, seed: &[u8]) -> (Vec<u8>, AwaitingKey) {
    TwoPass::start(offer, vec![way], &mut SeededRandom::new(seed)).unwrap()
}

pub(crate) fn hello(request: &[u8]) -> ClientHello {
    match Request::read(request) {
        Ok(Request::ClientHello(hello)) => hello,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn finished(response: &[u8]) -> ServerFinished {
    match Response::read(response) {
        Ok(Response::ServerFinished(finished)) => finished,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn body(response: &[u8]) -> ServerFinishedBody {
    finished(response).body.expect("a success")
}

/// The response with a replacement.
pub(crate) fn changed(response: &[u8], change: impl FnOnce(&mut ServerFinishedBody)) -> Vec<u8> {
    let mut finished = finished(response);
    change(finished.body.as_mut().expect("a success"));
    finished.write()
}

/// A server with one key to deliver.
pub(crate) struct Giver {
    pub(crate) policy: NegotiationPolicy,
    pub(crate) spec: PackageSpec,
    pub(crate) password: Secret,
    pub(crate) k_mac_old: Option<Secret>,
    pub(crate) seed: Vec<u8>,
}

impl Giver {
    pub(crate) fn of(key_type: KeyType) -> Self {
        let (policy, spec) = (NegotiationPolicy::default(), package(key_type));
        Giver { policy, spec, password: password(), k_mac_old: None, seed: b"server".to_vec() }
    }

    /// The server's side of a run with this client.
    pub(crate) fn serve(&self, request: &[u8], way: &ClientProtection) -> Result<Finished, RunRefusal> {
        let (hello, auth, keys) = (hello(request), AuthPolicy::default(), [Some(key_of(way))]);
        let begun = TwoPassRun::begin(&hello, request, &self.policy, &self.facts(&keys), &auth)?;
        begun.authenticate(&auth, &self.password, &[URL_S.to_owned()])?;
        let run = begun.choose(&self.policy, &self.facts(&keys))?;
        let shipment = OutgoingKey { k_mac_old: self.k_mac_old.as_ref(), ..OutgoingKey::new(&self.spec).unwrap() };
        run.finish(shipment, &self.password, &mut SeededRandom::new(&self.seed))
    }

    /// Its facts, with these keys of the client's list.
    pub(crate) fn facts<'a>(&self, keys: &'a [Option<ClientKey>]) -> TwoPassFacts<'a> {
        const ALL: &[ProtectionMethod] =
            &[ProtectionMethod::Transport, ProtectionMethod::Wrap, ProtectionMethod::PassphraseWrap];
        TwoPassFacts { methods: ALL, keys, key_type: None, trigger: false }
    }
}

/// The client's key as known to the server.
pub(crate) fn key_of(way: &ClientProtection) -> ClientKey {
    match way {
        ClientProtection::Transport { key, info } => {
            ClientKey::Public { key: key.public().clone(), info: info.clone() }
        }
        ClientProtection::Wrap { name, key } => ClientKey::Shared { name: name.clone(), key: key.clone() },
        ClientProtection::Passphrase => ClientKey::Passphrase,
    }
}
