//! Elements that the model does not know, kept as they are.

use std::io::BufRead;

use compact_str::CompactString;

use super::reader::Token;
use super::{Attribute, Element, Ns, Reader, Writer, XmlError, ns};

/// An element of an extension: kept when read, and written back with the same meaning.
///
/// Names are kept resolved; a qualified name inside a *value* keeps a prefix that the written
/// document may not declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its namespace.
    pub ns: Ns,
    /// Its name without prefix.
    pub local: CompactString,
    /// Its attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// Its content in order; two texts never follow each other.
    pub content: Vec<Node>,
}

/// A piece of an element's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Characters, white space included.
    Text(String),
    /// A child.
    Element(Foreign),
}

impl Foreign {
    /// Reads the rest of `element`, which is open. The reader's limit on depth bounds the tree.
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: Element) -> Result<Self, XmlError> {
        let Element { ns, local, attributes } = element;
        let mut content = Vec::new();
        loop {
            match reader.inner_token()? {
                Token::Start => {
                    let child = reader.element();
                    content.push(Node::Element(Self::read_open(reader, child)?));
                }
                Token::Text => match content.last_mut() {
                    Some(Node::Text(text)) => text.push_str(reader.characters()),
                    _ if reader.characters().is_empty() => {}
                    _ => content.push(Node::Text(reader.characters().to_owned())),
                },
                Token::End | Token::Eof => return Ok(Self { ns, local, attributes, content }),
            }
        }
    }

    /// Its children, without the text between them.
    pub fn children(&self) -> impl Iterator<Item = &Foreign> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(child) => Some(child),
            Node::Text(_) => None,
        })
    }

    /// Its own text, without that of its children.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// Whether it has neither attributes nor children.
    pub fn is_plain(&self) -> bool {
        self.attributes.is_empty() && self.children().next().is_none()
    }

    /// Whether this is the element `local` of the namespace `ns`.
    pub fn is(&self, ns: &str, local: &str) -> bool {
        self.local == local && self.ns.as_str() == ns
    }

    /// Writes it. Every element declares its namespace itself, so it can stand anywhere.
    pub fn write(&self, writer: &mut Writer) {
        writer.start(&self.local).attr("xmlns", self.ns.as_str());
        write_attributes(writer, &self.attributes);
        for node in &self.content {
            match node {
                Node::Text(text) => {
                    writer.text(text);
                }
                Node::Element(child) => child.write(writer),
            }
        }
        writer.end();
    }
}

/// Adds attributes to the element just started, each with a declaration of its own namespace.
pub(crate) fn write_attributes(writer: &mut Writer, attributes: &[Attribute]) {
    for (i, Attribute { ns, local, value }) in attributes.iter().enumerate() {
        match ns.as_str() {
            "" => writer.attr(local, value),
            ns::XML => writer.attr(&format!("xml:{local}"), value),
            ns => writer.attr(&format!("xmlns:a{i}"), ns).attr(&format!("a{i}:{local}"), value),
        };
    }
}
