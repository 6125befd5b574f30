//! The server's model: enrolments, keys, devices, users and answers. Nothing here parses rows or messages.

pub(crate) mod clock;
pub(crate) mod id;
pub(crate) mod notice;
pub(crate) mod origin;

use dskpp::algorithm;
use dskpp::server::DeviceRef;
use dskpp_api::MAX_KEY_LIFETIME_S;
use dskpp_crypto::{Hash, Secret};
use dskpp_otp::{Digits, OcraSuite};
use pskc::{KeyUsage, MAX_COUNTER, PinUsageMode};
use serde::{Deserialize, Serialize};

pub(crate) use dskpp_api::{
    Activation, Cause, DeliveryOperation, DeliveryState, EnrolmentState, HashName, KeyState, KeyType, Location, Method,
    Role, Variant,
};

/// The protocol's name for a key type; `None` for keys that no run makes.
pub(crate) fn algorithm(key_type: KeyType) -> Option<algorithm::KeyType> {
    Some(match key_type {
        KeyType::Hotp => algorithm::KeyType::Hotp,
        KeyType::Totp => algorithm::KeyType::Totp,
        KeyType::Ocra => algorithm::KeyType::Ocra,
        KeyType::Aes128 => algorithm::KeyType::Aes128Cbc,
        KeyType::Aes192 => algorithm::KeyType::Aes192Cbc,
        KeyType::Aes256 => algorithm::KeyType::Aes256Cbc,
        KeyType::Other => return None,
    })
}

/// Parameters of a key, as its type requires.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// Digits of an OTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
    /// Seconds of a TOTP step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_s: Option<u32>,
    /// The hash of TOTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<HashName>,
    /// The initial counter of HOTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// The suite of OCRA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The URI of an algorithm that this server does not implement; type `other` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// The allowed uses of an imported key (RFC 6030 §5); empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<String>,
    /// How the PIN of an imported key reaches the server: `Prepend`, `Append`, `Algorithmic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// What was agreed on beside.
    #[serde(skip_serializing_if = "Terms::is_empty")]
    pub terms: Terms,
}

/// What an enrolment says of its key beside the parameters; the key keeps it for its renewals.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Terms {
    /// The name of its template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// `<Issuer>` of its key package; the configuration's otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Seconds from provisioning until it expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<u64>,
}

impl Terms {
    fn is_empty(&self) -> bool {
        *self == Terms::default()
    }
}

impl Params {
    /// Parses the database's form; `None` if a part is unknown or out of bounds.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let params: Params = serde_json::from_str(json).ok()?;
        let is_sound = params.digits.is_none_or(|digits| Digits::new(digits).is_ok())
            && params.period_s.is_none_or(|period| (1..=i32::MAX.unsigned_abs()).contains(&period))
            && params.counter.is_none_or(|counter| counter <= MAX_COUNTER.unsigned_abs())
            && params.suite.as_deref().is_none_or(|suite| suite.parse::<OcraSuite>().is_ok())
            && params.usage.iter().all(|usage| KeyUsage::from_name(usage).is_some())
            && params.pin.as_deref().is_none_or(|mode| PinUsageMode::from_name(mode).is_some())
            && params.terms.lifetime_s.is_none_or(|lifetime_s| lifetime_s <= MAX_KEY_LIFETIME_S)
            && params.terms.issuer.as_deref().is_none_or(pskc::is_name);
        is_sound.then_some(params)
    }

    /// The differences that make two keys distinct. The initial HOTP counter does not: an export contains the current
    /// one.
    pub(crate) fn difference(&self, other: &Params) -> Option<&'static str> {
        let parts = [
            ("algorithm", self.algorithm == other.algorithm),
            ("hash", self.hash() == other.hash()),
            ("number of digits", self.digits() == other.digits()),
            ("time step", self.period_s() == other.period_s()),
            ("suite", self.suite == other.suite),
            ("policy", self.usage == other.usage && self.pin == other.pin),
        ];
        parts.into_iter().find(|(_, same)| !same).map(|(what, _)| what)
    }

    /// When a key expires that is provisioned at that time.
    pub(crate) fn expires_at(&self, at: i64) -> Option<i64> {
        self.terms.lifetime_s.map(|lifetime_s| at.saturating_add_unsigned(lifetime_s))
    }

    /// Digits of an OTP; 6 by default.
    pub(crate) fn digits(&self) -> Digits {
        self.digits.and_then(|digits| Digits::new(digits).ok()).unwrap_or(Digits::SIX)
    }

    /// Seconds of a TOTP step; 30 by default.
    pub(crate) fn period_s(&self) -> u32 {
        self.period_s.unwrap_or(30)
    }

    /// The hash of TOTP; SHA-1 by default.
    pub(crate) fn hash(&self) -> Hash {
        match self.hash.unwrap_or(HashName::Sha1) {
            HashName::Sha1 => Hash::Sha1,
            HashName::Sha256 => Hash::Sha256,
            HashName::Sha512 => Hash::Sha512,
        }
    }
}

