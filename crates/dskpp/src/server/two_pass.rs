//! Two-pass: evaluates a ClientHello, verifies the code, packs the key (RFC 6063 §5.2).

use std::num::NonZeroU32;

use dskpp_crypto::{Random, Secret, ct_eq};
use pskc::{KeyContainer, ProtectionError, Value};

use super::session::Finished;
use crate::algorithm::{EncryptionAlgorithm, KeyType, PackageFormat, ProtectionMethod};
use crate::auth_data::{self, AuthPolicy, MIN_ITERATIONS, ProofInput, Rounds};
use crate::client_key::ClientKey;
use crate::key_package::PackageSpec;
use crate::message::{
    AuthenticationCodeMac, AuthenticationData, ClientHello, Mac, MessageExtensions, PackageContent, ServerFinished,
    ServerFinishedBody, ServerKeyPackage,
};
use crate::negotiate::{NONCE_LEN, NegotiationPolicy, prf_of};
use crate::prf::Prf;
use crate::refusal::{RefusalReason, RunRefusal};
use crate::status::Status;
use crate::version::Version;
use crate::{key_package, key_schedule, token_length};

/// What the server knows about the client besides its message.
#[derive(Clone, Copy, Debug)]
pub struct TwoPassFacts<'a> {
    /// The methods that the enrolment allows.
    pub methods: &'a [ProtectionMethod],
    /// For each entry of the client's list, in order, the key that it names. Until the code is verified, a random
    /// key replaces one that the server does not have, so that others do not learn which it has (profile P21).
    pub keys: &'a [Option<ClientKey>],
    /// The enrolment's key type.
    pub key_type: Option<&'a KeyType>,
    /// Whether the message carries the AD of a valid trigger of this server: then that is the
    /// proof, and the iterations are those of a trigger (profile P14).
    pub trigger: bool,
}

/// The key to send, with its metadata.
#[derive(Clone, Debug)]
pub struct OutgoingKey<'a> {
    /// `ServerID`, a URI (profile P8).
    pub server_id: &'a str,
    /// All properties of the key except its value.
    pub package: pskc::KeyPackage,
    /// The length of K_TOKEN for its type in octets.
    pub key_len: usize,
    /// An existing K_TOKEN (RFC 6063 §3.2.4.2), of any length that
    /// [fits](crate::token_length::fits); if absent, one is generated.
    pub k_token: Option<&'a Secret>,
    /// K_MAC' of the renewed key.
    pub k_mac_old: Option<&'a Secret>,
}

impl<'a> OutgoingKey<'a> {
    /// A new key; `None` if its type does not determine the length.
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

/// A two-pass ClientHello that the policy allows; its code is not verified yet.
#[derive(Debug)]
pub struct TwoPassRun<'a> {
    hello: &'a ClientHello,
    body: &'a [u8],
    data: &'a AuthenticationData,
    r_c: Vec<u8>,
    /// The key of the authentication data: that of the client's first supported method.
    proof_key: &'a ClientKey,
    prf: Prf,
    selected: Selected<'a>,
}

/// The selection from the client's lists.
#[derive(Debug)]
struct Selected<'a> {
    /// The selected entry of the list of key protection methods, its key and its method.
    entry: usize,
    key: &'a ClientKey,
    method: ProtectionMethod,
    key_type: KeyType,
    encryption_algorithm: EncryptionAlgorithm,
    package_format: PackageFormat,
}

impl<'a> TwoPassRun<'a> {
    /// Checks a ClientHello without any derivation or decryption. `body` is the message as received.
    ///
    /// # Errors
    /// AuthenticationDataMissing before anything else; the status for the list without an allowed
    /// entry, or for obvious errors of its authentication data (profile P3, P12, P12a).
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

    /// After the code is verified: selects again, with what the enrolment allows and the keys that the server has.
    ///
    /// # Errors
    /// The status for the list without an allowed entry.
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

    /// The index of the selected entry of the client's list.
    pub fn entry(&self) -> usize {
        self.selected.entry
    }

