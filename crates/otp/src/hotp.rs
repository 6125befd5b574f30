//! HOTP: counter-based passwords (RFC 4226).

use dskpp_crypto::{Hash, Secret};

use crate::code::{Code, Digits, hmac, truncate};

/// HOTP with HMAC-SHA-1.
///
/// ```
/// use dskpp_otp::{Digits, Hotp};
/// let hotp = Hotp { digits: Digits::SIX };
/// let key = dskpp_crypto::Secret::from_slice(b"12345678901234567890");
/// assert_eq!(hotp.code(&key, 1).to_string(), "287082");
/// assert_eq!(hotp.check(&key, 0, 10, "287082"), Some(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hotp {
    /// The number of digits.
    pub digits: Digits,
}

impl Hotp {
    /// The password of one counter value (§5.3).
    pub fn code(&self, key: &Secret, counter: u64) -> Code {
        truncate(hmac(Hash::Sha1, key, &counter.to_be_bytes()).as_ref(), self.digits.get())
    }

    /// Whether `typed` belongs to `counter` or one of the `look_ahead` values after it (§7.4). Returns the next expected
    /// counter, which must be stored.
    pub fn check(&self, key: &Secret, counter: u64, look_ahead: u32, typed: &str) -> Option<u64> {
        let last = counter.saturating_add(u64::from(look_ahead));
        (counter..=last).find(|counter| self.code(key, *counter).is(typed))?.checked_add(1)
    }

    /// Resynchronises with a token whose counter has run ahead: finds consecutive passwords within `window` values after
    /// `counter` (§7.4). `None` if fewer than two are given.
    pub fn resynchronise(&self, key: &Secret, counter: u64, window: u32, typed: &[&str]) -> Option<u64> {
        let len = u64::try_from(typed.len()).ok().filter(|len| *len >= 2)?;
        let last = counter.saturating_add(u64::from(window));
        let matches = |first: u64| typed.iter().zip(first..).all(|(typed, counter)| self.code(key, counter).is(typed));
        (counter..=last).find(|first| first.checked_add(len).is_some() && matches(*first))?.checked_add(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOTP: Hotp = Hotp { digits: Digits::SIX };
    /// RFC 4226 appendix D.
    const CODES: [&str; 10] =
        ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];

    fn key() -> Secret {
        Secret::from_slice(b"12345678901234567890")
    }

    #[test]
    fn rfc4226_appendix_d() {
        let macs = [
            "cc93cf18508d94934c64b65d8ba7667fb7cde4b0",
            "75a48a19d4cbe100644e8ac1397eea747a2d33ab",
            "0bacb7fa082fef30782211938bc1c5e70416ff44",
            "66c28227d03a2d5529262ff016a1e6ef76557ece",
            "a904c900a64b35909874b33e61c5938a8e15ed1c",
            "a37e783d7b7233c083d4f62926c7a25f238d0316",
            "bc9cd28561042c83f219324d3c607256c03272ae",
            "a4fb960c0bc06e1eabb804e5b397cdc4b45596fa",
            "1b3c89f65e6c9e883012052823443f048b4332db",
            "1637409809a679dc698207310c8c7fc07290d9e5",
        ];
        let truncated: [u64; 10] = [
            1284755224, 1094287082, 137359152, 1726969429, 1640338314, 868254676, 1918287922, 82162583, 673399871,
            645520489,
        ];
        for (counter, code) in (0u64..).zip(CODES) {
            let mac = hmac(Hash::Sha1, &key(), &counter.to_be_bytes());
            assert_eq!(Code::hexadecimal(mac.as_ref()).as_str(), macs[counter as usize]);
            assert_eq!(truncate(mac.as_ref(), 10).to_string(), format!("{:010}", truncated[counter as usize]));
            assert_eq!(HOTP.code(&key(), counter).to_string(), code);
        }
    }

    #[test]
    fn s7_4_the_look_ahead_window_is_exact() {
        assert_eq!(HOTP.check(&key(), 0, 0, CODES[0]), Some(1));
        assert_eq!(HOTP.check(&key(), 0, 9, CODES[9]), Some(10));
        assert_eq!(HOTP.check(&key(), 0, 8, CODES[9]), None, "beyond the window");
        assert_eq!(HOTP.check(&key(), 1, 9, CODES[0]), None, "used already");
        assert_eq!(HOTP.check(&key(), u64::MAX, 10, HOTP.code(&key(), u64::MAX).as_str()), None, "no next counter");
        for typed in ["", "75522", "7552240", "abcdef", "755225"] {
            assert_eq!(HOTP.check(&key(), 0, 0, typed), None, "{typed:?}");
        }
    }

    #[test]
    fn s7_4_resynchronisation_needs_consecutive_codes() {
        assert_eq!(HOTP.resynchronise(&key(), 0, 100, &[CODES[5], CODES[6]]), Some(7));
        assert_eq!(HOTP.resynchronise(&key(), 0, 100, &[CODES[5], CODES[7]]), None);
        assert_eq!(HOTP.resynchronise(&key(), 0, 4, &[CODES[5], CODES[6]]), None, "beyond the window");
        assert_eq!(HOTP.resynchronise(&key(), 0, 100, &[CODES[5]]), None, "one code proves too little");
        assert_eq!(HOTP.resynchronise(&key(), 0, 100, &[]), None);
    }
}
