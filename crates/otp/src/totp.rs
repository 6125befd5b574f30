//! TOTP: time-based passwords (RFC 6238).

use dskpp_crypto::{Hash, Secret};

use crate::Error;
use crate::code::{Code, Digits, hmac, truncate};

/// TOTP with its parameters.
///
/// ```
/// use dskpp_otp::{Digits, Hash, Totp};
/// let totp = Totp::new(Digits::EIGHT, 30, Hash::Sha1)?;
/// let key = dskpp_crypto::Secret::from_slice(b"12345678901234567890");
/// assert_eq!(totp.code(&key, 59).to_string(), "94287082");
/// # Ok::<(), dskpp_otp::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totp {
    digits: Digits,
    period_s: u32,
    hash: Hash,
    /// The start of step 0 in seconds since 1970: T0 of §4.1, 0 by default.
    pub t0: u64,
}

/// An accepted password, and what to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its step: neither it nor an earlier one may be accepted again (§5.2).
    pub step: u64,
    /// The drift of the token's clock in steps, for the next check (§6).
    pub drift: i64,
}

impl Totp {
    /// A step of `period_s` seconds, usually 30.
    pub fn new(digits: Digits, period_s: u32, hash: Hash) -> Result<Self, Error> {
        match (period_s, hash) {
            (0, _) => Err(Error::Period),
            (_, Hash::Sha1 | Hash::Sha256 | Hash::Sha512) => Ok(Totp { digits, period_s, hash, t0: 0 }),
            _ => Err(Error::Hash),
        }
    }

    /// The step of a time (§4.2).
    pub fn step(&self, unix_s: u64) -> u64 {
        unix_s.saturating_sub(self.t0) / u64::from(self.period_s) // not 0: see `new`
    }

    /// The password at a time.
    pub fn code(&self, key: &Secret, unix_s: u64) -> Code {
        self.code_of_step(key, self.step(unix_s))
    }

    /// The password of a step.
    pub fn code_of_step(&self, key: &Secret, step: u64) -> Code {
        truncate(hmac(self.hash, key, &step.to_be_bytes()).as_ref(), self.digits.get())
    }

    /// The remaining seconds of the password at `unix_s`.
    pub fn remaining_s(&self, unix_s: u64) -> u64 {
        let period = u64::from(self.period_s);
        period - unix_s.saturating_sub(self.t0) % period
    }

    /// Whether `typed` belongs to a step at most `window` away from the expected one (`drift`
    /// steps off), and later than `last_step`, the last accepted one (§5.2, §6).
    pub fn check(
        &self,
        key: &Secret,
        unix_s: u64,
        drift: i64,
        window: u32,
        last_step: Option<u64>,
        typed: &str,
    ) -> Option<Accepted> {
        let here = self.step(unix_s);
        let expected = here.saturating_add_signed(drift);
        let steps = expected.saturating_sub(u64::from(window))..=expected.saturating_add(u64::from(window));
        let step = steps
            .filter(|step| last_step.is_none_or(|last| *step > last))
            .find(|step| self.code_of_step(key, *step).is(typed))?;
        Some(Accepted { step, drift: step.wrapping_sub(here) as i64 })
    }

