//! Whether a key can be used: the check that `check`, converters, servers and token stores share.

use dskpp_crypto::{Hash, Secret};
use dskpp_otp::{Digits, OcraSuite, Question};

use crate::key::{Key, KeyData, ValueFormat};
use crate::kind::KeyKind;
use crate::policy::PinPolicy;
use crate::shown::is_name;
use crate::value::Value;

/// The longest secret, in octets.
pub const MAX_SECRET_LEN: usize = 1024;
/// The highest accepted counter: far below the limits of databases and of PSKC, so that counting never overflows.
pub const MAX_COUNTER: i64 = 1 << 62;

/// Why a key cannot be used. No variant reveals a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unusable {
    /// The key has no `Id`, or an empty one.
    NoId,
    /// The `Id` cannot be displayed or typed.
    Id,
    /// The policy has unknown parts (RFC 6030 §5).
    Policy,
    /// There is no algorithm.
    NoAlgorithm,
    /// There is no secret.
    NoSecret,
    /// The secret is empty.
    EmptySecret,
    /// The secret is longer than [`MAX_SECRET_LEN`].
    LongSecret,
    /// The secret has the wrong length for its cipher.
    SecretLength,
    /// The secret is encrypted.
    EncryptedSecret,
    /// A value other than the secret is encrypted.
    Encrypted,
    /// The suite names an unknown hash, which is never treated as SHA-1.
    Hash,
    /// A hash other than SHA-1 for HOTP.
    HotpHash,
    /// A hash that TOTP does not support.
    TotpHash,
    /// OCRA without its suite.
    NoSuite,
    /// An invalid OCRA suite, with the violated rule.
    Suite(&'static str),
    /// Passwords that are not decimal.
    Encoding,
    /// Passwords with a check digit.
    CheckDigits,
    /// Passwords of less than 6 or more than 10 digits.
    Digits,
    /// A response format that contradicts the OCRA suite.
    Response,
    /// A challenge format that contradicts the OCRA suite.
    Challenge,
    /// A negative counter.
    Counter,
    /// A counter above [`MAX_COUNTER`].
    HighCounter,
    /// A time interval of less than a second.
    Interval,
}

impl Unusable {
    /// The reason, as a clause about the key (`its …`).
    pub fn reason(self) -> &'static str {
        match self {
            Unusable::NoId => "the key has no Id",
            Unusable::Id => "the key's Id is not 1 to 256 printable characters",
            Unusable::Policy => "its policy has unknown elements, so the key must not be used",
            Unusable::NoAlgorithm => "it has no Algorithm",
            Unusable::NoSecret => "it has no secret",
            Unusable::EmptySecret => "its secret is empty",
            Unusable::LongSecret => "its secret is longer than 1024 octets",
            Unusable::SecretLength => "its secret has the wrong length for its algorithm",
            Unusable::EncryptedSecret => "its secret is encrypted: decrypt the file first",
            Unusable::Encrypted => "one of its values is encrypted: decrypt the file first",
            Unusable::Hash => "its Suite names an unknown hash",
            Unusable::HotpHash => "HOTP supports SHA-1 only",
            Unusable::TotpHash => "TOTP supports SHA-1, SHA-256 and SHA-512 only",
            Unusable::NoSuite => "an OCRA key needs its suite",
            Unusable::Suite(rule) => rule,
            Unusable::Encoding => "its passwords are not decimal",
            Unusable::CheckDigits => "its passwords have check digits",
            Unusable::Digits => "its passwords do not have 6 to 10 digits",
            Unusable::Response => "its ResponseFormat contradicts its OCRA suite",
            Unusable::Challenge => "its ChallengeFormat contradicts its OCRA suite",
            Unusable::Counter => "its Counter is less than 0",
            Unusable::HighCounter => "its Counter exceeds 2^62",
            Unusable::Interval => "its TimeInterval is not positive",
        }
    }

    /// Whether the key may be valid, but this implementation cannot use it.
    pub fn is_unsupported(self) -> bool {
        use Unusable::{CheckDigits, Digits, Encoding, Hash, HotpHash, TotpHash};
        matches!(self, Hash | HotpHash | TotpHash | Encoding | CheckDigits | Digits)
    }
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unusable::Suite(rule) => write!(f, "not an OCRA suite: {rule}"),
            why => f.write_str(why.reason()),
        }
    }
}

