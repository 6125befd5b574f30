//! Certificates of signers.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};
use x509_parser::der_parser::{Oid, oid};
use x509_parser::prelude::{ExtendedKeyUsage, FromDer as _, X509Certificate, X509Version};

use crate::Error;

/// The SubjectPublicKeyInfo of a certificate, if it is one.
pub(crate) fn spki_of(der: &[u8]) -> Option<Vec<u8>> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    rest.is_empty().then(|| certificate.public_key().raw.to_vec())
}

const NO_CERTIFICATE: Error = Error::Certificate("it is no X.509 certificate");

/// What a signer's certificate must be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SignerUse {
    /// Signatures of documents. Where it has the extensions: its key usage is digitalSignature or nonRepudiation
    /// (RFC 5280 §4.2.1.3), and an extended key usage is documentSigning (RFC 9336), emailProtection, codeSigning or
    /// any (§4.2.1.12). A certificate of a TLS server or client, for one, is for something else.
    #[default]
    Documents,
    /// Whatever the extensions say.
    Any,
}

impl SignerUse {
    /// Whether the certificate, X.509 in DER, is for that.
    ///
    /// # Errors
    /// [`Error::KeyUse`]; [`Error::Certificate`] for what is no certificate.
    pub fn check(self, certificate: &[u8]) -> Result<(), Error> {
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| NO_CERTIFICATE)?;
        self.check_parsed(&parsed)
    }

    fn check_parsed(self, certificate: &X509Certificate<'_>) -> Result<(), Error> {
        if self == SignerUse::Any {
            return Ok(());
        }
        const UNREADABLE: Error = Error::KeyUse("what it is for cannot be read");
        let usage = certificate.key_usage().map_err(|_| UNREADABLE)?;
        if usage.is_some_and(|usage| !usage.value.digital_signature() && !usage.value.non_repudiation()) {
            return Err(Error::KeyUse("its key usage has no digitalSignature and no nonRepudiation"));
        }
        let purposes = certificate.extended_key_usage().map_err(|_| UNREADABLE)?;
        let documents = |oid: &Oid<'_>| *oid == oid!(1.3.6.1.5.5.7.3.36);
        let fits = |purposes: &ExtendedKeyUsage<'_>| {
            purposes.any || purposes.email_protection || purposes.code_signing || purposes.other.iter().any(documents)
        };
        match purposes.is_none_or(|purposes| fits(purposes.value)) {
            true => Ok(()),
            false => Err(Error::KeyUse("its extended key usage has none for documents, mail or code")),
        }
    }
}

/// Whether the certificate `leaf` is for `signer_use`, is good at the time `at_unix_s`, and leads to one of `anchors` by way of
/// `intermediates`, or is an anchor itself. All are X.509 in DER. No revocation list is asked, and as in RFC 5280 §6.1
/// the dates of an anchor above the leaf do not count. An anchor that is no authority stands for itself alone.
///
/// # Errors
/// [`Error::KeyUse`], and for all other reasons [`Error::Certificate`].
pub fn verify_chain(
    leaf: &[u8],
    intermediates: &[&[u8]],
    anchors: &[&[u8]],
    at_unix_s: u64,
    signer_use: SignerUse,
) -> Result<(), Error> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| NO_CERTIFICATE)?;
    signer_use.check_parsed(&parsed)?;
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

/// Whether the path validation takes a certificate that is signed so.
pub(crate) fn is_accepted(algorithm: &Oid<'_>) -> bool {
    let is_it =
        |id: &[u8]| matches!(id, [0x06, len, rest @ ..] if rest.get(..usize::from(*len)) == Some(algorithm.as_bytes()));
    webpki::ALL_VERIFICATION_ALGS.iter().any(|known| is_it(known.signature_alg_id().as_ref()))
}

/// Whether a certificate can be named as one to trust servers by: that of an authority, or one that certified itself.
pub fn can_be_anchor(certificate: &[u8]) -> bool {
    let self_issued =
        X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.subject() == parsed.issuer());
    self_issued || certifies(certificate)
}

/// Whether a trusted certificate is that of an authority (RFC 5280 §4.2.1.3 and §4.2.1.9). The path validation takes
/// every anchor as one, so that a trusted signer could name further signers. Version 1 has no way to say it.
pub(crate) fn certifies(anchor: &[u8]) -> bool {
    let Ok((_, anchor)) = X509Certificate::from_der(anchor) else { return false };
    let (Ok(usage), Ok(constraints)) = (anchor.key_usage(), anchor.basic_constraints()) else { return false };
    let signs_certificates = usage.map(|usage| usage.value.key_cert_sign());
    match constraints {
        Some(constraints) => constraints.value.ca && signs_certificates != Some(false),
        None => anchor.version() == X509Version::V1 || signs_certificates == Some(true),
    }
}

/// What the signer is for has been looked at, and authorities need not say it.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