/// An answer to a ClientNonce (profile P28).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredAnswer {
    /// SHA-256 of the request.
    pub request_hash: [u8; 32],
    /// The answer.
    pub response: Vec<u8>,
}

/// The AD of an issued trigger (profile P14).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TriggerAd {
    /// `Nonce`
    pub nonce: Vec<u8>,
    /// `Mac`
    pub mac: Vec<u8>,
    /// `ServerUrl`
    pub url_s: String,
}

/// Refused runs of an enrolment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TriesRecord {
    /// The cause and time of the last refusal, in seconds since 1970.
    pub last: Option<(Cause, i64)>,
    /// Wrong tries of the last day by address, latest first.
    pub wrong: Vec<WrongTryCount>,
}

/// Wrong tries from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrongTryCount {
    /// An IPv4 address, an IPv6 /64, or `first password`.
    pub address: String,
    /// Their number.
    pub count: u32,
    /// The time of the last one, in seconds since 1970.
    pub last_at: i64,
    /// The end of the address's lock, in seconds since 1970.
    pub locked_until: Option<i64>,
}

/// The permission to provision one key once.
#[derive(Clone, Debug)]
pub(crate) struct EnrolmentRecord {
    /// Its identifier.
    pub id: String,
    /// The user's name.
    pub user: String,
    /// `ClientID`
    pub client_id: String,
    /// The password of the authentication code.
    pub password: Secret,
    /// The type of the key; never [`KeyType::Other`].
    pub key_type: KeyType,
    /// Its parameters.
    pub params: Params,
    /// The variant, if restricted.
    pub variant: Option<Variant>,
    /// The allowed methods of two-pass.
    pub methods: Vec<Method>,
    /// The device that it is bound to.
    pub device: Option<DeviceRef>,
    /// The key that it renews.
    pub renews: Option<String>,
    /// The key in the inventory that it delivers.
    pub delivers: Option<String>,
    /// `KeyLocation` of its trigger.
    pub key_location: Option<Location>,
    /// `AlgorithmLocation` of its trigger.
    pub algorithm_location: Option<Location>,
    /// Its state; the reader's clock decides on `Expired`.
    pub state: EnrolmentState,
    /// When the key becomes active.
    pub activate: Activation,
    /// Wrong codes, or wrong first passwords of its key, so far.
    pub failed_attempts: u32,
    /// The provisioned key.
    pub key_id: Option<String>,
    /// The issued trigger.
    pub trigger: Option<TriggerAd>,
    /// Creation time, in seconds since 1970.
    pub created_at: i64,
    /// Expiry, in seconds since 1970.
    pub expires_at: i64,
    /// The session of the last answer to one of its runs.
    pub answer: Option<String>,
    /// The sinks that get its key once that is active.
    pub sinks: Vec<String>,
}

impl EnrolmentRecord {
    /// Whether its key may be provisioned in this way. An existing key can only be sent.
    pub(crate) fn allows(&self, variant: Variant) -> bool {
        match self.delivers {
            Some(_) => variant == Variant::TwoPass,
            None => self.variant.is_none_or(|only| only == variant),
        }
    }
}

