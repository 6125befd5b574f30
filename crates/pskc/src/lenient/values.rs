//! Values in non-standard forms.

use std::borrow::Cow;
use std::str::FromStr;

use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE as HEX};
use dskpp_crypto::Secret;
use zeroize::Zeroizing;

use super::header::Defaults;
use super::names;
use super::warning::{Irregularity, Warnings};
use crate::protection::{meant, meant_parameter};
use crate::value::EncryptedValue;
use crate::xml::{self, ElementTree, Fault, Foreign, Position, XmlError};
use crate::{EncryptedData, Error, Value};

pub(super) fn invalid(what: impl Into<Cow<'static, str>>, place: &Position) -> Error {
    XmlError::Value(Fault::at(Box::new(place.clone()), what)).into()
}

pub(super) fn base64(tree: &ElementTree, warnings: &mut Warnings) -> Result<Vec<u8>, Error> {
    decoded(tree.text(), &tree.place, warnings).map_err(|error| invalid(error.to_string(), &tree.place))
}

/// Base64 in canonical form, without padding, or URL-safe (RFC 4648 §5): all of these are
/// unambiguous.
fn decoded(text: &str, place: &Position, warnings: &mut Warnings) -> Result<Vec<u8>, xml::Base64Error> {
    xml::decode_base64(text).or_else(|error| {
        let text = Zeroizing::new(xml::without_white_space(text).replace('-', "+").replace('_', "/"));
        let padding = text.len() - text.trim_end_matches('=').len();
        let octets = BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok().filter(|_| padding <= 2);
        let octets = octets.ok_or(error)?;
        warnings.add(Irregularity::Base64, place);
        Ok(octets)
    })
}

/// The text of an element as a number.
pub(super) fn number<T: FromStr>(tree: &ElementTree) -> Result<T, Error> {
    tree.trimmed().parse().map_err(|_| invalid("not a whole number", &tree.place))
}

/// An `xs:boolean`, ignoring case.
pub(super) fn flag(text: &str, place: &Position, warnings: &mut Warnings) -> Result<bool, Error> {
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

/// A secret: `<PlainValue>`, `<EncryptedValue>`, or the `<Value>` of drafts.
pub(super) fn secret(
    tree: &ElementTree,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<Option<Value<Secret>>, Error> {
    value(tree, defaults, true, warnings, |plain, warnings| {
        let text = Zeroizing::new(xml::without_white_space(plain.text()));
        if let Ok(octets) = xml::decode_base64(&text)
            && !looks_hexadecimal(&text, &octets)
        {
            return Ok(Secret::new(octets));
        }
        if let Ok(octets) = HEX.decode(text.as_bytes()) {
            warnings.add(Irregularity::Hexadecimal, &plain.place);
            return Ok(Secret::new(octets));
        }
        let octets = decoded(&text, &plain.place, warnings);
        octets.map(Secret::new).map_err(|_| invalid("neither base64 nor hexadecimal", &plain.place))
    })
}

/// Whether text that is valid base64 is more likely hexadecimal: it consists of hexadecimal digits, as many as a usual
/// key has, and decodes to an unusual length as base64.
fn looks_hexadecimal(text: &str, octets: &[u8]) -> bool {
    const USUAL: [usize; 5] = [16, 20, 24, 32, 64];
    let digits = text.bytes().all(|octet| octet.is_ascii_hexdigit());
    digits && USUAL.contains(&(text.len() / 2)) && text.len().is_multiple_of(2) && !USUAL.contains(&octets.len())
}

/// A number: in digits, or as octets in base64.
pub(super) fn moving<T: TryFrom<i64>>(
    tree: &ElementTree,
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
                let digits = std::str::from_utf8(&octets).ok().and_then(|text| text.parse::<i64>().ok());
                let number = match digits {
                    Some(number) => number,
                    None if (1..=8).contains(&octets.len()) && octets_are_number(text) => {
                        let number = octets.iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
                        i64::try_from(number).map_err(|_| wrong())?
                    }
                    None => return Err(wrong()),
                };
                warnings.add(Irregularity::EncodedNumber(number), &plain.place);
                number
            }
        };
        T::try_from(number).map_err(|_| wrong())
    })
}

/// Whether base64 text looks like a number's octets: padded, or eight octets as in drafts; not a word like `TWELVE`.
fn octets_are_number(text: &str) -> bool {
    text.ends_with('=') || text.starts_with("AA")
}

