//! `[proxy]`

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// `[proxy]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proxy {
    /// The proxies in front of the server. What they say about a client's address is believed, and nobody else.
    pub trusted: Vec<Network>,
    /// How they say it.
    pub header: ProxyHeader,
}

/// How proxies tell the address of their client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// Not at all: there is no proxy.
    #[default]
    None,
    /// `Forwarded` in each request (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For` in each request.
    XForwardedFor,
    /// A header before everything else on a connection: version 2 of the PROXY protocol.
    ProxyV2,
}

/// Addresses in CIDR notation, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is one of these; IPv4 inside IPv6 is IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => {
                text.parse().map_err(|_| format!("`{text}` is no network: write it as 10.0.0.0/8 or 2001:db8::/32"))?
            }
        };
        if network != network.trunc() {
            return Err(format!("`{text}` has bits set beyond its prefix: write {} or one address", network.trunc()));
        }
        if network.addr() != network.addr().to_canonical() {
            return Err(format!("`{text}` is IPv4 inside IPv6: write it as IPv4"));
        }
        Ok(Network(network))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> String {
        network.0.to_string()
    }
}
