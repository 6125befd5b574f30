//! Values in the forms in which they are met.

use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use dskpp_crypto::Secret;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::header::Defaults;
use super::warning::{Irregularity, Warnings};
use crate::codec::parse_date;
use crate::value::EncryptedValue;
use crate::xml::{self, Place, Tree, XmlError};
use crate::{EncryptedData, Error, Value};

pub(super) fn invalid(what: impl Into<String>, place: &Place) -> Error {
    XmlError::Value { what: what.into(), place: place.clone() }.into()
}

pub(super) fn base64(tree: &Tree) -> Result<Vec<u8>, Error> {
    xml::decode_base64(&tree.text).map_err(|error| invalid(error.to_string(), &tree.place))
}

/// The text of an element as a number.
pub(super) fn number<T: FromStr>(tree: &Tree) -> Result<T, Error> {
    tree.trimmed().parse().map_err(|_| invalid("not a whole number", &tree.place))
}

/// `xs:boolean` in any case.
pub(super) fn flag(text: &str, place: &Place, warnings: &mut Warnings) -> Result<bool, Error> {
    let flag = match text.to_ascii_lowercase().as_str() {
        "true" | "1" => true,
        "false" | "0" => false,
        _ => return Err(invalid("neither true nor false", place)),
    };
    if !matches!(text, "true" | "false" | "1" | "0") {
        warnings.add(Irregularity::Spelling(text.to_owned()), place);
    }
    Ok(flag)
}

