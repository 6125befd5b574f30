//! Keys, their data and their policy.

use super::header::Defaults;
use super::warning::{Irregularity, Warnings};
use super::{dates, formats, key_package, names, values};
use crate::xml::{Attribute, ElementTree, Fault, Foreign, Ns, XmlError, is_language, without_white_space};
use crate::{Error, Key, KeyData, KeyUsage, Policy, kind};

const IDS: [&str; 3] = ["Id", "KeyId", "SecretId"];
const ALGORITHMS: [&str; 3] = ["Algorithm", "KeyAlgorithm", "SecretAlgorithm"];
const TEXTS: [&str; 5] = ["Issuer", "KeyProfileId", "KeyReference", "FriendlyName", "UserId"];
const PARTS: [&str; 8] =
    ["Data", "AlgorithmParameters", "Usage", "Policy", "StartDate", "ExpiryDate", "PINPolicy", "Extensions"];
const VALUES: [&str; 5] = ["Secret", "Counter", "Time", "TimeInterval", "TimeDrift"];
const RULES: [&str; 5] = ["StartDate", "ExpiryDate", "PINPolicy", "KeyUsage", "NumberOfTransactions"];
const USES: [&str; 11] =
    ["OTP", "CR", "Encrypt", "Integrity", "Verify", "Unlock", "Decrypt", "KeyWrap", "Unwrap", "Derive", "Generate"];

