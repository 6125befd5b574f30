//! Certificates of signers.

use x509_parser::der_parser::{Oid, oid};
use x509_parser::prelude::{ExtendedKeyUsage, FromDer as _, X509Certificate};

use crate::{Error, PathError, TrustAnchors};

/// The SubjectPublicKeyInfo of a certificate.
pub(crate) fn spki_of(der: &[u8]) -> Result<Vec<u8>, Error> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate.public_key().raw.to_vec()),
        _ => Err(NO_CERTIFICATE),
    }
}

const NO_CERTIFICATE: Error = Error::Path(PathError::NoCertificate);

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
    /// [`Error::KeyUse`]; [`Error::Path`] for what is no certificate.
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
/// [`Error::KeyUse`], and for all other reasons [`Error::Path`].
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
        _ = authorities.trust(anchor); // one that is no authority stands for itself alone
    }
    authorities.verify(leaf, intermediates.iter().copied(), at_unix_s).map_err(Error::Path)
}
