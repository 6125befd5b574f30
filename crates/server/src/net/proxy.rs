//! Whose request it is: the address at the other end of the connection, or, where a configured proxy is there, the one
//! that the proxy names. Nobody else is believed, and what cannot be read is an error.

mod forwarded;
mod header_v2;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::http::{HeaderMap, HeaderValue, header};
use tokio::io::AsyncRead;

use crate::config::{Proxy, ProxyHeader};

/// The configured proxies.
pub(crate) struct Proxies {
    config: Proxy,
    /// Whether the log says already that one names no client.
    warned: AtomicBool,
}

/// Why a proxy's header does not tell the client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadHeader {
    /// It has other than visible characters.
    #[error("it is no text")]
    NoText,
    /// It is no list of elements (RFC 7239 §4).
    #[error("`Forwarded` does not follow its grammar")]
    Grammar,
    /// An element that counts names no one.
    #[error("an element has no `for`")]
    NoFor,
    /// What counts is no address: `unknown`, a made-up identifier, or anything else.
    #[error("{0:?} is no address")]
    NoAddress(String),
    /// It is there and names nobody.
    #[error("it is empty")]
    Empty,
}

impl Proxies {
    pub(crate) fn new(config: Proxy) -> Self {
        Proxies { config, warned: AtomicBool::new(false) }
    }

    /// Whether an address is that of a proxy.
    pub(crate) fn are(&self, address: IpAddr) -> bool {
        self.config.header != ProxyHeader::None && self.config.trusted.iter().any(|network| network.contains(address))
    }

    /// The client of a new connection: whom its proxy announces before everything else (PROXY protocol v2), or who is
    /// at the other end.
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

    /// Whom the proxy at `peer` names in a request; nobody where there is no proxy, or the request is the proxy's own.
    ///
    /// Each proxy adds the address that it sees at the right. From there on, those of proxies are passed over: the
    /// first other one counts. What stands left of it is only the client's word.
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

    /// Says once that a proxy names no clients: all of them then count as one.
    pub(crate) fn warn_of_silence(&self, peer: SocketAddr) {
        let names_clients = matches!(self.config.header, ProxyHeader::Forwarded | ProxyHeader::XForwardedFor);
        if names_clients && self.are(peer.ip()) && !self.warned.swap(true, Relaxed) {
            tracing::warn!(%peer, "requests of this proxy come without the header that proxy.header names: its address \
                is taken for that of all its clients");
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

/// The longest text that is quoted in the log.
const MAX_QUOTED: usize = 100;

fn no_address(text: &str) -> BadHeader {
    BadHeader::NoAddress(text.chars().take(MAX_QUOTED).collect())
}

/// An address with or without a port; IPv6 stands in brackets where it has one. No port is 0.
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