/// `<Key>`, or the `<Secret>` of the first draft.
pub(super) fn read(
    tree: &ElementTree,
    serial: Option<&str>,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<Key, Error> {
    warnings.name(tree, "Key");
    let algorithm = names::attribute(tree, &ALGORITHMS, warnings).map(without_white_space);
    let algorithm = algorithm.map(|uri| algorithm_of(uri, tree, warnings));
    let mut key = Key { id: id(tree, serial, warnings), algorithm, ..Key::default() };
    names::in_order(tree, Key::CHILDREN, warnings);
    let mut stood = Vec::new();
    for child in tree.children() {
        let text = match names::element(child, &TEXTS, warnings) {
            Some("Issuer") => &mut key.issuer,
            Some("KeyProfileId") => &mut key.key_profile_id,
            Some("KeyReference") => &mut key.key_reference,
            Some("FriendlyName") => {
                let language = child.find(|a| a.is_language() && is_language(&a.value)).map(|a| a.value.clone());
                if key.friendly_name.is_none() {
                    key.friendly_name_language = language;
                }
                &mut key.friendly_name
            }
            Some(_) => &mut key.user_id,
            None => {
                part(&mut key, child, &mut stood, defaults, warnings)?;
                continue;
            }
        };
        warnings.first(text, Some(child.trimmed().to_owned()), child);
    }
    Ok(key)
}

/// The URI of the key's algorithm, even if it is in an unknown namespace.
fn algorithm_of(uri: String, tree: &ElementTree, warnings: &mut Warnings) -> String {
    let Some(meant) = kind::meant(&uri).filter(|_| uri.contains([':', '#', '/'])) else { return uri };
    warnings.add(Irregularity::Algorithm { found: uri, taken_as: meant.to_owned() }, &tree.place);
    meant.to_owned()
}

/// A child with a structure; `stood` has the names of non-repeatable children so far.
fn part(
    key: &mut Key,
    tree: &ElementTree,
    stood: &mut Vec<&'static str>,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    let name = names::element(tree, &PARTS, warnings);
    match name {
        Some(again) if is_again(again, tree, stood) => match again {
            // It is unclear which one limits the key.
            "Policy" => not_understood(key.policy.get_or_insert_default(), tree, warnings),
            _ => {
                tree.take_whole();
                warnings.add(Irregularity::Repeated(tree.local.clone()), &tree.place);
            }
        },
        Some("Data") => data(key.data.get_or_insert_default(), tree, defaults, warnings)?,
        Some("AlgorithmParameters") => formats::parameters(key, tree, warnings)?,
        Some("Usage") => {
            warnings.name(tree, "AlgorithmParameters");
            formats::parameters(key, tree, warnings)?;
            usage(&mut key.policy, tree, warnings)?;
        }
        Some("Policy") => policy(key.policy.get_or_insert_default(), tree, warnings)?,
        Some(date @ ("StartDate" | "ExpiryDate")) => {
            policy_part(key.policy.get_or_insert_default(), tree, date, warnings)?;
        }
        // An unknown kind of policy forbids the use of the key (RFC 6030 §5).
        Some("PINPolicy") => not_understood(key.policy.get_or_insert_default(), tree, warnings),
        Some(_) => key.extensions.extend(key_package::extensions(tree, warnings)),
        None => warnings.unknown(tree),
    }
    Ok(())
}

/// Whether this part occurred before. Drafts have one `<Data Name="…">` for each value.
fn is_again(name: &'static str, tree: &ElementTree, stood: &mut Vec<&'static str>) -> bool {
    let once = match name {
        "Data" => !tree.attributes().iter().any(|attribute| attribute.local.eq_ignore_ascii_case("Name")),
        _ => matches!(name, "AlgorithmParameters" | "Policy"),
    };
    let again = once && stood.contains(&name);
    stood.push(name);
    again
}

fn id(tree: &ElementTree, serial: Option<&str>, warnings: &mut Warnings) -> String {
    if let Some(id) = names::attribute(tree, &IDS, warnings) {
        return id.to_owned();
    }
    let id = serial.unwrap_or_default().to_owned();
    warnings.add(Irregularity::NoId(id.clone()), &tree.place);
    id
}

fn data(data: &mut KeyData, tree: &ElementTree, defaults: &Defaults, warnings: &mut Warnings) -> Result<(), Error> {
    names::in_order(tree, &VALUES, warnings);
    if let Some(name) = names::attribute(tree, &["Name"], warnings) {
        warnings.attribute("Name", "an element of <Data>", &tree.place);
        let name = name.trim().replace('_', "");
        let name = VALUES.into_iter().find(|known| known.eq_ignore_ascii_case(&name));
        return one(data, name, tree, defaults, warnings);
    }
    tree.children().iter().try_for_each(|child| match names::belongs(child, tree) {
        true => one(data, names::element(child, &VALUES, warnings), child, defaults, warnings),
        false => {
            if VALUES.iter().any(|name| child.local.eq_ignore_ascii_case(name)) {
                warnings.add(Irregularity::Extension(child.local.clone()), &child.place);
            }
            data.other.push(as_it_is(child));
            Ok(())
        }
    })
}

fn one(
    data: &mut KeyData,
    name: Option<&str>,
    tree: &ElementTree,
    defaults: &Defaults,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    if name == Some("Secret") {
        let secret = values::secret(tree, defaults, warnings)?;
        warnings.first(&mut data.secret, secret, tree);
        return Ok(());
    }
    if name == Some("Counter") {
        let counter = values::moving(tree, defaults, warnings)?;
        warnings.first(&mut data.counter, counter, tree);
        return Ok(());
    }
    let field = match name {
        Some("Time") => &mut data.time,
        Some("TimeInterval") => &mut data.time_interval,
        Some("TimeDrift") => &mut data.time_drift,
        _ => {
            warnings.unknown(tree);
            return Ok(());
        }
    };
    let value = values::moving(tree, defaults, warnings)?;
    warnings.first(field, value, tree);
    Ok(())
}

/// `<Usage OTP="true" …>` of drafts. Unknown uses restrict the key too: ignoring them would allow all.
fn usage(policy: &mut Option<Policy>, tree: &ElementTree, warnings: &mut Warnings) -> Result<(), Error> {
    for attribute in names::rules(tree) {
        let own = attribute.ns == Ns::None;
        let known = USES.into_iter().find(|name| own && attribute.local.eq_ignore_ascii_case(name));
        match known.and_then(KeyUsage::from_name) {
            Some(usage) => {
                if values::flag(attribute.value.trim(), &tree.place, warnings)? {
                    policy.get_or_insert_default().key_usage.push(usage);
                }
            }
            None if ["false", "0"].iter().any(|no| attribute.value.trim().eq_ignore_ascii_case(no)) => {
                warnings.add(Irregularity::UnknownAttribute(attribute.local.to_string()), &tree.place);
            }
            None => {
                warnings.not_understood(format!("Usage {}", attribute.local), tree);
                policy.get_or_insert_default().other.push(only_with(tree, attribute));
            }
        }
    }
    Ok(())
}

/// Like strict reading, in any order: unknown content is kept and forbids the use of the key (RFC 6030 §5).
fn policy(policy: &mut Policy, tree: &ElementTree, warnings: &mut Warnings) -> Result<(), Error> {
    for attribute in names::rules(tree) {
        warnings.not_understood(format!("Policy {}", attribute.local), tree);
        policy.other.push(only_with(tree, attribute));
    }
    names::in_order(tree, &RULES, warnings);
    for child in tree.children() {
        match names::belongs(child, tree).then(|| names::element(child, &RULES, warnings)).flatten() {
            Some(name) => policy_part(policy, child, name, warnings)?,
            // Valid, so there is no warning.
            None if !names::belongs(child, tree) => policy.other.push(as_it_is(child)),
            None => not_understood(policy, child, warnings),
        }
    }
    match tree.trimmed() {
        "" => Ok(()),
        _ => Err(XmlError::Unexpected(Fault::at(tree.place.clone(), "text")).into()),
    }
}

/// One rule. A repeated or empty one counts as unknown.
fn policy_part(policy: &mut Policy, tree: &ElementTree, name: &str, warnings: &mut Warnings) -> Result<(), Error> {
    let says = !tree.trimmed().is_empty() && tree.children().is_empty() && names::rules(tree).next().is_none();
    match name {
        "StartDate" if says && policy.start_date.is_none() => policy.start_date = Some(dates::date(tree, warnings)?),
        "ExpiryDate" if says && policy.expiry_date.is_none() => {
            policy.expiry_date = Some(dates::date(tree, warnings)?);
        }
        "NumberOfTransactions" if says && policy.number_of_transactions.is_none() => {
            policy.number_of_transactions = Some(values::number(tree)?);
        }
        "PINPolicy" if policy.pin_policy.is_none() => {
            policy.pin_policy = Some(formats::pin_policy(tree, warnings));
            if !tree.children().is_empty() || !tree.trimmed().is_empty() {
                not_understood(policy, tree, warnings);
            }
        }
        "KeyUsage" if says => match names::value(tree.trimmed(), &USES, tree, warnings).and_then(KeyUsage::from_name) {
            Some(usage) => policy.key_usage.push(usage),
            None => not_understood(policy, tree, warnings),
        },
        _ => not_understood(policy, tree, warnings),
    }
    Ok(())
}

fn not_understood(policy: &mut Policy, tree: &ElementTree, warnings: &mut Warnings) {
    warnings.not_understood(format!("<{}>", tree.local), tree);
    policy.other.push(as_it_is(tree));
}

fn as_it_is(tree: &ElementTree) -> Foreign {
    tree.to_foreign(&|tree| tree.ns.clone())
}

/// The element with only this attribute.
fn only_with(tree: &ElementTree, attribute: &Attribute) -> Foreign {
    let (ns, local) = (tree.ns.clone(), tree.local.as_str().into());
    Foreign { ns, local, attributes: vec![attribute.clone()], prefixes: Vec::new(), content: Vec::new() }
}
