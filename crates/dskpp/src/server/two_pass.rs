//! Two-pass: a ClientHello judged, the code proved, the key packed (RFC 6063 §5.2).

use std::num::NonZeroU32;

use dskpp_crypto::{Random, Secret, ct_eq};
use pskc::{KeyContainer, ProtectionError, Value};

use super::session::Finished;
use crate::algorithm::{EncryptionAlgorithm, KeyType, PackageFormat, ProtectionMethod};
use crate::auth_data::{self, AuthPolicy, MIN_ITERATIONS};
use crate::key_package::PackageSpec;
use crate::message::{
    AuthenticationCodeMac, AuthenticationData, ClientHello, Mac, MessageExtensions, PackageContent, ServerFinished,
    ServerFinishedBody, ServerKeyPackage,
};
use crate::negotiate::{NONCE_LEN, NegotiationPolicy, prf_of};
use crate::prf::Prf;
use crate::protection::ClientKey;
use crate::refusal::{RefusalReason, RunRefusal};
use crate::status::Status;
use crate::version::Version;
use crate::{key_package, key_schedule, token_length};

/// What the server knows about this client beyond its message.
#[derive(Clone, Copy, Debug)]
pub struct TwoPassFacts<'a> {
    /// The methods that the enrolment allows.
    pub methods: &'a [ProtectionMethod],
    /// For each entry of the client's list, in its order, the key that it names. Before the code is proved, a random
    /// key stands for one that the server does not have: nobody else must learn which it has (profile P21).
    pub keys: &'a [Option<ClientKey>],
    /// The enrolment's key type.
    pub key_type: Option<&'a KeyType>,
    /// Whether the message carries the AD of a trigger that the server gave out and that is still good: it is the
    /// proof then, and its iterations are those of a trigger (profile P14).
    pub trigger: bool,
}

/// The key to be sent, with its metadata.
#[derive(Clone, Debug)]
pub struct OutgoingKey<'a> {
    /// `ServerID`, a URI (profile P8).
    pub server_id: &'a str,
    /// Everything about the key but its value.
    pub package: pskc::KeyPackage,
    /// Octets of K_TOKEN as its type has them.
    pub key_len: usize,
    /// K_TOKEN, where there is one already (RFC 6063 §3.2.4.2), of any length that
    /// [fits](crate::token_length::fits); else one is drawn.
    pub k_token: Option<&'a Secret>,
    /// K_MAC' of the key that is renewed.
    pub k_mac_old: Option<&'a Secret>,
}

impl<'a> OutgoingKey<'a> {
    /// A new key; `None` where its type does not tell its length.
    pub fn new(spec: &'a PackageSpec) -> Option<Self> {
        let package = spec.container().key_packages.pop()?;
        Some(OutgoingKey {
            server_id: &spec.server_id,
            package,
            key_len: spec.key_len()?,
            k_token: None,
            k_mac_old: None,
        })
    }
}

/// A two-pass ClientHello that policy allows; its code is not proved yet.
#[derive(Debug)]
pub struct TwoPassRun<'a> {
    hello: &'a ClientHello,
    body: &'a [u8],
    data: &'a AuthenticationData,
    r_c: Vec<u8>,
    /// The key that the authentication data was made with: that of the client's first method that is known here.
    proof_key: &'a ClientKey,
    prf: Prf,
    selected: Selected<'a>,
}

/// What the client's lists come to.
#[derive(Debug)]
struct Selected<'a> {
    /// The entry of the list of key protection methods that K_PROV travels with, its key and its method.
    entry: usize,
    key: &'a ClientKey,
    method: ProtectionMethod,
    key_type: KeyType,
    encryption_algorithm: EncryptionAlgorithm,
    package_format: PackageFormat,
}

