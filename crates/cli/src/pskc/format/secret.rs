//! Secrets as text.

use data_encoding::{
    BASE32_NOPAD, BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, DecodeKind, HEXLOWER_PERMISSIVE as HEX,
};
use dskpp_crypto::Secret;
use zeroize::Zeroizing;

use crate::pskc::key_text::{hex, mistyped_hex};

/// How octets are encoded as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    /// Letters in either case; padding, spaces and hyphens are ignored.
    Base32,
    Base64,
}

impl Encoding {
    /// # Errors
    /// What is wrong with the text, without quoting it.
    pub(super) fn decode(self, text: &str) -> Result<Secret, String> {
        let text = text.trim();
        let octets = match self {
            Encoding::Hex => match HEX.decode(text.as_bytes()).ok().or_else(|| hex(text)) {
                Some(octets) => octets,
                None if text.is_empty() => Vec::new(),
                None if text.len() % 2 == 1 && text.bytes().all(|octet| octet.is_ascii_hexdigit()) => {
                    return Err(
                        "the secret has an odd number of hexadecimal digits: a leading 0 may be missing".to_owned()
                    );
                }
                None => {
                    let why = mistyped_hex(text).map(|why| format!(": its {why}")).unwrap_or_default();
                    return Err(or_rather(text, format!("the secret is not hexadecimal{why}"), Encoding::Base32));
                }
            },
            Encoding::Base32 => base32(text)?,
            Encoding::Base64 => {
                let decoded = BASE64.decode(text.as_bytes());
                decoded.map_err(|_| not_base64(text).to_owned())?
            }
        };
        if octets.is_empty() { Err("the secret is empty".to_owned()) } else { Ok(Secret::new(octets)) }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Encoding::Hex => "hexadecimal",
            Encoding::Base32 => "Base32",
            Encoding::Base64 => "Base64",
        }
    }
}

/// Why text is not standard Base64.
fn not_base64(text: &str) -> &'static str {
    let is = |form: data_encoding::Encoding| form.decode(text.as_bytes()).is_ok();
    match text {
        _ if is(BASE64_NOPAD) => "the secret is Base64 without its padding (=), or cut off",
        _ if is(BASE64URL) || is(BASE64URL_NOPAD) => {
            "the secret is Base64 for URLs: write + for -, and / for _, with padding"
        }
        _ => "the secret is not Base64",
    }
}

fn base32(text: &str) -> Result<Vec<u8>, String> {
    BASE32_NOPAD.decode(letters(text).as_bytes()).map_err(|why| match why.kind {
        DecodeKind::Length => "the secret is not Base32 of whole octets: a letter is missing or extra".to_owned(),
        DecodeKind::Trailing => {
            "the secret is not Base32 of whole octets: its last letter has bits left over".to_owned()
        }
        _ => {
            let what = format!("the secret is not Base32: character {} is not A-Z or 2-7", why.position + 1);
            or_rather(text, what, Encoding::Hex)
        }
    })
}

/// Base32 without padding, spaces and hyphens.
fn letters(text: &str) -> Zeroizing<String> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len()));
    letters.extend(text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '=')));
    letters.make_ascii_uppercase();
    letters
}

/// Adds what the text may be instead.
fn or_rather(text: &str, what: String, other: Encoding) -> String {
    const FEWEST: usize = 16; // characters; shorter text is ambiguous
    let is_other = match other {
        Encoding::Hex => hex(text).is_some(),
        _ => BASE32_NOPAD.decode(letters(text).as_bytes()).is_ok(),
    };
    if is_other && text.len() >= FEWEST { format!("{what}; it looks like {}", other.name()) } else { what }
}
