//! Which K a client goes on with (profile P29).

use std::path::Path;

use dskpp::client::K;
use dskpp_crypto::{Authorities, Error, PathError, RsaPublicKey, Secret, Sha256, SignerUse, verify_chain};
use jiff::Timestamp;
use pskc::KeyInfo;
use rustls_pki_types::CertificateDer;

use crate::enroll::EnrollError;
use crate::token_store::Token;
use crate::transport::read_certificates;

/// The public exponent of a K_SERVER that a token remembers without one.
const USUAL_EXPONENT: [u8; 3] = [1, 0, 1];
/// What a fingerprint begins with.
pub(crate) const FINGERPRINT: &str = "sha256:";

/// K_SERVER as a token remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KServer {
    pub(crate) key: RsaPublicKey,
    /// The certificate of the authority that certified it, DER.
    pub(crate) issuer: Option<Vec<u8>>,
}

impl KServer {
    /// What a token remembers. A key that is none is as good as forgotten: nothing is accepted for it.
    pub(crate) fn of(token: &Token) -> Option<Self> {
        let exponent = token.k_server_exponent.as_deref().unwrap_or(&USUAL_EXPONENT);
        let key = RsaPublicKey::from_components(token.k_server.as_ref()?, exponent).ok()?;
        Some(KServer { key, issuer: token.k_server_issuer.clone() })
    }

    /// Puts it into a token.
    pub(crate) fn remember(&self, token: &mut Token) {
        token.k_server = Some(self.key.modulus().to_vec());
        token.k_server_exponent = Some(self.key.exponent().to_vec()).filter(|exponent| *exponent != USUAL_EXPONENT);
        token.k_server_issuer = self.issuer.clone();
    }

    /// `sha256:` and the SHA-256 of the key's SubjectPublicKeyInfo in DER, 64 lower-case hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = Sha256::digest(&[&self.key.to_spki_der()]);
        format!("{FINGERPRINT}{}", data_encoding::HEXLOWER.encode(&digest))
    }
}

/// What is known about a server's K before the run.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// Certificates that K_SERVER's certificate must lead to; empty: none is checked against them.
    pub(crate) anchors: Vec<CertificateDer<'static>>,
    /// K_SHARED and its name.
    pub(crate) device_key: Option<(String, Secret)>,
    /// At a renewal, what its token remembers; else what all tokens of this server do.
    pub(crate) remembered: Vec<KServer>,
    /// Whether a K_SERVER that nothing vouches for is taken as far as the TLS channel is trusted: at an enrolment with a
    /// server that no token remembers, and where a person has accepted the server itself.
    pub(crate) takes_any: bool,
}

/// A K that fits what is known, or may be accepted.
pub(crate) struct Judged {
    pub(crate) k: K,
    /// What a token is to remember; none: K_SHARED.
    pub(crate) k_server: Option<KServer>,
    /// Whether the run may go on with it. If not, a person has to say so.
    pub(crate) is_trusted: bool,
}

