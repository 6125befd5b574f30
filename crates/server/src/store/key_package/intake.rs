//! A key package that comes in: what it means to this server, or why it is refused.

use std::borrow::Cow;

use dskpp::algorithm;
use dskpp_crypto::{Hash, Secret};
use pskc::{
    DateTime, Key, KeyKind, KeyPackage, MAX_COUNTER, OtpParameters, PinUsageMode, Policy, Unusable, Usable, Value,
};

use super::owner::user_of;
use crate::model::{self, HashName, KeyType, Params};
use pskc::is_name;

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
    /// The type.
    pub key_type: KeyType,
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
    let key = package.key.as_ref().ok_or("the package has no key")?;
    let usable = Usable::of(key).and_then(Usable::opened).map_err(reason)?;
    let used = used(&usable, key, at)?;
    let secret = package.key.as_mut().and_then(|key| key.data.as_mut()?.secret.take());
    match secret {
        Some(Value::Plain(secret)) => Ok(Checked { user, secret, used }),
        _ => Err(reason(Unusable::NoSecret)), // never: looked at above
    }
}

fn reason(why: Unusable) -> Reason {
    match why {
        Unusable::Suite(_) => Reason::Owned(why.to_string()),
        why => why.reason().into(),
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
struct Used {
    key_type: KeyType,
    params: Params,
    counter: i64,
    last_step: Option<i64>,
    drift: i64,
}

impl Used {
    fn new(key_type: KeyType, params: Params) -> Self {
        Used { key_type, params, counter: 0, last_step: None, drift: 0 }
    }
}

fn used(usable: &Usable<'_>, key: &Key, at: i64) -> Result<Used, Reason> {
    let Usable { parameters, algorithm, kind, .. } = usable;
    let counter = i64::try_from(parameters.counter.unwrap_or(0)).unwrap_or(MAX_COUNTER);
    let mut used = match kind {
        KeyKind::Hotp => {
            let params =
                Params { digits: parameters.digits, counter: Some(counter.unsigned_abs()), ..Params::default() };
            Used { counter, ..Used::new(KeyType::Hotp, params) }
        }
        KeyKind::Totp => totp(parameters, at),
        KeyKind::Ocra => Used { counter, ..ocra(parameters)? },
        _ => other(algorithm),
    };
    if let Some(policy) = &key.policy {
        used.params.usage = policy.key_usage.iter().map(|usage| usage.as_str().to_owned()).collect();
        let mode = policy.pin_policy.as_ref().and_then(|pin| pin.pin_usage_mode);
        used.params.pin = mode.filter(|mode| *mode != PinUsageMode::Local).map(|mode| mode.as_str().to_owned());
    }
    Ok(used)
}

fn totp(parameters: &OtpParameters, at: i64) -> Used {
    let OtpParameters { digits, period_s, .. } = *parameters;
    let hash = match parameters.hash {
        Some(Hash::Sha256) => HashName::Sha256,
        Some(Hash::Sha512) => HashName::Sha512,
        _ => HashName::Sha1,
    };
    let params = Params { digits, period_s, hash: Some(hash), ..Params::default() };
    // A Time that has been is taken for the last one used: earlier passwords are good no more. One that is to come
    // would lock the key.
    let present = at / i64::from(params.period_s());
    let last_step = parameters.time.map(i64::from).filter(|step| (1..=present).contains(step));
    let drift = parameters.drift.map_or(0, i64::from);
    Used { last_step, drift, ..Used::new(KeyType::Totp, params) }
}

fn ocra(parameters: &OtpParameters) -> Result<Used, Reason> {
    let suite = parameters.suite.as_ref().ok_or_else(|| reason(Unusable::NoSuite))?;
    if suite.has_pin() || suite.session_len().is_some() {
        return Err("its suite has a PIN or session information, which this server does not know".into());
    }
    let params = Params { suite: Some(suite.to_string()), ..Params::default() };
    Ok(Used::new(KeyType::Ocra, params))
}

/// A key that the server keeps.
fn other(uri: &str) -> Used {
    let named = algorithm::KeyType::from_uri(uri);
    let known = KeyType::ALL.iter().find(|known| model::algorithm(**known).as_ref() == Some(&named));
    match known {
        Some(known) => Used::new(*known, Params::default()),
        None => Used::new(KeyType::Other, Params { algorithm: Some(uri.to_owned()), ..Params::default() }),
    }
}
