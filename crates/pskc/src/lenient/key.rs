//! Keys, their data and their policy.

use super::header::Defaults;
use super::warning::{Irregularity, Warnings};
use super::{formats, package, values};
use crate::xml::{Tree, XmlError, ns, without_white_space};
use crate::{Error, Key, KeyData, KeyUsage, Policy};

/// `<Key>`, or the `<Secret>` of the first draft.
pub(super) fn read(
    tree: &Tree,
    serial: Option<&str>,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<Key, Error> {
    warnings.name(tree, "Key");
    let mut key = Key { id: id(tree, serial, warnings), algorithm: algorithm(tree, warnings), ..Key::default() };
    for child in &tree.children {
        let name = child.local.to_ascii_lowercase();
        let text = match name.as_str() {
            "issuer" => &mut key.issuer,
            "keyprofileid" => &mut key.key_profile_id,
            "keyreference" => &mut key.key_reference,
            "friendlyname" => &mut key.friendly_name,
            "userid" => &mut key.user_id,
            _ => {
                part(&mut key, &name, child, defaults, warnings)?;
                continue;
            }
        };
        *text = Some(child.trimmed().to_owned());
    }
    key.policy = key.policy.filter(|policy| *policy != Policy::default());
    Ok(key)
}

/// A child that is more than a text.
fn part(key: &mut Key, name: &str, tree: &Tree, defaults: &Defaults, warnings: &mut Warnings) -> Result<(), Error> {
    match name {
        "data" => data(key.data.get_or_insert_default(), tree, defaults, warnings)?,
        "algorithmparameters" => formats::parameters(key, tree, warnings)?,
        "usage" => {
            warnings.name(tree, "AlgorithmParameters");
            formats::parameters(key, tree, warnings)?;
            usage(key.policy.get_or_insert_default(), tree, warnings)?;
        }
        "policy" => policy(key.policy.get_or_insert_default(), tree, warnings)?,
        "startdate" => key.policy.get_or_insert_default().start_date = Some(values::date(tree, warnings)?),
        "expirydate" => key.policy.get_or_insert_default().expiry_date = Some(values::date(tree, warnings)?),
        "extensions" => key.extensions.extend(package::extensions(tree)),
        // A policy of its own kind: what is not understood forbids the use of the key (RFC 6030 §5).
        "pinpolicy" => {
            let other = &mut key.policy.get_or_insert_default().other;
            other.push(tree.to_foreign(&|tree| tree.ns.clone()));
        }
        _ => warnings.unknown(tree),
    }
    Ok(())
}

fn id(tree: &Tree, serial: Option<&str>, warnings: &mut Warnings) -> String {
    for name in ["Id", "KeyId", "SecretId"] {
        if let Some(found) = tree.attributes.iter().find(|attribute| attribute.local.eq_ignore_ascii_case(name)) {
            warnings.attribute(&found.local, "Id", &tree.place);
            return found.value.clone();
        }
    }
    let id = serial.unwrap_or_default().to_owned();
    warnings.add(Irregularity::NoId(id.clone()), &tree.place);
    id
}

fn algorithm(tree: &Tree, warnings: &mut Warnings) -> Option<String> {
    ["Algorithm", "KeyAlgorithm", "SecretAlgorithm"].iter().find_map(|name| {
        let found = tree.attributes.iter().find(|attribute| attribute.local.eq_ignore_ascii_case(name))?;
        warnings.attribute(&found.local, "Algorithm", &tree.place);
        Some(without_white_space(&found.value))
    })
}

fn data(data: &mut KeyData, tree: &Tree, defaults: &Defaults, warnings: &mut Warnings) -> Result<(), Error> {
    if let Some(name) = tree.attribute("Name") {
        warnings.attribute("Name", "an element of <Data>", &tree.place);
        return one(data, &name.replace('_', ""), tree, defaults, warnings);
    }
    tree.children.iter().try_for_each(|child| one(data, &child.local, child, defaults, warnings))
}

fn one(data: &mut KeyData, name: &str, tree: &Tree, defaults: &Defaults, warnings: &mut Warnings) -> Result<(), Error> {
    match name.to_ascii_lowercase().as_str() {
        "secret" => data.secret = values::secret(tree, defaults, warnings)?,
        "counter" => data.counter = values::moving(tree, defaults, warnings)?,
        "time" => data.time = values::moving(tree, defaults, warnings)?,
        "timeinterval" => data.time_interval = values::moving(tree, defaults, warnings)?,
        "timedrift" => data.time_drift = values::moving(tree, defaults, warnings)?,
        _ if !tree.ns.is(ns::PSKC) && tree.attribute("Name").is_none() => {
            data.other.push(tree.to_foreign(&|tree| tree.ns.clone()));
        }
        _ => warnings.unknown(tree),
    }
    Ok(())
}

/// `<Usage OTP="true" …>` of drafts.
fn usage(policy: &mut Policy, tree: &Tree, warnings: &mut Warnings) -> Result<(), Error> {
    for attribute in &tree.attributes {
        let known = ["OTP", "CR", "Integrity", "Encrypt", "Unlock"]
            .into_iter()
            .find(|name| attribute.local.eq_ignore_ascii_case(name));
        match known.and_then(KeyUsage::from_name) {
            Some(usage) => {
                if values::flag(&attribute.value, &tree.place, warnings)? {
                    policy.key_usage.push(usage);
                }
            }
            None => warnings.add(Irregularity::UnknownAttribute(attribute.local.to_string()), &tree.place),
        }
    }
    Ok(())
}

/// As strict reading, in any order: what is not understood is kept, and the key stays out of use (RFC 6030 §5).
fn policy(policy: &mut Policy, tree: &Tree, warnings: &mut Warnings) -> Result<(), Error> {
    for child in &tree.children {
        match child.local.as_str() {
            "StartDate" => policy.start_date = Some(values::date(child, warnings)?),
            "ExpiryDate" => policy.expiry_date = Some(values::date(child, warnings)?),
            "PINPolicy" if child.children.is_empty() => policy.pin_policy = Some(formats::pin_policy(child)),
            "PINPolicy" => {
                policy.pin_policy = Some(formats::pin_policy(child));
                policy.other.push(child.to_foreign(&|tree| tree.ns.clone()));
            }
            "KeyUsage" => match KeyUsage::from_name(child.trimmed()) {
                Some(usage) => policy.key_usage.push(usage),
                None => policy.other.push(child.to_foreign(&|tree| tree.ns.clone())),
            },
            "NumberOfTransactions" => policy.number_of_transactions = Some(values::number(child)?),
            _ => policy.other.push(child.to_foreign(&|tree| tree.ns.clone())),
        }
    }
    match tree.trimmed() {
        "" => Ok(()),
        _ => Err(XmlError::Unexpected { what: "text".into(), place: tree.place.clone() }.into()),
    }
}
