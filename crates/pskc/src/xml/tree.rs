//! A part of a document held as a tree, with the places of its elements.

use std::io::BufRead;

use compact_str::CompactString;

use super::reader::Token;
use super::{Attribute, Element, Foreign, Node, Ns, Place, Reader, XmlError, lexical};

/// An element with everything in it.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) ns: Ns,
    pub(crate) local: String,
    pub(crate) attributes: Vec<Attribute>,
    /// As those of [`Foreign`].
    prefixes: Vec<(CompactString, Ns)>,
    /// Its own text, without that of its children.
    pub(crate) text: String,
    pub(crate) children: Vec<Tree>,
    pub(crate) place: Place,
}

impl Tree {
    /// Elements in one tree, and octets of their texts and attributes: what a package of keys never comes near.
    const MAX_ELEMENTS: usize = 20_000;
    const MAX_TEXT: usize = 4 * 1024 * 1024;

    /// Reads the rest of `element`, which is open.
    pub(crate) fn read_open<R: BufRead>(reader: &mut Reader<R>, element: Element) -> Result<Self, XmlError> {
        let mut budget = (Self::MAX_ELEMENTS, Self::MAX_TEXT);
        Self::read(reader, element, &mut budget)
    }

    fn read<R: BufRead>(
        reader: &mut Reader<R>,
        element: Element,
        budget: &mut (usize, usize),
    ) -> Result<Self, XmlError> {
        let place = reader.place();
        let local = element.local.to_string();
        let Element { ns, attributes, .. } = element;
        let (text, prefixes, children) = (String::new(), Vec::new(), Vec::new());
        let mut tree = Tree { ns, local, attributes, prefixes, text, children, place };
        tree.attributes.iter().for_each(|attribute| reader.prefixes_in(&attribute.value, &mut tree.prefixes));
        let values: usize = tree.attributes.iter().map(|attribute| attribute.value.len()).sum();
        spend(&mut budget.0, 1, reader)?;
        spend(&mut budget.1, values, reader)?;
        loop {
            match reader.inner_token()? {
                Token::Start => {
                    let child = reader.element();
                    tree.children.push(Self::read(reader, child, budget)?);
                }
                Token::Text => {
                    spend(&mut budget.1, reader.characters().len(), reader)?;
                    reader.prefixes_in(reader.characters(), &mut tree.prefixes);
                    tree.text.push_str(reader.characters());
                }
                Token::End | Token::Eof => return Ok(tree),
            }
        }
    }

    /// Its text without the white space around it.
    pub(crate) fn trimmed(&self) -> &str {
        lexical::trim(&self.text)
    }

    /// The child of that name, in any case and namespace.
    pub(crate) fn child(&self, local: &str) -> Option<&Tree> {
        self.children.iter().find(|child| child.local.eq_ignore_ascii_case(local))
    }

    /// The value of the attribute of that name, in any case.
    pub(crate) fn attribute(&self, local: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|attribute| attribute.local.eq_ignore_ascii_case(local))?;
        Some(lexical::trim(&found.value))
    }

    /// The tree without its places; `ns` says in which namespace each of its elements is.
    pub(crate) fn to_foreign(&self, ns: &impl Fn(&Tree) -> Ns) -> Foreign {
        let children = self.children.iter().map(|child| Node::Element(child.to_foreign(ns)));
        let text = Some(Node::Text(self.text.clone())).filter(|_| !self.trimmed().is_empty());
        Foreign {
            ns: ns(self),
            local: self.local.as_str().into(),
            attributes: self.attributes.clone(),
            prefixes: self.prefixes.clone(),
            content: text.into_iter().chain(children).collect(),
        }
    }
}

fn spend<R: BufRead>(budget: &mut usize, cost: usize, reader: &Reader<R>) -> Result<(), XmlError> {
    *budget = budget.checked_sub(cost).ok_or_else(|| XmlError::TooLarge { place: reader.place() })?;
    Ok(())
}
