//! `KeyContainer`, `KeyPackage` and what describes a package's device and module.

use std::io::BufRead;

use crate::codec::{self, Sequence, only_attributes, required, write_date, write_text};
use crate::stream::{Header, Parts, Trailer};
use crate::xml::{self, Element, Foreign, Reader, Writer, XmlLimits, ns};
use crate::{DateTime, Error, Key, KeyInfo, MacMethod};

/// `<KeyContainer>`: a document of key packages (RFC 6030 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyContainer {
    /// Version of the format, `1.0`.
    pub version: String,
    /// A name for the container: an `xs:ID`, so a letter or `_` first, then also digits, `-`, `.`.
    pub id: Option<String>,
    /// The language of the names in it (`xml:lang`, RFC 5646) that have none of their own.
    pub language: Option<String>,
    /// The key that protects the encrypted values (§6).
    pub encryption_key: Option<KeyInfo>,
    /// How the `ValueMAC`s are made (§6.1.1).
    pub mac_method: Option<MacMethod>,
    /// The packages; a valid container has at least one.
    pub key_packages: Vec<KeyPackage>,
    /// Whether the document carried a signature (§7). Reading neither checks nor keeps it, so it
    /// says nothing about who wrote the document: see [`signature::verify`](crate::signature::verify).
    pub signed: bool,
    /// Extensions of the container, in order.
    pub extensions: Vec<Extensions>,
}

impl Default for KeyContainer {
    /// An empty container of version 1.0.
    fn default() -> Self {
        Self {
            version: "1.0".to_owned(),
            id: None,
            language: None,
            encryption_key: None,
            mac_method: None,
            key_packages: Vec::new(),
            signed: false,
            extensions: Vec::new(),
        }
    }
}

/// `<KeyPackage>`: one key, or what is told about a device or module without a key (§4.1).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct KeyPackage {
    /// The device that the key is for.
    pub device_info: Option<DeviceInfo>,
    /// The module in the device that the key is for.
    pub crypto_module_info: Option<CryptoModuleInfo>,
    /// The key.
    pub key: Option<Key>,
    /// Extensions of the package, in order.
    pub extensions: Vec<Extensions>,
}

/// `<DeviceInfo>`: one device (§4.3.1). Texts are kept without white space around them.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its serial number, unique for the manufacturer and model.
    pub serial_no: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Tells devices with the same serial number apart.
    pub issue_no: Option<String>,
    /// What else, such as an IMEI, must be true of a device that accepts the keys.
    pub device_binding: Option<String>,
    /// When it may first be used.
    pub start_date: Option<DateTime>,
    /// When it may be used last.
    pub expiry_date: Option<DateTime>,
    /// Whose device it is; a distinguished name as text (RFC 4514).
    pub user_id: Option<String>,
    /// Extensions, in order.
    pub extensions: Vec<Extensions>,
}

/// `<CryptoModuleInfo>`: the module that keys are for (§4.3.2).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct CryptoModuleInfo {
    /// A name for it that the device knows.
    pub id: String,
    /// Extensions, in order.
    pub extensions: Vec<Extensions>,
}

/// `<Extensions>`: elements of other namespaces, kept as they are (§9).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Extensions {
    /// A URI that tells what defines them.
    pub definition: Option<String>,
    /// The elements; a valid list has at least one.
    pub elements: Vec<Foreign>,
}

impl KeyContainer {
    /// Reads a document that is in memory, with the limits for files.
    pub fn from_xml(document: &[u8]) -> Result<Self, Error> {
        Self::read(Reader::from_slice(document, XmlLimits::FILE)?)
    }

    /// Reads a whole document.
    ///
    /// Errors: [`Error`]; nothing is given of a document that is faulty or cut off anywhere.
    pub fn read<R: BufRead>(mut reader: Reader<R>) -> Result<Self, Error> {
        let root = reader.root()?;
        if !root.is(ns::PSKC, "KeyContainer") {
            return Err(reader.unexpected(&root).into());
        }
        let container = Self::read_open(&mut reader, &root)?;
        reader.finish()?;
        Ok(container)
    }