impl<'a> TwoPassRun<'a> {
    /// Checks a ClientHello without deriving or decrypting anything. `body` is the message as received.
    ///
    /// # Errors
    /// AuthenticationDataMissing before anything else; a status that says which of its lists has nothing that is
    /// allowed here, or what is wrong with its authentication data on its face (profile P3, P12, P12a).
    pub fn begin(
        hello: &'a ClientHello,
        body: &'a [u8],
        policy: &NegotiationPolicy,
        facts: &TwoPassFacts<'a>,
        auth: &AuthPolicy,
    ) -> Result<Self, RunRefusal> {
        let refuse = |status, reason| RunRefusal::of_hello(status, reason, hello.offers_four_pass());
        let data = hello.authentication_data.as_ref().filter(|data| data.client_id.is_some());
        let data =
            data.ok_or_else(|| refuse(Status::AuthenticationDataMissing, RefusalReason::NoAuthenticationData))?;
        let selected = select(hello, policy, facts, ClientKey::may_serve);
        let selected = selected.map_err(|(status, reason)| refuse(status, reason))?;
        let none = RefusalReason::NothingInCommon("MAC algorithm");
        let prf = prf_of(hello, policy).ok_or_else(|| refuse(Status::NoSupportedMacAlgorithms, none))?;
        let proof_key = facts.keys.iter().find_map(Option::as_ref).unwrap_or(selected.key);
        let r_c =
            check(hello, data, proof_key, facts.trigger, auth).map_err(|(status, reason)| refuse(status, reason))?;
        Ok(TwoPassRun { hello, body, data, r_c, proof_key, prf, selected })
    }

