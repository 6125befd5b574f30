//! A key package that comes in: what it means to this server, or why it is refused.

use std::borrow::Cow;

use dskpp::algorithm::KeyType;
use dskpp::package::hash_of_suite;
use dskpp_crypto::{Hash, Secret};
use dskpp_otp::{Digits, OcraSuite};
use pskc::{DateTime, Key, KeyData, KeyPackage, PinUsageMode, Policy, Value, ValueFormat};

use super::owner::user_of;
use crate::config::KeyTypeName;
use crate::names::is_name;
use crate::store::Params;

/// The highest counter: from there on there is no end to be reached, in the database and in PSKC.
pub(crate) const MAX_COUNTER: i64 = 1 << 62;
/// The longest secret, in octets.
const MAX_SECRET_LEN: usize = 1024;
/// The type of keys that the server keeps but cannot use.
pub(crate) const OTHER_TYPE: &str = "other";

/// To whom imported keys belong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// To nobody yet.
    Nobody,
    /// All to the user of that name.
    User(String),
    /// Each to the user that its `UserId` names, if it has one.
    UserId,
}

/// A key that can be stored.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The key's `Id`.
    pub id: String,
    /// The name of its user.
    pub user: Option<String>,
    /// The key itself.
    pub secret: Secret,
    /// What else the package says.
    pub package: KeyPackage,
    /// The type by its short name, or `other`.
    pub key_type: &'static str,
    /// The parameters that validation needs.
    pub params: Params,
    /// HOTP and OCRA: the next counter.
    pub counter: i64,
    /// TOTP: the last step that was used.
    pub last_step: Option<i64>,
    /// TOTP: steps by which the token's clock is off.
    pub drift: i64,
    /// Manufacturer and serial number of the device.
    pub device: Option<(String, String)>,
    /// Policy: when it may first be used, seconds since 1970.
    pub start_at: Option<i64>,
    /// Policy: when it may be used last, seconds since 1970.
    pub expires_at: Option<i64>,
    /// Policy: how often it may be used.
    pub uses_left: Option<i64>,
}

/// A key that cannot be stored.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The key's `Id` where it has one.
    pub key_id: String,
    /// Why, for people.
    pub reason: Reason,
}

type Reason = Cow<'static, str>;

/// Takes a package apart; `at` is the present time, seconds since 1970.
pub(crate) fn take_in(mut package: KeyPackage, owner: &Owner, at: i64) -> Result<Taken, Refusal> {
    let id = package.key.as_ref().map(|key| key.id.clone()).unwrap_or_default();
    match checked(&mut package, owner, at) {
        Ok(Checked { user, secret, used }) => {
            let device = device(&package);
            let Used { key_type, params, counter, last_step, drift } = used;
            let policy = package.key.as_ref().and_then(|key| key.policy.as_ref());
            let Limits { start_at, expires_at, uses_left } = policy.map(limits).unwrap_or_default();
            Ok(Taken {
                id,
                user,
                secret,
                package,
                key_type,
                params,
                counter,
                last_step,
                drift,
                device,
                start_at,
                expires_at,
                uses_left,
            })
        }
        Err(reason) => Err(Refusal { key_id: id, reason }),
    }
}

struct Checked {
    user: Option<String>,
    secret: Secret,
    used: Used,
}

fn checked(package: &mut KeyPackage, owner: &Owner, at: i64) -> Result<Checked, Reason> {
    let user = user(package, owner)?;
    let key = package.key.as_mut().ok_or("the package has no key")?;
    if key.id.is_empty() {
        return Err("the key has no Id".into());
    }
    if !is_name(&key.id) {
        return Err("the key's Id is not 1 to 256 printable characters".into());
    }
    if !key.is_usable() {
        return Err("its policy has parts that are not understood: it must not be used".into());
    }
    let used = used(key, at)?;
    let secret = key.data.as_mut().and_then(|data| data.secret.take());
    match secret {
        None => Err("it has no secret".into()),
        Some(Value::Encrypted(_)) => Err("its secret is encrypted: decrypt the file first".into()),
        Some(Value::Plain(secret)) if secret.is_empty() => Err("its secret is empty".into()),
        Some(Value::Plain(secret)) if secret.len() > MAX_SECRET_LEN => {
            Err("its secret is longer than 1024 octets".into())
        }
        Some(Value::Plain(secret)) => Ok(Checked { user, secret, used }),
    }
}

