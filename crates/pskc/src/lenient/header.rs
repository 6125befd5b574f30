//! The content before the packages.

use std::num::NonZeroU32;

use dskpp_crypto::{Hash, Pbkdf2Prf};

use super::warning::{Irregularity, Warnings};
use super::{names, values};
use crate::parts::Header;
use crate::xml::{self, Attribute, Element, ElementTree, Fault, Ns, Position, ns};
use crate::{DerivedKey, Error, KeyInfo, MacMethod};

/// What drafts declare once for all values.
#[derive(Default)]
pub(super) struct Defaults {
    /// The algorithm of values that name none; `None` if they are in the clear.
    pub(super) algorithm: Option<String>,
    /// The initialization vector of all values.
    pub(super) iv: Vec<u8>,
    /// Whether values have been read, so that defaults must not change any more.
    pub(super) fixed: bool,
}

pub(super) fn read_root(root: &Element, place: &Position, warnings: &mut Warnings) -> Result<Header, Error> {
    warnings.namespace(&root.ns, place);
    if root.local != "KeyContainer" {
        let found = format!("<{}>", root.local);
        warnings.add(Irregularity::Name { found, taken_as: "KeyContainer" }, place);
    }
    let find = |name: &str| root.attributes().iter().find(|a| a.ns == Ns::None && a.local.eq_ignore_ascii_case(name));
    let mut header = Header::default();
    let version = find("Version");
    if let Some(version) = version {
        warnings.attribute(&version.local, "Version", place);
    }
    let version = version.map(|version| xml::trim(&version.value)).unwrap_or_default();
    if version != "1.0" {
        warnings.add(Irregularity::Version(version.to_owned()), place);
    }
    // The first draft had other version numbers.
    let is_first_draft = root.local.eq_ignore_ascii_case("SecretContainer");
    if !is_first_draft && !version.is_empty() && !matches!(version.split('.').next(), Some("1" | "01")) {
        return Err(Error::Version(Fault::at(Box::new(place.clone()), version.to_owned())));
    }
    if is_version(version) {
        header.version = version.to_owned();
    }
    if let Some(id) = find("Id") {
        warnings.attribute(&id.local, "Id", place);
        match xml::trim(&id.value) {
            id if xml::is_name(id) => header.id = Some(id.to_owned()),
            id => warnings.add(Irregularity::ContainerId(id.to_owned()), place),
        }
    }
    let language = |a: &&Attribute| a.is_language() && xml::is_language(&a.value);
    header.language = root.attributes().iter().find(language).map(|language| language.value.clone());
    let is_known = |a: &Attribute| {
        a.is_about_schema()
            || language(&a)
            || a.ns == Ns::None && ["Version", "Id"].iter().any(|known| a.local.eq_ignore_ascii_case(known))
    };
    for attribute in root.attributes().iter().filter(|attribute| !is_known(attribute)) {
        warnings.unknown_attribute(attribute, place);
    }
    Ok(header)
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
}

/// Handles an element beside the packages.
pub(super) fn take(
    header: &mut Header,
    defaults: &mut Defaults,
    tree: &ElementTree,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    tree.take();
    match tree.name().as_str() {
        "encryptionkey" => {
            warnings.name(tree, "EncryptionKey");
            match key_info(tree, warnings)? {
                key if key == KeyInfo::default() => warnings.empty(tree),
                key => warnings.first(&mut header.encryption_key, Some(key), tree),
            }
            if let Some(algorithm) = names::attribute(tree, &["Algorithm"], warnings) {
                let algorithm = values::algorithm(algorithm, &tree.place, warnings);
                common(defaults, algorithm, tree, warnings)?;
            }
            initialization_vector(defaults, tree, warnings)?;
        }
        "encryptionmethod" => encryption_method(header, defaults, tree, warnings)?,
        "macmethod" | "digestmethod" | "macalgorithm" => {
            warnings.name(tree, "MACMethod");
            mac_method(header, defaults, tree, warnings)?;
        }
        _ => warnings.unknown(tree),
    }
    warnings.left_out(tree);
    Ok(())
}

/// The encryption of values that do not state it. It must precede the first package.
fn common(
    defaults: &mut Defaults,
    algorithm: String,
    tree: &ElementTree,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    if defaults.fixed {
        return Err(values::invalid("the encryption of values is declared after them", &tree.place));
    }
    warnings.add(Irregularity::CommonEncryption, &tree.place);
    defaults.algorithm = Some(algorithm);
    Ok(())
}

fn initialization_vector(defaults: &mut Defaults, tree: &ElementTree, warnings: &mut Warnings) -> Result<(), Error> {
    if let Some(iv) = tree.child("IV") {
        defaults.iv = values::base64(iv, warnings)?;
    }
    Ok(())
}

