//! Closed sets of names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name that is not in its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

            /// The value of that name.
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
    /// What a key is for.
    KeyType {
        /// One-time passwords by a counter (RFC 4226).
        Hotp = "hotp",
        /// One-time passwords by the time (RFC 6238).
        Totp = "totp",
        /// Responses to challenges (RFC 6287).
        Ocra = "ocra",
        /// AES with 16 octets.
        Aes128 = "aes128",
        /// AES with 24 octets.
        Aes192 = "aes192",
        /// AES with 32 octets.
        Aes256 = "aes256",
        /// An algorithm that the server does not run: imported keys only, never of an enrolment.
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
        /// Its code can be used.
        Open = "open",
        /// Both sides have the key.
        Provisioned = "provisioned",
        /// The key is in use.
        Active = "active",
        /// Nobody used the code in time.
        Expired = "expired",
        /// An administrator revoked it.
        Revoked = "revoked",
    }

    /// The state of a key.
    KeyState {
        /// It was imported and belongs to nobody yet.
        Imported = "imported",
        /// Both sides have it.
        Provisioned = "provisioned",
        /// It is in use.
        Active = "active",
        /// A renewal replaced it.
        Replaced = "replaced",
        /// An administrator revoked it.
        Revoked = "revoked",
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
        /// With the run that provisions it.
        AtOnce = "at-once",
        /// With its first right one-time password.
        OnOtp = "on-otp",
    }

    /// Where a key must be stored, or its algorithm run (RFC 6063 §8.2, `PlatformType`).
    Location {
        /// In hardware that does not let the key out.
        Hardware = "hardware",
        /// In software.
        Software = "software",
    }

    /// What a token of the admin API may do.
    Role {
        /// Create and delete tokens; no other right by itself.
        Admin = "admin",
        /// Create users, devices and enrolments; revoke enrolments and keys.
        Enrol = "enrol",
        /// See everything but secrets.
        Read = "read",
        /// Check one-time passwords.
        Validate = "validate",
        /// Export secrets.
        Export = "export",
    }

    /// How an imported key finds its user.
    Assign {
        /// By its `UserId` (RFC 6030 §4.4): `CN=` or `UID=` of a distinguished name, or the text itself.
        UserId = "user-id",
    }

    /// Why a key was not imported.
    Rejection {
        /// It is there already.
        Duplicate = "duplicate",
        /// It cannot be imported.
        Refused = "refused",
    }

    /// The types of problems.
    ProblemType {
        /// 400: the body is not a document of its type; 422: its members are not those of the request.
        InvalidBody = "urn:dskpp:problem:invalid-body",
        /// 400: the query string is not that of the call.
        InvalidQuery = "urn:dskpp:problem:invalid-query",
        /// 400: the path is not UTF-8.
        InvalidPath = "urn:dskpp:problem:invalid-path",
        /// 401: a token is needed, or is not known.
        NoToken = "urn:dskpp:problem:no-token",
        /// 403: the token lacks the role.
        NoRole = "urn:dskpp:problem:no-role",
        /// 404: there is no such resource below `/api/v1`.
        NoSuchRoute = "urn:dskpp:problem:no-such-route",
        /// 404: what the request names does not exist.
        NotFound = "urn:dskpp:problem:not-found",
        /// 405: the resource does not have that method.
        NoSuchMethod = "urn:dskpp:problem:no-such-method",
        /// 409: the name is taken.
        Exists = "urn:dskpp:problem:exists",
        /// 409: the state of the thing does not allow this.
        WrongState = "urn:dskpp:problem:wrong-state",
        /// 409: this part of the import is done already.
        ImportDone = "urn:dskpp:problem:import-done",
        /// 413: the body is too long.
        TooLarge = "urn:dskpp:problem:too-large",
        /// 415: the body must be JSON.
        NotJson = "urn:dskpp:problem:not-json",
        /// 415: the body must be PSKC.
        NotPskc = "urn:dskpp:problem:not-pskc",
        /// 422: a value cannot be used.
        InvalidValue = "urn:dskpp:problem:invalid-value",
        /// 429: too many calls of this kind now; `Retry-After` says when to try again.
        Busy = "urn:dskpp:problem:busy",
        /// 429: too many wrong one-time passwords; `Retry-After` says when to try again.
        TooManyWrong = "urn:dskpp:problem:too-many-wrong",
        /// 500: a row in the database is damaged.
        Unreadable = "urn:dskpp:problem:unreadable",
        /// 500: a defect of the server.
        Defect = "urn:dskpp:problem:defect",
        /// 503: the database cannot be used now.
        StoreUnavailable = "urn:dskpp:problem:store-unavailable",
    }

    /// Why a run was refused: more than its client learns (profile P16).
    Cause {
        /// No enrolment has this client ID.
        UnknownClient = "unknown-client-id",
        /// The code was mistyped or guessed, or is for another URL_S, or R_C was not encrypted for this server.
        WrongCode = "wrong-code",
        /// There were too many wrong tries from this address.
        Waiting = "waiting",
        /// The enrolment has its key already.
        Used = "used",
        /// An administrator revoked the enrolment.
        Revoked = "revoked",
        /// The code was right, but has expired.
        Expired = "expired",
        /// The trigger does not belong to the enrolment.
        WrongTrigger = "wrong-trigger",
        /// The code was right, but does not allow this type of key, variant or device.
        NotAllowed = "not-allowed",
        /// The message itself could not be used.
        Unusable = "unusable-message",
        /// The first one-time password of the key was wrong.
        WrongPassword = "wrong-first-password",
    }
}

/// A name as it was received: of the set `T`, or an unknown one, so that what receives it can refuse it in its own
/// words. In JSON it is a string.
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
    /// Another name.
    Unknown(String),
}

impl<T: Copy> Named<T> {
    /// The value, if it is one of the set.
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

impl KeyType {
    /// The names of those that an enrolment can be for.
    pub const ENROLLED: &[&str] = match Self::NAMES {
        [enrolled @ .., _other] => enrolled,
        [] => &[],
    };
}

impl Cause {
    /// In words for administrators.
    pub fn text(self) -> &'static str {
        match self {
            Cause::UnknownClient => "no enrolment has this client ID",
            Cause::WrongCode => "the code was wrong, or for another URL of the server",
            Cause::Waiting => "there were too many wrong codes from that address, which has to wait",
            Cause::Used => "the code is used: a key has come of it",
            Cause::Revoked => "the enrolment was taken back",
            Cause::Expired => "the code was right, but its time is over",
            Cause::WrongTrigger => "the trigger is not one of this enrolment, or it cannot be used any more",
            Cause::NotAllowed => "the code was right, but is not for this key, variant, type of key or device",
            Cause::Unusable => "the message could not be used",
            Cause::WrongPassword => "the first password of the key was wrong",
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
            assert_eq!(why, "expected one of imported, provisioned, active, replaced, revoked");
            assert!(serde_json::from_value::<KeyState>(wrong.into()).is_err(), "{wrong:?}");
        }
    }
}
