//! `Forwarded` (RFC 7239).

use std::net::SocketAddr;

use super::{BadHeader, address as with_port, no_address};

/// The `for` of each element of one line, from the left; empty elements are skipped.
pub(super) fn nodes(line: &str) -> Result<Vec<Option<String>>, BadHeader> {
    let mut nodes = Vec::new();
    let (mut node, mut is_empty) = (None, true);
    let mut rest = line.trim_matches(is_space);
    loop {
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            let (name, value, after) = pair(rest).ok_or(BadHeader::Grammar)?;
            if name.eq_ignore_ascii_case("for") && node.replace(value).is_some() {
                return Err(BadHeader::Grammar);
            }
            (is_empty, rest) = (false, after.trim_start_matches(is_space));
        }
        let next = rest.chars().next();
        if next != Some(';') && !is_empty {
            nodes.push(node.take());
            is_empty = true;
        }
        match next {
            Some(',' | ';') => rest = rest[1..].trim_start_matches(is_space),
            Some(_) => return Err(BadHeader::Grammar),
            None => return Ok(nodes),
        }
    }
}

fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t')
}

/// The leading `name=value`, and the rest.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, value) = text.split_at(token_len(text));
    let value = value.strip_prefix('=').filter(|_| !name.is_empty())?;
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, after) = unquoted(quoted)?;
        return Some((name, value, after));
    }
    let (value, after) = value.split_at(token_len(value));
    (!value.is_empty()).then(|| (name, value.to_owned(), after))
}

/// A quoted string without its quotes, from after the opening one, and the rest.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => value.push(chars.next()?.1),
            (_, char) => value.push(char),
        }
    }
}

/// The length of the leading token (RFC 9110 §5.6.2).
fn token_len(text: &str) -> usize {
    let is_part = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    text.bytes().take_while(|octet| is_part(*octet)).count()
}

/// The address of a node (RFC 7239 §6): IPv6 is in brackets, and a port may be obfuscated.
pub(super) fn address(node: &str) -> Result<SocketAddr, BadHeader> {
    let is_bare_v6 = !node.starts_with('[') && node.matches(':').count() > 1;
    let made_up = |port: &str| {
        let is_part = |octet: u8| octet.is_ascii_alphanumeric() || b"._-".contains(&octet);
        port.strip_prefix('_').is_some_and(|name| !name.is_empty() && name.bytes().all(is_part))
    };
    let node_name = node.rsplit_once(':').filter(|(_, port)| made_up(port)).map_or(node, |(name, _)| name);
    let address = with_port(node_name).filter(|_| !is_bare_v6);
    address.ok_or_else(|| no_address(node))
}