fn value<T>(
    tree: &ElementTree,
    defaults: &Defaults,
    is_secret: bool,
    warnings: &mut Warnings,
    plain: impl FnOnce(&ElementTree, &mut Warnings) -> Result<T, Error>,
) -> Result<Option<Value<T>>, Error> {
    names::in_order(tree, &["PlainValue", "EncryptedValue", "ValueMAC"], warnings);
    let mac = tree.child("ValueMAC").or_else(|| tree.child("ValueDigest"));
    if let Some(encrypted) = tree.child("EncryptedValue") {
        if encrypted.children().is_empty() && encrypted.trimmed().is_empty() {
            warnings.empty(encrypted);
            return Ok(None);
        }
        let data = encrypted_data(encrypted, defaults, warnings)?;
        return Ok(Some(Value::Encrypted(Box::new(EncryptedValue { data, mac: mac_of(mac, warnings)? }))));
    }
    if let (Some(value), Some(algorithm)) = (tree.child("Value"), &defaults.algorithm)
        // In such files, numbers stay in the clear, without a digest. Secrets do not: ciphertext is not a key.
        && (mac.is_some() || is_secret)
    {
        let cipher_value = [defaults.iv.clone(), base64(value, warnings)?].concat();
        let algorithm = algorithm.clone();
        let data = EncryptedData { algorithm, parameters: Vec::new(), key_info: None, cipher_value };
        return Ok(Some(Value::Encrypted(Box::new(EncryptedValue { data, mac: mac_of(mac, warnings)? }))));
    }
    let Some(found) = tree.child("PlainValue").or_else(|| tree.child("Value")) else {
        warnings.add(Irregularity::Empty(tree.local.clone()), &tree.place);
        return Ok(None);
    };
    warnings.name(found, "PlainValue");
    if let Some(mac) = mac {
        mac.take_whole();
        warnings.add(Irregularity::MacOfPlain, &mac.place);
    }
    plain(found, warnings).map(|value| Some(Value::Plain(value)))
}

fn mac_of(tree: Option<&ElementTree>, warnings: &mut Warnings) -> Result<Option<Vec<u8>>, Error> {
    tree.map(|mac| base64(mac, warnings)).transpose()
}

/// The URI of an algorithm, even if it is in an unknown namespace.
pub(super) fn algorithm(uri: &str, place: &Position, warnings: &mut Warnings) -> String {
    let uri = xml::without_white_space(uri);
    let Some(meant) = meant(&uri) else { return uri };
    warnings.add(Irregularity::Algorithm { found: uri, taken_as: meant.clone() }, place);
    meant
}

/// A parameter of an algorithm, unchanged except for the name of OAEP's digest or mask generation function.
fn parameter(tree: &ElementTree, warnings: &mut Warnings) -> Foreign {
    let mut parameter = tree.to_foreign(&|tree| tree.ns.clone());
    if matches!(tree.local.as_str(), "DigestMethod" | "MGF")
        && let Some(attribute) = parameter.attributes.iter_mut().find(|attribute| attribute.local == "Algorithm")
        && let Some(meant) = meant_parameter(&attribute.value)
    {
        let found = std::mem::replace(&mut attribute.value, meant.to_owned());
        warnings.add(Irregularity::Algorithm { found, taken_as: meant.to_owned() }, &tree.place);
    }
    parameter
}

/// An element of type `xenc:EncryptedDataType`.
pub(super) fn encrypted_data(
    tree: &ElementTree,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<EncryptedData, Error> {
    names::in_order(tree, &["EncryptionMethod", "KeyInfo", "CipherData", "EncryptionProperties"], warnings);
    for name in ["Id", "Type", "MimeType", "Encoding"] {
        tree.attribute(name); // like strict reading, which keeps none of them
    }
    let properties = tree.child("EncryptionProperties");
    properties.iter().for_each(|properties| properties.take_whole());
    let method = tree.child("EncryptionMethod");
    let scheme = method.and_then(|method| method.child("EncryptionScheme")).or(method);
    let named = scheme.and_then(|scheme| scheme.attribute("Algorithm")).or(defaults.algorithm.as_deref());
    let cipher = tree.child("CipherData").unwrap_or(tree).child("CipherValue");
    let cipher = cipher.ok_or_else(|| invalid("there is no <CipherValue>", &tree.place))?;
    let algorithm = algorithm(named.unwrap_or_default(), &tree.place, warnings);
    if algorithm.is_empty() {
        warnings.add(Irregularity::NoAlgorithm, &tree.place);
    }
    let iv = Some(&defaults.iv).filter(|_| algorithm.ends_with("-cbc")).cloned().unwrap_or_default();
    let parameters = method.iter().flat_map(|method| method.children());
    Ok(EncryptedData {
        algorithm,
        parameters: parameters.map(|tree| parameter(tree, warnings)).collect(),
        key_info: tree.child("KeyInfo").map(|key| super::header::key_info(key, warnings)).transpose()?,
        cipher_value: [iv, base64(cipher, warnings)?].concat(),
    })
}
