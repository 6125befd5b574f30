//! Signers' certificates.

use x509_parser::der_parser::{Oid, oid};
use x509_parser::prelude::{ExtendedKeyUsage, FromDer as _, X509Certificate};

use crate::certificate::NO_CERTIFICATE;
use crate::{Error, PathError, TrustAnchors};

/// The required purpose of a signer's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SignerUse {
    /// Document signing. If present, key usage must include digitalSignature or nonRepudiation
    /// (RFC 5280 §4.2.1.3), and extended key usage documentSigning (RFC 9336), emailProtection, codeSigning or
    /// any (§4.2.1.12). A TLS certificate, for example, does not qualify.
    #[default]
    Documents,
    /// Any purpose.
    Any,
}

impl SignerUse {
    /// Whether the certificate, X.509 in DER, is for this purpose.
    ///
    /// # Errors
    /// [`Error::KeyUse`]; [`Error::Path`] if it is not a certificate.
    pub fn check(self, certificate: &[u8]) -> Result<(), Error> {
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(|_| NO_CERTIFICATE)?;
        self.check_parsed(&parsed)
    }

    fn check_parsed(self, certificate: &X509Certificate<'_>) -> Result<(), Error> {
        if self == SignerUse::Any {
            return Ok(());
        }
        const UNREADABLE: Error = Error::KeyUse("its purpose cannot be read");
        let usage = certificate.key_usage().map_err(|_| UNREADABLE)?;
        if usage.is_some_and(|usage| !usage.value.digital_signature() && !usage.value.non_repudiation()) {
            return Err(Error::KeyUse("its key usage has neither digitalSignature nor nonRepudiation"));
        }
        let purposes = certificate.extended_key_usage().map_err(|_| UNREADABLE)?;
        let documents = |oid: &Oid<'_>| *oid == oid!(1.3.6.1.5.5.7.3.36);
        let fits = |purposes: &ExtendedKeyUsage<'_>| {
            purposes.any || purposes.email_protection || purposes.code_signing || purposes.other.iter().any(documents)
        };
        match purposes.is_none_or(|purposes| fits(purposes.value)) {
            true => Ok(()),
            false => Err(Error::KeyUse("its extended key usage allows neither documents, mail nor code")),
        }
    }
}

/// Whether the certificate `leaf` is for `signer_use`, is valid at the time `at_unix_s`, and chains to one of `anchors`
/// through `intermediates`, or is an anchor itself. All are X.509 in DER. Revocation is not checked, and as in RFC 5280 §6.1
/// the dates of an anchor above the leaf are ignored. An anchor that is not a CA certificate is trusted only as the leaf.
///
/// # Errors
/// [`Error::KeyUse`], and [`Error::Path`] for all other reasons.
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
        return if valid { Ok(()) } else { Err(Error::Path(PathError::Time)) };
    }
    let mut authorities = TrustAnchors::default();
    for anchor in anchors {
        _ = authorities.trust(anchor); // one that is not a CA is trusted only as the leaf
    }
    authorities.verify(leaf, intermediates.iter().copied(), at_unix_s).map_err(Error::Path)
}
