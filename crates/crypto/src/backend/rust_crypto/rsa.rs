//! RSA with public keys.

use super::modulus::Modulus;
use crate::Error;
use crate::der;

/// A public key.
pub(crate) struct RsaPublic {
    modulus: Modulus,
    exponent: u64,
    size: usize,
}

impl RsaPublic {
    /// From numbers of allowed sizes, without leading zero octets; `n` is odd.
    pub(crate) fn new(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        const REFUSED: Error = Error::RsaKey("the exponent must be odd, of 2 to 33 bits");
        if e.len() > 5 {
            return Err(REFUSED);
        }
        let exponent = e.iter().fold(0, |number, octet| number << 8 | u64::from(*octet));
        if exponent % 2 == 0 || !(3..1 << 33).contains(&exponent) {
            return Err(REFUSED);
        }
        Ok(RsaPublic { modulus: Modulus::new(n), exponent, size: n.len() })
    }

    /// `m^e mod n`; `m` is as long as the modulus and less than it.
    pub(crate) fn apply(&self, m: &[u8]) -> Result<Vec<u8>, Error> {
        let power = if m.len() == self.size { self.modulus.power(m, self.exponent, self.size) } else { None };
        power.ok_or(Error::InputLength(m.len()))
    }
}

/// AlgorithmIdentifier of rsaEncryption, with its NULL (RFC 8017 A.1), in DER.
const RSA_ENCRYPTION: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

/// Modulus and exponent of a SubjectPublicKeyInfo.
pub(crate) fn rsa_of_spki(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let bits = der::only(der, der::SEQUENCE)?.strip_prefix(RSA_ENCRYPTION)?;
    let key = der::only(bits, der::BIT_STRING)?.strip_prefix(&[0])?; // no unused bits
    let mut numbers = der::only(key, der::SEQUENCE)?;
    let (n, e) = (positive(&mut numbers)?, positive(&mut numbers)?);
    numbers.is_empty().then(|| (n.into(), e.into()))
}

/// The octets of a positive INTEGER, without leading zeros.
fn positive<'a>(der: &mut &'a [u8]) -> Option<&'a [u8]> {
    match der::next(der)? {
        (der::INTEGER, [0, number @ ..]) => number.first().is_some_and(|first| *first >= 0x80).then_some(number),
        (der::INTEGER, number @ [1..=0x7F, ..]) => Some(number),
        _ => None,
    }
}

/// The SubjectPublicKeyInfo of a valid key.
pub(crate) fn spki_of_rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let sign = number.first().is_some_and(|first| *first >= 0x80);
        der::of(der::INTEGER, &[if sign { &[0] } else { &[] }, number])
    };
    let key = der::of(der::SEQUENCE, &[&integer(n), &integer(e)]);
    der::of(der::SEQUENCE, &[RSA_ENCRYPTION, &der::of(der::BIT_STRING, &[&[0], &key])])
}
