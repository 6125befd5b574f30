//! The key package of four-pass: a PSKC container with all properties of the key except its value (RFC 6063 §4.2.5).

use dskpp_crypto::Hash;
use pskc::{
    AlgorithmParameters, ChallengeFormat, DeviceInfo, Key, KeyContainer, KeyData, KeyUsage, Policy, ResponseFormat,
    Value, ValueFormat,
};

use crate::algorithm::KeyType;

/// The content of a key package. Absent values are omitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageSpec {
    /// `ServerID`, a URI (profile P8).
    pub server_id: String,
    /// The key's `Id`.
    pub key_id: String,
    /// `Algorithm`
    pub key_type: KeyType,
    /// `Issuer`
    pub issuer: Option<String>,
    /// `UserId`
    pub user_id: Option<String>,
    /// The key's device.
    pub device: Option<DeviceInfo>,
    /// Digits of an OTP.
    pub digits: Option<u8>,
    /// The hash of TOTP, if not SHA-1.
    pub hash: Option<Hash>,
    /// The suite of OCRA (RFC 6287 §6).
    pub suite: Option<String>,
    /// `Counter`: the first counter of HOTP.
    pub counter: Option<u64>,
    /// `TimeInterval` in seconds, of TOTP.
    pub period_s: Option<u32>,
}

impl PackageSpec {
    /// A key with an identifier and a type; the optional properties are fields.
    pub fn new(server_id: impl Into<String>, key_id: impl Into<String>, key_type: KeyType) -> Self {
        PackageSpec {
            server_id: server_id.into(),
            key_id: key_id.into(),
            key_type,
            issuer: None,
            user_id: None,
            device: None,
            digits: None,
            hash: None,
            suite: None,
            counter: None,
            period_s: None,
        }
    }

    /// The length of K_TOKEN in octets; `None` if the type does not determine it.
    pub fn key_len(&self) -> Option<usize> {
        match self.key_type {
            KeyType::Ocra => self.key_type.key_len(hash_of_suite(self.suite.as_deref())),
            _ => self.key_type.key_len(self.hash),
        }
    }

    /// The container.
    pub fn container(&self) -> KeyContainer {
        let suite = match self.hash {
            Some(hash) if hash != Hash::Sha1 => Some(hash.hmac_name().to_owned()),
            _ => self.suite.clone(),
        };
        let response_format = self.digits.map(|digits| ResponseFormat {
            encoding: ValueFormat::Decimal,
            length: u32::from(digits),
            check_digits: None,
        });
        let challenge_format = self.suite.as_deref().and_then(challenge_of_suite);
        let parameters = AlgorithmParameters { suite, challenge_format, response_format, extensions: Vec::new() };
        let data = KeyData {
            counter: self.counter.and_then(|counter| i64::try_from(counter).ok()).map(Value::Plain),
            time: (self.key_type == KeyType::Totp).then_some(Value::Plain(0)),
            time_interval: self.period_s.and_then(|period| i32::try_from(period).ok()).map(Value::Plain),
            ..KeyData::default()
        };
        let usage = match self.key_type {
            KeyType::Hotp | KeyType::Totp => vec![KeyUsage::Otp],
            KeyType::Ocra => vec![KeyUsage::Cr],
            KeyType::Aes128Cbc | KeyType::Aes192Cbc | KeyType::Aes256Cbc => vec![KeyUsage::Encrypt, KeyUsage::Decrypt],
            _ => Vec::new(),
        };
        let key = Key {
            id: self.key_id.clone(),
            algorithm: Some(self.key_type.uri().to_owned()),
            issuer: self.issuer.clone(),
            algorithm_parameters: (parameters != AlgorithmParameters::default()).then_some(parameters),
            data: (data != KeyData::default()).then_some(data),
            user_id: self.user_id.clone(),
            policy: (!usage.is_empty()).then(|| Policy { key_usage: usage, ..Policy::default() }),
            ..Key::default()
        };
        let device_info = self.device.clone();
        KeyContainer {
            key_packages: vec![pskc::KeyPackage { device_info, key: Some(key), ..pskc::KeyPackage::default() }],
            ..KeyContainer::default()
        }
    }
}

/// The length of a received K_TOKEN in octets, by its type and the `Suite` of its package; `None` if undetermined.
///
/// The suite is not authenticated (RFC 6063 §10.2.2): with TOTP and OCRA, an unknown hash must not default
/// to SHA-1, since both sides would then truncate the key differently without noticing.
pub(crate) fn received_key_len(key_type: &KeyType, suite: Option<&str>) -> Option<usize> {
    let suite = suite.filter(|suite| !suite.trim().is_empty());
    let hash = hash_of_suite(suite);
    let is_unknown = suite.is_some() && hash.is_none() && matches!(key_type, KeyType::Totp | KeyType::Ocra);
    if is_unknown { None } else { key_type.key_len(hash) }
}

/// The hash in a received key's parameters: TOTP's `HMAC-SHA256`, or the crypto function of an OCRA suite
/// (`OCRA-1:HOTP-SHA1-6:QN08-PSHA256` has SHA-1: the second hash is for the PIN). `None` for a suite without a
/// known hash.
pub fn hash_of_suite(suite: Option<&str>) -> Option<Hash> {
    let suite = suite?.trim();
    let of_ocra = suite.get(..7).filter(|start| start.eq_ignore_ascii_case("OCRA-1:")).and(suite.get(7..));
    match of_ocra {
        Some(rest) => Hash::from_name(rest.split(':').next()?.split('-').nth(1)?),
        None => Hash::from_name(suite),
    }
}

/// The challenge format of an OCRA suite: `QN08` is 4 to 8 decimal digits.
fn challenge_of_suite(suite: &str) -> Option<ChallengeFormat> {
    let data = suite.rsplit(':').next()?;
    let question = data.split('-').find_map(|part| part.strip_prefix('Q'))?;
    let (encoding, longest) = match question.split_at_checked(1)? {
        ("N", longest) => (ValueFormat::Decimal, longest),
        ("A", longest) => (ValueFormat::Alphanumeric, longest),
        ("H", longest) => (ValueFormat::Hexadecimal, longest),
        _ => return None,
    };
    Some(ChallengeFormat { encoding, min: 4, max: longest.parse().ok()?, check_digits: None })
}
