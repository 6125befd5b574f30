//! `KeyContainer`: a whole document.

use std::io::BufRead;

use crate::parts::{ContainerParts, Header, Trailer, write_protection};
use crate::xml::{Element, Reader, Writer, XmlLimits, ns};
use crate::{Error, Extensions, KeyInfo, KeyPackage, MacMethod};

/// `<KeyContainer>`: a document of key packages (RFC 6030 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyContainer {
    /// Version of the format, `1.0`.
    pub version: String,
    /// A name for the container: an `xs:ID`, so a letter or `_` first, then also digits, `-`, `.`.
    pub id: Option<String>,
    /// The default language of names (`xml:lang`, RFC 5646).
    pub language: Option<String>,
    /// The key that protects the encrypted values (§6).
    pub encryption_key: Option<KeyInfo>,
    /// The algorithm and key of the `ValueMAC`s (§6.1.1).
    pub mac_method: Option<MacMethod>,
    /// The packages; a valid container has at least one.
    pub key_packages: Vec<KeyPackage>,
    /// Whether the document has a signature (§7). Reading neither checks nor keeps it, so this does
    /// not authenticate the document: see [`signature::verify`](crate::signature::verify).
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

impl KeyContainer {
    /// Reads a document from memory, with the limits for files.
    pub fn from_xml(document: &[u8]) -> Result<Self, Error> {
        Self::read(Reader::from_slice(document, XmlLimits::FILE)?)
    }

    /// Reads a whole document.
    ///
    /// Errors: [`Error`]; a faulty or truncated document yields nothing.
    pub fn read<R: BufRead>(mut reader: Reader<R>) -> Result<Self, Error> {
        let root = reader.root()?;
        if !root.is(ns::PSKC, "KeyContainer") {
            return Err(reader.unexpected(&root).into());
        }
        let container = Self::read_open(&mut reader, &root)?;
        reader.finish()?;
        Ok(container)
    }

    /// Reads a container after its start tag `element`, whatever its name; DSKPP
    /// uses another namespace for it (profile P26).
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: &Element) -> Result<Self, Error> {
        let mut parts = ContainerParts::read_header(reader, element)?;
        let mut key_packages = Vec::new();
        while let Some(package) = parts.next_package(reader)? {
            key_packages.push(package);
        }
        let Header { version, id, language, encryption_key, mac_method } = parts.header;
        let Trailer { signed, extensions } = parts.trailer;
        Ok(Self { version, id, language, encryption_key, mac_method, key_packages, signed, extensions })
    }

    /// Writes a complete document.
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
    /// prefixes `pskc`, `ds` and `xenc`, and that of the name, must be declared by the caller.
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
