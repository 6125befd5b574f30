//! What a key package tells about a key besides its secret, as a token's fields: the same for keys that a server sends
//! and for keys out of files.

use dskpp::algorithm::KeyType;
use pskc::{DateTime, Key, Kind, PinPolicy, Unusable};

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

impl Parameters {
    /// Reads them; values that the type cannot have are refused, for the codes would be wrong.
    pub(crate) fn of(key: &Key, key_type: &KeyType) -> Result<Self, Unusable> {
        let kind = Kind::of_uri(key_type.uri());
        let read = pskc::Parameters::of(key, kind)?;
        match read.encrypted {
            true => Err(Unusable::Encrypted),
            false => Ok(Self::taken(&read, kind)),
        }
    }

    /// As a token has them: with a counter, which is 0 where nothing is said.
    pub(crate) fn taken(read: &pskc::Parameters, kind: Kind) -> Self {
        Self {
            digits: read.digits,
            counter: read.next_counter(kind),
            period_s: read.period_s,
            drift: read.drift,
            hash: read.hash.filter(|_| kind == Kind::Totp).map(|hash| hash.name().to_owned()),
            suite: read.suite.as_ref().map(ToString::to_string),
        }
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
