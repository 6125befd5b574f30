use axum::http::HeaderName;

use super::*;
use crate::config::Network;

fn proxies(header: ProxyHeader) -> Proxies {
    let trusted = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"];
    let trusted = trusted.map(|text| Network::try_from(text.to_owned()).unwrap()).to_vec();
    Proxies::new(ProxySection { trusted, header })
}

fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
    let name = HeaderName::from_static(name);
    lines.iter().map(|line| (name.clone(), HeaderValue::from_bytes(line.as_bytes()).unwrap())).collect()
}

/// The client that these header lines of a proxy name; `None` is an error.
fn named(header: ProxyHeader, lines: &[&str]) -> Option<String> {
    let name = match header {
        ProxyHeader::Forwarded => "forwarded",
        _ => "x-forwarded-for",
    };
    let peer = SocketAddr::from(([10, 1, 2, 3], 4));
    let named = proxies(header).named(peer, &headers(name, lines)).ok()?;
    Some(named.expect("there is a header").to_string())
}

#[test]
fn x_forwarded_for_counts_from_the_right() {
    for (lines, client) in [
        (&["198.51.100.1"][..], Some("198.51.100.1:0")),
        (&["198.51.100.1:4711"], Some("198.51.100.1:4711")),
        (&["2a00::1"], Some("[2a00::1]:0")),
        (&["[2a00::1]"], Some("[2a00::1]:0")),
        (&["[2a00::1]:443"], Some("[2a00::1]:443")),
        (&["::ffff:198.51.100.1"], Some("198.51.100.1:0")),
        // The client's own claims, in any form, are left of the proxy's.
        (&["203.0.113.66, 198.51.100.1"], Some("198.51.100.1:0")),
        (&["rubbish, 10.9.9.9,198.51.100.1"], Some("198.51.100.1:0")),
        (&["203.0.113.66", "198.51.100.1"], Some("198.51.100.1:0")),
        (&[", 198.51.100.1 ,"], Some("198.51.100.1:0")),
        // Several proxies.
        (&["203.0.113.66, 198.51.100.1, 10.0.0.1, 192.0.2.7, 2001:db8::5"], Some("198.51.100.1:0")),
        (&["203.0.113.66, 198.51.100.1", "10.0.0.1"], Some("198.51.100.1:0")),
        (&["10.0.0.9, 10.0.0.1"], Some("10.0.0.9:0")),
        // An invalid value from a proxy.
        (&["198.51.100.1, unknown"], None),
        (&["198.51.100.1, rubbish, 10.0.0.1"], None),
        (&["198.51.100.300"], None),
        (&["198.51.100.1:99999"], None),
        (&["fe80::1%eth0"], None),
        (&["[fe80::1%1]:80"], None),
        (&["for=198.51.100.1"], None),
        (&["198.51.100.1;198.51.100.2"], None),
        (&[""], None),
        (&[" , "], None),
        (&["198.51.100.1, \u{e9}"], None),
    ] {
        assert_eq!(named(ProxyHeader::XForwardedFor, lines).as_deref(), client, "{lines:?}");
    }
}

#[test]
fn rfc7239_forwarded_counts_from_the_right() {
    for (lines, client) in [
        (&["for=198.51.100.1"][..], Some("198.51.100.1:0")),
        (&["For=\"198.51.100.1:4711\""], Some("198.51.100.1:4711")),
        (&["for=\"[2a00::1]\";proto=https;by=10.0.0.1"], Some("[2a00::1]:0")),
        (&["proto=http; host=\"a;b,c\\\"d\" ;for=\"[2a00::1]:443\""], Some("[2a00::1]:443")),
        (&["for=\"198.51.100.1:_port\""], Some("198.51.100.1:0")),
        (&["for=203.0.113.66, for=198.51.100.1"], Some("198.51.100.1:0")),
        (&["for=unknown, for=198.51.100.1, for=10.0.0.1"], Some("198.51.100.1:0")),
        (&["for=unknown", "for=198.51.100.1,,"], Some("198.51.100.1:0")),
        (&["for=10.0.0.9"], Some("10.0.0.9:0")),
        (&["for=unknown"], None),
        (&["for=_hidden"], None),
        (&["for=\"198.51.100.1:_\""], None),
        (&["for=198.51.100.1:4711"], None), // a port needs quotation marks
        (&["for=2a00::1"], None),
        (&["for=\"2a00::1\""], None), // IPv6 needs brackets
        (&["for=198.51.100.1;for=198.51.100.2"], None),
        (&["proto=https"], None),
        (&["for=198.51.100.1, proto=https"], None),
        (&["198.51.100.1"], None),
        (&["for=\"198.51.100.1"], None),
        (&["for="], None),
        (&[";"], None),
        (&[""], None),
        // A client cannot hide the proxy's element.
        (&["for=203.0.113.66, x=\", for=198.51.100.1"], None),
        (&["for=203.0.113.66, x=\", for=\"[2a00::1]:443\""], None),
        (&["for=203.0.113.66;x=\\, for=198.51.100.1"], None),
    ] {
        assert_eq!(named(ProxyHeader::Forwarded, lines).as_deref(), client, "{lines:?}");
    }
}

