//! Which K the client trusts (profile P29).

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use dskpp::client::K;
use dskpp_crypto::{Error, PathError, RsaPublicKey, Secret, SignerUse, TrustAnchors, verify_chain};
use pskc::KeyInfo;

use super::error::EnrollError;
use crate::token::k_server::RememberedKServer;
use crate::transport::read_certificates;

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
    /// The anchors of a PEM file.
    pub(super) fn read_anchors(path: Option<&Path>) -> Result<Vec<Vec<u8>>, EnrollError> {
        let Some(path) = path else { return Ok(Vec::new()) };
        let unusable = |reason| EnrollError::KServerCa { path: path.to_owned(), reason };
        let anchors = read_certificates(path).map_err(unusable)?;
        for anchor in &anchors {
            match TrustAnchors::default().trust(anchor) {
                Ok(()) | Err(PathError::NoAuthority) => {} // an end-entity certificate vouches for itself only
                Err(why) => return Err(unusable(why.to_string())),
            }
        }
        Ok(anchors)
    }

    /// The K that `EncryptionKey` describes, if it is usable at the time `now`.
    pub(super) fn judge(&self, info: &KeyInfo, now: SystemTime) -> Result<JudgedK, EnrollError> {
        if info.rsa_key_value.is_none() && info.x509_certificates.is_empty() {
            return self.shared(info);
        }
        let bare = info.rsa_key_value.as_ref().map(|rsa| RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent));
        let bare = bare.transpose().map_err(|error| EnrollError::KServer(error.to_string()))?;
        let k_server = match (&info.x509_certificates[..], bare) {
            ([], Some(key)) if self.anchors.is_empty() => self.bare(key),
            // A server must not avoid the required certificate by omitting it.
            ([], Some(_)) => return Err(EnrollError::KServerCertificate("the server sent its key without one".into())),
            ([], None) => return Err(EnrollError::KServer("it sent no key".to_owned())),
            ([leaf, above @ ..], bare) => {
                let chain = Chain { leaf, above, now };
                let key = chain.key()?;
                if bare.is_some_and(|bare| bare != key) {
                    return Err(EnrollError::KServerCertificate(
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

    fn shared(&self, info: &KeyInfo) -> Result<JudgedK, EnrollError> {
        let Some(named) = &info.key_name else {
            return Err(EnrollError::KServer("it identifies its key in an unknown way".to_owned()));
        };
        match &self.device_key {
            Some((name, key)) if name == named => {
                Ok(JudgedK { k: K::Shared(key.clone()), k_server: None, is_trusted: true })
            }
            _ => Err(EnrollError::DeviceKeyName(named.clone())),
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
    fn certified(&self, key: RsaPublicKey, chain: &Chain<'_>) -> Result<(RememberedKServer, bool), EnrollError> {
        if !self.anchors.is_empty() {
            let anchors: Vec<_> = self.anchors.iter().map(Vec::as_slice).collect();
            chain.leads_to(&anchors, chain.above).map_err(|why| EnrollError::KServerCertificate(why.to_string()))?;
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
    now: SystemTime,
}

impl Chain<'_> {
    fn key(&self) -> Result<RsaPublicKey, EnrollError> {
        RsaPublicKey::from_certificate_der(self.leaf).map_err(|why| match why {
            Error::Path(why) => EnrollError::KServerCertificate(why.to_string()),
            why => EnrollError::KServer(why.to_string()),
        })
    }

    /// Whether it is valid now and leads to one of the anchors.
    fn leads_to(&self, anchors: &[&[u8]], above: &[Vec<u8>]) -> Result<(), Error> {
        let above: Vec<_> = above.iter().map(Vec::as_slice).collect();
        let now = self.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        verify_chain(self.leaf, &above, anchors, now, SignerUse::Any)
    }

    /// The issuer: one of the other certificates, or an anchor.
    fn issuer(&self, anchors: &[Vec<u8>]) -> Option<Vec<u8>> {
        let mut candidates = self.above.iter().map(Vec::as_slice).chain(anchors.iter().map(Vec::as_slice));
        candidates.find(|candidate| self.leads_to(&[candidate], &[]).is_ok()).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests;