impl Trust {
    /// The anchors of a PEM file.
    pub(crate) fn read_anchors(path: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, EnrollError> {
        let Some(path) = path else { return Ok(Vec::new()) };
        let unusable = |reason| EnrollError::KServerCa { path: path.to_owned(), reason };
        let anchors = read_certificates(path).map_err(unusable)?;
        for anchor in &anchors {
            match Authorities::default().trust(anchor) {
                Ok(()) | Err(PathError::NoAuthority) => {} // one that is no authority stands for itself alone
                Err(why) => return Err(unusable(why.to_string())),
            }
        }
        Ok(anchors)
    }

    /// K of what `EncryptionKey` says, if it can be used.
    pub(crate) fn judge(&self, info: &KeyInfo) -> Result<Judged, EnrollError> {
        if info.rsa_key_value.is_none() && info.x509_certificates.is_empty() {
            return self.shared(info);
        }
        let bare = info.rsa_key_value.as_ref().map(|rsa| RsaPublicKey::from_components(&rsa.modulus, &rsa.exponent));
        let bare = bare.transpose().map_err(|error| EnrollError::KServer(error.to_string()))?;
        let k_server = match (&info.x509_certificates[..], bare) {
            ([], Some(key)) if self.anchors.is_empty() => self.bare(key),
            // Who asked for a certificate must not be talked out of it by leaving it away.
            ([], Some(_)) => return Err(EnrollError::KServerCertificate("the server sent its key without one".into())),
            ([], None) => return Err(EnrollError::KServer("it sent none".to_owned())),
            ([leaf, above @ ..], bare) => {
                let chain = Chain { leaf, above };
                let key = chain.key()?;
                if bare.is_some_and(|bare| bare != key) {
                    return Err(EnrollError::KServerCertificate(
                        "it certifies another key than the one sent".to_owned(),
                    ));
                }
                self.certified(key, &chain)?
            }
        };
        let (k_server, is_vouched) = k_server;
        let is_trusted = is_vouched || self.takes_any;
        Ok(Judged { k: K::Server(k_server.key.clone()), k_server: Some(k_server), is_trusted })
    }

    fn shared(&self, info: &KeyInfo) -> Result<Judged, EnrollError> {
        let Some(named) = &info.key_name else {
            return Err(EnrollError::KServer("it names a key in a way that is not known".to_owned()));
        };
        match &self.device_key {
            Some((name, key)) if name == named => {
                Ok(Judged { k: K::Shared(key.clone()), k_server: None, is_trusted: true })
            }
            _ => Err(EnrollError::DeviceKeyName(named.clone())),
        }
    }

    /// A key without certificate, and whether it is remembered.
    fn bare(&self, key: RsaPublicKey) -> (KServer, bool) {
        match self.remembered.iter().find(|known| known.key == key) {
            Some(known) => (known.clone(), true),
            None => (KServer { key, issuer: None }, false),
        }
    }

    /// A key with its certificate, and whether it is remembered, or certified by whom this client trusts. The issuer is
    /// remembered as far as the key is: the server confirms, with a MAC over all messages, what it sent.
    fn certified(&self, key: RsaPublicKey, chain: &Chain<'_>) -> Result<(KServer, bool), EnrollError> {
        if !self.anchors.is_empty() {
            let anchors: Vec<_> = self.anchors.iter().map(|anchor| &anchor[..]).collect();
            chain.leads_to(&anchors, chain.above).map_err(|why| EnrollError::KServerCertificate(why.to_string()))?;
        }
        let by_known = |known: &&KServer| {
            known.issuer.as_ref().is_some_and(|issuer| chain.leads_to(&[issuer], chain.above).is_ok())
        };
        if let Some(known) = self.remembered.iter().find(by_known) {
            return Ok((KServer { key, issuer: known.issuer.clone() }, true));
        }
        let issuer = chain.issuer(&self.anchors);
        let (known, is_known) = self.bare(key);
        let issuer = issuer.or(known.issuer);
        Ok((KServer { key: known.key, issuer }, is_known || !self.anchors.is_empty()))
    }
}

/// A certificate with those that came beside it, DER.
struct Chain<'a> {
    leaf: &'a [u8],
    above: &'a [Vec<u8>],
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
        let now = u64::try_from(Timestamp::now().as_second()).unwrap_or(0);
        verify_chain(self.leaf, &above, anchors, now, SignerUse::Any)
    }

    /// Who signed it: one of those beside it, or of the anchors.
    fn issuer(&self, anchors: &[CertificateDer<'_>]) -> Option<Vec<u8>> {
        let mut candidates = self.above.iter().map(Vec::as_slice).chain(anchors.iter().map(|anchor| &anchor[..]));
        candidates.find(|candidate| self.leads_to(&[candidate], &[]).is_ok()).map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
mod tests;
