//! Secrets that look as if they were encoded twice, or decoded with the wrong encoding.

use data_encoding::{BASE32_NOPAD, BASE64, BASE64_NOPAD};
use zeroize::Zeroizing;

/// What is suspicious about a secret. For random secrets, false positives are one in billions.
pub(crate) fn suspicion(secret: &[u8]) -> Option<&'static str> {
    if let Some(text) = seen(secret) {
        if is_literal(text) {
            return Some("its secret is itself a program's octet notation: it was probably encoded twice");
        }
        if text.len() < 16 {
            return None;
        }
        if text.starts_with(['{', '<']) && text.contains(['"', '=', '/']) {
            return Some("its secret is itself JSON or XML: the secret in it was probably not extracted");
        }
        let text = text.trim_matches(['"', '\'', '`', '<', '>', '[', ']', '(', ')', '{', '}']);
        if text.contains("://") {
            return Some("its secret is itself a URI: the secret in it was probably not extracted");
        }
        let bare = Zeroizing::new(text.replace(|c: char| matches!(c, ':' | '-') || c.is_ascii_whitespace(), ""));
        let digits = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X")).unwrap_or(&bare);
        if is_hexadecimal(digits, digits != text) {
            return Some("its secret is itself text in hexadecimal: it was probably encoded twice");
        }
        if is_base32(&bare) {
            return Some("its secret is itself text in base32: it was probably encoded twice");
        }
        let lines = Zeroizing::new(text.replace(['\r', '\n'], ""));
        if is_base64(&lines) {
            return Some("its secret is itself text in base64: it was probably encoded twice");
        }
        return secret
            .ends_with(b"\n")
            .then_some("its secret is text with a trailing line end, which may not belong to it");
    }
    if let Some(found) = of_text(secret) {
        return Some(found);
    }
    // What reads as base64 may have been written as something else.
    if secret.len() < 12 {
        return None;
    }
    let mut begin = Zeroizing::new([0; 16]);
    BASE64.encode_mut(&secret[..12], &mut *begin); // 12 octets are 16 characters
    let is_upper_or_digit = |octet: &u8| octet.is_ascii_uppercase() || octet.is_ascii_digit();
    let is_lower_or_digit = |octet: &u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
    let is_hex = begin.iter().all(u8::is_ascii_hexdigit);
    if !is_hex && !begin.iter().all(is_upper_or_digit) && !begin.iter().all(is_lower_or_digit) {
        return None; // the usual case
    }
    let written = Zeroizing::new(BASE64.encode(secret));
    if written.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return Some("its base64 has only hexadecimal digits: it is probably hexadecimal");
    }
    if is_base32(&written) {
        return Some("its base64 is also valid base32: it is probably base32");
    }
    None
}

/// Traces of octets decoded as text, or text read as octets. Hardly any random secret of 16 octets or more begins
/// like this.
fn of_text(secret: &[u8]) -> Option<&'static str> {
    let is_wide = |zero: usize| secret.iter().skip(zero).step_by(2).all(|octet| *octet == 0);
    let is_narrow = |at: usize| secret.iter().skip(at).step_by(2).all(u8::is_ascii_graphic);
    match secret {
        _ if secret.len() < 12 => None,
        [0, ..] if is_wide(0) && is_narrow(1) => Some("its secret is itself text in UTF-16"),
        [_, 0, ..] if is_wide(1) && is_narrow(0) => Some("its secret is itself text in UTF-16"),
        [0xEF, 0xBB, 0xBF, ..] => Some("its secret begins with a byte order mark: it is itself text"),
        [first, rest @ ..] if rest.iter().all(|octet| octet == first) => {
            Some("all octets of its secret are the same: it is not random")
        }
        _ => match std::str::from_utf8(secret) {
            Ok(text) if text.contains('\u{FFFD}') => {
                Some("its secret contains U+FFFD: it was decoded as text, and octets are lost")
            }
            Ok(text) if text.len() >= 16 && !text.is_ascii() && !text.contains(|c: char| c.is_ascii_control()) => {
                Some("its secret is itself UTF-8 text beyond ASCII: octets were probably encoded as text")
            }
            _ => None,
        },
    }
}

/// The secret as trimmed printable text.
fn seen(secret: &[u8]) -> Option<&str> {
    const SHORTEST: usize = 6; // octets: shorter ones may be random
    if secret.len() < SHORTEST || !secret.iter().all(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace()) {
        return None;
    }
    std::str::from_utf8(secret).ok().map(str::trim)
}