fn mac_method(
    header: &mut Header,
    defaults: &Defaults,
    tree: &ElementTree,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    let algorithm = names::attribute(tree, &["Algorithm"], warnings).unwrap_or_else(|| tree.trimmed());
    let algorithm = mac_uri(xml::without_white_space(algorithm), &tree.place, warnings);
    let algorithm = values::algorithm(&algorithm, &tree.place, warnings);
    if algorithm.is_empty() {
        warnings.add(Irregularity::NoMacAlgorithm, &tree.place);
        return Ok(());
    }
    if algorithm.eq_ignore_ascii_case("NONE") {
        return Ok(());
    }
    let mut method = MacMethod { algorithm, mac_key: None, mac_key_reference: None, other: Vec::new() };
    names::in_order(tree, &["MACKey", "MACKeyReference"], warnings);
    for child in tree.children() {
        let known =
            names::belongs(child, tree).then(|| names::element(child, &["MACKey", "MACKeyReference"], warnings));
        match known.flatten() {
            Some("MACKey") => method.mac_key = Some(values::encrypted_data(child, defaults, warnings)?),
            Some(_) => method.mac_key_reference = Some(child.trimmed().to_owned()),
            None if names::belongs(child, tree) => warnings.unknown(child),
            None => method.other.push(child.to_foreign(&|tree| tree.ns.clone())),
        }
    }
    // A draft repeats the method's name after the method.
    let is_its_name = method.mac_key.is_none() && method.mac_key_reference.is_none();
    match &header.mac_method {
        Some(known) if is_its_name && known.algorithm == method.algorithm => {}
        _ => warnings.first(&mut header.mac_method, Some(method), tree),
    }
    Ok(())
}

/// `<EncryptionMethod>` of the container, as in early drafts.
fn encryption_method(
    header: &mut Header,
    defaults: &mut Defaults,
    tree: &ElementTree,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    let algorithm = names::attribute(tree, &["Algorithm"], warnings).unwrap_or_default();
    if algorithm.is_empty() || algorithm.eq_ignore_ascii_case("NONE") {
        return Ok(());
    }
    initialization_vector(defaults, tree, warnings)?;
    let password = pbe(algorithm);
    let plain = xml::without_white_space(algorithm);
    let plain = values::algorithm(&plain, &tree.place, warnings);
    common(defaults, password.map_or(plain, |(uri, _)| uri.to_owned()), tree, warnings)?;
    if let Some((_, key_len)) = password {
        let salt = tree.child("PBESalt").map(|salt| values::base64(salt, warnings)).transpose()?.unwrap_or_default();
        let count = tree.child("PBEIterationCount").map(values::number::<u32>).transpose()?;
        let Some(iterations) = count.and_then(NonZeroU32::new) else {
            return Err(values::invalid("there is no iteration count for the password", &tree.place));
        };
        let derived = DerivedKey { salt, iterations, key_len: Some(key_len), prf: Pbkdf2Prf::HmacSha1, name: None };
        header.encryption_key = Some(derived.to_key_info());
    } else if header.encryption_key.is_none() {
        let key = key_info(tree.child("KeyInfo").unwrap_or(tree), warnings)?;
        header.encryption_key = Some(key).filter(|key| *key != KeyInfo::default());
    }
    Ok(())
}

/// `PBE-3DES112-CBC`, `PBE-AES128-CBC` and the like: the algorithm, and its key length in octets.
fn pbe(name: &str) -> Option<(&'static str, usize)> {
    const NAMES: [(&str, &str, usize); 5] = [
        ("3des112-cbc", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", 16),
        ("3des168-cbc", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc", 24),
        ("aes128-cbc", "http://www.w3.org/2001/04/xmlenc#aes128-cbc", 16),
        ("aes192-cbc", "http://www.w3.org/2001/04/xmlenc#aes192-cbc", 24),
        ("aes256-cbc", "http://www.w3.org/2001/04/xmlenc#aes256-cbc", 32),
    ];
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("pbe-")?;
    NAMES.iter().find(|(known, ..)| *known == name).map(|(_, uri, len)| (*uri, *len))
}

/// The URI of a MAC that drafts name without one; other texts are returned unchanged.
fn mac_uri(name: String, place: &Position, warnings: &mut Warnings) -> String {
    let hash = Some(&name).filter(|name| !name.contains(['#', ':'])).and_then(|name| Hash::from_name(name));
    let Some(hash) = hash else { return name };
    let taken_as = crate::mac_uri(hash).to_owned();
    warnings.add(Irregularity::Algorithm { found: name, taken_as: taken_as.clone() }, place);
    taken_as
}

/// An element of type `ds:KeyInfoType`, with children in any namespace.
pub(super) fn key_info(tree: &ElementTree, warnings: &mut Warnings) -> Result<KeyInfo, Error> {
    const OF_DS: [&str; 7] =
        ["KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent", "X509Data", "X509Certificate"];
    let ns = |tree: &ElementTree| match tree.is_own && OF_DS.contains(&tree.local.as_str()) {
        true => Ns::Known(ns::DS),
        false => tree.ns.clone(),
    };
    tree.attribute("Id"); // like strict reading, which does not keep it
    let mut info = KeyInfo::default();
    for child in tree.children().iter().filter(|child| child.local != "IV") {
        let mut element = child.to_foreign(&ns);
        if let Some(found) = DerivedKey::correct_method(&mut element) {
            let taken_as = "PBKDF2".to_owned();
            warnings.add(Irregularity::Algorithm { found, taken_as }, &child.place);
        }
        info.take(element).map_err(|what| values::invalid(what, &child.place))?;
    }
    Ok(info)
}
