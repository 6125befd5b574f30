//! What a run offers, derived from request and store.

use std::sync::Arc;

use dskpp::algorithm::{EncryptionAlgorithm, KeyType, ProtectionMethod};
use dskpp::client::{ClientProtection, Credential, Renewal, RunConfig};
use dskpp::prf::Prf;
use dskpp_crypto::{RsaPrivateKey, Secret};
use pskc::{DeviceInfo, KeyInfo, Shown};

use super::error::EnrolmentError;
use super::host::Host;
use super::request::{DEFAULT_KEY_TYPES, EnrollRequest, Variant};
use super::trigger;
use crate::runs::UnfinishedRun;
use crate::token::Token;
use crate::tokens::Tokens;

/// Bits of an RSA key for one run.
const RSA_BITS: usize = 2048;

pub(super) fn url_s(request: &EnrollRequest) -> Result<String, EnrolmentError> {
    let of_trigger = match &request.credential {
        Credential::Trigger(trigger) => trigger.server_url.clone(),
        Credential::Code(_) => None,
    };
    of_trigger.or_else(|| request.url_s.clone()).ok_or(EnrolmentError::NoUrl)
}

/// The stored key to renew, and the keys that the server may prove itself with.
pub(super) fn renewed(request: &EnrollRequest, tokens: &Tokens) -> Result<Option<(Token, Renewal)>, EnrolmentError> {
    let of_trigger = match &request.credential {
        Credential::Trigger(trigger) => trigger::key_id(trigger)?,
        Credential::Code(_) => None,
    };
    let key_id = match (of_trigger, &request.renew) {
        (Some(named), Some(asked)) if named != asked => {
            return Err(EnrolmentError::RenewsAnother(Shown(named).to_string()));
        }
        (Some(named), _) => named.to_owned(),
        (None, Some(asked)) => asked.clone(),
        (None, None) => return Ok(None),
    };
    let found = tokens.get(&key_id).filter(|token| token.old_of.is_none());
    let token = found.cloned().ok_or_else(|| EnrolmentError::NothingToRenew(Shown(&key_id).to_string()))?;
    let k_mac = |token: &Token| token.k_mac.clone().unwrap_or_else(|| token.secret.clone()); // profile P6
    let mut earlier: Vec<_> = tokens.replaced_of(&key_id).collect();
    earlier.sort_by(|one, other| other.created_at.cmp(&one.created_at));
    let renewal = Renewal { k_mac_old: k_mac(&token), earlier: earlier.into_iter().map(k_mac).collect(), key_id };
    Ok(Some((token, renewal)))
}

/// Whether the request or its trigger names the device.
pub(super) fn names_a_device(request: &EnrollRequest) -> bool {
    let by_trigger =
        matches!(&request.credential, Credential::Trigger(trigger) if trigger.device_identifier_data.is_some());
    by_trigger || request.device.is_some()
}

/// K_SHARED from the store: the named key, or the only imported key of this device, not one that a server provisioned.
pub(super) fn device_key(request: &EnrollRequest, tokens: &Tokens) -> Result<Option<(String, Secret)>, EnrolmentError> {
    let of = |token: &Token| (token.id.clone(), token.secret.clone());
    if let Some(name) = &request.device_key_name {
        let named = tokens.get(name);
        return named.map(of).map(Some).ok_or_else(|| EnrolmentError::DeviceKeyName(name.clone()));
    }
    let Some(device) = &request.device else { return Ok(None) };
    let is_own = |token: &&Token| {
        let named = token.manufacturer.as_ref().zip(token.serial.as_ref());
        named == Some((&device.0, &device.1)) && token.server_url.is_none() && token.key_type.contains("aes")
    };
    let mut own = tokens.iter().filter(is_own);
    match (own.next(), own.next()) {
        (Some(_), Some(_)) => Err(EnrolmentError::SeveralDeviceKeys),
        (found, _) => Ok(found.map(of)),
    }
}

/// The client ID of the code or trigger. A trigger may have none (the schema makes its `ClientID` optional).
pub(super) fn client_id(credential: &Credential) -> &str {
    match credential {
        Credential::Code(code) => code.client_id(),
        Credential::Trigger(trigger) => trigger.authentication_data.client_id.as_deref().unwrap_or_default(),
    }
}

