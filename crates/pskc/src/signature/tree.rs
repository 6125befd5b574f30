//! A document for canonicalisation: with prefixes, namespace declarations and comments.
//!
//! It is built only from what the strict [`Reader`] has fully accepted, so it need not check for faults again.

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use super::SignatureError;
use crate::xml::{Reader, Scope, XmlLimits, ns};

/// The longest document to sign or verify, in octets; it is held in memory several times.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;
/// The most nodes of a document: enough for documents of the length above with elements of ordinary size,
/// and a bound on memory for a document of nothing but tags.
const MAX_NODES: usize = 4_000_000;

/// The nodes of a document in order, from the root's start tag to its end tag.
pub(super) struct SignedTree<'d> {
    nodes: Vec<SignedNode<'d>>,
    attributes: Vec<SignedAttribute>,
    /// The declarations of all elements; the first two stand for the prefix `xml` and for no namespace.
    declarations: Vec<Declaration>,
}

/// A piece of the document.
pub(super) enum SignedNode<'d> {
    Start(Box<Start>),
    /// Characters, with references expanded and line ends normalised to `\n`. Several may follow each other.
    Text(Cow<'d, str>),
    Comment(Cow<'d, str>),
    End,
}

/// A start tag.
pub(super) struct Start {
    pub(super) name: Name,
    attributes: Range<usize>,
    declared: Range<usize>,
    /// Index of the parent's start tag.
    pub(super) parent: Option<usize>,
    /// Index of the end tag.
    pub(super) end: usize,
    /// Offset in the document after the end tag.
    pub(super) end_offset: usize,
}

/// A qualified name.
pub(super) struct Name {
    qualified: Box<str>,
    local_at: usize,
    ns: usize,
}

/// An attribute that declares no namespace.
pub(super) struct SignedAttribute {
    pub(super) name: Name,
    pub(super) value: Box<str>,
}

/// `xmlns:prefix="ns"`, or `xmlns="ns"` with an empty prefix.
pub(super) struct Declaration {
    pub(super) prefix: Box<str>,
    pub(super) ns: Box<str>,
}

const XML: usize = 0;
const NO_NAMESPACE: usize = 1;

impl Name {
    pub(super) fn qualified(&self) -> &str {
        &self.qualified
    }

    pub(super) fn local(&self) -> &str {
        self.qualified.get(self.local_at..).unwrap_or_default()
    }

    pub(super) fn prefix(&self) -> &str {
        self.qualified.get(..self.local_at.saturating_sub(1)).unwrap_or_default()
    }
}

impl<'d> SignedTree<'d> {
    /// Builds the tree of a document.
    ///
    /// Errors: whatever the strict reader refuses; [`SignatureError::TooLarge`]; relative namespace names, which
    /// have no canonical form (Canonical XML 1.0 §1.3).
    pub(super) fn parse(document: &'d [u8]) -> Result<Self, SignatureError> {
        if document.len() > MAX_DOCUMENT {
            return Err(SignatureError::TooLarge);
        }
        accept(document)?;
        let text = std::str::from_utf8(document).map_err(|_| SignatureError::Unreadable)?;
        let body = text.trim_start_matches('\u{FEFF}');
        let mut builder = Builder::new();
        let mut tokens = quick_xml::Reader::from_str(body);
        tokens.config_mut().expand_empty_elements = true;
        loop {
            let event = tokens.read_event().map_err(|_| SignatureError::Unreadable)?;
            if let Event::Eof = event {
                return builder.finish();
            }
            let position = usize::try_from(tokens.buffer_position()).map_err(|_| SignatureError::TooLarge)?;
            builder.event(event, position + (text.len() - body.len()))?;
        }
    }

    /// All nodes, starting with the root's start tag.
    pub(super) fn nodes(&self) -> &[SignedNode<'d>] {
        &self.nodes
    }

    /// The start tag at index `at`.
    pub(super) fn start(&self, at: usize) -> Option<&Start> {
        match self.nodes.get(at) {
            Some(SignedNode::Start(start)) => Some(start),
            _ => None,
        }
    }

    /// All start tags with their indices.
    pub(super) fn starts(&self) -> impl Iterator<Item = (usize, &Start)> {
        self.nodes.iter().enumerate().filter_map(|(at, node)| match node {
            SignedNode::Start(start) => Some((at, start.as_ref())),
            _ => None,
        })
    }

    /// The namespace of a name in this tree; empty for none.
    pub(super) fn ns(&self, name: &Name) -> &str {
        self.declarations.get(name.ns).map_or("", |declaration| &declaration.ns)
    }

    /// Whether the node at `at` is the start tag of `local` in the namespace `ns`.
    pub(super) fn is(&self, at: usize, ns: &str, local: &str) -> bool {
        self.start(at).is_some_and(|start| start.name.local() == local && self.ns(&start.name) == ns)
    }

    /// The attributes of a start tag, without namespace declarations.
    pub(super) fn attributes(&self, start: &Start) -> &[SignedAttribute] {
        self.attributes.get(start.attributes.clone()).unwrap_or_default()
    }

    /// The namespace declarations of a start tag.
    pub(super) fn declared(&self, start: &Start) -> &[Declaration] {
        self.declarations.get(start.declared.clone()).unwrap_or_default()
    }

    /// The enclosing start tags of `start`, innermost first.
    pub(super) fn ancestors(&self, start: &Start) -> impl Iterator<Item = &Start> {
        std::iter::successors(self.parent(start), |start| self.parent(start))
    }

    fn parent(&self, start: &Start) -> Option<&Start> {
        start.parent.and_then(|parent| self.start(parent))
    }

    /// Indices of the child elements of the element at `at`.
    pub(super) fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        let end = self.start(at).map_or(0, |start| start.end);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            while next < end {
                let child = next;
                match self.start(child) {
                    Some(start) => {
                        next = start.end + 1;
                        return Some(child);
                    }
                    None => next += 1,
                }
            }
            None
        })
    }

    /// The element's own text without comments; `None` if it has child elements.
    pub(super) fn text(&self, at: usize) -> Option<String> {
        let inside = self.nodes.get(at + 1..self.start(at)?.end)?;
        let mut text = String::new();
        for node in inside {
            match node {
                SignedNode::Text(part) => text.push_str(part),
                SignedNode::Comment(_) => {}
                SignedNode::Start(_) | SignedNode::End => return None,
            }
        }
        Some(text)
    }

    /// Whether all text directly inside the element is white space.
    pub(super) fn only_elements(&self, at: usize) -> bool {
        let end = self.start(at).map_or(0, |start| start.end);
        let mut next = at + 1;
        while next < end {
            next = match self.nodes.get(next) {
                Some(SignedNode::Start(child)) => child.end + 1,
                Some(SignedNode::Text(text)) if !crate::xml::trim(text).is_empty() => return false,
                _ => next + 1,
            };
        }
        true
    }
}

