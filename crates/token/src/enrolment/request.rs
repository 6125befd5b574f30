//! What to ask a server for, and what came of it.

use std::sync::Arc;

use dskpp::algorithm::{KeyType, PackageFormat, ProtectionMethod};
use dskpp::auth_data::MIN_ITERATIONS;
use dskpp::client::Credential;
use dskpp_crypto::{Pbkdf2Prf, RsaPrivateKey, Secret};

/// The variants of the protocol (RFC 6063 §1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Both sides generate the key.
    FourPass,
    /// The server sends it.
    TwoPass,
}

/// The key types that a request offers by default, in this order.
pub const DEFAULT_KEY_TYPES: [KeyType; 6] =
    [KeyType::Totp, KeyType::Hotp, KeyType::Ocra, KeyType::Aes128Cbc, KeyType::Aes192Cbc, KeyType::Aes256Cbc];

/// What to ask a server for, and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnrollRequest {
    /// URL_S, octet for octet (profile P13); `None`: the trigger's `ServerUrl`. If both are present, they must be equal.
    pub url_s: Option<String>,
    /// The authentication code or trigger.
    pub credential: Credential,
    /// Acceptable key types in order of preference; empty: [`DEFAULT_KEY_TYPES`], for a renewal the type of the key.
    pub key_types: Vec<KeyType>,
    /// This device: manufacturer and serial number. A trigger for a different device is refused.
    pub device: Option<(String, String)>,
    /// The name by which the server knows K_SHARED, and K_SHARED. If present, it is the only K, and four-pass requires
    /// that the device is named. If absent, it may come from the store: the key named by `device_key_name`, or the
    /// only imported key of this device.
    pub device_key: Option<(String, Secret)>,
    /// The id of the stored key to use as K_SHARED; the server knows it by the same name.
    pub device_key_name: Option<String>,
    /// The private key for key transport, and its certificate chain in DER, leaf first; without a certificate, the server
    /// gets the bare public key.
    pub private_key: Option<(Arc<RsaPrivateKey>, Vec<Vec<u8>>)>,
    /// The name by which the server knows that key; it replaces certificates and public key in the request.
    pub private_key_name: Option<String>,
    /// The only variant to offer; `None`: four-pass, and two-pass if a key protection method is available.
    pub variant: Option<Variant>,
    /// The key protection methods to offer in two-pass, in order of preference; empty: all available. Key transport
    /// without a private key has one made for this run.
    pub methods: Vec<ProtectionMethod>,
    /// The key package formats to offer, in order of preference. Four-pass requires PSKC.
    pub package_formats: Vec<PackageFormat>,
    /// The id of the stored key to renew. A trigger's `KeyID` does the same.
    pub renew: Option<String>,
    /// The label of the new key; `None`: that of the renewed key, if any.
    pub label: Option<String>,
    /// PBKDF2 iterations, at least 100,000 (profile P3).
    pub iterations: u32,
    /// PBKDF2's PRF (profile P2).
    pub pbkdf2_prf: Pbkdf2Prf,
    /// Trust anchors for the certificate of K_SERVER (profile P29), DER, not for TLS; empty: it is not verified.
    pub k_server_anchors: Vec<Vec<u8>>,
    /// Servers that a person accepted in advance, by URL_S or by the fingerprint of K_SERVER (profile P29,
    /// [`ServerChange`](super::ServerChange)). If it contains a fingerprint, all other keys must be remembered or certified.
    pub accepted: Vec<String>,
}

impl EnrollRequest {
    /// A request for any key type, with the defaults of the profile.
    pub fn new(url_s: Option<String>, credential: Credential) -> Self {
        EnrollRequest {
            url_s,
            credential,
            key_types: Vec::new(),
            device: None,
            device_key: None,
            device_key_name: None,
            private_key: None,
            private_key_name: None,
            variant: None,
            methods: Vec::new(),
            package_formats: vec![PackageFormat::Pskc],
            renew: None,
            label: None,
            iterations: MIN_ITERATIONS,
            pbkdf2_prf: Pbkdf2Prf::HmacSha1,
            k_server_anchors: Vec::new(),
            accepted: Vec::new(),
        }
    }
}

/// A new key in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Enrolled {
    /// The key's `Id`.
    pub key_id: String,
    /// Its type.
    pub key_type: KeyType,
    /// Its label.
    pub label: Option<String>,
    /// `Issuer`
    pub issuer: Option<String>,
    /// `ServerID`
    pub server_id: Option<String>,
    /// Whether it replaced a key with the same id.
    pub replaced: bool,
    /// The id of the replaced key in the store.
    pub old_key_id: Option<String>,
    /// The key protection method of two-pass; `None`: four-pass.
    pub method: Option<ProtectionMethod>,
    /// The PBKDF2 iterations that protected it under the code's password, if fewer than 100,000 (profile P15): the lower
    /// count of encryption and MAC.
    pub few_iterations: Option<u32>,
}
