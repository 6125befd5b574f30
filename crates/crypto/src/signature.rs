//! Signatures of documents: RSA (PKCS #1 v1.5) and ECDSA.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{self as lib, EcdsaKeyPair, KeyPair as _, RsaPublicKeyComponents, UnparsedPublicKey};
use x509_parser::oid_registry::{OID_EC_P256, OID_NIST_EC_P384};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::rsa::{is_one_sequence, pkcs8_of_pem, without_zeros};
use crate::{Error, certificate};

/// A signature algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSA with SHA-1: only for verifying old files; it can be forged.
    RsaSha1,
    /// RSA with SHA-256.
    RsaSha256,
    /// RSA with SHA-384.
    RsaSha384,
    /// RSA with SHA-512.
    RsaSha512,
    /// ECDSA on P-256 with SHA-256; the signature is r || s, 64 octets.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384; the signature is r || s, 96 octets.
    EcdsaP384Sha384,
}

/// A private signing key: RSA of 2048 to 8192 bits, P-256 or P-384.
pub struct SigningKey(Signing);

enum Signing {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

impl SigningKey {
    /// From PKCS #8 in DER.
    ///
    /// # Errors
    /// [`Error::SignatureKey`]
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, Error> {
        if !is_one_sequence(der) {
            return Err(Error::SignatureKey("octets before or after the PKCS #8 private key"));
        }
        if let Ok(key) = RsaKeyPair::from_pkcs8(der) {
            return Ok(SigningKey(Signing::Rsa(Box::new(key))));
        }
        if let Ok(key) = EcdsaKeyPair::from_pkcs8(&lib::ECDSA_P256_SHA256_FIXED_SIGNING, der) {
            return Ok(SigningKey(Signing::P256(key)));
        }
        let key = EcdsaKeyPair::from_pkcs8(&lib::ECDSA_P384_SHA384_FIXED_SIGNING, der);
        key.map(|key| SigningKey(Signing::P384(key)))
            .map_err(|_| Error::SignatureKey("neither RSA from 2048 bits, P-256 nor P-384 in PKCS #8"))
    }

    /// From PKCS #8 in PEM (`-----BEGIN PRIVATE KEY-----`).
    ///
    /// # Errors
    /// [`Error::SignatureKey`]
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let der = pkcs8_of_pem(pem).ok_or(Error::SignatureKey("no PEM with a PRIVATE KEY (PKCS #8, unencrypted)"))?;
        Self::from_pkcs8_der(der.expose())
    }

    /// The default algorithm of the key: SHA-256 for RSA and P-256, SHA-384 for P-384.
    pub fn default_algorithm(&self) -> SignatureAlgorithm {
        match self.0 {
            Signing::Rsa(_) => SignatureAlgorithm::RsaSha256,
            Signing::P256(_) => SignatureAlgorithm::EcdsaP256Sha256,
            Signing::P384(_) => SignatureAlgorithm::EcdsaP384Sha384,
        }
    }