/// A key, without its secrets.
#[derive(Clone, Debug)]
pub(crate) struct KeyRecord {
    /// The key's `Id`.
    pub id: String,
    /// The user's name; a key in the inventory has none.
    pub user: Option<String>,
    /// The last enrolment that provisioned it; imported keys have none.
    pub enrolment_id: Option<String>,
    /// The type.
    pub key_type: KeyType,
    /// Its parameters.
    pub params: Params,
    /// Its device.
    pub device: Option<DeviceRef>,
    /// Its state.
    pub state: KeyState,
    /// HOTP: the next counter value.
    pub counter: u64,
    /// TOTP: the last accepted step.
    pub last_step: Option<u64>,
    /// TOTP: the offset of the token's clock, in steps.
    pub drift: i64,
    /// Creation time, in seconds since 1970.
    pub created_at: i64,
    /// Start of its validity, in seconds since 1970.
    pub start_at: Option<i64>,
    /// End of its validity, in seconds since 1970.
    pub expires_at: Option<i64>,
    /// Remaining uses.
    pub uses_left: Option<u64>,
    /// URL_S of the run that provisioned it; `None` if unknown.
    pub url_s: Option<String>,
    /// What operators call it.
    pub label: Option<String>,
}

/// What a sink has of a key, or is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryRecord {
    /// Its identifier.
    pub id: String,
    /// The key.
    pub key_id: String,
    /// The sink's name.
    pub sink: String,
    /// What it is to do.
    pub operation: DeliveryOperation,
    /// The number of the change, from 1.
    pub seq: u64,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts to deliver this change.
    pub attempts: u32,
    /// When the change was made, seconds since 1970.
    pub queued_at: i64,
    /// When it is due.
    pub next_at: i64,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct UserRecord {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A user in a list.
#[derive(Clone, Debug)]
pub(crate) struct UserEntry {
    /// Its identifier.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
}

/// A token of the admin API in a list.
#[derive(Clone, Debug)]
pub(crate) struct TokenEntry {
    /// Its identifier.
    pub id: String,
    /// Its purpose.
    pub name: String,
    /// Its roles.
    pub roles: Vec<Role>,
    /// When it was created, in seconds since 1970.
    pub created_at: i64,
}

/// An import in a list.
#[derive(Clone, Debug)]
pub(crate) struct ImportEntry {
    /// Its identifier.
    pub id: String,
    /// Packages processed so far.
    pub done: u64,
    /// Imported keys.
    pub accepted: u64,
    /// Keys that existed already.
    pub duplicate: u64,
    /// Refused keys.
    pub refused: u64,
    /// When its first part arrived, in seconds since 1970.
    pub created_at: i64,
}

/// A device.
#[derive(Clone, Debug)]
pub(crate) struct DeviceRecord {
    /// Manufacturer and serial number.
    pub identity: DeviceRef,
    /// The key name in `<ds:KeyName>`.
    pub key_name: String,
    /// K_SHARED.
    pub shared_key: Option<Secret>,
    /// Its certificate, in DER.
    pub certificate: Option<Vec<u8>>,
}

/// A token of the admin API, without its value.
#[derive(Clone, Debug)]
pub(crate) struct ApiToken {
    /// Its identifier.
    pub id: String,
    /// Its roles.
    pub roles: Vec<Role>,
}

/// A device for display: without its shared key.
#[derive(Clone, Debug)]
pub(crate) struct DeviceEntry {
    /// Its identifier.
    pub id: String,
    /// `Manufacturer`
    pub manufacturer: String,
    /// `SerialNo`
    pub serial: String,
    /// The key name in `<ds:KeyName>`.
    pub key_name: String,
    /// Whether it has a K_SHARED.
    pub has_shared_key: bool,
    /// Its certificate, in DER.
    pub certificate: Option<Vec<u8>>,
    /// When it was registered.
    pub created_at: i64,
}
