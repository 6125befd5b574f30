//! Reads vendors' files and old drafts into the same model, and reports every deviation.
//!
//! Documents are read one package at a time, each as a tree that is then searched leniently: names in any
//! case, without a namespace or in one of PSKC's drafts, values in forms found in the field. What cannot be understood,
//! and what is not XML, is still an error.

mod dates;
mod formats;
mod header;
mod key;
mod key_package;
mod names;
mod values;
mod warning;

use std::collections::VecDeque;
use std::io::BufRead;

use crate::parts::{Header, Trailer};
use crate::xml::{Element, ElementTree, Ns, Reader, XmlError, XmlLimits, ns};
use crate::{Error, KeyContainer, KeyPackage};
use header::Defaults;
use warning::Warnings;
pub use warning::{Irregularity, Warning};

/// Reads containers leniently, in constant memory.
///
/// ```
/// let document = br#"<KeyContainer xmlns="urn:ietf:params:xml:ns:keyprov:pskc" Version="1"><Device><Key KeyId="7">
///     <Data><Secret><PlainValue>MTIz</PlainValue></Secret></Data></Key></Device></KeyContainer>"#;
/// let mut reader = pskc::LenientReader::new(&document[..])?;
/// let package = reader.next_package()?.unwrap();
/// assert_eq!(package.key.unwrap().id, "7");
/// let (_, warnings) = reader.finish()?;
/// assert_eq!(warnings[0].to_string(), "the version \"1\" is read as 1.0 (/KeyContainer, line 1, octet 0)");
/// # Ok::<(), pskc::Error>(())
/// ```
pub struct LenientReader<R: BufRead> {
    reader: Reader<R>,
    header: Header,
    /// The namespace of the container.
    root: Ns,
    defaults: Defaults,
    warnings: Warnings,
    trailer: Trailer,
    /// The start tag of the next package.
    package: Option<Element>,
    /// Further keys of a device with several.
    waiting: VecDeque<KeyPackage>,
    /// The rank of the root's latest child in the order of RFC 6030.
    rank: usize,
}

impl<R: BufRead> LenientReader<R> {
    /// Reads up to the first package.
    ///
    /// Errors: not XML, or not a container of keys.
    pub fn new(source: R) -> Result<Self, Error> {
        let mut reader = Reader::forgiving(source, XmlLimits::FILE)?;
        let root = reader.root()?;
        if !["KeyContainer", "SecretContainer"].iter().any(|name| root.local.eq_ignore_ascii_case(name)) {
            return Err(reader.unexpected(&root).into());
        }
        let mut warnings = Warnings::default();
        for error in reader.forgiven() {
            if let XmlError::Declaration(fault) = error {
                warnings.add(Irregularity::Declaration(fault.what.into_owned()), &fault.place);
            }
        }
        let header = header::read_root(&root, &reader.place(), &mut warnings)?;
        let (defaults, trailer, waiting) = (Defaults::default(), Trailer::default(), VecDeque::new());
        let root = root.ns;
        let mut opened = Self { reader, header, root, defaults, warnings, trailer, package: None, waiting, rank: 0 };
        opened.advance()?;
        if opened.package.is_none() {
            return Err(opened.reader.missing("element <KeyPackage>").into());
        }
        Ok(opened)
    }

    /// Handles the content beside the packages, up to the next one.
    fn advance(&mut self) -> Result<(), Error> {
        while let Some(child) = self.reader.next()? {
            let own = |ns: &Ns| names::is_own(ns, &self.root);
            let is_own = own(&child.ns);
            let rank = rank(&child).filter(|_| is_own).unwrap_or(self.rank);
            if rank < self.rank {
                self.warnings.add(Irregularity::Order(child.local.to_string()), &self.reader.place());
            }
            self.rank = rank.max(self.rank);
            if is_own && is_package(&child) {
                self.package = Some(child);
                break;
            }
            if is_own && child.local.eq_ignore_ascii_case("Signature") {
                self.trailer.signed = true;
                self.reader.skip()?;
                continue;
            }
            let tree = ElementTree::read_open(&mut self.reader, child, &own)?;
            match tree.is("Extensions") {
                true => {
                    self.trailer.extensions.extend(key_package::extensions(&tree, &mut self.warnings));
                    self.warnings.left_out(&tree);
                }
                false => header::take(&mut self.header, &mut self.defaults, &tree, &mut self.warnings)?,
            }
        }
        Ok(())
    }

    /// The content before the packages.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Octets of the document read so far.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The warnings so far.
    pub fn warnings(&self) -> &[Warning] {
        self.warnings.all()
    }

    /// The next package; `None` after the last one.
    pub fn next_package(&mut self) -> Result<Option<KeyPackage>, Error> {
        if let Some(waiting) = self.waiting.pop_front() {
            return Ok(Some(waiting));
        }
        let Some(element) = self.package.take() else { return Ok(None) };
        let tree = ElementTree::read_open(&mut self.reader, element, &|ns| names::is_own(ns, &self.root))?;
        self.waiting = key_package::read(&tree, &self.defaults, &mut self.warnings)?.into();
        // Values read before this would have been read as plain ones.
        self.defaults.fixed = true;
        self.advance()?;
        Ok(self.waiting.pop_front())
    }

    /// Reads the rest of the document, including further packages; returns the trailer and all warnings.
    pub fn finish(mut self) -> Result<(Trailer, Vec<Warning>), Error> {
        while self.next_package()?.is_some() {}
        self.reader.finish()?;
        Ok((self.trailer, self.warnings.into_all()))
    }
}

impl KeyContainer {
    /// Reads a document from memory, and returns the warnings.
    ///
    /// Errors: as [`LenientReader`].
    pub fn from_xml_lenient(document: &[u8]) -> Result<(Self, Vec<Warning>), Error> {
        let mut reader = LenientReader::new(document)?;
        let mut key_packages = Vec::new();
        while let Some(package) = reader.next_package()? {
            key_packages.push(package);
        }
        let Header { version: _, id, language, encryption_key, mac_method } = reader.header.clone();
        let (Trailer { signed, extensions }, warnings) = reader.finish()?;
        let version = "1.0".to_owned(); // the version that is written
        let container = Self { version, id, language, encryption_key, mac_method, key_packages, signed, extensions };
        Ok((container, warnings))
    }
}

/// The rank of a child of the root in the order of RFC 6030.
fn rank(element: &Element) -> Option<usize> {
    const ORDER: [&str; 5] = ["EncryptionKey", "MACMethod", "", "Signature", "Extensions"];
    match is_package(element) {
        true => Some(2),
        false => ORDER.iter().position(|name| element.local.eq_ignore_ascii_case(name)),
    }
}

fn is_package(element: &Element) -> bool {
    let of_dsig = element.ns.is(ns::DS);
    !of_dsig && ["KeyPackage", "KeyProvPackage", "Device"].iter().any(|name| element.local.eq_ignore_ascii_case(name))
}