/// Gives key transport a private key if it has none: that of the unfinished run, or a new one. Returns its PKCS #8.
pub(super) async fn own_key(
    host: &Host,
    request: &mut EnrollRequest,
    unfinished: Option<&UnfinishedRun>,
) -> Result<Option<Secret>, EnrolmentError> {
    let asked = request.methods.contains(&ProtectionMethod::Transport) && request.variant != Some(Variant::FourPass);
    if !asked || request.private_key.is_some() {
        return Ok(None);
    }
    let noted = unfinished.and_then(|run| RsaPrivateKey::from_pkcs8_der(run.private_key.as_ref()?.expose()).ok());
    let key = match noted {
        Some(key) => key,
        None => {
            let made = host.rsa_key(RSA_BITS).await.and_then(|key| RsaPrivateKey::from_pkcs8_der(key.expose()).ok());
            made.ok_or(EnrolmentError::MethodNotAtHand(ProtectionMethod::Transport))?
        }
    };
    let der = key.to_pkcs8_der().clone();
    request.private_key = Some((Arc::new(key), Vec::new()));
    Ok(Some(der))
}

/// The available key protection methods in order of preference; none if two-pass is not offered.
pub(super) fn protections(request: &EnrollRequest) -> Result<Vec<ClientProtection>, EnrolmentError> {
    use ProtectionMethod::{PassphraseWrap, Transport, Wrap};
    if request.variant == Some(Variant::FourPass) {
        return Ok(Vec::new());
    }
    let all = [Wrap, Transport, PassphraseWrap];
    let asked = if request.methods.is_empty() { &all[..] } else { &request.methods };
    let mut protections = Vec::new();
    for method in asked {
        match (protection(request, method), request.methods.is_empty()) {
            (Some(protection), _) => protections.push(protection),
            (None, true) => {}
            (None, false) => return Err(EnrolmentError::MethodNotAtHand(method.clone())),
        }
    }
    match protections.is_empty() && request.variant == Some(Variant::TwoPass) {
        true => Err(EnrolmentError::NothingAtHand),
        false => Ok(protections),
    }
}

fn protection(request: &EnrollRequest, method: &ProtectionMethod) -> Option<ClientProtection> {
    match method {
        ProtectionMethod::Wrap => {
            let fits = request.device_key.clone().filter(|(_, key)| matches!(key.len(), 16 | 24 | 32));
            fits.map(|(name, key)| ClientProtection::Wrap { name, key })
        }
        ProtectionMethod::Transport => request.private_key.clone().map(|(key, certificates)| {
            let info = match &request.private_key_name {
                Some(name) => KeyInfo::from_key_name(name),
                None if certificates.is_empty() => KeyInfo::from_rsa(key.public().modulus(), key.public().exponent()),
                None => KeyInfo::from_certificates(certificates),
            };
            ClientProtection::Transport { key, info }
        }),
        ProtectionMethod::PassphraseWrap => {
            matches!(request.credential, Credential::Code(_)).then_some(ClientProtection::Passphrase)
        }
        _ => None,
    }
}

pub(super) fn offer(
    request: &EnrollRequest,
    url_s: &str,
    renewed: Option<&(Token, Renewal)>,
) -> Result<RunConfig, EnrolmentError> {
    let key_types = match (&request.key_types[..], renewed) {
        ([], Some((old, _))) => vec![KeyType::from_uri(&old.algorithm_uri)],
        ([], None) => DEFAULT_KEY_TYPES.to_vec(),
        (given, _) => given.to_vec(),
    };
    let mut offer = RunConfig::new(url_s, request.credential.clone(), key_types);
    offer.iterations = request.iterations;
    offer.pbkdf2_prf = request.pbkdf2_prf;
    offer.package_formats = request.package_formats.clone();
    offer.device = request.device.as_ref().map(|(manufacturer, serial)| DeviceInfo {
        manufacturer: Some(manufacturer.clone()),
        serial_no: Some(serial.clone()),
        ..DeviceInfo::default()
    });
    if let Some((_, key)) = &request.device_key {
        offer.encryption_algorithms = with_shared_key(key)?;
    }
    if let Some((old, renewal)) = renewed {
        let fits = |prf: Prf| prf.takes_key_of(renewal.k_mac_old.len());
        if !offer.mac_algorithms.iter().filter_map(Prf::of).any(fits) {
            return Err(EnrolmentError::TooShortToRenew(old.id.clone()));
        }
        offer.renewal = Some(renewal.clone());
    }
    Ok(offer)
}

/// The algorithms for a K_SHARED of this length.
fn with_shared_key(key: &Secret) -> Result<Vec<EncryptionAlgorithm>, EnrolmentError> {
    use EncryptionAlgorithm::*;
    match key.len() {
        16 => Ok(vec![KwAes128, Aes128Cbc, PrfSha256, PrfAes128]),
        24 => Ok(vec![KwAes192, Aes192Cbc, PrfSha256]),
        32 => Ok(vec![KwAes256, Aes256Cbc, PrfSha256]),
        17.. => Ok(vec![PrfSha256]),
        len => Err(EnrolmentError::DeviceKeyLength(len)),
    }
}