/// Checks that the strict reader accepts the whole document: well-formed by XML 1.0 and Namespaces 1.0, UTF-8, within
/// the limits for files, with neither document type nor processing instruction.
fn accept(document: &[u8]) -> Result<(), SignatureError> {
    let mut reader = Reader::from_slice(document, XmlLimits::FILE)?;
    reader.root()?;
    reader.skip()?;
    Ok(reader.finish()?)
}

struct Builder<'d> {
    tree: SignedTree<'d>,
    /// Start tags of the open elements.
    open: Vec<usize>,
    /// The declarations in scope.
    scope: Scope<usize>,
}

impl<'d> Builder<'d> {
    fn new() -> Self {
        let fixed = |prefix: &str, ns: &str| Declaration { prefix: prefix.into(), ns: ns.into() };
        let declarations = vec![fixed("xml", ns::XML), fixed("", "")];
        let tree = SignedTree { nodes: Vec::new(), attributes: Vec::new(), declarations };
        Self { tree, open: Vec::new(), scope: Scope::default() }
    }

    /// Adds an event that ends at `position`.
    fn event(&mut self, event: Event<'d>, position: usize) -> Result<(), SignatureError> {
        let outside = self.open.is_empty();
        let node = match event {
            Event::Start(tag) => return self.start(&tag),
            Event::End(_) => {
                self.end(position);
                SignedNode::End
            }
            // White space and comments outside the root are not signed.
            Event::Text(_) | Event::Comment(_) if outside => return Ok(()),
            Event::Decl(_) => return Ok(()),
            Event::Text(text) => SignedNode::Text(text.xml10_content()),
            Event::CData(text) => SignedNode::Text(text.xml10_content()),
            Event::Comment(text) => SignedNode::Comment(text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(c)) => SignedNode::Text(Cow::Owned(c.to_string())),
                _ => SignedNode::Text(resolve_predefined_entity(&name).ok_or(SignatureError::Unreadable)?.into()),
            },
            Event::Empty(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => return Err(SignatureError::Unreadable),
        };
        self.push(node)
    }

