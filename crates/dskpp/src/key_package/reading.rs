//! Rules for reading a package, from a server or a file, and a limit for the work.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use dskpp_crypto::Secret;

use super::{ITERATIONS, MAX_LEN, PackageError, ber};

/// The rules of one reading, and the work so far.
pub(super) struct ReadRules {
    max_len: usize,
    is_file: bool,
    /// Whether to accept PKCS #12 without a MAC, and whether a MAC was missing.
    pub(super) takes_no_mac: bool,
    pub(super) has_no_mac: Cell<bool>,
    iterations: RangeInclusive<u32>,
    /// The remaining rounds.
    left: Cell<u64>,
    fewest: Cell<Option<NonZeroU32>>,
    /// Keys derived from the password, by the DER of their parameters.
    derived: RefCell<HashMap<Vec<u8>, Secret>>,
}

impl ReadRules {
    /// For DSKPP: one key from a server, in DER.
    pub(super) fn of_package() -> Self {
        Self::new(MAX_LEN, false, ITERATIONS, u64::MAX)
    }

    /// For a file, also in BER.
    pub(super) fn of_file() -> Self {
        Self::new(super::file::MAX_LEN, true, 1..=*ITERATIONS.end(), super::file::MAX_ROUNDS)
    }

    /// Also accepts PKCS #12 without a MAC.
    pub(super) fn without_mac(self) -> Self {
        Self { takes_no_mac: true, ..self }
    }

    fn new(max_len: usize, is_file: bool, iterations: RangeInclusive<u32>, left: u64) -> Self {
        let (left, fewest, derived) = (Cell::new(left), Cell::default(), RefCell::default());
        let (takes_no_mac, has_no_mac) = (false, Cell::default());
        Self { max_len, is_file, takes_no_mac, has_no_mac, iterations, left, fewest, derived }
    }

    /// Whether to support legacy algorithms.
    pub(super) fn is_of_file(&self) -> bool {
        self.is_file
    }

    /// The input as DER.
    pub(super) fn der(&self, octets: &[u8]) -> Result<Secret, PackageError> {
        match (octets.len() <= self.max_len, self.is_file) {
            (false, _) => Err(PackageError::Unreadable("it is too long")),
            (true, true) => ber::to_der(octets).map(Secret::new),
            (true, false) => Ok(Secret::from_slice(octets)),
        }
    }

    /// The key that `derive` returns, cached by `parameters`.
    pub(super) fn derived(
        &self,
        parameters: Vec<u8>,
        iterations: u32,
        derive: impl FnOnce(NonZeroU32) -> Result<Secret, PackageError>,
    ) -> Result<Secret, PackageError> {
        const TOO_MUCH: PackageError =
            PackageError::Unreadable("its password derivation needs too little or too much work");
        let count = NonZeroU32::new(iterations).filter(|_| self.iterations.contains(&iterations)).ok_or(TOO_MUCH)?;
        if let Some(key) = self.derived.borrow().get(&parameters) {
            return Ok(key.clone());
        }
        let left = self.left.get().checked_sub(u64::from(iterations));
        self.left
            .set(left.ok_or(PackageError::Unreadable("its passwords need more than 100,000,000 rounds in total"))?);
        self.fewest.set(Some(self.fewest.get().map_or(count, |fewest| fewest.min(count))));
        let key = derive(count)?;
        self.derived.borrow_mut().insert(parameters, key.clone());
        Ok(key)
    }

    /// The lowest number of rounds that protects a password.
    pub(super) fn fewest(&self) -> Option<NonZeroU32> {
        self.fewest.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each of these derivations is allowed, with different parameters.
    fn asked(reading: &ReadRules, counts: &[u32]) -> Vec<bool> {
        let ask = |(i, count): (usize, &u32)| {
            reading.derived(vec![i as u8], *count, |_| Ok(Secret::new(vec![0; 16]))).is_ok()
        };
        counts.iter().enumerate().map(ask).collect()
    }

    #[test]
    fn rfc8018_the_work_for_a_package_or_file_is_bounded() {
        let package = asked(&ReadRules::of_package(), &[0, 1, 999, 1_000, 10_000_000, 10_000_001, u32::MAX]);
        assert_eq!(package, [false, false, false, true, true, false, false]);
        let file = ReadRules::of_file();
        assert_eq!(asked(&file, &[0, 1, 10_000_000, 10_000_001]), [false, true, true, false]);
        assert_eq!(file.fewest(), NonZeroU32::new(1));
        // In a file, repeated derivations are free, and the total is bounded.
        let file = ReadRules::of_file();
        assert_eq!(asked(&file, &[10_000_000; 11]), [&[true; 10][..], &[false]].concat());
        assert_eq!(asked(&file, &[10_000_000; 10]), [true; 10], "derived before");
    }
}