#[test]
fn only_proxies_are_trusted_and_only_with_the_configured_header() {
    let both = |value: &'static str| {
        let mut both = headers("x-forwarded-for", &[value]);
        both.extend(headers("forwarded", &[&format!("for={value}")]));
        both
    };
    let (proxy, other) = (SocketAddr::from(([10, 1, 2, 3], 4)), SocketAddr::from(([198, 51, 100, 9], 4)));
    for header in [ProxyHeader::Forwarded, ProxyHeader::XForwardedFor, ProxyHeader::ProxyV2, ProxyHeader::None] {
        for value in ["203.0.113.1", "rubbish"] {
            assert_eq!(proxies(header).named(other, &both(value)), Ok(None), "{header:?} {value}");
        }
    }
    for header in [ProxyHeader::ProxyV2, ProxyHeader::None] {
        assert_eq!(proxies(header).named(proxy, &both("203.0.113.1")), Ok(None), "{header:?}");
    }
    let (forwarded, x_forwarded_for) = (proxies(ProxyHeader::Forwarded), proxies(ProxyHeader::XForwardedFor));
    assert_eq!(forwarded.named(proxy, &headers("x-forwarded-for", &["203.0.113.1"])), Ok(None));
    assert_eq!(x_forwarded_for.named(proxy, &headers("forwarded", &["for=203.0.113.1"])), Ok(None));
    assert!(x_forwarded_for.are("::ffff:10.0.0.1".parse().unwrap()), "IPv4-mapped IPv6 is IPv4");
    assert!(!proxies(ProxyHeader::None).are("10.0.0.1".parse().unwrap()));
}

/// A header of the PROXY protocol v2.
fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &len, rest].concat()
}

#[tokio::test]
async fn proxy_v2_names_the_client_of_a_connection() {
    let v4 = [198, 51, 100, 1, 10, 0, 0, 1, 0x12, 0x67, 1, 187];
    let v6: Vec<u8> = [[0x2a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]; 2].concat();
    let v6 = [&v6[..], &[0x12, 0x67, 1, 187]].concat();
    let mapped = [&[0; 10][..], &[255, 255, 198, 51, 100, 1], &[0; 16], &[0, 80, 1, 187]].concat();
    let long = [&v4[..], &[4; 4084]].concat();
    let too_long = [&v4[..], &[4; 4085]].concat();
    let mut other_signature = v2(0x21, 0x11, &v4);
    other_signature[11] = b'\r';
    for (octets, client) in [
        (v2(0x21, 0x11, &v4), Some("198.51.100.1:4711")),
        (v2(0x21, 0x21, &v6), Some("[2a00::1]:4711")),
        (v2(0x21, 0x21, &mapped), Some("198.51.100.1:80")),
        (v2(0x21, 0x11, &[&v4[..], b"\x04\0\x01x"].concat()), Some("198.51.100.1:4711")),
        (v2(0x21, 0x11, &long), Some("198.51.100.1:4711")),
        (v2(0x20, 0x00, &[]), Some("10.1.2.3:4")),
        (v2(0x20, 0x11, &v4), Some("10.1.2.3:4")),
        (v2(0x21, 0x11, &too_long), None),
        (v2(0x21, 0x11, &v4[..11]), None),
        (v2(0x21, 0x21, &v6[..35]), None),
        (v2(0x21, 0x00, &[]), None),
        (v2(0x21, 0x12, &v4), None),
        (v2(0x21, 0x31, &[0; 216]), None),
        (v2(0x11, 0x11, &v4), None),
        (v2(0x22, 0x11, &v4), None),
        (v2(0x21, 0x11, &v4)[..20].to_vec(), None),
        (other_signature, None),
        (b"PROXY TCP4 198.51.100.1 10.0.0.1 4711 443\r\n".to_vec(), None),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), None),
        (Vec::new(), None),
    ] {
        let after = if client.is_some() { &b"the rest"[..] } else { b"" };
        let stream = [&octets[..], after].concat();
        let mut stream = &stream[..];
        let announced =
            proxies(ProxyHeader::ProxyV2).announced(&mut stream, SocketAddr::from(([10, 1, 2, 3], 4))).await;
        assert_eq!(announced.ok().map(|client| client.to_string()).as_deref(), client, "{octets:02x?}");
        if client.is_some() {
            assert_eq!(stream, b"the rest", "reads exactly the header");
        }
    }
}

#[tokio::test]
async fn proxy_v2_is_read_from_proxies_only() {
    let octets = v2(0x21, 0x11, &[198, 51, 100, 1, 10, 0, 0, 1, 0x12, 0x67, 1, 187]);
    let (proxy, other) = (SocketAddr::from(([10, 1, 2, 3], 4)), SocketAddr::from(([198, 51, 100, 9], 4)));
    for (header, peer) in [(ProxyHeader::ProxyV2, other), (ProxyHeader::Forwarded, proxy), (ProxyHeader::None, proxy)] {
        let mut stream = &octets[..];
        assert_eq!(proxies(header).announced(&mut stream, peer).await.unwrap(), peer);
        assert_eq!(stream, octets, "{header:?}");
    }
}
