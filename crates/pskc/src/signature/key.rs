//! The key that verifies a signature, and its owner.

use dskpp_crypto::{SignatureAlgorithm, SignerUse, VerifyingKey, distrust, distrust_of_signer, verify_chain};
use jiff::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::SignatureError::{self, NotAllowed};
use super::profile::{elements, octets};
use super::tree::SignedTree;
use super::verify::{Signer, VerifyOptions};
use crate::Shown;
use crate::xml::ns;

/// The most certificates in one signature.
const MAX_CERTIFICATES: usize = 10;
/// The longest certificate or `KeyValue` number, in octets.
const MAX_CERTIFICATE: usize = 64 * 1024;
/// `ECKeyValue` and its parts (XML Signature 1.1 §4.5.2.3).
const DS11: &str = "http://www.w3.org/2009/xmldsig11#";

/// The SubjectPublicKeyInfo prefix before the point of a P-256 or P-384 key (RFC 5480 §2).
const CURVES: [(&str, &[u8]); 2] = [
    (
        "urn:oid:1.2.840.10045.3.1.7",
        b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
    ),
    (
        "urn:oid:1.3.132.0.34",
        b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
    ),
];

/// The relevant content of a `KeyInfo`.
#[derive(Default)]
pub(super) struct SignatureKeyInfo {
    certificates: Vec<Vec<u8>>,
    /// Bare keys; `None` for an unknown kind.
    values: Vec<Option<VerifyingKey>>,
}

impl SignatureKeyInfo {
    pub(super) fn read(tree: &SignedTree<'_>, at: usize) -> Result<Self, SignatureError> {
        let mut info = Self::default();
        for child in elements(tree, at, &["Id"])? {
            if tree.is(child, ns::DS, "KeyValue") {
                info.values.push(read_value(tree, child)?);
            } else if tree.is(child, ns::DS, "X509Data") {
                for part in elements(tree, child, &[])? {
                    if !tree.is(part, ns::DS, "X509Certificate") {
                        continue; // names of a certificate, which do not establish trust
                    }
                    info.certificates.push(octets(tree, part, &[], MAX_CERTIFICATE)?);
                }
            }
        }
        match info.certificates.len() > MAX_CERTIFICATES || info.values.len() > 1 {
            true => Err(NotAllowed("too many certificates or keys")),
            false => Ok(info),
        }
    }

    /// Verifies the signature `value` of `message` with the given key, or else with that of a certificate
    /// that chains to a trust anchor.
    pub(super) fn verify(
        &self,
        options: &VerifyOptions,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        value: &[u8],
    ) -> Result<Signer, SignatureError> {
        if let Some(key) = &options.key {
            self.agrees(key)?;
            key.verify(algorithm, message, value).map_err(|_| SignatureError::Signature)?;
            return Ok(Signer::Key);
        }
        if self.certificates.is_empty() {
            return Err(SignatureError::NoKey);
        }
        let mut failure = SignatureError::Key;
        for (i, certificate) in self.certificates.iter().enumerate() {
            // Keys of trust anchors and of unknown kinds did not make the signature.
            let Ok(key) = VerifyingKey::from_certificate_der(certificate) else { continue };
            if key.verify(algorithm, message, value).is_err() {
                if failure == SignatureError::Key {
                    failure = SignatureError::Signature;
                }
                continue;
            }
            self.agrees(&key)?;
            match self.trust(i, certificate, options) {
                Ok(()) => return signer(certificate),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn trust(&self, i: usize, leaf: &[u8], options: &VerifyOptions) -> Result<(), SignatureError> {
        let others = self.certificates.iter().enumerate().filter(|(other, _)| *other != i);
        let others: Vec<&[u8]> = others.map(|(_, certificate)| certificate.as_slice()).collect();
        let anchors: Vec<&[u8]> = options.anchors.iter().map(Vec::as_slice).collect();
        if !anchors.contains(&leaf) {
            check_signer(leaf, options.at, options.signer_use)?;
        }
        let at = unix_s(options.at);
        verify_chain(leaf, &others, &anchors, at, options.signer_use).map_err(|why| match why {
            dskpp_crypto::Error::KeyUse(what) => SignatureError::KeyUse(what),
            _ => SignatureError::Certificate(Box::new(distrust(leaf, &others, &anchors, at))),
        })
    }

    /// A bare key in the signature must be the verifying key.
    fn agrees(&self, key: &VerifyingKey) -> Result<(), SignatureError> {
        let same =
            |value: &Option<VerifyingKey>| value.as_ref().is_some_and(|value| value.to_spki_der() == key.to_spki_der());
        if self.values.iter().all(same) { Ok(()) } else { Err(SignatureError::Key) }
    }
}

/// Whether [`verify`](super::verify) may trust a signer with this certificate (X.509, DER) at the time `at`, judging by
/// the certificate alone. Call it before [`sign`](super::sign), to avoid signing files that all receivers refuse.
///
/// # Errors
/// [`SignatureError::KeyUse`], [`SignatureError::Certificate`]; [`SignatureError::Key`] if it is not a certificate.
pub fn check_signer(certificate: &[u8], at: Timestamp, signer_use: SignerUse) -> Result<(), SignatureError> {
    signer_use.check(certificate).map_err(|why| match why {
        dskpp_crypto::Error::KeyUse(what) => SignatureError::KeyUse(what),
        _ => SignatureError::Key,
    })?;
    let distrust = distrust_of_signer(certificate, unix_s(at));
    distrust.map_or(Ok(()), |why| Err(SignatureError::Certificate(Box::new(why))))
}

/// No certificate was valid before 1970.
fn unix_s(at: Timestamp) -> u64 {
    u64::try_from(at.as_second()).unwrap_or(0)
}

fn signer(certificate: &[u8]) -> Result<Signer, SignatureError> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| SignatureError::Key)?;
    // The subject is untrusted, and is displayed in terminals and logs.
    let subject = Shown(&parsed.subject().to_string()).to_string();
    Ok(Signer::Certificate { subject, certificate: certificate.to_vec() })
}

/// A `KeyValue`.
fn read_value(tree: &SignedTree<'_>, at: usize) -> Result<Option<VerifyingKey>, SignatureError> {
    let [kind] = elements(tree, at, &[])?[..] else {
        return Err(NotAllowed("a KeyValue without exactly one key"));
    };
    if tree.is(kind, ns::DS, "RSAKeyValue") {
        let [n, e] = elements(tree, kind, &[])?[..] else {
            return Err(NotAllowed("an RSAKeyValue without Modulus and Exponent"));
        };
        let (n, e) = (octets(tree, n, &[], MAX_CERTIFICATE)?, octets(tree, e, &[], MAX_CERTIFICATE)?);
        return Ok(VerifyingKey::from_rsa(&n, &e).ok());
    }
    if tree.is(kind, DS11, "ECKeyValue")
        && let [curve, point] = elements(tree, kind, &["Id"])?[..]
        && tree.is(curve, DS11, "NamedCurve")
    {
        let uri = super::profile::attribute(tree, curve, "URI");
        let header = CURVES.iter().find(|(known, _)| Some(*known) == uri).map(|(_, header)| *header);
        let point = octets(tree, point, &[], MAX_CERTIFICATE)?;
        return Ok(header.and_then(|header| VerifyingKey::from_spki_der(&[header, &point].concat()).ok()));
    }
    Ok(None)
}