/// A date of XML Schema, one without a time, or `month/day/year`.
pub(super) fn date(tree: &Tree, warnings: &mut Warnings) -> Result<Timestamp, Error> {
    let text = tree.trimmed();
    if let Some(date) = parse_date(text) {
        return Ok(date);
    }
    // With an offset first: the forms without one would pass over it.
    let date = text.parse::<Timestamp>().ok().or_else(|| {
        let local = month_day_year(text).or_else(|| text.parse::<DateTime>().ok());
        // `2030-01-31` and, as XML Schema has dates too, `2030-01-31Z`
        let day = || text.strip_suffix('Z').unwrap_or(text).parse::<Date>().ok().map(DateTime::from);
        Some(local.or_else(day)?.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    let date = date.ok_or_else(|| invalid("not a date and time such as 2026-01-31T12:00:00Z", &tree.place))?;
    warnings.add(Irregularity::Date(text.to_owned()), &tree.place);
    Ok(date)
}

fn month_day_year(text: &str) -> Option<DateTime> {
    let mut parts = text.split('/');
    let (month, day, year) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let is_whole = parts.next().is_none();
    Date::new(year, month, day).ok().filter(|_| is_whole).map(DateTime::from)
}

/// A secret: `<PlainValue>`, `<EncryptedValue>`, or the `<Value>` of drafts.
pub(super) fn secret(
    tree: &Tree,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<Option<Value<Secret>>, Error> {
    value(tree, defaults, true, warnings, |plain, warnings| {
        let text = Secret::from_slice(xml::without_white_space(&plain.text).as_bytes());
        let text = std::str::from_utf8(text.expose()).unwrap_or_default();
        let octets = match xml::decode_base64(text) {
            Ok(octets) if !looks_hexadecimal(text, &octets) => octets,
            other => match HEX.decode(text.as_bytes()) {
                Ok(octets) => {
                    warnings.add(Irregularity::Hexadecimal, &plain.place);
                    octets
                }
                Err(_) => other.map_err(|_| invalid("neither base64 nor hexadecimal", &plain.place))?,
            },
        };
        Ok(Secret::new(octets))
    })
}

/// Whether a text that can be read as base64 is more likely hexadecimal: it has nothing but such digits, as many as
/// a usual key has in hexadecimal, while in base64 it would be no usual key.
fn looks_hexadecimal(text: &str, octets: &[u8]) -> bool {
    const USUAL: [usize; 5] = [16, 20, 24, 32, 64];
    let digits = text.bytes().all(|octet| octet.is_ascii_hexdigit());
    digits && USUAL.contains(&(text.len() / 2)) && text.len().is_multiple_of(2) && !USUAL.contains(&octets.len())
}

/// A number: in digits, or as octets in base64.
pub(super) fn moving<T: TryFrom<i64>>(
    tree: &Tree,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<Option<Value<T>>, Error> {
    value(tree, defaults, false, warnings, |plain, warnings| {
        let wrong = || invalid("not a whole number that fits", &plain.place);
        let text = plain.trimmed();
        let number = match text.parse::<i64>() {
            Ok(number) => number,
            Err(_) => {
                let octets = xml::decode_base64(text).map_err(|_| wrong())?;
                warnings.add(Irregularity::EncodedNumber, &plain.place);
                let digits = std::str::from_utf8(&octets).ok().and_then(|text| text.parse::<i64>().ok());
                match digits {
                    Some(number) => number,
                    None if (1..=8).contains(&octets.len()) && octets_are_number(text) => {
                        let number = octets.iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
                        i64::try_from(number).map_err(|_| wrong())?
                    }
                    None => return Err(wrong()),
                }
            }
        };
        T::try_from(number).map_err(|_| wrong())
    })
}

/// Octets of a number are written with padding, or as the eight of them that drafts have; a word (`TWELVE`) is not.
fn octets_are_number(text: &str) -> bool {
    text.ends_with('=') || text.starts_with("AA")
}

fn value<T>(
    tree: &Tree,
    defaults: &Defaults,
    is_secret: bool,
    warnings: &mut Warnings,
    plain: impl FnOnce(&Tree, &mut Warnings) -> Result<T, Error>,
) -> Result<Option<Value<T>>, Error> {
    let mac = tree.child("ValueMAC").or_else(|| tree.child("ValueDigest"));
    if let Some(encrypted) = tree.child("EncryptedValue") {
        if encrypted.children.is_empty() && encrypted.trimmed().is_empty() {
            warnings.empty(encrypted);
            return Ok(None);
        }
        let data = encrypted_data(encrypted, defaults, warnings)?;
        return Ok(Some(Value::Encrypted(Box::new(EncryptedValue { data, mac: mac.map(base64).transpose()? }))));
    }
    if let (Some(value), Some(algorithm)) = (tree.child("Value"), &defaults.algorithm)
        // Numbers stay in the clear in such files, without a digest. A secret does not: ciphertext is no key.
        && (mac.is_some() || is_secret)
    {
        let cipher_value = [defaults.iv.clone(), base64(value)?].concat();
        let algorithm = algorithm.clone();
        let data = EncryptedData { algorithm, parameters: Vec::new(), key_info: None, cipher_value };
        return Ok(Some(Value::Encrypted(Box::new(EncryptedValue { data, mac: mac.map(base64).transpose()? }))));
    }
    let Some(found) = tree.child("PlainValue").or_else(|| tree.child("Value")) else { return Ok(None) };
    warnings.name(found, "PlainValue");
    if let Some(mac) = mac {
        warnings.add(Irregularity::MacOfPlain, &mac.place);
    }
    plain(found, warnings).map(|value| Some(Value::Plain(value)))
}

/// An element of type `xenc:EncryptedDataType`.
pub(super) fn encrypted_data(
    tree: &Tree,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<EncryptedData, Error> {
    let method = tree.child("EncryptionMethod");
    let scheme = method.and_then(|method| method.child("EncryptionScheme")).or(method);
    let algorithm = scheme.and_then(|scheme| scheme.attribute("Algorithm")).or(defaults.algorithm.as_deref());
    let cipher = tree.child("CipherData").unwrap_or(tree).child("CipherValue");
    let cipher = cipher.ok_or_else(|| invalid("there is no <CipherValue>", &tree.place))?;
    let algorithm = xml::without_white_space(algorithm.unwrap_or_default());
    if algorithm.is_empty() {
        warnings.add(Irregularity::NoAlgorithm, &tree.place);
    }
    let iv = Some(&defaults.iv).filter(|_| algorithm.ends_with("-cbc")).cloned().unwrap_or_default();
    let parameters = method.iter().flat_map(|method| &method.children);
    Ok(EncryptedData {
        algorithm,
        parameters: parameters.map(|parameter| parameter.to_foreign(&|tree| tree.ns.clone())).collect(),
        key_info: tree.child("KeyInfo").map(super::header::key_info).transpose()?,
        cipher_value: [iv, base64(cipher)?].concat(),
    })
}