impl std::error::Error for Unusable {}

/// The inputs of a password besides the secret. Values that the key does not state, or that are encrypted, are
/// `None`, as are values that its algorithm does not use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtpParameters {
    /// Digits of a password, 6 to 10.
    pub digits: Option<u8>,
    /// The hash of HOTP (SHA-1) or TOTP.
    pub hash: Option<Hash>,
    /// The suite of OCRA.
    pub suite: Option<OcraSuite>,
    /// The next counter, at most [`MAX_COUNTER`].
    pub counter: Option<u64>,
    /// `Time`, in intervals.
    pub time: Option<i32>,
    /// Seconds of an interval.
    pub period_s: Option<u32>,
    /// The drift of the device's clock in intervals.
    pub drift: Option<i32>,
    /// Whether one of these values is encrypted.
    pub encrypted: bool,
}

impl OtpParameters {
    /// The parameters of a key of this kind.
    ///
    /// # Errors
    /// A value that is invalid for the kind: a substitute would generate wrong passwords.
    pub fn of(key: &Key, kind: KeyKind) -> Result<Self, Unusable> {
        let none = KeyData::default();
        let data = key.data.as_ref().unwrap_or(&none);
        let mut parameters = Self {
            encrypted: data.encrypted_values().any(|(name, _)| name != "Secret"),
            time: plain(&data.time),
            drift: plain(&data.time_drift).filter(|_| kind == KeyKind::Totp),
            ..Self::default()
        };
        if matches!(kind, KeyKind::Hotp | KeyKind::Totp) {
            parameters.hash = hash(key)?;
            parameters.digits = digits(key)?;
        }
        match (kind, parameters.hash) {
            (KeyKind::Hotp, Some(hash)) if hash != Hash::Sha1 => return Err(Unusable::HotpHash),
            (KeyKind::Totp, Some(Hash::Sha224 | Hash::Sha384)) => return Err(Unusable::TotpHash),
            (KeyKind::Totp, _) => parameters.period_s = period_s(plain(&data.time_interval))?,
            (KeyKind::Ocra, _) => {
                let suite: Result<OcraSuite, _> = suite(key).ok_or(Unusable::NoSuite)?.parse();
                let suite = suite.map_err(|why| match why {
                    dskpp_otp::Error::Suite(rule) => Unusable::Suite(rule),
                    _ => Unusable::Suite("it cannot be read"),
                })?;
                formats(key, &suite)?;
                parameters.suite = Some(suite);
            }
            _ => {}
        }
        if matches!(kind, KeyKind::Hotp | KeyKind::Ocra) {
            parameters.counter = counter(plain(&data.counter))?;
        }
        Ok(parameters)
    }

    /// The counter of the next password of a key of this kind, 0 if the key states none; `None`
    /// if its algorithm has no counter.
    pub fn next_counter(&self, kind: KeyKind) -> Option<u64> {
        let counts = kind == KeyKind::Hotp || self.suite.as_ref().is_some_and(OcraSuite::has_counter);
        counts.then(|| self.counter.unwrap_or(0))
    }
}

/// A key that passed the check.
#[derive(Clone, Debug)]
pub struct Usable<'k> {
    key: &'k Key,
    /// Its purpose.
    pub kind: KeyKind,
    /// The URI of its algorithm, as in the file.
    pub algorithm: &'k str,
    /// The inputs of a password besides the secret.
    pub parameters: OtpParameters,
    /// The secret; `None` if encrypted.
    pub secret: Option<&'k Secret>,
}

