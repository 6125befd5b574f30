//! Containers of any size, one package at a time.

use std::io::{self, BufRead, Write};

use crate::parts::{ContainerParts, Header, Trailer};
use crate::xml::{Reader, Writer, XmlLimits, ns};
use crate::{Error, Extensions, KeyContainer, KeyPackage};

/// Reads a document of any size in constant memory: one package is held at a time.
///
/// Packages are returned before the end of the document is checked: a caller that must not act on part of a truncated
/// document reads it to its [`finish`](Self::finish) once before.
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
    parts: ContainerParts,
}

impl<R: BufRead> ContainerReader<R> {
    /// Reads up to the first package, with the limits for files.
    ///
    /// Errors: as [`KeyContainer::read`].
    pub fn new(source: R) -> Result<Self, Error> {
        let mut reader = Reader::new(source, XmlLimits::FILE)?;
        let root = reader.root()?;
        if !root.is(ns::PSKC, "KeyContainer") {
            return Err(reader.unexpected(&root).into());
        }
        let parts = ContainerParts::read_header(&mut reader, &root)?;
        Ok(Self { reader, parts })
    }

    pub(crate) fn into_parts(self) -> (Reader<R>, ContainerParts) {
        (self.reader, self.parts)
    }

    /// The content before the packages.
    pub fn header(&self) -> &Header {
        &self.parts.header
    }

    /// Octets of the document read so far.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The line where the next package begins; after the last one, the current line.
    pub fn line(&self) -> u64 {
        self.reader.line()
    }

    /// The next package; `None` after the last one.
    pub fn next_package(&mut self) -> Result<Option<KeyPackage>, Error> {
        self.parts.next_package(&mut self.reader)
    }

    /// Reads the rest of the document, including further packages.
    pub fn finish(mut self) -> Result<Trailer, Error> {
        while self.next_package()?.is_some() {}
        self.reader.finish()?;
        Ok(self.parts.trailer)
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
    /// Size of the write buffer in octets.
    const CHUNK: usize = 64 * 1024;

    /// Writes the content before the packages.
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

    /// Writes the buffer to the destination.
    pub fn flush(&mut self) -> io::Result<()> {
        self.writer.drain_into(&mut self.out)
    }

    /// The destination.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Closes the document with the `extensions` of the container, and returns the destination.
    pub fn finish(mut self, extensions: &[Extensions]) -> io::Result<W> {
        extensions.iter().for_each(|extensions| extensions.write(&mut self.writer));
        self.writer.end();
        self.flush()?;
        self.out.flush()?;
        Ok(self.out)
    }
}
