//! `otpauth://` lines, which authenticator apps read from QR codes:
//! `otpauth://totp/Issuer:account?secret=…&issuer=…&algorithm=…&digits=…&period=…`.
//!
//! Lines are read as apps read them: case does not matter in scheme, type and parameter names. Unknown parameters are
//! reported; one that looks like a misspelt parameter is refused, since the codes would be wrong.

use std::borrow::Cow;

use data_encoding::BASE32_NOPAD;
use dskpp_crypto::Hash;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use pskc::{AlgorithmParameters, Key, KeyData, KeyPackage, ResponseFormat, Value, ValueFormat};

use super::secret::Encoding;
use super::{HOTP, OtpKey, TOTP};

/// Characters that are not percent-encoded.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

pub(super) fn write(package: &KeyPackage) -> Result<String, String> {
    let otp = OtpKey::of(package)?;
    if otp.pin.is_some() {
        return Err("the format has no PINs".to_owned());
    }
    let (name, issuer) = (super::name(otp.key), otp.key.issuer.as_deref());
    fits(name, issuer)?;
    let kind = if otp.is_totp { "totp" } else { "hotp" };
    let encoded = |text| utf8_percent_encode(text, PLAIN);
    let secret = BASE32_NOPAD.encode(otp.secret);
    let (prefix, issuer) = match issuer.map(encoded) {
        Some(issuer) => (format!("{issuer}:"), format!("&issuer={issuer}")),
        None => Default::default(),
    };
    let moving = if otp.is_totp { format!("period={}", otp.period_s) } else { format!("counter={}", otp.counter) };
    Ok(format!(
        "otpauth://{kind}/{prefix}{}?secret={secret}{issuer}&algorithm={}&digits={}&{moving}\n",
        encoded(name),
        otp.hash,
        otp.digits,
    ))
}

/// Whether a reader gets the same names back.
fn fits(name: &str, issuer: Option<&str>) -> Result<(), String> {
    let is_trimmed = |text: &str| !text.is_empty() && text.trim() == text;
    if !is_trimmed(name) || !issuer.is_none_or(is_trimmed) {
        return Err("the format cannot carry a name that is empty, or begins or ends with a space".to_owned());
    }
    match issuer {
        Some(issuer) if issuer.contains(':') => Err("the format cannot carry an issuer with a colon".to_owned()),
        None if name.contains(':') => Err("in this format a colon in the name separates the issuer, and the key has \
                                           a name with a colon and no issuer"
            .to_owned()),
        _ => Ok(()),
    }
}

/// Reads a line; `note` receives what is left out or guessed.
pub(super) fn read(line: &str, note: &mut dyn FnMut(String)) -> Result<KeyPackage, String> {
    let (kind, label, query) = parts(line)?;
    let is_totp = match kind {
        kind if kind.eq_ignore_ascii_case("totp") => true,
        kind if kind.eq_ignore_ascii_case("hotp") => false,
        other => return Err(format!("unknown type {other:?}: use totp or hotp")),
    };
    let parameters = UriParameters::of(query, is_totp, note)?;
    let label = decoded(label, "the label")?;
    let (issuer, account) = names(&label, parameters.issuer, note)?;
    let suite = parameters.hash.filter(|hash| *hash != Hash::Sha1).map(|hash| hash.hmac_name().to_owned());
    let response_format =
        Some(ResponseFormat { encoding: ValueFormat::Decimal, length: parameters.digits, check_digits: None });
    let secret = Encoding::Base32.decode(&parameters.secret.ok_or("there is no secret")?)?;
    let mut data = KeyData { secret: Some(Value::Plain(secret)), ..KeyData::default() };
    if is_totp {
        data.time = Some(Value::Plain(0));
        data.time_interval = Some(Value::Plain(parameters.period_s));
    } else {
        let missing = "there is no counter, which HOTP needs (counter=0 for an unused key)";
        data.counter = Some(Value::Plain(parameters.counter.ok_or(missing)?));
    }
    let key = Key {
        id: issuer.iter().map(|issuer| format!("{issuer}:")).chain([account.clone()]).collect(),
        algorithm: Some(if is_totp { TOTP } else { HOTP }.to_owned()),
        issuer,
        algorithm_parameters: Some(AlgorithmParameters { suite, response_format, ..AlgorithmParameters::default() }),
        friendly_name: Some(account),
        data: Some(data),
        ..Key::default()
    };
    Ok(KeyPackage { key: Some(key), ..KeyPackage::default() })
}

