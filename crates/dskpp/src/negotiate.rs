//! Negotiation: the client's lists and the server's policy (RFC 6063 §4.2.2, profile P17, P21).

use crate::algorithm::{EncryptionAlgorithm, KeyType, MacAlgorithm, PackageFormat};
use crate::message::ClientHello;
use crate::prf::Prf;
use crate::refusal::RefusalReason;
use crate::server_k::ServerK;
use crate::status::Status;

/// What a server allows. The order of its lists is irrelevant: the client's counts (profile P17).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NegotiationPolicy {
    /// Key types that it provisions.
    pub key_types: Vec<KeyType>,
    /// Algorithms for R_C.
    pub encryption_algorithms: Vec<EncryptionAlgorithm>,
    /// PRFs.
    pub mac_algorithms: Vec<MacAlgorithm>,
    /// Key packages.
    pub package_formats: Vec<PackageFormat>,
}

impl Default for NegotiationPolicy {
    /// Everything that this implementation supports.
    fn default() -> Self {
        use EncryptionAlgorithm::*;
        NegotiationPolicy {
            key_types: vec![
                KeyType::Hotp,
                KeyType::Totp,
                KeyType::Ocra,
                KeyType::Aes128Cbc,
                KeyType::Aes192Cbc,
                KeyType::Aes256Cbc,
            ],
            encryption_algorithms: vec![
                RsaOaepMgf1p,
                RsaOaep11,
                Rsa15,
                PrfAes128,
                PrfSha256,
                Aes128Cbc,
                Aes192Cbc,
                Aes256Cbc,
                KwAes128,
                KwAes192,
                KwAes256,
            ],
            mac_algorithms: vec![MacAlgorithm::PrfSha256, MacAlgorithm::PrfAes128],
            package_formats: vec![
                PackageFormat::Pskc,
                PackageFormat::Skpc,
                PackageFormat::Pkcs12,
                PackageFormat::Pkcs5Xml,
            ],
        }
    }
}

/// What the server knows about the client besides its message.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The key that R_C will be encrypted with: K_SHARED of the named device, or else K_SERVER.
    pub k: &'a ServerK,
    /// The enrolment's key type, if known from a trigger.
    pub key_type: Option<&'a KeyType>,
}

/// The negotiated values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// `KeyType`
    pub key_type: KeyType,
    /// `EncryptionAlgorithm`
    pub encryption_algorithm: EncryptionAlgorithm,
    /// `MacAlgorithm`
    pub prf: Prf,
    /// `KeyPackageFormat`
    pub package_format: PackageFormat,
}

/// The first entry of each of the client's lists that policy and facts allow, or the status for the list
/// that has none. The PRF depends on the message only: it must not reveal what the server knows about a KeyID (profile P7).
pub fn negotiate(
    hello: &ClientHello,
    policy: &NegotiationPolicy,
    facts: &Facts<'_>,
) -> Result<Choice, (Status, RefusalReason)> {
    if !hello.offers_four_pass() {
        return Err((Status::NoProtocolVariants, RefusalReason::NothingInCommon("protocol variant")));
    }
    let key_type = hello
        .supported_key_types
        .iter()
        .find(|offered| policy.key_types.contains(offered) && facts.key_type.is_none_or(|wanted| wanted == *offered));
    let encryption_algorithm = hello
        .supported_encryption_algorithms
        .iter()
        .find(|offered| policy.encryption_algorithms.contains(offered) && facts.k.serves(offered));
    let prf = prf_of(hello, policy);
    // Only PSKC can describe a key without its value.
    let package_format = hello
        .package_formats()
        .iter()
        .find(|offered| **offered == PackageFormat::Pskc && policy.package_formats.contains(offered));
    let none = |status, list| (status, RefusalReason::NothingInCommon(list));
    let choice = Choice {
        key_type: key_type.ok_or(none(Status::NoSupportedKeyTypes, "key type"))?.clone(),
        encryption_algorithm: encryption_algorithm
            .ok_or(none(Status::NoSupportedEncryptionAlgorithms, "encryption algorithm"))?
            .clone(),
        prf: prf.ok_or(none(Status::NoSupportedMacAlgorithms, "MAC algorithm"))?,
        package_format: package_format.ok_or(none(Status::NoSupportedKeyPackages, "key package format"))?.clone(),
    };
    match &hello.client_nonce {
        Some(nonce) if !NONCE_LEN.contains(&nonce.len()) => {
            Err((Status::InitializationFailed, RefusalReason::NonceLength))
        }
        _ => Ok(choice),
    }
}

/// Length of a `<ClientNonce>`, and of R_C in two-pass, in octets (profile P5, P7).
pub(crate) const NONCE_LEN: std::ops::RangeInclusive<usize> = 16..=64;

/// The client's first PRF that the policy allows.
pub(crate) fn prf_of(hello: &ClientHello, policy: &NegotiationPolicy) -> Option<Prf> {
    let allowed = hello.supported_mac_algorithms.iter().filter(|offered| policy.mac_algorithms.contains(offered));
    allowed.filter_map(Prf::of).next()
}
