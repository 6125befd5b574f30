//! Certification path validation (RFC 5280 §6).

use std::time::Duration;

use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    OwnedCertRevocationList, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::der_parser::Oid;
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};
use x509_parser::revocation_list::CertificateRevocationList;

use crate::PathError;

impl PathError {
    fn of(error: webpki::Error) -> Self {
        use webpki::Error as E;
        match error {
            E::BadDer | E::TrailingData(_) => Self::NoCertificate,
            E::CertExpired { .. } | E::CertNotValidYet { .. } => Self::Time,
            E::UnknownIssuer | E::InvalidSignatureForPublicKey => Self::Untrusted,
            E::CertRevoked => Self::Revoked,
            E::UnknownRevocationStatus => Self::NoRevocationList,
            E::CrlExpired { .. } => Self::OldRevocationList,
            E::InvalidCrlSignatureForPublicKey | E::IssuerNotCrlSigner => Self::ForeignRevocationList,
            _ => Self::Unusable,
        }
    }
}

/// A revocation list (CRL, RFC 5280 §5): complete, version 2.
#[derive(Debug)]
#[non_exhaustive]
pub struct RevocationList {
    list: CertRevocationList<'static>,
    /// `thisUpdate`, seconds since 1970.
    pub this_update: i64,
    /// `nextUpdate`, seconds since 1970, if present.
    pub next_update: Option<i64>,
    /// The distinguished name of its issuer, for messages.
    pub issuer: String,
}

impl RevocationList {
    /// Parses a CRL (DER). Its signature is checked on use.
    ///
    /// # Errors
    /// What is wrong, as a clause about the list.
    pub fn from_der(der: &[u8]) -> Result<Self, String> {
        let list = OwnedCertRevocationList::from_der(der).map_err(|why| why.to_string())?;
        let (_, read) = CertificateRevocationList::from_der(der).map_err(|why| why.to_string())?;
        Ok(Self {
            list: list.into(),
            this_update: read.last_update().timestamp(),
            next_update: read.next_update().map(|next| next.timestamp()),
            issuer: read.issuer().to_string(),
        })
    }
}

/// Trust anchors, and the CRLs of their hierarchies.
#[derive(Debug, Default)]
pub struct TrustAnchors {
    anchors: Vec<TrustAnchor<'static>>,
    /// Newest first: the first one of an issuer applies.
    lists: Vec<RevocationList>,
    /// Whether to accept certificates whose issuer has no CRL, if there are any CRLs.
    pub accept_unlisted: bool,
}

impl TrustAnchors {
    /// Adds a trust anchor by its certificate (X.509, DER).
    ///
    /// # Errors
    /// [`PathError::NoCertificate`], [`PathError::Unusable`], and [`PathError::NoAuthority`]: path validation treats every
    /// anchor as a CA, so an end-entity certificate could certify others.
    pub fn trust(&mut self, der: &[u8]) -> Result<(), PathError> {
        let der = CertificateDer::from(der);
        let anchor = anchor_from_trusted_cert(&der).map_err(PathError::of)?;
        if !certifies(&der) {
            return Err(PathError::NoAuthority);
        }
        self.anchors.push(anchor.to_owned());
        Ok(())
    }

    /// Adds a CRL. From the first one on, every certificate of a path is checked for revocation.
    pub fn add(&mut self, list: RevocationList) {
        let at = self.lists.partition_point(|known| known.this_update >= list.this_update);
        self.lists.insert(at, list);
    }

    /// Whether the certificate `leaf` chains to a trust anchor through `intermediates`, and each on the path is
    /// valid at that time and not revoked. All are X.509 in DER; unneeded `intermediates` are
    /// ignored. As in RFC 5280 §6.1, the dates of a trust anchor are ignored; key usage is not
    /// checked.
    ///
    /// # Errors
    /// [`PathError`]: the first reason found.
    pub fn verify<'a>(
        &self,
        leaf: &[u8],
        intermediates: impl IntoIterator<Item = &'a [u8]>,
        at_unix_s: u64,
    ) -> Result<(), PathError> {
        let lists: Vec<_> = self.lists.iter().map(|list| &list.list).collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            let unlisted = match self.accept_unlisted {
                true => UnknownStatusPolicy::Allow,
                false => UnknownStatusPolicy::Deny,
            };
            options.with_status_policy(unlisted).with_expiration_policy(ExpirationPolicy::Enforce).build()
        });
        let (leaf, at) = (CertificateDer::from(leaf), UnixTime::since_unix_epoch(Duration::from_secs(at_unix_s)));
        let intermediates: Vec<_> = intermediates.into_iter().map(CertificateDer::from).collect();
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        let leaf = EndEntityCert::try_from(&leaf).map_err(PathError::of)?;
        let path = leaf.verify_for_usage(algorithms, &self.anchors, &intermediates, at, AnyUse, revocation, None);
        path.map(drop).map_err(PathError::of)
    }
}

/// Whether a trust anchor is a CA certificate (RFC 5280 §4.2.1.3 and §4.2.1.9). Version 1 cannot state
/// it; version 3 states it in its basic constraints.
pub(crate) fn certifies(anchor: &[u8]) -> bool {
    let Ok((_, anchor)) = X509Certificate::from_der(anchor) else { return false };
    let (Ok(usage), Ok(constraints)) = (anchor.key_usage(), anchor.basic_constraints()) else { return false };
    let signs_certificates = usage.map(|usage| usage.value.key_cert_sign());
    match constraints {
        Some(constraints) => constraints.value.ca && signs_certificates != Some(false),
        None => anchor.version() == X509Version::V1,
    }
}

/// Whether a certificate is suitable as a trust anchor for servers: a CA certificate, or a self-signed one.
pub fn can_be_anchor(certificate: &[u8]) -> bool {
    let self_issued =
        X509Certificate::from_der(certificate).is_ok_and(|(_, parsed)| parsed.subject() == parsed.issuer());
    self_issued || certifies(certificate)
}

/// Whether path validation supports this signature algorithm.
pub(crate) fn is_accepted(algorithm: &Oid<'_>) -> bool {
    let is_it =
        |id: &[u8]| matches!(id, [0x06, len, rest @ ..] if rest.get(..usize::from(*len)) == Some(algorithm.as_bytes()));
    webpki::ALL_VERIFICATION_ALGS.iter().any(|known| is_it(known.signature_alg_id().as_ref()))
}

/// CA certificates need not state purposes.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}
