//! The PROXY protocol, version 2: a header at the beginning of a proxy's connection.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::canonical;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Maximum length of the rest of a header: addresses and optional fields.
const MAX_REST: usize = 4096;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// Reads exactly the header. `None` for a connection of the proxy itself, such as a health check.
///
/// # Errors
/// Anything but a header for a TCP connection.
pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let [signature @ .., command, family, high, low] = head;
    if signature != *SIGNATURE {
        return Err(bad("the proxy sent no PROXY protocol v2 header"));
    }
    let len = usize::from(u16::from_be_bytes([high, low]));
    if len > MAX_REST {
        return Err(bad("the proxy's header is too long"));
    }
    let mut rest = vec![0; len];
    stream.read_exact(&mut rest).await?;
    match (command, family) {
        (LOCAL, _) => Ok(None),
        (PROXY, TCP_OVER_IPV4) => source::<4>(&rest).map(Some),
        (PROXY, TCP_OVER_IPV6) => source::<16>(&rest).map(Some),
        (PROXY, _) => Err(bad("the proxy's header is not for a TCP connection")),
        _ => Err(bad("the proxy's header has an unknown version or command")),
    }
}

/// The source: the first of two addresses, followed by two ports.
fn source<const LEN: usize>(rest: &[u8]) -> io::Result<SocketAddr>
where
    IpAddr: From<[u8; LEN]>,
{
    let ports = rest.get(2 * LEN..).and_then(|ports| ports.first_chunk::<4>());
    match (rest.first_chunk::<LEN>(), ports) {
        (Some(source), Some([high, low, ..])) => {
            Ok(canonical(SocketAddr::new(IpAddr::from(*source), u16::from_be_bytes([*high, *low]))))
        }
        _ => Err(bad("the proxy's header is too short")),
    }
}

fn bad(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}