/// Octets in a programming notation: `b'…'` of Python, alone or in a call; `\x31\x32…`; `%31%32…`; lists of numbers;
/// texts that name their encoding (`hex:…`), and PEM.
fn is_literal(text: &str) -> bool {
    const NAMED: [&str; 6] = ["hex:", "base16:", "base32:", "base64:", "data:", "-----BEGIN "];
    let within = |open: &str, close: &str| Some(text.strip_prefix(open)?.strip_suffix(close)?.trim());
    let in_call = within("bytearray(", ")").or_else(|| within("bytes(", ")")).or_else(|| within("memoryview(", ")"));
    let inner = in_call.unwrap_or(text);
    let is_bytes = ["b'", "b\"", "B'", "B\"", "br'", "br\"", "rb'", "rb\""]
        .iter()
        .any(|open| inner.strip_prefix(open).is_some_and(|rest| rest.ends_with(&open[open.len() - 1..])));
    let is_named =
        NAMED.iter().any(|name| text.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name)));
    is_bytes || is_named || is_escaped(inner.trim_matches(['"', '\''])) || is_list(inner)
}

/// Only hexadecimal octets, each after `\x` or `%`; at least three.
fn is_escaped(text: &str) -> bool {
    let is_octet = |part: &str| part.len() == 2 && part.bytes().all(|octet| octet.is_ascii_hexdigit());
    ["\\x", "%"].iter().any(|mark| {
        let mut parts = text.split(mark);
        parts.next() == Some("") && parts.clone().count() >= 3 && parts.all(is_octet)
    })
}

/// A comma-separated list of at least eight octets: `[49, 50, …]`, `{0x31, 0x32, …}`.
fn is_list(text: &str) -> bool {
    let text = text.trim_matches(|c: char| "[](){}".contains(c) || c.is_ascii_whitespace()).trim_end_matches(',');
    let is_octet = |part: &str| match part.trim() {
        part if part.starts_with("0x") || part.starts_with("0X") => u8::from_str_radix(&part[2..], 16).is_ok(),
        part => part.parse::<i16>().is_ok_and(|number| (-128..=255).contains(&number)), // Java's are signed
    };
    text.split(',').count() >= 8 && text.split(',').all(is_octet)
}

/// At least 16 hexadecimal digits. Decimal digits alone may be a chosen secret: they need a sign of hexadecimal text
/// (`0x`, colons, hyphens, spaces) or 32 digits, as for 16 octets. The repeated 1234567890 of RFC 6238 and RFC 6287 is
/// accepted.
fn is_hexadecimal(digits: &str, is_marked: bool) -> bool {
    if digits.len() < 16 || !digits.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return false;
    }
    let has_letter = digits.bytes().any(|octet| octet.is_ascii_alphabetic());
    let is_of_rfc = || digits.bytes().zip(b"1234567890".iter().cycle()).all(|(octet, chosen)| octet == *chosen);
    has_letter || is_marked || digits.len() >= 32 && !is_of_rfc()
}

/// With a digit among the letters, or longer than any word.
fn is_base32(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let upper = Zeroizing::new(bare.to_ascii_uppercase());
    let of_one_case = bare == upper.as_str() || bare == bare.to_ascii_lowercase();
    let mixed = bare.contains(|c: char| c.is_ascii_digit()) && bare.contains(|c: char| c.is_ascii_alphabetic());
    bare.len() >= 16 && of_one_case && mixed && BASE32_NOPAD.decode(upper.as_bytes()).map(Zeroizing::new).is_ok()
}

