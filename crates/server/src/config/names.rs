//! The configuration's short names for the protocol's identifiers.

use dskpp::algorithm::{EncryptionAlgorithm, MacAlgorithm};
use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$doc:meta])* $name:ident => $protocol:ident; $($variant:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant,)*
        }

        impl $name {
            /// All values, the default.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// The value with that short name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some($name::$variant),)* _ => None }
            }

            /// The short name.
            pub fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)* }
            }

            /// Its identifier in the protocol.
            pub fn algorithm(self) -> $protocol {
                match self { $($name::$variant => $protocol::$variant,)* }
            }
        }
    };
}

names! {
    /// An encryption of R_C by its short name: the last part of its URI (profile P19); `rsa-oaep` is that of XML
    /// Encryption 1.1.
    EncryptionName => EncryptionAlgorithm;
    RsaOaep11 = "rsa-oaep",
    RsaOaepMgf1p = "rsa-oaep-mgf1p",
    Rsa15 = "rsa-1_5",
    PrfSha256 = "prf-sha256",
    PrfAes128 = "prf-aes-128",
    Aes128Cbc = "aes128-cbc",
    Aes192Cbc = "aes192-cbc",
    Aes256Cbc = "aes256-cbc",
    KwAes128 = "kw-aes128",
    KwAes192 = "kw-aes192",
    KwAes256 = "kw-aes256",
}

names! {
    /// A DSKPP-PRF by its short name: the last part of its URI.
    MacName => MacAlgorithm;
    PrfSha256 = "prf-sha256",
    PrfAes128 = "prf-aes-128",
}

/// The PRF of PBKDF2 (profile P2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pbkdf2Name {
    /// `hmac-sha1`
    #[serde(rename = "hmac-sha1")]
    HmacSha1,
    /// `hmac-sha256`
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
}

impl super::Config {
    /// The PRF of PBKDF2 (profile P2).
    pub fn pbkdf2_prf(&self) -> dskpp_crypto::Pbkdf2Prf {
        match self.policy.pbkdf2_prf {
            Pbkdf2Name::HmacSha1 => dskpp_crypto::Pbkdf2Prf::HmacSha1,
            Pbkdf2Name::HmacSha256 => dskpp_crypto::Pbkdf2Prf::HmacSha256,
        }
    }
}
