//! Characters, names, references, attributes and the values inside text.

use base64ct::{Base64, Encoding as _};

/// The text is not base64 with padding (RFC 4648 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not base64 (RFC 4648 section 4, with padding)")]
#[non_exhaustive]
pub struct Base64Error;

/// Decodes base64 (RFC 4648 §4) with padding, in canonical
/// form. XML white space is ignored; nothing else is.
///
/// ```
/// assert_eq!(pskc::xml::decode_base64(" AQ\n ID ").unwrap(), [1, 2, 3]);
/// assert!(pskc::xml::decode_base64("AQI").is_err()); // padding missing
/// ```
pub fn decode_base64(text: &str) -> Result<Vec<u8>, Base64Error> {
    let decode = |text: &str| Base64::decode_vec(text).ok();
    // Only values with white space pay for its removal.
    decode(text).or_else(|| decode(&without_white_space(text))).ok_or(Base64Error)
}

/// White space normalisation of `xs:token`, `xs:anyURI` and numbers: trims the ends and collapses
/// each run inside to one space.
///
/// ```
/// assert_eq!(pskc::xml::collapse("\n urn:a\tb "), "urn:a b");
/// ```
pub fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_white).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// `text` without XML white space: the value of an `xs:anyURI` or base64 (the RFCs' examples
/// break lines inside them).
pub(crate) fn without_white_space(text: &str) -> String {
    if !has_octet(text, |octet| is_white(char::from(octet))) {
        return text.to_owned();
    }
    text.chars().filter(|c| !is_white(*c)).collect()
}

/// `text` trimmed of XML white space; other kinds of space are content.
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_white)
}

/// Whether XML 1.0 can represent every character of `text` (§2.2). Check texts from people or
/// programs with this before writing them.
pub fn is_text(text: &str) -> bool {
    // Fast path without decoding, for almost all texts.
    let plain = |octet: u8| (octet >= 0x20 || matches!(octet, 9 | 10 | 13)) && octet != 0xEF;
    !has_octet(text, |octet| !plain(octet)) || text.chars().all(is_char)
}

/// Whether `is` holds for an octet of `text`: checks all, several at a time.
pub(crate) fn has_octet(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, octet| found | is(octet))
}

/// XML 1.0 §2.2 `Char`.
pub(super) fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// XML 1.0 §2.3 `S`.
pub(super) fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// `xs:language`, or the empty text for an unknown language.
pub fn is_language(text: &str) -> bool {
    let is_part = |(at, part): (usize, &str)| {
        let fits = |octet: u8| octet.is_ascii_alphabetic() || at > 0 && octet.is_ascii_digit();
        (1..=8).contains(&part.len()) && part.bytes().all(fits)
    };
    text.is_empty() || text.len() <= 256 && text.split('-').enumerate().all(is_part)
}

/// Namespaces in XML `NCName`: a name without a colon.
pub(crate) fn is_name(name: &str) -> bool {
    // Fast path without decoding, for almost all names.
    if let [first, rest @ ..] = name.as_bytes()
        && (first.is_ascii_alphabetic() || *first == b'_')
        && rest.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.'))
    {
        return true;
    }
    let mut chars = name.chars();
    chars.next().is_some_and(starts_name) && chars.all(|c| starts_name(c) || continues_name(c))
}

fn starts_name(c: char) -> bool {
    matches!(c, 'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}'
        | '\u{F8}'..='\u{2FF}' | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}'
        | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}' | '\u{2C00}'..='\u{2FEF}'
        | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn continues_name(c: char) -> bool {
    matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// `prefix:local`, or `local` with an empty prefix; `None` if either is not a name.
pub(super) fn split_name(name: &str) -> Option<(&str, &str)> {
    match leading_name(name)? {
        (prefix, local, "") => Some((prefix, local)),
        _ => None,
    }
}

/// The ASCII octets that can occur in a name; digits, `-` and `.` cannot begin one.
const IN_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 128 {
        table[octet] = (octet as u8).is_ascii_alphanumeric() || matches!(octet as u8, b'_' | b'-' | b'.');
        octet += 1;
    }
    table
};

