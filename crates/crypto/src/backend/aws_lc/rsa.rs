use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey, PublicKey, PublicKeyComponents,
};
use aws_lc_rs::signature::KeyPair as _;

use super::raw_rsa::RawRsa;
use crate::{Error, RsaEncryption, Secret};

const REFUSED: Error = Error::RsaKey("no PKCS #8 RSA private key of 2048 to 4096 bits");

/// A public key.
pub(crate) struct RsaPublic(RawRsa);

impl RsaPublic {
    /// From numbers of allowed sizes.
    pub(crate) fn new(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        RawRsa::public(n, e).map(RsaPublic)
    }

    /// `m^e mod n`; `m` is as long as the modulus and less than it.
    pub(crate) fn apply(&self, m: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.encrypt(m)
    }
}

/// Modulus and exponent of a SubjectPublicKeyInfo.
pub(crate) fn rsa_of_spki(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    PublicKey::from_der(der).ok().map(|key| numbers(&key))
}

/// The SubjectPublicKeyInfo of a valid key.
pub(crate) fn spki_of_rsa(n: &[u8], e: &[u8]) -> Vec<u8> {
    let key: PublicEncryptingKey =
        PublicKeyComponents { n, e }.try_into().expect("the components were checked when the key was made");
    let der: PublicKeyX509Der<'_> = key.as_der().expect("a valid key has an encoding");
    der.as_ref().to_vec()
}

/// PKCS #8 of a new key of 2048, 3072 or 4096 bits.
pub(crate) fn generate_rsa(bits: usize) -> Result<Secret, Error> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        _ => return Err(Error::RsaKey("keys are generated with 2048, 3072 or 4096 bits")),
    };
    let key = PrivateDecryptingKey::generate(size).map_err(|_| Error::RsaKey("generation failed"))?;
    let der: Pkcs8V1Der<'_> = key.as_der().map_err(|_| Error::RsaKey("no encoding"))?;
    Ok(Secret::from_slice(der.as_ref()))
}

/// A private key.
pub(crate) struct RsaPrivate {
    oaep: OaepPrivateDecryptingKey,
    raw: RawRsa,
    public: (Vec<u8>, Vec<u8>),
}

impl RsaPrivate {
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let pair = KeyPair::from_pkcs8(der).map_err(|_| REFUSED)?;
        let decrypting = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| REFUSED)?;
        let oaep = OaepPrivateDecryptingKey::new(decrypting).map_err(|_| Error::RsaKey("not for OAEP"))?;
        Ok(RsaPrivate { oaep, raw: RawRsa::private(der)?, public: numbers(pair.public_key()) })
    }

    /// Modulus and exponent.
    pub(crate) fn public(&self) -> (&[u8], &[u8]) {
        (&self.public.0, &self.public.1)
    }

    /// `c^d mod n`; `c` is as long as the modulus and less than it.
    pub(crate) fn apply(&self, c: &[u8]) -> Result<Secret, Error> {
        self.raw.decrypt(c).map(Secret::new)
    }

    /// Decrypts OAEP; `c` is as long as the modulus.
    pub(crate) fn decrypt_oaep(&self, padding: RsaEncryption, c: &[u8]) -> Result<Secret, Error> {
        let algorithm = match padding {
            RsaEncryption::OaepSha1 => &OAEP_SHA1_MGF1SHA1,
            RsaEncryption::OaepSha256 => &OAEP_SHA256_MGF1SHA256,
            RsaEncryption::Pkcs1v15 => return Err(Error::Parameters("PKCS #1 v1.5 is not OAEP")),
        };
        let mut out = vec![0; self.oaep.min_output_size()];
        let len = self.oaep.decrypt(algorithm, c, &mut out, None).map(|message| message.len());
        let out = Secret::new(out);
        len.ok().and_then(|len| out.prefix(len)).ok_or(Error::Decryption)
    }
}

fn numbers(key: &PublicKey) -> (Vec<u8>, Vec<u8>) {
    let (n, e) = (key.modulus(), key.exponent());
    (n.big_endian_without_leading_zero().to_vec(), e.big_endian_without_leading_zero().to_vec())
}
