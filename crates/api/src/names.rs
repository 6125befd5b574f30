//! Closed sets of names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name outside its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownName {
    /// The names in the set.
    pub names: &'static [&'static str],
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected one of {}", self.names.join(", "))
    }
}

impl std::error::Error for UnknownName {}

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $type { $($(#[$variant_doc])* #[serde(rename = $name)] $variant,)* }

        impl $type {
            /// Every value.
            pub const ALL: [$type; Self::NAMES.len()] = [$($type::$variant,)*];
            /// The names, in the order of [`ALL`](Self::ALL).
            pub const NAMES: &[&str] = &[$($name,)*];

            /// The name.
            pub const fn as_str(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }

            /// The value with that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some($type::$variant),)* _ => None }
            }
        }

        impl FromStr for $type {
            type Err = UnknownName;

            fn from_str(name: &str) -> Result<Self, UnknownName> {
                Self::from_name(name).ok_or(UnknownName { names: Self::NAMES })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    )* };
}

names! {
    /// The type of a key.
    KeyType {
        /// Counter-based one-time passwords (RFC 4226).
        Hotp = "hotp",
        /// Time-based one-time passwords (RFC 6238).
        Totp = "totp",
        /// Challenge-response (RFC 6287).
        Ocra = "ocra",
        /// AES-128.
        Aes128 = "aes128",
        /// AES-192.
        Aes192 = "aes192",
        /// AES-256.
        Aes256 = "aes256",
        /// An algorithm that the server does not implement; imported keys only.
        Other = "other",
    }

    /// The hash of TOTP.
    HashName {
        /// The default.
        Sha1 = "SHA-1",
        /// SHA-256
        Sha256 = "SHA-256",
        /// SHA-512
        Sha512 = "SHA-512",
    }

    /// The state of an enrolment.
    EnrolmentState {
        /// Its code is usable.
        Open = "open",
        /// Both sides have the key.
        Provisioned = "provisioned",
        /// The key is in use.
        Active = "active",
        /// The code expired unused.
        Expired = "expired",
        /// An administrator revoked it.
        Revoked = "revoked",
    }

    /// What a sink is to do with a key.
    DeliveryOperation {
        /// Take it, in the place of what it may have of this key.
        Put = "put",
        /// Forget it.
        Delete = "delete",
    }

    /// How far a delivery is.
    DeliveryState {
        /// It waits for its first or next attempt.
        Pending = "pending",
        /// The sink has confirmed it.
        Delivered = "delivered",
        /// It failed for too long, or for good, and is not tried again by itself.
        Dead = "dead",
    }

    /// The order of a list of audit entries.
    AuditOrder {
        /// By time, chain and sequence number.
        Oldest = "oldest",
        /// The reverse.
        Newest = "newest",
        /// By chain and sequence number: each entry follows the one whose digest it covers.
        Chain = "chain",
    }

    /// The state of a key.
    KeyState {
        /// Imported and not assigned to a user.
        Imported = "imported",
        /// Both sides have it.
        Provisioned = "provisioned",
        /// It is in use.
        Active = "active",
        /// A renewal replaced it.
        Replaced = "replaced",
        /// An administrator revoked it.
        Revoked = "revoked",
        /// An administrator put it out of use for a while.
        Disabled = "disabled",
    }

    /// A variant of the protocol (RFC 6063 §3).
    Variant {
        /// Client and server generate the key together.
        FourPass = "four-pass",
        /// The server sends the key.
        TwoPass = "two-pass",
    }

    /// How two-pass protects a key in transit (RFC 6063 §5.1).
    Method {
        /// With the public key of the device.
        Transport = "transport",
        /// With a key that device and server share.
        Wrap = "wrap",
        /// With the password of the authentication code.
        PassphraseWrap = "passphrase-wrap",
    }

    /// When a key becomes active (RFC 6063 §10.5).
    Activation {
        /// In the run that provisions it.
        AtOnce = "at-once",
        /// After its first correct one-time password.
        OnOtp = "on-otp",
    }

    /// Where a key must be stored, or its algorithm run (RFC 6063 §8.2, `PlatformType`).
    Location {
        /// In hardware that cannot export the key.
        Hardware = "hardware",
        /// In software.
        Software = "software",
    }

    /// What a K_SERVER is used for.
    KServerState {
        /// New runs take it.
        Current = "current",
        /// In use for sessions that were begun with it; new runs take it again if all newer ones are retired.
        Older = "older",
        /// Only sessions that were begun with it still need it.
        Retired = "retired",
    }

    /// What an admin API token may do.
    Role {
        /// Manage tokens and K_SERVERs, and look at imports and sinks; nothing else.
        Admin = "admin",
        /// Create users, devices and enrolments; import, assign and revoke keys.
        Enrol = "enrol",
        /// Read everything but secrets, tokens and imports.
        Read = "read",
        /// Validate one-time passwords and resynchronise tokens.
        Validate = "validate",
        /// Export secrets.
        Export = "export",
        /// Daily work: read and change users, devices, enrolments and keys, without secrets, tokens and the audit trail.
        Operator = "operator",
        /// Help people: see their keys, give them new enrolments, revoke and resynchronise.
        Helpdesk = "helpdesk",
        /// Read everything but secrets, also tokens and the audit trail; change nothing.
        Auditor = "auditor",
        /// Validate one-time passwords; nothing else.
        Validator = "validator",
    }

    /// How an imported key is assigned to a user.
    Assign {
        /// By its `UserId` (RFC 6030 §4.4): `CN=` or `UID=` of a distinguished name, or the text itself.
        UserId = "user-id",
    }

    /// Why a key was not imported.
    Rejection {
        /// The key exists already.
        Duplicate = "duplicate",
        /// It cannot be imported.
        Refused = "refused",
    }

    /// Problem types.
    ProblemType {
        /// 400: the body has the wrong syntax; 422: it has the wrong members.
        InvalidBody = "urn:dskpp:problem:invalid-body",
        /// 400: the query string is invalid.
        InvalidQuery = "urn:dskpp:problem:invalid-query",
        /// 400: a header is invalid.
        InvalidHeader = "urn:dskpp:problem:invalid-header",
        /// 400: the path is not UTF-8.
        InvalidPath = "urn:dskpp:problem:invalid-path",
        /// 401: the token is missing or unknown.
        NoToken = "urn:dskpp:problem:no-token",
        /// 403: no role of the token has the permission.
        NoRole = "urn:dskpp:problem:no-role",
        /// 404: no such path under `/api/v1`.
        NoSuchRoute = "urn:dskpp:problem:no-such-route",
        /// 404: the named object does not exist.
        NotFound = "urn:dskpp:problem:not-found",
        /// 405: the resource does not support the method.
        NoSuchMethod = "urn:dskpp:problem:no-such-method",
        /// 409: the name is in use.
        Exists = "urn:dskpp:problem:exists",
        /// 409: the object's state does not allow this.
        WrongState = "urn:dskpp:problem:wrong-state",
        /// 409: the first call with this `Idempotency-Key` is being carried out.
        InFlight = "urn:dskpp:problem:in-flight",
        /// 409: the first call with this `Idempotency-Key` was carried out, and its answer was lost.
        AnswerLost = "urn:dskpp:problem:answer-lost",
        /// 409: this part of the import is complete.
        ImportDone = "urn:dskpp:problem:import-done",
        /// 412: something else is there than `If-Match` names.
        Changed = "urn:dskpp:problem:changed",
        /// 413: the body is too large.
        TooLarge = "urn:dskpp:problem:too-large",
        /// 415: the body must be JSON.
        NotJson = "urn:dskpp:problem:not-json",
        /// 415: the body must be JSON, a document per line.
        NotNdjson = "urn:dskpp:problem:not-ndjson",
        /// 415: the body must be PSKC.
        NotPskc = "urn:dskpp:problem:not-pskc",
        /// 422: this `Idempotency-Key` was used for another request.
        KeyReused = "urn:dskpp:problem:idempotency-key-reused",
        /// 422: invalid value.
        InvalidValue = "urn:dskpp:problem:invalid-value",
        /// 429: too many calls of this kind; `Retry-After` gives the delay.
        Busy = "urn:dskpp:problem:busy",
        /// 429: too many wrong one-time passwords; `Retry-After` gives the delay.
        TooManyWrong = "urn:dskpp:problem:too-many-wrong",
        /// 500: a row in the database is damaged.
        Unreadable = "urn:dskpp:problem:unreadable",
        /// 500: a bug in the server.
        Defect = "urn:dskpp:problem:defect",
        /// 503: the database is unavailable.
        StoreUnavailable = "urn:dskpp:problem:store-unavailable",
    }

    /// Why a run was refused, in more detail than the client learns (profile P16).
    Cause {
        /// No enrolment has this client ID.
        UnknownClient = "unknown-client-id",
        /// The code was mistyped or guessed, or made for another URL_S, or R_C was not encrypted for this server.
        WrongCode = "wrong-code",
        /// Too many wrong tries from this address.
        Waiting = "waiting",
        /// The code was used before.
        Used = "used",
        /// An administrator revoked the enrolment.
        Revoked = "revoked",
        /// The code was correct but had expired.
        Expired = "expired",
        /// The trigger does not belong to the enrolment.
        WrongTrigger = "wrong-trigger",
        /// The code was correct but does not allow this key type, variant or device.
        NotAllowed = "not-allowed",
        /// The message was unusable.
        Unusable = "unusable-message",
        /// The key's first one-time password was wrong.
        WrongPassword = "wrong-first-password",
    }
}

/// A received name: a member of the set `T`, or an unknown name that the receiver can refuse with its own message. In
/// JSON it is a string.
///
/// ```
/// use dskpp_api::{KeyType, Named};
/// assert_eq!(serde_json::from_str::<Named<KeyType>>("\"totp\"")?.known(), Some(KeyType::Totp));
/// assert_eq!(serde_json::from_str::<Named<KeyType>>("\"des\"")?.known(), None);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named<T> {
    /// A name of the set.
    Known(T),
    /// An unknown name.
    Unknown(String),
}

