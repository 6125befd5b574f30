//! Validation of device certificates: they must chain to a configured trust anchor, be valid now, allow key transport
//! and not be revoked (RFC 5280 §6, RFC 6063 §5.1.1).

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use dskpp_crypto::{PathError, RevocationList, RsaPublicKey, TrustAnchors};
use rustls_pki_types::CertificateRevocationListDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::config::DevicesSection;
use crate::files::{self, Stamp};
use crate::model::clock::now;
use crate::{ConfigError, ConfigFault};

/// Why a device certificate is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CertificateError {
    /// No trust anchors for devices are configured.
    #[error("no trust anchors for devices are configured")]
    NoAnchors,
    /// The wrong type or size of key.
    #[error("its key is not an RSA key of 2048 to 4096 bits")]
    Key,
    /// Its key usage lacks keyEncipherment.
    #[error("its key usage does not allow keyEncipherment")]
    KeyUsage,
    /// It has no valid path to a trust anchor.
    #[error(transparent)]
    Path(#[from] PathError),
}

/// The RSA public key of a certificate (X.509, DER), without validating the certificate.
///
/// # Errors
/// [`PathError::NoCertificate`], and [`CertificateError::Key`] for a key that is unsuitable for key transport.
pub(crate) fn key_of(certificate: &[u8]) -> Result<RsaPublicKey, CertificateError> {
    RsaPublicKey::from_certificate_der(certificate).map_err(|why| match why {
        dskpp_crypto::Error::Path(why) => why.into(),
        _ => CertificateError::Key,
    })
}

/// The trust anchors for devices and their revocation lists, kept up to date with their files.
#[derive(Debug)]
pub(crate) struct DeviceTrust {
    /// The last state of the files.
    watched: Mutex<(DevicesSection, Vec<Stamp>)>,
    read: RwLock<Arc<LoadedFiles>>,
}

/// The content of the files.
#[derive(Debug)]
struct LoadedFiles {
    config: DevicesSection,
    anchors: TrustAnchors,
}

impl DeviceTrust {
    /// Reads the configured files.
    ///
    /// # Errors
    /// Every invalid file, with its key and a remedy.
    pub(crate) fn load(config: &DevicesSection) -> Result<Self, ConfigError> {
        // Stamp first: a change during the reading triggers another read.
        let watched = Mutex::new((config.clone(), stamps(config)));
        let read = RwLock::new(Arc::new(LoadedFiles::load(config)?));
        Ok(Self { watched, read })
    }

    /// Whether there are trust anchors.
    pub(crate) fn has_anchors(&self) -> bool {
        self.read().has_anchors()
    }

    fn read(&self) -> Arc<LoadedFiles> {
        Arc::clone(&self.read.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The public key of a device's certificate. `chain` is the certificate and any intermediate certificates, in DER;
    /// `unix_s` is the time of use. The dates of an anchor itself do not matter (RFC 5280 §6.1).
    ///
    /// The first reason to reject it.
    /// The first reason not to use it.
    pub(crate) fn check(&self, chain: &[Vec<u8>], unix_s: u64) -> Result<RsaPublicKey, CertificateError> {
        let read = self.read();
        if !read.has_anchors() {
            return Err(CertificateError::NoAnchors);
        }
        let (leaf, above) = chain.split_first().ok_or(PathError::NoCertificate)?;
        let key = key_of(leaf)?;
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| PathError::NoCertificate)?;
        match parsed.key_usage() {
            Ok(None) => {}
            Ok(Some(usage)) if usage.value.key_encipherment() => {}
            _ => return Err(CertificateError::KeyUsage),
        }
        read.anchors.verify(leaf, above.iter().map(Vec::as_slice), unix_s)?;
        Ok(key)
    }

    /// Checks the files at intervals, forever. If changed files are invalid, the old content stays in use and a warning
    /// is logged.
    pub(crate) async fn watch(self: Arc<Self>) -> Infallible {
        loop {
            tokio::time::sleep(Duration::from_secs(self.read().config.reload_s)).await;
            let trust = Arc::clone(&self);
            if let Err(why) = tokio::task::spawn_blocking(move || trust.look()).await {
                tracing::warn!("cannot read the trust anchors for devices: {why}");
            }
        }
    }

    fn look(&self) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let (config, known) = &mut *watched;
        let stamps = stamps(config);
        if stamps != *known {
            *known = stamps;
            self.take_over(config);
        }
    }

