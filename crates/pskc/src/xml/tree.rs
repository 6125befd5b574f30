//! Part of a document as a tree with positions, which tracks what was read.

use std::cell::Cell;
use std::io::BufRead;

use compact_str::CompactString;

use super::reader::XmlToken;
use super::{Attribute, Element, Foreign, Node, Ns, Position, Reader, XmlError, lexical};

/// An element with its content. Accessors mark what they return, so that [`left_out`](Tree::left_out) finds
/// what was not read.
#[derive(Clone, Debug)]
pub(crate) struct ElementTree {
    pub(crate) ns: Ns,
    pub(crate) local: String,
    /// Whether its namespace is one whose names are looked up.
    pub(crate) is_own: bool,
    attributes: Vec<Attribute>,
    /// Like those of [`Foreign`].
    prefixes: Vec<(CompactString, Ns)>,
    /// Its own text, without that of its children.
    text: String,
    children: Vec<ElementTree>,
    pub(crate) place: Box<Position>,
    read: ReadMarks,
}

/// What was read of an element.
#[derive(Clone, Debug, Default)]
struct ReadMarks {
    /// The element itself was found.
    itself: Cell<bool>,
    text: Cell<bool>,
    /// One bit per attribute; there are at most 64.
    attributes: Cell<u64>,
    /// All its content.
    whole: Cell<bool>,
}

/// An unread part.
pub(crate) enum Unread<'t> {
    Element(&'t ElementTree),
    Attribute(&'t Attribute, &'t ElementTree),
    Text(&'t ElementTree),
}

impl ElementTree {
    /// The most elements in one tree, and octets of their texts and attributes: no key package comes close.
    const MAX_ELEMENTS: usize = 20_000;
    const MAX_TEXT: usize = 4 * 1024 * 1024;

    /// Reads the rest of `element`, which is open. Elements of namespaces that are not `own` have no name here.
    pub(crate) fn read_open<R: BufRead>(
        reader: &mut Reader<R>,
        element: Element,
        own: &impl Fn(&Ns) -> bool,
    ) -> Result<Self, XmlError> {
        let mut budget = (Self::MAX_ELEMENTS, Self::MAX_TEXT);
        Self::read(reader, element, own, &mut budget)
    }

    fn read<R: BufRead>(
        reader: &mut Reader<R>,
        element: Element,
        own: &impl Fn(&Ns) -> bool,
        budget: &mut (usize, usize),
    ) -> Result<Self, XmlError> {
        let place = reader.place();
        let local = element.local.to_string();
        let Element { ns, attributes, .. } = element;
        let (text, prefixes, children) = (String::new(), Vec::new(), Vec::new());
        let is_own = own(&ns);
        let mut tree =
            ElementTree { ns, local, is_own, attributes, prefixes, text, children, place, read: ReadMarks::default() };
        tree.attributes.iter().for_each(|attribute| reader.prefixes_in(&attribute.value, &mut tree.prefixes));
        let values: usize = tree.attributes.iter().map(|attribute| attribute.value.len()).sum();
        spend(&mut budget.0, 1, reader)?;
        spend(&mut budget.1, values, reader)?;
        loop {
            match reader.inner_token()? {
                XmlToken::Start => {
                    let child = reader.element();
                    tree.children.push(Self::read(reader, child, own, budget)?);
                }
                XmlToken::Text => {
                    spend(&mut budget.1, reader.characters().len(), reader)?;
                    reader.prefixes_in(reader.characters(), &mut tree.prefixes);
                    tree.text.push_str(reader.characters());
                }
                XmlToken::End | XmlToken::Eof => return Ok(tree),
            }
        }
    }

    /// Whether it has this name, ignoring case.
    pub(crate) fn is(&self, local: &str) -> bool {
        self.is_own && self.local.eq_ignore_ascii_case(local)
    }

    /// Its name in lower case; empty if it has none here.
    pub(crate) fn name(&self) -> String {
        if self.is_own { self.local.to_ascii_lowercase() } else { String::new() }
    }

    /// Its text.
    pub(crate) fn text(&self) -> &str {
        self.read.text.set(true);
        &self.text
    }

    /// Its text without the white space around it.
    pub(crate) fn trimmed(&self) -> &str {
        lexical::trim(self.text())
    }

    /// The length of its text in octets.
    pub(crate) fn text_len(&self) -> usize {
        self.text.len()
    }

    /// Its children; marks neither them nor their content.
    pub(crate) fn children(&self) -> &[ElementTree] {
        &self.children
    }

    /// The child with this name.
    pub(crate) fn child(&self, local: &str) -> Option<&ElementTree> {
        self.children.iter().find(|child| child.is(local)).inspect(|child| child.take())
    }

    /// Its attributes; does not mark them.
    pub(crate) fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    /// The first attribute that satisfies `is_it`.
    pub(crate) fn find(&self, is_it: impl Fn(&Attribute) -> bool) -> Option<&Attribute> {
        let at = self.attributes.iter().position(is_it)?;
        self.read.attributes.set(self.read.attributes.get() | 1 << at.min(63));
        self.attributes.get(at)
    }

    /// The value of the attribute with this name, ignoring case, without namespace.
    pub(crate) fn attribute(&self, local: &str) -> Option<&str> {
        let found = self.find(|attribute| attribute.ns == Ns::None && attribute.local.eq_ignore_ascii_case(local))?;
        Some(lexical::trim(&found.value))
    }

    /// Marks the element itself.
    pub(crate) fn take(&self) {
        self.read.itself.set(true);
    }

    /// Marks the attributes that satisfy `is_it`.
    pub(crate) fn take_attributes(&self, is_it: impl Fn(&Attribute) -> bool) {
        let which = self.attributes.iter().enumerate().filter(|(_, attribute)| is_it(attribute));
        let marked = which.fold(self.read.attributes.get(), |marked, (at, _)| marked | 1 << at.min(63));
        self.read.attributes.set(marked);
    }

    /// Marks the element with all its content.
    pub(crate) fn take_whole(&self) {
        self.read.itself.set(true);
        self.read.whole.set(true);
    }

    /// Reports unread parts in document order, except schema-related attributes.
    pub(crate) fn left_out<'t>(&'t self, name: &mut impl FnMut(Unread<'t>)) {
        if self.read.whole.get() {
            return;
        }
        for (at, attribute) in self.attributes.iter().enumerate() {
            if self.read.attributes.get() >> at.min(63) & 1 == 0 && !attribute.is_about_schema() {
                name(Unread::Attribute(attribute, self));
            }
        }
        if !self.read.text.get() && !lexical::trim(&self.text).is_empty() {
            name(Unread::Text(self));
        }
        for child in &self.children {
            match child.read.itself.get() {
                true => child.left_out(name),
                false => name(Unread::Element(child)),
            }
        }
    }

    /// The tree without positions; `ns` returns the namespace of each element.
    pub(crate) fn to_foreign(&self, ns: &impl Fn(&ElementTree) -> Ns) -> Foreign {
        self.take_whole();
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
    *budget = budget.checked_sub(cost).ok_or_else(|| XmlError::TooLarge(reader.place()))?;
    Ok(())
}