    /// Once the code is proved: the same run, done with what the enrolment allows and with keys that the server has.
    ///
    /// # Errors
    /// A status that says which of the client's lists has nothing that is allowed.
    pub fn choose<'b>(&self, policy: &NegotiationPolicy, facts: &TwoPassFacts<'b>) -> Result<TwoPassRun<'b>, RunRefusal>
    where
        'a: 'b,
    {
        let selected = select(self.hello, policy, facts, ClientKey::serves);
        let selected = selected.map_err(|(status, reason)| self.refuse(status, reason))?;
        Ok(TwoPassRun { r_c: self.r_c.clone(), selected, ..*self })
    }

    /// `ClientID`
    pub fn client_id(&self) -> &str {
        self.data.client_id.as_deref().unwrap_or_default()
    }

    /// The negotiated key type.
    pub fn key_type(&self) -> &KeyType {
        &self.selected.key_type
    }

    /// Which entry of the client's list was chosen.
    pub fn entry(&self) -> usize {
        self.selected.entry
    }

    /// PBKDF2 iterations that [`authenticate`](Self::authenticate) takes: those of the client's count, or, where K is
    /// derived from the password, and the count is 1, those of K.
    pub fn proof_iterations(&self) -> u32 {
        match self.proof_key {
            ClientKey::Passphrase => MIN_ITERATIONS,
            _ => iterations(&self.data.authentication_code_mac).unwrap_or(0),
        }
    }

    /// The end of this run.
    pub fn refuse(&self, status: Status, reason: RefusalReason) -> RunRefusal {
        RunRefusal::of_hello(status, reason, self.hello.offers_four_pass())
    }

    /// The URL_S with which the code's password made the authentication data. Blocks for as long as PBKDF2 takes. For a client ID
    /// that is unknown, spent, locked or revoked the caller passes a random password: the work and the answer are the
    /// same (profile P16).
    ///
    /// # Errors
    /// AuthenticationDataInvalid
    pub fn authenticate(&self, auth: &AuthPolicy, password: &Secret, urls: &[String]) -> Result<String, RunRefusal> {
        let proof = &self.data.authentication_code_mac;
        let iterations = iterations(proof).and_then(NonZeroU32::new);
        let ad_prf = ad_prf(self.hello, proof).and_then(Prf::of);
        let wrong = || self.refuse(Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData);
        let (Some(iterations), Some(prf)) = (iterations, ad_prf) else { return Err(wrong()) };
        let k = self.proof_key.k(auth.pbkdf2_prf, password, &self.r_c);
        let k_ac = auth_data::k_ac(auth.pbkdf2_prf, password, &self.r_c, k.expose(), iterations);
        let is_proved = |url_s: &&String| {
            let expected = auth_data::mac(prf, &k_ac, self.client_id(), url_s, &self.r_c, &[]);
            ct_eq(&expected, &proof.mac.value)
        };
        urls.iter().find(is_proved).cloned().ok_or_else(wrong)
    }

    /// Draws K_PROV, or puts a given K_TOKEN into it, packs it for the client, and writes the message that confirms it.
    /// Blocks where PBKDF2 or RSA is needed. The keys must be stored before the response is sent.
    ///
    /// `password` is that of the code.
    ///
    /// # Errors
    /// InitializationFailed where no key can come out of it; NoSupportedKeyPackages where the format cannot say the
    /// length of the given K_TOKEN; NoSupportedMacAlgorithms where K_MAC' cannot key the PRF.
    pub fn finish(
        &self,
        shipment: OutgoingKey<'_>,
        password: &Secret,
        rng: &mut dyn Random,
    ) -> Result<Finished, RunRefusal> {
        let failed = || self.refuse(Status::InitializationFailed, RefusalReason::Policy);
        let prf = self.prf;
        let OutgoingKey { server_id, mut package, key_len, k_token, k_mac_old } = shipment;
        if k_mac_old.is_some_and(|k_mac_old| !prf.takes_key_of(k_mac_old.len())) {
            let reason = RefusalReason::NothingInCommon("MAC algorithm"); // that the key to be renewed could be proved with
            return Err(self.refuse(Status::NoSupportedMacAlgorithms, reason));
        }
        let (k_prov, keys) = key_schedule::draw(prf, key_len, k_token, rng);
        let key = package.key.as_mut().ok_or_else(failed)?;
        if keys.k_token.len() != key_len && self.selected.package_format != PackageFormat::Pskc {
            let reason = RefusalReason::NothingInCommon("key package format"); // that could say the length of this key
            return Err(self.refuse(Status::NoSupportedKeyPackages, reason));
        }
        token_length::state(key, key_len, prf, &keys);
        key.data.get_or_insert_default().secret = Some(Value::Plain(k_prov));
        let content = match key_package::codec(&self.selected.package_format) {
            None => self.pskc(package, password, rng).map_err(|_| failed())?,
            Some(codec) => {
                let protection = self.selected.key.package_protection(&self.selected.encryption_algorithm, password);
                let octets = codec.seal(&package, &protection, rng).map_err(|_| failed())?;
                PackageContent::Encoded { format: self.selected.package_format.clone(), octets }
            }
        };
        let message_hash = key_schedule::message_hash(&[self.body]);
        let mac = key_schedule::confirmation_two_pass(prf, &keys.k_mac, &message_hash, server_id);
        let proof = k_mac_old.map(|k_mac_old| key_schedule::server_proof(prf, k_mac_old, server_id, &self.r_c));
        let proof = proof.transpose().map_err(|_| failed())?;
        let response = ServerFinished {
            version: Version::V1_0,
            session_id: None,
            status: Status::Success,
            body: Some(ServerFinishedBody {
                key_package: ServerKeyPackage {
                    server_id: Some(server_id.to_owned()),
                    key_protection_method: Some(self.selected.method.clone()),
                    content,
                },
                extensions: MessageExtensions {
                    client_info: self.hello.extensions.client_info.clone(),
                    server_info: None,
                },
                mac: Mac { algorithm: Some(prf.algorithm()), value: mac },
                authentication_data: proof.map(|value| AuthenticationCodeMac {
                    nonce: None,
                    iteration_count: None,
                    mac: Mac { algorithm: Some(prf.algorithm()), value },
                }),
            }),
        };
        Ok(Finished { response: response.write(), keys, prf })
    }

    /// A key, encrypted in a PSKC container.
    fn pskc(
        &self,
        mut package: pskc::KeyPackage,
        password: &Secret,
        rng: &mut dyn Random,
    ) -> Result<PackageContent, ProtectionError> {
        let protector =
            self.selected.key.protector(&self.selected.encryption_algorithm, self.client_id(), password, rng)?;
        if let Some(data) = package.key.as_mut().and_then(|key| key.data.as_mut()) {
            protector.protect(data, rng)?;
        }
        Ok(PackageContent::Pskc(Box::new(KeyContainer {
            encryption_key: Some(protector.encryption_key().clone()),
            mac_method: protector.mac_method().cloned(),
            key_packages: vec![package],
            ..KeyContainer::default()
        })))
    }
}

