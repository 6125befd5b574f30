//! What a key package tells about a key besides its secret, as a token's fields: the same for keys that a server sends
//! and for keys out of files.

use dskpp::algorithm::KeyType;
use dskpp::package::hash_of_suite;
use dskpp_crypto::Hash;
use dskpp_otp::{Error, OcraSuite};
use pskc::{DateTime, Key, KeyData, PinPolicy, ResponseFormat, Value, ValueFormat};

/// What an answer is made with besides the key. Only the values that the type of key has are there.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// Digits of a password.
    pub(crate) digits: Option<u8>,
    /// The next counter of HOTP, or of an OCRA suite that has one.
    pub(crate) counter: Option<u64>,
    /// Seconds of a TOTP step.
    pub(crate) period_s: Option<u32>,
    /// `TimeDrift` of TOTP, in steps.
    pub(crate) drift: Option<i32>,
    /// The hash of TOTP by its name in a token.
    pub(crate) hash: Option<String>,
    /// The suite of OCRA.
    pub(crate) suite: Option<String>,
}

/// Why a key cannot be used as its package says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It may be right, but this client cannot do it.
    Unsupported(&'static str),
    /// A value is none that the type of key can have.
    Faulty(&'static str),
    /// A value is encrypted.
    Encrypted,
}

impl Parameters {
    /// Reads them; values that the type cannot have are refused, for the codes would be wrong.
    pub(crate) fn of(key: &Key, key_type: &KeyType) -> Result<Self, Unfit> {
        let none = KeyData::default();
        let data = key.data.as_ref().unwrap_or(&none);
        match key_type {
            KeyType::Hotp => match hash(key)? {
                None | Some(Hash::Sha1) => {
                    Ok(Self { digits: digits(key)?, counter: Some(counter(data)?), ..Self::default() })
                }
                Some(_) => Err(Unfit::Unsupported("HOTP has no other hash than SHA-1")),
            },
            KeyType::Totp => {
                let hash = match hash(key)? {
                    Some(Hash::Sha384) => return Err(Unfit::Unsupported("TOTP has no hash SHA-384")),
                    hash => hash.map(|hash| format!("{hash:?}").to_ascii_uppercase()),
                };
                let (period_s, drift) = (period_s(data)?, plain(&data.time_drift)?);
                Ok(Self { digits: digits(key)?, period_s, drift, hash, ..Self::default() })
            }
            KeyType::Ocra => ocra(key, data),
            _ => Ok(Self::default()),
        }
    }
}

fn ocra(key: &Key, data: &KeyData) -> Result<Parameters, Unfit> {
    let suite = suite(key).ok_or(Unfit::Faulty("an OCRA key needs its suite"))?;
    let parsed: OcraSuite = suite.parse().map_err(|why| match why {
        Error::Suite(reason) => Unfit::Faulty(reason),
        _ => Unfit::Faulty("its OCRA suite cannot be read"),
    })?;
    let counter = parsed.has_counter().then(|| counter(data)).transpose()?;
    Ok(Parameters { counter, suite: Some(suite.to_owned()), ..Parameters::default() })
}

fn suite(key: &Key) -> Option<&str> {
    let suite = key.algorithm_parameters.as_ref()?.suite.as_deref()?;
    Some(suite.trim()).filter(|suite| !suite.is_empty())
}

/// A hash that is named and not known is no reason to take SHA-1 instead.
fn hash(key: &Key) -> Result<Option<Hash>, Unfit> {
    let named = suite(key).map(|suite| hash_of_suite(Some(suite)));
    named.map(|hash| hash.ok_or(Unfit::Unsupported("its suite names no hash that is known"))).transpose()
}

fn digits(key: &Key) -> Result<Option<u8>, Unfit> {
    match key.algorithm_parameters.as_ref().and_then(|parameters| parameters.response_format) {
        None => Ok(None),
        Some(ResponseFormat {
            encoding: ValueFormat::Decimal,
            length: length @ 6..=10,
            check_digits: None | Some(false),
        }) => Ok(u8::try_from(length).ok()),
        Some(_) => Err(Unfit::Unsupported("it asks for codes of a form that this client cannot make")),
    }
}

fn counter(data: &KeyData) -> Result<u64, Unfit> {
    let counter = u64::try_from(plain(&data.counter)?.unwrap_or(0));
    counter.map_err(|_| Unfit::Faulty("its counter is not a number from 0"))
}

fn period_s(data: &KeyData) -> Result<Option<u32>, Unfit> {
    let period = plain(&data.time_interval)?.map(|period| u32::try_from(period).ok().filter(|period| *period > 0));
    period.map(|period| period.ok_or(Unfit::Faulty("its time interval is not a number from 1"))).transpose()
}

fn plain<T: Copy>(value: &Option<Value<T>>) -> Result<Option<T>, Unfit> {
    match value {
        None => Ok(None),
        Some(Value::Plain(value)) => Ok(Some(*value)),
        Some(Value::Encrypted(_)) => Err(Unfit::Encrypted),
    }
}

/// What the policy allows (RFC 6030 §5), as a token keeps it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// From when, RFC 3339.
    pub(crate) start: Option<String>,
    /// Until when, RFC 3339.
    pub(crate) expiry: Option<String>,
    /// `NumberOfTransactions`
    pub(crate) uses_left: Option<u64>,
    /// `KeyUsage`; empty: every use.
    pub(crate) usages: Vec<String>,
}

/// Why a policy cannot be kept to, so that the key must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unkept {
    /// Parts of it are not understood.
    NotUnderstood,
    /// It wants a PIN, which this client does not ask for.
    Pin,
}

impl Terms {
    /// Reads them. What a token could not keep is refused: a key never loses a limit on its way into the store.
    pub(crate) fn of(key: &Key) -> Result<Self, Unkept> {
        let Some(policy) = &key.policy else { return Ok(Self::default()) };
        if !key.is_usable() {
            return Err(Unkept::NotUnderstood);
        }
        if policy.pin_policy.as_ref().is_some_and(|pin| *pin != PinPolicy::default()) {
            return Err(Unkept::Pin);
        }
        let date = |date: Option<DateTime>| date.map(|date| date.to_string());
        let mut usages: Vec<String> = Vec::new();
        for usage in &policy.key_usage {
            if !usages.iter().any(|known| known == usage.as_str()) {
                usages.push(usage.as_str().to_owned()); // the schema lets a document repeat one without end
            }
        }
        Ok(Self {
            start: date(policy.start_date),
            expiry: date(policy.expiry_date),
            uses_left: policy.number_of_transactions,
            usages,
        })
    }
}