fn user(package: &KeyPackage, owner: &Owner) -> Result<Option<String>, Reason> {
    match owner {
        Owner::Nobody => Ok(None),
        Owner::User(name) => Ok(Some(name.clone())),
        Owner::UserId => match named_user(package) {
            Some(name) if !is_name(&name) => Err("its UserId is no name for a user".into()),
            name => Ok(name),
        },
    }
}

/// The user that the package names.
pub(super) fn named_user(package: &KeyPackage) -> Option<String> {
    let of_key = package.key.as_ref().and_then(|key| key.user_id.as_deref());
    let of_device = || package.device_info.as_ref().and_then(|device| device.user_id.as_deref());
    let named = of_key.filter(|text| !text.is_empty()).or_else(of_device).filter(|text| !text.is_empty());
    named.map(|text| user_of(text).trim().to_owned())
}

fn device(package: &KeyPackage) -> Option<(String, String)> {
    let device = package.device_info.as_ref()?;
    match (&device.manufacturer, &device.serial_no) {
        (Some(manufacturer), Some(serial)) if is_name(manufacturer) && is_name(serial) => {
            Some((manufacturer.clone(), serial.clone()))
        }
        _ => None,
    }
}

/// As the database can hold it.
pub(super) fn uses(number_of_transactions: u64) -> i64 {
    i64::try_from(number_of_transactions).unwrap_or(i64::MAX)
}

#[derive(Default)]
struct Limits {
    start_at: Option<i64>,
    expires_at: Option<i64>,
    uses_left: Option<i64>,
}

fn limits(policy: &Policy) -> Limits {
    // A part of a second more at the start.
    let start = |time: DateTime| time.unix_s() + i64::from(time.subsec_nanosecond() > 0);
    Limits {
        start_at: policy.start_date.map(start),
        expires_at: policy.expiry_date.map(DateTime::unix_s),
        uses_left: policy.number_of_transactions.map(uses),
    }
}

/// What validation uses of a key.
#[derive(Default)]
struct Used {
    key_type: &'static str,
    params: Params,
    counter: i64,
    last_step: Option<i64>,
    drift: i64,
}

fn used(key: &Key, at: i64) -> Result<Used, Reason> {
    let uri = key.algorithm.as_deref().filter(|uri| !uri.is_empty()).ok_or("it has no Algorithm")?;
    let none = KeyData::default();
    let data = key.data.as_ref().unwrap_or(&none);
    let numbers = Numbers {
        counter: plain(&data.counter)?.copied(),
        time: plain(&data.time)?.copied(),
        interval: plain(&data.time_interval)?.copied(),
        drift: plain(&data.time_drift)?.copied(),
    };
    let mut used = match KeyType::from_uri(uri) {
        KeyType::Hotp => hotp(key, &numbers)?,
        KeyType::Totp => totp(key, &numbers, at)?,
        KeyType::Ocra => ocra(key, &numbers)?,
        kind => match KeyTypeName::ALL.iter().find(|name| name.algorithm() == kind) {
            Some(name) => Used { key_type: name.as_str(), ..Used::default() },
            None => {
                let params = Params { algorithm: Some(uri.to_owned()), ..Params::default() };
                Used { key_type: OTHER_TYPE, params, ..Used::default() }
            }
        },
    };
    if let Some(policy) = &key.policy {
        used.params.usage = policy.key_usage.iter().map(|usage| usage.as_str().to_owned()).collect();
        let mode = policy.pin_policy.as_ref().and_then(|pin| pin.pin_usage_mode);
        used.params.pin = mode.filter(|mode| *mode != PinUsageMode::Local).map(|mode| mode.as_str().to_owned());
    }
    Ok(used)
}