/// The name at the start of `text`, split, and what follows it: white space, `=`, `/`, `>` or nothing.
#[inline]
pub(super) fn leading_name(text: &str) -> Option<(&str, &str, &str)> {
    let octets = text.as_bytes();
    let first = leading_part(octets);
    let (begin, end) = match octets.get(first) {
        Some(b':') => (first + 1, first + 1 + leading_part(&octets[first + 1..])),
        _ => (0, first),
    };
    let ends = matches!(octets.get(end), None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'=' | b'>' | b'/'));
    match ends && first > 0 && end > begin {
        true => Some((&text[..begin.saturating_sub(1)], &text[begin..end], &text[end..])), // between ASCII characters
        false => leading_any_name(text),
    }
}

/// The length of the name at the start of `text`, up to a colon or a non-ASCII character.
#[inline]
fn leading_part(text: &[u8]) -> usize {
    match text.first() {
        Some(b'0'..=b'9' | b'-' | b'.') => 0,
        _ => text.iter().position(|octet| !IN_NAME[usize::from(*octet)]).unwrap_or(text.len()),
    }
}

#[cold]
fn leading_any_name(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find(|c| is_white(c) || matches!(c, '=' | '/' | '>')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let (prefix, local) = split_any_name(name)?;
    Some((prefix, local, rest))
}

fn split_any_name(name: &str) -> Option<(&str, &str)> {
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) if is_name(prefix) => (prefix, local),
        Some(_) => return None,
        None => ("", name),
    };
    is_name(local).then_some((prefix, local))
}

/// The character for `&name;`: a predefined entity (XML 1.0 §4.6) or a character
/// reference (§4.1). Without a document type there are no others.
pub(super) fn expand(name: &str) -> Option<char> {
    let number = match name {
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "amp" => return Some('&'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hexadecimal) => (hexadecimal, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|digit| (digit as char).is_digit(radix)) {
        return None; // `from_str_radix` would accept a sign
    }
    let c = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    is_char(c).then_some(c)
}

/// Appends `raw` with line ends normalised to `\n` (XML 1.0 §2.11). A `\r\n` never spans two calls:
/// the tokenizer cuts only at markup and references.
pub(super) fn push_lines(out: &mut String, raw: &str) {
    if !raw.contains('\r') {
        return out.push_str(raw);
    }
    for (i, part) in raw.split('\r').enumerate() {
        if i > 0 && !part.starts_with('\n') {
            out.push('\n');
        }
        out.push_str(part);
    }
}

/// The next `name="value"` of `rest` (the part after the name in a start tag, or after the previous
/// attribute), with its raw value; `None` at the end. `Err` names the violated rule.
pub(super) fn next_attribute<'a>(rest: &mut &'a str) -> Result<Option<(&'a str, &'a str)>, &'static str> {
    let trimmed = rest.trim_start_matches(is_white);
    if trimmed.is_empty() {
        return Ok(None);
    }
    if trimmed.len() == rest.len() {
        return Err("no white space before an attribute");
    }
    let equals = memchr::memchr(b'=', trimmed.as_bytes()).ok_or("an attribute without a value")?;
    let (name, after) = (&trimmed[..equals], trimmed[equals + 1..].trim_start_matches(is_white));
    let quote = after.bytes().next().filter(|octet| matches!(octet, b'"' | b'\''));
    let quote = quote.ok_or("an attribute value without quotes")?;
    let end = memchr::memchr(quote, &after.as_bytes()[1..]).ok_or("an attribute value without its closing quote")?;
    let value = &after[1..=end]; // between two quotes
    *rest = &after[end + 2..];
    Ok(Some((name.trim_end_matches(is_white), value)))
}

/// The value of an attribute: references expanded, other white space replaced by spaces (XML 1.0 §3.3.3).
pub(super) fn attribute_value(raw: &str) -> Result<String, &'static str> {
    if raw.contains('<') {
        return Err("< in an attribute value");
    }
    if !has_octet(raw, |octet| matches!(octet, b'&' | b'\t' | b'\n' | b'\r')) {
        return Ok(raw.to_owned());
    }
    let mut lines = String::with_capacity(raw.len());
    push_lines(&mut lines, raw);
    let mut out = lines.replace(['\t', '\n'], " ");
    let Some(first) = out.find('&') else { return Ok(out) };
    let tail = out.split_off(first);
    for part in tail[1..].split('&') {
        let (name, text) = part.split_once(';').ok_or("a reference without ;")?;
        out.push(expand(name).ok_or("an unknown entity or forbidden character reference")?);
        out.push_str(text);
    }
    Ok(out)
}