/// The first entry with which the run can be done, where `serves` says which key goes with which algorithm.
fn select<'a>(
    hello: &ClientHello,
    policy: &NegotiationPolicy,
    facts: &TwoPassFacts<'a>,
    serves: fn(&ClientKey, &EncryptionAlgorithm) -> bool,
) -> Result<Selected<'a>, (Status, RefusalReason)> {
    let none = |status, list| (status, RefusalReason::NothingInCommon(list));
    let allowed = || {
        let entries = hello.two_pass_methods().iter().zip(facts.keys).enumerate();
        entries.filter_map(|(place, (entry, key))| {
            let key = key.as_ref().filter(|_| facts.methods.contains(&entry.method))?;
            Some((place, entry.method.clone(), key))
        })
    };
    let format_for = |key: &ClientKey| {
        let mut offered = hello.package_formats().iter();
        offered.find(|offered| policy.package_formats.contains(offered) && key.fits(offered))
    };
    let algorithm_for = |key: &ClientKey| {
        let mut offered = hello.supported_encryption_algorithms.iter();
        offered.find(|offered| policy.encryption_algorithms.contains(offered) && serves(key, offered))
    };
    // Where there is none, one that says best why.
    let with_format = || allowed().filter(|(_, _, key)| format_for(key).is_some());
    let chosen = with_format().find(|(_, _, key)| algorithm_for(key).is_some());
    let chosen = chosen.or_else(|| with_format().next()).or_else(|| allowed().next());
    let (entry, method, key) = chosen.ok_or(none(Status::NoProtocolVariants, "key protection method"))?;
    let key_type = hello
        .supported_key_types
        .iter()
        .find(|offered| policy.key_types.contains(offered) && facts.key_type.is_none_or(|wanted| wanted == *offered));
    Ok(Selected {
        entry,
        method,
        key,
        key_type: key_type.ok_or(none(Status::NoSupportedKeyTypes, "key type"))?.clone(),
        encryption_algorithm: algorithm_for(key)
            .ok_or(none(Status::NoSupportedEncryptionAlgorithms, "encryption algorithm"))?
            .clone(),
        package_format: format_for(key).ok_or(none(Status::NoSupportedKeyPackages, "key package format"))?.clone(),
    })
}

/// What can be refused before anything is derived, and R_C (profile P3, P12, P12a).
fn check(
    hello: &ClientHello,
    data: &AuthenticationData,
    key: &ClientKey,
    trigger: bool,
    auth: &AuthPolicy,
) -> Result<Vec<u8>, (Status, RefusalReason)> {
    let proof = &data.authentication_code_mac;
    let r_c = match (&proof.nonce, &hello.client_nonce) {
        (Some(one), Some(other)) if one != other => return Err((Status::MalformedRequest, RefusalReason::NonceLength)),
        (Some(r_c), _) | (None, Some(r_c)) => r_c.clone(),
        (None, None) => return Err((Status::AuthenticationDataMissing, RefusalReason::NoAuthenticationData)),
    };
    if !NONCE_LEN.contains(&r_c.len()) {
        return Err((Status::InitializationFailed, RefusalReason::NonceLength));
    }
    if ad_prf(hello, proof).is_none() {
        return Err((Status::MalformedRequest, RefusalReason::MacAlgorithm));
    }
    match iterations(proof) {
        Some(count) if trigger || key.takes_iterations(count, auth) => Ok(r_c),
        _ => Err((Status::AuthenticationDataInvalid, RefusalReason::Iterations)),
    }
}

/// The PRF that the authentication data names, which must be among those offered; without a name the first of them.
fn ad_prf<'a>(hello: &'a ClientHello, proof: &'a AuthenticationCodeMac) -> Option<&'a crate::algorithm::MacAlgorithm> {
    let offered = &hello.supported_mac_algorithms;
    match &proof.mac.algorithm {
        Some(named) => Some(named).filter(|named| offered.contains(named)),
        None => offered.first(),
    }
}

fn iterations(proof: &AuthenticationCodeMac) -> Option<u32> {
    match proof.iteration_count {
        None => Some(MIN_ITERATIONS),
        Some(count) => u32::try_from(count).ok(),
    }
}
