//! Formats of challenges, responses and PINs.

use dskpp_crypto::Hash;

use super::warning::{Irregularity, Warnings};
use super::{names, values};
use crate::xml::{ElementTree, Ns};
use crate::{ChallengeFormat, Error, Key, PinPolicy, PinUsageMode, ResponseFormat, ValueFormat};

/// `<AlgorithmParameters>`, or the `<Usage>` of drafts.
pub(super) fn parameters(key: &mut Key, tree: &ElementTree, warnings: &mut Warnings) -> Result<(), Error> {
    const CHILDREN: [&str; 4] = ["Suite", "ChallengeFormat", "ResponseFormat", "Extensions"];
    let parameters = key.algorithm_parameters.get_or_insert_default();
    names::in_order(tree, &CHILDREN, warnings);
    for child in tree.children() {
        match names::element(child, &CHILDREN, warnings) {
            Some("ChallengeFormat" | "ResponseFormat") if names::own(child).next().is_none() => warnings.empty(child),
            Some("Suite") => {
                let suite = suite(child, warnings)?;
                warnings.first(&mut parameters.suite, Some(suite), child);
            }
            Some("ChallengeFormat") => {
                let format = challenge(child, warnings)?;
                warnings.first(&mut parameters.challenge_format, Some(format), child);
            }
            Some("ResponseFormat") => {
                let format = response(child, warnings)?;
                warnings.first(&mut parameters.response_format, Some(format), child);
            }
            Some(_) => parameters.extensions.extend(super::key_package::extensions(child, warnings)),
            None => warnings.unknown(child),
        }
    }
    // `<Usage>` also states the key's uses, and may state nothing else.
    let is_usage = tree.local.eq_ignore_ascii_case("Usage");
    if is_usage && *parameters == crate::AlgorithmParameters::default() {
        key.algorithm_parameters = None;
    }
    Ok(())
}

/// The suite; a widespread server writes the hash of TOTP as an attribute instead of the text.
fn suite(tree: &ElementTree, warnings: &mut Warnings) -> Result<String, Error> {
    const NAMES: [&str; 6] = ["hashalgo", "hashalgorithm", "hash", "algorithm", "algo", "alg"];
    let text = tree.trimmed();
    let named = tree.find(|a| a.ns == Ns::None && NAMES.iter().any(|name| a.local.eq_ignore_ascii_case(name)));
    let Some(attribute) = named.filter(|attribute| !attribute.value.trim().is_empty()) else {
        return Ok(text.to_owned());
    };
    let hash = Hash::from_name(&attribute.value);
    if !text.is_empty() && Hash::from_name(text) != hash {
        let what = format!("<Suite> and its attribute {} name different hashes", attribute.local);
        return Err(values::invalid(what, &tree.place));
    }
    // An unknown name is kept, so that it is not mistaken for SHA-1.
    let hash = hash.map_or_else(|| attribute.value.trim(), |hash| hash.hmac_name()).to_owned();
    let warning = Irregularity::SuiteAttribute { attribute: attribute.local.to_string(), hash: hash.clone() };
    warnings.add(warning, &tree.place);
    Ok(if text.is_empty() { hash } else { text.to_owned() })
}

fn challenge(tree: &ElementTree, warnings: &mut Warnings) -> Result<ChallengeFormat, Error> {
    let min = length(tree, "Min", warnings)?;
    if min.is_none() {
        warnings.add(Irregularity::Assumed("Min 0"), &tree.place);
    }
    Ok(ChallengeFormat {
        encoding: encoding(tree, warnings)?,
        min: min.unwrap_or(0),
        max: length(tree, "Max", warnings)?.ok_or_else(|| values::invalid("there is no Max", &tree.place))?,
        check_digits: check_digits(tree, warnings)?,
    })
}

fn response(tree: &ElementTree, warnings: &mut Warnings) -> Result<ResponseFormat, Error> {
    Ok(ResponseFormat {
        encoding: encoding(tree, warnings)?,
        length: length(tree, "Length", warnings)?.ok_or_else(|| values::invalid("there is no Length", &tree.place))?,
        check_digits: check_digits(tree, warnings)?,
    })
}

const ENCODINGS: [&str; 5] = ["DECIMAL", "HEXADECIMAL", "ALPHANUMERIC", "BASE64", "BINARY"];

fn encoding(tree: &ElementTree, warnings: &mut Warnings) -> Result<ValueFormat, Error> {
    let Some(text) = names::attribute(tree, &["Encoding", "Format"], warnings) else {
        warnings.add(Irregularity::NoEncoding, &tree.place);
        return Ok(ValueFormat::Decimal);
    };
    names::value(text, &ENCODINGS, tree, warnings)
        .and_then(ValueFormat::from_name)
        .ok_or_else(|| values::invalid("unknown encoding", &tree.place))
}

fn length(tree: &ElementTree, name: &'static str, warnings: &mut Warnings) -> Result<Option<u32>, Error> {
    let Some(text) = names::attribute(tree, &[name], warnings) else { return Ok(None) };
    let number = text.trim().parse();
    number.map(Some).map_err(|_| values::invalid(format!("{name} is not a number"), &tree.place))
}

fn check_digits(tree: &ElementTree, warnings: &mut Warnings) -> Result<Option<bool>, Error> {
    let text = names::attribute(tree, &["CheckDigits", "CheckDigit"], warnings);
    text.map(|text| values::flag(text.trim(), &tree.place, warnings)).transpose()
}

/// Like strict reading: unknown content is kept, and forbids the use of the key.
pub(super) fn pin_policy(tree: &ElementTree, warnings: &mut Warnings) -> PinPolicy {
    const MODES: [&str; 4] = ["Local", "Prepend", "Append", "Algorithmic"];
    let mut pin = PinPolicy::default();
    tree.take_attributes(|_| true);
    for attribute in tree.attributes() {
        let value = attribute.value.as_str();
        let own = attribute.ns == Ns::None;
        let known = own
            && match attribute.local.as_str() {
                "PINKeyId" => set(&mut pin.pin_key_id, Some(value.to_owned())),
                "PINUsageMode" => {
                    let mode = names::value(value, &MODES, tree, warnings);
                    set(&mut pin.pin_usage_mode, mode.and_then(PinUsageMode::from_name))
                }
                "MaxFailedAttempts" => set(&mut pin.max_failed_attempts, value.parse().ok()),
                "MinLength" => set(&mut pin.min_length, value.parse().ok()),
                "MaxLength" => set(&mut pin.max_length, value.parse().ok()),
                "PINEncoding" => {
                    let encoding = names::value(value, &ENCODINGS, tree, warnings);
                    set(&mut pin.pin_encoding, encoding.and_then(ValueFormat::from_name))
                }
                _ => false,
            };
        if !known {
            warnings.not_understood(format!("PINPolicy {}", attribute.local), tree);
            pin.other.push(attribute.clone());
        }
    }
    pin
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}
