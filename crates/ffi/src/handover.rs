//! What leaves a token: a proof for its server, or the key for another app.

use dskpp_token::json::Fields;
use dskpp_token::{KeyUsage, Proof, Token, TokenError};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::Fault;
use crate::store::{Store, end};

/// Characters that are not percent-encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// The MAC by which the client of a key asks its server for something, in hexadecimal.
pub(crate) fn proof(store: &Store, proof: Proof, input: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut from = Fields::parse(input);
    let (id, otp) = (from.required_text("id"), from.required_text("otp"));
    end(from)?;
    let mac = find(store, &id)?.proof(proof, &otp);
    let mac = mac.ok_or_else(|| Fault::new("unusable", format!("the key '{id}' came from no server"), ""))?;
    Ok(mac.expose().iter().map(|octet| format!("{octet:02x}")).collect::<String>().into_bytes())
}

/// The URI that authenticator apps read from QR codes.
pub(crate) fn otpauth(store: &Store, input: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut from = Fields::parse(input);
    let id = from.required_text("id");
    end(from)?;
    let token = find(store, &id)?;
    if let Some(why) = forbidden(token) {
        return Err(Fault::new("notAllowed", format!("the key '{id}' {why}"), "keep it here, or ask its issuer"));
    }
    let encoded = |text| utf8_percent_encode(text, PLAIN);
    let name = token.label.as_deref().or(token.user.as_deref()).unwrap_or(&token.id);
    let (prefix, issuer) = match token.issuer.as_deref().map(encoded) {
        Some(issuer) => (format!("{issuer}:"), format!("&issuer={issuer}")),
        None => Default::default(),
    };
    let moving = match token.key_type.as_str() {
        "totp" => format!("period={}", token.period_s.unwrap_or(30)),
        _ => format!("counter={}", token.counter.unwrap_or(0)),
    };
    let hash = token.hash.as_deref().unwrap_or("SHA1");
    let (kind, digits, name) = (&token.key_type, token.digits.unwrap_or(6), encoded(name));
    let secret = base32(token.secret.expose());
    Ok(format!("otpauth://{kind}/{prefix}{name}?secret={secret}{issuer}&algorithm={hash}&digits={digits}&{moving}")
        .into_bytes())
}

/// Base 32 without padding (RFC 4648 §6). The crate for encodings would bring the code of all of them into the module.
fn base32(octets: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = octets.chunks(5).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, octet| bits << 8 | u64::from(*octet)) << (40 - 8 * chunk.len());
        let digit = move |at: usize| char::from(DIGITS[(bits >> (35 - 5 * at)) as usize % 32]);
        (0..(8 * chunk.len()).div_ceil(5)).map(digit)
    });
    digits.collect()
}

/// Why a key must stay here: another app would not know its policy, or cannot use it at all. It makes one-time passwords
/// and nothing else, so a policy that allows just these goes with the key.
pub(crate) fn forbidden(token: &Token) -> Option<&'static str> {
    if !matches!(token.key_type.as_str(), "hotp" | "totp") {
        return Some("has a type that other apps do not know");
    }
    let has_limits = token.start.is_some() || token.expiry.is_some() || token.uses_left.is_some();
    if has_limits || token.usages.iter().any(|usage| usage != KeyUsage::Otp.as_str()) {
        return Some("has a policy that another app would not keep");
    }
    token.old_of.is_some().then_some("was replaced")
}

fn find<'a>(store: &'a Store, id: &str) -> Result<&'a Token, Fault> {
    Ok(store.tokens.get(id).ok_or_else(|| TokenError::NotFound(id.to_owned()))?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn rfc4648_10_base32() {
        let vectors =
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")];
        for (octets, text) in vectors {
            assert_eq!(super::base32(octets.as_bytes()), text);
        }
        assert_eq!(super::base32(b"foobar"), "MZXW6YTBOI");
    }
}
