//! Canonical XML 1.0 and 1.1, and Exclusive XML CanonicalForm 1.0, of an element with all that is in it.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::SignatureError;
use super::tree::{SignedAttribute, SignedNode, SignedTree, Start};
use crate::xml::{Scope, ns};

/// A canonicalisation with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CanonicalForm {
    pub(super) kind: NamespaceRule,
    /// Whether comments are kept.
    pub(super) comments: bool,
}

/// The namespaces and `xml:` attributes that an element gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NamespaceRule {
    /// All in scope (Canonical XML 1.0).
    Inclusive,
    /// The same, except `xml:id` and `xml:base` (Canonical XML 1.1).
    Inclusive11,
    /// Those that its names use, and, for these prefixes (empty: the default), all in scope.
    Exclusive(BTreeSet<String>),
}

impl CanonicalForm {
    pub(super) const DEFAULT: CanonicalForm = CanonicalForm { kind: NamespaceRule::Inclusive, comments: false };
}

/// The canonical form of the element whose start tag is at `apex`, without the element at `left_out`.
///
/// Errors: [`SignatureError::NotAllowed`] if Canonical XML 1.1 would have to join `xml:base` URIs.
pub(super) fn canonicalize(
    tree: &SignedTree<'_>,
    apex: usize,
    left_out: Option<usize>,
    method: &CanonicalForm,
) -> Result<Vec<u8>, SignatureError> {
    let mut writer = CanonicalWriter { tree, method, out: Vec::new(), rendered: Scope::default(), open: Vec::new() };
    let mut next = apex;
    while let Some(node) = tree.nodes().get(next) {
        match node {
            SignedNode::Start(start) if Some(next) == left_out => next = start.end,
            SignedNode::Start(start) => writer.start(start, next == apex)?,
            SignedNode::Text(text) => escape(&mut writer.out, text, false),
            SignedNode::Comment(text) if method.comments => {
                writer.out.extend([b"<!--", text.as_bytes(), b"-->"].concat());
            }
            SignedNode::Comment(_) => {}
            SignedNode::End => writer.end(),
        }
        if writer.open.is_empty() {
            return Ok(writer.out);
        }
        next += 1;
    }
    Err(SignatureError::Unreadable) // unreachable: every start tag has an end tag
}

struct CanonicalWriter<'t, 'd> {
    tree: &'t SignedTree<'d>,
    method: &'t CanonicalForm,
    out: Vec<u8>,
    /// The namespaces written in the open elements, by prefix.
    rendered: Scope<&'t str>,
    /// Names of the open elements.
    open: Vec<&'t str>,
}

impl<'t> CanonicalWriter<'t, '_> {
    fn start(&mut self, start: &'t Start, is_apex: bool) -> Result<(), SignatureError> {
        self.out.push(b'<');
        self.out.extend_from_slice(start.name.qualified().as_bytes());
        for (prefix, ns) in self.namespaces(start, is_apex) {
            let name = if prefix.is_empty() { "xmlns".to_owned() } else { ["xmlns:", prefix].concat() };
            self.attribute(&name, ns);
            let depth = self.open.len() + 1;
            self.rendered.bind(prefix, ns, depth).map_err(|_| SignatureError::TooLarge)?;
        }
        let mut attributes: Vec<&SignedAttribute> = self.tree.attributes(start).iter().collect();
        if is_apex {
            self.inherit(start, &mut attributes)?;
        }
        attributes.sort_by_key(|attribute| (self.tree.ns(&attribute.name), attribute.name.local()));
        for attribute in attributes {
            self.attribute(attribute.name.qualified(), &attribute.value);
        }
        self.out.push(b'>');
        self.open.push(start.name.qualified());
        Ok(())
    }

    fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            self.out.extend([b"</", name.as_bytes(), b">"].concat());
            self.rendered.leave(self.open.len());
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push(b' ');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"=\"");
        escape(&mut self.out, value, true);
        self.out.push(b'"');
    }

    /// The namespaces to write in a start tag, in order: those that differ from the enclosing output.
    fn namespaces(&self, start: &'t Start, is_apex: bool) -> Vec<(&'t str, &'t str)> {
        let declared = |start: &'t Start| self.tree.declared(start).iter().map(|d| (&*d.prefix, &*d.ns));
        let tree = self.tree;
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        // In document order, outer declarations come later and have lower precedence.
        let mut in_force: Vec<(&str, &str)> = declared(start).collect();
        if is_apex {
            in_force.extend(tree.ancestors(start).flat_map(declared));
        }
        match &self.method.kind {
            NamespaceRule::Inclusive | NamespaceRule::Inclusive11 => wanted = in_force,
            NamespaceRule::Exclusive(prefixes) => {
                let names = tree.attributes(start).iter().map(|attribute| &attribute.name);
                let names = names.filter(|name| !name.prefix().is_empty()).chain([&start.name]);
                wanted.extend(names.map(|name| (name.prefix(), tree.ns(name))));
                let listed = |prefix: &str| prefixes.contains(prefix);
                wanted.extend(in_force.into_iter().filter(|(prefix, _)| listed(prefix)));
            }
        }
        wanted.sort_by_key(|(prefix, _)| *prefix); // stable: the innermost declaration of a prefix stays first
        wanted.dedup_by_key(|(prefix, _)| *prefix);
        wanted.retain(|(prefix, ns)| {
            // No default namespace is the same as an empty one.
            *prefix != "xml" && self.rendered.get(prefix).copied().unwrap_or_default() != *ns
        });
        wanted
    }

    /// Adds inherited attributes to the apex.
    fn inherit(&self, apex: &'t Start, attributes: &mut Vec<&'t SignedAttribute>) -> Result<(), SignatureError> {
        let is_11 = match self.method.kind {
            NamespaceRule::Exclusive(_) => return Ok(()),
            NamespaceRule::Inclusive => false,
            NamespaceRule::Inclusive11 => true,
        };
        let around = self.tree.ancestors(apex).flat_map(|start| self.tree.attributes(start));
        for attribute in around.filter(|attribute| self.tree.ns(&attribute.name) == ns::XML) {
            match attribute.name.local() {
                "id" if is_11 => continue,
                "base" if is_11 => return Err(SignatureError::NotAllowed("xml:base together with Canonical XML 1.1")),
                local if attributes.iter().any(|a| a.name.local() == local && self.tree.ns(&a.name) == ns::XML) => {}
                local if is_11 && !matches!(local, "lang" | "space") => {}
                _ => attributes.push(attribute),
            }
        }
        Ok(())
    }
}

/// Appends text, or the value of an attribute, with the replacements of Canonical XML 1.0 §2.3.
fn escape(out: &mut Vec<u8>, text: &str, in_attribute: bool) {
    out.reserve(text.len());
    for octet in text.bytes() {
        let replacement: &[u8] = match octet {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'\r' => b"&#xD;",
            b'>' if !in_attribute => b"&gt;",
            b'"' if in_attribute => b"&quot;",
            b'\t' if in_attribute => b"&#x9;",
            b'\n' if in_attribute => b"&#xA;",
            _ => {
                out.push(octet);
                continue;
            }
        };
        out.extend_from_slice(replacement);
    }
}
