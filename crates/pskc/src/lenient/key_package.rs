//! Packages, devices and modules.

use super::header::Defaults;
use super::warning::{Irregularity, Warnings};
use super::{dates, key, names};
use crate::xml::{ElementTree, XmlError, ns};
use crate::{CryptoModuleInfo, DeviceInfo, Error, Extensions, KeyPackage};

/// Approximate limit, in octets, for the copies of a device with several keys.
const MAX_COPIED: usize = 16 * 1024 * 1024;

/// The packages for `<KeyPackage>`, or the `<Device>` of drafts: one for each key in it.
pub(super) fn read(tree: &ElementTree, defaults: &Defaults, warnings: &mut Warnings) -> Result<Vec<KeyPackage>, Error> {
    warnings.name(tree, "KeyPackage");
    let mut package = KeyPackage::default();
    let mut keys = Vec::new();
    let mut shared = 0_usize;
    names::in_order(tree, &["DeviceInfo", "CryptoModuleInfo", "Key", "Extensions"], warnings);
    for child in tree.children() {
        let name = child.name();
        if !matches!(name.as_str(), "key" | "secret") {
            shared = shared.saturating_add(weight(child));
        }
        match name.as_str() {
            "deviceinfo" | "deviceid" => {
                child.take();
                warnings.name(child, "DeviceInfo");
                let device = device(child, warnings)?;
                warnings.first(&mut package.device_info, Some(device), child);
            }
            "cryptomoduleinfo" => {
                child.take();
                warnings.name(child, "CryptoModuleInfo");
                let module = module(child, warnings);
                warnings.first(&mut package.crypto_module_info, module, child);
            }
            "key" | "secret" => {
                child.take();
                keys.push(child);
            }
            "extensions" => package.extensions.extend(extensions(child, warnings)),
            _ => warnings.unknown(child),
        }
    }
    tree.take();
    if keys.len() > 1 {
        warnings.add(Irregularity::SeveralKeys, &tree.place);
    }
    // Each package gets a copy of the rest: a small file must not expand to gigabytes.
    if keys.len() > 1 && shared.saturating_mul(keys.len()) > MAX_COPIED {
        return Err(XmlError::TooLarge(tree.place.clone()).into());
    }
    let serial = package.device_info.as_ref().and_then(|device| device.serial_no.clone());
    let mut packages = Vec::with_capacity(keys.len().max(1));
    for key in keys {
        let key = Some(key::read(key, serial.as_deref(), defaults, warnings)?);
        packages.push(KeyPackage { key, ..package.clone() });
    }
    if packages.is_empty() {
        packages.push(package);
    }
    warnings.left_out(tree);
    Ok(packages)
}

/// The approximate size of a tree in the model, in octets.
fn weight(tree: &ElementTree) -> usize {
    const ELEMENT: usize = 200;
    let attributes: usize = tree.attributes().iter().map(|attribute| ELEMENT + attribute.value.len()).sum();
    let children = tree.children().iter().map(weight).fold(0, usize::saturating_add);
    children.saturating_add(ELEMENT + attributes + tree.local.len() + tree.text_len())
}

fn module(tree: &ElementTree, warnings: &mut Warnings) -> Option<CryptoModuleInfo> {
    let Some(id) = tree.child("Id") else {
        warnings.empty(tree);
        return None;
    };
    let lists = tree.children().iter().filter(|child| child.is("Extensions"));
    let extensions = lists.filter_map(|list| extensions(list, warnings)).collect();
    Some(CryptoModuleInfo { id: id.trimmed().to_owned(), extensions })
}

fn device(tree: &ElementTree, warnings: &mut Warnings) -> Result<DeviceInfo, Error> {
    const TEXTS: [&str; 6] = ["Manufacturer", "SerialNo", "Model", "IssueNo", "DeviceBinding", "UserId"];
    let mut info = DeviceInfo::default();
    names::in_order(tree, DeviceInfo::CHILDREN, warnings);
    for child in tree.children() {
        let text = match names::element(child, &TEXTS, warnings) {
            Some("Manufacturer") => &mut info.manufacturer,
            Some("SerialNo") => &mut info.serial_no,
            Some("Model") => &mut info.model,
            Some("IssueNo") => &mut info.issue_no,
            Some("DeviceBinding") => &mut info.device_binding,
            Some(_) => &mut info.user_id,
            None => {
                device_part(&mut info, child, warnings)?;
                continue;
            }
        };
        warnings.first(text, Some(child.trimmed().to_owned()), child);
    }
    Ok(info)
}

/// A child with a structure.
fn device_part(info: &mut DeviceInfo, tree: &ElementTree, warnings: &mut Warnings) -> Result<(), Error> {
    tree.take();
    let date = match tree.name().as_str() {
        "startdate" => {
            warnings.name(tree, "StartDate");
            &mut info.start_date
        }
        "expirydate" | "expiry" => {
            warnings.name(tree, "ExpiryDate");
            &mut info.expiry_date
        }
        "extensions" => {
            info.extensions.extend(extensions(tree, warnings));
            return Ok(());
        }
        _ => {
            warnings.unknown(tree);
            return Ok(());
        }
    };
    if tree.trimmed().is_empty() {
        warnings.empty(tree);
        return Ok(());
    }
    let value = dates::date(tree, warnings)?;
    warnings.first(date, Some(value), tree);
    Ok(())
}

/// Extensions, unchanged, without elements of PSKC's namespaces; an empty list is dropped.
pub(super) fn extensions(tree: &ElementTree, warnings: &mut Warnings) -> Option<Extensions> {
    tree.take();
    if tree.children().is_empty() {
        warnings.empty(tree);
        return None;
    }
    let elements: Vec<_> = tree
        .children()
        .iter()
        .filter(|child| !child.ns.is(ns::PSKC))
        .map(|child| child.to_foreign(&|tree| tree.ns.clone()))
        .collect();
    let definition = tree.attribute("definition").map(str::to_owned);
    (!elements.is_empty()).then_some(Extensions { definition, elements })
}
