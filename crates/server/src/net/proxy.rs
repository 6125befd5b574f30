//! The client's address: the peer of the connection or, if that is a configured proxy, the address that the proxy
//! passes. Headers of other peers are ignored, and invalid ones are errors.

mod forwarded;
mod header_v2;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::http::{HeaderMap, HeaderValue, header};
use tokio::io::AsyncRead;

use crate::config::{ProxyHeader, ProxySection};
use crate::net::request_id::RequestId;

/// The configured proxies.
pub(crate) struct Proxies {
    config: ProxySection,
    /// Whether the log has warned of a proxy that passes no addresses.
    warned: AtomicBool,
}

/// Why a proxy's header is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHeader {
    /// It contains characters that are not visible ASCII.
    #[error("it is not visible ASCII")]
    NoText,
    /// It is not a list of elements (RFC 7239 §4).
    #[error("`Forwarded` does not follow its grammar")]
    Grammar,
    /// A relevant element has no address.
    #[error("an element has no `for`")]
    NoFor,
    /// A relevant value is not an address: `unknown`, an obfuscated identifier, or anything else.
    #[error("{0:?} is not an address")]
    NoAddress(String),
    /// It is present but empty.
    #[error("it is empty")]
    Empty,
    /// `X-Request-ID` is unusable, or there are several.
    #[error("`X-Request-ID` is not one id of 1 to 128 letters, digits and -_.:/+=")]
    RequestId,
}

impl Proxies {
    pub(crate) fn new(config: ProxySection) -> Self {
        Proxies { config, warned: AtomicBool::new(false) }
    }

    /// Whether an address is that of a proxy.
    pub(crate) fn are(&self, address: IpAddr) -> bool {
        self.config.header != ProxyHeader::None && self.config.trusted.iter().any(|network| network.contains(address))
    }

    /// The client of a new connection: the one that its proxy announces first (PROXY protocol v2), or the peer.
    pub(crate) async fn announced(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        peer: SocketAddr,
    ) -> io::Result<SocketAddr> {
        match self.config.header == ProxyHeader::ProxyV2 && self.are(peer.ip()) {
            true => Ok(header_v2::read(stream).await?.unwrap_or(peer)),
            false => Ok(peer),
        }
    }

    /// The client that the proxy at `peer` names in a request; `None` without a proxy, or for the proxy's own requests.
    ///
    /// Each proxy appends the address that it sees on the right. From the right, trusted addresses are skipped; the
    /// first other one is the client. Anything further left is only the client's claim.
    pub(crate) fn named(&self, peer: SocketAddr, headers: &HeaderMap) -> Result<Option<SocketAddr>, BadHeader> {
        if !self.are(peer.ip()) {
            return Ok(None);
        }
        let name = match self.config.header {
            ProxyHeader::None | ProxyHeader::ProxyV2 => return Ok(None),
            ProxyHeader::Forwarded => header::FORWARDED,
            ProxyHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-for"),
        };
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        if lines.is_empty() {
            return Ok(None);
        }
        let mut outermost = None;
        for line in lines.into_iter().rev() {
            for address in self.addresses(line)? {
                let address = address?;
                if !self.are(address.ip()) {
                    return Ok(Some(address));
                }
                outermost = Some(address);
            }
        }
        outermost.map(Some).ok_or(BadHeader::Empty)
    }

    /// The id that the proxy at `peer` gives a request. A proxy that speaks the PROXY protocol need not understand
    /// requests: there, a header is anybody's.
    pub(crate) fn request_id(&self, peer: SocketAddr, headers: &HeaderMap) -> Result<Option<RequestId>, BadHeader> {
        match self.config.header {
            ProxyHeader::Forwarded | ProxyHeader::XForwardedFor if self.are(peer.ip()) => {
                RequestId::of(headers).map_err(|()| BadHeader::RequestId)
            }
            _ => Ok(None),
        }
    }

    /// Warns once that a proxy names no clients: they all count as one then.
    pub(crate) fn warn_of_missing_header(&self, peer: SocketAddr) {
        let names_clients = matches!(self.config.header, ProxyHeader::Forwarded | ProxyHeader::XForwardedFor);
        if names_clients && self.are(peer.ip()) && !self.warned.swap(true, Relaxed) {
            tracing::warn!(%peer, "requests from this proxy lack the header set in proxy.header: all its clients \
                count as one address");
        }
    }

    /// The addresses of one line, from the right.
    fn addresses<'a>(
        &self,
        line: &'a HeaderValue,
    ) -> Result<Box<dyn Iterator<Item = Result<SocketAddr, BadHeader>> + 'a>, BadHeader> {
        let line = line.to_str().map_err(|_| BadHeader::NoText)?;
        if self.config.header == ProxyHeader::Forwarded {
            let nodes = forwarded::nodes(line)?.into_iter().rev();
            return Ok(Box::new(nodes.map(|node| forwarded::address(&node.ok_or(BadHeader::NoFor)?))));
        }
        let parts = line.rsplit(',').map(str::trim).filter(|part| !part.is_empty());
        Ok(Box::new(parts.map(|part| address(part).ok_or_else(|| no_address(part)))))
    }
}

/// The longest text to quote in the log.
const MAX_QUOTED: usize = 100;

fn no_address(text: &str) -> BadHeader {
    BadHeader::NoAddress(text.chars().take(MAX_QUOTED).collect())
}

/// An address with or without a port; IPv6 with a port is in brackets. Port 0 means none.
fn address(text: &str) -> Option<SocketAddr> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let alone = match bracketed {
        Some(inner) => inner.parse().ok().map(IpAddr::V6),
        None => text.parse().ok(),
    };
    let full = || text.parse::<SocketAddr>().ok().filter(|_| !text.contains('%'));
    alone.map(|address| SocketAddr::new(address, 0)).or_else(full).map(canonical)
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
