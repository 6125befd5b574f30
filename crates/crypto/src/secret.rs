//! Secret octets.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret octets: wiped when dropped, compared in constant time, never printed.
///
/// ```
/// let key = dskpp_crypto::Secret::from_slice(b"0123456789abcdef");
/// assert_eq!(format!("{key:?}"), "Secret(16 octets)");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes ownership of the octets.
    pub fn new(octets: Vec<u8>) -> Self {
        Secret(Zeroizing::new(octets))
    }

    /// Copies the octets. The caller remains responsible for the original.
    pub fn from_slice(octets: &[u8]) -> Self {
        Secret::new(octets.to_vec())
    }

    /// The octets, for the code that needs them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The octets, for changes in place.
    #[cfg(feature = "encryption")]
    pub(crate) fn expose_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Number of octets.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no octets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first `len` octets, or `None` if there are fewer.
    pub fn prefix(&self, len: usize) -> Option<Secret> {
        self.0.get(..len).map(Secret::from_slice)
    }

    /// The first `at` octets and the rest, or `None` if there are fewer than `at`.
    pub fn split_at(&self, at: usize) -> Option<(Secret, Secret)> {
        let (head, tail) = self.0.split_at_checked(at)?;
        Some((Secret::from_slice(head), Secret::from_slice(tail)))
    }
}

impl From<Vec<u8>> for Secret {
    fn from(octets: Vec<u8>) -> Self {
        Secret::new(octets)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} octets)", self.len())
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        ct_eq(self.expose(), other.expose())
    }
}

impl Eq for Secret {}

/// Whether two octet strings are equal, in time that depends only on their lengths.
pub fn ct_eq(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_only_its_length() {
        let secret = Secret::from_slice(b"super secret");
        assert_eq!(format!("{secret:?}"), "Secret(12 octets)");
        assert_eq!(format!("{secret:#?}"), "Secret(12 octets)");
    }

    #[test]
    fn comparison_prefix_and_split() {
        let secret = Secret::from_slice(b"abcdef");
        assert_eq!(secret, Secret::from_slice(b"abcdef"));
        for other in [&b"abcdeg"[..], b"abcde", b""] {
            assert_ne!(secret, Secret::from_slice(other));
        }
        assert_eq!(secret.prefix(2), Some(Secret::from_slice(b"ab")));
        assert_eq!(secret.prefix(7), None);
        let (head, tail) = secret.split_at(4).expect("six octets");
        assert_eq!((head.expose(), tail.expose()), (&b"abcd"[..], &b"ef"[..]));
        assert!(secret.split_at(7).is_none());
    }
}