/// Type, label and parameters of a line.
fn parts(line: &str) -> Result<(&str, &str, &str), String> {
    let (scheme, rest) = line.split_once("://").ok_or("not an otpauth:// line")?;
    if scheme.eq_ignore_ascii_case("otpauth-migration") {
        let (what, next) = crate::pskc::foreign::MIGRATION;
        return Err(format!("it is {what}: {next}"));
    }
    if !scheme.eq_ignore_ascii_case("otpauth") {
        return Err("not an otpauth:// line".to_owned());
    }
    if rest.contains('#') {
        return Err("a # would cut off the rest: write it as %23".to_owned());
    }
    let (path, query) = rest.split_once('?').ok_or("there are no parameters, so there is no secret")?;
    let (kind, label) = path.split_once('/').unwrap_or((path, ""));
    Ok((kind, label, query))
}

/// Issuer and account from the label; the issuer parameter takes precedence.
fn names(
    label: &str,
    parameter: Option<String>,
    note: &mut dyn FnMut(String),
) -> Result<(Option<String>, String), String> {
    let (prefix, account) = match label.split_once(':') {
        Some((prefix, account)) => (Some(prefix.trim()).filter(|prefix| !prefix.is_empty()), account.trim()),
        None => (None, label.trim()),
    };
    if let (Some(prefix), Some(parameter)) = (prefix, &parameter)
        && prefix != parameter.trim()
    {
        note("the label and the parameter name different issuers: the parameter's is used".to_owned());
    }
    let issuer = parameter.as_deref().map(str::trim).or(prefix).map(str::to_owned);
    if account.is_empty() {
        return Err("the label names no account, so the key has no name".to_owned());
    }
    Ok((issuer, account.to_owned()))
}

/// The parameters, each at most once.
struct UriParameters {
    secret: Option<String>,
    issuer: Option<String>,
    hash: Option<Hash>,
    digits: u32,
    counter: Option<i64>,
    period_s: i32,
}

/// Parameters that do not affect codes: pictures, colours, display names.
const HARMLESS: &[&str] = &[
    "image",
    "icon",
    "logo",
    "color",
    "colour",
    "backgroundcolor",
    "foregroundcolor",
    "lock",
    "tag",
    "tags",
    "group",
    "category",
    "folder",
    "note",
    "notes",
    "description",
    "serial",
    "tokenlabel",
    "tokenissuer",
    "creator",
    "favorite",
    "thumbnail",
    "website",
    "url",
    "user",
    "username",
    "account",
    "label",
    "name",
    "displayname",
    "email",
    "domain",
];

/// Names of parameters that affect codes contain one of these,
const CHANGING: &[&str] = &[
    "secret", "seed", "digit", "period", "counter", "algo", "hash", "hmac", "digest", "step", "interval", "second",
    "time", "offset", "epoch", "drift", "encod", "length", "suite", "moving", "salt",
];
/// begin with one of these (misspelt),
const CHANGING_BEGIN: &[&str] = &["dig", "per", "cou", "alg", "sec"];
/// or equal one of these.
const CHANGING_WHOLE: &[&str] = &[
    "t0", "x", "c", "t", "d", "k", "key", "len", "size", "mac", "sha", "prf", "count", "start", "mode", "type",
    "format", "otp", "pin", "skew", "variant",
];

impl UriParameters {
    fn of(query: &str, is_totp: bool, note: &mut dyn FnMut(String)) -> Result<Self, String> {
        let mut read = UriParameters { secret: None, issuer: None, hash: None, digits: 6, counter: None, period_s: 30 };
        let mut seen: Vec<String> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decoded(name, "the name of a parameter")?.trim().to_ascii_lowercase();
            let value = value.replace('+', " ");
            let value = decoded(&value, "a parameter")?;
            match &*name {
                "secret" => read.secret = Some(value.into_owned()),
                "issuer" => {
                    if part.contains('+') {
                        note("a + in the issuer is read as a space".to_owned());
                    }
                    read.issuer = Some(value.into_owned()).filter(|issuer| !issuer.trim().is_empty());
                }
                "algorithm" => read.hash = Some(hash(&value)?),
                "digits" => {
                    let digits = value.trim().parse().ok().filter(|digits| (1..=10).contains(digits));
                    read.digits = digits.ok_or("digits is not a number from 1 to 10")?;
                }
                "period" if is_totp => {
                    let period = value.trim().parse().ok().filter(|period| *period > 0);
                    read.period_s = period.ok_or("period is not a number of seconds")?;
                }
                "counter" if !is_totp => {
                    let counter = value.trim().parse().ok().filter(|counter| *counter >= 0);
                    read.counter = Some(counter.ok_or("counter is not a whole number from 0")?);
                }
                "period" => return Err("there is a period, which HOTP does not have: is the key of type totp?".into()),
                "counter" => {
                    return Err("there is a counter, which TOTP does not have: is the key of type hotp?".into());
                }
                name => unknown(name, note)?,
            }
            if seen.contains(&name) {
                return Err(format!("the parameter {name} occurs twice"));
            }
            seen.push(name);
        }
        Ok(read)
    }
}

