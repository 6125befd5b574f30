//! Certificates of signers.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};

use crate::Error;

/// The SubjectPublicKeyInfo of a certificate, if it is one.
pub(crate) fn spki_of(der: &[u8]) -> Option<Vec<u8>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then(|| certificate.public_key().raw.to_vec())
}

/// Whether the certificate `leaf` may sign, is good at the time `at_unix_s`, and leads to one of `anchors` by way of
/// `intermediates`, or is an anchor itself. All are X.509 in DER. No revocation list is asked, and as in RFC 5280 §6.1
/// the dates of an anchor above the leaf do not count. An anchor that is no authority stands for itself alone.
///
/// # Errors
/// [`Error::Certificate`]
pub fn verify_chain(leaf: &[u8], intermediates: &[&[u8]], anchors: &[&[u8]], at_unix_s: u64) -> Result<(), Error> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| Error::Certificate("it is no X.509 certificate"))?;
    match parsed.key_usage() {
        Ok(None) => {}
        Ok(Some(usage)) if usage.value.digital_signature() || usage.value.non_repudiation() => {}
        Ok(Some(_)) => return Err(Error::Certificate("it is not for signatures")),
        Err(_) => return Err(Error::Certificate("what it is for cannot be read")),
    }
    if anchors.contains(&leaf) {
        let at = x509_parser::time::ASN1Time::from_timestamp(i64::try_from(at_unix_s).unwrap_or(i64::MAX));
        let valid = at.is_ok_and(|at| parsed.validity().is_valid_at(at));
        return if valid { Ok(()) } else { Err(Error::Certificate("it is not valid at this time")) };
    }
    let unusable = |_| Error::Certificate("it, or one that leads to an authority, is not usable");
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).map_err(unusable)?;
    let authorities = anchors.iter().filter(|der| certifies(der));
    let anchors: Vec<CertificateDer<'_>> = authorities.map(|der| CertificateDer::from(*der)).collect();
    let anchors: Vec<_> = anchors.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let intermediates: Vec<CertificateDer<'_>> = intermediates.iter().map(|der| CertificateDer::from(*der)).collect();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(at_unix_s));
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &intermediates, at, AnyUse, None, None)
        .map(|_| ())
        .map_err(|error| {
            Error::Certificate(match error {
                webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
                    "it, or one that leads to an authority, is not valid at this time"
                }
                webpki::Error::UnknownIssuer => "no given authority has certified it",
                _ => "it, or one that leads to an authority, is not usable",
            })
        })
}

/// Whether a trusted certificate is that of an authority (RFC 5280 §4.2.1.3 and §4.2.1.9). The path validation takes
/// every anchor as one, so that a trusted signer could name further signers. Version 1 has no way to say it.
fn certifies(anchor: &[u8]) -> bool {
    let Ok((_, anchor)) = X509Certificate::from_der(anchor) else { return false };
    let (Ok(usage), Ok(constraints)) = (anchor.key_usage(), anchor.basic_constraints()) else { return false };
    let signs_certificates = usage.map(|usage| usage.value.key_cert_sign());
    match constraints {
        Some(constraints) => constraints.value.ca && signs_certificates != Some(false),
        None => anchor.version() == X509Version::V1 || signs_certificates == Some(true),
    }
}

/// No purpose is registered for key files, so any will do.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
