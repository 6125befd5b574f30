//! Whose key it is: `UserId` is a distinguished name as text (RFC 6030 §4.2, RFC 4514), the server's users have plain
//! names.

/// The user that a `UserId` names: the value of a leading `CN` or `UID`, else the whole text.
pub(super) fn user_of(user_id: &str) -> String {
    common_name(user_id).unwrap_or_else(|| user_id.to_owned())
}

/// A `UserId` that names `user`.
pub(super) fn user_id_of(user: &str) -> String {
    let mut text = String::with_capacity(user.len() + 3);
    text.push_str("CN=");
    let last = user.chars().count().saturating_sub(1);
    for (i, c) in user.chars().enumerate() {
        let at_an_end = (i == 0 && c == '#') || ((i == 0 || i == last) && c == ' ');
        if at_an_end || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The value of the first attribute of a distinguished name, where that is `CN` or `UID`; `None` also where it is
/// written in a way that is no text (`#04…`) or is broken off.
fn common_name(name: &str) -> Option<String> {
    let (kind, value) = name.split_once('=')?;
    let kind = kind.trim();
    if !["CN", "UID", "2.5.4.3", "0.9.2342.19200300.100.1.1"].iter().any(|known| kind.eq_ignore_ascii_case(known)) {
        return None;
    }
    let value = value.trim_start();
    if value.starts_with('#') {
        return None;
    }
    let (value, quoted) = value.strip_prefix('"').map_or((value, false), |rest| (rest, true)); // RFC 1779
    let mut text = Vec::with_capacity(value.len());
    let mut trailing_blanks = 0;
    let mut octets = value.bytes();
    let mut closed = !quoted;
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => {
                text.push(escaped(&mut octets)?);
                trailing_blanks = 0;
                continue;
            }
            b'"' if quoted => {
                closed = true;
                break;
            }
            b',' | b'+' | b';' if !quoted => break,
            _ => text.push(octet),
        }
        trailing_blanks = if octet == b' ' && !quoted { trailing_blanks + 1 } else { 0 };
    }
    text.truncate(text.len() - trailing_blanks);
    let text = String::from_utf8(text).ok()?;
    (closed && !text.is_empty()).then_some(text)
}

/// What stands behind a backslash: two hexadecimal digits for an octet, or a character for itself.
fn escaped(octets: &mut std::str::Bytes<'_>) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).map(|digit| digit as u8);
    let first = octets.next()?;
    match digit(first) {
        None => Some(first),
        Some(high) => Some(high << 4 | digit(octets.next()?)?),
    }
}
