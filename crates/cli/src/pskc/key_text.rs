//! Keys as text: hexadecimal, Base64 and JWK, with advice for text that is almost one of them. No message quotes the
//! text.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding, HEXLOWER_PERMISSIVE as HEX};
use dskpp_crypto::Secret;
use serde_json::{Map, Value as Json};
use zeroize::Zeroizing;

use crate::output::Failure;

/// Usual key lengths in octets: required of text in a loose form, and of raw octets before a line end that may not
/// belong to them.
pub(super) const USUAL: [usize; 7] = [16, 20, 24, 32, 48, 64, 128];

/// Decodes hexadecimal; spaces, line ends, colons and hyphens are ignored.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    hex(text).ok_or_else(|| match hex_fault(text, usize::MAX) {
        Some(fault) => Failure::usage(format!("not hexadecimal: {fault}")),
        None => Failure::usage("empty: hexadecimal digits required"),
    })
}

/// Like [`from_hex`], where the text may be something else.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Zeroizing<String> = Zeroizing::new(unprefixed(text).chars().filter(|c| !is_between(*c)).collect());
    HEX.decode(digits.as_bytes()).ok().filter(|octets| !octets.is_empty())
}

fn unprefixed(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("0x").unwrap_or(text)
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || matches!(c, ':' | '-')
}

/// Why text with at most `wrong` other characters is not hexadecimal: the place of the first one, or the number of
/// digits. `None` for other text.
pub(super) fn hex_fault(text: &str, wrong: usize) -> Option<String> {
    let (mut digits, mut others, mut first) = (0, 0, None);
    let skipped = text.len() - text.trim_end().len();
    let skipped = text.len() - skipped - unprefixed(text).len();
    let (mut line, mut column) = (1, 0);
    for (at, c) in text.char_indices() {
        column += 1;
        match c {
            '\n' => (line, column) = (line + 1, 0),
            c if is_between(c) || at < skipped => {}
            c if c.is_ascii_hexdigit() => digits += 1,
            _ => {
                others += 1;
                first.get_or_insert((line, column));
            }
        }
    }
    match first {
        Some((line, column)) if others <= wrong => {
            let line = if line > 1 { format!("line {line}, ") } else { String::new() };
            Some(format!("{line}character {column} is not a hexadecimal digit"))
        }
        None if digits % 2 == 1 => {
            Some(format!("there are {digits} hexadecimal digits, an odd number: one is missing or extra"))
        }
        _ => None,
    }
}

/// Text that is hexadecimal apart from one or two characters. Base64 has more other letters.
pub(super) fn mistyped_hex(text: &str) -> Option<String> {
    const FEWEST: usize = 16;
    hex_fault(text, if text.trim().len() < FEWEST { 0 } else { 2 })
}

/// Base64, with or without padding, in either alphabet.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let letters: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let decode = |form: &Encoding| form.decode(letters.as_bytes()).ok().filter(|octets| !octets.is_empty());
    decode(&BASE64).or_else(|| {
        let loose = [BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].iter().find_map(decode);
        loose.filter(|octets| USUAL.contains(&octets.len()))
    })
}

/// The key in a JWK (RFC 7517) of type `oct`; `None` if the text is not a JSON object.
///
/// # Errors
/// A different JSON object.
pub(super) fn jwk(text: &str) -> Option<Result<Secret, String>> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    let Ok(members) = serde_json::from_str::<Map<String, Json>>(text) else {
        return Some(Err("it starts like JSON but is invalid".into()));
    };
    let member = |name| members.get(name).and_then(Json::as_str);
    Some(match (member("kty"), member("k")) {
        (Some("oct"), Some(k)) => match BASE64URL_NOPAD.decode(k.as_bytes()) {
            Ok(octets) if !octets.is_empty() => Ok(Secret::new(octets)),
            _ => Err("it is a JWK whose \"k\" is not Base64 for URLs without padding (RFC 7518 §6.4)".into()),
        },
        (Some("oct"), None) => Err("it is a JWK without the key (\"k\")".into()),
        (Some(_), _) => Err("it is a JWK of an asymmetric key".into()),
        (None, _) if members.contains_key("keys") => {
            Err("it is a set of JWKs: save the object of the one key, {\"kty\":\"oct\",\"k\":…}, in a file".into())
        }
        (None, _) => Err("it is JSON but not a JWK".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hexadecimal_fault_has_its_place_and_no_quoted_text() {
        let half = "0123456789abcdef";
        for (text, told) in [
            (format!("{half}0123456789abcde"), Some("31 hexadecimal digits, an odd number")),
            ("\n 0x01234".into(), Some("there are 5 hexadecimal digits")),
            (format!("{half}0123o56789abcdef"), Some("character 21 is not a hexadecimal digit")),
            (format!("0x{half}G123456789abcdef"), Some("character 19 is not a hexadecimal digit")),
            (format!("{half}\n01 23 4z 67\n"), Some("line 2, character 8 is not a hexadecimal digit")),
            (format!("{half}xyz"), None),
            ("passwords".into(), None),
            ("0z".into(), None),
            (half.into(), None),
            ("".into(), None),
        ] {
            let fault = mistyped_hex(&text);
            match (&fault, told) {
                (Some(fault), Some(told)) => assert!(fault.contains(told), "{text}: {fault}"),
                _ => assert_eq!(fault.as_deref(), told, "{text}"),
            }
        }
    }
}
