//! One-time-password keys, as the formats of authenticators have them.

use dskpp::algorithm::KeyType;
use dskpp_crypto::Hash;
use pskc::{Key, KeyPackage, KeyUsage, PinPolicy, Value};

/// What the formats mean where a line says nothing.
const DIGITS: u32 = 6;
const PERIOD_S: i32 = 30;
const NO_COUNTER: &str = "the key has no Counter, which HOTP needs: --assume counter=0 says that no code was made yet";

/// A one-time-password key, as the formats of authenticators have it.
pub(super) struct Otp<'a> {
    pub(super) key: &'a Key,
    pub(super) secret: &'a [u8],
    pub(super) is_totp: bool,
    pub(super) digits: u32,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub(super) hash: &'static str,
    pub(super) counter: i64,
    pub(super) period_s: i32,
    pub(super) pin: Option<&'a PinPolicy>,
}

impl<'a> Otp<'a> {
    /// # Errors
    /// Why the key is none, or which limit of its use would be lost.
    pub(super) fn of(package: &'a KeyPackage) -> Result<Self, String> {
        let key = package.key.as_ref().ok_or("there is no key")?;
        let is_totp = match key.algorithm.as_deref().map(KeyType::from_uri) {
            Some(KeyType::Totp) => true,
            Some(KeyType::Hotp) => false,
            _ => return Err("only HOTP and TOTP keys can be written in this format".to_owned()),
        };
        let policy = key.policy.as_ref();
        if policy.is_some_and(|policy| !policy.key_usage.is_empty() && !policy.key_usage.contains(&KeyUsage::Otp)) {
            return Err("its policy does not allow one-time passwords".to_owned());
        }
        if policy.is_some_and(|policy| {
            policy.start_date.is_some() || policy.expiry_date.is_some() || policy.number_of_transactions.is_some()
        }) {
            return Err("the format cannot say from when, until when or how often a key may be used".to_owned());
        }
        let data = key.data.as_ref().ok_or("there is no secret")?;
        let Some(Value::Plain(secret)) = &data.secret else { return Err("there is no secret in the clear".to_owned()) };
        let parameters = key.algorithm_parameters.as_ref();
        let suite = parameters.and_then(|part| part.suite.as_deref()).filter(|suite| !suite.trim().is_empty());
        let hash = match suite.map(Hash::from_name) {
            None | Some(Some(Hash::Sha1)) => "SHA1",
            Some(Some(Hash::Sha256)) if is_totp => "SHA256",
            Some(Some(Hash::Sha512)) if is_totp => "SHA512",
            Some(None) => return Err("its Suite names no hash that is known".to_owned()),
            Some(_) if !is_totp => return Err("HOTP has no other hash than SHA-1".to_owned()),
            Some(_) => return Err("the format knows SHA-1, SHA-256 and SHA-512 only".to_owned()),
        };
        let number = |value: &Option<Value<i32>>| value.as_ref().and_then(Value::plain).copied();
        if number(&data.time).unwrap_or(0) != 0 {
            return Err("the format cannot say that time does not begin in 1970".to_owned());
        }
        let format = parameters.and_then(|part| part.response_format);
        if format.is_some_and(|format| format.encoding != pskc::ValueFormat::Decimal) {
            return Err("the format knows codes of decimal digits only".to_owned());
        }
        if format.is_some_and(|format| format.check_digits == Some(true)) {
            return Err("the format knows no codes with a check digit".to_owned());
        }
        let counter = match data.counter.as_ref().and_then(Value::plain) {
            None if !is_totp => return Err(NO_COUNTER.to_owned()),
            counter => counter.copied().unwrap_or(0),
        };
        let period_s = number(&data.time_interval).unwrap_or(PERIOD_S);
        if counter < 0 || period_s < 1 {
            return Err("its counter or its time interval is none".to_owned());
        }
        Ok(Otp {
            key,
            secret: secret.expose(),
            is_totp,
            digits: format.map_or(DIGITS, |format| format.length),
            hash,
            counter,
            period_s,
            pin: policy.and_then(|policy| policy.pin_policy.as_ref()),
        })
    }
}

/// What is taken for a value that the key does not state.
pub(super) fn assumed(package: &KeyPackage) -> Vec<&'static str> {
    let Some(key) = &package.key else { return Vec::new() };
    let data = key.data.as_ref();
    let is_totp = key.algorithm.as_deref().map(KeyType::from_uri) == Some(KeyType::Totp);
    let has_digits = key.algorithm_parameters.as_ref().is_some_and(|part| part.response_format.is_some());
    let has_period = data.is_some_and(|data| data.time_interval.is_some());
    let parts = [("6 digits", !has_digits), ("a time interval of 30 s", is_totp && !has_period)];
    parts.into_iter().filter(|(_, is_assumed)| *is_assumed).map(|(name, _)| name).collect()
}
