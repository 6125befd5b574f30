//! RSA of the crate `rsa`, from version 0.10 on: exponentiation in constant time, with blinded base, exponents and primes,
//! and a check of the result.

use rsa::hazmat::rsa_encrypt;
use rsa::pkcs8::{DecodePublicKey as _, EncodePublicKey as _};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PublicKey};
use zeroize::Zeroizing;

use crate::Error;

/// A public key.
pub(crate) struct RsaPublic(PublicKey);

impl RsaPublic {
    /// From numbers of allowed sizes.
    pub(crate) fn new(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        public(n, e).map(RsaPublic)
    }

    /// `m^e mod n`; `m` is as long as the modulus and less than it.
    pub(crate) fn apply(&self, m: &[u8]) -> Result<Vec<u8>, Error> {
        let m = Zeroizing::new(representative(&self.0, m)?);
        let c = rsa_encrypt(&self.0, &m).map_err(|_| Error::InputLength(self.0.size()))?;
        Ok(octets(&c, self.0.size()))
    }
}

/// Modulus and exponent of a SubjectPublicKeyInfo.
pub(crate) fn rsa_of_spki(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    PublicKey::from_public_key_der(der).ok().map(|key| (key.n_bytes().into(), key.e_bytes().into()))
}

/// The SubjectPublicKeyInfo of a valid key.
pub(crate) fn spki_of_rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    let key = public(n, e).expect("the components were checked when the key was made");
    key.to_public_key_der().expect("a valid key has an encoding").into_vec()
}

fn public(n: &[u8], e: &[u8]) -> Result<PublicKey, Error> {
    const REFUSED: Error = Error::RsaKey("the exponent must be odd, of 2 to 33 bits");
    let number = |octets: &[u8]| BoxedUint::from_be_slice(octets, octets.len() as u32 * 8).map_err(|_| REFUSED);
    PublicKey::new(number(n)?, number(e)?).map_err(|_| REFUSED)
}

/// The number that the octets are, if they are as long as the modulus and less than it.
pub(super) fn representative(key: &impl PublicKeyParts, octets: &[u8]) -> Result<BoxedUint, Error> {
    let unfit = Error::InputLength(octets.len());
    if octets.len() != key.size() {
        return Err(unfit);
    }
    let number = BoxedUint::from_be_slice(octets, key.n_bits_precision()).map_err(|_| unfit)?;
    if number < *key.n().as_ref() { Ok(number) } else { Err(unfit) }
}

/// The number with `len` octets, which it fits into.
pub(super) fn octets(number: &BoxedUint, len: usize) -> Vec<u8> {
    let whole = Zeroizing::new(number.to_be_bytes().into_vec()); // whole words
    whole[whole.len() - len..].to_vec() // not shorter: the words of the modulus
}
