//! Which K the client trusts (profile P29).

use std::time::SystemTime;

use dskpp::client::K;
use dskpp_crypto::{Error, RsaPublicKey, Secret};
use pskc::KeyInfo;

use super::error::EnrolmentError;
use crate::token::k_server::RememberedKServer;

/// What is known about a server's K before the run.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// The trust anchors for K_SERVER's certificate; empty: not verified.
    pub(super) anchors: Vec<Vec<u8>>,
    /// K_SHARED and its name.
    pub(super) device_key: Option<(String, Secret)>,
    /// For a renewal, what its token remembers; else what all tokens of this server remember.
    pub(super) remembered: Vec<RememberedKServer>,
    /// Whether TLS alone vouches for K_SERVER: for the first enrolment at a server, and if a person accepted the server
    /// itself.
    pub(super) takes_any: bool,
}

/// A K that is trusted, or that a person may accept.
pub(super) struct JudgedK {
    pub(super) k: K,
    /// What the token remembers; `None`: K is K_SHARED.
    pub(super) k_server: Option<RememberedKServer>,
    /// If not, a person must accept it.
    pub(super) is_trusted: bool,
}

impl Trust {
    /// The K that `EncryptionKey` describes, if it is usable at the time `now`.
    pub(super) fn judge(&self, info: &KeyInfo, now: SystemTime) -> Result<JudgedK, EnrolmentError> {
        if info.rsa_key_value.is_none() && info.x509_certificates.is_empty() {
            return self.shared(info);
        }
        let bare = info.rsa_key_value.as_ref().map(|rsa| RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent));
        let bare = bare.transpose().map_err(|error| EnrolmentError::KServer(error.to_string()))?;
        let k_server = match (&info.x509_certificates[..], bare) {
            ([], Some(key)) if self.anchors.is_empty() => self.bare(key),
            // A server must not avoid the required certificate by omitting it.
            ([], Some(_)) => {
                return Err(EnrolmentError::KServerCertificate("the server sent its key without one".into()));
            }
            ([], None) => return Err(EnrolmentError::KServer("it sent no key".to_owned())),
            ([leaf, above @ ..], bare) => {
                let chain = Chain { leaf, above, now };
                let key = chain.key()?;
                if bare.is_some_and(|bare| bare != key) {
                    return Err(EnrolmentError::KServerCertificate(
                        "it certifies a different key than the server sent".to_owned(),
                    ));
                }
                self.certified(key, &chain)?
            }
        };
        let (k_server, is_vouched) = k_server;
        let is_trusted = is_vouched || self.takes_any;
        Ok(JudgedK { k: K::Server(k_server.key.clone()), k_server: Some(k_server), is_trusted })
    }

    fn shared(&self, info: &KeyInfo) -> Result<JudgedK, EnrolmentError> {
        let Some(named) = &info.key_name else {
            return Err(EnrolmentError::KServer("it identifies its key in an unknown way".to_owned()));
        };
        match &self.device_key {
            Some((name, key)) if name == named => {
                Ok(JudgedK { k: K::Shared(key.clone()), k_server: None, is_trusted: true })
            }
            _ => Err(EnrolmentError::DeviceKeyName(named.clone())),
        }
    }

    /// A key without certificate, and whether it is remembered.
    fn bare(&self, key: RsaPublicKey) -> (RememberedKServer, bool) {
        match self.remembered.iter().find(|known| known.key == key) {
            Some(known) => (known.clone(), true),
            None => (RememberedKServer { key, issuer: None }, false),
        }
    }

    /// A key with its certificate, and whether it is remembered or has a trusted issuer. The token remembers the issuer
    /// together with the key: the server confirms both with a MAC over all messages.
    fn certified(&self, key: RsaPublicKey, chain: &Chain<'_>) -> Result<(RememberedKServer, bool), EnrolmentError> {
        if !self.anchors.is_empty() {
            let anchors: Vec<_> = self.anchors.iter().map(Vec::as_slice).collect();
            chain.leads_to(&anchors, chain.above).map_err(EnrolmentError::KServerCertificate)?;
        }
        let by_known = |known: &&RememberedKServer| {
            known.issuer.as_ref().is_some_and(|issuer| chain.leads_to(&[issuer], chain.above).is_ok())
        };
        if let Some(known) = self.remembered.iter().find(by_known) {
            return Ok((RememberedKServer { key, issuer: known.issuer.clone() }, true));
        }
        let issuer = chain.issuer(&self.anchors);
        let (known, is_known) = self.bare(key);
        let issuer = issuer.or(known.issuer);
        Ok((RememberedKServer { key: known.key, issuer }, is_known || !self.anchors.is_empty()))
    }
}

/// A certificate and the other certificates of the message, DER.
struct Chain<'a> {
    leaf: &'a [u8],
    above: &'a [Vec<u8>],
    #[cfg_attr(not(feature = "certificates"), expect(dead_code, reason = "only who verifies it needs the time"))]
    now: SystemTime,
}

impl Chain<'_> {
    fn key(&self) -> Result<RsaPublicKey, EnrolmentError> {
        RsaPublicKey::from_certificate_der(self.leaf).map_err(|why| match why {
            Error::Path(why) => EnrolmentError::KServerCertificate(why.to_string()),
            why => EnrolmentError::KServer(why.to_string()),
        })
    }

    /// Whether it is valid now and leads to one of the anchors. If not, why.
    #[cfg(feature = "certificates")]
    fn leads_to(&self, anchors: &[&[u8]], above: &[Vec<u8>]) -> Result<(), String> {
        let above: Vec<_> = above.iter().map(Vec::as_slice).collect();
        let now = self.now.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let verified = dskpp_crypto::verify_chain(self.leaf, &above, anchors, now, dskpp_crypto::SignerUse::Any);
        verified.map_err(|why| why.to_string())
    }

    /// Without the means to verify it, nothing vouches for a certificate.
    #[cfg(not(feature = "certificates"))]
    fn leads_to(&self, _anchors: &[&[u8]], _above: &[Vec<u8>]) -> Result<(), String> {
        Err("this program cannot verify certificates".to_owned())
    }

    /// The issuer: one of the other certificates, or an anchor.
    fn issuer(&self, anchors: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut candidates = self.above.iter().map(Vec::as_slice).chain(anchors.iter().map(Vec::as_slice));
        candidates.find(|candidate| self.leads_to(&[candidate], &[]).is_ok()).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests;
