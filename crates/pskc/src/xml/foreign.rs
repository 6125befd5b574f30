//! Elements that the model does not know, kept unchanged.

use std::io::BufRead;

use compact_str::CompactString;

use super::reader::XmlToken;
use super::{Attribute, Element, Ns, Reader, Writer, XmlError, ns};

/// An extension element, read and written back with the same meaning.
///
/// Names are kept resolved; for qualified names in values, such as `xsi:type="xs:string"`, the namespaces of their
/// prefixes are kept too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Its namespace.
    pub ns: Ns,
    /// Its name without prefix.
    pub local: CompactString,
    /// Its attributes, without namespace declarations.
    pub attributes: Vec<Attribute>,
    /// The prefixes that its values and texts seem to use, with their namespaces.
    pub prefixes: Vec<(CompactString, Ns)>,
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
    /// Reads the rest of `element`, which is open. The reader's depth limit bounds the tree.
    pub fn read_open<R: BufRead>(reader: &mut Reader<R>, element: Element) -> Result<Self, XmlError> {
        let Element { ns, local, attributes } = element;
        let (mut content, mut prefixes) = (Vec::new(), Vec::new());
        attributes.iter().for_each(|attribute| reader.prefixes_in(&attribute.value, &mut prefixes));
        loop {
            match reader.inner_token()? {
                XmlToken::Start => {
                    let child = reader.element();
                    content.push(Node::Element(Self::read_open(reader, child)?));
                }
                XmlToken::Text => {
                    reader.prefixes_in(reader.characters(), &mut prefixes);
                    match content.last_mut() {
                        Some(Node::Text(text)) => {
                            text.push_str(reader.characters());
                            reader.check_text(text.len())?;
                        }
                        _ if reader.characters().is_empty() => {}
                        _ => content.push(Node::Text(reader.characters().to_owned())),
                    }
                }
                XmlToken::End | XmlToken::Eof => return Ok(Self { ns, local, attributes, prefixes, content }),
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

    /// Writes it with a declaration of its namespace, so that it can be placed anywhere.
    pub fn write(&self, writer: &mut Writer) {
        self.write_in(None, writer);
    }

    /// Writes it inside an element of the namespace `around`.
    fn write_in(&self, around: Option<&Ns>, writer: &mut Writer) {
        writer.start(&self.local);
        if around != Some(&self.ns) {
            writer.attr("xmlns", self.ns.as_str());
        }
        for (prefix, ns) in &self.prefixes {
            writer.attr(&format!("xmlns:{prefix}"), ns.as_str());
        }
        write_attributes(writer, &self.attributes, &self.prefixes);
        for node in &self.content {
            match node {
                Node::Text(text) => {
                    writer.text(text);
                }
                Node::Element(child) => child.write_in(Some(&self.ns), writer),
            }
        }
        writer.end();
    }
}

/// Adds attributes to the element just started, each with a declaration of its namespace under a prefix that is
/// not `taken`.
pub(crate) fn write_attributes(writer: &mut Writer, attributes: &[Attribute], taken: &[(CompactString, Ns)]) {
    let longest = taken.iter().map(|(taken, _)| taken.bytes().take_while(|octet| *octet == b'a').count()).max();
    let prefix = "a".repeat(longest.unwrap_or(0) + 1);
    for (i, Attribute { ns, local, value }) in attributes.iter().enumerate() {
        match ns.as_str() {
            "" => writer.attr(local, value),
            ns::XML => writer.attr(&format!("xml:{local}"), value),
            ns => writer.attr(&format!("xmlns:{prefix}{i}"), ns).attr(&format!("{prefix}{i}:{local}"), value),
        };
    }
}