/// With padding, or upper case, lower case and digits.
fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    let has = |is: fn(&char) -> bool| bare.chars().any(|c| is(&c));
    let mixed = has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase) && has(char::is_ascii_digit);
    let urls = Zeroizing::new(bare.replace('-', "+").replace('_', "/"));
    let decodes = BASE64_NOPAD.decode(urls.as_bytes()).map(Zeroizing::new).is_ok();
    decodes && (mixed || text.ends_with('=') && text.len().is_multiple_of(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_in_another_encoding_is_suspicious_and_chosen_or_random_secrets_are_not() {
        for (secret, named) in [
            (&b"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA="[..], "text in base64"),
            (b"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA", "text in base64"),
            (b"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\n", "text in base64"),
            (b"3a32333435363738393031323334353637383930", "text in hexadecimal"),
            (b"3A32333435363738393031323334353637383930", "text in hexadecimal"),
            (b"3a:32:33:34:35:36:37:38:39:30:31:32:33:34", "text in hexadecimal"),
            (b"3132333435363738393031323334353637383930", "text in hexadecimal"),
            (b"31323334353637383930313233343536", "text in hexadecimal"),
            (b"31323334353637383930\r\n31323334353637383930\n", "text in hexadecimal"),
            (b"0x3132333435363738393031323334353637383930", "text in hexadecimal"),
            (b"313233343536373839303132333435363738393", "text in hexadecimal"),
            (b"31-32-33-34-35-36-37-38-39-30", "text in hexadecimal"),
            (b"31:32:33:34:35:36:37:38:39:30", "text in hexadecimal"),
            (b"\"3a3233343536373839303132333435363738393\"", "text in hexadecimal"),
            (b"3a32333435363738393031323334353637383", "text in hexadecimal"),
            (b"3A3b333435363738393031323334353637383930", "text in hexadecimal"),
            (b"otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ", "a URI"),
            (b"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "text in base32"),
            (b"gezd gnbv gy3t qojq gezd gnbv gy3t qojq", "text in base32"),
            (b"GEZDGNBVGY3TQOJQGEZDGNBV", "text in base32"),
            (b"<GEZDGNBVGY3TQOJQGEZDGNBV>", "text in base32"),
            (b"[MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=]", "text in base64"),
            (b"b'12345678901234567890'", "a program's octet notation"),
            (b"b\"it's the key\"\n", "a program's octet notation"),
            (b"b'\\x01\\x02'", "a program's octet notation"),
            (b"b'GEZDGNBVGY3TQOJQ'", "a program's octet notation"),
            (b"bytearray(b'12345678901234567890')", "a program's octet notation"),
            (b"\\x31\\x32\\x33\\x34\\x35", "a program's octet notation"),
            (b"%31%32%33%34%35", "a program's octet notation"),
            (b"[49, 50, 51, 52, 53, 54, 55, 56]", "a program's octet notation"),
            (b"{0x31,0x32,0x33,0x34,0x35,0x36,0x37,0x38,}", "a program's octet notation"),
            (b"[-1, 2, -3, 4, -5, 6, -7, 8]", "a program's octet notation"),
            (b"hex:3132333435363738", "a program's octet notation"),
            (b"-----BEGIN PRIVATE KEY-----\nMTIz", "a program's octet notation"),
            (b"MTIzNDU2Nzg5MDEy\r\nMzQ1Njc4OTA=\r\n", "text in base64"),
            (b"{\"k\":\"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA\"}", "JSON or XML"),
            (b"<Secret>MTIzNDU2Nzg5</Secret>", "JSON or XML"),
            (b"12345678901234567890\n", "a trailing line end"),
            (b"correct horse battery\r\n", "a trailing line end"),
            (b"3\x001\x003\x002\x003\x003\x00", "in UTF-16"),
            (b"\x003\x001\x003\x002\x003\x003", "in UTF-16"),
            (b"\xEF\xBB\xBF3132333435363738", "a byte order mark"),
            (b"12\xEF\xBF\xBD4\xEF\xBF\xBD67890", "U+FFFD"),
            ("Ã©Ã¤Â±Ã©Ã¼Ã¶".as_bytes(), "UTF-8 text beyond ASCII"),
            (&[0; 20], "are the same"),
            (&[0xFF; 32], "are the same"),
        ] {
            let found = suspicion(secret).unwrap_or_default();
            assert!(found.contains(named), "{}: {found}", String::from_utf8_lossy(secret));
        }
        for (written, named) in [
            ("3132333435363738393031323334353637383930", "hexadecimal"),
            ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "base32"),
        ] {
            let found = suspicion(&BASE64.decode(written.as_bytes()).unwrap()).unwrap_or_default();
            assert!(found.ends_with(named), "{written}: {found}");
        }
        let rng = &mut dskpp_crypto::SeededRandom::new(b"looks");
        let random: Vec<Vec<u8>> = [10, 16, 20, 24, 32, 64].map(|len| dskpp_crypto::Random::bytes(rng, len)).into();
        let chosen: [&[u8]; 12] = [
            b"b'12",
            b"100%sure, 1, 2, 3",
            b"{a, b, c, d, e, f, g, h}",
            b"bobs 'key'",
            b"12345678901234567890",
            b"12345678901234567890123456789012",
            b"1234567890123456789012345678901234567890123456789012345678901234",
            b"98765432109876543210",
            b"123456789012345",
            b"correct horse battery staple",
            b"abcdef",
            b"",
        ];
        for secret in random.iter().map(Vec::as_slice).chain(chosen) {
            assert_eq!(suspicion(secret), None, "{secret:?}");
        }
    }
}
