//! Containers of any size, one package at a time.

use std::io::{self, BufRead, Write};

use crate::codec::{self, Sequence};
use crate::container::{read_id, read_version, write_protection};
use crate::xml::{Element, Reader, Writer, XmlLimits, ns};
use crate::{Error, Extensions, KeyContainer, KeyInfo, KeyPackage, MacMethod};

/// What stands in a container before its packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Version of the format, `1.0`.
    pub version: String,
    /// A name for the container (`xs:ID`).
    pub id: Option<String>,
    /// The language of the names in it (`xml:lang`, RFC 5646) that have none of their own.
    pub language: Option<String>,
    /// The key that protects the encrypted values (RFC 6030 §6).
    pub encryption_key: Option<KeyInfo>,
    /// How the `ValueMAC`s are made (§6.1.1).
    pub mac_method: Option<MacMethod>,
}

impl Default for Header {
    /// Version 1.0, without protection.
    fn default() -> Self {
        Self { version: "1.0".to_owned(), id: None, language: None, encryption_key: None, mac_method: None }
    }
}

/// What stands in a container after its packages.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Trailer {
    /// Whether there was a signature; see [`KeyContainer::signed`].
    pub signed: bool,
    /// Extensions of the container, in order.
    pub extensions: Vec<Extensions>,
}

/// Reads a document of any size in constant memory: one package is held at a time.
///
/// Packages come before the document's end has been seen: who must not act on a part of a
/// document that turns out to be cut off reads it to its [`finish`](Self::finish) once before.
///
/// ```
/// use pskc::ContainerReader;
/// let document = br#"<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1.0">
///     <KeyPackage><Key Id="a"/></KeyPackage><KeyPackage><Key Id="b"/></KeyPackage></KeyContainer>"#;
/// let mut reader = ContainerReader::new(&document[..])?;
/// let mut ids = Vec::new();
/// while let Some(package) = reader.next_package()? {
///     ids.extend(package.key.map(|key| key.id));
/// }
/// reader.finish()?;
/// assert_eq!(ids, ["a", "b"]);
/// # Ok::<(), pskc::Error>(())
/// ```
pub struct ContainerReader<R: BufRead> {
    reader: Reader<R>,
    parts: Parts,
}

impl<R: BufRead> ContainerReader<R> {
    /// Reads as far as the first package, with the limits for files.
    ///
    /// Errors: as [`KeyContainer::read`].
    pub fn new(source: R) -> Result<Self, Error> {
        let mut reader = Reader::new(source, XmlLimits::FILE)?;
        let root = reader.root()?;
        if !root.is(ns::PSKC, "KeyContainer") {
            return Err(reader.unexpected(&root).into());
        }
        let parts = Parts::read_header(&mut reader, &root)?;
        Ok(Self { reader, parts })
    }

    pub(crate) fn into_parts(self) -> (Reader<R>, Parts) {
        (self.reader, self.parts)
    }

    /// What stood before the packages.
    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    /// How many octets of the document have been read.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The line on which the package that comes next begins; after the last one, that on which reading stands.
    pub fn line(&self) -> u64 {
        self.reader.line()
    }

    /// The next package; `None` after the last one.
    pub fn next_package(&mut self) -> Result<Option<KeyPackage>, Error> {
        self.parts.next_package(&mut self.reader)
    }

    /// Reads to the end of the document, packages that were not asked for included.
    pub fn finish(mut self) -> Result<Trailer, Error> {
        while self.next_package()?.is_some() {}
        self.reader.finish()?;
        Ok(self.parts.trailer)
    }
}

/// Where reading stands in the content of a container.
pub(crate) struct Parts {
    pub(crate) header: Header,
    pub(crate) trailer: Trailer,
    children: Sequence,
    /// The start tag of the package to be read next.
    package: Option<Element>,
}

impl Parts {
    /// Reads what comes before the first package of the container that `element` opened.
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

    /// The next package; after the last one the container's end tag has been consumed.
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
                    let what = format!("<{}> stands behind packages, and belongs in front of them", child.local);
                    return Err(reader.invalid(what).into());
                }
                None => return Err(reader.unexpected(&child).into()),
            }
        }
        Ok(())
    }
}

/// Writes a document of any size, one package at a time.
///
/// ```
/// use pskc::{ContainerWriter, Header, Key, KeyContainer, KeyPackage};
/// let mut writer = ContainerWriter::new(Vec::new(), &Header::default())?;
/// let package = KeyPackage { key: Some(Key { id: "a".into(), ..Key::default() }), ..KeyPackage::default() };
/// writer.package(&package)?;
/// let document = writer.finish(&[])?;
/// assert_eq!(KeyContainer::from_xml(&document).unwrap().key_packages, [package]);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ContainerWriter<W: Write> {
    out: W,
    writer: Writer,
}

impl<W: Write> ContainerWriter<W> {
    /// Octets that are gathered before they go out.
    const CHUNK: usize = 64 * 1024;

    /// Writes what comes before the packages.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut writer = Writer::new();
        KeyContainer::write_root(&mut writer);
        header.write(&mut writer);
        Ok(Self { out, writer })
    }

    /// Writes a package. A document needs at least one to be valid.
    pub fn package(&mut self, package: &KeyPackage) -> io::Result<()> {
        package.write(&mut self.writer);
        if self.writer.position() >= Self::CHUNK { self.flush() } else { Ok(()) }
    }

    /// Gives what has been gathered to the destination.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.drain_into(&mut self.out)
    }

    /// Where the document goes.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Closes the document with the `extensions` of the container, and gives the destination back.
    pub fn finish(mut self, extensions: &[Extensions]) -> io::Result<W> {
        extensions.iter().for_each(|extensions| extensions.write(&mut self.writer));
        self.writer.end();
        self.flush()?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl Header {
    /// Whether the version is a later one than 1.0. Its capabilities that are not known here are errors where they
    /// stand, and the rest is read as 1.0 has it (§1.2).
    pub fn is_later(&self) -> bool {
        self.version.split_once('.').is_some_and(|(_, minor)| minor.bytes().any(|digit| digit != b'0'))
    }

    /// Writes attributes and first children of the container just started.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.attr("Version", &self.version).attr_opt("Id", self.id.as_deref());
        writer.attr_opt("xml:lang", self.language.as_deref());
        write_protection(writer, self.encryption_key.as_ref(), self.mac_method.as_ref());
    }
}
