//! What a client offers and how it authenticates.

use dskpp_crypto::{Pbkdf2Prf, Secret, ct_eq};
use pskc::DeviceInfo;

use super::Failed;
use crate::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat};
use crate::auth_code::AuthCode;
use crate::auth_data::MIN_ITERATIONS;
use crate::message::{ClientHello, MessageExtensions, ProtocolVariants, Trigger};
use crate::prf::Prf;
use crate::version::Version;

/// How the user is authorised.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A typed code: AD goes into ClientNonce.
    Code(AuthCode),
    /// A trigger: its AD, DeviceID and KeyID are copied into ClientHello (profile P14).
    Trigger(Box<Trigger>),
}

/// The key to replace.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// Its `Id`.
    pub key_id: String,
    /// K_MAC' (profile P6).
    pub k_mac_old: Secret,
    /// K_MAC of the keys that it replaced in turn, as long as they are kept: a server that discarded a renewal whose key
    /// was never used (RFC 6063 §10.5) proves itself with one of them.
    pub earlier: Vec<Secret>,
}

impl Renewal {
    /// For a key that the server is known to have.
    pub fn new(key_id: impl Into<String>, k_mac_old: Secret) -> Self {
        Renewal { key_id: key_id.into(), k_mac_old, earlier: Vec::new() }
    }

    /// Whether `proof` equals `expected` for one of the keys.
    pub(super) fn is_proved<E>(
        &self,
        proof: &[u8],
        expected: impl Fn(&Secret) -> Result<Vec<u8>, E>,
    ) -> Result<(), Failed> {
        let keys = std::iter::once(&self.k_mac_old).chain(&self.earlier);
        let mut fitting = keys.filter_map(|k_mac| expected(k_mac).ok()).peekable();
        if fitting.peek().is_none() {
            return Err(Failed::Misbehaved("it chose a PRF that does not fit the key to be replaced"));
        }
        match fitting.any(|expected| ct_eq(proof, &expected)) {
            true => Ok(()),
            false => Err(Failed::NotAuthenticated),
        }
    }
}

/// The parameters of a client's run; lists are in order of preference.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunConfig {
    /// The server's URL as it was given, octet for octet (profile P13).
    pub url_s: String,
    /// The user's authorisation.
    pub credential: Credential,
    /// `SupportedKeyTypes`
    pub key_types: Vec<KeyType>,
    /// `SupportedEncryptionAlgorithms`
    pub encryption_algorithms: Vec<EncryptionAlgorithm>,
    /// `SupportedMacAlgorithms`; a renewal sends only those that K_MAC' can key (profile P6).
    pub mac_algorithms: Vec<MacAlgorithm>,
    /// `SupportedKeyPackages`. Four-pass needs PSKC; two-pass accepts any format with a [codec](crate::key_package).
    pub package_formats: Vec<PackageFormat>,
    /// DeviceID; a trigger's takes precedence.
    pub device: Option<DeviceInfo>,
    /// The key to replace. Required for a trigger that names one.
    pub renewal: Option<Renewal>,
    /// `ClientInfo`: repeated in the server's next message (RFC 6063 §6.1).
    pub client_info: Option<Vec<u8>>,
    /// PBKDF2 iterations, at least 100,000 (profile P3).
    pub iterations: u32,
    /// PBKDF2's PRF (profile P2).
    pub pbkdf2_prf: Pbkdf2Prf,
}

impl RunConfig {
    /// Four-pass with K_SERVER and every supported algorithm.
    pub fn new(url_s: impl Into<String>, credential: Credential, key_types: Vec<KeyType>) -> Self {
        use EncryptionAlgorithm::*;
        RunConfig {
            url_s: url_s.into(),
            credential,
            key_types,
            encryption_algorithms: vec![RsaOaepMgf1p, RsaOaep11, Rsa15],
            mac_algorithms: vec![MacAlgorithm::PrfSha256, MacAlgorithm::PrfAes128],
            package_formats: vec![PackageFormat::Pskc],
            device: None,
            renewal: None,
            client_info: None,
            iterations: MIN_ITERATIONS,
            pbkdf2_prf: Pbkdf2Prf::HmacSha1,
        }
    }

    /// Removes the PRFs that K_MAC' cannot key: the server chooses without knowing it (profile P6, P7).
    pub(super) fn fitted(mut self) -> Self {
        if let Some(renewal) = &self.renewal {
            let fits = |prf: Prf| prf.takes_key_of(renewal.k_mac_old.len());
            self.mac_algorithms.retain(|algorithm| Prf::of(algorithm).is_some_and(fits));
        }
        self
    }

    /// The password of a typed code.
    pub(super) fn password(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Code(code) => Some(code.password()),
            Credential::Trigger(_) => None,
        }
    }

    /// Whether a trigger requests a renewal.
    pub(super) fn names_a_key(&self) -> bool {
        matches!(&self.credential, Credential::Trigger(trigger) if trigger.key_id.is_some())
    }

    pub(super) fn hello(&self, client_nonce: Option<Vec<u8>>) -> ClientHello {
        let trigger = match &self.credential {
            Credential::Trigger(trigger) => Some(trigger),
            Credential::Code(_) => None,
        };
        let renewed = || self.renewal.as_ref().map(|renewal| renewal.key_id.clone().into_bytes());
        ClientHello {
            version: Version::V1_0,
            device_identifier_data: trigger
                .and_then(|trigger| trigger.device_identifier_data.clone())
                .or_else(|| self.device.clone()),
            key_id: trigger.and_then(|trigger| trigger.key_id.clone()).or_else(renewed),
            client_nonce,
            supported_key_types: self.key_types.clone(),
            supported_encryption_algorithms: self.encryption_algorithms.clone(),
            supported_mac_algorithms: self.mac_algorithms.clone(),
            supported_protocol_variants: Some(ProtocolVariants { four_pass: true, two_pass: None }),
            supported_key_packages: Some(self.package_formats.clone()),
            authentication_data: trigger.map(|trigger| trigger.authentication_data.clone()),
            extensions: MessageExtensions { client_info: self.client_info.clone(), server_info: None },
        }
    }
}