fn plain<T>(value: &Option<Value<T>>) -> Result<Option<&T>, Reason> {
    match value {
        None => Ok(None),
        Some(Value::Plain(value)) => Ok(Some(value)),
        Some(Value::Encrypted(_)) => Err("one of its values is encrypted: decrypt the file first".into()),
    }
}

struct Numbers {
    counter: Option<i64>,
    time: Option<i32>,
    interval: Option<i32>,
    drift: Option<i32>,
}

impl Numbers {
    fn counter(&self) -> Result<i64, Reason> {
        match self.counter {
            Some(counter) if counter < 0 => Err("its Counter is less than 0".into()),
            Some(counter) if counter > MAX_COUNTER => {
                Err("its Counter is so high that it would come to its end".into())
            }
            counter => Ok(counter.unwrap_or(0)),
        }
    }
}

fn hotp(key: &Key, numbers: &Numbers) -> Result<Used, Reason> {
    if !matches!(hash(key)?, None | Some(Hash::Sha1)) {
        return Err("HOTP has no other hash than SHA-1".into());
    }
    let counter = numbers.counter()?;
    let params = Params { digits: digits(key)?, counter: Some(counter.unsigned_abs()), ..Params::default() };
    Ok(Used { key_type: "hotp", params, counter, ..Used::default() })
}

fn totp(key: &Key, numbers: &Numbers, at: i64) -> Result<Used, Reason> {
    let hash = match hash(key)? {
        None | Some(Hash::Sha1) => "SHA-1",
        Some(Hash::Sha256) => "SHA-256",
        Some(Hash::Sha512) => "SHA-512",
        Some(_) => return Err("TOTP has no other hashes than SHA-1, SHA-256 and SHA-512".into()),
    };
    let period_s = match numbers.interval.map(u32::try_from) {
        None => None,
        Some(Ok(period)) if period > 0 => Some(period),
        Some(_) => return Err("its TimeInterval is not positive".into()),
    };
    let params = Params { digits: digits(key)?, period_s, hash: Some(hash.to_owned()), ..Params::default() };
    // A Time that has been is taken for the last one used: earlier passwords are good no more. One that is to come
    // would lock the key.
    let present = at / i64::from(period_s.unwrap_or(30));
    let last_step = numbers.time.map(i64::from).filter(|step| (1..=present).contains(step));
    let drift = numbers.drift.map_or(0, i64::from);
    Ok(Used { key_type: "totp", params, last_step, drift, ..Used::default() })
}

fn ocra(key: &Key, numbers: &Numbers) -> Result<Used, Reason> {
    let suite = suite(key).ok_or("an OCRA key needs its suite")?;
    let parsed: OcraSuite = suite.parse().map_err(|why: dskpp_otp::Error| Reason::Owned(why.to_string()))?;
    if parsed.has_pin() || parsed.session_len().is_some() {
        return Err("its suite has a PIN or session information, which this server does not know".into());
    }
    let params = Params { suite: Some(suite.to_owned()), ..Params::default() };
    Ok(Used { key_type: "ocra", params, counter: numbers.counter()?, ..Used::default() })
}

fn suite(key: &Key) -> Option<&str> {
    let suite = key.algorithm_parameters.as_ref()?.suite.as_deref()?;
    Some(suite.trim()).filter(|suite| !suite.is_empty())
}

fn hash(key: &Key) -> Result<Option<Hash>, Reason> {
    let Some(suite) = suite(key) else { return Ok(None) };
    hash_of_suite(Some(suite)).map(Some).ok_or_else(|| "its Suite names no hash that is known".into())
}

/// How many digits a password has; `None` where nothing is said.
fn digits(key: &Key) -> Result<Option<u8>, Reason> {
    let Some(format) = key.algorithm_parameters.as_ref().and_then(|parameters| parameters.response_format) else {
        return Ok(None);
    };
    if format.encoding != ValueFormat::Decimal {
        return Err("its passwords are not decimal".into());
    }
    if format.check_digits == Some(true) {
        return Err("its passwords have check digits".into());
    }
    let digits = u8::try_from(format.length).ok().filter(|digits| Digits::new(*digits).is_ok());
    digits.map(Some).ok_or_else(|| "its passwords have not 6 to 10 digits".into())
}
