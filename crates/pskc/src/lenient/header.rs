//! What stands before the packages.

use std::num::NonZeroU32;

use dskpp_crypto::Pbkdf2Prf;

use super::values;
use super::warning::{Irregularity, Warnings};
use crate::stream::Header;
use crate::xml::{self, Element, Ns, Place, Tree, ns};
use crate::{DerivedKey, Error, KeyInfo, MacMethod};

/// What drafts say once for all values.
#[derive(Default)]
pub(super) struct Defaults {
    /// The algorithm of values that name none; none where they are in the clear.
    pub(super) algorithm: Option<String>,
    /// The initialization vector of all values.
    pub(super) iv: Vec<u8>,
}

pub(super) fn read_root(root: &Element, place: &Place, warnings: &mut Warnings) -> Result<Header, Error> {
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
    // The first draft had other numbers.
    let is_first_draft = root.local.eq_ignore_ascii_case("SecretContainer");
    if !is_first_draft && !version.is_empty() && version.split('.').next() != Some("1") {
        return Err(Error::Version { version: version.to_owned(), place: place.clone() });
    }
    if is_version(version) {
        header.version = version.to_owned();
    }
    if let Some(id) = find("Id") {
        warnings.attribute(&id.local, "Id", place);
        header.id = Some(xml::trim(&id.value).to_owned()).filter(|id| xml::is_name(id));
    }
    Ok(header)
}

fn is_version(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.')
}

/// Takes in an element that stands beside the packages.
pub(super) fn take(
    header: &mut Header,
    defaults: &mut Defaults,
    tree: &Tree,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    match tree.local.to_ascii_lowercase().as_str() {
        "encryptionkey" => {
            warnings.name(tree, "EncryptionKey");
            header.encryption_key = Some(key_info(tree)?);
            if let Some(algorithm) = tree.attribute("Algorithm") {
                defaults.algorithm = Some(xml::without_white_space(algorithm));
            }
        }
        "encryptionmethod" => encryption_method(header, defaults, tree, warnings)?,
        "macmethod" | "digestmethod" | "macalgorithm" => {
            warnings.name(tree, "MACMethod");
            let mac_key = tree.child("MACKey").map(|key| values::encrypted_data(key, defaults)).transpose()?;
            let reference = tree.child("MACKeyReference").map(|reference| reference.trimmed().to_owned());
            let algorithm = tree.attribute("Algorithm").unwrap_or(tree.trimmed());
            let algorithm = mac_uri(&xml::without_white_space(algorithm));
            if algorithm.is_empty() {
                warnings.add(Irregularity::NoMacAlgorithm, &tree.place);
                return Ok(());
            }
            // A draft has both a method and, behind it, its name once more.
            let known = header.mac_method.take();
            header.mac_method = Some(match known {
                Some(known) if mac_key.is_none() => MacMethod { algorithm, ..known },
                _ => MacMethod { algorithm, mac_key, mac_key_reference: reference, other: Vec::new() },
            });
        }
        _ => warnings.unknown(tree),
    }
    Ok(())
}

/// `<EncryptionMethod>` at the container, as early drafts have it.
fn encryption_method(
    header: &mut Header,
    defaults: &mut Defaults,
    tree: &Tree,
    warnings: &mut Warnings,
) -> Result<(), Error> {
    let algorithm = tree.attribute("Algorithm").unwrap_or_default();
    if algorithm.is_empty() || algorithm.eq_ignore_ascii_case("NONE") {
        return Ok(());
    }
    warnings.add(Irregularity::CommonEncryption, &tree.place);
    if let Some(iv) = tree.child("IV") {
        defaults.iv = values::base64(iv)?;
    }
    let password = algorithm.to_ascii_lowercase().starts_with("pbe");
    defaults.algorithm = Some(match password {
        true => pbe_uri(algorithm),
        false => xml::without_white_space(algorithm),
    });
    if password {
        let salt = tree.child("PBESalt").map(values::base64).transpose()?.unwrap_or_default();
        let count = tree.child("PBEIterationCount").map(values::number::<u32>).transpose()?;
        let Some(iterations) = count.and_then(NonZeroU32::new) else {
            return Err(values::invalid("there is no iteration count for the password", &tree.place));
        };
        let key_len = Some(if algorithm.contains("3DES") && !algorithm.contains("112") { 24 } else { 16 });
        let derived = DerivedKey { salt, iterations, key_len, prf: Pbkdf2Prf::HmacSha1, name: None };
        header.encryption_key = Some(derived.to_key_info());
    } else if let Ok(key) = key_info(tree) {
        header.encryption_key = Some(key);
    }
    Ok(())
}

/// `PBE-3DES112-CBC`, `PBE-AES128-CBC` and their like.
fn pbe_uri(name: &str) -> String {
    match name.to_ascii_lowercase() {
        name if name.contains("3des") => "http://www.w3.org/2001/04/xmlenc#tripledes-cbc".to_owned(),
        name if name.contains("aes") => "http://www.w3.org/2001/04/xmlenc#aes128-cbc".to_owned(),
        _ => name.to_owned(),
    }
}

fn mac_uri(name: &str) -> String {
    let short = name.to_ascii_lowercase();
    match short.strip_prefix("hmac-") {
        Some("sha1") => "http://www.w3.org/2000/09/xmldsig#hmac-sha1".to_owned(),
        Some(hash @ ("sha224" | "sha256" | "sha384" | "sha512")) => {
            format!("http://www.w3.org/2001/04/xmldsig-more#hmac-{hash}")
        }
        _ => name.to_owned(),
    }
}

/// An element of type `ds:KeyInfoType`, its children in any namespace.
pub(super) fn key_info(tree: &Tree) -> Result<KeyInfo, Error> {
    const OF_DS: [&str; 7] =
        ["KeyName", "KeyValue", "RSAKeyValue", "Modulus", "Exponent", "X509Data", "X509Certificate"];
    let ns = |tree: &Tree| match OF_DS.contains(&tree.local.as_str()) {
        true => Ns::Known(ns::DS),
        false => tree.ns.clone(),
    };
    let mut info = KeyInfo::default();
    for child in &tree.children {
        info.take(child.to_foreign(&ns)).map_err(|what| values::invalid(what, &child.place))?;
    }
    Ok(info)
}
