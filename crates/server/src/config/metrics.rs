//! `[metrics]`

use std::net::SocketAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// `[metrics]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsSection {
    /// Address and port of `GET /metrics`, a listener of its own; port 0 takes a free one. Empty: none.
    #[serde(serialize_with = "text", deserialize_with = "address")]
    pub listen: Option<SocketAddr>,
    /// Let it listen on other than loopback addresses.
    pub allow_remote: bool,
}

fn text<S: Serializer>(listen: &Option<SocketAddr>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&listen.map(|listen| listen.to_string()).unwrap_or_default())
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| de::Error::custom("write an address and a port, such as 127.0.0.1:9464"))
}
