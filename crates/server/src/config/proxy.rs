//! `[proxy]`

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// `[proxy]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxySection {
    /// Addresses of the proxies; only their headers are trusted.
    pub trusted: Vec<Network>,
    /// The header that they use.
    pub header: ProxyHeader,
}

/// How proxies pass the address of their client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyHeader {
    /// No proxy.
    #[default]
    None,
    /// `Forwarded` in each request (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For` in each request.
    XForwardedFor,
    /// The PROXY protocol, version 2: a header at the beginning of each connection.
    ProxyV2,
}

/// A network in CIDR notation, such as `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// Whether the network contains an address; IPv4-mapped IPv6 counts as IPv4.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text
                .parse()
                .map_err(|_| format!("`{text}` is not a network: write it as 10.0.0.0/8 or 2001:db8::/32"))?,
        };
        if network != network.trunc() {
            return Err(format!("`{text}` has bits set beyond its prefix: write {} or one address", network.trunc()));
        }
        if network.addr() != network.addr().to_canonical() {
            return Err(format!("`{text}` is IPv4-mapped IPv6: write it as IPv4"));
        }
        Ok(Network(network))
    }
}

impl From<Network> for String {
    fn from(network: Network) -> String {
        network.0.to_string()
    }
}
