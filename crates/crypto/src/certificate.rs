//! What every user of certificates needs: their key, and why they are not trusted.

use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::{Decode as _, Encode as _};

use crate::Error;

/// The SubjectPublicKeyInfo of a certificate (X.509, DER).
pub(crate) fn spki_of(der: &[u8]) -> Result<Vec<u8>, Error> {
    let certificate = CertificateInner::<Raw>::from_der(der).map_err(|_| NO_CERTIFICATE)?;
    certificate.tbs_certificate().subject_public_key_info().to_der().map_err(|_| NO_CERTIFICATE)
}

pub(crate) const NO_CERTIFICATE: Error = Error::Path(PathError::NoCertificate);

/// Why a certification path is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Not an X.509 certificate.
    #[error("it is not an X.509 certificate")]
    NoCertificate,
    /// It, or a certificate above it, has expired or is not valid yet.
    #[error("it, or a certificate above it, is not valid at this time")]
    Time,
    /// It does not chain to a trust anchor.
    #[error("it does not chain to a configured trust anchor")]
    Untrusted,
    /// It, or a certificate above it, is revoked.
    #[error("it, or a certificate above it, is revoked")]
    Revoked,
    /// Its issuer, or one above, has no CRL.
    #[error("its issuer has no revocation list (CRL)")]
    NoRevocationList,
    /// The issuer's CRL is past its `nextUpdate`.
    #[error("its issuer's revocation list (CRL) has expired")]
    OldRevocationList,
    /// The CRL in its issuer's name has an invalid signature.
    #[error("its issuer's revocation list (CRL) has an invalid signature")]
    ForeignRevocationList,
    /// A trusted certificate is not a CA certificate.
    #[error("it is not a CA certificate")]
    NoAuthority,
    /// Any other reason.
    #[error("it, or a certificate above it, is not usable")]
    Unusable,
}
