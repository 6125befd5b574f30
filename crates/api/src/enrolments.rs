//! Enrolments: the permission to provision one key once.

use serde::{Deserialize, Serialize};

use crate::{
    Activation, Cause, DeviceIdentity, DeviceName, EnrolmentState, HashName, KeyParameters, KeyType, Location, Method,
    Named, SecretString, Variant,
};

/// An enrolment to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEnrolment {
    /// The user's name: 1 to 256 printable characters. The user is created if there is none.
    pub user: String,
    /// What the key is for; not `other`.
    pub key_type: Named<KeyType>,
    /// Only this variant; either by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<Variant>,
    /// Only two-pass, and only with one of these methods; any by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub methods: Option<Vec<Named<Method>>>,
    /// Only for this device, which is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceName>,
    /// The `key_id` of the key that the new one replaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renews: Option<String>,
    /// The `key_id` of an imported key that is delivered as it is, by two-pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivers: Option<String>,
    /// Where the key must be stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_location: Option<Location>,
    /// Where the key's algorithm must run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm_location: Option<Location>,
    /// Seconds until the code expires, at most ten years; the server's configuration has the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_s: Option<u64>,
    /// When the key becomes active; `at-once` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activate: Option<Activation>,
    /// HOTP and TOTP: digits of a one-time password, 6 to 10; 6 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digits: Option<u8>,
    /// TOTP: seconds of a time step, 1 to 3600; 30 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period_s: Option<u32>,
    /// TOTP: the hash; `SHA-1` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<Named<HashName>>,
    /// HOTP: the first counter; 0 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counter: Option<u64>,
    /// OCRA: the suite (RFC 6287 §6); `OCRA-1:HOTP-SHA1-6:QN08` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
}

impl NewEnrolment {
    /// An enrolment of that user for such a key, with every default.
    pub fn new(user: &str, key_type: KeyType) -> Self {
        NewEnrolment {
            user: user.to_owned(),
            key_type: key_type.into(),
            variant: None,
            methods: None,
            device: None,
            renews: None,
            delivers: None,
            key_location: None,
            algorithm_location: None,
            expires_in_s: None,
            activate: None,
            digits: None,
            period_s: None,
            hash: None,
            counter: None,
            suite: None,
        }
    }
}

/// An enrolment, without its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its identifier.
    pub id: String,
    /// Its state.
    pub state: EnrolmentState,
    /// The user's name.
    pub user: String,
    /// What the key is for.
    pub key_type: KeyType,
    /// The parameters of the key.
    pub params: KeyParameters,
    /// The only variant allowed.
    pub variant: Option<Variant>,
    /// The methods of two-pass allowed; empty: all of them.
    pub methods: Vec<Method>,
    /// The only device allowed.
    pub device: Option<DeviceIdentity>,
    /// The `key_id` of the key that the new one replaces.
    pub renews: Option<String>,
    /// The `key_id` of the imported key that is delivered.
    pub delivers: Option<String>,
    /// Where the key must be stored.
    pub key_location: Option<Location>,
    /// Where the key's algorithm must run.
    pub algorithm_location: Option<Location>,
    /// When the key becomes active.
    pub activate: Activation,
    /// Wrong codes, or wrong first passwords of its key, so far.
    pub failed_attempts: u32,
    /// The key that came of it.
    pub key_id: Option<String>,
    /// When it was created (RFC 3339, UTC).
    pub created_at: Option<String>,
    /// When its code expires (RFC 3339, UTC).
    pub expires_at: Option<String>,
}

/// An enrolment that was created. No later answer has its code.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// The address of its trigger; `null` if it can only be used with the code.
    pub trigger_url: Option<SecretString>,
    /// The address of the DSKPP server for the client.
    pub server_url: String,
}

/// An enrolment, with the runs that were refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolmentDetails {
    /// The rest.
    #[serde(flatten)]
    pub enrolment: Enrolment,
    /// Wrong tries of the last day by address, the latest first.
    pub wrong_tries: Vec<WrongTries>,
    /// Why the last run was refused.
    pub last_refusal: Option<Refusal>,
}

/// Wrong tries from one address.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WrongTries {
    /// An IPv4 address, an IPv6 /64, or `first password`.
    pub address: String,
    /// How many.
    pub count: u32,
    /// When the last one was (RFC 3339, UTC).
    pub last_at: Option<String>,
    /// Until when nothing is accepted from there (RFC 3339, UTC).
    pub locked_until: Option<String>,
}

/// Why a run was refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The cause.
    pub cause: Cause,
    /// The same for people.
    pub detail: String,
    /// When (RFC 3339, UTC).
    pub at: Option<String>,
}
