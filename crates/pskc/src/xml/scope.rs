//! Which prefix stands for which namespace, at the place reached.

use super::{Ns, ns};

/// The namespace declarations in force, innermost last.
#[derive(Clone, Default)]
pub(super) struct Scope {
    bindings: Vec<Binding>,
    /// The binding that a tag asked for last, unless they have changed since.
    last: Option<usize>,
}

#[derive(Clone)]
struct Binding {
    prefix: String,
    ns: Ns,
    depth: usize,
}

impl Scope {
    /// Takes in `xmlns:prefix="name"` (`xmlns="name"`: the empty prefix) of the element at `depth`.
    /// `Err` says which rule of Namespaces in XML the declaration breaks.
    pub(super) fn declare(&mut self, prefix: &str, name: &str, depth: usize) -> Result<(), &'static str> {
        const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
        if prefix == "xml" || name == ns::XML {
            let same = prefix == "xml" && name == ns::XML;
            return if same { Ok(()) } else { Err("the prefix xml and its namespace are reserved") };
        }
        if prefix == "xmlns" || name == XMLNS {
            return Err("the prefix xmlns and its namespace are reserved");
        }
        if name.is_empty() && !prefix.is_empty() {
            return Err("a prefix cannot be undeclared");
        }
        let here = self.bindings.iter().rev().take_while(|binding| binding.depth == depth);
        if here.into_iter().any(|binding| binding.prefix == prefix) {
            return Err("an attribute given twice");
        }
        self.last = None;
        self.bindings.push(Binding { prefix: prefix.to_owned(), ns: Ns::from(name), depth });
        Ok(())
    }

    /// Forgets the declarations of elements deeper than `depth`.
    pub(super) fn leave(&mut self, depth: usize) {
        while self.bindings.last().is_some_and(|binding| binding.depth > depth) {
            self.bindings.pop();
            self.last = None;
        }
    }

    /// What `prefix` stands for; the empty one: the default namespace, or none.
    pub(super) fn resolve(&self, prefix: &str) -> Option<Ns> {
        if let Some(found) = self.bindings.iter().rev().find(|binding| binding.prefix == prefix) {
            return Some(found.ns.clone());
        }
        match prefix {
            "" => Some(Ns::None),
            "xml" => Some(Ns::from(ns::XML)),
            _ => None,
        }
    }

    /// As [`resolve`](Self::resolve), for tags, which mostly have the prefix of the one before. Puts the namespace
    /// into `ns`, and tells whether there is one.
    #[inline]
    pub(super) fn resolve_next(&mut self, prefix: &str, ns: &mut Ns) -> bool {
        let last = self.last.and_then(|last| self.bindings.get(last)).filter(|last| last.prefix == prefix);
        match last {
            Some(Binding { ns: Ns::Known(known), .. }) => *ns = Ns::Known(known),
            Some(Binding { ns: other, .. }) => *ns = other.clone(),
            None => {
                self.last = self.bindings.iter().rposition(|binding| binding.prefix == prefix);
                let Some(found) = self.resolve(prefix) else { return false };
                *ns = found;
            }
        }
        true
    }
}
