//! Which K a client goes on with (profile P29).

use std::path::Path;

use dskpp::client::K;
use dskpp_crypto::{RsaPublicKey, Secret};
use pskc::KeyInfo;
use rustls_pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, anchor_from_trusted_cert};

use crate::enroll::EnrollError;
use crate::transport::read_certificates;

/// What is known about a server's K before the run.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// Certificates that K_SERVER's certificate may lead to; empty: none is checked.
    pub(crate) anchors: Vec<CertificateDer<'static>>,
    /// K_SHARED and its name.
    pub(crate) device_key: Option<(String, Secret)>,
    /// The moduli of this server that tokens remember.
    pub(crate) remembered: Vec<Vec<u8>>,
    /// Whether another K_SERVER than the remembered ones is accepted: a person said so, or the server proves in
    /// this run that it knows the key to be renewed.
    pub(crate) accept_new: bool,
}

impl Trust {
    /// The anchors of a PEM file.
    pub(crate) fn read_anchors(path: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, EnrollError> {
        let Some(path) = path else { return Ok(Vec::new()) };
        let unusable = |reason| EnrollError::KServerCa { path: path.to_owned(), reason };
        let anchors = read_certificates(path).map_err(unusable)?;
        for anchor in &anchors {
            anchor_from_trusted_cert(anchor).map_err(|error| unusable(error.to_string()))?;
        }
        Ok(anchors)
    }

    /// K of what `EncryptionKey` says, if it may be used.
    pub(crate) fn choose(&self, info: &KeyInfo) -> Result<K, EnrollError> {
        if info.rsa_key_value.is_none() && info.x509_certificates.is_empty() {
            return self.shared(info);
        }
        let (key, certified) = match &info.x509_certificates[..] {
            [] if !self.anchors.is_empty() => {
                // Who asked for a certificate must not be talked out of it by leaving it away.
                return Err(EnrollError::KServerCertificate("the server sent its key without one".to_owned()));
            }
            [] => (None, false),
            [leaf, above @ ..] => (Some(self.certified(leaf, above)?), !self.anchors.is_empty()),
        };
        let bare = info.rsa_key_value.as_ref().map(|rsa| RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent));
        let bare = bare.transpose().map_err(|error| EnrollError::KServer(error.to_string()))?;
        let key = match (key, bare) {
            (Some(key), Some(bare)) if (key.modulus(), key.exponent()) != (bare.modulus(), bare.exponent()) => {
                return Err(EnrollError::KServerCertificate("it certifies another key than the one sent".to_owned()));
            }
            (Some(key), _) | (None, Some(key)) => key,
            (None, None) => return Err(EnrollError::KServer("it sent none".to_owned())),
        };
        let changed = !self.remembered.is_empty() && !self.remembered.iter().any(|known| known == key.modulus());
        match changed && !certified && !self.accept_new {
            true => Err(EnrollError::KServerChanged),
            false => Ok(K::Server(key)),
        }
    }

    fn shared(&self, info: &KeyInfo) -> Result<K, EnrollError> {
        let Some(named) = &info.key_name else {
            return Err(EnrollError::KServer("it names a key in a way that is not known".to_owned()));
        };
        match &self.device_key {
            Some((name, key)) if name == named => Ok(K::Shared(key.clone())),
            _ => Err(EnrollError::DeviceKeyName(named.clone())),
        }
    }

    /// The key of `leaf`, which must lead to an anchor where there are any.
    fn certified(&self, leaf: &[u8], above: &[Vec<u8>]) -> Result<RsaPublicKey, EnrollError> {
        let wrong = |error: webpki::Error| EnrollError::KServerCertificate(error.to_string());
        let leaf = CertificateDer::from(leaf);
        let leaf = EndEntityCert::try_from(&leaf).map_err(wrong)?;
        if !self.anchors.is_empty() {
            let anchors: Result<Vec<_>, _> = self.anchors.iter().map(anchor_from_trusted_cert).collect();
            let above: Vec<CertificateDer<'_>> = above.iter().map(|der| CertificateDer::from(&der[..])).collect();
            let (algorithms, now) = (webpki::ALL_VERIFICATION_ALGS, UnixTime::now());
            leaf.verify_for_usage(algorithms, &anchors.map_err(wrong)?, &above, now, AnyUse, None, None)
                .map_err(wrong)?;
        }
        RsaPublicKey::from_spki_der(&leaf.subject_public_key_info())
            .map_err(|error| EnrollError::KServer(error.to_string()))
    }
}

/// No purpose is registered for K_SERVER, so any will do.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