impl<T: Copy> Named<T> {
    /// The value, if the name is in the set.
    pub fn known(&self) -> Option<T> {
        match self {
            Named::Known(value) => Some(*value),
            Named::Unknown(_) => None,
        }
    }
}

impl<T> From<T> for Named<T> {
    fn from(value: T) -> Self {
        Named::Known(value)
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Named::Known(value) => value.serialize(serializer),
            Named::Unknown(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de, T: FromStr> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(name.parse().map_or(Named::Unknown(name), Named::Known))
    }
}

/// A request may only have the names of the set.
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

impl KeyType {
    /// The names of the types that an enrolment can provision.
    pub const ENROLLED: &[&str] = match Self::NAMES {
        [enrolled @ .., _other] => enrolled,
        [] => &[],
    };
}

impl Cause {
    /// A description for administrators.
    pub fn text(self) -> &'static str {
        match self {
            Cause::UnknownClient => "no enrolment has this client ID",
            Cause::WrongCode => "wrong code, or a code for another URL of the server",
            Cause::Waiting => "too many wrong codes from this address, which must wait",
            Cause::Used => "the code was used before",
            Cause::Revoked => "the enrolment was revoked",
            Cause::Expired => "the code was correct but had expired",
            Cause::WrongTrigger => "the trigger belongs to another enrolment or is no longer valid",
            Cause::NotAllowed => "the code was correct but does not allow this key, key type, variant or device",
            Cause::Unusable => "the message was unusable",
            Cause::WrongPassword => "the key's first one-time password was wrong",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_same_in_json_as_text_and_read_back_and_no_other_is_read() {
        for (state, name) in KeyState::ALL.into_iter().zip(KeyState::NAMES) {
            assert_eq!((state.as_str(), &*state.to_string()), (*name, *name));
            assert_eq!(serde_json::to_value(state).expect("a name"), *name);
            assert_eq!(serde_json::from_value::<KeyState>((*name).into()).expect("its value"), state);
            assert_eq!(name.parse(), Ok(state));
        }
        for wrong in ["", "Active", "ACTIVE", " active", "active ", "expired"] {
            let why = wrong.parse::<KeyState>().expect_err(wrong).to_string();
            assert_eq!(why, "expected one of imported, provisioned, active, replaced, revoked, disabled");
            assert!(serde_json::from_value::<KeyState>(wrong.into()).is_err(), "{wrong:?}");
        }
    }
}
