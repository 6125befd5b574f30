//! Packages, devices and modules.

use super::header::Defaults;
use super::warning::{Irregularity, Warnings};
use super::{key, values};
use crate::xml::{Tree, ns};
use crate::{CryptoModuleInfo, DeviceInfo, Error, Extensions, KeyPackage};

/// The packages that `<KeyPackage>`, or the `<Device>` of drafts, comes to: one for each key in it.
pub(super) fn read(tree: &Tree, defaults: &Defaults, warnings: &mut Warnings) -> Result<Vec<KeyPackage>, Error> {
    warnings.name(tree, "KeyPackage");
    let mut package = KeyPackage::default();
    let mut keys = Vec::new();
    for child in &tree.children {
        match child.local.to_ascii_lowercase().as_str() {
            "deviceinfo" | "deviceid" => {
                warnings.name(child, "DeviceInfo");
                package.device_info = Some(device(child, warnings)?);
            }
            "cryptomoduleinfo" => {
                let id = child.child("Id").map(|id| id.trimmed().to_owned());
                let id = id.ok_or_else(|| values::invalid("there is no <Id>", &child.place))?;
                package.crypto_module_info = Some(CryptoModuleInfo { id, extensions: Vec::new() });
            }
            "key" | "secret" => keys.push(child),
            "extensions" => package.extensions.extend(extensions(child)),
            _ => warnings.unknown(child),
        }
    }
    if keys.len() > 1 {
        warnings.add(Irregularity::SeveralKeys, &tree.place);
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
    Ok(packages)
}

fn device(tree: &Tree, warnings: &mut Warnings) -> Result<DeviceInfo, Error> {
    let mut info = DeviceInfo::default();
    for child in &tree.children {
        let text = match child.local.to_ascii_lowercase().as_str() {
            "manufacturer" => &mut info.manufacturer,
            "serialno" => &mut info.serial_no,
            "model" => &mut info.model,
            "issueno" => &mut info.issue_no,
            "devicebinding" => &mut info.device_binding,
            "userid" => &mut info.user_id,
            "startdate" => {
                info.start_date = Some(values::date(child, warnings)?);
                continue;
            }
            "expirydate" | "expiry" => {
                warnings.name(child, "ExpiryDate");
                info.expiry_date = Some(values::date(child, warnings)?);
                continue;
            }
            "extensions" => {
                info.extensions.extend(extensions(child));
                continue;
            }
            _ => {
                warnings.unknown(child);
                continue;
            }
        };
        *text = Some(child.trimmed().to_owned());
    }
    Ok(info)
}

/// Extensions as they are, without elements of PSKC's own, which are none; an empty list is none.
pub(super) fn extensions(tree: &Tree) -> Option<Extensions> {
    let elements: Vec<_> = tree
        .children
        .iter()
        .filter(|child| !child.ns.is(ns::PSKC))
        .map(|child| child.to_foreign(&|tree| tree.ns.clone()))
        .collect();
    let definition = tree.attribute("definition").map(str::to_owned);
    (!elements.is_empty()).then_some(Extensions { definition, elements })
}
