//! The certificates of this server, and when they expire.

use std::sync::Arc;

use x509_parser::parse_x509_certificate;

use crate::metrics::{Collectors, IntGauge, collectors, gauge};
use crate::net::private_ca::PrivateCa;
use crate::setup::k_servers::KServers;

/// A certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownCertificate {
    /// `tls`, `ca` or `k-server`.
    pub(crate) name: &'static str,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

/// The certificates in use; clones share them.
#[derive(Clone)]
pub(crate) struct Certificates {
    /// When that of the HTTPS server expires, which may change.
    tls: Option<IntGauge>,
    ca: Option<PrivateCa>,
    k_servers: Arc<KServers>,
    /// The first public URL.
    server: Arc<str>,
    of_ca: IntGauge,
    of_k_server: IntGauge,
}

impl Certificates {
    pub(crate) fn new(
        tls: Option<IntGauge>,
        ca: Option<PrivateCa>,
        k_servers: Arc<KServers>,
        server: impl Into<Arc<str>>,
    ) -> Self {
        let of_ca = gauge(
            "dskpp_ca_certificate_expiry_timestamp_seconds",
            "When the certificate of the private CA expires, in seconds since 1970; 0: it is not used.",
            &[],
        );
        let of_k_server = gauge(
            "dskpp_k_server_certificate_expiry_timestamp_seconds",
            "When the certificate of the K_SERVER that new runs take expires, in seconds since 1970; 0: it has none.",
            &[],
        );
        Certificates { tls, ca, k_servers, server: server.into(), of_ca, of_k_server }
    }

    /// The first public URL.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Those that can be read, that of TLS first.
    pub(crate) fn all(&self) -> Vec<KnownCertificate> {
        let tls = self.tls.as_ref().map(IntGauge::get).filter(|end| *end != 0);
        let ends = [("tls", tls), ("ca", self.ca_end()), ("k-server", self.k_server_end())];
        ends.into_iter().filter_map(|(name, end)| Some(KnownCertificate { name, expires_at: end? })).collect()
    }

    fn ca_end(&self) -> Option<i64> {
        self.ca.as_ref()?.expires_at()
    }

    fn k_server_end(&self) -> Option<i64> {
        let k_server = self.k_servers.newest();
        let (_, leaf) = parse_x509_certificate(k_server.certificate.first()?).ok()?;
        Some(leaf.validity().not_after.timestamp())
    }

    /// Sets the metrics.
    pub(crate) fn measure(&self) {
        self.of_ca.set(self.ca_end().unwrap_or(0));
        self.of_k_server.set(self.k_server_end().unwrap_or(0));
    }

    /// When those expire that have no metric elsewhere.
    pub(crate) fn metrics(&self) -> Collectors {
        collectors![self.of_ca, self.of_k_server]
    }
}
