//! One-time-password keys in authenticator formats.

use dskpp::algorithm::KeyType;
use dskpp_crypto::Hash;
use pskc::{Key, KeyPackage, KeyUsage, OtpParameters, PinPolicy, Usable};

/// The default of these formats.
const DIGITS: u32 = 6;
const PERIOD_S: u32 = 30;
const NO_COUNTER: &str = "the key has no Counter, which HOTP needs: for an unused key, pass --assume counter=0";

/// A one-time-password key, as authenticator formats have it.
pub(super) struct OtpKey<'a> {
    pub(super) key: &'a Key,
    pub(super) secret: &'a [u8],
    pub(super) is_totp: bool,
    pub(super) digits: u32,
    /// `SHA1`, `SHA256` or `SHA512`.
    pub(super) hash: &'static str,
    pub(super) counter: u64,
    pub(super) period_s: u32,
    pub(super) pin: Option<&'a PinPolicy>,
}

impl<'a> OtpKey<'a> {
    /// # Errors
    /// Not such a key, or a limit of its use would be lost.
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
            return Err("the format cannot express validity dates or a usage limit".to_owned());
        }
        let usable = Usable::of(key).and_then(Usable::opened).map_err(|why| why.to_string())?;
        let secret = usable.secret.ok_or("there is no secret in the clear")?;
        let OtpParameters { digits, hash, counter, time, period_s, .. } = usable.parameters;
        if time.unwrap_or(0) != 0 {
            return Err("the format cannot express a start time other than 1970".to_owned());
        }
        let counter = match counter {
            None if !is_totp => return Err(NO_COUNTER.to_owned()),
            counter => counter.unwrap_or(0),
        };
        Ok(OtpKey {
            key,
            secret: secret.expose(),
            is_totp,
            digits: digits.map_or(DIGITS, u32::from),
            hash: hash.unwrap_or(Hash::Sha1).name(),
            counter,
            period_s: period_s.unwrap_or(PERIOD_S),
            pin: policy.and_then(|policy| policy.pin_policy.as_ref()),
        })
    }
}

/// Values that the format's defaults supply.
pub(super) fn assumed(package: &KeyPackage) -> Vec<&'static str> {
    let Some(key) = &package.key else { return Vec::new() };
    let data = key.data.as_ref();
    let is_totp = key.algorithm.as_deref().map(KeyType::from_uri) == Some(KeyType::Totp);
    let has_digits = key.algorithm_parameters.as_ref().is_some_and(|part| part.response_format.is_some());
    let has_period = data.is_some_and(|data| data.time_interval.is_some());
    let parts = [("6 digits", !has_digits), ("a time interval of 30 s", is_totp && !has_period)];
    parts.into_iter().filter(|(_, is_assumed)| *is_assumed).map(|(name, _)| name).collect()
}
