//! TLS 1.2 and 1.3 from watched files: the server reloads changed files without a restart; invalid ones leave the old
//! certificate in use and are logged.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::sync::mpsc;

use crate::Error;
use crate::files::{self, Stamp};
use crate::metrics::{Collectors, IntGauge, collectors, gauge};
use crate::model::clock::timestamp;
use crate::net::private_ca::PrivateCa;
use crate::platform::warn_of_exposed_key;

/// The source of the certificate.
pub(crate) enum CertificateSource {
    /// The operator's files.
    Files { certificate: PathBuf, key: PathBuf },
    /// The private CA in the data folder.
    PrivateCa(PrivateCa),
}

impl CertificateSource {
    fn paths(&self) -> [PathBuf; 2] {
        match self {
            CertificateSource::Files { certificate, key } => [certificate.clone(), key.clone()],
            CertificateSource::PrivateCa(ca) => [ca.certificate_file(), ca.key_file()],
        }
    }

    fn stamps(&self) -> [Stamp; 2] {
        self.paths().map(|path| files::stamp(&path))
    }
}

/// The configuration for new connections; stays up to date.
#[derive(Clone)]
pub(crate) struct InUse(Arc<RwLock<Arc<ServerConfig>>>);

impl InUse {
    /// The current configuration.
    pub(crate) fn now(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The server's certificate and its files.
pub(crate) struct TlsIdentity {
    source: CertificateSource,
    stamps: [Stamp; 2],
    in_use: InUse,
    /// The last warning about the CA.
    warning: Option<String>,
    /// When the certificate in use expires.
    expires_at: IntGauge,
}

impl TlsIdentity {
    /// Loads the certificate, after the CA has issued one if necessary.
    pub(crate) fn load(source: CertificateSource) -> Result<Self, Error> {
        let warning = match &source {
            CertificateSource::PrivateCa(ca) => ca.ensure(timestamp())?,
            CertificateSource::Files { .. } => None,
        };
        warning.iter().for_each(|warning| tracing::warn!("{warning}"));
        let stamps = source.stamps();
        let (config, expires) = server_config(&source.paths())?;
        let in_use = InUse(Arc::new(RwLock::new(config)));
        let expires_at = gauge(
            "dskpp_tls_certificate_expiry_timestamp_seconds",
            "When the certificate of the HTTPS server expires, in seconds since 1970.",
            &[],
        );
        expires_at.set(expires);
        Ok(Self { source, stamps, in_use, warning, expires_at })
    }

    /// The configuration for new connections; stays up to date.
    pub(crate) fn in_use(&self) -> InUse {
        self.in_use.clone()
    }

    /// When the certificate in use expires, in seconds since 1970; stays up to date.
    pub(crate) fn expiry(&self) -> IntGauge {
        self.expires_at.clone()
    }

    /// When the certificate in use expires.
    pub(crate) fn metrics(&self) -> Collectors {
        collectors![self.expires_at]
    }

    /// The private CA's certificate, if the CA issued the current one.
    pub(crate) fn ca_file(&self) -> Option<PathBuf> {
        match &self.source {
            CertificateSource::PrivateCa(ca) => Some(ca.ca_file()),
            CertificateSource::Files { .. } => None,
        }
    }

    /// Checks the files every `interval`, forever, and on each message from `reloads`, which may name other files.
    pub(crate) async fn watch(
        mut self,
        interval: Duration,
        mut reloads: mpsc::Receiver<Option<CertificateSource>>,
    ) -> Infallible {
        loop {
            tokio::select! {
                () = tokio::time::sleep(interval) => self.check_files(),
                Some(files) = reloads.recv() => self.reload(files),
            }
        }
    }

    /// Loads the current content of the files, or of other ones.
    fn reload(&mut self, files: Option<CertificateSource>) {
        let source = files.as_ref().unwrap_or(&self.source);
        let stamps = source.stamps();
        if self.take_over(&source.paths()) {
            self.stamps = stamps;
            if let Some(files) = files {
                self.source = files;
            }
        }
    }

    fn check_files(&mut self) {
        if let CertificateSource::PrivateCa(ca) = &self.source {
            let renewed = ca.ensure(timestamp());
            let warning = renewed.unwrap_or_else(|why| Some(format!("cannot renew the certificate: {why}")));
            if warning != self.warning {
                warning.iter().for_each(|warning| tracing::warn!("{warning}"));
                self.warning = warning;
            }
        }
        let stamps = self.source.stamps();
        if stamps == self.stamps {
            return;
        }
        self.stamps = stamps;
        self.take_over(&self.source.paths());
    }

    /// Uses the current content of the files; `false` if it is invalid.
    fn take_over(&self, files: &[PathBuf; 2]) -> bool {
        match server_config(files) {
            Ok((config, expires)) => {
                self.expires_at.set(expires);
                *self.in_use.0.write().unwrap_or_else(PoisonError::into_inner) = config;
                tracing::info!("loaded the certificate {}", files[0].display());
                true
            }
            Err(why) => {
                tracing::warn!("keeping the old certificate: {why}");
                false
            }
        }
    }
}

/// Whether a server can start with these files.
pub(crate) fn check_files(certificate: &Path, key: &Path) -> Result<(), Error> {
    server_config(&[certificate.to_owned(), key.to_owned()]).map(drop)
}

/// The configuration, and when the certificate expires, in seconds since 1970.
fn server_config([certificate, key]: &[PathBuf; 2]) -> Result<(Arc<ServerConfig>, i64), Error> {
    let chain = files::read_certificates(certificate)?;
    let expires = chain.first().and_then(|leaf| x509_parser::parse_x509_certificate(leaf).ok());
    let expires = expires.map_or(0, |(_, leaf)| leaf.validity().not_after.timestamp());
    let private = read_key(key)?;
    let unusable = |why: rustls::Error| Error::Content {
        path: certificate.clone(),
        what: "the certificate of this server",
        why: format!("{why}; it must match the private key {}", key.display()),
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config =
        builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private)).map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), expires))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    warn_of_exposed_key(path);
    let pem = dskpp_crypto::Secret::new(files::read_text(path)?.into_bytes());
    PrivateKeyDer::from_pem_slice(pem.expose()).map_err(|why| Error::Content {
        path: path.to_owned(),
        what: "a PEM private key",
        why: why.to_string(),
    })
}
