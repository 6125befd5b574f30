//! Closed sets of names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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