    /// The signature of `message`.
    ///
    /// # Errors
    /// [`Error::SignatureKey`] if the algorithm does not match the key, or is for verifying only.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        const FAILED: Error = Error::SignatureKey("the algorithm does not match the key");
        use SignatureAlgorithm::*;
        let (rsa, encoding) = match (&self.0, algorithm) {
            (Signing::Rsa(key), RsaSha256) => (key, &lib::RSA_PKCS1_SHA256),
            (Signing::Rsa(key), RsaSha384) => (key, &lib::RSA_PKCS1_SHA384),
            (Signing::Rsa(key), RsaSha512) => (key, &lib::RSA_PKCS1_SHA512),
            (Signing::P256(key), EcdsaP256Sha256) | (Signing::P384(key), EcdsaP384Sha384) => {
                let signed = key.sign(&SystemRandom::new(), message).map_err(|_| FAILED)?;
                return Ok(signed.as_ref().to_vec());
            }
            _ => return Err(FAILED),
        };
        let mut out = vec![0; rsa.public_modulus_len()];
        rsa.sign(encoding, &SystemRandom::new(), message, &mut out).map_err(|_| FAILED)?;
        Ok(out)
    }

    /// The public key.
    pub fn public(&self) -> VerifyingKey {
        let spki = match &self.0 {
            Signing::Rsa(key) => AsDer::as_der(key.public_key()).map(|der: PublicKeyX509Der<'_>| der.as_ref().to_vec()),
            Signing::P256(key) | Signing::P384(key) => {
                AsDer::as_der(key.public_key()).map(|der: PublicKeyX509Der<'_>| der.as_ref().to_vec())
            }
        };
        let spki = spki.expect("a valid key has an encoding");
        VerifyingKey::from_spki_der(&spki).expect("what the library encoded it decodes")
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}

/// A public verifying key.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    kind: Kind,
    /// In the library's form: RSAPublicKey, or an uncompressed point.
    key: Vec<u8>,
    spki: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

impl VerifyingKey {
    /// From a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// [`Error::SignatureKey`] for other keys than RSA, P-256 and P-384.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        const OTHER: Error = Error::SignatureKey("neither RSA, P-256 nor P-384");
        let (rest, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| OTHER)?;
        if !rest.is_empty() {
            return Err(OTHER);
        }
        let key = info.subject_public_key.data.to_vec();
        let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        let kind = match (info.parsed(), key.len(), key.first()) {
            (Ok(PublicKey::RSA(_)), ..) => Kind::Rsa,
            (Ok(PublicKey::EC(_)), 65, Some(4)) if curve == Some(OID_EC_P256) => Kind::P256,
            (Ok(PublicKey::EC(_)), 97, Some(4)) if curve == Some(OID_NIST_EC_P384) => Kind::P384,
            _ => return Err(OTHER),
        };
        Ok(VerifyingKey { kind, key, spki: der.to_vec() })
    }

    /// From the certificate (X.509, DER) of a key; the rest of it is ignored.
    ///
    /// # Errors
    /// [`Error::Path`] if it is not a certificate, [`Error::SignatureKey`] if it has another kind of key.
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, Error> {
        Self::from_spki_der(&certificate::spki_of(der)?)
    }

    /// From an RSA modulus of 1024 to 8192 bits and an exponent of 2 to 33, both odd, big-endian; leading zero octets
    /// are dropped. [`VerifyingKey::verify`] limits the use of small ones.
    ///
    /// # Errors
    /// [`Error::SignatureKey`]
    pub fn from_rsa(n: &[u8], e: &[u8]) -> Result<Self, Error> {
        let bits = |number: &[u8]| number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize);
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let (n, e) = (without_zeros(n), without_zeros(e));
        if !(1024..=8192).contains(&bits(n)) || !(2..=33).contains(&bits(e)) || !is_odd(n) || !is_odd(e) {
            return Err(Error::SignatureKey("no RSA modulus of 1024 to 8192 bits, or no exponent for it"));
        }
        let spki: Result<PublicKeyX509Der<'_>, _> = RsaPublicKeyComponents { n, e }.as_der();
        Self::from_spki_der(spki.map_err(|_| Error::SignatureKey("not a usable RSA key"))?.as_ref())
    }

    /// Its DER SubjectPublicKeyInfo.
    pub fn to_spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Verifies the `signature` of `message`. RSA keys have 2048 to 8192 bits, or from 1024 with SHA-1.
    ///
    /// # Errors
    /// [`Error::Signature`] if it is invalid, [`Error::SignatureKey`] if the algorithm does not match the key.
    pub fn verify(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        use SignatureAlgorithm::*;
        let verification: &'static dyn lib::VerificationAlgorithm = match (self.kind, algorithm) {
            (Kind::Rsa, RsaSha1) => &lib::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
            (Kind::Rsa, RsaSha256) => &lib::RSA_PKCS1_2048_8192_SHA256,
            (Kind::Rsa, RsaSha384) => &lib::RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, RsaSha512) => &lib::RSA_PKCS1_2048_8192_SHA512,
            (Kind::P256, EcdsaP256Sha256) => &lib::ECDSA_P256_SHA256_FIXED,
            (Kind::P384, EcdsaP384Sha384) => &lib::ECDSA_P384_SHA384_FIXED,
            _ => return Err(Error::SignatureKey("the algorithm does not match the key")),
        };
        UnparsedPublicKey::new(verification, &self.key).verify(message, signature).map_err(|_| Error::Signature)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({:?})", self.kind)
    }
}
