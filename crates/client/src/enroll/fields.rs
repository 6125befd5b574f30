//! What a key package tells, as a token's fields.

use dskpp::algorithm::KeyType;
use dskpp::client::{Failed, Provisioned};
use jiff::Timestamp;

use super::{EnrollError, EnrollRequest};
use crate::token_store::Token;
use crate::token_store::package::{Parameters, Terms};
use crate::trust::KServer;

/// Short names of key types, as people type them and tokens keep them.
const NAMES: [(&str, KeyType); 11] = [
    ("totp", KeyType::Totp),
    ("hotp", KeyType::Hotp),
    ("ocra", KeyType::Ocra),
    ("pin", KeyType::Pin),
    ("securid", KeyType::SecurIdAes),
    ("aes128", KeyType::Aes128Cbc),
    ("aes192", KeyType::Aes192Cbc),
    ("aes256", KeyType::Aes256Cbc),
    ("kw-aes128", KeyType::KwAes128),
    ("kw-aes192", KeyType::KwAes192),
    ("kw-aes256", KeyType::KwAes256),
];

/// The short name of a type, such as `totp` or `aes128`; its URI where it has none.
pub fn key_type_name(key_type: &KeyType) -> &str {
    NAMES.iter().find(|(_, known)| known == key_type).map_or(key_type.uri(), |(name, _)| name)
}

/// The type of a short name in either case, or of a known URI.
pub fn key_type_from_name(name: &str) -> Option<KeyType> {
    let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, key_type)| key_type.clone());
    known.or_else(|| Some(KeyType::from_uri(name)).filter(KeyType::is_known))
}

/// The token to store. Fails where the key could not be used as its package says.
pub(super) fn token(
    provisioned: &Provisioned,
    request: &EnrollRequest,
    url_s: String,
    renewed: Option<&Token>,
    k_server: Option<&KServer>,
) -> Result<Token, EnrollError> {
    let Provisioned { keys, prf, key_type, key_id, server_id, container, .. } = provisioned;
    let key = container.key_packages.first().and_then(|package| package.key.as_ref());
    let key = key.ok_or(Failed::Misbehaved("the key package describes no key"))?;
    let device = container.key_packages.first().and_then(|package| package.device_info.as_ref());
    // What a policy asks for and this client cannot keep is as good as not understood.
    let terms = Terms::of(key).map_err(|_| EnrollError::Policy(key_id.clone()))?;
    let parameters = Parameters::of(key, key_type).map_err(|why| match why {
        why if why.is_unsupported() => Failed::Unusable(why.reason()),
        why => Failed::Misbehaved(why.reason()),
    })?;
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    // A run without K_SERVER leaves what is known of the server, if it is the same one.
    let known = renewed.filter(|old| old.server_url.as_ref() == Some(&url_s)).and_then(KServer::of);
    let mut token = Token {
        id: key_id.clone(),
        label: request.label.clone().or_else(|| renewed.and_then(|old| old.label.clone())),
        key_type: key_type_name(key_type).to_owned(),
        algorithm_uri: key_type.uri().to_owned(),
        secret: keys.k_token.clone(),
        k_mac: Some(keys.k_mac.clone()),
        mac_algorithm: Some(prf.algorithm().uri().to_owned()),
        server_url: Some(url_s),
        server_id: text(server_id),
        k_server: None,
        k_server_exponent: None,
        k_server_issuer: None,
        manufacturer: device.and_then(|device| text(&device.manufacturer)),
        serial: device.and_then(|device| text(&device.serial_no)),
        issuer: text(&key.issuer),
        user: text(&key.user_id),
        digits: parameters.digits,
        period_s: parameters.period_s,
        drift: parameters.drift,
        hash: parameters.hash,
        counter: parameters.counter,
        suite: parameters.suite,
        start: terms.start,
        expiry: terms.expiry,
        uses_left: terms.uses_left,
        usages: terms.usages,
        old_of: None,
        created_at: Timestamp::now().to_string(),
    };
    if let Some(k_server) = k_server.or(known.as_ref()) {
        k_server.remember(&mut token);
    }
    match token.not_a_name() {
        None => Ok(token),
        Some(what) => Err(EnrollError::NotAName(what)),
    }
}
