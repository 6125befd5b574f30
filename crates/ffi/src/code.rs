//! What a person types: authentication codes and passphrases.

use dskpp::auth_code::{AuthCode, AuthCodeError};
use dskpp_crypto::Argon2Params;
use dskpp_token::json::JsonWriter;

use crate::error::Fault;

/// The cost of a passphrase.
const COST: Argon2Params = Argon2Params { memory_kib: 19 * 1024, iterations: 2, lanes: 1 };
const MIN_SALT_LEN: usize = 16;
/// Longer texts are no codes.
const MAX_TEXT_LEN: usize = 4096;

pub(crate) fn check(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::misuse("the text is not UTF-8"))?;
    if text.len() > MAX_TEXT_LEN {
        return Err(Fault::misuse("the text is too long for a code"));
    }
    let digits: Vec<char> =
        text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| c.to_ascii_uppercase()).collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    let (digits, formatted) = (digits.len(), groups.join("-"));
    let why = text.parse::<AuthCode>().err();
    let unfinished =
        matches!(why, None | Some(AuthCodeError::Empty | AuthCodeError::Length { .. } | AuthCodeError::Missing(_)));
    let position = why.as_ref().filter(|_| !unfinished).and_then(position);
    let number = |number: usize| Some(number as u64);
    Ok(JsonWriter::object(|to| {
        to.flag("complete", why.is_none());
        to.flag("possible", unfinished);
        to.number("digits", number(digits));
        to.text("formatted", Some(&formatted));
        to.text("error", why.filter(|_| !unfinished).map(|why| why.to_string()).as_deref());
        to.number("position", position.and_then(number));
        to.number("group", position.and_then(|at| number(at.div_ceil(4))));
    }))
}

/// The wrong character, from 1.
fn position(why: &AuthCodeError) -> Option<usize> {
    match why {
        AuthCodeError::NotHexadecimal { at, .. } | AuthCodeError::UnknownType { at, .. } => Some(*at),
        AuthCodeError::Mistyped(at) | AuthCodeError::LeftOver(at) => Some(*at),
        _ => None,
    }
}

pub(crate) fn argon2id(passphrase: &[u8], salt: &[u8]) -> Result<Vec<u8>, Fault> {
    if salt.len() < MIN_SALT_LEN {
        return Err(Fault::misuse("the salt has fewer than 16 octets"));
    }
    let key = dskpp_crypto::argon2id(passphrase, salt, &COST, 32).map_err(|why| Fault::misuse(why.to_string()))?;
    Ok(key.expose().to_vec())
}