impl<'k> Usable<'k> {
    /// Checks a key. Encrypted values are skipped: see [`opened`](Self::opened).
    ///
    /// # Errors
    /// [`Unusable`]
    pub fn of(key: &'k Key) -> Result<Self, Unusable> {
        match key.id.trim() {
            "" => return Err(Unusable::NoId),
            _ if !is_name(&key.id) => return Err(Unusable::Id),
            _ => {}
        }
        if !key.is_usable() {
            return Err(Unusable::Policy);
        }
        let algorithm = key.algorithm.as_deref().filter(|uri| !uri.is_empty()).ok_or(Unusable::NoAlgorithm)?;
        let kind = KeyKind::of_uri(algorithm);
        let parameters = OtpParameters::of(key, kind)?;
        let secret = match key.data.as_ref().and_then(|data| data.secret.as_ref()) {
            None => return Err(Unusable::NoSecret),
            Some(Value::Encrypted(_)) => None,
            Some(Value::Plain(secret)) if secret.is_empty() => return Err(Unusable::EmptySecret),
            Some(Value::Plain(secret)) if secret.len() > MAX_SECRET_LEN => return Err(Unusable::LongSecret),
            Some(Value::Plain(secret)) => Some(secret),
        };
        match (kind, secret) {
            (KeyKind::Cipher(len), Some(secret)) if secret.len() != len => Err(Unusable::SecretLength),
            _ => Ok(Self { key, kind, algorithm, parameters, secret }),
        }
    }

    /// Requires that nothing is encrypted.
    ///
    /// # Errors
    /// [`Unusable::EncryptedSecret`], [`Unusable::Encrypted`]
    pub fn opened(self) -> Result<Self, Unusable> {
        match (self.secret, self.parameters.encrypted) {
            (None, _) => Err(Unusable::EncryptedSecret),
            (_, true) => Err(Unusable::Encrypted),
            _ => Ok(self),
        }
    }

    /// The defaults for values that the key does not state, as all importing programs assume them.
    pub fn assumed(&self) -> impl Iterator<Item = &'static str> + use<> {
        let OtpParameters { digits, counter, period_s, encrypted, .. } = &self.parameters;
        let counts = self.parameters.next_counter(self.kind).is_some();
        let is_open = !encrypted;
        let assumed = [
            (is_open && counts && counter.is_none()).then_some("it has no Counter: 0 is assumed"),
            (matches!(self.kind, KeyKind::Hotp | KeyKind::Totp) && digits.is_none())
                .then_some("it has no ResponseFormat: 6-digit passwords are assumed"),
            (is_open && self.kind == KeyKind::Totp && period_s.is_none())
                .then_some("it has no TimeInterval: 30 seconds are assumed"),
        ];
        assumed.into_iter().flatten()
    }

    /// Why the secret may be wrong, such as a double encoding.
    pub fn suspicion(&self) -> Option<&'static str> {
        self.secret.filter(|_| self.kind != KeyKind::Pin).and_then(|secret| crate::looks::suspicion(secret.expose()))
    }

    /// What programs handle differently: some refuse the key, others ignore a part of it.
    pub fn differences(&self) -> impl Iterator<Item = &'static str> + use<> {
        let policy = self.key.policy.as_ref();
        let has_pin =
            policy.and_then(|policy| policy.pin_policy.as_ref()).is_some_and(|pin| *pin != PinPolicy::default());
        let usage = match self.kind {
            KeyKind::Hotp | KeyKind::Totp => Some(crate::KeyUsage::Otp),
            KeyKind::Ocra => Some(crate::KeyUsage::Cr),
            _ => None,
        };
        let forbids = |usage| policy.is_some_and(|p| !p.key_usage.is_empty() && !p.key_usage.contains(&usage));
        let is_asked = |suite: &OcraSuite| suite.has_pin() || suite.session_len().is_some();
        let short =
            self.secret.is_some_and(|secret| secret.len() < 16) && matches!(self.kind, KeyKind::Totp | KeyKind::Ocra);
        let suite = self.parameters.suite.as_ref();
        let data =
            self.key.data.as_ref().filter(|_| matches!(self.kind, KeyKind::Hotp | KeyKind::Totp | KeyKind::Ocra));
        let has_counter = data.is_some_and(|data| data.counter.is_some());
        let counts = self.parameters.next_counter(self.kind).is_some();
        let has_time =
            |data: &KeyData| data.time.is_some() || data.time_interval.is_some() || data.time_drift.is_some();
        let has_time = data.is_some_and(has_time);
        let is_timed = self.kind == KeyKind::Totp || suite.is_some_and(|suite| suite.step_s().is_some());
        let found = [
            (self.kind == KeyKind::Other).then_some("its Algorithm is unknown: it can be imported, but not used"),
            has_pin.then_some("its policy asks for a PIN: a token store refuses it, since it could not ensure the PIN"),
            suite
                .is_some_and(is_asked)
                .then_some("its OCRA suite has a PIN or session information: a server refuses it"),
            usage.is_some_and(forbids).then_some("its policy does not allow what its Algorithm is for"),
            (self.kind == KeyKind::Totp && self.parameters.time.is_some_and(|time| time != 0))
                .then_some("its Time is not 0: a server treats it as the last step used, other programs refuse it"),
            short.then_some("its secret is shorter than the 16 octets that RFC 4226 requires"),
            (has_counter && !counts).then_some("its Counter means nothing to its Algorithm: readers ignore it"),
            (has_time && !is_timed)
                .then_some("its Time, TimeInterval or TimeDrift means nothing to its Algorithm: readers ignore it"),
        ];
        found.into_iter().flatten()
    }
}

