//! Which device certificates are trusted: those that lead to a configured authority, are valid now, may be used for
//! key transport and are not revoked (RFC 5280 §6, RFC 6063 §5.1.1).

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dskpp_crypto::RsaPublicKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, ExtendedKeyUsageValidator, KeyPurposeIdIter,
    OwnedCertRevocationList, RevocationOptionsBuilder, UnknownStatusPolicy, anchor_from_trusted_cert,
};
use x509_parser::prelude::{FromDer as _, X509Certificate, X509Version};
use x509_parser::revocation_list::CertificateRevocationList;

use crate::config::Devices;
use crate::{ConfigError, Fault, files};

/// Why a device certificate is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WhyNot {
    /// No authority is configured that could certify devices.
    #[error("no authority is configured that could certify devices")]
    NoAnchors,
    /// What was given is no X.509 certificate.
    #[error("it is no X.509 certificate")]
    NoCertificate,
    /// Its key is of another kind, or too short or too long.
    #[error("its key is no RSA key of 2048 to 4096 bits")]
    Key,
    /// Its key usage leaves out keyEncipherment.
    #[error("its key usage does not allow keyEncipherment")]
    KeyUsage,
    /// Its dates, or those of a certificate above it.
    #[error("it, or one above it, is expired or not yet valid")]
    Time,
    /// No configured authority stands above it.
    #[error("it does not lead to a configured authority")]
    Untrusted,
    /// It or a certificate above it.
    #[error("it, or one above it, is revoked")]
    Revoked,
    /// Its issuer, or one above, has no revocation list.
    #[error("there is no revocation list by its issuer")]
    NoRevocationList,
    /// The list is past its next update.
    #[error("the revocation list by its issuer is out of date")]
    OldRevocationList,
    /// The list in its issuer's name is not signed by it.
    #[error("the revocation list in the name of its issuer is not by its issuer")]
    ForeignRevocationList,
    /// Anything else that path validation refuses.
    #[error("it, or one above it, is not usable")]
    Unusable,
}

impl From<webpki::Error> for WhyNot {
    fn from(error: webpki::Error) -> Self {
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

/// The RSA public key of a certificate (X.509, DER), whoever made it; nothing else of it is looked at.
///
/// # Errors
/// [`WhyNot::NoCertificate`], and [`WhyNot::Key`] for one that key transport cannot use.
pub(crate) fn key_of(certificate: &[u8]) -> Result<RsaPublicKey, WhyNot> {
    parsed(certificate)?;
    RsaPublicKey::from_certificate_der(certificate).map_err(|_| WhyNot::Key)
}

/// The authorities that certify devices, with their revocation lists; kept as current as their files.
#[derive(Debug)]
pub(crate) struct DeviceTrust {
    /// What was last looked at.
    watched: Mutex<(Devices, Stamp)>,
    read: RwLock<Arc<Read>>,
}

/// What tells that a file has changed; nothing where there is no file.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// What stands in the files.
#[derive(Debug)]
struct Read {
    config: Devices,
    anchors: Vec<TrustAnchor<'static>>,
    /// The newest first: the first one by an issuer counts.
    lists: Vec<CertRevocationList<'static>>,
}

impl DeviceTrust {
    /// Reads the configured files.
    ///
    /// # Errors
    /// Every file that is not usable, with its key and a remedy.
    pub(crate) fn load(config: &Devices) -> Result<Self, ConfigError> {
        // Before the files: what changes while they are read is read again.
        let watched = Mutex::new((config.clone(), stamp(config)));
        let read = RwLock::new(Arc::new(Read::load(config)?));
        Ok(Self { watched, read })
    }

    /// Whether any authority is configured.
    pub(crate) fn has_anchors(&self) -> bool {
        self.read().has_anchors()
    }

    fn read(&self) -> Arc<Read> {
        Arc::clone(&self.read.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The public key of a device's certificate. `chain` is its certificate and any that lead from it to an anchor, in
    /// DER; `unix_s` is when it is used. As in RFC 5280 §6.1, the dates of an anchor itself do not count.
    ///
    /// # Errors
    /// The first reason not to use it.
    pub(crate) fn check(&self, chain: &[Vec<u8>], unix_s: u64) -> Result<RsaPublicKey, WhyNot> {
        let read = self.read();
        if !read.has_anchors() {
            return Err(WhyNot::NoAnchors);
        }
        let (leaf, above) = chain.split_first().ok_or(WhyNot::NoCertificate)?;
        let key = key_of(leaf)?;
        match parsed(leaf)?.key_usage() {
            Ok(None) => {}
            Ok(Some(usage)) if usage.value.key_encipherment() => {}
            _ => return Err(WhyNot::KeyUsage),
        }
        let lists: Vec<_> = read.lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            let unlisted = match read.config.accept_unlisted_issuers {
                true => UnknownStatusPolicy::Allow,
                false => UnknownStatusPolicy::Deny,
            };
            options.with_status_policy(unlisted).with_expiration_policy(ExpirationPolicy::Enforce).build()
        });
        let (leaf, at) = (CertificateDer::from(&leaf[..]), UnixTime::since_unix_epoch(Duration::from_secs(unix_s)));
        let above: Vec<_> = above.iter().map(|der| CertificateDer::from(&der[..])).collect();
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        EndEntityCert::try_from(&leaf)?.verify_for_usage(
            algorithms,
            &read.anchors,
            &above,
            at,
            AnyUse,
            revocation,
            None,
        )?;
        Ok(key)
    }

    /// Looks at the files every so often, for ever. Files that have changed and are not usable leave in use what was
    /// read before, and a line in the log.
    pub(crate) async fn watch(self: Arc<Self>) -> Infallible {
        loop {
            tokio::time::sleep(Duration::from_secs(self.read().config.reload_s)).await;
            let trust = Arc::clone(&self);
            if let Err(why) = tokio::task::spawn_blocking(move || trust.look()).await {
                tracing::warn!("the devices' authorities could not be read: {why}");
            }
        }
    }

    fn look(&self) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let (config, known) = &mut *watched;
        let stamp = stamp(config);
        if stamp != *known {
            *known = stamp;
            self.take_over(config);
        }
    }

    /// Takes over what stands now in the files that `config` names. Blocks.
    pub(crate) fn reload(&self, config: &Devices) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(config);
        if self.take_over(config) {
            *watched = (config.clone(), stamp);
        }
    }

