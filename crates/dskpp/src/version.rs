//! Protocol versions (RFC 6063 §1.2).

use std::fmt;
use std::str::FromStr;

/// A protocol version, `<major>.<minor>`: two integers, so 2.4 is
/// older than 2.13.
///
/// Leading zeros are accepted but never written (RFC 6063 §1.2).
///
/// ```
/// use dskpp::version::Version;
/// let version: Version = "6.01".parse()?;
/// assert_eq!(version.to_string(), "6.1");
/// assert!("2.4".parse::<Version>()? < "2.13".parse()?);
/// # Ok::<(), dskpp::version::InvalidVersion>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Changes when older implementations can no longer interoperate; at most 99.
    pub major: u8,
    /// New features, ignored by older implementations; at most 999.
    pub minor: u16,
}

impl Version {
    /// The only version, which this project writes.
    pub const V1_0: Version = Version { major: 1, minor: 0 };

    /// Whether this implementation supports it: every minor version of major 1, each answered with 1.0
    /// (profile P23).
    pub fn is_supported(self) -> bool {
        self.major == Self::V1_0.major
    }
}

/// Not a version: one or two digits, a full stop, one to three digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a version is one or two digits, a full stop, and one to three digits, such as 1.0")]
#[non_exhaustive]
pub struct InvalidVersion;

impl FromStr for Version {
    type Err = InvalidVersion;

    /// Reads the schema's `\d{1,2}\.\d{1,3}`, ASCII digits only, no white space.
    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let digits =
            |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        let (major, minor) = text.split_once('.').ok_or(InvalidVersion)?;
        if !digits(major, 2) || !digits(minor, 3) {
            return Err(InvalidVersion);
        }
        Ok(Version {
            major: major.parse().map_err(|_| InvalidVersion)?,
            minor: minor.parse().map_err(|_| InvalidVersion)?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s1_2_leading_zeros_are_ignored_and_never_sent() {
        for (text, major, minor, written) in
            [("1.0", 1, 0, "1.0"), ("6.01", 6, 1, "6.1"), ("01.000", 1, 0, "1.0"), ("99.999", 99, 999, "99.999")]
        {
            let version: Version = text.parse().unwrap();
            assert_eq!(version, Version { major, minor }, "{text}");
            assert_eq!(version.to_string(), written);
        }
    }

    #[test]
    fn s1_2_major_and_minor_compare_as_integers() {
        let order = ["1.0", "2.4", "2.13", "12.3"].map(|v| v.parse::<Version>().unwrap());
        assert!(order.is_sorted());
        assert!("1.7".parse::<Version>().unwrap().is_supported());
        assert!(!"2.0".parse::<Version>().unwrap().is_supported());
        assert!(!"0.9".parse::<Version>().unwrap().is_supported());
    }

    #[test]
    fn s8_2_versions_that_the_schema_refuses_are_invalid() {
        for text in ["", "1", "1.", ".0", "1.0.0", "+1.0", "1.-0", " 1.0", "1.0 ", "111.0", "1.0000", "١.٠"] {
            assert_eq!(text.parse::<Version>(), Err(InvalidVersion), "{text:?}");
        }
    }
}
