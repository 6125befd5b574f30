//! Enrolments: the permission to provision one key once.

use serde::{Deserialize, Serialize};

use crate::{
    Activation, Cause, DeviceIdentity, DeviceName, EnrolmentState, HashName, KeyParameters, KeyType, Location, Method,
    Named, SecretString, Variant,
};

/// Ten years: the longest lifetime of a key, in seconds.
pub const MAX_KEY_LIFETIME_S: u64 = 10 * 366 * 86_400;

/// An enrolment to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NewEnrolmentRequest {
    /// The user's name: 1 to 256 printable characters. Creates the user if necessary.
    pub user: String,
    /// The template with the defaults of this enrolment, by name; the configuration has templates, and a default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The group of the user, whose template it is then; not together with `template`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The key type, not `other`; required unless the template has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_type: Option<Named<KeyType>>,
    /// Restricts the protocol variant; either by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// Restricts the enrolment to two-pass with these methods; any by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Named<Method>>>,
    /// Binds the enrolment to this registered device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// The `key_id` of the key to replace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
    /// The `key_id` of an imported key to deliver unchanged, by two-pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivers: Option<String>,
    /// Where the key must be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_location: Option<Location>,
    /// Where the key's algorithm must run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm_location: Option<Location>,
    /// Seconds until the code expires, at most ten years; the configuration has the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 316224000)))]
    pub expires_in_s: Option<u64>,
    /// Seconds from provisioning until the key expires, at most ten years; never by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 316224000)))]
    pub key_lifetime_s: Option<u64>,
    /// When the key becomes active; `at-once` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activate: Option<Activation>,
    /// HOTP and TOTP: digits of a one-time password, 6 to 10; 6 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 6, max = 10)))]
    pub digits: Option<u8>,
    /// TOTP: seconds of a time step, 1 to 3600; 30 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 3600)))]
    pub period_s: Option<u32>,
    /// TOTP: the hash; `SHA-1` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Named<HashName>>,
    /// HOTP: the initial counter; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(max = 4_611_686_018_427_387_904_u64)))]
    pub counter: Option<u64>,
    /// OCRA: the suite (RFC 6287 §6); `OCRA-1:HOTP-SHA1-6:QN08` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The sinks that get the key once it is active, by name; the configuration has the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sinks: Option<Vec<String>>,
}

impl NewEnrolmentRequest {
    /// An enrolment of that user for a key of that type, with every default.
    pub fn new(user: &str, key_type: KeyType) -> Self {
        NewEnrolmentRequest {
            user: user.to_owned(),
            template: None,
            group: None,
            key_type: Some(key_type.into()),
            variant: None,
            methods: None,
            device: None,
            renews: None,
            delivers: None,
            key_location: None,
            algorithm_location: None,
            expires_in_s: None,
            key_lifetime_s: None,
            activate: None,
            digits: None,
            period_s: None,
            hash: None,
            counter: None,
            suite: None,
            sinks: None,
        }
    }
}

/// An enrolment, without its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Enrolment {
    /// Its identifier.
    pub id: String,
    /// Its state.
    pub state: EnrolmentState,
    /// The user's name.
    pub user: String,
    /// The key type.
    pub key_type: KeyType,
    /// The parameters of the key.
    pub params: KeyParameters,
    /// The only allowed variant.
    pub variant: Option<Variant>,
    /// The allowed methods of two-pass; empty: all.
    pub methods: Vec<Method>,
    /// The only allowed device.
    pub device: Option<DeviceIdentity>,
    /// The `key_id` of the key to replace.
    pub renews: Option<String>,
    /// The `key_id` of the imported key to deliver.
    pub delivers: Option<String>,
    /// Where the key must be stored.
    pub key_location: Option<Location>,
    /// Where the key's algorithm must run.
    pub algorithm_location: Option<Location>,
    /// When the key becomes active.
    pub activate: Activation,
    /// The sinks that get the key once it is active.
    #[serde(default)]
    pub sinks: Vec<String>,
    /// The template that it was made by.
    #[serde(default)]
    pub template: Option<String>,
    /// Seconds from provisioning until the key expires; `null`: never.
    #[serde(default)]
    pub key_lifetime_s: Option<u64>,
    /// Wrong codes, or wrong first passwords of its key, so far.
    pub failed_attempts: u32,
    /// The provisioned key.
    pub key_id: Option<String>,
    /// When it was created (RFC 3339, UTC).
    pub created_at: Option<String>,
    /// When its code expires (RFC 3339, UTC).
    pub expires_at: Option<String>,
}

/// Which enrolments to list. With `state` other than `active` and without `user`, in the order in which they expire;
/// otherwise in that of their identifiers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolmentQuery {
    /// Only enrolments of this user.
    pub user: Option<String>,
    /// Only enrolments in this state.
    pub state: Option<EnrolmentState>,
    /// Only enrolments after this one: `next` of the previous page with the same filters.
    pub after: Option<String>,
    /// Page size, 1 to 100; 100 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    pub limit: Option<usize>,
}

/// A new enrolment. Only this answer contains its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreatedEnrolment {
    /// Everything but the code.
    #[serde(flatten)]
    pub enrolment: Enrolment,
    /// The first part of the code, which identifies the enrolment in the protocol (`ClientID`).
    pub client_id: String,
    /// The second part of the code.
    pub password: SecretString,
    /// The code, for the user (RFC 6063 §3.4.1.1): in hexadecimal, with a checksum.
    pub authentication_code: SecretString,
    /// The URL of its trigger; `null` if the enrolment works only with the code.
    pub trigger_url: Option<SecretString>,
    /// The URL of the DSKPP server for the client.
    pub server_url: String,
}

/// An enrolment, with its refused runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnrolmentDetails {
    /// The rest.
    #[serde(flatten)]
    pub enrolment: Enrolment,
    /// Wrong tries of the last day by address, latest first.
    pub wrong_tries: Vec<WrongTries>,
    /// The cause of the last refusal.
    pub last_refusal: Option<RefusalEntry>,
}

/// Wrong tries from one address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WrongTries {
    /// An IPv4 address, an IPv6 /64, or `first password`.
    pub address: String,
    /// The number of wrong tries.
    pub count: u32,
    /// The time of the last one (RFC 3339, UTC).
    pub last_at: Option<String>,
    /// The end of the address's lock (RFC 3339, UTC).
    pub locked_until: Option<String>,
}

/// A refused run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusalEntry {
    /// The cause.
    pub cause: Cause,
    /// The cause in words, for people.
    pub detail: String,
    /// The time (RFC 3339, UTC).
    pub at: Option<String>,
}