    /// Loads the current files that `config` names. Blocks.
    pub(crate) fn reload(&self, config: &DevicesSection) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(config);
        if self.take_over(config) {
            *watched = (config.clone(), stamps);
        }
    }

    fn take_over(&self, config: &DevicesSection) -> bool {
        match LoadedFiles::load(config) {
            Ok(read) => {
                if read.has_anchors() {
                    tracing::info!("reloaded the trust anchors and revocation lists for devices");
                }
                *self.read.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                true
            }
            Err(why) => {
                tracing::warn!("keeping the old trust anchors and revocation lists for devices: {why}");
                false
            }
        }
    }
}

impl LoadedFiles {
    fn load(config: &DevicesSection) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, path: &Path, remedy: String| {
            faults.push(ConfigFault::new(key, path.display(), remedy));
        };
        let mut anchors = TrustAnchors::default();
        anchors.accept_unlisted = config.accept_unlisted_issuers;
        if !config.anchors.as_os_str().is_empty()
            && let Err(why) = read_anchors(&config.anchors, &mut anchors)
        {
            fault("devices.anchors", &config.anchors, why);
        }
        for path in &config.revocation_lists {
            match read_lists(path) {
                Ok(read) => read.into_iter().for_each(|list| anchors.add(list)),
                Err(why) => fault("devices.revocation_lists", path, why),
            }
        }
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        Ok(Self { config: config.clone(), anchors })
    }

    fn has_anchors(&self) -> bool {
        !self.config.anchors.as_os_str().is_empty()
    }
}

fn stamps(config: &DevicesSection) -> Vec<Stamp> {
    std::iter::once(&config.anchors).chain(&config.revocation_lists).map(|path| files::stamp(path)).collect()
}

fn read_anchors(path: &Path, anchors: &mut TrustAnchors) -> Result<(), String> {
    let certificates = files::read_certificates(path).map_err(|why| why.to_string())?;
    for (number, der) in (1..).zip(&certificates) {
        anchors.trust(der).map_err(|why| match why {
            PathError::NoAuthority => format!("certificate {number} is not a CA certificate; remove it"),
            why => format!("certificate {number} is invalid: {why}; use X.509 certificates"),
        })?;
    }
    Ok(())
}

fn read_lists(path: &Path) -> Result<Vec<RevocationList>, String> {
    let content = std::fs::read(path).map_err(|why| format!("cannot be read: {why}; name a readable file"))?;
    let lists: Vec<CertificateRevocationListDer<'_>> = match content.first() {
        // A DER SEQUENCE; no text begins with this octet.
        Some(0x30) => vec![CertificateRevocationListDer::from(&content[..])],
        _ => CertificateRevocationListDer::pem_slice_iter(content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&content))
            .collect::<Result<_, _>>()
            .map_err(|why| format!("is not PEM: {why}"))?,
    };
    if lists.is_empty() {
        return Err("has no X509 CRL block; use CRLs in PEM or DER".to_owned());
    }
    lists.iter().map(|der| read_list(der)).collect()
}

fn read_list(der: &[u8]) -> Result<RevocationList, String> {
    let list = RevocationList::from_der(der)
        .map_err(|why| format!("is not a valid CRL: {why}; use complete CRLs of version 2 (RFC 5280 §5)"))?;
    if list.next_update.is_some_and(|next| next < now()) {
        tracing::warn!("the CRL of {} has expired: rejecting all its certificates", list.issuer);
    }
    Ok(list)
}

#[cfg(test)]
mod tests;
