//! What a key package tells, as a token's fields.

use dskpp::algorithm::KeyType;
use dskpp::client::{Failed, Provisioned};
use dskpp::package::hash_of_suite;
use jiff::Timestamp;
use pskc::{Key, ResponseFormat, ValueFormat};

use super::{EnrollError, EnrollRequest};
use crate::token_store::Token;

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
) -> Result<Token, EnrollError> {
    let Provisioned { keys, prf, key_type, key_id, server_id, container, k } = provisioned;
    let key = container.key_packages.first().and_then(|package| package.key.as_ref());
    let key = key.ok_or(Failed::Misbehaved("the key package describes no key"))?;
    if !key.is_usable() {
        return Err(EnrollError::Policy(key_id.clone()));
    }
    let Moving { digits, counter, period_s } = moving(key, key_type)?;
    let suite = key.algorithm_parameters.as_ref().and_then(|parameters| parameters.suite.clone());
    let (hash, suite) = match key_type {
        KeyType::Totp => (hash_of_suite(suite.as_deref()), None),
        KeyType::Ocra => (None, suite),
        _ => (None, None),
    };
    let policy = key.policy.as_ref();
    let date = |date: Option<Timestamp>| date.map(|date| date.to_string());
    Ok(Token {
        id: key_id.clone(),
        label: request.label.clone().or_else(|| renewed.and_then(|old| old.label.clone())),
        key_type: key_type_name(key_type).to_owned(),
        algorithm_uri: key_type.uri().to_owned(),
        secret: keys.k_token.clone(),
        k_mac: Some(keys.k_mac.clone()),
        mac_algorithm: Some(prf.algorithm().uri().to_owned()),
        server_url: Some(url_s),
        server_id: server_id.clone(),
        k_server: request.device_key.is_none().then(|| k.expose().to_vec()),
        issuer: key.issuer.clone(),
        user: key.user_id.clone(),
        digits,
        period_s,
        hash: hash.map(|hash| format!("{hash:?}").to_ascii_uppercase()),
        counter,
        suite,
        start: date(policy.and_then(|policy| policy.start_date)),
        expiry: date(policy.and_then(|policy| policy.expiry_date)),
        created_at: Timestamp::now().to_string(),
    })
}

/// What an OTP is made with besides its key.
#[derive(Debug, Default, PartialEq, Eq)]
struct Moving {
    digits: Option<u8>,
    counter: Option<u64>,
    period_s: Option<u32>,
}

/// Only the values that the type of key has; values that it cannot have are refused, for codes would be wrong.
fn moving(key: &Key, key_type: &KeyType) -> Result<Moving, Failed> {
    if !matches!(key_type, KeyType::Hotp | KeyType::Totp) {
        return Ok(Moving::default());
    }
    let digits = match key.algorithm_parameters.as_ref().and_then(|parameters| parameters.response_format) {
        None => None,
        Some(ResponseFormat { encoding: ValueFormat::Decimal, length: length @ 6..=10, check_digits: None | Some(false) }) => {
            u8::try_from(length).ok()
        }
        Some(_) => return Err(Failed::Unusable("the key asks for codes of a form that this client cannot make")),
    };
    let data = key.data.as_ref();
    let counter = data.and_then(|data| data.counter.as_ref()).map(|counter| {
        let counter = counter.plain().and_then(|counter| u64::try_from(*counter).ok());
        counter.ok_or(Failed::Misbehaved("the key's counter is not a number from 0"))
    });
    let period_s = data.and_then(|data| data.time_interval.as_ref()).map(|period| {
        let period = period.plain().and_then(|period| u32::try_from(*period).ok()).filter(|period| *period > 0);
        period.ok_or(Failed::Misbehaved("the key's time interval is not a number from 1"))
    });
    let (counter, period_s) = (counter.transpose()?, period_s.transpose()?);
    Ok(match key_type {
        KeyType::Hotp => Moving { digits, counter: Some(counter.unwrap_or(0)), period_s: None },
        _ => Moving { digits, counter: None, period_s },
    })
}
