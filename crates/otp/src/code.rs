//! Truncation and comparison, shared by HOTP, TOTP and OCRA.

use std::fmt;

use dskpp_crypto::{Hash, HmacKey, Secret, ct_eq};

use crate::Error;

/// The number of digits of a password: 6 to 10. Ten is the most that 31 bits can give (RFC 4226 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digits(u8);

impl Digits {
    /// Six, the minimum and the usual number.
    pub const SIX: Digits = Digits(6);
    /// Eight.
    pub const EIGHT: Digits = Digits(8);

    /// [`Error::Digits`] outside 6 to 10.
    pub fn new(digits: u8) -> Result<Self, Error> {
        if (6..=10).contains(&digits) { Ok(Digits(digits)) } else { Err(Error::Digits(digits)) }
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

/// A one-time password: shown to its owner with [`fmt::Display`], hidden in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The digits, or the hexadecimal of an OCRA suite without truncation.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `typed` is this code, in constant time, ignoring white space.
    pub fn is(&self, typed: &str) -> bool {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        ct_eq(self.0.as_bytes(), typed.as_bytes())
    }

    pub(crate) fn hexadecimal(octets: &[u8]) -> Self {
        Code(octets.iter().map(|octet| format!("{octet:02x}")).collect())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({} characters)", self.0.len())
    }
}

pub(crate) fn hmac(hash: Hash, key: &Secret, message: &[u8]) -> dskpp_crypto::Tag {
    HmacKey::new(hash, key.expose()).sign(&[message])
}

/// Dynamic truncation to a decimal number (RFC 4226 §5.3).
pub(crate) fn truncate(mac: &[u8], digits: u8) -> Code {
    let offset = usize::from(mac[mac.len() - 1] & 0xF); // an HMAC has at least 20 octets, so offset + 4 is inside
    let mut word = [0; 4];
    word.copy_from_slice(&mac[offset..offset + 4]);
    let number = u64::from(u32::from_be_bytes(word) & 0x7FFF_FFFF) % 10u64.pow(u32::from(digits));
    Code(format!("{number:0width$}", width = usize::from(digits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_compared_as_typed_and_not_printed() {
        let code = truncate(&[0; 20], 6);
        assert_eq!(code.to_string(), "000000");
        assert!(code.is("000000") && code.is("000 000") && code.is(" 000000\n"));
        for typed in ["000001", "00000", "0000000", "", "00000O"] {
            assert!(!code.is(typed), "{typed:?}");
        }
        assert_eq!(format!("{code:?}"), "Code(6 characters)");
        assert!([5, 11].map(Digits::new).iter().all(Result::is_err));
    }
}