    /// Resynchronises with a token whose clock is far off, from two or more consecutive passwords at most `window` steps
    /// away and all later than `last_step` (§5.2, §6).
    pub fn resynchronise(
        &self,
        key: &Secret,
        unix_s: u64,
        window: u32,
        last_step: Option<u64>,
        typed: &[&str],
    ) -> Option<Accepted> {
        let more = u64::try_from(typed.len()).ok()?.checked_sub(1).filter(|more| *more > 0)?;
        let here = self.step(unix_s);
        let firsts = here.saturating_sub(u64::from(window))..=here.saturating_add(u64::from(window));
        let matches =
            |first: u64| typed.iter().zip(first..).all(|(typed, step)| self.code_of_step(key, step).is(typed));
        let later = |first: u64| last_step.is_none_or(|last| first > last) && first.checked_add(more).is_some();
        let step = firsts.into_iter().find(|first| later(*first) && matches(*first))?.checked_add(more)?;
        // The last password belongs to the current step.
        Some(Accepted { step, drift: step.wrapping_sub(here) as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hash: Hash) -> Secret {
        Secret::new(b"1234567890".iter().copied().cycle().take(hash.output_len()).collect())
    }

    #[test]
    fn rfc6238_appendix_b() {
        for (time, sha1, sha256, sha512) in [
            (59, "94287082", "46119246", "90693936"),
            (1111111109, "07081804", "68084774", "25091201"),
            (1111111111, "14050471", "67062674", "99943326"),
            (1234567890, "89005924", "91819424", "93441116"),
            (2000000000, "69279037", "90698825", "38618901"),
            (20000000000, "65353130", "77737706", "47863826"),
        ] {
            for (hash, expected) in [(Hash::Sha1, sha1), (Hash::Sha256, sha256), (Hash::Sha512, sha512)] {
                let totp = Totp::new(Digits::EIGHT, 30, hash).expect("sound");
                assert_eq!(totp.code(&key(hash), time).to_string(), expected, "{hash:?} at {time}");
            }
        }
    }

    #[test]
    fn s5_2_a_step_is_valid_once_and_only_within_the_window() {
        let totp = Totp::new(Digits::SIX, 30, Hash::Sha1).expect("sound");
        let (key, now) = (key(Hash::Sha1), 1_111_111_111);
        let here = totp.step(now);
        for (off, window, accepted) in [(0i64, 0, true), (-1, 1, true), (1, 1, true), (2, 1, false), (-2, 1, false)] {
            let code = totp.code_of_step(&key, here.saturating_add_signed(off));
            let found = totp.check(&key, now, 0, window, None, code.as_str());
            assert_eq!(found.is_some(), accepted, "{off} of {window}");
            if let Some(found) = found {
                assert_eq!((found.step, found.drift), (here.saturating_add_signed(off), off));
            }
        }
        let code = totp.code(&key, now);
        assert!(totp.check(&key, now, 0, 1, Some(here - 1), code.as_str()).is_some());
        assert!(totp.check(&key, now, 0, 1, Some(here), code.as_str()).is_none(), "used already");
        assert!(totp.check(&key, 0, i64::MIN, 3, None, "no code").is_none());
    }

    #[test]
    fn s6_drift_is_followed_and_resynchronised() {
        let totp = Totp::new(Digits::SIX, 30, Hash::Sha1).expect("sound");
        let (key, now) = (key(Hash::Sha1), 2_000_000_000);
        let here = totp.step(now);
        let off = |steps: u64| totp.code_of_step(&key, here + steps);
        assert!(totp.check(&key, now, 0, 1, None, off(5).as_str()).is_none());
        let found = totp.check(&key, now, 4, 1, None, off(5).as_str()).expect("within one step of the drift");
        assert_eq!(found.drift, 5);
        let (a, b) = (off(40), off(41));
        let found = totp.resynchronise(&key, now, 100, None, &[a.as_str(), b.as_str()]).expect("two in a row");
        assert_eq!((found.step, found.drift), (here + 41, 41));
        assert!(totp.resynchronise(&key, now, 100, None, &[b.as_str(), a.as_str()]).is_none());
        assert!(totp.resynchronise(&key, now, 100, None, &[a.as_str()]).is_none());
        let used = Some(here + 40);
        assert!(totp.resynchronise(&key, now, 100, used, &[a.as_str(), b.as_str()]).is_none(), "used already");
    }

    #[test]
    fn steps_start_at_t0_and_have_a_length() {
        let mut totp = Totp::new(Digits::SIX, 60, Hash::Sha256).expect("sound");
        totp.t0 = 100;
        assert_eq!([0, 100, 159, 160].map(|time| totp.step(time)), [0, 0, 0, 1]);
        assert_eq!([100, 101, 159].map(|time| totp.remaining_s(time)), [60, 59, 1]);
        assert_eq!(Totp::new(Digits::SIX, 0, Hash::Sha1), Err(Error::Period));
        assert_eq!(Totp::new(Digits::SIX, 30, Hash::Sha384), Err(Error::Hash));
    }
}