    /// PBKDF2 iterations of [`authenticate`](Self::authenticate): the client's count, or, if K is
    /// derived from the password and the count is 1, that of K.
    pub fn proof_iterations(&self) -> u32 {
        match self.proof_key {
            ClientKey::Passphrase => MIN_ITERATIONS,
            _ => iterations(&self.data.authentication_code_mac).unwrap_or(0),
        }
    }

    /// Ends this run.
    pub fn refuse(&self, status: Status, reason: RefusalReason) -> RunRefusal {
        RunRefusal::of_hello(status, reason, self.hello.offers_four_pass())
    }

    /// The derivation for verifying the code: that of K_AC, or of K if it is derived from the password (profile P15).
    pub fn proof_rounds(&self, auth: &AuthPolicy) -> Option<Rounds> {
        Some(Rounds { prf: auth.pbkdf2_prf, iterations: NonZeroU32::new(self.proof_iterations())? })
    }

    /// What it derives from.
    pub fn proof_input(&self, auth: &AuthPolicy, password: &Secret) -> Option<ProofInput> {
        let k = self.proof_key.known_k().unwrap_or_default();
        self.proof_rounds(auth).map(|rounds| ProofInput::new(rounds, password, &self.r_c, k))
    }

    /// The URL_S for which the code's password matches the authentication data. Blocks for the duration of PBKDF2. For an
    /// unknown,
    /// spent, locked or revoked client ID, the caller passes a random password: work and answer are the
    /// same (profile P16).
    ///
    /// # Errors
    /// AuthenticationDataInvalid
    pub fn authenticate(&self, auth: &AuthPolicy, password: &Secret, urls: &[String]) -> Result<String, RunRefusal> {
        let derived = ProofInput::derive(self.proof_input(auth, password).as_slice()).pop();
        self.verify(auth, password, derived.as_ref(), urls)
    }

    /// The same with `derived`, the result for [`proof_input`](Self::proof_input), for servers that derive for several
    /// runs at once.
    ///
    /// # Errors
    /// AuthenticationDataInvalid
    pub fn verify(
        &self,
        auth: &AuthPolicy,
        password: &Secret,
        derived: Option<&Secret>,
        urls: &[String],
    ) -> Result<String, RunRefusal> {
        let proof = &self.data.authentication_code_mac;
        let iterations = iterations(proof).and_then(NonZeroU32::new);
        let ad_prf = ad_prf(self.hello, proof).and_then(Prf::of);
        let wrong = || self.refuse(Status::AuthenticationDataInvalid, RefusalReason::AuthenticationData);
        let (Some(iterations), Some(prf), Some(derived)) = (iterations, ad_prf, derived) else { return Err(wrong()) };
        let k_ac = match self.proof_key.known_k() {
            Some(_) => derived.clone(),
            None => auth_data::k_ac(auth.pbkdf2_prf, password, &self.r_c, derived.expose(), iterations),
        };
        let is_proved = |url_s: &&String| {
            let expected = auth_data::mac(prf, &k_ac, self.client_id(), url_s, &self.r_c, &[]);
            ct_eq(&expected, &proof.mac.value)
        };
        urls.iter().find(is_proved).cloned().ok_or_else(wrong)
    }

    /// Generates K_PROV, or uses a given K_TOKEN, packs it for the client, and writes the message that confirms it.
    /// Blocks for PBKDF2 or RSA. Store the keys before sending the response.
    ///
    /// `password` is that of the code.
    ///
    /// # Errors
    /// InitializationFailed if no key can be derived; NoSupportedKeyPackages if the format cannot state the
    /// length of the given K_TOKEN; NoSupportedMacAlgorithms if K_MAC' cannot key the PRF.
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

    /// A key encrypted in a PSKC container.
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

/// The first entry that is possible; `serves` says which key matches which algorithm.
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
    // If there is none, the entry that gives the best reason.
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

/// Refuses what can be refused without any derivation (profile P3, P12, P12a); returns R_C.
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

/// The PRF that the authentication data names, which must have been offered; by default the first one.
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