    /// Reads a container whose start tag `element` has just been read, whatever its name; DSKPP
    /// has it in another namespace (profile P26).
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        let mut parts = Parts::read_header(reader, element)?;
        let mut key_packages = Vec::new();
        while let Some(package) = parts.next_package(reader)? {
            key_packages.push(package);
        }
        let Header { version, id, language, encryption_key, mac_method } = parts.header;
        let Trailer { signed, extensions } = parts.trailer;
        Ok(Self { version, id, language, encryption_key, mac_method, key_packages, signed, extensions })
    }

    /// Writes a document of its own.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        Self::write_root(&mut writer);
        self.write_started(&mut writer);
        writer.finish()
    }

    /// Starts a document: the declaration and the root's start tag with its namespaces.
    pub(crate) fn write_root(writer: &mut Writer) {
        writer.declaration().start("pskc:KeyContainer");
        for (prefix, name) in [("xmlns:pskc", ns::PSKC), ("xmlns:ds", ns::DS), ("xmlns:xenc", ns::XENC)] {
            writer.attr(prefix, name);
        }
    }

    /// Writes the container as the element `element_name`, such as `dskpp:KeyContainer`. The
    /// prefixes `pskc`, `ds` and `xenc`, and that of the name, must be declared around it.
    pub fn write(&self, writer: &mut Writer, element_name: &str) {
        writer.start(element_name);
        self.write_started(writer);
    }

    fn write_started(&self, writer: &mut Writer) {
        writer.attr("Version", &self.version).attr_opt("Id", self.id.as_deref());
        writer.attr_opt("xml:lang", self.language.as_deref());
        write_protection(writer, self.encryption_key.as_ref(), self.mac_method.as_ref());
        self.key_packages.iter().for_each(|package| package.write(writer));
        self.extensions.iter().for_each(|extensions| extensions.write(writer));
        writer.end();
    }
}

/// What says how the container's values are protected.
pub(crate) fn write_protection(writer: &mut Writer, key: Option<&KeyInfo>, mac: Option<&MacMethod>) {
    if let Some(key) = key {
        key.write(writer, "pskc:EncryptionKey");
    }
    if let Some(method) = mac {
        method.write(writer);
    }
}

pub(crate) fn read_version<R: BufRead>(reader: &Reader<R>, element: &Element) -> Result<String, Error> {
    let version = xml::trim(required(reader, element, "Version")?);
    let digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    match version.split_once('.') {
        Some((major, minor)) if digits(major, 2) && digits(minor, 3) => {
            if matches!(major, "1" | "01") {
                return Ok(version.to_owned());
            }
            Err(Error::Version { version: version.to_owned(), place: reader.place() })
        }
        _ => Err(reader.invalid("attribute Version is not a version such as 1.0").into()),
    }
}

pub(crate) fn read_id<R: BufRead>(reader: &Reader<R>, element: &Element) -> Result<Option<String>, Error> {
    match element.attr("Id").map(xml::trim) {
        None => Ok(None),
        Some(id) if xml::is_name(id) => Ok(Some(id.to_owned())),
        Some(_) => Err(reader.invalid("attribute Id is not a name (xs:ID)").into()),
    }
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
    /// Reads what follows the start tag `element`, whatever its name (`pskc:DeviceInfo`, or
    /// `dskpp:DeviceId` of RFC 6063 §8.2).
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        const CHILDREN: &[&str] = &[
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
        only_attributes(reader, element, &[])?;
        let mut info = Self::default();
        let mut children = Sequence::new(CHILDREN);
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

    /// Writes it as the element `element_name`, with children of the prefix `pskc`.
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

impl Extensions {
    pub(crate) fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        only_attributes(reader, element, &["definition"])?;
        let definition = element.attr("definition").map(xml::without_white_space);
        let mut elements = Vec::new();
        let mut children = Sequence::new(&["*"]);
        while let Some((_, child)) = children.next(reader)? {
            elements.push(Foreign::read_open(reader, child)?);
        }
        if elements.is_empty() {
            return Err(reader.missing("an element in <Extensions>").into());
        }
        Ok(Self { definition, elements })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.start("pskc:Extensions").attr_opt("definition", self.definition.as_deref());
        self.elements.iter().for_each(|element| element.write(writer));
        writer.end();
    }
}
