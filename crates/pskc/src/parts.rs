//! The parts of a container, in reading order.

use std::io::BufRead;

use crate::codec::{self, Sequence, required};
use crate::xml::{self, Element, Fault, Reader, Writer, ns};
use crate::{Error, Extensions, KeyInfo, KeyPackage, MacMethod};

/// The content of a container before its packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the format, `1.0`.
    pub version: String,
    /// A name for the container (`xs:ID`).
    pub id: Option<String>,
    /// The default language of names (`xml:lang`, RFC 5646).
    pub language: Option<String>,
    /// The key that protects the encrypted values (RFC 6030 §6).
    pub encryption_key: Option<KeyInfo>,
    /// The algorithm and key of the `ValueMAC`s (§6.1.1).
    pub mac_method: Option<MacMethod>,
}

impl Default for Header {
    /// Version 1.0, without protection.
    fn default() -> Self {
        Self { version: "1.0".to_owned(), id: None, language: None, encryption_key: None, mac_method: None }
    }
}

/// The content of a container after its packages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Trailer {
    /// Whether there was a signature; see [`KeyContainer::signed`](crate::KeyContainer::signed).
    pub signed: bool,
    /// Extensions of the container, in order.
    pub extensions: Vec<Extensions>,
}

/// The state of reading a container's content.
pub(crate) struct ContainerParts {
    pub(crate) header: Header,
    pub(crate) trailer: Trailer,
    children: Sequence,
    /// The start tag of the next package.
    package: Option<Element>,
}

impl ContainerParts {
    /// Reads the content before the first package of the container that `element` opened.
    pub(crate) fn read_header<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        const CHILDREN: &[&str] = &["EncryptionKey", "MACMethod", "KeyPackage*", "Signature", "Extensions*"];
        let header = Header {
            language: codec::language(reader, element, &["Version", "Id"])?,
            version: read_version(reader, element)?,
            id: read_id(reader, element)?,
            ..Header::default()
        };
        let mut parts = Self { header, trailer: Trailer::default(), children: Sequence::new(CHILDREN), package: None };
        while let Some(child) = reader.next()? {
            match parts.children.find(&child) {
                Some("EncryptionKey") => parts.header.encryption_key = Some(KeyInfo::read_open(reader, &child)?),
                Some("MACMethod") => parts.header.mac_method = Some(MacMethod::read_open(reader, &child)?),
                Some("KeyPackage") => {
                    parts.package = Some(child);
                    return Ok(parts);
                }
                _ => return Err(reader.unexpected(&child).into()),
            }
        }
        Err(reader.missing("element <KeyPackage>").into())
    }

    /// The next package; after the last one, the container's end tag is consumed.
    pub(crate) fn next_package<R: BufRead>(&mut self, reader: &mut Reader<R>) -> Result<Option<KeyPackage>, Error> {
        let Some(element) = self.package.take() else { return Ok(None) };
        let package = KeyPackage::read_open(reader, &element)?;
        self.advance(reader)?;
        Ok(Some(package))
    }

    /// Reads up to the next package, or to the container's end.
    pub(crate) fn advance<R: BufRead>(&mut self, reader: &mut Reader<R>) -> Result<(), Error> {
        while let Some(mut child) = reader.next()? {
            if child.is(ns::DS, "Signature") {
                child.ns = ns::PSKC.into(); // in the schema's own namespace, or in its right one
            }
            match self.children.find(&child) {
                Some("KeyPackage") => {
                    self.package = Some(child);
                    break;
                }
                Some("Extensions") => self.trailer.extensions.push(Extensions::read_open(reader, &child)?),
                Some(_) => {
                    self.trailer.signed = true;
                    reader.skip()?;
                }
                None if child.is(ns::PSKC, "EncryptionKey") || child.is(ns::PSKC, "MACMethod") => {
                    let what = format!("<{}> must come before the packages", child.local);
                    return Err(reader.invalid(what).into());
                }
                None => return Err(reader.unexpected(&child).into()),
            }
        }
        Ok(())
    }
}

impl Header {
    /// Whether the version is later than 1.0. Unknown features are errors where they occur,
    /// and the rest is read as 1.0 (§1.2).
    pub fn is_later(&self) -> bool {
        self.version.split_once('.').is_some_and(|(_, minor)| minor.bytes().any(|digit| digit != b'0'))
    }

    /// Writes the attributes and first children of the container just started.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.attr("Version", &self.version).attr_opt("Id", self.id.as_deref());
        writer.attr_opt("xml:lang", self.language.as_deref());
        write_protection(writer, self.encryption_key.as_ref(), self.mac_method.as_ref());
    }
}

/// Writes how the container's values are protected.
pub(crate) fn write_protection(writer: &mut Writer, key: Option<&KeyInfo>, mac: Option<&MacMethod>) {
    if let Some(key) = key {
        key.write(writer, "pskc:EncryptionKey");
    }
    if let Some(method) = mac {
        method.write(writer);
    }
}

fn read_version<R: BufRead>(reader: &Reader<R>, element: &Element) -> Result<String, Error> {
    let version = xml::trim(required(reader, element, "Version")?);
    let digits =
        |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    match version.split_once('.') {
        Some((major, minor)) if digits(major, 2) && digits(minor, 3) => {
            if matches!(major, "1" | "01") {
                return Ok(version.to_owned());
            }
            Err(Error::Version(Fault::at(reader.place(), version.to_owned())))
        }
        _ => Err(reader.invalid("attribute Version is not a version such as 1.0").into()),
    }
}

fn read_id<R: BufRead>(reader: &Reader<R>, element: &Element) -> Result<Option<String>, Error> {
    match element.attr("Id").map(xml::trim) {
        None => Ok(None),
        Some(id) if xml::is_name(id) => Ok(Some(id.to_owned())),
        Some(_) => Err(reader.invalid("attribute Id is not a name (xs:ID)").into()),
    }
}
