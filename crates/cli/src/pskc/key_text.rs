//! Keys as text: hexadecimal, Base64 in its forms and JWK; and what is wrong with text that is nearly one of them. No
//! message has any of the text.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, Encoding, HEXLOWER_PERMISSIVE as HEX};
use dskpp_crypto::Secret;
use serde_json::{Map, Value as Json};
use zeroize::Zeroizing;

use crate::output::Failure;

/// Octets of keys: what text in a loose form must have to be taken for a key, and what raw octets have in front of a
/// line end that does not belong to them.
pub(super) const USUAL: [usize; 7] = [16, 20, 24, 32, 48, 64, 128];

/// Octets in hexadecimal; blanks, line ends, colons and hyphens between them do not matter.
pub(crate) fn from_hex(text: &str) -> Result<Vec<u8>, Failure> {
    hex(text).ok_or_else(|| match hex_fault(text, usize::MAX) {
        Some(fault) => Failure::usage(format!("not hexadecimal: {fault}")),
        None => Failure::usage("it is empty: hexadecimal digits are needed"),
    })
}

/// The same where there is something else that the text may be.
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

/// Why text that is hexadecimal but for at most `wrong` characters is not: where the first of them is, or how many
/// digits there are. `None` for other text.
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
            Some(format!("{line}character {column} is no hexadecimal digit"))
        }
        None if digits % 2 == 1 => {
            Some(format!("there are {digits} hexadecimal digits, an odd number: one is missing, or one too many"))
        }
        _ => None,
    }
}

/// Characters of text that is hexadecimal but for one or two mistyped ones. Base64 has more letters than that.
pub(super) fn mistyped_hex(text: &str) -> Option<String> {
    const FEWEST: usize = 16;
    hex_fault(text, if text.trim().len() < FEWEST { 0 } else { 2 })
}

/// Base64 with padding or without, in either alphabet.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let letters: Zeroizing<String> = Zeroizing::new(text.split_whitespace().collect());
    let decode = |form: &Encoding| form.decode(letters.as_bytes()).ok().filter(|octets| !octets.is_empty());
    decode(&BASE64).or_else(|| {
        let loose = [BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD].iter().find_map(decode);
        loose.filter(|octets| USUAL.contains(&octets.len()))
    })
}

/// The key in a JWK (RFC 7517) of the type `oct`; `None` where the text is no JSON object.
///
/// # Errors
/// It is another JSON object.
pub(super) fn jwk(text: &str) -> Option<Result<Secret, String>> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    let Ok(members) = serde_json::from_str::<Map<String, Json>>(text) else {
        return Some(Err("it begins as JSON, and is none".into()));
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
        (None, _) => Err("it is JSON, and no JWK".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_hexadecimal_text_has_its_place_and_none_of_the_text() {
        let half = "0123456789abcdef";
        for (text, told) in [
            (format!("{half}0123456789abcde"), Some("31 hexadecimal digits, an odd number")),
            ("\n 0x01234".into(), Some("there are 5 hexadecimal digits")),
            (format!("{half}0123o56789abcdef"), Some("character 21 is no hexadecimal digit")),
            (format!("0x{half}G123456789abcdef"), Some("character 19 is no hexadecimal digit")),
            (format!("{half}\n01 23 4z 67\n"), Some("line 2, character 8 is no hexadecimal digit")),
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