    fn take_over(&self, config: &Devices) -> bool {
        match Read::load(config) {
            Ok(read) => {
                if read.has_anchors() {
                    tracing::info!("took over the authorities and revocation lists of devices");
                }
                *self.read.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                true
            }
            Err(why) => {
                tracing::warn!("the old authorities and revocation lists of devices stay in use: {why}");
                false
            }
        }
    }
}

impl Read {
    fn load(config: &Devices) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, path: &Path, remedy: String| {
            faults.push(Fault::new(key, path.display(), remedy));
        };
        let mut anchors = Vec::new();
        if !config.anchors.as_os_str().is_empty() {
            match read_anchors(&config.anchors) {
                Ok(read) => anchors = read,
                Err(why) => fault("devices.anchors", &config.anchors, why),
            }
        }
        let mut lists = Vec::new();
        for path in &config.revocation_lists {
            match read_lists(path) {
                Ok(read) => lists.extend(read),
                Err(why) => fault("devices.revocation_lists", path, why),
            }
        }
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        lists.sort_by_key(|(this_update, _)| std::cmp::Reverse(*this_update));
        let lists = lists.into_iter().map(|(_, list)| list).collect();
        Ok(Self { config: config.clone(), anchors, lists })
    }

    fn has_anchors(&self) -> bool {
        !self.config.anchors.as_os_str().is_empty()
    }
}

fn stamp(config: &Devices) -> Stamp {
    let of = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    std::iter::once(&config.anchors).chain(&config.revocation_lists).map(of).collect()
}

fn read_anchors(path: &Path) -> Result<Vec<TrustAnchor<'static>>, String> {
    let certificates = files::read_certificates(path).map_err(|why| why.to_string())?;
    let anchor = |(number, der): (usize, &CertificateDer<'_>)| {
        let number = number + 1;
        let anchor = anchor_from_trusted_cert(der)
            .map_err(|why| format!("certificate {number} is not usable: {why}; use X.509 certificates"))?;
        // Path validation takes every anchor for an authority, so that a trusted device could certify others.
        match parsed(der).is_ok_and(|certificate| certifies(&certificate)) {
            true => Ok(anchor.to_owned()),
            false => Err(format!("certificate {number} is no authority's; leave it out")),
        }
    };
    certificates.iter().enumerate().map(anchor).collect()
}

/// Whether a trusted certificate is that of an authority (RFC 5280 §4.2.1.3 and §4.2.1.9). Version 1 cannot say it.
fn certifies(anchor: &X509Certificate<'_>) -> bool {
    let (Ok(usage), Ok(constraints)) = (anchor.key_usage(), anchor.basic_constraints()) else { return false };
    let signs_certificates = usage.map(|usage| usage.value.key_cert_sign());
    match constraints {
        Some(constraints) => constraints.value.ca && signs_certificates != Some(false),
        None => anchor.version() == X509Version::V1,
    }
}

/// The lists of a file, each with its date.
fn read_lists(path: &Path) -> Result<Vec<(i64, CertRevocationList<'static>)>, String> {
    let content = std::fs::read(path).map_err(|why| format!("cannot be read: {why}; name a readable file"))?;
    let lists: Vec<CertificateRevocationListDer<'_>> = match content.first() {
        // A SEQUENCE, which no text begins with.
        Some(0x30) => vec![CertificateRevocationListDer::from(&content[..])],
        _ => CertificateRevocationListDer::pem_slice_iter(content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&content))
            .collect::<Result<_, _>>()
            .map_err(|why| format!("is no PEM: {why}"))?,
    };
    if lists.is_empty() {
        return Err("has no X509 CRL block; use revocation lists in PEM or DER".to_owned());
    }
    lists.iter().map(|der| read_list(der)).collect()
}

fn read_list(der: &[u8]) -> Result<(i64, CertRevocationList<'static>), String> {
    let unusable = |why: &dyn std::fmt::Display| {
        format!("is not usable as a revocation list: {why}; use complete lists of version 2 (RFC 5280 §5)")
    };
    let list = OwnedCertRevocationList::from_der(der).map_err(|why| unusable(&why))?;
    let (_, dates) = CertificateRevocationList::from_der(der).map_err(|why| unusable(&why))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if dates.next_update().is_some_and(|next| u64::try_from(next.timestamp()).unwrap_or(0) < now) {
        tracing::warn!("the revocation list of {} is out of date: its devices are refused", dates.issuer());
    }
    Ok((dates.last_update().timestamp(), list.into()))
}

fn parsed(certificate: &[u8]) -> Result<X509Certificate<'_>, WhyNot> {
    match X509Certificate::from_der(certificate) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(WhyNot::NoCertificate),
    }
}

/// No purpose is registered for the keys of devices, so any will do.
struct AnyUse;

impl ExtendedKeyUsageValidator for AnyUse {
    fn validate(&self, _purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