/// A parameter that the format does not define.
fn unknown(name: &str, note: &mut dyn FnMut(String)) -> Result<(), String> {
    if name.starts_with("amp;") {
        return Err(format!(
            "unknown parameter \"{name}\": the line was copied from HTML source; replace each &amp; with &"
        ));
    }
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if HARMLESS.contains(&&*plain) {
        note(format!("the parameter {name} is left out: it does not affect codes"));
        return Ok(());
    }
    let is_changing = CHANGING.iter().any(|part| plain.contains(part))
        || CHANGING_BEGIN.iter().any(|part| plain.starts_with(part))
        || CHANGING_WHOLE.contains(&&*plain);
    if is_changing {
        return Err(format!(
            "unknown parameter {name:?}, which may change the codes: the format has secret, issuer, algorithm, \
             digits, period and counter"
        ));
    }
    note(format!("unknown parameter {name:?} is left out"));
    Ok(())
}

fn hash(name: &str) -> Result<Hash, String> {
    match Hash::from_name(name) {
        Some(hash @ (Hash::Sha1 | Hash::Sha256 | Hash::Sha512)) => Ok(hash),
        _ => Err(format!("unknown algorithm {name:?}: use SHA1, SHA256 or SHA512")),
    }
}

/// Decodes percent-encoded text.
fn decoded<'a>(text: &'a str, what: &str) -> Result<Cow<'a, str>, String> {
    let is_escape = |rest: &str| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
    if text.split('%').skip(1).any(|rest| !is_escape(rest)) {
        return Err(format!("{what} has a % without two hexadecimal digits: write a literal % as %25"));
    }
    percent_decode_str(text).decode_utf8().map_err(|_| format!("{what} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use dskpp_crypto::Secret;

    use super::*;

    /// A name is written so that it reads back unchanged, or the key is refused.
    #[test]
    fn names_round_trip_or_are_refused() {
        let names = [
            "jane",
            "jane+work@example.test",
            "A/B",
            "a:b",
            "a b",
            "50%",
            "%41",
            "ä€\u{1F600}",
            "a?b=c&d#e",
            "a\nb",
            "..",
            ".",
            "\\",
            "\"'<>",
            "a%3Ab",
            ":",
            "a:",
            ":a",
            "",
            " a",
            "a ",
            "\u{A0}a",
        ];
        let (mut carried, mut refused) = (0, 0);
        for name in names {
            for issuer in names.iter().map(|issuer| Some((*issuer).to_owned())).chain([None]) {
                let key = Key {
                    id: "k".into(),
                    algorithm: Some(TOTP.into()),
                    issuer,
                    friendly_name: Some(name.to_owned()).filter(|name| !name.is_empty()),
                    data: Some(KeyData {
                        secret: Some(Value::Plain(Secret::from_slice(&[1; 20]))),
                        ..KeyData::default()
                    }),
                    ..Key::default()
                };
                let package = KeyPackage { key: Some(key), ..KeyPackage::default() };
                let (Some(key), Ok(line)) = (&package.key, write(&package)) else {
                    refused += 1;
                    continue;
                };
                carried += 1;
                let mut notes = Vec::new();
                let back = read(line.trim_end_matches('\n'), &mut |note| notes.push(note));
                let back = back.expect("what was written").key.expect("a key");
                let name = key.friendly_name.as_ref().unwrap_or(&key.id);
                assert_eq!((back.friendly_name.as_ref(), &back.issuer), (Some(name), &key.issuer), "{line}");
                assert!(notes.is_empty(), "{line}: {notes:?}");
            }
        }
        assert!(carried > 200 && refused > 100, "{carried} carried, {refused} refused");
    }
}