    fn push(&mut self, node: SignedNode<'d>) -> Result<(), SignatureError> {
        if self.tree.nodes.len() == MAX_NODES {
            return Err(SignatureError::TooLarge);
        }
        self.tree.nodes.push(node);
        Ok(())
    }

    fn end(&mut self, position: usize) {
        let end = self.tree.nodes.len();
        let Some(at) = self.open.pop() else { return };
        self.scope.leave(self.open.len());
        if let Some(SignedNode::Start(start)) = self.tree.nodes.get_mut(at) {
            start.end = end;
            start.end_offset = position;
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), SignatureError> {
        let declared = self.tree.declarations.len();
        let attributes = self.tree.attributes.len();
        let mut plain = Vec::new();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| SignatureError::Unreadable)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            let value = value.map_err(|_| SignatureError::Unreadable)?.into_owned();
            let qualified = attribute.key.0;
            match qualified.strip_prefix("xmlns") {
                Some("") => self.declare("", value)?,
                Some(prefix) if prefix.starts_with(':') => self.declare(&prefix[1..], value)?,
                _ => plain.push((qualified.to_owned(), value)),
            }
        }
        // Names can be resolved only when all declarations of the tag are known.
        for (qualified, value) in plain {
            let name = self.name(&qualified, NO_NAMESPACE)?;
            self.tree.attributes.push(SignedAttribute { name, value: value.into() });
        }
        let name = self.name(tag.name().0, self.resolve("")?)?;
        let at = self.tree.nodes.len();
        self.push(SignedNode::Start(Box::new(Start {
            name,
            attributes: attributes..self.tree.attributes.len(),
            declared: declared..self.tree.declarations.len(),
            parent: self.open.last().copied(),
            end: at,
            end_offset: 0,
        })))?;
        self.open.push(at);
        Ok(())
    }

    fn declare(&mut self, prefix: &str, ns: String) -> Result<(), SignatureError> {
        if prefix == "xml" {
            return Ok(()); // always in scope, and never written
        }
        if is_relative(&ns) {
            return Err(SignatureError::NotAllowed("a relative namespace name"));
        }
        let (at, depth) = (self.tree.declarations.len(), self.open.len() + 1);
        self.scope.bind(prefix, at, depth).map_err(|_| SignatureError::TooLarge)?; // the only remaining reason
        self.tree.declarations.push(Declaration { prefix: prefix.into(), ns: ns.into() });
        Ok(())
    }

    fn name(&self, qualified: &str, ns_without_prefix: usize) -> Result<Name, SignatureError> {
        let (local_at, ns) = match qualified.find(':') {
            Some(colon) => (colon + 1, self.resolve(&qualified[..colon])?),
            None => (0, ns_without_prefix),
        };
        Ok(Name { qualified: qualified.into(), local_at, ns })
    }

    fn resolve(&self, prefix: &str) -> Result<usize, SignatureError> {
        match (self.scope.get(prefix), prefix) {
            (Some(at), _) => Ok(*at),
            (None, "") => Ok(NO_NAMESPACE),
            (None, "xml") => Ok(XML),
            (None, _) => Err(SignatureError::Unreadable),
        }
    }

    fn finish(self) -> Result<SignedTree<'d>, SignatureError> {
        match self.tree.nodes.first() {
            Some(SignedNode::Start(_)) if self.open.is_empty() => Ok(self.tree),
            _ => Err(SignatureError::Unreadable),
        }
    }
}

/// Whether a namespace name is not an absolute URI (RFC 3986 §3.1).
fn is_relative(ns: &str) -> bool {
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    };
    !ns.is_empty() && !ns.split_once(':').is_some_and(|(before, _)| scheme(before))
}
