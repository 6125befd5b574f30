//! `KeyPackage`, with its device and module.

use std::io::BufRead;

use crate::codec::{self, Sequence, only_attributes, write_date, write_text};
use crate::xml::{Element, Reader, Writer};
use crate::{DateTime, Error, Extensions, Key};

/// `<KeyPackage>`: one key, or information about a device or module without a key (§4.1).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyPackage {
    /// The key's device.
    pub device_info: Option<DeviceInfo>,
    /// The key's module within the device.
    pub crypto_module_info: Option<CryptoModuleInfo>,
    /// The key.
    pub key: Option<Key>,
    /// Extensions of the package, in order.
    pub extensions: Vec<Extensions>,
}

/// `<DeviceInfo>`: a device (§4.3.1). Texts are trimmed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// The manufacturer.
    pub manufacturer: Option<String>,
    /// The serial number, unique per manufacturer and model.
    pub serial_no: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// Distinguishes devices with the same serial number.
    pub issue_no: Option<String>,
    /// A further property, such as an IMEI, that the device must have to accept the keys.
    pub device_binding: Option<String>,
    /// Start of the device's validity.
    pub start_date: Option<DateTime>,
    /// End of the device's validity.
    pub expiry_date: Option<DateTime>,
    /// The device's user; a distinguished name as text (RFC 4514).
    pub user_id: Option<String>,
    /// Extensions, in order.
    pub extensions: Vec<Extensions>,
}

/// `<CryptoModuleInfo>`: the module that keys are for (§4.3.2).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CryptoModuleInfo {
    /// A name that the device knows.
    pub id: String,
    /// Extensions, in order.
    pub extensions: Vec<Extensions>,
}

impl KeyPackage {
    pub(crate) fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &[])?;
        let mut package = Self::default();
        let mut children = Sequence::new(&["DeviceInfo", "CryptoModuleInfo", "Key", "Extensions*"]);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "DeviceInfo" => package.device_info = Some(DeviceInfo::read_open(reader, &child)?),
                "CryptoModuleInfo" => {
                    package.crypto_module_info = Some(CryptoModuleInfo::read_open(reader, &child)?);
                }
                "Key" => package.key = Some(Key::read_open(reader, &child)?),
                _ => package.extensions.push(Extensions::read_open(reader, &child)?),
            }
        }
        Ok(package)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.start("pskc:KeyPackage");
        if let Some(device) = &self.device_info {
            device.write(writer, "pskc:DeviceInfo");
        }
        if let Some(module) = &self.crypto_module_info {
            writer.start("pskc:CryptoModuleInfo").element("pskc:Id", &module.id);
            module.extensions.iter().for_each(|extensions| extensions.write(writer));
            writer.end();
        }
        if let Some(key) = &self.key {
            key.write(writer);
        }
        self.extensions.iter().for_each(|extensions| extensions.write(writer));
        writer.end();
    }
}

impl DeviceInfo {
    /// The elements in it, in the order of the schema, as [`Sequence`] takes them.
    pub(crate) const CHILDREN: &[&str] = &[
        "Manufacturer",
        "SerialNo",
        "Model",
        "IssueNo",
        "DeviceBinding",
        "StartDate",
        "ExpiryDate",
        "UserId",
        "Extensions*",
    ];

    /// Reads the content of `element`, whatever its name (`pskc:DeviceInfo`, or
    /// `dskpp:DeviceId` of RFC 6063 §8.2).
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &[])?;
        let mut info = Self::default();
        let mut children = Sequence::new(Self::CHILDREN);
        while let Some((name, child)) = children.next(reader)? {
            let text = match name {
                "StartDate" => {
                    info.start_date = Some(codec::date(reader, &child)?);
                    continue;
                }
                "ExpiryDate" => {
                    info.expiry_date = Some(codec::date(reader, &child)?);
                    continue;
                }
                "Extensions" => {
                    info.extensions.push(Extensions::read_open(reader, &child)?);
                    continue;
                }
                "Manufacturer" => &mut info.manufacturer,
                "SerialNo" => &mut info.serial_no,
                "Model" => &mut info.model,
                "IssueNo" => &mut info.issue_no,
                "DeviceBinding" => &mut info.device_binding,
                _ => &mut info.user_id,
            };
            *text = Some(codec::text(reader, &child)?);
        }
        Ok(info)
    }

    /// Writes it as the element `element_name`; its children have the prefix `pskc`.
    pub fn write(&self, writer: &mut Writer, element_name: &str) {
        writer.start(element_name);
        write_text(writer, "pskc:Manufacturer", self.manufacturer.as_deref());
        write_text(writer, "pskc:SerialNo", self.serial_no.as_deref());
        write_text(writer, "pskc:Model", self.model.as_deref());
        write_text(writer, "pskc:IssueNo", self.issue_no.as_deref());
        write_text(writer, "pskc:DeviceBinding", self.device_binding.as_deref());
        write_date(writer, "pskc:StartDate", self.start_date);
        write_date(writer, "pskc:ExpiryDate", self.expiry_date);
        write_text(writer, "pskc:UserId", self.user_id.as_deref());
        self.extensions.iter().for_each(|extensions| extensions.write(writer));
        writer.end();
    }
}

impl CryptoModuleInfo {
    fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &[])?;
        let mut id = None;
        let mut extensions = Vec::new();
        let mut children = Sequence::new(&["Id", "Extensions*"]);
        while let Some((name, child)) = children.next(reader)? {
            match name {
                "Id" => id = Some(codec::text(reader, &child)?),
                _ => extensions.push(Extensions::read_open(reader, &child)?),
            }
        }
        match id {
            Some(id) => Ok(Self { id, extensions }),
            None => Err(reader.missing("element <Id>").into()),
        }
    }
}
