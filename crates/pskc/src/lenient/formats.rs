//! Formats of challenges, responses and PINs.

use super::values;
use super::warning::{Irregularity, Warnings};
use crate::xml::Tree;
use crate::{ChallengeFormat, Error, Key, PinPolicy, PinUsageMode, ResponseFormat, ValueFormat};

/// `<AlgorithmParameters>`, or the `<Usage>` of drafts.
pub(super) fn parameters(key: &mut Key, tree: &Tree, warnings: &mut Warnings) -> Result<(), Error> {
    let parameters = key.algorithm_parameters.get_or_insert_default();
    for child in &tree.children {
        match child.local.to_ascii_lowercase().as_str() {
            "suite" => parameters.suite = Some(child.trimmed().to_owned()),
            "challengeformat" => {
                parameters.challenge_format = Some(ChallengeFormat {
                    encoding: encoding(child, warnings)?,
                    min: length(child, "Min", warnings)?.unwrap_or(0),
                    max: length(child, "Max", warnings)?
                        .ok_or_else(|| values::invalid("there is no Max", &child.place))?,
                    check_digits: check_digits(child, warnings)?,
                });
            }
            "responseformat" => {
                parameters.response_format = Some(ResponseFormat {
                    encoding: encoding(child, warnings)?,
                    length: length(child, "Length", warnings)?
                        .ok_or_else(|| values::invalid("there is no Length", &child.place))?,
                    check_digits: check_digits(child, warnings)?,
                });
            }
            "extensions" => parameters.extensions.extend(super::package::extensions(child)),
            _ => warnings.unknown(child),
        }
    }
    if *parameters == crate::AlgorithmParameters::default() {
        key.algorithm_parameters = None;
    }
    Ok(())
}

fn encoding(tree: &Tree, warnings: &mut Warnings) -> Result<ValueFormat, Error> {
    let found = ["Encoding", "Format"].iter().find_map(|name| {
        let found = tree.attributes.iter().find(|attribute| attribute.local.eq_ignore_ascii_case(name))?;
        warnings.attribute(&found.local, "Encoding", &tree.place);
        Some(found.value.trim())
    });
    let Some(text) = found else {
        warnings.add(Irregularity::NoEncoding, &tree.place);
        return Ok(ValueFormat::Decimal);
    };
    if ValueFormat::from_name(text).is_none() {
        warnings.add(Irregularity::Spelling(text.to_owned()), &tree.place);
    }
    ValueFormat::from_name(&text.to_ascii_uppercase())
        .ok_or_else(|| values::invalid("the encoding is not known", &tree.place))
}

fn length(tree: &Tree, name: &'static str, warnings: &mut Warnings) -> Result<Option<u32>, Error> {
    let found = tree.attributes.iter().find(|attribute| attribute.local.eq_ignore_ascii_case(name));
    let Some(found) = found else { return Ok(None) };
    warnings.attribute(&found.local, name, &tree.place);
    let number = found.value.trim().parse();
    number.map(Some).map_err(|_| values::invalid(format!("{name} is not a number"), &tree.place))
}

fn check_digits(tree: &Tree, warnings: &mut Warnings) -> Result<Option<bool>, Error> {
    for name in ["CheckDigits", "CheckDigit"] {
        if let Some(found) = tree.attributes.iter().find(|attribute| attribute.local.eq_ignore_ascii_case(name)) {
            warnings.attribute(&found.local, "CheckDigits", &tree.place);
            return values::flag(found.value.trim(), &tree.place, warnings).map(Some);
        }
    }
    Ok(None)
}

/// As strict reading: what is not understood is kept.
pub(super) fn pin_policy(tree: &Tree) -> PinPolicy {
    let mut pin = PinPolicy::default();
    for attribute in &tree.attributes {
        let value = attribute.value.as_str();
        let known = match attribute.local.as_str() {
            "PINKeyId" => set(&mut pin.pin_key_id, Some(value.to_owned())),
            "PINUsageMode" => set(&mut pin.pin_usage_mode, PinUsageMode::from_name(value)),
            "MaxFailedAttempts" => set(&mut pin.max_failed_attempts, value.parse().ok()),
            "MinLength" => set(&mut pin.min_length, value.parse().ok()),
            "MaxLength" => set(&mut pin.max_length, value.parse().ok()),
            "PINEncoding" => set(&mut pin.pin_encoding, ValueFormat::from_name(value)),
            _ => false,
        };
        if !known {
            pin.other.push(attribute.clone());
        }
    }
    pin
}

fn set<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}