fn suite(key: &Key) -> Option<&str> {
    let suite = key.algorithm_parameters.as_ref()?.suite.as_deref()?;
    Some(suite.trim()).filter(|suite| !suite.is_empty())
}

/// An unknown hash is an error, never SHA-1.
fn hash(key: &Key) -> Result<Option<Hash>, Unusable> {
    suite(key).map(|suite| Hash::from_name(suite).ok_or(Unusable::Hash)).transpose()
}

fn digits(key: &Key) -> Result<Option<u8>, Unusable> {
    let format = key.algorithm_parameters.as_ref().and_then(|parameters| parameters.response_format);
    let Some(format) = format else { return Ok(None) };
    if format.encoding != ValueFormat::Decimal {
        return Err(Unusable::Encoding);
    }
    if format.check_digits == Some(true) {
        return Err(Unusable::CheckDigits);
    }
    let digits = u8::try_from(format.length).ok().filter(|digits| Digits::new(*digits).is_ok());
    digits.map(Some).ok_or(Unusable::Digits)
}

/// An OCRA suite determines challenges and responses: other formats beside it are contradictions.
fn formats(key: &Key, suite: &OcraSuite) -> Result<(), Unusable> {
    let parameters = key.algorithm_parameters.as_ref();
    if let Some(format) = parameters.and_then(|parameters| parameters.response_format) {
        let digits = u32::from(suite.digits());
        let fits = match digits {
            0 => format.encoding == ValueFormat::Hexadecimal,
            digits => format.encoding == ValueFormat::Decimal && format.length == digits,
        };
        if !fits || format.check_digits == Some(true) {
            return Err(Unusable::Response);
        }
    }
    if let Some(format) = parameters.and_then(|parameters| parameters.challenge_format) {
        let (question, max) = suite.question();
        let encoding = match question {
            Question::Alphanumeric => ValueFormat::Alphanumeric,
            Question::Numeric => ValueFormat::Decimal,
            Question::Hexadecimal => ValueFormat::Hexadecimal,
        };
        if format.encoding != encoding || format.max > u32::from(max) {
            return Err(Unusable::Challenge);
        }
    }
    Ok(())
}

fn counter(counter: Option<i64>) -> Result<Option<u64>, Unusable> {
    match counter {
        Some(counter) if counter > MAX_COUNTER => Err(Unusable::HighCounter),
        counter => counter.map(|counter| u64::try_from(counter).map_err(|_| Unusable::Counter)).transpose(),
    }
}

fn period_s(interval: Option<i32>) -> Result<Option<u32>, Unusable> {
    let period = interval.map(|interval| u32::try_from(interval).ok().filter(|period| *period > 0));
    period.map(|period| period.ok_or(Unusable::Interval)).transpose()
}

fn plain<T: Copy>(value: &Option<Value<T>>) -> Option<T> {
    value.as_ref().and_then(Value::plain).copied()
}
