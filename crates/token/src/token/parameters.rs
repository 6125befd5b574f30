//! What a key package says about a key besides its secret, as a token's fields: the same for keys from servers and keys
//! from files.

use dskpp::algorithm::KeyType;
use pskc::{DateTime, Key, KeyKind, PinPolicy, Unusable};

/// What a code depends on besides the key. Only values that the key type has are present.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenParameters {
    /// Digits of a password.
    pub(crate) digits: Option<u8>,
    /// The next counter of HOTP, or of an OCRA suite that has one.
    pub(crate) counter: Option<u64>,
    /// Seconds of a TOTP step.
    pub(crate) period_s: Option<u32>,
    /// `TimeDrift` of TOTP, in steps.
    pub(crate) drift: Option<i32>,
    /// The hash of TOTP, by name.
    pub(crate) hash: Option<String>,
    /// The suite of OCRA.
    pub(crate) suite: Option<String>,
}

impl TokenParameters {
    /// Reads them. Values that the type cannot have are an error: the codes would be wrong.
    pub(crate) fn of(key: &Key, key_type: &KeyType) -> Result<Self, Unusable> {
        let kind = KeyKind::of_uri(key_type.uri());
        let read = pskc::OtpParameters::of(key, kind)?;
        match read.encrypted {
            true => Err(Unusable::Encrypted),
            false => Ok(Self::taken(&read, kind)),
        }
    }

    /// As a token stores them: with a counter, 0 by default.
    pub(crate) fn taken(read: &pskc::OtpParameters, kind: KeyKind) -> Self {
        Self {
            digits: read.digits,
            counter: read.next_counter(kind),
            period_s: read.period_s,
            drift: read.drift,
            hash: read.hash.filter(|_| kind == KeyKind::Totp).map(|hash| hash.name().to_owned()),
            suite: read.suite.as_ref().map(ToString::to_string),
        }
    }
}

/// What the policy allows (RFC 6030 §5), as a token stores it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Terms {
    /// From when, RFC 3339.
    pub(crate) start: Option<String>,
    /// Until when, RFC 3339.
    pub(crate) expiry: Option<String>,
    /// `NumberOfTransactions`
    pub(crate) uses_left: Option<u64>,
    /// `KeyUsage`; empty: all.
    pub(crate) usages: Vec<String>,
}

/// Why this client cannot enforce a policy, so that the key must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unkept {
    /// It has unknown parts.
    NotUnderstood,
    /// It demands a PIN, which this client does not enforce.
    Pin,
}

impl Terms {
    /// Reads them. A limit that a token cannot store is an error: no key loses a limit on its way into the store.
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
                usages.push(usage.as_str().to_owned()); // the schema allows any number of repetitions
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
