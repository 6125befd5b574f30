//! `Extensions`: elements of other namespaces.

use std::io::BufRead;

use crate::Error;
use crate::codec::{Sequence, only_attributes};
use crate::xml::{self, Element, Foreign, Reader, Writer};

/// `<Extensions>`: elements of other namespaces, kept unchanged (§9).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Extensions {
    /// A URI of their definition.
    pub definition: Option<String>,
    /// The elements; a valid list has at least one.
    pub elements: Vec<Foreign>,
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
